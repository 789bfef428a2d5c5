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
  v.invited, v.incentivised
from vouch.review_revision r
join vouch.review v on v.store_id = r.store_id and v.review_id = r.review_id
where r.state = 'held';
comment on view vouch.held_review is 'The moderation queue. marks are the very words that hold a review, as byte ranges.';

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
  (select min(m.due_at) from vouch.outgoing_mail m where m.store_id = s.store_id and m.state in ('queued', 'ambiguous') and m.state = 'queued') as oldest_due
from vouch.store s;
comment on view vouch.delivery_health is 'The mail queue of each store at a glance.';

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
