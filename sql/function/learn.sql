-- SPDX-License-Identifier: MIT
-- Learning from operators' decisions, step by step: the worker takes a lesson, vouch.so does the sums.

create or replace function vouch.examples_take(p_store text, p_least integer, p_most integer)
returns table (locale text, abusive boolean, words text, decision_id bigint, fingerprint text)
language plpgsql stable security definer as $$
declare
  due text;
begin
  perform vouch.enter(p_store);
  select f.locale into due
  from (select t.locale from vouch.training_example t where t.store_id = p_store and t.learned_at is null limit 10000) f
  where exists (select from vouch.moderation_model m where m.store_id in (p_store, '*') and m.locale = f.locale)
  group by f.locale having count(*) >= p_least order by count(*) desc limit 1;
  return query
  select t.locale, t.abusive, coalesce(r.body, r.title), t.decision_id, (
    select m.fingerprint from vouch.moderation_model m where m.store_id in (p_store, '*') and m.locale = due order by m.store_id = p_store desc limit 1)
  from vouch.training_example t
  join vouch.review_revision r on r.store_id = t.store_id and r.review_id = t.review_id and r.revision = t.revision
  where t.store_id = p_store and t.locale = due and t.learned_at is null
  order by t.decision_id limit p_most;
end
$$;
comment on function vouch.examples_take is 'Decisions not yet learned from, of the language with most of them that has a model; none below p_least. The words are NULL where their author had them erased; fingerprint is that of the model to be moved.';

create or replace function vouch.model_learned(p_store text, p_locale text, p_fingerprint text, p_weights bytea, p_decisions bigint[]) returns boolean
language plpgsql security definer as $$
declare
  base vouch.moderation_model;
begin
  perform vouch.enter(p_store);
  perform pg_advisory_xact_lock(hashtextextended(p_store, 4));
  select m.* into base from vouch.moderation_model m where m.store_id in (p_store, '*') and m.locale = p_locale order by m.store_id = p_store desc limit 1;
  if base.fingerprint is distinct from p_fingerprint then
    return false;
  end if;
  insert into vouch.moderation_model as m (store_id, locale, weights, threshold, examples, trained_at, note)
  values (p_store, p_locale, p_weights, base.threshold, base.examples + cardinality(p_decisions), vouch.clock(), base.note)
  on conflict (store_id, locale) do update set weights = excluded.weights, examples = excluded.examples, trained_at = excluded.trained_at;
  update vouch.training_example t set learned_at = vouch.clock() where t.store_id = p_store and t.decision_id = any (p_decisions);
  return true;
end
$$;
comment on function vouch.model_learned is 'Stores what a model became by a lesson, if it is still the one the lesson began with; its examples are learned then.';
