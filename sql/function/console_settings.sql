-- SPDX-License-Identifier: MIT
-- The operator console: settings, made from the configuration tables' own catalogue. What may be changed is a closed list; names that go into a
-- statement come from that list and from pg_attribute, never from a form. Values travel as one jsonb parameter.

create or replace function vouch.console_tables() returns text[]
language sql stable as $$
  select array(select w.name from unnest(array['store', 'request_policy', 'discount_policy', 'hold_policy', 'rejection_ground', 'mail_template', 'reply_template',
    'case_policy', 'abuse_term', 'topic_term', 'staff_identity', 'webhook', 'source', 'operator']) with ordinality as w (name, n)
    where exists (select from pg_catalog.pg_class c where c.relnamespace = 'vouch'::regnamespace and c.relname = w.name and c.relkind = 'r') order by w.n)
$$;
comment on function vouch.console_tables is 'The configuration tables that settings pages show and change: a closed list.';

create or replace function vouch.console_table_of(p_ask jsonb) returns text
language sql stable as $$
  select t from unnest(vouch.console_tables()) t where t = p_ask ->> 'id'
$$;

create or replace function vouch.console_key(p_table text) returns text[]
language sql stable as $$
  select array(select a.attname::text from pg_catalog.pg_constraint k
    cross join lateral unnest(k.conkey) with ordinality as c (number, n)
    join pg_catalog.pg_attribute a on a.attrelid = k.conrelid and a.attnum = c.number
    where k.contype = 'p' and k.conrelid = ('vouch.' || quote_ident(p_table))::regclass and a.attname <> 'store_id' order by c.n)
$$;
comment on function vouch.console_key is 'The columns that name a row of a configuration table, the store apart.';

create or replace function vouch.console_choices(p_table regclass, p_column smallint) returns jsonb
language sql stable as $$
  select (select jsonb_agg(m[1] order by n) from regexp_matches(k.definition, '''([^'']+)''::text', 'g') with ordinality as x (m, n))
  from (
    select pg_catalog.pg_get_constraintdef(c.oid) as definition from pg_catalog.pg_constraint c
    where c.conrelid = p_table and c.contype = 'c' and c.conkey = array[p_column]) k
  where k.definition ~ '^CHECK \(\(\(?[a-z_]+\)? = ANY \(ARRAY\[' limit 1
$$;
comment on function vouch.console_choices is 'The words a CHECK of one column allows, when it is a list of words.';

create or replace function vouch.console_columns(p_table text) returns jsonb
language sql stable as $$
  select jsonb_agg(jsonb_build_object('name', a.attname, 'type', format_type(a.atttypid, a.atttypmod), 'comment', col_description(a.attrelid, a.attnum),
    'needed', a.attnotnull and pg_catalog.pg_get_expr(d.adbin, d.adrelid) is null, 'nullable', not a.attnotnull,
    'default', pg_catalog.pg_get_expr(d.adbin, d.adrelid),
    'key', a.attname = any (vouch.console_key(p_table)),
    'is_choice', vouch.console_choices(a.attrelid, a.attnum) is not null, 'choices', vouch.console_choices(a.attrelid, a.attnum),
    'is_boolean', a.atttypid = 'boolean'::regtype,
    'is_list', format_type(a.atttypid, null) like '%[]',
    'is_long', a.atttypid in ('text'::regtype, 'jsonb'::regtype) and a.attname in ('text', 'html', 'body', 'clause', 'mapping', 'paths', 'facts'),
    'rules', (select jsonb_agg(replace(k.conname, '_', ' ') order by k.conname) from pg_catalog.pg_constraint k
              where k.conrelid = a.attrelid and k.contype = 'c' and a.attnum = any (k.conkey))) order by a.attnum)
  from pg_catalog.pg_attribute a
  left join pg_catalog.pg_attrdef d on d.adrelid = a.attrelid and d.adnum = a.attnum
  where a.attrelid = ('vouch.' || quote_ident(p_table))::regclass and a.attnum > 0 and not a.attisdropped and a.attname <> 'store_id'
    and a.attgenerated = '' and a.attidentity = '' and a.atttypid <> 'bytea'::regtype
$$;
comment on function vouch.console_columns is 'The columns of a configuration table as the catalogue knows them: types, comments, defaults, rules.';

create or replace function vouch.console_defaults(p_table text) returns jsonb
language plpgsql stable as $$
declare
  made jsonb;
  expressions text := (
    select string_agg(format('%L, %s', a.attname, pg_catalog.pg_get_expr(d.adbin, d.adrelid)), ', ') from pg_catalog.pg_attrdef d
    join pg_catalog.pg_attribute a on a.attrelid = d.adrelid and a.attnum = d.adnum and a.attidentity = '' and a.attgenerated = ''
    where d.adrelid = ('vouch.' || quote_ident(p_table))::regclass);
begin
  if expressions is not null then
    execute 'select jsonb_build_object(' || expressions || ')' into made;
  end if;
  return coalesce(made, '{}');
end
$$;
comment on function vouch.console_defaults is 'What the columns of a configuration table are by default: the catalogue''s own expressions.';

create or replace function vouch.console_rows(p_store text, p_table text, p_limit integer) returns jsonb
language plpgsql stable as $$
declare
  found_rows jsonb;
  key_names text[] := vouch.console_key(p_table);
begin
  execute format('select coalesce(jsonb_agg(to_jsonb(x) - ''store_id'' || jsonb_build_object(''own'', x.store_id = $1) order by %2$s), ''[]'')
    from (select * from vouch.%1$I t where t.store_id = $1 or (t.store_id = ''*'' and %3$s) order by %2$s limit $2) x', p_table,
    (select coalesce(string_agg(format('%I', k), ', '), 'store_id') from unnest(key_names) k),
    case when p_table in ('hold_policy', 'rejection_ground') then 'true' else 'false' end)
    into found_rows using p_store, p_limit;
  return found_rows;
end
$$;
comment on function vouch.console_rows is 'A store''s rows of a configuration table, and the shipped ones of the short tables. p_table is of console_tables().';

create or replace function vouch.console_row(p_store text, p_table text, p_ask jsonb) returns jsonb
language plpgsql stable as $$
declare
  found_row jsonb;
  key_names text[] := vouch.console_key(p_table);
begin
  execute format('select to_jsonb(t) from vouch.%1$I t where t.store_id in ($1, ''*'') and %2$s order by t.store_id = $1 desc limit 1', p_table,
    (select coalesce(string_agg(format('t.%1$I::text = $2 ->> %2$L', k, 'key.' || k), ' and '), 'true') from unnest(key_names) k))
    into found_row using p_store, p_ask;
  return found_row;
end
$$;
comment on function vouch.console_row is 'The row that the fields key.COLUMN name, or the shipped one it would replace.';

create or replace function vouch.console_settings(p_store text, p_operator text, p_role text, p_ask jsonb) returns jsonb
language plpgsql stable security definer as $$
begin
  perform vouch.console_as(p_store, p_operator, p_role, array['viewer', 'moderator', 'manager', 'mediator']);
  return jsonb_build_object('tables', (
      select jsonb_agg(jsonb_build_object('table', t.name, 'comment', obj_description(('vouch.' || quote_ident(t.name))::regclass)) order by t.n)
      from unnest(vouch.console_tables()) with ordinality as t (name, n)),
    'changes', (select coalesce(jsonb_agg(jsonb_build_object('acted_at', x.acted_at, 'operator', x.operator, 'act', x.action, 'subject', x.subject) order by x.action_id desc), '[]')
                from (select * from vouch.operator_action a where a.store_id = p_store order by a.action_id desc limit 20) x));
end
$$;
comment on function vouch.console_settings is 'The configuration tables with their comments, and who changed something lately.';

create or replace function vouch.console_inputs(p_table text, p_row jsonb, p_fresh boolean) returns jsonb
language sql stable as $$
  select jsonb_agg(c || jsonb_build_object(
    'value', case when jsonb_typeof(v.value) = 'array' then (select string_agg(e, E'\n') from jsonb_array_elements_text(v.value) e)
                  when jsonb_typeof(v.value) = 'null' then null else p_row ->> (c ->> 'name') end,
    'options', case when (c ->> 'is_boolean')::boolean then jsonb_build_array(
                    jsonb_build_object('value', 'true', 'chosen', coalesce(p_row ->> (c ->> 'name'), '') = 'true'),
                    jsonb_build_object('value', 'false', 'chosen', coalesce(p_row ->> (c ->> 'name'), '') = 'false'))
                    when jsonb_typeof(c -> 'choices') = 'array' then (
                      select jsonb_agg(jsonb_build_object('value', o, 'chosen', o = p_row ->> (c ->> 'name')))
                      from jsonb_array_elements_text(c -> 'choices') o) end,
    'select', ((c ->> 'is_boolean')::boolean or (c ->> 'is_choice')::boolean) and not ((c ->> 'key')::boolean and not p_fresh),
    'fixed', (c ->> 'key')::boolean and not p_fresh,
    'area', (c ->> 'is_list')::boolean or (c ->> 'is_long')::boolean) order by n)
  from jsonb_array_elements(vouch.console_columns(p_table)) with ordinality as x (c, n)
  cross join lateral (select coalesce(p_row -> (c ->> 'name'), 'null') as value) v
$$;
comment on function vouch.console_inputs is 'The fields of a row''s form: columns with the row''s values.';

create or replace function vouch.console_table(p_store text, p_operator text, p_role text, p_ask jsonb) returns jsonb
language plpgsql stable security definer as $$
declare
  chosen text := vouch.console_table_of(p_ask);
  row_now jsonb;
  found_rows jsonb;
  key_names text[];
begin
  perform vouch.console_as(p_store, p_operator, p_role, array['viewer', 'moderator', 'manager', 'mediator']);
  if chosen is null then
    return null;
  end if;
  key_names := vouch.console_key(chosen);
  found_rows := vouch.console_rows(p_store, chosen, 200);
  if p_ask ? 'edit' then
    row_now := vouch.console_row(p_store, chosen, p_ask);
  end if;
  if p_ask ? 'new' then
    row_now := vouch.console_defaults(chosen);
  end if;
  return jsonb_build_object('table', chosen, 'comment', obj_description(('vouch.' || quote_ident(chosen))::regclass),
    'single', cardinality(key_names) = 0, 'addable', cardinality(key_names) > 0 or (chosen <> 'store' and found_rows = '[]'),
    'columns', vouch.console_columns(chosen), 'some', found_rows <> '[]',
    'rows', (select coalesce(jsonb_agg(jsonb_build_object('own', r -> 'own',
        'cells', (select jsonb_agg(jsonb_build_object('name', c ->> 'name', 'text', left(case when jsonb_typeof(r -> (c ->> 'name')) = 'array'
                    then (select string_agg(e, ', ') from jsonb_array_elements_text(r -> (c ->> 'name')) e) else r ->> (c ->> 'name') end, 80)))
                  from jsonb_array_elements(vouch.console_columns(chosen)) c),
        'keys', (select coalesce(jsonb_agg(jsonb_build_object('name', 'key.' || k, 'value', r ->> k)), '[]') from unnest(key_names) k))), '[]')
      from jsonb_array_elements(found_rows) r),
    'editing', p_ask ? 'edit' or p_ask ? 'new', 'fresh', p_ask ? 'new',
    'removal', (select coalesce(jsonb_agg(jsonb_build_object('name', 'key.' || k, 'value', row_now ->> k)), '[]') from unnest(key_names) k),
    'own_row', row_now ->> 'store_id' = p_store and chosen <> 'store',
    'was', md5(case when row_now ->> 'store_id' = p_store then row_now::text end),
    'inputs', case when p_ask ? 'edit' or p_ask ? 'new' then vouch.console_inputs(chosen, row_now, p_ask ? 'new') end,
    'is_template', chosen = 'mail_template', 'is_plan', chosen = 'request_policy');
end
$$;
comment on function vouch.console_table is 'A configuration table: its rows, and the form of one when edit and key.COLUMN, or new, are asked for. NULL: no such table.';

create or replace function vouch.console_values(p_table text, p_ask jsonb) returns jsonb
language sql stable as $$
  select jsonb_object_agg(c ->> 'name', case
    when coalesce(p_ask ->> ('set.' || (c ->> 'name')), '') = '' then
      case when (c ->> 'nullable')::boolean then 'null' when (c ->> 'is_list')::boolean then '[]' else to_jsonb(''::text) end
    when (c ->> 'is_list')::boolean then (
      select coalesce(jsonb_agg(btrim(e, E' \r')), '[]') from unnest(string_to_array(p_ask ->> ('set.' || (c ->> 'name')), E'\n')) e where btrim(e, E' \r') <> '')
    when c ->> 'type' = 'jsonb' then (p_ask ->> ('set.' || (c ->> 'name')))::jsonb
    else to_jsonb(replace(p_ask ->> ('set.' || (c ->> 'name')), E'\r', '')) end)
  from jsonb_array_elements(vouch.console_columns(p_table)) c
  where p_ask ? ('set.' || (c ->> 'name')) and not (coalesce(p_ask ->> ('set.' || (c ->> 'name')), '') = '' and c ->> 'default' is not null
    and not (c ->> 'nullable')::boolean and c ->> 'type' <> 'text' and not (c ->> 'is_list')::boolean)
$$;
comment on function vouch.console_values is 'The fields set.COLUMN as a row: only columns the table has. Empty is NULL where that may be, else the default.';

create or replace function vouch.console_write(p_store text, p_table text, p_values jsonb) returns void
language plpgsql as $$
declare
  names text[] := array(select n from jsonb_object_keys(p_values) n order by n);
  key_names text[] := vouch.console_key(p_table);
  rest text := (select string_agg(format('%1$I = excluded.%1$I', n), ', ') from unnest(names) n where not n = any (key_names));
begin
  execute format('insert into vouch.%1$I (store_id, %2$s) select $1, %3$s from jsonb_populate_record(null::vouch.%1$I, $2) r on conflict (store_id%4$s) do %5$s',
    p_table, (select string_agg(format('%I', n), ', ') from unnest(names) n), (select string_agg(format('r.%I', n), ', ') from unnest(names) n),
    (select coalesce(string_agg(format(', %I', k), ''), '') from unnest(key_names) k),
    case when rest is null then 'nothing' else 'update set ' || rest end) using p_store, p_values;
end
$$;
comment on function vouch.console_write is 'Writes one row. p_table is of console_tables(), the names in p_values are of console_columns(): a closed list, by console_values().';

create or replace function vouch.console_remove(p_store text, p_table text, p_ask jsonb) returns void
language plpgsql as $$
declare
  key_names text[] := vouch.console_key(p_table);
begin
  execute format('delete from vouch.%1$I t where t.store_id = $1 and %2$s', p_table,
    (select coalesce(string_agg(format('t.%1$I::text = $2 ->> %2$L', k, 'key.' || k), ' and '), 'true') from unnest(key_names) k)) using p_store, p_ask;
end
$$;

create or replace function vouch.console_plan(p_store text) returns jsonb
language plpgsql stable as $$
declare
  made jsonb;
begin
  if to_regprocedure('vouch.request_plan_days(text, timestamptz, timestamptz)') is null then
    return null;
  end if;
  execute 'select coalesce(jsonb_agg(jsonb_build_object(''day'', d.day, ''kind'', d.kind, ''outcome'', d.outcome, ''reason'', d.reason, ''number'', d.mails)
    order by d.day, d.kind, d.outcome), ''[]'') from vouch.request_plan_days($1, null, null) d' into made using p_store;
  return made;
end
$$;
comment on function vouch.console_plan is 'What would go out in the next two weeks as things stand, by day.';

create or replace function vouch.console_trial(p_store text, p_table text, p_values jsonb) returns jsonb
language plpgsql as $$
declare
  before jsonb := vouch.console_plan(p_store);
  after jsonb;
begin
  begin
    perform vouch.console_write(p_store, p_table, p_values);
    after := vouch.console_plan(p_store);
    raise exception using errcode = 'VO299';
  exception when sqlstate 'VO299' then
    null;
  end;
  return jsonb_build_object('show', 'trial', 'table', p_table, 'compared', (
    select coalesce(jsonb_agg(jsonb_build_object('day', x.day, 'kind', x.kind, 'reason', x.reason, 'sends', x.outcome = 'send', 'now', x.now, 'then', x.then,
      'changed', x.now <> x.then) order by x.day, x.kind, x.outcome), '[]')
    from (
      select u.day, u.kind, u.outcome, u.reason, sum(u.now) as now, sum(u.then) as then
      from (
        select e ->> 'day' as day, e ->> 'kind' as kind, e ->> 'outcome' as outcome, e ->> 'reason' as reason, (e ->> 'number')::bigint as now, 0 as then
        from jsonb_array_elements(coalesce(before, '[]')) e
        union all
        select e ->> 'day', e ->> 'kind', e ->> 'outcome', e ->> 'reason', 0, (e ->> 'number')::bigint from jsonb_array_elements(coalesce(after, '[]')) e) u
      group by 1, 2, 3, 4 order by 1, 2, 3, 4 limit 200) x));
end
$$;
comment on function vouch.console_trial is 'A dry run: the row is written, the plan of the next two weeks made, and the row taken back. The tables'' own rules speak up as they would.';

create or replace function vouch.console_set(p_store text, p_operator text, p_role text, p_ask jsonb) returns jsonb
language plpgsql security definer as $$
declare
  chosen text := vouch.console_table_of(p_ask);
  row_now jsonb;
  wanted jsonb;
  broken_rule text;
  broken_column text;
begin
  perform vouch.console_as(p_store, p_operator, p_role, array['manager']);
  if chosen is null then
    perform vouch.refuse('VO101', '/id', 'there is no such configuration table');
  end if;
  wanted := vouch.console_values(chosen, p_ask);
  row_now := vouch.console_row(p_store, chosen, case p_ask ->> 'action' when 'remove' then p_ask else (
    select coalesce(jsonb_object_agg('key.' || k, p_ask ->> ('set.' || k)), '{}') from unnest(vouch.console_key(chosen)) k) end);
  row_now := case when row_now ->> 'store_id' = p_store then row_now end;
  if coalesce(md5(row_now::text), '') <> coalesce(p_ask ->> 'was', '') then
    perform vouch.refuse('VO204', '/was', 'this row has been changed since it was shown to you; open it again');
  end if;
  if p_ask ->> 'action' = 'remove' and chosen <> 'store' then
    perform vouch.console_remove(p_store, chosen, p_ask);
  elsif p_ask ->> 'action' = 'plan' and chosen = 'request_policy' and wanted is not null then
    return vouch.console_trial(p_store, chosen, wanted);
  elsif p_ask ->> 'action' = 'preview' and chosen = 'mail_template' then
    return jsonb_build_object('show', 'preview', 'template', wanted);
  elsif p_ask ->> 'action' = 'save' and wanted is not null then
    perform vouch.console_write(p_store, chosen, wanted);
  else
    perform vouch.refuse('VO106', '/action', 'save or remove');
  end if;
  perform vouch.operator_action_add(p_store, p_operator, case p_ask ->> 'action' when 'remove' then 'remove' else 'set' end, chosen, row_now,
    case p_ask ->> 'action' when 'save' then wanted end);
  return jsonb_build_object('query', jsonb_build_object('done', case p_ask ->> 'action' when 'remove' then 'removed' else 'saved' end));
exception
  when check_violation or not_null_violation or foreign_key_violation or unique_violation then
    get stacked diagnostics broken_rule = constraint_name, broken_column = column_name;
    perform vouch.refuse('VO102', '/set.' || coalesce(broken_column, ''), case when broken_rule <> '' then 'a rule says no: ' || replace(broken_rule, '_', ' ')
      else format('%s is needed', broken_column) end);
  when data_exception then
    get stacked diagnostics broken_rule = message_text;
    perform vouch.refuse('VO102', '/set', broken_rule);
end
$$;
comment on function vouch.console_set is 'Saves or removes one row of a configuration table for a manager, unless it changed since it was shown, and writes down who did. The tables'' own rules decide.';
