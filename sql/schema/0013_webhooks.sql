-- SPDX-License-Identifier: MIT
-- Events to URLs of the store's choice, signed after Standard Webhooks 1.0.

create table vouch.webhook (
  store_id text collate "C" not null references vouch.store on delete cascade,
  name text collate "C" not null
    constraint webhook_name_is_short check (name ~ '^[a-z0-9_.-]{1,60}$'),
  url text not null
    constraint webhook_url_is_http check (url ~ '^https?://[^[:space:]<>"@/]+(/[^[:space:]<>"]*)?$' and length(url) <= 2000),
  secret text not null default 'whsec_' || encode(uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid()), 'base64')
    constraint webhook_secret_is_of_standard_webhooks check (secret ~ '^whsec_[A-Za-z0-9+/]{32,88}={0,2}$'),
  types text[] not null default '{*}'
    constraint webhook_types_are_bounded check (cardinality(types) between 1 and 50 and array_position(types, null) is null),
  format text not null default 'event'
    constraint webhook_format_is_known check (format in ('event', 'slack', 'teams')),
  active boolean not null default true,
  primary key (store_id, name)
);
comment on table vouch.webhook is 'Where events are sent. Private and loopback addresses are refused when connecting, redirects are not followed.';
comment on column vouch.webhook.secret is 'whsec_ and base64 of 24 to 64 bytes: the key of the HMAC-SHA256 in webhook-signature. Made when left out.';
comment on column vouch.webhook.types is 'Types of events, or * for all but discount.issued and rating.changed, which must be named.';
comment on column vouch.webhook.format is 'event: the CloudEvent; slack: {"text"} for an incoming webhook; teams: an Adaptive Card message.';

create table vouch.webhook_delivery (
  store_id text collate "C" not null,
  delivery_id bigint generated always as identity,
  webhook text collate "C" not null,
  message_id text not null,
  type text not null,
  payload jsonb not null,
  state text not null default 'queued'
    constraint webhook_delivery_state_is_known check (state in ('queued', 'sending', 'delivered', 'failed', 'dropped')),
  created_at timestamptz not null,
  due_at timestamptz not null,
  attempts smallint not null default 0,
  lease_until timestamptz,
  status integer,
  answer text constraint webhook_delivery_answer_is_bounded check (length(answer) <= 500),
  finished_at timestamptz,
  constraint webhook_delivery_lease_is_whole check ((state = 'sending') = (lease_until is not null)),
  constraint webhook_delivery_end_has_a_time check ((state in ('delivered', 'failed', 'dropped')) = (finished_at is not null)),
  primary key (store_id, delivery_id)
);
create index webhook_delivery_due on vouch.webhook_delivery (store_id, due_at, delivery_id) where state in ('queued', 'sending');
create index webhook_delivery_finished on vouch.webhook_delivery (store_id, finished_at) where finished_at is not null;
comment on table vouch.webhook_delivery is 'One event for one webhook, tried again with growing pauses for three days; kept 30 days for vouch.webhook_replay(). message_id stays the same over all attempts.';
