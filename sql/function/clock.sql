-- SPDX-License-Identifier: MIT
-- Time and place of a transaction.

create or replace function vouch.clock() returns timestamptz
language plpgsql stable as $$
begin
  return now() + (select i.clock_offset from vouch.installation i where i.only_row);
end
$$;
comment on function vouch.clock() is 'The one clock of all decisions: now() plus installation.clock_offset.';

create or replace function vouch.set_clock_offset(p_offset interval) returns timestamptz
language plpgsql as $$
begin
  update vouch.installation set clock_offset = p_offset;
  return vouch.clock();
end
$$;
comment on function vouch.set_clock_offset(interval) is 'For tests and rehearsals, by the owner only. vouchctl check reports an offset other than 0.';

create or replace function vouch.enter(p_store text) returns void
language plpgsql as $$
begin
  perform pg_catalog.set_config('vouch.store', p_store, true), pg_catalog.set_config('lock_timeout', '3s', true);
end
$$;
comment on function vouch.enter(text) is 'Sets the store of this transaction, which row-level security reads. For the inner functions only.';

create or replace function vouch.gate(p_store text, p_alone boolean) returns void
language plpgsql as $$
begin
  if p_alone then
    perform pg_advisory_xact_lock(hashtextextended(p_store, 3));
  else
    perform pg_advisory_xact_lock_shared(hashtextextended(p_store, 3));
  end if;
end
$$;
comment on function vouch.gate(text, boolean) is
'Taken first by whatever writes what people said or who they are. Erasure goes through alone, so that nothing in flight can bring a person back; so does a batch of several reviews or customers, whose rows have no order in which all could lock them.';

create or replace function vouch.refuse(p_state text, p_pointer text, p_text text) returns void
language plpgsql as $$
begin
  raise exception using errcode = p_state, message = p_text, detail = p_pointer;
end
$$;
comment on function vouch.refuse(text, text, text) is 'Raises one of Vouch''s own errors: VO1xx bad input, VO2xx not allowed in this state or role; the pointer names the field (RFC 6901).';
