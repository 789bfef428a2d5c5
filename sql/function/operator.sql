-- SPDX-License-Identifier: MIT
-- What else operators decide: objections, reports, redactions, undoing. For people at psql, the console and vouchctl.

create or replace function vouch.decide_appeal(appeal_id bigint, operator text, outcome text, explanation text default null, ground text default null)
returns jsonb
language plpgsql security definer as $$
declare
  actor record;
begin
  actor := vouch.act(decide_appeal.operator, array['moderator', 'manager']);
  if coalesce(decide_appeal.outcome, '') not in ('granted', 'refused') then
    perform vouch.refuse('VO106', '/outcome', 'an objection is granted or refused');
  elsif decide_appeal.outcome = 'refused' and coalesce(btrim(decide_appeal.explanation), '') = '' then
    perform vouch.refuse('VO104', '/explanation', 'who objected is told why the decision stands: explain it');
  elsif decide_appeal.outcome = 'refused' and vouch.only_rates(decide_appeal.explanation) then
    perform vouch.refuse('VO107', '/explanation', 'a low rating is no reason for a decision to stand');
  end if;
  return vouch.appeal_decide(actor.store, decide_appeal.appeal_id, actor.name, decide_appeal.outcome, decide_appeal.ground,
    nullif(btrim(decide_appeal.explanation), ''));
end
$$;
comment on function vouch.decide_appeal is
'Grants or refuses an objection, by another operator than the first decision''s; where there is none, by a second look 24 hours after it, recorded as such. ground: on which a reported review is removed after all, when the report named none.';

create or replace function vouch.decide_report(
  report_id bigint, operator text, outcome text, explanation text default null, ground text default null, version bigint default null
) returns jsonb
language plpgsql security definer as $$
declare
  actor record;
begin
  actor := vouch.act(decide_report.operator, array['moderator', 'manager']);
  if coalesce(decide_report.outcome, '') not in ('kept', 'removed') then
    perform vouch.refuse('VO106', '/outcome', 'a reported review is kept or removed');
  end if;
  return vouch.report_decide(actor.store, decide_report.report_id, actor.name, decide_report.outcome, decide_report.ground,
    nullif(btrim(decide_report.explanation), ''), decide_report.version);
end
$$;
comment on function vouch.decide_report is
'Answers a report: the review is kept, or removed on a ground (the reported one where it is of the closed list) with its facts. Who reported is told and may object.';

create or replace function vouch.redact(review_id bigint, operator text, ranges jsonb, note text default null, version bigint default null) returns jsonb
language plpgsql security definer as $$
declare
  actor record;
begin
  actor := vouch.act(redact.operator, array['moderator', 'manager']);
  return vouch.review_redact(actor.store, redact.review_id, actor.name, redact.ranges, redact.note, redact.version);
end
$$;
comment on function vouch.redact is
'Hides personal data in a held or published review: ranges are all that is hidden from now on, [{"field":"body","text":"+371 2000 0000"}] or [{"field":"body","start":12,"end":26}] in bytes; field is title, body or author_name; [] shows all again. note: what kind of data, and whose; the author is told. The author''s text stays as it was.';

create or replace function vouch.undo(review_id bigint, operator text default null, note text default null, version bigint default null) returns jsonb
language plpgsql security definer as $$
declare
  actor record;
begin
  actor := vouch.act(undo.operator, array['moderator', 'manager']);
  return vouch.review_undo(actor.store, undo.review_id, actor.name, undo.note, undo.version);
end
$$;
comment on function vouch.undo is 'Takes the newest decision on a review back, if an operator took it: approval, refusal or redaction. The former state is opened again.';

create or replace function vouch.appeal(review_id bigint, body text, operator text default null) returns jsonb
language plpgsql security definer as $$
declare
  actor record;
begin
  actor := vouch.act(appeal.operator, array['moderator', 'manager', 'mediator']);
  return jsonb_build_object('appeal', jsonb_build_object('appeal_id', vouch.appeal_add(actor.store, appeal.review_id, appeal.body), 'state', 'open'));
end
$$;
comment on function vouch.appeal is 'Takes down an author''s objection that came by another way than the author''s page: by mail, by phone.';
