-- SPDX-License-Identifier: MIT
-- Reviews: who wrote them, which delivered line they belong to, what becomes of each revision.

create or replace function vouch.revision_text(p_revision vouch.review_revision) returns text
language sql stable
return pg_catalog.jsonb_build_array((p_revision).store_id, (p_revision).review_id, (p_revision).revision, (p_revision).rating,
  (p_revision).title, (p_revision).body, (p_revision).author_name, (p_revision).locale,
  extract(epoch from (p_revision).written_at))::text;
comment on function vouch.revision_text is 'The words and stars as one canonical text, over which the digest is made.';

create or replace function vouch.review_by_name(p_store text, p_body jsonb) returns bigint
language plpgsql stable as $$
declare
  found_id bigint;
begin
  if p_body ? 'review_id' then
    select v.review_id into found_id from vouch.review v where v.store_id = p_store and v.review_id = (p_body ->> 'review_id')::bigint;
  else
    select n.review_id into found_id from vouch.review_name n where n.store_id = p_store and n.external_id = p_body ->> 'external_id';
  end if;
  if found_id is null then
    perform vouch.refuse('VO101', case when p_body ? 'review_id' then '/data/review/review_id' else '/data/review/id' end,
      'there is no such review in this store');
  end if;
  return found_id;
end
$$;
comment on function vouch.review_by_name is 'The review an event names, by the store''s id or by review_id; VO101 when there is none.';

create or replace function vouch.purchase_of(
  p_store text, p_review bigint, p_claim text, p_customer_id text, p_address_key bytea, p_product text, p_order text, p_line text,
  p_written_at timestamptz, out order_id text, out line_id text, out delivered_at timestamptz, out reason text
) language plpgsql stable as $$
declare
  mine text[];
  found_line record;
begin
  reason := case when p_claim = 'unconfirmed' then 'address_unconfirmed' when p_claim = 'anonymous' then 'no_author' else 'no_such_purchase' end;
  if p_claim not in ('authenticated', 'invited', 'confirmed') then
    return;
  end if;
  mine := case p_claim
    when 'invited' then array[p_order]
    when 'authenticated' then array(select o.order_id from vouch.sales_order o where o.store_id = p_store and o.customer_id = p_customer_id)
    else array(select o.order_id from vouch.sales_order o where o.store_id = p_store and o.address_key = p_address_key) end;
  select l.order_id, l.line_id, l.delivered_at, coalesce(l.delivered_at <= p_written_at, false) as fits into found_line
  from unnest(mine) as w (order_id)
  cross join lateral (select n.* from vouch.order_line n where n.store_id = p_store and n.order_id = w.order_id offset 0) as l
  where l.product_id = p_product and (p_order is null or l.order_id = p_order) and (p_line is null or l.line_id = p_line)
    and (select true from vouch.review v where v.store_id = p_store and v.order_id = l.order_id and v.line_id = l.line_id
         and v.review_id <> p_review and v.state <> 'withdrawn' limit 1) is null
  order by coalesce(l.delivered_at <= p_written_at, false) desc, l.delivered_at desc nulls last, l.order_id, l.line_id
  limit 1;
  if found_line.fits then
    order_id := found_line.order_id;
    line_id := found_line.line_id;
    delivered_at := found_line.delivered_at;
    reason := 'delivered_line';
  elsif found then
    reason := case when found_line.delivered_at is null then 'not_delivered' else 'written_before_delivery' end;
  end if;
end
$$;
comment on function vouch.purchase_of is
'The delivered line that makes a review verified: of this buyer, for this product, delivered before it was written, not yet reviewed; the newest of several. Else the reason why none does. An invitation stands for its order, whoever the buyer is said to be since.';

create or replace function vouch.review_verify(p_store text, p_review bigint) returns boolean
language plpgsql as $$
declare
  review vouch.review;
  line record;
begin
  select v.* into review from vouch.review v where v.store_id = p_store and v.review_id = p_review for no key update;
  if review.erased_at is not null then
    return review.verified;
  end if;
  for attempt in 1 .. 2 loop
    line := vouch.purchase_of(p_store, p_review, review.claim, review.customer_id, review.address_key,
      review.product_id, review.wanted_order_id, review.wanted_line_id, review.written_at);
    if (review.order_id, review.line_id, review.experience_at, review.verified_reason)
        is not distinct from (line.order_id, line.line_id, line.delivered_at, line.reason) then
      return review.verified;
    end if;
    begin
      update vouch.review v set
        order_id = line.order_id, line_id = line.line_id, experience_at = line.delivered_at,
        verified = line.line_id is not null, verified_reason = line.reason,
        incentivised = v.incentivised or vouch.order_incentive(p_store, line.order_id)
      where v.store_id = p_store and v.review_id = p_review;
      return line.line_id is not null;
    exception when unique_violation then
      null; -- another review took the line in this moment: look again
    end;
  end loop;
  return review.verified;
end
$$;
comment on function vouch.review_verify is 'Derives whether a review is verified from the facts as they are now, and says it. That of an erased author stays as it was.';

create or replace function vouch.order_reviews(p_store text, p_orders text[]) returns bigint[]
language plpgsql stable as $$
begin
  return array(
    select v.review_id
    from unnest(p_orders) as w (order_id)
    cross join lateral (
      select o.customer_id, o.address_key from vouch.sales_order o where o.store_id = p_store and o.order_id = w.order_id offset 0) as o
    cross join lateral (
      select r.review_id, r.state from vouch.review r where r.store_id = p_store and r.customer_id = o.customer_id
      union all
      select r.review_id, r.state from vouch.review r where r.store_id = p_store and r.address_key = o.address_key
      union all
      select r.review_id, r.state from vouch.review r where r.store_id = p_store and r.order_id = w.order_id
        and r.line_id is not null and r.state <> 'withdrawn') as v
    where v.state <> 'withdrawn');
end
$$;
comment on function vouch.order_reviews is 'The reviews that facts about these orders may concern: of their buyers, and of their lines.';

create or replace function vouch.review_derive(p_store text, p_reviews bigint[]) returns void
language plpgsql as $$
declare
  touched bigint;
  before boolean;
  verified boolean;
begin
  for touched in select distinct r from unnest(p_reviews) as r order by 1 loop
    before := (select v.verified from vouch.review v where v.store_id = p_store and v.review_id = touched);
    verified := vouch.review_verify(p_store, touched);
    perform vouch.hold_follow(p_store, touched, verified);
    if verified and not before then
      perform vouch.discount_on_submission(p_store, v.order_id) from vouch.review v where v.store_id = p_store and v.review_id = touched;
    end if;
  end loop;
end
$$;
comment on function vouch.review_derive is 'Verifies these reviews again; holds for being unverified follow, and so does the thank-you.';

create or replace function vouch.hold_policy_of(p_store text, p_reason text) returns vouch.hold_policy
language plpgsql stable as $$
declare
  policy vouch.hold_policy;
begin
  select p.* into policy from vouch.hold_policy p where p.store_id in (p_store, '*') and p.reason = p_reason
  order by p.store_id = p_store desc limit 1;
  return policy;
end
$$;

create or replace function vouch.hold_decide(p_store text, p_reasons text[], out held_for text[], out labels text[], out deadline_at timestamptz)
language plpgsql stable as $$
declare
  known text;
  policy vouch.hold_policy;
begin
  held_for := '{}';
  labels := '{}';
  foreach known in array p_reasons loop
    policy := vouch.hold_policy_of(p_store, known);
    if policy.action = 'hold' then
      held_for := held_for || known;
      deadline_at := least(deadline_at, vouch.clock() + policy.deadline);
    elsif policy.action = 'label' then
      labels := labels || known;
    end if;
  end loop;
end
$$;
comment on function vouch.hold_decide is 'What the policy makes of the reasons: which hold, which only label, until when. Reasons are all it sees: no stars, no author.';

create or replace function vouch.revision_add(
  p_store text, p_review bigint, p_words jsonb, p_written_at timestamptz, p_state text, p_first boolean default false
) returns integer
language plpgsql as $$
declare
  added vouch.review_revision;
begin
  added.revision := 1;
  if not p_first then
    select max(r.revision) + 1 into added.revision from vouch.review_revision r where r.store_id = p_store and r.review_id = p_review;
  end if;
  added.store_id := p_store;
  added.review_id := p_review;
  added.rating := (p_words ->> 'rating')::smallint;
  added.title := nullif(p_words ->> 'title', '');
  added.body := nullif(p_words ->> 'body', '');
  added.author_name := nullif(p_words ->> 'name', '');
  added.locale := p_words ->> 'locale';
  added.written_at := p_written_at;
  added.received_at := vouch.clock();
  added.reasons := '{}';
  if jsonb_array_length(p_words -> 'reasons') > 0 then
    added.reasons := array(select x from jsonb_array_elements_text(p_words -> 'reasons') x order by x);
  end if;
  if p_state <> 'superseded' then
    added.reasons := array(select distinct x from unnest(added.reasons || vouch.signal_reasons(p_store, p_review, added.revision, p_words)) x order by x);
  end if;
  added.marks := coalesce(p_words -> 'marks', '[]');
  added.topics := '{}';
  if jsonb_array_length(p_words -> 'topics') > 0 then
    added.topics := array(select distinct x from jsonb_array_elements_text(p_words -> 'topics') x order by x);
  end if;
  added.redactions := '[]';
  added.held_for := '{}';
  added.labels := '{}';
  added.state := p_state;
  added.salt := uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid());
  added.digest := sha256(added.salt || convert_to(vouch.revision_text(added), 'UTF8'));
  insert into vouch.review_revision select added.*;
  if p_state <> 'superseded' and coalesce(added.title, added.body) is not null then
    perform vouch.classifier_queue(p_store, p_review, added.revision);
  end if;
  return added.revision;
end
$$;
comment on function vouch.revision_add is 'Stores words and stars as the next revision, with a salted digest.';

create or replace function vouch.revision_decide(p_store text, p_review bigint, p_revision integer, p_verified boolean) returns jsonb
language plpgsql as $$
declare
  found_reasons text[];
  verdict record;
begin
  select r.reasons into found_reasons from vouch.review_revision r
  where r.store_id = p_store and r.review_id = p_review and r.revision = p_revision;
  verdict := vouch.hold_decide(p_store, found_reasons || case when p_verified then '{}' else array['unverified'] end);
  perform vouch.revision_move(p_store, p_review, p_revision, case when cardinality(verdict.held_for) > 0 then 'hold' else 'publish' end,
    'vouch', true, null, null, verdict.deadline_at, verdict.held_for, verdict.labels);
  return vouch.review_answer(p_store, p_review, p_revision);
end
$$;
comment on function vouch.revision_decide is 'The first, automated decision on a revision: a function of what moderation found and of verification, never of the stars.';

create or replace function vouch.review_answer(p_store text, p_review bigint, p_revision integer) returns jsonb
language plpgsql stable as $$
declare
  review record;
  words record;
begin
  select v.state, v.verified into review from vouch.review v where v.store_id = p_store and v.review_id = p_review;
  select r.state, r.held_for || r.labels as reasons into words from vouch.review_revision r
  where r.store_id = p_store and r.review_id = p_review and r.revision = p_revision;
  return jsonb_build_object('review', jsonb_build_object('review_id', p_review,
    'state', case words.state when 'superseded' then review.state when 'unconfirmed' then 'held' else words.state end,
    'verified', review.verified, 'reasons', to_jsonb(words.reasons)));
end
$$;
comment on function vouch.review_answer is 'What the sender of a revision learns: {"review":{"review_id","state","verified","reasons"}}.';

create or replace function vouch.review_same(p_store text, p_review bigint, p_revision integer, p_words jsonb) returns boolean
language plpgsql stable as $$
begin
  return exists (
    select from vouch.review_revision r
    where r.store_id = p_store and r.review_id = p_review and r.revision = p_revision and r.rating = (p_words ->> 'rating')::smallint
      and (r.title, r.body, r.author_name) is not distinct from
        (nullif(p_words ->> 'title', ''), nullif(p_words ->> 'body', ''), nullif(p_words ->> 'name', '')));
end
$$;
comment on function vouch.review_same is 'Whether these are the very words and stars of a revision (a form sent twice).';

create or replace function vouch.revision_advance(p_store text, p_review bigint, p_revision integer) returns void
language plpgsql as $$
declare
  waiting integer;
begin
  update vouch.review v set revision = p_revision, written_at = greatest(v.written_at, (
    select r.written_at from vouch.review_revision r where r.store_id = p_store and r.review_id = p_review and r.revision = p_revision))
  where v.store_id = p_store and v.review_id = p_review;
  update vouch.review_revision r set state = 'superseded'
  where r.store_id = p_store and r.review_id = p_review and r.state = 'unconfirmed' and r.revision <> p_revision;
  update vouch.appeal a set state = 'lapsed', decided_at = vouch.clock()
  where a.store_id = p_store and a.review_id = p_review and a.state = 'open' and a.appellant = 'author';
  for waiting in
    select r.revision from vouch.review_revision r where r.store_id = p_store and r.review_id = p_review and r.state = 'held'
  loop
    perform vouch.revision_move(p_store, p_review, waiting, 'supersede', 'author', false, null, null, null);
  end loop;
  perform vouch.case_on_revision(p_store, p_review, p_revision);
end
$$;
comment on function vouch.revision_advance is 'Makes a new revision the current one: what still waited before it is superseded, an open objection to a decision on it lapses, what is published stays.';

create or replace function vouch.review_repeat(p_store text, p_review bigint, p_revision integer, p_written_at timestamptz) returns jsonb
language plpgsql as $$
begin
  update vouch.review v set written_at = p_written_at
  where v.store_id = p_store and v.review_id = p_review and v.written_at < p_written_at;
  if found then
    perform vouch.hold_follow(p_store, p_review, vouch.review_verify(p_store, p_review));
  end if;
  return vouch.review_answer(p_store, p_review, p_revision);
end
$$;
comment on function vouch.review_repeat is 'The same words and stars again: no new revision, but said once more, which counts when the delivery lies between.';

create or replace function vouch.review_revise(p_store text, p_review bigint, p_words jsonb, p_written_at timestamptz) returns jsonb
language plpgsql as $$
declare
  known vouch.review;
  added integer;
begin
  select v.* into known from vouch.review v where v.store_id = p_store and v.review_id = p_review for no key update;
  if vouch.review_same(p_store, p_review, known.revision, p_words) then
    return vouch.review_repeat(p_store, p_review, known.revision, p_written_at);
  end if;
  if p_written_at < known.written_at then
    perform vouch.revision_add(p_store, p_review, p_words, p_written_at, 'superseded');
    return vouch.review_answer(p_store, p_review, known.revision);
  end if;
  added := vouch.revision_add(p_store, p_review, p_words, p_written_at, 'unconfirmed');
  perform vouch.revision_advance(p_store, p_review, added);
  return vouch.revision_decide(p_store, p_review, added, vouch.review_verify(p_store, p_review));
end
$$;
comment on function vouch.review_revise is
'An edit by its author: a revision decided by itself; the published one stays until another is published. One that comes late, written before the current one, is kept as an earlier wording.';

create or replace function vouch.review_create(
  p_store text, p_body jsonb, p_claim text, p_written_at timestamptz, out review_id bigint, out verified boolean
) language plpgsql as $$
declare
  line record;
begin
  line := vouch.purchase_of(p_store, 0, p_claim, p_body ->> 'customer_id', decode(p_body ->> 'address_key', 'hex'), p_body ->> 'product_id',
    p_body ->> 'order_id', p_body ->> 'line_id', p_written_at);
  loop
    begin
      insert into vouch.review as v (store_id, external_id, product_id, claim, customer_id, address_key, wanted_order_id, wanted_line_id,
        order_id, line_id, experience_at, verified, verified_reason, incentivised, invited, state, revision, written_at)
      values (p_store, p_body ->> 'external_id', p_body ->> 'product_id', p_claim, p_body ->> 'customer_id',
        decode(p_body ->> 'address_key', 'hex'), p_body ->> 'order_id', p_body ->> 'line_id',
        line.order_id, line.line_id, line.delivered_at, line.line_id is not null, line.reason,
        vouch.order_incentive(p_store, line.order_id),
        p_claim = 'invited', 'held', 1, p_written_at)
      returning v.review_id, v.verified into review_id, verified;
      exit;
    exception when unique_violation then -- another review took the line in this moment: look again
      line := vouch.purchase_of(p_store, 0, p_claim, p_body ->> 'customer_id', decode(p_body ->> 'address_key', 'hex'),
        p_body ->> 'product_id', p_body ->> 'order_id', p_body ->> 'line_id', p_written_at);
    end;
  end loop;
  perform vouch.revision_add(p_store, review_id, p_body, p_written_at, 'unconfirmed', true);
end
$$;
comment on function vouch.review_create is 'Stores a new review with its first revision, tied to its line; what becomes of it is decided next.';

create or replace function vouch.review_to_edit(p_store text, p_body jsonb, p_written_at timestamptz) returns bigint
language plpgsql as $$
declare
  buyer text := p_body ->> 'customer_id';
  wanted text := p_body ->> 'order_id';
  wanted_line text := p_body ->> 'line_id';
  candidate record;
  line record;
begin
  if p_body ->> 'claim' <> 'authenticated' then
    return null;
  end if;
  perform pg_advisory_xact_lock(hashtextextended(concat_ws('|', p_store, buyer, p_body ->> 'product_id'), 1));
  for candidate in
    select v.review_id, v.verified from vouch.review v
    where v.store_id = p_store and v.customer_id = buyer and v.product_id = p_body ->> 'product_id'
      and v.claim in ('authenticated', 'invited', 'confirmed') and v.state <> 'withdrawn'
      and (wanted is null or coalesce(v.order_id, v.wanted_order_id, wanted) = wanted)
      and (wanted_line is null or coalesce(v.line_id, v.wanted_line_id, wanted_line) = wanted_line)
    order by v.verified, v.review_id desc limit 1
  loop
    if not candidate.verified then
      return candidate.review_id;
    end if;
    line := vouch.purchase_of(p_store, 0, 'authenticated', buyer, null, p_body ->> 'product_id', wanted, wanted_line, p_written_at);
    if line.line_id is null then
      return candidate.review_id;
    end if;
  end loop;
  return null;
end
$$;
comment on function vouch.review_to_edit is
'The review that a further submission of this authenticated buyer for the product edits: one without a line yet, or, with no unreviewed line left, the newest. NULL: it is a new review.';

create or replace function vouch.review_named(p_store text, p_body jsonb) returns bigint
language plpgsql stable as $$
declare
  known bigint := (select n.review_id from vouch.review_name n where n.store_id = p_store and n.external_id = p_body ->> 'external_id');
begin
  if known is not null and (p_body ->> 'claim' <> 'authenticated' or p_body ->> 'customer_id' is distinct from
      (select v.customer_id from vouch.review v where v.store_id = p_store and v.review_id = known)) then
    perform vouch.refuse('VO102', '/data/review/id', 'a review with this id exists already; its author edits it with review.edited');
  end if;
  return known;
end
$$;
comment on function vouch.review_named is 'The review of this author that has the submission''s id already, if any; VO102 when it is somebody else''s.';

create or replace function vouch.review_submit(p_store text, p_body jsonb, p_time timestamptz) returns jsonb
language plpgsql as $$
declare
  written timestamptz := least(coalesce(p_time, vouch.clock()), vouch.clock());
  body jsonb := vouch.author_of(p_store, p_body, written);
  known bigint;
  made record;
begin
  if body ? 'external_id' then
    known := vouch.review_named(p_store, body);
  end if;
  known := coalesce(known, vouch.review_to_edit(p_store, body, written));
  if known is null then
    made := vouch.review_create(p_store, body, body ->> 'claim', written);
  end if;
  if body ? 'external_id' then
    insert into vouch.review_name (store_id, external_id, review_id)
    values (p_store, body ->> 'external_id', coalesce(known, made.review_id)) on conflict do nothing;
  end if;
  if known is not null then
    return vouch.review_revise(p_store, known, body, written);
  end if;
  return vouch.review_arrived(p_store, made.review_id, made.verified, body);
end
$$;
comment on function vouch.review_submit is 'review.submitted: stored, tied to its line, decided, in one. A second one for the same line is an edit.';

create or replace function vouch.review_arrived(p_store text, p_review bigint, p_verified boolean, p_body jsonb) returns jsonb
language plpgsql as $$
declare
  answer jsonb := vouch.revision_decide(p_store, p_review, 1, p_verified);
begin
  if p_body ->> 'claim' = 'unconfirmed' then
    perform vouch.confirmation_ask(p_store, p_review, 1, 'author', decode(p_body ->> 'address_key', 'hex'));
  end if;
  if p_verified then
    perform vouch.discount_on_submission(p_store, v.order_id)
    from vouch.review v where v.store_id = p_store and v.review_id = p_review;
  end if;
  perform vouch.case_on_review(p_store, p_review);
  return answer;
end
$$;
comment on function vouch.review_arrived is 'What follows a first submission, whatever it says: the decision, the mailed link to an address nobody vouched for, the thank-you, and for an unhappy customer a case.';

create or replace function vouch.author_of(p_store text, p_body jsonb, p_written_at timestamptz) returns jsonb
language plpgsql as $$
begin
  if vouch.person_erased(p_store, p_body, p_written_at) then
    return (p_body - array['customer_id', 'customer_key', 'address_key', 'email', 'name']) || '{"claim": "anonymous"}';
  end if;
  if p_body ? 'email' then
    insert into vouch.customer as c (store_id, address_key, email, updated_at)
    values (p_store, decode(p_body ->> 'address_key', 'hex'), p_body ->> 'email', to_timestamp(0))
    on conflict (store_id, address_key) do update set email = excluded.email, erased_at = null
    where c.email is null;
  end if;
  return p_body;
end
$$;
comment on function vouch.author_of is
'The author as the event names him; an erased person stays anonymous. What a review says of its author ranks below every other fact: it only makes an unknown address reachable.';

