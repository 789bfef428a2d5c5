-- SPDX-License-Identifier: MIT
-- Orders as merged facts: every statement here is commutative and idempotent, so any order and repetition of events ends in
-- the same rows. the first statement of a batch locks all its orders in one sorted pass; each stands for its lines and its request.
-- Plans are made once a session, perhaps while the tables are empty, so none may depend on how large they are: rows are found
-- either by ON CONFLICT or from an array by LATERAL ( ... OFFSET 0), which leaves the planner no other way than the whole key.

create or replace function vouch.outranks(p_time timestamptz, p_rank text, p_old_time timestamptz, p_old_rank text) returns boolean
language sql immutable
return p_time is not null and (p_old_time is null or (p_old_time, p_old_rank) < (p_time, p_rank));
comment on function vouch.outranks is 'Of two statements the later stays, whichever came first; the rank settles equal times. Small enough to be inlined.';

create or replace function vouch.order_erased(
  p_store text, p_placed_at timestamptz[], p_address_key bytea[], p_customer_key bytea[]
) returns boolean[]
language plpgsql stable as $$
declare
  oldest timestamptz := p_placed_at[1];
begin
  if cardinality(p_placed_at) > 1 then
    oldest := (select min(at) from unnest(p_placed_at) as at);
  end if;
  if not exists (select from vouch.erasure x where x.store_id = p_store and x.erased_at >= oldest) then
    return null;
  end if;
  return (
    select array_agg(
        coalesce((select x.erased_at >= p.placed_at from vouch.erasure x where x.store_id = p_store and x.subject_key = p.address_key), false)
        or coalesce((select x.erased_at >= p.placed_at from vouch.erasure x where x.store_id = p_store and x.subject_key = p.customer_key), false)
      order by p.place)
    from unnest(p_placed_at, p_address_key, p_customer_key) with ordinality as p (placed_at, address_key, customer_key, place));
end
$$;
comment on function vouch.order_erased is 'Which of these orders are of people erased since; NULL: none, seen at one glance.';

create or replace function vouch.order_enter(
  p_store text, p_fresh boolean[], p_erased boolean[],
  p_event bigint[], p_rank text[], p_time timestamptz[], p_order text[], p_placed_at timestamptz[], p_address_key bytea[],
  p_customer_key bytea[], p_customer_id text[], p_locale text[], p_country text[], p_timezone text[], p_consent boolean[],
  p_currency text[], p_total text[], p_groups text[],
  f_order text[], out made text[], out reviewed text[]
) language plpgsql as $$
begin
  with entered as (
    insert into vouch.sales_order as o (store_id, order_id, address_key, customer_key, customer_id, placed_at, currency, total, locale, country,
                                        timezone, marketing_consent, customer_groups, details_time, details_event)
    select distinct on (p.order_id collate "C") p_store, p.order_id, case when not p.erased then p.address_key end,
      case when not p.erased then p.customer_key end,
      case when not p.erased then p.customer_id end, p.placed_at, p.currency, p.total::numeric, p.locale, p.country, p.timezone, p.consent,
      p.groups::text[], p.time, p.rank
    from (
      select u.*, p_erased is not null and p_erased[u.place] as erased
      from unnest(p_event, p_rank, p_time, p_order, p_placed_at, p_address_key, p_customer_key, p_customer_id, p_locale, p_country, p_timezone, p_consent,
                  p_currency, p_total, p_groups)
        with ordinality as u (n, rank, time, order_id, placed_at, address_key, customer_key, customer_id, locale, country, timezone, consent,
                              currency, total, groups, place)
      union all
      select null, null, null, f, null, null, null, null, null, null, null, null, null, null, null, null, null from unnest(f_order) as f
    ) as p
    where p_fresh is null or p.n is null or p_fresh[p.n]
    order by p.order_id collate "C", p.time desc nulls last, p.rank collate "C" desc
    on conflict (store_id, order_id) do update set details_time = excluded.details_time where false
    returning o.order_id, o.address_key, o.customer_id
  )
  select array_agg(e.order_id), array_agg(e.order_id) filter (
      where (select true from vouch.review v where v.store_id = p_store and v.customer_id = e.customer_id limit 1)
         or (select true from vouch.review v where v.store_id = p_store and v.address_key = e.address_key limit 1))
    into made, reviewed
  from entered e;
end
$$;
comment on function vouch.order_enter is
'Inserts the orders of a batch that are not there yet and locks the others, in one sorted pass. Answers which are new, and which of these are of buyers who have reviewed.';

create or replace function vouch.order_describe(
  p_store text, p_fresh boolean[], p_erased boolean[],
  p_event bigint[], p_rank text[], p_time timestamptz[], p_order text[], p_placed_at timestamptz[], p_address_key bytea[],
  p_customer_key bytea[], p_customer_id text[], p_locale text[], p_country text[], p_timezone text[], p_consent boolean[],
  p_currency text[], p_total text[], p_groups text[]
) returns void
language plpgsql as $$
begin
  insert into vouch.sales_order as o (store_id, order_id, address_key, customer_key, customer_id, placed_at, currency, total, locale, country,
                                      timezone, marketing_consent, customer_groups, details_time, details_event)
  select distinct on (u.order_id collate "C") p_store, u.order_id,
    case when not (p_erased is not null and p_erased[u.place]) then u.address_key end,
    case when not (p_erased is not null and p_erased[u.place]) then u.customer_key end,
    case when not (p_erased is not null and p_erased[u.place]) then u.customer_id end,
    u.placed_at, u.currency, u.total::numeric, u.locale, u.country, u.timezone, u.consent, u.groups::text[], u.time, u.rank
  from unnest(p_event, p_rank, p_time, p_order, p_placed_at, p_address_key, p_customer_key, p_customer_id, p_locale, p_country, p_timezone, p_consent,
              p_currency, p_total, p_groups)
    with ordinality as u (n, rank, time, order_id, placed_at, address_key, customer_key, customer_id, locale, country, timezone, consent,
                          currency, total, groups, place)
  where p_fresh is null or p_fresh[u.n]
  order by u.order_id collate "C", u.time desc, u.rank collate "C" desc
  on conflict (store_id, order_id) do update set
    address_key = excluded.address_key, customer_key = excluded.customer_key, customer_id = excluded.customer_id, placed_at = excluded.placed_at,
    currency = excluded.currency, total = excluded.total, locale = excluded.locale, country = excluded.country,
    timezone = excluded.timezone, marketing_consent = excluded.marketing_consent, customer_groups = excluded.customer_groups,
    details_time = excluded.details_time, details_event = excluded.details_event
  where vouch.outranks(excluded.details_time, excluded.details_event, o.details_time, o.details_event);
end
$$;
comment on function vouch.order_describe is 'Of two descriptions of an order the later stays. For orders that vouch.order_enter() found there.';

create or replace function vouch.facts_merge(
  p_store text, p_fresh boolean[], f_event bigint[], f_order text[], f_line text[], f_kind text[], f_at timestamptz[], f_amount text[]
) returns void
language plpgsql as $$
begin
  insert into vouch.sales_order as o (store_id, order_id, paid_at, shipped_at, delivered_at, cancelled_at, refunded_at,
                                      partly_refunded_at, refunded_amount)
  select p_store, f.order_id, min(f.at) filter (where f.kind = 'paid'), min(f.at) filter (where f.kind = 'shipped'),
    min(f.at) filter (where f.kind = 'delivered'), min(f.at) filter (where f.kind = 'cancelled'),
    min(f.at) filter (where f.kind = 'refunded' and f.amount is null), min(f.at) filter (where f.kind = 'refunded' and f.amount is not null),
    coalesce(sum(f.amount::numeric) filter (where f.kind is not null), 0)
  from (select u.n, u.order_id, case when u.line_id is null then u.kind end as kind, u.at, u.amount
        from unnest(f_event, f_order, f_line, f_kind, f_at, f_amount) as u (n, order_id, line_id, kind, at, amount)) as f
  where p_fresh is null or p_fresh[f.n]
  group by f.order_id
  order by f.order_id collate "C"
  on conflict (store_id, order_id) do update set
    paid_at = least(o.paid_at, excluded.paid_at), shipped_at = least(o.shipped_at, excluded.shipped_at),
    delivered_at = least(o.delivered_at, excluded.delivered_at), cancelled_at = least(o.cancelled_at, excluded.cancelled_at),
    refunded_at = least(o.refunded_at, excluded.refunded_at),
    partly_refunded_at = least(o.partly_refunded_at, excluded.partly_refunded_at),
    refunded_amount = o.refunded_amount + excluded.refunded_amount
  where num_nonnulls(excluded.paid_at, excluded.shipped_at, excluded.delivered_at, excluded.cancelled_at, excluded.refunded_at,
                     excluded.partly_refunded_at) > 0;
end
$$;
comment on function vouch.facts_merge is 'Merges facts about orders: of each the earliest time; sums of partial refunds add up.';

create or replace function vouch.people_enter(
  p_store text, p_fresh boolean[], p_erased boolean[], p_event bigint[], p_time timestamptz[], p_address_key bytea[],
  p_customer_id text[], p_email text[], p_name text[], p_locale text[], p_consent boolean[]
) returns bigint
language plpgsql as $$
declare
  entered bigint;
begin
  insert into vouch.customer as c (store_id, address_key, email, updated_at, customer_id, customer_id_at, name, name_at, locale, locale_at,
                                   marketing_consent, consent_at)
  select distinct on (p.address_key) p_store, p.address_key, p.email, p.time,
    p.customer_id, case when p.customer_id is not null then p.time end, p.name, case when p.name is not null then p.time end,
    p.locale, case when p.locale is not null then p.time end, p.consent, case when p.consent is not null then p.time end
  from unnest(p_event, p_time, p_address_key, p_customer_id, p_email, p_name, p_locale, p_consent) with ordinality
    as p (n, time, address_key, customer_id, email, name, locale, consent, place)
  where (p_fresh is null or p_fresh[p.n]) and (p_erased is null or not p_erased[p.place])
  order by p.address_key
  on conflict (store_id, address_key) do update set updated_at = excluded.updated_at where false;
  get diagnostics entered = row_count;
  return entered;
end
$$;
comment on function vouch.people_enter is 'Inserts the buyers of a batch that are not there yet and locks the others, in one sorted pass. Answers how many were new.';

create or replace function vouch.people_merge(
  p_store text, p_fresh boolean[], p_erased boolean[], p_event bigint[], p_time timestamptz[], p_address_key bytea[],
  p_customer_id text[], p_email text[], p_name text[], p_locale text[], p_consent boolean[]
) returns void
language plpgsql as $$
begin
  insert into vouch.customer as c (store_id, address_key, updated_at, email, customer_id_at, customer_id, name_at, name, locale_at, locale,
                                   consent_at, marketing_consent)
  select p_store, u.address_key, max(u.time), (array_agg(u.email order by u.time desc, u.email collate "C" desc))[1],
    max(u.time) filter (where u.customer_id is not null),
    (array_agg(u.customer_id order by u.time desc, u.customer_id collate "C" desc) filter (where u.customer_id is not null))[1],
    max(u.time) filter (where u.name is not null),
    (array_agg(u.name order by u.time desc, u.name collate "C" desc) filter (where u.name is not null))[1],
    max(u.time) filter (where u.locale is not null),
    (array_agg(u.locale order by u.time desc, u.locale collate "C" desc) filter (where u.locale is not null))[1],
    max(u.time) filter (where u.consent is not null),
    (array_agg(u.consent order by u.time desc, u.consent desc) filter (where u.consent is not null))[1]
  from unnest(p_event, p_time, p_address_key, p_customer_id, p_email, p_name, p_locale, p_consent) with ordinality
    as u (n, time, address_key, customer_id, email, name, locale, consent, place)
  where (p_fresh is null or p_fresh[u.n]) and (p_erased is null or not p_erased[u.place])
  group by u.address_key
  order by u.address_key
  on conflict (store_id, address_key) do update set
    email = case when c.email is null or vouch.outranks(excluded.updated_at, excluded.email, c.updated_at, c.email)
      then excluded.email else c.email end,
    updated_at = greatest(c.updated_at, excluded.updated_at),
    customer_id = case when vouch.outranks(excluded.customer_id_at, excluded.customer_id, c.customer_id_at, c.customer_id)
      then excluded.customer_id else c.customer_id end,
    customer_id_at = greatest(c.customer_id_at, excluded.customer_id_at),
    name = case when vouch.outranks(excluded.name_at, excluded.name, c.name_at, c.name) then excluded.name else c.name end,
    name_at = greatest(c.name_at, excluded.name_at),
    locale = case when vouch.outranks(excluded.locale_at, excluded.locale, c.locale_at, c.locale) then excluded.locale else c.locale end,
    locale_at = greatest(c.locale_at, excluded.locale_at),
    marketing_consent = case when vouch.outranks(excluded.consent_at, excluded.marketing_consent::text, c.consent_at, c.marketing_consent::text)
      then excluded.marketing_consent else c.marketing_consent end,
    consent_at = greatest(c.consent_at, excluded.consent_at),
    erased_at = null;
end
$$;
comment on function vouch.people_merge is 'Of each detail of a person the newest that was said stays, whatever came first. For people that vouch.people_enter() found there.';

-- In both, generate_series() makes the planner expect many rows, and so join the two sets of arrays by hash.

create or replace function vouch.lines_enter(
  p_store text, p_event bigint[], p_rank text[], p_time timestamptz[],
  l_event bigint[], l_order text[], l_line text[], l_product text[], l_name text[], l_url text[], l_groups text[],
  l_quantity text[], l_price text[], l_promised_at timestamptz[]
) returns void
language plpgsql as $$
begin
  insert into vouch.order_line (store_id, order_id, line_id, product_id, name, url, groups, quantity, unit_price, promised_at,
                                details_time, details_event)
  select distinct on (i.order_id collate "C", i.line_id collate "C") p_store, i.order_id, i.line_id, i.product_id, i.name, i.url,
    i.groups::text[], i.quantity::numeric, i.price::numeric, i.promised_at, p.time, p.rank
  from rows from (unnest(l_event), unnest(l_order), unnest(l_line), unnest(l_product), unnest(l_name), unnest(l_url), unnest(l_groups),
                  unnest(l_quantity), unnest(l_price), unnest(l_promised_at), generate_series(1, cardinality(l_event)))
    as i (n, order_id, line_id, product_id, name, url, groups, quantity, price, promised_at, place)
  join rows from (unnest(p_event), unnest(p_time), unnest(p_rank), generate_series(1, cardinality(p_event))) as p (n, time, rank, place)
    on p.n = i.n
  order by i.order_id collate "C", i.line_id collate "C";
end
$$;
comment on function vouch.lines_enter is 'The lines of orders that are all new, described once and without facts: nothing to compare with.';

create or replace function vouch.lines_merge(
  p_store text, p_fresh boolean[], p_event bigint[], p_rank text[], p_time timestamptz[],
  l_event bigint[], l_order text[], l_line text[], l_product text[], l_name text[], l_url text[], l_groups text[],
  l_quantity text[], l_price text[], l_promised_at timestamptz[]
) returns void
language plpgsql as $$
begin
  insert into vouch.order_line as l (store_id, order_id, line_id, product_id, name, url, groups, quantity, unit_price, promised_at,
                                     paid_at, shipped_at, delivered_at, cancelled_at, refunded_at, details_time, details_event)
  select distinct on (i.order_id collate "C", i.line_id collate "C") p_store, i.order_id, i.line_id, i.product_id, i.name, i.url,
    i.groups::text[], i.quantity::numeric, i.price::numeric, i.promised_at,
    o.paid_at, o.shipped_at, o.delivered_at, o.cancelled_at, o.refunded_at, p.time, p.rank
  from rows from (unnest(l_event), unnest(l_order), unnest(l_line), unnest(l_product), unnest(l_name), unnest(l_url), unnest(l_groups),
                  unnest(l_quantity), unnest(l_price), unnest(l_promised_at), generate_series(1, cardinality(l_event)))
    as i (n, order_id, line_id, product_id, name, url, groups, quantity, price, promised_at, place)
  join rows from (unnest(p_event), unnest(p_time), unnest(p_rank), generate_series(1, cardinality(p_event))) as p (n, time, rank, place)
    on p.n = i.n
  cross join lateral (select q.* from vouch.sales_order q where q.store_id = p_store and q.order_id = i.order_id offset 0) as o
  where p_fresh is null or p_fresh[i.n]
  order by i.order_id collate "C", i.line_id collate "C", p.time desc, p.rank collate "C" desc
  on conflict (store_id, order_id, line_id) do update set
    product_id = excluded.product_id, name = excluded.name, url = excluded.url, groups = excluded.groups,
    quantity = excluded.quantity, unit_price = excluded.unit_price, promised_at = excluded.promised_at,
    details_time = excluded.details_time, details_event = excluded.details_event
  where vouch.outranks(excluded.details_time, excluded.details_event, l.details_time, l.details_event);
end
$$;
comment on function vouch.lines_merge is 'Described lines with the facts about their orders; of two descriptions of a line the later stays.';

create or replace function vouch.fact_merge(p_store text, p_order text, p_kind text, p_at timestamptz) returns void
language plpgsql as $$
begin
  insert into vouch.sales_order as o (store_id, order_id, paid_at, shipped_at, delivered_at, cancelled_at, refunded_at)
  values (p_store, p_order, case when p_kind = 'paid' then p_at end, case when p_kind = 'shipped' then p_at end,
    case when p_kind = 'delivered' then p_at end, case when p_kind = 'cancelled' then p_at end, case when p_kind = 'refunded' then p_at end)
  on conflict (store_id, order_id) do update set
    paid_at = least(o.paid_at, excluded.paid_at), shipped_at = least(o.shipped_at, excluded.shipped_at),
    delivered_at = least(o.delivered_at, excluded.delivered_at), cancelled_at = least(o.cancelled_at, excluded.cancelled_at),
    refunded_at = least(o.refunded_at, excluded.refunded_at);
end
$$;
comment on function vouch.fact_merge is 'One fact about one whole order: vouch.facts_merge() at less cost.';

create or replace function vouch.facts_merge_lines(
  p_store text, p_fresh boolean[], f_event bigint[], f_order text[], f_line text[], f_kind text[], f_at timestamptz[]
) returns void
language plpgsql as $$
begin
  insert into vouch.order_line as l (store_id, order_id, line_id, paid_at, shipped_at, delivered_at, cancelled_at, refunded_at)
  select p_store, f.order_id, f.line_id,
    least(min(f.at) filter (where f.kind = 'paid'), min(o.paid_at)), least(min(f.at) filter (where f.kind = 'shipped'), min(o.shipped_at)),
    least(min(f.at) filter (where f.kind = 'delivered'), min(o.delivered_at)),
    least(min(f.at) filter (where f.kind = 'cancelled'), min(o.cancelled_at)),
    least(min(f.at) filter (where f.kind = 'refunded'), min(o.refunded_at))
  from unnest(f_event, f_order, f_line, f_kind, f_at) as f (n, order_id, line_id, kind, at)
  cross join lateral (select q.* from vouch.sales_order q where q.store_id = p_store and q.order_id = f.order_id offset 0) as o
  where (p_fresh is null or p_fresh[f.n]) and f.line_id is not null
  group by f.order_id, f.line_id
  order by f.order_id, f.line_id
  on conflict (store_id, order_id, line_id) do update set
    paid_at = least(l.paid_at, excluded.paid_at), shipped_at = least(l.shipped_at, excluded.shipped_at),
    delivered_at = least(l.delivered_at, excluded.delivered_at), cancelled_at = least(l.cancelled_at, excluded.cancelled_at),
    refunded_at = least(l.refunded_at, excluded.refunded_at);
end
$$;
comment on function vouch.facts_merge_lines is 'Merges facts about single lines: of each the earliest time.';

create or replace function vouch.facts_hand_down(p_store text, p_orders text[]) returns void
language plpgsql as $$
begin
  insert into vouch.order_line as l (store_id, order_id, line_id, paid_at, shipped_at, delivered_at, cancelled_at, refunded_at)
  select p_store, o.order_id, o.line_id, o.paid_at, o.shipped_at, o.delivered_at, o.cancelled_at, o.refunded_at
  from unnest(p_orders) as w (order_id)
  cross join lateral (
    select q.*, k.line_id from vouch.sales_order q
    cross join lateral (select n.line_id from vouch.order_line n where n.store_id = p_store and n.order_id = w.order_id offset 0) as k
    where q.store_id = p_store and q.order_id = w.order_id offset 0) as o
  on conflict (store_id, order_id, line_id) do update set
    paid_at = least(l.paid_at, excluded.paid_at), shipped_at = least(l.shipped_at, excluded.shipped_at),
    delivered_at = least(l.delivered_at, excluded.delivered_at), cancelled_at = least(l.cancelled_at, excluded.cancelled_at),
    refunded_at = least(l.refunded_at, excluded.refunded_at)
  where (l.paid_at, l.shipped_at, l.delivered_at, l.cancelled_at, l.refunded_at) is distinct from
    (least(l.paid_at, excluded.paid_at), least(l.shipped_at, excluded.shipped_at), least(l.delivered_at, excluded.delivered_at),
     least(l.cancelled_at, excluded.cancelled_at), least(l.refunded_at, excluded.refunded_at));
end
$$;
comment on function vouch.facts_hand_down is 'Facts about whole orders are facts about each of their lines.';

create or replace function vouch.order_facts(
  p_store text, p_fresh boolean[], f_event bigint[], f_order text[], f_line text[], f_kind text[], f_at timestamptz[], f_amount text[]
) returns text[]
language plpgsql as $$
declare
  whole text[];
begin
  if cardinality(f_event) = 1 and p_fresh is null and f_line[1] is null and f_amount[1] is null then
    perform vouch.fact_merge(p_store, f_order[1], f_kind[1], f_at[1]), vouch.facts_hand_down(p_store, f_order);
    return case when f_kind[1] not in ('paid', 'shipped') then f_order end;
  end if;
  whole := array(select distinct f.order_id from unnest(f_event, f_order, f_line, f_amount) as f (n, order_id, line_id, amount)
                 where f.line_id is null and f.amount is null and (p_fresh is null or p_fresh[f.n]));
  perform vouch.facts_merge(p_store, p_fresh, f_event, f_order, f_line, f_kind, f_at, f_amount);
  if cardinality(array_remove(f_line, null)) > 0 then
    perform vouch.facts_merge_lines(p_store, p_fresh, f_event, f_order, f_line, f_kind, f_at);
  end if;
  if cardinality(whole) > 0 then
    perform vouch.facts_hand_down(p_store, whole);
  end if;
  return array(select distinct f.order_id from unnest(f_event, f_order, f_kind) as f (n, order_id, kind)
               where f.kind not in ('paid', 'shipped') and (p_fresh is null or p_fresh[f.n]));
end
$$;
comment on function vouch.order_facts is 'Merges paid, shipped, delivered, cancelled, refunded. Returns the orders of which more may follow from that.';

create or replace function vouch.order_first(
  p_store text, p_rank text, p_time timestamptz, p_order text, p_placed_at timestamptz, p_address_key bytea, p_customer_key bytea, p_customer_id text, p_email text,
  p_name text, p_locale text, p_country text, p_timezone text, p_consent boolean, p_currency text, p_total text, p_groups text,
  l_line text[], l_product text[], l_name text[], l_url text[], l_groups text[], l_quantity text[], l_price text[], l_promised_at timestamptz[]
) returns boolean
language plpgsql as $$
begin
  insert into vouch.sales_order (store_id, order_id, address_key, customer_key, customer_id, placed_at, currency, total, locale, country, timezone,
                                 marketing_consent, customer_groups, details_time, details_event)
  values (p_store, p_order, p_address_key, p_customer_key, p_customer_id, p_placed_at, p_currency, p_total::numeric, p_locale, p_country, p_timezone,
          p_consent, p_groups::text[], p_time, p_rank)
  on conflict (store_id, order_id) do nothing;
  if not found then
    return false;
  end if;
  insert into vouch.customer (store_id, address_key, email, updated_at, customer_id, customer_id_at, name, name_at, locale, locale_at,
                              marketing_consent, consent_at)
  values (p_store, p_address_key, p_email, p_time, p_customer_id, case when p_customer_id is not null then p_time end,
          p_name, case when p_name is not null then p_time end, p_locale, case when p_locale is not null then p_time end,
          p_consent, case when p_consent is not null then p_time end)
  on conflict (store_id, address_key) do nothing;
  if not found then
    perform vouch.people_merge(p_store, null, null, array[1], array[p_time], array[p_address_key], array[p_customer_id], array[p_email],
      array[p_name], array[p_locale], array[p_consent]);
  end if;
  insert into vouch.order_line (store_id, order_id, line_id, product_id, name, url, groups, quantity, unit_price, promised_at,
                                details_time, details_event)
  select p_store, p_order, i.line_id, i.product_id, i.name, i.url, i.groups::text[], i.quantity::numeric, i.price::numeric, i.promised_at,
    p_time, p_rank
  from unnest(l_line, l_product, l_name, l_url, l_groups, l_quantity, l_price, l_promised_at)
    as i (line_id, product_id, name, url, groups, quantity, price, promised_at)
  on conflict (store_id, order_id, line_id) do nothing;
  return true;
end
$$;
comment on function vouch.order_first is
'The common case at little cost: one order, described alone, for the first time. False: it is known, nothing was done. Does what vouch.order_place() would.';

create or replace function vouch.order_place(
  p_store text, p_fresh boolean[],
  p_event bigint[], p_rank text[], p_time timestamptz[], p_order text[], p_placed_at timestamptz[],
  p_address_key bytea[], p_customer_key bytea[], p_customer_id text[], p_email text[], p_name text[],
  p_locale text[], p_country text[], p_timezone text[], p_consent boolean[], p_currency text[], p_total text[], p_groups text[],
  l_event bigint[], l_order text[], l_line text[], l_product text[], l_name text[], l_url text[], l_groups text[],
  l_quantity text[], l_price text[], l_promised_at timestamptz[], f_order text[], out due text[], out reviews bigint[]
) language plpgsql as $$
declare
  erased boolean[] := vouch.order_erased(p_store, p_placed_at, p_address_key, p_customer_key);
  entered record;
  all_new boolean;
begin
  if cardinality(p_event) = 1 and cardinality(f_order) = 0 and p_fresh is null and erased is null
      and vouch.order_first(p_store, p_rank[1], p_time[1], p_order[1], p_placed_at[1], p_address_key[1], p_customer_key[1], p_customer_id[1], p_email[1],
        p_name[1], p_locale[1], p_country[1], p_timezone[1], p_consent[1], p_currency[1], p_total[1], p_groups[1],
        l_line, l_product, l_name, l_url, l_groups, l_quantity, l_price, l_promised_at) then
    due := case when (select true from vouch.review v where v.store_id = p_store and v.customer_id = p_customer_id[1] limit 1)
      or (select true from vouch.review v where v.store_id = p_store and v.address_key = p_address_key[1] limit 1) then p_order end;
    return;
  end if;
  entered := vouch.order_enter(p_store, p_fresh, erased, p_event, p_rank, p_time, p_order, p_placed_at, p_address_key, p_customer_key, p_customer_id,
    p_locale, p_country, p_timezone, p_consent, p_currency, p_total, p_groups, f_order);
  all_new := p_fresh is null and cardinality(f_order) = 0 and coalesce(cardinality(entered.made), 0) = cardinality(p_event);
  if vouch.people_enter(p_store, p_fresh, erased, p_event, p_time, p_address_key, p_customer_id, p_email, p_name, p_locale, p_consent)
      < cardinality(p_event) then
    perform vouch.people_merge(p_store, p_fresh, erased, p_event, p_time, p_address_key, p_customer_id, p_email, p_name, p_locale, p_consent);
  end if;
  if all_new then
    perform vouch.lines_enter(p_store, p_event, p_rank, p_time,
      l_event, l_order, l_line, l_product, l_name, l_url, l_groups, l_quantity, l_price, l_promised_at);
    due := entered.reviewed;
    return;
  end if;
  reviews := vouch.order_reviews(p_store, p_order);
  perform vouch.order_describe(p_store, p_fresh, erased, p_event, p_rank, p_time, p_order, p_placed_at, p_address_key, p_customer_key, p_customer_id,
      p_locale, p_country, p_timezone, p_consent, p_currency, p_total, p_groups),
    vouch.lines_merge(p_store, p_fresh, p_event, p_rank, p_time,
      l_event, l_order, l_line, l_product, l_name, l_url, l_groups, l_quantity, l_price, l_promised_at);
  due := entered.reviewed || array(select o from unnest(p_order) as o except select m from unnest(entered.made) as m);
end
$$;
comment on function vouch.order_place is
'Merges order.placed. Answers of which orders more may follow: those that were known already, and new ones of buyers who have reviewed; and which reviews their buyers before had written.';

create or replace function vouch.order_derive(p_store text, p_orders text[], p_reviews bigint[], f_kind text[]) returns void
language plpgsql as $$
begin
  perform vouch.request_derive(p_store, p_orders), vouch.review_derive(p_store, p_reviews || vouch.order_reviews(p_store, p_orders));
  if 'cancelled' = any (f_kind) then
    perform vouch.discount_derive(p_store, p_orders);
  end if;
end
$$;
comment on function vouch.order_derive is 'Derives requests, verification and codes from the facts as they are now.';

create or replace function vouch.order_refunded(p_order vouch.sales_order) returns boolean
language sql immutable
return (p_order).refunded_at is not null
  or coalesce((p_order).total > 0 and (p_order).refunded_amount >= (p_order).total, false);
comment on function vouch.order_refunded is 'Whole order refunded: said so, or the partial sums have reached its total.';
