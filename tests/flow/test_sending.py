# SPDX-License-Identifier: MIT
# timeout: 900
"""What keeps mail back and lets it go again: limits shared by all processes, domains that ask for patience, a relay
that is down for hours, a database that was restored. VOUCH_LONG=1 has 50,000 mails wait for the relay."""
import os
import shutil
import socket
import sys
import tempfile
import time
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(os.path.dirname(HERE), "lib"), HERE]
import tap  # noqa: E402
from cluster import Cluster  # noqa: E402
from mailing import Sender, Shop  # noqa: E402
from smtp_peer import Peer  # noqa: E402

WAITING = 50000 if os.environ.get("VOUCH_LONG") else 400


class Case(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.cluster = Cluster.shared()

    @classmethod
    def tearDownClass(cls):
        cls.cluster.close()

    def setUp(self):
        self.folder = tempfile.mkdtemp()
        self.addCleanup(shutil.rmtree, self.folder)
        self.peer = Peer(self.folder)
        self.addCleanup(lambda: self.peer.close())
        self.shop = Shop(self.cluster, "smtp://127.0.0.1:%d" % self.peer.port)
        self.addCleanup(lambda: self.cluster.drop(self.shop.database))

    def sender(self, **settings):
        s = Sender(self.shop.database.url, variant="release", **settings)
        self.addCleanup(lambda: s.process.poll() is None and s.kill())
        return s

    def health(self, column):
        return self.shop.value("SELECT %s FROM vouch.delivery_health" % column)


class Limits(Case):
    def test_a_minute(self):
        """A limit per minute holds for two processes together: a burst of ten seconds' worth, then the rate"""
        self.shop.sql("INSERT INTO vouch.mail_policy (store_id, rate_per_minute) VALUES ('main', 60)")
        self.shop.deliver([str(i) for i in range(60)])
        senders = [self.sender(), self.sender()]
        begun = time.monotonic()
        while time.monotonic() - begun < 4:
            for s in senders:
                s.run(100)
        took = time.monotonic() - begun
        self.assertGreaterEqual(len(self.peer.mails), 10)
        self.assertLessEqual(len(self.peer.mails), 10 + took + 1)
        self.shop.clock("1 minute")
        for s in senders:
            s.drain(3000)
        self.assertLessEqual(len(self.peer.mails), 20 + time.monotonic() - begun + 1)
        self.assertEqual(int(self.health("claimed_today")), len(self.peer.mails))
        [s.close() for s in senders]

    def test_a_day(self):
        """A limit per day lets go no more until the next day"""
        self.shop.sql("INSERT INTO vouch.mail_policy (store_id, rate_per_day) VALUES ('main', 7)")
        self.shop.deliver([str(i) for i in range(12)])
        with self.sender() as s:
            s.drain(4000)
            self.assertEqual(len(self.peer.mails), 7)
            self.shop.clock("1 day")
            s.drain(4000)
        self.assertEqual(len(self.peer.mails), 12)

    def test_hold_doubts(self):
        """With on_doubt hold a mail that may have arrived is never tried again"""
        self.shop.sql("INSERT INTO vouch.mail_policy (store_id, on_doubt) VALUES ('main', 'hold')")
        self.shop.deliver(["drop-dot.1"])
        with self.sender() as s:
            s.drain()
            self.shop.clock("2 days")
            s.drain(3000)
        self.assertEqual(self.shop.mail("drop-dot.1")[:3], ("ambiguous", "1", "1"))


class Patience(Case):
    def test_domain(self):
        """421 for one domain: its mail waits without burning attempts, that of others goes on, then it recovers"""
        slow = ["rcpt-421.%d" % i for i in range(12)]
        self.shop.deliver(slow, address="%s@slow.test")
        self.shop.deliver([str(i) for i in range(12)])
        with self.sender(connections=1) as s:
            s.drain()
            self.assertEqual(self.shop.count("review_request", "state = 'sent'"), 12)
            self.assertLessEqual(self.shop.count("send_attempt", "class = 'deferred'"), 2)
            self.assertEqual(self.shop.count("outgoing_mail", "attempts = 0 AND reason = 'domain'"), 11)
            self.assertEqual((self.health("domains_waiting"), self.health("deferred")), ("1", "1"))
            for name in slow:
                self.peer.plan[name + "@slow.test"] = ["accept"]
            self.shop.clock("20 minutes")
            s.drain()
        self.assertEqual(self.shop.count("review_request", "state = 'sent'"), 24)
        self.assertEqual(self.shop.count("mail_domain"), 0)
        self.assertEqual(self.shop.count("outgoing_mail", "attempts > 2"), 0)

    def test_pauses_double(self):
        """Each refusal behind a pause doubles the next, up to four hours"""
        self.shop.deliver(["rcpt-421.1"], address="%s@slow.test")
        with self.sender() as s:
            last, offset = 0.0, 0
            for turn in range(8):
                s.drain(3000)
                left = float(self.shop.value("SELECT extract(epoch FROM paused_until - vouch.clock()) / 60 FROM vouch.mail_domain"))
                self.assertGreater(left, min(5 * 2 ** turn, 240) * 0.74, turn)
                self.assertLess(left, min(5 * 2 ** turn, 240) * 1.26, turn)
                offset += 13 * 60
                self.shop.clock("%d minutes" % offset)

    def test_five_days(self):
        """Given up five days after the first attempt, however long before it was queued"""
        self.shop.deliver(["rcpt-450.1"])
        self.shop.sql("SELECT vouch.request_enqueue('main', 10); UPDATE vouch.outgoing_mail SET created_at = now() - interval '30 days'")
        with self.sender() as s:
            s.drain()
            self.assertEqual(self.shop.mail("rcpt-450.1")[:2], ("queued", "1"))
            self.shop.clock("4 days 23 hours")
            s.drain()
            self.assertEqual(self.shop.mail("rcpt-450.1")[:2], ("queued", "2"))
            self.shop.clock("5 days 13 hours")
            s.drain()
        self.assertEqual(self.shop.mail("rcpt-450.1")[:2], ("expired", "3"))
        self.assertEqual(self.shop.state("rcpt-450.1"), "expired")


class Relay(Case):
    def test_six_hours_down(self):
        """A relay down for six hours: nothing is claimed in vain, no attempt burned, nothing lost, the rate kept afterwards"""
        port = self.peer.port
        self.peer.listener.shutdown(socket.SHUT_RDWR)
        self.peer.close()
        self.shop.sql("INSERT INTO vouch.mail_policy (store_id, rate_per_minute) VALUES ('main', %d)" % (WAITING * 6))
        for i in range(0, WAITING, 1000):
            self.shop.deliver([str(n) for n in range(i, min(i + 1000, WAITING))])
        senders = [self.sender(retry=20), self.sender(retry=20)]
        for s in senders:
            end = time.monotonic() + 10
            while "relay" not in s.run(300)["trouble"] and time.monotonic() < end:
                pass
        for hour in range(7):
            self.shop.clock("%d hours" % hour)
            for s in senders:
                told = s.run(300)
                self.assertIn("relay", told["trouble"])
        self.assertIsNotNone(self.health("relay_down_at"))
        self.assertIn("connect", self.health("relay_problem").lower())
        self.assertEqual(self.shop.count("send_attempt"), 0)
        self.assertEqual(self.shop.count("outgoing_mail", "attempts > 0 OR state <> 'queued'"), 0)
        self.peer = Peer(self.folder, port=port)
        begun, most = time.monotonic(), WAITING * 6 / 60.0
        while self.shop.count("review_request", "state = 'sent'") < WAITING and time.monotonic() - begun < 800:
            for s in senders:
                s.run(250)
            self.assertLessEqual(len(self.peer.mails), most * 10 + most * (time.monotonic() - begun + 1))
        self.assertEqual(sorted(m["to"] for m in self.peer.mails), sorted("%d@buyer.test" % i for i in range(WAITING)))
        self.assertEqual(self.shop.sql("SELECT DISTINCT attempts FROM vouch.outgoing_mail"), [["1"]])
        self.assertIsNone(self.health("relay_down_at"))
        [s.close() for s in senders]


class Restored(Case):
    def resumed(self, s):
        self.assertEqual(len(self.peer.mails), self.before)
        self.assertIsNotNone(self.health("paused_at"))
        self.assertIn("paused", s.run(1200)["trouble"])
        self.assertEqual(self.shop.count("outgoing_mail", "state = 'sending'"), 0)
        self.shop.sql("SELECT vouch.mail_resume('main', 'Zane')")
        time.sleep(1.1)
        s.drain()
        self.assertIsNone(self.health("paused_at"))

    def test_old_history(self):
        """Three days of nobody here and last week's mail due: nothing goes out until somebody says so"""
        self.before = 0
        self.shop.deliver(["1"], days=12)
        self.shop.sql("SELECT vouch.mail_pulse('main', null); UPDATE vouch.mail_state SET seen_at = now() - interval '3 days'")
        with self.sender() as s:
            s.drain(3000)
            self.assertIn("restored from a backup", self.health("pause_reason"))
            self.resumed(s)
        self.assertEqual(self.shop.state("1"), "sent")

    def test_old_history_nothing_due(self):
        """The same without old mail: it goes on"""
        self.shop.sql("SELECT vouch.mail_pulse('main', null); UPDATE vouch.mail_state SET seen_at = now() - interval '3 days'")
        self.shop.deliver(["1"], days=7)
        with self.sender() as s:
            s.drain()
        self.assertEqual(self.shop.state("1"), "sent")

    def test_copied(self):
        """A copy of a database that sent sends nothing by itself"""
        self.shop.deliver(["1"])
        with self.sender() as s:
            s.drain()
        self.before = len(self.peer.mails)
        self.shop.deliver(["2"])
        copy = "copy_of_" + self.shop.database.name
        self.cluster.sql('CREATE DATABASE "%s" TEMPLATE "%s"' % (copy, self.shop.database.name), "postgres")
        self.cluster.sql('GRANT CONNECT ON DATABASE "%s" TO shop' % copy, "postgres")
        original, self.shop.database.name = self.shop.database.name, copy
        self.shop.database.url = self.shop.database.url.replace(original, copy)
        self.addCleanup(lambda: self.cluster.sql('DROP DATABASE "%s" WITH (FORCE)' % original, "postgres"))
        with self.sender() as s:
            s.drain(3000)
            self.assertIn("copied", self.health("pause_reason"))
            self.resumed(s)
        self.assertEqual(len(self.peer.mails), 2)

    def test_by_hand(self):
        """A person pauses and resumes a store's mail"""
        self.before = 0
        self.shop.deliver(["1"])
        self.shop.sql("INSERT INTO vouch.operator (store_id, name, role) VALUES ('main', 'Zane', 'manager');"
                      "SELECT vouch.pause_mail('the summer sale first', 'Zane')")
        with self.sender() as s:
            s.drain(2000)
            self.resumed(s)
        self.assertEqual(self.shop.state("1"), "sent")
        self.assertEqual(self.shop.value("SELECT resumed_by FROM vouch.mail_state"), "Zane")


if __name__ == "__main__":
    tap.main()
