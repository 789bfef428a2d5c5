-- The mail queue: leases, attempts, outcomes. Time passes by vouch.set_clock_offset().
\ir helper.psql
select plan(40);
create function pg_temp.mail(p_kind text default 'request') returns text language sql as $$ select state || ' ' || attempts || ' ' || doubts from vouch.outgoing_mail where kind = p_kind order by mail_id desc limit 1 $$;
create function pg_temp.try(p_mail bigint, p_lease bigint) returns text language sql as $$
  select coalesce(obstacle, (select 'go' from vouch.mail_data('main', array[p_mail], array[p_lease], '660 s'))) from vouch.mail_attempt('main', array[p_mail], array[p_lease], array['mid-' || p_mail], array['[]'::jsonb], array[null::bytea], array[null::text], '660 s') $$;
create function pg_temp.settle(p_mail bigint, p_lease bigint, p_class text, p_code bigint default 250, p_enhanced text default null, p_reply text default 'ok') returns integer language sql as $$
  select vouch.mail_settle('main', array[p_mail], array[p_lease], array[p_class], array[p_code], array[p_enhanced], array[p_reply]) $$;
create procedure pg_temp.asked(p text) language plpgsql as $$
begin
  perform said.placed(p, p, p || '@x.test', now() - interval '20 days', '{kettle}'), said.fact('delivered', p, now() - interval '10 days');
  perform vouch.request_enqueue('main', 10);
end
$$;
call pg_temp.asked('a');
select is((select state from vouch.review_request), 'sending', 'a due request goes to the queue');
select mail_id as m, lease as l from vouch.mail_claim('main', 10, '45 s') \gset
select is((select count(*) from vouch.mail_claim('main', 10, '45 s')), 0::bigint, 'claimed once');
select is(pg_temp.try(:m, :l + 1), 'lease_lost', 'under another lease nothing goes out');
select is(pg_temp.try(:m, :l), 'go', 'under its own it may');
select is(pg_temp.try(:m, :l), 'go', 'asked again because the answer was lost, it still may');
select is(pg_temp.mail(), 'sending 1 0', 'and that is one attempt');
select vouch.set_clock_offset('44 s');
select is(vouch.mail_recover('main', 10), 0, 'nobody takes it away in time');
select vouch.set_clock_offset('661 s');
select is(vouch.mail_recover('main', 10), 1, 'whose lease ran out after DATA');
select is(pg_temp.mail(), 'ambiguous 1 1', 'it may have arrived');
select is((select state from vouch.review_request), 'ambiguous', 'the request says so');
select is(pg_temp.settle(:m, :l, 'accepted', 250, null, '250 2.0.0 <A@x.test> queued'), 0, 'the sender wakes up: its lease is over');
select is(pg_temp.mail(), 'ambiguous 1 1', 'which overwrites nothing');
select is((select class || ' ' || reply from vouch.send_attempt), 'ambiguous late: accepted 250 250 2.0.0 <…> queued', 'but is kept, without the address');
select is((select count(*) from vouch.mail_claim('main', 10, '45 s')), 0::bigint, 'not again at once');
select vouch.set_clock_offset('45 min');
select mail_id as m, lease as l from vouch.mail_claim('main', 10, '45 s') \gset
select pg_temp.try(:m, :l);
select is(pg_temp.settle(:m, :l, 'ambiguous', 0), 1, 'repeated once, in doubt again');
select vouch.set_clock_offset('300 days');
select is((select count(*) from vouch.mail_claim('main', 10, '45 s')), 0::bigint, 'then never more');
select vouch.set_clock_offset('0');

call pg_temp.asked('b');
select mail_id as m, lease as l from vouch.mail_claim('main', 10, '45 s') \gset
select pg_temp.try(:m, :l);
select is(pg_temp.settle(:m, :l, 'deferred', 451), 1, 'deferred');
select is(pg_temp.mail(), 'queued 1 0', 'waits for another attempt');
select ok((select due_at between now() + interval '7 min' and now() + interval '15 min' from vouch.outgoing_mail where mail_id = :m), 'a quarter of an hour, half of it by chance');
select vouch.set_clock_offset('16 min');
select mail_id as m, lease as l from vouch.mail_claim('main', 10, '45 s') \gset
select * from vouch.mail_attempt('main', array[:m], array[:l], '{m}', array['[]'::jsonb], array[null]::bytea[], array[null]::text[], '660 s');
select is(vouch.mail_release('main', array[:m], array[:l], '1 min'), 1, 'given back before the relay saw it');
select is(pg_temp.mail(), 'queued 1 0', 'without an attempt');
select vouch.set_clock_offset('18 min');
select mail_id as m, lease as l from vouch.mail_claim('main', 10, '45 s') \gset
select pg_temp.try(:m, :l);
select is(pg_temp.settle(:m, :l, 'refused', 550, '5.1.1'), 1, 'refused');
select is((select state from vouch.review_request where order_id = 'b'), 'failed', 'the request failed');
select is((select reason from vouch.suppression), 'bounced', 'and the address gets no more mail');
select vouch.set_clock_offset('0');

call pg_temp.asked('c');
select mail_id as m, lease as l from vouch.mail_claim('main', 10, '45 s') \gset
select said.fact('cancelled', 'c', now());
select is(pg_temp.try(:m, :l), 'cancelled', 'cancelled between the claim and the attempt: it does not go out');
select is((select state from vouch.review_request where order_id = 'c'), 'cancelled', 'the request is cancelled');

-- A line skipped today, another delivered tomorrow: the same request, the same mail, a second chance.
select said.placed('d', 'd', 'd@x.test', now() - interval '20 days', '{kettle,mug}'), said.fact('delivered', 'd', now() - interval '18 days', '{1}');
select vouch.request_enqueue('main', 10);
select mail_id as m, lease as l from vouch.mail_claim('main', 10, '45 s') \gset
select said.fact('cancelled', 'd', now(), '{1}');
select is(pg_temp.try(:m, :l), 'cancelled', 'its only delivered line cancelled');
select said.fact('delivered', 'd', now() - interval '10 days', '{2}');
select is((select state from vouch.review_request where order_id = 'd'), 'scheduled', 'the other one delivered: scheduled again');
select vouch.request_enqueue('main', 10);
select is((select count(*) from vouch.mail_claim('main', 10, '45 s')), 1::bigint, 'and queued again');

insert into vouch.request_policy (store_id, reminder_after, cap_count, cap_period) values ('main', '{3 days}', 1, '30 days');
call pg_temp.asked('e');
select is((select array_agg(m) from said.mailed() m), '{sent}', 'sent');
select is((select (state, sent_at) from vouch.review_request where order_id = 'e'), ('sent'::text, now()), 'the request knows when');
select is((select due_at from vouch.outgoing_mail where kind = 'reminder'), now() + interval '3 days', 'its reminder waits');
select said.placed('e2', 'e', 'e@x.test', now() - interval '20 days', '{kettle}'), said.fact('delivered', 'e2', now() - interval '10 days');
select vouch.request_enqueue('main', 10);
select is((select (state, reason) from vouch.review_request where order_id = 'e2'), ('skipped'::text, 'cap'::text), 'a second one within the cap''s period does not go out');
select vouch.set_clock_offset('4 days');
select mail_id as m, lease as l from vouch.mail_claim('main', 10, '45 s') \gset
select is(vouch.unsubscribe_do('main', said.key('no such link')), false, 'an unknown link unsubscribes nobody');
select vouch.unsubscribe('main', said.key('e@x.test'));
select is(pg_temp.try(:m, :l), 'unsubscribed', 'who unsubscribed gets no reminder, queued or not');
select vouch.set_clock_offset('0');

select said.event('mail.complained', jsonb_build_object('message_id', '<never-sent>'));
select is((select count(*) from vouch.suppression where reason = 'complained'), 0::bigint, 'a complaint about a mail Vouch never sent counts for nothing');
select said.event('mail.complained', jsonb_build_object('message_id', (select '<' || message_id || '>' from vouch.send_attempt limit 1)));
select is((select count(*) from vouch.suppression where reason = 'complained'), 1::bigint, 'about one it did send it does');

-- Discount codes: one an order, spent once.
insert into vouch.discount_policy (store_id, kind, value) values ('main', 'fixed', 5);
call pg_temp.asked('f');
select said.mailed();
select is((select data -> 'discount' ->> 'value' from vouch.outbox where type = 'discount.issued'), '5.00', 'the store learns of the code, its value a decimal string');
select is((select array_agg(said.event('discount.redeemed', jsonb_build_object('code', 'CODE', 'code_hash', encode(said.key('codef'), 'hex'), 'order_id', 'f9')) -> 'discount' ->> 'accepted') from generate_series(1, 2)), '{true,false}', 'a code is spent once');
select said.fact('cancelled', 'f9', now());
select is(said.event('discount.redeemed', jsonb_build_object('code', 'CODE', 'code_hash', encode(said.key('codef'), 'hex'), 'order_id', 'f10')) -> 'discount' ->> 'accepted', 'true', 'and is free again once that order is cancelled');
select * from finish();
rollback;
