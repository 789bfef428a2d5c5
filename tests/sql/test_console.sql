-- SPDX-License-Identifier: MIT
-- The console's functions: roles, versions, closed lists, bounded pages. The pages read no more rows as a store grows: with
-- 40,000 reviews, half of them held, each touches a few thousand at most, at any depth.
\ir helper.psql
select plan(46);
set statement_timeout = '60s';

create function pg_temp.ask(p_name text, p_ask jsonb default '{}', p_role text default 'manager', p_operator text default 'Zane') returns jsonb language plpgsql as $$
declare
  told jsonb;
begin
  execute format('select vouch.console_%s(''main'', $1, $2, $3)', p_name) into told using p_operator, p_role, p_ask;
  return told;
end
$$;
create function pg_temp.held(p_id text, p_reasons text[] default '{}', p_marks jsonb default '[]') returns bigint language sql as $$
  select said.event('review.submitted', said.words(p_id, null, p_id || '@x.test', 'cup', 1, 'words ' || p_id, p_reasons) || jsonb_build_object('marks', p_marks));
  select review_id from vouch.review_name where store_id = 'main' and external_id = p_id $$;
create function pg_temp.version(p_review bigint) returns text language sql as $$ select max(decision_id)::text from vouch.review_decision where review_id = p_review $$;

-- Decisions.
select pg_temp.held('one'), pg_temp.held('two'), pg_temp.held('three', '{abusive}', '[{"field":"body","start":0,"end":5,"category":"insult"}]'), pg_temp.held('four') \gset
create temp table known as select external_id as name, review_id as id from vouch.review_name where store_id = 'main';
select is(jsonb_array_length(pg_temp.ask('queue') -> 'cards'), 4, 'the queue shows what is held');
select is(pg_temp.ask('queue', '{"reason":"abusive"}') #>> '{cards,0,review_id}', (select id::text from known where name = 'three'), 'by reason');
select is(pg_temp.ask('queue', '{"product":"nothing"}') -> 'some', 'false', 'by product');
select throws_ok($$ select pg_temp.ask('queue', '{"after":"x"}') $$, 'VO102', null, 'a place in the queue is one that a link gave');
select throws_ok($$ select pg_temp.ask('queue', '{}', 'producer') $$, 'VO203', null, 'a machine has no console');
select throws_ok(format($$ select pg_temp.ask('decide', '{"id":"%s","version":"%s","action":"approve"}', 'viewer') $$, id, pg_temp.version(id)), 'VO203', null,
  'a viewer decides nothing') from known where name = 'one';
select throws_ok(format($$ select pg_temp.ask('decide', '{"id":"%s","action":"approve"}') $$, id), 'VO205', null, 'a decision names the version it saw') from known where name = 'one';
select lives_ok(format($$ select pg_temp.ask('decide', '{"id":"%s","version":"%s","action":"approve"}') $$, id, pg_temp.version(id)), 'and is carried out then') from known where name = 'one';
select throws_ok(format($$ select pg_temp.ask('decide', '{"id":"%s","version":"%s","action":"approve"}') $$, id, (select min(decision_id) from vouch.review_decision where review_id = id)),
  'VO205', null, 'who comes second is told') from known where name = 'one';
select is(pg_temp.ask('undo', jsonb_build_object('id', id::text, 'version', pg_temp.version(id))) #>> '{query,done}', 'undone', 'taken back') from known where name = 'one';
select is((select state from vouch.review where review_id = id), 'held', 'and open again') from known where name = 'one';
select throws_ok(format($$ select pg_temp.ask('decide', '{"id":"%s","version":"%s","action":"reject"}') $$, id, pg_temp.version(id)), 'VO103', null, 'no refusal without a ground') from known where name = 'one';
select throws_ok(format($$ select pg_temp.ask('decide', '{"id":"%s","version":"%s","action":"reject","ground":"low_rating","explanation":"x"}') $$, id, pg_temp.version(id)), 'VO103', null,
  'none but of the closed list') from known where name = 'one';
select is(pg_temp.ask('decide', jsonb_build_object('id', id::text, 'version', pg_temp.version(id), 'action', 'reject', 'ground', 'abusive', 'explanation', ' ', 'ready.abusive', 'These words: x'))
  #>> '{query,done}', 'rejected', 'ready facts stand in for none') from known where name = 'three';
select is((select n.note from vouch.decision_note n join vouch.review_decision d using (store_id, decision_id) where d.review_id = id and d.action = 'reject'), 'These words: x',
  'and are told') from known where name = 'three';
select throws_ok(format($$ select pg_temp.ask('bulk', '{"action":"approve","pick.%s":"%s"}') $$, id, pg_temp.version(id)), 'VO206', null, 'together only what has no marked words')
  from (select pg_temp.held('five', '{abusive}', '[{"field":"body","start":0,"end":5,"category":"insult"}]') as id) x;
select throws_ok($$ select pg_temp.ask('bulk', '{"action":"approve"}') $$, 'VO104', null, 'together nothing is nothing');
select throws_ok(format($$ select pg_temp.ask('bulk', '{"action":"approve","pick.%s":"%s","pick.%s":"1"}') $$, a.id, pg_temp.version(a.id), b.id), 'VO205', null, 'all or none')
  from known a, known b where a.name = 'two' and b.name = 'four';
select is((select state from vouch.review where review_id = id), 'held', 'so the first of them stays') from known where name = 'two';
select is(pg_temp.ask('bulk', jsonb_build_object('action', 'approve', 'pick.' || a.id, pg_temp.version(a.id), 'pick.' || b.id, pg_temp.version(b.id))) #>> '{query,count}', '2', 'two at once')
  from known a, known b where a.name = 'two' and b.name = 'four';
select is(pg_temp.ask('review', '{"id":"0x1"}'), null, 'no id, no page');
select is(pg_temp.ask('review', '{"id":"999999999999"}'), null, 'no review, no page');
select throws_ok($$ select pg_temp.ask('reviews', '{"author":"anna"}') $$, 'VO102', null, 'an author is a key, not a name');

-- Settings.
select is(pg_temp.ask('table', '{"id":"secret"}'), null, 'a table that is no configuration has no page');
select is(pg_temp.ask('table', '{"id":"store\"; drop table vouch.review; --"}'), null, 'nor has what is no name');
select throws_ok($$ select pg_temp.ask('set', '{"id":"review","action":"save"}') $$, 'VO101', null, 'nor is it changed');
select throws_ok($$ select pg_temp.ask('set', '{"id":"request_policy","action":"save","set.country":"LV"}', 'moderator') $$, 'VO203', null, 'settings are the manager''s');
select lives_ok($$ select pg_temp.ask('set', '{"id":"request_policy","action":"save","set.country":"LV","set.delay":"3 days","set.store_id":"other","set.no_such; drop":"x"}') $$, 'columns are the table''s own');
select is((select array_agg(store_id || ' ' || country || ' ' || delay) from vouch.request_policy), array['main LV 3 days'], 'and the store is one''s own');
select throws_ok($$ select pg_temp.ask('set', '{"id":"request_policy","action":"save","set.country":"LV","set.delay":"4 days"}') $$, 'VO204', null, 'a row that changed since is not overwritten');
select throws_matching($$ select pg_temp.ask('set', '{"id":"request_policy","action":"save","set.country":"EE","set.delay":"900 days"}') $$, 'delay is sane', 'the tables'' own rules speak');
select is(pg_temp.ask('set', '{"id":"request_policy","action":"plan","set.country":"EE","set.delay":"1 day"}') ->> 'show', 'trial', 'a dry run');
select is((select count(*) from vouch.request_policy where country = 'EE'), 0::bigint, 'leaves nothing behind');
select is((select string_agg(action || ' ' || subject || ' by ' || operator, ', ') from vouch.operator_action), 'set request_policy by Zane', 'who changed what is written down');
select throws_ok($$ update vouch.operator_action set operator = 'x' $$, null, null, 'for good');
insert into vouch.suppression values ('main', said.key('stop'), 'unsubscribed', now());
select throws_ok(format($$ select pg_temp.ask('suppress', '{"action":"remove","key":"%s","reason":"unsubscribed"}') $$, encode(said.key('stop'), 'hex')), 'VO206', null,
  'who unsubscribed is not brought back');
select throws_ok($$ select pg_temp.ask('suppress', '{"action":"add","key":"anna@x.test"}') $$, 'VO104', null, 'an address never comes this far');

-- Size.
set session_replication_role = replica;
insert into vouch.review (store_id, product_id, order_id, line_id, claim, customer_id, verified, verified_reason, state, revision, published_revision, written_at, published_at)
  select 'main', case when n % 4 = 0 then 'vase' else 'p' || n % 5000 end, 'o' || n, '1', 'authenticated', 'c' || n % 9000, false, 'no_such_purchase',
    case n % 2 when 0 then 'held' else 'published' end, 1, case n % 2 when 1 then 1 end, now(), case n % 2 when 1 then now() end from generate_series(1, 40000) n;
insert into vouch.review_revision (store_id, review_id, revision, rating, body, locale, written_at, received_at, state, digest, held_for, held_at, deadline_at)
  select 'main', review_id, 1, 1 + review_id % 5, 'words', case when review_id % 1000 = 0 then 'lv' else 'en' end, now(), now(), state, said.key(''),
    case state when 'held' then '{unverified}'::text[] else '{}' end, case state when 'held' then now() end, case state when 'held' then now() + review_id * interval '1 second' end
  from vouch.review where order_id ~ '^o';
insert into vouch.review_decision (store_id, review_id, revision, action, to_state, decided_at, actor, automated, words_digest)
  select 'main', review_id, 1, 'publish', state, now(), 'vouch', true, said.key('') from vouch.review where order_id ~ '^o';
set session_replication_role = origin;
analyze vouch.review, vouch.review_revision, vouch.review_decision;
create function pg_temp.touched() returns bigint language sql as $$
  select coalesce(sum(coalesce(seq_tup_read, 0) + coalesce(idx_tup_fetch, 0)), 0)::bigint from pg_stat_xact_user_tables where schemaname = 'vouch' $$;
create function pg_temp.price(p_name text, p_ask jsonb) returns bigint language plpgsql as $$
declare
  before bigint := pg_temp.touched();
begin
  perform pg_temp.ask(p_name, p_ask);
  return pg_temp.touched() - before;
end
$$;
create temp table deep as select vouch.console_cursor(deadline_at, review_id) as place, review_id from vouch.review_revision where state = 'held' order by deadline_at offset 15000 limit 1;
-- idx_tup_fetch counts what an index scan visits; counts stop at 1001, filters at 2000, decisions by day at 5000.
select cmp_ok(pg_temp.price('queue', '{}'), '<', 6000::bigint, 'the queue''s first page');
select cmp_ok(pg_temp.price('queue', jsonb_build_object('after', (select place from deep))), '<', 6000::bigint, 'a page at depth 15,000');
select is(jsonb_array_length(pg_temp.ask('queue', jsonb_build_object('after', (select place from deep))) -> 'cards'), 20, 'which is a whole page');
select cmp_ok(pg_temp.price('queue', '{"locale":"lv"}'), '<', 9000::bigint, 'a filter that little fits');
select ok(pg_temp.ask('queue', '{"locale":"lv"}') ->> 'next' is not null, 'hands on where it stopped');
select cmp_ok(pg_temp.price('queue', '{"product":"p17"}'), '<', 6000::bigint, 'a product''s holds');
select cmp_ok(pg_temp.price('reviews', jsonb_build_object('product', 'vase', 'after', (select review_id::text from deep))), '<', 2000::bigint, 'a product''s reviews at depth');
select cmp_ok(pg_temp.price('reviews', '{"state":"withdrawn"}'), '<', 9000::bigint, 'a state that nothing is in');
select cmp_ok(pg_temp.price('home', '{}'), '<', 15000::bigint, 'the overview');
select * from finish();
rollback;
