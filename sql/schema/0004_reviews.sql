-- SPDX-License-Identifier: MIT
-- Reviews, their revisions, and the ratings kept beside them.

create table vouch.review (
  store_id text collate "C" not null,
  review_id bigint generated always as identity,
  external_id text collate "C",
  product_id text collate "C" not null,
  order_id text collate "C",
  line_id text collate "C",
  claim text not null
    constraint review_claim_is_known check (claim in ('authenticated', 'invited', 'confirmed', 'unconfirmed', 'anonymous')),
  customer_id text collate "C",
  address_key bytea,
  wanted_order_id text collate "C",
  wanted_line_id text collate "C",
  verified boolean not null default false,
  verified_reason text not null
    constraint review_verified_reason_is_known check (verified_reason in
      ('delivered_line', 'no_such_purchase', 'not_delivered', 'written_before_delivery', 'address_unconfirmed', 'no_author')),
  experience_at timestamptz,
  invited boolean not null default false,
  incentivised boolean not null default false,
  state text not null
    constraint review_state_is_known check (state in ('held', 'published', 'rejected', 'withdrawn')),
  revision integer not null,
  published_revision integer,
  written_at timestamptz not null,
  published_at timestamptz,
  shown_rating smallint,
  shown_language text collate "C",
  shown_at timestamptz,
  refunded boolean not null default false,
  erased_at timestamptz,
  constraint review_published_has_a_revision check ((state = 'published') = (published_revision is not null)),
  constraint review_verified_has_a_line check (verified = (verified_reason = 'delivered_line')
    and (not verified or (line_id is not null and experience_at is not null and experience_at <= written_at))),
  primary key (store_id, review_id)
);
create unique index review_one_per_line on vouch.review (store_id, order_id, line_id) where line_id is not null and state <> 'withdrawn';
create index review_by_product on vouch.review (store_id, product_id, published_at desc, review_id desc)
  include (shown_rating, shown_language, verified) where state = 'published';
create index review_by_change on vouch.review (store_id, shown_at, review_id) where state = 'published';
create index review_by_customer on vouch.review (store_id, customer_id, product_id) where customer_id is not null;
create index review_by_address on vouch.review (store_id, address_key, product_id) where address_key is not null;
create index review_by_order on vouch.review (store_id, order_id) where order_id is not null;
comment on table vouch.review is 'One review per order line. Its words and stars are in its revisions.';
comment on column vouch.review.claim is 'Who wrote it: authenticated by the store, invited through the mailed link, confirmed or not yet confirmed by a mailed link, anonymous.';
comment on column vouch.review.verified is 'A stored, delivered order line of this buyer for this product, delivered before the review was written. Nothing else.';
comment on column vouch.review.experience_at is 'Delivery of the line: the date of experience.';
comment on column vouch.review.wanted_order_id is 'The order, and with wanted_line_id the line, that the author or the invitation named; verification looks at no other.';
comment on column vouch.review.written_at is 'When the newest revision was written, as the store reports it, never later than vouch.clock().';
comment on column vouch.review.published_at is 'When it could first be read; an edit does not make a review new.';
comment on column vouch.review.shown_rating is 'Stars of the published revision, copied for pages and filters; vouch.review_settle() alone writes it.';
comment on column vouch.review.shown_language is 'Language of the published revision, "lv" of lv-LV, likewise.';
comment on column vouch.review.shown_at is 'When the published revision became the one that is shown: what a feed of changes goes by.';
comment on column vouch.review.refunded is 'Money went back for its line or order: a label, kept by triggers, so that a page looks into no order.';
comment on column vouch.review.incentivised is 'A discount code was offered for the order; disclosed wherever the review is shown.';

create table vouch.review_name (
  store_id text collate "C" not null,
  external_id text collate "C" not null,
  review_id bigint not null,
  primary key (store_id, external_id),
  foreign key (store_id, review_id) references vouch.review
);
comment on table vouch.review_name is 'The store''s own ids of a review; two when a second submission became an edit.';

create table vouch.review_revision (
  store_id text collate "C" not null,
  review_id bigint not null,
  revision integer not null,
  rating smallint not null constraint review_revision_rating_is_1_to_5 check (rating between 1 and 5),
  title text constraint review_revision_title_is_bounded check (octet_length(title) <= 500),
  body text constraint review_revision_body_is_bounded check (octet_length(body) <= 20000),
  author_name text constraint review_revision_name_is_bounded check (octet_length(author_name) <= 500),
  locale text,
  written_at timestamptz not null,
  received_at timestamptz not null,
  reasons text[] not null default '{}',
  marks jsonb not null default '[]',
  redactions jsonb not null default '[]',
  state text not null
    constraint review_revision_state_is_known check (state in ('unconfirmed', 'held', 'published', 'rejected', 'superseded', 'withdrawn')),
  held_for text[] not null default '{}',
  labels text[] not null default '{}',
  held_at timestamptz,
  deadline_at timestamptz,
  escalated_at timestamptz,
  salt bytea,
  digest bytea not null constraint review_revision_digest_is_32_bytes check (length(digest) = 32),
  erased_at timestamptz,
  constraint review_revision_hold_is_explained check (
    (state = 'held') = (held_at is not null and deadline_at is not null and cardinality(held_for) > 0)),
  primary key (store_id, review_id, revision),
  foreign key (store_id, review_id) references vouch.review
);
create index review_revision_held on vouch.review_revision (store_id, deadline_at, review_id) where state = 'held';
comment on table vouch.review_revision is 'The author''s words and stars, one row per edit, unchangeable. Title, body, name and salt can only be erased.';
comment on column vouch.review_revision.reasons is 'What moderation found in the words, blind to the stars.';
comment on column vouch.review_revision.marks is 'The very words: [{"field","start","end","category"}], byte offsets.';
comment on column vouch.review_revision.redactions is 'Personal data not to be shown: [{"field","start","end"}], byte offsets, as the newest decision to redact says. The author''s text itself stays.';
comment on column vouch.review_revision.held_for is 'Reasons that hold it now, by hold_policy.';
comment on column vouch.review_revision.digest is 'SHA-256 of salt and vouch.revision_text(): what the signed record vouches for.';

create table vouch.confirmation (
  store_id text collate "C" not null,
  confirmation_id bigint generated always as identity,
  review_id bigint not null,
  revision integer,
  action text not null constraint confirmation_action_is_known check (action in ('author', 'edit', 'withdraw')),
  address_key bytea not null,
  state text not null default 'pending' constraint confirmation_state_is_known check (state in ('pending', 'confirmed', 'lapsed')),
  asked_at timestamptz not null,
  settled_at timestamptz,
  primary key (store_id, confirmation_id),
  foreign key (store_id, review_id) references vouch.review
);
create index confirmation_by_address on vouch.confirmation (store_id, address_key, asked_at);
comment on table vouch.confirmation is 'What waits for the owner of an address to follow a mailed link: that a review is theirs, an edit, a withdrawal.';

create table vouch.review_decision (
  store_id text collate "C" not null,
  decision_id bigint generated always as identity,
  review_id bigint not null,
  revision integer not null,
  action text not null
    constraint review_decision_action_is_known check (action in
      ('publish', 'hold', 'release', 'escalate', 'approve', 'reject', 'withdraw', 'supersede', 'erase', 'redact', 'undo', 'keep',
       'overturn', 'uphold')),
  from_state text,
  to_state text not null,
  decided_at timestamptz not null,
  actor text not null,
  automated boolean not null,
  ground text,
  reasons text[] not null default '{}',
  words_digest bytea not null,
  note_digest bytea,
  redactions jsonb,
  constraint review_decision_rejection_has_a_ground check (
    (action <> 'reject' or ground is not null) and (ground is null or to_state = 'rejected' or action = 'redact')),
  constraint review_decision_redaction_says_what check (action <> 'redact' or redactions is not null),
  primary key (store_id, decision_id),
  foreign key (store_id, review_id, revision) references vouch.review_revision
);
create index review_decision_by_review on vouch.review_decision (store_id, review_id, decision_id);
comment on table vouch.review_decision is 'Every decision, append-only, holding digests of words and notes, no personal text.';
comment on column vouch.review_decision.action is 'keep: a report was examined and the review stays; overturn and uphold: an objection was granted, refused; undo: an operator''s decision was taken back.';
comment on column vouch.review_decision.redactions is 'Of a decision to redact, and of those that lift it: all ranges that are hidden from then on.';
comment on column vouch.review_decision.actor is 'An operator''s name, or author, or vouch.';

create table vouch.decision_note (
  store_id text collate "C" not null,
  decision_id bigint not null,
  note text not null constraint decision_note_is_bounded check (octet_length(note) between 1 and 10000),
  salt bytea not null,
  primary key (store_id, decision_id),
  foreign key (store_id, decision_id) references vouch.review_decision
);
comment on table vouch.decision_note is 'The operator''s facts and notes; apart from the decision so that they can be erased.';

create table vouch.record_pending (
  store_id text collate "C" not null,
  decision_id bigint not null,
  primary key (store_id, decision_id)
);
comment on table vouch.record_pending is 'Decisions not yet linked into the record, so that nobody has to look through all of them.';

create table vouch.record_link (
  store_id text collate "C" not null,
  sequence bigint not null constraint record_link_sequence_is_positive check (sequence > 0),
  decision_id bigint not null,
  digest bytea not null,
  hash bytea not null,
  primary key (store_id, sequence),
  unique (store_id, decision_id),
  foreign key (store_id, decision_id) references vouch.review_decision
);
comment on table vouch.record_link is 'The chain over review_decision: hash = SHA-256(previous hash || digest), digest = SHA-256 of vouch.decision_text().';

create table vouch.record_head (
  store_id text collate "C" primary key,
  sequence bigint not null,
  hash bytea not null,
  signature bytea not null constraint record_head_signature_is_ed25519 check (length(signature) = 64),
  public_key bytea not null constraint record_head_key_is_ed25519 check (length(public_key) = 32),
  signed_at timestamptz not null
);
comment on table vouch.record_head is 'The end of the chain, signed (Ed25519, RFC 8032) with a key that no SQL role holds.';

create table vouch.rating_total (
  store_id text collate "C" not null,
  product_id text collate "C" not null,
  histogram integer[] not null default '{0,0,0,0,0}' constraint rating_total_has_five_bars check (cardinality(histogram) = 5),
  primary key (store_id, product_id)
) with (fillfactor = 70);
comment on table vouch.rating_total is 'Published reviews by stars, folded from rating_change by the worker.';

create table vouch.rating_change (
  store_id text collate "C" not null,
  change_id bigint generated always as identity,
  product_id text collate "C" not null,
  rating smallint not null,
  change smallint not null constraint rating_change_is_one check (change in (-1, 1)),
  primary key (store_id, change_id)
);
create index rating_change_by_product on vouch.rating_change (store_id, product_id);
comment on table vouch.rating_change is 'Not yet folded changes. Appending lets many reviews of one product be published at once; readers add both.';

create table vouch.review_report (
  store_id text collate "C" not null,
  report_id bigint generated always as identity,
  review_id bigint not null,
  explanation text not null constraint review_report_explanation_is_bounded check (octet_length(explanation) between 1 and 10000),
  url text,
  name text,
  email text,
  category text,
  good_faith boolean not null constraint review_report_is_in_good_faith check (good_faith),
  reported_at timestamptz not null,
  primary key (store_id, report_id),
  foreign key (store_id, review_id) references vouch.review
);
comment on table vouch.review_report is 'Notices about published reviews, by anyone (DSA Art. 16(2)).';
