#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""What comes back: bounces as reports to a mail's own return path, one-click opt-outs, guesses at codes; and the plan at a terminal."""
import datetime
import email
import email.policy
import json
import os
import re
import subprocess
import sys
import tempfile
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(HERE, "..", "lib"), HERE]
import cluster
import smtp_peer
import tap
import vouch

BASE = "https://shop.test/reviews"
REPORT = """From: MAILER-DAEMON@mx.test
To: <%s>
Content-Type: multipart/report; report-type=delivery-status; boundary="B"

--B
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.test

Final-Recipient: rfc822; whoever@elsewhere.test
Action: %s
Status: %s

--B--
"""


def ago(days):
    return (datetime.datetime.now(datetime.timezone.utc) - datetime.timedelta(days=days)).isoformat()


def event(kind, data, number=iter(range(1, 10000))):
    return {"specversion": "1.0", "id": "e-%d" % next(number), "source": "/shop", "type": kind, "time": ago(0), "data": data}


class Feedback(unittest.TestCase):
    def setUp(self):
        self.cluster = cluster.Cluster.shared()
        self.database = self.cluster.database()
        self.peer = smtp_peer.Peer(tempfile.mkdtemp())
        self.database.sql("UPDATE vouch.store SET smtp_url = 'smtp://127.0.0.1:%d', mail_from = 'Kettles <shop@shop.test>',"
                          " base_url = '%s', return_path = 'bounces+{mail}@shop.test'" % (self.peer.port, BASE))
        self.module = vouch.Module({"database": self.database.url, "emit_deadline_ms": 20000, "secrets": {"key": "a key of feedback, 32 bytes or more"}})

    def tearDown(self):
        self.module.stop(10000)
        self.module.close()
        self.peer.close()

    def buy(self, order, person, days=10):
        self.module.emit([
            event("order.placed", {"order": {"id": order, "placed_at": ago(20), "currency": "EUR", "total": "19.90", "country": "LV",
                                             "customer": {"id": "c-" + person, "email": person},
                                             "items": [{"id": "1", "product_id": "kettle", "name": "Kettle"}]}}),
            event("order.delivered", {"order": {"id": order, "delivered_at": ago(days)}})])

    def mail(self, to):
        def came():
            """the mail"""
            return next((m for m in self.peer.mails if m["to"] == to), None)
        return self.module.step_until(came, seconds=60)

    def state(self, order):
        return self.database.value("SELECT concat_ws(' ', state, reason) FROM vouch.review_request WHERE order_id = '%s'" % order)

    def ended(self, order):
        def over():
            """the end of the request"""
            return self.state(order) if self.state(order).split()[0] not in ("scheduled", "sending") else None
        return self.module.step_until(over, seconds=60)

    def suppressed(self):
        return self.database.value("SELECT count(*) FROM vouch.suppression")

    def test_bounces(self):
        """a report to a mail's own return path suppresses its buyer; delays, forgeries and strangers' do nothing"""
        self.buy("1", "anna@buyer.test")
        path = self.mail("anna@buyer.test")["from"]
        self.assertRegex(path, r"^bounces\+m\d+-[0-9a-f]{16}@shop\.test$")
        self.ended("1")
        forged = path.replace("-", "-0")[:-len("0@shop.test") - 1] + "@shop.test"
        for box, action, status in ((path, "delayed", "4.4.1"), (forged, "failed", "5.1.1"), ("bounces@shop.test", "failed", "5.1.1")):
            self.module.emit(event("mail.bounced", {"mail": {"dsn": REPORT % (box, action, status)}}))
        self.assertEqual(self.suppressed(), "0")
        self.module.emit(event("mail.bounced", {"mail": {"dsn": REPORT % (path.upper(), "failed", "5.1.1")}}))
        self.assertEqual(self.suppressed(), "1")
        self.buy("2", "Anna+again@buyer.test")
        self.assertEqual(self.ended("2"), "skipped suppressed")

    def test_one_click(self):
        """RFC 8058: urlencoded and multipart, repeated, without a redirect; a mail in the queue stays there"""
        for n, (kind, body) in enumerate((("application/x-www-form-urlencoded", "List-Unsubscribe=One-Click"),
                                          ("multipart/form-data; boundary=B", '--B\r\nContent-Disposition: form-data; name="List-Unsubscribe"\r\n\r\nOne-Click\r\n--B--\r\n'))):
            who = "zane%d@buyer.test" % n
            self.buy("a%d" % n, who)
            message = email.message_from_bytes(self.mail(who)["data"], policy=email.policy.default)
            target = re.search(r"<%s(/u/[^>]+)>" % re.escape(BASE), message["List-Unsubscribe"]).group(1)
            self.ended("a%d" % n)
            self.buy("b%d" % n, who)
            self.database.sql("SELECT vouch.request_enqueue('main', 10)")
            for _ in range(2):
                answer = self.module.serve("POST", target, body, {"content-type": kind})
                self.assertEqual(answer.status, 200)
                self.assertNotIn("location", {k.lower() for k in answer.headers})
            self.assertEqual(self.ended("b%d" % n), "skipped unsubscribed")
        self.assertEqual(len(self.peer.mails), 2)

    def test_guesses(self):
        """unknown codes are limited by the client's network, slips of the pen are no guesses"""
        self.database.sql("INSERT INTO vouch.discount_policy (store_id, kind, value, guess_limit) VALUES ('main', 'percent', 10, 2)")
        self.buy("1", "anna@buyer.test")
        text = self.mail("anna@buyer.test")["data"].decode()
        code = re.search(r"\b[0-9A-HJKMNP-TV-Z]{14}\b", text).group(0)

        def redeem(code, order, client=None):
            discount = {"code": code, "order_id": order}
            if client:
                discount["client_address"] = client
            told = self.module.emit(event("discount.redeemed", {"discount": discount}))["discount"]
            return "accepted" if told["accepted"] else told["reason"]
        wrong = code[:-1] + ("0" if code[-1] != "0" else "1")
        self.assertEqual({redeem(wrong, "n", "2001:db8::1") for _ in range(5)}, {"unknown"})
        self.database.sql("UPDATE vouch.discount_code SET code_hash = sha256(code_hash)")
        self.assertEqual([redeem(code, "n", a) for a in ("2001:db8::1", "2001:db8::2", "2001:db8::3", "2001:db8:1::1", "::ffff:192.0.2.7", "192.0.2.7", "192.0.2.7")],
                         ["unknown", "unknown", "too_many_attempts", "unknown", "unknown", "unknown", "too_many_attempts"])
        self.assertEqual([redeem(code, "n1") for _ in range(3)] + [redeem(code, "n2")], ["unknown", "unknown", "too_many_attempts", "unknown"])

    def test_plan(self):
        """vouchctl plan: by day, one by one, as JSON; what it says is what happens"""
        self.database.sql("INSERT INTO vouch.request_policy (store_id, reminder_after, excluded_products) VALUES ('main', '{3 days}', '{}')")
        self.buy("1", "anna@buyer.test", days=5)
        self.buy("2", "zane@buyer.test", days=2)
        self.module.emit(event("customer.unsubscribed", {"customer": {"email": "zane@buyer.test"}}))

        def plan(*words):
            done = subprocess.run([os.path.join(os.environ.get("VOUCH_BUILD", os.path.join(vouch.ROOT, "build")), "vouchctl"), "plan", "--database", self.database.owner, "--store", "main", *words],
                                  stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
            return done.returncode, done.stdout
        status, days = plan()
        self.assertEqual(status, 0, days)
        lines = days.splitlines()
        self.assertEqual(lines[-1], "2 to send, 1 skipped", days)
        self.assertEqual(sorted(line.split()[1:] for line in lines[1:-1]),
                         [["reminder", "send", "1"], ["request", "send", "1"], ["request", "skip", "1", "unsubscribed"]], days)
        told = json.loads(plan("--list", "--json", "--days", "30")[1])
        self.assertEqual(sorted((m["order_id"], m["kind"], m["outcome"]) for m in told),
                         [("1", "reminder", "send"), ("1", "request", "send"), ("2", "request", "skip")])
        self.assertEqual(plan("--days", "1")[1].splitlines()[-1], "0 to send, 0 skipped")
        self.assertEqual(plan("--days", "0")[0], 2)
        self.assertIn("unsubscribed", plan("--list")[1])


if __name__ == "__main__":
    tap.main()
