-- Orders as facts, and the requests that follow from them.
\ir helper.psql
select plan(31);

select is(said.placed('o1', 'c1', 'anna@x.test', now() - interval '20 days', '{kettle,mug}') -> 'replies', '{}', 'placed: the plain reply');
select is((select count(*) from vouch.review_request), 0::bigint, 'no request before a delivery');
select lives_ok($$ select said.fact('delivered', 'o1', now() - interval '10 days', '{1}') $$, 'one line delivered');
select is((select (state, due_at) from vouch.review_request), ('scheduled'::text, now() + interval '4 days'),
  'with a line open the request waits partial_wait from the first delivery');
select lives_ok($$ select said.fact('delivered', 'o1', now() - interval '9 days') $$, 'the whole order delivered, later');
select is((select due_at from vouch.review_request), now() - interval '2 days', 'the delay counts from the last line''s delivery');
select is((select array_agg(delivered_at order by line_id) from vouch.order_line), array[now() - interval '10 days', now() - interval '9 days'],
  'of each line the earliest delivery stays');
select lives_ok($$ select said.fact('cancelled', 'o1', now(), '{2}') $$, 'a line cancelled');
select is((select due_at from vouch.review_request), now() - interval '3 days', 'then only the other counts');
select lives_ok($$ select said.fact('refunded', 'o1', now(), '{1}') $$, 'the other refunded');
select is((select (state, reason) from vouch.review_request), ('cancelled'::text, 'cancelled'::text), 'nothing left to ask about');

select said.placed('o2', 'c2', 'bob@x.test', now() - interval '20 days', '{kettle}');
select said.fact('delivered', 'o2', now() - interval '10 days');
select said.fact('refunded', 'o2', now(), null, '5.00');
select is((select state from vouch.review_request where order_id = 'o2'), 'scheduled', 'a refund of part of the sum is a label only');
select is((select refunded_amount from vouch.sales_order where order_id = 'o2'), 5.00, 'and is summed up');
select said.fact('refunded', 'o2', now() + interval '1 s', null, '15.00');
select is((select (state, reason) from vouch.review_request where order_id = 'o2'), ('cancelled'::text, 'refunded'::text),
  'sums that reach the total are a refund of the whole order');

select said.fact('delivered', 'o3', now() - interval '10 days', '{7}');
select said.placed('o3', 'c3', 'carl@x.test', now() - interval '20 days', '{kettle}');
select is((select count(*) from vouch.review_request where order_id = 'o3'), 0::bigint, 'a delivered line that nobody described counts for nothing');

select is(said.placed('o1', 'c1', 'anna@x.test', now() - interval '20 days', '{other}') -> 'replies', '{}', 'a repeated key is accepted');
select is((select product_id from vouch.order_line where order_id = 'o1' and line_id = '1'), 'kettle', 'and changes nothing, whatever its data');
select said.placed('o1', 'c1', 'anna@x.test', now() - interval '21 days', '{other}', p_id => 'older');
select is((select product_id from vouch.order_line where order_id = 'o1' and line_id = '1'), 'kettle', 'an older description changes nothing');
select said.placed('o1', 'c1', 'anna@x.test', now() - interval '1 day', '{other}', p_id => 'newer');
select is((select product_id from vouch.order_line where order_id = 'o1' and line_id = '1'), 'other', 'a newer one does');

insert into vouch.request_policy (store_id, country, delay, quiet_from, quiet_until) values ('main', 'DE', '1 day', '00:00', '23:59:59.999'), ('main', '*', '3 days', null, null);
select said.placed('o4', 'c4', 'dora@x.test', now() - interval '20 days', '{kettle}', 'DE');
select said.fact('delivered', 'o4', now() - interval '10 days');
select is((select due_at from vouch.review_request where order_id = 'o4'), now() - interval '9 days', 'the country''s policy');
select is(vouch.request_enqueue('main', 100), 1, 'it is due');
select is((select (state, due_at > now()) from vouch.review_request where order_id = 'o4'), ('scheduled'::text, true), 'but waits for the end of the quiet hours');

select said.placed('o5', 'c5', 'ed@x.test', now() - interval '20 days', '{kettle}', 'LV', false);
select said.fact('delivered', 'o5', now() - interval '10 days');
select vouch.request_enqueue('main', 100);
select is((select (state, reason) from vouch.review_request where order_id = 'o5'), ('skipped'::text, 'no_consent'::text), 'who said no is not asked');
select said.placed('o6', 'c6', 'fay@x.test', now() - interval '200 days', '{kettle}');
select said.fact('delivered', 'o6', now() - interval '190 days');
select vouch.request_enqueue('main', 100);
select is((select (state, reason) from vouch.review_request where order_id = 'o6'), ('expired'::text, 'too_late'::text), 'after the link''s life nobody is asked any more');

select is(said.event('shop.opened', null, p_kept => '{"x":1}'), null, 'an unknown type is accepted');
select is((select state || ' ' || data from vouch.event where type = 'shop.opened'), 'ignored {"x":1}', 'kept and marked ignored');

-- One batch: the same order twice, a repeated key, facts and descriptions mixed.
select lives_ok($$ select vouch.ingest('main', '{/shop,/shop,/shop}', '{a,a,b}', '{order.placed,order.placed,order.delivered}', array[now(), now(), now()],
    array[null, null, null]::jsonb[], array[null, null, null]::text[],
    '{1,2}', '{ra,ra}', array[now(), now()], '{o7,o7}', array[now(), now()], array[said.key('g@x.test'), said.key('g@x.test')], array[null, null]::bytea[],
    array[null, null]::text[], '{g@x.test,g@x.test}', '{G,H}', '{lv,lv}', '{LV,LV}', array[null, null]::text[], array[null, null]::boolean[], '{EUR,EUR}', '{1,1}', array[null, null]::text[],
    '{1,2}', '{o7,o7}', '{1,1}', '{kettle,mug}', array[null, null]::text[], array[null, null]::text[], array[null, null]::text[], '{1,1}', '{1,1}', array[null, null]::timestamptz[],
    '{3}', '{o7}', array[null]::text[], '{delivered}', array[now()], array[null]::text[]) $$, 'a repeated key inside one batch');
select is((select product_id from vouch.order_line where order_id = 'o7' and delivered_at = now()), 'kettle', 'only the first of it counts, and the fact reaches its line');
select is((select name from vouch.customer where email = 'g@x.test'), 'G', 'as for the person');

select said.event('customer.updated', jsonb_build_object('customer_id', 'c4', 'customer_key', encode(said.key('c4'), 'hex'), 'marketing_consent', false));
select is((select (name, marketing_consent) from vouch.customer where customer_id = 'c4'), ('Anna'::text, false), 'an update by id reaches every address and leaves the rest');
select said.event('customer.unsubscribed', jsonb_build_object('customer_id', 'c4'));
select is((select count(*) from vouch.suppression where reason = 'unsubscribed'), 1::bigint, 'and so does an opt-out');
select * from finish();
rollback;
