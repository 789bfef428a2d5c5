-- SPDX-License-Identifier: MIT
-- The one queue of outgoing mail: claim, attempt, settle, recover. Only the holder of the lease moves a mail on.

create or replace function vouch.mail_enqueue(
  p_store text, p_kind text, p_subject bigint, p_serial integer, p_address_key bytea, p_due_at timestamptz
) returns void
language plpgsql as $$
begin
  insert into vouch.outgoing_mail as m (store_id, kind, subject_id, serial, address_key, due_at, created_at)
  values (p_store, p_kind, p_subject, p_serial, p_address_key, p_due_at, vouch.clock())
  on conflict (store_id, kind, subject_id, serial) do update set state = 'queued', due_at = excluded.due_at, reason = null, finished_at = null
  where m.state = 'skipped';
end
$$;
comment on function vouch.mail_enqueue is 'Queues a mail once per kind, subject and serial; one that was skipped, and never sent, gets a second chance.';

create or replace function vouch.mail_claim(p_store text, p_limit integer, p_lease interval)
returns table (mail_id bigint, lease bigint, kind text, context jsonb)
language plpgsql security definer as $$
declare
  allowed integer;
  claimed vouch.outgoing_mail[];
begin
  perform vouch.enter(p_store);
  if vouch.mail_paused(p_store) is not null then
    return;
  end if;
  allowed := vouch.mail_budget(p_store, p_limit);
  with taken as (
    update vouch.outgoing_mail m set state = 'sending', lease = nextval('vouch.mail_lease'), lease_until = vouch.clock() + p_lease
    where m.store_id = p_store and m.mail_id = any (array(
      select q.mail_id from vouch.outgoing_mail q
      where q.store_id = p_store and q.state in ('queued', 'ambiguous') and q.due_at <= vouch.clock()
      order by q.due_at, q.mail_id limit allowed for update skip locked))
    returning m
  )
  select array_agg(t.m) into claimed from taken t;
  perform vouch.mail_unspent(p_store, allowed - coalesce(cardinality(claimed), 0));
  if claimed is not null then
    return query select c.mail_id, c.lease, c.kind, c.context from vouch.mail_contexts(p_store, claimed) c;
  end if;
end
$$;
comment on function vouch.mail_claim is 'Takes up to p_limit due mails under fresh leases, oldest first, each with all that composing it needs; none while sending is paused, no more than the store''s limits let go.';

create or replace function vouch.mail_addressee(p_store text, p_mail vouch.outgoing_mail) returns vouch.customer
language plpgsql stable as $$
declare
  addressee vouch.customer;
begin
  if p_mail.kind in ('report_receipt', 'report_decision') then
    select r.email, r.name, r.locale into addressee.email, addressee.name, addressee.locale
    from vouch.review_report r where r.store_id = p_store and r.report_id = p_mail.subject_id;
  else
    select c.* into addressee from vouch.customer c where c.store_id = p_store and c.address_key = p_mail.address_key;
  end if;
  return addressee;
end
$$;
comment on function vouch.mail_addressee is 'Who a mail goes to: a customer, or somebody known from a report alone. email is NULL where there is nobody (any more).';

create or replace function vouch.mail_context(p_store text, p_mail vouch.outgoing_mail) returns jsonb
language plpgsql stable as $$
declare
  about jsonb;
  addressee vouch.customer;
begin
  about := case
    when p_mail.kind = 'confirm' then vouch.confirmation_context(p_store, p_mail.subject_id)
    when p_mail.kind in ('report_receipt', 'report_decision') then vouch.report_context(p_store, p_mail.subject_id)
    when p_mail.kind in ('alert', 'escalation', 'thread', 'proposal', 'reply', 'follow_up', 'update_question', 'measure')
      then vouch.case_mail_context(p_store, p_mail.kind, p_mail.subject_id)
    else vouch.decision_context(p_store, p_mail.subject_id) end;
  addressee := vouch.mail_addressee(p_store, p_mail);
  return vouch.mail_addressed(p_mail, about, addressee.email, addressee.name, addressee.locale);
end
$$;
comment on function vouch.mail_context is 'All that composing a mail needs that is not about a request.';

create or replace function vouch.mail_addressed(p_mail vouch.outgoing_mail, p_about jsonb, p_email text, p_name text, p_locale text) returns jsonb
language plpgsql stable as $$
begin
  return p_about || jsonb_build_object('serial', p_mail.serial, 'address_key', encode(p_mail.address_key, 'hex'), 'email', coalesce(p_about ->> 'email', p_email),
    'name', p_name, 'locale', coalesce(p_about ->> 'locale', p_locale), 'created_at', p_mail.created_at);
end
$$;
comment on function vouch.mail_addressed is 'What a mail is about, and whom it goes to.';

create or replace function vouch.mail_contexts(p_store text, p_mails vouch.outgoing_mail[])
returns table (mail_id bigint, lease bigint, kind text, context jsonb)
language plpgsql stable as $$
declare
  asking constant text[] := '{request,reminder,discount}';
  asked bigint[] := array(select distinct u.subject_id from unnest(p_mails) u where u.kind = any (asking));
begin
  return query
  with about as materialized (select r.request_id, r.context from vouch.request_contexts(p_store, asked) r)
  select m.mail_id, m.lease, m.kind,
    case when m.kind = any (asking) then vouch.mail_addressed(m, a.context, c.email, c.name, c.locale) else vouch.mail_context(p_store, m) end
  from unnest(p_mails) m
  left join about a on a.request_id = m.subject_id and m.kind = any (asking)
  left join lateral (select q.email, q.name, q.locale from vouch.customer q
                     where q.store_id = p_store and q.address_key = m.address_key and m.kind = any (asking) offset 0) as c on true
  order by m.due_at, m.mail_id;
end
$$;
comment on function vouch.mail_contexts is 'These mails, oldest first, each with all that composing it needs; NULL where what it is about is gone.';

create or replace function vouch.confirmation_context(p_store text, p_confirmation bigint) returns jsonb
language plpgsql stable as $$
begin
  return (
    select jsonb_build_object('confirmation_id', c.confirmation_id, 'action', c.action, 'product', vouch.product_reviewed(v),
      'locale', r.locale, 'review', jsonb_build_object('review_id', v.review_id, 'rating', r.rating, 'title', r.title, 'body', r.body))
    from vouch.confirmation c
    join vouch.review v on v.store_id = c.store_id and v.review_id = c.review_id
    left join vouch.review_revision r on r.store_id = c.store_id and r.review_id = c.review_id and r.revision = coalesce(c.revision, v.revision)
    where c.store_id = p_store and c.confirmation_id = p_confirmation);
end
$$;

create or replace function vouch.decision_context(p_store text, p_decision bigint) returns jsonb
language plpgsql stable as $$
begin
  return (
    select jsonb_build_object('decision_id', d.decision_id, 'product', vouch.product_reviewed(v), 'locale', r.locale,
      'action', d.action, 'automated', d.automated, 'reasons', to_jsonb(d.reasons), 'from_state', d.from_state,
      'decided_at', d.decided_at, 'deadline_at', r.deadline_at,
      'ground', coalesce(d.ground, case when d.action = 'uphold' then (
        select g.ground from vouch.review_decision g
        where g.store_id = d.store_id and g.review_id = d.review_id and g.revision = d.revision and g.decision_id < d.decision_id and g.ground is not null
        order by g.decision_id desc limit 1) end),
      'from_report', 'reported' = any (d.reasons) or exists (
        select from vouch.review_report p where p.store_id = d.store_id and p.review_id = d.review_id and p.decision_id = d.decision_id),
      'appeal_until', case when d.action not in ('uphold', 'overturn') then d.decided_at + vouch.appeal_time() end,
      'facts', (select n.note from vouch.decision_note n where n.store_id = d.store_id and n.decision_id = d.decision_id
                and d.action in ('reject', 'redact', 'uphold', 'overturn')),
      'clause', (select nullif(g.clause, '') from vouch.rejection_ground g where g.store_id in (p_store, '*') and g.ground = d.ground
                 order by g.store_id = p_store desc limit 1),
      'marks', r.marks, 'review', jsonb_build_object('review_id', v.review_id, 'product_id', v.product_id, 'rating', r.rating,
        'title', r.title, 'body', r.body))
    from vouch.review_decision d
    join vouch.review v on v.store_id = d.store_id and v.review_id = d.review_id
    join vouch.review_revision r on r.store_id = d.store_id and r.review_id = d.review_id and r.revision = d.revision
    where d.store_id = p_store and d.decision_id = p_decision);
end
$$;

create or replace function vouch.product_name(p_store text, p_product text) returns text
language plpgsql stable as $$
declare
  line record;
begin
  select v.order_id, v.line_id into line from vouch.review v
  where v.store_id = p_store and v.product_id = p_product and v.state = 'published'
  order by v.published_at desc, v.review_id desc limit 1;
  return coalesce(
    (select p.name from vouch.product p where p.store_id = p_store and p.product_id = p_product),
    (select l.name from vouch.order_line l where l.store_id = p_store and l.order_id = line.order_id and l.line_id = line.line_id),
    p_product);
end
$$;
comment on function vouch.product_name is 'As product.updated names it, else as the line of its newest published review does.';

create or replace function vouch.product_reviewed(p_review vouch.review) returns text
language plpgsql stable as $$
begin
  return coalesce(
    (select l.name from vouch.order_line l
     where l.store_id = p_review.store_id and l.order_id = p_review.order_id and l.line_id = p_review.line_id),
    vouch.product_name(p_review.store_id, p_review.product_id));
end
$$;
comment on function vouch.product_reviewed is 'The product of a review, as its own order line names it.';

create or replace function vouch.mail_obstacle(p_store text, p_mail vouch.outgoing_mail) returns text
language plpgsql stable as $$
declare
  addressee vouch.customer;
begin
  if p_mail.kind in ('alert', 'escalation') then
    return null;
  end if;
  addressee := vouch.mail_addressee(p_store, p_mail);
  return case
    when addressee.email is null then case when addressee.erased_at is null then 'no_address' else 'erased' end
    when exists (select from vouch.suppression x where x.store_id = p_store and x.address_key = p_mail.address_key
                 and x.reason in ('bounced', 'operator')) then 'suppressed'
    when p_mail.kind = 'confirm' and not exists (select from vouch.confirmation f where f.store_id = p_store
      and f.confirmation_id = p_mail.subject_id and f.state = 'pending') then 'settled'
    else vouch.case_mail_obstacle(p_store, p_mail) end;
end
$$;
comment on function vouch.mail_obstacle is 'Why this mail, neither request nor reminder, must not go out now.';

create or replace function vouch.mail_obstacles(p_store text, p_mails vouch.outgoing_mail[]) returns table (mail vouch.outgoing_mail, obstacle text)
language plpgsql stable as $$
declare
  asking constant text[] := '{request,reminder}';
  at_clock timestamptz := vouch.clock();
  asked bigint[] := array(select distinct u.subject_id from unnest(p_mails) u where u.kind = any (asking));
begin
  return query
  with judged as materialized (select j.request_id, j.obstacle, j.policy, j.zone from vouch.request_judge(p_store, asked) j)
  select m, case
      when not m.kind = any (asking) then vouch.mail_obstacle(p_store, m)
      when c.email is null then case when c.erased_at is null then 'no_address' else 'erased' end
      when x.reasons && '{bounced,operator}' then 'suppressed'
      when j.request_id is null then 'cancelled'
      when j.obstacle is not null then j.obstacle
      when vouch.request_quiet(j.policy, at_clock at time zone j.zone) then 'quiet'
    end
  from unnest(p_mails) m
  left join judged j on j.request_id = m.subject_id and m.kind = any (asking)
  left join lateral (select q.email, q.erased_at from vouch.customer q
                     where q.store_id = p_store and q.address_key = m.address_key and m.kind = any (asking) offset 0) as c on true
  cross join lateral (select array(select q.reason from vouch.suppression q
                                   where q.store_id = p_store and q.address_key = m.address_key and m.kind = any (asking)) as reasons offset 0) as x;
end
$$;
comment on function vouch.mail_obstacles is
'Why each of these mails must not go out now; asked after the claim, right before they are sent. quiet: not at this hour. NULL: nothing is in the way.';

create or replace function vouch.mail_hold(p_store text, p_mails bigint[], p_leases bigint[]) returns vouch.outgoing_mail[]
language plpgsql as $$
begin
  return (
    select array_agg(held.mail order by (held.mail).mail_id)
    from (select * from unnest(p_mails, p_leases) as u (id, lease) order by u.id) as a
    cross join lateral (select o as mail from vouch.outgoing_mail o
                        where o.store_id = p_store and o.mail_id = a.id and o.lease = a.lease and o.state = 'sending' offset 0 for no key update) as held);
end
$$;
comment on function vouch.mail_hold is 'Locks, in the order of their ids, those of the mails whose leases still hold. NULL: none.';

create or replace function vouch.attempts_open(
  p_store text, p_held vouch.outgoing_mail[], p_mails bigint[], p_message_ids text[], p_lease interval
) returns void
language plpgsql as $$
begin
  with opened as (
    insert into vouch.send_attempt (store_id, mail_id, attempt, lease, message_id, started_at, finished_at, class, reply)
    select p_store, m.mail_id, m.attempts + 1, m.lease, a.message_id, vouch.clock(), vouch.clock(), 'deferred', 'nothing was handed over'
    from unnest(p_mails, p_message_ids) as a (id, message_id)
    join unnest(p_held) m on m.mail_id = a.id
    left join lateral (select true as yes from vouch.send_attempt t
                       where t.store_id = p_store and t.mail_id = m.mail_id and t.lease = m.lease offset 0) as again on true
    where again.yes is null
    returning mail_id
  )
  update vouch.outgoing_mail m set lease_until = vouch.clock() + p_lease,
    attempts = m.attempts + case when m.mail_id in (select o.mail_id from opened o) then 1 else 0 end
  where m.store_id = p_store and m.mail_id = any (p_mails);
end
$$;
comment on function vouch.attempts_open is 'Notes an attempt of each of these mails; asked twice under one lease, because the first answer was lost, it is still one.';

create or replace function vouch.mail_attempt(
  p_store text, p_mails bigint[], p_leases bigint[], p_message_ids text[], p_tokens jsonb[], p_code_hashes bytea[], p_codes text[], p_lease interval
) returns table (mail_id bigint, obstacle text, discount jsonb)
language plpgsql security definer as $$
declare
  held vouch.outgoing_mail[];
  single record;
  crowded boolean;
  going bigint[] := '{}';
  ids text[] := '{}';
  tokens jsonb[] := '{}';
begin
  perform vouch.gate(p_store, false);
  held := vouch.mail_hold(p_store, p_mails, p_leases);
  crowded := exists (select from vouch.mail_domain d where d.store_id = p_store and d.paused_until > vouch.clock());
  for single in
    with judged as materialized (
      select j.mail, j.obstacle, case when j.obstacle is null and crowded then vouch.domain_patience(p_store, j.mail) end as patience
      from vouch.mail_obstacles(p_store, held) j
    ), given as materialized (
      select d.mail_id, d.discount
      from vouch.mail_discounts(p_store, array(select j.mail from judged j where j.obstacle is null and j.patience is null),
        p_mails, p_code_hashes, p_codes) d
    )
    select a.id, a.message_id, a.tokens, j.mail, j.patience, g.discount,
      case when (j.mail).mail_id is null then 'lease_lost' when j.patience is not null then 'postponed' when j.obstacle is not null then j.obstacle
        when (j.mail).kind = 'discount' and g.discount is null then 'no_discount' end as obstacle
    from unnest(p_mails, p_message_ids, p_tokens) as a (id, message_id, tokens)
    left join judged j on (j.mail).mail_id = a.id
    left join given g on g.mail_id = a.id
    order by a.id
  loop
    mail_id := single.id;
    obstacle := single.obstacle;
    discount := single.discount;
    if obstacle is null then
      going := going || single.id;
      ids := ids || single.message_id;
      tokens := tokens || single.tokens;
    elsif obstacle = 'postponed' then
      perform vouch.mail_put_back(p_store, single.mail, 'domain', single.patience);
    elsif obstacle <> 'lease_lost' then
      perform vouch.mail_skip(p_store, single.mail, obstacle);
    end if;
    return next;
  end loop;
  perform vouch.link_issue(p_store, tokens), vouch.attempts_open(p_store, held, going, ids, p_lease);
end
$$;
comment on function vouch.mail_attempt is
'Right before the recipients are named to the relay: checks once more whether each mail should go, issues its code and links, and commits the attempt. Answers an obstacle (the mail is settled then, or put back for its domain: postponed) or the discount to print. Until vouch.mail_data the attempt reads as one that surely did not arrive.';

create or replace function vouch.mail_data(p_store text, p_mails bigint[], p_leases bigint[], p_lease interval) returns setof bigint
language plpgsql security definer as $$
declare
  held vouch.outgoing_mail[];
  mail vouch.outgoing_mail;
  opened bigint[] := '{}';
begin
  perform vouch.enter(p_store);
  held := vouch.mail_hold(p_store, p_mails, p_leases);
  foreach mail in array coalesce(held, '{}') loop
    update vouch.send_attempt t set finished_at = null, class = null, reply = null
    where t.store_id = p_store and t.mail_id = mail.mail_id and t.lease = mail.lease;
    if found then
      opened := opened || mail.mail_id;
    end if;
  end loop;
  return query
  update vouch.outgoing_mail m set lease_until = vouch.clock() + p_lease
  where m.store_id = p_store and m.mail_id = any (opened)
  returning m.mail_id;
end
$$;
comment on function vouch.mail_data is
'The relay asks for the message: from now on each of these mails may arrive. Returns those whose lease still holds; the others must not be handed over.';

create or replace function vouch.link_issue(p_store text, p_tokens jsonb[]) returns void
language plpgsql as $$
declare
  at_clock timestamptz := vouch.clock();
begin
  with wanted as materialized (
    select decode(t.hash, 'hex') as token_hash, t.purpose, t.subject_id, decode(t.address_key, 'hex') as address_key
    from unnest(p_tokens) mail
    cross join lateral jsonb_to_recordset(mail) as t (hash text, purpose text, subject_id bigint, address_key text)
  ), life as materialized (
    select l.request_id, l.link_valid_for
    from vouch.link_life(p_store, array(select distinct w.subject_id from wanted w where w.purpose = 'review')) l
  )
  insert into vouch.link_token (store_id, token_hash, purpose, subject_id, address_key, expires_at)
  select p_store, w.token_hash, w.purpose, w.subject_id, w.address_key,
    at_clock + case w.purpose when 'review' then l.link_valid_for when 'confirm' then interval '30 days' end
  from wanted w
  left join life l on l.request_id = w.subject_id and w.purpose = 'review'
  order by w.token_hash
  on conflict (store_id, token_hash) do nothing;
end
$$;
comment on function vouch.link_issue is
'The links of some mails: for each an array of {"hash","purpose","subject_id","address_key"}. Those known stay as they are. They open their doors for request_policy.link_valid_for, 30 days for confirmations; for ever to unsubscribe and for authors.';

create or replace function vouch.link_life(p_store text, p_requests bigint[]) returns table (request_id bigint, link_valid_for interval)
language plpgsql stable as $$
begin
  return query
  with asked as materialized (
    select w.id, o.country
    from unnest(p_requests) as w (id)
    cross join lateral (select q.order_id from vouch.review_request q where q.store_id = p_store and q.request_id = w.id offset 0) as r
    cross join lateral (select coalesce(q.country, '') as country from vouch.sales_order q
                        where q.store_id = p_store and q.order_id = r.order_id offset 0) as o
  ), place as materialized (
    select d.country, (vouch.request_policy_of(p_store, nullif(d.country, ''))).link_valid_for
    from (select distinct a.country from asked a offset 0) as d
  )
  select a.id, h.link_valid_for from asked a join place h on h.country = a.country;
end
$$;
comment on function vouch.link_life is 'How long the links of these requests open their forms.';

create or replace function vouch.mail_put_back(p_store text, p_mail vouch.outgoing_mail, p_reason text, p_due_at timestamptz) returns void
language plpgsql as $$
begin
  delete from vouch.send_attempt t where t.store_id = p_store and t.mail_id = p_mail.mail_id and t.lease = p_mail.lease;
  if found then
    update vouch.outgoing_mail m set attempts = m.attempts - 1 where m.store_id = p_store and m.mail_id = p_mail.mail_id;
  end if;
  perform vouch.mail_end(p_store, p_mail, case when p_mail.doubts > 0 then 'ambiguous' else 'queued' end, p_reason, p_due_at);
end
$$;
comment on function vouch.mail_put_back is 'Nothing of this mail reached the relay: due again then, and an attempt already noted is undone.';

create or replace function vouch.mail_skip(p_store text, p_mail vouch.outgoing_mail, p_reason text) returns void
language plpgsql as $$
begin
  if p_reason = 'quiet' then
    perform vouch.mail_end(p_store, p_mail, case when p_mail.doubts > 0 then 'ambiguous' else 'queued' end, p_reason,
      vouch.request_awake(p_store, p_mail.subject_id));
  elsif p_mail.doubts > 0 then
    perform vouch.mail_end(p_store, p_mail, 'ambiguous', p_reason, 'infinity');
  else
    perform vouch.mail_end(p_store, p_mail, 'skipped', p_reason, vouch.clock());
  end if;
end
$$;
comment on function vouch.mail_skip is 'A mail that must not go out (again): skipped, or left ambiguous for good where it may have arrived; at a quiet hour it waits for the end of that.';

create or replace function vouch.mail_end(p_store text, p_mail vouch.outgoing_mail, p_state text, p_reason text, p_due_at timestamptz) returns void
language plpgsql as $$
begin
  update vouch.outgoing_mail m set state = p_state, reason = p_reason, lease = null, lease_until = null, due_at = p_due_at,
    doubts = m.doubts + case when p_state = 'ambiguous' and p_reason is null then 1 else 0 end,
    finished_at = case when p_state in ('sent', 'failed', 'skipped', 'expired') then vouch.clock() end
  where m.store_id = p_store and m.mail_id = p_mail.mail_id;
  if p_mail.kind = 'request' then
    update vouch.review_request r set
      state = case when p_state = 'queued' then 'sending' when p_state = 'skipped' and p_reason in ('cancelled', 'refunded') then 'cancelled' else p_state end,
      reason = p_reason, sent_at = case when p_state = 'sent' then vouch.clock() else r.sent_at end
    where r.store_id = p_store and r.request_id = p_mail.subject_id;
  end if;
end
$$;
comment on function vouch.mail_end is 'Gives a lease back with the outcome; the request''s state mirrors it.';

create or replace function vouch.mail_backoff(p_attempts integer) returns interval
language plpgsql volatile as $$
begin
  return (
    select least(interval '15 minutes' * 2 ^ greatest(p_attempts - 1, 0), interval '12 hours') * (0.5 + random() / 2));
end
$$;
comment on function vouch.mail_backoff is '15 min, 30 min, 1 h … 12 h, half of it jitter (RFC 5321 §4.5.4.1); given up five days after the first attempt.';

create or replace function vouch.mail_outcome(p_store text, p_mail vouch.outgoing_mail, p_class text, p_code integer, p_enhanced text) returns void
language plpgsql as $$
begin
  if p_class = 'refused' then
    perform vouch.mail_end(p_store, p_mail, 'failed', concat_ws(' ', p_code, p_enhanced), vouch.clock());
    perform vouch.bounce_note(p_store, p_mail.mail_id, p_mail.address_key, p_enhanced, 'relay');
  elsif p_class = 'ambiguous' then
    perform vouch.mail_end(p_store, p_mail, 'ambiguous', null,
      case when p_mail.doubts = 0 and not exists (select from vouch.mail_policy p where p.store_id = p_store and p.on_doubt = 'hold')
        then vouch.clock() + interval '30 minutes' else 'infinity' end);
  elsif exists (select from vouch.send_attempt t where t.store_id = p_store and t.mail_id = p_mail.mail_id and t.started_at < vouch.clock() - interval '5 days') then
    perform vouch.mail_end(p_store, p_mail, 'expired', concat_ws(' ', 'gave up after', p_code, p_enhanced), vouch.clock());
  else
    perform vouch.mail_end(p_store, p_mail, 'queued', null, vouch.clock() + vouch.mail_backoff(p_mail.attempts));
    perform vouch.domain_defer(p_store, p_mail, p_code, p_enhanced);
  end if;
end
$$;

create or replace function vouch.mail_sent(p_store text, p_mails vouch.outgoing_mail[]) returns void
language plpgsql as $$
declare
  reminded boolean := exists (select from vouch.request_policy p where p.store_id = p_store and cardinality(p.reminder_after) > 0);
  at_clock timestamptz := vouch.clock();
  told jsonb[];
  single record;
begin
  if p_mails = '{}' then
    return;
  end if;
  update vouch.outgoing_mail m set state = 'sent', reason = null, lease = null, lease_until = null, due_at = at_clock, finished_at = at_clock
  where m.store_id = p_store and m.mail_id = any (array(select u.mail_id from unnest(p_mails) u));
  perform vouch.domains_relent(p_store, p_mails);
  with asked as (
    update vouch.review_request r set state = 'sent', reason = null, sent_at = vouch.clock()
    where r.store_id = p_store and r.request_id = any (array(select u.subject_id from unnest(p_mails) u where u.kind = 'request'))
    returning r.request_id, r.order_id, r.sent_at
  )
  select array_agg(jsonb_build_object('request', to_jsonb(a)) order by a.request_id) into told from asked a;
  perform vouch.outbox_add_all(p_store, 'request.sent', told);
  for single in select u.kind, u.subject_id, u.serial from unnest(p_mails) u where u.kind = 'reminder' or u.kind = 'request' and reminded order by 2 loop
    if single.kind = 'request' then
      perform vouch.request_remind(p_store, single.subject_id);
    else
      update vouch.review_request r set reminders_sent = greatest(r.reminders_sent, single.serial)
      where r.store_id = p_store and r.request_id = single.subject_id;
    end if;
  end loop;
end
$$;
comment on function vouch.mail_sent is 'Mails the relay has taken, under leases of this transaction: they and their requests are sent, reminders are queued, the store hears of it.';

create or replace function vouch.attempts_end(
  p_store text, p_mails bigint[], p_leases bigint[], p_classes text[], p_codes bigint[], p_replies text[], p_held bigint[]
) returns void
language plpgsql as $$
declare
  at_clock timestamptz := vouch.clock();
  single record;
  whole boolean;
begin
  for single in
    select u.* from unnest(p_mails, p_leases, p_classes, p_codes, p_replies) as u (mail, lease, class, code, reply) order by u.mail
  loop
    whole := single.lease = any (p_held);
    single.reply := left(regexp_replace(single.reply, '[^[:space:]<>"'':;,()]+@[^[:space:]<>"'':;,()]+', '…', 'g'), 500);
    update vouch.send_attempt t set
      finished_at = case when t.class is null or whole then at_clock else t.finished_at end,
      class = case when t.class is null or whole then single.class else t.class end,
      code = case when t.class is null or whole then single.code else t.code end,
      reply = case when t.class is null or whole then single.reply
        else left(concat_ws(' ', 'late:', single.class, single.code, single.reply), 500) end
    where t.store_id = p_store and t.mail_id = single.mail and t.lease = single.lease
      and (t.class is null or whole or t.class = 'ambiguous' and t.reply not like 'late:%');
  end loop;
end
$$;
comment on function vouch.attempts_end is
'Notes how attempts ended, without the addresses relays like to repeat. What comes when one already counts as ambiguous is kept as late. p_held: leases that still hold.';

create or replace function vouch.mail_settle(
  p_store text, p_mails bigint[], p_leases bigint[], p_classes text[], p_codes bigint[], p_enhanced text[], p_replies text[]
) returns integer
language plpgsql security definer as $$
declare
  held vouch.outgoing_mail[];
  single record;
begin
  perform vouch.enter(p_store);
  held := vouch.mail_hold(p_store, p_mails, p_leases);
  perform vouch.attempts_end(p_store, p_mails, p_leases, p_classes, p_codes, p_replies, array(select m.lease from unnest(held) m));
  perform vouch.mail_sent(p_store, array(
    select m from unnest(p_leases, p_classes) as a (lease, class) join unnest(held) m on m.lease = a.lease where a.class = 'accepted'));
  for single in
    select m as mail, a.* from unnest(p_leases, p_classes, p_codes, p_enhanced) as a (lease, class, code, enhanced)
    join unnest(held) m on m.lease = a.lease where a.class <> 'accepted' order by m.mail_id
  loop
    perform vouch.mail_outcome(p_store, single.mail, single.class, single.code::integer, single.enhanced);
  end loop;
  return coalesce(cardinality(held), 0);
end
$$;
comment on function vouch.mail_settle is
'Records how attempts ended (accepted, deferred, refused, ambiguous), fenced by their leases: a late outcome is kept with its attempt and overwrites no state. Returns how many leases it ended.';

create or replace function vouch.mail_turn(
  p_store text, p_mails bigint[], p_leases bigint[], p_lease interval,
  p_ended bigint[], p_ended_leases bigint[], p_classes text[], p_codes bigint[], p_enhanced text[], p_replies text[]
) returns table (what text, number bigint)
language plpgsql security definer as $$
begin
  return query select 'settled', vouch.mail_settle(p_store, p_ended, p_ended_leases, p_classes, p_codes, p_enhanced, p_replies)::bigint;
  return query select 'data', d from vouch.mail_data(p_store, p_mails, p_leases, p_lease) d;
end
$$;
comment on function vouch.mail_turn is
'vouch.mail_settle and vouch.mail_data in one commit: what the relay said of the last mails, and what it is about to be handed. Rows: settled, how many leases ended; data, each mail that may be handed over.';

create or replace function vouch.mail_release(p_store text, p_mails bigint[], p_leases bigint[], p_again_in interval) returns integer
language plpgsql security definer as $$
declare
  mail vouch.outgoing_mail;
  released integer := 0;
begin
  perform vouch.enter(p_store);
  for mail in
    select m.* from (select * from unnest(p_mails, p_leases) as u (id, lease) order by u.id) as a
    cross join lateral (select o.* from vouch.outgoing_mail o
                        where o.store_id = p_store and o.mail_id = a.id and o.lease = a.lease and o.state = 'sending' offset 0 for no key update) as m
  loop
    perform vouch.mail_put_back(p_store, mail, 'released', vouch.clock() + p_again_in);
    released := released + 1;
  end loop;
  return released;
end
$$;
comment on function vouch.mail_release is
'Gives back leases of mails of which nothing reached the relay (relay down, not composed, stopping): no attempt is burned, one already noted is undone.';

create or replace function vouch.mail_take_over(p_store text, p_mail vouch.outgoing_mail) returns void
language plpgsql as $$
begin
  update vouch.send_attempt t set finished_at = vouch.clock(), class = 'ambiguous', reply = 'the sender died or went silent'
  where t.store_id = p_store and t.mail_id = p_mail.mail_id and t.lease = p_mail.lease and t.class is null;
  if found then
    perform vouch.mail_outcome(p_store, p_mail, 'ambiguous', null, null);
  else
    perform vouch.mail_end(p_store, p_mail, case when p_mail.doubts > 0 then 'ambiguous' else 'queued' end, 'recovered', vouch.clock());
  end if;
end
$$;

create or replace function vouch.mail_recover(p_store text, p_limit integer) returns integer
language plpgsql security definer as $$
declare
  mail vouch.outgoing_mail;
  recovered integer := 0;
begin
  perform vouch.enter(p_store);
  for mail in
    select m.* from vouch.outgoing_mail m
    where m.store_id = p_store and m.state = 'sending' and m.lease_until < vouch.clock()
    order by m.lease_until limit p_limit for update skip locked
  loop
    begin
      perform vouch.mail_take_over(p_store, mail);
      recovered := recovered + 1;
    exception when others then
      raise warning 'mail % of store % cannot be taken over: %', mail.mail_id, p_store, sqlerrm;
      update vouch.outgoing_mail m set lease_until = vouch.clock() + interval '1 hour' where m.store_id = p_store and m.mail_id = mail.mail_id;
    end;
  end loop;
  return recovered;
end
$$;
comment on function vouch.mail_recover is 'Takes over mails whose lease ran out: with an open attempt it may have arrived (ambiguous), without one it goes back to the queue at once. One that fails does not hold up the others.';
