-- SPDX-License-Identifier: MIT
-- Orders as merged facts: every statement here is commutative and idempotent, so any order and repetition of events ends in
-- the same rows. the first statement of a batch locks all its orders in one sorted pass; each stands for its lines and its request.
-- Plans are made once a session, perhaps while the tables are empty, so none may depend on how large they are: rows are found
-- either by ON CONFLICT or from an array by LATERAL ( ... OFFSET 0), which leaves the planner no other way than the whole key.

create or replace function vouch.outranks(p_time timestamptz, p_rank text, p_old_time timestamptz, p_old_rank text) returns boolean
language sql immutable
return p_time is not null and (p_old_time is null or (p_old_time, p_old_rank) < (p_time, p_rank));
comment on function vouch.outranks is 'Of two statements the later stays, whichever came first; the rank settles equal times. Small enough to be inlined.';

create or replace function vouch.sooner(p_at timestamptz, p_old_at timestamptz) returns boolean
language sql immutable
return p_at is not null and (p_old_at is null or p_at < p_old_at);
comment on function vouch.sooner is 'Whether the earliest time a fact was reported for moves. Small enough to be inlined.';

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
comment on function vouch.order_describe is 'Of two descriptions of an order the later stays. For orders that vouch.order_enter() found there: the others got theirs from it.';

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

create or replace function vouch.people_merge(
  p_store text, p_fresh boolean[], p_erased boolean[], p_event bigint[], p_time timestamptz[], p_address_key bytea[],
  p_customer_id text[], p_email text[], p_name text[], p_locale text[], p_consent boolean[]
) returns void
language plpgsql as $$
declare
  turns bigint := 1;
begin
  if cardinality(p_address_key) > 1 then
    turns := (select max(k.said) from (select count(*) as said from unnest(p_address_key) as key group by key) as k);
  end if;
  for at_turn in 1 .. turns loop
    insert into vouch.customer as c (store_id, address_key, email, updated_at, customer_id, customer_id_at, name, name_at, locale, locale_at,
                                     marketing_consent, consent_at)
    select p_store, u.address_key, u.email, u.time, u.customer_id, case when u.customer_id is not null then u.time end,
      u.name, case when u.name is not null then u.time end, u.locale, case when u.locale is not null then u.time end,
      u.consent, case when u.consent is not null then u.time end
    from (
      select p.*, row_number() over (partition by p.address_key) as turn
      from (select unnest(p_event) as n, unnest(p_time) as time, unnest(p_address_key) as address_key, unnest(p_customer_id) as customer_id,
              unnest(p_email) as email, unnest(p_name) as name, unnest(p_locale) as locale, unnest(p_consent) as consent,
              generate_series(1, cardinality(p_event)) as place) as p
      where (p_fresh is null or p_fresh[p.n]) and (p_erased is null or not p_erased[p.place])) as u
    where u.turn = at_turn
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
      erased_at = null
    where c.erased_at is not null or c.email is null
      or vouch.outranks(excluded.updated_at, excluded.email, c.updated_at, c.email)
      or vouch.outranks(excluded.customer_id_at, excluded.customer_id, c.customer_id_at, c.customer_id)
      or vouch.outranks(excluded.name_at, excluded.name, c.name_at, c.name)
      or vouch.outranks(excluded.locale_at, excluded.locale, c.locale_at, c.locale)
      or vouch.outranks(excluded.consent_at, excluded.marketing_consent::text, c.consent_at, c.marketing_consent::text);
  end loop;
end
$$;
comment on function vouch.people_merge is
'Inserts the people of a batch that are not there yet and locks the others, in one sorted pass; of each detail the newest that was said stays, whatever came first. Whoever is named several times has as many turns.';

-- generate_series() makes the planner expect many rows, and so join the two sets of arrays by hash.

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

create or replace function vouch.facts_merge_lines(
  p_store text, p_fresh boolean[], p_whole text[], f_event bigint[], f_order text[], f_line text[], f_kind text[], f_at timestamptz[]
) returns void
language plpgsql as $$
begin
  insert into vouch.order_line as l (store_id, order_id, line_id, paid_at, shipped_at, delivered_at, cancelled_at, refunded_at)
  select p_store, f.order_id, f.line_id,
    least(min(f.at) filter (where f.kind = 'paid'), min(o.paid_at)), least(min(f.at) filter (where f.kind = 'shipped'), min(o.shipped_at)),
    least(min(f.at) filter (where f.kind = 'delivered'), min(o.delivered_at)),
    least(min(f.at) filter (where f.kind = 'cancelled'), min(o.cancelled_at)),
    least(min(f.at) filter (where f.kind = 'refunded'), min(o.refunded_at))
  from (
    select u.order_id, u.line_id, u.kind, u.at from unnest(f_event, f_order, f_line, f_kind, f_at) as u (n, order_id, line_id, kind, at)
    where (p_fresh is null or p_fresh[u.n]) and u.line_id is not null
    union all
    select w.order_id, k.line_id, null, null from unnest(p_whole) as w (order_id)
    cross join lateral (select n.line_id from vouch.order_line n where n.store_id = p_store and n.order_id = w.order_id offset 0) as k
  ) as f
  cross join lateral (select q.* from vouch.sales_order q where q.store_id = p_store and q.order_id = f.order_id offset 0) as o
  group by f.order_id, f.line_id
  order by f.order_id collate "C", f.line_id collate "C"
  on conflict (store_id, order_id, line_id) do update set
    paid_at = least(l.paid_at, excluded.paid_at), shipped_at = least(l.shipped_at, excluded.shipped_at),
    delivered_at = least(l.delivered_at, excluded.delivered_at), cancelled_at = least(l.cancelled_at, excluded.cancelled_at),
    refunded_at = least(l.refunded_at, excluded.refunded_at)
  where vouch.sooner(excluded.paid_at, l.paid_at) or vouch.sooner(excluded.shipped_at, l.shipped_at)
    or vouch.sooner(excluded.delivered_at, l.delivered_at) or vouch.sooner(excluded.cancelled_at, l.cancelled_at)
    or vouch.sooner(excluded.refunded_at, l.refunded_at);
end
$$;
comment on function vouch.facts_merge_lines is 'Merges facts about single lines, and hands those about whole orders, p_whole, down to each of their lines: of each the earliest time.';

create or replace function vouch.order_facts(
  p_store text, p_fresh boolean[], f_event bigint[], f_order text[], f_line text[], f_kind text[], f_at timestamptz[], f_amount text[]
) returns text[]
language plpgsql as $$
declare
  whole text[];
begin
  whole := array(select distinct f.order_id from unnest(f_event, f_order, f_line, f_amount) as f (n, order_id, line_id, amount)
                 where f.line_id is null and f.amount is null and (p_fresh is null or p_fresh[f.n]));
  perform vouch.facts_merge(p_store, p_fresh, f_event, f_order, f_line, f_kind, f_at, f_amount);
  if cardinality(whole) > 0 or cardinality(array_remove(f_line, null)) > 0 then
    perform vouch.facts_merge_lines(p_store, p_fresh, whole, f_event, f_order, f_line, f_kind, f_at);
  end if;
  return array(select distinct f.order_id from unnest(f_event, f_order, f_kind) as f (n, order_id, kind)
               where f.kind not in ('paid', 'shipped') and (p_fresh is null or p_fresh[f.n]));
end
$$;
comment on function vouch.order_facts is 'Merges paid, shipped, delivered, cancelled, refunded. Returns the orders of which more may follow from that.';

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
  known text[];
begin
  entered := vouch.order_enter(p_store, p_fresh, erased, p_event, p_rank, p_time, p_order, p_placed_at, p_address_key, p_customer_key, p_customer_id,
    p_locale, p_country, p_timezone, p_consent, p_currency, p_total, p_groups, f_order);
  known := array(select o from unnest(p_order) as o except select m from unnest(entered.made) as m);
  perform vouch.people_merge(p_store, p_fresh, erased, p_event, p_time, p_address_key, p_customer_id, p_email, p_name, p_locale, p_consent);
  if cardinality(known) > 0 then
    reviews := vouch.order_reviews(p_store, known);
    perform vouch.order_describe(p_store, p_fresh, erased, p_event, p_rank, p_time, p_order, p_placed_at, p_address_key, p_customer_key, p_customer_id,
      p_locale, p_country, p_timezone, p_consent, p_currency, p_total, p_groups);
  end if;
  perform vouch.lines_merge(p_store, p_fresh, p_event, p_rank, p_time,
    l_event, l_order, l_line, l_product, l_name, l_url, l_groups, l_quantity, l_price, l_promised_at);
  due := entered.reviewed || known;
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
