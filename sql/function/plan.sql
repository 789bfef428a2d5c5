-- SPDX-License-Identifier: MIT
-- What is about to go out, when, and what is not and why: the rules of vouch.request_judge() looked at ahead of time.

create or replace function vouch.plan_caps(p_at timestamptz[], p_count integer[], p_period interval[], p_past timestamptz[]) returns boolean[]
language plpgsql immutable as $$
declare
  had timestamptz[] := coalesce(p_past, '{}');
  over boolean[];
begin
  for n in 1 .. cardinality(p_at) loop
    over[n] := (select count(*) from unnest(had) as t where t > p_at[n] - p_period[n]) >= p_count[n];
    if not over[n] then
      had := had || p_at[n];
    end if;
  end loop;
  return over;
end
$$;
comment on function vouch.plan_caps is 'Which of one buyer''s requests, in the order they fall due, are over the cap, given when the earlier ones went out.';

create or replace function vouch.request_plan(p_store text, p_from timestamptz default null, p_until timestamptz default null)
returns table (send_at timestamptz, kind text, serial integer, request_id bigint, order_id text, zone text, outcome text, reason text)
language plpgsql stable security definer as $$
declare
  at_clock timestamptz := vouch.clock();
  since timestamptz := coalesce(p_from, vouch.clock());
  till timestamptz := coalesce(p_until, since + interval '14 days');
  due record;
begin
  perform vouch.enter_as(p_store), set_config('work_mem', '64MB', true), set_config('enable_memoize', 'off', true);
  select array_agg(d.kind) as kinds, array_agg(d.serial) as serials, array_agg(d.request_id) as requests, array_agg(d.due_at) as dues,
    array_agg(d.waiting) as waits into due
  from (
    select 'request' as kind, 0 as serial, r.request_id, r.due_at, true as waiting
    from vouch.review_request r where r.store_id = p_store and r.state = 'scheduled' and r.due_at < till
    union all
    select m.kind, m.serial, m.subject_id, m.due_at, false
    from vouch.outgoing_mail m
    where m.store_id = p_store and m.state in ('queued', 'ambiguous') and m.due_at < till and m.kind in ('request', 'reminder')
  ) as d;
  return query
  with judged as materialized (
    select d.kind, d.serial, d.request_id, d.waiting, j.order_id, j.address_key, j.zone, (j.policy).country as rules, greatest(d.due_at, at_clock) as due_at,
      greatest(d.due_at, at_clock) at time zone j.zone as local, (j.policy).quiet_from,
      vouch.request_quiet(j.policy, greatest(d.due_at, at_clock) at time zone j.zone) as quiet,
      case when d.waiting and d.due_at + (j.policy).link_valid_for < at_clock then 'too_late' else j.obstacle end as obstacle
    from unnest(due.kinds, due.serials, due.requests, due.dues, due.waits) as d (kind, serial, request_id, due_at, waiting)
    join vouch.request_judge(p_store, array(select distinct r from unnest(due.requests) as r order by r)) as j on j.request_id = d.request_id
  ), rule as materialized (
    select x.rules, vouch.request_policy_of(p_store, x.rules) as policy from (select distinct j.rules from judged j offset 0) as x
  ), spell as materialized ( -- whatever falls into one stretch of quiet leaves at its end
    select s.zone, s.rules, s.day, s.late, vouch.request_slot(r.policy, s.zone, s.due_at) as slot
    from (select j.zone, j.rules, j.local::date as day, coalesce(j.local::time >= j.quiet_from, false) as late, min(j.due_at) as due_at
          from judged j where j.quiet group by 1, 2, 3, 4) as s
    join rule r on r.rules = s.rules
  ), planned as materialized (
    select j.kind, j.serial, j.request_id, j.waiting, j.order_id, j.address_key, j.zone, j.rules, j.obstacle, coalesce(s.slot, j.due_at) as send_at
    from judged j
    left join spell s on j.quiet and s.zone = j.zone and s.rules = j.rules and s.day = j.local::date and s.late = coalesce(j.local::time >= j.quiet_from, false)
  ), buyer as materialized (
    select p.address_key, array_agg(p.request_id order by p.send_at, p.request_id) as requests, array_agg(p.send_at order by p.send_at, p.request_id) as at,
      array_agg((r.policy).cap_count order by p.send_at, p.request_id) as counts, array_agg((r.policy).cap_period order by p.send_at, p.request_id) as periods,
      min((r.policy).cap_count) as least
    from planned p join rule r on r.rules = p.rules
    where p.waiting and p.obstacle is null and (r.policy).cap_count is not null
    group by p.address_key
  ), capped as materialized (
    select u.request_id
    from buyer b
    cross join lateral (
      select array_agg(case m.state when 'sent' then m.finished_at when 'ambiguous' then (
          select max(t.started_at) from vouch.send_attempt t where t.store_id = p_store and t.mail_id = m.mail_id)
        else greatest(m.due_at, at_clock) end) as at
      from vouch.outgoing_mail m
      where m.store_id = p_store and m.address_key = b.address_key and m.kind = 'request' and m.state in ('queued', 'sending', 'sent', 'ambiguous')) as past
    cross join lateral unnest(b.requests, vouch.plan_caps(b.at, b.counts, b.periods, past.at)) as u (request_id, is_over)
    where cardinality(b.requests) + coalesce(cardinality(past.at), 0) > b.least and u.is_over
  ), told as materialized (
    select p.send_at, p.kind, p.serial, p.request_id, p.order_id, p.zone, p.rules, coalesce(p.obstacle, case when c.request_id is not null then 'cap' end) as reason
    from planned p left join capped c on p.waiting and c.request_id = p.request_id
  )
  select t.send_at, t.kind, t.serial, t.request_id, t.order_id, t.zone, case when t.reason is null then 'send' else 'skip' end, t.reason
  from told t where t.send_at >= since and t.send_at < till
  union all
  select f.slot, 'reminder', f.serial, f.request_id, f.order_id, f.zone, 'send', null
  from (
    select vouch.request_slot(r.policy, t.zone, t.send_at + g.after) as slot, g.serial::integer as serial, t.request_id, t.order_id, t.zone
    from told t join rule r on r.rules = t.rules
    cross join lateral unnest((r.policy).reminder_after) with ordinality as g (after, serial)
    where t.kind = 'request' and t.reason is null and t.send_at + g.after < till offset 0
  ) as f
  where f.slot >= since and f.slot < till;
end
$$;
comment on function vouch.request_plan is
'What goes out in this time (default: the next 14 days) if nothing else happens, and what is skipped for which reason: requests that wait, mails queued, and the reminders that follow. Changes nothing. What is overdue goes at once.';

create or replace function vouch.request_plan_days(p_store text, p_from timestamptz default null, p_until timestamptz default null)
returns table (day date, kind text, outcome text, reason text, mails bigint)
language plpgsql stable security definer as $$
declare
  own_zone text;
begin
  perform vouch.enter_as(p_store);
  own_zone := (select s.timezone from vouch.store s where s.store_id = p_store);
  return query
  select (p.send_at at time zone own_zone)::date, p.kind, p.outcome, p.reason, count(*)
  from vouch.request_plan(p_store, p_from, p_until) p
  group by 1, p.kind, p.outcome, p.reason
  order by 1, p.kind desc, p.outcome, p.reason;
end
$$;
comment on function vouch.request_plan_days is 'vouch.request_plan() counted by day, of the store''s time zone.';

create or replace function vouch.plan_view(p_store text, p_days integer, p_list boolean, p_limit integer) returns jsonb
language plpgsql stable security definer as $$
declare
  till timestamptz := vouch.clock() + p_days * interval '1 day';
begin
  perform vouch.enter_as(p_store);
  if p_list then
    return (select coalesce(jsonb_agg(to_jsonb(p) order by p.send_at, p.request_id, p.serial), '[]') from (
      select * from vouch.request_plan(p_store, null, till) q order by q.send_at, q.request_id, q.serial limit p_limit) p);
  end if;
  return (select coalesce(jsonb_agg(to_jsonb(d) order by d.day, d.kind desc, d.outcome, d.reason), '[]') from vouch.request_plan_days(p_store, null, till) d);
end
$$;
comment on function vouch.plan_view is 'For vouchctl plan and the console: the days, or with p_list the mails one by one.';
