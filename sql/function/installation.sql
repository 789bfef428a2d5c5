-- What vouchctl migrate does in SQL once the functions are there.

create or replace function vouch.store_make(p_store text) returns text
language plpgsql set search_path = '' as $$
declare
  made text;
begin
  insert into vouch.store (store_id)
  select coalesce(p_store, 'main') where p_store is not null or not exists (select from vouch.store)
  on conflict (store_id) do nothing
  returning store_id into made;
  return made;
end
$$;
comment on function vouch.store_make is 'Makes a store with the defaults of every setting: p_store, or main where there is none at all. Its name when it is new. By vouchctl migrate.';
