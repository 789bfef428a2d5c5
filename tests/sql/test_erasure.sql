-- Erasure: nothing of the person is left, and nothing brings the person back.
\ir helper.psql
select plan(24);
-- Every table and column in which a text occurs.
create function pg_temp.places(p text) returns text[] language plpgsql as $$
declare
  item record; hits bigint; told text[] := '{}';
begin
  for item in select relname from pg_class where relnamespace = 'vouch'::regnamespace and relkind = 'r' order by 1 loop
    execute format('select count(*) from vouch.%I t where position(lower($1) in lower(t::text)) > 0', item.relname) into hits using p;
    if hits > 0 then told := told || item.relname::text; end if;
  end loop;
  return told;
end
$$;
select said.placed('o1', 'cust-77', 'anna.berzina@x.test', now() - interval '20 days', '{kettle,mug}');
select said.placed('o2', 'cust-77', 'anna2.berzina@x.test', now() - interval '20 days', '{vase}');
select said.placed('o3', 'cust-88', 'bob@x.test', now() - interval '20 days', '{vase}');
select said.fact('delivered', 'o1', now() - interval '10 days'), said.fact('delivered', 'o3', now() - interval '10 days');
insert into vouch.discount_policy (store_id, kind, value) values ('main', 'percent', 5);
select said.mailed();
update vouch.send_attempt set reply = '550 <anna.berzina@x.test> unknown' where mail_id = 1; -- as if it had not been masked
select said.submitted('r1', 'cust-77', 'anna.berzina@x.test', 'kettle', 2, 'Scratched.', '{}');
select said.submitted('r2', 'cust-77', 'anna.berzina@x.test', 'mug', 1, 'Idiots.', '{abusive}');
select said.submitted('r3', 'cust-88', 'bob@x.test', 'vase', 4, 'Nice.');
select vouch.reject(review_id, 'Zane', 'abusive', 'anna.berzina@x.test wrote: idiots') from vouch.review where external_id = 'r2';
select said.event('shop.visited', null, p_kept => '{"who":"ANNA\u002eBerzina@x.test"}');
select said.event('shop.visited', null, p_kept => '{"who":"cust-77"}');
select said.event('shop.visited', null, p_kept => '{"who":"cust-777"}');
select said.event('review.reported', jsonb_build_object('external_id', 'r3', 'report', jsonb_build_object('explanation', 'I, anna.berzina@x.test, object', 'email', 'Anna.Berzina@x.test', 'name', 'Anna', 'good_faith', true)));
insert into vouch.link_token select 'main', said.key('author' || review_id), 'author', review_id from vouch.review;
select ok(cardinality(pg_temp.places('berzina')) > 4, 'the address is in many places');
select rating, title, body from vouch.review_revision where false;

select is(vouch.erase_customer(email => 'anna.berzina@x.test') #>> '{erased,reviews}', '2', 'erased by one address');
select is(pg_temp.places('berzina'), '{}', 'no table holds any address of the account');
select is(pg_temp.places('cust-77') , '{event}', 'nor its id; cust-777 is somebody else');
select is((select count(*) from vouch.event where data like '%cust-77"%'), 0::bigint, 'an event kept unread is blanked');
select is((select array_agg(author_name) from vouch.review_revision r join vouch.review v using (store_id, review_id) where v.external_id in ('r1', 'r2')), '{NULL,NULL}', 'no author''s name');
select is((select array_agg(rating || body order by body) from vouch.review_revision r join vouch.review v using (store_id, review_id) where v.external_id in ('r1', 'r2')), '{1Idiots.,2Scratched.}', 'stars and words stay');
select is((select (verified, state) from vouch.review where external_id = 'r1'), (true, 'published'::text), 'so do badge and state');
select is((select count(*) from vouch.decision_note), 0::bigint, 'the operator''s facts about the person go');
select is((select count(*) from vouch.link_token where purpose = 'author' and subject_id in (select review_id from vouch.review where erased_at is not null)
  or purpose = 'review' and subject_id in (select request_id from vouch.review_request where order_id in ('o1', 'o2'))), 0::bigint, 'no link of the author opens anything');
select is((select count(*) from vouch.record_faults('main')), 0::bigint, 'the record is whole without them');
select is((select count(*) from vouch.review where external_id = 'r3' and customer_id = 'cust-88'), 1::bigint, 'others are untouched');
select is((select name from vouch.customer where email = 'bob@x.test'), 'Anna', 'with their names');

-- Late, spooled and repeated events.
select said.placed('o4', 'cust-77', 'anna.berzina@x.test', now() - interval '1 hour', '{kettle}');
select said.placed('o1', 'cust-77', 'anna.berzina@x.test', now() - interval '19 days', '{kettle,mug}', p_id => 'late edit');
select said.event('customer.updated', jsonb_build_object('email', 'anna.berzina@x.test', 'address_key', encode(said.key('anna.berzina@x.test'), 'hex'), 'name', 'Anna'), now() - interval '1 hour');
select said.submitted('r5', null, 'anna.berzina@x.test', 'kettle', 5, 'Late words.', p_at => now() - interval '1 hour');
select is(pg_temp.places('berzina'), '{}', 'events from before the erasure bring nobody back');
select is((select claim from vouch.review where external_id = 'r5'), 'anonymous', 'a late review is anonymous');
select said.fact('delivered', 'o4', now() - interval '30 days');
select said.fact('refunded', 'o1', now());
select is((select verified from vouch.review where external_id = 'r1'), true, 'facts that come later leave an erased author''s badge alone');
select set_eq('select obstacle from vouch.review_request r cross join lateral (select vouch.request_obstacle(''main'', r.request_id) as obstacle) x where order_id = ''o4''', array['no_address'], 'and nobody is asked');
select vouch.set_clock_offset('1 hour');
select said.placed('o5', 'cust-77', 'anna.berzina@x.test', now() + interval '30 min', '{kettle}');
select is(pg_temp.places('berzina'), '{customer}', 'who buys again afterwards is known again');
select is((select count(*) from vouch.sales_order where customer_id = 'cust-77'), 1::bigint, 'with the new order only');

-- Words and all.
select is(vouch.customer_erase('main', jsonb_build_object('customer_id', 'cust-88', 'words', true)) #>> '{erased,reviews}', '1', 'erased with the words');
select is((select (body, title, rating) from vouch.review_revision r join vouch.review v using (store_id, review_id) where v.external_id = 'r3'), (null::text, null::text, 4::smallint), 'the stars stay');
select is((select count(*) from vouch.record_faults('main')), 0::bigint, 'and the record is whole');
create temp table done (hit text);
do $$
begin
  set local session_replication_role = replica;
  update vouch.review_revision set rating = 5 where body is null;
  set local session_replication_role = origin;
  insert into done select what from vouch.record_faults('main');
end
$$;
select is((select hit from done), 'words or stars of a review were changed', 'whose stars still cannot be changed unnoticed');
select throws_ok($$ select vouch.erase_customer() $$, 'VO104', null, 'nobody is not a person');
select * from finish();
rollback;
