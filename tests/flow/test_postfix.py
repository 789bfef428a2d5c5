# SPDX-License-Identifier: MIT
# build: release
"""vouch.so hands its mail to a real Postfix: what comes out behind it, and what becomes of what does not."""
import os
import random
import re
import shutil
import signal
import socketserver
import subprocess
import sys
import tempfile
import threading
import time
import unittest
from collections import Counter
from datetime import datetime, timedelta, timezone

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
sys.path[:0] = [os.path.join(ROOT, "tests", "lib"), HERE]
os.environ.setdefault("VOUCH_SMTP_DRIVER", os.path.join(ROOT, "build", "asan", "unit", "test_smtp"))
import cluster  # noqa: E402
import postfix  # noqa: E402
import tap  # noqa: E402
import test_smtp  # noqa: E402
import vouch  # noqa: E402
from mailing import KEY, Mail, Shop  # noqa: E402
from smtp_peer import Peer  # noqa: E402

SUBJECT = "كيف كانت تجربتك مع طلبك؟ .نقطة"
LINES = [".", "..", ".a", "-- ", "From me", "=3D =", "x" * 2500, "كلمة " * 300, "ļ" * 998, "trailing  ", ".", "end"]
TEXT = "\n".join(LINES) + "\n{{form_url}}\n{{unsubscribe_url}}\n.\n"
HTML = "<p>\n" + "\n".join("." + "<b>%s</b>" % x for x in LINES) + "\n</p><a href=\"{{form_url}}\">.</a> {{unsubscribe_url}}\n"
GONE = "gone@buyer.test"
made, missing = None, None


class Policy(socketserver.ThreadingTCPServer):
    """What Postfix asks about every recipient: a greylist when on, a pause when told."""
    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), self.Answer)
        self.greylist, self.pause, self.seen = False, 0, set()
        threading.Thread(target=self.serve_forever, args=(0.05,), daemon=True).start()

    def handle_error(self, *_):
        """A smtpd that was killed."""

    class Answer(socketserver.StreamRequestHandler):
        def handle(self):
            asked = {}
            for line in self.rfile:
                name, _, value = line.decode().strip().partition("=")
                if name:
                    asked[name] = value
                    continue
                time.sleep(self.server.pause)
                known = asked["recipient"] in self.server.seen or not self.server.greylist
                self.server.seen.add(asked["recipient"])
                self.wfile.write(b"action=DUNNO\n\n" if known else b"action=450 4.2.0 greylisted, come back\n\n")


class Made:
    """One Postfix, what is behind it and beside it, for all tests."""

    def __init__(self):
        self.folder, self.cluster = tempfile.mkdtemp(), None
        self.peer, self.policy = Peer(self.folder, extensions=["SIZE 20000000"]), Policy()
        try:
            self.postfix = postfix.Postfix(self.peer.port, main={
                "service_throttle_time": "1s",
                "smtpd_recipient_restrictions": "check_recipient_access inline:{{%s=550 5.1.1 no such buyer}},"
                " check_policy_service inet:127.0.0.1:%d, permit_mynetworks, reject" % (GONE, self.policy.server_address[1])})
            self.cluster = cluster.Cluster.shared()
        except BaseException:
            self.close()
            raise

    def close(self):
        if hasattr(self, "postfix"):
            self.postfix.close()
        self.policy.shutdown()
        self.policy.server_close()
        self.peer.close()
        shutil.rmtree(self.folder)
        if self.cluster:
            self.cluster.close()


def setUpModule():
    global made, missing
    try:
        made = Made()
    except postfix.Unavailable as e:
        missing = "no Postfix here: %s" % e


def tearDownModule():
    if made:
        made.close()


def unstuffed(said):
    """The messages in what a client said on one connection."""
    return [(b"\r\n" + m).replace(b"\r\n.", b"\r\n")[2:] + b"\r\n"
            for m in re.findall(rb"DATA\r\n(.*?)\r\n\.\r\n", b"".join(said), re.S)]


class Case(unittest.TestCase):
    def setUp(self):
        if missing:
            self.skipTest(missing)
        self.postfix, self.peer, self.policy = made.postfix, made.peer, made.policy
        self.policy.greylist, self.policy.pause = False, 0
        self.policy.seen.clear()
        self.peer.mails.clear()
        self.shop = Shop(made.cluster, self.postfix.url)
        self.addCleanup(lambda: made.cluster.drop(self.shop.database))
        self.module = vouch.Module({"database": self.shop.database.url, "secrets": {"key": KEY}, "emit_deadline_ms": 20000})
        self.addCleanup(self.module.__exit__)

    def order(self, names, locale="en", address=None):
        """Delivered eight days ago: placed and delivered as a store tells it."""
        def event(kind, name, **order):
            return {"specversion": "1.0", "id": "%s:%s" % (kind, name), "source": "/shop", "type": "order." + kind,
                    "time": ago(0), "data": {"order": dict(order, id=name)}}

        def ago(days):
            return (datetime.now(timezone.utc) - timedelta(days=days)).isoformat()
        placed = [event("placed", n, placed_at=ago(11), locale=locale, currency="EUR",
                        customer={"email": address or "%s@buyer.test" % n, "name": "Anna"},
                        items=[{"id": "1", "product_id": "kettle", "name": "Kettle"}]) for n in names]
        self.module.emit(placed + [event("delivered", n, delivered_at=ago(8)) for n in names])

    def until(self, done, seconds=20):
        end = time.monotonic() + seconds
        while not done():
            self.assertLess(time.monotonic(), end, self.postfix.said()[-3000:])
            time.sleep(0.02)

    def sent(self, most, seconds=20):
        """Steps until so many requests are sent, and waits until they are behind Postfix too."""
        self.module.step_until(lambda: self.shop.count("review_request", "state = 'sent'") >= most, seconds)
        self.until(lambda: len({m["to"] for m in self.peer.mails}) >= most and not self.postfix.waiting())

    def settled(self, seconds=20):
        """Steps until nothing is under way, or due within a minute."""
        self.module.step_until(lambda: not self.shop.count(
            "outgoing_mail", "state = 'sending' OR state IN ('queued', 'ambiguous')"
            " AND due_at < vouch.clock() + interval '1 minute'")
            and not self.shop.count("review_request", "state = 'scheduled' AND due_at <= vouch.clock()"), seconds)

    def once(self, names):
        """Each got its mail once, and once more only where that is on record; nobody else got one.

        Postfix's own queue id tells copies that Vouch handed over from those that Postfix made, stopped in between."""
        copies = {(Mail(m).id, re.search(rb"\(Postfix\) with ESMTP id (\w+)", m["data"]).group(1)) for m in self.peer.mails}
        ids = Counter(message_id for message_id, _ in copies)
        rows = self.shop.sql(
            "SELECT a.message_id, max(m.doubts), count(DISTINCT m.mail_id), min(r.order_id)"
            " FROM vouch.send_attempt a JOIN vouch.outgoing_mail m USING (store_id, mail_id)"
            " JOIN vouch.review_request r ON r.store_id = m.store_id AND r.request_id = m.subject_id"
            " WHERE r.state = 'sent' GROUP BY 1")
        self.assertEqual(sorted(r[3] for r in rows), sorted(names))
        self.assertEqual(set(ids), {r[0] for r in rows})
        for message_id, doubts, mails, order in rows:
            self.assertEqual(mails, "1")
            self.assertLessEqual(ids[message_id], 1 + int(doubts), order)
        told = [e["data"]["request"]["order_id"] for e in self.module.take_all() if e["type"] == "request.sent"]
        self.assertEqual(sorted(told), sorted(names))
        return sum(n - 1 for n in ids.values())


class Through(Case):
    def test_fifty(self):
        """50 requests, each once, byte for byte as handed over, pipelined on few connections"""
        self.shop.sql("INSERT INTO vouch.mail_template (store_id, kind, locale, subject, text, html)"
                      " VALUES ('main', 'request', 'ar', $q$%s$q$, $q$%s$q$, $q$%s$q$)" % (SUBJECT, TEXT, HTML))
        names = ["o%d" % i for i in range(50)]
        seen = len(self.postfix.said())
        with postfix.Wire(self.postfix.port) as wire:
            self.shop.configure(smtp_url=wire.url)
            self.order(names[:25], locale="ar")
            self.order(names[25:], locale="lv")
            self.sent(50)
            self.module.stop()
        self.assertEqual(self.once(names), 0)
        self.assertEqual(len(self.peer.mails), 50)
        said = [chunk for chunks in wire.sent.values() for chunk in chunks]
        handed = {m: True for chunks in wire.sent.values() for m in unstuffed(chunks)}
        for kept in self.peer.mails:
            head, found, rest = re.match(rb"(Received: .*?\r\n)((?![ \t]).*)", kept["data"], re.S).group(1, 2, 0)
            self.assertIn(found, handed)
            self.assertNotIn(b"\r", rest.replace(b"\r\n", b""))
            self.assertLessEqual(max(map(len, found.split(b"\r\n"))), 998)
        arabic = [Mail(m) for m in self.peer.mails if Mail(m).message["Content-Language"] == "ar"]
        self.assertEqual(len(arabic), 25)
        for mail in arabic:
            self.assertEqual(mail.message["Subject"], SUBJECT)
            self.assertEqual(mail.text.splitlines()[:len(LINES)], LINES)
            self.assertIn("\n".join("." + "<b>%s</b>" % x for x in LINES), mail.html.replace("\r\n", "\n"))
            self.assertIn(mail.token("u"), mail.message["List-Unsubscribe"])
        together = [c for c in said if b"MAIL FROM" in c and b"\r\nRCPT TO" in c and b"\r\nDATA\r\n" in c]
        self.assertEqual(len(together), 50)
        log = self.postfix.said()[seen:]
        self.assertLessEqual(len(wire.sent), 8)
        self.assertNotRegex(log, "warning|fatal|panic|error|reject|improper|lost connection after (MAIL|RCPT|DATA)")

    def test_refused(self):
        """550 5.1.1 for the recipient: over at once, and this address is never asked again"""
        self.order(["gone", "here"])
        self.sent(1)
        self.settled()
        self.assertEqual(self.shop.mail("gone"), ("failed", "1", "0", "550 5.1.1"))
        self.assertEqual(self.shop.sql("SELECT reason FROM vouch.suppression"), [["bounced"]])
        self.order(["again"], address=GONE)
        self.settled()
        self.assertNotEqual(self.shop.state("again"), "sent")
        self.assertEqual(self.shop.value("SELECT count(*) FROM vouch.send_attempt"), "2")
        self.once(["here"])

    def test_greylist(self):
        """450 at first sight: deferred, and delivered once when it is due again"""
        self.policy.greylist = True
        names = ["g%d" % i for i in range(10)]
        self.order(names)
        self.settled()
        self.assertEqual({self.shop.mail(n) for n in names}, {("queued", "1", "0", None)})
        self.assertEqual(self.shop.sql("SELECT DISTINCT class, code FROM vouch.send_attempt"), [["deferred", "450"]])
        self.assertEqual(self.peer.mails, [])
        self.shop.clock("16 minutes")
        self.sent(10)
        self.assertEqual(self.once(names), 0)

    def test_soft_bounce(self):
        """With soft_bounce the same recipient is only deferred; without it, refused the next time"""
        self.postfix.configure(soft_bounce="yes")
        self.order(["gone"])
        self.settled()
        self.assertEqual(self.shop.mail("gone"), ("queued", "1", "0", None))
        self.assertEqual(self.shop.sql("SELECT class, code FROM vouch.send_attempt"), [["deferred", "450"]])
        self.assertEqual(self.shop.count("suppression"), 0)
        self.postfix.configure(soft_bounce="no")
        self.shop.clock("16 minutes")
        self.settled()
        self.assertEqual(self.shop.mail("gone"), ("failed", "2", "0", "550 5.1.1"))
        self.assertEqual(self.shop.count("suppression"), 1)


class Faults(Case):
    def while_sending(self, names, act):
        """Orders, a Postfix slow enough, and act() in another thread than the one that steps."""
        self.policy.pause = 0.08
        self.order(names)
        acting = threading.Thread(target=act)
        acting.start()
        while acting.is_alive():
            self.module.step(50)
        acting.join()
        self.policy.pause = 0

    def test_stopped(self):
        """postfix stop in the middle: nothing is lost, the rest goes out when it is back"""
        names = ["s%d" % i for i in range(60)]
        self.while_sending(names, lambda: (self.until(lambda: len(self.peer.mails) > 15), self.postfix.stop()))
        self.module.step(300)
        sent = self.shop.count("review_request", "state = 'sent'")
        self.assertTrue(0 < sent < 60, sent)
        self.assertEqual(self.shop.count("review_request", "state NOT IN ('sent', 'sending', 'ambiguous')"), 0)
        self.postfix.start()
        self.shop.clock("31 minutes")
        self.sent(60)
        self.once(names)

    def test_killed(self):
        """kill -9 of smtpd, 12 times: nothing is lost, and what came twice was in doubt"""
        names = ["k%d" % i for i in range(60)]
        kills = []

        def kill():
            self.until(lambda: self.peer.mails)
            for _ in range(12):
                found = self.postfix.daemons("smtpd")
                if found:
                    os.kill(random.choice(found), signal.SIGKILL)
                    kills.append(1)
                time.sleep(0.04)
        self.while_sending(names, kill)
        self.assertGreater(len(kills), 6)
        self.settled()
        self.shop.clock("31 minutes")
        self.sent(60)
        self.once(names)

    def test_lost_answer(self):
        """250 lost on the way: ambiguous, one more copy after half an hour with the same Message-ID"""
        lost = []

        def loses(reply):
            return b"queued as" in reply and not lost and not lost.append(1)
        with postfix.Wire(self.postfix.port, cut_before=loses) as wire:
            self.shop.configure(smtp_url=wire.url)
            self.order(["lost"])
            self.module.step_until(lambda: self.shop.state("lost") == "ambiguous")
            self.shop.clock("28 minutes")
            self.settled()
            self.assertEqual(self.shop.mail("lost")[:3], ("ambiguous", "1", "1"))
            self.shop.clock("31 minutes")
            self.sent(1)
            self.until(lambda: len(self.peer.mails) == 2)
            self.assertEqual(self.once(["lost"]), 1)
            self.module.stop()

    def test_held(self):
        """postsuper -h: what Postfix took and holds is Postfix's; nobody is asked again in two days"""
        names = ["h%d" % i for i in range(5)]
        self.postfix.configure(defer_transports="smtp")
        self.order(names)
        self.module.step_until(lambda: self.shop.count("review_request", "state = 'sent'") == 5)
        self.until(lambda: self.postfix.waiting() == 5)
        self.postfix.tool("postsuper", "-h", "ALL")
        self.postfix.configure(defer_transports="")
        self.shop.clock("2 days")
        self.settled()
        self.assertEqual(self.peer.mails, [])
        self.postfix.tool("postsuper", "-H", "ALL")
        self.until(lambda: len(self.peer.mails) == 5)
        self.assertEqual(self.once(names), 0)


class Tls(Case):
    def stepped(self, tried):
        """Longer than settings are kept, and until the relay was tried."""
        begun = time.monotonic()
        self.module.step_until(lambda: time.monotonic() > begun + 1.3 and tried())

    def refused(self, url):
        """No mail goes there, none of it is said there, and no attempt is burned."""
        seen = len(self.postfix.said())
        self.shop.configure(smtp_url=url)
        self.stepped(lambda: "disconnect from" in self.postfix.said()[seen:])
        self.assertEqual(self.shop.count("send_attempt"), 0)
        self.assertEqual(self.shop.count("outgoing_mail", "attempts > 0 OR state NOT IN ('queued', 'sending')"), 0)
        log = self.postfix.said()[seen:]
        self.assertNotRegex(log, r"\b(mail|rcpt|data|auth)=|client=")
        return log

    def test_unverifiable(self):
        """A certificate nobody vouches for: required, so nothing is handed over; nor where STARTTLS is not offered"""
        # 0.0.0.0 is no loopback to Vouch, and the machine itself to the kernel.
        self.shop.configure(smtp_url="smtp://0.0.0.0:%d" % self.postfix.port)
        self.order(["tls"])
        self.assertIn("SSL_accept error", self.refused("smtp://0.0.0.0:%d" % self.postfix.port))
        self.assertIn("SSL_accept error", self.refused("smtps://127.0.0.1:%d" % self.postfix.tls_port))
        self.postfix.configure(smtpd_tls_security_level="none")
        self.assertNotIn("starttls", self.refused("smtp://0.0.0.0:%d" % self.postfix.port))
        # The loopback may go without TLS, but not when the relay wants it: the relay is at fault, not the mail.
        self.postfix.configure(smtpd_tls_security_level="encrypt")
        seen = len(self.postfix.said())
        self.shop.configure(smtp_url=self.postfix.url)
        self.stepped(lambda: "mail=0/" in self.postfix.said()[seen:])
        self.assertEqual(self.shop.count("outgoing_mail", "attempts > 0 OR finished_at IS NOT NULL"), 0)
        self.postfix.configure(smtpd_tls_security_level="may")
        self.sent(1)
        self.assertEqual(self.shop.mail("tls")[0:2], ("sent", "1"))
        self.once(["tls"])

    def test_verified(self):
        """STARTTLS and TLS from the start, with a certificate that can be verified (the sender alone)"""
        if not os.path.exists(test_smtp.DRIVER):
            clean = {k: v for k, v in os.environ.items() if not k.startswith(("LD_", "MAKE", "MFLAGS"))}
            subprocess.run(["make", "-s", "-C", ROOT, "BUILD=build/asan", "SANITIZE=address,undefined",
                            os.path.relpath(test_smtp.DRIVER, ROOT)], check=True, stdout=sys.stderr, env=clean)
        for url in ("smtp://localhost:%d" % self.postfix.port, "smtps://localhost:%d" % self.postfix.tls_port):
            with self.subTest(url=url):
                seen, before = len(self.postfix.said()), len(self.peer.mails)
                s = test_smtp.Sender(made.folder, url, tls="required", ca=self.postfix.certificate)
                s.mail(1, "anna@buyer.test")
                s.mail(2, GONE)
                s.do("go 5000")
                self.assertEqual([s.results[i]["class"] for i in (1, 2)], [test_smtp.ACCEPTED, test_smtp.REFUSED], s.trouble)
                s.close()
                self.until(lambda: len(self.peer.mails) == before + 1)
                self.until(lambda: "disconnect from" in self.postfix.said()[seen:])
                if url.startswith("smtp:"):
                    self.assertIn("starttls=1", self.postfix.said()[seen:])


if __name__ == "__main__":
    tap.main()
