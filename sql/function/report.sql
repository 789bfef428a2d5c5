-- SPDX-License-Identifier: MIT
-- Reports about published reviews, by anyone, without a login (DSA Art. 16).

create or replace function vouch.report_holds(p_store text, p_review bigint, p_category text) returns boolean
language plpgsql stable as $$
begin
  return p_category in ('dangerous', 'illegal')
    and (vouch.hold_policy_of(p_store, 'reported')).action = 'hold'
    and not exists (select from vouch.review_report r where r.store_id = p_store and r.review_id = p_review and r.state = 'kept');
end
$$;
comment on function vouch.report_holds is 'Whether a report takes the review off until somebody has looked: only as clearly illegal or dangerous, and not once an operator has looked and kept it.';

create or replace function vouch.report_hold(p_store text, p_review bigint) returns void
language plpgsql as $$
declare
  published record;
  verdict record;
begin
  select r.revision, r.labels into published from vouch.review v
  join vouch.review_revision r on r.store_id = v.store_id and r.review_id = v.review_id and r.revision = v.published_revision
  where v.store_id = p_store and v.review_id = p_review;
  if found then
    verdict := vouch.hold_decide(p_store, array['reported']);
    perform vouch.revision_move(p_store, p_review, published.revision, 'hold', 'vouch', true, null, null, verdict.deadline_at,
      verdict.held_for, published.labels);
  end if;
end
$$;

create or replace function vouch.report_tells(p_store text, p_address_key bytea) returns boolean
language plpgsql stable as $$
begin
  return p_address_key is not null and (
    select count(*) from vouch.review_report r
    where r.store_id = p_store and r.address_key = p_address_key and r.told and r.reported_at > vouch.clock() - interval '1 day') < 5;
end
$$;
comment on function vouch.report_tells is 'Whether one more receipt may go to this address: nobody has shown that it is the reporter''s, so five a day at most.';

create or replace function vouch.report_add(p_store text, p_review bigint, p_report jsonb) returns bigint
language plpgsql as $$
declare
  address bytea := decode(p_report ->> 'address_key', 'hex');
  receipt boolean;
  added bigint;
begin
  perform vouch.review_lock(p_store, p_review, null);
  receipt := vouch.report_tells(p_store, address);
  insert into vouch.review_report (store_id, review_id, explanation, url, name, email, category, good_faith, reported_at, address_key, locale, told)
  values (p_store, p_review, p_report ->> 'explanation', p_report ->> 'url', p_report ->> 'name', p_report ->> 'email', p_report ->> 'category', true,
    vouch.clock(), address, p_report ->> 'locale', receipt)
  returning report_id into added;
  if receipt then
    perform vouch.mail_enqueue(p_store, 'report_receipt', added, 0, address, vouch.clock());
  end if;
  if vouch.report_holds(p_store, p_review, p_report ->> 'category') then
    perform vouch.report_hold(p_store, p_review);
  end if;
  return added;
end
$$;
comment on function vouch.report_add is 'Keeps a report for an operator and mails the receipt (DSA Art. 16(4)); the review stays online meanwhile, unless it is reported as clearly illegal or dangerous.';

create or replace function vouch.review_report(p_store text, p_body jsonb) returns jsonb
language plpgsql as $$
begin
  perform vouch.report_add(p_store, vouch.review_by_name(p_store, p_body), p_body -> 'report');
  return null;
end
$$;
comment on function vouch.review_report is 'review.reported.';

create or replace function vouch.report_view(p_store text, p_review bigint) returns jsonb
language plpgsql stable security definer as $$
begin
  perform vouch.enter(p_store);
  return (
    select jsonb_strip_nulls(jsonb_build_object('review_id', v.review_id, 'product_id', v.product_id, 'product', vouch.product_reviewed(v), 'rating', r.rating,
      'title', vouch.shown_text(r.redactions, 'title', r.title), 'body', vouch.shown_text(r.redactions, 'body', r.body),
      'author', vouch.shown_text(r.redactions, 'author_name', r.author_name), 'locale', r.locale))
    from vouch.review v
    join vouch.review_revision r on r.store_id = v.store_id and r.review_id = v.review_id and r.revision = v.published_revision
    where v.store_id = p_store and v.review_id = p_review);
end
$$;
comment on function vouch.report_view is 'The published review that the form for reports is about; NULL when there is none.';

create or replace function vouch.report_submit(p_store text, p_review bigint, p_report jsonb) returns jsonb
language plpgsql security definer as $$
begin
  perform vouch.gate(p_store, false);
  if not exists (select from vouch.review v where v.store_id = p_store and v.review_id = p_review and v.state = 'published') then
    return null;
  elsif p_report ? 'network_key' and not vouch.rate_take(p_store, 'report', decode(p_report ->> 'network_key', 'hex')) then
    return jsonb_build_object('refused', 'too_many');
  end if;
  return jsonb_build_object('report', jsonb_build_object('report_id', vouch.report_add(p_store, p_review, p_report), 'state', 'open'));
end
$$;
comment on function vouch.report_submit is
'A report by the public form: {"explanation","url","name","email","address_key","category","locale","network_key"}. NULL: no such published review; {"refused":"too_many"}: too many came from there, see rate_limit.';

create or replace function vouch.report_settle(p_store text, p_report vouch.review_report, p_state text, p_by text, p_decision bigint, p_explanation text) returns void
language plpgsql as $$
begin
  update vouch.review_report r set state = p_state, decided_at = vouch.clock(), decided_by = p_by, decision_id = p_decision, explanation_given = p_explanation
  where r.store_id = p_store and r.report_id = p_report.report_id;
  if p_report.told and p_report.address_key is not null then
    perform vouch.mail_enqueue(p_store, 'report_decision', p_report.report_id, 0, p_report.address_key, vouch.clock());
  end if;
end
$$;

create or replace function vouch.reports_settle(p_made vouch.review_decision, p_state text) returns void
language plpgsql as $$
declare
  told_why text := (select n.note from vouch.decision_note n where n.store_id = p_made.store_id and n.decision_id = p_made.decision_id
                    and p_state = 'removed');
begin
  perform vouch.report_settle(p_made.store_id, r, p_state, case when p_state <> 'moot' then p_made.actor end, p_made.decision_id, told_why)
  from vouch.review_report r where r.store_id = p_made.store_id and r.review_id = p_made.review_id and r.state = 'open';
end
$$;
comment on function vouch.reports_settle is 'A decision on a review answers every report about it; whoever reported is told (DSA Art. 16(5)).';

create or replace function vouch.report_ground(p_store text, p_report bigint, p_ground text, p_explanation text) returns text
language plpgsql stable as $$
declare
  chosen text := coalesce(p_ground, (
    select r.category from vouch.review_report r
    where r.store_id = p_store and r.report_id = p_report and exists (select from vouch.rejection_ground g where g.store_id in (p_store, '*') and g.ground = r.category)));
begin
  if chosen is null then
    perform vouch.refuse('VO103', '/ground', format('on which ground is the review removed? it is one of %s',
      (select string_agg(distinct g.ground, ', ') from vouch.rejection_ground g where g.store_id in (p_store, '*'))));
  end if;
  perform vouch.ground_check(p_store, chosen, p_explanation);
  return chosen;
end
$$;
comment on function vouch.report_ground is 'The ground on which a reported review is removed: as the operator says, else as it was reported.';

create or replace function vouch.report_keep(p_store text, p_report vouch.review_report, p_operator text, p_explanation text) returns void
language plpgsql as $$
declare
  words vouch.review_revision;
  made vouch.review_decision;
begin
  select r.* into words from vouch.review_revision r
  where r.store_id = p_store and r.review_id = p_report.review_id and r.state in ('held', 'published') order by r.state = 'held' desc, r.revision desc limit 1;
  if words.state = 'held' and words.held_for = array['reported'] then
    perform vouch.revision_move(p_store, p_report.review_id, words.revision, 'approve', p_operator, false, null, p_explanation, null);
    return; -- which settles this and every other report
  end if;
  if words.state = 'held' and 'reported' = any (words.held_for) then
    update vouch.review_revision r set held_for = array_remove(r.held_for, 'reported')
    where r.store_id = p_store and r.review_id = p_report.review_id and r.revision = words.revision;
  end if;
  made := vouch.decision_record(words, 'keep', words.state, p_operator, false, null, p_explanation);
  perform vouch.report_settle(p_store, p_report, 'kept', p_operator, made.decision_id, p_explanation);
end
$$;

create or replace function vouch.report_decide(
  p_store text, p_report bigint, p_operator text, p_outcome text, p_ground text, p_explanation text, p_version bigint default null
) returns jsonb
language plpgsql as $$
declare
  about vouch.review_report;
  ground text;
begin
  select r.* into about from vouch.review_report r where r.store_id = p_store and r.report_id = p_report;
  if not found then
    perform vouch.refuse('VO101', '/report_id', format('there is no report %s in store %s', p_report, p_store));
  end if;
  perform vouch.review_lock(p_store, about.review_id, p_version);
  select r.* into about from vouch.review_report r where r.store_id = p_store and r.report_id = p_report for no key update;
  if about.state <> 'open' then
    perform vouch.refuse('VO201', '/report_id', format('report %s is answered (%s) since %s%s', p_report, about.state,
      to_char(about.decided_at at time zone 'UTC', 'YYYY-MM-DD HH24:MI:SS UTC'), coalesce(', by ' || about.decided_by, '')));
  end if;
  if p_outcome = 'removed' then
    ground := vouch.report_ground(p_store, p_report, p_ground, p_explanation);
    perform vouch.review_decide(p_store, about.review_id, p_operator, 'reject', ground, p_explanation);
  elsif not exists (select from vouch.review_revision r where r.store_id = p_store and r.review_id = about.review_id and r.state in ('held', 'published')) then
    perform vouch.refuse('VO201', '/report_id', 'it cannot be kept: ' || vouch.review_standing(p_store, about.review_id));
  else
    perform vouch.report_keep(p_store, about, p_operator, p_explanation);
  end if;
  return jsonb_build_object('report', jsonb_build_object('report_id', p_report, 'state', r.state)) || vouch.review_answer(p_store, r.review_id, v.revision)
  from vouch.review_report r join vouch.review v on v.store_id = r.store_id and v.review_id = r.review_id
  where r.store_id = p_store and r.report_id = p_report;
end
$$;
comment on function vouch.report_decide is 'Answers a report: kept, or removed on a ground with its facts. Recorded; who reported is told and may object.';

create or replace function vouch.report_answer_again(
  p_store text, p_report bigint, p_outcome text, p_by text, p_decision bigint, p_explanation text
) returns void
language plpgsql as $$
declare
  about vouch.review_report;
begin
  update vouch.review_report r set state = case p_outcome when 'granted' then 'removed' else r.state end, decided_by = p_by, decided_at = vouch.clock(),
    decision_id = p_decision, explanation_given = p_explanation
  where r.store_id = p_store and r.report_id = p_report
  returning r.* into about;
  if about.told and about.address_key is not null then
    perform vouch.mail_enqueue(p_store, 'report_decision', p_report, 1, about.address_key, vouch.clock());
  end if;
end
$$;
comment on function vouch.report_answer_again is 'The outcome of an objection by who reported.';

create or replace function vouch.report_context(p_store text, p_report bigint) returns jsonb
language plpgsql stable as $$
begin
  return (
    select jsonb_strip_nulls(jsonb_build_object('report_id', r.report_id, 'product', vouch.product_reviewed(v), 'locale', r.locale, 'outcome', r.state,
      'report', jsonb_build_object('explanation', r.explanation), 'explanation', r.explanation_given, 'ground', d.ground,
      'automated', coalesce(d.automated, false), 'reported_at', r.reported_at, 'decided_at', r.decided_at,
      'appeal_until', case when a.appeal_id is null and r.state = 'kept' then r.decided_at + vouch.appeal_time() end, 'review', jsonb_build_object('review_id', v.review_id, 'product_id', v.product_id)))
    from vouch.review_report r
    join vouch.review v on v.store_id = r.store_id and v.review_id = r.review_id
    left join vouch.review_decision d on d.store_id = r.store_id and d.decision_id = r.decision_id
    left join vouch.appeal a on a.store_id = r.store_id and a.report_id = r.report_id
    where r.store_id = p_store and r.report_id = p_report);
end
$$;
comment on function vouch.report_context is 'A report as its sender is told of it, by mail and on the page behind his link.';

create or replace function vouch.report_status(p_store text, p_token_hash bytea) returns jsonb
language plpgsql stable security definer as $$
declare
  report bigint := vouch.link_enter(p_store, 'report', p_token_hash, false);
  about jsonb := vouch.report_context(p_store, report);
begin
  return about || jsonb_build_object('appeal', jsonb_strip_nulls(jsonb_build_object('until', about -> 'appeal_until',
    'possible', (about ->> 'appeal_until')::timestamptz >= vouch.clock(), 'over', (about ->> 'appeal_until')::timestamptz < vouch.clock(), 'all', (
      select coalesce(jsonb_agg(jsonb_build_object('state', a.state, 'body', a.body, 'asked_at', a.asked_at, 'decided_at', a.decided_at,
        'explanation', a.explanation)), '[]')
      from vouch.appeal a where a.store_id = p_store and a.report_id = report))));
end
$$;
comment on function vouch.report_status is 'Where a report stands, for who sent it; NULL: unknown link.';

create or replace function vouch.report_appeal(p_store text, p_token_hash bytea, p_body jsonb) returns jsonb
language plpgsql security definer as $$
declare
  report bigint := vouch.link_enter(p_store, 'report', p_token_hash, true);
  about vouch.review_report;
  added bigint;
begin
  select r.* into about from vouch.review_report r where r.store_id = p_store and r.report_id = report;
  if not found then
    return null;
  end if;
  perform vouch.review_lock(p_store, about.review_id, null);
  if about.state <> 'kept' or about.decided_at + vouch.appeal_time() < vouch.clock() then
    perform vouch.refuse('VO207', '', 'there is no decision to object to, or the time for it is over');
  end if;
  insert into vouch.appeal (store_id, appellant, review_id, decision_id, report_id, body, asked_at)
  values (p_store, 'reporter', about.review_id, about.decision_id, about.report_id, vouch.appeal_body(p_body ->> 'body'), vouch.clock())
  on conflict do nothing
  returning appeal_id into added;
  if added is null and not exists (select from vouch.appeal a where a.store_id = p_store and a.report_id = about.report_id and a.state = 'open') then
    perform vouch.refuse('VO201', '', 'an objection to this decision was decided already');
  end if;
  return jsonb_build_object('appeal', jsonb_build_object('state', 'open'));
end
$$;
comment on function vouch.report_appeal is 'Who reported objects to a review being kept: {"body"}. Sent twice it is one objection.';
