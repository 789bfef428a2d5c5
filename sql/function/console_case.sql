-- SPDX-License-Identifier: MIT
-- The operator console: cases, figures, webhooks. A mediator sees the cases named to them and nothing else.

create or replace function vouch.console_case_line(p_case vouch.case) returns jsonb
language plpgsql stable as $$
begin
  return jsonb_build_object('case_id', p_case.case_id, 'state', p_case.state, 'rating', p_case.rating, 'topic', p_case.topic,
    'product', coalesce(vouch.case_review(p_case) ->> 'product', vouch.product_name(p_case.store_id, p_case.product_id)),
    'snippet', left(vouch.case_review(p_case) ->> 'body', 160), 'lang', substring(vouch.case_review(p_case) ->> 'locale' from '^[A-Za-z]{2,3}'),
    'author_name', vouch.case_review(p_case) ->> 'name', 'assigned_to', p_case.assigned_to, 'opened_at', p_case.opened_at,
    'deadline_s', case when p_case.state not in ('closed', 'confirmed')
      then extract(epoch from (vouch.case_data(p_case) ->> 'due_at')::timestamptz - vouch.clock())::bigint end);
end
$$;

create or replace function vouch.console_cases(p_store text, p_operator text, p_role text, p_ask jsonb) returns jsonb
language plpgsql stable security definer as $$
declare
  wanted text := nullif(p_ask ->> 'state', '');
  own boolean := coalesce(p_ask ->> 'mine', '') <> '';
  before bigint := coalesce(vouch.console_number(p_ask, 'after'), 9223372036854775807);
  rows jsonb;
begin
  perform vouch.console_as(p_store, p_operator, p_role, array['viewer', 'moderator', 'manager', 'mediator']);
  select coalesce(jsonb_agg(vouch.console_case_line(k) order by k.case_id desc), '[]') into rows
  from (select * from vouch.case k
        where k.store_id = p_store and k.case_id < before and (wanted is null and k.state <> 'closed' or k.state = wanted)
          and (not own or k.assigned_to = p_operator) and (p_role <> 'mediator' or k.mediator = p_operator)
        order by k.case_id desc limit 50) k;
  return jsonb_build_object('rows', rows, 'some', jsonb_array_length(rows) > 0, 'mine', own,
    'next', case when jsonb_array_length(rows) = 50 then rows -> 49 ->> 'case_id' end,
    'state_choices', (select jsonb_agg(jsonb_build_object('state', s, 'chosen', s = wanted))
                      from unnest(array['open', 'contacted', 'replied', 'resolution_proposed', 'confirmed', 'not_confirmed', 'mediation', 'reopened', 'closed']) s));
end
$$;
comment on function vouch.console_cases is 'Cases, newest first, 50 a page; without a state those that are not closed. A mediator''s own only.';

create or replace function vouch.console_case(p_store text, p_operator text, p_role text, p_ask jsonb) returns jsonb
language plpgsql stable security definer as $$
declare
  known vouch.case;
begin
  perform vouch.console_as(p_store, p_operator, p_role, array['viewer', 'moderator', 'manager', 'mediator']);
  select k.* into known from vouch.case k where k.store_id = p_store and k.case_id = vouch.console_id(p_ask)
    and (p_role <> 'mediator' or k.mediator = p_operator);
  if not found then
    return null;
  end if;
  return vouch.console_case_line(known) || jsonb_build_object('review', vouch.case_review(known), 'origin', known.origin,
    'resolve_by_at', known.resolve_by, 'mediator', known.mediator, 'contacted', known.contacted,
    'thread', (select coalesce(jsonb_agg(jsonb_build_object('step', s ->> 'action', 'happened_at', s -> 'at', 'actor', s ->> 'actor', 'automated', s -> 'automated',
        'body', s ->> 'body', 'resolution_kind', s #>> '{detail,kind}', 'channel', s #>> '{detail,channel}', 'result', s #>> '{detail,outcome}',
        'theirs', s ->> 'from' = 'customer')), '[]')
      from jsonb_array_elements(vouch.case_thread(p_store, known.case_id, true)) s
      where p_role <> 'mediator' or s ->> 'action' in ('mediate', 'statement', 'outcome')),
    'check', case when known.review_id is not null then vouch.order_check_of(p_store, known.review_id) end,
    'replies', (select coalesce(jsonb_agg(jsonb_build_object('body', y.body, 'operator', y.operator, 'replied_at', y.replied_at) order by y.reply_id desc), '[]')
                from vouch.review_reply y where y.store_id = p_store and y.review_id = known.review_id),
    'drafts', case when known.review_id is not null and p_role <> 'mediator' then vouch.reply_drafts(p_store, known.review_id) else '[]' end,
    'may_mail', vouch.case_address(known) is not null,
    'can', (select coalesce(jsonb_object_agg(a, true), '{}') from unnest(array['contact', 'propose', 'close', 'reopen', 'mediate', 'statement']) a
            where vouch.case_transition(known.state, a) is not null),
    'is_mediator', p_role = 'mediator' and known.state = 'mediation',
    'mediators', (select coalesce(jsonb_agg(o.name order by o.name), '[]') from vouch.operator o where o.store_id = p_store and o.role = 'mediator'));
end
$$;
comment on function vouch.console_case is 'One case: the words, the order record, the thread, drafts. NULL: there is none, or it is not this mediator''s.';

create or replace function vouch.console_case_do(p_store text, p_operator text, p_role text, p_ask jsonb) returns jsonb
language plpgsql security definer as $$
declare
  told jsonb;
begin
  perform vouch.console_as(p_store, p_operator, p_role, array['moderator', 'manager', 'mediator']);
  if p_role = 'mediator' then
    told := vouch.settle_mediation(vouch.console_id(p_ask), p_operator, p_ask ->> 'outcome', p_ask ->> 'body');
  else
    told := vouch.case_do(p_store, vouch.console_id(p_ask), p_operator, p_ask ->> 'action',
      case when p_ask ->> 'action' = 'assign' then p_ask || jsonb_build_object('to', coalesce(nullif(p_ask ->> 'to', ''), p_operator)) else p_ask end);
  end if;
  if told is null then
    perform vouch.refuse('VO106', '/action', 'that is nothing to be done with a case');
  end if;
  return jsonb_build_object('query', jsonb_build_object('done', 'case'));
end
$$;
comment on function vouch.console_case_do is 'A step of a case, as vouch.case_do(); by a mediator the outcome.';

create or replace function vouch.console_figures(p_store text, p_operator text, p_role text, p_ask jsonb) returns jsonb
language plpgsql stable security definer as $$
declare
  wanted text := coalesce(nullif(p_ask ->> 'dimension', ''), 'product');
begin
  perform vouch.console_as(p_store, p_operator, p_role, array['viewer', 'moderator', 'manager']);
  return jsonb_build_object('dimension', wanted,
    'dimension_choices', (select jsonb_agg(jsonb_build_object('dimension', d, 'chosen', d = wanted)) from unnest(array['product', 'topic', 'country', 'operator', 'month']) d),
    'rows', (select coalesce(jsonb_agg(jsonb_build_object('value', k.value, 'whole', k.dimension = 'all', 'cases', k.cases,
        'first_response', coalesce(left(k.first_response_median::text, 8), '–'), 'first_response_p90', coalesce(left(k.first_response_p90::text, 8), '–'),
        'within_target', coalesce(round(k.within_target * 100) || ' %', '–'), 'resolution_rate', coalesce(round(k.resolution_rate * 100) || ' %', '–'),
        'reopen_rate', coalesce(round(k.reopen_rate * 100) || ' %', '–'), 'satisfaction', coalesce(round(k.satisfaction * 100) || ' %', '–'),
        'ratings_raised', k.ratings_raised || ' / ' || k.ratings_updated,
        'hold', coalesce(left(k.hold_median::text, 8), '–'), 'overturn_rate', coalesce(round(k.overturn_rate * 100) || ' %', '–'))
        order by k.dimension <> 'all', k.cases desc, k.value), '[]')
      from (select * from vouch.kpi k where k.store_id = p_store and k.dimension in ('all', wanted) order by k.cases desc limit 100) k),
    'spikes', (select coalesce(jsonb_agg(jsonb_build_object('product', vouch.product_name(p_store, t.product_id), 'topic', t.topic, 'week', t.week,
        'complaints', t.complaints, 'expected', t.expected, 'spike', t.spike) order by t.week desc, t.probability), '[]')
      from (select * from vouch.trend t where t.store_id = p_store and t.week >= (vouch.clock() - interval '12 weeks')::date and t.complaints > 0
            order by t.spike desc, t.week desc, t.probability limit 50) t));
end
$$;
comment on function vouch.console_figures is 'kpi for all cases and by one dimension, and what complaints of twelve weeks are about.';

create or replace function vouch.figures_csv(p_store text, p_operator text, p_role text) returns jsonb
language plpgsql stable security definer as $$
begin
  perform vouch.console_as(p_store, p_operator, p_role, array['viewer', 'moderator', 'manager']);
  return to_jsonb(E'dimension,value,cases,answered,first_response_median_s,first_response_p90_s,within_target,resolution_median_s,resolution_p90_s,resolution_rate,reopen_rate,satisfaction,ratings_updated,ratings_raised,rating_change,hold_median_s,hold_p90_s,overturn_rate\r\n'
    || coalesce((select string_agg(concat_ws(',', k.dimension,
        '"' || case when k.value ~ '^[=+@-]' then '''' else '' end || replace(k.value, '"', '""') || '"', k.cases, k.answered,
        coalesce(extract(epoch from k.first_response_median)::text, ''), coalesce(extract(epoch from k.first_response_p90)::text, ''),
        coalesce(k.within_target::text, ''), coalesce(extract(epoch from k.resolution_median)::text, ''), coalesce(extract(epoch from k.resolution_p90)::text, ''),
        coalesce(k.resolution_rate::text, ''), coalesce(k.reopen_rate::text, ''), coalesce(k.satisfaction::text, ''), k.ratings_updated, k.ratings_raised,
        coalesce(k.rating_change::text, ''), coalesce(extract(epoch from k.hold_median)::text, ''), coalesce(extract(epoch from k.hold_p90)::text, ''),
        coalesce(k.overturn_rate::text, '')) || E'\r\n', '' order by k.dimension <> 'all', k.dimension, k.value)
      from vouch.kpi k where k.store_id = p_store), ''));
end
$$;
comment on function vouch.figures_csv is 'kpi as CSV (RFC 4180), shares from 0 to 1, times in seconds; what a spreadsheet would take for a formula is quoted.';

create or replace function vouch.console_webhooks(p_store text, p_operator text, p_role text, p_ask jsonb) returns jsonb
language plpgsql stable security definer as $$
begin
  perform vouch.console_as(p_store, p_operator, p_role, array['viewer', 'moderator', 'manager']);
  return jsonb_build_object(
    'hooks', (select coalesce(jsonb_agg(jsonb_build_object('name', w.name, 'url_text', w.url, 'format', w.format, 'active', w.active,
        'types', array_to_string(w.types, ', ')) order by w.name), '[]') from vouch.webhook w where w.store_id = p_store),
    'rows', (select coalesce(jsonb_agg(jsonb_build_object('delivery_id', d.delivery_id, 'webhook', d.webhook, 'type', d.type, 'delivery', d.state,
        'over', d.finished_at is not null, 'attempts', d.attempts, 'status', d.status, 'answer', d.answer, 'created_at', d.created_at) order by d.delivery_id desc), '[]')
      from (select * from vouch.webhook_delivery d where d.store_id = p_store order by d.delivery_id desc limit 100) d));
end
$$;
comment on function vouch.console_webhooks is 'The webhooks, without their secrets, and the newest deliveries.';

create or replace function vouch.console_replay(p_store text, p_operator text, p_role text, p_ask jsonb) returns jsonb
language plpgsql security definer as $$
begin
  perform vouch.console_as(p_store, p_operator, p_role, array['manager']);
  perform vouch.webhook_replay(vouch.console_number(p_ask, 'delivery'), p_operator);
  return jsonb_build_object('query', jsonb_build_object('done', 'replayed'));
end
$$;
comment on function vouch.console_replay is 'Sends a finished delivery again.';
