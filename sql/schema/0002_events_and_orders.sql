-- SPDX-License-Identifier: MIT
-- Events by their idempotency key, and orders as merged facts. No foreign keys here: facts come in any order, every row is
-- written by vouch.ingest() alone, and a shared lock on one store row by every writer would serialise them.

create type vouch.event_state as enum ('applied', 'ignored'); -- a CHECK would be parsed again at each insert

create table vouch.event (
  store_id text collate "C" not null,
  source text collate "C" not null,
  id text collate "C" not null,
  type text not null,
  time timestamptz,
  received_at timestamptz not null,
  state vouch.event_state not null,
  reply jsonb,
  data text,
  primary key (store_id, source, id)
);
create index event_ignored on vouch.event (store_id) where state = 'ignored';
comment on table vouch.event is 'One row per accepted event. An applied event''s facts are in the tables it changed; it keeps no second copy of personal data here.';
comment on column vouch.event.reply is 'The first answer, given again to every repetition; NULL is the plain {"state"}.';
comment on column vouch.event.data is 'The event as it came, for types this version ignores.';

create table vouch.customer (
  store_id text collate "C" not null,
  address_key bytea not null,
  customer_id text collate "C",
  email text,
  name text,
  locale text,
  marketing_consent boolean,
  updated_at timestamptz not null,
  customer_id_at timestamptz,
  name_at timestamptz,
  locale_at timestamptz,
  consent_at timestamptz,
  erased_at timestamptz,
  primary key (store_id, address_key)
) with (fillfactor = 85);
create index customer_by_id on vouch.customer (store_id, customer_id) where customer_id is not null;
comment on table vouch.customer is 'A person as reached at one address; the only place of name and address of a buyer.';
comment on column vouch.customer.address_key is 'Keyed hash of the address''s normal form, made in C.';
comment on column vouch.customer.customer_id is 'The store''s own id; NULL for guests.';
comment on column vouch.customer.updated_at is 'Time of the newest fact about this address, which also gives its spelling. Each other detail has a time of its own: of two statements the later stays, whichever came first.';

create table vouch.sales_order (
  store_id text collate "C" not null,
  order_id text collate "C" not null,
  address_key bytea,
  customer_id text collate "C",
  customer_key bytea,
  placed_at timestamptz,
  currency text,
  total numeric(16, 4),
  locale text,
  country text,
  timezone text,
  marketing_consent boolean,
  customer_groups text[],
  paid_at timestamptz,
  shipped_at timestamptz,
  delivered_at timestamptz,
  cancelled_at timestamptz,
  refunded_at timestamptz,
  partly_refunded_at timestamptz,
  refunded_amount numeric(16, 4) not null default 0,
  details_time timestamptz,
  details_event text collate "C",
  primary key (store_id, order_id)
) with (fillfactor = 85);
create index sales_order_by_customer on vouch.sales_order (store_id, customer_id) where customer_id is not null;
create index sales_order_by_address on vouch.sales_order (store_id, address_key) where address_key is not null;
comment on table vouch.sales_order is 'What is known of an order: the newest description, and for each fact about all its lines the earliest time.';
comment on column vouch.sales_order.customer_key is 'Keyed hash of customer_id, made in C, by which opt-outs and erasures know it.';
comment on column vouch.sales_order.refunded_at is 'Refund of the whole order. Partial sums without lines only set partly_refunded_at and add to refunded_amount.';
comment on column vouch.sales_order.details_time is 'With details_event the rank of the description: of two, the later stays, whichever came first.';

create table vouch.order_line (
  store_id text collate "C" not null,
  order_id text collate "C" not null,
  line_id text collate "C" not null,
  product_id text collate "C",
  name text,
  url text,
  groups text[],
  quantity numeric(14, 4),
  unit_price numeric(16, 4),
  promised_at timestamptz,
  paid_at timestamptz,
  shipped_at timestamptz,
  delivered_at timestamptz,
  cancelled_at timestamptz,
  refunded_at timestamptz,
  details_time timestamptz,
  details_event text collate "C",
  primary key (store_id, order_id, line_id)
) with (fillfactor = 85);
comment on table vouch.order_line is 'One line of an order with each fact''s earliest time, those about the whole order included. product_id is NULL until the order is described.';

create table vouch.product (
  store_id text collate "C" not null,
  product_id text collate "C" not null,
  name text,
  url text,
  image_url text,
  gtin text,
  brand text,
  groups text[],
  updated_at timestamptz not null,
  primary key (store_id, product_id)
);
comment on table vouch.product is 'What product.updated said last; a product never named there is known by its order lines.';

create table vouch.erasure (
  store_id text collate "C" not null,
  subject_key bytea not null constraint erasure_subject_key_is_32_bytes check (length(subject_key) = 32),
  erased_at timestamptz not null,
  primary key (store_id, subject_key)
);
create index erasure_by_time on vouch.erasure (store_id, erased_at);
comment on table vouch.erasure is 'Keyed tombstones of erased persons (of address or customer id): an order older than erased_at brings nobody back (GDPR Art. 17).';

create table vouch.suppression (
  store_id text collate "C" not null,
  address_key bytea not null constraint suppression_address_key_is_32_bytes check (length(address_key) = 32),
  reason text not null constraint suppression_reason_is_known check (reason in ('unsubscribed', 'bounced', 'complained', 'operator')),
  since timestamptz not null,
  source text not null default 'event' constraint suppression_source_is_known check (source in ('link', 'event', 'operator', 'relay')),
  primary key (store_id, address_key, reason)
);
comment on table vouch.suppression is 'Who gets no more mail, by address key, so that it survives erasure. unsubscribed and complained stop requests; bounced and operator stop all mail.';
comment on column vouch.suppression.source is 'How it came: link: the mailed link or its one-click POST; event: customer.unsubscribed, mail.bounced, mail.complained; operator: a person at the store; relay: the relay refused the recipient.';
