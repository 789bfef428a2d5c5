-- SPDX-License-Identifier: MIT
-- The operator console: finding reviews, and everything about one of them.

create or replace function vouch.console_found(
  p_store text, p_product text, p_order text, p_author text, p_id bigint, p_before bigint, p_limit integer
) returns table (review_id bigint)
language plpgsql stable as $$
begin
  if p_id is not null then
    return query select v.review_id from vouch.review v where v.store_id = p_store and v.review_id = p_id;
  elsif p_order is not null then
    return query select v.review_id from vouch.review v
      where v.store_id = p_store and v.order_id = p_order and v.review_id < p_before order by v.review_id desc limit p_limit;
  elsif p_author like 'c:%' then
    return query select v.review_id from vouch.review v
      where v.store_id = p_store and v.customer_id = substring(p_author from 3) and v.review_id < p_before order by v.review_id desc limit p_limit;
  elsif p_author ~ '^a:[0-9a-f]{64}$' then
    return query select v.review_id from vouch.review v
      where v.store_id = p_store and v.address_key = decode(substring(p_author from 3), 'hex') and v.review_id < p_before
      order by v.review_id desc limit p_limit;
  elsif p_author is not null then
    perform vouch.refuse('VO102', '/author', 'author is what a link to an author''s reviews gave');
  elsif p_product is not null then
    return query select v.review_id from vouch.review v
      where v.store_id = p_store and v.product_id = p_product and v.review_id < p_before
      order by v.review_id desc limit p_limit;
  else
    return query select v.review_id from vouch.review v
      where v.store_id = p_store and v.review_id < p_before order by v.review_id desc limit p_limit;
  end if;
end
$$;
comment on function vouch.console_found is 'Reviews by the narrowest field that is given, newest first, below p_before; each way has its index.';

create or replace function vouch.console_line(p_store text, p_review bigint) returns jsonb
language plpgsql stable as $$
begin
  return (
    select jsonb_build_object('review_id', v.review_id, 'product', vouch.product_name(p_store, v.product_id), 'state', v.state, 'rating', r.rating,
      'title', r.title, 'snippet', left(r.body, 160), 'author_name', r.author_name, 'verified', v.verified, 'written_at', r.written_at,
      'order_id', coalesce(v.order_id, v.wanted_order_id), 'lang', substring(r.locale from '^[A-Za-z]{2,3}'))
    from vouch.review v
    join vouch.review_revision r on r.store_id = v.store_id and r.review_id = v.review_id and r.revision = v.revision
    where v.store_id = p_store and v.review_id = p_review);
end
$$;

create or replace function vouch.console_reviews(p_store text, p_operator text, p_role text, p_ask jsonb) returns jsonb
language plpgsql stable security definer as $$
declare
  wanted_state text := nullif(p_ask ->> 'state', '');
  size constant integer := 25;
  looked constant integer := case when wanted_state is null then size + 1 else 2000 end;
  found record;
  seen integer := 0;
  last bigint;
  next bigint;
  ids bigint[] := '{}';
begin
  perform vouch.console_as(p_store, p_operator, p_role, array['viewer', 'moderator', 'manager', 'mediator']);
  for found in
    select h.review_id, (select v.state from vouch.review v where v.store_id = p_store and v.review_id = h.review_id) as state
    from vouch.console_found(p_store, nullif(p_ask ->> 'product', ''), nullif(p_ask ->> 'order', ''), nullif(p_ask ->> 'author', ''),
      vouch.console_number(p_ask, 'review'), coalesce(vouch.console_number(p_ask, 'after'), 9223372036854775807), looked) h
  loop
    if found.state = coalesce(wanted_state, found.state) then
      if cardinality(ids) = size then
        next := last;
        exit;
      end if;
      ids := ids || found.review_id;
    end if;
    seen := seen + 1;
    last := found.review_id;
  end loop;
  return jsonb_build_object('asked', '{"product": null, "order": null, "author": null, "state": null, "review": null}' || p_ask,
    'rows', (select coalesce(jsonb_agg(vouch.console_line(p_store, ids[n]) order by n), '[]') from generate_subscripts(ids, 1) n),
    'next', coalesce(next, case when seen >= looked then last end)::text, 'some', cardinality(ids) > 0,
    'state_choices', (select jsonb_agg(jsonb_build_object('state', s, 'chosen', s = wanted_state))
                      from unnest(array['held', 'published', 'rejected', 'withdrawn']) s));
end
$$;
comment on function vouch.console_reviews is 'Search by product, order, author, state or id; 25 a page, newest first. By state alone at most 2000 are looked at before the place is handed on.';

create or replace function vouch.console_find(p_store text, p_operator text, p_role text, p_ask jsonb) returns jsonb
language plpgsql stable security definer as $$
begin
  perform vouch.console_as(p_store, p_operator, p_role, array['viewer', 'moderator', 'manager', 'mediator']);
  if p_ask ->> 'address_key' is null then
    perform vouch.refuse('VO104', '/address', 'whose reviews? type the whole address');
  end if;
  return jsonb_build_object('query', jsonb_build_object('author', 'a:' || (p_ask ->> 'address_key')));
end
$$;
comment on function vouch.console_find is 'An author''s reviews by the address typed: only its key goes on, into the address of the page.';

create or replace function vouch.console_history(p_store text, p_review bigint) returns jsonb
language sql stable as $$
  select coalesce(jsonb_agg(jsonb_build_object('decision_id', d.decision_id, 'action', d.action, 'from_state', d.from_state, 'to_state', d.to_state,
    'decided_at', d.decided_at, 'actor', d.actor, 'automated', d.automated, 'ground', d.ground, 'reasons', to_jsonb(d.reasons), 'revision', d.revision,
    'note', n.note) order by d.decision_id desc), '[]')
  from (select * from vouch.review_decision x where x.store_id = p_store and x.review_id = p_review order by x.decision_id desc limit 200) d
  left join vouch.decision_note n on n.store_id = d.store_id and n.decision_id = d.decision_id
$$;

create or replace function vouch.console_mails(p_store text, p_review bigint) returns jsonb
language sql stable as $$
  select coalesce(jsonb_agg(jsonb_build_object('kind', m.kind, 'state', m.state, 'reason', m.reason, 'due_at', m.due_at, 'finished_at', m.finished_at,
    'attempts', m.attempts) order by m.due_at desc, m.mail_id desc), '[]')
  from (
    select e.* from vouch.review_decision d
    cross join lateral (select * from vouch.outgoing_mail x where x.store_id = p_store and x.kind = d.to_state and x.subject_id = d.decision_id offset 0) e
    where d.store_id = p_store and d.review_id = p_review
    union all
    select e.* from vouch.review v
    join vouch.review_request q on q.store_id = v.store_id and q.order_id = v.order_id
    cross join lateral (select * from vouch.outgoing_mail x
      where x.store_id = p_store and x.kind in ('request', 'reminder', 'discount') and x.subject_id = q.request_id offset 0) e
    where v.store_id = p_store and v.review_id = p_review) m
$$;

create or replace function vouch.console_revisions(p_store text, p_review bigint) returns jsonb
language sql stable as $$
  select coalesce(jsonb_agg(jsonb_build_object('revision', r.revision, 'state', r.state, 'rating', r.rating, 'title', r.title, 'body', r.body,
    'author_name', r.author_name, 'locale', r.locale, 'lang', substring(r.locale from '^[A-Za-z]{2,3}'), 'written_at', r.written_at,
    'marks', r.marks, 'reasons', to_jsonb(r.reasons), 'labels', to_jsonb(r.labels), 'erased_at', r.erased_at) order by r.revision desc), '[]')
  from (select * from vouch.review_revision x where x.store_id = p_store and x.review_id = p_review order by x.revision desc limit 50) r
$$;

create or replace function vouch.console_review(p_store text, p_operator text, p_role text, p_ask jsonb) returns jsonb
language plpgsql stable security definer as $$
declare
  wanted bigint := vouch.console_id(p_ask);
  about vouch.review;
  shown integer;
begin
  perform vouch.console_as(p_store, p_operator, p_role, array['viewer', 'moderator', 'manager', 'mediator']);
  select v.* into about from vouch.review v where v.store_id = p_store and v.review_id = wanted;
  if not found then
    return null;
  end if;
  shown := coalesce((select max(r.revision) from vouch.review_revision r where r.store_id = p_store and r.review_id = wanted and r.state = 'held'),
    about.published_revision, about.revision);
  return jsonb_build_object('listed', false, 'cards', jsonb_build_array(vouch.console_card(p_store, wanted, shown)), 'review_state', about.state,
    'history', vouch.console_history(p_store, wanted), 'mails', vouch.console_mails(p_store, wanted),
    'revisions', vouch.console_revisions(p_store, wanted),
    'reports', (select coalesce(jsonb_agg(jsonb_build_object('report_id', r.report_id, 'explanation', r.explanation, 'state', r.state, 'reported_at', r.reported_at,
                  'category', r.category) order by r.report_id desc), '[]')
                from (select * from vouch.review_report x where x.store_id = p_store and x.review_id = wanted order by x.report_id desc limit 50) r),
    'appeals', (select coalesce(jsonb_agg(jsonb_build_object('appeal_id', a.appeal_id, 'body', a.body, 'state', a.state, 'asked_at', a.asked_at,
                  'decided_by', a.decided_by, 'explanation', a.explanation) order by a.appeal_id desc), '[]')
                from (select * from vouch.appeal x where x.store_id = p_store and x.review_id = wanted order by x.appeal_id desc limit 50) a),
    'redactable', exists (select from vouch.review_revision r where r.store_id = p_store and r.review_id = wanted and r.state in ('held', 'published')
                          and r.erased_at is null),
    'undo', vouch.console_undoable(p_store, p_operator, wanted), 'own_undo', vouch.console_undoable(p_store, p_operator, wanted) is not null);
end
$$;
comment on function vouch.console_review is 'One review with its whole history: wordings, decisions, mails. NULL: there is none of this id.';

create or replace function vouch.console_redact(p_store text, p_operator text, p_role text, p_ask jsonb) returns jsonb
language plpgsql security definer as $$
declare
  wanted bigint := vouch.console_id(p_ask);
  words vouch.review_revision;
  ranges jsonb;
begin
  perform vouch.console_as(p_store, p_operator, p_role, array['moderator', 'manager']);
  select r.* into words from vouch.review_revision r where r.store_id = p_store and r.review_id = wanted
    and r.revision = vouch.review_pending(p_store, wanted, array['held', 'published']);
  select coalesce(jsonb_agg(jsonb_build_object('field', f.name, 'text', t.text)), '[]') into ranges
  from (select btrim(e, E' \r') as text from unnest(string_to_array(coalesce(p_ask ->> 'hide', ''), E'\n')) e) t
  cross join lateral (values ('title', words.title), ('body', words.body), ('author_name', words.author_name)) as f (name, text)
  where t.text <> '' and position(t.text in coalesce(f.text, '')) > 0;
  if ranges = '[]' then
    perform vouch.refuse('VO104', '/hide', 'which words are to be hidden? write them as they stand in the review, one piece a line');
  end if;
  perform vouch.redact(wanted, p_operator, words.redactions || ranges, p_ask ->> 'note', coalesce(vouch.console_number(p_ask, 'version'), 0));
  return jsonb_build_object('query', jsonb_build_object('done', 'redacted'));
end
$$;
comment on function vouch.console_redact is 'Hides pieces of a review, one a line, besides what is hidden already.';

-- Reports and objections.

create or replace function vouch.console_reports(p_store text, p_operator text, p_role text, p_ask jsonb) returns jsonb
language plpgsql stable security definer as $$
declare
  found_rows jsonb;
  place record;
begin
  perform vouch.console_as(p_store, p_operator, p_role, array['viewer', 'moderator', 'manager', 'mediator']);
  place := vouch.console_after(p_ask);
  select coalesce(jsonb_agg(vouch.console_card(p_store, q.review_id, coalesce(q.published_revision, q.current)) || jsonb_build_object(
      'place', vouch.console_cursor(q.reported_at, q.report_id), 'report_id', q.report_id, 'explanation', q.explanation, 'url', q.url, 'reporter', q.name, 'category', q.category, 'reported_at', q.reported_at,
      'reported_s', extract(epoch from q.reported_at - vouch.clock())::bigint, 'review_state', q.review_state) order by q.reported_at, q.report_id), '[]') into found_rows
  from (select r.*, v.published_revision, v.revision as current, v.state as review_state
        from (select * from vouch.review_report x where x.store_id = p_store and x.state = 'open'
                and (x.reported_at, x.report_id) > (place.after_at, place.after_id)
              order by x.reported_at, x.report_id limit 21) r
        join vouch.review v on v.store_id = r.store_id and v.review_id = r.review_id) q;
  return vouch.console_counts(p_store, p_operator, p_role, p_ask) || jsonb_build_object('cards', found_rows - 20, 'some', found_rows <> '[]',
    'next', case when jsonb_array_length(found_rows) > 20 then found_rows -> 19 ->> 'place' end);
end
$$;
comment on function vouch.console_reports is 'Reports that wait for an answer, oldest first.';

create or replace function vouch.console_report_decide(p_store text, p_operator text, p_role text, p_ask jsonb) returns jsonb
language plpgsql security definer as $$
begin
  perform vouch.console_as(p_store, p_operator, p_role, array['moderator', 'manager']);
  perform vouch.decide_report(vouch.console_id(p_ask), p_operator, p_ask ->> 'outcome', p_ask ->> 'explanation', nullif(p_ask ->> 'ground', ''),
    coalesce(vouch.console_number(p_ask, 'version'), 0));
  return jsonb_build_object('query', jsonb_build_object('done', case p_ask ->> 'outcome' when 'kept' then 'kept' else 'removed_review' end));
end
$$;
comment on function vouch.console_report_decide is 'decide_report() on the version that was shown.';

create or replace function vouch.console_appeals(p_store text, p_operator text, p_role text, p_ask jsonb) returns jsonb
language plpgsql stable security definer as $$
declare
  found_rows jsonb;
  place record;
begin
  perform vouch.console_as(p_store, p_operator, p_role, array['viewer', 'moderator', 'manager', 'mediator']);
  place := vouch.console_after(p_ask);
  select coalesce(jsonb_agg(vouch.console_card(p_store, q.review_id, q.revision) || jsonb_build_object(
      'place', vouch.console_cursor(q.asked_at, q.appeal_id), 'appeal_id', q.appeal_id, 'appellant', q.appellant, 'objection', q.body, 'asked_at', q.asked_at,
      'asked_s', extract(epoch from q.asked_at - vouch.clock())::bigint, 'action', q.action, 'ground', q.ground, 'note', q.note,
      'decided_at', q.first_at, 'decided_by', case when not q.automated then q.actor end, 'by_reporter', q.appellant = 'reporter',
      'own', not q.automated and q.actor = p_operator) order by q.asked_at, q.appeal_id), '[]') into found_rows
  from (select a.*, d.revision, d.action, d.ground, d.automated, d.actor, d.decided_at as first_at, n.note
        from (select x.appeal_id, x.appellant, x.review_id, x.decision_id, x.body, x.asked_at, x.store_id from vouch.appeal x
              where x.store_id = p_store and x.state = 'open'
                and (x.asked_at, x.appeal_id) > (place.after_at, place.after_id)
              order by x.asked_at, x.appeal_id limit 21) a
        join vouch.review_decision d on d.store_id = a.store_id and d.decision_id = a.decision_id
        left join vouch.decision_note n on n.store_id = a.store_id and n.decision_id = a.decision_id) q;
  return vouch.console_counts(p_store, p_operator, p_role, p_ask) || jsonb_build_object('cards', found_rows - 20, 'some', found_rows <> '[]',
    'next', case when jsonb_array_length(found_rows) > 20 then found_rows -> 19 ->> 'place' end);
end
$$;
comment on function vouch.console_appeals is 'Objections that wait for a decision, oldest first, with the decision, its facts and who took it.';

create or replace function vouch.console_appeal_decide(p_store text, p_operator text, p_role text, p_ask jsonb) returns jsonb
language plpgsql security definer as $$
begin
  perform vouch.console_as(p_store, p_operator, p_role, array['moderator', 'manager']);
  perform vouch.decide_appeal(vouch.console_id(p_ask), p_operator, p_ask ->> 'outcome', p_ask ->> 'explanation', nullif(p_ask ->> 'ground', ''));
  return jsonb_build_object('query', jsonb_build_object('done', p_ask ->> 'outcome'));
end
$$;
comment on function vouch.console_appeal_decide is 'decide_appeal() for the console.';

create or replace function vouch.console_parity(p_store text, p_operator text, p_role text, p_ask jsonb) returns jsonb
language plpgsql stable security definer as $$
declare
  by_stars jsonb;
begin
  perform vouch.console_as(p_store, p_operator, p_role, array['viewer', 'moderator', 'manager', 'mediator']);
  by_stars := vouch.parity_view(p_store);
  return jsonb_build_object('stars_rows', (
      select jsonb_agg(s || jsonb_build_object('share', round(100 * (s ->> 'published_share')::numeric, 1)::text,
        'held_part', least(100, round(100 * (s ->> 'held_share')::numeric, 1))::text, 'hold_s', (s ->> 'mean_hold_s')::bigint,
        'p', round((s ->> 'p_value')::numeric, 4)::text) order by (s ->> 'rating')::integer desc)
      from jsonb_array_elements(by_stars) s),
    'alarm', (select coalesce(bool_or((s ->> 'alarm')::boolean), false) from jsonb_array_elements(by_stars) s),
    'bars', (select jsonb_agg(jsonb_build_object('name', (s ->> 'rating') || ' ★', 'value', coalesce(round(100 * (s ->> 'published_share')::numeric, 1), 0))
             order by (s ->> 'rating')::integer) from jsonb_array_elements(by_stars) s),
    'refusals', (select coalesce(jsonb_agg(jsonb_build_object('ground', g.ground, 'number', g.n) order by g.n desc, g.ground), '[]')
      from (select k.key as ground, sum(k.value::bigint) as n from jsonb_array_elements(by_stars) s
            cross join lateral jsonb_each_text(s -> 'rejected_by_ground') k group by k.key) g),
    'record', (select jsonb_build_object('sequence', h.sequence, 'hash', encode(h.hash, 'hex'), 'signed_at', h.signed_at)
               from vouch.record_head h where h.store_id = p_store));
end
$$;
comment on function vouch.console_parity is 'Publication, holds and refusals by stars, with the test of whether low ones fare worse; the head of the signed record.';
