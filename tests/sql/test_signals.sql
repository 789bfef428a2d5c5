-- SPDX-License-Identifier: MIT
-- Reasons by comparison: copies, floods, staff; and what the outside classifier may do, and when.
\ir helper.psql
select plan(33);
create function said.printed(p_id text, p_email text, p_product text, p_print bigint[], p_client text default null) returns jsonb language sql as $$
  select said.event('review.submitted', said.words(p_id, null, p_email, p_product, 5, 'words ' || p_id)
    || case when p_print is null then '{}' else jsonb_build_object('print', to_jsonb(p_print)) end
    || case when p_client is null then '{}' else jsonb_build_object('client_key', encode(said.key(p_client), 'hex')) end) -> 'review' $$;
create function said.reasons(p_id text) returns text[] language sql as $$
  select r.reasons from vouch.review_revision r join vouch.review_name n using (store_id, review_id) where n.external_id = p_id order by r.revision desc limit 1 $$;
grant execute on all functions in schema said to public;

select said.printed('a', 'a@x.test', 'kettle', '{1,2,3,4,5,6}');
select is(said.reasons('a'), '{}', 'the first of its kind is nobody''s copy');
select said.printed('b', 'b@x.test', 'mug', '{11,12,13,14,15,1}');
select is(said.reasons('b'), '{}', 'one band in common is chance');
select said.printed('c', 'c@x.test', 'mug', '{1,2,23,24,25,26}');
select is(said.reasons('c'), '{duplicate_text}', 'two are a copy, of another product and by another author');
select ok((select 'duplicate_text' = any (held_for) from vouch.review_revision r join vouch.review_name n using (store_id, review_id) where external_id = 'c'), 'for which it is held');
select said.event('review.submitted', said.words('k1', 'cust', null, 'kettle', 5, 'mine') || '{"print": [61,62,63,64,65,66]}');
select said.event('review.submitted', said.words('k2', 'cust', null, 'kettle', 4, 'mine too') || '{"print": [61,62,63,64,65,66]}');
select is(said.reasons('k2'), '{}', 'an edit is no copy of what it edits');
select is((select count(*) from vouch.text_print t join vouch.review_name n using (store_id, review_id) where n.external_id = 'a'), 6::bigint, 'six bands are kept');
select lives_ok($$ select vouch.author_erase('main', (select review_id from vouch.review_name where external_id = 'a'), true) $$, 'an author goes');
select is((select count(*) from vouch.text_print t join vouch.review_name n using (store_id, review_id) where n.external_id = 'a'), 0::bigint, 'and the print with the words');

-- Floods, by client, address and product; never by stars, never of verified reviews.
select said.printed('f' || n, 'f' || n || '@x.test', 'p' || n, null, '192.0.2.1') from generate_series(1, 6) n;
select is(said.reasons('f5'), '{}', 'five from one network within the hour are ordinary');
select is(said.reasons('f6'), '{flood}', 'the sixth is not');
select said.printed('g1', 'g@x.test', 'q', null, '192.0.2.2');
select is(said.reasons('g1'), '{}', 'another network is not concerned');
insert into vouch.flood_policy values ('main', 'address', 1, '1 hour');
select said.printed('h1', 'h@x.test', 'q1', null), said.printed('h2', 'h@x.test', 'q2', null);
select is(said.reasons('h1') || said.reasons('h2'), '{flood}', 'a store sets its own limit for addresses');
insert into vouch.flood_policy values ('main', 'product', 3, '1 day');
select said.printed('v' || n, 'v' || n || '@x.test', 'vase', null) from generate_series(1, 4) n;
select is(said.reasons('v3') || said.reasons('v4'), '{flood}', 'sudden volume on one product');
insert into vouch.arrival select 'main', sha256('product:tray'), now() - interval '2 days' - n * interval '1 hour', n from generate_series(1, 60) n;
select said.printed('t' || n, 't' || n || '@x.test', 'tray', null) from generate_series(1, 4) n;
select is(said.reasons('t4'), '{}', 'but not where it is usual');
select said.placed('o' || n, 'buyer', 'buyer@x.test', now() - interval '9 days', array['w' || n]), said.fact('delivered', 'o' || n, now() - interval '5 days') from generate_series(1, 8) n;
select said.event('review.submitted', said.words('w' || n, 'buyer', null, 'w' || n, 1, 'bought') || jsonb_build_object('client_key', encode(said.key('192.0.2.3'), 'hex')))
from generate_series(1, 8) n;
select is((select count(*) from vouch.review_revision r join vouch.review_name n using (store_id, review_id) where n.external_id like 'w_' and r.reasons = '{}'), 8::bigint,
  'who bought eight things may review eight');
select is(vouch.signal_sweep('main', 100), 0, 'what is young is kept');
update vouch.installation set clock_offset = interval '31 days';
select is(vouch.signal_sweep('main', 10), 10, 'what is old goes, a little at a time');
update vouch.installation set clock_offset = '0';

-- Staff.
delete from vouch.flood_policy where store_id = 'main';
insert into vouch.staff_identity values ('main', 'address', 'boss@x.test'), ('main', 'domain', 'staff.test'), ('main', 'customer', 'c-staff');
select said.printed('s1', 'boss@x.test', 'mug', null), said.printed('s2', 'clerk@staff.test', 'mug', null), said.printed('s3', 'clerk@sub.staff.test', 'mug', null),
  said.printed('s4', 'clerk@notstaff.test', 'mug', null);
select is(said.reasons('s1'), '{insider}', 'staff by address');
select is(said.reasons('s2') || said.reasons('s3'), '{insider,insider}', 'by domain, and those below it');
select is(said.reasons('s4'), '{}', 'not by a domain that only ends alike');
select said.submitted('s5', 'c-staff', null, 'mug', 5, 'nice');
select is(said.reasons('s5'), '{insider}', 'by customer id');
select throws_ok($$ insert into vouch.staff_identity values ('main', 'domain', 'anna@staff.test') $$, '23514', null, 'a domain is no address');

-- The outside classifier.
select is((select count(*) from vouch.classifier_claim('main', 10)), 0::bigint, 'without a classifier nobody is asked');
select throws_ok($$ insert into vouch.classifier values ('main', 'openai', 'http://x.test/') $$, '23514', null, 'nor over plain HTTP');
insert into vouch.classifier values ('main', 'openai', 'https://classifier.test/v1/moderations');
select said.placed('o9', 'buyer9', 'buyer9@x.test', now() - interval '9 days', array['lamp', 'rug', 'mat']), said.fact('delivered', 'o9', now() - interval '5 days');
select is(said.submitted('z1', 'buyer9', null, 'lamp', 5, 'fine') ->> 'state', 'published', 'its silence holds nothing up');
select is((select array_agg(words) from vouch.classifier_claim('main', 10)), '{fine}', 'it is asked afterwards, about the words');
select is((select count(*) from vouch.classifier_claim('main', 10)), 0::bigint, 'once, for now');
select is(vouch.classifier_settle('main', (select review_id from vouch.review_name where external_id = 'z1'), 1, 0.5), false, 'below the threshold nothing happens');
select said.submitted('z2', 'buyer9', null, 'rug', 1, 'hidden insult');
select is(vouch.classifier_settle('main', (select review_id from vouch.review_name where external_id = 'z2'), 1, 0.95), true, 'above it');
select is((select (v.state, r.held_for, r.deadline_at is not null) from vouch.review v join vouch.review_revision r using (store_id, review_id)
  join vouch.review_name n using (store_id, review_id) where n.external_id = 'z2'), ('held'::text, '{classifier}'::text[], true), 'a published review is held, with a reason and a deadline');
select said.submitted('z3', 'buyer9', null, 'mat', 5, 'odd', '{spam}');
select vouch.classifier_settle('main', (select review_id from vouch.review_name where external_id = 'z3'), 1, 0.95);
select is((select r.held_for from vouch.review_revision r join vouch.review_name n using (store_id, review_id) where n.external_id = 'z3'), '{spam,classifier}', 'a held one gets one reason more');
insert into vouch.operator values ('main', 'Zane', 'moderator');
select vouch.decide('main', (select review_id from vouch.review_name where external_id = 'z3'), 'Zane', 'approve', null, null);
select vouch.classifier_settle('main', (select review_id from vouch.review_name where external_id = 'z3'), 1, 0.99);
select is((select v.state from vouch.review v join vouch.review_name n using (store_id, review_id) where n.external_id = 'z3'), 'published', 'what a person decided stays decided');
select ok((select bool_and(position('rating' in pg_get_functiondef(p.oid)) = 0) from pg_proc p where p.pronamespace = 'vouch'::regnamespace
  and p.proname in ('signal_reasons', 'flood_seen', 'arrival_note', 'text_copied', 'staff_known', 'classifier_settle')), 'none of this knows the stars');
select * from finish();
rollback;
