-- SPDX-License-Identifier: MIT
-- What belongs to the installation as a whole, and the tables an owner configures Vouch with.
-- Rows with store_id '*' are the shipped defaults, the same for every store; a store's own row wins.

create table vouch.installation (
  only_row boolean primary key default true constraint installation_is_one_row check (only_row),
  clock_offset interval not null default '0',
  key_fingerprint text,
  functions_print text,
  lexicon_print text
);
comment on table vouch.installation is 'One row: facts about this database as a whole.';
comment on column vouch.installation.clock_offset is 'Added to now() by vouch.clock(); only the owner can set it (tests, rehearsals).';
comment on column vouch.installation.key_fingerprint is 'Fingerprint of the key all tokens and address keys were made with; another key is refused.';
comment on column vouch.installation.functions_print is 'Fingerprint of the functions and grants last applied; NULL: they are to be applied again.';
comment on column vouch.installation.lexicon_print is 'Fingerprint of the shipped lexicon last applied.';
insert into vouch.installation default values;

create table vouch.migration (
  number integer primary key,
  name text not null,
  applied_at timestamptz not null default now()
);
comment on table vouch.migration is 'Which numbered files of sql/schema this database has.';

create function vouch.migration_state(out schema integer, out functions text, out lexicon text)
language sql stable set search_path = '' as $$
  select (select max(m.number) from vouch.migration m), i.functions_print, i.lexicon_print from vouch.installation i
$$;
comment on function vouch.migration_state is 'What is applied already; by vouchctl migrate.';

create function vouch.migration_note(p_number bigint, p_name text) returns void
language sql set search_path = '' as $$
  insert into vouch.migration (number, name) values (p_number, p_name);
  update vouch.installation set functions_print = null
$$;
comment on function vouch.migration_note is 'A numbered file was applied; functions and grants are due again. By vouchctl migrate, in the same transaction.';

create function vouch.migration_print(p_what text, p_print text) returns void
language sql set search_path = '' as $$
  update vouch.installation i set
    functions_print = case p_what when 'functions' then p_print else i.functions_print end,
    lexicon_print = case p_what when 'lexicon' then p_print else i.lexicon_print end
$$;
comment on function vouch.migration_print is 'Remembers what was applied; by vouchctl migrate, in the same transaction.';

create table vouch.secret (
  name text primary key,
  value bytea not null
);
comment on table vouch.secret is 'key: the one made by Vouch where the options give none. carried: what an earlier key left for the present one, sealed. Readable through vouch.secret_key() and vouch.key_carried() by vouch_module alone.';

create function vouch.is_timezone(p_name text) returns boolean
language plpgsql stable set search_path = '' as $$
begin
  perform pg_catalog.now() at time zone p_name;
  return true;
exception when invalid_parameter_value then
  return false;
end
$$;

create table vouch.store (
  store_id text collate "C" primary key
    constraint store_id_is_a_short_name check (store_id ~ '^[a-z0-9][a-z0-9_.-]{0,62}$'),
  name text not null default 'Our shop'
    constraint store_name_is_one_line check (length(name) between 1 and 200 and name !~ '[[:cntrl:]]'),
  base_url text not null default ''
    constraint store_base_url_is_http check (base_url = '' or (base_url ~ '^https?://[^[:space:]<>"]+$' and length(base_url) <= 500)),
  smtp_url text not null default ''
    constraint store_smtp_url_is_smtp check (smtp_url = '' or (smtp_url ~ '^smtps?://[^[:space:]<>"]+$' and length(smtp_url) <= 500)),
  smtp_user text not null default ''
    constraint store_smtp_user_is_one_line check (length(smtp_user) <= 254 and smtp_user !~ '[[:cntrl:]]'),
  mail_from text not null default ''
    constraint store_mail_from_is_one_line check (length(mail_from) <= 400 and mail_from !~ '[[:cntrl:]]'),
  request_from text not null default ''
    constraint store_request_from_is_one_line check (length(request_from) <= 400 and request_from !~ '[[:cntrl:]]'),
  reply_address text not null default ''
    constraint store_reply_address_is_an_address check (reply_address = '' or (length(reply_address) <= 180
      and reply_address ~ '^[^@[:space:][:cntrl:]<>+]{1,31}@[^@[:space:][:cntrl:]<>]+$')),
  return_path text not null default ''
    constraint store_return_path_is_an_address check (return_path = '' or (return_path ~ '^[^[:space:][:cntrl:]<>",;]+@[^[:space:][:cntrl:]<>",;@]+$'
      and length(return_path) <= 200)),
  locale text not null default 'en'
    constraint store_locale_is_bcp47 check (locale ~ '^[A-Za-z]{2,3}([-_][A-Za-z0-9]{2,8})*$'),
  timezone text not null default 'UTC'
    constraint store_timezone_is_iana check (vouch.is_timezone(timezone)),
  currency text not null default 'EUR'
    constraint store_currency_is_iso4217 check (currency ~ '^[A-Z]{3}$')
);
comment on table vouch.store is 'One row per store of this database.';
comment on column vouch.store.base_url is 'Where the host mounts vouch_serve, for links in mails, e.g. https://shop.example/reviews.';
comment on column vouch.store.smtp_url is 'The relay, smtp://host:port or smtps://host:port. Empty: no mail goes out, it waits. The password is in the options, never here.';
comment on column vouch.store.mail_from is 'Sender, an address or Name <address>. Empty: no mail goes out, it waits.';
comment on column vouch.store.request_from is 'Sender of requests, reminders and thank-yous, kept apart so that what receivers think of those does not touch order mail. Empty: that of mail_from.';
comment on column vouch.store.reply_address is 'Where customers'' answers are collected, with subaddresses: answers+TOKEN@shop.example; what arrives is handed to Vouch as mail.received. Empty: answers go to mail_from.';
comment on column vouch.store.return_path is 'Where bounces go (RFC 5321 MAIL FROM), an address; in it {mail} becomes a signed token of the mail (VERP), as in bounces+{mail}@shop.example, by which mail.bounced knows what bounced. Empty (default): the address of mail_from.';
comment on column vouch.store.locale is 'BCP 47; used where the buyer''s own is unknown.';
comment on column vouch.store.timezone is 'IANA name; used where the buyer''s own is unknown.';

create table vouch.settings_version (
  store_id text collate "C" primary key,
  version bigint not null default 1
);
comment on table vouch.settings_version is 'Counts changes of the configuration tables, so that processes notice within seconds.';

create table vouch.request_policy (
  store_id text collate "C" not null references vouch.store on delete cascade,
  country text not null default '*'
    constraint request_policy_country_is_iso3166 check (country = '*' or country ~ '^[A-Z]{2}$'),
  delay interval not null default '7 days'
    constraint request_policy_delay_is_sane check (delay between interval '0' and interval '365 days'),
  reminder_after interval[] not null default '{}'
    constraint request_policy_at_most_three_reminders check (cardinality(reminder_after) <= 3 and array_position(reminder_after, null) is null)
    constraint request_policy_reminders_come_after_the_request check (interval '0' < all (reminder_after)),
  quiet_from time,
  quiet_until time,
  weekdays smallint[] not null default '{1,2,3,4,5,6,7}'
    constraint request_policy_weekdays_are_1_to_7 check (cardinality(weekdays) between 1 and 7 and weekdays <@ '{1,2,3,4,5,6,7}'),
  cap_count integer
    constraint request_policy_cap_count_is_positive check (cap_count between 1 and 1000),
  cap_period interval not null default '30 days'
    constraint request_policy_cap_period_is_sane check (cap_period between interval '1 hour' and interval '730 days'),
  minimum_order_value numeric(16, 4)
    constraint request_policy_minimum_is_positive check (minimum_order_value > 0),
  currency text
    constraint request_policy_currency_is_iso4217 check (currency ~ '^[A-Z]{3}$'),
  excluded_products text[] not null default '{}'
    constraint request_policy_excluded_products_are_bounded check (cardinality(excluded_products) <= 10000 and array_position(excluded_products, null) is null),
  excluded_product_groups text[] not null default '{}'
    constraint request_policy_excluded_product_groups_are_bounded check (cardinality(excluded_product_groups) <= 1000 and array_position(excluded_product_groups, null) is null),
  excluded_customer_groups text[] not null default '{}'
    constraint request_policy_excluded_customer_groups_are_bounded check (cardinality(excluded_customer_groups) <= 1000 and array_position(excluded_customer_groups, null) is null),
  link_valid_for interval not null default '90 days'
    constraint request_policy_link_life_is_sane check (link_valid_for between interval '1 day' and interval '730 days'),
  partial_wait interval not null default '14 days'
    constraint request_policy_partial_wait_is_sane check (partial_wait between interval '0' and interval '365 days'),
  consent text not null default 'soft_opt_in'
    constraint request_policy_consent_is_known check (consent in ('any', 'soft_opt_in', 'marketing_consent')),
  constraint request_policy_quiet_hours_are_a_pair check ((quiet_from is null) = (quiet_until is null)),
  constraint request_policy_reminders_come_before_the_link_ends check (link_valid_for > all (reminder_after)),
  primary key (store_id, country)
);
comment on table vouch.request_policy is
'When and whether buyers are asked. A country''s own row counts whole for it, else the row *, else the defaults of the columns. Every exclusion is blind to ratings and counted with its reason in vouch.review_request_status and vouchctl plan (16 CFR 465.2(d)).';
comment on column vouch.request_policy.country is 'ISO 3166-1 alpha-2 of the order''s country; * (default) for all without a row of their own.';
comment on column vouch.request_policy.delay is 'From the delivery of the last open line to the request; 0 to 365 days, default 7 days (WooCommerce''s).';
comment on column vouch.request_policy.reminder_after is 'One reminder per element, each that long after the request was sent, before the link ends; at most three, default none. None once all that was asked about is reviewed. Reminders do not count towards the cap.';
comment on column vouch.request_policy.quiet_from is
'No request or reminder leaves while clocks in the buyer''s time zone show this time of day or later, until quiet_until; over midnight when quiet_from is the later one. NULL (default), or both the same: no quiet hours. Where clocks skip or repeat an hour, the end of the quiet hours is the later of its readings.';
comment on column vouch.request_policy.quiet_until is 'The first time of day, in the buyer''s time zone, at which mail leaves again; see quiet_from.';
comment on column vouch.request_policy.weekdays is 'ISO days, 1 Monday to 7 Sunday, in the buyer''s time zone, on which requests and reminders leave; default all. What falls due on another day waits for the next of these.';
comment on column vouch.request_policy.cap_count is 'At most so many requests to one buyer (all spellings of an address are one) within cap_period, 1 to 1000; one beyond is skipped with reason cap. NULL (default): no cap.';
comment on column vouch.request_policy.cap_period is 'The period of cap_count, sliding; 1 hour to 730 days, default 30 days.';
comment on column vouch.request_policy.minimum_order_value is 'Orders with a smaller total are not asked about (below_minimum). Compared only with orders in the same currency; others and those without a total are asked. NULL (default): no minimum.';
comment on column vouch.request_policy.currency is 'Currency of minimum_order_value, ISO 4217; NULL (default): the store''s.';
comment on column vouch.request_policy.excluded_products is 'product_ids that nobody is asked about; an order with nothing else delivered is skipped (excluded_product). At most 10000, default none.';
comment on column vouch.request_policy.excluded_product_groups is 'Likewise for groups, as order.placed or product.updated name them for the product. At most 1000, default none.';
comment on column vouch.request_policy.excluded_customer_groups is 'Orders of customers of these groups, as order.placed names them, are skipped (excluded_customer). At most 1000, default none.';
comment on column vouch.request_policy.link_valid_for is 'How long after the request the form accepts a review: the end of the invitation (ISO 20488 5.4.6); 1 to 730 days, default 90 days. A request that long overdue expires (too_late).';
comment on column vouch.request_policy.partial_wait is 'How long after the first delivered line the request waits for the others; 0 to 365 days, default 14 days. Lines delivered later appear in the form and the reminder.';
comment on column vouch.request_policy.consent is
'On what basis buyers are asked; the newest marketing_consent that an order or customer.updated stated for the address counts. any: whatever it is; soft_opt_in (default): unless it is false (Directive 2002/58/EC Art. 13(2)); marketing_consent: only where it is true. An opt-out or a complaint is final under each.';

create table vouch.discount_policy (
  store_id text collate "C" primary key references vouch.store on delete cascade,
  kind text not null
    constraint discount_policy_kind_is_known check (kind in ('percent', 'fixed', 'free_shipping')),
  value numeric(12, 2) not null default 0,
  currency text
    constraint discount_policy_currency_is_iso4217 check (currency ~ '^[A-Z]{3}$'),
  valid_for interval not null default '30 days'
    constraint discount_policy_validity_is_sane check (valid_for between interval '1 day' and interval '730 days'),
  grant_on text not null default 'request'
    constraint discount_policy_grant_is_known check (grant_on in ('request', 'submission')),
  prefix text not null default ''
    constraint discount_policy_prefix_is_plain check (prefix ~ '^[A-Z0-9]{0,8}$'),
  minimum_spend numeric(12, 2)
    constraint discount_policy_minimum_is_positive check (minimum_spend > 0),
  guess_limit integer not null default 10
    constraint discount_policy_guess_limit_is_sane check (guess_limit between 1 and 1000),
  guess_limit_store integer not null default 1000
    constraint discount_policy_guess_limit_store_is_sane check (guess_limit_store between 10 and 1000000),
  constraint discount_policy_value_fits_its_kind check (
    case kind
      when 'percent' then value > 0 and value <= 100
      when 'fixed' then value > 0
      else value = 0
    end)
);
comment on table vouch.discount_policy is 'The thank-you code. No row, no discount. It never depends on what is written (16 CFR 465.4).';
comment on column vouch.discount_policy.kind is 'percent, fixed (a sum off) or free_shipping.';
comment on column vouch.discount_policy.value is 'Percent, above 0 to 100, or a sum in currency; 0 for free shipping.';
comment on column vouch.discount_policy.currency is 'Of a fixed value and of minimum_spend, ISO 4217; NULL (default): the store''s.';
comment on column vouch.discount_policy.valid_for is 'From the moment the mail with the code is sent; 1 to 730 days, default 30 days.';
comment on column vouch.discount_policy.grant_on is
'request (default): the code is in the request mail; submission: it is mailed once a review of a delivered line was submitted, whatever its stars and text and whatever is decided about it.';
comment on column vouch.discount_policy.prefix is 'Stands before the code to make it recognisable, up to 8 of A-Z and 0-9; default none. It is for people, the code alone counts.';
comment on column vouch.discount_policy.minimum_spend is 'The store honours the code on orders from this sum on; told with discount.issued and discount.redeemed. NULL (default): none.';
comment on column vouch.discount_policy.guess_limit is 'How many unknown codes discount.redeemed takes within an hour of the clock from one client_address (an IPv6 /64 is one), or without it for one order, before it answers too_many_attempts; 1 to 1000, default 10. Codes have 65 bits.';
comment on column vouch.discount_policy.guess_limit_store is 'How many unknown codes within an hour from all: from then on a client that has tried one already gets too_many_attempts; 10 to 1000000, default 1000.';

create table vouch.mail_template (
  store_id text collate "C" not null references vouch.store on delete cascade,
  kind text not null
    constraint mail_template_kind_is_known check (kind in ('request', 'reminder', 'confirm', 'held', 'rejected', 'published', 'discount',
      'alert', 'escalation', 'thread', 'proposal', 'reply', 'follow_up', 'update_question', 'measure', 'report_receipt', 'report_decision')),
  locale text not null default '*'
    constraint mail_template_locale_is_bcp47 check (locale = '*' or locale ~ '^[A-Za-z]{2,3}([-_][A-Za-z0-9]{2,8})*$'),
  subject text constraint mail_template_subject_is_one_line check (length(subject) between 1 and 500 and subject !~ '[[:cntrl:]]'),
  text text constraint mail_template_text_is_bounded check (length(text) between 1 and 100000),
  html text constraint mail_template_html_is_bounded check (length(html) between 1 and 200000),
  constraint mail_template_requests_can_be_unsubscribed check (
    kind not in ('request', 'reminder')
    or ((text is null or text like '%unsubscribe_url%') and (html is null or html like '%unsubscribe_url%'))),
  primary key (store_id, kind, locale)
);
comment on table vouch.mail_template is 'A store''s own wording, Mustache. A part left NULL keeps the shipped one.';

create table vouch.hold_policy (
  store_id text collate "C" not null,
  reason text not null
    constraint hold_policy_reason_is_known check (reason in
      ('unverified', 'abusive', 'personal_data', 'link', 'spam', 'duplicate_text', 'flood', 'insider', 'language', 'empty', 'classifier', 'reported')),
  action text not null
    constraint hold_policy_action_is_known check (action in ('publish', 'label', 'hold')),
  deadline interval not null
    constraint hold_policy_deadline_is_sane check (deadline between interval '1 hour' and interval '60 days'),
  on_deadline text not null
    constraint hold_policy_on_deadline_is_known check (on_deadline in ('release', 'escalate')),
  constraint hold_policy_abuse_is_never_released_unread check (on_deadline = 'escalate' or reason not in ('abusive', 'personal_data', 'language', 'classifier')),
  primary key (store_id, reason)
);
comment on table vouch.hold_policy is 'What a reason does. There is no setting by stars (16 CFR 465.7, CMA208), and no hold without a deadline.';
comment on column vouch.hold_policy.reason is
'unverified: no delivered line. By the words alone: abusive; personal_data (mail addresses, telephones, cards, accounts, postal addresses); link; spam; language (nobody here reads it); empty (nothing that can be seen). By comparison: duplicate_text (of another product or author), flood (too many in too short a time, from one place or about one product), insider (staff_identity). classifier: the outside classifier. reported: by somebody, as clearly illegal or dangerous.';
comment on column vouch.hold_policy.action is 'publish: as if nothing were; label: published with the reason shown; hold: waits for an operator.';
comment on column vouch.hold_policy.on_deadline is 'release: published with the reason as its label; escalate: stays held, counted and alarmed.';
insert into vouch.hold_policy values
  ('*', 'unverified', 'hold', '7 days', 'release'),
  ('*', 'abusive', 'hold', '3 days', 'escalate'),
  ('*', 'personal_data', 'hold', '3 days', 'escalate'),
  ('*', 'link', 'hold', '3 days', 'escalate'),
  ('*', 'spam', 'hold', '3 days', 'escalate'),
  ('*', 'duplicate_text', 'hold', '7 days', 'escalate'),
  ('*', 'flood', 'hold', '3 days', 'escalate'),
  ('*', 'insider', 'hold', '7 days', 'escalate'),
  ('*', 'language', 'hold', '3 days', 'escalate'),
  ('*', 'empty', 'hold', '3 days', 'release'),
  ('*', 'classifier', 'hold', '3 days', 'escalate'),
  ('*', 'reported', 'hold', '24 hours', 'release');

create table vouch.abuse_term (
  store_id text collate "C" not null,
  locale text not null
    constraint abuse_term_locale_is_bcp47 check (locale = '*' or locale ~ '^[A-Za-z]{2,3}([-_][A-Za-z0-9]{2,8})*$'),
  term text not null
    constraint abuse_term_is_bounded check (length(term) between 1 and 100),
  category text not null default 'insult'
    constraint abuse_term_category_is_known check (category in ('insult', 'profanity', 'hate', 'sexual', 'threat')),
  severity smallint not null default 2
    constraint abuse_term_severity_is_known check (severity between 0 and 3),
  match text not null default 'word'
    constraint abuse_term_match_is_known check (match in ('word', 'stem', 'anywhere')),
  exceptions text[] not null default '{}'
    constraint abuse_term_exceptions_are_bounded check (cardinality(exceptions) <= 100),
  primary key (store_id, locale, term)
);
comment on table vouch.abuse_term is 'The lexicon. A store''s row with the locale and term of a shipped one replaces it.';
comment on column vouch.abuse_term.severity is '0 switches a shipped term off, 1 mild (does not hold alone), 2 strong, 3 severe.';
comment on column vouch.abuse_term.match is 'word: the word itself; stem: words that begin with it and the inflections of its language; anywhere: also inside words.';

create table vouch.rejection_ground (
  store_id text collate "C" not null,
  ground text not null
    constraint rejection_ground_is_of_the_closed_list check (ground in
      ('abusive', 'wrong_product', 'not_genuine', 'personal_data', 'spam', 'illegal', 'conflict_of_interest')),
  needs_explanation boolean not null default true,
  facts text not null default 'the facts it rests on'
    constraint rejection_ground_facts_are_bounded check (length(facts) between 1 and 500),
  clause text not null default ''
    constraint rejection_ground_clause_is_bounded check (length(clause) <= 1000),
  primary key (store_id, ground)
);
comment on table vouch.rejection_ground is 'The closed list of grounds for refusing a review. A low rating is none, and there is no "other".';
comment on column vouch.rejection_ground.clause is 'The store''s own term of use that the ground rests on, quoted in the statement of reasons (DSA Art. 17(3)(e)).';
comment on column vouch.rejection_ground.facts is 'What the explanation has to say. Operators are asked for it, the author is told it.';
insert into vouch.rejection_ground (store_id, ground, facts) values
  ('*', 'abusive', 'the very words, and whom they insult or threaten'),
  ('*', 'wrong_product', 'which product or shop it is about instead'),
  ('*', 'not_genuine', 'what shows that there was no purchase or experience'),
  ('*', 'personal_data', 'what kind of data, and whose'),
  ('*', 'spam', 'what is advertised, or where the text was copied from'),
  ('*', 'illegal', 'which law is broken, and by which words'),
  ('*', 'conflict_of_interest', 'what ties the author to the shop or to a competitor');

create table vouch.operator (
  store_id text collate "C" not null references vouch.store on delete cascade,
  name text not null
    constraint operator_name_is_one_line check (length(name) between 1 and 200 and name !~ '[[:cntrl:]]'),
  role text not null
    constraint operator_role_is_known check (role in ('viewer', 'moderator', 'manager', 'mediator', 'producer')),
  primary key (store_id, name)
);
comment on table vouch.operator is 'Who may see and decide what. name is the PostgreSQL login of a person at psql, or the login the host names.';
