-- People: updates, opt-out, erasure, export.

create or replace function vouch.customer_update(p_store text, p_body jsonb, p_time timestamptz) returns jsonb
language plpgsql set search_path = '' as $$
declare
  known_at timestamptz := coalesce(p_time, vouch.clock());
begin
  if exists (select from vouch.erasure x where x.store_id = p_store and x.erased_at >= known_at
             and x.subject_key in (decode(p_body ->> 'address_key', 'hex'), decode(p_body ->> 'customer_key', 'hex'))) then
    return null;
  end if;
  insert into vouch.customer as c (store_id, address_key, customer_id, email, name, locale, marketing_consent, updated_at)
  select p_store, decode(p_body ->> 'address_key', 'hex'), p_body ->> 'customer_id', p_body ->> 'email', p_body ->> 'name',
    p_body ->> 'locale', (p_body ->> 'marketing_consent')::boolean, known_at
  where p_body ? 'address_key'
  on conflict (store_id, address_key) do update set
    customer_id = coalesce(excluded.customer_id, c.customer_id), email = excluded.email, name = coalesce(excluded.name, c.name),
    locale = coalesce(excluded.locale, c.locale), marketing_consent = coalesce(excluded.marketing_consent, c.marketing_consent),
    updated_at = excluded.updated_at, erased_at = null
  where c.updated_at <= excluded.updated_at;
  update vouch.customer c set name = coalesce(p_body ->> 'name', c.name), locale = coalesce(p_body ->> 'locale', c.locale),
    marketing_consent = coalesce((p_body ->> 'marketing_consent')::boolean, c.marketing_consent), updated_at = known_at
  where c.store_id = p_store and not p_body ? 'address_key' and c.customer_id = p_body ->> 'customer_id' and c.updated_at <= known_at;
  return null;
end
$$;
comment on function vouch.customer_update is 'customer.updated: by address, or by the store''s id for every address known under it; an older fact changes nothing.';

create or replace function vouch.customer_keys(p_store text, p_body jsonb) returns bytea[]
language sql stable set search_path = '' as $$
  select coalesce(array_agg(distinct k.key order by k.key), '{}') from (
    select decode(p_body ->> 'address_key', 'hex') as key where p_body ? 'address_key'
    union all
    select c.address_key from vouch.customer c where c.store_id = p_store and c.customer_id = p_body ->> 'customer_id'
    union all
    select o.address_key from vouch.sales_order o where o.store_id = p_store and o.customer_id = p_body ->> 'customer_id' and o.address_key is not null
  ) k
$$;
comment on function vouch.customer_keys is 'Every address key a person is known under, from an address or the store''s id.';

create or replace function vouch.customer_unsubscribe(p_store text, p_body jsonb) returns jsonb
language plpgsql set search_path = '' as $$
begin
  perform vouch.unsubscribe(p_store, k.key) from unnest(vouch.customer_keys(p_store, p_body)) as k (key);
  return null;
end
$$;

create or replace function vouch.customer_erase(p_store text, p_body jsonb) returns jsonb
language plpgsql set search_path = '' as $$
declare
  keys bytea[] := vouch.customer_keys(p_store, p_body);
  gone timestamptz := vouch.clock();
  erased integer;
begin
  insert into vouch.erasure as x (store_id, subject_key, erased_at)
  select p_store, k.key, gone from unnest(keys || decode(p_body ->> 'customer_key', 'hex')) as k (key) where k.key is not null order by k.key
  on conflict (store_id, subject_key) do update set erased_at = excluded.erased_at;
  perform from vouch.sales_order o where o.store_id = p_store
    and (o.address_key = any (keys) or o.customer_id = p_body ->> 'customer_id') order by o.order_id for update;
  perform vouch.author_erase(p_store, v.review_id, coalesce((p_body ->> 'words')::boolean, false))
  from vouch.review v
  where v.store_id = p_store and (v.address_key = any (keys) or v.customer_id = p_body ->> 'customer_id') and v.erased_at is null;
  get diagnostics erased = row_count;
  update vouch.sales_order o set customer_id = null, address_key = null
  where o.store_id = p_store and (o.address_key = any (keys) or o.customer_id = p_body ->> 'customer_id');
  delete from vouch.link_token t where t.store_id = p_store and t.purpose <> 'unsubscribe' and (t.address_key = any (keys));
  update vouch.confirmation c set state = 'lapsed', settled_at = gone
  where c.store_id = p_store and c.address_key = any (keys) and c.state = 'pending';
  update vouch.event e set data = null
  from vouch.customer c
  where c.store_id = p_store and c.address_key = any (keys) and e.store_id = p_store and e.state = 'ignored'
    and (position(lower(c.email) in lower(e.data)) > 0);
  update vouch.customer c set email = null, name = null, customer_id = null, erased_at = gone, updated_at = gone
  where c.store_id = p_store and c.address_key = any (keys);
  return jsonb_build_object('erased', jsonb_build_object('reviews', erased));
end
$$;
comment on function vouch.customer_erase is
'customer.erased: name, address and contact go everywhere at once, mail already queued included; stars stay, anonymous; the words go with {"words": true}. Keyed tombstones keep older events from bringing the person back.';

create or replace function vouch.author_erase(p_store text, p_review bigint, p_words boolean) returns void
language plpgsql set search_path = '' as $$
begin
  update vouch.review_revision r set author_name = null, salt = null, erased_at = vouch.clock(),
    title = case when not p_words then r.title end, body = case when not p_words then r.body end,
    marks = case when p_words then '[]' else r.marks end
  where r.store_id = p_store and r.review_id = p_review;
  delete from vouch.decision_note n using vouch.review_decision d
  where n.store_id = p_store and d.store_id = p_store and d.review_id = p_review and n.decision_id = d.decision_id and p_words;
  update vouch.review v set customer_id = null, address_key = null, erased_at = vouch.clock()
  where v.store_id = p_store and v.review_id = p_review;
  perform vouch.decision_record(r, 'erase', r.state, 'author', true, null, null)
  from vouch.review_revision r
  join vouch.review v on v.store_id = r.store_id and v.review_id = r.review_id and v.revision = r.revision
  where r.store_id = p_store and r.review_id = p_review;
end
$$;
comment on function vouch.author_erase is 'Makes a review anonymous; its salt goes with the name, so that the record no longer points at anybody.';

create or replace function vouch.customer_export(p_store text, p_customer_id text, p_address_key bytea) returns jsonb
language sql stable set search_path = '' as $$
  with person as (
    select vouch.customer_keys(p_store, jsonb_strip_nulls(jsonb_build_object('customer_id', p_customer_id, 'address_key', encode(p_address_key, 'hex')))) as keys
  )
  select jsonb_build_object(
    'customers', (select coalesce(jsonb_agg(to_jsonb(c) - 'store_id' - 'address_key'), '[]') from vouch.customer c, person
                  where c.store_id = p_store and c.address_key = any (keys)),
    'orders', (select coalesce(jsonb_agg(to_jsonb(o) - 'store_id' - 'address_key' || jsonb_build_object('lines', (
                 select jsonb_agg(to_jsonb(l) - 'store_id') from vouch.order_line l where l.store_id = p_store and l.order_id = o.order_id))), '[]')
               from vouch.sales_order o, person where o.store_id = p_store and (o.address_key = any (keys) or o.customer_id = p_customer_id)),
    'reviews', (select coalesce(jsonb_agg(to_jsonb(v) - 'store_id' - 'address_key' || jsonb_build_object(
                 'revisions', (select jsonb_agg(to_jsonb(r) - 'store_id' - 'salt' order by r.revision) from vouch.review_revision r
                               where r.store_id = p_store and r.review_id = v.review_id),
                 'decisions', (select jsonb_agg(to_jsonb(d) - 'store_id' - 'words_digest' - 'note_digest' || jsonb_build_object('note', n.note) order by d.decision_id)
                               from vouch.review_decision d
                               left join vouch.decision_note n on n.store_id = d.store_id and n.decision_id = d.decision_id
                               where d.store_id = p_store and d.review_id = v.review_id))), '[]')
                from vouch.review v, person where v.store_id = p_store and (v.address_key = any (keys) or v.customer_id = p_customer_id)),
    'mails', (select coalesce(jsonb_agg(jsonb_build_object('kind', m.kind, 'state', m.state, 'due_at', m.due_at, 'finished_at', m.finished_at)), '[]')
              from vouch.outgoing_mail m, person where m.store_id = p_store and m.address_key = any (keys)),
    'discounts', (select coalesce(jsonb_agg(vouch.discount_view(d) || jsonb_build_object('state', d.state)), '[]')
                  from vouch.discount_code d
                  join vouch.sales_order o on o.store_id = d.store_id and o.order_id = d.order_id, person
                  where d.store_id = p_store and (o.address_key = any (keys) or o.customer_id = p_customer_id)),
    'suppressions', (select coalesce(jsonb_agg(jsonb_build_object('reason', x.reason, 'since', x.since)), '[]')
                     from vouch.suppression x, person where x.store_id = p_store and x.address_key = any (keys)))
$$;
comment on function vouch.customer_export is 'Everything about one person in machine form (GDPR Art. 15, 20).';

create or replace function vouch.product_update(p_store text, p_body jsonb, p_time timestamptz) returns jsonb
language plpgsql set search_path = '' as $$
begin
  insert into vouch.product as p (store_id, product_id, name, url, image_url, gtin, brand, groups, updated_at)
  values (p_store, p_body ->> 'product_id', p_body ->> 'name', p_body ->> 'url', p_body ->> 'image_url', p_body ->> 'gtin', p_body ->> 'brand',
    (select array_agg(x) from jsonb_array_elements_text(p_body -> 'groups') x), coalesce(p_time, vouch.clock()))
  on conflict (store_id, product_id) do update set name = excluded.name, url = excluded.url, image_url = excluded.image_url,
    gtin = excluded.gtin, brand = excluded.brand, groups = excluded.groups, updated_at = excluded.updated_at
  where p.updated_at <= excluded.updated_at;
  return null;
end
$$;
