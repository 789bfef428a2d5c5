-- SPDX-License-Identifier: MIT
-- The review form behind the mailed link: all delivered lines of one order on one page, no login.

create or replace function vouch.form_lines(p_store text, p_order text) returns jsonb
language plpgsql stable as $$
begin
  return (
    select coalesce(jsonb_agg(jsonb_strip_nulls(jsonb_build_object('line_id', l.line_id, 'product_id', l.product_id,
      'name', coalesce(l.name, p.name, l.product_id), 'url', coalesce(l.url, p.url), 'delivered_at', l.delivered_at,
      'review', (select jsonb_build_object('review_id', v.review_id, 'state', v.state, 'rating', r.rating, 'title', r.title, 'body', r.body,
                   'name', r.author_name)
                 from vouch.review v
                 join vouch.review_revision r on r.store_id = v.store_id and r.review_id = v.review_id and r.revision = v.revision
                 where v.store_id = p_store and v.order_id = p_order and v.line_id = l.line_id and v.state <> 'withdrawn'))) order by l.line_id), '[]')
    from vouch.order_line l
    left join vouch.product p on p.store_id = l.store_id and p.product_id = l.product_id
    where l.store_id = p_store and l.order_id = p_order and l.product_id is not null and l.delivered_at <= vouch.clock());
end
$$;

create or replace function vouch.form_view(p_store text, p_token_hash bytea) returns jsonb
language plpgsql stable security definer as $$
declare
  opened bigint := vouch.link_enter(p_store, 'review', p_token_hash, false);
begin
  return jsonb_build_object('request_id', r.request_id, 'order_id', r.order_id, 'locale', o.locale, 'name', c.name,
    'incentive', exists (select from vouch.discount_code d where d.store_id = p_store and d.order_id = r.order_id)
      or exists (select from vouch.discount_policy p where p.store_id = p_store),
    'lines', vouch.form_lines(p_store, r.order_id))
  from vouch.review_request r
  join vouch.sales_order o on o.store_id = r.store_id and o.order_id = r.order_id
  left join vouch.customer c on c.store_id = o.store_id and c.address_key = o.address_key
  where r.store_id = p_store and r.request_id = opened;
end
$$;
comment on function vouch.form_view is 'What the form shows; reading it changes and consumes nothing. NULL: the link opens nothing (any more).';

create or replace function vouch.form_submit(p_store text, p_token_hash bytea, p_reviews jsonb) returns jsonb
language plpgsql security definer as $$
declare
  opened bigint := vouch.link_enter(p_store, 'review', p_token_hash, true);
  about record;
  single jsonb;
  answers jsonb := '[]';
begin
  select o.order_id, o.customer_id, o.address_key into about from vouch.sales_order o
  where o.store_id = p_store
    and o.order_id = (select r.order_id from vouch.review_request r where r.store_id = p_store and r.request_id = opened)
  for no key update;
  if not found then
    return null;
  end if;
  for single in select e from jsonb_array_elements(p_reviews) e loop
    answers := answers || (vouch.form_review(p_store, about.order_id, about.customer_id, about.address_key, single) -> 'review'
      || jsonb_build_object('line_id', single ->> 'line_id'));
  end loop;
  return answers;
end
$$;
comment on function vouch.form_submit is
'Takes the reviews of one form, all or none; the lock on the order makes 200 posts of one form one review. Answers one {"review_id","state",…,"line_id"} each.';

create or replace function vouch.form_review(p_store text, p_order text, p_customer_id text, p_address_key bytea, p_words jsonb) returns jsonb
language plpgsql as $$
declare
  line vouch.order_line;
  known bigint;
  made record;
  body jsonb;
begin
  select l.* into line from vouch.order_line l
  where l.store_id = p_store and l.order_id = p_order and l.line_id = p_words ->> 'line_id' and l.delivered_at <= vouch.clock();
  if line.product_id is null then
    perform vouch.refuse('VO105', '/line_id', 'this line is not one of the delivered lines of the order');
  end if;
  select v.review_id into known from vouch.review v
  where v.store_id = p_store and v.order_id = p_order and v.line_id = line.line_id and v.state <> 'withdrawn';
  if known is not null then
    return vouch.review_revise(p_store, known, p_words, vouch.clock());
  end if;
  body := p_words || jsonb_build_object('product_id', line.product_id, 'order_id', p_order, 'line_id', line.line_id, 'customer_id', p_customer_id,
    'address_key', encode(p_address_key, 'hex'), 'claim', 'invited');
  made := vouch.review_create(p_store, body, 'invited', vouch.clock());
  return vouch.review_arrived(p_store, made.review_id, made.verified, body);
end
$$;
