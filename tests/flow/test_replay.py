#!/usr/bin/python3
# SPDX-License-Identifier: MIT
# build: release
# timeout: 900
"""examples/replay against an independent computation over the CSV files.

Always with the sample; with Olist's tables too where they are: VOUCH_OLIST, or shared/data/olist beside the
checkout. `Expected` shares nothing with the replay program but the rules that examples/replay/README.md states.
"""
import collections
import csv
import os
import re
import sys
import time
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import host
import tap
import vouch

SAMPLE = os.path.join(host.ROOT, "examples", "replay", "sample")
OLIST = os.environ.get("VOUCH_OLIST") or os.path.join(os.path.dirname(host.ROOT), "shared", "data", "olist")
TIME = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d")


class Expected:
    """What must stand in the tables, from the files alone."""

    def __init__(self, folder):
        self.folder = folder
        orders, items = self.read("orders"), collections.defaultdict(list)
        for row in self.read("order_items"):
            items[row["order_id"]].append(row)
        people = {row["customer_id"]: row["customer_unique_id"] for row in self.read("customers")}
        self.orders = {row["order_id"]: row for row in orders
                       if items[row["order_id"]] and row["customer_id"] in people and self.time(row["order_purchase_timestamp"])}
        self.items = {order: items[order] for order in self.orders}
        self.buyer = {order: people[row["customer_id"]] for order, row in self.orders.items()}
        self.delivered = {order: self.time(row["order_delivered_customer_date"]) for order, row in self.orders.items()}
        self.cancelled = {order for order, row in self.orders.items() if row["order_status"] == "canceled"}
        self.submitted = self.submissions()
        self.reviews = [review for pair in self.submitted.values() for review in self.settle(pair)]

    def read(self, name):
        path = os.path.join(self.folder, "olist_%s_dataset.csv" % name)
        with open(path if os.path.exists(path) else os.path.join(self.folder, name + ".csv"), encoding="utf-8", newline="") as f:
            return list(csv.DictReader(f))

    @staticmethod
    def time(text):
        return text if TIME.fullmatch(text) else None

    def submissions(self):
        """{(order, product): what was written about it, oldest first}."""
        found = collections.defaultdict(list)
        for row in sorted(self.read("order_reviews"), key=lambda r: r["review_answer_timestamp"]):
            order, written = row["order_id"], self.time(row["review_answer_timestamp"])
            if order in self.orders and written and row["review_score"][:1] in tuple("12345"):
                for product in {item["product_id"] for item in self.items[order]}:
                    found[order, product].append({
                        "order": order, "product": product, "id": row["review_id"], "written": written, "stars": int(row["review_score"][0]),
                        "title": row["review_comment_title"], "text": row["review_comment_message"]})
        return found

    def settle(self, pair):
        """The reviews that the submissions about one product of one order end in: one per line of it. A submission
        edits the review that has no delivered line, or, when no delivered line is left, the newest; words sent twice
        are one revision, written when they were sent last. Verified is what was last written after delivery."""
        order, product = pair[0]["order"], pair[0]["product"]
        arrived = self.delivered[order]
        lines = sum(item["product_id"] == product for item in self.items[order])
        reviews = []
        for one in pair:
            in_time = arrived is not None and arrived <= one["written"]
            free = in_time and sum(r["verified"] for r in reviews) < lines
            unverified = [r for r in reviews if not r["verified"]]
            mine = unverified[-1:] or (reviews[-1:] if not free else [])
            words = (one["stars"], one["title"], one["text"])
            if mine and mine[0]["words"] == words:
                mine[0].update(written=max(mine[0]["written"], one["written"]), verified=mine[0]["verified"] or free)
                continue
            if not mine:
                mine = [dict(order=order, product=product, revisions=0, written=one["written"], verified=False,
                             name="%s:%s:%s" % (one["id"], order, product))]
                reviews += mine
            review = mine[0]
            review.update(words=words, written=max(review["written"], one["written"]), revisions=review["revisions"] + 1)
            review["verified"] |= free
        for review in reviews:
            review["reason"] = ("delivered_line" if review["verified"] else "not_delivered" if arrived is None
                                else "written_before_delivery" if arrived > review["written"] else "no_such_purchase")
        return reviews

    def lines(self):
        return sum(len(rows) for rows in self.items.values())

    def delivered_lines(self):
        return sum(len(rows) for order, rows in self.items.items() if self.delivered[order])

    def late_lines(self):
        return sum(len(rows) for order, rows in self.items.items()
                   if self.delivered[order] and self.time(self.orders[order]["order_estimated_delivery_date"])
                   and self.delivered[order] > self.orders[order]["order_estimated_delivery_date"])

    def count(self, column):
        return sum(bool(self.time(row[column])) for row in self.orders.values())

    def events(self):
        return {kind: n for kind, n in {
            "order.placed": len(self.orders), "order.paid": self.count("order_approved_at"),
            "order.shipped": self.count("order_delivered_carrier_date"),
            "order.delivered": self.count("order_delivered_customer_date"), "order.cancelled": len(self.cancelled),
            "review.submitted": sum(map(len, self.submitted.values()))}.items() if n}


class Replay(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.program = os.path.join(host.folder(), "replay")
        code, out, err = host.run("make", "-s", "-C", "examples/replay", "BUILD=" + os.path.dirname(cls.program),
                                  env={"MAKEFLAGS": "", "MFLAGS": ""})
        if code:
            raise RuntimeError(out + err)

    def replay(self, database, folder, *more):
        begun = time.monotonic()
        options = host.options(database, secrets={"key": "k" * 44})
        code, out, err = host.run(self.program, "--module", vouch.path(), "--options", options, *more, folder, timeout=600)
        self.assertEqual((code, err), (0, ""), out)
        print("%.1f s for %s %s\n%s" % (time.monotonic() - begun, folder, more, out), file=sys.stderr)
        return {line[:28].strip(): int(line[28:].split()[0]) for line in out.splitlines() if re.match(r".{28} +\d+( |$)", line)}

    def orders(self, database, expected):
        """Orders, lines, facts and requests in the tables."""
        def one(sql):
            return int(database.value(sql))
        self.assertEqual({k: int(n) for k, n in database.sql("SELECT type, count(*) FROM vouch.event WHERE state = 'applied' GROUP BY 1")},
                         expected.events())
        self.assertEqual(one("SELECT count(*) FROM vouch.sales_order WHERE placed_at IS NOT NULL"), len(expected.orders))
        self.assertEqual(one("SELECT count(*) FROM vouch.order_line"), expected.lines())
        self.assertEqual(one("SELECT count(*) FROM vouch.order_line WHERE delivered_at IS NOT NULL"), expected.delivered_lines())
        self.assertEqual(one("SELECT count(*) FROM vouch.order_line WHERE delivered_at > promised_at"), expected.late_lines())
        self.assertEqual(one("SELECT count(*) FROM vouch.sales_order WHERE cancelled_at IS NOT NULL"), len(expected.cancelled))
        self.assertEqual(one("SELECT count(DISTINCT customer_id) FROM vouch.sales_order"), len(set(expected.buyer.values())))
        asked = collections.Counter("cancelled" if order in expected.cancelled else "scheduled"
                                    for order, arrived in expected.delivered.items() if arrived)
        self.assertEqual(collections.Counter({k: int(n) for k, n in database.sql(
            "SELECT state, count(*) FROM vouch.review_request GROUP BY 1")}), asked)
        self.assertEqual(one("SELECT count(*) FROM vouch.outgoing_mail WHERE kind = 'request'"), 0)

    def reviews(self, database, expected):
        """Each review, by the order and product it is about."""
        found = sorted(database.sql("SELECT wanted_order_id, product_id, external_id, verified_reason, revision FROM vouch.review"))
        wanted = sorted([r["order"], r["product"], r["name"], r["reason"], str(r["revisions"])] for r in expected.reviews)
        self.assertEqual([row for row in found if row not in wanted], [], "in the table, not in the files")
        self.assertEqual([row for row in wanted if row not in found], [], "in the files, not in the table")
        self.assertEqual(len(found), len(wanted))
        self.assertEqual(database.sql("SELECT r.review_id FROM vouch.review r WHERE verified AND NOT EXISTS (SELECT FROM vouch.order_line l"
                                      " WHERE (l.store_id, l.order_id, l.line_id, l.product_id) = (r.store_id, r.order_id, r.line_id, r.product_id)"
                                      " AND l.delivered_at <= r.written_at)"), [], "verified without a line delivered before")
        self.assertEqual(database.sql("SELECT review_id FROM vouch.review WHERE state = 'published' AND NOT verified"), [],
                         "unverified and published")
        names = {"%s:%s:%s" % (one["id"], one["order"], one["product"]) for pair in expected.submitted.values() for one in pair}
        self.assertEqual({row[0] for row in database.sql("SELECT external_id FROM vouch.review_name")}, names)

    def answers(self, said, expected):
        """What the program says it saw in the replies."""
        self.assertEqual({k: n for k, n in said.items() if k in expected.events() and n}, expected.events())
        self.assertEqual((said["orders"], said["lines"], said["delivered lines"]),
                         (len(expected.orders), expected.lines(), expected.delivered_lines()))
        verified = sum(r["verified"] for r in expected.reviews)
        self.assertEqual((said["reviews"], said["verified"], said["unverified"]),
                         (len(expected.reviews), verified, len(expected.reviews) - verified))
        self.assertEqual((said["refused"], said["spooled"]), (0, 0))

    def whole(self, folder):
        expected, database = Expected(folder), host.database()
        said = self.replay(database, folder)
        self.orders(database, expected)
        self.reviews(database, expected)
        self.answers(said, expected)
        return expected, database

    def test_sample(self):
        """the sample: tables and replies agree with the files; a second replay changes nothing"""
        expected, database = self.whole(SAMPLE)
        self.assertGreater(len([r for r in expected.reviews if r["reason"] == "written_before_delivery"]), 2)
        self.assertGreater(len([r for r in expected.reviews if r["revisions"] > 1]), 2)
        shown = "SELECT md5(string_agg(t::text, ' ' ORDER BY t::text)) FROM vouch.%s t"
        tables = ("event", "sales_order", "order_line", "review", "review_revision", "review_request", "customer")
        before = [database.value(shown % t) for t in tables]
        self.answers(self.replay(database, SAMPLE, "--batch", "1"), expected)
        self.assertEqual([database.value(shown % t) for t in tables], before)

    def test_shuffled(self):
        """the sample in other orders: the same orders, requests and, where each line has one review, the same reviews"""
        expected, first = Expected(SAMPLE), None
        for seed in range(1, 6):
            database = host.database()
            self.replay(database, SAMPLE, "--shuffle", str(seed), "--batch", str(seed * seed))
            self.orders(database, expected)
            single = {(pair[0]["order"], pair[0]["product"]) for pair in expected.submitted.values() if len(pair) == 1}
            found = {(order, product): reason for order, product, reason in
                     database.sql("SELECT wanted_order_id, product_id, verified_reason FROM vouch.review")}
            wanted = {(r["order"], r["product"]): r["reason"] for r in expected.reviews}
            self.assertEqual({k: found.get(k) for k in single}, {k: wanted[k] for k in single}, "seed %d" % seed)
            state = [database.sql("SELECT t.* FROM vouch.%s t ORDER BY 1, 2, 3" % table) for table in ("sales_order", "order_line")]
            state.append(database.sql("SELECT order_id, state, due_at, reason FROM vouch.review_request ORDER BY 1"))
            first = first or state
            self.assertEqual(state, first, "seed %d" % seed)

    def test_olist(self):
        """Olist's tables: tables and replies agree with the files"""
        if not os.path.isdir(OLIST):
            self.skipTest("no Olist tables here; VOUCH_OLIST names their folder")
        self.whole(OLIST)

    def test_csv(self):
        """the text arrives as it stands in the files: newlines, quotes, emoji"""
        expected, database = Expected(SAMPLE), host.database()
        self.replay(database, SAMPLE)
        stored = {name: (rating, title or "", body or "") for name, rating, title, body in database.sql(
            "SELECT n.external_id, v.rating, v.title, v.body FROM vouch.review_name n JOIN vouch.review r USING (store_id, review_id)"
            " JOIN vouch.review_revision v ON v.store_id = r.store_id AND v.review_id = r.review_id AND v.revision = r.revision")}
        for pair in expected.submitted.values():
            if len(pair) == 1:
                one = pair[0]
                self.assertEqual(stored["%s:%s:%s" % (one["id"], one["order"], one["product"])],
                                 (str(one["stars"]), one["title"], one["text"]))

    def test_refusals(self):
        """a folder or module that is none, and torn tables, end with a word and a code"""
        torn = []
        for text in ("order_id,customer_id\n\"o-1,c-1\n", "order_id,customer_id\no-1\n", "customer_id\nc-1\n", "", "order_id\no\0\n"):
            torn.append(host.folder())
            with open(os.path.join(torn[-1], "orders.csv"), "w") as f:
                f.write(text)
        for arguments in ((host.folder(),), ("--module", "/nowhere.so", SAMPLE), ("--batch", "0", SAMPLE), (), *((t,) for t in torn)):
            code, out, err = host.run(self.program, *arguments)
            self.assertNotEqual(code, 0, arguments)
            self.assertEqual(out, "")
            self.assertTrue(err, arguments)


if __name__ == "__main__":
    tap.main()
