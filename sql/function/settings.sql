-- SPDX-License-Identifier: MIT
-- Configuration as one snapshot, and the keys.

create or replace function vouch.settings_bump() returns trigger
language plpgsql security definer as $$
begin
  insert into vouch.settings_version as v (store_id, version) values ('*', 1)
  on conflict (store_id) do update set version = v.version + 1;
  return null;
end
$$;

do $$
declare
  configured text;
begin
  foreach configured in array array['store', 'request_policy', 'discount_policy', 'mail_template', 'hold_policy', 'abuse_term',
                                    'moderation_model', 'rejection_ground', 'operator', 'staff_identity', 'classifier',
                                    'case_policy', 'topic_term', 'reply_template', 'webhook'] loop
    execute format('create or replace trigger %I after insert or update or delete or truncate on vouch.%I
                    for each statement execute function vouch.settings_bump()', configured || '_counts', configured);
  end loop;
end
$$;

create or replace function vouch.settings_version_of(p_store text) returns bigint
language plpgsql stable as $$
begin
  return coalesce((select v.version from vouch.settings_version v where v.store_id = '*'), 0);
end
$$;

create or replace function vouch.settings_version(p_store text) returns bigint
language plpgsql stable security definer as $$
begin
  perform vouch.enter(p_store);
  return vouch.settings_version_of(p_store);
end
$$;
comment on function vouch.settings_version is 'Grows with every change of a configuration table.';

create or replace function vouch.settings(p_store text) returns jsonb
language plpgsql stable security definer as $$
begin
  perform vouch.enter(p_store);
  return jsonb_build_object('version', vouch.settings_version_of(p_store),
    'store', (select to_jsonb(s) from vouch.store s where s.store_id = p_store),
    'request_policy', (select coalesce(jsonb_agg(to_jsonb(p) order by p.country), '[]') from vouch.request_policy p where p.store_id = p_store),
    'discount_policy', (select to_jsonb(p) from vouch.discount_policy p where p.store_id = p_store),
    'mail_template', (select coalesce(jsonb_agg(to_jsonb(t) order by t.kind, t.locale), '[]') from vouch.mail_template t where t.store_id = p_store),
    'hold_policy', (select coalesce(jsonb_agg(to_jsonb(vouch.hold_policy_of(p_store, r.reason))), '[]')
                    from (select distinct h.reason from vouch.hold_policy h where h.store_id in (p_store, '*')) r),
    'rejection_ground', (select coalesce(jsonb_agg(distinct g.ground), '[]') from vouch.rejection_ground g where g.store_id in (p_store, '*')),
    'topic_term', (
      select coalesce(jsonb_agg(jsonb_build_array(t.locale, t.term, t.topic, t.match)), '[]')
      from (select distinct on (a.locale, a.term) a.* from vouch.topic_term a where a.store_id in (p_store, '*')
            order by a.locale, a.term, a.store_id = p_store desc) t
      where t.topic <> 'none'),
    'staff_identity', (select coalesce(jsonb_agg(jsonb_build_object('kind', s.kind, 'value', s.value)), '[]')
                       from vouch.staff_identity s where s.store_id = p_store and s.kind <> 'customer'),
    'classifier', (select jsonb_build_object('kind', c.kind, 'url', c.url, 'secret', c.secret, 'model', c.model,
                     'timeout_ms', extract(epoch from c.timeout) * 1000) from vouch.classifier c where c.store_id = p_store),
    'moderation_model', (
      select coalesce(jsonb_agg(jsonb_build_object('locale', m.locale, 'threshold', m.threshold, 'fingerprint', m.fingerprint) order by m.locale), '[]')
      from (select distinct on (a.locale) a.locale, a.threshold, a.fingerprint from vouch.moderation_model a
            where a.store_id in (p_store, '*') order by a.locale, a.store_id = p_store desc) m),
    'abuse_term', (
      select coalesce(jsonb_agg(jsonb_build_object('locale', t.locale, 'term', t.term, 'category', t.category, 'severity', t.severity,
        'match', t.match, 'exceptions', to_jsonb(t.exceptions))), '[]')
      from (select distinct on (a.locale, a.term) a.* from vouch.abuse_term a where a.store_id in (p_store, '*')
            order by a.locale, a.term, a.store_id = p_store desc) t
      where t.severity > 0));
end
$$;
comment on function vouch.settings is 'All configuration of a store as one snapshot with its version, but the weights of models; "store" is null when there is no such store.';

create or replace function vouch.model_get(p_store text, p_locales text[])
returns table (locale text, threshold double precision, fingerprint text, weights bytea)
language plpgsql stable security definer as $$
begin
  perform vouch.enter(p_store);
  return query
    select distinct on (m.locale) m.locale, m.threshold, m.fingerprint, m.weights from vouch.moderation_model m
    where m.store_id in (p_store, '*') and (p_locales is null or m.locale = any (p_locales))
    order by m.locale, m.store_id = p_store desc;
end
$$;
comment on function vouch.model_get is 'The models of a store for these languages (NULL: for all), its own before the shipped.';

create or replace function vouch.model_put(p_store text, p_locale text, p_weights bytea, p_threshold double precision, p_examples integer, p_note text)
returns void
language plpgsql security definer as $$
begin
  perform vouch.enter(p_store);
  if not exists (select from vouch.store s where s.store_id = p_store) then
    perform vouch.refuse('VO101', '/store', format('there is no store %s', p_store));
  end if;
  insert into vouch.moderation_model as m (store_id, locale, weights, threshold, examples, trained_at, note)
  values (p_store, p_locale, p_weights, p_threshold, p_examples, vouch.clock(), coalesce(p_note, ''))
  on conflict (store_id, locale) do update set weights = excluded.weights, threshold = excluded.threshold, examples = excluded.examples,
    trained_at = excluded.trained_at, note = excluded.note;
end
$$;
comment on function vouch.model_put is 'Stores what vouchctl train learned in place of what there was for this store and language.';

create or replace function vouch.stores() returns table (store_id text)
language sql stable security definer as $$
  select s.store_id from vouch.store s order by s.store_id
$$;
comment on function vouch.stores is 'All stores, for a worker that serves every one.';

create or replace function vouch.term_seed(p_locale text, p_terms jsonb) returns integer
language plpgsql as $$
declare
  kept integer;
begin
  delete from vouch.abuse_term t where t.store_id = '*' and t.locale = p_locale;
  insert into vouch.abuse_term (store_id, locale, term, category, severity, match, exceptions)
  select distinct on (e ->> 'term') '*', p_locale, e ->> 'term', e ->> 'category', (e ->> 'severity')::smallint, e ->> 'match',
    coalesce((select array_agg(x) from jsonb_array_elements_text(e -> 'exceptions') x), '{}')
  from jsonb_array_elements(p_terms) e;
  get diagnostics kept = row_count;
  return kept;
end
$$;
comment on function vouch.term_seed is 'Replaces the shipped lexicon of a locale; by vouchctl migrate.';

create or replace function vouch.schema_number() returns bigint
language sql stable security definer as $$
  select coalesce(max(m.number), 0) from vouch.migration m
$$;
comment on function vouch.schema_number is 'The newest numbered file of sql/schema that this database has.';
