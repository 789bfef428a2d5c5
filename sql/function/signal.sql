-- SPDX-License-Identifier: MIT
-- Reasons by comparison: copies, floods, staff; and what the outside classifier says. None of them knows the stars.

create or replace function vouch.text_copied(p_store text, p_review bigint, p_bands bigint[]) returns boolean
language plpgsql stable as $$
begin
  return exists (
    select from (
      select p.review_id, p.revision from unnest(p_bands) as w (band)
      cross join lateral (select t.review_id, t.revision from vouch.text_print t
        where t.store_id = p_store and t.band = w.band and t.review_id <> p_review order by t.review_id desc limit 8) as p
      group by p.review_id, p.revision having count(*) >= 2) as near
    join vouch.review v on v.store_id = p_store and v.review_id = near.review_id
    where v.state <> 'withdrawn');
end
$$;
comment on function vouch.text_copied is 'Whether another review of the store, of whatever product or author, has nearly the same text. Of equally near ones the newest eight a band are looked at.';

create or replace function vouch.flood_seen(p_store text, p_per text, p_key bytea) returns boolean
language plpgsql stable as $$
declare
  policy vouch.flood_policy;
  now_there bigint;
  usual bigint;
begin
  select p.* into policy from vouch.flood_policy p where p.store_id in (p_store, '*') and p.per = p_per
  order by p.store_id = p_store desc limit 1;
  if policy.most is null then
    return false;
  end if;
  select count(*) into now_there from (
    select from vouch.arrival a where a.store_id = p_store and a.key = p_key and a.arrived_at > vouch.clock() - policy.within
    limit 4 * policy.most + 1) as recent;
  if now_there <= policy.most or p_per <> 'product' then
    return now_there > policy.most;
  end if;
  select count(*) into usual from (
    select from vouch.arrival a where a.store_id = p_store and a.key = p_key
      and a.arrived_at between vouch.clock() - interval '28 days' and vouch.clock() - policy.within limit 40 * policy.most) as earlier;
  return now_there > 4 * usual * extract(epoch from policy.within) / extract(epoch from interval '28 days');
end
$$;
comment on function vouch.flood_seen is 'Whether more unverified reviews came from one client or address, or about one product, than flood_policy calls ordinary.';

create or replace function vouch.staff_known(p_store text, p_customer_id text, p_address_key bytea) returns boolean
language plpgsql stable as $$
declare
  mail text := (select lower(c.email) from vouch.customer c where c.store_id = p_store and c.address_key = p_address_key);
begin
  return exists (
    select from vouch.staff_identity s where s.store_id = p_store and case s.kind
      when 'customer' then s.value = p_customer_id
      when 'address' then lower(s.value) in (mail, regexp_replace(mail, '\+[^@]*@', '@'))
      when 'domain' then split_part(mail, '@', 2) = lower(s.value) or mail like '%.' || lower(s.value)
      else false end);
end
$$;
comment on function vouch.staff_known is 'Whether the author is one of staff_identity by customer id or by the address behind the key.';

create or replace function vouch.arrival_note(p_store text, p_review bigint, p_product text, p_address_key bytea, p_client_key bytea) returns boolean
language plpgsql as $$
declare
  came record;
  flood boolean := false;
begin
  for came in
    select k.per, k.key from (values ('client', p_client_key), ('address', p_address_key),
      ('product', sha256(convert_to('product:' || p_product, 'UTF8')))) as k (per, key) where k.key is not null
  loop
    insert into vouch.arrival (store_id, key, arrived_at, review_id) values (p_store, came.key, vouch.clock(), p_review) on conflict do nothing;
    flood := vouch.flood_seen(p_store, came.per, came.key) or flood;
  end loop;
  return flood;
end
$$;
comment on function vouch.arrival_note is 'Counts an unverified review; true when it is part of a flood.';

create or replace function vouch.signal_reasons(p_store text, p_review bigint, p_revision integer, p_words jsonb) returns text[]
language plpgsql as $$
declare
  known vouch.review;
  bands bigint[];
  found_reasons text[] := '{}';
begin
  select v.* into known from vouch.review v where v.store_id = p_store and v.review_id = p_review;
  if p_words ? 'print' then
    bands := array(select x::bigint from jsonb_array_elements_text(p_words -> 'print') x);
    if vouch.text_copied(p_store, p_review, bands) then
      found_reasons := found_reasons || 'duplicate_text'::text;
    end if;
    insert into vouch.text_print (store_id, band, review_id, revision) select p_store, b, p_review, p_revision from unnest(bands) b
    on conflict do nothing;
  end if;
  if p_revision = 1 and not known.verified and vouch.arrival_note(p_store, p_review, known.product_id, known.address_key,
      decode(p_words ->> 'client_key', 'hex')) then
    found_reasons := found_reasons || 'flood'::text;
  end if;
  if exists (select from vouch.staff_identity s where s.store_id = p_store)
      and vouch.staff_known(p_store, known.customer_id, known.address_key) then
    found_reasons := found_reasons || 'insider'::text;
  end if;
  return found_reasons;
end
$$;
comment on function vouch.signal_reasons is 'What comparing a revision with others tells, and remembers it for the next: duplicate_text, flood, insider. Looks at words, times and places.';

create or replace function vouch.classifier_queue(p_store text, p_review bigint, p_revision integer) returns void
language plpgsql as $$
begin
  insert into vouch.classifier_job (store_id, review_id, revision, due_at)
  select p_store, p_review, p_revision, vouch.clock() from vouch.classifier c where c.store_id = p_store on conflict do nothing;
end
$$;
comment on function vouch.classifier_queue is 'Has the outside classifier asked about a revision, where there is one.';

create or replace function vouch.classifier_claim(p_store text, p_limit integer)
returns table (review_id bigint, revision integer, words text, locale text)
language plpgsql security definer as $$
begin
  perform vouch.enter(p_store);
  delete from vouch.classifier_job j using (
    select d.review_id, d.revision from vouch.classifier_job d where d.store_id = p_store and d.attempts >= 5 and d.due_at <= vouch.clock()
    order by d.due_at limit p_limit for update skip locked) as past
  where j.store_id = p_store and j.review_id = past.review_id and j.revision = past.revision;
  return query
    update vouch.classifier_job j set attempts = j.attempts + 1, due_at = vouch.clock() + interval '1 minute' * 2 ^ j.attempts
    from (select d.review_id, d.revision from vouch.classifier_job d where d.store_id = p_store and d.due_at <= vouch.clock()
          order by d.due_at limit p_limit for update skip locked) as due
    join vouch.review_revision r on r.store_id = p_store and r.review_id = due.review_id and r.revision = due.revision
    where j.store_id = p_store and j.review_id = due.review_id and j.revision = due.revision
    returning j.review_id, j.revision, concat_ws(E'\n', r.title, r.body), r.locale;
end
$$;
comment on function vouch.classifier_claim is 'Revisions to ask the outside classifier about now. They come again after one, two, four … minutes unless classifier_settle ends them; five times at most.';

create or replace function vouch.classifier_settle(p_store text, p_review bigint, p_revision integer, p_score double precision) returns boolean
language plpgsql security definer as $$
declare
  policy vouch.hold_policy;
  words vouch.review_revision;
  verdict record;
begin
  perform vouch.enter(p_store);
  perform from vouch.review v where v.store_id = p_store and v.review_id = p_review for no key update;
  delete from vouch.classifier_job j where j.store_id = p_store and j.review_id = p_review and j.revision = p_revision;
  select r.* into words from vouch.review_revision r where r.store_id = p_store and r.review_id = p_review and r.revision = p_revision;
  if p_score is null or p_score < coalesce((select c.threshold from vouch.classifier c where c.store_id = p_store), 2)
      or exists (select from vouch.review_decision d where d.store_id = p_store and d.review_id = p_review and d.revision = p_revision and not d.automated) then
    return false;
  end if;
  policy := vouch.hold_policy_of(p_store, 'classifier');
  if words.state = 'published' and policy.action = 'hold' then
    verdict := vouch.hold_decide(p_store, array['classifier'] || words.labels);
    perform vouch.revision_move(p_store, p_review, p_revision, 'hold', 'vouch', true, null, null, verdict.deadline_at,
      array['classifier'], words.labels);
  else
    perform vouch.hold_note(p_store, p_review, 'classifier');
  end if;
  return true;
end
$$;
comment on function vouch.classifier_settle is 'What the outside classifier said of a revision; over the threshold it holds a published one, or joins the reasons of a hold, unless a person has decided meanwhile. NULL: it has nothing to say.';

create or replace function vouch.signal_sweep(p_store text, p_limit integer) returns integer
language plpgsql security definer as $$
declare
  gone integer;
begin
  perform vouch.enter(p_store);
  delete from vouch.arrival a using (
    select o.key, o.arrived_at, o.review_id from vouch.arrival o where o.store_id = p_store and o.arrived_at < vouch.clock() - interval '29 days'
    order by o.arrived_at limit p_limit) as old
  where a.store_id = p_store and a.key = old.key and a.arrived_at = old.arrived_at and a.review_id = old.review_id;
  get diagnostics gone = row_count;
  return gone;
end
$$;
comment on function vouch.signal_sweep is 'Forgets arrivals older than 29 days.';
