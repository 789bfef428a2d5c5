-- When and whom to ask; opt-outs, bounces; codes. Time passes by vouch.set_clock_offset().
\ir helper.psql
select no_plan();
set timezone = 'UTC';
create function pg_temp.policy(p jsonb default '{}') returns vouch.request_policy language sql as $$
  select jsonb_populate_record(vouch.request_policy_standard('main'), p) $$;
create procedure pg_temp.due(p text, p_email text default null, p_total text default '20.00', p_country text default 'LV', p_consent boolean default null, p_products text[] default '{kettle}') language plpgsql as $$
begin
  perform said.placed(p, 'c-' || p, coalesce(p_email, p || '@x.test'), now() - interval '20 days', p_products, p_country, p_consent, p_total),
    said.fact('delivered', p, now() - interval '10 days');
end
$$;
create function pg_temp.went(p text) returns text language sql as $$ select concat_ws(' ', state, reason) from vouch.review_request where order_id = p $$;
create function pg_temp.at(p text) returns void language sql as $$ select vouch.set_clock_offset(p::timestamptz - now()) $$;

-- The defaults of the columns are the defaults without a row.
insert into vouch.request_policy (store_id) values ('main');
select is((select p from vouch.request_policy p), vouch.request_policy_standard('main'), 'no row means the defaults of the columns');
delete from vouch.request_policy;

-- Time zones.
select is(vouch.request_zone('main', z, c, l), w, concat_ws(' ', 'zone of', z, c, l)) from (values
  ('Asia/Tokyo', 'LV', 'lv', 'Asia/Tokyo'), ('No/Where', 'LV', 'es-MX', 'Europe/Riga'), (null, null, 'es-MX', 'America/Mexico_City'),
  (null, null, 'zh-Hant-TW', 'Asia/Taipei'), (null, null, 'lv', 'Europe/Riga'), (null, null, 'en', 'UTC'), (null, null, 'es', 'UTC'), (null, 'XX', 'pt_BR.UTF-8', 'America/Sao_Paulo'),
  (null, null, null, 'UTC'), (null, 'US', 'fa-IR', 'America/New_York')) v (z, c, l, w);
select is((select array_agg(place) from vouch.country_timezone where not vouch.is_timezone(timezone)), null, 'every shipped zone is known');
insert into vouch.country_timezone values ('main', 'US', 'America/Los_Angeles');
select is(vouch.request_zone('main', null, 'US', 'en-GB'), 'America/Los_Angeles', 'a store''s own row wins');
update vouch.store set timezone = 'Asia/Tehran';
select is(vouch.request_zone('main', null, null, 'en'), 'Asia/Tehran', 'else the store''s');
update vouch.store set timezone = 'UTC';

-- Quiet hours, days, and clocks that skip and repeat.
select is(vouch.request_slot(pg_temp.policy(p::jsonb), z, a::timestamptz), w::timestamptz, concat_ws(' ', p, z, a)) from (values
  ('{}', 'Europe/Riga', '2026-11-21 01:00Z', '2026-11-21 01:00Z'),
  ('{"quiet_from": "20:00", "quiet_until": "08:00"}', 'Europe/Riga', '2026-11-21 17:59:59Z', '2026-11-21 17:59:59Z'),
  ('{"quiet_from": "20:00", "quiet_until": "08:00"}', 'Europe/Riga', '2026-11-21 18:00Z', '2026-11-22 06:00Z'),
  ('{"quiet_from": "20:00", "quiet_until": "08:00"}', 'Europe/Riga', '2026-11-21 22:30Z', '2026-11-22 06:00Z'),
  ('{"quiet_from": "20:00", "quiet_until": "08:00"}', 'America/Sao_Paulo', '2026-11-21 22:30Z', '2026-11-21 22:30Z'),
  ('{"quiet_from": "12:00", "quiet_until": "14:00"}', 'Asia/Kathmandu', '2026-11-21 06:20Z', '2026-11-21 08:15Z'),
  ('{"quiet_from": "12:00", "quiet_until": "12:00"}', 'UTC', '2026-11-21 12:00Z', '2026-11-21 12:00Z'),
  ('{"quiet_from": "20:00", "quiet_until": "00:00"}', 'UTC', '2026-11-21 20:00Z', '2026-11-22 00:00Z'),
  ('{"weekdays": [1, 2, 3, 4, 5]}', 'Europe/Riga', '2026-11-21 10:00Z', '2026-11-22 22:00Z'),
  ('{"weekdays": [3], "quiet_from": "18:00", "quiet_until": "09:30"}', 'Europe/Riga', '2026-11-18 20:00Z', '2026-11-25 07:30Z'),
  ('{"quiet_from": "22:00", "quiet_until": "08:00"}', 'Europe/Riga', '2026-03-28 21:00Z', '2026-03-29 05:00Z'),
  ('{"quiet_from": "22:00", "quiet_until": "08:00"}', 'Europe/Riga', '2026-10-24 21:00Z', '2026-10-25 06:00Z'),
  ('{"quiet_from": "22:00", "quiet_until": "03:30"}', 'Europe/Riga', '2026-03-28 21:00Z', '2026-03-29 01:30Z'),
  ('{"quiet_from": "22:00", "quiet_until": "03:30"}', 'Europe/Riga', '2026-10-24 21:00Z', '2026-10-25 01:30Z'),
  ('{"quiet_from": "04:15", "quiet_until": "03:30"}', 'Europe/Riga', '2026-03-28 12:00Z', '2026-03-30 00:30Z'),
  ('{"weekdays": [7]}', 'Africa/Cairo', '2026-04-24 00:00Z', '2026-04-25 21:00Z')) v (p, z, a, w);
select ok(bool_and(not vouch.request_quiet(p.policy, vouch.request_slot(p.policy, z, a) at time zone z) and vouch.request_slot(p.policy, z, a) >= a),
  'whatever the policy, the zone and the hour: the slot is not quiet and not in the past')
from (select pg_temp.policy(jsonb_build_object('quiet_from', make_time((n * 7) % 24, n % 4 * 15, 0), 'quiet_until', make_time((n * 5 + 3) % 24, n % 3 * 20, 0),
        'weekdays', (select jsonb_agg(d) from generate_series(1, 7) d where (n + d * d) % 3 <> 0))) as policy,
        (array['Europe/Riga', 'America/Sao_Paulo', 'Australia/Lord_Howe', 'Africa/Cairo', 'America/Santiago', 'Asia/Tehran', 'Europe/Dublin'])[1 + n % 7] as z,
        timestamptz '2026-01-01 00:00Z' + n * interval '53 minutes' + n * interval '1 second' as a
      from generate_series(1, 9000) n) p;

-- Whom not.
insert into vouch.request_policy (store_id, country, minimum_order_value, excluded_products, excluded_product_groups, excluded_customer_groups, quiet_from, quiet_until)
  values ('main', '*', 10, '{voucher}', '{gift}', '{staff}', null, null);
insert into vouch.request_policy (store_id, country, consent) values ('main', 'DE', 'marketing_consent'), ('main', 'FR', 'any');
insert into vouch.product (store_id, product_id, groups, updated_at) values ('main', 'box', '{gift,paper}', now());
call pg_temp.due('small', p_total => '9.99'); call pg_temp.due('enough', p_total => '10.00'); call pg_temp.due('dollars', p_total => '1.00'); call pg_temp.due('untold', p_total => null);
update vouch.sales_order set currency = 'USD' where order_id = 'dollars';
call pg_temp.due('voucher', p_products => '{voucher}'); call pg_temp.due('both', p_products => '{voucher,kettle}'); call pg_temp.due('boxed', p_products => '{box}');
call pg_temp.due('staff'); update vouch.sales_order set customer_groups = '{b2c,staff}' where order_id = 'staff';
call pg_temp.due('de', p_country => 'DE'); call pg_temp.due('deyes', p_country => 'DE', p_consent => true); call pg_temp.due('lvno', p_consent => false); call pg_temp.due('frno', p_country => 'FR', p_consent => false);
call pg_temp.due('moved', p_country => 'DE', p_consent => true);
select said.event('customer.updated', jsonb_build_object('address_key', encode(said.key('moved@x.test'), 'hex'), 'email', 'moved@x.test', 'marketing_consent', false), now() - interval '1 day');
select is((select jsonb_object_agg(order_id, concat_ws(' ', outcome, reason)) from vouch.request_plan('main')), (select jsonb_object_agg(o, w) from (values
  ('small', 'skip below_minimum'), ('enough', 'send'), ('dollars', 'send'), ('untold', 'send'), ('voucher', 'skip excluded_product'), ('both', 'send'), ('boxed', 'skip excluded_product'),
  ('staff', 'skip excluded_customer'), ('de', 'skip no_consent'), ('deyes', 'send'), ('lvno', 'skip no_consent'), ('frno', 'send'), ('moved', 'skip no_consent')) v (o, w)), 'the plan says who is asked and who is not, and why');
select vouch.request_enqueue('main', 100);
select is((select jsonb_object_agg(r.order_id, case when r.state = 'sending' then 'send' else concat_ws(' ', 'skip', reason) end) from vouch.review_request r), (select jsonb_object_agg(o, w) from (values
  ('small', 'skip below_minimum'), ('enough', 'send'), ('dollars', 'send'), ('untold', 'send'), ('voucher', 'skip excluded_product'), ('both', 'send'), ('boxed', 'skip excluded_product'),
  ('staff', 'skip excluded_customer'), ('de', 'skip no_consent'), ('deyes', 'send'), ('lvno', 'skip no_consent'), ('frno', 'send'), ('moved', 'skip no_consent')) v (o, w)), 'and so it goes');
select is((select sum(requests) from vouch.review_request_status where state = 'skipped'), 7::numeric, 'every exclusion is counted');
select is((select jsonb_agg(l ->> 'product_id') from vouch.mail_claim('main', 100, '45 s') c cross join jsonb_array_elements(c.context -> 'lines') l where c.context ->> 'order_id' = 'both'), '["kettle"]', 'the mail does not ask about what is excluded');
select said.fact('delivered', 'voucher', now() - interval '10 days');
select is(pg_temp.went('voucher'), 'skipped excluded_product', 'said again, it stays skipped');
update vouch.order_line set delivered_at = null where order_id = 'both'; update vouch.sales_order set delivered_at = null where order_id = 'both'; update vouch.review_request set state = 'skipped', reason = 'excluded_product', due_at = now() - interval '1 day' where order_id = 'both';
select said.fact('delivered', 'both', now(), '{1,2}');
select is(pg_temp.went('both'), 'scheduled', 'skipped for its lines'' sake, it is due again when another was delivered');

-- Quiet hours hold a mail back that is queued already; so does everything else that happens meanwhile.
delete from vouch.request_policy;
call pg_temp.due('night'); call pg_temp.due('gone');
select pg_temp.at('2026-12-01 12:00Z'), vouch.request_enqueue('main', 100);
insert into vouch.request_policy (store_id, quiet_from, quiet_until) values ('main', '20:00', '08:00');
select pg_temp.at('2026-12-01 19:00Z');
select mail_id as m, lease as l from vouch.mail_claim('main', 100, '45 s') where context ->> 'order_id' = 'night' \gset
select is((select obstacle from vouch.mail_attempt('main', array[:m], array[:l], '{n}', array['[]'::jsonb], array[null]::bytea[], array[null]::text[], '45 s')), 'quiet', 'claimed at night, it does not go out');
select is((select (state, due_at, attempts) from vouch.outgoing_mail where mail_id = :m), ('queued'::text, '2026-12-02 06:00Z'::timestamptz, 0::smallint), 'but waits for the morning, with no attempt burned');
select is(pg_temp.went('night'), 'sending quiet', 'its request says so');
select is((select send_at from vouch.request_plan('main') where order_id = 'night'), '2026-12-02 06:00Z'::timestamptz, 'and so does the plan');
select pg_temp.at('2026-12-02 06:00Z');
select vouch.mail_recover('main', 100);
select mail_id as m, lease as l from vouch.mail_claim('main', 100, '45 s') where context ->> 'order_id' = 'night' \gset
select is((select obstacle from vouch.mail_attempt('main', array[:m], array[:l], '{n}', array['[]'::jsonb], array[null]::bytea[], array[null]::text[], '45 s')), null, 'then it goes');
select vouch.set_clock_offset('0');
delete from vouch.request_policy; delete from vouch.outgoing_mail; delete from vouch.send_attempt; delete from vouch.review_request;

-- Two requests of one buyer, due in one batch: the cap holds.
insert into vouch.request_policy (store_id, cap_count, cap_period, reminder_after) values ('main', 1, '30 days', '{3 days}');
call pg_temp.due('cap1', 'cap@x.test'); call pg_temp.due('cap2', 'cap@x.test'); call pg_temp.due('cap3', 'other@x.test');
select is((select jsonb_object_agg(order_id || kind, concat_ws(' ', outcome, reason)) from vouch.request_plan('main')), '{"cap1request": "send", "cap1reminder": "send", "cap2request": "skip cap", "cap3request": "send", "cap3reminder": "send"}', 'planned with their reminders');
select vouch.request_enqueue('main', 100);
select is(array(select pg_temp.went(o) from unnest('{cap1,cap2,cap3}'::text[]) o), '{sending,"skipped cap",sending}', 'one of two in a batch');
select is((select array_agg(m) from said.mailed() m), '{sent,sent}', 'sent');
call pg_temp.due('cap4', 'cap@x.test');
select vouch.set_clock_offset('29 days'), vouch.request_enqueue('main', 100);
select is(pg_temp.went('cap4'), 'skipped cap', 'and none within the period');
call pg_temp.due('cap5', 'cap@x.test');
select vouch.set_clock_offset('30 days 1 s'), vouch.request_enqueue('main', 100);
select is(pg_temp.went('cap5'), 'sending', 'one after it');
select vouch.set_clock_offset('0');

-- Opt-outs: by id before any address is known, by person at the store; erasure forgets none of them.
delete from vouch.request_policy;
select said.event('customer.unsubscribed', jsonb_build_object('customer_id', 'c-later', 'customer_key', encode(said.key('c-later'), 'hex')));
call pg_temp.due('later'); select vouch.request_enqueue('main', 100);
select is(pg_temp.went('later'), 'skipped unsubscribed', 'opted out by id before the address was known');
select said.event('customer.erased', jsonb_build_object('customer_id', 'c-later', 'customer_key', encode(said.key('c-later'), 'hex')), now() - interval '15 days');
select said.placed('later2', 'c-later', 'new@x.test', now() + interval '1 hour', '{kettle}'), said.fact('delivered', 'later2', now() + interval '2 hours');
select vouch.set_clock_offset('8 days'), vouch.request_enqueue('main', 100);
select is(pg_temp.went('later2'), 'skipped unsubscribed', 'still so after erasure, at another address');
select vouch.set_clock_offset('0');
call pg_temp.due('phone'); select vouch.request_enqueue('main', 100);
select is(vouch.unsubscribe_customer(email => 'PHONE@x.test'), '{"unsubscribed": {"addresses": 1}}', 'by a person at the store');
select throws_ok($$select vouch.unsubscribe_customer(email => 'nobody@x.test')$$, 'VO101', null, 'who is told when nobody is known by that');
select is((select array_agg(m) from said.mailed() m), '{unsubscribed}', 'a mail queued already stays');
select is((select source from vouch.suppression where address_key = said.key('phone@x.test')), 'operator', 'it is known how that came');

-- Bounces.
select is(vouch.bounce_is_hard(s), h, s) from (values ('5.1.1', true), ('5.1.10', true), ('5.0.0', true), ('5.2.1', true), ('5.4.1', true), ('5.4.4', true), ('5.2.2', false), ('5.7.1', false),
  ('5.3.4', false), ('5.1.8', false), ('4.2.2', false), ('5.6.0', false), ('5.4.6', false)) v (s, h);
create procedure pg_temp.bounce(p text, p_body jsonb) language plpgsql as $$
begin
  call pg_temp.due(p, 'soft@x.test');
  perform said.mailed();
  perform said.event('mail.bounced', p_body || jsonb_build_object('message_id', 'm' || (select max(mail_id) from vouch.outgoing_mail where kind = 'request')));
end
$$;
call pg_temp.bounce('s1', '{"status": "4.2.2"}'); call pg_temp.bounce('s2', '{"status": "5.2.2"}');
select said.event('mail.bounced', jsonb_build_object('status', '5.2.2', 'message_id', 'm' || (select max(mail_id) from vouch.outgoing_mail where kind = 'request')));
select is((select count(*) from vouch.suppression where address_key = said.key('soft@x.test')), 0::bigint, 'two soft bounces, one told twice');
call pg_temp.bounce('s3', '{"status": "5.1.1", "action": "delayed"}');
select is((select count(*) from vouch.suppression where address_key = said.key('soft@x.test')), 0::bigint, 'a delay is none');
call pg_temp.bounce('s4', '{"status": "4.4.7"}');
select is((select reason from vouch.suppression where address_key = said.key('soft@x.test')), 'bounced', 'the third within 30 days suppresses');
call pg_temp.due('h1', 'hard@x.test'); select vouch.request_enqueue('main', 100);
select mail_id as m, lease as l from vouch.mail_claim('main', 1, '45 s') \gset
select vouch.bounce_note('main', :m, said.key('hard@x.test'), '5.1.1', 'event');
select is((select obstacle from vouch.mail_attempt('main', array[:m], array[:l], '{h}', array['[]'::jsonb], array[null]::bytea[], array[null]::text[], '45 s')), 'suppressed', 'a bounce between the claim and MAIL FROM counts');

-- Codes: whatever the stars, the words and the decision.
insert into vouch.discount_policy (store_id, kind, value, grant_on, minimum_spend, prefix) values ('main', 'percent', 10, 'submission', 25, 'TEA');
select count(*) from (select said.placed('g' || n, 'g' || n, 'g' || n || '@x.test', now() - interval '20 days', '{kettle}'), said.fact('delivered', 'g' || n, now() - interval '10 days') from generate_series(1, 40) n) x;
select count(said.submitted('gr' || n, 'g' || n, null, 'kettle', 1 + n % 5, (array['fine', 'awful', null, 'x'])[1 + n % 4], case when n % 3 = 0 then '{abusive}' else '{}' end::text[])) from generate_series(1, 40) n;
select is((select array_agg(distinct incentivised) from vouch.review where order_id ~ '^g'), '{t}', 'that a code was promised is shown with the review from the first moment');
select vouch.reject((select review_id from vouch.review where external_id = 'gr3'), null, 'abusive', 'insults');
select said.mailed();
select is((select array_agg(distinct (kind, value, currency, minimum_spend, expires_at, state)::text) || count(*)::text from vouch.discount_code where order_id ~ '^g'),
  array[row('percent', 10.00, 'EUR', 25.00, now() + interval '30 days', 'issued')::text, '40'], 'the same code for one star and for five, for abuse and for praise, published, held or refused');
select throws_ok($$update vouch.review set incentivised = false where external_id = 'gr1'$$, 'VO204', null, 'nobody takes the label off');
select said.placed('late', 'late', 'late@x.test', now() - interval '20 days', '{kettle}'), said.submitted('rlate', 'late', null, 'kettle', 1, 'awful', '{}', now() - interval '1 day');
select said.fact('delivered', 'late', now() - interval '10 days');
select is((select array_agg(kind) from vouch.outgoing_mail m join vouch.review_request r on r.request_id = m.subject_id where r.order_id = 'late'), '{discount}', 'reviewed before the delivery was told of: the thank-you follows with that');
create function pg_temp.redeem(p_code text, p_order text, p_client text) returns text language sql as $$
  select coalesce(d ->> 'reason', 'accepted') from (select said.event('discount.redeemed', jsonb_build_object('code', p_code, 'code_hash', encode(said.key(p_code), 'hex'), 'order_id', p_order,
    'client_key', encode(said.key(p_client), 'hex'))) -> 'discount' as d) x $$;
update vouch.discount_code set code_hash = said.key('code-' || order_id);
select is(pg_temp.redeem('code-g1', 'n1', 'me'), 'accepted', 'redeemed');
select is(pg_temp.redeem('code-g1', 'n2', 'me'), 'already_redeemed', 'once');
select said.fact('cancelled', 'n1', now());
select is(pg_temp.redeem('code-g1', 'n1', 'me'), 'order_cancelled', 'not on a cancelled order');
select is(pg_temp.redeem('code-g1', 'n3', 'me'), 'accepted', 'free again once the first was cancelled');
select is((select array_agg(distinct pg_temp.redeem('guess' || n, 'n4', 'thief')) from generate_series(1, 10) n), '{unknown}', 'ten guesses');
select is(pg_temp.redeem('code-g2', 'n4', 'thief'), 'too_many_attempts', 'then no answer, not even to a right one');
select is(pg_temp.redeem('code-g2', 'n4', 'me'), 'accepted', 'others are not touched');
update vouch.discount_policy set guess_limit_store = 10;
select is(pg_temp.redeem('typo', 'n5', 'anna'), 'unknown', 'above the store''s limit a client has one guess');
select is(pg_temp.redeem('code-g3', 'n5', 'anna'), 'too_many_attempts', 'no second');
select is(pg_temp.redeem('code-g3', 'n5', 'zane'), 'accepted', 'and who has the right one at once is not touched');
select vouch.set_clock_offset('1 hour');
select is(pg_temp.redeem('code-g4', 'n6', 'thief'), 'accepted', 'an hour later again');
select vouch.set_clock_offset('31 days');
select is(pg_temp.redeem('code-g5', 'n7', 'me'), 'expired', 'past its time');
select said.fact('cancelled', 'n6', now());
select is((select state from vouch.discount_code where order_id = 'g4'), 'expired', 'released too late to be of use');
select ok(vouch.discount_sweep('main', 1000) > 30, 'codes past their time are said to be');
select is((select count(*) from vouch.discount_miss), 0::bigint, 'and misses are forgotten');
select is((select (issued, redeemed, expired, open) from vouch.discount_report where kind = 'percent'), (40::bigint, 3::bigint, 37::bigint, 0::bigint), 'the report adds up');
select * from finish();
rollback;
