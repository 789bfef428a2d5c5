-- Reports by anyone: receipts, what stays online, answers, objections.
\ir helper.psql
select no_plan();
create function pg_temp.reported(p_review bigint, p_who text, p_category text default null, p_client text default null) returns bigint language sql as $$
  select (vouch.report_submit('main', p_review, jsonb_strip_nulls(jsonb_build_object('explanation', 'it names my neighbour', 'url', 'https://x.test', 'name', p_who,
    'email', p_who || '@x.test', 'address_key', encode(said.key(p_who), 'hex'), 'category', p_category, 'locale', 'lv', 'network_key', encode(said.key(p_client), 'hex'))))
    #>> '{report,report_id}')::bigint $$;
create function pg_temp.state(p bigint) returns text language sql as $$ select state from vouch.review where review_id = p $$;
create function pg_temp.mails(p bigint) returns text[] language sql as $$ select array_agg(kind || ' ' || serial order by mail_id) from vouch.outgoing_mail where kind like 'report_%' and subject_id = p $$;
insert into vouch.operator values ('main', 'Zane', 'moderator'), ('main', 'Olga', 'manager');
select said.placed('o1', 'c1', 'anna@x.test', now() - interval '20 days', '{kettle,mug,vase,tray}');
select said.fact('delivered', 'o1', now() - interval '10 days');
select (said.submitted('r1', 'c1', null, 'kettle', 2, 'My neighbour sold it') ->> 'review_id')::bigint as one \gset
select (said.submitted('r2', 'c1', null, 'mug', 5, 'Held', '{abusive}') ->> 'review_id')::bigint as held \gset
select (said.submitted('r3', 'c1', null, 'vase', 1, 'How to build a bomb') ->> 'review_id')::bigint as three \gset
select (said.submitted('r4', 'c1', null, 'tray', 3, 'Plain') ->> 'review_id')::bigint as four \gset

-- By event, and by the form.
select is(said.event('review.reported', jsonb_build_object('review_id', :one, 'report', jsonb_build_object('explanation', 'it names me', 'url', 'https://shop.test/kettle',
  'name', 'Max', 'email', 'max@x.test', 'address_key', encode(said.key('max'), 'hex'), 'category', 'personal_data'))), null, 'an event');
select report_id as first from vouch.review_report \gset
select is(pg_temp.state(:one), 'published', 'the review stays online');
select is(pg_temp.mails(:first), '{"report_receipt 0"}', 'a receipt goes out');
select is((select context ->> 'email' from vouch.mail_claim('main', 100, '45 s') where kind = 'report_receipt'), 'max@x.test', 'to who reported');
select is(vouch.report_view('main', :held), null, 'what is not published cannot be reported by the form');
select is(vouch.report_submit('main', :held, '{"explanation":"x"}'), null, 'in no way');
select is(vouch.report_submit('main', 999, '{"explanation":"x"}'), null, 'nor what is not there');
select throws_ok($$ select vouch.report_submit('main', (select review_id from vouch.review where product_id = 'tray'), '{}') $$, '23502', null, 'an explanation is needed');

-- Limits.
select pg_temp.reported(:four, 'victim', null, 'ip' || n) as many from generate_series(1, 8) n;
select is((select count(*) from vouch.outgoing_mail m where kind = 'report_receipt' and address_key = said.key('victim')), 5::bigint, 'five receipts a day to one address');
select is(count(pg_temp.reported(:four, 'w' || n, null, 'one ip')), 20::bigint, 'twenty reports an hour from one place') from generate_series(1, 22) n;
select is((vouch.report_submit('main', :four, jsonb_build_object('explanation', 'x', 'network_key', encode(said.key('one ip'), 'hex')))) ->> 'refused', 'too_many', 'then no more');

-- Answers.
select throws_ok(format('select vouch.decide_report(%s, %L, %L)', :first, 'Zane', 'perhaps'), 'VO106', null, 'kept or removed');
select throws_ok(format('select vouch.decide_report(%s, %L, %L)', :first, 'Zane', 'removed'), 'VO104', null, 'removal needs facts');
select throws_ok(format('select vouch.decide_report(%s, %L, %L, %L)', :first, 'Zane', 'removed', 'one star'), 'VO107', null, 'and stars are none');
select throws_ok('select vouch.decide_report(999, null, ''kept'')', 'VO101', null, 'one that is not there');
select is(vouch.decide_report(:first, 'Zane', 'kept', 'the name is not given') #>> '{report,state}', 'kept', 'kept');
select throws_like(format('select vouch.decide_report(%s, %L, %L)', :first, 'Olga', 'kept'), '%kept%by Zane%', 'answered once');
select is((select row(action, actor, to_state)::text from vouch.review_decision where review_id = :one order by decision_id desc limit 1), '(keep,Zane,published)', 'on the record');
select is(pg_temp.mails(:first), '{"report_receipt 0","report_decision 0"}', 'who reported is told');
select is((select count(*) from vouch.outgoing_mail where kind in ('held', 'rejected', 'published') and address_key = said.key('anna@x.test')), 1::bigint, 'the author only of the hold');

-- Who reported objects; the review goes after all, on the ground of the report.
insert into vouch.link_token values ('main', said.key('n1'), 'report', :first, null, null);
select is(vouch.report_status('main', said.key('n1')) ->> 'outcome', 'kept', 'the page of a report');
select is((vouch.report_status('main', said.key('n1')) ->> 'appeal_until')::timestamptz, vouch.clock() + interval '184 days', 'with the time to object');
select is(vouch.report_status('main', said.key('no')), null, 'an unknown link');
select is(vouch.report_appeal('main', said.key('n1'), '{"body":"It does name me"}') #>> '{appeal,state}', 'open', 'an objection');
select is(vouch.report_appeal('main', said.key('n1'), '{"body":"It does name me"}') #>> '{appeal,state}', 'open', 'sent twice');
select appeal_id as appeal from vouch.open_appeal where report_id = :first \gset
select throws_ok(format('select vouch.decide_appeal(%s, %L, %L, %L)', :appeal, 'Zane', 'granted', 'it does'), 'VO206', null, 'not by who answered first');
select throws_ok(format('select vouch.decide_appeal(%s, %L, %L)', :appeal, 'Olga', 'granted'), 'VO104', null, 'removal needs facts here, too');
select is(vouch.decide_appeal(:appeal, 'Olga', 'granted', 'a neighbour in a village of two') #>> '{review,state}', 'rejected', 'granted');
select is((select row(action, ground, from_state, to_state)::text from vouch.review_decision where review_id = :one order by decision_id desc limit 1), '(overturn,personal_data,published,rejected)', 'on the record');
select is(pg_temp.mails(:first), '{"report_receipt 0","report_decision 0","report_decision 1"}', 'who reported is told again');
select is((select m.kind from vouch.outgoing_mail m join vouch.review_decision d on d.decision_id = m.subject_id and d.action = 'overturn' where m.kind = 'rejected'), 'rejected', 'and so is the author');
insert into vouch.link_token values ('main', said.key('a1'), 'author', :one, null, null);
select is(vouch.author_appeal('main', said.key('a1'), '{"body":"I am the neighbour"}') #>> '{appeal,state}', 'open', 'who may object in turn');
select throws_ok(format('select vouch.decide_appeal((select appeal_id from vouch.open_appeal where appellant = %L), %L, %L)', 'author', 'Olga', 'granted'), 'VO206', null, 'to somebody else again');

-- Dangerous: off until somebody has looked, with the statement of reasons; once kept, not again.
select pg_temp.reported(:three, 'kim', 'dangerous') as danger \gset
select is(pg_temp.state(:three), 'held', 'reported as dangerous it is held');
select is((select row(reasons, deadline_at)::text from vouch.held_review where review_id = :three), row('{reported}'::text[], vouch.clock() + interval '24 hours')::text, 'for a day');
select is((select count(*) from vouch.outgoing_mail m join vouch.review_decision d on d.decision_id = m.subject_id where m.kind = 'held' and d.review_id = :three), 1::bigint, 'the author is told why');
select pg_temp.reported(:three, 'lee', 'illegal');
select is(vouch.decide_report(:danger, 'Zane', 'kept', 'about bath salts') #>> '{review,state}', 'published', 'kept: back online');
select is((select array_agg(distinct state) from vouch.review_report where review_id = :three), '{kept}', 'which answers every report about it');
select pg_temp.reported(:three, 'ann', 'dangerous');
select is(pg_temp.state(:three), 'published', 'looked at once, it is not taken off again');

-- A hold by report ends by itself, and leaves no label.
update vouch.review_report set state = 'open', decided_at = null where review_id = :three;
select pg_temp.reported(:three, 'bo', 'dangerous');
select is(pg_temp.state(:three), 'held', 'held again');
select vouch.set_clock_offset('25 hours');
select vouch.hold_sweep('main', 10);
select is((select row(state, labels)::text from vouch.review_revision where review_id = :three), '(published,{})', 'released unlabelled');
select is((select open_reports > 0 from vouch.moderation_health where store_id = 'main'), true, 'the reports still wait');
select vouch.reject(:three, 'Zane', 'illegal', 'section 1 of the law on explosives');
select is((select array_agg(distinct state) from vouch.review_report where review_id = :three), '{removed}', 'a refusal answers them all');
insert into vouch.link_token values ('main', said.key('a4'), 'author', :four, null, null);
select vouch.author_withdraw('main', said.key('a4'));
select is((select array_agg(distinct state) from vouch.review_report where review_id = :four), '{moot}', 'and a withdrawal');
select throws_ok(format('select vouch.decide_report((select max(report_id) from vouch.review_report where review_id = %s), %L, %L)', :four, 'Zane', 'kept'), 'VO201', null, 'nothing left to decide');

-- Erasure of who reported.
select said.event('customer.erased', jsonb_build_object('email', 'kim@x.test', 'address_key', encode(said.key('kim'), 'hex')));
select is((select row(name, email, url, explanation, address_key)::text from vouch.review_report where report_id = :danger), '(,,,[erased],)', 'who reported can be erased');
create role olga login in role vouch_operator;
insert into vouch.operator values ('main', 'olga', 'moderator');
set session authorization olga;
select throws_ok('select email from vouch.review_report', '42501', null, 'operators see no address of who reported');
select lives_ok('select name, explanation from vouch.open_report', 'but names and explanations');
reset session authorization;
select is((select count(*) from vouch.record_faults('main')), 0::bigint, 'the record is whole');
select * from finish();
rollback;
