-- SPDX-License-Identifier: MIT
-- Discount codes: one per order, independent of what is written, redeemed once.

create or replace function vouch.discount_view(p_code vouch.discount_code) returns jsonb
language plpgsql stable as $$
begin
  return jsonb_strip_nulls(jsonb_build_object('kind', p_code.kind, 'value', p_code.value::text, 'currency', p_code.currency,
    'minimum_spend', p_code.minimum_spend::text, 'expires_at', p_code.expires_at, 'order_id', p_code.order_id));
end
$$;

create or replace function vouch.discounts_issue(p_store text, p_orders text[], p_hashes bytea[], p_codes text[])
returns table (order_id text, code_hash bytea, discount jsonb)
language plpgsql as $$
#variable_conflict use_column
declare
  at_clock timestamptz := vouch.clock();
  news jsonb[];
begin
  with issued as (
    insert into vouch.discount_code as d (store_id, code_hash, order_id, kind, value, currency, minimum_spend, issued_at, expires_at)
    select p_store, u.hash, u.id, p.kind, p.value, case when p.kind = 'fixed' or p.minimum_spend is not null then coalesce(p.currency, s.currency) end,
      p.minimum_spend, at_clock, at_clock + p.valid_for
    from (select * from unnest(p_orders, p_hashes) with ordinality as w (id, hash, n) order by w.n) as u
    cross join (select q.* from vouch.discount_policy q where q.store_id = p_store) as p
    cross join (select q.currency from vouch.store q where q.store_id = p_store) as s
    on conflict do nothing
    returning d.*
  ), disclosed as (
    update vouch.review v set incentivised = true
    where v.store_id = p_store and not v.incentivised and v.review_id = any (array(
      select r.review_id from issued i
      cross join lateral (select q.review_id from vouch.review q where q.store_id = p_store and q.order_id = i.order_id offset 0) as r))
  )
  select array_agg(jsonb_build_object('discount', jsonb_build_object('code', u.code) || vouch.discount_view(i)) order by u.n) into news
  from issued i join unnest(p_hashes, p_codes, p_orders) with ordinality as u (hash, code, id, n) on u.hash = i.code_hash and u.id = i.order_id;
  perform vouch.outbox_add_all(p_store, 'discount.issued', news);
  return query
  select d.order_id, d.code_hash, vouch.discount_view(d.code)
  from (select distinct w.id, w.hash from unnest(p_orders, p_hashes) as w (id, hash)) as u
  cross join lateral (select q as code, q.order_id, q.code_hash, q.state, q.expires_at from vouch.discount_code q
                      where q.store_id = p_store and q.order_id = u.id and q.code_hash = u.hash offset 0) as d
  where d.state = 'issued' and d.expires_at > at_clock;
end
$$;
comment on function vouch.discounts_issue is
'Issues the orders'' codes unless they have one; validity counts from now. Takes no rating, no text, no moderation state (16 CFR 465.4). No row: no policy, or the code is used or past.';

create or replace function vouch.mail_discounts(p_store text, p_mails vouch.outgoing_mail[], p_ids bigint[], p_hashes bytea[], p_codes text[])
returns table (mail_id bigint, discount jsonb)
language plpgsql as $$
declare
  on_submission boolean := exists (select from vouch.discount_policy p where p.store_id = p_store and p.grant_on = 'submission');
  wanted record;
begin
  select array_agg(m.mail_id order by m.mail_id) as mails, array_agg(r.order_id order by m.mail_id) as orders,
    array_agg(a.hash order by m.mail_id) as hashes, array_agg(a.code order by m.mail_id) as codes into wanted
  from unnest(p_mails) m
  join unnest(p_ids, p_hashes, p_codes) as a (id, hash, code) on a.id = m.mail_id
  cross join lateral (select q.order_id from vouch.review_request q where q.store_id = p_store and q.request_id = m.subject_id offset 0) as r
  where a.hash is not null and (m.kind = 'discount' or m.kind in ('request', 'reminder') and not on_submission);
  if wanted.mails is not null then
    return query
    select u.id, d.discount from unnest(wanted.mails, wanted.orders, wanted.hashes) as u (id, order_id, hash)
    join vouch.discounts_issue(p_store, wanted.orders, wanted.hashes, wanted.codes) d on d.order_id = u.order_id and d.code_hash = u.hash;
  end if;
end
$$;
comment on function vouch.mail_discounts is 'The discount that each of these mails is to print, issued now unless its order has it. No row: none.';

create or replace function vouch.discount_on_submission(p_store text, p_order text) returns void
language plpgsql as $$
begin
  perform vouch.mail_enqueue(p_store, 'discount', r.request_id, 0, o.address_key, vouch.clock())
  from vouch.discount_policy p
  join vouch.review_request r on r.store_id = p.store_id and r.order_id = p_order
  join vouch.sales_order o on o.store_id = p.store_id and o.order_id = p_order and o.address_key is not null
  where p.store_id = p_store and p.grant_on = 'submission';
end
$$;
comment on function vouch.discount_on_submission is 'With grant_on submission: the thank-you goes out once something was submitted for the order, whatever it says and whatever is decided.';

create or replace function vouch.discount_guessing(p_store text, p_client bytea) returns boolean
language plpgsql stable as $$
declare
  policy vouch.discount_policy;
  misses integer[];
begin
  select p.* into policy from vouch.discount_policy p where p.store_id = p_store;
  misses := (select array[coalesce(sum(m.misses) filter (where m.client_key = p_client), 0), coalesce(sum(m.misses) filter (where m.client_key <> p_client), 0)]
             from vouch.discount_miss m where m.store_id = p_store and m.hour = date_trunc('hour', vouch.clock(), 'UTC')
               and m.client_key in (p_client, decode(repeat('00', 32), 'hex')));
  return misses[1] >= coalesce(policy.guess_limit, 10) or misses[1] > 0 and misses[2] >= coalesce(policy.guess_limit_store, 1000);
end
$$;
comment on function vouch.discount_guessing is 'Whether this client tried so many unknown codes this hour that it gets no answer any more.';

create or replace function vouch.discount_missed(p_store text, p_client bytea) returns void
language plpgsql as $$
begin
  insert into vouch.discount_miss as m (store_id, hour, client_key)
  select p_store, date_trunc('hour', vouch.clock(), 'UTC'), k from unnest(array[p_client, decode(repeat('00', 32), 'hex')]) as k
  on conflict (store_id, hour, client_key) do update set misses = m.misses + 1;
end
$$;

create or replace function vouch.discount_redeem(p_store text, p_body jsonb) returns jsonb
language plpgsql as $$
declare
  client bytea := decode(coalesce(p_body ->> 'client_key', encode(sha256(convert_to(p_body ->> 'order_id', 'UTF8')), 'hex')), 'hex');
  known vouch.discount_code;
  why text := case when vouch.discount_guessing(p_store, client) then 'too_many_attempts' end;
begin
  if why is null then
    select d.* into known from vouch.discount_code d
    where d.store_id = p_store and d.code_hash = decode(p_body ->> 'code_hash', 'hex') for update;
    why := case when not found then 'unknown' when known.state = 'redeemed' then 'already_redeemed'
      when known.state = 'expired' or known.expires_at <= vouch.clock() then 'expired'
      when exists (select from vouch.sales_order o where o.store_id = p_store and o.order_id = p_body ->> 'order_id'
                   and o.cancelled_at is not null) then 'order_cancelled' end;
  end if;
  if why = 'unknown' and p_body ->> 'code_hash' ~ '[^0]' then -- zeros: mistyped, and no guess
    perform vouch.discount_missed(p_store, client);
  elsif why is null then
    update vouch.discount_code d set state = 'redeemed', redeemed_at = vouch.clock(), redeemed_order_id = p_body ->> 'order_id'
    where d.store_id = p_store and d.code_hash = known.code_hash;
  end if;
  return jsonb_build_object('discount', jsonb_strip_nulls(jsonb_build_object('code', p_body ->> 'code', 'accepted', why is null, 'reason', why))
    || case when why is null then vouch.discount_view(known) - 'order_id' else '{}' end);
end
$$;
comment on function vouch.discount_redeem is
'discount.redeemed: asks and records in one; the row lock decides races. reason: unknown, already_redeemed, expired, order_cancelled (the order it was to be used on), too_many_attempts.';

create or replace function vouch.discount_derive(p_store text, p_orders text[]) returns void
language plpgsql as $$
declare
  cancelled text;
begin
  for cancelled in
    select o.order_id from unnest(p_orders) as w (order_id)
    cross join lateral (select q.* from vouch.sales_order q where q.store_id = p_store and q.order_id = w.order_id offset 0) as o
    where o.cancelled_at is not null order by 1
  loop
    update vouch.discount_code d set state = case when d.expires_at > vouch.clock() then 'issued' else 'expired' end, redeemed_at = null,
      redeemed_order_id = null
    where d.store_id = p_store and d.redeemed_order_id = cancelled and d.state = 'redeemed';
  end loop;
end
$$;
comment on function vouch.discount_derive is 'A code spent on an order that was cancelled as a whole is free again, as long as it is valid.';

create or replace function vouch.discount_sweep(p_store text, p_limit integer) returns integer
language plpgsql security definer as $$
declare
  ended integer;
begin
  perform vouch.enter(p_store);
  delete from vouch.discount_miss m where m.store_id = p_store and m.hour < vouch.clock() - interval '1 day';
  update vouch.discount_code d set state = 'expired'
  where d.store_id = p_store and d.state = 'issued' and d.expires_at <= vouch.clock() and d.code_hash = any (array(
    select q.code_hash from vouch.discount_code q where q.store_id = p_store and q.state = 'issued' and q.expires_at <= vouch.clock()
    order by q.expires_at limit p_limit for update skip locked));
  get diagnostics ended = row_count;
  return ended;
end
$$;
comment on function vouch.discount_sweep is 'Says of codes past their time that they are, and forgets the misses of yesterday. Returns how many codes.';

create or replace function vouch.order_incentive(p_store text, p_order text) returns boolean
language plpgsql stable as $$
begin
  return p_order is not null and (
    exists (select from vouch.discount_code d where d.store_id = p_store and d.order_id = p_order)
    or exists (select from vouch.discount_policy p where p.store_id = p_store and p.grant_on = 'submission'));
end
$$;
comment on function vouch.order_incentive is 'Whether a review of this order is written with a code in hand or promised; disclosed with it from the first moment (16 CFR 465, DMCC Act 2024 Sch. 20 para 13).';

create or replace function vouch.incentive_stays() returns trigger
language plpgsql as $$
begin
  perform vouch.refuse('VO204', '/incentivised', 'that a discount code was offered stays with the review');
  return null;
end
$$;
create or replace trigger incentive_stays before update of incentivised on vouch.review
  for each row when (old.incentivised and not new.incentivised) execute function vouch.incentive_stays();
