-- Time and place of a transaction.

create or replace function vouch.clock() returns timestamptz
language sql stable
return pg_catalog.now() + (select i.clock_offset from vouch.installation i);
comment on function vouch.clock() is 'The one clock of all decisions: now() plus installation.clock_offset.';

create or replace function vouch.set_clock_offset(p_offset interval) returns timestamptz
language plpgsql set search_path = '' as $$
begin
  update vouch.installation set clock_offset = p_offset;
  return vouch.clock();
end
$$;
comment on function vouch.set_clock_offset(interval) is 'For tests and rehearsals, by the owner only. vouchctl check reports an offset other than 0.';

create or replace function vouch.enter(p_store text) returns void
language plpgsql set search_path = '' as $$
begin
  perform pg_catalog.set_config('vouch.store', p_store, true), pg_catalog.set_config('lock_timeout', '3s', true);
end
$$;
comment on function vouch.enter(text) is 'Sets the store of this transaction, which row-level security reads. For the inner functions only.';

create or replace function vouch.refuse(p_state text, p_pointer text, p_text text) returns void
language plpgsql set search_path = '' as $$
begin
  raise exception using errcode = p_state, message = p_text, detail = p_pointer;
end
$$;
comment on function vouch.refuse(text, text, text) is 'Raises one of Vouch''s own errors: VO1xx bad input, VO2xx not allowed in this state or role; the pointer names the field (RFC 6901).';
