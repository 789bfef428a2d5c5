-- SPDX-License-Identifier: MIT
-- The way in: one call, one transaction, for all events of all callers that came together.

create or replace function vouch.event_record(
  p_store text, p_at timestamptz, e_source text[], e_id text[], e_type text[], e_time timestamptz[], e_kept text[]
) returns boolean[]
language plpgsql as $$
declare
  new_sources text[];
  new_ids text[];
begin
  if cardinality(e_id) = 1 then
    insert into vouch.event (store_id, source, id, type, time, received_at, state, data)
    values (p_store, e_source[1], e_id[1], e_type[1], e_time[1], p_at,
      case when e_kept[1] is null then 'applied'::vouch.event_state else 'ignored' end, e_kept[1])
    on conflict (store_id, source, id) do nothing;
    return case when not found then array[false] end;
  end if;
  with added as (
    insert into vouch.event (store_id, source, id, type, time, received_at, state, data)
    select p_store, e.source, e.id, e.type, e.time, p_at, (case when e.kept is null then 'applied' else 'ignored' end)::vouch.event_state, e.kept
    from unnest(e_source, e_id, e_type, e_time, e_kept) with ordinality as e (source, id, type, time, kept, n)
    order by e.source collate "C", e.id collate "C", e.n
    on conflict (store_id, source, id) do nothing
    returning source, id
  )
  select array_agg(a.source), array_agg(a.id) into new_sources, new_ids from added a;
  if cardinality(new_ids) = cardinality(e_id) then
    return null;
  end if;
  return (
    select array_agg(e.first and a.id is not null order by e.n)
    from (select u.*, u.n = min(u.n) over (partition by u.source, u.id) as first
          from unnest(e_source, e_id) with ordinality as u (source, id, n)) e
    left join unnest(new_sources, new_ids) as a (source, id) on a.source = e.source and a.id = e.id);
end
$$;
comment on function vouch.event_record is 'Inserts the events that are not there yet, in key order so that two batches cannot deadlock, and tells which are fresh; NULL: all.';

create or replace function vouch.event_apply(p_store text, p_type text, p_body jsonb, p_time timestamptz) returns jsonb
language plpgsql as $$
begin
  return case p_type
    when 'review.submitted' then vouch.review_submit(p_store, p_body, p_time)
    when 'review.edited' then vouch.review_ask_edit(p_store, p_body, p_time)
    when 'review.withdrawn' then vouch.review_ask_withdrawal(p_store, p_body)
    when 'review.reported' then vouch.review_report(p_store, p_body)
    when 'customer.updated' then vouch.customer_update(p_store, p_body, p_time)
    when 'customer.unsubscribed' then vouch.customer_unsubscribe(p_store, p_body)
    when 'customer.erased' then vouch.customer_erase(p_store, p_body)
    when 'product.updated' then vouch.product_update(p_store, p_body, p_time)
    when 'discount.redeemed' then vouch.discount_redeem(p_store, p_body)
    when 'mail.bounced' then vouch.mail_feedback(p_store, p_type, p_body)
    when 'mail.complained' then vouch.mail_feedback(p_store, p_type, p_body)
    when 'mail.received' then vouch.mail_receive(p_store, p_body)
  end;
end
$$;
comment on function vouch.event_apply is 'Applies one event of the rarer kinds; what it returns is the event''s reply, NULL for the plain one.';

create or replace function vouch.events_apply(
  p_store text, p_fresh boolean[], e_source text[], e_id text[], e_type text[], e_time timestamptz[], e_body jsonb[]
) returns jsonb
language plpgsql as $$
declare
  single record;
  answer jsonb;
  replies jsonb := '{}';
begin
  for single in
    select e.* from unnest(e_source, e_id, e_type, e_time, e_body) with ordinality as e (source, id, type, time, body, n)
    where e.body is not null and (p_fresh is null or p_fresh[e.n]) order by e.n
  loop
    answer := vouch.event_apply(p_store, single.type, single.body, single.time);
    if answer is not null then
      update vouch.event v set reply = answer where v.store_id = p_store and v.source = single.source and v.id = single.id;
      replies := replies || jsonb_build_object(single.n - 1, answer);
    end if;
  end loop;
  return replies;
end
$$;
comment on function vouch.events_apply is 'Applies the events of the rarer kinds, in their order; their replies by position.';

create or replace function vouch.first_replies(p_store text, p_fresh boolean[], e_source text[], e_id text[]) returns jsonb
language plpgsql stable as $$
begin
  return (
    select coalesce(jsonb_object_agg(e.n - 1, v.reply), '{}')
    from unnest(e_source, e_id) with ordinality as e (source, id, n)
    cross join lateral (select w.reply from vouch.event w where w.store_id = p_store and w.source = e.source and w.id = e.id offset 0) as v
    where not p_fresh[e.n] and v.reply is not null);
end
$$;
comment on function vouch.first_replies is 'What repeated events were answered the first time.';

create or replace function vouch.ingest(
  p_store text,
  e_source text[], e_id text[], e_type text[], e_time timestamptz[], e_body jsonb[], e_kept text[],
  p_event bigint[], p_rank text[], p_time timestamptz[], p_order text[], p_placed_at timestamptz[],
  p_address_key bytea[], p_customer_key bytea[], p_customer_id text[], p_email text[], p_name text[],
  p_locale text[], p_country text[], p_timezone text[], p_consent boolean[], p_currency text[], p_total text[], p_groups text[],
  l_event bigint[], l_order text[], l_line text[], l_product text[], l_name text[], l_url text[], l_groups text[],
  l_quantity text[], l_price text[], l_promised_at timestamptz[],
  f_event bigint[], f_order text[], f_line text[], f_kind text[], f_at timestamptz[], f_amount text[]
) returns jsonb
language plpgsql security definer as $$
declare
  at_clock timestamptz;
  fresh boolean[];
  placed record;
  due text[];
  reviews bigint[];
  replies jsonb := '{}';
begin
  at_clock := vouch.gate(p_store, cardinality(e_id) > 1 and cardinality(array_remove(e_body, null)) > 1 or 'customer.erased' = any (e_type));
  if cardinality(p_event) = cardinality(e_id) and vouch.orders_first(p_store, at_clock, e_source, e_id, e_time, p_event, p_rank, p_time,
      p_order, p_placed_at, p_address_key, p_customer_key, p_customer_id, p_email, p_name, p_locale, p_country, p_timezone, p_consent,
      p_currency, p_total, p_groups, l_event, l_order, l_line, l_product, l_name, l_url, l_groups, l_quantity, l_price, l_promised_at) then
    return jsonb_build_object('settings', vouch.settings_version_of(p_store), 'replies', replies);
  end if;
  fresh := vouch.event_record(p_store, at_clock, e_source, e_id, e_type, e_time, e_kept);
  if cardinality(p_event) > 0 then
    placed := vouch.order_place(p_store, fresh, p_event, p_rank, p_time, p_order, p_placed_at, p_address_key, p_customer_key,
      p_customer_id, p_email, p_name, p_locale, p_country, p_timezone, p_consent, p_currency, p_total, p_groups,
      l_event, l_order, l_line, l_product, l_name, l_url, l_groups, l_quantity, l_price, l_promised_at, f_order);
  end if;
  if cardinality(f_event) > 0 then
    due := vouch.order_facts(p_store, fresh, f_event, f_order, f_line, f_kind, f_at, f_amount);
  end if;
  if cardinality(p_event) > 0 then
    due := due || placed.due;
    reviews := placed.reviews;
  end if;
  if cardinality(due) > 0 then
    perform vouch.order_derive(p_store, due, reviews, f_kind);
  end if;
  if cardinality(array_remove(e_body, null)) > 0 then
    replies := vouch.events_apply(p_store, fresh, e_source, e_id, e_type, e_time, e_body);
  end if;
  if fresh is not null then
    replies := replies || vouch.first_replies(p_store, fresh, e_source, e_id);
  end if;
  return jsonb_build_object('settings', vouch.settings_version_of(p_store), 'replies', replies);
end
$$;
comment on function vouch.ingest is
'Accepts events of one store: e_ arrays are one element per event (body for the rarer kinds, kept for ignored types), p_ and l_ describe
orders and their lines, f_ are facts about lines (line NULL: the whole order); p_event, l_event, f_event are 1-based positions in e_.
Returns {"settings": version, "replies": {"0": {...}}}: the replies, by 0-based position, of events whose reply is not the plain one.';
