-- SPDX-License-Identifier: MIT
-- Objections to decisions, by authors and by who reported; what the counts of decisions say; what they teach.

create table vouch.appeal (
  store_id text collate "C" not null,
  appeal_id bigint generated always as identity,
  appellant text not null
    constraint appeal_appellant_is_known check (appellant in ('author', 'reporter')),
  review_id bigint not null,
  decision_id bigint not null,
  report_id bigint,
  body text not null
    constraint appeal_body_is_bounded check (octet_length(body) between 1 and 10000),
  state text not null default 'open'
    constraint appeal_state_is_known check (state in ('open', 'granted', 'refused', 'lapsed')),
  asked_at timestamptz not null,
  decided_at timestamptz,
  decided_by text,
  second_look boolean not null default false,
  explanation text
    constraint appeal_explanation_is_bounded check (octet_length(explanation) between 1 and 10000),
  constraint appeal_of_a_reporter_names_the_report check ((appellant = 'reporter') = (report_id is not null)),
  constraint appeal_end_has_a_time check ((state = 'open') = (decided_at is null)),
  constraint appeal_decision_has_somebody check ((state in ('granted', 'refused')) = (decided_by is not null)),
  constraint appeal_refusal_is_explained check (state <> 'refused' or explanation is not null),
  primary key (store_id, appeal_id),
  foreign key (store_id, decision_id) references vouch.review_decision
);
create unique index appeal_of_author_is_one on vouch.appeal (store_id, decision_id) where appellant = 'author';
create unique index appeal_of_reporter_is_one on vouch.appeal (store_id, report_id) where appellant = 'reporter';
create index appeal_open on vouch.appeal (store_id, asked_at, appeal_id) where state = 'open';
create index appeal_by_review on vouch.appeal (store_id, review_id);
comment on table vouch.appeal is 'An objection to a decision, by its author or by who reported the review: one each, within 184 days of the decision, free of charge (DSA Art. 20). The outcome is on the record as well.';
comment on column vouch.appeal.decision_id is 'The decision objected to: the hold, refusal or redaction, or that a reported review was kept.';
comment on column vouch.appeal.state is 'granted: overturned; refused: upheld; lapsed: overtaken, by an edit, a withdrawal or a new decision on the review.';
comment on column vouch.appeal.second_look is 'Decided by the same operator as the first decision, since nobody else was there, 24 hours or more after it.';

alter table vouch.review_report
  add column state text not null default 'open'
    constraint review_report_state_is_known check (state in ('open', 'kept', 'removed', 'moot')),
  add column address_key bytea,
  add column locale text,
  add column decision_id bigint,
  add column decided_at timestamptz,
  add column decided_by text,
  add column explanation_given text,
  add column told boolean not null default false,
  add constraint review_report_end_has_a_time check ((state = 'open') = (decided_at is null)),
  add constraint review_report_decision_has_somebody check (state not in ('kept', 'removed') or decided_by is not null);
create index review_report_by_review on vouch.review_report (store_id, review_id);
create index review_report_open on vouch.review_report (store_id, reported_at, report_id) where state = 'open';
create index review_report_by_address on vouch.review_report (store_id, address_key, reported_at) where address_key is not null;
comment on column vouch.review_report.category is 'One of the grounds for refusing a review, or dangerous, or a word of the store''s own. illegal and dangerous hold the review at once, as hold_policy says for reported.';
comment on column vouch.review_report.state is 'kept: the review stays; removed: it does not; moot: its author had withdrawn it.';
comment on column vouch.review_report.decision_id is 'The decision on the review that answered the report.';
comment on column vouch.review_report.told is 'A receipt was mailed, and so will the decision be. At most five receipts a day go to one address, so that nobody can be flooded.';

create table vouch.parity_total (
  store_id text collate "C" not null,
  rating smallint not null constraint parity_total_rating_is_1_to_5 check (rating between 1 and 5),
  received bigint not null default 0,
  published bigint not null default 0,
  held bigint not null default 0,
  rejected bigint not null default 0,
  withdrawn bigint not null default 0,
  holds bigint not null default 0,
  holds_ended bigint not null default 0,
  hold_seconds numeric not null default 0,
  primary key (store_id, rating)
) with (fillfactor = 70);
comment on table vouch.parity_total is 'Wordings by stars: how many were received, and where they are now. Counted when the worker links a decision into the record; readers add the decisions not yet linked.';
comment on column vouch.parity_total.holds is 'How many were held at any time; holds_ended of these are over, after hold_seconds altogether.';

create table vouch.parity_ground (
  store_id text collate "C" not null,
  ground text not null,
  rating smallint not null,
  rejected bigint not null default 0,
  primary key (store_id, ground, rating)
) with (fillfactor = 70);
comment on table vouch.parity_ground is 'Refused wordings by ground and stars, as they are now, counted like parity_total.';

create table vouch.training_example (
  store_id text collate "C" not null,
  decision_id bigint not null,
  review_id bigint not null,
  revision integer not null,
  locale text not null
    constraint training_example_locale_is_a_language check (locale ~ '^[a-z]{2,3}$'),
  abusive boolean not null,
  decided_at timestamptz not null,
  learned_at timestamptz,
  primary key (store_id, review_id, revision)
);
create index training_example_fresh on vouch.training_example (store_id, locale) where learned_at is null;
comment on table vouch.training_example is 'What operators'' decisions teach: a wording approved although it might have been abusive, or refused as abusive. The words are read where they are, and never copied here.';
comment on column vouch.training_example.abusive is 'Of several decisions on one wording the last counts; an objection that is granted turns it.';
comment on column vouch.training_example.learned_at is 'When a model was trained with it; NULL: not yet, or decided otherwise since.';
