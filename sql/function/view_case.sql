-- SPDX-License-Identifier: MIT
-- Cases for people: what is open, how well it goes, what complaints are about. All figures come from the append-only record.

create or replace view vouch.open_case with (security_invoker = true) as
select k.store_id, k.case_id, k.review_id, k.product_id, k.topic, k.origin, k.state, k.rating, v.order_id, r.title, r.body, r.author_name,
  v.state as review_state, k.assigned_to, k.opened_at,
  case when k.state in ('open', 'reopened') then k.respond_by when k.state = 'mediation' then k.mediate_by else k.resolve_by end as due_at,
  coalesce(k.overdue or case when k.state in ('open', 'reopened') then k.respond_by when k.state = 'mediation' then k.mediate_by
    when k.state = 'confirmed' then null else k.resolve_by end < vouch.clock(), false) as overdue,
  k.first_response_at, k.respond_by, k.resolve_by, k.resolved_at, k.escalations, k.mediator
from vouch.case k
left join vouch.review v on v.store_id = k.store_id and v.review_id = k.review_id
left join vouch.review_revision r on r.store_id = v.store_id and r.review_id = v.review_id and r.revision = v.revision
where k.state <> 'closed';
comment on view vouch.open_case is 'Every case that is not closed, with the author''s words and the next target (due_at).';

create or replace view vouch.case_figures with (security_invoker = true) as
select e.store_id, e.case_id,
  min(e.happened_at) filter (where e.action = 'open') as opened_at,
  min((e.detail ->> 'respond_by')::timestamptz) filter (where e.action = 'open') as respond_by,
  min(e.happened_at) filter (where e.action in ('contact', 'reply', 'propose') and e.detail ? 'took_s') as first_response_at,
  min((e.detail ->> 'took_s')::bigint) filter (where e.action in ('contact', 'reply', 'propose') and e.detail ? 'took_s') as first_response_s,
  (array_agg(e.actor order by e.event_id) filter (where e.action in ('contact', 'reply', 'propose') and e.detail ? 'took_s'))[1] as responder,
  min(e.happened_at) filter (where e.to_state = 'confirmed' and e.from_state <> 'confirmed') as resolved_at,
  min((e.detail ->> 'took_s')::bigint) filter (where e.to_state = 'confirmed' and e.from_state <> 'confirmed') as resolution_s,
  (array_agg(e.to_state order by e.event_id desc))[1] as state,
  bool_or(e.to_state in ('confirmed', 'closed')) as ended,
  bool_or(e.to_state = 'confirmed') as resolved,
  bool_or(e.to_state = 'reopened') as reopened,
  bool_or(e.action = 'overdue') as overdue,
  (array_agg((e.detail ->> 'satisfied')::boolean order by e.event_id desc) filter (where e.action = 'feedback'))[1] as satisfied,
  (array_agg((e.detail ->> 'from')::integer order by e.event_id) filter (where e.action = 'update'))[1] as rating_from,
  (array_agg((e.detail ->> 'to')::integer order by e.event_id desc) filter (where e.action = 'update'))[1] as rating_to
from vouch.case_event e
group by e.store_id, e.case_id;
comment on view vouch.case_figures is 'One line a case, from its audit alone: what kpi adds up. first_response_s and resolution_s are business seconds.';

create or replace view vouch.kpi with (security_invoker = true) as
with figure as (
  select f.*, k.product_id, k.origin, o.country, r.topics, v.review_id
  from vouch.case_figures f
  join vouch.case k on k.store_id = f.store_id and k.case_id = f.case_id
  left join vouch.review v on v.store_id = k.store_id and v.review_id = k.review_id
  left join vouch.review_revision r on r.store_id = v.store_id and r.review_id = v.review_id and r.revision = v.revision
  left join vouch.sales_order o on o.store_id = v.store_id and o.order_id = v.order_id
), spread as (
  select f.*, d.dimension, d.value from figure f
  cross join lateral (
    select 'all' as dimension, '*' as value
    union all select 'product', f.product_id
    union all select 'country', f.country where f.country is not null
    union all select 'operator', f.responder where f.responder is not null
    union all select 'month', to_char(f.opened_at at time zone 'UTC', 'YYYY-MM')
    union all select 'topic', t.topic from unnest(f.topics) as t (topic)) d
), held as (
  select h.store_id, d.dimension, d.value, count(*) as holds,
    percentile_cont(0.5) within group (order by h.hold_s) as hold_median_s,
    percentile_cont(0.9) within group (order by h.hold_s) as hold_p90_s,
    avg(h.overturned::integer) filter (where h.refused) as overturn_rate
  from (
    select a.store_id, a.review_id, v.product_id, o.country, extract(epoch from min(b.decided_at) - a.decided_at) as hold_s,
      bool_or(b.action = 'reject') as refused, false as overturned
    from vouch.review_decision a
    join vouch.review v on v.store_id = a.store_id and v.review_id = a.review_id
    left join vouch.sales_order o on o.store_id = v.store_id and o.order_id = v.order_id
    join vouch.review_decision b on b.store_id = a.store_id and b.review_id = a.review_id and b.revision = a.revision
      and b.decision_id > a.decision_id and b.from_state = 'held' and b.to_state <> 'held'
    where a.action = 'hold'
    group by a.store_id, a.review_id, a.decision_id, a.decided_at, v.product_id, o.country
    union all
    select a.store_id, a.review_id, v.product_id, o.country, null, true,
      exists (select from vouch.review_decision b where b.store_id = a.store_id and b.review_id = a.review_id and b.revision = a.revision
              and b.decision_id > a.decision_id and b.from_state = 'rejected' and b.to_state = 'published')
    from vouch.review_decision a
    join vouch.review v on v.store_id = a.store_id and v.review_id = a.review_id
    left join vouch.sales_order o on o.store_id = v.store_id and o.order_id = v.order_id
    where a.action = 'reject') h
  cross join lateral (
    select 'all' as dimension, '*' as value
    union all select 'product', h.product_id
    union all select 'country', h.country where h.country is not null) d
  group by h.store_id, d.dimension, d.value
), cases as (
  select s.store_id, s.dimension, s.value, count(*) as cases,
    count(s.first_response_at) as answered,
    percentile_cont(0.5) within group (order by s.first_response_s) as first_response_median_s,
    percentile_cont(0.9) within group (order by s.first_response_s) as first_response_p90_s,
    count(*) filter (where s.first_response_at <= s.respond_by) as in_time,
    count(*) filter (where s.first_response_at is not null or s.respond_by < vouch.clock()) as judged,
    percentile_cont(0.5) within group (order by s.resolution_s) as resolution_median_s,
    percentile_cont(0.9) within group (order by s.resolution_s) as resolution_p90_s,
    count(*) filter (where s.ended) as ended,
    count(*) filter (where s.resolved) as resolved,
    count(*) filter (where s.reopened) as reopened,
    count(*) filter (where s.satisfied is not null) as asked,
    count(*) filter (where s.satisfied) as satisfied,
    count(*) filter (where s.rating_to > s.rating_from) as ratings_raised,
    count(*) filter (where s.rating_to is distinct from s.rating_from and s.rating_to is not null) as ratings_updated,
    avg(s.rating_to - s.rating_from) filter (where s.rating_to is not null) as rating_change
  from spread s
  group by s.store_id, s.dimension, s.value
)
select coalesce(c.store_id, h.store_id) as store_id, coalesce(c.dimension, h.dimension) as dimension, coalesce(c.value, h.value) as value,
  coalesce(c.cases, 0) as cases, coalesce(c.answered, 0) as answered,
  make_interval(secs => c.first_response_median_s) as first_response_median,
  make_interval(secs => c.first_response_p90_s) as first_response_p90,
  round(c.in_time::numeric / nullif(c.judged, 0), 4) as within_target,
  make_interval(secs => c.resolution_median_s) as resolution_median,
  make_interval(secs => c.resolution_p90_s) as resolution_p90,
  round(c.resolved::numeric / nullif(c.ended, 0), 4) as resolution_rate,
  round(c.reopened::numeric / nullif(c.ended, 0), 4) as reopen_rate,
  round(c.satisfied::numeric / nullif(c.asked, 0), 4) as satisfaction,
  coalesce(c.ratings_updated, 0) as ratings_updated, coalesce(c.ratings_raised, 0) as ratings_raised, round(c.rating_change, 4) as rating_change,
  coalesce(h.holds, 0) as decisions,
  make_interval(secs => h.hold_median_s::double precision) as hold_median, make_interval(secs => h.hold_p90_s::double precision) as hold_p90,
  round(h.overturn_rate, 4) as overturn_rate
from cases c
full join held h on h.store_id = c.store_id and h.dimension = c.dimension and h.value = c.value;
comment on view vouch.kpi is
'How well unhappy customers are served, for all cases (dimension all, value *) and by product, topic, country, operator and month. Times of cases are business time, holds run round the clock. Shares are of: within_target, cases answered or past their target; resolution and reopen rate, cases that were ever confirmed or closed; satisfaction, follow-ups answered; overturn rate, rejections taken back.';

create or replace view vouch.trend with (security_invoker = true) as
with week as (
  select r.store_id, v.product_id, t.topic, date_trunc('week', r.received_at at time zone s.timezone)::date as week,
    count(*) filter (where r.rating <= 3) as complaints, count(*) as reviews
  from vouch.review_revision r
  join vouch.review v on v.store_id = r.store_id and v.review_id = r.review_id and v.revision = r.revision
  join vouch.store s on s.store_id = r.store_id
  cross join lateral unnest(r.topics) as t (topic)
  where v.state <> 'withdrawn'
  group by 1, 2, 3, 4
), seen as (
  select w.*, (select coalesce(sum(b.complaints), 0)::bigint from week b where b.store_id = w.store_id and b.product_id = w.product_id
               and b.topic = w.topic and b.week < w.week and b.week >= w.week - 84) as before
  from week w
)
select w.store_id, w.product_id, w.topic, w.week, w.reviews, w.complaints, round((w.before + 0.5) / 12, 3) as expected,
  vouch.count_tail(w.before, 12, w.complaints) as probability,
  w.complaints >= 3 and vouch.count_tail(w.before, 12, w.complaints) < vouch.spike_limit() as spike
from seen w;
comment on view vouch.trend is
'What reviews are about, by product, topic and week (from Monday, the store''s time zone). complaints have three stars or fewer; probability is that of so many or more after the twelve weeks before; spike: hardly chance (vouch.spike_limit).';
