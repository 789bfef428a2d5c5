#!/usr/bin/python3
# SPDX-License-Identifier: MIT
# timeout: 600
"""The main job, from order to redeemed code, with the contract alone: ctypes, a relay, SQL for the operator.
Once straight to PostgreSQL, and once through PgBouncer in transaction mode with two server connections."""
import datetime
import email
import email.policy
import json
import os
import re
import subprocess
import sys
import tempfile
import threading
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(HERE, "..", "lib"), HERE]
import cluster
import pages
import smtp_peer
import tap
import vouch

BASE = "https://shop.test/reviews"
TRIES = 50
REDEEM = """
import json, sys, threading
sys.path.insert(0, %r)
import vouch
options, code, numbers = json.loads(sys.stdin.readline())
m = vouch.Module(options)
print("ready", flush=True)
sys.stdin.readline()
told = []
def redeem(n):
    told.append(m.call("emit", {"specversion": "1.0", "id": "redeem:%%d" %% n, "source": "/shop", "type": "discount.redeemed",
                                "data": {"discount": {"code": code, "order_id": "new-%%d" %% n}}}))
t = [threading.Thread(target=redeem, args=(n,)) for n in numbers]
[x.start() for x in t]; [x.join() for x in t]
m.close()
print(json.dumps(told), flush=True)
""" % os.path.join(vouch.ROOT, "tests", "lib")


def ago(days):
    return (datetime.datetime.now(datetime.timezone.utc) - datetime.timedelta(days=days)).isoformat()


def event(kind, name, data):
    return {"specversion": "1.0", "id": "%s:%s" % (kind, name), "source": "/shop", "type": kind, "time": ago(0), "data": data}


class Story(unittest.TestCase):
    maxDiff = None

    def url(self):
        return self.database.url

    def setUp(self):
        self.cluster = cluster.Cluster.shared()
        self.database = self.cluster.database()
        self.peer = smtp_peer.Peer(tempfile.mkdtemp())
        self.database.sql("UPDATE vouch.store SET smtp_url = 'smtp://127.0.0.1:%d', mail_from = 'Kettles <shop@shop.test>',"
                          " base_url = '%s'" % (self.peer.port, BASE))
        self.database.sql("INSERT INTO vouch.discount_policy (store_id, kind, value, prefix) VALUES ('main', 'percent', 10, 'THANKS')")
        self.database.sql("INSERT INTO vouch.operator (store_id, name, role) VALUES ('main', 'olga', 'moderator')")
        self.options = {"database": self.url(), "emit_deadline_ms": 20000, "spool": os.path.join(tempfile.mkdtemp(), "spool"),
                        "secrets": {"key": "a key of the story, 32 bytes or more"}}
        self.module = vouch.Module(self.options)

    def tearDown(self):
        self.module.stop(10000)
        self.module.close()
        self.peer.close()

    def buy(self, order, person, customer=None):
        told = self.module.emit([
            event("order.placed", order, {"order": {
                "id": order, "placed_at": ago(20), "currency": "EUR", "total": "19.90", "locale": "lv-LV", "country": "LV",
                "timezone": "Europe/Riga", "marketing_consent": True,
                "customer": {"id": customer or "c-" + order, "email": person, "name": "Anna"},
                "items": [{"id": "1", "product_id": "kettle", "name": "Tējkanna", "url": "https://shop.test/kettle",
                           "quantity": 1, "unit_price": "19.90"}]}}),
            event("order.delivered", order, {"order": {"id": order, "delivered_at": ago(10)}})])
        self.assertEqual(len(told["results"]), 2)

    def mail(self, to):
        def came():
            """the mail"""
            for kept in self.peer.mails:
                if kept["to"] == to:
                    return email.message_from_bytes(kept["data"], policy=email.policy.default)
        return self.module.step_until(came, seconds=40)

    def submit(self, name, **review):
        given = dict({"id": name, "product_id": "kettle", "rating": 4, "title": "Kettle", "body": "It boils water well.",
                      "locale": "en"}, **review)
        return self.module.emit(event("review.submitted", name, {"review": given}))["review"]

    def form(self):
        """delivery, mail, link, form: a verified review is published"""
        self.buy("1001", "anna@example.test")
        message = self.mail("anna@example.test")
        text = message.get_body(("plain",)).get_content()
        self.assertEqual(message["List-Unsubscribe-Post"], "List-Unsubscribe=One-Click")
        token = re.search(re.escape(BASE) + r"/r/([A-Za-z0-9_-]{43})", text).group(1)
        self.code = re.search(r"\bTHANKS[0-9A-Z-]{13,}\b", text).group(0)
        for _ in range(2):
            answer = self.module.serve("GET", "/r/" + token)
            self.assertEqual(answer.status, 200)
        self.assertEqual(self.database.value("SELECT count(*) FROM vouch.review"), "0", "GET changes nothing")
        form = pages.Page(answer.body).forms[0]
        self.assertEqual(form.choices("rating.1") and sorted(form.choices("rating.1")), ["1", "2", "3", "4", "5"])
        answer = pages.post(self.module, "/r/" + token, dict(form.fields(), **{
            "rating.1": "5", "title.1": "Laba", "body.1": "Uzvāra ūdeni divās minūtēs.", "name": "Anna"}))
        self.assertIn(answer.status, (200, 303))
        self.assertEqual(self.database.sql("SELECT state, verified, verified_reason FROM vouch.review"),
                         [["published", "t", "delivered_line"]])
        self.assertEqual(self.module.serve("GET", "/r/" + "x" * 43).status, 404)

    def held(self):
        """a stranger is held as unverified, an insult as abusive; approved by SQL"""
        stranger = self.submit("r-stranger", rating=2, author={"name": "Eve"})
        self.assertEqual((stranger["state"], stranger["verified"], stranger["reasons"]), ("held", False, ["unverified"]))
        self.buy("1002", "bob@example.test", "c-bob")
        insult = self.submit("r-insult", rating=3, body="You are a fucking idiot, you piece of shit.",
                             author={"customer_id": "c-bob", "email": "bob@example.test", "name": "Bob"})
        self.assertEqual((insult["state"], insult["verified"]), ("held", True))
        self.assertIn("abusive", insult["reasons"])
        self.buy("1003", "carol@example.test", "c-carol")
        bought = self.submit("r-carol", rating=4, author={"customer_id": "c-carol", "email": "carol@example.test", "name": "Carol"})
        self.assertEqual((bought["state"], bought["verified"], bought["reasons"]), ("published", True, []))
        queue = self.database.sql("SELECT review_id, reasons FROM vouch.held_review ORDER BY review_id")
        self.assertEqual([q[0] for q in queue], [str(stranger["review_id"]), str(insult["review_id"])])
        self.assertEqual(self.summary(), ["2", "4.50", "{0,0,0,1,1}"])
        self.database.sql("SELECT vouch.approve(%d, 'olga', 'a real buyer elsewhere')" % stranger["review_id"])
        self.database.sql("SELECT vouch.reject(%d, 'olga', (SELECT min(ground) FROM vouch.rejection_ground), 'insults')"
                          % insult["review_id"])
        self.assertEqual(self.database.value("SELECT count(*) FROM vouch.held_review"), "0")
        self.assertEqual(self.summary(), ["3", "3.67", "{0,1,0,1,1}"])
        page = self.module.serve("GET", "/products/kettle/reviews", headers={"accept": "application/json"}).json()
        self.assertEqual((page["summary"]["count"], page["summary"]["histogram"]), (3, [0, 1, 0, 1, 1]))

    def summary(self):
        return self.database.sql("SELECT review_count, average, histogram FROM vouch.rating_summary WHERE product_id = 'kettle'")[0]

    def redeem(self):
        """of fifty tries at once, threads and processes, one redeems the code"""
        shares = [list(range(n, TRIES, 5)) for n in range(5)]
        env = {k: v for k, v in os.environ.items() if k != "LD_PRELOAD" or "san" in v}
        crowd = [subprocess.Popen([sys.executable, "-c", REDEEM], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=env)
                 for _ in shares]
        for process, share in zip(crowd, shares):
            process.stdin.write(json.dumps([self.options, self.code, share]) + "\n")
            process.stdin.flush()
        for process in crowd:
            self.assertEqual(process.stdout.readline(), "ready\n")
        for process in crowd:
            process.stdin.write("go\n")
            process.stdin.flush()
        told = []
        for process in crowd:
            told += json.loads(process.stdout.readline())
            process.stdin.close()
            process.stdout.close()
            self.assertEqual(process.wait(20), 0)
        self.assertEqual([t for t in told if t[0] != vouch.OK], [])
        answers = [t[1]["discount"] for t in told]
        self.assertEqual(len(answers), TRIES)
        self.assertEqual([a["accepted"] for a in answers].count(True), 1)
        self.assertEqual({a.get("reason") for a in answers if not a["accepted"]}, {"already_redeemed"})
        again = [self.module.emit(event("discount.redeemed", "again", {"discount": {"code": self.code, "order_id": "x"}}))
                 for _ in range(2)]
        self.assertEqual(again[0], again[1])
        self.assertEqual(again[0]["discount"]["reason"], "already_redeemed")

    def taken(self):
        """every event for the store comes, by many takers, and none again after its ack"""
        waiting = int(self.database.value("SELECT count(*) FROM vouch.outbox"))
        got, lock = [], threading.Lock()

        def taker():
            for one in self.module.take_all():
                with lock:
                    got.append(one)
        takers = [threading.Thread(target=taker) for _ in range(4)]
        for t in takers:
            t.start()
        for t in takers:
            t.join()
        self.assertEqual(len({g["id"] for g in got}), len(got))
        self.assertGreaterEqual(len(got), waiting)
        kinds = [g["type"] for g in got]
        for kind, least in [("request.sent", 1), ("discount.issued", 1), ("review.published", 3), ("review.held", 2),
                            ("review.rejected", 1), ("rating.changed", 1)]:
            self.assertGreaterEqual(kinds.count(kind), least, (kind, kinds))
        issued = next(g for g in got if g["type"] == "discount.issued" and g["data"]["discount"]["order_id"] == "1001")
        self.assertEqual(issued["data"]["discount"]["code"].replace("-", ""), self.code.replace("-", ""))
        self.assertEqual(self.module.call("take", 0), (vouch.EMPTY, None))
        self.assertEqual(self.database.value("SELECT count(*) FROM vouch.outbox"), "0")

    def test_story(self):
        """order, delivery, mail, form, published; held and decided; redeemed once; all events taken"""
        for part in (self.form, self.held, self.redeem, self.taken):
            with self.subTest(part.__doc__):
                part()


class Pooled(Story):
    def url(self):
        self.bouncer = self.cluster.pgbouncer(pool=2)
        self.bouncer.__enter__()
        self.addCleanup(self.bouncer.__exit__)
        return self.bouncer.url(self.database.name, "shop")

    def test_story(self):
        """the same through PgBouncer, transaction mode, two server connections"""
        super().test_story()


if __name__ == "__main__":
    tap.main()
