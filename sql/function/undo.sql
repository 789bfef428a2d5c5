-- SPDX-License-Identifier: MIT
-- Taking an operator's decision back: the former state is opened again, and both stay on the record.

create or replace function vouch.undo_target(p_store text, p_review bigint) returns vouch.review_decision
language plpgsql stable as $$
declare
  last vouch.review_decision;
begin
  select d.* into last from vouch.review_decision d
  where d.store_id = p_store and d.review_id = p_review and d.action <> 'supersede' order by d.decision_id desc limit 1;
  if last.automated or last.action not in ('approve', 'reject', 'redact') then
    perform vouch.refuse('VO201', '/review_id', 'there is no operator''s decision to take back: ' || vouch.review_standing(p_store, p_review));
  end if;
  return last;
end
$$;
comment on function vouch.undo_target is 'The newest decision, if an operator took it. What was decided about an objection, or by the author since, stays.';

create or replace function vouch.undo_move(p_last vouch.review_decision, p_operator text, p_note text) returns void
language plpgsql as $$
declare
  held_for text[];
  ground text;
  replaced integer;
begin
  if p_last.from_state = 'held' then
    select array(select x from unnest(p_last.reasons) with ordinality as u (x, n) where not x = any (r.labels) order by n) into held_for from vouch.review_revision r
    where r.store_id = p_last.store_id and r.review_id = p_last.review_id and r.revision = p_last.revision;
    held_for := case when cardinality(held_for) > 0 then held_for else p_last.reasons end;
  elsif p_last.from_state = 'rejected' then
    select d.ground into ground from vouch.review_decision d
    where d.store_id = p_last.store_id and d.review_id = p_last.review_id and d.revision = p_last.revision
      and d.to_state = 'rejected' and d.ground is not null and d.decision_id < p_last.decision_id
    order by d.decision_id desc limit 1;
  end if;
  perform vouch.revision_move(p_last.store_id, p_last.review_id, p_last.revision, 'undo', p_operator, false, ground, p_note,
    coalesce((vouch.hold_decide(p_last.store_id, coalesce(held_for, '{}'))).deadline_at, vouch.clock() + interval '1 day'), held_for, null, p_last.from_state);
  select d.revision into replaced from vouch.review_decision d
  where d.store_id = p_last.store_id and d.review_id = p_last.review_id and d.decision_id > p_last.decision_id and d.action = 'supersede'
    and d.actor = p_last.actor and d.decided_at = p_last.decided_at and d.from_state = 'published';
  if replaced is not null then
    perform vouch.revision_move(p_last.store_id, p_last.review_id, replaced, 'undo', p_operator, false, null, null, null, null, null, 'published');
  end if;
end
$$;
comment on function vouch.undo_move is 'Leads a revision back to the state before; the wording that an approved edit had replaced is published again.';

create or replace function vouch.review_undo(p_store text, p_review bigint, p_operator text, p_note text, p_version bigint default null) returns jsonb
language plpgsql as $$
declare
  last vouch.review_decision;
begin
  perform vouch.review_lock(p_store, p_review, p_version);
  last := vouch.undo_target(p_store, p_review);
  if last.action = 'redact' then
    perform vouch.redaction_set(p_store, p_review, last.revision, coalesce((
      select d.redactions from vouch.review_decision d
      where d.store_id = p_store and d.review_id = p_review and d.revision = last.revision and d.redactions is not null and d.decision_id < last.decision_id
      order by d.decision_id desc limit 1), '[]'), 'undo', p_operator, nullif(btrim(p_note), ''));
  else
    perform vouch.undo_move(last, p_operator, nullif(btrim(p_note), ''));
    perform vouch.hold_follow(p_store, p_review, v.verified) from vouch.review v
    where v.store_id = p_store and v.review_id = p_review and v.verified;
  end if;
  return vouch.review_answer(p_store, p_review, last.revision);
end
$$;
comment on function vouch.review_undo is 'Takes the newest decision back, if an operator took it, and opens the former state again.';
