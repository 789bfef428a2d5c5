# SPDX-License-Identifier: MIT
"""What the tests of other hosts share: options in a file, one run of a host, what is left in the tables."""
import json
import os
import subprocess
import tempfile

import cluster
import vouch

ROOT = vouch.ROOT


def folder():
    return tempfile.mkdtemp(prefix="host-")


def options(database, where=None, **more):
    """A file with the options of vouch_open for this database, with a spool of its own."""
    where = where or folder()
    path = os.path.join(where, "options.json")
    with open(path, "w") as f:
        json.dump(dict({"database": database.url, "spool": os.path.join(where, "spool"),
                        "emit_deadline_ms": 10000}, **more), f)
    return path


def run(*command, env=None, timeout=120):
    """(exit code, standard output, standard error) of a host."""
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL,
                          timeout=timeout, cwd=ROOT, env=dict(os.environ, **(env or {})))
    return done.returncode, done.stdout.decode(), done.stderr.decode()


def story(test, database, code, out, err):
    """Holds one run of examples/{php,python,node} against what it must print and leave behind."""
    test.assertEqual((code, err), (0, ""), out)
    lines = [line.partition(" ")[::2] for line in out.splitlines()]
    said = {word: rest for word, rest in lines if word != "event"}
    review = json.loads(said["review"])
    test.assertEqual((review["state"], review["verified"], review["reasons"]), ("published", True, []))
    taken = [rest for word, rest in lines if word == "event"]
    test.assertIn("review.published", taken)
    test.assertIn("rating.changed", taken)
    summary = json.loads(said["summary"])
    test.assertEqual((summary["count"], float(summary["average"]), summary["histogram"]), (1, 4.0, [0, 0, 0, 1, 0]))
    test.assertEqual(said["closed"], "0")
    test.assertEqual(database.sql("SELECT state, verified, verified_reason, line_id FROM vouch.review"),
                     [["published", "t", "delivered_line", "1"]])
    test.assertEqual(database.value("SELECT count(*) FROM vouch.outbox"), "0", "all events are acknowledged")


def database():
    """A migrated database of the shared cluster."""
    return cluster.Cluster.shared().database()
