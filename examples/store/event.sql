-- SPDX-License-Identifier: MIT
-- What happens to a purchase, and the event that tells it: both in one transaction, so
-- that a crash between them loses neither. Re-applied at every start.

create or replace function shop.instant(at timestamptz) returns text
language sql immutable as $$
    select to_char(at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')
$$;

-- The id is derived from the fact, never from chance: the same fact told twice is one
-- event.
create or replace function shop.tell(
    type text, id text, at timestamptz, data jsonb, again boolean default true
) returns text
language sql as $$
    insert into shop.event_out (id, again, body)
    values (id, again, jsonb_build_object(
        'specversion', '1.0', 'id', id, 'source', '/shop', 'type', type,
        'time', shop.instant(at), 'data', data))
    on conflict do nothing;
    select id;
$$;

create or replace function shop.placed_data(purchase_id bigint, base_url text) returns jsonb
language sql stable as $$
    select jsonb_build_object('order', jsonb_build_object(
        'id', p.id::text, 'placed_at', shop.instant(p.placed_at),
        'currency', 'EUR', 'total', p.total::text,
        'locale', p.locale, 'country', p.country, 'timezone', c.timezone,
        'marketing_consent', p.may_ask,
        'customer', jsonb_build_object(
            'id', 'c-' || b.id, 'email', b.email, 'name', b.name),
        'items', (
            select jsonb_agg(jsonb_build_object(
                'id', l.number::text, 'product_id', l.product_id, 'name', r.name,
                'url', base_url || '/products/' || r.id,
                'groups', jsonb_build_array(r.shelf),
                'quantity', l.quantity, 'unit_price', l.unit_price::text
            ) order by l.number)
            from shop.line as l join shop.product as r on r.id = l.product_id
            where l.purchase_id = p.id)))
    from shop.purchase as p
    join shop.customer as b on b.id = p.customer_id
    join shop.country as c on c.code = p.country
    where p.id = placed_data.purchase_id
$$;

-- Opens a purchase, or the one of `again` anew while it is open: `wanted` is
-- {"kettle": 1, "cup": 2}. Nothing is told yet.
create or replace function shop.open_purchase(
    again text, name text, email text, country text, locale text, may_ask boolean,
    wanted jsonb
) returns table (id text, key text)
language plpgsql as $$
declare
    buyer bigint;
    made shop.purchase;
begin
    insert into shop.customer as c (email, name)
    values (open_purchase.email, open_purchase.name)
    on conflict on constraint customer_email_key do update set name = excluded.name
    returning c.id into buyer;
    update shop.purchase as p
    set customer_id = buyer, country = open_purchase.country,
        locale = open_purchase.locale, may_ask = open_purchase.may_ask
    where p.key::text = again and p.placed_at is null
    returning p.* into made;
    if not found then
        insert into shop.purchase as p (customer_id, country, locale, may_ask, total)
        values (buyer, open_purchase.country, open_purchase.locale, open_purchase.may_ask, 0)
        returning p.* into made;
    end if;
    delete from shop.line as l where l.purchase_id = made.id;
    insert into shop.line (purchase_id, number, product_id, quantity, unit_price)
    select made.id, row_number() over (order by r.position), r.id, w.value::integer, r.price
    from jsonb_each_text(wanted) as w
    join shop.product as r on r.id = w.key;
    return query select made.id::text, made.key::text;
end
$$;

-- Asks Vouch about a code. Not `again`: a buyer waits for this answer, and a code must
-- not be spent later for a purchase that was given up. Asked again for the same purchase
-- (the answer was lost, the buyer pressed twice) it is the same event and has the same
-- answer.
create or replace function shop.ask_code(purchase_id bigint, code text) returns text
language sql as $$
    select shop.tell('discount.redeemed',
        'redeemed:' || purchase_id || ':' || upper(code), now(),
        jsonb_build_object('discount', jsonb_build_object(
            'code', code, 'order_id', purchase_id::text)),
        again => false)
$$;

-- What an honoured code takes off; without a row of ours (discount.issued is on its way)
-- it is nothing, and the shop says so rather than guess.
create or replace function shop.worth(code text, goods numeric, shipping numeric)
returns numeric
language sql stable as $$
    select coalesce((
        select case d.kind
            when 'percent' then round(goods * d.value / 100, 2)
            when 'fixed' then least(goods, d.value)
            when 'free_shipping' then shipping
        end
        from shop.discount as d
        where regexp_replace(upper(d.code), '[^A-Z0-9]', '', 'g')
            = regexp_replace(upper(worth.code), '[^A-Z0-9]', '', 'g')), 0)
$$;

create or replace function shop.place(purchase_id bigint, code text, base_url text)
returns void
language plpgsql as $$
declare
    goods numeric;
    p shop.purchase;
begin
    select sum(l.quantity * l.unit_price) into goods
    from shop.line as l where l.purchase_id = place.purchase_id;
    update shop.purchase as u
    set placed_at = now(), paid_at = now(), code = upper(place.code),
        discount = shop.worth(place.code, goods, u.shipping),
        total = goods + u.shipping - shop.worth(place.code, goods, u.shipping)
    where u.id = place.purchase_id and u.placed_at is null
    returning u.* into p;
    if p.id is not null then
        perform shop.tell('order.placed', 'placed:' || p.id, p.placed_at,
            shop.placed_data(p.id, base_url));
        perform shop.tell('order.paid', 'paid:' || p.id, p.paid_at, jsonb_build_object(
            'order', jsonb_build_object('id', p.id::text, 'at', shop.instant(p.paid_at))));
    end if;
end
$$;

create or replace function shop.order_fact(
    type text, p shop.purchase, at timestamptz, field text default 'at'
) returns void
language sql as $$
    select shop.tell('order.' || type, type || ':' || p.id, at, jsonb_build_object(
        'order', jsonb_build_object('id', p.id::text, field, shop.instant(at))))
$$;

-- Marks a purchase and tells it; false when it cannot be (any more).
create or replace function shop.mark(purchase_key uuid, what text) returns boolean
language plpgsql as $$
declare
    p shop.purchase;
begin
    select * into p from shop.purchase as u
    where u.key = purchase_key and u.placed_at is not null for update;
    if not found then
        return false;
    end if;
    if what = 'shipped' and p.shipped_at is null and p.cancelled_at is null then
        update shop.purchase set shipped_at = now() where id = p.id;
        perform shop.order_fact('shipped', p, now());
    elsif what = 'delivered' and p.delivered_at is null and p.cancelled_at is null then
        if p.shipped_at is null then
            perform shop.order_fact('shipped', p, now());
        end if;
        update shop.purchase
        set delivered_at = now(), shipped_at = coalesce(shipped_at, now()) where id = p.id;
        perform shop.order_fact('delivered', p, now(), 'delivered_at');
    elsif what = 'cancelled' and p.cancelled_at is null and p.shipped_at is null then
        update shop.purchase set cancelled_at = now() where id = p.id;
        perform shop.order_fact('cancelled', p, now());
    elsif what = 'refunded' and p.refunded_at is null then
        update shop.purchase set refunded_at = now() where id = p.id;
        perform shop.order_fact('refunded', p, now());
    else
        return false;
    end if;
    return true;
end
$$;

-- A review from the shop's own form. Nobody logged in, so no customer_id: the address is
-- only claimed, and earns nothing until its owner confirms it.
create or replace function shop.submit_review(
    product text, rating integer, title text, body text, name text, email text,
    locale text, client_address text
) returns text
language sql as $$
    with n as (select 'r-' || nextval('shop.review_number') as id)
    select shop.tell('review.submitted', 'review:' || n.id, now(), jsonb_build_object(
        'review', jsonb_strip_nulls(jsonb_build_object(
            'id', n.id, 'product_id', product, 'rating', rating,
            'title', nullif(title, ''), 'body', body, 'locale', locale,
            'author', jsonb_build_object('name', name, 'email', email),
            'client_address', client_address))))
    from n
$$;

-- An event of Vouch's, once; discount.issued is what the checkout needs later.
create or replace function shop.take(event jsonb) returns boolean
language plpgsql as $$
declare
    d jsonb := event -> 'data' -> 'discount';
begin
    insert into shop.event_in (id, type, body)
    values (event ->> 'id', event ->> 'type', event)
    on conflict do nothing;
    if event ->> 'type' = 'discount.issued' and d ? 'code' then
        insert into shop.discount (code, kind, value, expires_at)
        values (d ->> 'code', d ->> 'kind', (d ->> 'value')::numeric,
            (d ->> 'expires_at')::timestamptz)
        on conflict do nothing;
    end if;
    return true;
end
$$;
