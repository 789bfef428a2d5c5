-- SPDX-License-Identifier: MIT
-- The named functions for people at psql, the console and vouchctl. Each ends in the same inner function as everything else.

create or replace function vouch.only_store() returns text
language sql stable security definer as $$
  select min(s.store_id) from vouch.store s having count(*) = 1
$$;

create or replace function vouch.acting_store() returns text
language sql stable as $$
  select coalesce(nullif(pg_catalog.current_setting('vouch.store', true), ''), vouch.only_store())
$$;
comment on function vouch.acting_store is 'The setting vouch.store; with none set and one store in the table, that one.';

create or replace function vouch.is_module() returns boolean
language sql stable as $$
  select pg_catalog.pg_has_role(session_user, 'vouch_module', 'member')
$$;
comment on function vouch.is_module is 'Whether the login behind this session acts for the module, and so may name another operator or store.';

create or replace function vouch.act(p_operator text, p_roles text[], out store text, out name text)
language plpgsql security definer as $$
declare
  held_role text;
begin
  store := vouch.acting_store();
  if store is null or not exists (select from vouch.store s where s.store_id = store) then
    perform vouch.refuse('VO202', '', 'which store? say: set vouch.store = ''main''');
  end if;
  perform vouch.enter(store);
  name := coalesce(nullif(btrim(p_operator), ''), session_user);
  if vouch.is_module() then
    return;
  end if;
  if name <> session_user then
    perform vouch.refuse('VO203', '/operator', format('you are %s; only the module may act for %s', session_user, name));
  end if;
  select o.role into held_role from vouch.operator o where o.store_id = store and o.name = session_user;
  if held_role is null or not held_role = any (p_roles) then
    perform vouch.refuse('VO203', '/operator', format('%s needs one of the roles %s in store %s, see table vouch.operator',
      session_user, array_to_string(p_roles, ', '), store));
  end if;
end
$$;
comment on function vouch.act is 'Who acts, in which store: checks session_user against table operator, unless the module speaks for somebody.';

create or replace function vouch.readable_stores() returns text[]
language sql stable security definer as $$
  select array(select o.store_id from vouch.operator o where o.name = session_user and o.role not in ('mediator', 'producer')
               and coalesce(nullif(current_setting('vouch.store', true), ''), o.store_id) = o.store_id) || '*'::text
$$;
comment on function vouch.readable_stores is 'The stores the person logged in may see: those table operator gives, and of them only the one vouch.store names; * are the shipped defaults. A mediator sees the one case named to them through mediation_view(), a producer nothing.';

create or replace function vouch.enter_as(p_store text) returns void
language plpgsql stable as $$
begin
  if not vouch.is_module() and not exists (select from vouch.operator o where o.store_id = p_store and o.name = session_user) then
    perform vouch.refuse('VO203', '/operator', format('%s is no operator of store %s, see table vouch.operator', session_user, p_store));
  end if;
  perform vouch.enter(p_store);
end
$$;
comment on function vouch.enter_as(text) is 'vouch.enter() for functions that people call as well: the module may name any store, others one of theirs.';

create or replace function vouch.queue_view(p_store text, p_after_at timestamptz, p_after_id bigint, p_limit integer) returns jsonb
language plpgsql stable security definer as $$
declare
  after_at timestamptz := coalesce(p_after_at, '-infinity');
  after_id bigint := coalesce(p_after_id, 0);
begin
  perform vouch.enter_as(p_store);
  return (
    select coalesce(jsonb_agg(to_jsonb(h) - 'store_id' order by h.deadline_at, h.review_id), '[]')
    from (select r.review_id, r.revision from vouch.review_revision r
          where r.store_id = p_store and r.state = 'held' and (r.deadline_at, r.review_id) > (after_at, after_id)
          order by r.deadline_at, r.review_id limit p_limit) as q
    cross join lateral (select * from vouch.held_review x
      where x.store_id = p_store and x.review_id = q.review_id and x.revision = q.revision offset 0) as h);
end
$$;
comment on function vouch.queue_view is
'A page of the moderation queue, nearest deadline first, by keyset. The place to go on from is a plain value: under row-level security PostgreSQL takes no coalesce() as a condition on an index.';

create or replace function vouch.decide(
  p_store text, p_review bigint, p_operator text, p_action text, p_ground text, p_note text, p_version bigint default null
) returns jsonb
language plpgsql security definer as $$
begin
  perform vouch.enter_as(p_store);
  if p_action = 'approve' then
    return vouch.approve(p_review, p_operator, p_note, p_version);
  elsif p_action = 'reject' then
    return vouch.reject(p_review, p_operator, p_ground, p_note, p_version);
  elsif p_action = 'undo' then
    return vouch.undo(p_review, p_operator, p_note, p_version);
  end if;
  perform vouch.refuse('VO106', '/action', format('%L is not a decision: approve, reject or undo', p_action));
end
$$;
comment on function vouch.decide is 'approve(), reject() and undo() with the store as an argument: vouchctl and the console.';

create or replace function vouch.health(p_store text) returns jsonb
language plpgsql stable security definer as $$
begin
  perform vouch.enter(p_store);
  return jsonb_build_object('clock_offset', (select i.clock_offset::text from vouch.installation i),
    'schema', (select max(m.number) from vouch.migration m), 'server', current_setting('server_version_num')::integer,
    'store_exists', exists (select from vouch.store s where s.store_id = p_store),
    'delivery', (select to_jsonb(d) - 'store_id' from vouch.delivery_health d where d.store_id = p_store),
    'held', (select count(*) from vouch.review_revision r where r.store_id = p_store and r.state = 'held'),
    'overdue_holds', (select count(*) from vouch.review_revision r where r.store_id = p_store and r.state = 'held' and r.deadline_at < vouch.clock()),
    'moderation', (select to_jsonb(h) - 'store_id' from vouch.moderation_health h where h.store_id = p_store),
    'scheduled', (select count(*) from vouch.review_request r where r.store_id = p_store and r.state = 'scheduled'),
    'unlinked', (select count(*) from vouch.record_pending w where w.store_id = p_store),
    'outbox', (select count(*) from vouch.outbox b where b.store_id = p_store));
end
$$;
comment on function vouch.health is 'What vouchctl check and /healthz look at.';

create or replace function vouch.approve(review_id bigint, operator text default null, note text default null, version bigint default null) returns jsonb
language plpgsql security definer as $$
declare
  actor record;
begin
  select a.* into actor from vouch.act(approve.operator, array['moderator', 'manager']) a;
  return vouch.review_decide(actor.store, approve.review_id, actor.name, 'approve', null, approve.note, approve.version);
end
$$;
comment on function vouch.approve is 'Publishes a held review, or one rejected before. Answers {"review":{…}} as it is now. version: that of held_review, if the decision is to count only for what the operator saw; VO205 tells who was quicker.';

create or replace function vouch.reject(review_id bigint, operator text, ground text, explanation text default null, version bigint default null) returns jsonb
language plpgsql security definer as $$
declare
  actor record;
begin
  select a.* into actor from vouch.act(reject.operator, array['moderator', 'manager']) a;
  perform vouch.ground_check(actor.store, reject.ground, reject.explanation);
  return vouch.review_decide(actor.store, reject.review_id, actor.name, 'reject', reject.ground, reject.explanation, reject.version);
end
$$;
comment on function vouch.reject is 'Refuses a held review or takes a published one down, on a ground of the closed list with its facts; the author is told and may appeal.';

create or replace function vouch.person_key(p_store text, p_email text) returns bytea
language plpgsql stable as $$
begin
  return (
    select c.address_key from vouch.customer c where c.store_id = p_store and lower(c.email) = lower(btrim(p_email)) limit 1);
end
$$;
comment on function vouch.person_key is 'The address key of a stored address, for people who have only the address at hand.';

create or replace function vouch.erase_customer(customer_id text default null, email text default null, words boolean default false) returns jsonb
language plpgsql security definer as $$
declare
  actor record;
begin
  actor := vouch.act(null, array['manager']);
  perform vouch.gate(actor.store, true);
  if erase_customer.customer_id is null and erase_customer.email is null then
    perform vouch.refuse('VO104', '/customer_id', 'erase whom? name a customer_id or an email');
  end if;
  return vouch.customer_erase(actor.store, jsonb_strip_nulls(jsonb_build_object('customer_id', erase_customer.customer_id,
    'address_key', encode(vouch.person_key(actor.store, erase_customer.email), 'hex'),
    'email', erase_customer.email, 'words', erase_customer.words)));
end
$$;
comment on function vouch.erase_customer is
'Erases a person (GDPR Art. 17): name, address and contact everywhere; the words of the reviews only when asked for; stars stay, anonymous. By the store''s customer id or a stored address; an address Vouch never stored is erased by the event customer.erased, which leaves the tombstone.';

create or replace function vouch.export_customer(customer_id text default null, email text default null) returns jsonb
language plpgsql security definer as $$
declare
  actor record;
begin
  select a.* into actor from vouch.act(null, array['manager']) a;
  return vouch.customer_export(actor.store, export_customer.customer_id, vouch.person_key(actor.store, export_customer.email));
end
$$;
comment on function vouch.export_customer is 'All that is stored about a person, as JSON (GDPR Art. 15, 20).';
