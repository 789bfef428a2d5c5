-- SPDX-License-Identifier: MIT
-- The case of an unhappy customer: opened with the review, moved by guarded steps, told, escalated, asked about, erased.
\ir helper.psql
select no_plan();
insert into vouch.operator values ('main', 'Zane', 'moderator'), ('main', 'Mara', 'mediator');
create function pg_temp.state() returns text language sql as $$ select string_agg(state, ',' order by case_id) from vouch.case $$;
create function pg_temp.mails() returns text[] language sql as $$
  select coalesce(array_agg(kind order by mail_id), '{}') from vouch.outgoing_mail where kind not in ('request', 'held', 'published', 'rejected') $$;
create function pg_temp.told(p text) returns bigint language sql as $$ select count(*) from vouch.outbox where type = p $$;
create function pg_temp.delivered(p_order text, p_customer text, p_product text) returns void language sql as $$
  select said.placed(p_order, p_customer, p_customer || '@example.test', now() - interval '9 days', array[p_product]);
  select said.fact('delivered', p_order, now() - interval '2 days') $$;

-- With no policy at all.
select pg_temp.delivered('1000', 'c0', 'cup');
select (said.submitted('r0', 'c0', null, 'cup', 2, 'Chipped.') ->> 'review_id')::bigint as zero \gset
select is(pg_temp.state(), 'open', 'two stars open a case with no policy at all');
select is(pg_temp.mails(), '{}', 'and nobody is mailed');
select said.submitted('r00', 'c9', null, 'cup', 3, 'Hm.');
select is(pg_temp.state(), 'open', 'three stars do not');
select is(vouch.reply(:zero, 'Zane', 'Thank you for telling us.') #>> '{reply,review_id}', :'zero', 'a reply needs no contact then');
select is(vouch.close_case(1, 'Zane', 'talked') #>> '{case,state}', 'closed', 'closed');

-- Policies: by group, language, severity.
insert into vouch.case_policy (store_id, stars, alert_to) values ('main', 2, '{care@shop.test,boss@shop.test}');
insert into vouch.case_policy (store_id, stars, alert_to, locale) values ('main', 3, '{vera@shop.test}', 'lv');
insert into vouch.case_policy (store_id, stars, alert_to, respond_within, escalate_to, escalate_after) values
  ('main', 1, '{care@shop.test}', '4 hours', '{boss@shop.test,owner@shop.test}', '2 hours');
select throws_ok($$ insert into vouch.case_policy (store_id, product_group, alert_to) values ('main', 'x', '{no address}') $$, '23514', null, 'alerts go to addresses');
select throws_ok($$ insert into vouch.case_policy (store_id, product_group, stars) values ('main', 'x', 0) $$, '23514', null, 'of one to five stars');
select is((vouch.case_policy_of('main', '{}', 'lv-LV', 3::smallint)).alert_to, '{vera@shop.test}', 'a language has its own people');
select is((vouch.case_policy_of('main', '{}', 'en', 2::smallint)).alert_to, '{care@shop.test,boss@shop.test}', 'the others theirs');
select is((vouch.case_policy_of('main', '{}', 'en', 1::smallint)).respond_within, interval '4 hours', 'the worse, the sooner');
select is((vouch.case_policy_of('main', '{}', 'en', 3::smallint)).store_id, null, 'and no case where no row fits');

-- A review and its case, in one.
select pg_temp.delivered('1001', 'c1', 'kettle');
select (said.submitted('r1', 'c1', null, 'kettle', 1, 'Leaks.') ->> 'review_id')::bigint as one \gset
select case_id as k from vouch.open_case where review_id = :one \gset
select is((select state from vouch.review where review_id = :one), 'published', 'the review is published meanwhile');
select is((select state from vouch.open_case where case_id = :k), 'open', 'its case is open');
select is(pg_temp.mails(), '{reply,alert}', 'an alert goes out at once');
select is((select due_at - opened_at from vouch.open_case where case_id = :k), interval '4 hours', 'with the target of its policy');
select is(pg_temp.told('case.opened'), 2::bigint, 'and the store hears');
select is((select data #>> '{case,order_id}' from vouch.outbox where type = 'case.opened' order by number desc limit 1), '1001', 'of which order');
select said.submitted('r1x', 'c5', null, 'kettle', 1, 'fools', '{abusive}');
select is((select count(*) from vouch.open_case where product_id = 'kettle'), 2::bigint, 'a held review opens one just so');
select is((select email from vouch.mail_claim('main', 100, '45 s') c, jsonb_to_record(c.context) as x (email text) where c.kind = 'alert' limit 1),
  'care@shop.test', 'the alert is addressed to the people of the policy');

-- Steps.
select throws_ok(format('select vouch.reply(%s, %L, %L)', :one, 'Zane', 'Sorry!'), 'VO201', null, 'no public reply before a private word');
select throws_ok(format('select vouch.contact(%s, %L, %L, %L)', :k, 'Zane', 'pigeon', 'Hello'), 'VO103', null, 'by a known channel');
select throws_ok(format('select vouch.contact(%s, %L, %L, %L)', :k, 'Zane', 'mail', ''), 'VO104', null, 'saying something');
select throws_ok(format('select vouch.contact(999, %L, %L, %L)', 'Zane', 'mail', 'Hello'), 'VO101', null, 'in a case that is there');
select is(vouch.contact(:k, 'Zane', 'mail', 'We are sorry. What happened?') #>> '{case,state}', 'contacted', 'contacted');
select is((pg_temp.mails())[4:], '{thread}', 'by mail');
select is(vouch.reply(:one, 'Zane', 'Thank you. We have written to you.') #>> '{case,state}', null, 'then in public');
select is((select state from vouch.case where case_id = :k), 'replied', 'replied');
select is((select vouch.storefront_reviews('main', 'kettle', null, null, 10) #>> '{reviews,0,reply,body}'), 'Thank you. We have written to you.', 'for all to read');
select throws_ok(format('select vouch.propose_resolution(%s, %L, %L, %L)', :k, 'Zane', 'bribe', 'x'), 'VO103', null, 'a resolution is of a known kind');
select throws_ok(format('select vouch.propose_resolution(%s, %L, %L, %L)', :k, 'Zane', 'refund', 'We refund you if you delete your review.'), 'VO105', null, 'and never hangs on the review');
select is(vouch.propose_resolution(:k, 'Zane', 'refund', 'We refund the kettle.') #>> '{case,state}', 'resolution_proposed', 'proposed');
select is((select data -> 'resolution' from vouch.outbox where type = 'resolution.proposed'), '{"kind": "refund", "body": "We refund the kettle."}', 'the store hears what to do');
insert into vouch.link_token values ('main', said.key('res'), 'resolution', :k, null, null), ('main', said.key('author'), 'author', :one, null, null),
  ('main', said.key('thread'), 'thread', :k, null, null);
select is(vouch.resolution_view('main', said.key('res')) #>> '{proposal,kind}', 'refund', 'the customer sees it');
select is(vouch.resolution_answer('main', said.key('res'), '{"answer":"no","body":"Not yet here."}') ->> 'state', 'not_confirmed', 'and may say no');
select vouch.propose_resolution(:k, 'Zane', 'refund', 'It was sent today.');
select is(vouch.resolution_answer('main', said.key('res'), '{"answer":"yes"}') ->> 'state', 'confirmed', 'or yes');
select is(vouch.resolution_answer('main', said.key('res'), '{"answer":"no"}') ->> 'state', 'confirmed', 'once');
select is(vouch.case_ask('main', 10), 0, 'nothing is asked yet');
select vouch.set_clock_offset('6 days');
select is(vouch.case_ask('main', 10), 1, 'after some days whether all is well');
select is(vouch.case_ask('main', 10), 0, 'once');
select vouch.set_clock_offset('9 days');
select is(vouch.case_ask('main', 10), 1, 'then the neutral question');
select is((pg_temp.mails())[5:], '{reply,proposal,proposal,follow_up,update_question}', 'these mails went out');
select is(vouch.resolution_answer('main', said.key('res'), '{"answer":"yes"}') ->> 'state', 'confirmed', 'all is well');
select vouch.author_edit('main', said.key('author'), '{"rating":4,"body":"Solved.","reasons":[],"marks":[]}');
select is((select detail from vouch.case_event where case_id = :k and action = 'update'), '{"to": 4, "from": 1}', 'the update counts');
select is((select (cases, ratings_raised, satisfaction) from vouch.kpi where dimension = 'product' and value = 'kettle'), (2::bigint, 1::bigint, 1.0000::numeric), 'in the figures');
select is(vouch.close_case(:k, 'Zane') #>> '{case,state}', 'closed', 'closed');
select is(pg_temp.told('case.closed'), 2::bigint, 'and told');
select throws_ok(format('select vouch.close_case(%s, %L)', :k, 'Zane'), 'VO201', null, 'once');

-- Answers.
select is(said.event('mail.received', jsonb_build_object('thread_hashes', jsonb_build_array(encode(said.key('thread'), 'hex')), 'text', 'It leaks again.', 'message_id', 'm1@x',
  'address_key', encode(said.key('c1@example.test'), 'hex'))) -> 'mail', jsonb_build_object('accepted', true, 'case_id', :k), 'a mailed answer is taken');
select is((select state from vouch.case where case_id = :k), 'reopened', 'and opens a closed case again');
select is(said.event('mail.received', jsonb_build_object('thread_hashes', jsonb_build_array(encode(said.key('thread'), 'hex')), 'text', 'It leaks again.', 'message_id', 'm1@x')) #>> '{mail,reason}',
  'repeated', 'once');
select is(said.event('mail.received', '{"thread_hashes":[],"text":"Hello"}') #>> '{mail,reason}', 'unknown_thread', 'a stray mail is not');
select is(vouch.author_say('main', said.key('author'), '{"body":"Anybody there?"}') ->> 'case_id', :'k', 'the author writes on the page');
select is((select count(*) from jsonb_array_elements(vouch.author_case('main', said.key('author')) -> 'thread') t where t ->> 'from' = 'customer'), 5::bigint, 'and reads the thread');
select vouch.note_case(:k, 'Zane', 'secret');
select ok(vouch.author_case('main', said.key('author'))::text not like '%secret%', 'without internal notes');

-- Mediation.
select throws_ok(format('select vouch.mediate_case(%s, %L, %L)', :k, 'Zane', 'Zane'), 'VO103', null, 'a mediator is one by role');
select is(vouch.mediate_case(:k, 'Zane', 'Mara', 'We have paid.') #>> '{case,state}', 'mediation', 'mediation');
select vouch.author_say('main', said.key('author'), '{"body":"It still leaks.","as":"statement"}');
select is(jsonb_array_length(vouch.mediation_view(:k, 'Mara') -> 'statements'), 2, 'both statements are seen');
select throws_ok(format('select vouch.mediation_view(%s, %L)', :k, 'Zane'), 'VO203', null, 'by the mediator alone');
select throws_ok(format('select vouch.close_case(%s, %L)', :k, 'Zane'), 'VO201', null, 'nobody closes it meanwhile');
select is(vouch.settle_mediation(:k, 'Mara', 'for_customer', 'A second kettle is owed.') #>> '{case,state}', 'not_confirmed', 'the outcome stands');

-- Overdue, and up the chain.
select pg_temp.delivered('1002', 'c2', 'mug');
select vouch.set_clock_offset('0');
select (said.submitted('r2', 'c2', null, 'mug', 1, 'Broken.') ->> 'review_id')::bigint as two \gset
select case_id as m from vouch.open_case where review_id = :two \gset
select vouch.case_overdue('main', 100);
select is(pg_temp.told('case.overdue'), 0::bigint, 'in time');
select vouch.set_clock_offset('5 hours');
select vouch.case_overdue('main', 100);
select vouch.case_overdue('main', 100);
select is((select (overdue, escalations) from vouch.case where case_id = :m), (true, 1::smallint), 'past its target once');
select vouch.set_clock_offset('8 hours');
select vouch.case_overdue('main', 100);
select vouch.set_clock_offset('30 hours');
select vouch.case_overdue('main', 100);
select is((select array_agg(email order by alert_id) from vouch.case_alert where case_id = :m and kind = 'escalation'), '{boss@shop.test,owner@shop.test}', 'told up the chain, each once');
select is((select array_agg(action order by event_id) from vouch.case_event where case_id = :m), '{open,overdue,escalate}', 'on record');
select is(vouch.contact(:m, 'Zane', 'phone', 'Called, no answer.') #>> '{case,state}', 'contacted', 'a call is logged');
select is((select overdue from vouch.open_case where case_id = :m), false, 'no longer overdue');

-- The record.
select throws_ok($$ update vouch.case_event set actor = 'x' $$, 'VO204', null, 'the audit stays');
select throws_ok($$ delete from vouch.case_event $$, 'VO204', null, 'where it is');
select throws_ok($$ update vouch.case_text set body = 'x' $$, 'VO204', null, 'what was said too');
select throws_ok($$ update vouch.review_reply set body = 'x' $$, 'VO204', null, 'and replies');
select is((select count(*) from vouch.case_event e join vouch.case_text t using (store_id, event_id) where e.text_digest <> sha256(t.salt || convert_to(t.body, 'UTF8'))), 0::bigint, 'digests match');
select is((vouch.order_check(:one) -> 'facts' ->> 'order_id'), '1001', 'a review against the order record');
select is((vouch.order_check(:one) -> 'gaps'), '["no_promise_recorded"]', 'with what is not known');

-- Erasure.
select said.event('customer.erased', jsonb_build_object('customer_id', 'c1', 'customer_key', encode(said.key('c1'), 'hex')));
select is((select count(*) from vouch.case_text where case_id = :k), 0::bigint, 'an erased person''s thread is gone');
select ok((select count(*) from vouch.case_event where case_id = :k) > 10, 'its audit is not');

-- Thanks.
update vouch.case_policy set thank_from = 5 where stars = 2;
select pg_temp.delivered('1009', 'c19', 'vase'), pg_temp.delivered('1010', 'c20', 'vase');
select said.submitted('r19', 'c19', null, 'vase', 5, 'Lovely.'), said.submitted('r20', 'c20', null, 'vase', 4, 'Good.');
select is((select array_agg(y.body) from vouch.review_reply y where y.automated), array['Thank you for your kind words, Anna.' || E'\n\n' || 'We are glad that you like Vase.'],
  'a happy author is thanked where the policy says so');
select throws_ok($$ update vouch.case_policy set thank_from = 3 $$, '23514', null, 'nobody else is answered without a person');

-- Several say the same.
insert into vouch.review (store_id, product_id, claim, verified_reason, state, revision, published_revision, written_at, published_at)
  select 'main', 'pan', 'anonymous', 'no_author', 'published', 1, 1, vouch.clock(), vouch.clock() from generate_series(1, 6);
insert into vouch.review_revision (store_id, review_id, revision, rating, body, written_at, received_at, state, salt, digest, topics)
  select 'main', review_id, 1, 1, 'late', vouch.clock(), vouch.clock(), 'published', 'x', sha256('x'), '{delivery}' from vouch.review where product_id = 'pan';
select is(vouch.topic_watch('main', 10), 1, 'six customers said the same this week');
select is(vouch.topic_watch('main', 10), 0, 'told once');
select is((select (origin, topic, review_id) from vouch.open_case where product_id = 'pan'), ('topic'::text, 'delivery'::text, null::bigint), 'a case of its own');
select ok((select spike and probability < 0.001 from vouch.trend where product_id = 'pan'), 'the trend shows it');
select is(vouch.count_tail(24, 12, 2) > 0.5, true, 'two a week are nothing where two a week are usual');
select is((vouch.announce_measure('pan', 'delivery', 'Zane', 'We changed the carrier.') #>> '{measure,announced}'), '0', 'nobody to tell of whom no address is known');

-- Business time.
delete from vouch.business_hours;
update vouch.store set timezone = 'Europe/Riga' where store_id = 'main';
insert into vouch.business_hours select 'main', d, '09:00', '17:00' from generate_series(1, 5) d;
insert into vouch.holiday values ('main', '2026-11-18', 'Proclamation Day');
select is(vouch.business_after('main', '2026-11-17 16:00+02', '2 hours'), '2026-11-19 10:00+02'::timestamptz, 'overnight, past a holiday');
select is(vouch.business_seconds('main', '2026-11-17 16:00+02', '2026-11-19 10:00+02'), 7200::bigint, 'and back');
select is(vouch.business_after('main', '2026-10-23 16:30+03', '1 hour'), '2026-10-26 09:30+02'::timestamptz, 'over the weekend the clocks are put back');
insert into vouch.business_hours values ('main', 7, '00:00', '24:00');
select is(vouch.business_seconds('main', '2026-10-25 00:00+03', '2026-10-26 00:00+02'), 25 * 3600::bigint, 'a day of 25 hours');
select is(vouch.business_seconds('main', '2026-03-29 00:00+02', '2026-03-30 00:00+03'), 23 * 3600::bigint, 'and one of 23');

-- Wording.
select is((select array_agg(f ->> 'category' order by 1) from jsonb_array_elements(vouch.reply_lint(t)) f), want, left(t, 40))
from (values
  ('We are sorry that the kettle leaks and have sent you a new one.', null::text[]),
  ('Our lawyers will contact you.', '{legal_threat}'),
  ('You get a voucher once you have changed your review.', '{conditional_offer}'),
  ('We refund you. You may keep, change or remove your review as you like.', null),
  ('It is your own fault; nobody else complained.', '{blame,defensive}'),
  ('Le devolvemos el dinero. Si cambia su reseña le damos un cupón de regalo.', '{conditional_offer}'),
  ('Tomaremos acciones legales.', '{legal_threat}'),
  ('Lamentamos muito o atraso; a nova chaleira segue hoje.', null),
  ('Damos um desconto se apagar a avaliação.', '{conditional_offer}'),
  ('نعتذر عن التأخير وسنرسل لك بديلا اليوم.', null),
  ('سنعطيك قسيمة خصم إذا حذفت تقييمك.', '{conditional_offer}'),
  ('متاسفیم که دیر رسید؛ امروز جایگزین را می‌فرستیم.', null),
  ('اگر نظر خود را حذف کنید کد تخفیف می‌دهیم.', '{conditional_offer}'),
  ('Atvainojamies par kavēšanos, jauna tējkanna jau ir ceļā. Jums ir tiesības to atgriezt.', null),
  ('Dosim atlaidi, ja izdzēsīsiet atsauksmi.', '{conditional_offer}'),
  ('Tiksimies tiesā, mūsu advokāti Jums rakstīs.', '{legal_threat}')) as c (t, want);
select * from finish();
rollback;
