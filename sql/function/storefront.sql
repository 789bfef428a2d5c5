-- SPDX-License-Identifier: MIT
-- What the storefront shows: published revisions only, newest first, each with its badge, disclosure and date of experience.

create or replace function vouch.rating_of(p_store text, p_product text) returns integer[]
language plpgsql stable as $$
declare
  bars integer[] := coalesce(
    (select t.histogram from vouch.rating_total t where t.store_id = p_store and t.product_id = p_product), '{0,0,0,0,0}');
  tail record;
begin
  for tail in
    select c.rating, sum(c.change)::integer as change from vouch.rating_change c
    where c.store_id = p_store and c.product_id = p_product group by c.rating
  loop
    bars[tail.rating] := bars[tail.rating] + tail.change;
  end loop;
  return bars;
end
$$;
comment on function vouch.rating_of is 'Published reviews of a product by stars 1 to 5: the folded total and what is not folded yet.';

create or replace function vouch.rating_json(p_histogram integer[]) returns jsonb
language plpgsql immutable as $$
declare
  n bigint := p_histogram[1] + p_histogram[2] + p_histogram[3] + p_histogram[4] + p_histogram[5];
begin
  return jsonb_build_object('count', n, 'average', round((p_histogram[1] + 2 * p_histogram[2] + 3 * p_histogram[3] + 4 * p_histogram[4]
    + 5 * p_histogram[5])::numeric / nullif(n, 0), 2), 'histogram', p_histogram);
end
$$;

create or replace function vouch.rating_event(p_store text, p_product text) returns jsonb
language plpgsql stable as $$
begin
  return (
    select jsonb_build_object('rating', jsonb_build_object('product_id', p_product) || vouch.rating_json(vouch.rating_of(p_store, p_product))));
end
$$;

create or replace function vouch.rating_fold(p_store text, p_limit integer) returns integer
language plpgsql security definer as $$
declare
  folded integer;
begin
  perform vouch.enter(p_store);
  with taken as (
    delete from vouch.rating_change c
    where c.store_id = p_store and c.change_id = any (array(
      select q.change_id from vouch.rating_change q where q.store_id = p_store order by q.change_id limit p_limit for update skip locked))
    returning c.product_id, c.rating, c.change
  ), summed as (
    select t.product_id, array[sum(change) filter (where rating = 1), sum(change) filter (where rating = 2), sum(change) filter (where rating = 3),
      sum(change) filter (where rating = 4), sum(change) filter (where rating = 5)] as change, count(*) as n
    from taken t group by t.product_id order by t.product_id
  ), kept as (
    insert into vouch.rating_total as t (store_id, product_id, histogram)
    select p_store, s.product_id, array(select coalesce(x, 0)::integer from unnest(s.change) with ordinality as u (x, i) order by i) from summed s
    on conflict (store_id, product_id) do update set
      histogram = array(select a + b from unnest(t.histogram, excluded.histogram) with ordinality as u (a, b, i) order by i)
    returning 1
  )
  select coalesce(sum(s.n), 0) into folded from summed s;
  return folded;
end
$$;
comment on function vouch.rating_fold is 'Folds appended rating changes into the totals, one statement, so that every reader sees before or after.';

create or replace function vouch.line_refunded(p_store text, p_order text, p_line text) returns boolean
language plpgsql stable as $$
begin
  return coalesce(
      (select l.refunded_at is not null from vouch.order_line l where l.store_id = p_store and l.order_id = p_order and l.line_id = p_line), false)
    or coalesce((select vouch.order_refunded(o) or o.partly_refunded_at is not null from vouch.sales_order o
                 where o.store_id = p_store and o.order_id = p_order), false);
end
$$;
comment on function vouch.line_refunded is 'Whether money went back for this line or its order: a label of the review, no more.';

create or replace function vouch.review_refund_known() returns trigger
language plpgsql as $$
begin
  new.refunded := vouch.line_refunded(new.store_id, new.order_id, new.line_id);
  return new;
end
$$;
create or replace trigger review_refund_known before insert or update of order_id, line_id on vouch.review
  for each row when (new.order_id is not null) execute function vouch.review_refund_known();

create or replace function vouch.order_refund_labels() returns trigger
language plpgsql as $$
begin
  update vouch.review v set refunded = vouch.line_refunded(v.store_id, v.order_id, v.line_id)
  where v.store_id = new.store_id and v.order_id = new.order_id;
  return null;
end
$$;
comment on function vouch.order_refund_labels is 'A refund that comes after the review becomes its label.';
create or replace trigger order_refund_labels after update on vouch.sales_order for each row
  when ((old.refunded_at, old.partly_refunded_at, old.refunded_amount) is distinct from (new.refunded_at, new.partly_refunded_at, new.refunded_amount))
  execute function vouch.order_refund_labels();
create or replace trigger order_refund_labels after update on vouch.order_line for each row
  when (old.refunded_at is distinct from new.refunded_at) execute function vouch.order_refund_labels();

create or replace function vouch.public_name(p_name text) returns text
language plpgsql immutable as $$
begin
  return case when strpos(p_name, '@') = 0 or p_name !~ '[^[:space:]<>(),;:"]@[^[:space:]<>(),;:"]' then p_name end;
end
$$;
comment on function vouch.public_name is 'The name shown beside a review; a mail address is never shown, whoever sent it as a name.';

create or replace function vouch.review_shown(v vouch.review, r vouch.review_revision, p_reply json) returns json
language sql stable
return pg_catalog.json_build_object('review_id', (v).review_id, 'rating', (r).rating,
  'title', case when (r).redactions = '[]' then (r).title else vouch.shown_text((r).redactions, 'title', (r).title) end,
  'body', case when (r).redactions = '[]' then (r).body else vouch.shown_text((r).redactions, 'body', (r).body) end,
  'author', case when (r).redactions = '[]' and strpos((r).author_name, '@') = 0 then (r).author_name
    else vouch.public_name(vouch.shown_text((r).redactions, 'author_name', (r).author_name)) end,
  'locale', (r).locale, 'verified', (v).verified, 'labels', pg_catalog.to_json((r).labels),
  'experience_at', (v).experience_at, 'written_at', (v).written_at, 'published_at', (v).published_at, 'edited', (r).revision > 1,
  'invited', (v).invited, 'incentivised', (v).incentivised, 'refunded', (v).refunded, 'reply', p_reply);
comment on function vouch.review_shown is
'A published review as every output shows it: the words never without badge, disclosure and date of experience. The one place that says which fields are public.';

create or replace function vouch.product_shown(p_store text, p_product text) returns jsonb
language plpgsql stable as $$
declare
  p record;
begin
  select x.name, x.url, x.image_url, x.gtin, x.brand into p from vouch.product x where x.store_id = p_store and x.product_id = p_product;
  return jsonb_strip_nulls(jsonb_build_object('name', coalesce(p.name, vouch.product_name(p_store, p_product)),
    'url', p.url, 'image_url', p.image_url, 'gtin', p.gtin, 'brand', p.brand));
end
$$;
comment on function vouch.product_shown is 'What is said of a product in public: always a name, and the address, picture, GTIN and brand where product.updated told them.';

create or replace function vouch.reviews_found(
  p_store text, p_product text, p_before_at timestamptz, p_before_id bigint, p_limit integer, p_stars bigint[], p_language text, p_verified boolean
) returns setof vouch.review
language plpgsql stable as $$
declare
  before_at timestamptz := coalesce(p_before_at, 'infinity');
  before_id bigint := coalesce(p_before_id, 0);
begin
  if num_nonnulls(p_stars, p_language, p_verified) = 0 then
    return query
      select v.* from vouch.review v
      where v.store_id = p_store and v.product_id = p_product and v.state = 'published'
        and (v.published_at, v.review_id) < (before_at, before_id)
      order by v.published_at desc, v.review_id desc limit p_limit;
  else
    return query
      select v.* from (
        select k.review_id from vouch.review k
        where k.store_id = p_store and k.product_id = p_product and k.state = 'published'
          and (k.published_at, k.review_id) < (before_at, before_id)
          and (p_stars is null or k.shown_rating = any (p_stars))
          and (p_language is null or k.shown_language = p_language)
          and (p_verified is null or k.verified = p_verified)
        order by k.published_at desc, k.review_id desc limit p_limit) as k
      cross join lateral (select * from vouch.review v where v.store_id = p_store and v.review_id = k.review_id offset 0) as v;
  end if;
end
$$;
comment on function vouch.reviews_found is
'A page of published reviews. The place to go on from is a plain value (row-level security keeps a coalesce() out of an index condition) and so a condition on the index whatever the plan: a deep page costs what the first does; filters look at the index alone.';

create or replace function vouch.storefront_reviews(
  p_store text, p_product text, p_before_at timestamptz, p_before_id bigint, p_limit integer,
  p_stars bigint[] default null, p_language text default null, p_verified boolean default null
) returns json
language plpgsql stable security definer as $$
declare
  bars integer[];
  found json;
begin
  perform vouch.enter(p_store);
  bars := vouch.rating_of(p_store, p_product);
  if p_limit > 0 and (p_stars is null or (select sum(bars[star]) > 0 from unnest(p_stars) as star)) then
    found := (
      select json_agg(vouch.review_shown(v, r, (select json_build_object('body', y.body, 'replied_at', y.replied_at) from vouch.review_reply y
          where y.store_id = p_store and y.review_id = v.review_id order by y.reply_id desc limit 1))
        order by v.published_at desc, v.review_id desc)
      from vouch.reviews_found(p_store, p_product, p_before_at, p_before_id, p_limit, p_stars, p_language, p_verified) as v
      cross join lateral (select * from vouch.review_revision r
        where r.store_id = p_store and r.review_id = v.review_id and r.revision = v.published_revision offset 0) as r);
  end if;
  return json_build_object('product_id', p_product, 'product', vouch.product_shown(p_store, p_product),
    'summary', vouch.rating_json(bars), 'reviews', coalesce(found, '[]'));
end
$$;
comment on function vouch.storefront_reviews is
'A page of a product''s published reviews, newest first, by keyset, with the summary of all of them. Filters are the reader''s own; without one nothing stands between him and a low rating.';

create or replace function vouch.storefront_review(p_store text, p_review bigint) returns json
language plpgsql stable security definer as $$
declare
  v vouch.review;
  r vouch.review_revision;
begin
  perform vouch.enter(p_store);
  select x.* into v from vouch.review x where x.store_id = p_store and x.review_id = p_review and x.state = 'published';
  select x.* into r from vouch.review_revision x
  where x.store_id = p_store and x.review_id = p_review and x.revision = v.published_revision;
  if not found then
    return null;
  end if;
  return json_build_object('product_id', v.product_id, 'product', vouch.product_shown(p_store, v.product_id),
    'summary', vouch.rating_json(vouch.rating_of(p_store, v.product_id)),
    'review', vouch.review_shown(v, r,
      (select json_build_object('body', y.body, 'replied_at', y.replied_at) from vouch.review_reply y
       where y.store_id = p_store and y.review_id = v.review_id order by y.reply_id desc limit 1)));
end
$$;
comment on function vouch.storefront_review is 'One published review with its product, for the page of its own; NULL when it is not published (any more).';

create or replace function vouch.feed_reviews(
  p_store text, p_since timestamptz, p_until timestamptz, p_after_at timestamptz, p_after_id bigint, p_limit integer
) returns jsonb
language plpgsql stable security definer as $$
declare
  ids bigint[];
  until_at timestamptz;
  after_at timestamptz := coalesce(p_after_at, '-infinity');
  after_id bigint := coalesce(p_after_id, 0);
begin
  perform vouch.enter(p_store);
  until_at := coalesce(p_until, vouch.clock());
  if p_since is null then
    ids := array(select v.review_id from vouch.review v
      where v.store_id = p_store and v.review_id > after_id and v.state = 'published' order by v.review_id limit p_limit);
  else
    ids := array(select v.review_id from vouch.review v
      where v.store_id = p_store and v.state = 'published' and v.shown_at >= p_since and v.shown_at <= until_at
        and (v.shown_at, v.review_id) > (after_at, after_id)
      order by v.shown_at, v.review_id limit p_limit);
  end if;
  return jsonb_build_object('until', until_at, 'reviews', (
    select coalesce(jsonb_agg(vouch.review_shown(v, r, null)::jsonb || jsonb_build_object('shown_at', v.shown_at, 'product_id', v.product_id,
      'product', jsonb_build_object('name', coalesce(p.name, l.name, v.product_id)) || jsonb_strip_nulls(jsonb_build_object(
        'url', coalesce(p.url, l.url), 'gtin', p.gtin, 'brand', p.brand))) order by k.place), '[]')
    from unnest(ids) with ordinality as k (review_id, place)
    cross join lateral (select * from vouch.review v where v.store_id = p_store and v.review_id = k.review_id offset 0) as v
    cross join lateral (select * from vouch.review_revision r
      where r.store_id = p_store and r.review_id = v.review_id and r.revision = v.published_revision offset 0) as r
    left join lateral (select * from vouch.product n where n.store_id = p_store and n.product_id = v.product_id offset 0) as p on true
    left join lateral (select n.name, n.url from vouch.order_line n
      where n.store_id = p_store and n.order_id = v.order_id and n.line_id = v.line_id offset 0) as l on true));
end
$$;
comment on function vouch.feed_reviews is
'A piece of the product ratings feed: every published review by its id, or, with p_since, those that became visible or changed since, until p_until (given by the first piece). No stars are asked for.';
