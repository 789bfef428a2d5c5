-- SPDX-License-Identifier: MIT
-- What complaints are about, and when several customers say the same.
-- The test: with S complaints in n earlier weeks, counts taken as Poisson with an unknown rate (Jeffreys prior), the next week's count
-- is negative binomial with shape S + 1/2 and success probability n / (n + 1) (Gelman et al., Bayesian Data Analysis, 3rd ed., 2.6).

create or replace function vouch.count_tail(p_seen bigint, p_weeks integer, p_count bigint) returns double precision
language plpgsql immutable security definer as $$
declare
  shape double precision := p_seen + 0.5;
  odds double precision := 1.0 / (p_weeks + 1);
  term double precision := power(p_weeks::double precision / (p_weeks + 1), p_seen + 0.5);
  below double precision := 0;
begin
  for x in 0 .. p_count - 1 loop
    below := below + term;
    term := term * (shape + x) / (x + 1) * odds;
  end loop;
  return greatest(1 - below, 0);
end
$$;
comment on function vouch.count_tail is 'Probability of p_count or more next week, after p_seen in p_weeks weeks.';

create or replace function vouch.spike_limit() returns double precision
language sql immutable security definer as $$ select 0.001 $$;
comment on function vouch.spike_limit is 'A week is a spike below this probability: 9 topics in 52 weeks give less than one false alarm per product and year (0.47).';

create or replace function vouch.topic_watch(p_store text, p_limit integer) returns integer
language plpgsql security definer as $$
declare
  this_week date;
  zone text;
  spike record;
  policy vouch.case_policy;
  raised integer := 0;
begin
  perform vouch.enter(p_store);
  zone := vouch.store_zone(p_store);
  this_week := date_trunc('week', vouch.clock() at time zone zone)::date;
  for spike in
    select c.product_id, c.topic, c.now_count, c.before, vouch.count_tail(c.before, c.weeks, c.now_count) as probability,
      (c.before + 0.5) / c.weeks as expected
    from (
      select v.product_id, t.topic, 12 as weeks,
        count(distinct coalesce(v.address_key, convert_to(v.review_id::text, 'UTF8')))
          filter (where r.received_at >= (this_week::timestamp at time zone zone)) as now_count,
        count(distinct v.review_id) filter (where r.received_at < (this_week::timestamp at time zone zone)) as before
      from vouch.review_revision r
      join vouch.review v on v.store_id = r.store_id and v.review_id = r.review_id and v.revision = r.revision
      cross join lateral unnest(r.topics) as t (topic)
      where r.store_id = p_store and r.rating <= 3 and t.topic <> 'other' and v.state <> 'withdrawn'
        and r.received_at >= ((this_week - 84)::timestamp at time zone zone)
      group by v.product_id, t.topic) c
    where c.now_count >= 5 and vouch.count_tail(c.before, c.weeks, c.now_count) < vouch.spike_limit()
      and not exists (select from vouch.topic_alarm a where a.store_id = p_store and a.product_id = c.product_id and a.topic = c.topic and a.week = this_week)
    order by probability limit p_limit
  loop
    insert into vouch.topic_alarm (store_id, product_id, topic, week, complaints, expected, probability, raised_at)
    values (p_store, spike.product_id, spike.topic, this_week, spike.now_count, spike.expected, spike.probability, vouch.clock())
    on conflict do nothing;
    if found and not exists (select from vouch.case k where k.store_id = p_store and k.product_id = spike.product_id and k.topic = spike.topic
                             and k.origin = 'topic' and k.state <> 'closed') then
      policy := vouch.case_policy_any(p_store, (select p.groups from vouch.product p where p.store_id = p_store and p.product_id = spike.product_id), null);
      perform vouch.case_open(p_store, null, spike.product_id, spike.topic, 'topic', null, policy, 'vouch', null);
    end if;
    raised := raised + 1;
  end loop;
  return raised;
end
$$;
comment on function vouch.topic_watch is 'Five customers or more said the same about a product this week, and chance hardly allows it: an alarm, and a case without a review. Once a product, topic and week. By the worker.';

create or replace function vouch.announce_measure(product_id text, topic text, operator text, body text, since interval default '1 year') returns jsonb
language plpgsql security definer as $$
declare
  actor record;
  made bigint;
  notice bigint;
  told integer := 0;
  heard record;
begin
  select a.* into actor from vouch.act(announce_measure.operator, array['manager']) a;
  perform vouch.gate(actor.store, false);
  perform vouch.case_body(announce_measure.body), vouch.lint_check(announce_measure.body);
  insert into vouch.measure as m (store_id, product_id, topic, body, operator, taken_at)
  values (actor.store, announce_measure.product_id, announce_measure.topic, announce_measure.body, actor.name, vouch.clock())
  returning m.measure_id into made;
  for heard in
    select distinct on (c.address_key) c.address_key, v.review_id
    from vouch.review_revision r
    join vouch.review v on v.store_id = r.store_id and v.review_id = r.review_id and v.revision = r.revision
    cross join lateral (select vouch.review_address(actor.store, v.review_id) as key) k
    join vouch.customer c on c.store_id = actor.store and c.address_key = k.key and c.email is not null
    where r.store_id = actor.store and announce_measure.topic = any (r.topics) and r.rating <= 3 and v.state <> 'withdrawn'
      and (announce_measure.product_id is null or v.product_id = announce_measure.product_id)
      and r.received_at > vouch.clock() - announce_measure.since
    order by c.address_key, v.review_id desc limit 10000
  loop
    insert into vouch.measure_notice as n (store_id, measure_id, review_id) values (actor.store, made, heard.review_id)
    returning n.notice_id into notice;
    perform vouch.mail_enqueue(actor.store, 'measure', notice, 0, heard.address_key, vouch.clock());
    told := told + 1;
  end loop;
  update vouch.measure m set announced = told where m.store_id = actor.store and m.measure_id = made;
  return jsonb_build_object('measure', jsonb_build_object('measure_id', made, 'announced', told));
end
$$;
comment on function vouch.announce_measure is 'What was changed because of complaints of a topic (product_id NULL: about any product), told once to everybody who complained and takes mail.';
