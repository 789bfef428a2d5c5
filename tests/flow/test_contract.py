#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""hooks/vouch.h, held to its word: every function, every code, every limit, and what the process may notice."""
import ctypes
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
import unittest
from ctypes import byref, c_void_p

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import cluster
import events
import tap
import vouch

CLOSED = "postgresql://nobody@127.0.0.1:1/none"
TYPES = {vouch.INVALID: "invalid", vouch.UNAVAILABLE: "unavailable", vouch.MISUSE: "misuse",
         vouch.FORKED: "forked", vouch.FAILED: "failed"}
OPTIONS = [  # what is wrong, and where the problem points
    ("{", ""), ("", ""), ("[]", ""), ("7", ""), ('{"store":"a","store":"b"}', "/store"), ('{} x', ""),
    ({"databse": "x"}, "/databse"), ({"database": 7}, "/database"), ({"database": "mysql://x"}, "/database"),
    ({"database": "postgresql://h:99999999/x"}, "/database"), ({"database": "postgresql://h/x?nonsense=1"}, "/database"),
    ({"database": "postgresql://h/x\r\nHost: y"}, "/database"),
    ({"store": ""}, "/store"), ({"store": []}, "/store"), ({"store": ["main", "main"]}, "/store"),
    ({"store": ["main", "*"]}, "/store"), ({"store": "Main"}, "/store"), ({"store": "a" * 64}, "/store"),
    ({"store": {"a": 1}}, "/store"), ({"store": [1]}, "/store"), ({"store": "a/b"}, "/store"),
    ({"spool": ""}, "/spool"), ({"spool": 1}, "/spool"), ({"spool": "/" + "x" * 500}, "/spool"), ({"spool": "/a\nb"}, "/spool"),
    ({"emit_deadline_ms": 0}, "/emit_deadline_ms"), ({"emit_deadline_ms": -1}, "/emit_deadline_ms"),
    ({"emit_deadline_ms": 60001}, "/emit_deadline_ms"), ({"emit_deadline_ms": 1.5}, "/emit_deadline_ms"),
    ({"emit_deadline_ms": "500"}, "/emit_deadline_ms"), ({"emit_deadline_ms": True}, "/emit_deadline_ms"),
    ({"secrets": "x"}, "/secrets"), ({"secrets": {"kee": "x"}}, "/secrets/kee"), ({"secrets": {"key": "short"}}, "/secrets/key"),
    ({"secrets": {"key": "k" * 40 + "\r\n"}}, "/secrets/key"), ({"secrets": {"key": 7}}, "/secrets/key"),
    ({"secrets": {"smtp_password": "a\nb"}}, "/secrets/smtp_password"), ({"secrets": {"tokens": {"a": 7}}}, "/secrets/tokens"),
    ({"secrets": {"tokens": {"a": "b\r\nc: d"}}}, "/secrets/tokens"), ({"https": {"allow": ["localhost:1"]}}, "/https/allow"),
    ({"https": {"alow": []}}, "/https/alow"), ({"https": {"allow": "10.0.0.7:1"}}, "/https/allow"),
    ({"log": "-"}, "/log"), ({"log": {"level": "loud"}}, "/log/level"), ({"log": {"levle": "debug"}}, "/log/levle"),
    ({"log": {"file": "/nowhere/at/all"}}, "/log/file"), ({"log": {"file": 1}}, "/log/file"),
]


def order(number, **more):
    return {"specversion": "1.0", "id": "placed:%s" % number, "source": "/shop", "type": "order.placed", **more,
            "data": {"order": {"id": str(number), "placed_at": "2026-11-01T10:00:00Z", "customer": {"email": "a@example.test"},
                               "items": [{"id": "1", "product_id": "kettle"}]}}}


def threads():
    return {int(t) for t in os.listdir("/proc/self/task")}


def threads_back_to(before, within=5):
    """The threads now; a joined one may stay in /proc for a moment: the kernel wakes the joiner before it takes the task out."""
    until = time.monotonic() + within
    while threads() != before and time.monotonic() < until:
        time.sleep(0.01)
    return threads()


def descriptors():
    return set(os.listdir("/proc/self/fd"))


class Contract(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.database = cluster.Cluster.shared().database()
        cls.lib = vouch.library()
        cls.folder = tempfile.mkdtemp()

    def options(self, **more):
        return dict({"database": self.database.url, "emit_deadline_ms": 10000}, **more)

    def spool(self):
        return os.path.join(tempfile.mkdtemp(dir=self.folder), "spool")

    def problem(self, reply, code, pointer=None):
        self.assertEqual(set(reply), {"type", "title", "detail", "pointer"})
        self.assertEqual(reply["type"], "urn:vouch:problem:" + TYPES[code])
        self.assertTrue(reply["detail"])
        if pointer is not None:
            self.assertEqual(reply["pointer"], pointer, reply["detail"])

    def refused(self, options, code=vouch.INVALID, pointer=None):
        with self.assertRaises(vouch.Problem) as caught:
            vouch.Module(options)
        self.assertEqual(caught.exception.code, code, caught.exception)
        self.problem(caught.exception.reply, code, pointer)

    def test_01_null(self):
        """a NULL handle is MISUSE everywhere, NULL arguments are INVALID, NULL replies are fine"""
        v, none, reply = self.lib, c_void_p(), c_void_p()
        calls = [("start", 1), ("step", 10), ("stop", 0), ("emit", b"{}", 2), ("take", 0), ("ack", b"main:1"),
                 ("serve", b"{}", 2), ("describe",)]
        for name, *arguments in calls:
            code = getattr(v, "vouch_" + name)(none, *arguments, byref(reply))
            self.assertEqual(code, vouch.MISUSE, name)
            self.problem(json.loads(ctypes.string_at(reply.value)), vouch.MISUSE, "")
            v.vouch_free(reply)
            self.assertEqual(getattr(v, "vouch_" + name)(none, *arguments, None), vouch.MISUSE, name)
        self.assertEqual(v.vouch_close(none), vouch.MISUSE)
        v.vouch_free(none)
        self.assertEqual(v.vouch_open(None, None, byref(reply)), vouch.INVALID)
        v.vouch_free(reply)
        with vouch.Module(self.options()) as m:
            h = m.handle
            for name, *arguments in [("emit", None, 0), ("emit", None, 99), ("ack", None), ("serve", None, 5)]:
                code = getattr(v, "vouch_" + name)(h, *arguments, byref(reply))
                self.assertEqual(code, vouch.INVALID, name)
                self.problem(json.loads(ctypes.string_at(reply.value)), vouch.INVALID, "")
                v.vouch_free(reply)
            self.assertEqual(v.vouch_take(h, 0, None), vouch.INVALID)
            self.assertEqual(v.vouch_serve(h, b"{}", 2, None), vouch.INVALID)
            text = json.dumps(order("null")).encode()
            for name, *arguments in [("step", 10), ("stop", 1000), ("emit", text, len(text)), ("ack", b"main:77"), ("describe",),
                                     ("start", 1), ("stop", 10000)]:
                self.assertEqual(getattr(v, "vouch_" + name)(h, *arguments, None), vouch.OK, name)

    def test_02_ranges(self):
        """numbers out of range are INVALID and do nothing"""
        with vouch.Module(self.options()) as m:
            for name, values in [("start", (0, -1, 65, 2**31 - 1)), ("step", (0, -1, 60001)), ("take", (-1, 60001)), ("stop", (-1,))]:
                for value in values:
                    code, reply = m.call(name, value)
                    self.assertEqual(code, vouch.INVALID, (name, value))
                    self.problem(reply, vouch.INVALID, "")
            self.assertEqual(m.stop(), {"in_flight": 0})

    def test_03_options(self):
        """wrong options are refused in one line that names the member"""
        for options, pointer in OPTIONS:
            with self.subTest(str(options)[:60]):
                self.refused(options, pointer=pointer)
                with self.assertRaises(vouch.Problem) as caught:
                    vouch.Module(options)
                self.assertNotIn("\n", caught.exception.reply["detail"])

    def test_04_database_does_not_fit(self):
        """no schema, another key, no such store: INVALID, and it says what to do"""
        empty = cluster.Cluster.shared().database(migrated=False)
        self.refused({"database": empty.owner}, pointer="/database")
        self.refused(self.options(store="elsewhere"), pointer="/store")
        first = cluster.Cluster.shared().database()
        vouch.Module({"database": first.url, "secrets": {"key": "a" * 40}}).close()
        self.refused({"database": first.url, "secrets": {"key": "b" * 40}}, pointer="/secrets/key")
        vouch.Module({"database": first.url, "secrets": {"key": "a" * 40}}).close()

    def test_05_one_instance(self):
        """equal options share an instance, with as many closes as opens; others have their own"""
        before = threads()
        a = vouch.Module(json.dumps(self.options(store="main")))
        b = vouch.Module('{"store" : "main", "emit_deadline_ms": 10000, "database": %s}' % json.dumps(self.database.url))
        c = vouch.Module(self.options(store="main", emit_deadline_ms=9999))
        self.assertEqual(a.handle.value, b.handle.value)
        self.assertNotEqual(a.handle.value, c.handle.value)
        a.start(1)
        a.close()
        self.assertEqual(b.lib.vouch_close(b.handle), vouch.MISUSE)
        self.assertEqual(b.emit(order("shared"))["state"], "applied")
        b.stop()
        b.close()
        c.close()
        self.assertEqual(threads(), before)

    def test_06_environment(self):
        """without options, and without "database", the environment is taken"""
        code = ("import sys; sys.path.insert(0, 'tests/lib'); import vouch; m = vouch.Module(%s); "
                "print(m.describe()['database']['reachable'], list(m.describe()['stores']))")
        for options, env in [("None", {"VOUCH_DATABASE_URL": self.database.url}),
                             ("{'emit_deadline_ms': 900}", {"VOUCH_DATABASE_URL": self.database.url}),
                             ("{'store': 'main'}", {"PGHOST": "127.0.0.1", "PGPORT": str(cluster.Cluster.shared().port),
                                                    "PGUSER": "shop", "PGDATABASE": self.database.name}),
                             ("None", {"VOUCH_DATABASE_URL": self.database.url, "VOUCH_STORE": "main"})]:
            said = subprocess.run([sys.executable, "-c", code % options], cwd=vouch.ROOT, env=dict(os.environ, **env),
                                  stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
            self.assertEqual(said.stdout, "True ['main']\n", said.stderr)

    def test_07_lifecycle(self):
        """start twice is MISUSE, steps go on beside threads, stop ends all, and it all works again"""
        before = threads()
        m = vouch.Module(self.options())
        self.assertEqual(threads(), before)
        self.assertEqual(m.stop(0), {"in_flight": 0})
        for _ in range(3):
            m.start(4)
            self.assertEqual(len(threads() - before), 4)
            code, reply = m.call("start", 1)
            self.assertEqual(code, vouch.MISUSE)
            self.problem(reply, vouch.MISUSE)
            self.assertEqual(m.lib.vouch_close(m.handle), vouch.MISUSE)
            self.assertEqual(set(m.step(50)), {"done", "in_flight", "next_ms"})
            self.assertEqual(m.describe()["threads"], 4)
            self.assertEqual(m.stop(10000), {"in_flight": 0})
            self.assertEqual(threads_back_to(before), before)
            self.assertEqual(m.stop(10000), {"in_flight": 0})
        self.assertEqual(m.step(50)["in_flight"], 0)
        m.close()

    def test_08_threads(self):
        """own threads are named, small, and have every signal blocked"""
        with vouch.Module(self.options()) as m:
            before = threads()
            m.start(2)
            time.sleep(0.2)
            for t in threads() - before:
                with open("/proc/self/task/%d/status" % t) as f:
                    status = dict(line.split(":\t", 1) for line in f.read().splitlines() if ":\t" in line)
                self.assertEqual(status["Name"], "vouch-worker")
                blocked = int(status["SigBlk"], 16)
                for signal in [1, 2, 3, 10, 12, 13, 14, 15, 17]:
                    self.assertTrue(blocked >> (signal - 1) & 1, signal)
            with open("/proc/self/task/%d/status" % os.getpid()) as f:
                self.assertIn("SigBlk:\t0000000000000000", f.read())

    def test_09_stop_in_time(self):
        """stop at deadline 0 with threads is MISUSE or done, and a repetition ends it"""
        with vouch.Module(self.options()) as m:
            for _ in range(10):
                m.start(3)
                code, reply = m.call("stop", 0)
                self.assertIn(code, (vouch.OK, vouch.MISUSE))
                if code == vouch.MISUSE:
                    self.problem(reply, vouch.MISUSE)
                self.assertEqual(m.stop(10000), {"in_flight": 0})

    def test_10_stop_wakes(self):
        """vouch_stop wakes those who wait in vouch_take; waits are as long as asked for"""
        with vouch.Module(self.options()) as m:
            m.take_all()
            begun = time.monotonic()
            self.assertEqual(m.call("take", 300), (vouch.EMPTY, None))
            self.assertTrue(0.29 <= time.monotonic() - begun < 2)
            took = []

            def wait():
                since = time.monotonic()
                took.append((m.call("take", 30000), time.monotonic() - since))
            waiting = [threading.Thread(target=wait) for _ in range(5)]
            for t in waiting:
                t.start()
            time.sleep(0.5)
            m.stop()
            for t in waiting:
                t.join(5)
            self.assertEqual([t[0] for t in took], [(vouch.EMPTY, None)] * 5)
            self.assertLess(max(t[1] for t in took), 5)

    def test_11_steps_at_once(self):
        """steps of many threads at once; stop waits for them"""
        with vouch.Module(self.options()) as m:
            codes = []
            stepping = [threading.Thread(target=lambda: codes.append(m.call("step", 300)[0])) for _ in range(80)]
            for t in stepping:
                t.start()
            self.assertEqual(m.stop(10000), {"in_flight": 0})
            for t in stepping:
                t.join()
            self.assertEqual(len(codes), 80)
            self.assertLessEqual(set(codes), {vouch.OK, vouch.UNAVAILABLE})
            self.assertEqual(m.step(50)["in_flight"], 0)

    def test_12_take_and_ack(self):
        """an event comes until it is acknowledged; unknown ids are fine, no ids are not"""
        with vouch.Module(self.options()) as m:
            m.take_all()
            m.emit(order("take"))
            m.emit({"specversion": "1.0", "id": "review:take", "source": "/shop", "type": "review.submitted",
                    "data": {"review": {"id": "take", "product_id": "kettle", "rating": 5, "body": "Boils water.",
                                        "author": {"name": "Eve"}}}})
            event = m.take(1000)
            self.assertEqual(event["specversion"], "1.0")
            self.assertEqual(m.call("ack", event["id"]), (vouch.OK, None))
            self.assertEqual(m.call("ack", event["id"]), (vouch.OK, None))
            self.assertEqual(m.call("ack", "main:999999999"), (vouch.OK, None))
            for bad in ["", "main", "main:", "main:x", "main:-1", "other:1", ":1", "main:1 ", "main:99999999999999999999",
                        "x" * 300, "main:1:2"]:
                with self.subTest(bad[:30]):
                    code, reply = m.call("ack", bad)
                    self.assertEqual(code, vouch.INVALID)
                    self.problem(reply, vouch.INVALID)

    def test_13_lengths(self):
        """lengths are believed: a short one cuts, none is nothing, no NUL is needed behind"""
        with vouch.Module(self.options()) as m:
            text = json.dumps(order("length")).encode()
            for n in (0, 1, len(text) - 1):
                self.assertEqual(m.lib.vouch_emit(m.handle, text, n, None), vouch.INVALID)
            self.assertEqual(m.lib.vouch_emit(m.handle, text + b"\0", len(text) + 1, None), vouch.INVALID)
            libc = ctypes.CDLL(None, use_errno=True)
            libc.mmap.restype = c_void_p
            page = libc.mmap(None, ctypes.c_size_t(8192), 3, 0x22, -1, ctypes.c_long(0))
            self.assertEqual(libc.mprotect(c_void_p(page + 4096), ctypes.c_size_t(4096), 0), 0)
            at = page + 4096 - len(text)
            ctypes.memmove(at, text, len(text))
            self.assertEqual(m.lib.vouch_emit(m.handle, ctypes.cast(at, ctypes.c_char_p), len(text), None), vouch.OK)

    def test_14_errno(self):
        """errno is as it was, whatever happens inside"""
        lib = ctypes.CDLL(vouch.path(), use_errno=True)
        for name, (result, arguments) in vouch.DECLARATIONS.items():
            getattr(lib, name).restype, getattr(lib, name).argtypes = result, arguments
        module, reply = c_void_p(), c_void_p()
        for database, missing in [(self.database.url, False), (CLOSED, True)]:
            options = json.dumps({"database": database, "spool": "/nowhere/spool", "log": {"level": "error"}}).encode()
            ctypes.set_errno(4711)
            self.assertEqual(lib.vouch_open(options, byref(module), None), vouch.OK)
            self.assertEqual(ctypes.get_errno(), 4711)
            text = json.dumps(order("errno")).encode()
            for name, *arguments in [("emit", text, len(text)), ("emit", b"{", 1), ("step", 100), ("take", 0), ("ack", b"main:1"),
                                     ("serve", b"{}", 2), ("describe",), ("start", 1), ("start", 1), ("stop", 5000)]:
                ctypes.set_errno(4711)
                code = getattr(lib, "vouch_" + name)(module, *arguments, byref(reply))
                self.assertEqual(ctypes.get_errno(), 4711, name)
                if missing and name in ("emit", "take", "ack", "step") and arguments[0] != b"{":
                    self.assertEqual(code, vouch.UNAVAILABLE, name)
                lib.vouch_free(reply)
                self.assertEqual(ctypes.get_errno(), 4711, name)
            self.assertEqual(lib.vouch_close(module), vouch.OK)
            self.assertEqual(ctypes.get_errno(), 4711)

    def test_15_away(self):
        """PostgreSQL down at open: open works, orders are spooled, redemptions are not, pages and takes are UNAVAILABLE"""
        spool = self.spool()
        with vouch.Module({"database": CLOSED, "spool": spool}) as m:
            self.assertEqual(m.call("emit", order("away"))[0], vouch.SPOOLED)
            self.assertEqual(m.emit(order("away"))["state"], "spooled")
            for name in events.names():
                code, reply = m.call("emit", events.good(name))
                wanted = vouch.UNAVAILABLE if name == "discount.redeemed" else vouch.SPOOLED
                self.assertEqual(code, wanted, (name, reply))
            code, reply = m.call("emit", [order("away"), events.good("discount.redeemed")])
            self.assertEqual(code, vouch.UNAVAILABLE)
            self.problem(reply, vouch.UNAVAILABLE)
            for what, event, pointer in events.bad():
                code, reply = m.call("emit", event)
                if event.get("type") == "discount.redeemed" and code == vouch.UNAVAILABLE:
                    continue
                self.assertEqual(code, vouch.INVALID, what)
                self.assertEqual(reply["pointer"], pointer, (what, reply))
            for name, *arguments in [("take", 0), ("ack", "main:1"), ("step", 100)]:
                code, reply = m.call(name, *arguments)
                self.assertEqual(code, vouch.UNAVAILABLE, name)
                self.problem(reply, vouch.UNAVAILABLE)
            shown = m.describe()
            self.assertFalse(shown["database"]["reachable"])
            self.assertEqual(shown["spool"], {"waiting": len(events.names()) + 1, "set_aside": 0})
        with vouch.Module({"database": CLOSED}) as m:
            code, reply = m.call("emit", order("nowhere"))
            self.assertEqual(code, vouch.UNAVAILABLE)
            self.problem(reply, vouch.UNAVAILABLE)

    def test_16_describe(self):
        """describe tells versions, limits, settings without secrets, health and the log"""
        self.database.sql("UPDATE vouch.store SET smtp_url = 'smtp://user:geheim@relay.test:25'")
        with vouch.Module(self.options(secrets={"key": "k" * 20 + "-secret-" + "k" * 20, "smtp_password": "hush-hush"},
                                       database=cluster.Cluster.shared().database().url)) as m:
            text = json.dumps(m.describe())
            self.assertNotIn("hush-hush", text)
            self.assertNotIn("-secret-", text)
        with vouch.Module(self.options(spool=self.spool())) as m:
            m.emit(order("describe"))
            m.call("step", 500)
            shown = m.describe()
            self.assertLessEqual({"vouch", "abi", "schema", "libpq", "libcurl", "jansson", "sqlite", "libsodium", "utf8proc"},
                                 set(shown["versions"]))
            self.assertEqual(shown["versions"]["abi"], m.lib.vouch_abi())
            self.assertEqual(shown["limits"]["array_events"], 10000)
            self.assertEqual(shown["limits"]["emit_deadline_ms"], 10000)
            self.assertTrue(shown["database"]["reachable"])
            self.assertGreaterEqual(shown["database"]["server_version"], 150000)
            self.assertEqual(shown["spool"], {"waiting": 0, "set_aside": 0})
            self.assertEqual(len(shown["key"]), 32)
            self.assertIsInstance(shown["log"], list)
            store = shown["stores"]["main"]
            self.assertEqual(store["settings"]["store"]["store_id"], "main")
            self.assertEqual(store["settings"]["store"]["smtp_url"], "smtp://***@relay.test:25")
            self.assertIsInstance(store["health"], dict)
            self.assertNotIn("geheim", json.dumps(shown))

    def test_17_stores(self):
        """events name one of the stores served; an array is of one; "*" serves those made later"""
        self.database.sql("INSERT INTO vouch.store (store_id) VALUES ('second')")
        with vouch.Module(self.options(store=["main", "second"])) as m:
            m.emit(order("s-1", store="second"))
            m.emit([order("s-2"), order("s-3", store="main")])
            code, reply = m.call("emit", [order("s-4"), order("s-5", store="second")])
            self.assertEqual((code, reply["pointer"]), (vouch.INVALID, "/1/store"))
            code, reply = m.call("emit", order("s-6", store="third"))
            self.assertEqual((code, reply["pointer"]), (vouch.INVALID, "/store"))
            self.assertEqual(self.database.value("SELECT count(*) FROM vouch.event WHERE store_id = 'second'"), "1")
        with vouch.Module(self.options(store="*")) as m:
            self.assertEqual(set(m.describe()["stores"]), {"main", "second"})
            self.database.sql("INSERT INTO vouch.store (store_id) VALUES ('third')")
            m.step_until(lambda: "third" in m.describe()["stores"], seconds=15)

    def test_18_quiet(self):
        """a library loaded and opened adds no thread; loaded alone, no descriptor either; and prints nothing"""
        code = ("import os, sys, json; sys.path.insert(0, 'tests/lib'); import vouch\n"
                "def state(): return (len(os.listdir('/proc/self/task')), len(os.listdir('/proc/self/fd')))\n"
                "a = state(); lib = vouch.library(); b = state()\n"
                "m = vouch.Module(%r); m.describe(); c = state(); m.close(); d = state()\n"
                "assert a == b and c[0] == a[0] and d == a, (a, b, c, d)\n"
                "assert os.getcwd() == %r and os.umask(0o22) == 0o22\n")
        said = subprocess.run([sys.executable, "-c", code % (self.options(), vouch.ROOT)], cwd=vouch.ROOT, umask=0o22,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        self.assertEqual((said.returncode, said.stdout), (0, ""))


if __name__ == "__main__":
    tap.main()
