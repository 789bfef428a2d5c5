#!/usr/bin/python3
# SPDX-License-Identifier: MIT
# build: release asan tsan
"""Sixty-four callers of every function on one handle, and threads that are stopped and started (threads_host.c)."""
import json
import os
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import cluster
import tap
import vouch

SECONDS = 60 if os.environ.get("VOUCH_LONG") else 8


class Threads(unittest.TestCase):
    def test_threads(self):
        """every code is one of its function's own; what was accepted is there once; no race, no leak"""
        kind = next((k for k in ("asan", "tsan") if k in os.environ.get("LD_PRELOAD", "")), "release")
        flags = {"asan": ["-fsanitize=address,undefined"], "tsan": ["-fsanitize=thread"], "release": []}[kind]
        where = tempfile.mkdtemp()
        program = os.path.join(where, "threads_host")
        clean = {k: v for k, v in os.environ.items() if k != "LD_PRELOAD"}
        clean["ASAN_OPTIONS"] = "detect_leaks=1"
        subprocess.check_call(["gcc", "-std=c11", "-D_GNU_SOURCE", "-O1", "-g", "-Wall", "-Wextra", "-Werror", "-Ihooks", *flags,
                               "tests/flow/threads_host.c", "-o", program, "-pthread", "-ldl"], cwd=vouch.ROOT, env=clean)
        database = cluster.Cluster.shared().database()
        options = {"database": database.url, "emit_deadline_ms": 30000, "spool": os.path.join(where, "spool")}
        said = subprocess.run([program, vouch.path(), json.dumps(options), str(SECONDS)], env=clean,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=250)
        print(kind, said.stdout.strip())
        self.assertEqual((said.returncode, said.stderr[:20000]), (0, ""))
        with vouch.Module(options) as module:
            module.drain()
        self.assertEqual(database.value("SELECT count(*) - count(DISTINCT order_id) FROM vouch.sales_order"), "0")
        counted = {k: int(n) for n, k in (x.split(" ")[::-1] for x in said.stdout.split(", ")[:-1])}
        rows = int(database.value("SELECT count(*) FROM vouch.event WHERE state = 'applied'"))
        self.assertEqual(rows, counted["emit"] + 2 * counted["array"] + counted["review"])


if __name__ == "__main__":
    tap.main()
