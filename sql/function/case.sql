-- SPDX-License-Identifier: MIT
-- Cases of unhappy customers. vouch.case_move() is the one function through which a case changes its state.

create or replace function vouch.case_transition(p_from text, p_action text) returns text
language plpgsql immutable as $$
begin
  return case
    when p_action in ('note', 'assign', 'update', 'overdue', 'escalate') then p_from
    when p_action = 'contact' then case
      when p_from in ('open', 'reopened', 'not_confirmed', 'contacted') then 'contacted'
      when p_from in ('replied', 'resolution_proposed', 'mediation', 'confirmed') then p_from end
    when p_action = 'answer' then case when p_from = 'closed' then 'reopened' else p_from end
    when p_action = 'reply' then case when p_from in ('open', 'contacted', 'reopened') then 'replied' else p_from end
    when p_action = 'propose' then case
      when p_from in ('open', 'contacted', 'replied', 'resolution_proposed', 'not_confirmed', 'reopened') then 'resolution_proposed' end
    when p_action = 'confirm' then case when p_from = 'resolution_proposed' then 'confirmed' end
    when p_action = 'refuse' then case when p_from = 'resolution_proposed' then 'not_confirmed' end
    when p_action = 'mediate' then case
      when p_from in ('open', 'contacted', 'replied', 'resolution_proposed', 'not_confirmed', 'reopened') then 'mediation' end
    when p_action = 'statement' then case when p_from = 'mediation' then 'mediation' end
    when p_action = 'outcome_settled' then case when p_from = 'mediation' then 'confirmed' end
    when p_action = 'outcome_for_customer' then case when p_from = 'mediation' then 'not_confirmed' end
    when p_action = 'outcome_for_store' then case when p_from = 'mediation' then 'closed' end
    when p_action = 'close' then case when p_from not in ('closed', 'mediation') then 'closed' end
    when p_action = 'reopen' then case when p_from in ('closed', 'confirmed') then 'reopened' end
    when p_action in ('follow_up', 'update_question') then case when p_from in ('confirmed', 'closed') then p_from end
    when p_action = 'feedback' then case when p_from in ('confirmed', 'closed') then p_from end
    when p_action = 'unhappy' then case when p_from in ('confirmed', 'closed') then 'reopened' end
  end;
end
$$;
comment on function vouch.case_transition is
'The state machine of cases: where an action leads from a state, NULL when it is not legal there. outcome_… are outcomes of a mediation, unhappy is the follow-up answered with no; the audit calls them outcome and feedback.';

create or replace function vouch.case_policy_standard(p_store text, p_contact_first boolean) returns vouch.case_policy
language plpgsql immutable as $$
declare
  policy vouch.case_policy := row (p_store, '*', '*', 2, '{}', interval '24 hours', interval '7 days', '{}', interval '8 hours', p_contact_first,
    null, interval '5 days', true, interval '2 days', interval '14 days');
begin
  return policy;
end
$$;
comment on function vouch.case_policy_standard is 'The defaults of table case_policy as a row. A store without any row asks for no private contact before a public reply.';

create or replace function vouch.case_policy_of(p_store text, p_groups text[], p_locale text, p_rating smallint) returns vouch.case_policy
language plpgsql stable as $$
declare
  policy vouch.case_policy;
begin
  select p.* into policy from vouch.case_policy p
  where p.store_id = p_store and (p.product_group = '*' or p.product_group = any (p_groups))
    and (p.locale = '*' or p.locale = split_part(replace(lower(p_locale), '_', '-'), '-', 1))
    and (p_rating is null or p.stars >= p_rating)
  order by p.product_group = '*', p.locale = '*', p.stars limit 1;
  if not found and not exists (select from vouch.case_policy p where p.store_id = p_store) then
    policy := vouch.case_policy_standard(p_store, false);
  end if;
  return policy;
end
$$;
comment on function vouch.case_policy_of is 'The row that fits a review of so many stars (NULL: any); the defaults where a store has none; NULL where it has some and none fits.';

create or replace function vouch.review_groups(p_review vouch.review) returns text[]
language plpgsql stable as $$
begin
  return coalesce(
    (select p.groups from vouch.product p where p.store_id = p_review.store_id and p.product_id = p_review.product_id),
    (select l.groups from vouch.order_line l
     where l.store_id = p_review.store_id and l.order_id = p_review.order_id and l.line_id = p_review.line_id), '{}');
end
$$;

create or replace function vouch.case_note_event(
  p_case vouch.case, p_action text, p_to text, p_actor text, p_automated boolean, p_detail jsonb, p_text text
) returns bigint
language plpgsql as $$
declare
  made bigint;
  salt bytea := uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid());
  body text := nullif(btrim(p_text, E' \t\r\n'), '');
begin
  insert into vouch.case_event (store_id, case_id, action, from_state, to_state, happened_at, actor, automated, detail, text_digest)
  values (p_case.store_id, p_case.case_id, p_action, case when p_action <> 'open' then p_case.state end, p_to, vouch.clock(), p_actor, p_automated,
    coalesce(p_detail, '{}'), case when body is not null then sha256(salt || convert_to(body, 'UTF8')) end)
  returning event_id into made;
  if body is not null then
    insert into vouch.case_text (store_id, event_id, case_id, body, salt) values (p_case.store_id, made, p_case.case_id, body, salt);
  end if;
  return made;
end
$$;
comment on function vouch.case_note_event is 'Writes one line of the audit, its text apart.';

create or replace function vouch.case_data(p_case vouch.case) returns jsonb
language plpgsql stable as $$
begin
  return jsonb_strip_nulls(jsonb_build_object('case_id', p_case.case_id, 'review_id', p_case.review_id, 'product_id', p_case.product_id,
    'order_id', (select coalesce(v.order_id, v.wanted_order_id) from vouch.review v
                 where v.store_id = p_case.store_id and v.review_id = p_case.review_id),
    'rating', p_case.rating, 'topic', p_case.topic, 'origin', p_case.origin, 'state', p_case.state, 'opened_at', p_case.opened_at,
    'due_at', case when p_case.state = 'closed' then null
      when p_case.state = 'mediation' then p_case.mediate_by
      when p_case.state in ('open', 'reopened') then p_case.respond_by else p_case.resolve_by end,
    'closed_at', p_case.closed_at));
end
$$;
comment on function vouch.case_data is 'A case as the store hears of it; no names, no texts.';

create or replace function vouch.case_say(p_case vouch.case, p_type text, p_more jsonb default '{}') returns void
language plpgsql as $$
begin
  perform vouch.outbox_add(p_case.store_id, p_type, jsonb_build_object('case', vouch.case_data(p_case)) || p_more);
end
$$;

create or replace function vouch.case_alert_to(p_case vouch.case, p_kind text, p_addresses text[]) returns void
language plpgsql as $$
declare
  address text;
  made bigint;
begin
  for address in select distinct a from unnest(p_addresses) as a order by 1 loop
    insert into vouch.case_alert (store_id, case_id, kind, email, made_at)
    values (p_case.store_id, p_case.case_id, p_kind, address, vouch.clock()) returning alert_id into made;
    perform vouch.mail_enqueue(p_case.store_id, p_kind, made, 0, sha256(convert_to('staff:' || address, 'UTF8')), vouch.clock());
  end loop;
end
$$;
comment on function vouch.case_alert_to is 'One mail for each of these addresses of the store''s own people.';

create or replace function vouch.case_open(
  p_store text, p_review bigint, p_product text, p_topic text, p_origin text, p_rating smallint, p_policy vouch.case_policy, p_actor text, p_text text
) returns bigint
language plpgsql as $$
declare
  made vouch.case;
begin
  insert into vouch.case as k (store_id, review_id, product_id, topic, origin, rating, opened_at, respond_by, resolve_by, escalate_at, policy)
  values (p_store, p_review, p_product, p_topic, p_origin, p_rating, vouch.clock(),
    vouch.business_after(p_store, vouch.clock(), p_policy.respond_within),
    vouch.business_after(p_store, vouch.clock(), p_policy.resolve_within),
    vouch.business_after(p_store, vouch.clock(), p_policy.respond_within),
    to_jsonb(p_policy) - array['store_id', 'alert_to'])
  returning k.* into made;
  perform vouch.case_note_event(made, 'open', 'open', p_actor, p_origin in ('review', 'topic'), jsonb_strip_nulls(jsonb_build_object(
    'origin', p_origin, 'rating', p_rating, 'topic', p_topic, 'respond_by', made.respond_by, 'resolve_by', made.resolve_by)), p_text);
  perform vouch.case_say(made, 'case.opened');
  perform vouch.case_alert_to(made, 'alert', p_policy.alert_to);
  return made.case_id;
end
$$;
comment on function vouch.case_open is 'Opens a case and alerts, in the transaction of what it is about.';

create or replace function vouch.case_alive(p_store text, p_review bigint) returns bigint
language plpgsql stable as $$
begin
  return (select k.case_id from vouch.case k where k.store_id = p_store and k.review_id = p_review and k.state <> 'closed');
end
$$;

create or replace function vouch.case_on_review(p_store text, p_review bigint, p_before smallint default null) returns void
language plpgsql as $$
declare
  review vouch.review;
  words record;
  policy vouch.case_policy;
begin
  select v.* into review from vouch.review v where v.store_id = p_store and v.review_id = p_review;
  select r.rating, r.locale into words from vouch.review_revision r
  where r.store_id = p_store and r.review_id = p_review and r.revision = review.revision;
  policy := vouch.case_policy_of(p_store, vouch.review_groups(review), words.locale, words.rating);
  if policy.stars >= words.rating and (p_before is null or words.rating < p_before) and vouch.case_alive(p_store, p_review) is null then
    perform vouch.case_open(p_store, p_review, review.product_id, null, 'review', words.rating, policy, 'author', null);
  elsif p_before is null and words.rating >= 4 then
    perform vouch.thank_on_review(p_store, p_review, words.rating);
  end if;
end
$$;
create or replace function vouch.thank_on_review(p_store text, p_review bigint, p_rating smallint) returns void
language plpgsql as $$
declare
  body text;
begin
  if not exists (select from vouch.case_policy p where p.store_id = p_store and p.thank_from <= p_rating)
     or not exists (select from vouch.review v where v.store_id = p_store and v.review_id = p_review and v.state = 'published') then
    return;
  end if;
  body := vouch.reply_drafts(p_store, p_review) #>> '{0,body}';
  if body is not null then
    perform vouch.case_reply(p_store, p_review, 'vouch', body, null, true);
  end if;
end
$$;
comment on function vouch.thank_on_review is 'A thank-you to a happy author, from the library, where case_policy.thank_from says so and the review is published at once. An unhappy one is never answered without a person.';

comment on function vouch.case_on_review is 'A review arrived, or its author lowered the stars: at or below the mark of its policy a case opens. Whether the review is published plays no part.';

create or replace function vouch.case_on_revision(p_store text, p_review bigint, p_revision integer) returns void
language plpgsql as $$
declare
  stars smallint := (select r.rating from vouch.review_revision r
                     where r.store_id = p_store and r.review_id = p_review and r.revision = p_revision);
  before smallint := (select r.rating from vouch.review_revision r
                      where r.store_id = p_store and r.review_id = p_review and r.revision < p_revision
                        and r.state <> 'unconfirmed' order by r.revision desc limit 1);
  known bigint := (select k.case_id from vouch.case k where k.store_id = p_store and k.review_id = p_review order by k.case_id desc limit 1);
begin
  if known is not null and stars <> before then
    perform vouch.case_move(p_store, known, 'update', 'author', false, jsonb_build_object('from', before, 'to', stars), null);
  end if;
  perform vouch.case_on_review(p_store, p_review, coalesce(before, 6::smallint));
end
$$;
comment on function vouch.case_on_revision is 'An edit by the author became the current wording: the case notes changed stars; lowered ones may open a case.';

create or replace function vouch.case_due(p_case vouch.case, p_state text, p_respond_by timestamptz) returns timestamptz
language plpgsql immutable as $$
begin
  return case
    when p_state in ('open', 'reopened') then p_respond_by
    when p_state = 'mediation' then p_case.mediate_by
    when p_state in ('confirmed', 'closed') then null
    else p_case.resolve_by end;
end
$$;

create or replace function vouch.case_policy_span(p_case vouch.case, p_name text) returns interval
language plpgsql immutable as $$
begin
  return (p_case.policy ->> p_name)::interval;
end
$$;

create or replace function vouch.case_follow(p_case vouch.case, p_action text, p_goal text) returns void
language plpgsql as $$
declare
  at_clock timestamptz := vouch.clock();
  first boolean := p_case.first_response_at is null and p_action in ('contact', 'reply', 'propose');
  again boolean := p_goal = 'reopened' and p_case.state <> 'reopened';
  moved boolean := p_goal <> p_case.state;
  respond timestamptz := case when again then vouch.business_after(p_case.store_id, at_clock, vouch.case_policy_span(p_case, 'respond_within'))
                              else p_case.respond_by end;
begin
  update vouch.case k set state = p_goal,
    first_response_at = case when first then at_clock else k.first_response_at end,
    contacted = k.contacted or p_action in ('contact', 'propose'),
    respond_by = respond,
    resolve_by = case when again then vouch.business_after(k.store_id, at_clock, vouch.case_policy_span(k, 'resolve_within')) else k.resolve_by end,
    resolved_at = case when p_goal = 'confirmed' and moved then at_clock
                       when again or p_goal in ('not_confirmed', 'resolution_proposed', 'mediation') then null else k.resolved_at end,
    closed_at = case when p_goal = 'closed' then coalesce(k.closed_at, at_clock) end,
    escalate_at = case when moved then vouch.case_due(k, p_goal, respond) else k.escalate_at end,
    escalations = case when moved then 0 else k.escalations end,
    overdue = case when moved then false else k.overdue end,
    asked = case when moved and p_goal = 'confirmed' then null else k.asked end,
    ask_at = case when p_goal = 'confirmed' and moved then at_clock + vouch.case_policy_span(k, 'follow_up_after')
                  when p_goal in ('confirmed', 'closed') and k.resolved_at is not null then k.ask_at end
  where k.store_id = p_case.store_id and k.case_id = p_case.case_id;
end
$$;
comment on function vouch.case_follow is 'Carries a step over to the case: state, clocks, what is asked later.';

create or replace function vouch.case_move(
  p_store text, p_case bigint, p_action text, p_actor text, p_automated boolean, p_detail jsonb, p_text text
) returns bigint
language plpgsql as $$
declare
  known vouch.case;
  goal text;
  made bigint;
  spoken text := case when p_action like 'outcome_%' then 'outcome' when p_action = 'unhappy' then 'feedback' else p_action end;
begin
  select k.* into known from vouch.case k where k.store_id = p_store and k.case_id = p_case for no key update;
  if not found then
    perform vouch.refuse('VO101', '/case_id', format('there is no case %s in store %s', p_case, p_store));
  end if;
  goal := vouch.case_transition(known.state, p_action);
  if goal is null then
    perform vouch.refuse('VO201', '/case_id', format('case %s is %s; %s is not possible there', p_case, known.state, spoken));
  end if;
  if known.state = 'closed' and goal <> 'closed' and vouch.case_alive(p_store, known.review_id) is not null then
    perform vouch.refuse('VO201', '/case_id', format('case %s stays closed: case %s of the same review is under way', p_case,
      vouch.case_alive(p_store, known.review_id)));
  end if;
  made := vouch.case_note_event(known, spoken, goal, p_actor, p_automated, coalesce(p_detail, '{}') || case
    when p_action in ('contact', 'reply', 'propose') and known.first_response_at is null
      or goal in ('confirmed', 'closed') and goal <> known.state
    then jsonb_build_object('took_s', vouch.business_seconds(p_store, known.opened_at, vouch.clock())) else '{}' end, p_text);
  perform vouch.case_follow(known, p_action, goal);
  if goal = 'closed' and known.state <> 'closed' then
    perform vouch.case_say(k, 'case.closed') from vouch.case k where k.store_id = p_store and k.case_id = p_case;
  end if;
  return made;
end
$$;
comment on function vouch.case_move is 'Carries out one step of a case: guarded by the state machine, audited, clocks and store told, in one transaction. Returns the audit''s event_id.';

create or replace function vouch.case_address(p_case vouch.case) returns bytea
language plpgsql stable as $$
declare
  key bytea := case when p_case.review_id is not null then vouch.review_address(p_case.store_id, p_case.review_id) end;
begin
  return (select c.address_key from vouch.customer c where c.store_id = p_case.store_id and c.address_key = key and c.email is not null);
end
$$;
comment on function vouch.case_address is 'Where the customer of a case is written to; NULL where nobody has shown an address to be the author''s, or after erasure.';

create or replace function vouch.case_get(p_store text, p_case bigint) returns vouch.case
language plpgsql stable as $$
declare
  known vouch.case;
begin
  select k.* into known from vouch.case k where k.store_id = p_store and k.case_id = p_case;
  if not found then
    perform vouch.refuse('VO101', '/case_id', format('there is no case %s in store %s', p_case, p_store));
  end if;
  return known;
end
$$;

create or replace function vouch.case_body(p_body text) returns text
language plpgsql immutable as $$
begin
  if coalesce(btrim(p_body, E' \t\r\n'), '') = '' then
    perform vouch.refuse('VO104', '/body', 'body says what was said to the customer; it is empty');
  elsif octet_length(p_body) > 10000 then
    perform vouch.refuse('VO104', '/body', 'body is longer than 10000 bytes');
  end if;
  return p_body;
end
$$;

create or replace function vouch.case_contact(p_store text, p_case bigint, p_operator text, p_channel text, p_body text) returns bigint
language plpgsql as $$
declare
  known vouch.case := vouch.case_get(p_store, p_case);
  address bytea := vouch.case_address(known);
  made bigint;
begin
  if coalesce(p_channel, '') not in ('mail', 'page', 'phone', 'chat', 'social') then
    perform vouch.refuse('VO103', '/channel', format('%L is not a channel; it is mail, page, phone, chat or social', p_channel));
  end if;
  perform vouch.case_body(p_body);
  if p_channel in ('mail', 'page') then
    perform vouch.lint_check(p_body);
  end if;
  if p_channel = 'mail' and address is null then
    perform vouch.refuse('VO201', '/channel', 'no address of the author is known for certain; write on the author''s page, or log a call or chat');
  end if;
  made := vouch.case_move(p_store, p_case, 'contact', p_operator, false, jsonb_build_object('channel', p_channel), p_body);
  if p_channel = 'mail' then
    perform vouch.mail_enqueue(p_store, 'thread', made, 0, address, vouch.clock());
  end if;
  return made;
end
$$;
comment on function vouch.case_contact is 'A word to the customer: mailed (mail), shown on the author''s page (both), or logged as having been said elsewhere (phone, chat, social).';

create or replace function vouch.case_propose(p_store text, p_case bigint, p_operator text, p_kind text, p_body text) returns bigint
language plpgsql as $$
declare
  known vouch.case := vouch.case_get(p_store, p_case);
  address bytea := vouch.case_address(known);
  made bigint;
begin
  if coalesce(p_kind, '') not in ('refund', 'replacement', 'support', 'other') then
    perform vouch.refuse('VO103', '/kind', format('%L is not a kind of resolution; it is refund, replacement, support or other', p_kind));
  end if;
  if known.review_id is null then
    perform vouch.refuse('VO201', '/case_id', 'a complaint that several share has no single customer to propose a resolution to; take a measure');
  end if;
  perform vouch.case_body(p_body), vouch.lint_check(p_body);
  made := vouch.case_move(p_store, p_case, 'propose', p_operator, false, jsonb_build_object('kind', p_kind), p_body);
  perform vouch.case_say(k, 'resolution.proposed', jsonb_build_object('resolution', jsonb_build_object('kind', p_kind, 'body', p_body)))
  from vouch.case k where k.store_id = p_store and k.case_id = p_case;
  if address is not null then
    perform vouch.mail_enqueue(p_store, 'proposal', made, 0, address, vouch.clock());
  end if;
  return made;
end
$$;
comment on function vouch.case_propose is 'Proposes a resolution: the store hears of it by resolution.proposed and carries it out, the customer says whether it helped. It never depends on the review.';

create or replace function vouch.case_reply(p_store text, p_review bigint, p_operator text, p_body text, p_reason text, p_automated boolean) returns bigint
language plpgsql as $$
declare
  review vouch.review;
  known vouch.case;
  made bigint;
  address bytea;
begin
  select v.* into review from vouch.review v where v.store_id = p_store and v.review_id = p_review for no key update;
  if not found then
    perform vouch.refuse('VO101', '/review_id', format('there is no review %s in store %s', p_review, p_store));
  elsif review.state = 'withdrawn' then
    perform vouch.refuse('VO201', '/review_id', format('review %s was withdrawn by its author', p_review));
  end if;
  perform vouch.case_body(p_body), vouch.lint_check(p_body);
  select k.* into known from vouch.case k where k.store_id = p_store and k.review_id = p_review
  order by k.state = 'closed', k.case_id desc limit 1;
  if known.case_id is not null and known.state <> 'closed' and not known.contacted and (known.policy ->> 'contact_first')::boolean
     and coalesce(btrim(p_reason), '') = '' then
    perform vouch.refuse('VO201', '/reason', format('contact the customer of case %s first, or give a reason for replying in public before', known.case_id));
  end if;
  insert into vouch.review_reply (store_id, review_id, body, operator, automated, replied_at)
  values (p_store, p_review, p_body, p_operator, p_automated, vouch.clock()) returning reply_id into made;
  if known.case_id is not null then
    perform vouch.case_move(p_store, known.case_id, 'reply', p_operator, p_automated,
      jsonb_build_object('reply_id', made), nullif(btrim(p_reason), ''));
  end if;
  address := vouch.review_address(p_store, p_review);
  if address is not null then
    perform vouch.mail_enqueue(p_store, 'reply', made, 0, address, vouch.clock());
  end if;
  return made;
end
$$;
comment on function vouch.case_reply is 'A public reply; the newest is shown below the review, and its author told. Before any private contact it needs a reason.';

create or replace function vouch.case_withhold(p_case vouch.case, p_name text) returns boolean
language plpgsql stable as $$
begin
  return coalesce((p_case.policy ->> p_name)::boolean, false);
end
$$;

create or replace function vouch.case_mediate(p_store text, p_case bigint, p_actor text, p_mediator text, p_body text) returns bigint
language plpgsql as $$
declare
  known vouch.case := vouch.case_get(p_store, p_case);
begin
  if coalesce(btrim(p_mediator), '') = '' or not exists (
      select from vouch.operator o where o.store_id = p_store and o.name = p_mediator and o.role = 'mediator') then
    perform vouch.refuse('VO103', '/mediator', format('%L is no mediator of store %s; add a row to vouch.operator with role mediator', p_mediator, p_store));
  end if;
  if exists (select from vouch.case_event e where e.store_id = p_store and e.case_id = p_case and e.actor = p_mediator) then
    perform vouch.refuse('VO203', '/mediator', format('%s has had a part in case %s; a mediator has none', p_mediator, p_case));
  end if;
  update vouch.case k set mediator = p_mediator, mediate_by = vouch.clock() + vouch.case_policy_span(k, 'mediate_within')
  where k.store_id = p_store and k.case_id = p_case and vouch.case_transition(k.state, 'mediate') is not null;
  return vouch.case_move(p_store, p_case, 'mediate', p_actor, false, jsonb_build_object('mediator', p_mediator), p_body);
end
$$;
comment on function vouch.case_mediate is 'Puts a case before a named mediator who had no part in it, with a deadline.';

create or replace function vouch.case_overdue(p_store text, p_limit integer) returns integer
language plpgsql security definer as $$
declare
  due vouch.case;
  chain text[];
  moved integer := 0;
begin
  perform vouch.enter(p_store);
  for due in
    select k.* from vouch.case k where k.store_id = p_store and k.escalate_at <= vouch.clock()
    order by k.escalate_at, k.case_id limit p_limit for no key update skip locked
  loop
    chain := array(select jsonb_array_elements_text(due.policy -> 'escalate_to'));
    perform vouch.case_move(p_store, due.case_id, case when due.overdue then 'escalate' else 'overdue' end, 'vouch', true,
      jsonb_build_object('target', case due.state when 'open' then 'respond' when 'reopened' then 'respond' when 'mediation' then 'mediate' else 'resolve' end,
        'step', due.escalations + 1), null);
    update vouch.case k set overdue = true, escalations = k.escalations + 1,
      escalate_at = case when cardinality(chain) > k.escalations + 1
        then vouch.business_after(p_store, vouch.clock(), vouch.case_policy_span(k, 'escalate_after')) end
    where k.store_id = p_store and k.case_id = due.case_id;
    if not due.overdue then
      perform vouch.case_say(due, 'case.overdue');
    end if;
    if cardinality(chain) > due.escalations then
      perform vouch.case_alert_to(due, 'escalation', chain[due.escalations + 1 : due.escalations + 1]);
    end if;
    moved := moved + 1;
  end loop;
  return moved;
end
$$;
comment on function vouch.case_overdue is 'Cases past a target: told by case.overdue, then up the chain of escalate_to, one after the other. By the worker.';

create or replace function vouch.case_ask(p_store text, p_limit integer) returns integer
language plpgsql security definer as $$
declare
  due vouch.case;
  address bytea;
  question text;
  made bigint;
  moved integer := 0;
begin
  perform vouch.enter(p_store);
  for due in
    select k.* from vouch.case k where k.store_id = p_store and k.ask_at <= vouch.clock()
    order by k.ask_at, k.case_id limit p_limit for no key update skip locked
  loop
    address := vouch.case_address(due);
    question := case when due.asked is null then 'follow_up' else 'update_question' end;
    if address is not null and not (question = 'update_question' and (
        exists (select from vouch.case_event e where e.store_id = p_store and e.case_id = due.case_id and e.action = 'update'
                and e.happened_at >= due.resolved_at)
        or not exists (select from vouch.review v where v.store_id = p_store and v.review_id = due.review_id and v.state <> 'withdrawn'))) then
      made := vouch.case_move(p_store, due.case_id, question, 'vouch', true, null, null);
      perform vouch.mail_enqueue(p_store, question, made, 0, address, vouch.clock());
    end if;
    update vouch.case k set asked = question,
      ask_at = case when question = 'follow_up' and address is not null and vouch.case_withhold(k, 'ask_update')
        then vouch.clock() + vouch.case_policy_span(k, 'ask_update_after') end
    where k.store_id = p_store and k.case_id = due.case_id;
    moved := moved + 1;
  end loop;
  return moved;
end
$$;
comment on function vouch.case_ask is 'After a confirmed resolution: the follow-up, then one neutral question about the review, unless its author has changed it already. Silence changes nothing. By the worker.';

create or replace function vouch.case_erase(p_store text, p_reviews bigint[]) returns void
language plpgsql as $$
begin
  delete from vouch.case_text t using vouch.case k
  where t.store_id = p_store and k.store_id = p_store and k.case_id = t.case_id and k.review_id = any (p_reviews);
  delete from vouch.link_token t where t.store_id = p_store and t.purpose in ('thread', 'resolution')
    and t.subject_id = any (array(select k.case_id from vouch.case k where k.store_id = p_store and k.review_id = any (p_reviews)));
  update vouch.case k set ask_at = null where k.store_id = p_store and k.review_id = any (p_reviews) and k.ask_at is not null;
end
$$;
comment on function vouch.case_erase is 'What was written in cases of an erased person goes, all sides of it; the audit without words stays.';
