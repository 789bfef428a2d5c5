-- SPDX-License-Identifier: MIT
-- When and whom to ask.

create or replace function vouch.request_policy_of(p_store text, p_country text) returns vouch.request_policy
language plpgsql stable as $$
declare
  policy vouch.request_policy;
begin
  select p.* into policy from vouch.request_policy p
  where p.store_id = p_store and p.country in (p_country, '*') order by p.country = '*' limit 1;
  if not found then
    policy := row (p_store, '*', interval '7 days', '{}', null, null, null, interval '30 days', interval '90 days', interval '14 days', 'soft_opt_in');
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
  where r.state in ('scheduled', 'cancelled')
    and (r.state, r.due_at, r.reason) is distinct from (excluded.state, excluded.due_at, excluded.reason);
end
$$;
comment on function vouch.request_derive is 'Derives the requests of these orders from their facts again, as long as nothing was sent.';

create or replace function vouch.request_obstacle(p_store text, p_request bigint) returns text
language plpgsql stable as $$
begin
  return (
    select case
      when o.address_key is null or (c.email is null and c.erased_at is null) then 'no_address'
      when c.erased_at is not null then 'erased'
      when not exists (select from vouch.order_line l where l.store_id = p_store and l.order_id = o.order_id
                       and l.delivered_at is not null and l.cancelled_at is null) then 'cancelled'
      when vouch.order_refunded(o) or not exists (
        select from vouch.order_line l where l.store_id = p_store and l.order_id = o.order_id
        and l.delivered_at is not null and l.cancelled_at is null and l.refunded_at is null) then 'refunded'
      when not exists (
        select from vouch.order_line l where l.store_id = p_store and l.order_id = o.order_id
        and l.delivered_at is not null and l.cancelled_at is null and l.refunded_at is null
        and not exists (select from vouch.review v where v.store_id = p_store and v.order_id = l.order_id and v.line_id = l.line_id)
      ) then 'reviewed'
      when exists (select from vouch.suppression x where x.store_id = p_store and x.address_key = o.address_key
                   and x.reason = 'unsubscribed') then 'unsubscribed'
      when exists (select from vouch.suppression x where x.store_id = p_store and x.address_key = o.address_key) then 'suppressed'
      when coalesce(o.marketing_consent, c.marketing_consent, p.consent = 'soft_opt_in') = false then 'no_consent'
    end
    from vouch.review_request r
    join vouch.sales_order o on o.store_id = p_store and o.order_id = r.order_id
    left join vouch.customer c on c.store_id = p_store and c.address_key = o.address_key
    cross join lateral vouch.request_policy_of(p_store, o.country) p
    where r.store_id = p_store and r.request_id = p_request);
end
$$;
comment on function vouch.request_obstacle is 'Why this request must not go out now; NULL when nothing is in the way. Knows nothing of ratings.';

create or replace function vouch.quiet_until(p_policy vouch.request_policy, p_timezone text, p_at timestamptz) returns timestamptz
language plpgsql stable as $$
begin
  return (
    select case
      when (p_policy).quiet_from is null or (p_policy).quiet_from = (p_policy).quiet_until then p_at
      when (p_policy).quiet_from < (p_policy).quiet_until then
        case when local::time >= (p_policy).quiet_from and local::time < (p_policy).quiet_until
          then (local::date + (p_policy).quiet_until) at time zone p_timezone else p_at end
      when local::time >= (p_policy).quiet_from then (local::date + 1 + (p_policy).quiet_until) at time zone p_timezone
      when local::time < (p_policy).quiet_until then (local::date + (p_policy).quiet_until) at time zone p_timezone
      else p_at
    end
    from (select p_at at time zone p_timezone as local) as here);
end
$$;
comment on function vouch.quiet_until is 'p_at, or the end of the quiet hours it falls into, in the buyer''s time zone.';

create or replace function vouch.request_timezone(p_store text, p_order vouch.sales_order) returns text
language plpgsql stable as $$
begin
  return (
    select coalesce(
      case when vouch.is_timezone((p_order).timezone) then (p_order).timezone end,
      (select s.timezone from vouch.store s where s.store_id = p_store), 'UTC'));
end
$$;

create or replace function vouch.request_capped(p_store text, p_order vouch.sales_order, p_policy vouch.request_policy) returns boolean
language plpgsql stable as $$
begin
  return (
    select (p_policy).cap_count is not null and (
      select count(*) from vouch.outgoing_mail m
      where m.store_id = p_store and m.address_key = (p_order).address_key and m.kind = 'request' and m.state = 'sent'
        and m.finished_at > vouch.clock() - (p_policy).cap_period
    ) >= (p_policy).cap_count);
end
$$;
comment on function vouch.request_capped is 'Whether this buyer had all the requests the policy allows in its period.';

create or replace function vouch.request_enqueue(p_store text, p_limit integer) returns integer
language plpgsql security definer as $$
declare
  at_clock timestamptz := vouch.clock();
  due record;
  obstacle text;
  loud_at timestamptz;
  moved integer := 0;
begin
  perform vouch.enter(p_store);
  for due in
    select r.request_id, r.due_at, o, vouch.request_policy_of(p_store, o.country) as policy
    from vouch.review_request r
    join vouch.sales_order o on o.store_id = p_store and o.order_id = r.order_id
    where r.store_id = p_store and r.state = 'scheduled' and r.due_at <= at_clock
    order by r.due_at, r.request_id limit p_limit for update of r skip locked
  loop
    loud_at := vouch.quiet_until(due.policy, vouch.request_timezone(p_store, due.o), at_clock);
    obstacle := coalesce(vouch.request_obstacle(p_store, due.request_id),
      case when vouch.request_capped(p_store, due.o, due.policy) then 'cap' end);
    if due.due_at + (due.policy).link_valid_for < at_clock then
      update vouch.review_request set state = 'expired', reason = 'too_late' where store_id = p_store and request_id = due.request_id;
    elsif obstacle is not null then
      update vouch.review_request set state = 'skipped', reason = obstacle where store_id = p_store and request_id = due.request_id;
    elsif loud_at > at_clock then
      update vouch.review_request set due_at = loud_at where store_id = p_store and request_id = due.request_id;
    else
      perform vouch.mail_enqueue(p_store, 'request', due.request_id, 0, (due.o).address_key, at_clock);
      update vouch.review_request set state = 'sending' where store_id = p_store and request_id = due.request_id;
    end if;
    moved := moved + 1;
  end loop;
  return moved;
end
$$;
comment on function vouch.request_enqueue is 'Moves due requests on: into the mail queue, past the quiet hours, or to skipped or expired with the reason. Returns how many it looked at.';

create or replace function vouch.request_remind(p_store text, p_request bigint) returns void
language plpgsql as $$
declare
  request vouch.review_request;
  buyer vouch.sales_order;
  policy vouch.request_policy;
begin
  select r.* into request from vouch.review_request r where r.store_id = p_store and r.request_id = p_request;
  select o.* into buyer from vouch.sales_order o where o.store_id = p_store and o.order_id = request.order_id;
  policy := vouch.request_policy_of(p_store, buyer.country);
  for i in request.reminders_sent + 1 .. cardinality(policy.reminder_after) loop
    perform vouch.mail_enqueue(p_store, 'reminder', p_request, i, buyer.address_key,
      vouch.quiet_until(policy, vouch.request_timezone(p_store, buyer), request.sent_at + policy.reminder_after[i]));
  end loop;
end
$$;
comment on function vouch.request_remind is 'Queues the reminders of a request that was just sent; whether each still goes out is checked again when it is due.';

create or replace function vouch.unsubscribe(p_store text, p_address_key bytea) returns void
language plpgsql as $$
begin
  insert into vouch.suppression (store_id, address_key, reason, since)
  values (p_store, p_address_key, 'unsubscribed', vouch.clock()) on conflict do nothing;
end
$$;
comment on function vouch.unsubscribe is 'No more requests and reminders to this address, at once, those already queued included. Other mail is not touched.';
