-- SPDX-License-Identifier: MIT
-- Events for the store, through vouch_take and vouch_ack.

create table vouch.outbox (
  store_id text collate "C" not null,
  number bigint generated always as identity,
  type text not null
    constraint outbox_type_is_known check (type in
      ('request.sent', 'discount.issued', 'review.published', 'review.held', 'review.rejected', 'review.withdrawn', 'rating.changed',
       'case.opened', 'case.overdue', 'case.closed', 'resolution.proposed')),
  data jsonb not null,
  created_at timestamptz not null,
  taken_until timestamptz,
  primary key (store_id, number)
);
comment on table vouch.outbox is 'Events the store has not yet acknowledged; an acknowledged one is deleted, and with it the only plain copy of a discount code.';
