-- SPDX-License-Identifier: MIT
-- Decisions on revisions. vouch.revision_move() is the one function through which a revision changes its state.

create or replace function vouch.revision_transition(p_from text, p_action text, p_goal text default null) returns text
language plpgsql immutable as $$
begin
  if p_action = 'undo' then
    return case when p_from || ' ' || p_goal in
      ('published held', 'published rejected', 'rejected held', 'rejected published', 'superseded published') then p_goal end;
  end if;
  return case p_from || ' ' || p_action
    when 'unconfirmed publish' then 'published' when 'unconfirmed hold' then 'held' when 'unconfirmed withdraw' then 'withdrawn'
    when 'held release' then 'published' when 'held approve' then 'published' when 'held reject' then 'rejected'
    when 'held escalate' then 'held' when 'held withdraw' then 'withdrawn' when 'held supersede' then 'superseded'
    when 'published hold' then 'held' when 'published reject' then 'rejected' when 'published withdraw' then 'withdrawn'
    when 'published supersede' then 'superseded'
    when 'rejected approve' then 'published' when 'rejected withdraw' then 'withdrawn'
    when 'held overturn' then 'published' when 'rejected overturn' then 'published' when 'published overturn' then 'rejected' end;
end
$$;
comment on function vouch.revision_transition is 'The state machine of revisions: where an action leads from a state, NULL when it is not legal there. To undo leads back to where the goal says.';

create or replace function vouch.rating_count(p_store text, p_product text, p_rating smallint, p_change integer) returns void
language plpgsql as $$
begin
  insert into vouch.rating_change (store_id, product_id, rating, change) values (p_store, p_product, p_rating, p_change);
end
$$;

create or replace function vouch.decision_record(
  p_words vouch.review_revision, p_action text, p_to text, p_actor text, p_automated boolean, p_ground text, p_note text,
  p_redactions jsonb default null
) returns vouch.review_decision
language plpgsql as $$
declare
  made vouch.review_decision;
  salt bytea := uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid());
begin
  insert into vouch.review_decision (store_id, review_id, revision, action, from_state, to_state, decided_at, actor, automated, ground,
                                     reasons, words_digest, note_digest, redactions)
  values (p_words.store_id, p_words.review_id, p_words.revision, p_action, p_words.state, p_to, vouch.clock(), p_actor, p_automated, p_ground,
    p_words.held_for || p_words.labels, p_words.digest, case when p_note is not null then sha256(salt || convert_to(p_note, 'UTF8')) end,
    p_redactions)
  returning * into made;
  insert into vouch.record_pending (store_id, decision_id) values (p_words.store_id, made.decision_id);
  if p_note is not null then
    insert into vouch.decision_note (store_id, decision_id, note, salt) values (p_words.store_id, made.decision_id, p_note, salt);
  end if;
  return made;
end
$$;
comment on function vouch.decision_record is 'Writes a decision to the append-only record, in the transaction that carries it out.';

create or replace function vouch.review_settle(p_store text, p_review bigint, p_current integer) returns void
language plpgsql as $$
declare
  shown record;
  current_state text := (select case r.state when 'unconfirmed' then 'held' else r.state end from vouch.review_revision r
                         where r.store_id = p_store and r.review_id = p_review and r.revision = p_current);
begin
  select r.revision, r.rating, lower(substring(r.locale from '^[A-Za-z]+')) as language into shown from vouch.review_revision r
  where r.store_id = p_store and r.review_id = p_review and r.state = 'published' order by r.revision desc limit 1;
  update vouch.review v set
    published_revision = shown.revision, shown_rating = shown.rating, shown_language = shown.language,
    published_at = case when shown.revision is not null then coalesce(v.published_at, vouch.clock()) end,
    shown_at = case when shown.revision = v.published_revision then v.shown_at when shown.revision is not null then vouch.clock() end,
    state = case when shown.revision is not null then 'published' else current_state end
  where v.store_id = p_store and v.review_id = p_review;
end
$$;
comment on function vouch.review_settle is 'Derives a review''s state from its revisions: published while one is, else that of the current one.';

create or replace function vouch.revision_move(
  p_store text, p_review bigint, p_revision integer, p_action text, p_actor text, p_automated boolean,
  p_ground text, p_note text, p_deadline_at timestamptz, p_held_for text[] default null, p_labels text[] default null, p_goal text default null
) returns bigint
language plpgsql as $$
declare
  review vouch.review;
  words vouch.review_revision;
  goal text;
  made vouch.review_decision;
begin
  select v.* into strict review from vouch.review v where v.store_id = p_store and v.review_id = p_review for no key update;
  select r.* into strict words from vouch.review_revision r
  where r.store_id = p_store and r.review_id = p_review and r.revision = p_revision for no key update;
  words.held_for := coalesce(p_held_for, words.held_for);
  words.labels := coalesce(p_labels, words.labels);
  goal := vouch.revision_transition(words.state, p_action, p_goal);
  if goal is null then
    perform vouch.refuse('VO201', '', format('review %s is %s; %s is not possible there', p_review, words.state, p_action));
  end if;
  made := vouch.decision_record(words, p_action, goal, p_actor, p_automated, p_ground, p_note);
  if goal = 'published' and review.published_revision is not null then
    perform vouch.revision_move(p_store, p_review, review.published_revision, 'supersede', p_actor, p_automated, null, null, null);
  end if;
  update vouch.review_revision r set state = goal,
    held_at = case when goal = 'held' then coalesce(r.held_at, made.decided_at) end,
    deadline_at = case when goal = 'held' then coalesce(p_deadline_at, r.deadline_at) end,
    escalated_at = case when goal = 'held' then case when p_action = 'escalate' then made.decided_at else r.escalated_at end end,
    labels = case when p_action = 'release' then words.labels || array_remove(words.held_for, 'reported') else words.labels end,
    held_for = case when goal = 'held' then words.held_for else '{}' end
  where r.store_id = p_store and r.review_id = p_review and r.revision = p_revision;
  if 'published' in (words.state, goal) and words.state <> goal then
    perform vouch.rating_count(p_store, review.product_id, words.rating, case when goal = 'published' then 1 else -1 end);
  end if;
  perform vouch.review_settle(p_store, p_review, review.revision), vouch.decision_tell(made, review.revision, review.product_id);
  if words.state <> 'unconfirmed' then
    perform vouch.decision_follow(made, words);
  end if;
  return made.decision_id;
end
$$;
comment on function vouch.revision_move is
'Carries out one decision: guarded by the state machine, recorded, ratings and review kept in step, the store and the author told, all in one transaction.';

create or replace function vouch.decision_tell(p_made vouch.review_decision, p_current integer, p_product text) returns void
language plpgsql as $$
declare
  address bytea;
begin
  if p_made.action in ('supersede', 'escalate', 'keep') then
    return;
  end if;
  if (p_made.to_state <> 'withdrawn' or p_made.revision = p_current) and p_made.action <> 'uphold' then
    perform vouch.outbox_add(p_made.store_id, 'review.' || p_made.to_state, vouch.review_event(p_made));
  end if;
  if 'published' in (p_made.from_state, p_made.to_state) and p_made.from_state is distinct from p_made.to_state then
    perform vouch.outbox_add(p_made.store_id, 'rating.changed', jsonb_build_object('rating', jsonb_build_object('product_id', p_product)));
  end if;
  if p_made.actor <> 'author' and (p_made.to_state in ('held', 'rejected') or p_made.from_state in ('held', 'rejected') or p_made.redactions <> '[]') then
    address := vouch.review_address(p_made.store_id, p_made.review_id);
    if address is not null then
      perform vouch.mail_enqueue(p_made.store_id, case when p_made.action = 'redact' then 'rejected' else p_made.to_state end,
        p_made.decision_id, 0, address, vouch.clock());
    end if;
  end if;
end
$$;
comment on function vouch.decision_tell is 'Tells the store by event, and the author by mail at once: what was decided, why, and how to appeal (DSA Art. 17).';

create or replace function vouch.review_address(p_store text, p_review bigint) returns bytea
language plpgsql stable as $$
begin
  return (
    select coalesce(v.address_key,
      (select c.address_key from vouch.customer c where c.store_id = p_store and c.customer_id = v.customer_id
       order by c.updated_at desc limit 1))
    from vouch.review v
    where v.store_id = p_store and v.review_id = p_review and v.claim in ('authenticated', 'invited', 'confirmed'));
end
$$;
comment on function vouch.review_address is 'Where the author is written to; NULL while nobody has shown that an address is the author''s.';

create or replace function vouch.review_event(p_made vouch.review_decision) returns jsonb
language plpgsql stable as $$
declare
  review vouch.review;
  stars smallint := (select r.rating from vouch.review_revision r
                     where r.store_id = p_made.store_id and r.review_id = p_made.review_id and r.revision = p_made.revision);
begin
  select v.* into review from vouch.review v where v.store_id = p_made.store_id and v.review_id = p_made.review_id;
  return jsonb_strip_nulls(jsonb_build_object('review', jsonb_build_object('review_id', review.review_id, 'id', review.external_id,
    'product_id', review.product_id, 'order_id', review.order_id, 'line_id', review.line_id, 'verified', review.verified, 'rating', stars,
    'state', p_made.to_state, 'reasons', to_jsonb(p_made.reasons), 'ground', p_made.ground, 'automated', p_made.automated)));
end
$$;
comment on function vouch.review_event is 'A decision as the store hears of it.';

create or replace function vouch.hold_lift(p_store text, p_review bigint, p_reason text) returns void
language plpgsql as $$
declare
  held record;
begin
  for held in
    select r.revision, array_remove(r.held_for, p_reason) as left_over from vouch.review_revision r
    where r.store_id = p_store and r.review_id = p_review and r.state = 'held' and p_reason = any (r.held_for)
  loop
    if cardinality(held.left_over) = 0 then
      perform vouch.revision_move(p_store, p_review, held.revision, 'approve', 'vouch', true, null, null, null);
    else
      update vouch.review_revision r set held_for = held.left_over
      where r.store_id = p_store and r.review_id = p_review and r.revision = held.revision;
    end if;
  end loop;
  update vouch.review_revision r set labels = array_remove(r.labels, p_reason)
  where r.store_id = p_store and r.review_id = p_review and p_reason = any (r.labels);
end
$$;
comment on function vouch.hold_lift is 'A reason no longer holds true: it is taken off, and with the last one the revision is published.';

create or replace function vouch.hold_note(p_store text, p_review bigint, p_reason text) returns void
language plpgsql as $$
declare
  action text := (vouch.hold_policy_of(p_store, p_reason)).action;
begin
  update vouch.review_revision r set
    held_for = case when r.state = 'held' and action = 'hold' then r.held_for || p_reason else r.held_for end,
    labels = case when r.state = 'published' or action = 'label' then r.labels || p_reason else r.labels end
  where r.store_id = p_store and r.review_id = p_review and r.state in ('held', 'published') and action <> 'publish'
    and not p_reason = any (r.held_for || r.labels);
end
$$;
comment on function vouch.hold_note is 'A reason has become true later: it joins those of a held revision; a published one stays, with the reason as its label.';

create or replace function vouch.hold_follow(p_store text, p_review bigint, p_verified boolean) returns void
language plpgsql as $$
begin
  if p_verified then
    perform vouch.hold_lift(p_store, p_review, 'unverified');
  else
    perform vouch.hold_note(p_store, p_review, 'unverified');
  end if;
end
$$;
comment on function vouch.hold_follow is 'Holds and labels for being unverified follow the verification.';

create or replace function vouch.hold_due(p_store text, p_review bigint, p_revision integer) returns void
language plpgsql as $$
declare
  policy vouch.hold_policy;
  known text;
  escalate boolean := false;
  again timestamptz;
begin
  for known in
    select unnest(r.held_for) from vouch.review_revision r
    where r.store_id = p_store and r.review_id = p_review and r.revision = p_revision
  loop
    policy := vouch.hold_policy_of(p_store, known);
    escalate := escalate or policy.on_deadline = 'escalate';
    again := greatest(again, vouch.clock() + policy.deadline);
  end loop;
  perform vouch.revision_move(p_store, p_review, p_revision, case when escalate then 'escalate' else 'release' end,
    'vouch', true, null, null, case when escalate then again end);
end
$$;
comment on function vouch.hold_due is 'What becomes of a hold at its deadline: escalated if one of its reasons says so, else released with its reasons as labels.';

create or replace function vouch.hold_sweep(p_store text, p_limit integer) returns integer
language plpgsql security definer as $$
declare
  due record;
  moved integer := 0;
begin
  perform vouch.enter(p_store);
  for due in
    select r.review_id, r.revision from vouch.review_revision r
    where r.store_id = p_store and r.state = 'held' and r.deadline_at <= vouch.clock()
    order by r.deadline_at, r.review_id limit p_limit
  loop
    perform from vouch.review v where v.store_id = p_store and v.review_id = due.review_id for no key update skip locked;
    if found and exists (select from vouch.review_revision r where r.store_id = p_store and r.review_id = due.review_id
                         and r.revision = due.revision and r.state = 'held' and r.deadline_at <= vouch.clock()) then
      perform vouch.hold_due(p_store, due.review_id, due.revision);
      moved := moved + 1;
    end if;
  end loop;
  return moved;
end
$$;
comment on function vouch.hold_sweep is 'Holds past their deadline are released, or escalated, as the policies of their reasons say; never forgotten.';

create or replace function vouch.review_pending(p_store text, p_review bigint, p_states text[]) returns integer
language plpgsql stable as $$
begin
  return (
    select r.revision from vouch.review_revision r
    where r.store_id = p_store and r.review_id = p_review and r.state = any (p_states)
    and (r.state <> 'rejected' or r.revision = (select v.revision from vouch.review v where v.store_id = p_store and v.review_id = p_review))
    order by array_position(p_states, r.state), r.revision desc limit 1);
end
$$;
comment on function vouch.review_pending is 'The revision an operator''s decision is about: the newest in the first of these states that occurs. A rejected one that its author has rewritten since is past.';

create or replace function vouch.review_version(p_store text, p_review bigint) returns bigint
language plpgsql stable as $$
begin
  return (select max(d.decision_id) from vouch.review_decision d where d.store_id = p_store and d.review_id = p_review);
end
$$;
comment on function vouch.review_version is 'The newest decision about a review: what an operator who decides has seen of it.';

create or replace function vouch.review_lock(p_store text, p_review bigint, p_version bigint) returns void
language plpgsql as $$
begin
  perform from vouch.review v where v.store_id = p_store and v.review_id = p_review for no key update;
  if not found then
    perform vouch.refuse('VO101', '/review_id', format('there is no review %s in store %s', p_review, p_store));
  end if;
  if p_version <> vouch.review_version(p_store, p_review) then
    perform vouch.refuse('VO205', '/version', 'this has changed meanwhile: ' || vouch.review_standing(p_store, p_review));
  end if;
end
$$;
comment on function vouch.review_lock is 'Whoever decides about a review waits here for his turn; with the version he saw, he is told (VO205) who was quicker. NULL: whatever was decided since.';

create or replace function vouch.review_standing(p_store text, p_review bigint) returns text
language plpgsql stable as $$
begin
  return (
    select format('review %s is %s; the last decision was %s, by %s, %s', p_review, v.state,
      case d.action when 'uphold' then 'to refuse an objection' when 'overturn' then 'to grant an objection' else 'to ' || d.action end,
      case d.actor when 'vouch' then 'Vouch itself' when 'author' then 'its author' else d.actor end,
      to_char(d.decided_at at time zone 'UTC', 'YYYY-MM-DD HH24:MI:SS UTC'))
    from vouch.review v
    join vouch.review_decision d on d.store_id = v.store_id and d.review_id = v.review_id
    where v.store_id = p_store and v.review_id = p_review
    order by d.decision_id desc limit 1);
end
$$;
comment on function vouch.review_standing is 'How a review stands, and who decided last: for an operator who came second.';

create or replace function vouch.review_decide(
  p_store text, p_review bigint, p_operator text, p_action text, p_ground text, p_note text, p_version bigint default null
) returns jsonb
language plpgsql as $$
declare
  chosen integer;
begin
  perform vouch.review_lock(p_store, p_review, p_version);
  chosen := vouch.review_pending(p_store, p_review,
    case p_action when 'approve' then array['held', 'rejected'] else array['held', 'published'] end);
  if chosen is null then
    perform vouch.refuse('VO201', '/review_id', format('there is nothing to %s: %s', p_action, vouch.review_standing(p_store, p_review)));
  end if;
  perform vouch.revision_move(p_store, p_review, chosen, p_action, p_operator, false, p_ground, nullif(btrim(p_note), ''), null);
  return vouch.review_answer(p_store, p_review, chosen);
end
$$;

create or replace function vouch.only_rates(p_text text) returns boolean
language sql immutable
return (
  select count(*) > 0 and bool_or(w.rates) and bool_and(w.rates or w.fills)
  from (
    select word ~ '^(stars?|ratings?|rated?|score[sd]?|points?|estrellas?|puntuaci[oó]n(es)?|puntos?|valoraci[oó]n(es)?|calificaci[oó]n(es)?|nota|estrelas?|classifica[cç][aã]o|classifica[cç][oõ]es|avalia[cç][aã]o|avalia[cç][oõ]es|pontua[cç][aã]o|pontos?|zvaigzn.{0,6}|v[eē]rt[eē]jum.{0,3}|punkt.{0,3}|at[zž][iī]m.{0,3}|(ال|ب|و)*(نجمة|نجوم|نجمه|تقييم|تقييمات|درجة|درجات|تصنيف)|ستاره(ها)?|امتیاز(ها)?|نمره)$'
        or word ~ '^[★☆⭐🌟✩✭✰⭑]+$' as rates,
      word ~ '^(a|an|the|is|it|its|was|are|has|have|had|with|for|of|to|in|on|and|or|but|too|very|so|just|only|this|that|we|our|us|they|gave|given|give|gives|giving|few|low|lower|lowest|bad|poor|negative|terrible|awful|horrible|review|product|customer|one|two|three|out|five|not|enough|good|unfair|unjust|mala?|malo|muy|bajo|baja|negativ[oa]|rese[ñn]a|una?|dos|tres|el|la|los|las|de|del|es|con|por|solo|s[oó]lo|dio|pocas?|pocos?|injust[oa]|opini[oó]n|tiene|ruim|m[aá]|mau|p[eé]ssim[oa]|muito|baix[oa]|uma?|duas?|tr[eê]s|o|e|do|da|com|só|so|deu|poucas?|tem|slikt.{0,2}|[zļ]oti|zem.{0,3}|negat[iī]v.{0,3}|viena|divas|tr[iī]s|tikai|ir|par|un|maz|atsauksme|pārāk|iedeva|(ال|ب|و)*(سيئة?|سلبية?|منخفضة?|ضعيفة?|قليلة?|مراجعة)|جدا|جدًا|واحدة?|اثنتان|نجمتان|فقط|من|هذا|هذه|أعطى|خیلی|کم|پایین|بد|منفی|یک|دو|سه|فقط|نظر|داد|داده|است|این|و|به|از|بسیار)$' as fills
    from regexp_split_to_table(lower(p_text), '[[:space:].,;:!?()/*+"''«»„“”‘’–—…،؛؟0-9۰-۹٠-٩%#_=<>&-]+') as word
    where word <> '') w);
comment on function vouch.only_rates is 'Whether an explanation names nothing but stars or a low rating, in one of the six languages: no fact, so no reason to refuse a review (16 CFR 465.7). Simple on purpose: any word beyond them counts as a fact.';

create or replace function vouch.ground_check(p_store text, p_ground text, p_explanation text) returns void
language plpgsql stable as $$
declare
  needed boolean;
  demanded text;
begin
  select g.needs_explanation, g.facts into needed, demanded from vouch.rejection_ground g
  where g.store_id in (p_store, '*') and g.ground = p_ground order by g.store_id = p_store desc limit 1;
  if needed is null then
    perform vouch.refuse('VO103', '/ground', format('%L is not a ground for refusing a review; it is one of %s', p_ground,
      (select string_agg(distinct g.ground, ', ') from vouch.rejection_ground g where g.store_id in (p_store, '*'))));
  end if;
  if needed and coalesce(btrim(p_explanation), '') = '' then
    perform vouch.refuse('VO104', '/explanation', format('a refusal as %s needs the facts it rests on: %s; the author is told them', p_ground, demanded));
  end if;
  if vouch.only_rates(p_explanation) then
    perform vouch.refuse('VO107', '/explanation', format('a low rating is no reason to refuse a review; for %s say %s', p_ground, demanded));
  end if;
end
$$;
comment on function vouch.ground_check is 'Only a ground of the closed list, with its facts. A low rating is not on it, and is no fact.';
