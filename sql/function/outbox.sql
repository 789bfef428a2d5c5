-- SPDX-License-Identifier: MIT
-- Events for the store: taken under a lease, gone once acknowledged.

create or replace function vouch.outbox_add(p_store text, p_type text, p_data jsonb) returns void
language plpgsql as $$
declare
  added bigint;
begin
  insert into vouch.outbox as b (store_id, type, data, created_at) values (p_store, p_type, p_data, vouch.clock()) returning b.number into added;
  if exists (select from vouch.webhook w where w.store_id = p_store) then
    perform vouch.webhook_enqueue(p_store, added, p_type, p_data);
  end if;
end
$$;

create or replace function vouch.outbox_add_all(p_store text, p_type text, p_data jsonb[]) returns void
language plpgsql as $$
declare
  numbers bigint[];
begin
  with added as (
    insert into vouch.outbox as b (store_id, type, data, created_at)
    select p_store, p_type, u.data, vouch.clock() from unnest(p_data) with ordinality as u (data, n) order by u.n
    returning b.number
  )
  select array_agg(a.number order by a.number) into numbers from added a;
  if numbers is not null and exists (select from vouch.webhook w where w.store_id = p_store) then
    for i in 1 .. cardinality(numbers) loop
      perform vouch.webhook_enqueue(p_store, numbers[i], p_type, p_data[i]);
    end loop;
  end if;
end
$$;
comment on function vouch.outbox_add_all is 'Several events of one type, in this order.';

create or replace function vouch.outbox_take(p_store text) returns jsonb
language plpgsql security definer as $$
declare
  taken vouch.outbox;
begin
  perform vouch.enter(p_store);
  update vouch.outbox b set taken_until = vouch.clock() + interval '30 seconds'
  where b.store_id = p_store and b.number = (
    select q.number from vouch.outbox q
    where q.store_id = p_store and (q.taken_until is null or q.taken_until <= vouch.clock())
    order by q.number limit 1 for update skip locked)
  returning b.* into taken;
  if not found then
    return null;
  end if;
  return jsonb_build_object('specversion', '1.0', 'id', taken.store_id || ':' || taken.number, 'source', '/vouch/' || taken.store_id,
    'type', taken.type, 'time', to_char(taken.created_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'), 'store', taken.store_id,
    'datacontenttype', 'application/json', 'data',
    case when taken.type = 'rating.changed' then vouch.rating_event(p_store, taken.data #>> '{rating,product_id}') else taken.data end);
end
$$;
comment on function vouch.outbox_take is 'The oldest event nobody holds, as a CloudEvent, for 30 seconds; NULL when there is none. A rating is told as it is now, so that of two reviews published at once none is missed.';

create or replace function vouch.outbox_ack(p_store text, p_id text) returns boolean
language plpgsql security definer as $$
begin
  perform vouch.enter(p_store);
  delete from vouch.outbox b where b.store_id = p_store
    and b.number = case when p_id ~ '^[^:]+:[0-9]{1,18}$' and split_part(p_id, ':', 1) = p_store then split_part(p_id, ':', 2)::bigint end;
  return found;
end
$$;
comment on function vouch.outbox_ack is 'Forgets an event the store has handled. False: not there (any more); repeating is harmless.';
