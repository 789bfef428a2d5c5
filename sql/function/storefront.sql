-- SPDX-License-Identifier: MIT
-- What the storefront shows: published revisions only, newest first, each with its badge, disclosure and date of experience.

create or replace function vouch.rating_of(p_store text, p_product text) returns integer[]
language plpgsql stable as $$
begin
  return (
    select array_agg(coalesce(t.histogram[star], 0) + coalesce(c.change, 0)::integer order by star)
    from generate_series(1, 5) as star
    left join vouch.rating_total t on t.store_id = p_store and t.product_id = p_product
    left join (select c.rating, sum(c.change) as change from vouch.rating_change c
               where c.store_id = p_store and c.product_id = p_product group by c.rating) c on c.rating = star);
end
$$;
comment on function vouch.rating_of is 'Published reviews of a product by stars 1 to 5: the folded total and what is not folded yet.';

create or replace function vouch.rating_json(p_histogram integer[]) returns jsonb
language plpgsql immutable as $$
begin
  return (
    select jsonb_build_object('count', sum(n), 'average', round(sum(n * star) / nullif(sum(n), 0)::numeric, 2), 'histogram', to_jsonb(p_histogram))
    from unnest(p_histogram) with ordinality as h (n, star));
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

create or replace function vouch.storefront_reviews(
  p_store text, p_product text, p_before_at timestamptz, p_before_id bigint, p_limit integer
) returns jsonb
language plpgsql stable security definer as $$
begin
  perform vouch.enter(p_store);
  return jsonb_build_object('product_id', p_product, 'product', vouch.product_name(p_store, p_product),
    'summary', vouch.rating_json(vouch.rating_of(p_store, p_product)),
    'reviews', (
      select coalesce(jsonb_agg(to_jsonb(x) order by x.published_at desc, x.review_id desc), '[]')
      from (
        select v.review_id, r.rating, r.title, r.body, r.author_name as author, r.locale, v.verified, v.experience_at, v.written_at,
          v.published_at, v.invited, v.incentivised, to_jsonb(r.labels) as labels,
          vouch.line_refunded(p_store, v.order_id, v.line_id) as refunded,
          (select jsonb_build_object('body', y.body, 'replied_at', y.replied_at) from vouch.review_reply y
           where y.store_id = p_store and y.review_id = v.review_id order by y.reply_id desc limit 1) as reply,
          (select true from vouch.review_revision e
           where e.store_id = p_store and e.review_id = v.review_id and e.state = 'superseded' limit 1) is not null as edited
        from (
          select * from vouch.review v
          where v.store_id = p_store and v.product_id = p_product and v.state = 'published'
            and (p_before_id is null or (v.published_at, v.review_id) < (p_before_at, p_before_id))
          order by v.published_at desc, v.review_id desc limit p_limit) as v
        cross join lateral (select * from vouch.review_revision r
          where r.store_id = p_store and r.review_id = v.review_id and r.revision = v.published_revision offset 0) as r
      ) x));
end
$$;
comment on function vouch.storefront_reviews is 'A page of a product''s published reviews, newest first, by keyset, with the summary. No filter by stars stands between a reader and a low rating.';
