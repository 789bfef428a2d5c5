-- SPDX-License-Identifier: MIT
-- The case of an unhappy customer. It runs beside the review, whose publication never depends on it (CMA208). The audit
-- (case_event) is append-only and holds digests; what people wrote is in case_text and can be erased.

create table vouch.case_policy (
  store_id text collate "C" not null references vouch.store on delete cascade,
  product_group text not null default '*'
    constraint case_policy_product_group_is_short check (length(product_group) between 1 and 100),
  locale text not null default '*'
    constraint case_policy_locale_is_a_language check (locale = '*' or locale ~ '^[a-z]{2,3}$'),
  stars smallint not null default 2
    constraint case_policy_stars_are_1_to_5 check (stars between 1 and 5),
  alert_to text[] not null default '{}'
    constraint case_policy_alert_to_are_addresses check (cardinality(alert_to) <= 20
      and array_position(alert_to, null) is null
      and array_to_string(alert_to, ' ') !~ '[[:cntrl:]<>,;]'
      and array_to_string(alert_to, ' ') ~ '^([^@[:space:]]+@[^@[:space:]]+\.[^@[:space:]]+( |$))*$'),
  respond_within interval not null default '24 hours'
    constraint case_policy_respond_within_is_sane check (respond_within between interval '1 minute' and interval '60 days'),
  resolve_within interval not null default '7 days'
    constraint case_policy_resolve_within_is_sane check (resolve_within between interval '1 hour' and interval '365 days'),
  escalate_to text[] not null default '{}'
    constraint case_policy_escalate_to_are_addresses check (cardinality(escalate_to) <= 10
      and array_position(escalate_to, null) is null
      and array_to_string(escalate_to, ' ') !~ '[[:cntrl:]<>,;]'
      and array_to_string(escalate_to, ' ') ~ '^([^@[:space:]]+@[^@[:space:]]+\.[^@[:space:]]+( |$))*$'),
  escalate_after interval not null default '8 hours'
    constraint case_policy_escalate_after_is_sane check (escalate_after between interval '1 minute' and interval '60 days'),
  contact_first boolean not null default true,
  thank_from smallint
    constraint case_policy_thanks_are_for_praise check (thank_from between 4 and 5 and thank_from > stars),
  follow_up_after interval not null default '5 days'
    constraint case_policy_follow_up_is_sane check (follow_up_after between interval '1 hour' and interval '90 days'),
  ask_update boolean not null default true,
  ask_update_after interval not null default '2 days'
    constraint case_policy_ask_update_is_sane check (ask_update_after between interval '1 hour' and interval '90 days'),
  mediate_within interval not null default '14 days'
    constraint case_policy_mediation_is_sane check (mediate_within between interval '1 day' and interval '180 days'),
  primary key (store_id, product_group, locale, stars)
);
comment on table vouch.case_policy is
'When a review opens a case and who hears of it at once. Of the rows that fit a review the one for its product group goes before *, then the one for its language, then the one with the fewest stars. No row at all: reviews of two stars and fewer open cases, nobody is mailed, public replies need no contact before.';
comment on column vouch.case_policy.stars is 'Reviews with so many stars or fewer open a case. Says nothing about publication: no setting does by stars (16 CFR 465.7).';
comment on column vouch.case_policy.alert_to is 'Addresses alerted the moment a case opens; a row with fewer stars is the way to alert others when it is worse.';
comment on column vouch.case_policy.respond_within is 'First answer to the customer, in business time (business_hours, holiday).';
comment on column vouch.case_policy.resolve_within is 'Resolution confirmed or the case closed, in business time.';
comment on column vouch.case_policy.escalate_to is 'Whom an overdue case is told to, one after the other, escalate_after (business time) apart, each once.';
comment on column vouch.case_policy.contact_first is 'The public reply comes after the first private contact; earlier only with a reason.';
comment on column vouch.case_policy.thank_from is 'Reviews with so many stars that are published at once get a thank-you reply from reply_template (topic praise); NULL: never. Others are answered by people only.';
comment on column vouch.case_policy.follow_up_after is 'From the confirmed resolution to the question whether all is well.';
comment on column vouch.case_policy.ask_update is 'After the follow-up one neutral question whether the author wants to update the review; silence changes nothing.';

create table vouch.business_hours (
  store_id text collate "C" not null references vouch.store on delete cascade,
  weekday smallint not null
    constraint business_hours_weekday_is_iso8601 check (weekday between 1 and 7),
  opens time not null,
  closes time not null,
  constraint business_hours_close_after_they_open check (closes > opens),
  primary key (store_id, weekday, opens)
);
comment on table vouch.business_hours is 'When the clocks of cases run, in the store''s time zone; weekday 1 is Monday (ISO 8601), 24:00 is midnight at the end. No row: round the clock.';

create table vouch.holiday (
  store_id text collate "C" not null references vouch.store on delete cascade,
  day date not null,
  name text not null default ''
    constraint holiday_name_is_one_line check (length(name) <= 200 and name !~ '[[:cntrl:]]'),
  primary key (store_id, day)
);
comment on table vouch.holiday is 'Days in the store''s time zone on which the clocks of cases stand still.';

create table vouch.reply_template (
  store_id text collate "C" not null,
  name text collate "C" not null
    constraint reply_template_name_is_short check (name ~ '^[a-z0-9_.-]{1,60}$'),
  locale text not null
    constraint reply_template_locale_is_a_language check (locale ~ '^[a-z]{2,3}$'),
  topic text not null default '*'
    constraint reply_template_topic_is_known check (topic in
      ('*', 'delivery', 'packaging', 'quality', 'description', 'size', 'price', 'service', 'other', 'praise')),
  thanks text not null constraint reply_template_thanks_is_bounded check (length(thanks) between 1 and 1000),
  empathy text not null default '' constraint reply_template_empathy_is_bounded check (length(empathy) <= 1000),
  what_happened text not null default '' constraint reply_template_what_happened_is_bounded check (length(what_happened) <= 2000),
  what_we_do text not null default '' constraint reply_template_what_we_do_is_bounded check (length(what_we_do) <= 2000),
  primary key (store_id, name, locale)
);
comment on table vouch.reply_template is
'The library of replies, in four steps. {name} {product} {order} {delivered} {promised} {delay_days} {store} are filled from the record, a sentence whose facts are missing is left out. Drafts only: a person sends them.';

create table vouch.case (
  store_id text collate "C" not null,
  case_id bigint generated always as identity,
  review_id bigint,
  product_id text collate "C" not null,
  topic text,
  origin text not null
    constraint case_origin_is_known check (origin in ('review', 'operator', 'author', 'topic')),
  rating smallint constraint case_rating_is_1_to_5 check (rating between 1 and 5),
  state text not null default 'open'
    constraint case_state_is_known check (state in ('open', 'contacted', 'replied', 'resolution_proposed', 'confirmed', 'not_confirmed',
      'mediation', 'closed', 'reopened')),
  assigned_to text,
  opened_at timestamptz not null,
  respond_by timestamptz not null,
  resolve_by timestamptz not null,
  first_response_at timestamptz,
  resolved_at timestamptz,
  closed_at timestamptz,
  contacted boolean not null default false,
  escalate_at timestamptz,
  escalations smallint not null default 0,
  overdue boolean not null default false,
  ask_at timestamptz,
  asked text constraint case_asked_is_known check (asked in ('follow_up', 'update_question')),
  mediator text,
  mediate_by timestamptz,
  policy jsonb not null,
  constraint case_is_about_a_review_or_a_topic check ((review_id is not null) or (topic is not null)),
  constraint case_closed_has_a_time check ((state = 'closed') = (closed_at is not null)),
  constraint case_mediation_has_a_mediator check (state <> 'mediation' or (mediator is not null and mediate_by is not null)),
  primary key (store_id, case_id),
  foreign key (store_id, review_id) references vouch.review
);
create unique index case_one_alive_per_review on vouch.case (store_id, review_id) where review_id is not null and state <> 'closed';
create index case_by_review on vouch.case (store_id, review_id) where review_id is not null;
create index case_escalates on vouch.case (store_id, escalate_at) where escalate_at is not null;
create index case_asks on vouch.case (store_id, ask_at) where ask_at is not null;
create index case_alive on vouch.case (store_id, respond_by, case_id) where state <> 'closed';
comment on table vouch.case is 'One unhappy customer, or one complaint several share (origin topic, without a review). Moves through vouch.case_move() alone.';
comment on column vouch.case.policy is 'The case_policy it was opened under, so that later changes do not move its targets.';
comment on column vouch.case.respond_by is 'Target of the first answer; resolve_by that of the resolution. Business time.';
comment on column vouch.case.escalate_at is 'When its next target passes or the next of the chain is told; NULL: nothing is due.';
comment on column vouch.case.ask_at is 'When the follow-up, then the neutral question goes out.';

create table vouch.case_event (
  store_id text collate "C" not null,
  event_id bigint generated always as identity,
  case_id bigint not null,
  action text not null
    constraint case_event_action_is_known check (action in ('open', 'contact', 'answer', 'note', 'assign', 'reply', 'propose', 'confirm', 'refuse',
      'mediate', 'statement', 'outcome', 'close', 'reopen', 'overdue', 'escalate', 'follow_up', 'feedback', 'update_question', 'update')),
  from_state text,
  to_state text not null,
  happened_at timestamptz not null,
  actor text not null,
  automated boolean not null default false,
  detail jsonb not null default '{}',
  text_digest bytea,
  primary key (store_id, event_id),
  foreign key (store_id, case_id) references vouch.case
);
create index case_event_by_case on vouch.case_event (store_id, case_id, event_id);
create unique index case_event_mail_once on vouch.case_event (store_id, (detail ->> 'message_id')) where action = 'answer' and detail ? 'message_id';
comment on table vouch.case_event is 'The audit of cases, append-only, no personal text. All KPIs are computed from it.';
comment on column vouch.case_event.actor is 'An operator''s or mediator''s name, or author, or vouch.';
comment on column vouch.case_event.detail is
'By action: open {origin, rating, respond_by, resolve_by}; contact and answer {channel}; contact, reply, propose {took_s} where it is the first response; propose {kind}; confirm and close {took_s}; feedback {satisfied}; update {from, to}; outcome {outcome}; assign {to}. took_s is business seconds since the case was opened.';

create table vouch.case_text (
  store_id text collate "C" not null,
  event_id bigint not null,
  case_id bigint not null,
  body text not null constraint case_text_is_bounded check (octet_length(body) between 1 and 20000),
  salt bytea not null,
  primary key (store_id, event_id),
  foreign key (store_id, event_id) references vouch.case_event
);
create index case_text_by_case on vouch.case_text (store_id, case_id);
comment on table vouch.case_text is 'What people wrote in a case: messages, notes, statements. Erased with the person.';

create table vouch.review_reply (
  store_id text collate "C" not null,
  reply_id bigint generated always as identity,
  review_id bigint not null,
  body text not null constraint review_reply_is_bounded check (octet_length(body) between 1 and 10000),
  operator text not null,
  automated boolean not null default false,
  replied_at timestamptz not null,
  primary key (store_id, reply_id),
  foreign key (store_id, review_id) references vouch.review
);
create index review_reply_by_review on vouch.review_reply (store_id, review_id, reply_id desc);
comment on table vouch.review_reply is 'Public replies of the store, append-only; the newest is shown below the review.';

create table vouch.case_alert (
  store_id text collate "C" not null,
  alert_id bigint generated always as identity,
  case_id bigint not null,
  kind text not null constraint case_alert_kind_is_known check (kind in ('alert', 'escalation')),
  email text not null,
  made_at timestamptz not null,
  primary key (store_id, alert_id),
  foreign key (store_id, case_id) references vouch.case
);
create index case_alert_by_case on vouch.case_alert (store_id, case_id);
comment on table vouch.case_alert is 'Who of the store was alerted to a case; each row is a mail in outgoing_mail.';

create table vouch.measure (
  store_id text collate "C" not null,
  measure_id bigint generated always as identity,
  product_id text collate "C",
  topic text not null
    constraint measure_topic_is_known check (topic in ('delivery', 'packaging', 'quality', 'description', 'size', 'price', 'service', 'other')),
  body text not null constraint measure_is_bounded check (octet_length(body) between 1 and 5000),
  operator text not null,
  taken_at timestamptz not null,
  announced integer not null default 0,
  primary key (store_id, measure_id)
);
comment on table vouch.measure is 'What the store changed because customers complained, announced to those who did. product_id NULL: for all products.';

create table vouch.measure_notice (
  store_id text collate "C" not null,
  notice_id bigint generated always as identity,
  measure_id bigint not null,
  review_id bigint not null,
  primary key (store_id, notice_id),
  unique (store_id, measure_id, review_id),
  foreign key (store_id, measure_id) references vouch.measure
);
comment on table vouch.measure_notice is 'To whose reviews a measure was announced; each row is a mail in outgoing_mail.';
