-- SPDX-License-Identifier: MIT
-- When and whom to ask.

create or replace function vouch.request_policy_standard(p_store text) returns vouch.request_policy
language plpgsql stable as $$
declare
  policy vouch.request_policy;
begin
  policy.store_id := p_store;
  policy.country := '*';
  policy.delay := interval '7 days';
  policy.reminder_after := '{}';
  policy.weekdays := '{1,2,3,4,5,6,7}';
  policy.cap_period := interval '30 days';
  policy.excluded_products := '{}';
  policy.excluded_product_groups := '{}';
  policy.excluded_customer_groups := '{}';
  policy.link_valid_for := interval '90 days';
  policy.partial_wait := interval '14 days';
  policy.consent := 'soft_opt_in';
  return policy;
end
$$;
comment on function vouch.request_policy_standard is 'What a store without a row asks by: the defaults of the columns.';

create or replace function vouch.request_policy_of(p_store text, p_country text) returns vouch.request_policy
language plpgsql stable as $$
declare
  policy vouch.request_policy;
begin
  select p.* into policy from vouch.request_policy p
  where p.store_id = p_store and p.country in (p_country, '*') order by p.country = '*' limit 1;
  if not found then
    policy := vouch.request_policy_standard(p_store);
  end if;
  return policy;
end
$$;
comment on function vouch.request_policy_of is 'The policy of a country, else of *, else the defaults.';

create or replace function vouch.request_derive(p_store text, p_orders text[]) returns void
language plpgsql as $$
begin
  insert into vouch.review_request as r (store_id, order_id, state, due_at, reason)
  select p_store, s.order_id,
    case when s.asked > 0 then 'scheduled' else 'cancelled' end,
    least(case when s.open = 0 then s.last + (p.policy).delay end, s.first + greatest((p.policy).partial_wait, (p.policy).delay)),
    case when s.asked = 0 then case when s.cancelled > 0 then 'cancelled' else 'refunded' end end
  from (
    select o.order_id, o.country,
      coalesce(min(l.delivered_at) filter (where l.cancelled_at is null and l.refunded_at is null), min(l.delivered_at)) as first,
      coalesce(max(l.delivered_at) filter (where l.cancelled_at is null and l.refunded_at is null), max(l.delivered_at)) as last,
      count(*) filter (where l.delivered_at is not null and l.cancelled_at is null and l.refunded_at is null
                             and not o.refunded) as asked,
      count(*) filter (where l.delivered_at is null and l.cancelled_at is null and l.refunded_at is null
                             and not o.refunded) as open,
      count(*) filter (where l.cancelled_at is not null) as cancelled
    from (select distinct w from unnest(p_orders) as w) as w (order_id)
    cross join lateral (select q.order_id, q.country, q.placed_at, vouch.order_refunded(q) as refunded from vouch.sales_order q
                        where q.store_id = p_store and q.order_id = w.order_id offset 0) as o
    cross join lateral (select n.* from vouch.order_line n where n.store_id = p_store and n.order_id = w.order_id offset 0) as l
    where o.placed_at is not null and l.product_id is not null
    group by o.order_id, o.country
    having count(l.delivered_at) > 0
  ) s
  cross join lateral (select vouch.request_policy_of(p_store, s.country) as policy offset 0) p
  order by s.order_id
  on conflict (store_id, order_id) do update set state = excluded.state, due_at = excluded.due_at, reason = excluded.reason
  where (r.state in ('scheduled', 'cancelled')
      or r.state = 'skipped' and r.reason in ('reviewed', 'excluded_product') and excluded.state = 'scheduled' and excluded.due_at > r.due_at)
    and (r.state, r.due_at, r.reason) is distinct from (excluded.state, excluded.due_at, excluded.reason);
end
$$;
comment on function vouch.request_derive is 'Derives the requests of these orders from their facts again, as long as nothing was sent. One skipped for its lines'' sake is due again when another line was delivered.';

create or replace function vouch.request_zone(p_store text, p_timezone text, p_country text, p_locale text) returns text
language plpgsql stable as $$
declare
  guess text;
begin
  if p_timezone is not null and vouch.is_timezone(p_timezone) then
    return p_timezone;
  end if;
  for guess in
    select t.timezone
    from unnest(array[upper(p_country), upper(substring(p_locale from '^[A-Za-z]{2,3}(?:[-_][A-Za-z]{4})?[-_]([A-Za-z]{2})(?![A-Za-z0-9])')),
                      lower(substring(p_locale from '^[A-Za-z]{2,3}(?![A-Za-z0-9])'))]) with ordinality as w (place, n)
    cross join lateral (select c.store_id, c.timezone from vouch.country_timezone c
                        where c.store_id in (p_store, '*') and c.place = w.place offset 0) as t
    order by w.n, t.store_id = '*'
  loop
    if vouch.is_timezone(guess) then
      return guess;
    end if;
  end loop;
  return coalesce((select s.timezone from vouch.store s where s.store_id = p_store), 'UTC');
end
$$;
comment on function vouch.request_zone is
'The buyer''s time zone: the order''s own, else that of its country, else of its locale''s region, else of its language (vouch.country_timezone), else the store''s.';

create or replace function vouch.request_quiet(p_policy vouch.request_policy, p_local timestamp) returns boolean
language plpgsql immutable as $$
begin
  return coalesce(not extract(isodow from p_local)::smallint = any ((p_policy).weekdays)
    or case when (p_policy).quiet_from <= (p_policy).quiet_until
      then p_local::time >= (p_policy).quiet_from and p_local::time < (p_policy).quiet_until
      else p_local::time >= (p_policy).quiet_from or p_local::time < (p_policy).quiet_until end, false);
end
$$;
comment on function vouch.request_quiet is 'Whether no request leaves while the buyer''s clock shows this.';

create or replace function vouch.request_slot(p_policy vouch.request_policy, p_zone text, p_at timestamptz) returns timestamptz
language plpgsql stable as $$
declare
  slot timestamptz := p_at;
  local timestamp := p_at at time zone p_zone;
begin
  for step in 1 .. 40 loop -- a week has at most seven nights and seven midnights; each step is past one of them
    if not vouch.request_quiet(p_policy, local) then
      return slot;
    end if;
    local := case
      when not extract(isodow from local)::smallint = any (p_policy.weekdays) then local::date + 1
      else local::date + case when p_policy.quiet_from > p_policy.quiet_until and local::time >= p_policy.quiet_from then 1 else 0 end
        + p_policy.quiet_until end;
    slot := local at time zone p_zone;
    local := slot at time zone p_zone;
  end loop;
  return slot;
end
$$;
comment on function vouch.request_slot is 'p_at, or else the first moment from it on that is neither within the quiet hours nor on another weekday than the policy''s, by the clocks of the buyer''s time zone.';

create or replace function vouch.request_judge(p_store text, p_requests bigint[])
returns table (request_id bigint, order_id text, address_key bytea, due_at timestamptz, sent_at timestamptz, policy vouch.request_policy, zone text, obstacle text)
language plpgsql stable as $$
declare
  own_currency text := (select s.currency from vouch.store s where s.store_id = p_store);
  by_id boolean := exists (select from vouch.opt_out u where u.store_id = p_store);
  at_clock timestamptz := vouch.clock();
begin
  return query
  with asked as materialized (
    select r.request_id, r.due_at, r.sent_at, o.*
    from unnest(p_requests) as w (id)
    cross join lateral (select q.request_id, q.order_id, q.due_at, q.sent_at from vouch.review_request q
                        where q.store_id = p_store and q.request_id = w.id offset 0) as r
    cross join lateral (
      select q.order_id, q.address_key, q.customer_key, coalesce(q.timezone, '') as zone, coalesce(q.country, '') as country, coalesce(q.locale, '') as locale,
        vouch.order_refunded(q) as refunded, q.marketing_consent, q.customer_groups, q.total, coalesce(q.currency, own_currency) as currency
      from vouch.sales_order q where q.store_id = p_store and q.order_id = r.order_id offset 0) as o
  ), place as materialized (
    select d.zone, d.country, d.locale, d.policy, (d.policy).link_valid_for, (d.policy).consent, (d.policy).minimum_order_value,
      coalesce((d.policy).currency, own_currency) as currency, nullif((d.policy).excluded_customer_groups, '{}') as excluded_customer_groups,
      (d.policy).excluded_products <> '{}' or (d.policy).excluded_product_groups <> '{}' as picky,
      vouch.request_zone(p_store, nullif(d.zone, ''), nullif(d.country, ''), nullif(d.locale, '')) as own_zone
    from (select x.*, vouch.request_policy_of(p_store, nullif(x.country, '')) as policy
          from (select distinct a.zone, a.country, a.locale from asked a offset 0) as x offset 0) as d
  )
  select a.request_id, a.order_id, a.address_key, a.due_at, a.sent_at, h.policy, h.own_zone,
    case
      when a.address_key is null or (c.email is null and c.erased_at is null) then 'no_address'
      when c.erased_at is not null then 'erased'
      when l.kept = 0 then 'cancelled'
      when a.refunded or l.paid_for = 0 then 'refunded'
      when l.asked = 0 then 'excluded_product'
      when l.open = 0 then 'reviewed'
      when 'unsubscribed' = any (x.reasons) or by_id and exists (
        select from vouch.opt_out u where u.store_id = p_store and u.customer_key = a.customer_key) then 'unsubscribed'
      when x.reasons <> '{}' then 'suppressed'
      when h.consent <> 'any' and not coalesce(c.marketing_consent, a.marketing_consent, h.consent = 'soft_opt_in') then 'no_consent'
      when a.customer_groups && h.excluded_customer_groups then 'excluded_customer'
      when a.total < h.minimum_order_value and a.currency = h.currency then 'below_minimum'
      when a.sent_at + h.link_valid_for <= at_clock then 'too_late'
    end
  from asked a
  join place h on h.zone = a.zone and h.country = a.country and h.locale = a.locale
  left join lateral (select q.email, q.erased_at, q.marketing_consent from vouch.customer q
                     where q.store_id = p_store and q.address_key = a.address_key offset 0) as c on true
  cross join lateral (select array(select q.reason from vouch.suppression q
                                   where q.store_id = p_store and q.address_key = a.address_key) as reasons offset 0) as x
  cross join lateral (select array(select v.line_id from vouch.review v
                                   where v.store_id = p_store and v.order_id = a.order_id and v.line_id is not null) as lines offset 0) as v
  cross join lateral (
    select count(*) as kept, count(*) filter (where n.refunded_at is null) as paid_for,
      count(*) filter (where n.refunded_at is null and not n.excluded) as asked,
      count(*) filter (where n.refunded_at is null and not n.excluded and not n.line_id = any (v.lines)) as open
    from (
      select q.line_id, q.refunded_at, case when h.picky then vouch.line_excluded(h.policy, q) else false end as excluded
      from vouch.order_line q
      where q.store_id = p_store and q.order_id = a.order_id and q.delivered_at is not null and q.cancelled_at is null offset 0) as n
  ) as l;
end
$$;
comment on function vouch.request_judge is
'Of each of these requests: under which policy, in which time zone, and why it must not go out now (obstacle NULL: nothing is in the way but the hour and the cap). The one place that knows the rules; queue, plan and the last check before sending all ask here. Knows nothing of ratings.';

create or replace function vouch.line_excluded(p_policy vouch.request_policy, p_line vouch.order_line) returns boolean
language plpgsql stable as $$
begin
  return p_line.product_id = any (p_policy.excluded_products) or coalesce(p_line.groups && p_policy.excluded_product_groups, false)
    or p_policy.excluded_product_groups <> '{}' and exists (
      select from vouch.product p where p.store_id = p_line.store_id and p.product_id = p_line.product_id
      and p.groups && p_policy.excluded_product_groups);
end
$$;
comment on function vouch.line_excluded is 'Whether the policy asks nobody about the product of this line.';

create or replace function vouch.request_obstacle(p_store text, p_request bigint) returns text
language plpgsql stable as $$
declare
  judged record;
begin
  select j.* into judged from vouch.request_judge(p_store, array[p_request]) j;
  return case when not found then 'cancelled' when judged.obstacle is not null then judged.obstacle
    when vouch.request_quiet(judged.policy, vouch.clock() at time zone judged.zone) then 'quiet' end;
end
$$;
comment on function vouch.request_obstacle is 'Why a mail of this request must not go out now; quiet: not at this hour. NULL: nothing is in the way.';

create or replace function vouch.request_awake(p_store text, p_request bigint) returns timestamptz
language plpgsql stable as $$
begin
  return (select vouch.request_slot(j.policy, j.zone, vouch.clock()) from vouch.request_judge(p_store, array[p_request]) j);
end
$$;
comment on function vouch.request_awake is 'When the buyer of this request may be written to, from now on.';

create or replace function vouch.request_capped(p_store text, p_address_key bytea, p_policy vouch.request_policy) returns boolean
language plpgsql stable as $$
begin
  return (
    select count(*) from vouch.outgoing_mail m
    where m.store_id = p_store and m.address_key = p_address_key and m.kind = 'request'
      and case m.state when 'queued' then true when 'sending' then true
        when 'sent' then m.finished_at > vouch.clock() - p_policy.cap_period
        when 'ambiguous' then exists (select from vouch.send_attempt t where t.store_id = p_store and t.mail_id = m.mail_id
                                      and t.started_at > vouch.clock() - p_policy.cap_period)
        else false end
  ) >= p_policy.cap_count;
end
$$;
comment on function vouch.request_capped is 'Whether this buyer had, or is about to get, all the requests that the policy allows in its period. What may have arrived counts as arrived.';

create or replace function vouch.request_move(p_store text, p_request bigint, p_state text, p_reason text, p_due_at timestamptz) returns void
language plpgsql as $$
begin
  update vouch.review_request r set state = p_state, reason = p_reason, due_at = coalesce(p_due_at, r.due_at)
  where r.store_id = p_store and r.request_id = p_request;
end
$$;

create or replace function vouch.request_enqueue(p_store text, p_limit integer) returns integer
language plpgsql security definer as $$
declare
  at_clock timestamptz := vouch.clock();
  taken bigint[];
  due record;
  slot timestamptz;
begin
  perform vouch.enter(p_store);
  taken := array(
    select r.request_id from vouch.review_request r
    where r.store_id = p_store and r.state = 'scheduled' and r.due_at <= at_clock
    order by r.due_at, r.request_id limit p_limit for update skip locked);
  if taken = '{}' then
    return 0;
  end if;
  for due in select j.* from vouch.request_judge(p_store, taken) j order by j.due_at, j.request_id loop
    slot := vouch.request_slot(due.policy, due.zone, at_clock);
    if due.due_at + (due.policy).link_valid_for < at_clock then
      perform vouch.request_move(p_store, due.request_id, 'expired', 'too_late', null);
    elsif due.obstacle is not null then
      perform vouch.request_move(p_store, due.request_id, 'skipped', due.obstacle, null);
    elsif slot > at_clock then
      perform vouch.request_move(p_store, due.request_id, 'scheduled', null, slot);
    elsif (due.policy).cap_count is not null
        and not pg_try_advisory_xact_lock(hashtextextended(p_store || encode(due.address_key, 'hex'), 7)) then
      null; -- another worker has a request of this buyer in hand: its turn comes when that is counted
    elsif (due.policy).cap_count is not null and vouch.request_capped(p_store, due.address_key, due.policy) then
      perform vouch.request_move(p_store, due.request_id, 'skipped', 'cap', null);
    else
      perform vouch.mail_enqueue(p_store, 'request', due.request_id, 0, due.address_key, at_clock);
      perform vouch.request_move(p_store, due.request_id, 'sending', null, null);
    end if;
  end loop;
  return cardinality(taken);
end
$$;
comment on function vouch.request_enqueue is 'Moves due requests on: into the mail queue, past the quiet hours, or to skipped or expired with the reason. Returns how many it looked at.';

create or replace function vouch.request_remind(p_store text, p_request bigint) returns void
language plpgsql as $$
begin
  perform vouch.mail_enqueue(p_store, 'reminder', p_request, g.serial::integer, j.address_key,
    vouch.request_slot(j.policy, j.zone, j.sent_at + g.after))
  from vouch.request_judge(p_store, array[p_request]) j
  cross join lateral unnest((j.policy).reminder_after) with ordinality as g (after, serial)
  join vouch.review_request r on r.store_id = p_store and r.request_id = p_request and r.reminders_sent < g.serial
  where j.address_key is not null;
end
$$;
comment on function vouch.request_remind is 'Queues the reminders of a request that was just sent; whether each still goes out is checked again when it is due.';

create or replace function vouch.request_contexts(p_store text, p_requests bigint[]) returns table (request_id bigint, context jsonb)
language plpgsql stable as $$
begin
  return query
  with asked as materialized (
    select r.request_id, r.link_version, o.*
    from unnest(p_requests) as w (id)
    cross join lateral (select q.request_id, q.order_id, q.link_version from vouch.review_request q
                        where q.store_id = p_store and q.request_id = w.id offset 0) as r
    cross join lateral (select q.order_id, q.locale, q.placed_at, coalesce(q.country, '') as country from vouch.sales_order q
                        where q.store_id = p_store and q.order_id = r.order_id offset 0) as o
  ), place as materialized (
    select d.country, d.policy, (d.policy).excluded_products <> '{}' or (d.policy).excluded_product_groups <> '{}' as picky
    from (select x.country, vouch.request_policy_of(p_store, nullif(x.country, '')) as policy
          from (select distinct a.country from asked a offset 0) as x offset 0) as d
  )
  select a.request_id, jsonb_build_object('request_id', a.request_id, 'link_version', a.link_version,
    'order_id', a.order_id, 'locale', a.locale, 'placed_at', a.placed_at, 'lines', l.told)
  from asked a
  join place h on h.country = a.country
  cross join lateral (select array(select v.line_id from vouch.review v
                                   where v.store_id = p_store and v.order_id = a.order_id and v.line_id is not null) as lines offset 0) as v
  cross join lateral (
    select coalesce(jsonb_agg(jsonb_strip_nulls(jsonb_build_object('line_id', n.line_id, 'product_id', n.product_id,
      'name', coalesce(n.name, p.name, n.product_id), 'url', coalesce(n.url, p.url), 'delivered_at', n.delivered_at)) order by n.line_id), '[]') as told
    from (
      select q.line_id, q.product_id, q.name, q.url, q.delivered_at, case when h.picky then vouch.line_excluded(h.policy, q) else false end as excluded
      from vouch.order_line q
      where q.store_id = p_store and q.order_id = a.order_id and q.delivered_at is not null and q.product_id is not null
        and q.cancelled_at is null and q.refunded_at is null offset 0) as n
    left join lateral (select q.name, q.url from vouch.product q
                       where q.store_id = p_store and q.product_id = n.product_id offset 0) as p on true
    where not n.excluded and not n.line_id = any (v.lines)
  ) as l;
end
$$;
comment on function vouch.request_contexts is 'What the mails of these requests are about, with the lines that can be reviewed yet.';
