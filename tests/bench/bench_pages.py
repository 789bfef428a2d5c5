# SPDX-License-Identifier: MIT
"""Pages beside the bare read of one row by its key, small store and large; publishing on one hot product.

VOUCH_BENCH_REVIEWS=10000000 makes the large store that large (100 reviews a product; 1,000,000 without it).
Reviews lie on products as 1 + P * u^3; one in twenty is held. A page is 20 reviews with summary, badge,
refunds and reply. The bare read goes through the same connection, as unnamed parameters, in turn with the pages."""
import json
import os
import subprocess
import tempfile

import rounds
from cluster import ROOT, Cluster, programs

BUILD = os.environ.get("VOUCH_BUILD") or os.path.join(ROOT, "build")
LARGE = int(os.environ.get("VOUCH_BENCH_REVIEWS", "1000000"))
SMALL, PIECE, CALLS = 100000, 500000, 1500
FILL = """
INSERT INTO vouch.review (store_id, product_id, order_id, line_id, claim, verified, verified_reason, experience_at, invited, state, revision,
    published_revision, written_at, published_at, shown_rating, shown_language, shown_at)
  SELECT 'main', 'p' || (1 + %(products)d * u * u * u)::bigint, 'o' || n, '1', 'invited', true, 'delivered_line', t, true,
    CASE WHEN n %% 20 = 0 THEN 'held' ELSE 'published' END, 1, CASE WHEN n %% 20 <> 0 THEN 1 END, t, CASE WHEN n %% 20 <> 0 THEN t END,
    CASE WHEN n %% 20 <> 0 THEN 1 + n %% 5 END, 'en', t
  FROM (SELECT n, random() AS u, timestamptz '2020-01-01Z' + n * interval '1 s' AS t FROM generate_series(%(low)d, %(high)d) n) x;
INSERT INTO vouch.review_revision (store_id, review_id, revision, rating, title, body, author_name, locale, written_at, received_at, state,
    held_for, held_at, deadline_at, digest)
  SELECT 'main', review_id, 1, 1 + review_id %% 5, 'A kettle', repeat('Pours well. ', 10), 'Anna', 'en', written_at, written_at, state,
    CASE WHEN state = 'held' THEN '{abusive}'::text[] ELSE '{}' END, CASE WHEN state = 'held' THEN written_at END,
    CASE WHEN state = 'held' THEN written_at END, sha256('')
  FROM vouch.review WHERE store_id = 'main' AND review_id BETWEEN %(low)d AND %(high)d;
INSERT INTO vouch.sales_order (store_id, order_id, address_key, placed_at, details_time, details_event)
  SELECT 'main', 'o' || n, sha256(int8send(n)), '2020-01-01', '2020-01-01', 'e' FROM generate_series(%(low)d, %(high)d) n;
INSERT INTO vouch.order_line (store_id, order_id, line_id, product_id, delivered_at)
  SELECT 'main', order_id, '1', product_id, experience_at FROM vouch.review WHERE store_id = 'main' AND review_id BETWEEN %(low)d AND %(high)d;
"""
TOTALS = """
INSERT INTO vouch.rating_total SELECT 'main', product_id, array[count(*) FILTER (WHERE shown_rating = 1), count(*) FILTER (WHERE shown_rating = 2),
    count(*) FILTER (WHERE shown_rating = 3), count(*) FILTER (WHERE shown_rating = 4), count(*) FILTER (WHERE shown_rating = 5)]
  FROM vouch.review WHERE state = 'published' GROUP BY product_id ON CONFLICT (store_id, product_id) DO UPDATE SET histogram = excluded.histogram;
INSERT INTO vouch.product (store_id, product_id, name, url, updated_at)
  SELECT 'main', product_id, 'Product', 'https://shop.test/p', now() FROM vouch.rating_total ON CONFLICT DO NOTHING;
VACUUM (ANALYZE) vouch.review; VACUUM (ANALYZE) vouch.review_revision; VACUUM (ANALYZE) vouch.sales_order; VACUUM (ANALYZE) vouch.order_line;
VACUUM (ANALYZE) vouch.rating_total; VACUUM (ANALYZE) vouch.product; CHECKPOINT;
"""
HOT = {
    "bare insert": "INSERT INTO bare (product_id, rating, body) VALUES ('hot', 5, repeat('x', 400));",
    "insert and appended delta": "INSERT INTO bare (product_id, rating, body) VALUES ('hot', 5, repeat('x', 400));"
                                 "SELECT vouch.rating_count('main', 'hot', 5::smallint, 1);",
    "insert and summary row in place": "INSERT INTO bare (product_id, rating, body) VALUES ('hot', 5, repeat('x', 400));"
                                       "UPDATE in_place SET histogram[5] = histogram[5] + 1 WHERE product_id = 'hot';",
}


def program():
    made = os.path.join(BUILD, "bench", "pages")
    os.makedirs(os.path.dirname(made), exist_ok=True)
    flags = subprocess.run(["pkg-config", "--cflags", "--libs", "libpq"], check=True, capture_output=True, text=True).stdout.split()
    subprocess.run([os.environ.get("CC", "gcc"), "-std=c11", "-D_GNU_SOURCE", "-O2", "-I" + os.path.join(ROOT, "hooks"), "-o", made,
                    os.path.join(ROOT, "tests", "bench", "pages.c"), "-ldl", *flags], check=True)
    return made


def fill(database, have, wanted, products):
    for low in range(have + 1, wanted + 1, PIECE):
        rounds.progress("filling, %d of %d reviews" % (low, wanted))
        database.sql("SET session_replication_role = replica;" + FILL % {
            "low": low, "high": min(low + PIECE - 1, wanted), "products": products})
    for statement in TOTALS.strip().rstrip(";").split(";"):
        database.sql(statement)
    rounds.progress("")


def pages(database, reviews):
    out = subprocess.run([program(), os.path.join(BUILD, "vouch.so"), database.owner, database.url, str(reviews), str(max(1, reviews // 100)), str(CALLS)],
                         check=True, capture_output=True, text=True).stdout
    return json.loads(out)


def tell(title, small, large, name, base, most):
    first, second = small[name] / small[base], large[name] / large[base]
    growth = large[name] / small[name] * small[base] / large[base]
    print("  %-4s %-26s %6.0f us, %.2f of the bare read (%.2f in the small store), to stay under %.1f; growth %.2f, absolute %.2f, to stay under 1.5"
          % ("ok" if second < most and large[name] / small[name] < 1.5 else "MORE", title, large[name], second, first, most, growth,
             large[name] / small[name]))


def hot(cluster, given):
    """Publishing on one product from 32 connections."""
    database = cluster.database()
    database.sql("CREATE TABLE bare (review_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, product_id text, rating smallint, body text);"
                 "CREATE TABLE in_place (product_id text PRIMARY KEY, histogram integer[]) WITH (fillfactor = 70);"
                 "INSERT INTO in_place VALUES ('hot', '{0,0,0,0,0}')")

    def run(text):
        with tempfile.NamedTemporaryFile("w", suffix=".sql") as script:
            script.write("BEGIN;\n%s\nCOMMIT;\n" % text.replace(";", ";\n"))
            script.flush()
            os.chmod(script.name, 0o644)
            out = subprocess.run([os.path.join(programs(), "pgbench"), "-n", "-M", "prepared", "-c", "32", "-j", "2", "-T", str(given.seconds),
                                  "-f", script.name, database.owner], check=True, capture_output=True, text=True).stdout
        return float(next(line for line in out.splitlines() if line.startswith("tps")).split()[2])

    figures = rounds.measure({name: (lambda text=text: run(text)) for name, text in HOT.items()}, given.rounds)
    rounds.table("Publishing on one hot product, 32 connections, durable", figures, "/s")
    rounds.goals(figures, [("insert and appended delta", "bare insert", 0.6), ("insert and summary row in place", "bare insert", 0.0)])


def run(given):
    with Cluster(durable=True) as cluster:
        hot(cluster, given)
    with Cluster() as cluster:
        database = cluster.database()
        fill(database, 0, SMALL, SMALL // 100)
        small = pages(database, SMALL)
        database = cluster.database()
        fill(database, 0, LARGE, LARGE // 100)
        large = pages(database, LARGE)
    print("\nPages of 20 reviews, median of %d calls, %s and %s reviews; bare read of a row %.0f us" % (CALLS, f"{SMALL:,}", f"{LARGE:,}", large["key"]))
    for title, name in [("product, first page", "product_first"), ("product, at depth", "product_deep"), ("product, one star", "product_stars"),
                        ("queue, at depth", "queue_deep"), ("console's queue, at depth", "console_deep"), ("vouch_serve, product", "served"), ("another bare read", "key_revision")]:
        tell(title, small, large, name, "key", 3.0)
