-- SPDX-License-Identifier: MIT
-- Asking: one request per order, discount codes, links, and the one queue of outgoing mail.

create table vouch.review_request (
  store_id text collate "C" not null,
  request_id bigint generated always as identity,
  order_id text collate "C" not null,
  state text not null default 'scheduled'
    constraint review_request_state_is_known check (state in
      ('scheduled', 'sending', 'sent', 'ambiguous', 'paused', 'skipped', 'cancelled', 'expired', 'failed')),
  due_at timestamptz not null,
  reason text,
  sent_at timestamptz,
  reminders_sent smallint not null default 0,
  link_version integer not null default 1,
  constraint review_request_sent_has_a_time check ((state = 'sent') <= (sent_at is not null)),
  constraint review_request_stopped_has_a_reason check ((state in ('skipped', 'cancelled', 'paused')) <= (reason is not null)),
  primary key (store_id, request_id),
  unique (store_id, order_id)
);
create index review_request_due on vouch.review_request (store_id, due_at, request_id) where state = 'scheduled';
comment on table vouch.review_request is 'One request per order with a delivered line. While it is scheduled, state and due_at follow the order''s facts; from sending on they mirror its mail.';
comment on column vouch.review_request.reason is 'Why it is skipped, cancelled, expired or paused: no_address erased cancelled refunded excluded_product reviewed unsubscribed suppressed no_consent excluded_customer below_minimum cap too_late; quiet while its mail waits for the end of the quiet hours.';

create table vouch.discount_code (
  store_id text collate "C" not null,
  code_hash bytea not null constraint discount_code_hash_is_32_bytes check (length(code_hash) = 32),
  order_id text collate "C" not null,
  kind text not null,
  value numeric(12, 2) not null,
  currency text,
  minimum_spend numeric(12, 2),
  state text not null default 'issued'
    constraint discount_code_state_is_known check (state in ('issued', 'redeemed', 'expired')),
  issued_at timestamptz not null,
  expires_at timestamptz not null,
  redeemed_at timestamptz,
  redeemed_order_id text collate "C",
  constraint discount_code_redeemed_has_a_time check ((state = 'redeemed') = (redeemed_at is not null)),
  primary key (store_id, code_hash),
  unique (store_id, order_id)
);
create index discount_code_open on vouch.discount_code (store_id, expires_at) where state = 'issued';
create index discount_code_by_redemption on vouch.discount_code (store_id, redeemed_order_id) where redeemed_order_id is not null;
comment on table vouch.discount_code is 'One code per order, known here by its keyed hash only.';

create table vouch.link_token (
  store_id text collate "C" not null,
  token_hash bytea not null constraint link_token_hash_is_32_bytes check (length(token_hash) = 32),
  purpose text not null constraint link_token_purpose_is_known check (purpose in
    ('review', 'unsubscribe', 'author', 'confirm', 'thread', 'resolution', 'alert', 'report')),
  subject_id bigint,
  address_key bytea,
  expires_at timestamptz,
  primary key (store_id, token_hash)
);
create index link_token_by_subject on vouch.link_token (store_id, purpose, subject_id);
comment on table vouch.link_token is 'Links in mails: SHA-256 of the token, and what it opens. subject_id is a request, review, confirmation, case (thread, resolution), alert or report, by purpose. The token of a thread is in the address answered to.';

create table vouch.outgoing_mail (
  store_id text collate "C" not null,
  mail_id bigint generated always as identity,
  kind text not null
    constraint outgoing_mail_kind_is_known check (kind in ('request', 'reminder', 'confirm', 'held', 'rejected', 'published', 'discount',
      'alert', 'escalation', 'thread', 'proposal', 'reply', 'follow_up', 'update_question', 'measure', 'report_receipt', 'report_decision')),
  subject_id bigint not null,
  serial smallint not null default 0,
  address_key bytea not null,
  state text not null default 'queued'
    constraint outgoing_mail_state_is_known check (state in ('queued', 'sending', 'sent', 'ambiguous', 'failed', 'skipped', 'expired')),
  due_at timestamptz not null,
  created_at timestamptz not null,
  attempts smallint not null default 0,
  doubts smallint not null default 0 constraint outgoing_mail_retries_doubt_once check (doubts between 0 and 2),
  lease bigint,
  lease_until timestamptz,
  reason text,
  finished_at timestamptz,
  constraint outgoing_mail_lease_is_whole check ((state = 'sending') = (lease is not null) and (lease is null) = (lease_until is null)),
  constraint outgoing_mail_end_has_a_time check ((state in ('sent', 'failed', 'skipped', 'expired')) = (finished_at is not null)),
  primary key (store_id, mail_id),
  unique (store_id, kind, subject_id, serial)
) with (fillfactor = 70);
create index outgoing_mail_due on vouch.outgoing_mail (store_id, due_at, mail_id) where state in ('queued', 'ambiguous');
create index outgoing_mail_leased on vouch.outgoing_mail (store_id, mail_id) where state = 'sending';
create index outgoing_mail_by_address on vouch.outgoing_mail (store_id, address_key);
create index outgoing_mail_finished on vouch.outgoing_mail (store_id, finished_at) where state in ('sent', 'failed');
comment on table vouch.outgoing_mail is 'The one queue of mail. A row is claimed under a numbered lease; only the holder of the lease moves it on.';
comment on column vouch.outgoing_mail.subject_id is 'What it is about: request (request, reminder, discount), confirmation (confirm), decision (held, rejected, published), alert (alert, escalation), report (report_receipt, report_decision), public reply (reply), notice (measure), case event (the others).';
comment on column vouch.outgoing_mail.doubts is 'How often it was left unknown whether the mail had arrived; repeated at most once.';
create sequence vouch.mail_lease;

create table vouch.send_attempt (
  store_id text collate "C" not null,
  mail_id bigint not null,
  attempt smallint not null,
  lease bigint not null,
  message_id text not null,
  started_at timestamptz not null,
  finished_at timestamptz,
  class text constraint send_attempt_class_is_known check (class in ('accepted', 'deferred', 'refused', 'ambiguous')),
  code integer,
  reply text,
  constraint send_attempt_end_has_a_class check ((finished_at is null) = (class is null)),
  primary key (store_id, mail_id, attempt)
) with (fillfactor = 70);
create index send_attempt_by_message on vouch.send_attempt (message_id);
comment on table vouch.send_attempt is 'One row per attempt, committed before the recipient is named to the relay. An attempt without an end is one that may have arrived.';
