-- SPDX-License-Identifier: MIT
-- Limits shared by all processes of a store; they survive restarts because they are rows.

create or replace function vouch.rate_limit_of(p_store text, p_rule text) returns vouch.rate_limit
language plpgsql stable as $$
declare
  found_limit vouch.rate_limit;
begin
  select l.* into found_limit from vouch.rate_limit l where l.store_id in (p_store, '*') and l.rule = p_rule
  order by l.store_id = p_store desc limit 1;
  return found_limit;
end
$$;

create or replace function vouch.rate_left(p_store text, p_rule text, p_network_key bytea) returns boolean
language plpgsql stable security definer as $$
declare
  allowed vouch.rate_limit;
begin
  perform vouch.enter(p_store);
  allowed := vouch.rate_limit_of(p_store, p_rule);
  return coalesce((select u.used < allowed.most or u.since <= vouch.clock() - allowed.period from vouch.rate_use u
                   where u.store_id = p_store and u.rule = p_rule and u.network_key = p_network_key), true);
end
$$;
comment on function vouch.rate_left is 'Whether this network may do it once more; changes nothing.';

create or replace function vouch.rate_take(p_store text, p_rule text, p_network_key bytea) returns boolean
language plpgsql security definer as $$
declare
  allowed vouch.rate_limit;
  used_now integer;
begin
  perform vouch.enter(p_store);
  allowed := vouch.rate_limit_of(p_store, p_rule);
  insert into vouch.rate_use as u (store_id, rule, network_key, since, used) values (p_store, p_rule, p_network_key, vouch.clock(), 1)
  on conflict (store_id, rule, network_key) do update set
    used = case when u.since <= excluded.since - allowed.period then 1 else u.used + 1 end,
    since = case when u.since <= excluded.since - allowed.period then excluded.since else u.since end
  returning u.used into used_now;
  if used_now = 1 then
    delete from vouch.rate_use d where (d.store_id, d.rule, d.network_key) in (
      select q.store_id, q.rule, q.network_key from vouch.rate_use q
      where q.store_id = p_store and q.since < vouch.clock() - interval '1 day' order by q.since limit 20 for update skip locked);
  end if;
  return used_now <= allowed.most;
end
$$;
comment on function vouch.rate_take is 'Counts one use by this network and says whether it was within the limit. Who begins a period clears away a few old ones.';
