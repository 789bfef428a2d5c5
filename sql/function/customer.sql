-- SPDX-License-Identifier: MIT
-- People: updates, opt-out, erasure, export.

create or replace function vouch.person_erased(p_store text, p_body jsonb, p_since timestamptz) returns boolean
language plpgsql stable as $$
begin
  return exists (select from vouch.erasure x where x.store_id = p_store and x.erased_at >= p_since
                 and x.subject_key in (decode(p_body ->> 'address_key', 'hex'), decode(p_body ->> 'customer_key', 'hex')));
end
$$;
comment on function vouch.person_erased is 'Whether the person an event of that time is about has been erased since.';

create or replace function vouch.customer_update(p_store text, p_body jsonb, p_time timestamptz) returns jsonb
language plpgsql as $$
declare
  known_at timestamptz := coalesce(p_time, vouch.clock());
  keys bytea[] := array[decode(p_body ->> 'address_key', 'hex')];
  known vouch.customer;
begin
  if vouch.person_erased(p_store, p_body, known_at) then
    return null;
  end if;
  if p_body ? 'address_key' then
    insert into vouch.customer (store_id, address_key, email, updated_at)
    values (p_store, decode(p_body ->> 'address_key', 'hex'), p_body ->> 'email', known_at)
    on conflict (store_id, address_key) do nothing;
  else
    keys := vouch.customer_keys(p_store, p_body);
  end if;
  for known in
    select c.* from (select unnest(keys) as key order by 1) k
    cross join lateral (select n.* from vouch.customer n where n.store_id = p_store and n.address_key = k.key offset 0) as c
  loop
    perform vouch.people_merge(p_store, null, null, array[1], array[known_at], array[known.address_key], array[p_body ->> 'customer_id'],
      array[coalesce(p_body ->> 'email', known.email)], array[p_body ->> 'name'], array[p_body ->> 'locale'],
      array[(p_body ->> 'marketing_consent')::boolean]);
  end loop;
  return null;
end
$$;
comment on function vouch.customer_update is 'customer.updated: by address, or by the store''s id for every address known under it; of each detail the newest that was said stays.';

create or replace function vouch.customer_keys(p_store text, p_body jsonb) returns bytea[]
language plpgsql stable as $$
declare
  id text := p_body ->> 'customer_id';
begin
  return array(
    select decode(p_body ->> 'address_key', 'hex') where p_body ? 'address_key'
    union
    select c.address_key from vouch.customer c where c.store_id = p_store and c.customer_id = id
    union
    select o.address_key from vouch.sales_order o where o.store_id = p_store and o.customer_id = id and o.address_key is not null
    union
    select v.address_key from vouch.review v where v.store_id = p_store and v.customer_id = id and v.address_key is not null
    order by 1);
end
$$;
comment on function vouch.customer_keys is 'Every address key a person is known under, from an address or the store''s id.';

create or replace function vouch.customer_ids(p_store text, p_body jsonb) returns text[]
language plpgsql stable as $$
declare
  key bytea := decode(p_body ->> 'address_key', 'hex');
begin
  return array(
    select p_body ->> 'customer_id' where p_body ? 'customer_id'
    union
    select c.customer_id from vouch.customer c where c.store_id = p_store and c.address_key = key and c.customer_id is not null
    union
    select o.customer_id from vouch.sales_order o where o.store_id = p_store and o.address_key = key and o.customer_id is not null);
end
$$;
comment on function vouch.customer_ids is 'Every id of the store''s own a person is known under, from an address or one of them.';

create or replace function vouch.person_keys(p_store text, p_body jsonb) returns bytea[]
language plpgsql stable as $$
begin
  return array(
    select unnest(vouch.customer_keys(p_store, p_body))
    union
    select unnest(vouch.customer_keys(p_store, jsonb_build_object('customer_id', i.id))) from unnest(vouch.customer_ids(p_store, p_body)) as i (id)
    order by 1);
end
$$;
comment on function vouch.person_keys is 'All address keys of the person behind an address or an id, other addresses of the same account included; for erasure and export.';

create or replace function vouch.customer_erase(p_store text, p_body jsonb) returns jsonb
language plpgsql as $$
declare
  keys bytea[] := vouch.person_keys(p_store, p_body);
  ids text[] := vouch.customer_ids(p_store, p_body);
  gone timestamptz := vouch.clock() + (clock_timestamp() - now()); -- later than whatever waited at the gate
  orders text[];
  reviews bigint[];
begin
  insert into vouch.erasure as x (store_id, subject_key, erased_at)
  select p_store, k.key, gone from unnest(keys || decode(p_body ->> 'customer_key', 'hex')) as k (key) where k.key is not null
  group by k.key order by k.key
  on conflict (store_id, subject_key) do update set erased_at = excluded.erased_at;
  orders := array(select o.order_id from vouch.sales_order o where o.store_id = p_store and o.address_key = any (keys)
                  union select o.order_id from vouch.sales_order o where o.store_id = p_store and o.customer_id = any (ids) order by 1);
  perform from vouch.sales_order o where o.store_id = p_store and o.order_id = any (orders) order by o.order_id for no key update;
  perform from vouch.customer c where c.store_id = p_store and c.address_key = any (keys) order by c.address_key for no key update;
  reviews := array(select v.review_id from vouch.review v where v.store_id = p_store and v.address_key = any (keys)
                   union select v.review_id from vouch.review v where v.store_id = p_store and v.customer_id = any (ids) order by 1);
  perform vouch.copies_erase(p_store, keys, ids, p_body ->> 'email');
  perform vouch.author_erase(p_store, r.review_id, coalesce((p_body ->> 'words')::boolean, false))
  from unnest(reviews) as r (review_id);
  perform vouch.links_erase(p_store, orders, reviews, gone), vouch.case_erase(p_store, reviews);
  update vouch.sales_order o set customer_id = null, customer_key = null, address_key = null where o.store_id = p_store and o.order_id = any (orders);
  update vouch.customer c set email = null, name = null, customer_id = null, customer_id_at = null, name_at = null, locale_at = null,
    consent_at = null, locale = null, marketing_consent = null, erased_at = gone, updated_at = gone
  where c.store_id = p_store and c.address_key = any (keys);
  return jsonb_build_object('erased', jsonb_build_object('reviews', cardinality(reviews)));
end
$$;
comment on function vouch.customer_erase is
'customer.erased: name, address and contact go everywhere at once, mail already queued included; stars stay, anonymous; the words go with {"words": true}. Keyed tombstones keep older events from bringing the person back. Runs alone in its store, see vouch.gate().';

create or replace function vouch.copies_erase(p_store text, p_keys bytea[], p_ids text[], p_email text) returns void
language plpgsql as $$
declare
  addresses text[] := array(
    select lower(c.email) from vouch.customer c where c.store_id = p_store and c.address_key = any (p_keys) and c.email is not null
    union select lower(p_email) where p_email is not null);
begin
  update vouch.event e set data = null
  from (select v.source, v.id, lower(v.data::jsonb::text) as seen from vouch.event v
        where v.store_id = p_store and v.state = 'ignored' and v.data is not null offset 0) as kept
  where e.store_id = p_store and e.source = kept.source and e.id = kept.id
    and (exists (select from unnest(addresses) as a where position(a in kept.seen) > 0)
         or exists (select from unnest(p_ids) as i where position(lower(to_jsonb(i)::text) in kept.seen) > 0));
  delete from vouch.link_token t where t.store_id = p_store and t.purpose = 'report' and t.subject_id = any (array(
    select r.report_id from vouch.review_report r where r.store_id = p_store and r.address_key = any (p_keys)));
  update vouch.appeal a set body = '[erased]' where a.store_id = p_store and a.report_id = any (array(
    select r.report_id from vouch.review_report r where r.store_id = p_store and r.address_key = any (p_keys)));
  update vouch.review_report r set name = null, email = null, url = null, explanation = '[erased]', address_key = null, told = false
  where r.store_id = p_store and r.address_key = any (p_keys) or r.store_id = p_store and (lower(r.email) = any (addresses)
    or exists (select from unnest(addresses) as a where position(a in lower(concat_ws(' ', r.explanation, r.url, r.name))) > 0));
  update vouch.send_attempt t set reply = null
  from vouch.outgoing_mail m
  where m.store_id = p_store and m.address_key = any (p_keys) and t.store_id = p_store and t.mail_id = m.mail_id and t.reply is not null;
end
$$;
comment on function vouch.copies_erase is 'Where a person''s address may stand a second time: events kept unread, notices they sent, what a relay answered.';

create or replace function vouch.links_erase(p_store text, p_orders text[], p_reviews bigint[], p_at timestamptz) returns void
language plpgsql as $$
begin
  update vouch.confirmation c set state = 'lapsed', settled_at = p_at
  where c.store_id = p_store and c.review_id = any (p_reviews) and c.state = 'pending';
  delete from vouch.link_token t where t.store_id = p_store and t.purpose = 'author' and t.subject_id = any (p_reviews);
  delete from vouch.link_token t where t.store_id = p_store and t.purpose = 'confirm'
    and t.subject_id = any (array(select c.confirmation_id from vouch.confirmation c where c.store_id = p_store and c.review_id = any (p_reviews)));
  delete from vouch.link_token t where t.store_id = p_store and t.purpose = 'review'
    and t.subject_id = any (array(select r.request_id from vouch.review_request r where r.store_id = p_store and r.order_id = any (p_orders)));
end
$$;
comment on function vouch.links_erase is 'No link mailed to an erased person opens anything any more, but the one to unsubscribe.';

create or replace function vouch.author_erase(p_store text, p_review bigint, p_words boolean) returns void
language plpgsql as $$
declare
  words vouch.review_revision;
begin
  perform from vouch.review v where v.store_id = p_store and v.review_id = p_review for no key update;
  for words in
    update vouch.review_revision r set author_name = null, salt = null, erased_at = vouch.clock(),
      title = case when not p_words then r.title end, body = case when not p_words then r.body end,
      marks = case when p_words then '[]' else r.marks end
    where r.store_id = p_store and r.review_id = p_review
    returning r.*
  loop
    words.digest := sha256(convert_to(vouch.revision_text(words), 'UTF8'));
    perform vouch.decision_record(words, 'erase', words.state, 'author', true, null, null);
  end loop;
  delete from vouch.decision_note n using vouch.review_decision d
  where n.store_id = p_store and d.store_id = p_store and d.review_id = p_review and n.decision_id = d.decision_id;
  update vouch.appeal a set body = '[erased]', explanation = case when a.explanation is not null then '[erased]' end
  where a.store_id = p_store and a.review_id = p_review and a.appellant = 'author';
  delete from vouch.arrival a using vouch.review v
  where v.store_id = p_store and v.review_id = p_review and a.store_id = p_store and a.key = v.address_key;
  delete from vouch.classifier_job j where j.store_id = p_store and j.review_id = p_review and p_words;
  delete from vouch.text_print t where t.store_id = p_store and t.review_id = p_review and p_words;
  update vouch.review v set customer_id = null, address_key = null, erased_at = vouch.clock()
  where v.store_id = p_store and v.review_id = p_review;
end
$$;
comment on function vouch.author_erase is
'Makes a review anonymous: names, notes and salts go, so that the record no longer points at anybody; what is left is put on record anew, so that nobody can change it either.';

create or replace function vouch.customer_export(p_store text, p_customer_id text, p_address_key bytea) returns jsonb
language sql stable as $$
  with person as (
    select vouch.person_keys(p_store, b.body) as keys, vouch.customer_ids(p_store, b.body) as ids
    from (select jsonb_strip_nulls(jsonb_build_object('customer_id', p_customer_id, 'address_key', encode(p_address_key, 'hex'))) as body) b
  )
  select jsonb_build_object(
    'customers', (select coalesce(jsonb_agg(to_jsonb(c) - 'store_id' - 'address_key'), '[]') from vouch.customer c, person
                  where c.store_id = p_store and c.address_key = any (keys)),
    'orders', (select coalesce(jsonb_agg(to_jsonb(o) - 'store_id' - 'address_key' || jsonb_build_object('lines', (
                 select jsonb_agg(to_jsonb(l) - 'store_id') from vouch.order_line l where l.store_id = p_store and l.order_id = o.order_id))), '[]')
               from vouch.sales_order o, person where o.store_id = p_store and (o.address_key = any (keys) or o.customer_id = any (ids))),
    'reviews', (select coalesce(jsonb_agg(to_jsonb(v) - 'store_id' - 'address_key' || jsonb_build_object(
                 'revisions', (select jsonb_agg(to_jsonb(r) - 'store_id' - 'salt' order by r.revision) from vouch.review_revision r
                               where r.store_id = p_store and r.review_id = v.review_id),
                 'decisions', (select jsonb_agg(to_jsonb(d) - 'store_id' - 'words_digest' - 'note_digest' || jsonb_build_object('note', n.note) order by d.decision_id)
                               from vouch.review_decision d
                               left join vouch.decision_note n on n.store_id = d.store_id and n.decision_id = d.decision_id
                               where d.store_id = p_store and d.review_id = v.review_id),
                 'appeals', (select jsonb_agg(to_jsonb(a) - 'store_id' - 'decided_by' order by a.appeal_id) from vouch.appeal a
                             where a.store_id = p_store and a.review_id = v.review_id and a.appellant = 'author'))), '[]')
                from vouch.review v, person where v.store_id = p_store and (v.address_key = any (keys) or v.customer_id = any (ids))),
    'cases', (select coalesce(jsonb_agg(to_jsonb(k) - array['store_id', 'policy'] || jsonb_build_object(
                'thread', vouch.case_thread(p_store, k.case_id, true)) order by k.case_id), '[]')
              from vouch.case k join vouch.review v on v.store_id = k.store_id and v.review_id = k.review_id, person
              where k.store_id = p_store and (v.address_key = any (keys) or v.customer_id = any (ids))),
    'replies', (select coalesce(jsonb_agg(jsonb_build_object('review_id', y.review_id, 'body', y.body, 'replied_at', y.replied_at) order by y.reply_id), '[]')
                from vouch.review_reply y join vouch.review v on v.store_id = y.store_id and v.review_id = y.review_id, person
                where y.store_id = p_store and (v.address_key = any (keys) or v.customer_id = any (ids))),
    'reports', (select coalesce(jsonb_agg(to_jsonb(p) - 'store_id' - 'address_key' - 'decided_by' || jsonb_build_object('appeals', (
                  select jsonb_agg(to_jsonb(a) - 'store_id' - 'decided_by') from vouch.appeal a where a.store_id = p_store and a.report_id = p.report_id))), '[]')
                from vouch.review_report p, person where p.store_id = p_store and p.address_key = any (keys)),
    'mails', (select coalesce(jsonb_agg(jsonb_build_object('kind', m.kind, 'state', m.state, 'due_at', m.due_at, 'finished_at', m.finished_at)), '[]')
              from vouch.outgoing_mail m, person where m.store_id = p_store and m.address_key = any (keys)),
    'discounts', (select coalesce(jsonb_agg(vouch.discount_view(d) || jsonb_build_object('state', d.state)), '[]')
                  from vouch.discount_code d
                  join vouch.sales_order o on o.store_id = d.store_id and o.order_id = d.order_id, person
                  where d.store_id = p_store and (o.address_key = any (keys) or o.customer_id = any (ids))),
    'suppressions', (select coalesce(jsonb_agg(jsonb_build_object('reason', x.reason, 'since', x.since)), '[]')
                     from vouch.suppression x, person where x.store_id = p_store and x.address_key = any (keys)))
$$;
comment on function vouch.customer_export is 'Everything about one person in machine form (GDPR Art. 15, 20).';

create or replace function vouch.product_update(p_store text, p_body jsonb, p_time timestamptz) returns jsonb
language plpgsql as $$
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
