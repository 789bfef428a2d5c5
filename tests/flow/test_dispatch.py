# SPDX-License-Identifier: MIT
# timeout: 600
"""The one mail queue against a real PostgreSQL and a scripted relay: once, in time, to whom it still should go."""
import os
import shutil
import socket
import sys
import tempfile
import threading
import time
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(os.path.dirname(HERE), "lib"), HERE]
import tap  # noqa: E402
from cluster import Cluster  # noqa: E402
from mailing import Mail, Sender, Shop, token_hash  # noqa: E402
from smtp_peer import Peer  # noqa: E402


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
        self.addCleanup(self.peer.close)
        self.shop = Shop(self.cluster, "smtp://127.0.0.1:%d" % self.peer.port)
        self.addCleanup(self.forget)

    def forget(self):
        self.cluster.drop(self.shop.database)

    def sender(self, **settings):
        s = Sender(self.shop.database.url, **settings)
        self.addCleanup(lambda: s.process.poll() is None and s.kill())
        return s

    def mails(self):
        return [Mail(m) for m in self.peer.mails]

    def until(self, sender, done, seconds=10):
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            told = sender.run(100)
            if done():
                return told
        self.fail("not within %d s: %s" % (seconds, told))


class Sending(Case):
    def test_request(self):
        """A request goes out once, with its headers, text and HTML, links and code"""
        self.shop.discount()
        self.shop.configure(mail_from='"Kettles" <shop@shop.test>')
        self.shop.deliver(["1001"], locale="lv-LV", lines=2)
        with self.sender() as s:
            told = s.drain()
            self.assertEqual((told["done"], told["trouble"]), (1, ""))
            mail, = self.mails()
            m = mail.message
            self.assertEqual(m["From"], "Kettles <shop@shop.test>")
            self.assertEqual(m["List-Id"], "<requests.main.shop.test>")
            self.assertEqual(m["Auto-Submitted"], "auto-generated")
            self.assertEqual(m["Feedback-ID"], "request:main:mail:vouch")
            self.assertEqual(m["List-Unsubscribe-Post"], "List-Unsubscribe=One-Click")
            self.assertEqual(m["List-Unsubscribe"].strip(), "<https://shop.test/reviews/u/%s>" % mail.token("u"))
            self.assertEqual(m["Content-Language"], "lv-LV")
            self.assertRegex(mail.id, r"^[A-Za-z0-9_-]{43}@shop\.test$")
            self.assertIn("Kettle <2>", mail.text)
            self.assertIn("Kettle &lt;2&gt;", mail.html)
            for door, purpose in (("r", "review"), ("u", "unsubscribe")):
                self.assertIn(mail.token(door), mail.html)
                self.assertEqual(self.shop.value("SELECT purpose FROM vouch.link_token WHERE token_hash = '\\x%s'"
                                                 % token_hash(mail.token(door))), purpose)
            event = s.ask("take")["event"]
            self.assertEqual((event["type"], event["data"]["discount"]["code"]), ("discount.issued", mail.code()))
            self.assertEqual(event["data"]["discount"]["value"], "10.00")
            self.assertEqual(s.ask("ack " + event["id"]), {"code": 0, "known": True})
            self.assertEqual(s.ask("ack " + event["id"]), {"code": 0, "known": False})
            self.assertEqual(s.ask("take")["event"]["type"], "request.sent")
            typed = mail.code().lower()[6:10] + " - " + mail.code()[10:]
            for spelling in (mail.code(), typed):
                self.assertEqual("\\x" + s.ask("code " + spelling)["hash"],
                                 self.shop.value("SELECT code_hash FROM vouch.discount_code"))
            self.assertEqual(s.ask("code nonsense")["hash"], "")
            self.assertEqual(self.shop.state("1001"), "sent")
            s.drain()
            self.assertEqual(len(self.peer.mails), 1)

    def test_without_settings(self):
        """Without relay, sender or mount nothing is claimed, and it says what to set"""
        self.shop.deliver(["1"])
        for column in ("smtp_url", "mail_from", "base_url"):
            before = self.shop.value("SELECT %s FROM vouch.store" % column)
            self.shop.configure(**{column: ""})
            with self.sender() as s:
                told = s.run()
                self.assertEqual((told["trouble"], told["in_flight"]), ("set store." + column, 0))
            self.shop.configure(**{column: before})
        self.assertEqual(self.shop.count("send_attempt"), 0)
        self.shop.configure(mail_from="no address at all")
        with self.sender() as s:
            self.assertIn("mail_from", s.run()["trouble"])

    def test_reminder_and_discount(self):
        """Reminders carry the request's link and code; a thank-you is skipped when there is none to give"""
        self.shop.discount()
        self.shop.sql("INSERT INTO vouch.request_policy (store_id, country, reminder_after)"
                      " VALUES ('main', '*', '{10 days}')")
        self.shop.deliver(["1"])
        with self.sender() as s:
            s.drain()
            self.shop.clock("11 days")
            s.drain()
        first, second = self.mails()
        self.assertEqual(second.message["Feedback-ID"], "reminder:main:mail:vouch")
        self.assertNotEqual(first.id, second.id)
        self.assertEqual((first.token("r"), first.token("u"), first.code()),
                         (second.token("r"), second.token("u"), second.code()))
        self.shop.sql("DELETE FROM vouch.discount_policy; DELETE FROM vouch.discount_code;"
                      "SELECT vouch.mail_enqueue('main', 'discount', r.request_id, 0, o.address_key, vouch.clock())"
                      " FROM vouch.review_request r JOIN vouch.sales_order o USING (store_id, order_id)")
        with self.sender() as s:
            s.drain()
        self.assertEqual(self.shop.mail("1", "discount")[0::3], ("skipped", "no_discount"))
        self.assertEqual(len(self.peer.mails), 2)

    def test_classes(self):
        """Deferred is tried later, refused is over and suppresses an unknown address, replies keep no address"""
        self.shop.deliver(["rcpt-450.1", "rcpt-550.2", "dot-554.3", "4"])
        with self.sender() as s:
            s.drain()
            self.assertEqual(self.shop.mail("rcpt-450.1"), ("queued", "1", "0", None))
            self.assertEqual(self.shop.mail("rcpt-550.2"), ("failed", "1", "0", "550 5.1.1"))
            self.assertEqual(self.shop.mail("dot-554.3"), ("failed", "1", "0", "554 5.7.1"))
            self.assertEqual(self.shop.state("4"), "sent")
            self.assertEqual(self.shop.count("suppression"), 1)
            self.assertEqual(self.shop.value(
                "SELECT m.due_at - now() BETWEEN '7 minutes' AND '15 minutes' FROM vouch.outgoing_mail m"
                " WHERE m.state = 'queued'"), "t")
            self.peer.plan["rcpt-450.1@buyer.test"] = ["accept"]
            self.shop.clock("16 minutes")
            s.drain()
        self.assertEqual(self.shop.state("rcpt-450.1"), "sent")
        self.assertEqual(self.shop.count("send_attempt", "reply LIKE '%@%'"), 0)

    def test_unusable_template(self):
        """A template that cannot be used costs no mail: it goes out as shipped, and the log says why"""
        log = os.path.join(self.folder, "log")
        self.shop.sql("INSERT INTO vouch.mail_template (store_id, kind, subject)"
                      " VALUES ('main', 'request', 'Ours {{#never_closed}}')")
        self.shop.deliver(["1"])
        with self.sender(log=log) as s:
            s.drain()
            self.assertEqual(self.shop.mail("1")[:2], ("sent", "1"))
            self.shop.sql("UPDATE vouch.mail_template SET subject = 'Ours, {{store.name}}'")
            time.sleep(1.1)   # settings are looked after once a second
            self.shop.deliver(["2"])
            s.drain()
        first, second = self.mails()
        self.assertNotIn("Ours", first.message["Subject"])
        self.assertEqual(second.message["Subject"], "Ours, Kettle & Co")
        with open(log) as f:
            self.assertIn("never_closed", f.read())

    def test_hostile_name(self):
        """Nobody is greeted by an address on the web"""
        self.shop.deliver(["1"], name="You won http://evil.test")
        self.shop.deliver(["2"], name="Jānis")
        with self.sender() as s:
            s.drain()
        for mail in self.mails():
            self.assertNotIn("evil", mail.text + mail.html + str(mail.message["To"]))
            self.assertEqual("Jānis" in mail.text, mail.order == "2")


class Stopping(Case):
    """Between the claim and DATA: the mail is leased, and its connection is being opened."""

    def claimed(self, orders):
        self.shop.deliver(orders)
        s = self.sender(connections=len(orders))
        with self.peer.lock:
            end = time.monotonic() + 10
            while self.shop.count("outgoing_mail", "state = 'sending'") < 1 and time.monotonic() < end:
                s.run(50)
            self.shop.clock("0")
            yield s
        s.drain()
        yield s
        s.close()

    def stopped(self, statement, reason):
        steps = self.claimed(["1"])
        next(steps)
        self.shop.sql(statement)
        next(steps)
        self.assertEqual(len(self.peer.mails), 0)
        state, attempts, _, why = self.shop.mail("1")
        self.assertEqual((state, attempts, why), ("skipped", "0", reason))
        self.assertEqual(self.shop.count("send_attempt"), 0)
        list(steps)

    def test_cancelled(self):
        """A cancellation between claim and DATA stops the mail"""
        self.stopped("UPDATE vouch.order_line SET cancelled_at = now()", "cancelled")
        self.assertEqual(self.shop.state("1"), "cancelled")

    def test_refunded(self):
        """So does a refund"""
        self.stopped("UPDATE vouch.order_line SET refunded_at = now()", "refunded")

    def test_unsubscribed(self):
        """So does unsubscribing"""
        self.stopped("INSERT INTO vouch.suppression SELECT 'main', address_key, 'unsubscribed', now()"
                     " FROM vouch.customer", "unsubscribed")

    def test_suppressed(self):
        """So does a bounce"""
        self.stopped("INSERT INTO vouch.suppression SELECT 'main', address_key, 'bounced', now()"
                     " FROM vouch.customer", "suppressed")

    def test_erased(self):
        """So does erasure"""
        self.stopped("UPDATE vouch.customer SET email = null, name = null, customer_id = null, erased_at = now()",
                     "erased")

    def test_nobody_else(self):
        """Nothing in the way: it goes out"""
        steps = self.claimed(["1"])
        next(steps)
        next(steps)
        self.assertEqual(len(self.peer.mails), 1)
        list(steps)

    def test_release(self):
        """Stopping gives back what was not begun, at once, and finishes what was"""
        steps = self.claimed(["1"])
        s = next(steps)
        self.assertEqual(s.ask("release 2000"), {"code": 0, "idle": True})
        self.assertEqual(self.shop.mail("1"), ("queued", "0", "0", "released"))
        self.peer.plan["1@buyer.test"] = ["late-dot-1"]
        next(steps)
        self.shop.deliver(["2"])
        self.peer.plan["2@buyer.test"] = ["late-dot-1"]
        self.until(s, lambda: self.shop.mail("2") and self.shop.mail("2")[0] == "sending" and
                   self.shop.count("send_attempt", "class IS NULL") == 1)
        self.assertEqual(s.ask("release 100"), {"code": -2, "idle": False})
        self.assertEqual(s.ask("release 5000"), {"code": 0, "idle": True})
        self.assertEqual(self.shop.state("2"), "sent")
        list(steps)


class Doubt(Case):
    def test_silence(self):
        """Silence after the dot is ambiguous: one retry 30 minutes later, with the same id, link and code"""
        self.shop.discount()
        self.shop.deliver(["1"])
        self.peer.plan["1@buyer.test"] = ["silent-dot", "accept"]
        with self.sender(data=500, reply=500) as s:
            s.drain()
            self.assertEqual(self.shop.mail("1")[:3], ("ambiguous", "1", "1"))
            self.assertEqual(self.shop.state("1"), "ambiguous")
            s.drain()
            self.assertEqual(self.shop.mail("1")[1], "1")
            self.shop.clock("29 minutes")
            s.drain()
            self.assertEqual(self.shop.mail("1")[1], "1")
            self.shop.clock("31 minutes")
            s.drain()
        self.assertEqual(self.shop.mail("1")[:2], ("sent", "2"))
        ids = self.shop.sql("SELECT DISTINCT message_id FROM vouch.send_attempt")
        mail, = self.mails()
        self.assertEqual(ids, [[mail.id]])
        first = self.peer.sent().decode("latin-1").split("MAIL FROM")[1]
        self.assertIn(mail.id, first)
        self.assertEqual(self.shop.count("link_token"), 2)
        self.assertEqual(self.shop.count("discount_code"), 1)

    def test_twice_in_doubt(self):
        """A second doubt is the last: never a third copy"""
        self.shop.deliver(["drop-dot.1"])
        with self.sender() as s:
            for offset in ("0", "31 minutes", "2 hours", "10 days"):
                self.shop.clock(offset)
                s.drain()
        self.assertEqual(self.shop.mail("drop-dot.1")[:3], ("ambiguous", "2", "2"))

    def test_unsubscribed_in_doubt(self):
        """Unsubscribed while in doubt: no retry, and the doubt stays on record"""
        self.shop.deliver(["drop-dot.1"])
        with self.sender() as s:
            s.drain()
            self.shop.sql("INSERT INTO vouch.suppression SELECT 'main', address_key, 'unsubscribed', now()"
                          " FROM vouch.customer")
            self.shop.clock("31 minutes")
            s.drain()
        self.assertEqual(self.shop.mail("drop-dot.1"), ("ambiguous", "1", "1", "unsubscribed"))


class Outages(Case):
    def test_relay_down(self):
        """A relay that is down burns no attempt; when it is back everything goes out"""
        port = self.peer.port
        self.peer.listener.shutdown(socket.SHUT_RDWR)
        self.peer.close()
        self.shop.deliver([str(i) for i in range(20)])
        with self.sender() as s:
            for _ in range(5):
                told = s.run(200)
            self.assertIn("relay", told["trouble"])
            self.assertEqual(self.shop.count("send_attempt"), 0)
            self.assertEqual(self.shop.count("outgoing_mail", "attempts > 0 OR state = 'sending'"), 0)
            self.peer = Peer(self.folder, port=port)
            self.until(s, lambda: self.shop.count("review_request", "state = 'sent'") == 20, 20)
        self.assertEqual(len(self.peer.mails), 20)

    def test_relay_refuses_all(self):
        """A relay that takes nobody's mail (421, 530): attempts are undone, then it recovers"""
        self.peer.plan["shop@shop.test"] = ["mail-421", "mail-530", "mail-421", "accept"]
        self.shop.deliver(["1", "2", "3"])
        with self.sender(retry=50) as s:
            self.until(s, lambda: self.shop.count("review_request", "state = 'sent'") == 3, 20)
        self.assertEqual(self.shop.sql("SELECT DISTINCT attempts FROM vouch.outgoing_mail"), [["1"]])
        self.assertEqual(self.shop.count("send_attempt"), 3)
        self.assertEqual(len(self.peer.mails), 3)

    def test_relay_changes(self):
        """A changed relay takes over within seconds, without restart"""
        other_folder = tempfile.mkdtemp()
        self.addCleanup(shutil.rmtree, other_folder)
        other = Peer(other_folder)
        self.addCleanup(other.close)
        self.shop.deliver(["1"])
        with self.sender() as s:
            s.drain()
            self.shop.configure(smtp_url="smtp://127.0.0.1:%d" % other.port, mail_from="new@other.test")
            time.sleep(1.1)
            s.run()
            self.shop.deliver(["2"])
            s.drain()
        self.assertEqual([m["to"] for m in self.peer.mails], ["1@buyer.test"])
        self.assertEqual([(m["to"], m["from"]) for m in other.mails], [("2@buyer.test", "new@other.test")])

    def test_lease_lost(self):
        """An outcome that comes after its lease overwrites nothing (River 1302)"""
        self.shop.deliver(["1"])
        self.peer.plan["1@buyer.test"] = ["late-dot-1"]
        with self.sender() as s:
            self.until(s, lambda: self.shop.count("send_attempt", "class IS NULL") == 1)
            self.shop.sql("UPDATE vouch.outgoing_mail SET lease_until = vouch.clock() - interval '1 second';"
                          "SELECT vouch.mail_recover('main', 10)")
            self.assertEqual(self.shop.mail("1")[0], "ambiguous")
            s.drain()
            self.assertEqual(self.shop.mail("1")[:3], ("ambiguous", "1", "1"))
            self.assertEqual(self.shop.sql("SELECT class FROM vouch.send_attempt"), [["ambiguous"]])

    def test_two_workers(self):
        """Two workers share a thousand due mails: each once"""
        self.shop.deliver([str(i) for i in range(1000)])
        workers = [self.sender(variant="release") for _ in range(2)]
        told = []
        threads = [threading.Thread(target=lambda w=w: told.append(w.drain(60000)["done"])) for w in workers]
        begun = time.monotonic()
        [t.start() for t in threads]
        [t.join() for t in threads]
        seconds = time.monotonic() - begun
        [w.close() for w in workers]
        self.assertEqual(sorted(m["to"] for m in self.peer.mails), sorted("%d@buyer.test" % i for i in range(1000)))
        self.assertEqual(self.shop.count("review_request", "state = 'sent'"), 1000)
        self.assertEqual(self.shop.count("send_attempt"), 1000)
        self.assertEqual(sum(told), 1000)
        self.assertGreater(min(told), 50)
        print("# 1000 mails by two workers in %.1f s: %s" % (seconds, told), file=sys.stderr)


class Database(unittest.TestCase):
    """A cluster of its own, to stop."""

    def setUp(self):
        self.cluster = Cluster().make()
        self.addCleanup(self.cluster.close)
        self.folder = tempfile.mkdtemp()
        self.addCleanup(shutil.rmtree, self.folder)
        self.peer = Peer(self.folder)
        self.addCleanup(self.peer.close)
        self.shop = Shop(self.cluster, "smtp://127.0.0.1:%d" % self.peer.port)

    def attempted(self, s):
        end = time.monotonic() + 10
        while self.shop.count("send_attempt", "class IS NULL") < 1 and time.monotonic() < end:
            s.run(50)
        self.assertEqual(self.shop.count("send_attempt", "class IS NULL"), 1)

    def test_stopped_before_settle(self):
        """PostgreSQL stopped between DATA and settle: recorded when it is back, one copy"""
        self.shop.deliver(["1"])
        self.peer.plan["1@buyer.test"] = ["late-dot-2"]
        with Sender(self.shop.database.url, data=60000) as s:
            self.attempted(s)
            self.cluster.stop()
            end = time.monotonic() + 4
            while time.monotonic() < end:
                told = s.run(200)
            self.assertEqual((len(self.peer.mails), told["in_flight"]), (1, 1))
            self.cluster.start()
            s.drain()
        self.assertEqual(self.shop.mail("1")[:3], ("sent", "1", "0"))
        self.assertEqual(len(self.peer.mails), 1)

    def test_frozen_before_settle(self):
        """PostgreSQL frozen: every call comes back, and the outcome is recorded after the thaw"""
        self.shop.deliver(["1"])
        self.peer.plan["1@buyer.test"] = ["late-dot-1"]
        with Sender(self.shop.database.url, data=60000) as s:
            self.attempted(s)
            self.cluster.freeze()
            begun = time.monotonic()
            s.run(1500)
            self.assertLess(time.monotonic() - begun, 6.5)
            self.cluster.thaw()
            s.drain()
        self.assertEqual(self.shop.mail("1")[:3], ("sent", "1", "0"))
        self.assertEqual(len(self.peer.mails), 1)

    def test_away_from_the_start(self):
        """With PostgreSQL away nothing hangs, and work begins when it is back"""
        self.shop.deliver(["1"])
        self.cluster.stop()
        with Sender(self.shop.database.url) as s:
            self.assertNotEqual(s.run(200)["trouble"], "")
            self.cluster.start()
            s.drain()
            end = time.monotonic() + 10
            while not self.peer.mails and time.monotonic() < end:
                s.run(200)
        self.assertEqual(self.shop.state("1"), "sent")


if __name__ == "__main__":
    tap.main()
