#!/usr/bin/python3
# SPDX-License-Identifier: MIT
# timeout: 600
"""PostgreSQL stopped, frozen, cut off or out of reach: every call answers in time, and every accepted event is in the
tables once. The long outage takes 15 seconds, a minute with VOUCH_LONG=1."""
import contextlib
import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import cluster
import proxy
import tap
import vouch

LONG = bool(os.environ.get("VOUCH_LONG"))
SANITIZED = "san" in os.environ.get("LD_PRELOAD", "")
EVENTS, CALLERS, OUTAGE = 1000, 16, 60 if LONG else 15
DEADLINE_MS = 1500 if SANITIZED else 500  # with the fsync of the spool, on a disk that others use
SLACK = 1.5 if SANITIZED else 0.35  # a busy machine, and Python's own threads
CALL = 5 + SLACK
OPEN = ("SELECT count(*), count(DISTINCT id) FROM vouch.event WHERE source = '/%s' AND state = 'applied'")


def order(source, number):
    return {"specversion": "1.0", "id": "placed:%s" % number, "source": "/" + source, "type": "order.placed",
            "data": {"order": {"id": "%s-%s" % (source, number), "placed_at": "2026-11-01T10:00:00Z",
                               "customer": {"email": "%s@example.test" % number}, "items": [{"id": "1", "product_id": "kettle"}]}}}


class Watch:
    """Calls, how long they took, and what they answered."""

    def __init__(self, module):
        self.module, self.codes, self.slowest, self.lock = module, {}, 0.0, threading.Lock()

    def call(self, name, *arguments):
        begun = time.monotonic()
        code, reply = self.module.call(name, *arguments)
        took = time.monotonic() - begun
        with self.lock:
            self.codes[code] = self.codes.get(code, 0) + 1
            self.slowest = max(self.slowest, took)
        return code, reply, took


def crowd(count, work):
    threads = [threading.Thread(target=work, args=(n,)) for n in range(count)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()


class Outage(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.cluster = cluster.Cluster(durable=True).make()
        cls.addClassCleanup(cls.cluster.close)

    def setUp(self):
        self.database = self.cluster.database()
        self.folder = tempfile.mkdtemp()
        self.spool = os.path.join(self.folder, "spool")

    def open(self, url=None, **more):
        module = vouch.Module(dict({"database": url or self.database.url, "spool": self.spool,
                                    "emit_deadline_ms": DEADLINE_MS}, **more))
        self.addCleanup(lambda: (module.stop(20000), module.close()))
        return module

    def drained(self, module, seconds=60):
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            module.call("step", 500)
            spool = module.describe()["spool"]
            if spool.get("waiting") == 0:
                self.assertEqual(spool["set_aside"], 0)
                return
        self.fail("not drained: %s" % module.describe()["spool"])

    def once(self, source, count):
        self.assertEqual(self.database.sql(OPEN % source), [[str(count)] * 2])
        self.assertEqual(self.database.value("SELECT count(*) FROM vouch.sales_order WHERE order_id LIKE '%s-%%'" % source),
                         str(count))

    def test_1_stopped(self):
        """1,000 events while PostgreSQL is stopped: each answered in time, all in the tables once"""
        module = self.open()
        module.start(2)
        watch = Watch(module)
        watch.call("emit", order("stopped", "before"))
        self.cluster.crash()
        begun, pause = time.monotonic(), OUTAGE * CALLERS / EVENTS

        def emit(caller):
            for n in range(caller, EVENTS, CALLERS):
                watch.call("emit", order("stopped", n))
                time.sleep(pause * random.random() * 1.5)
        starter = threading.Timer(OUTAGE, self.cluster.start)
        starter.start()
        crowd(CALLERS, emit)
        starter.join()
        print("%d events in %.0f s, codes %s, slowest %.0f ms" % (
            EVENTS, time.monotonic() - begun, watch.codes, watch.slowest * 1000))
        self.assertLessEqual(set(watch.codes), {vouch.OK, vouch.SPOOLED})
        self.assertGreater(watch.codes[vouch.SPOOLED], EVENTS // 3)
        self.assertLess(watch.slowest, DEADLINE_MS / 1000 + SLACK)
        self.drained(module)
        self.once("stopped", EVENTS + 1)

    def test_2_frozen(self):
        """a frozen server: the first emit waits for its deadline, the next go to the spool at once, and no call hangs"""
        module = self.open()
        watch = Watch(module)
        self.assertEqual(watch.call("emit", order("frozen", "before"))[0], vouch.OK)
        self.cluster.freeze()
        try:
            code, _, took = watch.call("emit", order("frozen", "first"))
            self.assertEqual(code, vouch.SPOOLED)
            self.assertLess(took, DEADLINE_MS / 1000 + SLACK)
            times = []
            for n in range(40):
                code, _, took = watch.call("emit", order("frozen", n))
                self.assertEqual(code, vouch.SPOOLED)
                times.append(took)
            self.assertLess(sorted(times)[len(times) * 3 // 4], 0.1 + SLACK / 3, times)
            self.assertLess(watch.slowest, DEADLINE_MS / 1000 + SLACK)
            for name, argument, most in [("take", 0, CALL), ("ack", "main:1", CALL), ("step", 200, CALL), ("describe", None, CALL),
                                         ("serve", {"method": "GET", "target": "/products/kettle/reviews"}, CALL)]:
                time.sleep(1.6)
                code, _, took = watch.call(name, *([] if argument is None else [argument]))
                self.assertLess(took, most, name)
                self.assertIn(code, (vouch.OK,) if name in ("describe", "serve") else (vouch.UNAVAILABLE,), name)
            begun = time.monotonic()
            other = self.open(emit_deadline_ms=DEADLINE_MS + 1)
            self.assertLess(time.monotonic() - begun, CALL)
            code, _, took = Watch(other).call("emit", order("frozen", "other"))
            self.assertEqual(code, vouch.SPOOLED)
            self.assertLess(took, DEADLINE_MS / 1000 + SLACK)
            module.start(2)
            time.sleep(0.5)
            begun = time.monotonic()
            module.call("stop", 20000)
            self.assertLess(time.monotonic() - begun, 2 * CALL)
        finally:
            self.cluster.thaw()
        self.drained(module)
        self.once("frozen", 43)

    def test_3_frozen_backend(self):
        """one backend frozen by SIGSTOP: its caller is answered in time, and others go on after a probe"""
        module = self.open()
        watch = Watch(module)
        watch.call("emit", order("backend", "before"))
        pids = [int(r[0]) for r in self.database.sql("SELECT pid FROM pg_stat_activity WHERE datname = '%s' AND usename = 'shop'"
                                                     % self.database.name)]
        self.assertTrue(pids)
        for pid in pids:
            os.kill(pid, signal.SIGSTOP)
        try:
            until, n = time.monotonic() + 20, 0
            while watch.call("emit", order("backend", n))[0] != vouch.OK:
                n += 1
                self.assertLess(time.monotonic(), until)
                time.sleep(0.1)
        finally:
            for pid in pids:
                os.kill(pid, signal.SIGCONT)
        self.assertLess(watch.slowest, DEADLINE_MS / 1000 + SLACK)
        self.drained(module)
        self.once("backend", n + 2)

    def test_4_terminated(self):
        """backends terminated at random: nothing but OK and SPOOLED, everything there once"""
        module = self.open()
        module.start(2)
        watch, ended = Watch(module), threading.Event()
        kill = ("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '%s' AND usename = 'shop'"
                " ORDER BY random() LIMIT 2" % self.database.name)

        def storm():
            while not ended.wait(0.04):
                self.database.sql(kill)

        def emit(caller):
            for n in range(40):
                watch.call("emit", order("storm", "%d-%d" % (caller, n)))
                time.sleep(0.05)
        stormer = threading.Thread(target=storm)
        stormer.start()
        crowd(8, emit)
        ended.set()
        stormer.join()
        print("storm: %s, slowest %.0f ms" % (watch.codes, watch.slowest * 1000))
        self.assertLessEqual(set(watch.codes), {vouch.OK, vouch.SPOOLED})
        self.assertLess(watch.slowest, DEADLINE_MS / 1000 + SLACK)
        self.drained(module)
        self.once("storm", 320)

    def test_5_answer_lost(self):
        """committed, and the answer lost: spooled, applied once, and a repetition gets the first reply"""
        with proxy.Proxy("127.0.0.1", self.cluster.port) as between:
            module = self.open(between.url(self.database.url))
            for n in range(10):
                between.lose(b"vouch.ingest")
                code, reply = module.call("emit", order("lost", n))
                self.assertEqual(code, vouch.SPOOLED, reply)
                self.drained(module)
            self.assertEqual(between.lost, 10)
            self.once("lost", 10)
            module.emit(order("lost", "again"))
            review = {"specversion": "1.0", "id": "r", "source": "/lost", "type": "review.submitted", "data": {"review": {
                "id": "lost", "product_id": "kettle", "rating": 4, "body": "Boils.", "author": {"name": "Eve"}}}}
            between.lose(b"vouch.ingest")
            self.assertEqual(module.call("emit", review)[0], vouch.SPOOLED)
            self.drained(module)
            first = module.emit(review)
            self.assertEqual(first["review"]["state"], "held")
            self.assertEqual(module.emit(review), first)
            self.assertEqual(self.database.value("SELECT count(*) FROM vouch.review"), "1")

    def test_6_redeemed_answer_lost(self):
        """a redemption whose answer is lost is UNAVAILABLE; asked again, it is accepted once"""
        with proxy.Proxy("127.0.0.1", self.cluster.port) as between:
            module = self.open(between.url(self.database.url))
            asked = {"specversion": "1.0", "id": "d", "source": "/lost", "type": "discount.redeemed",
                     "data": {"discount": {"code": "THANKS0000000000000", "order_id": "1"}}}
            between.lose(b"vouch.ingest")
            self.assertEqual(module.call("emit", asked)[0], vouch.UNAVAILABLE)
            self.assertEqual(module.describe()["spool"]["waiting"], 0)
            until, code = time.monotonic() + 10, vouch.UNAVAILABLE
            while code == vouch.UNAVAILABLE and time.monotonic() < until:
                time.sleep(0.2)
                code, reply = module.call("emit", asked)
            self.assertEqual((code, reply["discount"]["reason"]), (vouch.OK, "unknown"))
            self.assertEqual(self.database.value("SELECT count(*) FROM vouch.event WHERE source = '/lost'"), "1")

    def away(self, url, name):
        """what a database that cannot be reached may cost"""
        begun = time.monotonic()
        module = self.open(url)
        self.assertLess(time.monotonic() - begun, CALL, name)
        watch = Watch(module)
        for n in range(5):
            code, _, took = watch.call("emit", order(name, n))
            self.assertEqual(code, vouch.SPOOLED)
            self.assertLess(took, DEADLINE_MS / 1000 + SLACK)
        for call, argument in [("take", 0), ("ack", "main:1"), ("step", 300)]:
            code, _, took = watch.call(call, argument)
            self.assertEqual(code, vouch.UNAVAILABLE, (name, call))
            self.assertLess(took, CALL, (name, call))

    def test_7_unreachable(self):
        """a black hole, a deaf server, a name that is none, a closed port: open and every call in time"""
        with socket.socket() as full, contextlib.ExitStack() as held:
            full.bind(("127.0.0.1", 0))
            full.listen(0)
            for _ in range(4):
                s = held.enter_context(socket.socket())
                s.setblocking(False)
                s.connect_ex(full.getsockname())
            self.away("postgresql://shop@127.0.0.1:%d/x" % full.getsockname()[1], "hole")
        with proxy.Proxy("127.0.0.1", self.cluster.port) as between:
            between.swallow(True)
            self.away(between.url(self.database.url), "deaf")
        self.away("postgresql://shop@nowhere.invalid/x", "name")
        self.away("postgresql://shop@127.0.0.1:1/x", "closed")

    def bad_spool(self, spool):
        closed = "postgresql://shop@127.0.0.1:1/x"
        with vouch.Module({"database": closed, "spool": spool}) as module:
            for n in range(3):
                self.assertEqual(module.call("emit", order("spool", n))[0], vouch.UNAVAILABLE)
        with vouch.Module({"database": self.database.url, "spool": spool, "emit_deadline_ms": 5000}) as module:
            self.assertEqual(module.call("emit", order("spool", os.path.basename(os.path.dirname(spool))))[0], vouch.OK)
            module.call("step", 300)
            shown = module.describe()
            self.assertTrue("trouble" in shown["spool"] or "spool" in str(shown["log"]), shown["spool"])

    def test_8_spool(self):
        """a spool that cannot be written: UNAVAILABLE with PostgreSQL away, never OK or SPOOLED; with it, OK and a word"""
        self.bad_spool(os.path.join(self.folder, "nowhere", "spool"))
        where = os.path.join(self.folder, "small")
        os.mkdir(where)
        if os.getuid() or subprocess.call(["mount", "-t", "tmpfs", "-o", "size=64k", "none", where], stderr=subprocess.DEVNULL):
            os.chmod(where, 0o500)
            if os.getuid():
                self.bad_spool(os.path.join(where, "spool"))
            return
        try:
            with open(os.path.join(where, "fill"), "wb") as f, contextlib.suppress(OSError):
                f.write(b"x" * 65536)
            with vouch.Module({"database": "postgresql://shop@127.0.0.1:1/x", "spool": os.path.join(where, "spool")}) as module:
                self.assertEqual(module.call("emit", order("full", 1))[0], vouch.UNAVAILABLE)
            os.unlink(os.path.join(where, "fill"))
            subprocess.check_call(["mount", "-o", "remount,ro", where])
            self.bad_spool(os.path.join(where, "spool"))
        finally:
            subprocess.call(["umount", where])

    def test_9_two_spoolers(self):
        """two processes' modules with different stores share a spool: each drains its own"""
        self.database.sql("INSERT INTO vouch.store (store_id) VALUES ('second')")
        closed = "postgresql://shop@127.0.0.1:1/x"
        for store in ("main", "second"):
            with vouch.Module({"database": closed, "spool": self.spool, "store": store}) as module:
                for n in range(20):
                    self.assertEqual(module.call("emit", order("share-" + store, n))[0], vouch.SPOOLED)
        first, second = self.open(), self.open(store="second")
        for _ in range(5):
            first.call("step", 300)
        self.assertEqual(first.describe()["spool"], {"waiting": 20, "set_aside": 0})
        self.drained(second)
        self.once("share-main", 20)
        self.once("share-second", 20)


if __name__ == "__main__":
    tap.main()
