-- SPDX-License-Identifier: MIT
-- What vouchctl migrate does in SQL once the functions are there.

create or replace function vouch.store_make(p_store text) returns text
language plpgsql set search_path = '' as $$
declare
  made text;
begin
  insert into vouch.store (store_id)
  select coalesce(p_store, 'main') where p_store is not null or not exists (select from vouch.store)
  on conflict (store_id) do nothing
  returning store_id into made;
  return made;
end
$$;
comment on function vouch.store_make is 'Makes a store with the defaults of every setting: p_store, or main where there is none at all. Its name when it is new. By vouchctl migrate.';

-- Dropped first, so that its columns may change from version to version.
drop function if exists vouch.check_installation();
create function vouch.check_installation(out schema integer, out functions text, out clock_offset text, out key_fingerprint text, out key_kept bytea,
  out clock timestamptz)
language sql stable security definer set search_path = '' as $$
  select (select max(m.number) from vouch.migration m), i.functions_print, nullif(i.clock_offset, '0')::text, i.key_fingerprint,
    (select s.value from vouch.secret s where s.name = 'key'), vouch.clock()
  from vouch.installation i
$$;
comment on function vouch.check_installation is 'What vouchctl check compares with itself and with the options; changes nothing.';

create or replace function vouch.check_store(p_store text) returns jsonb
language plpgsql stable security definer set search_path = '' as $$
begin
  perform vouch.enter(p_store);
  return vouch.health(p_store) || jsonb_build_object(
    'store', (select to_jsonb(s) from vouch.store s where s.store_id = p_store),
    'deciders', (select count(*) from vouch.operator o where o.store_id = p_store and o.role in ('moderator', 'manager')),
    'waiting', (select jsonb_build_object('escalated', m.escalated, 'appeals', m.open_appeals, 'reports', m.open_reports,
        'appeal_s', extract(epoch from vouch.clock() - m.oldest_appeal_at)::bigint,
        'report_s', extract(epoch from vouch.clock() - m.oldest_report_at)::bigint, 'parity_alarm', m.parity_alarm)
      from vouch.moderation_health m where m.store_id = p_store),
    'overdue_s', (select extract(epoch from vouch.clock() - min(r.deadline_at))::bigint from vouch.review_revision r
                  where r.store_id = p_store and r.state = 'held' and r.deadline_at < vouch.clock()),
    'unlinked_s', (select extract(epoch from vouch.clock() - min(d.decided_at))::bigint from vouch.review_decision d
                   where d.store_id = p_store
                   and not exists (select from vouch.record_link k where k.store_id = p_store and k.decision_id = d.decision_id)),
    'mail_late_s', (select extract(epoch from vouch.clock() - min(m.due_at))::bigint from vouch.outgoing_mail m
                    where m.store_id = p_store and m.state = 'queued' and m.due_at < vouch.clock()),
    'outbox_s', (select extract(epoch from vouch.clock() - min(b.created_at))::bigint from vouch.outbox b where b.store_id = p_store));
end
$$;
comment on function vouch.check_store is 'vouch.health() and what else vouchctl check looks at in one store; NULL ages where nothing waits.';
