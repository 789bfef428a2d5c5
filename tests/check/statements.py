# SPDX-License-Identifier: MIT
"""Every statement that C sends is understood by a migrated database (it is prepared there), and calls
only functions of schema vouch with as many arguments as they take."""
import glob
import os
import re
import sys
import unittest

sys.path.insert(0, "tests/lib")
import tap
from cluster import Cluster

TOKEN = re.compile(r'/\*.*?\*/|//[^\n]*|\'(?:\\.|[^\'\\])+\'|"((?:\\.|[^"\\])*)"', re.S)


def literals(path):
    """String literals of a C file with their lines, neighbours joined as the compiler does."""
    with open(path, encoding="utf-8") as f:
        text = f.read()
    last, start, parts = None, 0, []
    for m in TOKEN.finditer(text):
        if m.group(1) is None:
            continue
        if parts and text[last:m.start()].strip():
            yield start, "".join(parts)
            parts = []
        if not parts:
            start = text.count("\n", 0, m.start()) + 1
        parts.append(m.group(1).replace("\\n", "\n").replace('\\"', '"').replace("\\t", "\t"))
        last = m.end()
    if parts:
        yield start, "".join(parts)


def calls(text):
    """(function, number of arguments, positions of NAME => …) of each vouch.NAME(…) in it."""
    for m in re.finditer(r"\bvouch\.(\w+)\s*\(", text):
        depth, count, at, any_text, quoted = 1, 1, m.end(), False, False
        while at < len(text) and depth:
            c = text[at]
            quoted ^= c == "'"
            if not quoted:
                depth += (c in "([") - (c in ")]")
                count += c == "," and depth == 1
            any_text |= depth > 0 and not c.isspace()
            at += 1
        if not depth:
            yield m.group(1), count if any_text else 0


class Statements(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.cluster = Cluster.shared()
        cls.database = cls.cluster.database()
        cls.texts = [(p, line, text) for p in sorted(glob.glob("plugin/**/*.c", recursive=True) + glob.glob("hooks/*.c"))
                     for line, text in literals(p) if "vouch." in text]
        cls.arities = {}
        for name, most, optional, variadic in cls.database.sql(
                "SELECT p.proname, p.pronargs, p.pronargdefaults, p.provariadic <> 0 FROM pg_proc p"
                " JOIN pg_namespace n ON n.oid = p.pronamespace WHERE n.nspname = 'vouch'"):
            cls.arities.setdefault(name, []).append((int(most) - int(optional), 99 if variadic == "t" else int(most)))

    def test_some(self):
        """C sends statements at all"""
        self.assertTrue([t for _, _, t in self.texts if re.match(r"\s*(SELECT|WITH)\b", t)])

    def test_calls(self):
        """functions exist and take that many arguments"""
        bad = []
        for path, line, text in self.texts:
            for name, count in calls(text):
                known = self.arities.get(name)
                if not known:
                    bad.append("%s:%d: no function vouch.%s" % (path, line, name))
                elif not any(least <= count <= most for least, most in known):
                    bad.append("%s:%d: vouch.%s takes %s, not %d" % (path, line, name, known, count))
        self.assertEqual(bad, [])

    def test_prepare(self):
        """whole statements can be prepared"""
        bad = []
        for path, line, text in self.texts:
            if re.match(r"\s*(SELECT|WITH)\b", text) and not re.search(r"%[a-z]", text):
                try:
                    self.database.sql("PREPARE statement AS " + text.rstrip("; \n") + ";")
                except RuntimeError as error:
                    bad.append("%s:%d: %s" % (path, line, error))
        self.assertEqual(bad, [])


tap.main()
