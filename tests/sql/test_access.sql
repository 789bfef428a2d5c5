-- Who may do what: stores, roles, grants, and what a hostile session cannot plant.
\ir helper.psql
select plan(41);
insert into vouch.store (store_id) values ('other');
create role module_login login in role vouch_module;
create role op_main login in role vouch_operator;
create role op_both login in role vouch_operator;
create role viewer login in role vouch_viewer;
create role stranger login;
insert into vouch.operator values ('main', 'op_main', 'moderator'), ('main', 'op_both', 'manager'), ('other', 'op_both', 'manager'), ('main', 'viewer', 'viewer');
select said.event('review.submitted', said.words('m1', 'c1', null, 'kettle', 2, 'in main'));
select said.event('review.submitted', said.words('x1', 'c1', null, 'kettle', 2, 'in other'), p_store => 'other');
select review_id as here from vouch.review where store_id = 'main' \gset
select review_id as there from vouch.review where store_id = 'other' \gset

set local vouch.store = ''; -- as in a new session

-- Entry points.
select is((select array_agg(p.proname::text order by 1) from pg_proc p where p.pronamespace = 'vouch'::regnamespace and p.prosecdef
  and not coalesce(p.proconfig, '{}') @> array['search_path=pg_catalog, pg_temp', 'plan_cache_mode=force_generic_plan', 'enable_seqscan=off', 'jit=off']),
  null, 'every function that acts as the owner pins its path and its plans');
select is((select count(*) from pg_proc p where p.pronamespace = 'vouch'::regnamespace and has_function_privilege('public', p.oid, 'execute')), 0::bigint, 'nothing is open to everybody');
select is((select array_agg(p.proname::text order by 1) from pg_proc p where p.pronamespace = 'vouch'::regnamespace and not p.prosecdef
  and p.proname not in ('clock', 'acting_store', 'is_module')
  and (has_function_privilege('vouch_module', p.oid, 'execute') or has_function_privilege('vouch_operator', p.oid, 'execute') or has_function_privilege('vouch_viewer', p.oid, 'execute'))),
  null, 'inner functions are out of everybody''s reach');
select is((select array_agg(c.relname::text || ' ' || g.privilege_type) from pg_class c, unnest(array['insert', 'update', 'delete', 'truncate', 'select']) with ordinality as g (privilege_type, n)
  where c.relnamespace = 'vouch'::regnamespace and c.relkind in ('r', 'v') and has_table_privilege('vouch_module', c.oid, g.privilege_type)), null, 'the module touches no table');
select is((select array_agg(c.relname::text) from pg_class c, unnest(array['vouch_operator', 'vouch_viewer']) r, unnest(array['insert', 'update', 'delete', 'truncate']) g
  where c.relnamespace = 'vouch'::regnamespace and has_table_privilege(r, c.oid, g)), null, 'no person writes any table');
select is((select array_agg(c.relname::text order by 1) from pg_class c where c.relnamespace = 'vouch'::regnamespace and c.relname in ('customer', 'event', 'erasure', 'link_token', 'secret', 'outbox', 'suppression', 'confirmation', 'discount_code')
  and (has_table_privilege('vouch_operator', c.oid, 'select') or has_table_privilege('vouch_viewer', c.oid, 'select'))), null, 'nor reads addresses, links, codes or keys');
select is((select array_agg(relname::text) from pg_class where relnamespace = 'vouch'::regnamespace and relkind = 'r' and not (relrowsecurity and relforcerowsecurity)), null, 'row-level security is forced on every table');
select is((select array_agg(relname::text) from pg_class where relnamespace = 'vouch'::regnamespace and relkind in ('r', 'v', 'S') and relowner <> 'vouch_owner'::regrole), null, 'vouch_owner owns everything');
select is((select array_agg(p.proname::text) from pg_proc p where p.pronamespace = 'vouch'::regnamespace and p.proowner <> 'vouch_owner'::regrole), null, 'functions too');
select is((select (rolcanlogin, rolsuper, rolbypassrls) from pg_roles where rolname = 'vouch_owner'), (false, false, false), 'and is nobody who can log in');
select is((select array_agg(c.relname::text || '.' || x.indexrelid::regclass::text) from pg_index x join pg_class c on c.oid = x.indrelid
  where c.relnamespace = 'vouch'::regnamespace and x.indisunique and c.relname not in ('installation', 'migration', 'secret')
    and (select attname from pg_attribute where attrelid = c.oid and attnum = x.indkey[0]) <> 'store_id'), null, 'store_id comes first in every key');
select is((select array_agg(c.relname::text order by 1) from pg_class c where c.relnamespace = 'vouch'::regnamespace and c.relkind in ('r', 'v') and obj_description(c.oid) is null), null, 'every table and view says what it is');

-- People.
set session authorization op_main;
select is((select array_agg(body) from vouch.held_review), '{in main}', 'an operator sees the queue of his store');
select is((select count(*) from vouch.review), 1::bigint, 'and nothing of others');
set local vouch.store = 'main';
select is(vouch.reject(:here, null, 'spam', 'it is') #>> '{review,state}', 'rejected', 'decides under his own name');
select is((select actor from vouch.review_decision where action = 'reject'), 'op_main', 'which is on record');
select throws_ok(format('select vouch.approve(%s, %L)', :here, 'op_both'), 'VO203', null, 'under no other');
select throws_ok(format($$ set local vouch.store = 'other'; select vouch.approve(%s) $$, :there), 'VO203', null, 'not in another store');
set local vouch.store = '';
select throws_ok($$ select vouch.decide('other', 1, null, 'approve', null, null) $$, 'VO203', null, 'by no way');
select throws_ok($$ select vouch.queue_view('other', null, null, 10) $$, 'VO203', null, 'nor looks into it');
set local vouch.store = 'main';
select throws_ok($$ select vouch.erase_customer('c1') $$, 'VO203', null, 'a moderator erases nobody');
select throws_ok($$ select vouch.set_clock_offset('1 day') $$, '42501', null, 'nor sets the clock');
select throws_ok($$ select vouch.revision_move('main', 1, 1, 'approve', 'me', false, null, null, null) $$, '42501', null, 'nor goes round the back');
set local vouch.store = 'other';
select is((select count(*) from vouch.review), 0::bigint, 'naming another store shows nothing of it');
set local vouch.store = '';
reset session authorization;
set session authorization viewer;
select is((select count(*) from vouch.review), 1::bigint, 'a viewer looks');
select throws_ok(format('select vouch.approve(%s)', :here), '42501', null, 'and decides nothing');
reset session authorization;
set session authorization op_both;
select is((select count(*) from vouch.review), 2::bigint, 'who has two stores sees both');
select throws_ok(format('select vouch.approve(%s)', :there), 'VO202', null, 'and must say which one is meant');
set local vouch.store = 'other';
select is(vouch.approve(:there) #>> '{review,state}', 'published', 'then decides there');
set local vouch.store = '';
reset session authorization;
set session authorization stranger;
select throws_ok($$ select * from vouch.review $$, '42501', null, 'a stranger has no business here');
reset session authorization;

-- The module, and what is not its own.
set session authorization module_login;
select is(vouch.decide('main', :here, 'Zane', 'approve', null, null) #>> '{review,state}', 'published', 'the module speaks for whom it names');
select throws_ok(format('select vouch.decide(%L, %s, %L, %L, null, null)', 'main', :there, 'Zane', 'approve'), 'VO101', null, 'a review of another store is not there');
select throws_ok($$ select * from vouch.secret $$, '42501', null, 'keys come through their function only');
reset session authorization;

-- The second wall: with every WHERE forgotten, another store's rows still do not show.
set local role vouch_owner;
set local vouch.store = 'other';
select is((select array_agg(distinct store_id) from vouch.review), '{other}', 'the owner''s own functions see one store');
select is((select array_agg(distinct store_id) from vouch.review_revision), '{other}', 'in every table');
select throws_ok($$ insert into vouch.product (store_id, product_id, updated_at) values ('main', 'p', now()) $$, '42501', null, 'and write in no other');
reset role;
set local role vouch_owner;
set local vouch.store = '';
select is((select count(*) from vouch.review), 0::bigint, 'without a store there is nothing at all');
reset role;
set local vouch.store = '';

-- Configuration refuses nonsense.
select throws_ok($$ insert into vouch.hold_policy values ('main', 'abusive', 'hold', '1 day', 'release') $$, '23514', null, 'abuse is never released unread');
select throws_ok($$ insert into vouch.hold_policy values ('main', 'unverified', 'hold', '100 days', 'release') $$, '23514', null, 'no hold without an end');
select throws_ok($$ insert into vouch.rejection_ground (store_id, ground) values ('main', 'low_rating') $$, '23514', null, 'no ground that is not on the list');
select throws_ok($$ insert into vouch.request_policy (store_id, country) values ('main', 'Latvia') $$, '23514', null, 'a country is a code');
select * from finish();
rollback;
