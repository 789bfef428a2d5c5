-- SPDX-License-Identifier: MIT
-- What complaints are about.

create table vouch.topic_term (
  store_id text collate "C" not null,
  locale text not null
    constraint topic_term_locale_is_a_language check (locale = '*' or locale ~ '^[a-z]{2,3}$'),
  term text not null
    constraint topic_term_is_bounded check (length(term) between 2 and 100),
  topic text not null
    constraint topic_term_topic_is_known check (topic in ('delivery', 'packaging', 'quality', 'description', 'size', 'price', 'service', 'none')),
  match text not null default 'stem'
    constraint topic_term_match_is_known check (match in ('word', 'stem')),
  primary key (store_id, locale, term)
);
comment on table vouch.topic_term is 'Words by which a review is about a topic. A store''s row with the locale and term of a shipped one replaces it; topic none switches it off. A text with none of them is about other.';
comment on column vouch.topic_term.match is 'word: the word or phrase itself; stem: also longer words that begin with it.';

alter table vouch.review_revision add column topics text[] not null default '{}';
comment on column vouch.review_revision.topics is 'What the words are about, by topic_term; blind to the stars, plays no part in any decision.';

create table vouch.topic_alarm (
  store_id text collate "C" not null,
  alarm_id bigint generated always as identity,
  product_id text collate "C" not null,
  topic text not null,
  week date not null,
  complaints integer not null,
  expected double precision not null,
  probability double precision not null,
  raised_at timestamptz not null,
  primary key (store_id, alarm_id),
  unique (store_id, product_id, topic, week)
);
comment on table vouch.topic_alarm is 'Several customers said the same: a week in which complaints of a topic about a product exceed what chance allows.';
