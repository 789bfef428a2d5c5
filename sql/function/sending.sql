-- SPDX-License-Identifier: MIT
-- Whether mail may go out now, how much of it, and to which domains.

create or replace function vouch.mail_installation() returns text
language sql stable as $$
  select s.system_identifier || '/' || d.oid from pg_control_system() s, pg_database d where d.datname = current_database()
$$;
comment on function vouch.mail_installation is 'This cluster and database: another one after a restore or a copy.';

create or replace function vouch.mail_paused(p_store text) returns text
language plpgsql as $$
declare
  known vouch.mail_state;
  patience interval := coalesce((select p.quiet_after from vouch.mail_policy p where p.store_id = p_store), interval '24 hours');
  why text;
begin
  select s.* into known from vouch.mail_state s where s.store_id = p_store;
  if not found then
    insert into vouch.mail_state (store_id, installation, seen_at) values (p_store, vouch.mail_installation(), now()) on conflict do nothing;
    return null;
  elsif known.paused_at is not null then
    return known.pause_reason;
  elsif known.installation <> vouch.mail_installation() then
    why := 'this database was restored or copied from another one';
  elsif now() - known.seen_at > patience and exists (
      select from vouch.outgoing_mail m where m.store_id = p_store and m.state in ('queued', 'ambiguous') and m.due_at < vouch.clock() - patience
      union all
      select from vouch.review_request r where r.store_id = p_store and r.state = 'scheduled' and r.due_at < vouch.clock() - patience) then
    why := format('nothing was sent since %s and older mail is due: restored from a backup?', to_char(known.seen_at at time zone 'UTC', 'YYYY-MM-DD HH24:MI "UTC"'));
  end if;
  if why is not null then
    update vouch.mail_state s set paused_at = vouch.clock(), pause_reason = why, paused_by = 'vouch' where s.store_id = p_store and s.paused_at is null;
  elsif now() - known.seen_at > interval '1 minute' then
    update vouch.mail_state s set seen_at = greatest(s.seen_at, now()) where s.store_id = p_store;
  end if;
  return why;
end
$$;
comment on function vouch.mail_paused is 'Why nothing may be sent, NULL when it may; notices a restored database, and notes that somebody is here.';

create or replace function vouch.mail_pulse(p_store text, p_relay_problem text) returns text
language plpgsql security definer as $$
declare
  unnamed text := left(regexp_replace(p_relay_problem, '[^[:space:]<>"'':;,()]+@[^[:space:]<>"'':;,()]+', '…', 'g'), 500);
  why text;
begin
  perform vouch.enter(p_store);
  why := vouch.mail_paused(p_store);
  update vouch.mail_state s set relay_problem = unnamed,
    relay_down_at = case when unnamed is not null then coalesce(s.relay_down_at, vouch.clock()) end
  where s.store_id = p_store and s.relay_problem is distinct from unnamed;
  return why;
end
$$;
comment on function vouch.mail_pulse is 'A worker is here, and how it finds the relay (NULL: well). Answers why nothing may be sent, NULL when it may. About once a second.';

create or replace function vouch.mail_budget(p_store text, p_wanted integer) returns integer
language plpgsql as $$
declare
  policy vouch.mail_policy;
  today date := (vouch.clock() at time zone 'UTC')::date;
  left_now double precision;
  allowed integer;
begin
  select p.* into policy from vouch.mail_policy p where p.store_id = p_store and (p.rate_per_minute is not null or p.rate_per_day is not null);
  if not found then
    return p_wanted;
  end if;
  select case when policy.rate_per_minute is null then p_wanted
      else least(greatest(1, policy.rate_per_minute / 6.0), greatest(s.tokens, 0) + policy.rate_per_minute
        * least(greatest(extract(epoch from vouch.clock() - greatest(s.refilled_at, vouch.clock() - interval '1 hour')) / 60.0, 0), 60)) end
  into left_now from vouch.mail_state s where s.store_id = p_store for no key update;
  select least(p_wanted, floor(left_now)::integer,
    coalesce(policy.rate_per_day - case when s.day = today then s.claimed_that_day else 0 end, p_wanted))
  into allowed from vouch.mail_state s where s.store_id = p_store;
  allowed := greatest(allowed, 0);
  update vouch.mail_state s set tokens = left_now - allowed, refilled_at = vouch.clock(), day = today,
    claimed_that_day = case when s.day = today then s.claimed_that_day else 0 end + allowed
  where s.store_id = p_store;
  return allowed;
end
$$;
comment on function vouch.mail_budget is 'How many of so many mails the store''s limits let go now; they are taken from the limits. A token bucket, refilled by vouch.clock().';

create or replace function vouch.mail_unspent(p_store text, p_mails integer) returns void
language plpgsql as $$
begin
  update vouch.mail_state s set tokens = s.tokens + p_mails, claimed_that_day = greatest(s.claimed_that_day - p_mails, 0)
  where s.store_id = p_store and p_mails > 0 and exists (
    select from vouch.mail_policy p where p.store_id = p_store and (p.rate_per_minute is not null or p.rate_per_day is not null));
end
$$;
comment on function vouch.mail_unspent is 'Gives back what of vouch.mail_budget was not used.';

create or replace function vouch.mail_domain_of(p_store text, p_address_key bytea) returns text
language plpgsql stable as $$
begin
  return (select lower(substring(c.email from '@([^@]*)$')) from vouch.customer c where c.store_id = p_store and c.address_key = p_address_key);
end
$$;

create or replace function vouch.domain_defer(p_store text, p_mail vouch.outgoing_mail, p_code integer, p_enhanced text) returns void
language plpgsql as $$
begin
  if p_code is distinct from 421 and coalesce(p_enhanced, '') !~ '^4\.(7\.|4\.|3\.2$)' then
    return;
  end if;
  insert into vouch.mail_domain as d (store_id, domain, failures, paused_until)
  select p_store, n.domain, 1, vouch.clock() + interval '5 minutes' * (0.75 + random() / 2)
  from (select vouch.mail_domain_of(p_store, p_mail.address_key) as domain) n where n.domain is not null
  on conflict (store_id, domain) do update set failures = d.failures + 1,
    paused_until = vouch.clock() + least(interval '5 minutes' * 2 ^ least(d.failures, 10), interval '4 hours') * (0.75 + random() / 2)
  where d.paused_until <= vouch.clock();
end
$$;
comment on function vouch.domain_defer is 'A domain that asks for patience gets it for all its mail; answers that come together count once.';

create or replace function vouch.domains_relent(p_store text, p_mails vouch.outgoing_mail[]) returns void
language plpgsql as $$
begin
  if exists (select from vouch.mail_domain d where d.store_id = p_store) then
    delete from vouch.mail_domain d where d.store_id = p_store
      and d.domain = any (array(select vouch.mail_domain_of(p_store, m.address_key) from unnest(p_mails) m));
  end if;
end
$$;
comment on function vouch.domains_relent is 'These domains take mail again.';

create or replace function vouch.domain_patience(p_store text, p_mail vouch.outgoing_mail) returns timestamptz
language plpgsql stable as $$
begin
  return (
    select d.paused_until + (d.paused_until - vouch.clock()) * random() / 4 from vouch.mail_domain d
    where d.store_id = p_store and d.domain = vouch.mail_domain_of(p_store, p_mail.address_key) and d.paused_until > vouch.clock());
end
$$;
comment on function vouch.domain_patience is 'Until when this mail has to wait for its domain, spread a little; NULL: it may go.';

create or replace function vouch.pause_mail(note text, operator text default null) returns void
language plpgsql security definer as $$
declare
  actor record;
begin
  select a.* into actor from vouch.act(pause_mail.operator, array['manager']) a;
  insert into vouch.mail_state as s (store_id, installation, seen_at, paused_at, pause_reason, paused_by)
  values (actor.store, vouch.mail_installation(), now(), vouch.clock(), coalesce(nullif(btrim(note), ''), 'paused'), actor.name)
  on conflict (store_id) do update set paused_at = excluded.paused_at, pause_reason = excluded.pause_reason, paused_by = excluded.paused_by;
end
$$;
comment on function vouch.pause_mail is 'Nothing leaves the mail queue until vouch.resume_mail; what is under way ends.';

create or replace function vouch.mail_resume(p_store text, p_operator text) returns text
language plpgsql security definer as $$
declare
  before text;
begin
  perform vouch.enter_as(p_store);
  select s.pause_reason into before from vouch.mail_state s where s.store_id = p_store and s.paused_at is not null for update;
  update vouch.mail_state s set paused_at = null, pause_reason = null, paused_by = null, installation = vouch.mail_installation(), seen_at = now(),
    resumed_at = vouch.clock(), resumed_by = p_operator
  where s.store_id = p_store and before is not null;
  return before;
end
$$;
comment on function vouch.mail_resume is 'Lets a paused store send again, here. Answers why it was paused, NULL when it was not. By vouchctl resume and vouch.resume_mail.';

create or replace function vouch.resume_mail(operator text default null) returns text
language plpgsql security definer as $$
declare
  actor record;
begin
  select a.* into actor from vouch.act(resume_mail.operator, array['manager']) a;
  return vouch.mail_resume(actor.store, actor.name);
end
$$;
comment on function vouch.resume_mail is 'Confirms that mail may go out from this database, with all that is due by now. Answers why it was paused.';
