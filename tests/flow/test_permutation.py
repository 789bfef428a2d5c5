#!/usr/bin/python3
# SPDX-License-Identifier: MIT
# timeout: 900
"""Orders are facts: any order and repetition of events, in batches of any size, ends in the same tables.

Random histories of one to three orders go straight into vouch.ingest, each permutation into a store of its own.
VOUCH_SEED and VOUCH_PERMUTATIONS repeat or lengthen a run; the seed is printed."""
import hashlib
import os
import random
import sys
import unittest
from datetime import datetime, timedelta, timezone

import psycopg2
from psycopg2.extras import Json

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import cluster
import tap

SEED = int(os.environ.get("VOUCH_SEED") or random.SystemRandom().randrange(1 << 32))
MOST = int(os.environ.get("VOUCH_PERMUTATIONS") or 2400)
BEGIN = datetime(2026, 1, 1, 10, tzinfo=timezone.utc)
EVENT = ["text", "text", "text", "timestamptz", "jsonb", "text"]
ORDER = ["bigint", "text", "timestamptz", "text", "timestamptz", "bytea", "bytea", "text", "text", "text",
         "text", "text", "text", "boolean", "text", "text", "text"]
LINE = ["bigint", "text", "text", "text", "text", "text", "text", "text", "text", "timestamptz"]
FACT = ["bigint", "text", "text", "text", "timestamptz", "text"]
SINGLE = ["timestamptz", "text", "timestamptz", "bytea", "bytea", "text", "text", "text",
          "text", "text", "text", "boolean", "text", "text", "text"]
CALL_SINGLE = "SELECT vouch.ingest_order(%s, %s, %s, " + ", ".join("%s::" + k for k in SINGLE) + ", " + ", ".join("%s::" + k + "[]" for k in LINE[2:]) + ")"
CALL = "SELECT vouch.ingest(%s, " + ", ".join("%s::" + k + "[]" for k in EVENT + ORDER + LINE + FACT) + ")"
TABLES = {
    "sales_order": "to_jsonb(t) - 'store_id'",
    "order_line": "to_jsonb(t) - 'store_id'",
    "customer": "to_jsonb(t) - 'store_id'",
    "product": "to_jsonb(t) - 'store_id'",
    "review_request": "jsonb_build_array(t.order_id, t.state, t.due_at, t.reason)",
    "review": "jsonb_build_array(t.external_id, t.product_id, t.order_id, t.line_id, t.verified, t.verified_reason,"
              " t.experience_at, t.written_at)",
}


def key(text):
    return hashlib.sha256(text.encode()).digest()


def at(day):
    return BEGIN + timedelta(days=day)


class History:
    """What happened, as rows for vouch.ingest: one entry an event."""

    def __init__(self, r):
        self.r, self.events = r, []
        people = [("c-%d" % i, "buyer%d@example.test" % i) for i in range(2)]
        for n in range(r.randint(1, 3)):
            self.order("o-%d" % n, r.choice(people))
        if r.random() < 0.5:
            who = r.choice(people)
            self.add("customer.updated", r.randint(0, 30), body={
                "address_key": key(who[1]).hex(), "email": who[1].upper(), "customer_id": r.choice([None, who[0]]),
                "name": r.choice([None, "Zane"]), "marketing_consent": r.choice([None, True, False])})
        for who in people:
            for product in ("kettle", "mug"):
                if r.random() < 0.35:
                    self.review(who, product)

    def add(self, kind, day, order=None, facts=(), body=None):
        name = "e-%d" % len(self.events)
        when = at(day)
        self.events.append({"id": name, "type": kind, "time": when, "order": order, "facts": list(facts),
                            "body": {k: v for k, v in body.items() if v is not None} if body else None})

    def placed(self, order, who, day, said, items):
        r = self.r
        self.add("order.placed", day, order={
            "id": order, "placed_at": at(said), "who": who, "name": r.choice([None, "Anna", "Anna B"]),
            "locale": r.choice([None, "lv", "en"]), "country": r.choice([None, "LV", "DE"]),
            "consent": r.choice([None, None, True, False]), "total": r.choice([None, "20.00", "30.50"]), "items": items})

    def facts(self, kind, order, day, items=None, amount=None):
        lines = items or [None]
        self.add("order." + kind, day, facts=[(order, line, kind, at(day), amount) for line in lines])

    def order(self, order, who):
        r = self.r
        items = [(str(i), r.choice(["kettle", "mug"])) for i in range(1, r.randint(1, 3) + 1)]
        self.placed(order, who, 0, 0, items)
        if r.random() < 0.4:  # said again, with changes, perhaps at the same time
            other = who if r.random() < 0.7 else ("c-9", "other@example.test")
            self.placed(order, other, r.choice([0, 1, 3]), r.choice([0, 1]),
                        r.sample(items, r.randint(1, len(items))) + ([("9", "kettle")] if r.random() < 0.3 else []))
        lines = [i[0] for i in items] + (["x"] if r.random() < 0.1 else [])
        for kind, chance in (("paid", 0.5), ("shipped", 0.5), ("delivered", 0.6), ("delivered", 0.4),
                             ("cancelled", 0.15), ("refunded", 0.15)):
            if r.random() < chance:
                self.facts(kind, order, r.randint(1, 20), r.sample(lines, r.randint(1, len(lines))) if r.random() < 0.5 else None)
        for _ in range(r.choice([0, 0, 0, 1, 2])):
            self.facts("refunded", order, r.randint(5, 25), amount=r.choice(["5.00", "20.00"]))

    def review(self, who, product):
        day = self.r.randint(0, 30)
        self.add("review.submitted", day, body={
            "external_id": "r-%s-%s" % (who[0], product), "product_id": product, "rating": self.r.randint(1, 5), "body": "words",
            "claim": "authenticated", "customer_id": who[0], "customer_key": key(who[0]).hex(), "email": who[1],
            "address_key": key(who[1]).hex(), "reasons": [], "marks": []})


def rows(events):
    """The arguments of vouch.ingest after the store."""
    e, o, l, f = ([[] for _ in kinds] for kinds in (EVENT, ORDER, LINE, FACT))

    def put(columns, values):
        for column, value in zip(columns, values):
            column.append(value)

    for n, event in enumerate(events, 1):
        put(e, ["/shop", event["id"], event["type"], event["time"], Json(event["body"]) if event["body"] else None, None])
        order = event["order"]
        if order:
            customer, email = order["who"]
            put(o, [n, "/shop " + event["id"], event["time"], order["id"], order["placed_at"], key(email), key(customer), customer,
                    email, order["name"], order["locale"], order["country"], None, order["consent"], "EUR", order["total"], "{b2c}"])
            for line, product in order["items"]:
                put(l, [n, order["id"], line, product, product.title(), None, None, "1", "10.00", None])
        for order_id, line, kind, when, amount in event["facts"]:
            put(f, [n, order_id, line, kind, when, amount])
    return e + o + l + f


def batches(r, events):
    """Shuffled, some twice or three times, cut into calls."""
    told = events + r.choices(events, k=r.randint(0, len(events)))
    r.shuffle(told)
    size = r.choice([1, 2, 5, 1000])
    while told:
        n = r.randint(1, size)
        yield told[:n]
        told = told[n:]


class Permutation(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.database = cluster.Cluster.shared().database()
        cls.link = psycopg2.connect(cls.database.url)
        cls.link.autocommit = True
        cls.cursor = cls.link.cursor()
        cls.look = psycopg2.connect(cls.database.owner)
        cls.look.autocommit = True
        print("# VOUCH_SEED=%d" % SEED)

    def tables(self, store):
        told = {}
        with self.look.cursor() as c:
            for table, what in TABLES.items():
                c.execute("SELECT coalesce(jsonb_agg(%s ORDER BY (%s)::text), '[]') FROM vouch.%s t WHERE store_id = %%s"
                          % (what, what, table), [store])
                told[table] = c.fetchone()[0]
        return told

    def play(self, store, calls):
        """A lone order.placed takes both ways in, its own and the one for all."""
        for n, events in enumerate(calls):
            columns = rows(events)
            if len(events) == 1 and events[0]["order"] and n % 2:
                e, o, l = columns[:6], columns[6:23], columns[23:33]
                single = [c[0] for c in e[:2] + [e[3]] + o[3:]]
                self.cursor.execute(CALL_SINGLE, [store] + single + l[2:])
            else:
                self.cursor.execute(CALL, [store] + columns)

    def test_permutations(self):
        """random histories in random orders end in the same tables"""
        r, played, histories = random.Random(SEED), 0, 0
        while played < MOST:
            histories += 1
            events = History(r).events
            first = None
            for n in range(6):
                store = "s%d-%d" % (histories, n)
                calls = [events] if n == 0 else list(batches(r, events))
                self.play(store, calls)
                played += 1
                told = self.tables(store)
                if first is None:
                    first = told
                for table in TABLES:
                    self.assertEqual(first[table], told[table], "seed %d, history %d, %s of %s after %s" % (
                        SEED, histories, table, store, [[e["id"] + " " + e["type"] for e in c] for c in calls]))
        print("# %d histories, %d permutations" % (histories, played))

    def test_requests_follow_deliveries(self):
        """the histories do reach every branch: requests, cancellations, verified and unverified reviews"""
        r, states, reasons = random.Random(1), set(), set()
        for n in range(150):
            store = "b%d" % n
            self.play(store, [History(r).events])
            told = self.tables(store)
            states |= {x[1] + ":" + str(x[3]) for x in told["review_request"]}
            reasons |= {x[5] for x in told["review"]}
        self.assertLessEqual({"scheduled:None", "cancelled:cancelled", "cancelled:refunded"}, states)
        self.assertLessEqual({"delivered_line", "no_such_purchase", "not_delivered", "written_before_delivery"}, reasons)


if __name__ == "__main__":
    tap.main()
