-- SPDX-License-Identifier: MIT
-- How often one network may knock at the public pages; shared by all processes of a store.

create table vouch.rate_limit (
  store_id text collate "C" not null,
  rule text not null
    constraint rate_limit_rule_is_known check (rule in ('form', 'miss', 'report')),
  most integer not null
    constraint rate_limit_most_leaves_people_room check (most between 20 and 1000000),
  period interval not null
    constraint rate_limit_period_is_sane check (period between interval '1 second' and interval '1 day'),
  primary key (store_id, rule)
);
comment on table vouch.rate_limit is 'What one network (an IPv4 address, an IPv6 /64) may do within a period; what is over it is answered 429.';
comment on column vouch.rate_limit.rule is 'form: forms sent from public pages, one-click unsubscribing excepted; miss: links tried that open nothing; report: reports about reviews.';
insert into vouch.rate_limit values ('*', 'form', 3000, '10 minutes'), ('*', 'miss', 2000, '1 hour'), ('*', 'report', 20, '1 hour');

create table vouch.rate_use (
  store_id text collate "C" not null,
  rule text not null,
  network_key bytea not null constraint rate_use_network_key_is_32_bytes check (length(network_key) = 32),
  since timestamptz not null,
  used integer not null,
  primary key (store_id, rule, network_key)
) with (fillfactor = 50);
create index rate_use_by_time on vouch.rate_use (store_id, since);
comment on table vouch.rate_use is 'What each network used of its limit in the period that began at since. Networks are known by a keyed hash and forgotten with their period.';
