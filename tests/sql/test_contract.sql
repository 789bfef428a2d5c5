-- SPDX-License-Identifier: MIT
-- The names that stores, operators and tests rely on: tables with the columns outsiders set, views, functions with their arguments, states, roles.
\ir helper.psql
create temp table promised (kind text, name text, parts text);
insert into promised values
  ('columns', 'store', 'store_id name base_url smtp_url mail_from locale timezone currency'),
  ('columns', 'request_policy', 'store_id country delay reminder_after quiet_from quiet_until cap_count cap_period link_valid_for partial_wait'),
  ('columns', 'discount_policy', 'store_id kind value valid_for grant_on'),
  ('columns', 'hold_policy', 'store_id reason action deadline on_deadline'),
  ('columns', 'case_policy', 'store_id stars alert_to'),
  ('columns', 'operator', 'store_id name role'),
  ('columns', 'mail_template', 'store_id'), ('columns', 'abuse_term', 'store_id'), ('columns', 'rejection_ground', 'store_id'),
  ('columns', 'reply_template', 'store_id'), ('columns', 'topic_term', 'store_id'), ('columns', 'webhook', 'store_id'), ('columns', 'staff_identity', 'store_id'),
  ('columns', 'event', 'store_id source id type state'), ('columns', 'customer', 'store_id'), ('columns', 'order_line', 'store_id order_id line_id product_id delivered_at'),
  ('columns', 'review_request', 'store_id order_id state'), ('columns', 'outgoing_mail', 'store_id kind state'), ('columns', 'send_attempt', 'store_id class'),
  ('columns', 'discount_code', 'store_id'), ('columns', 'review', 'store_id review_id product_id state verified'),
  ('columns', 'review_revision', 'store_id review_id revision'), ('columns', 'review_decision', 'store_id review_id'), ('columns', 'case', 'store_id case_id state'),
  ('columns', 'rating_summary', 'store_id product_id review_count average histogram'),
  ('columns', 'held_review', 'store_id review_id product_id order_id verified rating title body author_name reasons held_at deadline_at'),
  ('columns', 'open_case', 'store_id case_id'), ('columns', 'review_request_status', 'store_id'), ('columns', 'kpi', 'store_id'), ('columns', 'trend', 'store_id'),
  ('columns', 'publication_parity', 'store_id'), ('columns', 'delivery_health', 'store_id'),
  ('arguments', 'approve', 'review_id operator note'), ('arguments', 'reject', 'review_id operator ground explanation'),
  ('arguments', 'reply', 'review_id operator body'), ('arguments', 'decide_appeal', 'appeal_id operator outcome explanation'),
  ('arguments', 'contact', 'case_id operator channel body'), ('arguments', 'propose_resolution', 'case_id operator kind body'),
  ('arguments', 'close_case', 'case_id operator note'), ('arguments', 'erase_customer', ''), ('arguments', 'export_customer', ''),
  ('arguments', 'clock', ''),
  ('states', 'review', 'held published rejected withdrawn'),
  ('states', 'review_request', 'scheduled sending sent ambiguous paused skipped cancelled expired failed'),
  ('role', 'vouch_owner', ''), ('role', 'vouch_module', ''), ('role', 'vouch_operator', ''), ('role', 'vouch_viewer', '');
select plan((select count(*)::int from promised) + 4);

create function pg_temp.missing(p_kind text, p_name text, p_parts text) returns text language sql as $$
  select case p_kind
    when 'columns' then (select coalesce(string_agg(w, ' '), '') from unnest(string_to_array(p_parts, ' ')) w
      where not exists (select from pg_attribute a where a.attrelid = to_regclass('vouch.' || quote_ident(p_name)) and a.attname = w and a.attnum > 0))
    when 'arguments' then case when exists (select from pg_proc p where p.pronamespace = 'vouch'::regnamespace and p.proname = p_name
      and (p_parts = '' or p.proargnames[1:cardinality(string_to_array(p_parts, ' '))]
        in (string_to_array(p_parts, ' '), array(select 'p_' || w from unnest(string_to_array(p_parts, ' ')) w)))) then '' else 'no such function' end
    when 'states' then (select coalesce(string_agg(w, ' '), '') from unnest(string_to_array(p_parts, ' ')) w
      where not exists (select from pg_constraint c where c.conrelid = to_regclass('vouch.' || p_name) and c.contype = 'c'
        and pg_get_constraintdef(c.oid) like '%''' || w || '''%'))
    else (select coalesce(max(''), 'no such role') from pg_roles r where r.rolname = p_name) end
$$;
select is(pg_temp.missing(kind, name, parts), '', kind || ' of ' || name) from promised;

select is((select string_agg(c.relname, ' ') from pg_class c where c.relnamespace = 'vouch'::regnamespace and c.relkind = 'r' and c.relname <> 'installation'
  and not (c.relrowsecurity and c.relforcerowsecurity)), null, 'every table is under forced row-level security');
select is((select string_agg(c.relname, ' ') from pg_class c where c.relnamespace = 'vouch'::regnamespace and c.relkind = 'v'
  and not coalesce('security_invoker=true' = any (c.reloptions) or 'security_invoker=on' = any (c.reloptions), false)), null, 'every view is one of its reader');
select is((select string_agg(distinct k.conrelid::regclass::text, ' ') from pg_constraint k join pg_class c on c.oid = k.conrelid
  where c.relnamespace = 'vouch'::regnamespace and k.contype in ('p', 'u') and exists (select from pg_attribute a where a.attrelid = c.oid and a.attname = 'store_id')
  and (select a.attname from pg_attribute a where a.attrelid = c.oid and a.attnum = k.conkey[1]) <> 'store_id'), null, 'store_id comes first in every key');
select is((select string_agg(c.relname, ' ' order by c.relname) from pg_class c where c.relnamespace = 'vouch'::regnamespace and c.relkind in ('r', 'v')
  and obj_description(c.oid, 'pg_class') is null), null, 'every table and view says what it is');
select * from finish();
rollback;
