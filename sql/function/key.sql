-- SPDX-License-Identifier: MIT
-- The key behind links, codes, address keys and the record's signature: which one this database knows, and its change.

create or replace function vouch.secret_key(p_fresh bytea) returns bytea
language plpgsql security definer as $$
begin
  insert into vouch.secret (name, value) values ('key', p_fresh) on conflict (name) do nothing;
  return s.value from vouch.secret s where s.name = 'key';
end
$$;
comment on function vouch.secret_key is 'The key kept in the database where the options name none; made from p_fresh at first use.';

create or replace function vouch.key_check(p_fingerprint text) returns boolean
language plpgsql security definer as $$
begin
  update vouch.installation set key_fingerprint = p_fingerprint where key_fingerprint is null;
  return exists (select from vouch.installation i where i.key_fingerprint = p_fingerprint);
end
$$;
comment on function vouch.key_check is 'Remembers the fingerprint of the first key used; false for any other.';

create or replace function vouch.key_carried() returns bytea
language sql stable security definer as $$
  select s.value from vouch.secret s where s.name = 'carried'
$$;
comment on function vouch.key_carried is 'What an earlier key left for the present one, sealed so that only that one reads it; NULL where the key was never changed.';

create or replace function vouch.key_rotate(
  p_old text, p_new text, p_carried bytea, p_key bytea, p_end_links boolean,
  p_stores text[], p_sequences bigint[], p_signatures bytea[], p_public_key bytea
) returns integer
language plpgsql security definer as $$
declare
  head record;
  ended integer := 0;
  more integer;
begin
  update vouch.installation set key_fingerprint = p_new where key_fingerprint = p_old;
  if not found then
    perform vouch.refuse('VO105', '/secrets/key', 'the key was changed by somebody else meanwhile');
  end if;
  insert into vouch.secret (name, value) values ('carried', p_carried) on conflict (name) do update set value = excluded.value;
  delete from vouch.secret s where s.name = 'key';
  insert into vouch.secret (name, value) select 'key', p_key where p_key is not null;
  for head in select s.store_id, n.sequence, n.signature from vouch.store s
      left join unnest(p_stores, p_sequences, p_signatures) as n (store_id, sequence, signature) on n.store_id = s.store_id
  loop
    perform vouch.enter(head.store_id);
    perform pg_advisory_xact_lock(hashtextextended(head.store_id, 2));
    update vouch.record_head h set signature = head.signature, public_key = p_public_key, signed_at = vouch.clock()
    where h.store_id = head.store_id and h.sequence = head.sequence;
    if not found and exists (select from vouch.record_head h where h.store_id = head.store_id) then
      perform vouch.refuse('VO105', '', format('decisions were added to the record of store %s meanwhile: try again', head.store_id));
    end if;
    if p_end_links then
      delete from vouch.link_token t where t.store_id = head.store_id and t.purpose <> 'unsubscribe';
      get diagnostics more = row_count;
      ended := ended + more;
    end if;
  end loop;
  return ended;
end
$$;
comment on function vouch.key_rotate is 'Puts another key in the place of the present one: its fingerprint, what it carries on from the old, itself where it is kept here (p_key), and the heads of all records signed anew. With p_end_links every link in mails already sent ends but those to unsubscribe, as after a leak; returns how many. By vouchctl rotate-key, as an owner of the schema.';
