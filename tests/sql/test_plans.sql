-- Nothing on the way of an event, a mail, a form or a page reads more rows as a store grows: with 20,000 of everything each
-- call touches a few. Orders do so with plans made while the tables were empty, too: a new store is often filled at once,
-- before statistics are there.
\ir helper.psql
select plan(32);
set statement_timeout = '20s';

create function pg_temp.touched() returns table (name name, rows bigint) language sql as $$
  select relname, coalesce(seq_tup_read, 0) + coalesce(idx_tup_fetch, 0) from pg_stat_xact_user_tables where schemaname = 'vouch' $$;
create function pg_temp.price(p text) returns text language plpgsql as $$
declare
  told text;
begin
  create temp table before on commit drop as select * from pg_temp.touched();
  execute p;
  select string_agg(t.name || ' ' || (t.rows - coalesce(b.rows, 0)), ', ' order by t.name) into told
  from pg_temp.touched() t left join before b using (name) where t.rows - coalesce(b.rows, 0) > 60;
  drop table before;
  return coalesce(told, 'few');
end
$$;
create table said.calls (n serial, what text);
insert into said.calls (what) values
  ('select said.placed(''new%1$s'', ''newc%1$s'', ''new%1$s@x.test'', now(), ''{kettle,mug}'')'),
  ('select said.placed(''o1'', ''c1'', ''b1@x.test'', now(), ''{kettle,mug}'', p_id => ''again%1$s'')'),
  ('select said.fact(''delivered'', ''new%1$s'', now() - interval ''9 days'')'),
  ('select said.fact(''delivered'', ''new%1$s'', now() - interval ''10 days'', ''{1}'')'),
  ('select said.fact(''refunded'', ''o2'', now(), null, ''1.0%1$s'')'),
  ('select said.fact(''cancelled'', ''o3'', now() - interval ''%1$s s'')'),
  ('select said.submitted(''new%1$s'', ''newc%1$s'', null, ''kettle'', 5, ''words %1$s'')'),
  ('select said.submitted(''new%1$s'', ''newc%1$s'', null, ''kettle'', 5, ''an edit %1$s'')'),
  ('select said.submitted(''anon%1$s'', null, ''who%1$s@x.test'', ''kettle'', 5, ''words'')'),
  ('select said.event(''customer.updated'', jsonb_build_object(''customer_id'', ''c5'', ''customer_key'', ''00'', ''name'', ''N%1$s''))'),
  ('select said.event(''mail.complained'', jsonb_build_object(''message_id'', ''mid-7'', ''recipient'', ''x''))'),
  ('select vouch.request_enqueue(''main'', 5)'),
  ('select count(*) from vouch.mail_claim(''main'', 5, ''45 s'')'),
  ('select count(*) from vouch.mail_attempt(''main'', array(select mail_id from pg_temp.sending), array(select lease from pg_temp.sending),
      array(select mail_id::text from pg_temp.sending), array(select jsonb ''[]'' from pg_temp.sending), array(select null::bytea from pg_temp.sending),
      array(select null::text from pg_temp.sending), ''660 s'')'),
  ('select count(*) from vouch.mail_turn(''main'', array(select mail_id from pg_temp.sending), array(select lease from pg_temp.sending), ''660 s'',
      ''{}'', ''{}'', ''{}'', ''{}'', ''{}'', ''{}'')'),
  ('select vouch.mail_settle(''main'', array(select mail_id from pg_temp.sending), array(select lease from pg_temp.sending),
      array(select ''accepted''::text from pg_temp.sending), array(select 250::bigint from pg_temp.sending), array(select ''x''::text from pg_temp.sending),
      array(select ''Ok''::text from pg_temp.sending))'),
  ('select vouch.mail_recover(''main'', 5)'),
  ('select vouch.form_view(''main'', said.key(''link1''))'),
  ('select vouch.form_submit(''main'', said.key(''link1''), ''[{"line_id":"1","rating":4,"body":"form %1$s"}]'')'),
  ('select vouch.storefront_reviews(''main'', ''vase'', null, null, 10)'),
  ('select vouch.queue_view(''main'', null, null, 10)'),
  ('select vouch.hold_sweep(''main'', 10), vouch.rating_fold(''main'', 10), vouch.outbox_take(''main''), (select count(*) from vouch.record_open(''main'', 10))'),
  ('select vouch.decide(''main'', (select review_id from vouch.review_name where store_id = ''main'' and external_id = ''anon2''), ''Zane'', ''approve'', null, null)'),
  ('select vouch.console_queue(''main'', ''Zane'', ''manager'', ''{}'')');
create view pg_temp.sending as select mail_id, lease from vouch.outgoing_mail where store_id = 'main' and state = 'sending' order by mail_id;
-- Every plan is made now, on nothing.
insert into vouch.review_request (store_id, order_id, state, due_at, sent_at) values ('main', 'o1', 'sent', now(), now());
insert into vouch.link_token values ('main', said.key('link1'), 'review', 1, null, null);
select said.placed('o1', 'c1', 'b1@x.test', now() - interval '30 days', '{vase,mug}'), said.fact('delivered', 'o1', now() - interval '20 days');
select count(pg_temp.price(format(what, 0))) from (select * from said.calls where n < 23 order by n) c;

insert into vouch.sales_order (store_id, order_id, address_key, customer_id, placed_at, details_time, details_event)
  select 'main', 'o' || n, said.key('b' || n || '@x.test'), 'c' || n, now(), '2026-01-01', 'r' from generate_series(2, 20000) n on conflict do nothing;
insert into vouch.order_line (store_id, order_id, line_id, product_id, delivered_at) select 'main', 'o' || n, l::text, 'vase', now() - interval '9 days'
  from generate_series(2, 20000) n, generate_series(1, 2) l on conflict do nothing;
insert into vouch.customer (store_id, address_key, customer_id, email, updated_at) select 'main', said.key('b' || n || '@x.test'), 'c' || n, 'b' || n || '@x.test', '2026-01-01'
  from generate_series(2, 20000) n on conflict do nothing;
insert into vouch.event (store_id, source, id, type, received_at, state) select 'main', '/old', n::text, 'order.placed', now(), 'applied' from generate_series(1, 20000) n on conflict do nothing;
insert into vouch.review_request (store_id, order_id, state, due_at, sent_at) select 'main', 'o' || n, case when n % 2 = 0 then 'scheduled' else 'sent' end, now() + interval '1 day', now()
  from generate_series(2, 20000) n on conflict do nothing;
insert into vouch.outgoing_mail (store_id, kind, subject_id, address_key, state, due_at, created_at, finished_at, attempts) select 'main', 'request', n + 100000, said.key('b' || n || '@x.test'),
  'sent', now(), now(), now(), 1 from generate_series(2, 20000) n on conflict do nothing;
insert into vouch.send_attempt (store_id, mail_id, attempt, lease, message_id, started_at, finished_at, class) select 'main', n + 100000, 1, n, 'mid-' || n, now(), now(), 'accepted' from generate_series(1, 20000) n on conflict do nothing;
insert into vouch.link_token select 'main', said.key('link' || n), 'review', n, null, null from generate_series(2, 20000) n on conflict do nothing;
insert into vouch.review (store_id, product_id, order_id, line_id, claim, customer_id, address_key, verified, verified_reason, experience_at, state, revision, published_revision, written_at, published_at)
  select 'main', case when n % 4 = 0 then 'vase' else 'p' || n end, 'o' || n, '2', 'authenticated', 'c' || n, said.key('b' || n || '@x.test'), true, 'delivered_line', now() - interval '9 days', 'published', 1, 1, now(), now()
  from generate_series(10, 20000) n on conflict do nothing;
insert into vouch.review_revision (store_id, review_id, revision, rating, written_at, received_at, state, digest) select 'main', review_id, 1, 4, now(), now(), 'published', said.key('') from vouch.review
  where order_id ~ '^o[0-9]{2}' on conflict do nothing;
insert into vouch.review_decision (store_id, review_id, revision, action, to_state, decided_at, actor, automated, words_digest)
  select 'main', review_id, 1, 'publish', 'published', now(), 'vouch', true, said.key('') from vouch.review where order_id ~ '^o[0-9]{2}' on conflict do nothing;
insert into vouch.rating_total select 'main', 'p' || n, '{0,0,0,1,0}' from generate_series(1, 20000) n on conflict do nothing;
insert into vouch.erasure select 'main', said.key('gone' || n), now() + interval '1 s' from generate_series(1, 20000) n on conflict do nothing;
insert into vouch.suppression select 'main', said.key('gone' || n), 'unsubscribed', now() from generate_series(1, 20000) n on conflict do nothing;

select is(pg_temp.price(format(what, 1)), 'few', 'planned empty: ' || left(regexp_replace(what, '\s+', ' ', 'g'), 70)) from (select * from said.calls where n <= 6 order by n) c;
analyze vouch.sales_order, vouch.order_line, vouch.customer, vouch.event, vouch.review_request, vouch.outgoing_mail, vouch.send_attempt, vouch.link_token,
  vouch.review, vouch.review_revision, vouch.review_decision, vouch.rating_total, vouch.erasure, vouch.suppression;
discard plans;
select is(pg_temp.price(format(what, 2)), 'few', 'planned full: ' || left(regexp_replace(what, '\s+', ' ', 'g'), 70)) from (select * from said.calls order by n) c;

-- The plan of a store reads what is due, nothing from end to end.
create function pg_temp.scans() returns bigint language sql as $$
  select sum(seq_scan) from pg_stat_xact_user_tables where schemaname = 'vouch' and relname not in ('installation', 'store', 'operator') $$;
select pg_temp.scans() as before \gset
select ok((select count(*) from vouch.request_plan('main')) > 9000, 'ten thousand requests are planned');
select is(pg_temp.scans(), :before::bigint, 'without a sequential scan');
select * from finish();
rollback;
