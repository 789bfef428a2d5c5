-- SPDX-License-Identifier: MIT
-- What the operator console reads quickly at any size, and what it writes down.

create index review_waiting on vouch.review (store_id, product_id, review_id)
  where state in ('held', 'published') and published_revision is distinct from revision;
comment on index vouch.review_waiting is 'Reviews of a product whose newest revision is not the published one: the queue by product.';
create index review_of_product on vouch.review (store_id, product_id, review_id);
comment on index vouch.review_of_product is 'All reviews of a product, newest first: the console''s search.';

create table vouch.operator_action (
  store_id text collate "C" not null,
  action_id bigint generated always as identity,
  acted_at timestamptz not null,
  operator text not null,
  action text not null
    constraint operator_action_is_known check (action in ('set', 'remove', 'suppress', 'unsuppress')),
  subject text not null,
  before jsonb,
  after jsonb,
  primary key (store_id, action_id)
);
comment on table vouch.operator_action is 'Who changed which setting or suppression, append-only; decisions on reviews are in review_decision. No addresses: suppressions are named by address key.';
comment on column vouch.operator_action.subject is 'The configuration table, or suppression.';
comment on column vouch.operator_action.before is 'The row before; NULL when there was none.';
comment on column vouch.operator_action.after is 'The row after; NULL when it was removed.';
