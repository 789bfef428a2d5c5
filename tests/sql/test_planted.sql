-- A type that somebody planted in pg_temp must not reach a function that acts as the owner: pg_temp would be searched first,
-- and the CHECK of a domain runs as whoever casts to it. In sessions of its own, before anything is compiled.
\set owner :USER

create role planter login in role vouch_operator;
insert into vouch.operator values ('main', 'planter', 'moderator');
select vouch.ingest('main', '{/s}', '{1}', '{review.submitted}', array[now()],
  '{"{\"external_id\":\"r1\",\"product_id\":\"kettle\",\"rating\":1,\"body\":\"x\",\"claim\":\"anonymous\",\"reasons\":[],\"marks\":[]}"}', array[null]::text[],
  '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}',
  '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}');
grant all on schema public to planter;

\c - planter
select public.plan(3);
create temp table robbed (who pg_catalog.text);
grant insert on robbed to public;
create function public.rob(p anyelement) returns boolean language plpgsql as
  $$ begin insert into pg_temp.robbed values (current_user); return true; exception when others then return true; end $$;
grant execute on function public.rob to public;
select quote_ident(nspname) as temp from pg_namespace where oid = pg_my_temp_schema() \gset
create domain :temp.text as pg_catalog.text check (public.rob(value));
create domain :temp.jsonb as pg_catalog.jsonb check (public.rob(value));
create domain :temp.timestamptz as pg_catalog.timestamptz check (public.rob(value));
grant usage on type :temp.text, :temp.jsonb, :temp.timestamptz to public;
select public.is(vouch.reject((select min(review_id) from vouch.review), null, 'spam', 'x') #>> '{review,state}', 'rejected', 'the decision is made');
select public.isnt(vouch.queue_view('main', null, null, 10), null, 'the queue is read');
select public.is((select count(*) from robbed where who = 'vouch_owner'), 0::bigint, 'and nothing planted ran as the owner');

select * from public.finish();
\c - :owner
drop owned by planter;
drop role planter;
