-- SPDX-License-Identifier: MIT
-- Whom not to ask, and when it is night for whom.

create table vouch.country_timezone (
  store_id text collate "C" not null default '*',
  place text collate "C" not null
    constraint country_timezone_place_is_iso3166_or_iso639 check (place ~ '^([A-Z]{2}|[a-z]{2,3})$'),
  timezone text not null
    constraint country_timezone_is_one_word check (timezone ~ '^[A-Za-z][A-Za-z0-9_+/-]{0,63}$'),
  primary key (store_id, place)
);
comment on table vouch.country_timezone is
'The time zone of a buyer whose order names none: the one most people live in. A store''s own row wins over the shipped one (*); a zone that the server does not know is passed over.';
comment on column vouch.country_timezone.place is
'ISO 3166-1 alpha-2 of a country, matched with the order''s country, else with the region of its locale; or ISO 639 of a language that is at home in one time zone, matched last.';
comment on column vouch.country_timezone.timezone is 'IANA name. Shipped rows: zone.tab of the IANA time zone database, 2025b.';
insert into vouch.country_timezone (place, timezone) values
  ('AD', 'Europe/Andorra'), ('AE', 'Asia/Dubai'), ('AF', 'Asia/Kabul'), ('AG', 'America/Antigua'), ('AI', 'America/Anguilla'),
  ('AL', 'Europe/Tirane'), ('AM', 'Asia/Yerevan'), ('AO', 'Africa/Luanda'), ('AQ', 'Antarctica/McMurdo'),
  ('AR', 'America/Argentina/Buenos_Aires'), ('AS', 'Pacific/Pago_Pago'), ('AT', 'Europe/Vienna'), ('AU', 'Australia/Sydney'),
  ('AW', 'America/Aruba'), ('AX', 'Europe/Mariehamn'), ('AZ', 'Asia/Baku'), ('BA', 'Europe/Sarajevo'), ('BB', 'America/Barbados'),
  ('BD', 'Asia/Dhaka'), ('BE', 'Europe/Brussels'), ('BF', 'Africa/Ouagadougou'), ('BG', 'Europe/Sofia'), ('BH', 'Asia/Bahrain'),
  ('BI', 'Africa/Bujumbura'), ('BJ', 'Africa/Porto-Novo'), ('BL', 'America/St_Barthelemy'), ('BM', 'Atlantic/Bermuda'),
  ('BN', 'Asia/Brunei'), ('BO', 'America/La_Paz'), ('BQ', 'America/Kralendijk'), ('BR', 'America/Sao_Paulo'), ('BS', 'America/Nassau'),
  ('BT', 'Asia/Thimphu'), ('BW', 'Africa/Gaborone'), ('BY', 'Europe/Minsk'), ('BZ', 'America/Belize'), ('CA', 'America/Toronto'),
  ('CC', 'Indian/Cocos'), ('CD', 'Africa/Kinshasa'), ('CF', 'Africa/Bangui'), ('CG', 'Africa/Brazzaville'), ('CH', 'Europe/Zurich'),
  ('CI', 'Africa/Abidjan'), ('CK', 'Pacific/Rarotonga'), ('CL', 'America/Santiago'), ('CM', 'Africa/Douala'), ('CN', 'Asia/Shanghai'),
  ('CO', 'America/Bogota'), ('CR', 'America/Costa_Rica'), ('CU', 'America/Havana'), ('CV', 'Atlantic/Cape_Verde'),
  ('CW', 'America/Curacao'), ('CX', 'Indian/Christmas'), ('CY', 'Asia/Nicosia'), ('CZ', 'Europe/Prague'), ('DE', 'Europe/Berlin'),
  ('DJ', 'Africa/Djibouti'), ('DK', 'Europe/Copenhagen'), ('DM', 'America/Dominica'), ('DO', 'America/Santo_Domingo'),
  ('DZ', 'Africa/Algiers'), ('EC', 'America/Guayaquil'), ('EE', 'Europe/Tallinn'), ('EG', 'Africa/Cairo'), ('EH', 'Africa/El_Aaiun'),
  ('ER', 'Africa/Asmara'), ('ES', 'Europe/Madrid'), ('ET', 'Africa/Addis_Ababa'), ('FI', 'Europe/Helsinki'), ('FJ', 'Pacific/Fiji'),
  ('FK', 'Atlantic/Stanley'), ('FM', 'Pacific/Chuuk'), ('FO', 'Atlantic/Faroe'), ('FR', 'Europe/Paris'), ('GA', 'Africa/Libreville'),
  ('GB', 'Europe/London'), ('GD', 'America/Grenada'), ('GE', 'Asia/Tbilisi'), ('GF', 'America/Cayenne'), ('GG', 'Europe/Guernsey'),
  ('GH', 'Africa/Accra'), ('GI', 'Europe/Gibraltar'), ('GL', 'America/Nuuk'), ('GM', 'Africa/Banjul'), ('GN', 'Africa/Conakry'),
  ('GP', 'America/Guadeloupe'), ('GQ', 'Africa/Malabo'), ('GR', 'Europe/Athens'), ('GS', 'Atlantic/South_Georgia'),
  ('GT', 'America/Guatemala'), ('GU', 'Pacific/Guam'), ('GW', 'Africa/Bissau'), ('GY', 'America/Guyana'), ('HK', 'Asia/Hong_Kong'),
  ('HN', 'America/Tegucigalpa'), ('HR', 'Europe/Zagreb'), ('HT', 'America/Port-au-Prince'), ('HU', 'Europe/Budapest'),
  ('ID', 'Asia/Jakarta'), ('IE', 'Europe/Dublin'), ('IL', 'Asia/Jerusalem'), ('IM', 'Europe/Isle_of_Man'), ('IN', 'Asia/Kolkata'),
  ('IO', 'Indian/Chagos'), ('IQ', 'Asia/Baghdad'), ('IR', 'Asia/Tehran'), ('IS', 'Atlantic/Reykjavik'), ('IT', 'Europe/Rome'),
  ('JE', 'Europe/Jersey'), ('JM', 'America/Jamaica'), ('JO', 'Asia/Amman'), ('JP', 'Asia/Tokyo'), ('KE', 'Africa/Nairobi'),
  ('KG', 'Asia/Bishkek'), ('KH', 'Asia/Phnom_Penh'), ('KI', 'Pacific/Tarawa'), ('KM', 'Indian/Comoro'), ('KN', 'America/St_Kitts'),
  ('KP', 'Asia/Pyongyang'), ('KR', 'Asia/Seoul'), ('KW', 'Asia/Kuwait'), ('KY', 'America/Cayman'), ('KZ', 'Asia/Almaty'),
  ('LA', 'Asia/Vientiane'), ('LB', 'Asia/Beirut'), ('LC', 'America/St_Lucia'), ('LI', 'Europe/Vaduz'), ('LK', 'Asia/Colombo'),
  ('LR', 'Africa/Monrovia'), ('LS', 'Africa/Maseru'), ('LT', 'Europe/Vilnius'), ('LU', 'Europe/Luxembourg'), ('LV', 'Europe/Riga'),
  ('LY', 'Africa/Tripoli'), ('MA', 'Africa/Casablanca'), ('MC', 'Europe/Monaco'), ('MD', 'Europe/Chisinau'), ('ME', 'Europe/Podgorica'),
  ('MF', 'America/Marigot'), ('MG', 'Indian/Antananarivo'), ('MH', 'Pacific/Majuro'), ('MK', 'Europe/Skopje'), ('ML', 'Africa/Bamako'),
  ('MM', 'Asia/Yangon'), ('MN', 'Asia/Ulaanbaatar'), ('MO', 'Asia/Macau'), ('MP', 'Pacific/Saipan'), ('MQ', 'America/Martinique'),
  ('MR', 'Africa/Nouakchott'), ('MS', 'America/Montserrat'), ('MT', 'Europe/Malta'), ('MU', 'Indian/Mauritius'),
  ('MV', 'Indian/Maldives'), ('MW', 'Africa/Blantyre'), ('MX', 'America/Mexico_City'), ('MY', 'Asia/Kuala_Lumpur'),
  ('MZ', 'Africa/Maputo'), ('NA', 'Africa/Windhoek'), ('NC', 'Pacific/Noumea'), ('NE', 'Africa/Niamey'), ('NF', 'Pacific/Norfolk'),
  ('NG', 'Africa/Lagos'), ('NI', 'America/Managua'), ('NL', 'Europe/Amsterdam'), ('NO', 'Europe/Oslo'), ('NP', 'Asia/Kathmandu'),
  ('NR', 'Pacific/Nauru'), ('NU', 'Pacific/Niue'), ('NZ', 'Pacific/Auckland'), ('OM', 'Asia/Muscat'), ('PA', 'America/Panama'),
  ('PE', 'America/Lima'), ('PF', 'Pacific/Tahiti'), ('PG', 'Pacific/Port_Moresby'), ('PH', 'Asia/Manila'), ('PK', 'Asia/Karachi'),
  ('PL', 'Europe/Warsaw'), ('PM', 'America/Miquelon'), ('PN', 'Pacific/Pitcairn'), ('PR', 'America/Puerto_Rico'), ('PS', 'Asia/Gaza'),
  ('PT', 'Europe/Lisbon'), ('PW', 'Pacific/Palau'), ('PY', 'America/Asuncion'), ('QA', 'Asia/Qatar'), ('RE', 'Indian/Reunion'),
  ('RO', 'Europe/Bucharest'), ('RS', 'Europe/Belgrade'), ('RU', 'Europe/Moscow'), ('RW', 'Africa/Kigali'), ('SA', 'Asia/Riyadh'),
  ('SB', 'Pacific/Guadalcanal'), ('SC', 'Indian/Mahe'), ('SD', 'Africa/Khartoum'), ('SE', 'Europe/Stockholm'), ('SG', 'Asia/Singapore'),
  ('SH', 'Atlantic/St_Helena'), ('SI', 'Europe/Ljubljana'), ('SJ', 'Arctic/Longyearbyen'), ('SK', 'Europe/Bratislava'),
  ('SL', 'Africa/Freetown'), ('SM', 'Europe/San_Marino'), ('SN', 'Africa/Dakar'), ('SO', 'Africa/Mogadishu'),
  ('SR', 'America/Paramaribo'), ('SS', 'Africa/Juba'), ('ST', 'Africa/Sao_Tome'), ('SV', 'America/El_Salvador'),
  ('SX', 'America/Lower_Princes'), ('SY', 'Asia/Damascus'), ('SZ', 'Africa/Mbabane'), ('TC', 'America/Grand_Turk'),
  ('TD', 'Africa/Ndjamena'), ('TF', 'Indian/Kerguelen'), ('TG', 'Africa/Lome'), ('TH', 'Asia/Bangkok'), ('TJ', 'Asia/Dushanbe'),
  ('TK', 'Pacific/Fakaofo'), ('TL', 'Asia/Dili'), ('TM', 'Asia/Ashgabat'), ('TN', 'Africa/Tunis'), ('TO', 'Pacific/Tongatapu'),
  ('TR', 'Europe/Istanbul'), ('TT', 'America/Port_of_Spain'), ('TV', 'Pacific/Funafuti'), ('TW', 'Asia/Taipei'),
  ('TZ', 'Africa/Dar_es_Salaam'), ('UA', 'Europe/Kyiv'), ('UG', 'Africa/Kampala'), ('UM', 'Pacific/Wake'),
  ('US', 'America/New_York'), ('UY', 'America/Montevideo'), ('UZ', 'Asia/Tashkent'), ('VA', 'Europe/Vatican'),
  ('VC', 'America/St_Vincent'), ('VE', 'America/Caracas'), ('VG', 'America/Tortola'), ('VI', 'America/St_Thomas'),
  ('VN', 'Asia/Ho_Chi_Minh'), ('VU', 'Pacific/Efate'), ('WF', 'Pacific/Wallis'), ('WS', 'Pacific/Apia'), ('YE', 'Asia/Aden'),
  ('YT', 'Indian/Mayotte'), ('ZA', 'Africa/Johannesburg'), ('ZM', 'Africa/Lusaka'), ('ZW', 'Africa/Harare'), ('az', 'Asia/Baku'),
  ('bg', 'Europe/Sofia'), ('ca', 'Europe/Madrid'), ('cs', 'Europe/Prague'), ('da', 'Europe/Copenhagen'), ('de', 'Europe/Berlin'),
  ('el', 'Europe/Athens'), ('et', 'Europe/Tallinn'), ('eu', 'Europe/Madrid'), ('fa', 'Asia/Tehran'), ('fi', 'Europe/Helsinki'),
  ('ga', 'Europe/Dublin'), ('gl', 'Europe/Madrid'), ('he', 'Asia/Jerusalem'), ('hi', 'Asia/Kolkata'), ('hr', 'Europe/Zagreb'),
  ('hu', 'Europe/Budapest'), ('hy', 'Asia/Yerevan'), ('is', 'Atlantic/Reykjavik'), ('it', 'Europe/Rome'), ('ja', 'Asia/Tokyo'),
  ('ka', 'Asia/Tbilisi'), ('ko', 'Asia/Seoul'), ('lt', 'Europe/Vilnius'), ('lv', 'Europe/Riga'), ('mk', 'Europe/Skopje'),
  ('mt', 'Europe/Malta'), ('nb', 'Europe/Oslo'), ('nl', 'Europe/Amsterdam'), ('nn', 'Europe/Oslo'), ('no', 'Europe/Oslo'),
  ('pl', 'Europe/Warsaw'), ('sk', 'Europe/Bratislava'), ('sl', 'Europe/Ljubljana'), ('sq', 'Europe/Tirane'), ('sv', 'Europe/Stockholm'),
  ('th', 'Asia/Bangkok'), ('tr', 'Europe/Istanbul'), ('uk', 'Europe/Kyiv'), ('vi', 'Asia/Ho_Chi_Minh');

create table vouch.opt_out (
  store_id text collate "C" not null,
  customer_key bytea not null constraint opt_out_customer_key_is_32_bytes check (length(customer_key) = 32),
  since timestamptz not null,
  source text not null default 'event' constraint opt_out_source_is_known check (source in ('event', 'operator')),
  primary key (store_id, customer_key)
);
comment on table vouch.opt_out is
'Who opted out under the store''s own customer id, by its keyed hash: so that it holds for addresses not known yet, and survives erasure. Stops requests and reminders, as vouch.suppression does for addresses.';

create table vouch.soft_bounce (
  store_id text collate "C" not null,
  address_key bytea not null,
  mail_id bigint not null,
  bounced_at timestamptz not null,
  primary key (store_id, address_key, mail_id)
);
comment on table vouch.soft_bounce is 'Mails that came back for a passing reason, one row a mail; three within 30 days suppress the address.';

create table vouch.discount_miss (
  store_id text collate "C" not null,
  hour timestamptz not null,
  client_key bytea not null constraint discount_miss_client_key_is_32_bytes check (length(client_key) = 32),
  misses integer not null default 1,
  primary key (store_id, hour, client_key)
);
comment on table vouch.discount_miss is
'Unknown codes tried, by hour and client, so that guessing is limited across all processes and restarts; kept for a day.';
comment on column vouch.discount_miss.client_key is 'Keyed hash of the client''s address or of the order the code was tried on, made in C; zeros: all clients together.';
