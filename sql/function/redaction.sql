-- SPDX-License-Identifier: MIT
-- Personal data is hidden by marking it: the author's text stays as it was, outputs show […] in its place.

create or replace function vouch.shown_text(p_redactions jsonb, p_field text, p_text text) returns text
language plpgsql immutable as $$
declare
  bytes bytea;
  shown text := '';
  place integer := 0;
  hidden record;
begin
  if p_text is null or p_redactions = '[]' then
    return p_text;
  end if;
  bytes := convert_to(p_text, 'UTF8');
  for hidden in
    select (x ->> 'start')::integer as first, (x ->> 'end')::integer as past from jsonb_array_elements(p_redactions) x
    where x ->> 'field' = p_field order by 1, 2
  loop
    if hidden.first >= place then
      shown := shown || convert_from(substring(bytes from place + 1 for hidden.first - place), 'UTF8') || '[…]';
    end if;
    place := greatest(place, hidden.past);
  end loop;
  return shown || convert_from(substring(bytes from place + 1), 'UTF8');
end
$$;
comment on function vouch.shown_text is 'A title, body or author_name as anybody but its author may read it. Every public output goes through here.';

create or replace function vouch.redaction_range(p_text text, p_range jsonb) returns setof jsonb
language plpgsql immutable as $$
declare
  bytes bytea := convert_to(coalesce(p_text, ''), 'UTF8');
  wanted bytea := convert_to(p_range ->> 'text', 'UTF8');
  first integer := (p_range ->> 'start')::integer;
  past integer := (p_range ->> 'end')::integer;
begin
  if wanted is null then
    if first is null or past is null or first < 0 or past <= first or past > length(bytes)
        or get_byte(bytes, first) & 192 = 128 or past < length(bytes) and get_byte(bytes, past) & 192 = 128 then
      perform vouch.refuse('VO108', '/ranges', format('start and end are byte offsets in the %s, at the borders of characters: %s', p_range ->> 'field', p_range));
    end if;
    return next jsonb_build_object('field', p_range ->> 'field', 'start', first, 'end', past);
    return;
  end if;
  past := 0;
  loop
    first := position(wanted in substring(bytes from past + 1)) - 1 + past;
    exit when first < past or wanted = '';
    past := first + length(wanted);
    return next jsonb_build_object('field', p_range ->> 'field', 'start', first, 'end', past);
  end loop;
end
$$;
comment on function vouch.redaction_range is 'One range as byte offsets; a "text" gives every place where it stands.';

create or replace function vouch.redaction_ranges(p_words vouch.review_revision, p_ranges jsonb) returns jsonb
language plpgsql immutable as $$
declare
  wanted jsonb;
  found_ranges jsonb := '[]';
  more jsonb;
begin
  if jsonb_typeof(p_ranges) is distinct from 'array' or jsonb_array_length(p_ranges) > 1000 then
    perform vouch.refuse('VO108', '/ranges', 'ranges is an array like [{"field":"body","text":"+371 2000 0000"}] or [{"field":"body","start":0,"end":5}]');
  end if;
  for wanted in select e from jsonb_array_elements(p_ranges) e loop
    more := (select jsonb_agg(r) from vouch.redaction_range(case wanted ->> 'field' when 'title' then p_words.title when 'body' then p_words.body
      when 'author_name' then p_words.author_name end, wanted) r);
    if more is null then
      perform vouch.refuse('VO108', '/ranges', format('this is not in the %s of the review; field is title, body or author_name', coalesce(wanted ->> 'field', 'text')));
    end if;
    found_ranges := found_ranges || more;
  end loop;
  return (select coalesce(jsonb_agg(distinct x), '[]') from jsonb_array_elements(found_ranges) x);
end
$$;

create or replace function vouch.redaction_set(
  p_store text, p_review bigint, p_revision integer, p_redactions jsonb, p_action text, p_actor text, p_note text
) returns bigint
language plpgsql as $$
declare
  review vouch.review;
  words vouch.review_revision;
  made vouch.review_decision;
begin
  select v.* into strict review from vouch.review v where v.store_id = p_store and v.review_id = p_review for no key update;
  update vouch.review_revision r set redactions = p_redactions
  where r.store_id = p_store and r.review_id = p_review and r.revision = p_revision
  returning r.* into strict words;
  update vouch.review v set shown_at = vouch.clock()
  where v.store_id = p_store and v.review_id = p_review and v.published_revision = p_revision;
  made := vouch.decision_record(words, p_action, words.state, p_actor, false, case p_action when 'redact' then 'personal_data' end, p_note, p_redactions);
  perform vouch.decision_tell(made, review.revision, review.product_id);
  return made.decision_id;
end
$$;
comment on function vouch.redaction_set is 'What is hidden of a revision from now on, in place of what was; recorded, the author told.';

create or replace function vouch.review_redact(p_store text, p_review bigint, p_operator text, p_ranges jsonb, p_note text, p_version bigint default null)
returns jsonb
language plpgsql as $$
declare
  words vouch.review_revision;
  ranges jsonb;
begin
  perform vouch.review_lock(p_store, p_review, p_version);
  select r.* into words from vouch.review_revision r
  where r.store_id = p_store and r.review_id = p_review and r.revision = vouch.review_pending(p_store, p_review, array['held', 'published']);
  if words.revision is null then
    perform vouch.refuse('VO201', '/review_id', 'there is nothing to redact: ' || vouch.review_standing(p_store, p_review));
  end if;
  ranges := vouch.redaction_ranges(words, p_ranges);
  if ranges = words.redactions then
    perform vouch.refuse('VO201', '/ranges', 'these are hidden already, and nothing else');
  end if;
  if ranges <> '[]' then
    perform vouch.ground_check(p_store, 'personal_data', p_note);
  end if;
  perform vouch.redaction_set(p_store, p_review, words.revision, ranges, case when ranges = '[]' then 'undo' else 'redact' end, p_operator, nullif(btrim(p_note), ''));
  return vouch.review_answer(p_store, p_review, words.revision) || jsonb_build_object('redactions', ranges);
end
$$;
