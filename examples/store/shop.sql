-- SPDX-License-Identifier: MIT
-- The shop's own tables, re-applied at every start. Nothing here belongs to Vouch: the two
-- schemas could live in different databases.
CREATE SCHEMA IF NOT EXISTS shop;

CREATE TABLE IF NOT EXISTS shop.product (
    id text PRIMARY KEY,
    position integer NOT NULL UNIQUE,
    name text NOT NULL,
    blurb text NOT NULL,
    price numeric(12, 2) NOT NULL CHECK (price > 0),
    shelf text NOT NULL
);
INSERT INTO shop.product (id, position, name, blurb, price, shelf)
VALUES
    ('kettle', 1, 'Enamel kettle', 'Boils a litre in four minutes and sings when it is done. Steel inside, enamel outside, oak on the handle.', 39.90, 'tea'),
    ('cup', 2, 'Stoneware cup', 'Thrown by hand, glazed twice. Holds 0.3 litres and keeps them warm.', 12.50, 'tea'),
    ('board', 3, 'Oak board', 'One piece of oak, oiled. For bread in the morning and cheese at night.', 24.00, 'kitchen'),
    ('apron', 4, 'Linen apron', 'Washed linen with one deep pocket. Gets better with every stain.', 29.00, 'kitchen')
ON CONFLICT (id) DO UPDATE SET
    position = excluded.position, name = excluded.name, blurb = excluded.blurb,
    price = excluded.price, shelf = excluded.shelf;

CREATE TABLE IF NOT EXISTS shop.country (
    code text PRIMARY KEY CHECK (code ~ '^[A-Z]{2}$'),
    name text NOT NULL,
    timezone text NOT NULL
);
INSERT INTO shop.country (code, name, timezone)
VALUES
    ('LV', 'Latvia', 'Europe/Riga'), ('ES', 'Spain', 'Europe/Madrid'),
    ('PT', 'Portugal', 'Europe/Lisbon'), ('BR', 'Brazil', 'America/Sao_Paulo'),
    ('EG', 'Egypt', 'Africa/Cairo'), ('IR', 'Iran', 'Asia/Tehran'),
    ('IE', 'Ireland', 'Europe/Dublin'), ('US', 'United States', 'America/New_York')
ON CONFLICT (code) DO UPDATE SET name = excluded.name, timezone = excluded.timezone;

CREATE TABLE IF NOT EXISTS shop.language (
    locale text PRIMARY KEY,
    name text NOT NULL
);
INSERT INTO shop.language (locale, name)
VALUES
    ('en-IE', 'English'), ('lv-LV', 'Latviešu'), ('es-ES', 'Español'),
    ('pt-PT', 'Português'), ('ar-EG', 'العربية'), ('fa-IR', 'فارسی')
ON CONFLICT (locale) DO UPDATE SET name = excluded.name;

CREATE TABLE IF NOT EXISTS shop.customer (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    email text NOT NULL UNIQUE CHECK (octet_length(email) BETWEEN 3 AND 254),
    name text NOT NULL CHECK (octet_length(name) BETWEEN 1 AND 200)
);

-- What a discount is worth, as Vouch told it with discount.issued.
CREATE TABLE IF NOT EXISTS shop.discount (
    code text PRIMARY KEY,
    kind text NOT NULL,
    value numeric(12, 4),
    expires_at timestamptz
);

-- A purchase is open while the buyer's code is being asked for, placed afterwards. `key` is
-- what stands in links, so that nobody can count through other people's orders.
CREATE TABLE IF NOT EXISTS shop.purchase (
    id bigint GENERATED ALWAYS AS IDENTITY (START WITH 1001) PRIMARY KEY,
    key uuid NOT NULL UNIQUE DEFAULT gen_random_uuid(),
    customer_id bigint NOT NULL REFERENCES shop.customer (id),
    country text NOT NULL REFERENCES shop.country (code),
    locale text NOT NULL REFERENCES shop.language (locale),
    may_ask boolean NOT NULL,
    shipping numeric(12, 2) NOT NULL DEFAULT 3.90,
    code text,
    discount numeric(12, 2) NOT NULL DEFAULT 0 CHECK (discount >= 0),
    total numeric(12, 2) NOT NULL CHECK (total >= 0),
    placed_at timestamptz,
    paid_at timestamptz,
    shipped_at timestamptz,
    delivered_at timestamptz,
    cancelled_at timestamptz,
    refunded_at timestamptz
);

CREATE TABLE IF NOT EXISTS shop.line (
    purchase_id bigint NOT NULL REFERENCES shop.purchase (id) ON DELETE CASCADE,
    number integer NOT NULL,
    product_id text NOT NULL REFERENCES shop.product (id),
    quantity integer NOT NULL CHECK (quantity BETWEEN 1 AND 99),
    unit_price numeric(12, 2) NOT NULL,
    PRIMARY KEY (purchase_id, number)
);

-- Events for Vouch, written in the transaction of the fact they tell. `again` ones are
-- emitted again at every sweep until the answer came; the id makes that harmless.
CREATE TABLE IF NOT EXISTS shop.event_out (
    id text PRIMARY KEY,
    position bigint GENERATED ALWAYS AS IDENTITY,
    body jsonb NOT NULL,
    again boolean NOT NULL,
    code integer,
    reply text,
    answered_at timestamptz
);
CREATE INDEX IF NOT EXISTS event_out_waiting ON shop.event_out (position)
    WHERE answered_at IS NULL AND again;

-- Events from Vouch, written in the transaction of what they cause, then acknowledged.
CREATE TABLE IF NOT EXISTS shop.event_in (
    id text PRIMARY KEY,
    position bigint GENERATED ALWAYS AS IDENTITY,
    type text NOT NULL,
    body jsonb NOT NULL,
    taken_at timestamptz NOT NULL DEFAULT now()
);

-- Mails that the local catcher took.
CREATE TABLE IF NOT EXISTS shop.mail (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    taken_at timestamptz NOT NULL DEFAULT now(),
    sender text NOT NULL,
    recipients text NOT NULL,
    subject text NOT NULL,
    raw bytea NOT NULL
);

CREATE TABLE IF NOT EXISTS shop.staff (
    name text PRIMARY KEY,
    role text NOT NULL
);
INSERT INTO shop.staff (name, role)
VALUES ('maija', 'moderator'), ('ilze', 'manager'), ('viktors', 'viewer')
ON CONFLICT (name) DO UPDATE SET role = excluded.role;

-- Who holds the cookie whose SHA-256 is `hash`; staff is NULL for visitors.
CREATE TABLE IF NOT EXISTS shop.session (
    hash bytea PRIMARY KEY,
    csrf text NOT NULL,
    staff text REFERENCES shop.staff (name),
    made_at timestamptz NOT NULL DEFAULT now()
);
DELETE FROM shop.session WHERE made_at < now() - interval '30 days';
DELETE FROM shop.purchase WHERE placed_at IS NULL;

CREATE SEQUENCE IF NOT EXISTS shop.review_number;
