-- A superuser who switches the triggers off leaves traces.
\ir helper.psql
select plan(15);
create function pg_temp.link() returns void language plpgsql as $$
declare
  previous bytea := (select hash from vouch.record_head where store_id = 'main');
  at_sequence bigint := coalesce((select sequence from vouch.record_head where store_id = 'main'), 0);
  ids bigint[] := '{}'; digests bytea[] := '{}'; hashes bytea[] := '{}'; open record;
begin
  for open in select * from vouch.record_open('main', 100) loop
    previous := sha256(coalesce(previous, '') || open.digest);
    ids := ids || open.decision_id; digests := digests || open.digest; hashes := hashes || previous;
  end loop;
  perform vouch.record_append('main', at_sequence, ids, digests, hashes, decode(repeat('00', 64), 'hex'), decode(repeat('00', 32), 'hex'));
end
$$;
create function pg_temp.found(p text) returns text language plpgsql as $$
declare
  told text;
begin
  begin
    set local session_replication_role = replica;
    execute p;
    set local session_replication_role = origin;
    select string_agg(distinct f.what, '; ') into told from vouch.record_faults('main') f;
    raise exception using errcode = 'ZZ001', message = coalesce(told, 'nothing');
  exception when sqlstate 'ZZ001' then
    return sqlerrm;
  end;
end
$$;
select said.submitted('r' || n, 'c' || n, null, 'kettle', 1, 'body ' || n) from generate_series(1, 3) n;
select vouch.reject(review_id, 'Zane', 'spam', 'the facts') from vouch.review where external_id = 'r1';
select is((select count(*) from vouch.record_open('main', 100)), 4::bigint, 'four decisions wait for the chain');
select pg_temp.link();
select is((select count(*) from vouch.record_open('main', 100)), 0::bigint, 'none after linking');
select is(vouch.record_append('main', 0, '{1}', array[''::bytea], array[''::bytea], decode(repeat('00', 64), 'hex'), decode(repeat('00', 32), 'hex')), false, 'who comes second is told so');
select is((select count(*) from vouch.record_faults('main')), 0::bigint, 'an honest record has no faults');
select said.submitted('r9', 'c9', null, 'kettle', 1, 'not linked yet');
select is((select count(*) from vouch.record_faults('main')), 0::bigint, 'neither has one with decisions that wait');

select matches(pg_temp.found($$ update vouch.review_revision set rating = 5 where body = 'body 2' $$), 'words or stars', 'stars changed');
select matches(pg_temp.found($$ update vouch.review_revision set salt = null where body = 'body 2' $$), 'words or stars', 'a salt dropped');
select matches(pg_temp.found($$ update vouch.review_revision set state = 'rejected', held_at = null, deadline_at = null, held_for = '{}' where body = 'body 2' $$), 'state', 'a state changed past the machine');
select matches(pg_temp.found($$ update vouch.review_decision set actor = 'author' where action = 'reject' $$), 'changed or removed', 'a decision changed');
select matches(pg_temp.found($$ delete from vouch.review_decision where decision_id = (select min(decision_id) from vouch.review_decision) $$), 'changed or removed', 'a decision removed');
select matches(pg_temp.found($$ update vouch.decision_note set note = 'other facts' $$), 'note', 'facts changed');
select matches(pg_temp.found($$ delete from vouch.decision_note $$), 'note', 'facts removed');
select matches(pg_temp.found($$ delete from vouch.record_link where sequence = 4 $$), 'end of the chain', 'the last link cut off');
select matches(pg_temp.found($$ delete from vouch.record_link $$), 'end of the chain', 'the whole chain removed');
select matches(pg_temp.found($$ delete from vouch.record_pending $$), 'kept out', 'a decision kept out of the chain');
select * from finish();
rollback;
