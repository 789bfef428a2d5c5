-- SPDX-License-Identifier: MIT
-- Time and place of a transaction.

create or replace function vouch.clock() returns timestamptz
language plpgsql stable as $$
declare
  known text := current_setting('vouch.clock_offset', true);
begin
  if known <> '' then
    return now() + known::interval;
  end if;
  return now() + (select i.clock_offset from vouch.installation i where i.only_row);
end
$$;
comment on function vouch.clock() is
'The one clock of all decisions: now() plus installation.clock_offset. vouch.enter() reads the offset once for its transaction, over whatever the session may have set.';

create or replace function vouch.set_clock_offset(p_offset interval) returns timestamptz
language plpgsql as $$
begin
  update vouch.installation set clock_offset = p_offset;
  perform set_config('vouch.clock_offset', '', true);
  return vouch.clock();
end
$$;
comment on function vouch.set_clock_offset(interval) is 'For tests and rehearsals, by the owner only. vouchctl check reports an offset other than 0.';

create or replace function vouch.enter(p_store text) returns void
language plpgsql as $$
begin
  perform set_config('vouch.store', p_store, true), set_config('lock_timeout', '3s', true),
    set_config('vouch.clock_offset', i.clock_offset::text, true)
  from vouch.installation i where i.only_row;
end
$$;
comment on function vouch.enter(text) is 'Sets the store of this transaction, which row-level security reads. For the inner functions only.';

create or replace function vouch.gate(p_store text, p_alone boolean) returns timestamptz
language plpgsql as $$
declare
  entered record;
begin
  select now() + i.clock_offset as at_clock, set_config('vouch.store', p_store, true), set_config('lock_timeout', '3s', true),
    set_config('vouch.clock_offset', i.clock_offset::text, true), case when p_alone then pg_advisory_xact_lock(hashtextextended(p_store, 3))
    else pg_advisory_xact_lock_shared(hashtextextended(p_store, 3)) end into entered
  from vouch.installation i where i.only_row;
  return entered.at_clock;
end
$$;
comment on function vouch.gate(text, boolean) is
'vouch.enter(), in one statement, for whatever writes what people said or who they are; returns vouch.clock(). Erasure goes through alone, so that nothing in flight can bring a person back; so does a batch of several reviews or customers, whose rows have no order in which all could lock them.';

create or replace function vouch.refuse(p_state text, p_pointer text, p_text text) returns void
language plpgsql as $$
begin
  raise exception using errcode = p_state, message = p_text, detail = p_pointer;
end
$$;
comment on function vouch.refuse(text, text, text) is 'Raises one of Vouch''s own errors: VO1xx bad input, VO2xx not allowed in this state or role; the pointer names the field (RFC 6901).';
