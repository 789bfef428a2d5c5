#!/usr/bin/python3
# SPDX-License-Identifier: MIT
# build: release
# timeout: 1800
"""What the module adds to a host's memory, libraries included: under 20 MiB after a million events (VOUCH_LONG=1; else
60,000), and no more at the end than at half way. Then none of it is leaked (ASan host of the release's sources: test_threads)."""
import json
import os
import subprocess
import sys
import tempfile
import time
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import cluster
import tap
import vouch

EVENTS = 1000000 if os.environ.get("VOUCH_LONG") else 60000
MOST_KIB, GROWTH_KIB = 20 * 1024, 1024


class Memory(unittest.TestCase):
    def test_memory(self):
        """resident memory stays below 20 MiB and does not grow with events"""
        where = tempfile.mkdtemp()
        program = os.path.join(where, "memory_host")
        subprocess.check_call(["gcc", "-std=c11", "-D_GNU_SOURCE", "-O1", "-g", "-Wall", "-Wextra", "-Werror", "-Ihooks",
                               "tests/flow/memory_host.c", "-o", program, "-pthread", "-ldl"], cwd=vouch.ROOT)
        database = cluster.Cluster.shared().database()
        options = {"database": database.url, "emit_deadline_ms": 60000, "spool": os.path.join(where, "spool")}
        begun = time.monotonic()
        said = subprocess.run([program, vouch.path(), json.dumps(options), str(EVENTS)], stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, text=True)
        self.assertEqual((said.returncode, said.stderr[:2000]), (0, ""))
        opened, half, end, peak = map(int, said.stdout.split())
        print("%d events in %.0f s; MiB added: opened %.1f, half way %.1f, end %.1f, peak %.1f" % (
            EVENTS, time.monotonic() - begun, opened / 1024, half / 1024, end / 1024, peak / 1024))
        self.assertLess(end, MOST_KIB)
        self.assertLess(end - half, GROWTH_KIB)
        self.assertEqual(database.value("SELECT count(*) FROM vouch.event"), str(EVENTS))


if __name__ == "__main__":
    tap.main()
