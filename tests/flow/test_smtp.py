# SPDX-License-Identifier: MIT
# build: asan
"""mail/smtp against a scripted relay: whatever it does, the class of the result is the truth."""
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
sys.path[:0] = [os.path.join(ROOT, "tests", "lib"), HERE]
import tap  # noqa: E402
from smtp_peer import Peer  # noqa: E402

DRIVER = os.environ.get("VOUCH_SMTP_DRIVER") or os.path.join(
    os.environ.get("VOUCH_BUILD", os.path.join(ROOT, "build", "asan")), "unit", "test_smtp")
ACCEPTED, DEFERRED, REFUSED, AMBIGUOUS, DOWN = 1, 2, 3, 4, 5
SHOP = "shop@example.test"
MANY = "9000000"   # octets: more than all buffers on the way take
PATIENT = {"reply": 30000, "data": 30000}   # megabytes through a Python relay that syncs them to disk
MAIL = b"Subject: hello\r\n\r\n.\r\n..\r\n.a\r\nThanks\r\n.\r\n"

# Recipient or sender -> class, reply code, enhanced code, mails the relay kept; table 3.3 first.
TABLE = [
    ("accept", ACCEPTED, 250, "2.0.0", 1),
    ("accept-rst", ACCEPTED, 250, "2.0.0", 1),
    ("accept-hang", ACCEPTED, 250, "2.0.0", 1),
    ("drop-mail", DEFERRED, 0, "", 0),
    ("drop-rcpt", DEFERRED, 0, "", 0),
    ("drop-data", DEFERRED, 0, "", 0),
    ("mail-451", DEFERRED, 451, "4.3.0", 0),
    ("rcpt-450", DEFERRED, 450, "4.2.1", 0),
    ("rcpt-452", DEFERRED, 452, "4.5.3", 0),
    ("rcpt-550", REFUSED, 550, "5.1.1", 0),
    ("rst-body", DEFERRED, 0, "", 0),
    ("drop-dot", AMBIGUOUS, 0, "", 0),
    ("rst-dot", AMBIGUOUS, 0, "", 0),
    ("silent-dot", AMBIGUOUS, 0, "", 0),
    ("dot-421", DEFERRED, 421, "4.3.2", 0),
    ("dot-451", DEFERRED, 451, "4.3.0", 0),
    ("dot-554", REFUSED, 554, "5.7.1", 0),
    ("mail-421", DOWN, 421, "4.3.2", 0),
    ("mail-530", DOWN, 530, "5.7.0", 0),
    ("mail-550", REFUSED, 550, "5.1.1", 0),
    ("mail-552", REFUSED, 552, "5.3.4", 0),
    ("rcpt-421", DEFERRED, 421, "4.3.2", 0),
    ("rcpt-530", DOWN, 530, "5.7.0", 0),
    ("data-421", DEFERRED, 421, "4.3.2", 0),
    ("data-451", DEFERRED, 451, "4.3.0", 0),
    ("data-554", REFUSED, 554, "5.7.1", 0),
    ("data-250", DEFERRED, 250, "", 0),
    ("dot-354", AMBIGUOUS, 354, "", 0),
    ("dot-252", ACCEPTED, 252, "", 0),
    ("early-552", REFUSED, 552, "5.3.4", 0),
    ("early-421", DEFERRED, 421, "", 0),
    ("early-250", AMBIGUOUS, 250, "", 0),
    ("silent-mail", DEFERRED, 0, "", 0),
    ("late-dot-0.5", ACCEPTED, 250, "2.0.0", 1),
    ("accept-421", ACCEPTED, 250, "2.0.0", 1),
]


class Sender:
    """The driver in tests/unit/test_smtp.c."""

    def __init__(self, folder, url, **settings):
        given = dict(connections=1, connect=3000, reply=1000, data=1000, retry=20, name="client.example.test")
        given.update(settings, url=url)
        env = dict(os.environ, ASAN_OPTIONS="detect_leaks=1")
        env.pop("LD_PRELOAD", None)
        self.folder, self.results, self.trouble, self.invalid = folder, {}, None, {}
        self.process = subprocess.Popen(
            [DRIVER, "--drive"] + ["%s=%s" % x for x in given.items()], env=env, text=True, bufsize=1,
            errors="replace", stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.opened = self.process.stdout.readline().strip().split("\t")

    def mail(self, number, to, sender=SHOP, data=MAIL):
        what = data
        if isinstance(data, bytes):
            what = os.path.join(self.folder, "mail-%d" % number)
            with open(what, "wb") as f:
                f.write(data)
        self.process.stdin.write("mail\t%d\t%s\t%s\t%s\n" % (number, sender, to, what))

    def do(self, command):
        """Milliseconds it took, and the lines it said."""
        self.process.stdin.write(command + "\n")
        self.process.stdin.flush()
        lines = []
        while True:
            line = self.process.stdout.readline()
            if not line:
                raise AssertionError("the sender died: %s" % self.process.wait(10))
            words = line.rstrip("\n").split("\t")
            if words[0] == "end":
                return int(words[1]), lines
            lines.append(words)
            if words[0] in ("result", "trouble"):
                found = dict(zip(("class", "code"), map(int, words[2:4])), enhanced=words[4],
                             data=words[5] == "1", reply=words[6])
                if words[0] == "trouble":
                    self.trouble = found
                else:
                    assert int(words[1]) not in self.results, "two results for one mail"
                    self.results[int(words[1])] = found
            elif words[0] == "invalid":
                self.invalid[int(words[1])] = words[2]

    def close(self):
        self.process.stdin.close()
        last = self.process.stdout.read()
        code = self.process.wait(20)
        self.process.stdout.close()
        assert code == 0, (code, last)
        return int(last.split("\t")[-1])


class Case(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.mkdtemp()
        self.ends = []

    def tearDown(self):
        for end in self.ends:
            if isinstance(end, Sender) and end.process.poll() is None:
                end.process.kill()
            if isinstance(end, Peer):
                end.close()
        shutil.rmtree(self.folder)

    def peer(self, **settings):
        peer = Peer(self.folder, **settings)
        self.ends.append(peer)
        return peer

    def sender(self, peer, url="smtp://127.0.0.1:%d", **settings):
        sender = Sender(self.folder, url % peer.port if "%d" in url else url, **settings)
        self.ends.append(sender)
        return sender

    def agrees(self, name, result, kind, code):
        if name == "early-250" and result["class"] == ACCEPTED:   # it came behind the dot after all
            kind = ACCEPTED
        self.assertEqual((result["class"], result["code"]), (kind, code), result)

    def until(self, true):
        end = time.monotonic() + 5
        while not true() and time.monotonic() < end:
            time.sleep(0.01)
        self.assertTrue(true())

    def one(self, peer, name, sender=None, **settings):
        s = sender or self.sender(peer, **settings)
        big = MANY if "body" in name or "early" in name else MAIL
        shop = "%s+shop@example.test" % name if name.startswith("mail-") or name.endswith("-mail") else SHOP
        s.mail(1, "%s@example.test" % name, shop, big)
        took, _ = s.do("go 8000")
        self.assertIn(1, s.results, "no result")
        return s, s.results[1], took


class Classes(Case):
    def table(self, **settings):
        for name, kind, code, enhanced, kept in TABLE:
            with self.subTest(name=name):
                peer = self.peer(**settings)
                s, result, took = self.one(peer, name)
                self.agrees(name, result, kind, code)
                self.assertEqual(result["enhanced"], enhanced)
                self.assertEqual(len(peer.mails), kept)
                self.assertEqual(result["data"], name.split("-")[0] in ("accept", "early", "late") or "-dot" in name
                                 or "dot-" in name or name == "rst-body")
                self.assertLess(took, 4000)
                self.assertLess(s.close(), 1000)
                self.assertEqual(peer.faults, [])
                for mail in peer.mails:
                    self.assertEqual(mail["data"], MAIL)

    def test_every_behaviour_with_pipelining(self):
        self.table()

    def test_every_behaviour_step_by_step(self):
        self.table(pipelining=False)

    def test_every_behaviour_one_byte_a_write(self):
        self.table(slice_writes=1)

    def test_reset_behind_354(self):
        """Surely not sent when the reset was seen before the dot left, perhaps sent otherwise; never accepted."""
        for _ in range(10):
            peer = self.peer()
            s, result, _ = self.one(peer, "rst-data")
            self.assertIn(result["class"], (DEFERRED, AMBIGUOUS))
            self.assertEqual(peer.mails, [])
            s.close()

    def test_connect_failures(self):
        for greeting, code in [("close", 0), ("421", 421), ("554", 554), ("silent", 0), ("drop-ehlo", None)]:
            with self.subTest(greeting=greeting):
                peer = self.peer()
                peer.greet = [greeting] * 50
                s = self.sender(peer, connect=700)
                s.mail(1, "anna@example.test")
                took, _ = s.do("try 5000")
                self.assertEqual(s.results, {})
                self.assertEqual(s.trouble["class"], DOWN)
                self.assertTrue(s.trouble["reply"])
                if code is not None:
                    self.assertEqual(s.trouble["code"], code)
                self.assertLess(took, 2500)
                self.assertLess(s.close(), 1000)

    def test_refused_recipient_but_354(self):
        for answer in ["354", "503", "554"]:
            with self.subTest(answer=answer):
                peer = self.peer(refused_data=answer)
                s = self.sender(peer)
                s.mail(1, "rcpt-550@example.test")
                s.mail(2, "anna@example.test")
                s.do("go 5000")
                self.assertEqual([s.results[i]["class"] for i in (1, 2)], [REFUSED, ACCEPTED])
                self.assertEqual(s.results[1]["code"], 550)
                self.assertEqual(peer.connections, 1)
                self.assertEqual([m["to"] for m in peer.mails], ["anna@example.test"])
                self.assertEqual(peer.faults, [])
                s.close()

    def test_lost_answer_then_the_same_mail_again(self):
        peer = self.peer()
        peer.plan["anna@example.test"] = ["drop-after-dot", "accept"]
        s = self.sender(peer)
        s.mail(1, "anna@example.test")
        s.do("go 3000")
        s.mail(2, "anna@example.test")
        s.do("go 3000")
        self.assertEqual([s.results[i]["class"] for i in (1, 2)], [AMBIGUOUS, ACCEPTED])
        s.close()


class Odd(Case):
    def test_odd_replies(self):
        for how in ["huge-line", "huge-lines", "nul", "endless", "drip"]:
            with self.subTest(how=how):
                peer = self.peer()
                peer.greet = [how]
                s, result, took = self.one(peer, "accept", reply=600)
                self.assertEqual((result["class"], result["data"]), (DEFERRED, False))
                self.assertLess(took, 2000)
                s.close()

    def test_long_but_allowed_replies(self):
        peer = self.peer()
        peer.greet = ["long-line"]
        s, result, _ = self.one(peer, "accept")
        self.assertEqual(result["class"], ACCEPTED)
        s.close()

    def test_a_process_that_slept_hears_the_answer(self):
        """Stopped beyond every deadline while the 250 came: accepted, not ambiguous."""
        peer = self.peer()
        s = self.sender(peer, data=700)
        s.mail(1, "late-dot-0.4@example.test")
        s.process.stdin.write("go 5000\n")
        s.process.stdin.flush()
        while b"\r\n.\r\n" not in peer.sent():
            time.sleep(0.01)
        os.kill(s.process.pid, signal.SIGSTOP)
        time.sleep(1.2)
        os.kill(s.process.pid, signal.SIGCONT)
        s.do("ready")   # its answer comes behind that of "go"
        self.assertEqual(s.results[1]["class"], ACCEPTED)
        self.assertEqual(len(peer.mails), 1)
        s.close()

    def test_421_between_mails(self):
        for how in ["421", "close", "noise"]:
            with self.subTest(how=how):
                peer = self.peer()
                s = self.sender(peer)
                s.mail(1, "anna@example.test")
                s.do("go 3000")
                if how == "close":
                    peer.close_all()
                else:
                    peer.say_to_all(b"421 4.4.2 idle for too long\r\n" if how == "421" else b"hello?\r\n")
                time.sleep(0.1)
                s.mail(2, "berta@example.test")
                s.do("go 3000")
                self.assertEqual([s.results[i]["class"] for i in (1, 2)], [ACCEPTED, ACCEPTED])
                self.assertEqual(peer.connections, 2)
                s.close()

    def test_421_as_the_mail_starts(self):
        """Ready, then the relay says good bye: nothing of the mail was tried, or surely nothing sent."""
        peer = self.peer()
        s = self.sender(peer)
        s.mail(1, "anna@example.test")
        s.do("go 3000")
        s.mail(2, "berta@example.test")
        s.do("ready")
        peer.say_to_all(b"421 4.4.2 closing\r\n")
        time.sleep(0.1)
        s.do("start")
        s.do("run 1000")
        s.do("take")
        self.assertEqual((s.results[2]["class"], s.results[2]["code"]), (DOWN, 421))
        self.assertEqual(len(peer.mails), 1)
        s.close()

    def test_no_extension(self):
        for settings in [dict(extensions=(), pipelining=False), dict(helo_only=True, pipelining=False)]:
            with self.subTest(settings=settings):
                peer = self.peer(**settings)
                s, result, _ = self.one(peer, "accept")
                self.assertEqual(result["class"], ACCEPTED)
                self.assertEqual(peer.mails[0]["arguments"], [])
                self.assertEqual(peer.faults, [])
                s.close()

    def test_ehlo_name_and_arguments(self):
        peer = self.peer()
        s, result, _ = self.one(peer, "accept")
        self.assertEqual(peer.mails[0]["helo"], "client.example.test")
        self.assertEqual(peer.mails[0]["arguments"], ["SIZE=%d" % len(MAIL)])
        s.close()
        s = self.sender(peer, url="smtp://127.0.0.1:%d/path.example.test")
        self.one(peer, "accept", sender=s)
        self.assertEqual(peer.mails[1]["helo"], "path.example.test")
        s.close()

    def test_smtputf8(self):
        peer = self.peer()
        s = self.sender(peer)
        s.mail(1, "jānis@example.test")
        s.mail(2, "anna@ķekava.test")
        s.do("go 3000")
        self.assertEqual([s.results[i]["class"] for i in (1, 2)], [ACCEPTED, ACCEPTED])
        self.assertEqual(peer.mails[0]["to"], "jānis@example.test")
        self.assertEqual(peer.mails[0]["arguments"][1:], ["BODY=8BITMIME", "SMTPUTF8"])
        s.close()
        peer = self.peer(extensions=("8BITMIME",))
        s = self.sender(peer)
        s.mail(1, "jānis@example.test")
        s.mail(2, "anna@example.test")
        s.do("go 3000")
        self.assertEqual((s.results[1]["class"], s.results[1]["enhanced"]), (REFUSED, "5.6.7"))
        self.assertIn("SMTPUTF8", s.results[1]["reply"])
        self.assertEqual(s.results[2]["class"], ACCEPTED)
        self.assertNotIn(b"j\xc4\x81nis", peer.sent())
        s.close()

    def test_size_and_eight_bit(self):
        peer = self.peer(extensions=("SIZE 1000",))
        s = self.sender(peer)
        s.mail(1, "anna@example.test", data="2000")
        s.mail(2, "anna@example.test", data=b"\xc4\x81\r\n")
        s.do("go 3000")
        self.assertEqual((s.results[1]["class"], s.results[1]["enhanced"]), (REFUSED, "5.3.4"))
        self.assertEqual((s.results[2]["class"], s.results[2]["enhanced"]), (REFUSED, "5.6.3"))
        self.assertEqual(peer.mails, [])
        s.close()

    def test_invalid_never_on_the_wire(self):
        peer = self.peer()
        s = self.sender(peer)
        s.mail(1, "a@b.test>")
        s.mail(2, "anna@example.test", sender="a b@c.test")
        s.mail(3, "anna@example.test", data=b"a\n.\nb\r\n")
        s.mail(4, "anna@example.test")
        s.do("go 3000")
        self.assertEqual(s.invalid, {1: "/to", 2: "/from", 3: "/message"})
        self.assertEqual(list(s.results), [4])
        self.assertEqual(peer.sent().count(b"MAIL FROM"), 1)
        s.close()

    def test_dots_received_as_sent(self):
        peer = self.peer()
        s = self.sender(peer)
        bodies = [b".\r\n", b"..\r\n", b"\r\n", b"\r\n.\r\n", b".\r\n.\r\n.\r\n", b"a\r\n.b\r\n..\r\n\r\n.\r\n",
                  b"." * 900 + b"\r\n", (b"." * 70 + b"\r\n") * 3000, (b"\r\n." * 30000) + b"\r\n"]
        for i, body in enumerate(bodies):
            s.mail(i, "anna@example.test", data=body)
            s.do("go 5000")
        self.assertEqual([m["data"] for m in peer.mails], bodies)
        s.close()

    def test_size_lines_and_large_mail(self):
        peer = self.peer()
        s = self.sender(peer, **PATIENT)
        s.mail(1, "anna@example.test", data="5000000")
        s.do("go 60000")
        self.assertEqual(s.results[1]["class"], ACCEPTED)
        self.assertGreaterEqual(len(peer.mails[0]["data"]), 5000000)
        s.close()


class Connections(Case):
    def test_one_connection_for_many(self):
        peer = self.peer()
        s = self.sender(peer, mails=1000)
        for i in range(300):
            s.mail(i, "%s.%d@example.test" % ("rcpt-550" if i % 10 == 3 else "accept", i))
        s.do("go 20000")
        self.assertEqual(len(s.results), 300)
        self.assertEqual(sum(r["class"] == ACCEPTED for r in s.results.values()), 270)
        self.assertEqual(sum(r["class"] == REFUSED for r in s.results.values()), 30)
        self.assertEqual(peer.connections, 1)
        self.assertEqual(sorted(m["to"] for m in peer.mails),
                         sorted("accept.%d@example.test" % i for i in range(300) if i % 10 != 3))
        s.close()

    def test_several_connections(self):
        peer = self.peer()
        s = self.sender(peer, connections=8)
        for i in range(40):
            s.mail(i, "late-dot-0.2.%d@example.test" % i)
        took, _ = s.do("go 20000")
        self.assertEqual({r["class"] for r in s.results.values()}, {ACCEPTED})
        self.assertEqual(len(peer.mails), 40)
        self.assertEqual(peer.connections, 8)
        self.assertLess(took, 4000)
        s.close()

    def test_relay_closes_after_three(self):
        peer = self.peer(mails_a_connection=3)
        s = self.sender(peer)
        for i in range(30):
            s.mail(i, "anna@example.test")
        s.do("go 20000")
        # A hang-up may be seen only with the next mail: then that one was surely not sent.
        kinds = [s.results[i]["class"] for i in range(30)]
        self.assertTrue(set(kinds) <= {ACCEPTED, DEFERRED}, kinds)
        self.assertEqual(len(peer.mails), kinds.count(ACCEPTED))
        self.assertGreaterEqual(kinds.count(ACCEPTED), 21)
        self.assertGreaterEqual(peer.connections, 8)
        s.close()

    def test_own_limit_of_mails(self):
        peer = self.peer()
        s = self.sender(peer, mails=5)
        for i in range(20):
            s.mail(i, "anna@example.test")
        s.do("go 20000")
        self.assertEqual({r["class"] for r in s.results.values()}, {ACCEPTED})
        self.assertEqual(peer.connections, 4)
        self.until(lambda: peer.sent().count(b"QUIT\r\n") == 4)
        s.close()

    def test_idle_connection_is_left(self):
        peer = self.peer()
        s = self.sender(peer, idle=100)
        s.mail(1, "anna@example.test")
        s.do("go 3000")
        time.sleep(0.2)
        s.mail(2, "anna@example.test")
        s.do("go 3000")
        self.assertEqual(peer.connections, 2)
        self.assertEqual(s.results[2]["class"], ACCEPTED)
        s.close()

    def test_back_off_when_down(self):
        peer = self.peer()
        peer.greet = ["421"] * 100
        s = self.sender(peer, retry=200, connections=4)
        s.mail(1, "anna@example.test")
        s.do("go 1500")
        self.assertEqual(s.results, {})
        self.assertLessEqual(peer.connections, 4 + 4)
        peer.greet = []
        s.do("go 5000")
        self.assertEqual(s.results[1]["class"], ACCEPTED)
        s.close()

    def test_idle_costs_nothing(self):
        """A pending line on an idle connection does not make waiting spin."""
        peer = self.peer()
        s = self.sender(peer, connections=2)
        s.mail(1, "anna@example.test")
        s.do("go 3000")
        peer.say_to_all(b"421 bye\r\n")
        time.sleep(0.1)
        before = os.times()
        used = cpu(s.process.pid)
        s.do("wait 10")
        s.do("wait 10")
        took, _ = s.do("wait 400")
        self.assertGreaterEqual(took, 390)
        self.assertLess(cpu(s.process.pid) - used, 0.2)
        self.assertTrue(before)
        s.close()

    def test_abort(self):
        peer = self.peer()
        s = self.sender(peer, connections=3, data=60000, reply=60000)
        for i, name in enumerate(["silent-dot", "silent-mail", "accept"]):
            s.mail(i, "%s@example.test" % name, "%s@example.test" % name if "mail" in name else SHOP)
        s.do("go 700")
        took, _ = s.do("abort")
        s.do("take")
        self.assertLess(took, 500)
        self.assertEqual([s.results[i]["class"] for i in range(3)], [AMBIGUOUS, DEFERRED, ACCEPTED])
        self.assertLess(s.close(), 500)

    def test_close_never_waits(self):
        peer = self.peer()
        s = self.sender(peer, connections=4, data=60000, reply=60000)
        s.mail(0, "accept-hang@example.test")
        s.mail(1, "silent-dot@example.test")
        s.do("go 700")
        self.assertLess(s.close(), 500)

    def test_silence_is_waited_for(self):
        """The wait for the dot's reply is its own, longer than any other."""
        peer = self.peer()
        s, result, took = self.one(peer, "late-dot-1.5", reply=400, data=4000)
        self.assertEqual(result["class"], ACCEPTED)
        self.assertEqual(len(peer.mails), 1)
        s.close()

    def test_connection_outlives_the_connect_timeout(self):
        peer = self.peer()
        s = self.sender(peer, connect=300, data=4000)
        s.mail(1, "late-dot-0.6@example.test")
        s.do("go 3000")
        time.sleep(0.4)
        s.mail(2, "anna@example.test")
        s.do("go 3000")
        self.assertEqual([s.results[i]["class"] for i in (1, 2)], [ACCEPTED, ACCEPTED])
        self.assertEqual(peer.connections, 1)
        s.close()

    def test_files_run_out(self):
        peer = self.peer()
        s = self.sender(peer, connections=4)
        import resource
        resource.prlimit(s.process.pid, resource.RLIMIT_NOFILE, (5, 64))
        s.mail(1, "anna@example.test", data="1000")
        used = cpu(s.process.pid)
        s.do("go 500")
        self.assertEqual(s.results, {})
        self.assertLess(cpu(s.process.pid) - used, 0.4)
        resource.prlimit(s.process.pid, resource.RLIMIT_NOFILE, (64, 64))
        s.do("go 5000")
        self.assertEqual(s.results[1]["class"], ACCEPTED)
        s.close()

    def test_stopped_relay(self):
        """Connects are answered by the kernel alone: the deadline ends the wait."""
        import socket
        quiet = socket.socket()
        quiet.bind(("127.0.0.1", 0))
        quiet.listen(8)
        s = self.sender(None, url="smtp://127.0.0.1:%s" % quiet.getsockname()[1], connect=400)
        s.mail(1, "anna@example.test")
        took, _ = s.do("try 5000")
        self.assertEqual(s.trouble["class"], DOWN)
        self.assertLess(took, 1500)
        s.close()
        quiet.close()

    def test_sigpipe_is_not_delivered(self):
        for tls in (False, True):
            peer = self.peer(**(dict(certificate=TLS.good[0], key=TLS.good[1]) if tls else {}))
            s = self.sender(peer, url="smtp://localhost:%d", **({"tls": "required", "ca": TLS.ca} if tls else {}))
            with open("/proc/%d/status" % s.process.pid) as f:
                ignored = [x for x in f if x.startswith("SigIgn")][0].split()[1]
            self.assertEqual(int(ignored, 16) >> (signal.SIGPIPE - 1) & 1, 0)
            for i in range(10):
                s.mail(i, "rst-body@example.test", data=MANY)
            s.do("go 8000")
            self.assertEqual({r["class"] for r in s.results.values()}, {DEFERRED})
            s.close()


def cpu(pid):
    with open("/proc/%d/stat" % pid) as f:
        words = f.read().rsplit(")", 1)[1].split()
    return (int(words[11]) + int(words[12])) / os.sysconf("SC_CLK_TCK")


class Certificates:
    """An authority of our own and what it signed."""

    def make(self):
        self.folder = tempfile.mkdtemp()
        self.ca = os.path.join(self.folder, "ca.pem")
        key = os.path.join(self.folder, "ca.key")
        self.run("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "30", "-subj", "/CN=Test authority",
                 "-keyout", key, "-out", self.ca)
        self.good = self.sign("good", "localhost", key)
        self.wrong = self.sign("wrong", "relay.example.test", key)
        self.expired = self.sign("expired", "localhost", key, days="-1")
        self.own = (os.path.join(self.folder, "own.pem"), os.path.join(self.folder, "own.key"))
        self.run("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "30", "-subj", "/CN=localhost",
                 "-addext", "subjectAltName=DNS:localhost", "-keyout", self.own[1], "-out", self.own[0])

    def run(self, *words):
        subprocess.run(("openssl",) + words, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def sign(self, name, host, ca_key, days="30"):
        path = os.path.join(self.folder, name)
        with open(path + ".ext", "w") as f:
            f.write("subjectAltName=DNS:%s\n" % host)
        self.run("req", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=" + host, "-keyout", path + ".key",
                 "-out", path + ".csr")
        self.run("x509", "-req", "-in", path + ".csr", "-CA", self.ca, "-CAkey", ca_key, "-CAcreateserial",
                 "-days", days, "-extfile", path + ".ext", "-out", path + ".pem")
        return path + ".pem", path + ".key"


TLS = Certificates()


def setUpModule():
    if not os.path.exists(DRIVER):
        subprocess.run(["make", "-s", "-C", ROOT, "BUILD=build/asan", "SANITIZE=address,undefined",
                        os.path.relpath(DRIVER, ROOT)], check=True, stdout=sys.stderr)
    TLS.make()


def tearDownModule():
    shutil.rmtree(TLS.folder)


class Tls(Case):
    def refused(self, peer, url="smtp://localhost:%d", **settings):
        given = dict(tls="required", ca=TLS.ca, user="shop", password="geheim")
        given.update(settings)
        s = self.sender(peer, url=url, **given)
        s.mail(1, "anna@example.test")
        took, _ = s.do("try 5000")
        self.assertEqual(s.results, {})
        self.assertEqual(s.trouble["class"], DOWN)
        self.assertLess(took, 3000)
        self.assertEqual(peer.mails, [])
        self.assertNotIn(b"MAIL FROM", peer.sent())
        self.assertNotIn(b"AUTH", peer.sent())
        s.close()

    def test_starttls_and_login(self):
        for implicit in (False, True):
            for sliced in (0, 1):
                with self.subTest(implicit=implicit, sliced=sliced):
                    peer = self.peer(certificate=TLS.good[0], key=TLS.good[1], implicit_tls=implicit,
                                     users={"shop": "geheim"}, slice_writes=sliced)
                    s = self.sender(peer, url="smtp%s://localhost:%%d" % ("s" if implicit else ""),
                                    tls="required", ca=TLS.ca, user="shop", password="geheim")
                    for i in range(20):
                        s.mail(i, "%s@example.test" % ("rcpt-550" if i == 7 else "anna"))
                    s.do("go 8000")
                    self.assertEqual([s.results[i]["class"] for i in range(20)],
                                     [REFUSED if i == 7 else ACCEPTED for i in range(20)])
                    self.assertEqual({(m["tls"], m["user"]) for m in peer.mails}, {(True, "shop")})
                    self.assertEqual(peer.connections, 1)
                    s.close()

    def test_large_mail_over_tls(self):
        peer = self.peer(certificate=TLS.good[0], key=TLS.good[1])
        s = self.sender(peer, url="smtp://localhost:%d", tls="required", ca=TLS.ca, **PATIENT)
        s.mail(1, "anna@example.test", data="5000000")
        s.do("go 60000")
        self.assertEqual(s.results[1]["class"], ACCEPTED)
        self.assertGreaterEqual(len(peer.mails[0]["data"]), 5000000)
        s.close()

    def test_every_behaviour_over_tls(self):
        for name, kind, code, enhanced, kept in TABLE:
            with self.subTest(name=name):
                peer = self.peer(certificate=TLS.good[0], key=TLS.good[1])
                s, result, _ = self.one(peer, name, url="smtp://localhost:%d", tls="required", ca=TLS.ca)
                self.agrees(name, result, kind, code)
                self.assertEqual(len(peer.mails), kept)
                s.close()

    def test_stripped(self):
        self.refused(self.peer(users={"shop": "geheim"}))

    def test_self_signed(self):
        self.refused(self.peer(certificate=TLS.own[0], key=TLS.own[1], users={"shop": "geheim"}))

    def test_wrong_host(self):
        self.refused(self.peer(certificate=TLS.wrong[0], key=TLS.wrong[1], users={"shop": "geheim"}))

    def test_expired(self):
        self.refused(self.peer(certificate=TLS.expired[0], key=TLS.expired[1], users={"shop": "geheim"}))

    def test_unknown_authority(self):
        self.refused(self.peer(certificate=TLS.good[0], key=TLS.good[1], users={"shop": "geheim"}),
                     ca="/etc/ssl/certs/ca-certificates.crt")

    def test_implicit_tls_is_checked_on_the_loopback_too(self):
        self.refused(self.peer(certificate=TLS.own[0], key=TLS.own[1], implicit_tls=True,
                               users={"shop": "geheim"}), url="smtps://localhost:%d", tls="auto")

    def test_old_tls(self):
        import ssl
        peer = self.peer(certificate=TLS.good[0], key=TLS.good[1], users={"shop": "geheim"})
        peer.context.minimum_version = ssl.TLSVersion.TLSv1
        peer.context.maximum_version = ssl.TLSVersion.TLSv1_1
        peer.context.set_ciphers("ALL:@SECLEVEL=0")
        self.refused(peer)

    def test_wrong_password(self):
        peer = self.peer(certificate=TLS.good[0], key=TLS.good[1], users={"shop": "geheim"})
        s = self.sender(peer, url="smtp://localhost:%d", tls="required", ca=TLS.ca, user="shop", password="falsch")
        s.mail(1, "anna@example.test")
        s.do("try 5000")
        self.assertEqual((s.trouble["class"], s.trouble["code"], s.results), (DOWN, 535, {}))
        self.assertNotIn("falsch", s.trouble["reply"])
        s.close()

    def test_login_needed_and_none_given(self):
        peer = self.peer(users={"shop": "geheim"})
        s = self.sender(peer)
        s.mail(1, "anna@example.test")
        s.do("go 3000")
        self.assertEqual((s.results[1]["class"], s.results[1]["code"]), (DOWN, 530))
        s.close()

    def test_login_without_tls_on_the_loopback(self):
        peer = self.peer(users={"shop": "geheim"})
        s = self.sender(peer, user="shop", password="geheim")
        s.mail(1, "anna@example.test")
        s.do("go 3000")
        self.assertEqual(s.results[1]["class"], ACCEPTED)
        self.assertEqual(peer.mails[0]["user"], "shop")
        s.close()

    def test_proxy_and_netrc_are_ignored(self):
        peer = self.peer()
        with open(os.path.join(self.folder, ".netrc"), "w") as f:
            f.write("default login evil password evil\n")
        os.environ.update(HOME=self.folder, all_proxy="http://127.0.0.1:1", ALL_PROXY="http://127.0.0.1:1")
        try:
            s, result, _ = self.one(peer, "accept")
        finally:
            del os.environ["all_proxy"], os.environ["ALL_PROXY"]
        self.assertEqual(result["class"], ACCEPTED)
        self.assertIsNone(peer.mails[0]["user"])
        s.close()


if __name__ == "__main__":
    tap.main()
