-- SPDX-License-Identifier: MIT
-- What stores taught Vouch about abuse in their language.

create table vouch.moderation_model (
  store_id text collate "C" not null,
  locale text not null
    constraint moderation_model_locale_is_a_language check (locale ~ '^[a-z]{2,3}$'),
  weights bytea not null
    constraint moderation_model_is_bounded check (length(weights) between 100 and 2097408),
  threshold double precision not null
    constraint moderation_model_threshold_is_a_probability check (threshold between 0 and 1),
  examples integer not null
    constraint moderation_model_examples_is_a_count check (examples >= 0),
  trained_at timestamptz not null,
  note text not null default ''
    constraint moderation_model_note_is_bounded check (length(note) <= 2000),
  fingerprint text not null generated always as (encode(sha256(weights), 'hex')) stored,
  primary key (store_id, locale)
);
comment on table vouch.moderation_model is 'One learned judge of abuse for a language, by vouchctl train. A store''s row replaces that of ''*''.';
comment on column vouch.moderation_model.weights is 'As vouchctl train wrote it, with a checksum. Hashes of words, no texts.';
comment on column vouch.moderation_model.threshold is 'From this probability of being abusive on a review is held.';
