-- SPDX-License-Identifier: MIT
-- What happens to a purchase, and the event that tells it: both in one transaction, so that
-- a crash between them loses neither. Re-applied at every start.

CREATE OR REPLACE FUNCTION shop.instant(at timestamptz) RETURNS text
LANGUAGE sql IMMUTABLE AS $$
    SELECT to_char(at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')
$$;

-- The id is derived from the fact, never from chance: the same fact told twice is one event.
CREATE OR REPLACE FUNCTION shop.tell(
    type text, id text, at timestamptz, data jsonb, again boolean DEFAULT true
) RETURNS text
LANGUAGE sql AS $$
    INSERT INTO shop.event_out (id, again, body)
    VALUES (id, again, jsonb_build_object(
        'specversion', '1.0', 'id', id, 'source', '/shop', 'type', type,
        'time', shop.instant(at), 'data', data))
    ON CONFLICT DO NOTHING;
    SELECT id;
$$;

CREATE OR REPLACE FUNCTION shop.placed_data(purchase_id bigint, base_url text) RETURNS jsonb
LANGUAGE sql STABLE AS $$
    SELECT jsonb_build_object('order', jsonb_build_object(
        'id', p.id::text, 'placed_at', shop.instant(p.placed_at),
        'currency', 'EUR', 'total', p.total::text,
        'locale', p.locale, 'country', p.country, 'timezone', c.timezone,
        'marketing_consent', p.may_ask,
        'customer', jsonb_build_object(
            'id', 'c-' || b.id, 'email', b.email, 'name', b.name),
        'items', (
            SELECT jsonb_agg(jsonb_build_object(
                'id', l.number::text, 'product_id', l.product_id, 'name', r.name,
                'url', base_url || '/products/' || r.id,
                'groups', jsonb_build_array(r.shelf),
                'quantity', l.quantity, 'unit_price', l.unit_price::text
            ) ORDER BY l.number)
            FROM shop.line AS l JOIN shop.product AS r ON r.id = l.product_id
            WHERE l.purchase_id = p.id)))
    FROM shop.purchase AS p
    JOIN shop.customer AS b ON b.id = p.customer_id
    JOIN shop.country AS c ON c.code = p.country
    WHERE p.id = placed_data.purchase_id
$$;

-- Opens a purchase, or the one of `again` anew while it is open: `wanted` is
-- {"kettle": 1, "cup": 2}. Nothing is told yet.
CREATE OR REPLACE FUNCTION shop.open_purchase(
    again text, name text, email text, country text, locale text, may_ask boolean,
    wanted jsonb
) RETURNS TABLE (id text, key text)
LANGUAGE plpgsql AS $$
DECLARE
    buyer bigint;
    made shop.purchase;
BEGIN
    INSERT INTO shop.customer AS c (email, name)
    VALUES (open_purchase.email, open_purchase.name)
    ON CONFLICT ON CONSTRAINT customer_email_key DO UPDATE SET name = excluded.name
    RETURNING c.id INTO buyer;
    UPDATE shop.purchase AS p
    SET customer_id = buyer, country = open_purchase.country,
        locale = open_purchase.locale, may_ask = open_purchase.may_ask
    WHERE p.key::text = again AND p.placed_at IS NULL
    RETURNING p.* INTO made;
    IF NOT FOUND THEN
        INSERT INTO shop.purchase AS p (customer_id, country, locale, may_ask, total)
        VALUES (buyer, open_purchase.country, open_purchase.locale, open_purchase.may_ask, 0)
        RETURNING p.* INTO made;
    END IF;
    DELETE FROM shop.line AS l WHERE l.purchase_id = made.id;
    INSERT INTO shop.line (purchase_id, number, product_id, quantity, unit_price)
    SELECT made.id, row_number() OVER (ORDER BY r.position), r.id, w.value::integer, r.price
    FROM jsonb_each_text(wanted) AS w
    JOIN shop.product AS r ON r.id = w.key;
    RETURN QUERY SELECT made.id::text, made.key::text;
END
$$;

-- Asks Vouch about a code. Not `again`: a buyer waits for this answer, and a code must not
-- be spent later for a purchase that was given up. Asked again for the same purchase (the
-- answer was lost, the buyer pressed twice) it is the same event and has the same answer.
CREATE OR REPLACE FUNCTION shop.ask_code(purchase_id bigint, code text) RETURNS text
LANGUAGE sql AS $$
    SELECT shop.tell('discount.redeemed', 
        'redeemed:' || purchase_id || ':' || upper(code), now(),
        jsonb_build_object('discount', jsonb_build_object(
            'code', code, 'order_id', purchase_id::text)),
        again => false)
$$;

-- What an honoured code takes off; without a row of ours (discount.issued is on its way) it
-- is nothing, and the shop says so rather than guess.
CREATE OR REPLACE FUNCTION shop.worth(code text, goods numeric, shipping numeric)
RETURNS numeric
LANGUAGE sql STABLE AS $$
    SELECT coalesce((
        SELECT CASE d.kind
            WHEN 'percent' THEN round(goods * d.value / 100, 2)
            WHEN 'fixed' THEN least(goods, d.value)
            WHEN 'free_shipping' THEN shipping
        END
        FROM shop.discount AS d
        WHERE regexp_replace(upper(d.code), '[^A-Z0-9]', '', 'g')
            = regexp_replace(upper(worth.code), '[^A-Z0-9]', '', 'g')), 0)
$$;

CREATE OR REPLACE FUNCTION shop.place(purchase_id bigint, code text, base_url text)
RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    goods numeric;
    p shop.purchase;
BEGIN
    SELECT sum(l.quantity * l.unit_price) INTO goods
    FROM shop.line AS l WHERE l.purchase_id = place.purchase_id;
    UPDATE shop.purchase AS u
    SET placed_at = now(), paid_at = now(), code = upper(place.code),
        discount = shop.worth(place.code, goods, u.shipping),
        total = goods + u.shipping - shop.worth(place.code, goods, u.shipping)
    WHERE u.id = place.purchase_id AND u.placed_at IS NULL
    RETURNING u.* INTO p;
    IF p.id IS NOT NULL THEN
        PERFORM shop.tell('order.placed', 'placed:' || p.id, p.placed_at,
            shop.placed_data(p.id, base_url));
        PERFORM shop.tell('order.paid', 'paid:' || p.id, p.paid_at, jsonb_build_object(
            'order', jsonb_build_object('id', p.id::text, 'at', shop.instant(p.paid_at))));
    END IF;
END
$$;

CREATE OR REPLACE FUNCTION shop.order_fact(
    type text, p shop.purchase, at timestamptz, field text DEFAULT 'at'
) RETURNS void
LANGUAGE sql AS $$
    SELECT shop.tell('order.' || type, type || ':' || p.id, at, jsonb_build_object(
        'order', jsonb_build_object('id', p.id::text, field, shop.instant(at))))
$$;

-- Marks a purchase and tells it; false when it cannot be (any more).
CREATE OR REPLACE FUNCTION shop.mark(purchase_key uuid, what text) RETURNS boolean
LANGUAGE plpgsql AS $$
DECLARE
    p shop.purchase;
BEGIN
    SELECT * INTO p FROM shop.purchase AS u
    WHERE u.key = purchase_key AND u.placed_at IS NOT NULL FOR UPDATE;
    IF NOT FOUND THEN
        RETURN false;
    END IF;
    IF what = 'shipped' AND p.shipped_at IS NULL AND p.cancelled_at IS NULL THEN
        UPDATE shop.purchase SET shipped_at = now() WHERE id = p.id;
        PERFORM shop.order_fact('shipped', p, now());
    ELSIF what = 'delivered' AND p.delivered_at IS NULL AND p.cancelled_at IS NULL THEN
        IF p.shipped_at IS NULL THEN
            PERFORM shop.order_fact('shipped', p, now());
        END IF;
        UPDATE shop.purchase
        SET delivered_at = now(), shipped_at = coalesce(shipped_at, now()) WHERE id = p.id;
        PERFORM shop.order_fact('delivered', p, now(), 'delivered_at');
    ELSIF what = 'cancelled' AND p.cancelled_at IS NULL AND p.shipped_at IS NULL THEN
        UPDATE shop.purchase SET cancelled_at = now() WHERE id = p.id;
        PERFORM shop.order_fact('cancelled', p, now());
    ELSIF what = 'refunded' AND p.refunded_at IS NULL THEN
        UPDATE shop.purchase SET refunded_at = now() WHERE id = p.id;
        PERFORM shop.order_fact('refunded', p, now());
    ELSE
        RETURN false;
    END IF;
    RETURN true;
END
$$;

-- A review from the shop's own form. Nobody logged in, so no customer_id: the address is
-- only claimed, and earns nothing until its owner confirms it.
CREATE OR REPLACE FUNCTION shop.submit_review(
    product text, rating integer, title text, body text, name text, email text,
    locale text, client_address text
) RETURNS text
LANGUAGE sql AS $$
    WITH n AS (SELECT 'r-' || nextval('shop.review_number') AS id)
    SELECT shop.tell('review.submitted', 'review:' || n.id, now(), jsonb_build_object(
        'review', jsonb_strip_nulls(jsonb_build_object(
            'id', n.id, 'product_id', product, 'rating', rating,
            'title', nullif(title, ''), 'body', body, 'locale', locale,
            'author', jsonb_build_object('name', name, 'email', email),
            'client_address', client_address))))
    FROM n
$$;

-- An event of Vouch's, once; discount.issued is what the checkout needs later.
CREATE OR REPLACE FUNCTION shop.take(event jsonb) RETURNS boolean
LANGUAGE plpgsql AS $$
DECLARE
    d jsonb := event -> 'data' -> 'discount';
BEGIN
    INSERT INTO shop.event_in (id, type, body)
    VALUES (event ->> 'id', event ->> 'type', event)
    ON CONFLICT DO NOTHING;
    IF event ->> 'type' = 'discount.issued' AND d ? 'code' THEN
        INSERT INTO shop.discount (code, kind, value, expires_at)
        VALUES (d ->> 'code', d ->> 'kind', (d ->> 'value')::numeric,
            (d ->> 'expires_at')::timestamptz)
        ON CONFLICT DO NOTHING;
    END IF;
    RETURN true;
END
$$;
