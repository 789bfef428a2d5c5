#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""vouchctl rotate-key: another key, and what buyers hold goes on working; with --end-links, links end but unsubscribing."""
import datetime
import email
import email.policy
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

FIRST, SECOND = "the first key of this shop, 32 bytes", "the second key of this shop, also long"
BASE = "https://shop.test/reviews"


def ago(days):
    return (datetime.datetime.now(datetime.timezone.utc) - datetime.timedelta(days=days)).isoformat()


def event(kind, name, data):
    return {"specversion": "1.0", "id": "%s:%s" % (kind, name), "source": "/shop", "type": kind, "data": data}


class Rotate(unittest.TestCase):
    def setUp(self):
        self.cluster = cluster.Cluster.shared()
        self.database = self.cluster.database()
        self.addCleanup(lambda: self.cluster.drop(self.database))
        self.folder = tempfile.mkdtemp()
        self.peer = smtp_peer.Peer(tempfile.mkdtemp())
        self.addCleanup(self.peer.close)
        self.database.sql("UPDATE vouch.store SET smtp_url = 'smtp://127.0.0.1:%d', mail_from = 'Kettles <shop@shop.test>',"
                          " base_url = '%s'" % (self.peer.port, BASE))
        self.database.sql("INSERT INTO vouch.discount_policy (store_id, kind, value, prefix) VALUES ('main', 'percent', 10, 'THANKS')")

    def open(self, key):
        options = {"database": self.database.url, "emit_deadline_ms": 20000}
        return vouch.Module(dict(options, secrets={"key": key}) if key else options)

    def file(self, name, text):
        path = os.path.join(self.folder, name)
        with open(path, "w") as f:
            f.write(text)
        return path

    def ctl(self, command, key, *words):
        """vouchctl as the owner of the database, with the key that the store has."""
        told = ', "secrets": {"key": "%s"}' % key if key else ""
        path = self.file("options.json", '{"database": "%s"%s}' % (self.cluster.url(self.database.name), told))
        env = {k: v for k, v in os.environ.items() if k != "LD_PRELOAD" and not k.startswith(("VOUCH_", "PG"))}
        done = subprocess.run([cluster.vouchctl(), command, *words, "--options", path], stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True, env=env)
        return done.returncode, done.stdout

    def asked(self, module, order, person):
        """What a buyer got by mail: the review token, the unsubscribe token, the code."""
        module.emit([event("order.placed", order, {"order": {
            "id": order, "placed_at": ago(20), "customer": {"email": person}, "items": [{"id": "1", "product_id": "kettle"}]}}),
            event("order.delivered", order, {"order": {"id": order, "delivered_at": ago(10)}})])

        def came():
            """the mail"""
            return next((kept for kept in self.peer.mails if kept["to"] == person), None)
        message = email.message_from_bytes(module.step_until(came, seconds=40)["data"], policy=email.policy.default)
        text = message.get_body(("plain",)).get_content()
        return (re.search(r"/r/([A-Za-z0-9_-]{43})", text).group(1), re.search(r"/u/([A-Za-z0-9_-]{43})", text).group(1),
                re.search(r"\bTHANKS[0-9A-Z-]{13,}\b", text).group(0))

    def get(self, module, target):
        return module.serve("GET", target).status

    def redeem(self, module, code, order):
        told = module.emit(event("discount.redeemed", order, {"discount": {"code": code, "order_id": order}}))
        return told["discount"]["accepted"]

    def decided(self, module):
        """Something on the signed record."""
        module.emit(event("review.submitted", "r", {"review": {
            "id": "r", "product_id": "kettle", "rating": 4, "body": "Boils.", "author": {"name": "Eve"}}}))
        module.step_until(lambda: self.database.value("SELECT count(*) FROM vouch.record_head") == "1", seconds=20)

    def test_what_buyers_hold(self):
        """another key: links, codes and the opt-out of before go on, the record is signed anew, the old key is refused"""
        with self.open(FIRST) as m:
            link, out, code = self.asked(m, "1", "anna@example.test")
            self.decided(m)
            m.emit(event("customer.unsubscribed", "u", {"customer": {"email": "no@example.test"}}))
            m.stop(10000)
        status, said = self.ctl("rotate-key", FIRST, "--key-file", self.file("key", SECOND + "\n"), "--force")
        self.assertEqual(status, 0, said)
        self.assertIn("secrets.key", said)
        with self.assertRaises(vouch.Problem) as refused:
            self.open(FIRST)
        self.assertIn("another key", str(refused.exception))
        with self.open(SECOND) as m:
            self.assertEqual((self.get(m, "/r/" + link), self.get(m, "/u/" + out)), (200, 200))
            self.assertTrue(self.redeem(m, code, "2"))
            self.assertFalse(self.redeem(m, code, "3"))
            m.emit([event("order.placed", "9", {"order": {
                "id": "9", "placed_at": ago(20), "customer": {"email": "no@example.test"}, "items": [{"id": "1", "product_id": "kettle"}]}}),
                event("order.delivered", "9", {"order": {"id": "9", "delivered_at": ago(10)}})])
            again, _, _ = self.asked(m, "4", "berta@example.test")
            self.assertEqual(self.get(m, "/r/" + again), 200)
            self.assertNotIn("no@example.test", [kept["to"] for kept in self.peer.mails])
            m.stop(10000)
        status, said = self.ctl("check", SECOND)
        self.assertIn("signed, over", said)
        self.assertNotIn("another key than ours", said)
        status, said = self.ctl("rotate-key", SECOND, "--generate", "--force")
        self.assertEqual(status, 0, said)
        with self.open(None) as m:
            self.assertEqual(self.get(m, "/r/" + link), 200)
            m.stop(10000)

    def test_leaked(self):
        """--end-links: links in mails already sent end, but not the one to unsubscribe; codes go on"""
        with self.open(FIRST) as m:
            link, out, code = self.asked(m, "1", "anna@example.test")
            m.stop(10000)
        status, said = self.ctl("rotate-key", FIRST, "--key-file", self.file("key", SECOND), "--end-links", "--force")
        self.assertEqual(status, 0, said)
        self.assertIn("1 links", said)
        with self.open(SECOND) as m:
            self.assertEqual((self.get(m, "/r/" + link), self.get(m, "/u/" + out)), (404, 200))
            self.assertTrue(self.redeem(m, code, "2"))
            m.stop(10000)

    def test_refusals(self):
        """no key to put, a wrong present one, a short new one, or hosts still there: nothing changes"""
        with self.open(FIRST) as m:
            self.decided(m)
            status, said = self.ctl("rotate-key", FIRST, "--generate")
            self.assertEqual(status, 1, said)
            self.assertIn("stop the hosts", said)
            m.stop(10000)
        self.assertEqual(self.ctl("rotate-key", FIRST, "--force")[0], 2)
        for key, words, why in [(SECOND, ["--generate"], "present"), (FIRST, ["--key-file", self.file("short", "x")], "16 to"),
                                (FIRST, ["--key-file", self.folder + "/none"], "none")]:
            status, said = self.ctl("rotate-key", key, *words, "--force")
            self.assertEqual((status, why in said), (1, True), said)
        with self.open(FIRST) as m:
            m.stop(10000)
        self.assertEqual(self.database.value("SELECT count(*) FROM vouch.secret"), "0")


if __name__ == "__main__":
    tap.main()
