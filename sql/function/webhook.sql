-- SPDX-License-Identifier: MIT
-- Deliveries of events to webhooks: enqueued with the event, claimed under a lease, tried again with growing pauses.

create or replace function vouch.webhook_enqueue(p_store text, p_number bigint, p_type text, p_data jsonb) returns void
language plpgsql as $$
begin
  insert into vouch.webhook_delivery (store_id, webhook, message_id, type, payload, created_at, due_at)
  select p_store, w.name, p_store || ':' || p_number || ':' || w.name, p_type, jsonb_build_object('specversion', '1.0', 'id', p_store || ':' || p_number,
      'source', '/vouch/' || p_store, 'type', p_type, 'time', to_char(vouch.clock() at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'),
      'store', p_store, 'datacontenttype', 'application/json', 'data', p_data), vouch.clock(), vouch.clock()
  from vouch.webhook w
  where w.store_id = p_store and w.active
    and (p_type = any (w.types) or '*' = any (w.types) and p_type not in ('discount.issued', 'rating.changed'));
end
$$;
comment on function vouch.webhook_enqueue is 'One delivery for each active webhook that wants this type, in the transaction of the event.';

create or replace function vouch.webhook_claim(p_store text, p_limit integer, p_lease interval)
returns table (delivery_id bigint, attempt integer, message_id text, type text, payload jsonb, url text, secret text, format text, name text)
language plpgsql security definer as $$
begin
  perform vouch.enter(p_store);
  update vouch.webhook_delivery d set state = 'dropped', lease_until = null, finished_at = vouch.clock(), answer = 'the webhook was removed or switched off'
  where d.store_id = p_store and d.state = 'queued' and d.due_at <= vouch.clock()
    and not exists (select from vouch.webhook w where w.store_id = p_store and w.name = d.webhook and w.active);
  return query
  with taken as (
    update vouch.webhook_delivery d set state = 'sending', lease_until = vouch.clock() + p_lease, attempts = d.attempts + 1
    where d.store_id = p_store and d.delivery_id = any (array(
      select q.delivery_id from vouch.webhook_delivery q
      where q.store_id = p_store and q.state in ('queued', 'sending')
        and (q.state = 'queued' and q.due_at <= vouch.clock() or q.state = 'sending' and q.lease_until <= vouch.clock())
      order by q.due_at, q.delivery_id limit p_limit for update skip locked))
    returning d.*
  )
  select t.delivery_id, t.attempts::integer, t.message_id, t.type, t.payload, w.url, w.secret, w.format, w.name
  from taken t join vouch.webhook w on w.store_id = p_store and w.name = t.webhook
  order by t.delivery_id;
end
$$;
comment on function vouch.webhook_claim is 'Takes up to p_limit due deliveries under a lease; one whose lease ran out is taken again, with the same message_id.';

create or replace function vouch.webhook_backoff(p_attempts integer) returns interval
language plpgsql volatile as $$
begin
  return least(interval '5 seconds' * 4 ^ greatest(p_attempts - 1, 0), interval '8 hours') * (0.75 + random() / 2);
end
$$;
comment on function vouch.webhook_backoff is '5 s, 20 s, 80 s, 5 min … 8 h, a quarter to each side jitter.';

create or replace function vouch.webhook_settle(p_store text, p_delivery bigint, p_attempt integer, p_status integer, p_answer text) returns text
language plpgsql security definer as $$
declare
  known vouch.webhook_delivery;
  outcome text;
begin
  perform vouch.enter(p_store);
  select d.* into known from vouch.webhook_delivery d
  where d.store_id = p_store and d.delivery_id = p_delivery and d.state = 'sending' and d.attempts = p_attempt for update;
  if not found then
    return 'lease_lost';
  end if;
  outcome := case when p_status between 200 and 299 then 'delivered'
    when p_status = 410 or known.created_at < vouch.clock() - interval '3 days' or known.attempts >= 14 then 'failed' else 'queued' end;
  update vouch.webhook_delivery d set state = outcome, lease_until = null, status = p_status, answer = left(p_answer, 500),
    due_at = case when outcome = 'queued' then vouch.clock() + vouch.webhook_backoff(d.attempts) else d.due_at end,
    finished_at = case when outcome <> 'queued' then vouch.clock() end
  where d.store_id = p_store and d.delivery_id = p_delivery;
  if p_status = 410 then
    update vouch.webhook w set active = false where w.store_id = p_store and w.name = known.webhook;
  end if;
  return outcome;
end
$$;
comment on function vouch.webhook_settle is 'How an attempt ended: 2xx is delivered, 410 Gone switches the webhook off (Standard Webhooks), anything else is tried again for three days. status 0: no answer.';

create or replace function vouch.webhook_sweep(p_store text, p_limit integer) returns integer
language plpgsql security definer as $$
declare
  gone integer;
begin
  perform vouch.enter(p_store);
  delete from vouch.webhook_delivery d where d.store_id = p_store and d.delivery_id = any (array(
    select q.delivery_id from vouch.webhook_delivery q where q.store_id = p_store and q.finished_at < vouch.clock() - interval '30 days' limit p_limit));
  get diagnostics gone = row_count;
  return gone;
end
$$;
comment on function vouch.webhook_sweep is 'Forgets deliveries that ended 30 days ago.';

create or replace function vouch.webhook_replay(delivery_id bigint, operator text default null) returns jsonb
language plpgsql security definer as $$
declare
  actor record;
begin
  select a.* into actor from vouch.act(webhook_replay.operator, array['manager']) a;
  perform vouch.enter(actor.store);
  update vouch.webhook_delivery d set state = 'queued', due_at = vouch.clock(), finished_at = null, attempts = 0, created_at = vouch.clock(),
    answer = 'replayed by ' || actor.name
  where d.store_id = actor.store and d.delivery_id = webhook_replay.delivery_id and d.state in ('delivered', 'failed', 'dropped');
  if not found then
    perform vouch.refuse('VO201', '/delivery_id', format('there is no finished delivery %s in store %s', webhook_replay.delivery_id, actor.store));
  end if;
  return jsonb_build_object('delivery', jsonb_build_object('delivery_id', webhook_replay.delivery_id, 'state', 'queued'));
end
$$;
comment on function vouch.webhook_replay is 'Sends a finished delivery again, with the same webhook-id, by which a receiver knows a repetition.';
