-- SPDX-License-Identifier: MIT
-- Views for people. security_invoker: each reader sees the stores that table operator gives him.

create or replace view vouch.rating_summary with (security_invoker = true) as
select h.store_id, h.product_id,
  (h.stars[1] + h.stars[2] + h.stars[3] + h.stars[4] + h.stars[5])::integer as review_count,
  round((h.stars[1] + 2 * h.stars[2] + 3 * h.stars[3] + 4 * h.stars[4] + 5 * h.stars[5])::numeric
    / nullif(h.stars[1] + h.stars[2] + h.stars[3] + h.stars[4] + h.stars[5], 0), 2) as average,
  h.stars::integer[] as histogram
from (
  select x.store_id, x.product_id, array[sum(x.one), sum(x.two), sum(x.three), sum(x.four), sum(x.five)] as stars
  from (
    select t.store_id, t.product_id, t.histogram[1] as one, t.histogram[2] as two, t.histogram[3] as three, t.histogram[4] as four, t.histogram[5] as five
    from vouch.rating_total t
    union all
    select c.store_id, c.product_id, case c.rating when 1 then c.change else 0 end, case c.rating when 2 then c.change else 0 end,
      case c.rating when 3 then c.change else 0 end, case c.rating when 4 then c.change else 0 end, case c.rating when 5 then c.change else 0 end
    from vouch.rating_change c
  ) x
  group by x.store_id, x.product_id
) h;
comment on view vouch.rating_summary is 'Published reviews of each product: how many, the plain average, and the bars from one star to five. Exact at any moment.';

create or replace view vouch.held_review with (security_invoker = true) as
select r.store_id, r.review_id, v.product_id, coalesce(v.order_id, v.wanted_order_id) as order_id, v.verified, r.rating, r.title, r.body,
  r.author_name, r.held_for as reasons, r.held_at, r.deadline_at, r.revision, r.marks, r.locale, v.verified_reason, r.escalated_at,
  v.invited, v.incentivised,
  (select max(d.decision_id) from vouch.review_decision d where d.store_id = r.store_id and d.review_id = r.review_id) as version, r.redactions
from vouch.review_revision r
join vouch.review v on v.store_id = r.store_id and v.review_id = r.review_id
where r.state = 'held';
comment on view vouch.held_review is 'The moderation queue. marks are the very words that hold a review, as byte ranges; version is to be given with the decision.';

create or replace view vouch.review_request_status with (security_invoker = true) as
select r.store_id, r.state, r.reason, count(*) as requests, min(r.due_at) as earliest_due, max(r.due_at) as latest_due
from vouch.review_request r
group by r.store_id, r.state, r.reason;
comment on view vouch.review_request_status is 'How many requests are in which state, and why those that do not go out do not: every exclusion is counted here, and none looks at ratings.';

create or replace view vouch.delivery_health with (security_invoker = true) as
select s.store_id,
  (select count(*) from vouch.outgoing_mail m where m.store_id = s.store_id and m.state in ('queued', 'ambiguous') and m.state = 'queued') as queued,
  (select count(*) from vouch.outgoing_mail m where m.store_id = s.store_id and m.state = 'sending') as sending,
  (select count(*) from vouch.outgoing_mail m where m.store_id = s.store_id and m.state in ('queued', 'ambiguous') and m.state = 'ambiguous') as ambiguous,
  (select count(*) from vouch.outgoing_mail m where m.store_id = s.store_id and m.state in ('sent', 'failed') and m.state = 'failed') as failed,
  (select count(*) from vouch.outgoing_mail m where m.store_id = s.store_id and m.state in ('sent', 'failed') and m.state = 'sent'
     and m.finished_at > vouch.clock() - interval '1 day') as sent_last_day,
  (select min(m.due_at) from vouch.outgoing_mail m where m.store_id = s.store_id and m.state in ('queued', 'ambiguous') and m.state = 'queued') as oldest_due,
  (select count(*) from vouch.outgoing_mail m where m.store_id = s.store_id and m.state in ('queued', 'ambiguous') and m.state = 'queued' and m.attempts > 0) as deferred,
  (select count(*) from vouch.mail_domain d where d.store_id = s.store_id and d.paused_until > vouch.clock()) as domains_waiting,
  t.relay_down_at, t.relay_problem, t.paused_at, t.pause_reason,
  coalesce(p.rate_per_minute, 0) as rate_per_minute, coalesce(p.rate_per_day, 0) as rate_per_day,
  case when t.day = (vouch.clock() at time zone 'UTC')::date then t.claimed_that_day else 0 end as claimed_today
from vouch.store s
left join vouch.mail_state t on t.store_id = s.store_id
left join vouch.mail_policy p on p.store_id = s.store_id;
comment on view vouch.delivery_health is 'The mail queue of each store at a glance: what waits, what keeps it back (relay down, paused, domains that asked for patience), and its limits (0: none).';

create or replace view vouch.discount_report with (security_invoker = true) as
select d.store_id, date_trunc('month', d.issued_at at time zone s.timezone)::date as month, d.kind, d.value, d.currency, d.minimum_spend,
  count(*) as issued, count(*) filter (where d.state = 'redeemed') as redeemed,
  count(*) filter (where d.state = 'expired' or d.state = 'issued' and d.expires_at <= vouch.clock()) as expired,
  count(*) filter (where d.state = 'issued' and d.expires_at > vouch.clock()) as open,
  round(count(*) filter (where d.state = 'redeemed')::numeric / count(*), 4) as redeemed_share
from vouch.discount_code d
join vouch.store s on s.store_id = d.store_id
group by d.store_id, month, d.kind, d.value, d.currency, d.minimum_spend;
comment on view vouch.discount_report is 'What became of the codes issued in each month (the store''s time zone), by what they are worth: redeemed (on an order not cancelled since), expired, still open; redeemed_share of 1.';
create or replace view vouch.parity_change with (security_invoker = true) as
select d.store_id, d.decision_id, r.rating, (d.from_state = 'unconfirmed')::integer as received,
  (d.to_state = 'published')::integer - (d.from_state = 'published')::integer as published,
  (d.to_state = 'held')::integer - (d.from_state = 'held')::integer as held,
  (d.to_state = 'rejected')::integer - (d.from_state = 'rejected')::integer as rejected,
  (d.to_state = 'withdrawn')::integer as withdrawn, (d.to_state = 'held')::integer as holds, (d.from_state = 'held')::integer as holds_ended,
  case when d.from_state = 'held' then extract(epoch from d.decided_at - (
    select max(h.decided_at) from vouch.review_decision h
    where h.store_id = d.store_id and h.review_id = d.review_id and h.revision = d.revision and h.decision_id < d.decision_id
      and h.to_state = 'held' and h.from_state <> 'held')) else 0 end as hold_seconds,
  case when d.to_state = 'rejected' then d.ground when d.from_state = 'rejected' then (
    select g.ground from vouch.review_decision g
    where g.store_id = d.store_id and g.review_id = d.review_id and g.revision = d.revision and g.decision_id < d.decision_id
      and g.to_state = 'rejected' and g.ground is not null order by g.decision_id desc limit 1) end as ground
from vouch.review_decision d
join vouch.review_revision r on r.store_id = d.store_id and r.review_id = d.review_id and r.revision = d.revision
where d.from_state <> d.to_state;
comment on view vouch.parity_change is 'What each decision changes in the counts of publication_parity.';

create or replace view vouch.publication_parity with (security_invoker = true) as
with change as (
  select t.store_id, t.rating, t.received, t.published, t.held, t.rejected, t.withdrawn, t.holds, t.holds_ended, t.hold_seconds from vouch.parity_total t
  union all
  select c.store_id, c.rating, c.received, c.published, c.held, c.rejected, c.withdrawn, c.holds, c.holds_ended, c.hold_seconds
  from vouch.record_pending w join vouch.parity_change c on c.store_id = w.store_id and c.decision_id = w.decision_id
), grounds as (
  select x.store_id, x.rating, jsonb_object_agg(x.ground, x.n) as by_ground
  from (
    select g.store_id, g.rating, g.ground, sum(g.n)::bigint as n
    from (
      select g.store_id, g.rating, g.ground, g.rejected as n from vouch.parity_ground g
      union all
      select c.store_id, c.rating, c.ground, c.rejected from vouch.record_pending w
      join vouch.parity_change c on c.store_id = w.store_id and c.decision_id = w.decision_id where c.ground is not null
    ) g
    group by g.store_id, g.rating, g.ground having sum(g.n) > 0
  ) x
  group by x.store_id, x.rating
), star as (
  select s.store_id, n.rating::smallint as rating, coalesce(sum(c.received), 0)::bigint as received, coalesce(sum(c.published), 0)::bigint as published,
    coalesce(sum(c.held), 0)::bigint as held, coalesce(sum(c.rejected), 0)::bigint as rejected, coalesce(sum(c.withdrawn), 0)::bigint as withdrawn,
    coalesce(sum(c.holds), 0)::bigint as holds, coalesce(sum(c.holds_ended), 0)::bigint as holds_ended, coalesce(sum(c.hold_seconds), 0) as hold_seconds
  from vouch.store s
  cross join generate_series(1, 5) as n (rating)
  left join change c on c.store_id = s.store_id and c.rating = n.rating
  group by s.store_id, n.rating
), weighed as (
  select s.*, (s.published + s.held + s.rejected)::double precision as n,
    sum(s.published + s.held + s.rejected) over w::double precision as all_n, sum(s.published) over w::double precision as all_x,
    sum(s.rating * (s.published + s.held + s.rejected)) over w::double precision as all_rn,
    sum(s.rating * s.rating * (s.published + s.held + s.rejected)) over w::double precision as all_rrn,
    sum(s.rating * s.published) over w::double precision as all_rx
  from star s window w as (partition by s.store_id)
), tested as (
  select w.*, w.published / nullif(w.n, 0) as share, w.all_x / nullif(w.all_n, 0) as all_share,
    (w.published / nullif(w.n, 0) - (w.all_x - w.published) / nullif(w.all_n - w.n, 0))
      / nullif(sqrt(w.all_x / nullif(w.all_n, 0) * (1 - w.all_x / nullif(w.all_n, 0)) * (1 / nullif(w.n, 0) + 1 / nullif(w.all_n - w.n, 0))), 0) as z,
    (w.all_rx - w.all_x / nullif(w.all_n, 0) * w.all_rn)
      / nullif(sqrt(w.all_x / nullif(w.all_n, 0) * (1 - w.all_x / nullif(w.all_n, 0)) * greatest(w.all_rrn - w.all_rn * w.all_rn / nullif(w.all_n, 0), 0)), 0) as trend_z
  from weighed w
), judged as (
  select t.*, tails.low as p_value, tails.high as trend_p
  from tested t
  cross join lateral (
    select max(case when q.which = 1 then case when q.z <= 0 then q.tail when q.z > 0 then 1 - q.tail end end) as low,
      max(case when q.which = 2 then case when q.z >= 0 then q.tail when q.z < 0 then 1 - q.tail end end) as high
    from (
      select u.which, u.z, exp(-u.a * u.a / 2) / sqrt(2 * pi())
        * u.k * (0.319381530 + u.k * (-0.356563782 + u.k * (1.781477937 + u.k * (-1.821255978 + u.k * 1.330274429)))) as tail
      from (select v.which, v.z, least(abs(v.z), 37) as a, 1 / (1 + 0.2316419 * least(abs(v.z), 37)) as k
            from (values (1, t.z), (2, t.trend_z)) as v (which, z)) u
    ) q
  ) tails
)
select j.store_id, j.rating, j.received, j.published, j.held, j.rejected, j.withdrawn, round(j.share::numeric, 4) as published_share,
  j.holds, round((j.holds / nullif(j.received, 0)::double precision)::numeric, 4) as held_share, j.holds_ended,
  round(j.hold_seconds / nullif(j.holds_ended, 0)) as mean_hold_s, coalesce(g.by_ground, '{}') as rejected_by_ground,
  round(j.z::numeric, 3) as z, j.p_value, round(j.trend_z::numeric, 3) as trend_z, j.trend_p,
  coalesce(j.trend_z > 0 and j.trend_p < 0.01 and j.share < j.all_share and j.all_x * (1 - j.all_share) >= 5, false) as alarm
from judged j
left join grounds g on g.store_id = j.store_id and g.rating = j.rating;
comment on view vouch.publication_parity is
'Every wording received, by its stars, and what became of it; mean_hold_s in seconds. z and p_value: two-proportion z-test of published_share (of those not withdrawn or replaced) against all other stars, one-sided, low is worse. trend_z and trend_p: Cochran-Armitage test over the five stars (Cochran 1954, Armitage 1955), that publication rises with them; the normal tail after Abramowitz and Stegun 26.2.17. alarm: the trend is significant at 1 % and this star is below the average. It asks for a look at the decisions; what holds a review never sees the stars.';

create or replace view vouch.moderation_health with (security_invoker = true) as
select s.store_id,
  (select count(*) from vouch.review_revision r where r.store_id = s.store_id and r.state = 'held') as held,
  (select count(*) from vouch.review_revision r where r.store_id = s.store_id and r.state = 'held' and r.deadline_at < vouch.clock()) as overdue,
  (select count(*) from vouch.review_revision r where r.store_id = s.store_id and r.state = 'held' and r.escalated_at is not null) as escalated,
  (select min(r.deadline_at) from vouch.review_revision r where r.store_id = s.store_id and r.state = 'held') as next_deadline_at,
  (select count(*) from vouch.appeal a where a.store_id = s.store_id and a.state = 'open') as open_appeals,
  (select min(a.asked_at) from vouch.appeal a where a.store_id = s.store_id and a.state = 'open') as oldest_appeal_at,
  (select count(*) from vouch.review_report p where p.store_id = s.store_id and p.state = 'open') as open_reports,
  (select min(p.reported_at) from vouch.review_report p where p.store_id = s.store_id and p.state = 'open') as oldest_report_at,
  (select coalesce(bool_or(y.alarm), false) from vouch.publication_parity y where y.store_id = s.store_id) as parity_alarm
from vouch.store s;
comment on view vouch.moderation_health is 'What waits for people in each store at a glance: holds past their deadline (the worker is down) or escalated (nobody decides), objections and reports, and whether low stars fare worse.';

create or replace view vouch.open_appeal with (security_invoker = true) as
select a.store_id, a.appeal_id, a.appellant, a.review_id, v.product_id, d.revision, a.body as objection, a.asked_at, d.action as decision, d.ground,
  n.note as facts, d.decided_at, case when not d.automated then d.actor end as decided_by, r.rating, r.title, r.body, r.author_name, r.reasons, r.marks, r.redactions,
  a.report_id, p.explanation as report, p.category, v.state,
  (select max(x.decision_id) from vouch.review_decision x where x.store_id = a.store_id and x.review_id = a.review_id) as version
from vouch.appeal a
join vouch.review_decision d on d.store_id = a.store_id and d.decision_id = a.decision_id
join vouch.review v on v.store_id = a.store_id and v.review_id = a.review_id
join vouch.review_revision r on r.store_id = d.store_id and r.review_id = d.review_id and r.revision = d.revision
left join vouch.decision_note n on n.store_id = d.store_id and n.decision_id = d.decision_id
left join vouch.review_report p on p.store_id = a.store_id and p.report_id = a.report_id
where a.state = 'open';
comment on view vouch.open_appeal is 'Objections to be decided, with the decision, its facts and who took it: somebody else decides.';

create or replace view vouch.open_report with (security_invoker = true) as
select p.store_id, p.report_id, p.review_id, v.product_id, v.state, p.explanation, p.url, p.name, p.category, p.reported_at, r.rating, r.title, r.body,
  r.author_name, r.revision, r.marks, r.redactions, v.verified,
  (select max(x.decision_id) from vouch.review_decision x where x.store_id = p.store_id and x.review_id = p.review_id) as version
from vouch.review_report p
join vouch.review v on v.store_id = p.store_id and v.review_id = p.review_id
join vouch.review_revision r on r.store_id = v.store_id and r.review_id = v.review_id and r.revision = coalesce(v.published_revision, v.revision)
where p.state = 'open';
comment on view vouch.open_report is 'Reports to be answered, oldest first by reported_at, each with the review it is about.';

create or replace view vouch.overturn_rate with (security_invoker = true) as
select d.store_id, d.actor as operator, d.automated, d.action, d.ground, count(*) as decisions, count(a.appeal_id) as appealed,
  count(*) filter (where a.state = 'granted') as overturned, count(*) filter (where a.state = 'refused') as upheld,
  round(count(*) filter (where a.state = 'granted') / nullif(count(*) filter (where a.state in ('granted', 'refused')), 0)::numeric, 4) as rate
from vouch.review_decision d
left join vouch.appeal a on a.store_id = d.store_id and a.decision_id = d.decision_id
where d.action in ('hold', 'reject', 'redact', 'keep') or a.appeal_id is not null
group by d.store_id, d.actor, d.automated, d.action, d.ground;
comment on view vouch.overturn_rate is 'How often objections to the decisions of each operator, or of Vouch itself, were granted, of those decided.';
