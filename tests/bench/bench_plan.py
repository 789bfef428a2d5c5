# SPDX-License-Identifier: MIT
"""The plan of the next 14 days, and moving and claiming what is due, on a year of VOUCH_ORDERS (1,000,000) orders of two
lines: seconds, and the sequential scans of Vouch's tables, of which there may be none. Half of the year's buyers buy again,
every third reviews, every fiftieth has opted out; quiet hours, a cap and a reminder are on."""
import os
import subprocess
import tempfile
import time

import psycopg2

from cluster import ROOT, Cluster

ORDERS = int(os.environ.get("VOUCH_ORDERS") or 1000000)
FILL = """
set session_replication_role = replica;
insert into vouch.request_policy (store_id, country, delay, reminder_after, quiet_from, quiet_until, weekdays, cap_count, cap_period)
values ('main', '*', '7 days', '{7 days}', '20:00', '08:00', '{1,2,3,4,5}', 2, '30 days');
create function pg_temp.key(n bigint) returns bytea language sql immutable as $$ select sha256(int8send(n)) $$;
create temp table o as select n, n / 2 as buyer, now() - interval '365 days' * (1 - n / %(n)s.0) as placed_at,
  now() - interval '365 days' * (1 - n / %(n)s.0) + interval '5 days' as delivered_at,
  (array['LV', 'DE', 'BR', 'US', 'IR', 'EG', null])[1 + n %% 7] as country from generate_series(1, %(n)s) n;
insert into vouch.customer (store_id, address_key, customer_id, email, name, updated_at)
  select 'main', pg_temp.key(n), 'c' || n, 'b' || n || '@x.test', 'Anna', now() from generate_series(0, %(n)s / 2) n;
insert into vouch.sales_order (store_id, order_id, address_key, customer_id, customer_key, placed_at, currency, total, locale, country, timezone, delivered_at, details_time, details_event)
  select 'main', 'o' || n, pg_temp.key(buyer), 'c' || buyer, pg_temp.key(-buyer), placed_at, 'EUR', 20, 'en', country,
    case when n %% 3 = 0 then 'Europe/Riga' end, case when delivered_at < now() then delivered_at end, placed_at, 'r' from o;
insert into vouch.order_line (store_id, order_id, line_id, product_id, name, delivered_at, details_time, details_event)
  select 'main', 'o' || n, l::text, 'p' || (n * l) %% 5000, 'A thing', case when delivered_at < now() then delivered_at end, placed_at, 'r' from o, generate_series(1, 2) l;
insert into vouch.review_request (store_id, order_id, state, due_at, sent_at)
  select 'main', 'o' || n, case when delivered_at + interval '7 days' < now() then 'sent' else 'scheduled' end, delivered_at + interval '7 days',
    case when delivered_at + interval '7 days' < now() then delivered_at + interval '7 days' end from o where delivered_at < now() order by n;
insert into vouch.outgoing_mail (store_id, kind, subject_id, address_key, state, due_at, created_at, finished_at, attempts)
  select 'main', 'request', r.request_id, s.address_key, 'sent', r.due_at, r.due_at, r.sent_at, 1
  from vouch.review_request r join vouch.sales_order s using (store_id, order_id) where r.state = 'sent';
insert into vouch.outgoing_mail (store_id, kind, subject_id, serial, address_key, state, due_at, created_at, finished_at)
  select 'main', 'reminder', r.request_id, 1, s.address_key, case when r.sent_at + interval '7 days' < now() then 'sent' else 'queued' end, r.sent_at + interval '7 days', r.sent_at,
    case when r.sent_at + interval '7 days' < now() then r.sent_at + interval '7 days' end
  from vouch.review_request r join vouch.sales_order s using (store_id, order_id) where r.state = 'sent';
insert into vouch.review (store_id, product_id, order_id, line_id, claim, customer_id, address_key, verified, verified_reason, experience_at, state, revision, published_revision, written_at, published_at)
  select 'main', 'p1', 'o' || n, '1', 'invited', 'c' || buyer, pg_temp.key(buyer), true, 'delivered_line', delivered_at, 'published', 1, 1, now(), now()
  from o where n %% 3 = 0 and delivered_at < now();
insert into vouch.suppression (store_id, address_key, reason, since) select 'main', pg_temp.key(n), 'unsubscribed', now() from generate_series(0, %(n)s / 2, 50) n;
"""
SCANS = """select 'SCANS ' || coalesce(string_agg(relname || ' ' || seq_scan, ', ') filter (where relname not in ('installation', 'store')), 'none')
from pg_stat_xact_user_tables where schemaname = 'vouch' and seq_scan > 0;"""


def cpu(pid):
    with open("/proc/%d/stat" % pid) as f:
        told = f.read().rpartition(")")[2].split()
    return (int(told[11]) + int(told[12])) / os.sysconf("SC_CLK_TCK")


def psql(cluster, url, text):
    with tempfile.NamedTemporaryFile("w", suffix=".sql") as f:
        f.write(text)
        f.flush()
        os.chmod(f.name, 0o644)
        return subprocess.run([os.path.join(cluster.bin, "psql"), "-XAtq", "-v", "ON_ERROR_STOP=1", "-d", url, "-f", f.name],
                              check=True, stdout=subprocess.PIPE, text=True).stdout


def run(_given):
    with Cluster(settings=["max_wal_size=8GB", "shared_buffers=1GB"]) as cluster:
        database = cluster.database()
        begun = time.monotonic()
        psql(cluster, database.owner, FILL % {"n": ORDERS} + "analyze;")
        print("a year of %d orders, filled in %.0f s" % (ORDERS, time.monotonic() - begun))
        told = psql(cluster, database.owner, """begin; select 'ROWS ' || string_agg(outcome || coalesce(' ' || reason, '') || ' ' || n, ', ') from (
            select outcome, reason, count(*) n from vouch.request_plan('main') group by 1, 2 order by 1, 2) p;""" + SCANS + "commit;")
        print("plan: " + told.strip().replace("\n", "; "))
        for attempt in range(3):
            begun = time.monotonic()
            done = subprocess.run([os.path.join(os.environ.get("VOUCH_BUILD") or os.path.join(ROOT, "build"), "vouchctl"), "plan", "--days", "14",
                                   "--database", database.owner, "--store", "main"], check=True, stdout=subprocess.PIPE, text=True)
            print("vouchctl plan --days 14: %.2f s, %d lines, %s" % (time.monotonic() - begun, done.stdout.count("\n"), done.stdout.splitlines()[-1]))
        link = psycopg2.connect(database.owner)
        look = link.cursor()
        for attempt in range(3):
            begun = cpu(link.get_backend_pid())
            look.execute("SELECT vouch.plan_view('main', 14, false, 0)")
            link.commit()
            print("of which the server computes: %.2f s" % (cpu(link.get_backend_pid()) - begun))
        link.close()
        told = psql(cluster, database.owner, """begin; select vouch.set_clock_offset('8 days');
            select clock_timestamp() as a \\gset
            select 'MOVED ' || sum(vouch.request_enqueue('main', 100)) from generate_series(1, 50);
            select 'seconds ' || extract(epoch from clock_timestamp() - :'a');
            select clock_timestamp() as a \\gset
            select 'CLAIMED ' || count(m.*) from generate_series(1, 50) cross join lateral vouch.mail_claim('main', 50, '45 s') m;
            select 'seconds ' || extract(epoch from clock_timestamp() - :'a');""" + SCANS + "rollback;")
        print("due: " + told.strip().replace("\n", "; "))
