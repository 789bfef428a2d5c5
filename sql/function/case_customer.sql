-- SPDX-License-Identifier: MIT
-- Cases from the customer's side: the thread by mail and on the author's page, the answer to a proposal, and what mails tell.

create or replace function vouch.case_review(p_case vouch.case) returns jsonb
language plpgsql stable as $$
begin
  return (
    select jsonb_build_object('review_id', v.review_id, 'product_id', v.product_id, 'product', vouch.product_reviewed(v), 'state', v.state,
      'rating', r.rating, 'title', r.title, 'body', r.body, 'name', r.author_name, 'locale', r.locale, 'verified', v.verified,
      'topics', to_jsonb(r.topics))
    from vouch.review v
    join vouch.review_revision r on r.store_id = v.store_id and r.review_id = v.review_id and r.revision = v.revision
    where v.store_id = p_case.store_id and v.review_id = p_case.review_id);
end
$$;

create or replace function vouch.case_thread(p_store text, p_case bigint, p_private boolean) returns jsonb
language plpgsql stable as $$
begin
  return (
    select coalesce(jsonb_agg(jsonb_strip_nulls(jsonb_build_object('event_id', e.event_id, 'action', e.action, 'at', e.happened_at,
      'from', case when e.actor = 'author' then 'customer' else 'store' end, 'actor', case when p_private then e.actor end,
      'automated', e.automated, 'state', case when p_private then e.to_state end,
      'detail', case when p_private or e.action in ('propose', 'contact', 'answer', 'outcome') then e.detail - array['took_s', 'message_id'] end,
      'body', t.body)) order by e.event_id), '[]')
    from vouch.case_event e
    left join vouch.case_text t on t.store_id = e.store_id and t.event_id = e.event_id
    where e.store_id = p_store and e.case_id = p_case
      and (p_private or e.action in ('contact', 'answer', 'propose', 'confirm', 'refuse', 'outcome', 'feedback')
           or e.action in ('statement', 'mediate') and e.actor = 'author'));
end
$$;
comment on function vouch.case_thread is 'The steps of a case with their texts, oldest first; without p_private only what passed between store and customer.';

create or replace function vouch.author_case(p_store text, p_token_hash bytea) returns jsonb
language plpgsql stable security definer as $$
declare
  opened bigint := vouch.link_enter(p_store, 'author', p_token_hash, false);
begin
  return (
    select jsonb_build_object('case_id', k.case_id, 'state', k.state, 'opened_at', k.opened_at, 'thread', vouch.case_thread(p_store, k.case_id, false),
      'mediator', k.mediator is not null and k.state = 'mediation',
      'proposal', case when k.state = 'resolution_proposed' then vouch.case_proposal(p_store, k.case_id) end,
      'reply', (select jsonb_build_object('body', y.body, 'at', y.replied_at) from vouch.review_reply y
                where y.store_id = p_store and y.review_id = opened order by y.reply_id desc limit 1))
    from vouch.case k where k.store_id = p_store and k.review_id = opened
    order by k.state = 'closed', k.case_id desc limit 1);
end
$$;
comment on function vouch.author_case is 'The case of the author''s review as the author sees it; NULL when there is none.';

create or replace function vouch.case_proposal(p_store text, p_case bigint) returns jsonb
language plpgsql stable as $$
begin
  return (
    select jsonb_build_object('event_id', e.event_id, 'kind', e.detail ->> 'kind', 'body', t.body, 'at', e.happened_at)
    from vouch.case_event e
    left join vouch.case_text t on t.store_id = e.store_id and t.event_id = e.event_id
    where e.store_id = p_store and e.case_id = p_case and e.action = 'propose'
    order by e.event_id desc limit 1);
end
$$;

create or replace function vouch.author_say(p_store text, p_token_hash bytea, p_words jsonb) returns jsonb
language plpgsql security definer as $$
declare
  opened bigint := vouch.link_enter(p_store, 'author', p_token_hash, true);
  review vouch.review;
  words record;
  known bigint;
begin
  if opened is null then
    return null;
  end if;
  select v.* into review from vouch.review v where v.store_id = p_store and v.review_id = opened for no key update;
  select k.case_id into known from vouch.case k where k.store_id = p_store and k.review_id = review.review_id
  order by k.state = 'closed', k.case_id desc limit 1;
  perform vouch.case_body(p_words ->> 'body');
  if (select count(*) from vouch.case_event e join vouch.case k on k.store_id = e.store_id and k.case_id = e.case_id
      where e.store_id = p_store and k.review_id = review.review_id and e.actor = 'author' and e.happened_at > vouch.clock() - interval '1 hour') >= 20 then
    perform vouch.refuse('VO201', '/body', 'that is many messages for an hour; please wait a little');
  end if;
  if known is null then
    select r.rating, r.locale into words from vouch.review_revision r
    where r.store_id = p_store and r.review_id = review.review_id and r.revision = review.revision;
    known := vouch.case_open(p_store, review.review_id, review.product_id, null, 'author', words.rating,
      vouch.case_policy_any(p_store, vouch.review_groups(review), words.locale), 'author', null);
  end if;
  perform vouch.case_move(p_store, known, case when p_words ->> 'as' = 'statement' then 'statement' else 'answer' end, 'author', false,
    case when p_words ->> 'as' = 'statement' then '{"side":"customer"}'::jsonb else '{"channel":"page"}' end, p_words ->> 'body');
  return jsonb_build_object('case_id', known);
end
$$;
comment on function vouch.author_say is 'The author writes to the store from the page /a/{token}; without a case yet this opens one. {"body","as":"statement"} is the author''s side in a mediation.';

create or replace function vouch.mail_receive(p_store text, p_body jsonb) returns jsonb
language plpgsql as $$
declare
  known bigint;
  refused text;
begin
  select t.subject_id into known from jsonb_array_elements_text(p_body -> 'thread_hashes') h
  join vouch.link_token t on t.store_id = p_store and t.token_hash = decode(h, 'hex') and t.purpose = 'thread' limit 1;
  if known is null then
    select e.case_id into known from jsonb_array_elements_text(p_body -> 'references') r
    join vouch.send_attempt a on a.store_id = p_store and a.message_id = r
    join vouch.outgoing_mail m on m.store_id = p_store and m.mail_id = a.mail_id and m.kind in ('thread', 'proposal', 'follow_up')
    join vouch.case_event e on e.store_id = p_store and e.event_id = m.subject_id
    where m.address_key = decode(p_body ->> 'address_key', 'hex') limit 1;
  end if;
  refused := case
    when known is null then 'unknown_thread'
    when (p_body ->> 'automatic')::boolean then 'automatic'
    when coalesce(btrim(p_body ->> 'text', E' \t\r\n'), '') = '' then 'empty'
    when exists (select from vouch.case_event e where e.store_id = p_store and e.action = 'answer' and e.detail ->> 'message_id' = p_body ->> 'message_id')
      then 'repeated' end;
  if refused is null and not exists (select from vouch.case k join vouch.review v on v.store_id = k.store_id and v.review_id = k.review_id
      where k.store_id = p_store and k.case_id = known and v.erased_at is null) then
    refused := 'unknown_thread';
  end if;
  if refused is not null then
    return jsonb_build_object('mail', jsonb_build_object('accepted', false, 'reason', refused));
  end if;
  perform vouch.case_move(p_store, known, 'answer', 'author', false, jsonb_strip_nulls(jsonb_build_object('channel', 'mail',
      'message_id', p_body ->> 'message_id',
      'other_sender', case when decode(p_body ->> 'address_key', 'hex') is distinct from vouch.case_address(k) then true end)),
    left(p_body ->> 'text', 6000))
  from vouch.case k where k.store_id = p_store and k.case_id = known;
  return jsonb_build_object('mail', jsonb_build_object('accepted', true, 'case_id', known));
end
$$;
comment on function vouch.mail_receive is
'mail.received: a customer''s answer, found by the token in the address it was sent to, else by the mail it answers. Automatic and repeated ones are not kept; one from another address is, and marked so.';

create or replace function vouch.resolution_view(p_store text, p_token_hash bytea) returns jsonb
language plpgsql stable security definer as $$
declare
  opened bigint := vouch.link_enter(p_store, 'resolution', p_token_hash, false);
begin
  return (
    select jsonb_build_object('case_id', k.case_id, 'state', k.state, 'asked', k.asked, 'proposal', vouch.case_proposal(p_store, k.case_id),
      'locale', vouch.case_review(k) ->> 'locale', 'product', vouch.case_review(k) ->> 'product',
      'feedback', (select (e.detail ->> 'satisfied')::boolean from vouch.case_event e where e.store_id = p_store and e.case_id = k.case_id
                   and e.action = 'feedback' and e.happened_at >= k.resolved_at order by e.event_id desc limit 1))
    from vouch.case k where k.store_id = p_store and k.case_id = opened);
end
$$;
comment on function vouch.resolution_view is 'What a customer is asked on /s/{token}: whether the proposed resolution helped, later whether all is still well.';

create or replace function vouch.resolution_answer(p_store text, p_token_hash bytea, p_words jsonb) returns jsonb
language plpgsql security definer as $$
declare
  opened bigint := vouch.link_enter(p_store, 'resolution', p_token_hash, true);
  known vouch.case;
  good boolean := p_words ->> 'answer' = 'yes';
begin
  if opened is null then
    return null;
  end if;
  select k.* into known from vouch.case k where k.store_id = p_store and k.case_id = opened for no key update;
  if known.state = 'resolution_proposed' then
    perform vouch.case_move(p_store, known.case_id, case when good then 'confirm' else 'refuse' end, 'author', false, '{"channel":"page"}', left(p_words ->> 'body', 5000));
  elsif known.state in ('confirmed', 'closed') and known.asked is not null and not exists (
      select from vouch.case_event e where e.store_id = p_store and e.case_id = known.case_id and e.action = 'feedback'
      and e.happened_at >= known.resolved_at) then
    perform vouch.case_move(p_store, known.case_id, case when good then 'feedback' else 'unhappy' end, 'author', false,
      jsonb_build_object('satisfied', good), left(p_words ->> 'body', 5000));
  end if;
  return (select jsonb_build_object('case_id', k.case_id, 'state', k.state) from vouch.case k
          where k.store_id = p_store and k.case_id = known.case_id);
end
$$;
comment on function vouch.resolution_answer is 'Confirms or refuses the resolution proposed, or answers the follow-up; pressing twice changes nothing.';

create or replace function vouch.author_resolve(p_store text, p_token_hash bytea, p_words jsonb) returns jsonb
language plpgsql security definer as $$
declare
  opened bigint := vouch.link_enter(p_store, 'author', p_token_hash, true);
  known bigint;
begin
  select k.case_id into known from vouch.case k where k.store_id = p_store and k.review_id = opened and k.state = 'resolution_proposed';
  if known is not null then
    perform vouch.case_move(p_store, known, case when p_words ->> 'answer' = 'yes' then 'confirm' else 'refuse' end, 'author', false, '{"channel":"page"}', null);
  end if;
  return jsonb_build_object('case_id', known);
end
$$;
comment on function vouch.author_resolve is 'The author answers a proposal on the page /a/{token}.';

create or replace function vouch.alert_view(p_store text, p_token_hash bytea) returns jsonb
language plpgsql stable security definer as $$
declare
  opened bigint := vouch.link_enter(p_store, 'alert', p_token_hash, false);
begin
  return (
    select vouch.alert_context(p_store, a.alert_id) - 'email' || jsonb_build_object('state', k.state, 'assigned', k.assigned_to is not null)
    from vouch.case_alert a
    join vouch.case k on k.store_id = a.store_id and k.case_id = a.case_id
    where a.store_id = p_store and a.alert_id = opened);
end
$$;
comment on function vouch.alert_view is 'The case behind the link of an alert, as far as its mail told.';

create or replace function vouch.alert_take(p_store text, p_token_hash bytea) returns jsonb
language plpgsql security definer as $$
declare
  link vouch.link_token;
  alert vouch.case_alert;
  known vouch.case;
begin
  perform vouch.enter(p_store);
  link := vouch.link_open(p_store, 'alert', p_token_hash);
  select a.* into alert from vouch.case_alert a where a.store_id = p_store and a.alert_id = link.subject_id;
  if not found then
    return null;
  end if;
  select k.* into known from vouch.case k where k.store_id = p_store and k.case_id = alert.case_id for no key update;
  if known.assigned_to is null and known.state <> 'closed' then
    perform vouch.case_move(p_store, known.case_id, 'assign', alert.email, false, jsonb_build_object('alert_id', alert.alert_id), null);
    update vouch.case k set assigned_to = alert.email where k.store_id = p_store and k.case_id = known.case_id;
  end if;
  return jsonb_build_object('case_id', known.case_id, 'assigned', true);
end
$$;
comment on function vouch.alert_take is 'Whoever was alerted takes the case; the first one does.';

create or replace function vouch.alert_context(p_store text, p_alert bigint) returns jsonb
language plpgsql stable as $$
begin
  return (
    select jsonb_strip_nulls(jsonb_build_object('alert_id', a.alert_id, 'email', a.email, 'kind', a.kind, 'locale', s.locale,
      'review', vouch.case_review(k), 'product', coalesce(vouch.case_review(k) ->> 'product', vouch.product_name(p_store, k.product_id)),
      'topic', k.topic, 'customer', vouch.case_review(k) ->> 'name',
      'case', jsonb_build_object('case_id', k.case_id, 'state', k.state, 'due_at', vouch.case_data(k) -> 'due_at', 'contacts', (
        select count(*) from vouch.case_event e join vouch.case x on x.store_id = e.store_id and x.case_id = e.case_id
        left join vouch.review y on y.store_id = x.store_id and y.review_id = x.review_id
        where e.store_id = p_store and e.action in ('contact', 'answer') and (x.case_id = k.case_id or y.address_key = v.address_key))),
      'alarm', (select jsonb_build_object('complaints', m.complaints, 'week', m.week) from vouch.topic_alarm m
                where m.store_id = p_store and m.product_id = k.product_id and m.topic = k.topic order by m.alarm_id desc limit 1),
      'order', vouch.order_facts_of(p_store, k.review_id)))
    from vouch.case_alert a
    join vouch.case k on k.store_id = a.store_id and k.case_id = a.case_id
    join vouch.store s on s.store_id = a.store_id
    left join vouch.review v on v.store_id = k.store_id and v.review_id = k.review_id
    where a.store_id = p_store and a.alert_id = p_alert);
end
$$;
comment on function vouch.alert_context is 'What an alert tells: the words, the order against its promise, earlier orders and contacts, the deadline.';

create or replace function vouch.case_mail_context(p_store text, p_kind text, p_subject bigint) returns jsonb
language plpgsql stable as $$
begin
  return case
    when p_kind in ('alert', 'escalation') then vouch.alert_context(p_store, p_subject)
    when p_kind = 'reply' then (
      select jsonb_build_object('review', jsonb_build_object('review_id', v.review_id, 'product_id', v.product_id, 'rating', r.rating,
          'title', r.title, 'body', r.body), 'product', vouch.product_reviewed(v), 'locale', r.locale, 'message', y.body)
      from vouch.review_reply y
      join vouch.review v on v.store_id = y.store_id and v.review_id = y.review_id
      join vouch.review_revision r on r.store_id = v.store_id and r.review_id = v.review_id and r.revision = v.revision
      where y.store_id = p_store and y.reply_id = p_subject)
    when p_kind = 'measure' then (
      select jsonb_build_object('review', jsonb_build_object('review_id', v.review_id, 'product_id', v.product_id), 'product', vouch.product_reviewed(v),
        'locale', r.locale, 'message', m.body, 'topic', m.topic)
      from vouch.measure_notice n
      join vouch.measure m on m.store_id = n.store_id and m.measure_id = n.measure_id
      join vouch.review v on v.store_id = n.store_id and v.review_id = n.review_id
      join vouch.review_revision r on r.store_id = v.store_id and r.review_id = v.review_id and r.revision = v.revision
      where n.store_id = p_store and n.notice_id = p_subject)
    else (
      select jsonb_strip_nulls(jsonb_build_object('case_id', k.case_id, 'review', vouch.case_review(k), 'product', vouch.case_review(k) ->> 'product',
        'locale', vouch.case_review(k) ->> 'locale', 'resolution', e.detail ->> 'kind', 'message', t.body))
      from vouch.case_event e
      join vouch.case k on k.store_id = e.store_id and k.case_id = e.case_id
      left join vouch.case_text t on t.store_id = e.store_id and t.event_id = e.event_id
      where e.store_id = p_store and e.event_id = p_subject) end;
end
$$;
comment on function vouch.case_mail_context is 'What a mail of a case is about; kind decides what p_subject is: an alert, a public reply, a notice of a measure, else a line of the audit.';

create or replace function vouch.case_mail_obstacle(p_store text, p_mail vouch.outgoing_mail) returns text
language plpgsql stable as $$
begin
  return case p_mail.kind
    when 'thread' then case when not exists (select from vouch.case_text t where t.store_id = p_store and t.event_id = p_mail.subject_id) then 'erased' end
    when 'proposal' then (
      select case when t.event_id is null then 'erased'
                  when k.state <> 'resolution_proposed' or (vouch.case_proposal(p_store, k.case_id) ->> 'event_id')::bigint <> p_mail.subject_id then 'settled' end
      from vouch.case_event e
      join vouch.case k on k.store_id = e.store_id and k.case_id = e.case_id
      left join vouch.case_text t on t.store_id = e.store_id and t.event_id = e.event_id
      where e.store_id = p_store and e.event_id = p_mail.subject_id)
    when 'measure' then case when exists (select from vouch.suppression x where x.store_id = p_store and x.address_key = p_mail.address_key) then 'suppressed' end
    when 'follow_up' then (
      select case when k.state not in ('confirmed', 'closed') then 'settled' end
      from vouch.case_event e join vouch.case k on k.store_id = e.store_id and k.case_id = e.case_id
      where e.store_id = p_store and e.event_id = p_mail.subject_id)
    when 'update_question' then (
      select case when v.state = 'withdrawn' then 'settled' end
      from vouch.case_event e join vouch.case k on k.store_id = e.store_id and k.case_id = e.case_id
      join vouch.review v on v.store_id = k.store_id and v.review_id = k.review_id
      where e.store_id = p_store and e.event_id = p_mail.subject_id) end;
end
$$;
comment on function vouch.case_mail_obstacle is 'Why a mail of a case must not go out now.';
