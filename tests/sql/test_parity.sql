-- Publication by stars: counts that follow every decision, the tests, the alarm, the public numbers.
\ir helper.psql
select no_plan();
create function pg_temp.link() returns void language plpgsql as $$
declare
  previous bytea := (select hash from vouch.record_head where store_id = 'main');
  at_sequence bigint := coalesce((select sequence from vouch.record_head where store_id = 'main'), 0);
  ids bigint[] := '{}'; digests bytea[] := '{}'; hashes bytea[] := '{}'; open record;
begin
  for open in select * from vouch.record_open('main', 100000) loop
    previous := sha256(coalesce(previous, '') || open.digest);
    ids := ids || open.decision_id; digests := digests || open.digest; hashes := hashes || previous;
  end loop;
  perform vouch.record_append('main', at_sequence, ids, digests, hashes, decode(repeat('00', 64), 'hex'), decode(repeat('00', 32), 'hex'));
end
$$;
-- The same counted from the tables themselves.
create function pg_temp.counted() returns table (rating smallint, received bigint, published bigint, held bigint, rejected bigint, withdrawn bigint) language sql as $$
  select r.rating, count(*), count(*) filter (where r.state = 'published'), count(*) filter (where r.state = 'held'),
    count(*) filter (where r.state = 'rejected'), count(*) filter (where r.state = 'withdrawn')
  from vouch.review_revision r where r.store_id = 'main' and exists (select from vouch.review_decision d where d.review_id = r.review_id and d.revision = r.revision)
  group by r.rating $$;
create function pg_temp.agrees(p text) returns text language sql as $$
  select is((select array_agg(row(rating, received, published, held, rejected, withdrawn)::text order by rating) from vouch.publication_parity where store_id = 'main' and received > 0),
    (select array_agg(c::text order by rating) from pg_temp.counted() c), p) $$;

select is((select count(*) from vouch.publication_parity where store_id = 'main'), 5::bigint, 'five rows from the beginning');
select is((select bool_or(alarm) from vouch.publication_parity), false, 'without an alarm');
update vouch.hold_policy set action = 'publish' where reason = 'unverified';
select said.submitted('a' || n, 'c' || n, null, 'p' || n, n % 5 + 1, 'words ' || n, case when n % 10 < 2 then '{abusive}'::text[] else '{}' end) from generate_series(1, 200) n;
select pg_temp.agrees('counts before any is linked');
select is((select array_agg(holds order by rating) from vouch.publication_parity), '{20,20,0,0,0}', 'holds by star');
select pg_temp.link();
select is((select count(*) from vouch.record_pending), 0::bigint, 'all are linked');
select pg_temp.agrees('and after');
select is((select array_agg(round(published_share, 2) order by rating) from vouch.publication_parity), '{0.50,0.50,1.00,1.00,1.00}', 'shares');
select is((select array_agg(alarm order by rating) from vouch.publication_parity), '{t,t,f,f,f}', 'low stars fare worse: alarm');
select is((select (round(z, 2), round(trend_z, 2), trend_p < 1e-9) from vouch.publication_parity where rating = 1), (-5.30, 7.50, true), 'two-proportion z and the trend, as computed by hand');
select is((select parity_alarm from vouch.moderation_health where store_id = 'main'), true, 'health says so');
select is(vouch.health('main') #>> '{moderation,parity_alarm}', 'true', 'everywhere');

-- The tail of the normal distribution against tables: z of a share of 45 % against 55 % among 200 is -1.414, p 0.0786.
insert into vouch.store (store_id) values ('other');
insert into vouch.parity_total (store_id, rating, received, published, rejected) values ('other', 1, 100, 45, 55), ('other', 5, 100, 55, 45);
select is((select (z, round(p_value::numeric, 4), trend_z, round(trend_p::numeric, 4), alarm) from vouch.publication_parity where store_id = 'other' and rating = 1),
  (-1.414, 0.0786, 1.414, 0.0786, false), 'p-values');
update vouch.parity_total set published = 90, rejected = 10 where store_id = 'other' and rating = 1;
select is((select (z > 0, trend_z < 0, trend_p > 0.99, alarm) from vouch.publication_parity where store_id = 'other' and rating = 5), (false, true, true, false), 'high stars faring worse is no alarm');
update vouch.parity_total set published = 100, rejected = 0 where store_id = 'other';
select is((select (z, p_value, trend_p, alarm) from vouch.publication_parity where store_id = 'other' and rating = 1), (null::numeric, null::double precision, null::double precision, false), 'nothing refused, nothing to test');
update vouch.parity_total set received = 1000000000, published = case rating when 1 then 0 else 1000000000 end, rejected = case rating when 1 then 1000000000 else 0 end where store_id = 'other';
select is((select alarm from vouch.publication_parity where store_id = 'other' and rating = 1), true, 'no number is too large');

-- Every kind of decision, in turns, linked or not.
select vouch.set_clock_offset('2 hours');
select vouch.reject(review_id, 'Zane', case when review_id % 2 = 0 then 'abusive' else 'spam' end, 'the facts') from vouch.held_review where rating = 1;
select pg_temp.agrees('refusals');
select is((select (holds_ended, mean_hold_s, rejected_by_ground) from vouch.publication_parity where rating = 1 and store_id = 'main'),
  (20::bigint, 7200::numeric, (select jsonb_object_agg(ground, n) from (select ground, count(*) as n from vouch.review_decision where ground is not null group by ground) g)), 'how long they were held, and on which grounds');
select pg_temp.link();
select vouch.undo(review_id, 'Zane') from (select review_id from vouch.review where state = 'rejected' order by 1 limit 5) x;
select vouch.approve(review_id, 'Zane') from (select review_id from vouch.review where state = 'rejected' order by 1 limit 5) x;
select vouch.review_withdraw('main', review_id) from (select review_id from vouch.review where state = 'published' order by 1 limit 7) x;
select said.submitted('a' || n, 'c' || n, null, 'p' || n, (n + 2) % 5 + 1, 'other words', case when n % 2 = 0 then '{abusive}'::text[] else '{}' end) from generate_series(100, 140) n;
select pg_temp.agrees('edits, withdrawals, decisions taken back');
select is((select sum(e.value::bigint) from vouch.publication_parity p, jsonb_each_text(rejected_by_ground) e where store_id = 'main'), 10::numeric, 'grounds follow');
select pg_temp.link();
select pg_temp.agrees('linked');
select vouch.author_erase('main', review_id, true) from vouch.review where state = 'rejected';
select pg_temp.link();
select pg_temp.agrees('erasure leaves the counts');

select vouch.transparency('main') as told \gset
select is(:'told'::jsonb #> '{reviews,received}', to_jsonb((select count(*) from pg_temp.counted() c, generate_series(1, c.received))), 'the public numbers: received');
select is(:'told'::jsonb #> '{reviews,rejected}', '10', 'refused');
select is((select sum(e.value::int) from jsonb_each_text(:'told'::jsonb #> '{reviews,rejected_by_ground}') e), 10::bigint, 'by ground');
select is(jsonb_array_length(:'told'::jsonb -> 'by_stars'), 5, 'by star');
select is(:'told'::jsonb -> 'holds' -> 0, '{"reason": "abusive", "action": "hold", "deadline_s": 259200, "on_deadline": "escalate"}', 'what is held, from the live configuration');
select is(:'told'::jsonb -> 'incentive', 'null', 'no incentive');
select is(:'told'::jsonb #>> '{record,sequence}', (select sequence::text from vouch.record_head), 'the head of the record');
select is(jsonb_array_length(:'told'::jsonb -> 'grounds'), 7, 'the grounds');
select is(vouch.transparency('nowhere'), null, 'of a store that is none, nothing');
select * from finish();
rollback;
