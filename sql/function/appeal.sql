-- SPDX-License-Identifier: MIT
-- Objections to decisions: by the author to what was held, refused or hidden, by who reported to what was kept.

create or replace function vouch.appeal_time() returns interval
language sql immutable return interval '184 days';
comment on function vouch.appeal_time is 'How long a decision can be objected to: six months, in days (DSA Art. 20(1)).';

create or replace function vouch.appeal_target(p_store text, p_review bigint) returns vouch.review_decision
language plpgsql stable as $$
declare
  target vouch.review_decision;
begin
  select d.* into target from vouch.review v
  join vouch.review_revision r on r.store_id = v.store_id and r.review_id = v.review_id and r.revision = v.revision
  join vouch.review_decision d on d.store_id = r.store_id and d.review_id = r.review_id and d.revision = r.revision
  where v.store_id = p_store and v.review_id = p_review and case r.state
    when 'published' then r.redactions <> '[]' and d.action = 'redact'
    else r.state in ('held', 'rejected') and d.to_state = r.state and d.from_state <> r.state end
  order by d.decision_id desc limit 1;
  return target;
end
$$;
comment on function vouch.appeal_target is 'The standing decision against the author''s newest wording: its hold, refusal or redaction. NULLs: none.';

create or replace function vouch.appeal_body(p_body text) returns text
language plpgsql immutable as $$
begin
  if coalesce(btrim(p_body, E' \t\r\n'), '') = '' or octet_length(p_body) > 10000 then
    perform vouch.refuse('VO104', '/body', 'an objection says why the decision is wrong, in at most 10000 bytes');
  end if;
  return btrim(replace(p_body, E'\r\n', E'\n'), E' \t\r\n');
end
$$;

create or replace function vouch.appeal_add(p_store text, p_review bigint, p_body text) returns bigint
language plpgsql as $$
declare
  target vouch.review_decision;
  known vouch.appeal;
  added bigint;
begin
  perform vouch.review_lock(p_store, p_review, null);
  target := vouch.appeal_target(p_store, p_review);
  if target.decision_id is null then
    perform vouch.refuse('VO201', '/review_id', 'there is no decision against this review to object to');
  elsif target.decided_at + vouch.appeal_time() < vouch.clock() then
    perform vouch.refuse('VO207', '', format('the time for objections to this decision is over since %s', (target.decided_at + vouch.appeal_time())::date));
  end if;
  select a.* into known from vouch.appeal a where a.store_id = p_store and a.decision_id = target.decision_id and a.appellant = 'author';
  if known.state = 'open' then
    return known.appeal_id;
  elsif known.state is not null then
    perform vouch.refuse('VO201', '', 'an objection to this decision was decided already');
  end if;
  insert into vouch.appeal (store_id, appellant, review_id, decision_id, body, asked_at)
  values (p_store, 'author', p_review, target.decision_id, vouch.appeal_body(p_body), vouch.clock())
  returning appeal_id into added;
  return added;
end
$$;
comment on function vouch.appeal_add is 'The author objects to the decision that stands against the newest wording. Sent twice it is one objection.';

create or replace function vouch.author_appeal(p_store text, p_token_hash bytea, p_body jsonb) returns jsonb
language plpgsql security definer as $$
declare
  review bigint := vouch.link_enter(p_store, 'author', p_token_hash, true);
begin
  if review is null then
    return null;
  end if;
  return jsonb_build_object('appeal', jsonb_build_object('appeal_id', vouch.appeal_add(p_store, review, p_body ->> 'body'), 'state', 'open'));
end
$$;
comment on function vouch.author_appeal is 'An objection through the author''s private link: {"body"}. NULL: unknown link.';

create or replace function vouch.appeal_shown(p_store text, p_review bigint) returns jsonb
language plpgsql stable as $$
declare
  target vouch.review_decision := vouch.appeal_target(p_store, p_review);
  known jsonb := (
    select jsonb_agg(jsonb_strip_nulls(jsonb_build_object('decision_id', a.decision_id, 'state', a.state, 'body', a.body, 'asked_at', a.asked_at,
      'decided_at', a.decided_at, 'explanation', a.explanation)) order by a.appeal_id)
    from vouch.appeal a where a.store_id = p_store and a.review_id = p_review and a.appellant = 'author');
begin
  return jsonb_strip_nulls(jsonb_build_object('until', target.decided_at + vouch.appeal_time(),
    'possible', target.decision_id is not null and target.decided_at + vouch.appeal_time() >= vouch.clock()
      and not exists (select from jsonb_array_elements(known) k where (k ->> 'decision_id')::bigint = target.decision_id),
    'over', target.decided_at + vouch.appeal_time() < vouch.clock(), 'all', coalesce(known, '[]')));
end
$$;
comment on function vouch.appeal_shown is 'For the author''s page: whether an objection is possible and until when, and those there were.';

create or replace function vouch.decider_check(p_store text, p_operator text, p_first text, p_first_at timestamptz) returns boolean
language plpgsql stable as $$
begin
  if p_first is null or p_first <> p_operator then
    return false;
  elsif exists (select from vouch.operator o where o.store_id = p_store and o.role in ('moderator', 'manager') and o.name <> p_operator) then
    perform vouch.refuse('VO206', '/operator', format('%s took the decision objected to: somebody else decides about the objection', p_operator));
  elsif vouch.clock() < p_first_at + interval '24 hours' then
    perform vouch.refuse('VO206', '/operator', format('%s took the decision objected to, and there is nobody else: a second look is possible from %s on',
      p_operator, to_char((p_first_at + interval '24 hours') at time zone 'UTC', 'YYYY-MM-DD HH24:MI UTC')));
  end if;
  return true;
end
$$;
comment on function vouch.decider_check is 'An objection is decided by somebody else than the first decision (DSA Art. 20(6)); where table operator knows nobody else, by a second look 24 hours later. True: it is one.';

create or replace function vouch.appeal_uphold(p_store text, p_appeal vouch.appeal, p_revision integer, p_actor text, p_explanation text) returns bigint
language plpgsql as $$
declare
  review vouch.review;
  words vouch.review_revision;
  made vouch.review_decision;
begin
  select v.* into review from vouch.review v where v.store_id = p_store and v.review_id = p_appeal.review_id;
  select r.* into words from vouch.review_revision r where r.store_id = p_store and r.review_id = p_appeal.review_id and r.revision = p_revision;
  made := vouch.decision_record(words, 'uphold', words.state, p_actor, false, null, p_explanation);
  if p_appeal.appellant = 'author' then
    perform vouch.decision_tell(made, review.revision, review.product_id);
  end if;
  return made.decision_id;
end
$$;

create or replace function vouch.appeal_overturn(
  p_store text, p_appeal vouch.appeal, p_first vouch.review_decision, p_actor text, p_ground text, p_explanation text
) returns bigint
language plpgsql as $$
declare
  ground text;
begin
  if p_appeal.appellant = 'reporter' then
    ground := vouch.report_ground(p_store, p_appeal.report_id, p_ground, p_explanation);
    return vouch.revision_move(p_store, p_appeal.review_id, p_first.revision, 'overturn', p_actor, false, ground, p_explanation, null);
  elsif p_first.action = 'redact' then
    return vouch.redaction_set(p_store, p_appeal.review_id, p_first.revision, '[]', 'overturn', p_actor, p_explanation);
  end if;
  return vouch.revision_move(p_store, p_appeal.review_id, p_first.revision, 'overturn', p_actor, false, null, p_explanation, null);
end
$$;

create or replace function vouch.appeal_decide(p_store text, p_appeal bigint, p_operator text, p_outcome text, p_ground text, p_explanation text) returns jsonb
language plpgsql as $$
declare
  about vouch.appeal;
  first vouch.review_decision;
  second boolean;
  made bigint;
begin
  select a.* into about from vouch.appeal a where a.store_id = p_store and a.appeal_id = p_appeal;
  if not found then
    perform vouch.refuse('VO101', '/appeal_id', format('there is no objection %s in store %s', p_appeal, p_store));
  end if;
  perform vouch.review_lock(p_store, about.review_id, null);
  select a.* into about from vouch.appeal a where a.store_id = p_store and a.appeal_id = p_appeal for no key update;
  if about.state <> 'open' then
    perform vouch.refuse('VO201', '/appeal_id', format('objection %s is %s since %s%s', p_appeal, about.state,
      to_char(about.decided_at at time zone 'UTC', 'YYYY-MM-DD HH24:MI:SS UTC'), coalesce(', by ' || about.decided_by, '')));
  end if;
  select d.* into first from vouch.review_decision d where d.store_id = p_store and d.decision_id = about.decision_id;
  second := vouch.decider_check(p_store, p_operator, case when not first.automated then first.actor end, first.decided_at);
  update vouch.appeal a set state = p_outcome, decided_at = vouch.clock(), decided_by = p_operator, second_look = second, explanation = p_explanation
  where a.store_id = p_store and a.appeal_id = p_appeal;
  made := case p_outcome when 'granted' then vouch.appeal_overturn(p_store, about, first, p_operator, p_ground, p_explanation)
    else vouch.appeal_uphold(p_store, about, first.revision, p_operator, p_explanation) end;
  if about.appellant = 'reporter' then
    perform vouch.report_answer_again(p_store, about.report_id, p_outcome, p_operator, made, p_explanation);
  end if;
  return jsonb_build_object('appeal', jsonb_build_object('appeal_id', p_appeal, 'state', p_outcome, 'second_look', second))
    || vouch.review_answer(p_store, about.review_id, first.revision);
end
$$;
comment on function vouch.appeal_decide is 'Decides an objection under the lock of its review: the decision is overturned or upheld, recorded, and the appellant told.';

create or replace function vouch.appeals_lapse(p_made vouch.review_decision) returns void
language plpgsql as $$
begin
  update vouch.appeal a set state = 'lapsed', decided_at = p_made.decided_at
  from vouch.review_decision d
  where a.store_id = p_made.store_id and a.review_id = p_made.review_id and a.state = 'open'
    and d.store_id = a.store_id and d.decision_id = a.decision_id and d.revision = p_made.revision;
end
$$;
comment on function vouch.appeals_lapse is 'What an objection was about stands no longer.';

create or replace function vouch.example_note(p_made vouch.review_decision, p_words vouch.review_revision) returns void
language plpgsql as $$
declare
  language_of text := lower(split_part(replace(coalesce(p_words.locale,
    (select s.locale from vouch.store s where s.store_id = p_made.store_id)), '_', '-'), '-', 1));
begin
  if p_made.action in ('approve', 'overturn') and p_made.to_state = 'published' or p_made.ground = 'abusive' then
    insert into vouch.training_example as t (store_id, decision_id, review_id, revision, locale, abusive, decided_at)
    values (p_made.store_id, p_made.decision_id, p_made.review_id, p_made.revision, language_of, p_made.to_state = 'rejected', p_made.decided_at)
    on conflict (store_id, review_id, revision) do update set decision_id = excluded.decision_id, locale = excluded.locale, abusive = excluded.abusive,
      decided_at = excluded.decided_at, learned_at = null;
  else
    delete from vouch.training_example t where t.store_id = p_made.store_id and t.review_id = p_made.review_id and t.revision = p_made.revision;
  end if;
end
$$;
comment on function vouch.example_note is 'Remembers what an operator''s decision teaches about a wording; a decision on another ground, or taken back, teaches nothing.';

create or replace function vouch.decision_follow(p_made vouch.review_decision, p_words vouch.review_revision) returns void
language plpgsql as $$
begin
  if p_made.from_state <> p_made.to_state then
    perform vouch.appeals_lapse(p_made);
  end if;
  if p_made.to_state = 'rejected' then
    perform vouch.reports_settle(p_made, 'removed');
  elsif p_made.action = 'approve' and 'reported' = any (p_words.held_for) then
    perform vouch.reports_settle(p_made, 'kept');
  elsif p_made.to_state = 'withdrawn' and p_made.from_state = 'published' then
    perform vouch.reports_settle(p_made, 'moot');
  end if;
  if not p_made.automated and p_made.actor <> 'author' then
    perform vouch.example_note(p_made, p_words);
  end if;
end
$$;
comment on function vouch.decision_follow is 'What a decision on something that stood before settles besides: objections, reports, what is learned.';
