-- SPDX-License-Identifier: MIT
-- The roles of an installation. They belong to the whole cluster, so each is made only where it is missing.
-- vouch_owner owns everything and cannot log in; vouch_module is what vouch.so logs in as a member of;
-- vouch_operator and vouch_viewer are for people.
do $$
declare
  role_name text;
begin
  foreach role_name in array array['vouch_owner', 'vouch_module', 'vouch_operator', 'vouch_viewer'] loop
    if not exists (select from pg_catalog.pg_roles where rolname = role_name) then
      begin
        execute format('create role %I nologin nosuperuser nobypassrls', role_name);
      exception when duplicate_object or unique_violation then
        null; -- another migration of this cluster was quicker
      end;
    end if;
  end loop;
  -- From version 16 on, who makes a role may grant it but not yet become it.
  if not pg_catalog.pg_has_role(current_user, 'vouch_owner',
      case when current_setting('server_version_num')::integer >= 160000 then 'set' else 'member' end) then
    execute format('grant vouch_owner to %I', current_user);
  end if;
end
$$;
create schema if not exists vouch authorization vouch_owner;
