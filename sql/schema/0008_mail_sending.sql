-- SPDX-License-Identifier: MIT
-- How fast mail goes out, and what keeps it back: a store's limits, its state of sending, domains that ask for patience.

create table vouch.mail_policy (
  store_id text collate "C" primary key references vouch.store on delete cascade,
  rate_per_minute integer
    constraint mail_policy_rate_per_minute_is_positive check (rate_per_minute between 1 and 1000000),
  rate_per_day integer
    constraint mail_policy_rate_per_day_is_positive check (rate_per_day between 1 and 100000000),
  on_doubt text not null default 'retry_once'
    constraint mail_policy_on_doubt_is_known check (on_doubt in ('retry_once', 'hold')),
  quiet_after interval not null default '24 hours'
    constraint mail_policy_quiet_after_is_sane check (quiet_after between interval '1 hour' and interval '365 days')
);
comment on table vouch.mail_policy is 'Limits of sending, shared by all processes of a store. No row: no limits, and the defaults of the columns.';
comment on column vouch.mail_policy.rate_per_minute is 'Mails claimed in a minute at most, after a burst of ten seconds'' worth; NULL: as many as the relay takes.';
comment on column vouch.mail_policy.rate_per_day is 'Mails claimed in a day (UTC) at most; NULL: no limit.';
comment on column vouch.mail_policy.on_doubt is 'A mail that may have arrived: retry_once tries it again after 30 minutes, once, with the same Message-ID, link and code; hold leaves it.';
comment on column vouch.mail_policy.quiet_after is 'When no process has worked for a store for so long and mails older than that are due, sending pauses until a person confirms: a restored database must not send last week''s mail again.';

create table vouch.mail_state (
  store_id text collate "C" primary key references vouch.store on delete cascade,
  installation text not null,
  seen_at timestamptz not null,
  paused_at timestamptz,
  pause_reason text,
  paused_by text,
  resumed_at timestamptz,
  resumed_by text,
  relay_down_at timestamptz,
  relay_problem text,
  tokens double precision not null default 0,
  refilled_at timestamptz not null default '-infinity',
  day date,
  claimed_that_day integer not null default 0,
  constraint mail_state_paused_has_a_reason check ((paused_at is null) = (pause_reason is null)),
  constraint mail_state_relay_down_has_a_problem check ((relay_down_at is null) = (relay_problem is null))
) with (fillfactor = 50);
comment on table vouch.mail_state is 'One row per store that ever sent: whether it may send, and how much of its limits is left.';
comment on column vouch.mail_state.installation is 'Cluster and database that sending was begun or confirmed in; elsewhere (restored, copied) sending pauses.';
comment on column vouch.mail_state.seen_at is 'When a worker was last here, by the machine''s clock, to the minute; not moved by vouch.set_clock_offset.';
comment on column vouch.mail_state.relay_down_at is 'Since when no worker gets a connection that takes mail; NULL: all is well. No attempt is burned meanwhile.';
comment on column vouch.mail_state.tokens is 'Mails that may be claimed at refilled_at under rate_per_minute.';

create table vouch.mail_domain (
  store_id text collate "C" not null references vouch.store on delete cascade,
  domain text collate "C" not null,
  failures integer not null,
  paused_until timestamptz not null,
  primary key (store_id, domain)
);
comment on table vouch.mail_domain is 'Receiving domains that asked for patience (421, 4.7.x, 4.4.x, 4.3.2): their mail waits, that of others does not. Gone after the next mail they take.';
comment on column vouch.mail_domain.failures is 'Pauses in a row: 5 minutes, doubled each time up to 4 hours.';
