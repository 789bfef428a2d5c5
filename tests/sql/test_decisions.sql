-- What operators decide, and the record of it.
\ir helper.psql
select plan(37);
create function pg_temp.state(p bigint) returns text language sql as $$ select v.state || ':' || string_agg(r.state, ',' order by r.revision) from vouch.review v
  join vouch.review_revision r using (store_id, review_id) where v.review_id = p group by v.state $$;
select said.placed('o1', 'c1', 'anna@x.test', now() - interval '20 days', '{kettle,mug}');
select said.fact('delivered', 'o1', now() - interval '10 days');
select (said.submitted('r1', 'c1', null, 'kettle', 1, 'You idiots', '{abusive}') ->> 'review_id')::bigint as one \gset
select (said.submitted('r2', 'c5', null, 'kettle', 5, 'Never bought it') ->> 'review_id')::bigint as two \gset

select is(pg_temp.state(:one), 'held:held', 'held');
select is(vouch.approve(:one, 'Zane', 'harmless') #>> '{review,state}', 'published', 'approved');
select throws_ok(format('select vouch.approve(%s, %L)', :one, 'Zane'), 'VO201', null, 'there is nothing more to approve');
select throws_ok(format('select vouch.reject(%s, %L, %L, %L)', :one, 'Zane', 'low_rating', 'x'), 'VO103', null, 'a ground that is not on the list');
select throws_ok(format('select vouch.reject(%s, %L, %L)', :one, 'Zane', 'abusive'), 'VO104', null, 'a ground without facts');
select throws_ok('select vouch.approve(999999)', 'VO101', null, 'a review that is not there');
select is(vouch.reject(:one, 'Zane', 'abusive', 'calls us idiots') #>> '{review,state}', 'rejected', 'taken down on a ground');
select is((select histogram from vouch.rating_summary), '{0,0,0,0,0}', 'and out of the rating');
select is(vouch.approve(:one, 'Zane') #>> '{review,state}', 'published', 'a rejection can be undone');
select is((select array_agg(actor || ' ' || action order by decision_id) from vouch.review_decision where review_id = :one),
  '{"vouch hold","Zane approve","Zane reject","Zane approve"}', 'every decision is on record with its actor');
select is((select array_agg(kind order by mail_id) from vouch.outgoing_mail where kind <> 'request'), '{held,published,rejected,published}', 'the author is told each time');

select said.submitted('r1', 'c1', null, 'kettle', 2, 'You fools', '{abusive}');
select is(pg_temp.state(:one), 'published:published,held', 'an edit of a published review waits beside it');
select vouch.reject(:one, 'Zane', 'abusive', 'again');
select is(pg_temp.state(:one), 'published:published,rejected', 'rejecting the edit leaves what was published');
select said.submitted('r1', 'c1', null, 'kettle', 4, 'Sorry, it is fine');
select is(pg_temp.state(:one), 'published:superseded,rejected,published', 'a good edit takes its place');
select throws_ok(format('select vouch.approve(%s)', :one), 'VO201', null, 'approving does not bring an older wording back');
select vouch.reject(:one, 'Zane', 'spam', 'facts');
select is(pg_temp.state(:one), 'rejected:superseded,rejected,rejected', 'the published edit taken down');
select vouch.approve(:one, 'Zane');
select is(pg_temp.state(:one), 'published:superseded,rejected,published', 'and put back');

select is((select reasons from vouch.held_review where review_id = :two), '{unverified}', 'the queue says why');
select is(vouch.hold_sweep('main', 100), 0, 'nothing is due');
select vouch.set_clock_offset('8 days');
select is(vouch.hold_sweep('main', 100), 1, 'a hold at its deadline');
select is(pg_temp.state(:two), 'published:published', 'unverified is released');
select is((select labels from vouch.review_revision where review_id = :two), '{unverified}', 'with its label');
select (said.submitted('r3', 'c6', null, 'mug', 3, 'idiots', '{abusive}') ->> 'review_id')::bigint as three \gset
select vouch.set_clock_offset('20 days');
select vouch.hold_sweep('main', 100);
select is(pg_temp.state(:three), 'held:held', 'abuse is never released unread');
select ok((select escalated_at is not null and deadline_at > vouch.clock() from vouch.review_revision where review_id = :three), 'it is escalated, with a new deadline');

select throws_ok($$ update vouch.review_revision set rating = 5 $$, 'VO204', null, 'stars cannot be changed, by a superuser either');
select throws_ok($$ update vouch.review_revision set body = 'lovely' $$, 'VO204', null, 'nor words');
select throws_ok($$ delete from vouch.review_revision $$, 'VO204', null, 'nor deleted');
select throws_ok($$ truncate vouch.review_revision cascade $$, 'VO204', null, 'nor truncated');
select throws_ok($$ update vouch.review_decision set actor = 'author' $$, 'VO204', null, 'a decision stays as it was');
select throws_ok($$ delete from vouch.review_decision $$, 'VO204', null, 'and where it was');
select throws_ok($$ update vouch.decision_note set note = 'x' $$, 'VO204', null, 'so do the facts');

-- The author withdraws, through a mailed link.
insert into vouch.link_token values ('main', said.key('author'), 'author', :one, null, null);
select is(vouch.author_withdraw('main', said.key('author')) #>> '{review,state}', 'withdrawn', 'withdrawn');
select is(pg_temp.state(:one), 'withdrawn:superseded,withdrawn,withdrawn', 'all that was left of it');
select is((select count(*) from vouch.outbox where type = 'review.withdrawn'), 1::bigint, 'the store hears of it once');
select throws_ok(format('select vouch.approve(%s)', :one), 'VO201', null, 'nobody brings it back');
select is((select count(*) from vouch.held_review where review_id <> :three), 0::bigint, 'it is in no queue');
select is((select count(*) from vouch.record_faults('main')), 0::bigint, 'the record is whole');
select * from finish();
rollback;
