-- SPDX-License-Identifier: MIT
-- The operator console. Every function takes the store, the operator and the role that the host named, and the fields of the page or form;
-- each checks the role again. Pages answer one jsonb object, deeds {"query":{…}} for the page to go back to. Decisions are those of
-- everybody else: they end in vouch.approve() and its siblings.

create or replace function vouch.console_as(p_store text, p_operator text, p_role text, p_roles text[]) returns void
language plpgsql stable as $$
declare
  held_role text := p_role;
begin
  perform vouch.enter_as(p_store);
  if not vouch.is_module() then
    select o.role into held_role from vouch.operator o where o.store_id = p_store and o.name = session_user and p_operator = session_user;
  end if;
  if held_role is null or not held_role = any (p_roles) then
    perform vouch.refuse('VO203', '', format('this needs one of the roles %s', array_to_string(p_roles, ', ')));
  end if;
end
$$;
comment on function vouch.console_as is 'vouch.enter_as() with a role: the module says whom it speaks for, somebody at psql is looked up in table operator.';

create or replace function vouch.console_number(p_ask jsonb, p_field text) returns bigint
language plpgsql immutable as $$
begin
  if coalesce(p_ask ->> p_field, '') = '' then
    return null;
  end if;
  if p_ask ->> p_field !~ '^[0-9]{1,18}$' then
    perform vouch.refuse('VO102', '/' || p_field, format('%s is a number', p_field));
  end if;
  return (p_ask ->> p_field)::bigint;
end
$$;
comment on function vouch.console_number is 'A field that holds a whole number; NULL when it is empty.';

create or replace function vouch.console_id(p_ask jsonb) returns bigint
language sql immutable as $$
  select case when p_ask ->> 'id' ~ '^[1-9][0-9]{0,17}$' then (p_ask ->> 'id')::bigint end
$$;
comment on function vouch.console_id is 'What stands in the page''s address; NULL when it is no id, which opens no page.';

create or replace function vouch.console_some(p_count bigint, p_most bigint) returns text
language sql immutable as $$
  select case when p_count > p_most then p_most || '+' else p_count::text end
$$;
comment on function vouch.console_some is 'A count that was cut off at its limit says so: 1000+.';

create or replace function vouch.console_counts(p_store text, p_operator text, p_role text, p_ask jsonb) returns jsonb
language plpgsql stable security definer as $$
declare
  held bigint;
  overdue bigint;
begin
  perform vouch.console_as(p_store, p_operator, p_role, array['viewer', 'moderator', 'manager', 'mediator']);
  held := (select count(*) from (select from vouch.review_revision r where r.store_id = p_store and r.state = 'held' limit 1001) x);
  overdue := (select count(*) from (select from vouch.review_revision r where r.store_id = p_store and r.state = 'held'
                                    and r.deadline_at < vouch.clock() limit 1001) x);
  return jsonb_build_object('held', vouch.console_some(held, 1000), 'overdue', vouch.console_some(overdue, 1000), 'some_overdue', overdue > 0,
    'next_s', (select extract(epoch from r.deadline_at - vouch.clock())::bigint from vouch.review_revision r
               where r.store_id = p_store and r.state = 'held' order by r.deadline_at, r.review_id limit 1),
    'reports', vouch.console_some((select count(*) from (select from vouch.review_report r where r.store_id = p_store and r.state = 'open' limit 1001) x), 1000),
    'appeals', vouch.console_some((select count(*) from (select from vouch.appeal a where a.store_id = p_store and a.state = 'open' limit 1001) x), 1000),
    'queued', vouch.console_some((select count(*) from (select from vouch.outgoing_mail m
      where m.store_id = p_store and m.state in ('queued', 'ambiguous') limit 1001) x), 1000),
    'mail_late', coalesce((select m.due_at < vouch.clock() - interval '10 minutes' from vouch.outgoing_mail m
      where m.store_id = p_store and m.state in ('queued', 'ambiguous') order by m.due_at, m.mail_id limit 1), false),
    'counted_at', vouch.clock());
end
$$;
comment on function vouch.console_counts is 'The live counts. Each looks at 1001 rows at most.';

create or replace function vouch.console_fortnight() returns setof timestamp
language sql stable as $$
  select generate_series(date_trunc('day', vouch.clock() at time zone 'UTC') - interval '13 days', date_trunc('day', vouch.clock() at time zone 'UTC'), interval '1 day')
$$;
comment on function vouch.console_fortnight is 'The days (UTC) that the charts of two weeks show, today the last.';

create or replace function vouch.console_days(p_store text) returns jsonb
language sql stable as $$
  select jsonb_agg(jsonb_build_object('name', to_char(d.day, 'MM-DD'), 'value', coalesce(n.decided, 0), 'people', coalesce(n.people, 0)) order by d.day)
  from vouch.console_fortnight() as d (day)
  left join (
    select date_trunc('day', x.decided_at at time zone 'UTC') as day, count(*) as decided, count(*) filter (where not x.automated) as people
    from (select e.decided_at, e.automated from vouch.review_decision e where e.store_id = p_store order by e.decision_id desc limit 5000) x
    group by 1) n on n.day = d.day
$$;
comment on function vouch.console_days is 'Decisions a day over two weeks, of the newest 5000: all, and those by people.';

create or replace function vouch.console_home(p_store text, p_operator text, p_role text, p_ask jsonb) returns jsonb
language plpgsql stable security definer as $$
begin
  return vouch.console_counts(p_store, p_operator, p_role, p_ask) || jsonb_build_object(
    'due', (select coalesce(jsonb_agg(jsonb_build_object('review_id', q.review_id, 'product', vouch.product_name(p_store, q.product_id),
              'deadline_s', extract(epoch from q.deadline_at - vouch.clock())::bigint, 'deadline_at', q.deadline_at,
              'reasons', to_jsonb(q.reasons), 'rating', q.rating) order by q.deadline_at, q.review_id), '[]')
            from (select * from vouch.held_review h where h.store_id = p_store order by h.deadline_at, h.review_id limit 5) q),
    'bars', vouch.console_days(p_store));
end
$$;
comment on function vouch.console_home is 'The console''s first page: counts, the nearest deadlines, what was decided lately.';

-- One review as an operator sees it.

create or replace function vouch.console_order(p_store text, p_review vouch.review) returns jsonb
language sql stable as $$
  select jsonb_build_object('order_id', o.order_id, 'placed_at', o.placed_at, 'paid_at', o.paid_at, 'shipped_at', o.shipped_at,
    'delivered_at', o.delivered_at, 'cancelled_at', o.cancelled_at,
    'refunded_at', o.refunded_at, 'total', trim_scale(o.total)::text, 'currency', o.currency, 'country', o.country,
    'lines', (select coalesce(jsonb_agg(jsonb_build_object('name', coalesce(l.name, l.product_id, l.line_id), 'delivered_at', l.delivered_at,
                'refunded_at', l.refunded_at, 'cancelled_at', l.cancelled_at, 'this', l.line_id = (p_review).line_id) order by l.line_id), '[]')
              from (select * from vouch.order_line w where w.store_id = p_store and w.order_id = o.order_id order by w.line_id limit 20) l))
  from vouch.sales_order o
  where o.store_id = p_store and o.order_id = case when (p_review).order_id is null then (p_review).wanted_order_id else (p_review).order_id end
$$;
comment on function vouch.console_order is 'The facts of the order beside the words. NULL: no order is known. CASE, for a coalesce() is no condition on an index under row-level security.';

create or replace function vouch.console_author(p_store text, p_review vouch.review) returns jsonb
language plpgsql stable as $$
declare
  states text[];
begin
  if (p_review).customer_id is not null then
    states := array(select v.state from vouch.review v where v.store_id = p_store and v.customer_id = (p_review).customer_id limit 500);
  elsif (p_review).address_key is not null then
    states := array(select v.state from vouch.review v where v.store_id = p_store and v.address_key = (p_review).address_key limit 500);
  else
    return null;
  end if;
  return jsonb_build_object(
    'ref', case when (p_review).customer_id is not null then 'c:' || (p_review).customer_id else 'a:' || encode((p_review).address_key, 'hex') end,
    'customer_id', (p_review).customer_id,
    'reviews', cardinality(states),
    'published', (select count(*) from unnest(states) s where s = 'published'),
    'rejected', (select count(*) from unnest(states) s where s = 'rejected'),
    'waiting', (select count(*) from unnest(states) s where s = 'held'));
end
$$;
comment on function vouch.console_author is 'What this author wrote before, by states. NULL: nobody knows who it is.';

create or replace function vouch.console_card(p_store text, p_review bigint, p_revision integer) returns jsonb
language plpgsql stable as $$
declare
  v vouch.review;
  r vouch.review_revision;
begin
  select x.* into v from vouch.review x where x.store_id = p_store and x.review_id = p_review;
  select x.* into r from vouch.review_revision x where x.store_id = p_store and x.review_id = p_review and x.revision = p_revision;
  return jsonb_build_object('review_id', v.review_id, 'revision', r.revision,
    'version', (select max(d.decision_id) from vouch.review_decision d where d.store_id = p_store and d.review_id = p_review),
    'product_id', v.product_id, 'product', vouch.product_name(p_store, v.product_id), 'state', r.state,
    'rating', r.rating, 'title', r.title, 'body', r.body, 'author_name', r.author_name, 'locale', r.locale,
    'lang', substring(r.locale from '^[A-Za-z]{2,3}'), 'marks', r.marks,
    'reasons', to_jsonb(r.held_for), 'labels', to_jsonb(r.labels), 'held', r.state = 'held', 'written_at', r.written_at, 'held_at', r.held_at,
    'deadline_at', r.deadline_at, 'deadline_s', extract(epoch from r.deadline_at - vouch.clock())::bigint, 'escalated', r.escalated_at is not null,
    'verified', v.verified, 'verified_reason', v.verified_reason, 'claim', v.claim, 'experience_at', v.experience_at,
    'invited', v.invited, 'incentivised', v.incentivised, 'change', r.revision > 1, 'still_published', v.published_revision is not null and r.state = 'held',
    'erased', r.erased_at is not null,
    'hidden', (select coalesce(jsonb_agg(convert_from(substring(convert_to(case x ->> 'field' when 'title' then r.title when 'body' then r.body
        else r.author_name end, 'UTF8') from (x ->> 'start')::integer + 1 for (x ->> 'end')::integer - (x ->> 'start')::integer), 'UTF8')), '[]')
      from jsonb_array_elements(r.redactions) x where r.erased_at is null),
    'approvable', r.state in ('held', 'rejected') and r.erased_at is null, 'rejectable', r.state in ('held', 'published'),
    'picked', r.state = 'held' and jsonb_array_length(r.marks) = 0,
    'order', vouch.console_order(p_store, v), 'author', vouch.console_author(p_store, v),
    'grounds', (select jsonb_agg(jsonb_build_object('ground', g.ground, 'needs_explanation', g.needs_explanation, 'wanted', g.facts) order by array_position(
                  array['abusive', 'wrong_product', 'not_genuine', 'personal_data', 'spam', 'illegal', 'conflict_of_interest'], g.ground))
                from (select distinct on (x.ground) x.* from vouch.rejection_ground x where x.store_id in (p_store, '*')
                      order by x.ground, x.store_id = p_store desc) g));
end
$$;
comment on function vouch.console_card is 'One revision with all that a decision needs: words, marks, reasons, deadline, order, author, grounds. version is the newest decision, to be given back with the next.';

-- The queue.

create or replace function vouch.console_held(
  p_store text, p_after_at timestamptz, p_after_id bigint, p_product text, p_reason text, p_locale text, p_before timestamptz, p_limit integer
) returns table (review_id bigint, revision integer, deadline_at timestamptz, fits boolean)
language plpgsql stable as $$
begin
  if p_product is not null then
    return query
      select r.review_id, r.revision, r.deadline_at,
        (p_reason is null or p_reason = any (r.held_for)) and (p_locale is null or r.locale ilike p_locale || '%') and (p_before is null or r.held_at < p_before)
      from (select v.review_id from vouch.review v
            where v.store_id = p_store and v.product_id = p_product and v.state in ('held', 'published')
              and v.published_revision is distinct from v.revision limit 5000) w
      cross join lateral (select * from vouch.review_revision x
        where x.store_id = p_store and x.review_id = w.review_id and x.state = 'held' offset 0) r
      where (r.deadline_at, r.review_id) > (p_after_at, p_after_id)
      order by r.deadline_at, r.review_id limit p_limit;
  else
    return query
      select r.review_id, r.revision, r.deadline_at,
        (p_reason is null or p_reason = any (r.held_for)) and (p_locale is null or r.locale ilike p_locale || '%') and (p_before is null or r.held_at < p_before)
      from vouch.review_revision r
      where r.store_id = p_store and r.state = 'held' and (r.deadline_at, r.review_id) > (p_after_at, p_after_id)
      order by r.deadline_at, r.review_id limit p_limit;
  end if;
end
$$;
comment on function vouch.console_held is 'Held revisions in the order of their deadlines, by keyset, at most p_limit looked at; fits: the filters hold.';

create or replace function vouch.console_after(p_ask jsonb, out after_at timestamptz, out after_id bigint)
language plpgsql immutable as $$
begin
  after_at := '-infinity';
  after_id := 0;
  if coalesce(p_ask ->> 'after', '') = '' then
    return;
  end if;
  if p_ask ->> 'after' !~ '^[0-9]{1,17}\.[0-9]{1,18}$' then
    perform vouch.refuse('VO102', '/after', 'after is what the link to the next page gave');
  end if;
  after_at := 'epoch'::timestamptz + split_part(p_ask ->> 'after', '.', 1)::bigint * interval '1 microsecond';
  after_id := split_part(p_ask ->> 'after', '.', 2)::bigint;
end
$$;
comment on function vouch.console_after is 'Where a page goes on: the keyset in its link, or before everything. Never NULL, for a coalesce() in a query is no condition on an index under row-level security.';

create or replace function vouch.console_cursor(p_at timestamptz, p_id bigint) returns text
language sql immutable as $$
  select (extract(epoch from p_at) * 1000000)::bigint || '.' || p_id
$$;
comment on function vouch.console_cursor is 'The keyset of a row as it stands in a link; console_after() reads it.';

create or replace function vouch.console_kept(p_ask jsonb) returns jsonb
language sql immutable as $$
  select coalesce(jsonb_object_agg(k.key, k.value), '{}') from jsonb_each(p_ask) k
  where k.key in ('product', 'reason', 'locale', 'older', 'after') and k.value <> '""'
$$;
comment on function vouch.console_kept is 'The queue''s filters and place, which a decision comes back to.';

create or replace function vouch.console_undoable(p_store text, p_operator text, p_review bigint) returns jsonb
language sql stable as $$
  select jsonb_build_object('review_id', d.review_id, 'action', d.action, 'version', (select max(w.decision_id) from vouch.review_decision w
    where w.store_id = p_store and w.review_id = p_review))
  from (select * from vouch.review_decision x where x.store_id = p_store and x.review_id = p_review and x.action <> 'supersede' order by x.decision_id desc limit 1) d
  where d.actor = p_operator and not d.automated and d.action in ('approve', 'reject', 'redact')
$$;
comment on function vouch.console_undoable is 'The operator''s own newest decision on a review, as long as nothing followed it.';

create or replace function vouch.console_queue_page(p_store text, p_ask jsonb, p_size integer) returns jsonb
language plpgsql stable as $$
declare
  place record := vouch.console_after(p_ask);
  filtered boolean := coalesce(p_ask ->> 'reason', '') || coalesce(p_ask ->> 'locale', '') || coalesce(p_ask ->> 'older', '') <> '';
  looked integer := case when filtered then 2000 else p_size + 1 end;
  at_id bigint := vouch.console_number(p_ask, 'at');
  held record;
  seen integer := 0;
  last text;
  next text;
  ids bigint[] := '{}';
  revisions integer[] := '{}';
begin
  for held in
    select * from vouch.console_held(p_store, place.after_at, place.after_id, nullif(p_ask ->> 'product', ''), nullif(p_ask ->> 'reason', ''),
      nullif(regexp_replace(p_ask ->> 'locale', '[^A-Za-z-]', '', 'g'), ''),
      vouch.clock() - vouch.console_number(p_ask, 'older') * interval '1 day', looked)
  loop
    if held.fits and cardinality(ids) = p_size then
      next := last;
      exit;
    elsif held.fits then
      ids := ids || held.review_id;
      revisions := revisions || held.revision;
    end if;
    seen := seen + 1;
    last := vouch.console_cursor(held.deadline_at, held.review_id);
  end loop;
  return jsonb_build_object('next', coalesce(next, case when filtered and seen >= looked then last end), 'some', cardinality(ids) > 0, 'filtered', filtered,
    'cards', (select coalesce(jsonb_agg(vouch.console_card(p_store, ids[n], revisions[n])
        || jsonb_build_object('current', ids[n] = at_id, 'next_id', ids[n + 1]) order by n), '[]')
      from generate_subscripts(ids, 1) n));
end
$$;
comment on function vouch.console_queue_page is
'A page of holds, nearest deadline first. A filter looks at 2000 holds at most and then hands on the place where it stopped, so that no page grows with the queue.';

create or replace function vouch.console_queue(p_store text, p_operator text, p_role text, p_ask jsonb) returns jsonb
language plpgsql stable security definer as $$
declare
  page jsonb;
begin
  perform vouch.console_as(p_store, p_operator, p_role, array['viewer', 'moderator', 'manager', 'mediator']);
  page := vouch.console_counts(p_store, p_operator, p_role, p_ask) || vouch.console_queue_page(p_store, p_ask, 20);
  return page || jsonb_build_object('listed', true,
    'asked', '{"product": null, "reason": null, "locale": null, "older": null, "after": null}' || vouch.console_kept(p_ask),
    'narrowed', (page ->> 'filtered')::boolean or coalesce(p_ask ->> 'product', '') <> '' or coalesce(p_ask ->> 'after', '') <> '',
    'undo', case when p_ask ? 'done' then vouch.console_undoable(p_store, p_operator, vouch.console_number(p_ask, 'on')) end,
    'ground_choices', (select jsonb_agg(jsonb_build_object('ground', x.ground) order by x.ground)
                       from (select distinct g.ground from vouch.rejection_ground g where g.store_id in (p_store, '*')) x),
    'reason_choices', (select jsonb_agg(jsonb_build_object('reason', c.reason, 'chosen', c.reason = p_ask ->> 'reason') order by c.reason)
                       from (select distinct h.reason from vouch.hold_policy h where h.store_id in (p_store, '*')) c),
    'locale_choices', (select jsonb_agg(jsonb_build_object('locale', l, 'chosen', l = p_ask ->> 'locale')) from unnest(array['en', 'es', 'pt', 'ar', 'fa', 'lv']) l),
    'older_choices', (select jsonb_agg(jsonb_build_object('days', n, 'chosen', n::text = p_ask ->> 'older')) from unnest(array[1, 3, 7, 14]) n));
end
$$;
comment on function vouch.console_queue is 'The queue: counts, filters, and 20 holds with all that a decision needs.';

-- Decisions.

create or replace function vouch.console_carry_out(p_store text, p_operator text, p_review bigint, p_version bigint, p_action text, p_ask jsonb) returns void
language plpgsql as $$
declare
  facts text := coalesce(nullif(btrim(p_ask ->> 'explanation'), ''), p_ask ->> ('ready.' || (p_ask ->> 'ground')));
begin
  if p_action = 'reject' and coalesce(p_ask ->> 'ground', '') = '' then
    perform vouch.refuse('VO103', '/ground', 'a refusal needs a ground: choose one of the list');
  end if;
  perform vouch.decide(p_store, p_review, p_operator, p_action, case p_action when 'reject' then p_ask ->> 'ground' end,
    case p_action when 'reject' then facts else nullif(btrim(p_ask ->> 'note'), '') end, coalesce(p_version, 0));
end
$$;

create or replace function vouch.console_decide(p_store text, p_operator text, p_role text, p_ask jsonb) returns jsonb
language plpgsql security definer as $$
declare
  wanted bigint := vouch.console_id(p_ask);
begin
  perform vouch.console_as(p_store, p_operator, p_role, array['moderator', 'manager']);
  perform vouch.console_carry_out(p_store, p_operator, wanted, vouch.console_number(p_ask, 'version'), p_ask ->> 'action', p_ask);
  return jsonb_build_object('at', p_ask ->> 'next', 'query', vouch.console_kept(p_ask) || jsonb_strip_nulls(jsonb_build_object(
    'done', case p_ask ->> 'action' when 'approve' then 'approved' else 'rejected' end, 'on', wanted::text, 'at', nullif(p_ask ->> 'next', ''))));
end
$$;
comment on function vouch.console_decide is 'approve or reject on the version that was shown; facts left empty are the ready ones of the ground.';

create or replace function vouch.console_undo(p_store text, p_operator text, p_role text, p_ask jsonb) returns jsonb
language plpgsql security definer as $$
begin
  perform vouch.console_as(p_store, p_operator, p_role, array['moderator', 'manager']);
  perform vouch.decide(p_store, vouch.console_id(p_ask), p_operator, 'undo', null, null, coalesce(vouch.console_number(p_ask, 'version'), 0));
  return jsonb_build_object('at', p_ask ->> 'id', 'query', vouch.console_kept(p_ask) || jsonb_build_object('done', 'undone', 'at', p_ask ->> 'id'));
end
$$;
comment on function vouch.console_undo is 'Takes the newest decision back, if it is still the one that was shown.';

create or replace function vouch.console_bulk(p_store text, p_operator text, p_role text, p_ask jsonb) returns jsonb
language plpgsql security definer as $$
declare
  pick record;
  moved integer := 0;
begin
  perform vouch.console_as(p_store, p_operator, p_role, array['moderator', 'manager']);
  for pick in
    select substring(k.key from '^pick\.([1-9][0-9]{0,17})$')::bigint as review_id, substring(k.value from '^[0-9]{1,18}$')::bigint as version
    from jsonb_each_text(p_ask) k where k.key ~ '^pick\.[1-9][0-9]{0,17}$' order by 1 limit 100
  loop
    perform vouch.review_lock(p_store, pick.review_id, coalesce(pick.version, 0));
    if not exists (select from vouch.review_revision r where r.store_id = p_store and r.review_id = pick.review_id and r.state = 'held'
                   and jsonb_array_length(r.marks) = 0) then
      perform vouch.refuse('VO206', '/pick', format('review %s has marked words: it is decided by itself', pick.review_id));
    end if;
    perform vouch.console_carry_out(p_store, p_operator, pick.review_id, pick.version, p_ask ->> 'action', p_ask);
    moved := moved + 1;
  end loop;
  if moved = 0 then
    perform vouch.refuse('VO104', '/pick', 'choose at least one review');
  end if;
  return jsonb_build_object('query', vouch.console_kept(p_ask) || jsonb_build_object(
    'done', case p_ask ->> 'action' when 'approve' then 'bulk_approved' else 'bulk_rejected' end, 'count', moved::text));
end
$$;
comment on function vouch.console_bulk is 'The same decision on several holds, all or none: only those without marked words, each in the version that was shown.';
