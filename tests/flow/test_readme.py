#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""The README's SQL runs as it stands: it works, or a rule of Vouch (SQLSTATE VO...) says why not here; its links lead somewhere."""
import os
import re
import sys
import unittest

import psycopg2

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
sys.path[:0] = [os.path.join(HERE, "..", "lib")]
import cluster
import tap


def statements(text):
    """What ends with a semicolon outside quotes, comments left out."""
    text = re.sub(r"--[^\n]*", "", text)
    return [s.strip() for s in re.findall(r"(?:[^;']|'(?:[^']|'')*')+;", text) if s.strip(" ;\n")]


class Readme(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.cluster = cluster.Cluster.shared()
        with open(os.path.join(ROOT, "README.md"), encoding="utf-8") as f:
            cls.text = f.read()

    def test_sql(self):
        """every statement in it works, or is refused by a rule and not for how it is written"""
        database = self.cluster.database()
        self.addCleanup(lambda: self.cluster.drop(database))
        found = [s for block in re.findall(r"```sql\n(.*?)```", self.text, re.S) for s in statements(block)]
        self.assertGreater(len(found), 30)
        worked = 0
        with psycopg2.connect(self.cluster.url(database.name)) as c, c.cursor() as q:
            q.execute("CREATE ROLE olga")
            for s in found:
                q.execute("SAVEPOINT before")
                try:
                    q.execute(s)
                    worked += 1
                except psycopg2.Error as e:
                    self.assertTrue((e.pgcode or "").startswith("VO"), "%s\n%s: %s" % (s, e.pgcode, e))
                    q.execute("ROLLBACK TO before")
            c.rollback()
        self.assertGreater(worked, len(found) // 2)

    def test_links(self):
        """the files it points to are there"""
        for name in re.findall(r"\]\(([^)#:]+)\)", self.text):
            self.assertTrue(os.path.exists(os.path.join(ROOT, name)), name)


if __name__ == "__main__":
    tap.main()
