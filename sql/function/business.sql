-- SPDX-License-Identifier: MIT
-- Business time: the clocks of cases run only while a store is open. Elapsed time is real time inside the opening hours, so
-- that a day on which the clocks are put forward or back is an hour shorter or longer where it is one.

create or replace function vouch.business_open(p_store text, p_day date, p_zone text, out opens timestamptz, out closes timestamptz)
returns setof record
language plpgsql stable as $$
begin
  if exists (select from vouch.holiday h where h.store_id = p_store and h.day = p_day) then
    return;
  end if;
  if not exists (select from vouch.business_hours b where b.store_id = p_store) then
    opens := p_day::timestamp at time zone p_zone;
    closes := (p_day + 1)::timestamp at time zone p_zone;
    return next;
    return;
  end if;
  return query
    select range_min, range_max from (
      select lower(r) as range_min, upper(r) as range_max
      from unnest((
        select range_agg(tstzrange((p_day + b.opens) at time zone p_zone, (p_day + b.closes) at time zone p_zone))
        from vouch.business_hours b
        where b.store_id = p_store and b.weekday = extract(isodow from p_day)
          and (p_day + b.opens) at time zone p_zone < (p_day + b.closes) at time zone p_zone)) as r) as merged
    order by range_min;
end
$$;
comment on function vouch.business_open is 'The opening hours of a day as instants, in order, overlapping ones merged; none on a holiday, all day where a store has no hours at all.';

create or replace function vouch.store_zone(p_store text) returns text
language plpgsql stable as $$
begin
  return coalesce((select s.timezone from vouch.store s where s.store_id = p_store), 'UTC');
end
$$;

create or replace function vouch.business_after(p_store text, p_from timestamptz, p_lasting interval) returns timestamptz
language plpgsql stable as $$
declare
  zone text := vouch.store_zone(p_store);
  first_day date := (p_from at time zone zone)::date;
  left_over interval := make_interval(secs => extract(epoch from p_lasting)::double precision);
  open_for interval;
  slot record;
begin
  if not exists (select from vouch.business_hours b where b.store_id = p_store)
     and not exists (select from vouch.holiday h where h.store_id = p_store and h.day >= first_day) then
    return p_from + left_over;
  end if;
  for i in 0 .. 1500 loop
    for slot in select * from vouch.business_open(p_store, first_day + i, zone) loop
      open_for := slot.closes - greatest(slot.opens, p_from);
      if open_for > interval '0' then
        if open_for >= left_over then
          return greatest(slot.opens, p_from) + left_over;
        end if;
        left_over := left_over - open_for;
      end if;
    end loop;
  end loop;
  return p_from + make_interval(secs => extract(epoch from p_lasting)::double precision);
end
$$;
comment on function vouch.business_after is 'When so much business time has passed since p_from. A store that is never open within four years is counted round the clock.';

create or replace function vouch.business_seconds(p_store text, p_from timestamptz, p_until timestamptz) returns bigint
language plpgsql stable as $$
declare
  zone text := vouch.store_zone(p_store);
  today date := (p_from at time zone zone)::date;
  last_day date := (p_until at time zone zone)::date;
  total interval := interval '0';
  slot record;
begin
  if not exists (select from vouch.business_hours b where b.store_id = p_store)
     and not exists (select from vouch.holiday h where h.store_id = p_store and h.day between today and last_day) then
    return greatest(floor(extract(epoch from p_until - p_from)), 0)::bigint;
  end if;
  while today <= last_day and today < (p_from at time zone zone)::date + 1500 loop
    for slot in select * from vouch.business_open(p_store, today, zone) loop
      total := total + greatest(least(slot.closes, p_until) - greatest(slot.opens, p_from), interval '0');
    end loop;
    today := today + 1;
  end loop;
  return floor(extract(epoch from total))::bigint;
end
$$;
comment on function vouch.business_seconds is 'Business time between two instants, in whole seconds; counted for at most four years.';
