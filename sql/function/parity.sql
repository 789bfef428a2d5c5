-- SPDX-License-Identifier: MIT
-- Proof of fairness: what became of reviews by stars, and whether low ones fare worse.

create or replace function vouch.parity_fold(p_store text, p_decisions bigint[]) returns void
language plpgsql as $$
begin
  insert into vouch.parity_total as t (store_id, rating, received, published, held, rejected, withdrawn, holds, holds_ended, hold_seconds)
  select p_store, c.rating, sum(c.received), sum(c.published), sum(c.held), sum(c.rejected), sum(c.withdrawn), sum(c.holds), sum(c.holds_ended), sum(c.hold_seconds)
  from vouch.parity_change c where c.store_id = p_store and c.decision_id = any (p_decisions)
  group by c.rating order by c.rating
  on conflict (store_id, rating) do update set received = t.received + excluded.received, published = t.published + excluded.published,
    held = t.held + excluded.held, rejected = t.rejected + excluded.rejected, withdrawn = t.withdrawn + excluded.withdrawn,
    holds = t.holds + excluded.holds, holds_ended = t.holds_ended + excluded.holds_ended, hold_seconds = t.hold_seconds + excluded.hold_seconds;
  insert into vouch.parity_ground as t (store_id, ground, rating, rejected)
  select p_store, c.ground, c.rating, sum(c.rejected)
  from vouch.parity_change c where c.store_id = p_store and c.decision_id = any (p_decisions) and c.ground is not null
  group by c.ground, c.rating order by c.ground, c.rating
  on conflict (store_id, ground, rating) do update set rejected = t.rejected + excluded.rejected;
end
$$;
comment on function vouch.parity_fold is 'Counts decisions that have just been linked into the record, each once.';

create or replace function vouch.parity_view(p_store text) returns jsonb
language plpgsql stable as $$
begin
  return (select coalesce(jsonb_agg(to_jsonb(p) - 'store_id' order by p.rating), '[]') from vouch.publication_parity p where p.store_id = p_store);
end
$$;

create or replace function vouch.transparency(p_store text) returns jsonb
language plpgsql stable security definer as $$
declare
  by_stars jsonb;
begin
  perform vouch.enter(p_store);
  if not exists (select from vouch.store s where s.store_id = p_store) then
    return null;
  end if;
  by_stars := vouch.parity_view(p_store);
  return jsonb_build_object('store', (select s.name from vouch.store s where s.store_id = p_store), 'as_of', vouch.clock(),
    'reviews', vouch.transparency_counts(by_stars), 'by_stars', by_stars,
    'holds', (select jsonb_agg(jsonb_build_object('reason', p.reason, 'action', p.action, 'deadline_s', extract(epoch from p.deadline)::bigint,
        'on_deadline', p.on_deadline) order by p.reason)
      from (select distinct h.reason from vouch.hold_policy h where h.store_id in (p_store, '*')) r
      cross join lateral vouch.hold_policy_of(p_store, r.reason) p),
    'grounds', (select jsonb_agg(jsonb_build_object('ground', g.ground, 'clause', nullif(g.clause, '')) order by g.ground)
      from (select distinct on (x.ground) x.* from vouch.rejection_ground x where x.store_id in (p_store, '*') order by x.ground, x.store_id = p_store desc) g),
    'languages', (select coalesce(jsonb_agg(distinct t.locale), '[]') from vouch.abuse_term t where t.store_id in (p_store, '*') and t.locale <> '*'),
    'models', (select coalesce(jsonb_agg(distinct m.locale), '[]') from vouch.moderation_model m where m.store_id in (p_store, '*')),
    'incentive', (select jsonb_build_object('kind', d.kind, 'value', d.value, 'currency', d.currency, 'grant_on', d.grant_on)
      from vouch.discount_policy d where d.store_id = p_store),
    'appeals', (select jsonb_build_object('received', count(*), 'granted', count(*) filter (where a.state = 'granted'),
        'refused', count(*) filter (where a.state = 'refused'), 'open', count(*) filter (where a.state = 'open'))
      from vouch.appeal a where a.store_id = p_store),
    'reports', (select jsonb_build_object('received', count(*), 'removed', count(*) filter (where r.state = 'removed'),
        'kept', count(*) filter (where r.state = 'kept'), 'open', count(*) filter (where r.state = 'open'))
      from vouch.review_report r where r.store_id = p_store),
    'appeal_days', extract(day from vouch.appeal_time()),
    'record', (select jsonb_build_object('sequence', h.sequence, 'hash', encode(h.hash, 'hex'), 'signature', encode(h.signature, 'hex'),
        'public_key', encode(h.public_key, 'hex'), 'signed_at', h.signed_at) from vouch.record_head h where h.store_id = p_store));
end
$$;
comment on function vouch.transparency is
'What the public page says, from the live configuration and the counts: how reviews are checked, what is held and why, how many were received, published and refused, by ground and by star, whether there is an incentive, the signed head of the record. NULL: no such store.';

create or replace function vouch.transparency_counts(p_by_stars jsonb) returns jsonb
language plpgsql immutable as $$
begin
  return (
    select jsonb_build_object('received', coalesce(sum(p.received), 0), 'published', coalesce(sum(p.published), 0), 'held', coalesce(sum(p.held), 0),
      'rejected', coalesce(sum(p.rejected), 0), 'withdrawn', coalesce(sum(p.withdrawn), 0), 'rejected_by_ground', (
        select coalesce(jsonb_object_agg(g.key, g.n), '{}')
        from (select e.key, sum(e.value::bigint) as n from jsonb_array_elements(p_by_stars) s, jsonb_each_text(s -> 'rejected_by_ground') e group by e.key) g),
      'hold_s', round(sum(p.mean_hold_s * p.holds_ended) / nullif(sum(p.holds_ended), 0)),
      'trend_p', max(p.trend_p), 'alarm', coalesce(bool_or(p.alarm), false))
    from jsonb_to_recordset(p_by_stars) as p (received bigint, published bigint, held bigint, rejected bigint, withdrawn bigint,
      mean_hold_s numeric, holds_ended bigint, trend_p double precision, alarm boolean));
end
$$;
