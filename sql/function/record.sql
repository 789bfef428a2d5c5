-- SPDX-License-Identifier: MIT
-- The record: nobody changes an author's words or a decision, and a signed chain shows it if somebody did.

create or replace function vouch.keep_words() returns trigger
language plpgsql as $$
begin
  if (new.store_id, new.review_id, new.revision, new.rating, new.written_at, new.received_at, new.digest)
      is distinct from (old.store_id, old.review_id, old.revision, old.rating, old.written_at, old.received_at, old.digest)
    or new.locale is distinct from old.locale
    or (new.title is distinct from old.title and (new.title is not null or new.erased_at is null))
    or (new.body is distinct from old.body and (new.body is not null or new.erased_at is null))
    or (new.author_name is distinct from old.author_name and (new.author_name is not null or new.erased_at is null))
    or (new.salt is distinct from old.salt and (new.salt is not null or new.erased_at is null)) then
    raise exception using errcode = 'VO204', message = 'an author''s words and stars cannot be changed',
      hint = 'The author edits them; the store can answer, or refuse them on a ground.';
  end if;
  return new;
end
$$;

create or replace function vouch.keep_row() returns trigger
language plpgsql as $$
begin
  raise exception using errcode = 'VO204', message = format('%s is append-only: %s is not possible', tg_table_name, lower(tg_op));
end
$$;

create or replace trigger review_revision_words_stay before update on vouch.review_revision for each row execute function vouch.keep_words();
create or replace trigger review_revision_stays before delete on vouch.review_revision for each row execute function vouch.keep_row();
create or replace trigger review_revision_not_truncated before truncate on vouch.review_revision execute function vouch.keep_row();
create or replace trigger review_decision_stays before update or delete on vouch.review_decision for each row execute function vouch.keep_row();
create or replace trigger review_decision_not_truncated before truncate on vouch.review_decision execute function vouch.keep_row();
create or replace trigger decision_note_stays before update on vouch.decision_note for each row execute function vouch.keep_row();
create or replace trigger decision_note_not_truncated before truncate on vouch.decision_note execute function vouch.keep_row();
create or replace trigger operator_action_stays before update or delete on vouch.operator_action for each row execute function vouch.keep_row();
create or replace trigger operator_action_not_truncated before truncate on vouch.operator_action execute function vouch.keep_row();
create or replace trigger record_link_stays before update or delete on vouch.record_link for each row execute function vouch.keep_row();
create or replace trigger record_link_not_truncated before truncate on vouch.record_link execute function vouch.keep_row();
create or replace trigger case_event_stays before update or delete on vouch.case_event for each row execute function vouch.keep_row();
create or replace trigger case_event_not_truncated before truncate on vouch.case_event execute function vouch.keep_row();
create or replace trigger case_text_stays before update on vouch.case_text for each row execute function vouch.keep_row();
create or replace trigger case_text_not_truncated before truncate on vouch.case_text execute function vouch.keep_row();
create or replace trigger review_reply_stays before update or delete on vouch.review_reply for each row execute function vouch.keep_row();
create or replace trigger review_reply_not_truncated before truncate on vouch.review_reply execute function vouch.keep_row();

create or replace function vouch.decision_text(p_decision vouch.review_decision) returns text
language sql stable
return pg_catalog.jsonb_build_array((p_decision).store_id, (p_decision).decision_id, (p_decision).review_id, (p_decision).revision,
  (p_decision).action, (p_decision).from_state, (p_decision).to_state, extract(epoch from (p_decision).decided_at), (p_decision).actor,
  (p_decision).automated, (p_decision).ground, to_jsonb((p_decision).reasons), encode((p_decision).words_digest, 'hex'),
  encode((p_decision).note_digest, 'hex'), (p_decision).redactions)::text;
comment on function vouch.decision_text is 'A decision as one canonical text, over which the chain is made.';

create or replace function vouch.record_open(p_store text, p_limit integer)
returns table (sequence bigint, hash bytea, decision_id bigint, digest bytea)
language plpgsql security definer as $$
begin
  perform vouch.enter(p_store);
  return query
  select coalesce(h.sequence, 0), h.hash, d.decision_id, sha256(convert_to(vouch.decision_text(d), 'UTF8'))
  from (select w.decision_id from vouch.record_pending w where w.store_id = p_store order by w.decision_id limit p_limit) w
  join vouch.review_decision d on d.store_id = p_store and d.decision_id = w.decision_id
  left join vouch.record_head h on h.store_id = p_store
  order by d.decision_id;
end
$$;
comment on function vouch.record_open is 'Decisions not yet linked, with the present head of the chain.';

create or replace function vouch.record_append(
  p_store text, p_after bigint, p_decisions bigint[], p_digests bytea[], p_hashes bytea[], p_signature bytea, p_public_key bytea
) returns boolean
language plpgsql security definer as $$
declare
  at_sequence bigint;
begin
  perform vouch.enter(p_store);
  perform pg_advisory_xact_lock(hashtextextended(p_store, 2));
  select h.sequence into at_sequence from vouch.record_head h where h.store_id = p_store;
  if coalesce(at_sequence, 0) <> p_after then
    return false;
  end if;
  insert into vouch.record_link (store_id, sequence, decision_id, digest, hash)
  select p_store, p_after + l.n, l.decision_id, l.digest, l.hash
  from unnest(p_decisions, p_digests, p_hashes) with ordinality as l (decision_id, digest, hash, n);
  delete from vouch.record_pending w where w.store_id = p_store and w.decision_id = any (p_decisions);
  perform vouch.parity_fold(p_store, p_decisions);
  insert into vouch.record_head as h (store_id, sequence, hash, signature, public_key, signed_at)
  values (p_store, p_after + cardinality(p_decisions), p_hashes[cardinality(p_hashes)], p_signature, p_public_key, vouch.clock())
  on conflict (store_id) do update set sequence = excluded.sequence, hash = excluded.hash, signature = excluded.signature,
    public_key = excluded.public_key, signed_at = excluded.signed_at;
  return true;
end
$$;
comment on function vouch.record_append is 'Adds links behind p_after and the newly signed head; false when another process was quicker.';

create or replace function vouch.chain_faults(p_store text) returns table (what text, decision_id bigint, review_id bigint)
language plpgsql stable as $$
begin
  return query
  with chain as (
    select k.*, lag(k.hash) over (order by k.sequence) as previous, row_number() over (order by k.sequence) as place
    from vouch.record_link k where k.store_id = p_store
  )
  select 'a link of the chain is missing or does not follow from the one before', c.decision_id, null::bigint from chain c
  where c.place <> c.sequence or c.hash <> sha256(coalesce(c.previous, '') || c.digest)
  union all
  select 'a decision was changed or removed', c.decision_id, d.review_id from chain c
  left join vouch.review_decision d on d.store_id = p_store and d.decision_id = c.decision_id
  where d.decision_id is null or sha256(convert_to(vouch.decision_text(d), 'UTF8')) <> c.digest
  union all
  select 'a decision was kept out of the chain', d.decision_id, d.review_id from vouch.review_decision d
  where d.store_id = p_store
    and not exists (select from vouch.record_link k where k.store_id = p_store and k.decision_id = d.decision_id)
    and not exists (select from vouch.record_pending w where w.store_id = p_store and w.decision_id = d.decision_id)
  union all
  select 'the end of the chain is not the signed one', l.decision_id, null
  from (select from vouch.store s where s.store_id = p_store) one
  left join (select c.* from chain c order by c.sequence desc limit 1) l on true
  left join vouch.record_head h on h.store_id = p_store
  where (h.sequence, h.hash) is distinct from (l.sequence, l.hash);
end
$$;
comment on function vouch.chain_faults is 'Where links, decisions and the signed head do not fit together.';

create or replace function vouch.words_faults(p_store text) returns table (what text, decision_id bigint, review_id bigint)
language plpgsql stable as $$
begin
  return query
  with latest as (
    select distinct on (d.review_id, d.revision) d.* from vouch.review_decision d
    where d.store_id = p_store order by d.review_id, d.revision, d.decision_id desc
  )
  select 'words or stars of a review were changed', l.decision_id, r.review_id from vouch.review_revision r
  left join latest l on l.review_id = r.review_id and l.revision = r.revision
  where r.store_id = p_store and case
    when r.erased_at is null then r.digest is distinct from sha256(r.salt || convert_to(vouch.revision_text(r), 'UTF8'))
      or r.digest is distinct from coalesce(l.words_digest, r.digest)
    else not exists (select from vouch.review_decision e where e.store_id = p_store and e.review_id = r.review_id and e.revision = r.revision
                     and e.action = 'erase' and e.words_digest = sha256(convert_to(vouch.revision_text(r), 'UTF8'))) end
  union all
  select 'a review''s words are gone', l.decision_id, l.review_id from latest l
  where not exists (select from vouch.review_revision r where r.store_id = p_store and r.review_id = l.review_id and r.revision = l.revision)
  union all
  select 'a review''s state does not follow from any decision', l.decision_id, r.review_id from vouch.review_revision r
  left join latest l on l.review_id = r.review_id and l.revision = r.revision
  where r.store_id = p_store and r.state is distinct from coalesce(l.to_state, case when r.state in ('unconfirmed', 'superseded') then r.state end)
  union all
  select 'what is hidden of a review does not follow from any decision', l.decision_id, r.review_id from vouch.review_revision r
  left join latest l on l.review_id = r.review_id and l.revision = r.revision
  where r.store_id = p_store and r.erased_at is null and r.redactions is distinct from coalesce((
    select d.redactions from vouch.review_decision d
    where d.store_id = p_store and d.review_id = r.review_id and d.revision = r.revision and d.redactions is not null
    order by d.decision_id desc limit 1), '[]')
  union all
  select 'a note was changed or removed', d.decision_id, d.review_id from vouch.review_decision d
  join vouch.review v on v.store_id = p_store and v.review_id = d.review_id
  left join vouch.decision_note n on n.store_id = p_store and n.decision_id = d.decision_id
  where d.store_id = p_store and d.note_digest is distinct from sha256(n.salt || convert_to(n.note, 'UTF8'))
    and not (n.note is null and v.erased_at is not null);
end
$$;
comment on function vouch.words_faults is 'Where words, stars, states and notes are not those that were decided on. Of an erased author''s revision the digest of what was left is on record.';

create or replace function vouch.record_faults(p_store text) returns table (what text, decision_id bigint, review_id bigint)
language plpgsql stable security definer as $$
begin
  perform vouch.enter(p_store);
  return query select f.* from vouch.chain_faults(p_store) f union all select f.* from vouch.words_faults(p_store) f;
end
$$;
comment on function vouch.record_faults is 'Walks the whole record; every row it returns is evidence of tampering. vouchctl check also verifies the signature of the head.';

create or replace function vouch.record_head_of(p_store text)
returns table (sequence bigint, hash bytea, signature bytea, public_key bytea, signed_at timestamptz)
language plpgsql stable security definer as $$
begin
  perform vouch.enter(p_store);
  return query select h.sequence, h.hash, h.signature, h.public_key, h.signed_at from vouch.record_head h where h.store_id = p_store;
end
$$;
