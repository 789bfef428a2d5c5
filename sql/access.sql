-- SPDX-License-Identifier: MIT
-- Who may do what, applied last, over everything there is. Row-level security is the second wall: every statement also names
-- its store. vouch_owner itself is bound (FORCE); its functions act for the store that vouch.enter() set.

do $$
declare
  item record;
begin
  for item in
    select c.relname as name, exists (select from pg_attribute a where a.attrelid = c.oid and a.attname = 'store_id' and a.attnum > 0) as by_store
    from pg_class c where c.relnamespace = 'vouch'::regnamespace and c.relkind = 'r'
  loop
    execute format('alter table vouch.%I enable row level security', item.name);
    execute format('alter table vouch.%I force row level security', item.name);
    execute format('revoke all on vouch.%I from public, vouch_module, vouch_operator, vouch_viewer', item.name);
    execute format('drop policy if exists own_store on vouch.%I', item.name);
    execute format('drop policy if exists readers on vouch.%I', item.name);
    if item.name in ('secret', 'installation', 'migration', 'store', 'settings_version', 'operator') then
      execute format('create policy own_store on vouch.%I to vouch_owner using (true) with check (true)', item.name);
    elsif item.name in ('hold_policy', 'country_timezone', 'abuse_term', 'rejection_ground', 'moderation_model', 'topic_term', 'reply_template', 'rate_limit', 'flood_policy') then
      execute format('create policy own_store on vouch.%I to vouch_owner
        using (store_id in (nullif(current_setting(''vouch.store'', true), ''''), ''*''))
        with check (store_id in (nullif(current_setting(''vouch.store'', true), ''''), ''*''))', item.name);
    else
      execute format('create policy own_store on vouch.%I to vouch_owner
        using (store_id = nullif(current_setting(''vouch.store'', true), ''''))
        with check (store_id = nullif(current_setting(''vouch.store'', true), ''''))', item.name);
    end if;
    if item.by_store then
      execute format('create policy readers on vouch.%I for select to vouch_viewer, vouch_operator
        using (store_id = any (array(select unnest(vouch.readable_stores()))))', item.name);
    end if;
  end loop;
end
$$;

grant select on vouch.mail_policy, vouch.mail_state, vouch.mail_domain to vouch_operator, vouch_viewer;
grant usage on schema vouch to vouch_module, vouch_operator, vouch_viewer;
grant select on vouch.rating_summary, vouch.held_review, vouch.review_request_status, vouch.delivery_health, vouch.discount_report,
  vouch.parity_change, vouch.publication_parity, vouch.moderation_health, vouch.open_appeal, vouch.open_report, vouch.overturn_rate to vouch_operator, vouch_viewer;
grant select on vouch.open_case, vouch.case_figures, vouch.kpi, vouch.trend, vouch.case, vouch.case_event, vouch.case_text, vouch.case_policy,
  vouch.business_hours, vouch.holiday, vouch.reply_template, vouch.topic_term, vouch.topic_alarm, vouch.measure, vouch.review_reply
  to vouch_operator, vouch_viewer;
grant select on vouch.store, vouch.request_policy, vouch.country_timezone, vouch.discount_policy, vouch.mail_template, vouch.hold_policy, vouch.abuse_term, vouch.rejection_ground,
  vouch.review, vouch.review_revision, vouch.review_decision, vouch.decision_note, vouch.rating_total, vouch.rating_change, vouch.review_request,
  vouch.outgoing_mail, vouch.send_attempt, vouch.order_line, vouch.sales_order, vouch.record_link, vouch.record_head, vouch.record_pending, vouch.moderation_model,
  vouch.appeal, vouch.parity_total, vouch.parity_ground, vouch.training_example, vouch.staff_identity, vouch.flood_policy, vouch.rate_limit
  to vouch_operator, vouch_viewer;
grant select (store_id, kind, value, currency, minimum_spend, state, issued_at, expires_at) on vouch.discount_code to vouch_operator, vouch_viewer;
grant select (store_id, report_id, review_id, explanation, url, name, category, good_faith, reported_at, state, locale, decision_id, decided_at, decided_by,
  explanation_given, told) on vouch.review_report to vouch_operator, vouch_viewer;
grant select (only_row, clock_offset) on vouch.installation to vouch_operator, vouch_viewer, vouch_module;
create policy readers on vouch.installation for select to vouch_viewer, vouch_operator, vouch_module using (true);

-- Whoever calls in, the functions that act as vouch_owner see no object of his, not even a type (pg_temp comes last), plan once
-- a session and never by what a table looked like when it was empty. What they call inherits this.
do $$
declare
  entry regprocedure;
begin
  for entry in select p.oid from pg_proc p where p.pronamespace = 'vouch'::regnamespace and p.prosecdef loop
    execute format('alter function %s set search_path = pg_catalog, pg_temp', entry);
    execute format('alter function %s set plan_cache_mode = force_generic_plan', entry);
    execute format('alter function %s set enable_seqscan = off', entry);
    execute format('alter function %s set jit = off', entry);
  end loop;
end
$$;
-- A page is read in the order of its index and left off: a plan made for a product of few reviews would sort those of one with many.
alter function vouch.storefront_reviews(text, text, timestamptz, bigint, integer, bigint[], text, boolean) set enable_sort = off;

revoke all on all functions in schema vouch from public, vouch_module, vouch_operator, vouch_viewer;
revoke all on all sequences in schema vouch from public, vouch_module, vouch_operator, vouch_viewer;
grant execute on function vouch.clock(), vouch.only_store(), vouch.acting_store(), vouch.readable_stores(), vouch.is_module() to vouch_operator, vouch_viewer, vouch_module;
grant execute on function vouch.queue_view(text, timestamptz, bigint, integer) to vouch_operator, vouch_viewer, vouch_module;
grant execute on function vouch.pause_mail(text, text), vouch.resume_mail(text) to vouch_operator, vouch_module;
grant execute on function vouch.request_plan(text, timestamptz, timestamptz), vouch.request_plan_days(text, timestamptz, timestamptz),
  vouch.plan_view(text, integer, boolean, integer) to vouch_operator, vouch_viewer, vouch_module;
grant execute on function vouch.decide(text, bigint, text, text, text, text, bigint) to vouch_operator, vouch_module;
grant execute on function vouch.approve(bigint, text, text, bigint), vouch.reject(bigint, text, text, text, bigint) to vouch_operator, vouch_module;
grant execute on function vouch.decide_appeal(bigint, text, text, text, text), vouch.decide_report(bigint, text, text, text, text, bigint),
  vouch.redact(bigint, text, jsonb, text, bigint), vouch.undo(bigint, text, text, bigint), vouch.appeal(bigint, text, text) to vouch_operator, vouch_module;
grant execute on function vouch.erase_customer(text, text, boolean), vouch.export_customer(text, text),
  vouch.unsubscribe_customer(text, text, text) to vouch_operator, vouch_module;

grant execute on function vouch.reply(bigint, text, text, text), vouch.contact(bigint, text, text, text), vouch.propose_resolution(bigint, text, text, text),
  vouch.close_case(bigint, text, text), vouch.reopen_case(bigint, text, text), vouch.note_case(bigint, text, text), vouch.assign_case(bigint, text, text),
  vouch.start_case(bigint, text, text), vouch.mediate_case(bigint, text, text, text), vouch.mediation_statement(bigint, text, text),
  vouch.announce_measure(text, text, text, text, interval), vouch.webhook_replay(bigint, text), vouch.case_do(text, bigint, text, text, jsonb)
  to vouch_operator, vouch_module;
grant execute on function vouch.mediation_view(bigint, text), vouch.settle_mediation(bigint, text, text, text), vouch.order_check(bigint), vouch.reply_draft(bigint),
  vouch.count_tail(bigint, integer, bigint), vouch.spike_limit(), vouch.reply_lint(text) to vouch_operator, vouch_viewer, vouch_module;

-- The console's pages and deeds, all called with (store, operator, role, fields).
do $$
declare
  called regprocedure;
begin
  for called in select p.oid from pg_proc p where p.pronamespace = 'vouch'::regnamespace and p.proname like 'console\_%' and p.prosecdef
      and pg_get_function_identity_arguments(p.oid) = 'p_store text, p_operator text, p_role text, p_ask jsonb' loop
    execute format('grant execute on function %s to vouch_module', called);
  end loop;
end
$$;

do $$
declare
  called text;
begin
  foreach called in array array['ingest', 'ingest_order', 'request_enqueue', 'mail_claim', 'mail_attempt', 'mail_data', 'mail_settle', 'mail_turn', 'mail_pulse', 'mail_resume', 'mail_release', 'mail_recover',
      'hold_sweep', 'rating_fold', 'discount_sweep', 'outbox_take', 'outbox_ack', 'confirm_view', 'confirm_do', 'author_link', 'author_view', 'author_edit',
      'author_withdraw', 'unsubscribe_view', 'unsubscribe_do', 'form_view', 'form_submit', 'storefront_reviews', 'storefront_review',
      'feed_reviews', 'author_data', 'rate_left', 'rate_take', 'record_open', 'record_append',
      'record_faults', 'record_head_of', 'settings', 'settings_version', 'schema_number', 'secret_key', 'key_check', 'key_carried', 'stores', 'health',
      'check_installation', 'check_store', 'model_get', 'model_put', 'figures_csv', 'case_overdue', 'case_ask', 'author_case', 'author_say', 'author_resolve', 'resolution_view',
      'resolution_answer', 'alert_view', 'alert_take', 'webhook_claim', 'webhook_settle', 'webhook_sweep', 'topic_watch', 'author_appeal', 'report_view', 'report_submit',
      'report_status', 'report_appeal', 'examples_take', 'model_learned', 'transparency', 'classifier_claim', 'classifier_settle', 'signal_sweep'] loop
    execute (select string_agg(format('grant execute on function %s to vouch_module', p.oid::regprocedure), ';')
             from pg_proc p where p.pronamespace = 'vouch'::regnamespace and p.proname = called);
  end loop;
end
$$;
