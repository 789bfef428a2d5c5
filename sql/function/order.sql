-- Orders as merged facts: every statement here is commutative and idempotent, so any order and repetition of events ends in
-- the same rows. The sales_order row is locked first and stands for its lines.

create or replace function vouch.order_describe(
  p_store text, p_fresh boolean[],
  p_event bigint[], p_rank text[], p_time timestamptz[], p_order text[], p_placed_at timestamptz[],
  p_address_key bytea[], p_customer_key bytea[], p_customer_id text[], p_email text[], p_name text[],
  p_locale text[], p_country text[], p_timezone text[], p_consent boolean[], p_currency text[], p_total text[], p_groups text[],
  l_event bigint[], l_order text[], l_line text[], l_product text[], l_name text[], l_url text[], l_groups text[],
  l_quantity text[], l_price text[], l_promised_at timestamptz[]
) returns text[]
language plpgsql set search_path = '' as $$
declare
  delivered text[];
begin
  with placed as materialized (
    select p.*, exists (
        select from vouch.erasure x
        where x.store_id = p_store and x.subject_key in (p.address_key, p.customer_key) and x.erased_at >= p.placed_at
      ) as erased
    from unnest(p_event, p_rank, p_time, p_order, p_placed_at, p_address_key, p_customer_key, p_customer_id, p_email, p_name,
                p_locale, p_country, p_timezone, p_consent, p_currency, p_total, p_groups)
      as p (n, rank, time, order_id, placed_at, address_key, customer_key, customer_id, email, name,
            locale, country, timezone, consent, currency, total, groups)
    where p_fresh[p.n]
  ), person as (
    insert into vouch.customer as c (store_id, address_key, customer_id, email, name, locale, marketing_consent, updated_at)
    select distinct on (address_key) p_store, address_key, customer_id, email, name, locale, consent, time
    from placed
    where not erased
    order by address_key, time desc, email desc, name desc nulls last, customer_id desc nulls last
    on conflict (store_id, address_key) do update set
      customer_id = coalesce(excluded.customer_id, c.customer_id), email = excluded.email,
      name = coalesce(excluded.name, c.name), locale = coalesce(excluded.locale, c.locale),
      marketing_consent = coalesce(excluded.marketing_consent, c.marketing_consent),
      updated_at = excluded.updated_at, erased_at = null
    where (c.updated_at, coalesce(c.email, '')) < (excluded.updated_at, excluded.email)
  )
  insert into vouch.sales_order as o (store_id, order_id, address_key, customer_id, placed_at, currency, total, locale, country,
                                      timezone, marketing_consent, customer_groups, details_time, details_event)
  select distinct on (order_id) p_store, order_id,
    case when not erased then address_key end, case when not erased then customer_id end,
    placed_at, currency, total::numeric, locale, country, timezone, consent, groups::text[], time, rank
  from placed
  order by order_id, time desc, rank desc
  on conflict (store_id, order_id) do update set
    address_key = excluded.address_key, customer_id = excluded.customer_id, placed_at = excluded.placed_at,
    currency = excluded.currency, total = excluded.total, locale = excluded.locale, country = excluded.country,
    timezone = excluded.timezone, marketing_consent = excluded.marketing_consent, customer_groups = excluded.customer_groups,
    details_time = excluded.details_time, details_event = excluded.details_event
  where o.details_time is null or (o.details_time, o.details_event) < (excluded.details_time, excluded.details_event);

  with line as (
    insert into vouch.order_line as l (store_id, order_id, line_id, product_id, name, url, groups, quantity, unit_price, promised_at,
                                       paid_at, shipped_at, delivered_at, cancelled_at, refunded_at, details_time, details_event)
    select distinct on (i.order_id, i.line_id) p_store, i.order_id, i.line_id, i.product_id, i.name, i.url, i.groups::text[],
      i.quantity::numeric, i.price::numeric, i.promised_at,
      o.paid_at, o.shipped_at, o.delivered_at, o.cancelled_at, o.refunded_at, p.time, p.rank
    from unnest(l_event, l_order, l_line, l_product, l_name, l_url, l_groups, l_quantity, l_price, l_promised_at)
      as i (n, order_id, line_id, product_id, name, url, groups, quantity, price, promised_at)
    join unnest(p_event, p_time, p_rank) as p (n, time, rank) on p.n = i.n
    join vouch.sales_order o on o.store_id = p_store and o.order_id = i.order_id
    where p_fresh[i.n]
    order by i.order_id, i.line_id, p.time desc, p.rank desc
    on conflict (store_id, order_id, line_id) do update set
      product_id = excluded.product_id, name = excluded.name, url = excluded.url, groups = excluded.groups,
      quantity = excluded.quantity, unit_price = excluded.unit_price, promised_at = excluded.promised_at,
      details_time = excluded.details_time, details_event = excluded.details_event
    where l.details_time is null or (l.details_time, l.details_event) < (excluded.details_time, excluded.details_event)
    returning l.order_id, l.delivered_at
  )
  select array_agg(distinct order_id) filter (where delivered_at is not null) into delivered from line;
  return delivered;
end
$$;
comment on function vouch.order_describe is 'Merges order.placed: buyer, order and lines; of two descriptions the later stays. Returns the orders that already have a delivered line.';

create or replace function vouch.order_facts(
  p_store text, p_fresh boolean[],
  f_event bigint[], f_order text[], f_line text[], f_kind text[], f_at timestamptz[], f_amount text[]
) returns text[]
language plpgsql set search_path = '' as $$
declare
  touched text[];
begin
  with fact as materialized (
    select f.order_id, f.line_id, f.kind, f.at, f.amount::numeric as amount
    from unnest(f_event, f_order, f_line, f_kind, f_at, f_amount) as f (n, order_id, line_id, kind, at, amount)
    where p_fresh[f.n]
  ), whole as (
    insert into vouch.sales_order as o (store_id, order_id, paid_at, shipped_at, delivered_at, cancelled_at, refunded_at,
                                        partly_refunded_at, refunded_amount)
    select p_store, order_id,
      min(at) filter (where kind = 'paid' and line_id is null), min(at) filter (where kind = 'shipped' and line_id is null),
      min(at) filter (where kind = 'delivered' and line_id is null), min(at) filter (where kind = 'cancelled' and line_id is null),
      min(at) filter (where kind = 'refunded' and line_id is null and amount is null),
      min(at) filter (where kind = 'refunded' and line_id is null and amount is not null),
      coalesce(sum(amount) filter (where line_id is null), 0)
    from fact
    group by order_id
    order by order_id
    on conflict (store_id, order_id) do update set
      paid_at = least(o.paid_at, excluded.paid_at), shipped_at = least(o.shipped_at, excluded.shipped_at),
      delivered_at = least(o.delivered_at, excluded.delivered_at), cancelled_at = least(o.cancelled_at, excluded.cancelled_at),
      refunded_at = least(o.refunded_at, excluded.refunded_at),
      partly_refunded_at = least(o.partly_refunded_at, excluded.partly_refunded_at),
      refunded_amount = o.refunded_amount + excluded.refunded_amount
    returning o.order_id
  )
  select array_agg(order_id order by order_id) into touched from whole;

  insert into vouch.order_line as l (store_id, order_id, line_id, paid_at, shipped_at, delivered_at, cancelled_at, refunded_at)
  select p_store, f.order_id, f.line_id,
    least(min(f.at) filter (where f.kind = 'paid'), min(o.paid_at)), least(min(f.at) filter (where f.kind = 'shipped'), min(o.shipped_at)),
    least(min(f.at) filter (where f.kind = 'delivered'), min(o.delivered_at)),
    least(min(f.at) filter (where f.kind = 'cancelled'), min(o.cancelled_at)),
    least(min(f.at) filter (where f.kind = 'refunded'), min(o.refunded_at))
  from unnest(f_event, f_order, f_line, f_kind, f_at) as f (n, order_id, line_id, kind, at)
  join vouch.sales_order o on o.store_id = p_store and o.order_id = f.order_id
  where p_fresh[f.n] and f.line_id is not null
  group by f.order_id, f.line_id
  order by f.order_id, f.line_id
  on conflict (store_id, order_id, line_id) do update set
    paid_at = least(l.paid_at, excluded.paid_at), shipped_at = least(l.shipped_at, excluded.shipped_at),
    delivered_at = least(l.delivered_at, excluded.delivered_at), cancelled_at = least(l.cancelled_at, excluded.cancelled_at),
    refunded_at = least(l.refunded_at, excluded.refunded_at);

  update vouch.order_line l set
    paid_at = least(l.paid_at, o.paid_at), shipped_at = least(l.shipped_at, o.shipped_at),
    delivered_at = least(l.delivered_at, o.delivered_at), cancelled_at = least(l.cancelled_at, o.cancelled_at),
    refunded_at = least(l.refunded_at, o.refunded_at)
  from vouch.sales_order o
  where o.store_id = p_store and o.order_id = any (touched)
    and l.store_id = p_store and l.order_id = o.order_id
    and (l.paid_at, l.shipped_at, l.delivered_at, l.cancelled_at, l.refunded_at) is distinct from
      (least(l.paid_at, o.paid_at), least(l.shipped_at, o.shipped_at), least(l.delivered_at, o.delivered_at),
       least(l.cancelled_at, o.cancelled_at), least(l.refunded_at, o.refunded_at));
  return touched;
end
$$;
comment on function vouch.order_facts is 'Merges paid, shipped, delivered, cancelled, refunded: per order or line the earliest time of each; sums of partial refunds add up. Returns the orders touched.';

create or replace function vouch.order_refunded(p_order vouch.sales_order) returns boolean
language sql immutable
return (p_order).refunded_at is not null
  or coalesce((p_order).total > 0 and (p_order).refunded_amount >= (p_order).total, false);
comment on function vouch.order_refunded is 'Whole order refunded: said so, or the partial sums have reached its total.';
