-- SPDX-License-Identifier: MIT
-- The common case at little cost: orders placed for the first time, and nothing else. What is here ends in the same rows as
-- vouch.order_place(), or does nothing and leaves it to that. Sorted as there, so that the two cannot deadlock each other.
-- Arrays are taken apart in the SELECT list, which costs a quarter of what unnest() in FROM does.

create or replace function vouch.orders_enter(
  p_store text, p_at timestamptz, e_source text[], e_id text[], e_time timestamptz[],
  p_rank text[], p_time timestamptz[], p_order text[], p_placed_at timestamptz[], p_address_key bytea[], p_customer_key bytea[],
  p_customer_id text[], p_locale text[], p_country text[], p_timezone text[], p_consent boolean[], p_currency text[], p_total text[], p_groups text[],
  l_event bigint[], l_order text[], l_line text[], l_product text[], l_name text[], l_url text[], l_groups text[],
  l_quantity text[], l_price text[], l_promised_at timestamptz[]
) returns boolean
language plpgsql as $$
begin
  insert into vouch.event (store_id, source, id, type, time, received_at, state)
  select p_store, e.source, e.id, 'order.placed', e.time, p_at, 'applied'
  from (select unnest(e_source) as source, unnest(e_id) as id, unnest(e_time) as time) as e
  order by e.source collate "C", e.id collate "C";
  insert into vouch.sales_order (store_id, order_id, address_key, customer_key, customer_id, placed_at, currency, total, locale, country, timezone,
                                 marketing_consent, customer_groups, details_time, details_event)
  select p_store, p.order_id, p.address_key, p.customer_key, p.customer_id, p.placed_at, p.currency, p.total::numeric, p.locale, p.country, p.timezone,
    p.consent, p.groups::text[], p.time, p.rank
  from (select unnest(p_order) as order_id, unnest(p_address_key) as address_key, unnest(p_customer_key) as customer_key,
          unnest(p_customer_id) as customer_id, unnest(p_placed_at) as placed_at, unnest(p_currency) as currency, unnest(p_total) as total, unnest(p_locale) as locale,
          unnest(p_country) as country, unnest(p_timezone) as timezone, unnest(p_consent) as consent, unnest(p_groups) as groups,
          unnest(p_time) as time, unnest(p_rank) as rank) as p
  order by p.order_id collate "C";
  insert into vouch.order_line (store_id, order_id, line_id, product_id, name, url, groups, quantity, unit_price, promised_at,
                                details_time, details_event)
  select p_store, i.order_id, i.line_id, i.product_id, i.name, i.url, i.groups::text[], i.quantity::numeric, i.price::numeric, i.promised_at,
    p_time[i.n], p_rank[i.n]
  from (select unnest(l_event) as n, unnest(l_order) as order_id, unnest(l_line) as line_id, unnest(l_product) as product_id,
          unnest(l_name) as name, unnest(l_url) as url, unnest(l_groups) as groups, unnest(l_quantity) as quantity,
          unnest(l_price) as price, unnest(l_promised_at) as promised_at) as i
  order by i.order_id collate "C", i.line_id collate "C";
  return true;
exception when unique_violation then
  return false;
end
$$;
comment on function vouch.orders_enter is 'Plain inserts, a third cheaper than ON CONFLICT; false, with nothing done, when one of the events, orders or lines is there already or twice in the batch.';

create or replace function vouch.orders_reviewed(p_store text, p_order text[], p_address_key bytea[], p_customer_id text[]) returns text[]
language plpgsql stable as $$
begin
  return (
    select array_agg(p.order_id)
    from (select unnest(p_order) as order_id, unnest(p_address_key) as address_key, unnest(p_customer_id) as customer_id) as p
    where (select true from vouch.review v where v.store_id = p_store and v.customer_id = p.customer_id limit 1)
       or (select true from vouch.review v where v.store_id = p_store and v.address_key = p.address_key limit 1));
end
$$;
comment on function vouch.orders_reviewed is 'Which orders are of buyers who have reviewed; NULL: none.';

create or replace function vouch.orders_first(
  p_store text, p_at timestamptz, e_source text[], e_id text[], e_time timestamptz[],
  p_event bigint[], p_rank text[], p_time timestamptz[], p_order text[], p_placed_at timestamptz[],
  p_address_key bytea[], p_customer_key bytea[], p_customer_id text[], p_email text[], p_name text[],
  p_locale text[], p_country text[], p_timezone text[], p_consent boolean[], p_currency text[], p_total text[], p_groups text[],
  l_event bigint[], l_order text[], l_line text[], l_product text[], l_name text[], l_url text[], l_groups text[],
  l_quantity text[], l_price text[], l_promised_at timestamptz[]
) returns boolean
language plpgsql as $$
declare
  reviewed text[];
begin
  if vouch.order_erased(p_store, p_placed_at, p_address_key, p_customer_key) is not null
      or not vouch.orders_enter(p_store, p_at, e_source, e_id, e_time, p_rank, p_time, p_order, p_placed_at, p_address_key, p_customer_key, p_customer_id,
        p_locale, p_country, p_timezone, p_consent, p_currency, p_total, p_groups,
        l_event, l_order, l_line, l_product, l_name, l_url, l_groups, l_quantity, l_price, l_promised_at) then
    return false;
  end if;
  perform vouch.people_merge(p_store, null, null, p_event, p_time, p_address_key, p_customer_id, p_email, p_name, p_locale, p_consent);
  reviewed := vouch.orders_reviewed(p_store, p_order, p_address_key, p_customer_id);
  if reviewed is not null then
    perform vouch.order_derive(p_store, reviewed, null, '{}');
  end if;
  return true;
end
$$;
comment on function vouch.orders_first is 'A batch of order.placed alone, of one event and one order each, p_event being 1, 2, 3 ...; false: nothing was done, some of it is known.';

create or replace function vouch.order_again(
  p_store text, p_rank text, p_time timestamptz, p_order text, p_placed_at timestamptz, p_address_key bytea, p_customer_key bytea,
  p_customer_id text, p_email text, p_name text, p_locale text, p_country text, p_timezone text, p_consent boolean, p_currency text,
  p_total text, p_groups text,
  l_line text[], l_product text[], l_name text[], l_url text[], l_groups text[], l_quantity text[], l_price text[], l_promised_at timestamptz[]
) returns void
language plpgsql as $$
declare
  placed record;
begin
  placed := vouch.order_place(p_store, null, array[1], array[p_rank], array[p_time], array[p_order], array[p_placed_at], array[p_address_key],
    array[p_customer_key], array[p_customer_id], array[p_email], array[p_name], array[p_locale], array[p_country], array[p_timezone],
    array[p_consent], array[p_currency], array[p_total], array[p_groups],
    array_fill(1::bigint, array[cardinality(l_line)]), array_fill(p_order, array[cardinality(l_line)]), l_line, l_product, l_name, l_url,
    l_groups, l_quantity, l_price, l_promised_at, '{}');
  if cardinality(placed.due) > 0 then
    perform vouch.order_derive(p_store, placed.due, placed.reviews, '{}');
  end if;
end
$$;
comment on function vouch.order_again is 'vouch.order_place() for one order that is not simply new.';

create or replace function vouch.ingest_order(
  p_store text, e_source text, e_id text, e_time timestamptz,
  p_order text, p_placed_at timestamptz, p_address_key bytea, p_customer_key bytea, p_customer_id text, p_email text, p_name text,
  p_locale text, p_country text, p_timezone text, p_consent boolean, p_currency text, p_total text, p_groups text,
  l_line text[], l_product text[], l_name text[], l_url text[], l_groups text[], l_quantity text[], l_price text[], l_promised_at timestamptz[]
) returns bigint
language plpgsql security definer as $$
declare
  at_clock timestamptz := vouch.gate(p_store, false);
  said_at timestamptz := coalesce(e_time, p_placed_at);
  rank text := e_source || ' ' || e_id;
  known record;
begin
  select coalesce((select v.version from vouch.settings_version v where v.store_id = '*'), 0) as settings,
    exists (select from vouch.erasure x where x.store_id = p_store and x.erased_at >= p_placed_at) as erasures,
    coalesce((select true from vouch.review v where v.store_id = p_store and v.customer_id = p_customer_id limit 1),
             (select true from vouch.review v where v.store_id = p_store and v.address_key = p_address_key limit 1)) as reviewer into known;
  insert into vouch.event (store_id, source, id, type, time, received_at, state)
  values (p_store, e_source, e_id, 'order.placed', e_time, at_clock, 'applied')
  on conflict (store_id, source, id) do nothing;
  if not found then
    return known.settings;
  end if;
  if not known.erasures then
    insert into vouch.sales_order (store_id, order_id, address_key, customer_key, customer_id, placed_at, currency, total, locale, country, timezone,
                                   marketing_consent, customer_groups, details_time, details_event)
    values (p_store, p_order, p_address_key, p_customer_key, p_customer_id, p_placed_at, p_currency, p_total::numeric, p_locale, p_country, p_timezone,
            p_consent, p_groups::text[], said_at, rank)
    on conflict (store_id, order_id) do nothing;
  end if;
  if known.erasures or not found then
    perform vouch.order_again(p_store, rank, said_at, p_order, p_placed_at, p_address_key, p_customer_key, p_customer_id, p_email, p_name,
      p_locale, p_country, p_timezone, p_consent, p_currency, p_total, p_groups,
      l_line, l_product, l_name, l_url, l_groups, l_quantity, l_price, l_promised_at);
    return known.settings;
  end if;
  insert into vouch.customer (store_id, address_key, email, updated_at, customer_id, customer_id_at, name, name_at, locale, locale_at,
                              marketing_consent, consent_at)
  values (p_store, p_address_key, p_email, said_at, p_customer_id, case when p_customer_id is not null then said_at end,
          p_name, case when p_name is not null then said_at end, p_locale, case when p_locale is not null then said_at end,
          p_consent, case when p_consent is not null then said_at end)
  on conflict (store_id, address_key) do nothing;
  if not found then
    perform vouch.people_merge(p_store, null, null, array[1], array[said_at], array[p_address_key], array[p_customer_id], array[p_email],
      array[p_name], array[p_locale], array[p_consent]);
  end if;
  insert into vouch.order_line (store_id, order_id, line_id, product_id, name, url, groups, quantity, unit_price, promised_at,
                                details_time, details_event)
  select p_store, p_order, unnest(l_line), unnest(l_product), unnest(l_name), unnest(l_url), unnest(l_groups)::text[],
    unnest(l_quantity)::numeric, unnest(l_price)::numeric, unnest(l_promised_at), said_at, rank;
  if known.reviewer then
    perform vouch.order_derive(p_store, array[p_order], null, '{}');
  end if;
  return known.settings;
end
$$;
comment on function vouch.ingest_order is
'vouch.ingest() for one order.placed alone, with a value instead of an array where there is one, which halves the cost of the call. l_ arrays have one element a line. Its reply is always the plain one; returns the version of the settings.';
