-- SPDX-License-Identifier: MIT
-- What waits for a mailed link: whose review it is, an edit, a withdrawal. And what authors do on their own page.

create or replace function vouch.confirmation_ask(p_store text, p_review bigint, p_revision integer, p_action text, p_address_key bytea) returns boolean
language plpgsql as $$
declare
  asked bigint;
begin
  if p_address_key is null or (
      select count(*) from vouch.confirmation c
      where c.store_id = p_store and c.address_key = p_address_key and c.asked_at > vouch.clock() - interval '1 day') >= 5 then
    return false;
  end if;
  update vouch.confirmation c set state = 'lapsed', settled_at = vouch.clock()
  where c.store_id = p_store and c.review_id = p_review and c.action = p_action and c.state = 'pending';
  insert into vouch.confirmation (store_id, review_id, revision, action, address_key, asked_at)
  values (p_store, p_review, p_revision, p_action, p_address_key, vouch.clock())
  returning confirmation_id into asked;
  perform vouch.mail_enqueue(p_store, 'confirm', asked, 0, p_address_key, vouch.clock());
  return true;
end
$$;
comment on function vouch.confirmation_ask is 'Mails the owner of an address a link; at most five a day to one address, so that nobody can be flooded. False: not asked.';

create or replace function vouch.kept_findings(p_known vouch.review_revision, p_edit jsonb) returns jsonb
language plpgsql immutable as $$
declare
  kept jsonb := coalesce((
    select jsonb_agg(m) from jsonb_array_elements(p_known.marks) m
    where not p_edit ? (case m ->> 'field' when 'author_name' then 'name' else m ->> 'field' end)), '[]');
begin
  if p_edit ? 'title' and p_edit ? 'body' or cardinality(p_known.reasons) = 0 or p_known.marks <> '[]' and kept = '[]' then
    return '{}';
  end if;
  return jsonb_build_object('marks', kept || coalesce(p_edit -> 'marks', '[]'), 'reasons', (
    select coalesce(jsonb_agg(distinct x), '[]') from (
      select jsonb_array_elements(coalesce(p_edit -> 'reasons', '[]')) as x
      union select to_jsonb(u) from unnest(p_known.reasons) u) f));
end
$$;
comment on function vouch.kept_findings is 'An edit that leaves out title or body leaves them as they are, and with them what was found there: the marks in what stays, and the reasons if there are any such marks, or never were.';

create or replace function vouch.review_ask_edit(p_store text, p_body jsonb, p_time timestamptz) returns jsonb
language plpgsql as $$
declare
  review bigint := vouch.review_by_name(p_store, p_body);
  written timestamptz := least(coalesce(p_time, vouch.clock()), vouch.clock());
  words jsonb;
  added integer;
begin
  perform from vouch.review v where v.store_id = p_store and v.review_id = review for no key update;
  select jsonb_build_object('rating', r.rating, 'title', r.title, 'body', r.body, 'name', r.author_name, 'locale', r.locale)
    || (p_body - array['review_id', 'external_id']) || vouch.kept_findings(r, p_body) into words
  from vouch.review v
  join vouch.review_revision r on r.store_id = v.store_id and r.review_id = v.review_id and r.revision = v.revision
  where v.store_id = p_store and v.review_id = review and v.state <> 'withdrawn' and v.erased_at is null;
  if words is null then
    perform vouch.refuse('VO201', '/data/review', 'a withdrawn or anonymous review cannot be edited');
  end if;
  update vouch.review_revision r set state = 'superseded'
  where r.store_id = p_store and r.review_id = review and r.state = 'unconfirmed';
  added := vouch.revision_add(p_store, review, words, written, 'unconfirmed');
  return jsonb_build_object('review', vouch.review_answer(p_store, review, v.revision) -> 'review' || jsonb_build_object(
    'confirmation', case when vouch.confirmation_ask(p_store, review, added, 'edit', vouch.review_address(p_store, review))
      then 'mailed' else 'impossible' end))
  from vouch.review v where v.store_id = p_store and v.review_id = review;
end
$$;
comment on function vouch.review_ask_edit is 'review.edited: the new words wait until the author follows a mailed link; what is published stays.';

create or replace function vouch.review_ask_withdrawal(p_store text, p_body jsonb) returns jsonb
language plpgsql as $$
declare
  review bigint := vouch.review_by_name(p_store, p_body);
begin
  return jsonb_build_object('review', vouch.review_answer(p_store, review, v.revision) -> 'review' || jsonb_build_object(
    'confirmation', case when v.state = 'withdrawn' then 'not_needed'
      when vouch.confirmation_ask(p_store, review, null, 'withdraw', vouch.review_address(p_store, review)) then 'mailed' else 'impossible' end))
  from vouch.review v where v.store_id = p_store and v.review_id = review;
end
$$;
comment on function vouch.review_ask_withdrawal is 'review.withdrawn: waits until the author follows a mailed link.';

create or replace function vouch.link_open(p_store text, p_purpose text, p_token_hash bytea) returns vouch.link_token
language plpgsql stable as $$
begin
  return (
    select t from vouch.link_token t
    where t.store_id = p_store and t.token_hash = p_token_hash and t.purpose = p_purpose
      and (t.expires_at is null or t.expires_at > vouch.clock()));
end
$$;
comment on function vouch.link_open is 'What a link opens; NULL alike for unknown, foreign, expired and revoked ones.';

create or replace function vouch.link_enter(p_store text, p_purpose text, p_token_hash bytea, p_writes boolean) returns bigint
language plpgsql as $$
begin
  if p_writes then
    perform vouch.gate(p_store, false);
  else
    perform vouch.enter(p_store);
  end if;
  return (vouch.link_open(p_store, p_purpose, p_token_hash)).subject_id;
end
$$;
comment on function vouch.link_enter is 'Through a mailed link into its store: what it opens, NULL for a link that opens nothing. Who goes in to write waits for an erasure under way.';

create or replace function vouch.confirm_view(p_store text, p_token_hash bytea) returns jsonb
language plpgsql stable security definer as $$
declare
  asked bigint := vouch.link_enter(p_store, 'confirm', p_token_hash, false);
begin
  return vouch.confirmation_context(p_store, c.confirmation_id) || jsonb_build_object('state', c.state)
  from vouch.confirmation c where c.store_id = p_store and c.confirmation_id = asked;
end
$$;

create or replace function vouch.confirm_do(p_store text, p_token_hash bytea) returns jsonb
language plpgsql security definer as $$
declare
  opened bigint := vouch.link_enter(p_store, 'confirm', p_token_hash, true);
  asked vouch.confirmation;
begin
  select c.* into asked from vouch.confirmation c where c.store_id = p_store and c.confirmation_id = opened for update;
  if not found then
    return null;
  end if;
  if asked.state = 'pending' then
    update vouch.confirmation c set state = 'confirmed', settled_at = vouch.clock()
    where c.store_id = p_store and c.confirmation_id = asked.confirmation_id;
    if asked.action = 'author' then
      perform vouch.author_confirm(p_store, asked.review_id);
    elsif asked.action = 'edit' then
      perform vouch.edit_confirm(p_store, asked.review_id, asked.revision);
    else
      perform vouch.review_withdraw(p_store, asked.review_id);
    end if;
  end if;
  return vouch.review_answer(p_store, v.review_id, v.revision) || jsonb_build_object('action', asked.action)
  from vouch.review v where v.store_id = p_store and v.review_id = asked.review_id;
end
$$;
comment on function vouch.confirm_do is 'The owner of the address followed the link and pressed the button. Repeating it changes nothing.';

create or replace function vouch.author_confirm(p_store text, p_review bigint) returns void
language plpgsql as $$
begin
  update vouch.review v set claim = 'confirmed' where v.store_id = p_store and v.review_id = p_review and v.claim = 'unconfirmed';
  perform vouch.hold_follow(p_store, p_review, vouch.review_verify(p_store, p_review));
  perform vouch.discount_on_submission(p_store, v.order_id)
  from vouch.review v where v.store_id = p_store and v.review_id = p_review and v.verified;
end
$$;

create or replace function vouch.edit_confirm(p_store text, p_review bigint, p_revision integer) returns void
language plpgsql as $$
begin
  perform from vouch.review_revision r where r.store_id = p_store and r.review_id = p_review and r.revision = p_revision and r.state = 'unconfirmed';
  if not found then
    perform vouch.refuse('VO201', '', 'this edit was overtaken by another');
  end if;
  perform vouch.revision_advance(p_store, p_review, p_revision);
  perform vouch.revision_decide(p_store, p_review, p_revision, vouch.review_verify(p_store, p_review));
end
$$;

create or replace function vouch.review_withdraw(p_store text, p_review bigint) returns void
language plpgsql as $$
begin
  perform vouch.revision_move(p_store, p_review, r.revision, 'withdraw', 'author', false, null, null, null)
  from (select r.revision from vouch.review_revision r
        where r.store_id = p_store and r.review_id = p_review and r.state in ('unconfirmed', 'held', 'published', 'rejected') order by r.revision) r;
end
$$;
comment on function vouch.review_withdraw is 'By the author only. The text is kept, unseen, as long as the record needs it.';

create or replace function vouch.author_link(p_store text, p_review bigint, p_token_hash bytea) returns void
language plpgsql security definer as $$
begin
  perform vouch.enter(p_store);
  perform vouch.link_issue(p_store, array[jsonb_build_array(jsonb_build_object('hash', encode(p_token_hash, 'hex'), 'purpose', 'author', 'subject_id', p_review))]);
end
$$;
comment on function vouch.author_link is 'Makes the author''s private link of a review valid; the caller derived it from the key.';

create or replace function vouch.author_history(p_store text, p_review bigint) returns jsonb
language plpgsql stable as $$
begin
  return (
    select jsonb_agg(jsonb_strip_nulls(jsonb_build_object('action', d.action, 'from_state', d.from_state, 'to_state', d.to_state, 'decided_at', d.decided_at,
      'automated', d.automated, 'ground', d.ground, 'reasons', to_jsonb(d.reasons),
      'facts', (select n.note from vouch.decision_note n where n.store_id = d.store_id and n.decision_id = d.decision_id
                and d.action in ('reject', 'redact', 'uphold', 'overturn')))) order by d.decision_id)
    from vouch.review_decision d where d.store_id = p_store and d.review_id = p_review and d.action not in ('supersede', 'keep'));
end
$$;
comment on function vouch.author_history is 'The decisions on a review as its author may read them: facts and grounds, no names of operators, no inner notes.';

create or replace function vouch.author_view(p_store text, p_token_hash bytea) returns jsonb
language plpgsql stable security definer as $$
declare
  opened bigint := vouch.link_enter(p_store, 'author', p_token_hash, false);
begin
  return jsonb_build_object('review_id', v.review_id, 'product_id', v.product_id, 'product', vouch.product_reviewed(v),
    'state', v.state, 'verified', v.verified, 'verified_reason', v.verified_reason, 'revision', v.revision, 'locale', r.locale,
    'rating', r.rating, 'title', r.title, 'body', r.body, 'name', r.author_name, 'revision_state', r.state, 'held_for', to_jsonb(r.held_for),
    'labels', to_jsonb(r.labels), 'marks', case when r.state = 'held' then r.marks else '[]' end, 'redactions', r.redactions,
    'deadline_at', r.deadline_at, 'escalated_at', r.escalated_at, 'appeal', vouch.appeal_shown(p_store, v.review_id),
    'history', vouch.author_history(p_store, v.review_id))
  from vouch.review v
  join vouch.review_revision r on r.store_id = v.store_id and r.review_id = v.review_id and r.revision = v.revision
  where v.store_id = p_store and v.review_id = opened;
end
$$;
comment on function vouch.author_view is 'The author''s own page: where the review stands and why, and what can be done about it.';

create or replace function vouch.author_data(p_store text, p_token_hash bytea) returns jsonb
language plpgsql stable security definer as $$
declare
  opened bigint := vouch.link_enter(p_store, 'author', p_token_hash, false);
begin
  return jsonb_build_object('exported_at', vouch.clock(), 'store', (select s.name from vouch.store s where s.store_id = p_store),
    'review', to_jsonb(v) - array['store_id', 'address_key', 'shown_rating', 'shown_language', 'shown_at'],
    'product', vouch.product_reviewed(v),
    'revisions', (select jsonb_agg(to_jsonb(r) - array['store_id', 'salt', 'digest'] order by r.revision) from vouch.review_revision r
                  where r.store_id = p_store and r.review_id = v.review_id),
    'decisions', (select coalesce(jsonb_agg(to_jsonb(d) - array['store_id', 'actor', 'words_digest', 'note_digest'] || jsonb_build_object('by',
                    case when d.automated then 'machine' when d.actor = 'author' then 'author' else 'person' end,
                    'facts', (select n.note from vouch.decision_note n where n.store_id = d.store_id and n.decision_id = d.decision_id and d.action = 'reject'))
                    order by d.decision_id), '[]') from vouch.review_decision d where d.store_id = p_store and d.review_id = v.review_id))
  from vouch.review v where v.store_id = p_store and v.review_id = opened;
end
$$;
comment on function vouch.author_data is
'What the author''s page gives to take away (GDPR Art. 15, 20): the review with every wording and every decision. Whoever holds the link is not asked who he is, so that address and orders are left to vouch.export_customer().';

create or replace function vouch.author_edit(p_store text, p_token_hash bytea, p_words jsonb) returns jsonb
language plpgsql security definer as $$
declare
  opened bigint := vouch.link_enter(p_store, 'author', p_token_hash, true);
begin
  if opened is null then
    return null;
  end if;
  if exists (select from vouch.review v where v.store_id = p_store and v.review_id = opened and v.state = 'withdrawn') then
    perform vouch.refuse('VO201', '', 'a withdrawn review cannot be edited');
  end if;
  return vouch.review_revise(p_store, opened, p_words, vouch.clock());
end
$$;

create or replace function vouch.author_withdraw(p_store text, p_token_hash bytea) returns jsonb
language plpgsql security definer as $$
declare
  opened bigint := vouch.link_enter(p_store, 'author', p_token_hash, true);
begin
  if opened is null then
    return null;
  end if;
  perform vouch.review_lock(p_store, opened, null);
  perform vouch.review_withdraw(p_store, opened);
  return vouch.review_answer(p_store, v.review_id, v.revision) from vouch.review v
  where v.store_id = p_store and v.review_id = opened;
end
$$;

create or replace function vouch.unsubscribe_view(p_store text, p_token_hash bytea) returns boolean
language plpgsql stable security definer as $$
declare
  link vouch.link_token;
begin
  perform vouch.enter(p_store);
  link := vouch.link_open(p_store, 'unsubscribe', p_token_hash);
  return case when link.address_key is not null then exists (select from vouch.suppression x
    where x.store_id = p_store and x.address_key = link.address_key and x.reason = 'unsubscribed') end;
end
$$;
comment on function vouch.unsubscribe_view is 'Whether the owner of the link is unsubscribed already; NULL for an unknown link.';

create or replace function vouch.unsubscribe_do(p_store text, p_token_hash bytea) returns boolean
language plpgsql security definer as $$
declare
  link vouch.link_token;
begin
  perform vouch.enter(p_store);
  link := vouch.link_open(p_store, 'unsubscribe', p_token_hash);
  if link.address_key is null then
    return false;
  end if;
  perform vouch.unsubscribe(p_store, link.address_key);
  return true;
end
$$;
comment on function vouch.unsubscribe_do is 'RFC 8058 one click; idempotent. False: unknown link.';
