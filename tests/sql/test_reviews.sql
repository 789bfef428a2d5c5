-- Who wrote it, which line it belongs to, what becomes of each revision. Nothing here may depend on the stars.
\ir helper.psql
select plan(36);

select is(said.submitted('r0', 'c1', null, 'kettle', 5, 'Good') ->> 'state', 'held', 'before any order: held');
select is((select verified_reason from vouch.review), 'no_such_purchase', 'no such purchase');
select said.placed('o1', 'c1', 'anna@x.test', now() - interval '20 days', '{kettle,mug}');
select is((select verified_reason from vouch.review), 'not_delivered', 'the order comes later than the review: bought, not delivered');
select said.fact('delivered', 'o1', now() + interval '1 hour');
select is((select verified_reason from vouch.review), 'written_before_delivery', 'delivered after it was written');
select said.fact('delivered', 'o1', now() - interval '5 days');
select is((select (verified, verified_reason, state) from vouch.review), (true, 'delivered_line'::text, 'published'::text), 'an earlier delivery: verified, and the hold is lifted');
select is((select experience_at from vouch.review), now() - interval '5 days', 'the date of experience is the delivery');
select is((select array_agg(action order by decision_id) from vouch.review_decision), '{hold,approve}', 'both decisions are on record');
select is((select array_agg(type order by number) from vouch.outbox), '{review.held,review.published,rating.changed}', 'the store is told');

select is(said.submitted('r0', 'c1', null, 'kettle', 5, 'Good') ->> 'review_id', (select min(review_id)::text from vouch.review), 'the same again is the same review');
select is((select count(*) from vouch.review_revision), 1::bigint, 'and no new revision');
select is(said.submitted('r1', 'c1', null, 'kettle', 1, 'Bad after all') ->> 'state', 'published', 'a further one for the line is an edit');
select is((select array_agg(state order by revision) from vouch.review_revision), '{superseded,published}', 'the earlier wording is kept, unseen');
select is((select histogram from vouch.rating_summary), '{1,0,0,0,0}', 'the rating follows');
select said.submitted('r2', 'c1', null, 'kettle', 3, 'An older wording', p_at => now() - interval '1 hour');
select is((select array_agg(state order by revision) from vouch.review_revision), '{superseded,published,superseded}', 'one that comes late replaces nothing newer');
select is(said.submitted('r3', 'c1', null, 'kettle', 3, 'You idiots', '{abusive}') ->> 'state', 'held', 'an abusive edit is held');
select is((select state from vouch.review where external_id = 'r0'), 'published', 'while what was published stays');

select is(said.submitted('m1', 'c1', null, 'mug', 1, 'x', p_at => now() - interval '10 days') ->> 'verified', 'false', 'written before its delivery');
select is(said.submitted('m1', 'c1', null, 'mug', 1, 'x') ->> 'verified', 'true', 'the same words after it are verified');
select is((select (max(r.revision), min(v.written_at)) from vouch.review_revision r join vouch.review v using (store_id, review_id) where v.product_id = 'mug'),
  (1, now()), 'without a revision of its own');

select throws_ok($$ select said.submitted('m1', 'c2', null, 'mug', 1, 'mine now') $$, 'VO102', null, 'nobody else edits it by its id');
select is(said.submitted('x1', null, 'anna@x.test', 'mug', 5, 'y') ->> 'verified', 'false', 'an address the store did not vouch for verifies nothing');
select is((select verified_reason from vouch.review where external_id = 'x1'), 'address_unconfirmed', 'until it is confirmed');
select is((select count(*) from vouch.outgoing_mail where kind = 'confirm'), 1::bigint, 'its owner is asked by mail');
select is(said.submitted('x2', null, null, 'mug', 5, 'z') ->> 'verified', 'false', 'nor does nobody');

-- Another buyer takes over the order: verification is derived again, the badge goes, the words stay.
select said.placed('o1', 'c9', 'other@x.test', now() - interval '1 day', '{kettle,mug}', p_id => 'taken over');
select is((select (verified, verified_reason, state) from vouch.review where external_id = 'r0'), (false, 'no_such_purchase'::text, 'published'::text), 'no longer this buyer''s line');
select is((select labels from vouch.review_revision r where r.state = 'published' and rating = 1 and body like 'Bad%'), '{unverified}', 'and says so');
select said.placed('o1', 'c1', 'anna@x.test', now() - interval '1 hour', '{kettle,mug}', p_id => 'given back');
select is((select verified from vouch.review where external_id = 'r0'), true, 'and back again');
select is((select labels from vouch.review_revision r where r.state = 'published' and rating = 1 and body like 'Bad%'), '{}', 'without the label');

-- The form: two lines of one product, each its own review.
select said.placed('o2', 'c2', 'bob@x.test', now() - interval '30 days', '{kettle,kettle}');
select said.fact('delivered', 'o2', now() - interval '20 days', '{1}');
select said.fact('delivered', 'o2', now() - interval '10 days', '{2}');
select ok((select bool_and(m = 'sent') from said.mailed() m), 'the request goes out');
select is(jsonb_array_length(vouch.form_view('main', said.key('link' || r.request_id)) -> 'lines'), 2, 'the form shows both lines') from vouch.review_request r where order_id = 'o2';
select is((select array_agg((x ->> 'line_id') || ' ' || (x ->> 'verified') order by x ->> 'line_id') from vouch.review_request r,
    jsonb_array_elements(vouch.form_submit('main', said.key('link' || r.request_id), '[{"line_id":"1","rating":4,"body":"one"},{"line_id":"2","rating":1,"body":"two"}]')) x
    where r.order_id = 'o2'), '{1 true,2 true}', 'both are taken, each on its line');
select is((select array_agg(v.line_id || ' ' || r.body order by v.line_id) from vouch.review v join vouch.review_revision r using (store_id, review_id) where v.order_id = 'o2'),
  '{1 one,2 two}', 'with its own words');
select is((select count(distinct x ->> 'review_id') from vouch.review_request r, generate_series(1, 3),
    jsonb_array_elements(vouch.form_submit('main', said.key('link' || r.request_id), '[{"line_id":"1","rating":4,"body":"one"}]')) x where r.order_id = 'o2'), 1::bigint,
  'posting it again is the same review');
select throws_ok($$ select vouch.form_submit('main', said.key('link' || request_id), '[{"line_id":"5","rating":1}]') from vouch.review_request where order_id = 'o2' $$,
  'VO105', null, 'a line of somebody else is refused');

-- Blind to the stars: the same words with every rating come to the same decision.
create temp table seen as
  select s, kind, said.submitted('blind' || kind || s, 'b' || kind || s, null, 'vase', s, 'w', case kind when 'a' then '{abusive}'::text[] else '{}' end) as reply
  from generate_series(1, 5) s, unnest('{a,u}'::text[]) kind;
select is((select count(distinct (kind, reply - 'review_id')::text) from seen), 2::bigint, 'the decision does not see the stars');
select ok((select bool_and(p.pronargs > 0 and not pg_get_function_arguments(p.oid) ~ 'rating|stars' and not p.prosrc ~ 'rating|stars') from pg_proc p
  where p.pronamespace = 'vouch'::regnamespace and p.proname in ('hold_decide', 'hold_policy_of', 'purchase_of', 'hold_note', 'hold_due')), 'nor do the functions that decide');
select * from finish();
rollback;
