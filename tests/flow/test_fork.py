#!/usr/bin/python3
# SPDX-License-Identifier: MIT
# build: release
"""fork: what a child inherits is VOUCH_FORKED and untouched, opening anew works, and the parent notices nothing.
From Python (os.fork, multiprocessing) and from a C host with threads in every call while it forks (fork_host.c)."""
import json
import multiprocessing
import os
import re
import subprocess
import sys
import tempfile
import threading
import time
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import cluster
import tap
import vouch

FORKS = 200 if os.environ.get("VOUCH_LONG") else 30


def order(number):
    return {"specversion": "1.0", "id": "placed:%s" % number, "source": "/fork", "type": "order.placed",
            "data": {"order": {"id": str(number), "placed_at": "2026-11-01T10:00:00Z", "customer": {"email": "a@example.test"},
                               "items": [{"id": "1", "product_id": "kettle"}]}}}


def forked(module):
    """Whether every call on an inherited handle says so."""
    calls = [("start", 1), ("step", 10), ("stop", 0), ("emit", order(1)), ("take", 0), ("ack", "main:1"), ("serve", {}), ("describe",)]
    for name, *arguments in calls:
        code, reply = module.call(name, *arguments)
        if code != vouch.FORKED or reply["type"] != "urn:vouch:problem:forked":
            return False
    return module.lib.vouch_close(module.handle) == vouch.FORKED


def child(module, options, number):
    """0 when a child may do what it should."""
    if not forked(module):
        return 2
    with vouch.Module(options) as own:
        if own.handle.value == module.handle.value:
            return 3
        if own.call("emit", order("child-%s" % number))[0] < 0:
            return 4
        own.start(1)
        pid = os.fork()
        if pid == 0:
            os._exit(0 if forked(own) and forked(module) else 5)
        if os.waitpid(pid, 0)[1]:
            return 6
        if own.call("emit", order("child-again-%s" % number))[0] < 0:
            return 7
        own.stop()
    return 0 if forked(module) else 8


def pooled(task):
    options, number = task
    with vouch.Module(options) as own:
        return own.call("emit", order("pool-%d" % number))[0]


class Fork(unittest.TestCase):
    def setUp(self):
        self.database = cluster.Cluster.shared().database()
        self.options = {"database": self.database.url, "emit_deadline_ms": 10000,
                        "spool": os.path.join(tempfile.mkdtemp(), "spool")}

    def count(self, like):
        return int(self.database.value("SELECT count(*) FROM vouch.event WHERE source = '/fork' AND id LIKE 'placed:%s'" % like))

    def backends(self):
        return {r[0] for r in self.database.sql(
            "SELECT pid FROM pg_stat_activity WHERE datname = '%s' AND usename = 'shop'" % self.database.name)}

    def test_1_python(self):
        """os.fork beside threads: FORKED in the child, a new instance there, the parent's connections live on"""
        with vouch.Module(self.options) as module:
            module.start(2)
            module.emit(order("parent"))
            before = self.backends()
            for n in range(FORKS):
                pid = os.fork()
                if pid == 0:
                    try:
                        os._exit(child(module, self.options, n))
                    finally:
                        os._exit(9)
                module.emit(order("parent-%d" % n))
                self.assertEqual(os.waitpid(pid, 0)[1], 0)
            self.assertLessEqual(before, self.backends())
            self.assertFalse(module.describe()["database"]["last_error"])
            self.assertEqual(module.describe()["spool"]["waiting"], 0)
        self.assertEqual((self.count("parent-%"), self.count("child-%")), (FORKS, 2 * FORKS))

    def test_2_exit(self):
        """a child that ends in the ordinary way ends nothing of its parent's"""
        code = ("import os, sys; sys.path.insert(0, 'tests/lib'); import json, vouch\n"
                "o = json.loads(sys.argv[1]); m = vouch.Module(o); m.start(2); m.emit(json.loads(sys.argv[2]))\n"
                "pid = os.fork()\n"
                "if pid == 0: sys.exit(7)\n"
                "assert os.waitpid(pid, 0)[1] == 7 << 8\n"
                "m.emit(json.loads(sys.argv[2])); assert not m.describe()['database']['last_error']\n")
        said = subprocess.run(["/usr/bin/python3", "-c", code, json.dumps(self.options), json.dumps(order("exit"))], cwd=vouch.ROOT,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=60)
        self.assertEqual((said.returncode, said.stdout), (0, ""))

    def test_3_multiprocessing(self):
        """pools of processes, forked and from a fork server, with the module open in the parent"""
        with vouch.Module(self.options) as module:
            module.emit(order("pool-parent"))
            for kind in ("fork", "forkserver"):
                with multiprocessing.get_context(kind).Pool(3) as pool:
                    self.assertEqual(set(pool.map(pooled, [(self.options, n) for n in range(12)])), {vouch.OK})
            module.emit(order("pool-parent-2"))
        self.assertEqual(self.count("pool-%"), 14)

    def test_4_descriptors(self):
        """no descriptor of the module survives an exec"""
        with vouch.Module(dict(self.options, log={"file": os.path.join(tempfile.mkdtemp(), "log")})) as module:
            module.start(2)
            module.emit(order("exec"))
            stop = threading.Event()
            busy = threading.Thread(target=lambda: [module.call("emit", order("exec")) for _ in iter(stop.is_set, True)])
            busy.start()
            try:
                for _ in range(10):
                    said = subprocess.run(["/bin/sh", "-c", "ls -l /proc/self/fd; cut -c1-300 /proc/self/net/tcp"],
                                          stdout=subprocess.PIPE, text=True, close_fds=False)
                    shown, _, table = said.stdout.partition("sl ")
                    # The pair by which libcurl wakes itself has no other end outside; 7.88 leaves it open.
                    for inode in re.findall(r"socket:\[(\d+)\]", shown):
                        self.assertNotIn(" %s " % inode, table)
                    self.assertNotIn("spool", shown)
                    self.assertNotIn("log", shown)
            finally:
                stop.set()
                busy.join()

    def test_5_c(self):
        """a C host forks while sixteen threads are inside the module: no child hangs, all answer"""
        where = tempfile.mkdtemp()
        program = os.path.join(where, "fork_host")
        subprocess.check_call(["gcc", "-std=c11", "-D_GNU_SOURCE", "-O1", "-g", "-Wall", "-Wextra", "-Werror", "-Ihooks",
                               "tests/flow/fork_host.c", "-o", program, "-pthread", "-ldl"], cwd=vouch.ROOT)
        begun = time.monotonic()
        said = subprocess.run([program, vouch.path(), json.dumps(self.options), str(FORKS * 5)], stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True, timeout=240)
        print("%s in %.1f s" % (said.stdout.strip(), time.monotonic() - begun))
        self.assertEqual(said.returncode, 0, said.stdout)


if __name__ == "__main__":
    tap.main()
