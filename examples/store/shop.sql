-- SPDX-License-Identifier: MIT
-- The shop's own tables, re-applied at every start. Nothing here belongs to Vouch: the
-- two schemas could live in different databases.
create schema if not exists shop;

create table if not exists shop.product (
    id text primary key,
    position integer not null unique,
    name text not null,
    blurb text not null,
    price numeric(12, 2) not null check (price > 0),
    shelf text not null
);
insert into shop.product (id, position, name, blurb, price, shelf)
values
    ('kettle', 1, 'Enamel kettle', 'Boils a litre in four minutes and sings when it is done. Steel inside, enamel outside, oak on the handle.', 39.90, 'tea'),
    ('cup', 2, 'Stoneware cup', 'Thrown by hand, glazed twice. Holds 0.3 litres and keeps them warm.', 12.50, 'tea'),
    ('board', 3, 'Oak board', 'One piece of oak, oiled. For bread in the morning and cheese at night.', 24.00, 'kitchen'),
    ('apron', 4, 'Linen apron', 'Washed linen with one deep pocket. Gets better with every stain.', 29.00, 'kitchen')
on conflict (id) do update set
    position = excluded.position, name = excluded.name, blurb = excluded.blurb,
    price = excluded.price, shelf = excluded.shelf;

create table if not exists shop.country (
    code text primary key check (code ~ '^[A-Z]{2}$'),
    name text not null,
    timezone text not null
);
insert into shop.country (code, name, timezone)
values
    ('LV', 'Latvia', 'Europe/Riga'), ('ES', 'Spain', 'Europe/Madrid'),
    ('PT', 'Portugal', 'Europe/Lisbon'), ('BR', 'Brazil', 'America/Sao_Paulo'),
    ('EG', 'Egypt', 'Africa/Cairo'), ('IR', 'Iran', 'Asia/Tehran'),
    ('IE', 'Ireland', 'Europe/Dublin'), ('US', 'United States', 'America/New_York')
on conflict (code) do update set name = excluded.name, timezone = excluded.timezone;

create table if not exists shop.language (
    locale text primary key,
    name text not null
);
insert into shop.language (locale, name)
values
    ('en-IE', 'English'), ('lv-LV', 'Latviešu'), ('es-ES', 'Español'),
    ('pt-PT', 'Português'), ('ar-EG', 'العربية'), ('fa-IR', 'فارسی')
on conflict (locale) do update set name = excluded.name;

create table if not exists shop.customer (
    id bigint generated always as identity primary key,
    email text not null unique check (octet_length(email) between 3 and 254),
    name text not null check (octet_length(name) between 1 and 200)
);

-- What a discount is worth, as Vouch told it with discount.issued.
create table if not exists shop.discount (
    code text primary key,
    kind text not null,
    value numeric(12, 4),
    expires_at timestamptz
);

-- A purchase is open while the buyer's code is being asked for, placed afterwards. `key`
-- is what stands in links, so that nobody can count through other people's orders.
create table if not exists shop.purchase (
    id bigint generated always as identity (start with 1001) primary key,
    key uuid not null unique default gen_random_uuid(),
    customer_id bigint not null references shop.customer (id),
    country text not null references shop.country (code),
    locale text not null references shop.language (locale),
    may_ask boolean not null,
    shipping numeric(12, 2) not null default 3.90,
    code text,
    discount numeric(12, 2) not null default 0 check (discount >= 0),
    total numeric(12, 2) not null check (total >= 0),
    placed_at timestamptz,
    paid_at timestamptz,
    shipped_at timestamptz,
    delivered_at timestamptz,
    cancelled_at timestamptz,
    refunded_at timestamptz
);

create table if not exists shop.line (
    purchase_id bigint not null references shop.purchase (id) on delete cascade,
    number integer not null,
    product_id text not null references shop.product (id),
    quantity integer not null check (quantity between 1 and 99),
    unit_price numeric(12, 2) not null,
    primary key (purchase_id, number)
);

-- Events for Vouch, written in the transaction of the fact they tell. `again` ones are
-- emitted again at every sweep until the answer came; the id makes that harmless.
create table if not exists shop.event_out (
    id text primary key,
    position bigint generated always as identity,
    body jsonb not null,
    again boolean not null,
    code integer,
    reply text,
    answered_at timestamptz
);
create index if not exists event_out_waiting on shop.event_out (position)
    where answered_at is null and again;

-- Events from Vouch, written in the transaction of what they cause, then acknowledged.
create table if not exists shop.event_in (
    id text primary key,
    position bigint generated always as identity,
    type text not null,
    body jsonb not null,
    taken_at timestamptz not null default now()
);

-- Mails that the local catcher took.
create table if not exists shop.mail (
    id bigint generated always as identity primary key,
    taken_at timestamptz not null default now(),
    sender text not null,
    recipients text not null,
    subject text not null,
    raw bytea not null
);

create table if not exists shop.staff (
    name text primary key,
    role text not null
);
insert into shop.staff (name, role)
values ('maija', 'moderator'), ('ilze', 'manager'), ('viktors', 'viewer')
on conflict (name) do update set role = excluded.role;

-- Who holds the cookie whose SHA-256 is `hash`; staff is NULL for visitors.
create table if not exists shop.session (
    hash bytea primary key,
    csrf text not null,
    staff text references shop.staff (name),
    made_at timestamptz not null default now()
);
delete from shop.session where made_at < now() - interval '30 days';
delete from shop.purchase where placed_at is null;

create sequence if not exists shop.review_number;
