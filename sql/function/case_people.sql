-- SPDX-License-Identifier: MIT
-- Cases: the named functions for people at psql, the console and vouchctl.

create or replace function vouch.reply(review_id bigint, operator text, body text, reason text default null) returns jsonb
language plpgsql security definer as $$
declare
  actor record;
  made bigint;
begin
  actor := vouch.act(reply.operator, array['moderator', 'manager']);
  perform vouch.gate(actor.store, false);
  made := vouch.case_reply(actor.store, reply.review_id, actor.name, reply.body, reply.reason, false);
  return jsonb_build_object('reply', jsonb_build_object('reply_id', made, 'review_id', reply.review_id, 'replied_at', vouch.clock()),
    'warnings', vouch.reply_lint(reply.body));
end
$$;
comment on function vouch.reply is 'A public reply to a review; its author is told. Before the first private contact in its case it needs a reason. Answers {"reply":{…},"warnings":[…]}.';

create or replace function vouch.case_answer(p_store text, p_case bigint, p_event bigint) returns jsonb
language plpgsql as $$
begin
  return (select jsonb_build_object('case', vouch.case_data(k), 'event_id', p_event)
          from vouch.case k where k.store_id = p_store and k.case_id = p_case);
end
$$;

create or replace function vouch.contact(case_id bigint, operator text, channel text, body text) returns jsonb
language plpgsql security definer as $$
declare
  actor record;
begin
  actor := vouch.act(contact.operator, array['moderator', 'manager']);
  perform vouch.gate(actor.store, false);
  return vouch.case_answer(actor.store, contact.case_id,
      vouch.case_contact(actor.store, contact.case_id, actor.name, contact.channel, contact.body))
    || jsonb_build_object('warnings', vouch.reply_lint(contact.body));
end
$$;
comment on function vouch.contact is 'A private word to the customer: channel mail or page is delivered, phone, chat and social are logged. Answers {"case":{…},"event_id","warnings"}.';

create or replace function vouch.propose_resolution(case_id bigint, operator text, kind text, body text) returns jsonb
language plpgsql security definer as $$
declare
  actor record;
begin
  actor := vouch.act(propose_resolution.operator, array['moderator', 'manager']);
  perform vouch.gate(actor.store, false);
  return vouch.case_answer(actor.store, propose_resolution.case_id,
    vouch.case_propose(actor.store, propose_resolution.case_id, actor.name, propose_resolution.kind, propose_resolution.body));
end
$$;
comment on function vouch.propose_resolution is 'Proposes refund, replacement, support or other; the store carries it out on resolution.proposed, the customer confirms or not.';

create or replace function vouch.close_case(case_id bigint, operator text, note text default null) returns jsonb
language plpgsql security definer as $$
declare
  actor record;
begin
  actor := vouch.act(close_case.operator, array['moderator', 'manager']);
  return vouch.case_answer(actor.store, close_case.case_id,
    vouch.case_move(actor.store, close_case.case_id, 'close', actor.name, false, null, close_case.note));
end
$$;
comment on function vouch.close_case is 'Ends a case; the note is internal. A customer''s answer opens it again.';

create or replace function vouch.reopen_case(case_id bigint, operator text, note text default null) returns jsonb
language plpgsql security definer as $$
declare
  actor record;
begin
  actor := vouch.act(reopen_case.operator, array['moderator', 'manager']);
  return vouch.case_answer(actor.store, reopen_case.case_id,
    vouch.case_move(actor.store, reopen_case.case_id, 'reopen', actor.name, false, null, reopen_case.note));
end
$$;
comment on function vouch.reopen_case is 'Takes up again what was confirmed or closed; its clocks start anew.';

create or replace function vouch.note_case(case_id bigint, operator text, note text) returns jsonb
language plpgsql security definer as $$
declare
  actor record;
begin
  actor := vouch.act(note_case.operator, array['moderator', 'manager']);
  return vouch.case_answer(actor.store, note_case.case_id,
    vouch.case_move(actor.store, note_case.case_id, 'note', actor.name, false, null, vouch.case_body(note_case.note)));
end
$$;
comment on function vouch.note_case is 'An internal note; the customer never sees it, but in an export of what is stored about them (GDPR Art. 15).';

create or replace function vouch.assign_case(case_id bigint, operator text, assignee text) returns jsonb
language plpgsql security definer as $$
declare
  actor record;
  made bigint;
begin
  actor := vouch.act(assign_case.operator, array['moderator', 'manager']);
  made := vouch.case_move(actor.store, assign_case.case_id, 'assign', actor.name, false,
    jsonb_build_object('to', nullif(btrim(assign_case.assignee), '')), null);
  update vouch.case k set assigned_to = nullif(btrim(assign_case.assignee), '')
  where k.store_id = actor.store and k.case_id = assign_case.case_id;
  return vouch.case_answer(actor.store, assign_case.case_id, made);
end
$$;
comment on function vouch.assign_case is 'Who takes care of a case; NULL: nobody in particular.';

create or replace function vouch.start_case(review_id bigint, operator text, note text default null) returns jsonb
language plpgsql security definer as $$
declare
  actor record;
  review vouch.review;
  words record;
  policy vouch.case_policy;
  made bigint;
begin
  actor := vouch.act(start_case.operator, array['moderator', 'manager']);
  select v.* into review from vouch.review v where v.store_id = actor.store and v.review_id = start_case.review_id for no key update;
  if not found then
    perform vouch.refuse('VO101', '/review_id', format('there is no review %s in store %s', start_case.review_id, actor.store));
  end if;
  made := vouch.case_alive(actor.store, review.review_id);
  if made is not null then
    perform vouch.refuse('VO201', '/review_id', format('review %s has case %s already', review.review_id, made));
  end if;
  select r.rating, r.locale into words from vouch.review_revision r
  where r.store_id = actor.store and r.review_id = review.review_id and r.revision = review.revision;
  policy := vouch.case_policy_any(actor.store, vouch.review_groups(review), words.locale);
  made := vouch.case_open(actor.store, review.review_id, review.product_id, null, 'operator', words.rating, policy, actor.name, start_case.note);
  return vouch.case_answer(actor.store, made, null);
end
$$;
comment on function vouch.start_case is 'Opens a case by hand, whatever the stars.';

create or replace function vouch.case_policy_any(p_store text, p_groups text[], p_locale text) returns vouch.case_policy
language plpgsql stable as $$
declare
  policy vouch.case_policy := vouch.case_policy_of(p_store, p_groups, p_locale, null);
begin
  if policy.store_id is null then
    policy := vouch.case_policy_standard(p_store, true);
  end if;
  return policy;
end
$$;
comment on function vouch.case_policy_any is 'The row that fits best whatever the stars; the defaults where none fits.';

create or replace function vouch.mediate_case(case_id bigint, operator text, mediator text, statement text default null) returns jsonb
language plpgsql security definer as $$
declare
  actor record;
begin
  actor := vouch.act(mediate_case.operator, array['moderator', 'manager']);
  return vouch.case_answer(actor.store, mediate_case.case_id,
    vouch.case_mediate(actor.store, mediate_case.case_id, actor.name, mediate_case.mediator, mediate_case.statement));
end
$$;
comment on function vouch.mediate_case is 'Asks a mediator (an operator of that role without a part in the case) to decide; the store''s statement comes with it or by mediation_statement().';

create or replace function vouch.mediation_statement(case_id bigint, operator text, body text) returns jsonb
language plpgsql security definer as $$
declare
  actor record;
begin
  actor := vouch.act(mediation_statement.operator, array['moderator', 'manager']);
  return vouch.case_answer(actor.store, mediation_statement.case_id,
    vouch.case_move(actor.store, mediation_statement.case_id, 'statement', actor.name, false, '{"side":"store"}',
      vouch.case_body(mediation_statement.body)));
end
$$;
comment on function vouch.mediation_statement is 'The store''s side; the author gives theirs on their own page.';

create or replace function vouch.mediator_of(p_operator text, p_case bigint, out store text, out name text)
language plpgsql as $$
begin
  select a.store, a.name into store, name from vouch.act(p_operator, array['mediator']) a;
  if not exists (select from vouch.case k where k.store_id = store and k.case_id = p_case and k.mediator = name and k.state = 'mediation') then
    perform vouch.refuse('VO203', '/case_id', format('%s is not the mediator of a case %s in mediation', name, p_case));
  end if;
end
$$;

create or replace function vouch.mediation_view(case_id bigint, operator text default null) returns jsonb
language plpgsql security definer as $$
declare
  actor record;
begin
  select a.* into actor from vouch.mediator_of(mediation_view.operator, mediation_view.case_id) a;
  return (
    select jsonb_build_object('case', vouch.case_data(k), 'review', vouch.case_review(k), 'order', vouch.order_facts_of(k.store_id, k.review_id),
      'statements', (select coalesce(jsonb_agg(jsonb_build_object('side', case when e.actor = 'author' then 'customer' else 'store' end,
          'at', e.happened_at, 'body', t.body) order by e.event_id), '[]')
        from vouch.case_event e
        join vouch.case_text t on t.store_id = e.store_id and t.event_id = e.event_id
        where e.store_id = k.store_id and e.case_id = k.case_id and e.action in ('mediate', 'statement')))
    from vouch.case k where k.store_id = actor.store and k.case_id = mediation_view.case_id);
end
$$;
comment on function vouch.mediation_view is 'All a mediator sees: the review, the order''s facts and both statements of the one case named to them; nothing else of the store.';

create or replace function vouch.settle_mediation(case_id bigint, operator text, outcome text, explanation text) returns jsonb
language plpgsql security definer as $$
declare
  actor record;
begin
  select a.* into actor from vouch.mediator_of(settle_mediation.operator, settle_mediation.case_id) a;
  perform vouch.gate(actor.store, false);
  if coalesce(settle_mediation.outcome, '') not in ('settled', 'for_customer', 'for_store') then
    perform vouch.refuse('VO103', '/outcome', format('%L is not an outcome; it is settled, for_customer or for_store', settle_mediation.outcome));
  end if;
  return vouch.case_answer(actor.store, settle_mediation.case_id,
    vouch.case_move(actor.store, settle_mediation.case_id, 'outcome_' || settle_mediation.outcome, actor.name, false,
      jsonb_build_object('outcome', settle_mediation.outcome), vouch.case_body(settle_mediation.explanation)));
end
$$;
comment on function vouch.settle_mediation is 'The mediator''s outcome: settled (both agree), for_customer (the store still owes a remedy), for_store. None of them touches the review: removal has its own closed list of grounds.';

create or replace function vouch.order_facts_of(p_store text, p_review bigint) returns jsonb
language plpgsql stable as $$
begin
  return (
    select jsonb_strip_nulls(jsonb_build_object('order_id', o.order_id, 'placed_at', o.placed_at, 'country', o.country, 'total', o.total,
      'currency', o.currency, 'delivered_at', coalesce(l.delivered_at, o.delivered_at), 'promised_at', l.promised_at,
      'delay_days', case when l.delivered_at > l.promised_at then ceil(extract(epoch from l.delivered_at - l.promised_at) / 86400)::integer
                         when l.delivered_at is not null and l.promised_at is not null then 0 end,
      'refunded_at', coalesce(l.refunded_at, o.refunded_at), 'cancelled_at', coalesce(l.cancelled_at, o.cancelled_at),
      'partly_refunded_at', o.partly_refunded_at,
      'items', (select jsonb_agg(coalesce(i.name, i.product_id) order by i.line_id) from vouch.order_line i
                where i.store_id = p_store and i.order_id = o.order_id and i.product_id is not null),
      'earlier_orders', (select count(*) from vouch.sales_order e where e.store_id = p_store and e.address_key = o.address_key
                         and e.order_id <> o.order_id and e.placed_at < o.placed_at)))
    from vouch.review v
    join vouch.sales_order o on o.store_id = v.store_id and o.order_id = case when v.order_id is null then v.wanted_order_id else v.order_id end
    left join vouch.order_line l on l.store_id = v.store_id and l.order_id = v.order_id and l.line_id = v.line_id
    where v.store_id = p_store and v.review_id = p_review);
end
$$;
comment on function vouch.order_facts_of is 'What the record knows of the order behind a review; NULL without one. delay_days counts begun days past the promise.';

create or replace function vouch.order_check(review_id bigint) returns jsonb
language plpgsql security definer as $$
declare
  actor record;
begin
  actor := vouch.act(null, array['viewer', 'moderator', 'manager']);
  return vouch.order_check_of(actor.store, order_check.review_id);
end
$$;
comment on function vouch.order_check is 'A review against the order record: {"facts":{…},"gaps":[codes]}. A gap is a reason to ask, never a ground by itself.';

create or replace function vouch.order_check_of(p_store text, p_review bigint) returns jsonb
language plpgsql stable as $$
declare
  review vouch.review;
  facts jsonb := vouch.order_facts_of(p_store, p_review);
begin
  select v.* into review from vouch.review v where v.store_id = p_store and v.review_id = p_review;
  if not found then
    perform vouch.refuse('VO101', '/review_id', format('there is no review %s in store %s', p_review, p_store));
  end if;
  return jsonb_build_object('facts', coalesce(facts, '{}') || jsonb_strip_nulls(jsonb_build_object('verified', review.verified,
      'verified_reason', review.verified_reason, 'claim', review.claim, 'product_id', review.product_id, 'written_at', review.written_at,
      'invited', review.invited, 'other_reviews', (select count(*) from vouch.review x where x.store_id = p_store
        and x.review_id <> p_review and (x.customer_id = review.customer_id or x.address_key = review.address_key)),
      'contacts', (select count(*) from vouch.case_event e join vouch.case k on k.store_id = e.store_id and k.case_id = e.case_id
                   where e.store_id = p_store and k.review_id = p_review and e.action in ('contact', 'answer')))),
    'gaps', to_jsonb(array_remove(array[
      case when facts is null then 'no_order' end,
      case when facts is not null and review.line_id is null then 'product_not_in_order' end,
      case when facts is not null and not facts ? 'delivered_at' then 'no_delivery_recorded' end,
      case when (facts ->> 'delivered_at')::timestamptz > review.written_at then 'written_before_delivery' end,
      case when facts ? 'delivered_at' and not facts ? 'promised_at' then 'no_promise_recorded' end,
      case when facts ? 'cancelled_at' then 'cancelled' end,
      case when facts ? 'refunded_at' then 'refunded' end,
      case when review.claim in ('unconfirmed', 'anonymous') then 'author_not_confirmed' end], null)));
end
$$;

create or replace function vouch.case_do(p_store text, p_case bigint, p_operator text, p_action text, p_body jsonb) returns jsonb
language plpgsql security definer as $$
declare
  body text := p_body ->> 'body';
begin
  perform vouch.enter_as(p_store);
  return case p_action
    when 'contact' then vouch.contact(p_case, p_operator, p_body ->> 'channel', body)
    when 'propose' then vouch.propose_resolution(p_case, p_operator, p_body ->> 'kind', body)
    when 'reply' then vouch.reply((vouch.case_get(p_store, p_case)).review_id, p_operator, body, p_body ->> 'reason')
    when 'close' then vouch.close_case(p_case, p_operator, body)
    when 'reopen' then vouch.reopen_case(p_case, p_operator, body)
    when 'note' then vouch.note_case(p_case, p_operator, body)
    when 'assign' then vouch.assign_case(p_case, p_operator, p_body ->> 'to')
    when 'mediate' then vouch.mediate_case(p_case, p_operator, p_body ->> 'mediator', body)
    when 'statement' then vouch.mediation_statement(p_case, p_operator, body) end;
end
$$;
comment on function vouch.case_do is 'The named functions of a case with the store as an argument: the console. NULL for an unknown action.';
