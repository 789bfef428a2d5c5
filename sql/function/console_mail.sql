-- SPDX-License-Identifier: MIT
-- The operator console: mail, who gets none, discount codes.

create or replace function vouch.console_delivery(p_store text, p_operator text, p_role text, p_ask jsonb) returns jsonb
language plpgsql stable security definer as $$
begin
  perform vouch.console_as(p_store, p_operator, p_role, array['viewer', 'moderator', 'manager', 'mediator']);
  return jsonb_build_object(
    'counts', (
      select jsonb_agg(jsonb_build_object('state', s.state, 'number', vouch.console_some(case s.state
          when 'queued' then (select count(*) from (select from vouch.outgoing_mail m where m.store_id = p_store and m.state in ('queued', 'ambiguous') and m.state = 'queued' limit 1001) x)
          when 'ambiguous' then (select count(*) from (select from vouch.outgoing_mail m where m.store_id = p_store and m.state in ('queued', 'ambiguous') and m.state = 'ambiguous' limit 1001) x)
          when 'sending' then (select count(*) from (select from vouch.outgoing_mail m where m.store_id = p_store and m.state = 'sending' limit 1001) x)
          else (select count(*) from (select from vouch.outgoing_mail m where m.store_id = p_store and m.state in ('sent', 'failed')
                  and m.finished_at > vouch.clock() - interval '1 day' and m.state = s.state limit 1001) x) end, 1000)))
      from unnest(array['queued', 'sending', 'ambiguous', 'sent', 'failed']) as s (state)),
    'bars', (
      select jsonb_agg(jsonb_build_object('name', to_char(d.day, 'MM-DD'), 'value', coalesce(n.sent, 0), 'failed', coalesce(n.failed, 0)) order by d.day)
      from vouch.console_fortnight() as d (day)
      left join (
        select date_trunc('day', x.finished_at at time zone 'UTC') as day, count(*) filter (where x.state = 'sent') as sent,
          count(*) filter (where x.state = 'failed') as failed
        from (select m.finished_at, m.state from vouch.outgoing_mail m
              where m.store_id = p_store and m.state in ('sent', 'failed') order by m.finished_at desc limit 5000) x
        group by 1) n on n.day = d.day),
    'waiting', (
      select coalesce(jsonb_agg(jsonb_build_object('mail_id', m.mail_id, 'kind', m.kind, 'state', m.state, 'due_at', m.due_at, 'attempts', m.attempts,
               'due_s', extract(epoch from m.due_at - vouch.clock())::bigint) order by m.due_at, m.mail_id), '[]')
      from (select * from vouch.outgoing_mail q where q.store_id = p_store and q.state in ('queued', 'ambiguous') order by q.due_at, q.mail_id limit 20) m),
    'failures', (
      select coalesce(jsonb_agg(jsonb_build_object('mail_id', m.mail_id, 'kind', m.kind, 'state', m.state, 'reason', m.reason, 'finished_at', m.finished_at,
               'attempts', m.attempts, 'code', a.code, 'said', left(a.reply, 200)) order by m.finished_at desc), '[]')
      from (select * from (select * from vouch.outgoing_mail q where q.store_id = p_store and q.state in ('sent', 'failed') order by q.finished_at desc limit 5000) n
            where n.state = 'failed' order by n.finished_at desc limit 20) m
      left join lateral (select t.code, t.reply from vouch.send_attempt t where t.store_id = p_store and t.mail_id = m.mail_id order by t.attempt desc limit 1) a on true),
    'configured', (select s.smtp_url <> '' and s.mail_from <> '' from vouch.store s where s.store_id = p_store));
end
$$;
comment on function vouch.console_delivery is 'The mail queue, what left in two weeks (of the newest 5000), what waits longest and what failed last with the relay''s words. No addresses.';

create or replace function vouch.console_suppression(p_store text, p_operator text, p_role text, p_ask jsonb) returns jsonb
language plpgsql stable security definer as $$
declare
  asked_key bytea := case when p_ask ->> 'key' ~ '^[0-9a-f]{64}$' then decode(p_ask ->> 'key', 'hex') end;
  after_key bytea := case when p_ask ->> 'after' ~ '^[0-9a-f]{64}$' then decode(p_ask ->> 'after', 'hex') else '' end;
  found_rows jsonb;
begin
  perform vouch.console_as(p_store, p_operator, p_role, array['viewer', 'moderator', 'manager', 'mediator']);
  select coalesce(jsonb_agg(jsonb_build_object('key', encode(x.address_key, 'hex'), 'reason', x.reason, 'since_at', x.since,
      'removable', x.reason in ('operator', 'bounced')) order by x.address_key, x.reason), '[]') into found_rows
  from (select * from vouch.suppression s
        where s.store_id = p_store and s.address_key > after_key and (asked_key is null or s.address_key = asked_key)
        order by s.address_key, s.reason limit 51) x;
  return jsonb_build_object('asked_key', case when asked_key is not null then encode(asked_key, 'hex') end, 'rows', found_rows,
    'some', jsonb_array_length(found_rows) > 0, 'next', case when jsonb_array_length(found_rows) > 50 then found_rows -> 49 ->> 'key' end,
    'listed_by_operator', exists (select from vouch.suppression s where s.store_id = p_store and s.address_key = asked_key and s.reason = 'operator'));
end
$$;
comment on function vouch.console_suppression is 'Who gets no more mail, by address key; key: one typed address.';

create or replace function vouch.operator_action_add(p_store text, p_operator text, p_action text, p_subject text, p_before jsonb, p_after jsonb) returns void
language sql as $$
  insert into vouch.operator_action (store_id, acted_at, operator, action, subject, before, after)
  values (p_store, vouch.clock(), p_operator, p_action, p_subject, p_before, p_after)
$$;

create or replace function vouch.console_suppress(p_store text, p_operator text, p_role text, p_ask jsonb) returns jsonb
language plpgsql security definer as $$
declare
  wanted text := coalesce(p_ask ->> 'address_key', p_ask ->> 'key', '');
  row_reason text := coalesce(p_ask ->> 'reason', 'operator');
begin
  perform vouch.console_as(p_store, p_operator, p_role, array['manager']);
  if wanted !~ '^[0-9a-f]{64}$' then
    perform vouch.refuse('VO104', '/address', 'which address? type it whole');
  end if;
  if p_ask ->> 'action' = 'add' then
    insert into vouch.suppression (store_id, address_key, reason, since, source) values (p_store, decode(wanted, 'hex'), 'operator', vouch.clock(), 'operator')
    on conflict do nothing;
    if found then
      perform vouch.operator_action_add(p_store, p_operator, 'suppress', 'suppression', null, jsonb_build_object('address_key', wanted));
    end if;
  elsif p_ask ->> 'action' = 'remove' then
    if row_reason not in ('operator', 'bounced') then
      perform vouch.refuse('VO206', '/reason', 'who unsubscribed or complained comes back by his own will only');
    end if;
    delete from vouch.suppression s where s.store_id = p_store and s.address_key = decode(wanted, 'hex') and s.reason = row_reason;
    if found then
      perform vouch.operator_action_add(p_store, p_operator, 'unsuppress', 'suppression', jsonb_build_object('address_key', wanted, 'reason', row_reason), null);
    end if;
  else
    perform vouch.refuse('VO106', '/action', 'add or remove');
  end if;
  return jsonb_build_object('query', jsonb_strip_nulls(jsonb_build_object('key', wanted,
    'done', case p_ask ->> 'action' when 'add' then 'suppressed' when 'remove' then 'unsuppressed' end)));
end
$$;
comment on function vouch.console_suppress is 'add or remove by the address typed, of which only the key comes here. What people asked for themselves is not taken back.';

create or replace function vouch.console_known(p_store text, p_operator text, p_role text, p_ask jsonb) returns jsonb
language plpgsql stable security definer as $$
begin
  perform vouch.console_as(p_store, p_operator, p_role, array['viewer', 'moderator', 'manager', 'mediator']);
  if p_ask ->> 'address_key' is null then
    perform vouch.refuse('VO104', '/address', 'which address? type it whole');
  end if;
  return jsonb_build_object('query', jsonb_build_object('key', p_ask ->> 'address_key'));
end
$$;
comment on function vouch.console_known is 'Whether an address gets mail: only its key goes on, into the address of the page.';

create or replace function vouch.console_discounts(p_store text, p_operator text, p_role text, p_ask jsonb) returns jsonb
language plpgsql stable security definer as $$
declare
  asked_hash bytea := case when p_ask ->> 'hash' ~ '^[0-9a-f]{64}$' then decode(p_ask ->> 'hash', 'hex') end;
  found_rows jsonb;
begin
  perform vouch.console_as(p_store, p_operator, p_role, array['viewer', 'moderator', 'manager', 'mediator']);
  select coalesce(jsonb_agg(jsonb_build_object('order_id', x.order_id,
      'state', case when x.state = 'issued' and x.expires_at <= vouch.clock() then 'expired' else x.state end,
      'amount', trim_scale(x.value)::text, 'kind', x.kind, 'currency', x.currency, 'issued_at', x.issued_at, 'expires_at', x.expires_at,
      'redeemed_at', x.redeemed_at, 'redeemed_order_id', x.redeemed_order_id) order by x.order_id), '[]') into found_rows
  from (select * from (select * from vouch.discount_code d
                       where d.store_id = p_store and d.order_id > case when p_ask ->> 'after' is null then '' else p_ask ->> 'after' end
                         and asked_hash is null and nullif(p_ask ->> 'order', '') is null order by d.order_id limit 51) a
        union all
        select * from vouch.discount_code d where d.store_id = p_store and d.order_id = nullif(p_ask ->> 'order', '') and asked_hash is null
        union all
        select * from vouch.discount_code d where d.store_id = p_store and d.code_hash = asked_hash) x;
  return jsonb_build_object('rows', found_rows, 'some', jsonb_array_length(found_rows) > 0,
    'next', case when jsonb_array_length(found_rows) > 50 then found_rows -> 49 ->> 'order_id' end,
    'asked', '{"order": null, "hash": null}' || p_ask,
    'policy', (select jsonb_build_object('kind', p.kind, 'amount', trim_scale(p.value)::text, 'currency', coalesce(p.currency, s.currency),
                 'valid_for', p.valid_for::text, 'grant_on', p.grant_on)
               from vouch.discount_policy p join vouch.store s on s.store_id = p.store_id where p.store_id = p_store));
end
$$;
comment on function vouch.console_discounts is 'Issued codes by order, or the one whose code was typed. The codes themselves are not kept, only their keyed hashes.';

create or replace function vouch.console_code(p_store text, p_operator text, p_role text, p_ask jsonb) returns jsonb
language plpgsql stable security definer as $$
begin
  perform vouch.console_as(p_store, p_operator, p_role, array['viewer', 'moderator', 'manager', 'mediator']);
  if p_ask ->> 'code_hash' is null then
    perform vouch.refuse('VO104', '/code', 'which code? type it whole');
  end if;
  return jsonb_build_object('query', jsonb_build_object('hash', p_ask ->> 'code_hash'));
end
$$;
comment on function vouch.console_code is 'A code typed by somebody: only its hash goes on, into the address of the page.';
