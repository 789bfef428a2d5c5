-- SPDX-License-Identifier: MIT
-- What the operator console reads quickly at any size.

create index review_waiting on vouch.review (store_id, product_id, review_id)
  where state in ('held', 'published') and published_revision is distinct from revision;
comment on index vouch.review_waiting is 'Reviews of a product whose newest revision is not the published one: the queue by product.';
