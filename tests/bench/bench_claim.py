# SPDX-License-Identifier: MIT
"""What a claim of 50 mails costs with 10,000 and with five million queued, a fifth of them due: by vouch.mail_claim, in turns, each
turn given back by vouch.mail_release. VOUCH_CLAIM_MAILS names another number than five million."""
import os
import statistics

import rounds
from cluster import Cluster
from mailing import Shop

FEW, MANY = 10000, int(os.environ.get("VOUCH_CLAIM_MAILS", "5000000"))
FILL = """
INSERT INTO vouch.customer (store_id, address_key, email, name, locale, updated_at)
SELECT 'main', sha256(i::text::bytea), 'buyer' || i || '@buyer.test', 'Anna', 'en', now() FROM generate_series(1, 1000) i;
INSERT INTO vouch.sales_order (store_id, order_id, address_key, placed_at, locale, currency)
SELECT 'main', i, sha256((i % 1000 + 1)::text::bytea), now() - interval '11 days', 'en', 'EUR' FROM generate_series(1, {n}) i;
INSERT INTO vouch.order_line (store_id, order_id, line_id, product_id, name, delivered_at)
SELECT 'main', i, '1', 'kettle', 'Kettle', now() - interval '8 days' FROM generate_series(1, {n}) i;
INSERT INTO vouch.review_request (store_id, order_id, state, due_at)
SELECT 'main', i, 'sending', now() + (i - {n} / 5) * interval '1 second' FROM generate_series(1, {n}) i;
INSERT INTO vouch.outgoing_mail (store_id, kind, subject_id, address_key, due_at, created_at)
SELECT 'main', 'request', request_id, sha256((request_id % 1000 + 1)::text::bytea), due_at, now() FROM vouch.review_request;
VACUUM ANALYZE;
CHECKPOINT;
"""
CLAIM = """
CREATE TEMP TABLE took (us double precision);
DO $$
DECLARE
  begun timestamptz;
  mails bigint[];
  leases bigint[];
BEGIN
  FOR turn IN 1 .. 30 LOOP
    begun := clock_timestamp();
    SELECT array_agg(c.mail_id), array_agg(c.lease) INTO mails, leases FROM vouch.mail_claim('main', 50, '45 s') c;
    INSERT INTO took VALUES (extract(epoch FROM clock_timestamp() - begun) * 1e6);
    IF cardinality(mails) <> 50 THEN
      RAISE 'only % mails', cardinality(mails);
    END IF;
    PERFORM vouch.mail_release('main', mails, leases, '-1 day');
  END LOOP;
END
$$;
SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY us) FROM took;
"""


def filled(cluster, mails):
    shop = Shop(cluster)
    for statement in FILL.format(n=mails).split(";\n"):
        if statement.strip():
            shop.sql(statement)
    return shop


def run(given):
    with Cluster(durable=True) as cluster:
        shops = {"claim of 50, %s queued" % format(n, ","): filled(cluster, n) for n in (FEW, MANY)}
        for shop in shops.values():
            shop.sql(CLAIM)
        figures = rounds.measure({name: lambda s=s: float(s.sql(CLAIM)[-1][0]) for name, s in shops.items()}, given.rounds)
        rounds.table("Claim of 50 mails, median of 30", figures, "us")
        few, many = figures
        each = [a / b for a, b in zip(figures[many], figures[few])]
        middle = statistics.median(each)
        print("  %-4s %s: %.2f of %s (%.2f to %.2f), at most 1.30"
              % ("ok" if middle < 1.3 else "MORE", many, middle, few, min(each), max(each)))
