-- SPDX-License-Identifier: MIT
-- Whom not to write to: opt-outs, bounces, complaints. Checked when a mail is queued and again right before it is sent.

create or replace function vouch.suppress(p_store text, p_address_key bytea, p_reason text, p_source text) returns void
language plpgsql as $$
begin
  insert into vouch.suppression (store_id, address_key, reason, since, source)
  values (p_store, p_address_key, p_reason, vouch.clock(), p_source) on conflict do nothing;
end
$$;
comment on function vouch.suppress is 'At once, for mail already queued as well: unsubscribed and complained stop requests and reminders, bounced and operator all mail. The first of each reason stays.';

create or replace function vouch.unsubscribe(p_store text, p_address_key bytea) returns void
language plpgsql as $$
begin
  perform vouch.suppress(p_store, p_address_key, 'unsubscribed', 'link');
end
$$;
comment on function vouch.unsubscribe is 'No more requests and reminders to this address, at once, those already queued included. Other mail is not touched.';

create or replace function vouch.opt_out_enter(p_store text, p_body jsonb, p_source text) returns integer
language plpgsql as $$
declare
  keys bytea[] := vouch.customer_keys(p_store, p_body);
begin
  if p_body ? 'customer_key' then
    insert into vouch.opt_out (store_id, customer_key, since, source)
    values (p_store, decode(p_body ->> 'customer_key', 'hex'), vouch.clock(), p_source) on conflict do nothing;
  end if;
  perform vouch.suppress(p_store, k.key, 'unsubscribed', p_source) from unnest(keys) as k (key);
  return cardinality(keys);
end
$$;
comment on function vouch.opt_out_enter is 'Opts a person out by address, by the store''s id, or by both: under the id for whatever address comes to be known of it, and under each address known. Returns how many addresses those are.';

create or replace function vouch.customer_unsubscribe(p_store text, p_body jsonb) returns jsonb
language plpgsql as $$
begin
  perform vouch.opt_out_enter(p_store, p_body, 'event');
  return null;
end
$$;
comment on function vouch.customer_unsubscribe is 'customer.unsubscribed.';

create or replace function vouch.bounce_is_hard(p_status text) returns boolean
language sql immutable
return p_status ~ '^5\.' and p_status !~ '^5\.(1\.8|2\.[23]|3\.|4\.[35-7]|5\.|6\.|7\.)';
comment on function vouch.bounce_is_hard is
'Whether an enhanced status (RFC 3463) says that the mailbox is not there: 5.x.x but those about a full mailbox (5.2.2), this message (5.2.3, 5.6), the system (5.3), the route (5.4.3, 5.4.5 to 7), the protocol (5.5), a policy (5.7) or the sender (5.1.8), which count as soft.';

create or replace function vouch.bounce_note(p_store text, p_mail_id bigint, p_address_key bytea, p_status text, p_source text) returns void
language plpgsql as $$
begin
  if vouch.bounce_is_hard(p_status) then
    perform vouch.suppress(p_store, p_address_key, 'bounced', p_source);
    return;
  end if;
  delete from vouch.soft_bounce b
  where b.store_id = p_store and b.address_key = p_address_key and b.bounced_at <= vouch.clock() - interval '30 days';
  insert into vouch.soft_bounce (store_id, address_key, mail_id, bounced_at)
  values (p_store, p_address_key, p_mail_id, vouch.clock()) on conflict do nothing;
  if (select count(*) from vouch.soft_bounce b where b.store_id = p_store and b.address_key = p_address_key) >= 3 then
    perform vouch.suppress(p_store, p_address_key, 'bounced', p_source);
  end if;
end
$$;
comment on function vouch.bounce_note is 'A mail came back: a hard bounce suppresses the address, so does the third mail within 30 days that came back for a passing reason. Telling of one mail twice counts once.';

create or replace function vouch.mail_known(p_store text, p_body jsonb) returns vouch.outgoing_mail
language plpgsql stable as $$
declare
  mail vouch.outgoing_mail;
begin
  if p_body ? 'message_id' then
    select m.* into mail from vouch.send_attempt t
    join vouch.outgoing_mail m on m.store_id = t.store_id and m.mail_id = t.mail_id
    where t.store_id = p_store and t.message_id = btrim(p_body ->> 'message_id', '<> ') limit 1;
  elsif p_body ? 'mail_id' then
    select m.* into mail from vouch.outgoing_mail m
    where m.store_id = p_store and m.mail_id = (p_body ->> 'mail_id')::bigint and m.attempts > 0;
  else
    select m.* into mail from vouch.outgoing_mail m
    where m.store_id = p_store and m.address_key = decode(p_body ->> 'address_key', 'hex') and m.attempts > 0
    order by m.mail_id desc limit 1;
  end if;
  return mail;
end
$$;
comment on function vouch.mail_known is
'Which mail a bounce or complaint is about: by its Message-ID, else by the token of its return path (checked in C), else the newest to the address. NULL for a mail that Vouch never sent.';

create or replace function vouch.mail_feedback(p_store text, p_type text, p_body jsonb) returns jsonb
language plpgsql as $$
declare
  mail vouch.outgoing_mail := vouch.mail_known(p_store, p_body);
begin
  if mail.mail_id is null or coalesce(p_body ->> 'action', 'failed') <> 'failed' then
    return null;
  end if;
  if p_type = 'mail.complained' then
    perform vouch.suppress(p_store, mail.address_key, 'complained', 'event');
  else
    perform vouch.bounce_note(p_store, mail.mail_id, mail.address_key, coalesce(p_body ->> 'status', '5.0.0'), 'event');
  end if;
  return null;
end
$$;
comment on function vouch.mail_feedback is
'mail.bounced and mail.complained, about mails that Vouch sent: a complaint stops requests; a bounce counts by its status (none: permanent), unless the report says that the mail is only delayed, or arrived.';

create or replace function vouch.unsubscribe_customer(customer_id text default null, email text default null, operator text default null) returns jsonb
language plpgsql security definer as $$
declare
  actor record;
  orders record;
  addresses integer;
begin
  select a.* into actor from vouch.act(unsubscribe_customer.operator, array['moderator', 'manager']) a;
  perform vouch.gate(actor.store, false);
  if unsubscribe_customer.customer_id is null and unsubscribe_customer.email is null then
    perform vouch.refuse('VO104', '/customer_id', 'unsubscribe whom? name a customer_id or an email');
  end if;
  select encode(o.customer_key, 'hex') as customer_key into orders from vouch.sales_order o
  where o.store_id = actor.store and o.customer_id = unsubscribe_customer.customer_id and o.customer_key is not null limit 1;
  addresses := vouch.opt_out_enter(actor.store, jsonb_strip_nulls(jsonb_build_object('customer_id', unsubscribe_customer.customer_id,
    'customer_key', orders.customer_key, 'address_key', encode(vouch.person_key(actor.store, unsubscribe_customer.email), 'hex'))), 'operator');
  if addresses = 0 then
    perform vouch.refuse('VO101', case when unsubscribe_customer.customer_id is null then '/email' else '/customer_id' end,
      'nobody is known by that; the event customer.unsubscribed opts out whoever may come');
  end if;
  return jsonb_build_object('unsubscribed', jsonb_build_object('addresses', addresses));
end
$$;
comment on function vouch.unsubscribe_customer is
'Opts a person out of requests and reminders, when asked by phone or mail: by the store''s customer id, or by a stored address. Effective at once, queued mail included; survives erasure.';
