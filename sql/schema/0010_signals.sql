-- SPDX-License-Identifier: MIT
-- What is known of a review by comparing it with others: copies, floods, staff; and the outside classifier.

create table vouch.staff_identity (
  store_id text collate "C" not null references vouch.store on delete cascade,
  kind text not null
    constraint staff_identity_kind_is_known check (kind in ('address', 'domain', 'name', 'customer')),
  value text not null
    constraint staff_identity_value_is_one_line check (length(value) between 1 and 254 and value = btrim(value) and value !~ '[[:cntrl:]]'),
  constraint staff_identity_address_is_one check (kind <> 'address' or value ~ '^[^@[:space:]]+@[^@[:space:]]+$'),
  constraint staff_identity_domain_is_one check (kind <> 'domain' or value ~ '^[^@[:space:]]+\.[^@.[:space:]]+$'),
  primary key (store_id, kind, value)
);
comment on table vouch.staff_identity is 'Who works for the store or is close to it: their reviews get the reason insider (16 CFR 465.5).';
comment on column vouch.staff_identity.kind is 'address: a mail address, whatever its tag; domain: every address of it and of its subdomains; name: as the author signs; customer: the store''s id of a customer.';

create table vouch.flood_policy (
  store_id text collate "C" not null,
  per text not null
    constraint flood_policy_per_is_known check (per in ('client', 'address', 'product')),
  most integer not null
    constraint flood_policy_most_is_sane check (most between 1 and 10000),
  within interval not null
    constraint flood_policy_within_is_sane check (within between interval '1 minute' and interval '7 days'),
  primary key (store_id, per)
);
comment on table vouch.flood_policy is 'How many unverified reviews are ordinary; further ones get the reason flood. Verified ones are never counted, and stars never looked at.';
comment on column vouch.flood_policy.per is 'client: one network (an IPv6 /64 is one) by client_address; address: one mail address; product: one product, and only when it is also four times what was usual in the 28 days before.';
insert into vouch.flood_policy values ('*', 'client', 5, '1 hour'), ('*', 'address', 5, '1 hour'), ('*', 'product', 20, '1 day');

create table vouch.arrival (
  store_id text collate "C" not null,
  key bytea not null constraint arrival_key_is_32_bytes check (length(key) = 32),
  arrived_at timestamptz not null,
  review_id bigint not null,
  primary key (store_id, key, arrived_at, review_id)
);
create index arrival_by_age on vouch.arrival (store_id, arrived_at);
comment on table vouch.arrival is 'Unverified reviews of the last 29 days by client, address and product, to see floods. Keys are keyed hashes, or SHA-256 of a product''s id.';

create table vouch.text_print (
  store_id text collate "C" not null,
  band bigint not null,
  review_id bigint not null,
  revision integer not null,
  primary key (store_id, band, review_id, revision)
);
create index text_print_by_review on vouch.text_print (store_id, review_id);
comment on table vouch.text_print is 'Six bands of a keyed MinHash over the letters of a text: texts that share two of them are nearly the same. Nothing of the text can be read from them.';

create table vouch.classifier (
  store_id text collate "C" primary key references vouch.store on delete cascade,
  kind text not null
    constraint classifier_kind_is_known check (kind in ('openai', 'perspective')),
  url text not null
    constraint classifier_url_is_https check (url ~ '^https://[^[:space:]<>"@/]+(/[^[:space:]<>"]*)?$' and length(url) <= 2000),
  secret text
    constraint classifier_secret_is_a_name check (length(secret) between 1 and 100),
  model text not null default ''
    constraint classifier_model_is_bounded check (length(model) <= 100),
  threshold double precision not null default 0.8
    constraint classifier_threshold_is_a_probability check (threshold > 0 and threshold <= 1),
  timeout interval not null default '2 seconds'
    constraint classifier_timeout_is_short check (timeout between interval '0.1 seconds' and interval '10 seconds')
);
comment on table vouch.classifier is
'A second opinion over HTTPS, asked by the worker after a review has been decided. An answer over the threshold holds the review, or joins the reasons of a hold, as hold_policy says for classifier; silence changes nothing. Texts leave the store: title and body, nothing else.';
comment on column vouch.classifier.kind is 'openai: POST {"input"} answered like OpenAI''s moderations; perspective: POST {"comment":{"text"}} answered like Perspective''s comments:analyze. Many servers speak one of the two.';
comment on column vouch.classifier.secret is 'Name of the token in the options (secrets.tokens): sent as Bearer to openai, as key= to perspective. NULL: none.';
comment on column vouch.classifier.model is 'For openai, when not empty.';
comment on column vouch.classifier.threshold is 'Probability of abuse, 0 to 1, from which on it counts; 0.8 when left out.';
comment on column vouch.classifier.timeout is 'From the connection to the last byte; 2 s when left out, 10 s at most.';

create table vouch.classifier_job (
  store_id text collate "C" not null,
  review_id bigint not null,
  revision integer not null,
  due_at timestamptz not null,
  attempts smallint not null default 0,
  primary key (store_id, review_id, revision),
  foreign key (store_id, review_id, revision) references vouch.review_revision
);
create index classifier_job_due on vouch.classifier_job (store_id, due_at);
comment on table vouch.classifier_job is 'Revisions the outside classifier has not answered for; given up after five attempts or a day.';
