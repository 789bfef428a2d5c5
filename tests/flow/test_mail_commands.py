# SPDX-License-Identifier: MIT
# build: release asan
"""vouchctl preview, test-mail and resume, and what check says of a store's mail."""
import email
import email.policy
import json
import os
import shutil
import subprocess
import sys
import tempfile
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(os.path.dirname(HERE), "lib"), HERE]
import tap  # noqa: E402
from cluster import Cluster, vouchctl  # noqa: E402
from mailing import Shop  # noqa: E402
from smtp_peer import Peer  # noqa: E402

KINDS = ["request", "reminder", "discount", "confirm", "held", "rejected", "published", "reply"]
LOCALES = ["en", "es", "pt", "ar", "fa", "lv"]


class Commands(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.mkdtemp()
        self.addCleanup(shutil.rmtree, self.folder)
        self.peer = Peer(self.folder)
        self.addCleanup(self.peer.close)
        self.cluster = Cluster.shared()
        self.addCleanup(self.cluster.close)
        self.shop = Shop(self.cluster, "smtp://127.0.0.1:%d" % self.peer.port)
        self.addCleanup(self.cluster.drop, self.shop.database)

    def ctl(self, *words):
        env = {k: v for k, v in os.environ.items() if k != "LD_PRELOAD" and not k.startswith(("VOUCH_", "PG"))}
        env["ASAN_OPTIONS"] = env.get("ASAN_OPTIONS", "").replace("detect_leaks=0", "detect_leaks=1")
        done = subprocess.run([vouchctl(), *words, "--database", self.shop.database.url, "--store", "main"],
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=env)
        return done.returncode, done.stdout, done.stderr

    def test_preview(self):
        """Every kind, and every language; HTML on demand; faulty rows are named and not used"""
        for kind in KINDS:
            for locale in LOCALES if kind == "request" else ["lv"]:
                code, text, said = self.ctl("preview", "--kind", kind, "--locale", locale)
                self.assertEqual((code, said), (0, ""), (kind, locale))
                self.assertIn("Kettle & Co", text)
                self.assertNotIn("{{", text)
        code, html, _ = self.ctl("preview", "--kind", "held", "--locale", "fa", "--html")
        self.assertEqual(code, 0)
        self.assertIn('dir="rtl"', html)
        self.assertNotEqual(self.ctl("preview", "--kind", "advert")[0], 0)
        self.shop.sql("INSERT INTO vouch.mail_template (store_id, kind, locale, subject) VALUES"
                      " ('main', 'held', '*', 'Ours: {{review.product.name}}'), ('main', 'request', '*', '5 stars = 10% discount')")
        self.assertTrue(self.ctl("preview", "--kind", "held")[1].startswith("Ours: Kettle"))
        code, text, said = self.ctl("preview")
        self.assertEqual(code, 0)
        self.assertNotIn("5 stars =", text)
        self.assertIn("praise", said)

    def test_test_mail(self):
        """A test mail arrives with the headers of its kind; a relay that refuses is quoted"""
        self.shop.configure(mail_from="Orders <orders@shop.test>", request_from="Reviews <ask@shop.test>")
        for kind, sender in (("request", "ask@shop.test"), ("held", "orders@shop.test")):
            code, said, why = self.ctl("test-mail", "--to", "anna@buyer.test", "--kind", kind, "--locale", "ar")
            self.assertEqual((code, why), (0, ""))
            self.assertIn("250", said)
            kept = self.peer.mails[-1]
            m = email.message_from_bytes(kept["data"], policy=email.policy.default)
            self.assertEqual((kept["from"], kept["to"], m["From"].addresses[0].addr_spec), (sender, "anna@buyer.test", sender))
            self.assertEqual(m["List-Unsubscribe-Post"], "List-Unsubscribe=One-Click" if kind == "request" else None)
            self.assertEqual(m["Auto-Submitted"], "auto-generated")
        code, _, why = self.ctl("test-mail", "--to", "rcpt-550.1@buyer.test")
        self.assertEqual(code, 1)
        self.assertIn("550", why)
        self.assertEqual(self.ctl("test-mail")[0], 2)
        self.assertEqual(self.ctl("test-mail", "--to", "no address")[0], 1)
        self.peer.close()
        self.shop.configure(smtp_url="smtp://127.0.0.1:1")
        self.assertEqual(self.ctl("test-mail", "--to", "anna@buyer.test")[0], 1)
        self.assertEqual(self.shop.count("outgoing_mail"), 0)

    def test_check_and_resume(self):
        """check names pauses, a relay that is down and templates that go unused; resume ends a pause"""
        self.shop.sql("SELECT vouch.mail_pulse('main', '421 try later anna@buyer.test');"
                      "UPDATE vouch.mail_state SET paused_at = now(), pause_reason = 'the sale first';"
                      "INSERT INTO vouch.mail_template (store_id, kind, subject) VALUES ('main', 'held', '{{#open}}')")
        found = json.loads(self.ctl("check", "--json")[1])
        text = json.dumps(found)
        for words in ("the sale first", "421 try later", "goes unused"):
            self.assertIn(words, text)
        self.assertNotIn("anna@", text)
        code, said, _ = self.ctl("resume", "--operator", "Zane")
        self.assertEqual(code, 0)
        self.assertIn("the sale first", said)
        self.assertIn("not paused", self.ctl("resume")[1])
        self.assertEqual(self.shop.value("SELECT resumed_by FROM vouch.mail_state"), "Zane")


if __name__ == "__main__":
    tap.main()
