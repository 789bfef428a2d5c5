-- Objections, redactions, undoing, and the facts a refusal needs.
\ir helper.psql
select no_plan();
create function pg_temp.state(p bigint) returns text language sql as $$ select v.state || ':' || string_agg(r.state, ',' order by r.revision) from vouch.review v
  join vouch.review_revision r using (store_id, review_id) where v.review_id = p group by v.state $$;
create function pg_temp.mails(p bigint) returns text[] language sql as $$ select array_agg(m.kind || ' ' || d.action order by m.mail_id) from vouch.outgoing_mail m
  join vouch.review_decision d on d.store_id = m.store_id and d.decision_id = m.subject_id and m.kind in ('held', 'rejected', 'published') where d.review_id = p $$;
create function pg_temp.version(p bigint) returns bigint language sql as $$ select max(decision_id) from vouch.review_decision where review_id = p $$;
insert into vouch.operator values ('main', 'Zane', 'moderator'), ('main', 'Olga', 'manager'), ('main', 'Eve', 'viewer');
select said.placed('o1', 'c1', 'anna@x.test', now() - interval '20 days', '{kettle,mug,vase,tray}');
select said.fact('delivered', 'o1', now() - interval '10 days');
select (said.submitted('r1', 'c1', null, 'kettle', 1, 'It boils over') ->> 'review_id')::bigint as one \gset
select (said.submitted('r2', 'c1', null, 'mug', 1, 'You idiots', '{abusive}') ->> 'review_id')::bigint as two \gset
insert into vouch.link_token values ('main', said.key('a1'), 'author', :one, null, null), ('main', said.key('a2'), 'author', :two, null, null);

-- What a refusal needs.
select throws_ok(format('select vouch.reject(%s, %L, %L, %L)', :one, 'Zane', 'spam', why), 'VO107', null, 'no fact: ' || why)
from unnest(array['1 star', 'One star only!', 'low rating', '★☆☆☆☆', 'The rating is too low.', 'una estrella', 'puntuación muy baja', 'Uma estrela', 'avaliação negativa',
  'نجمة واحدة فقط', 'تقييم سلبي', 'فقط یک ستاره', 'امتیاز پایین', 'Tikai viena zvaigzne', 'zems vērtējums', '1/5 stars']) as why;
select ok(not vouch.only_rates(why), 'a fact: ' || why)
from unnest(array['calls us idiots', '1 star, and calls our driver a thief', 'copied from another shop', 'Es un insulto', 'یک ستاره و توهین به فروشنده', 'x', 'estrella de mar vendida por otro']) as why;
select throws_like(format('select vouch.reject(%s, %L, %L)', :one, 'Zane', 'illegal'), '%which law is broken%', 'each ground asks for its own facts');

-- Versions.
select pg_temp.version(:one) as seen \gset
select is((select version from vouch.held_review where review_id = :two), pg_temp.version(:two), 'the queue tells the version');
select vouch.reject(:one, 'Zane', 'spam', 'an advertisement for boilers', :seen);
select throws_like(format('select vouch.reject(%s, %L, %L, %L, %s)', :one, 'Olga', 'spam', 'me too', :seen), '%to reject, by Zane%', 'who decides on what was seen before is told who was quicker');
select throws_ok(format('select vouch.approve(%s, %L, null, %s)', :one, 'Olga', :seen), 'VO205', null, 'and changes nothing');
select is(pg_temp.state(:one), 'rejected:rejected', 'the first decision stands');

-- The author objects.
select is(vouch.author_view('main', said.key('a1')) #>> '{appeal,possible}', 'true', 'the page offers it');
select is((vouch.author_view('main', said.key('a1')) #>> '{appeal,until}')::timestamptz, vouch.clock() + interval '184 days', 'for 184 days');
select is(vouch.author_appeal('main', said.key('none'), '{"body":"x"}'), null, 'an unknown link objects to nothing');
select throws_ok($$ select vouch.author_appeal('main', said.key('a1'), '{"body":"  "}') $$, 'VO104', null, 'an objection says why');
select vouch.author_appeal('main', said.key('a1'), '{"body":"It is no advertisement"}') #>> '{appeal,appeal_id}' as first \gset
select is(vouch.author_appeal('main', said.key('a1'), '{"body":"It is no advertisement"}') #>> '{appeal,appeal_id}', :'first', 'sent twice it is one');
select is(vouch.author_view('main', said.key('a1')) #>> '{appeal,possible}', 'false', 'one objection to one decision');
select is((select row(decision, ground, facts, decided_by, objection, body)::text from vouch.open_appeal),
  '(reject,spam,"an advertisement for boilers",Zane,"It is no advertisement","It boils over")', 'operators see what it is about');
select throws_ok(format('select vouch.decide_appeal(%s, %L, %L)', :first, 'Olga', 'maybe'), 'VO106', null, 'granted or refused');
select throws_ok(format('select vouch.decide_appeal(%s, %L, %L)', :first, 'Olga', 'refused'), 'VO104', null, 'a refusal explains');
select throws_ok(format('select vouch.decide_appeal(%s, %L, %L)', :first, 'Zane', 'granted'), 'VO206', null, 'not by who decided first');
select throws_ok('select vouch.decide_appeal(999, null, ''granted'')', 'VO101', null, 'one that is not there');
select is(vouch.decide_appeal(:first, 'Olga', 'granted', 'a customer indeed') #>> '{review,state}', 'published', 'granted: published');
select throws_like(format('select vouch.decide_appeal(%s, %L, %L, %L)', :first, 'Olga', 'refused', 'no'), '%granted since%by Olga%', 'decided once');
select is(pg_temp.state(:one), 'published:published', 'and stays so');
select is(pg_temp.mails(:one), '{"rejected reject","published overturn"}', 'the author is told');
select is((select row(action, actor, automated)::text from vouch.review_decision where review_id = :one order by decision_id desc limit 1), '(overturn,Olga,f)', 'on the record');
select is((select array_agg(h ->> 'action' || coalesce(' ' || (h ->> 'facts'), '')) from jsonb_array_elements(vouch.author_view('main', said.key('a1')) -> 'history') h),
  '{publish,"reject an advertisement for boilers","overturn a customer indeed"}', 'the author reads the facts');
select throws_ok($$ select vouch.author_appeal('main', said.key('a1'), '{"body":"x"}') $$, 'VO201', null, 'nothing to object to any more');

-- A hold, decided by Vouch itself, can be objected to; anybody may decide.
select vouch.author_appeal('main', said.key('a2'), '{"body":"Idiots is the name of the mug"}') #>> '{appeal,appeal_id}' as hold \gset
select is(vouch.decide_appeal(:hold, 'Zane', 'refused', 'it is not') #>> '{review,state}', 'held', 'refused: still held');
select is(pg_temp.mails(:two), '{"held hold","held uphold"}', 'the author is told');
select vouch.reject(:two, 'Zane', 'abusive', 'calls us idiots');
select is(vouch.author_view('main', said.key('a2')) #>> '{appeal,possible}', 'true', 'the refusal is another decision');
select vouch.author_appeal('main', said.key('a2'), '{"body":"No"}') #>> '{appeal,appeal_id}' as second \gset
delete from vouch.operator where name = 'Olga';
select throws_like(format('select vouch.decide_appeal(%s, %L, %L, %L)', :second, 'Zane', 'refused', 'it insults'), '%nobody else%second look%', 'nobody else is there: not at once');
select vouch.set_clock_offset('24 hours');
select is(vouch.decide_appeal(:second, 'Zane', 'refused', 'it insults') #> '{appeal}', format('{"state": "refused", "appeal_id": %s, "second_look": true}', :second)::jsonb, 'a second look, said to be one');
select is(pg_temp.state(:two), 'rejected:rejected', 'refused');
select is((select array_agg(row(operator, automated, action, ground, decisions, appealed, overturned, upheld, rate)::text order by action, ground) from vouch.overturn_rate where appealed > 0),
  '{"(vouch,t,hold,,1,1,0,1,0.0000)","(Zane,f,reject,abusive,1,1,0,1,0.0000)","(Zane,f,reject,spam,1,1,1,0,1.0000)"}', 'overturn rates');
insert into vouch.operator values ('main', 'Olga', 'manager');

-- An edit overtakes an objection; so does time.
select (said.submitted('r3', 'c1', null, 'vase', 2, 'Fools', '{abusive}') ->> 'review_id')::bigint as three \gset
insert into vouch.link_token values ('main', said.key('a3'), 'author', :three, null, null);
select vouch.reject(:three, 'Zane', 'abusive', 'calls us fools');
select vouch.author_appeal('main', said.key('a3'), '{"body":"why"}');
select vouch.author_edit('main', said.key('a3'), '{"rating":2,"body":"It broke","reasons":[]}');
select is((select state from vouch.appeal where review_id = :three), 'lapsed', 'who rewrites has no objection left');
select is(pg_temp.state(:three), 'published:rejected,published', 'the new wording is decided by itself');
select vouch.reject(:three, 'Zane', 'wrong_product', 'it is about a lamp');
select vouch.set_clock_offset('185 days 1 hour');
select throws_ok($$ select vouch.author_appeal('main', said.key('a3'), '{"body":"late"}') $$, 'VO207', null, 'after 184 days it is too late');
select is(vouch.author_view('main', said.key('a3')) #>> '{appeal,over}', 'true', 'and the page says so');
select vouch.set_clock_offset('0');

-- Redaction.
select (said.submitted('r4', 'c1', null, 'tray', 4, 'Call Jānis at +371 2000 0000, +371 2000 0000!') ->> 'review_id')::bigint as four \gset
insert into vouch.link_token values ('main', said.key('a4'), 'author', :four, null, null);
select throws_ok(format($$ select vouch.redact(%s, 'Zane', '[{"field":"body","text":"+371 2000 0000"}]') $$, :four), 'VO104', null, 'what is hidden is explained');
select throws_ok(format($$ select vouch.redact(%s, 'Zane', '[{"field":"body","text":"nowhere"}]', 'x y') $$, :four), 'VO108', null, 'what is not there cannot be hidden');
select throws_ok(format($$ select vouch.redact(%s, 'Zane', '[{"field":"body","start":6,"end":7}]', 'x y') $$, :four), 'VO108', null, 'nor half a character');
select throws_ok(format($$ select vouch.redact(%s, 'Zane', '{"field":"body"}', 'x y') $$, :four), 'VO108', null, 'ranges are a list');
select is(jsonb_array_length(vouch.redact(:four, 'Zane', '[{"field":"body","text":"+371 2000 0000"},{"field":"body","start":5,"end":11}]', 'name and number of a driver') -> 'redactions'), 3, 'everywhere it stands');
select is(vouch.storefront_reviews('main', 'tray', null, null, 10) #>> '{reviews,0,body}', 'Call […] at […], […]!', 'readers see marks in its place');
select is(vouch.report_view('main', :four) ->> 'body', 'Call […] at […], […]!', 'everywhere');
select is((select body from vouch.review_revision where review_id = :four), 'Call Jānis at +371 2000 0000, +371 2000 0000!', 'the author''s text stays');
select is(vouch.author_view('main', said.key('a4')) ->> 'body', 'Call Jānis at +371 2000 0000, +371 2000 0000!', 'and the author sees it');
select is(pg_temp.mails(:four), '{"rejected redact"}', 'and is told');
select is(vouch.author_appeal('main', said.key('a4'), '{"body":"It is my own"}') #>> '{appeal,state}', 'open', 'may object');
select is(vouch.decide_appeal((select appeal_id from vouch.appeal where state = 'open'), 'Olga', 'granted') #>> '{review,state}', 'published', 'is heard');
select is(vouch.storefront_reviews('main', 'tray', null, null, 10) #>> '{reviews,0,body}', 'Call Jānis at +371 2000 0000, +371 2000 0000!', 'and read again');
select is(vouch.shown_text('[{"field":"body","start":2,"end":5},{"field":"body","start":0,"end":3},{"field":"title","start":0,"end":9}]', 'body', 'abcdefgh'), '[…]fgh', 'ranges that overlap are one');

-- Undo.
select throws_ok(format('select vouch.undo(%s, %L)', :four, 'Zane'), 'VO201', null, 'what was decided about an objection stays');
select vouch.redact(:four, 'Zane', '[{"field":"body","text":"Jānis"}]', 'a name');
select vouch.undo(:four, 'Zane', 'too quick');
select is((select redactions from vouch.review_revision where review_id = :four), '[]', 'a redaction taken back');
select vouch.reject(:four, 'Zane', 'spam', 'an advertisement');
select is(vouch.undo(:four, 'Olga', 'the wrong one') #>> '{review,state}', 'published', 'a published review is back');
select throws_ok(format('select vouch.undo(%s, %L)', :four, 'Olga'), 'VO201', null, 'once');
select (said.submitted('r5', 'c9', null, 'kettle', 3, 'Twits', '{abusive}') ->> 'review_id')::bigint as five \gset
select vouch.approve(:five, 'Zane');
select is(vouch.undo(:five, 'Zane') #>> '{review,reasons}', '["abusive", "unverified"]', 'held again for what it was held');
select vouch.reject(:five, 'Zane', 'abusive', 'twits'), vouch.approve(:five, 'Zane');
select is(vouch.undo(:five, 'Zane') #>> '{review,state}', 'rejected', 'refused again');
select is((select ground from vouch.review_decision where review_id = :five order by decision_id desc limit 1), 'abusive', 'on its ground');
select is((select row(abusive, learned_at)::text from vouch.training_example where review_id = :two), '(t,)', 'a refusal as abusive teaches');
select is((select abusive from vouch.training_example where review_id = :five), true, 'and teaches that again');
select is((select count(*) from vouch.training_example where review_id = :four), 0::bigint, 'what was taken back teaches nothing');
select (said.submitted('r6', 'c1', null, 'kettle', 5, 'It boils', '{}') ->> 'review_id')::bigint as six \gset
select is(pg_temp.state(:one), 'published:superseded,published', 'an edit (r6 is one) took the place');
select said.submitted('r6', 'c1', null, 'kettle', 2, 'Rascals', '{abusive}');
select vouch.approve(:one, 'Zane');
select is(pg_temp.state(:one), 'published:superseded,superseded,published', 'an edit approved');
select vouch.undo(:one, 'Zane');
select is(pg_temp.state(:one), 'published:superseded,published,held', 'taken back: it waits, and what it had replaced is published');
select is((select sum(s) from vouch.rating_summary, unnest(histogram) s), 2::bigint, 'ratings follow');

-- review.edited leaves what it does not name, and what was found there.
select said.event('review.edited', '{"external_id":"r5","rating":4,"reasons":[],"marks":[]}');
select is((select row(rating, body, reasons)::text from vouch.review_revision where review_id = :five order by revision desc limit 1), '(4,Twits,{abusive})', 'new stars, old words, old reasons');
select said.event('review.edited', '{"external_id":"r5","body":"Fine","reasons":[],"marks":[]}');
select is((select row(rating, body, reasons)::text from vouch.review_revision where review_id = :five order by revision desc limit 1), '(3,Fine,{abusive})', 'without marks nobody knows where it was: the title stays, and the reason');

-- Everybody's part.
create role eve login in role vouch_operator;
insert into vouch.operator values ('main', 'eve', 'viewer');
set session authorization eve;
select throws_ok(format('select vouch.decide_appeal(%s, null, %L)', :first, 'granted'), 'VO203', null, 'a viewer decides no objection');
select throws_ok(format('select vouch.undo(%s)', :one), 'VO203', null, 'takes nothing back');
select is((select count(*) from vouch.overturn_rate where appealed > 0) > 0, true, 'but looks');
reset session authorization;
select is((select count(*) from vouch.record_faults('main')), 0::bigint, 'the record is whole');
select * from finish();
rollback;
