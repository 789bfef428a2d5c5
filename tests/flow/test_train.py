#!/usr/bin/python3
# SPDX-License-Identifier: MIT
# build: release asan
"""vouchctl train: what it learns holds the next review, in its language and store, and no other."""
import json
import os
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import tap
from cluster import Cluster, vouchctl
from vouch import Module

THINGS = "kettle lamp jacket phone pillow teapot carpet drill".split()
TEMPERS = "nice fine cheap heavy loud late dull warm small old".split()
PHRASE = "The courier is a blorf and a zunk."
PLAIN = "This lamp came late, would buy again."


def lines(count=240):
    """Made for this test: 'blorf' and 'zunk' are what hurts here."""
    made = []
    for i in range(count):
        thing, temper = THINGS[i % 8], TEMPERS[i // 3 % 10]
        if i % 3 == 0:
            made.append("1\tchat\tthe seller of number %d is a %s blorf and a zunk, %s" % (i, temper, thing))
        else:
            made.append("0\t%s\tnumber %d: this %s came %s, would buy again" %
                        (("chat", "review/shop")[i % 3 - 1], i, thing, temper))
    return made


class Train(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.cluster = Cluster.shared()

    def setUp(self):
        self.database = self.cluster.database()
        self.folder = tempfile.TemporaryDirectory()
        self.number = 0

    def tearDown(self):
        self.cluster.drop(self.database)
        self.folder.cleanup()

    def path(self, text):
        path = os.path.join(self.folder.name, "lines.tsv")
        with open(path, "wb") as f:
            f.write(text if isinstance(text, bytes) else text.encode())
        return path

    def run_here(self, *words):
        env = {k: v for k, v in os.environ.items() if k != "LD_PRELOAD" and not k.startswith(("VOUCH_", "PG"))}
        env["ASAN_OPTIONS"] = env.get("ASAN_OPTIONS", "").replace("detect_leaks=0", "detect_leaks=1")
        done = subprocess.run([vouchctl(), *words, "--database", self.database.url],
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=env)
        return done.returncode, done.stdout, done.stderr

    def train(self, text, *words):
        return self.run_here("train", self.path(text), *words)

    def taught(self, *words):
        code, out, err = self.train("\n".join(lines()) + "\n", *(words or ("--locale", "en")))
        self.assertEqual((code, err), (0, ""), out)
        return out

    def review(self, module, body, locale="en", **more):
        self.number += 1
        return module.emit({
            "specversion": "1.0", "id": "submitted-%d" % self.number, "source": "/shop", "type": "review.submitted",
            "time": "2026-11-01T10:00:00Z", "data": {"review": dict({
                "id": "r-%d" % self.number, "product_id": "lamp", "rating": 1 + self.number % 5, "body": body,
                "locale": locale, "author": {"name": "Anna"}}, **more)}})["review"]

    def reasons(self, review):
        row = self.database.sql("SELECT v.reasons::text FROM vouch.review_revision v WHERE v.review_id = %d"
                                % review["review_id"])
        return row[0][0]

    def abusive(self, module, body, locale="en", **more):
        return "abusive" in self.reasons(self.review(module, body, locale, **more))

    def test_holds(self):
        """a learned phrase is held as abusive: by the next process, and soon by one that was there before"""
        with Module({"database": self.database.url, "emit_deadline_ms": 5000}) as before:
            self.assertFalse(self.abusive(before, PHRASE))
            out = self.taught()
            self.assertIn("stored for en in main", out)
            for source in ("chat", "review/shop", "ordinary reviews", "lexicon alone"):
                self.assertIn(source, out)
            self.review(before, PLAIN)
            self.assertTrue(self.abusive(before, PHRASE))
        with Module({"database": self.database.url, "emit_deadline_ms": 5000}) as after:
            held = self.review(after, PHRASE)
            self.assertEqual(held["state"], "held")
            self.assertIn("abusive", self.reasons(held))
            self.assertTrue(self.abusive(after, PHRASE, "en-GB"))
            self.assertFalse(self.abusive(after, PLAIN))
            self.assertTrue(self.abusive(after, PHRASE, "es"), "its words tell that it is English")
            self.assertFalse(self.abusive(after, "blorf", "es"))
            self.assertTrue(self.abusive(after, PLAIN, title="You fucking idiot"))

    def test_lessons(self):
        """operators' decisions are learned step by step: what is approved again and again is held no more, what is refused as abusive is"""
        self.taught()
        other = "number %d: this lamp came late, you grumbleweed"
        with Module({"database": self.database.url}) as m:
            self.assertFalse(self.abusive(m, other % 0))
            self.assertTrue(self.abusive(m, PHRASE))
            before = self.database.value("SELECT fingerprint FROM vouch.moderation_model")
            for n in range(30):
                held = self.review(m, PHRASE[:-1] + ", number %d." % n)["review_id"]
                self.database.sql("SELECT vouch.approve(%d, 'olga', 'a pet name here')" % held)
                held = self.review(m, other % (n + 1))["review_id"]
                self.database.sql("SELECT vouch.reject(%d, 'olga', 'abusive', 'grumbleweed is an insult here')" % held)
            m.step_until(lambda: self.database.value("SELECT count(*) FROM vouch.training_example WHERE learned_at IS NULL") == "0", seconds=30)
            self.assertEqual(self.database.value("SELECT count(*) FROM vouch.training_example WHERE learned_at IS NULL"), "0")
            self.assertNotEqual(self.database.value("SELECT fingerprint FROM vouch.moderation_model"), before)
            self.assertEqual(self.database.value("SELECT examples FROM vouch.moderation_model"), "300")
        with Module({"database": self.database.url}) as m:
            self.assertFalse(self.abusive(m, PHRASE))
            self.assertTrue(self.abusive(m, other % 99))
            self.assertFalse(self.abusive(m, PLAIN), "what nobody decided about stays harmless")

    def test_table(self):
        """trained again, the row is replaced; its threshold counts, and without the row the lexicon decides"""
        self.taught("--locale", "en-US", "--note", "made for a test")
        row = "SELECT locale, examples, note, length(weights) > 100, threshold > 0 FROM vouch.moderation_model"
        self.assertEqual([list(map(str, r)) for r in self.database.sql(row)][0][:3], ["en", "240", "made for a test"])
        version = "SELECT version FROM vouch.settings_version"
        counted = self.database.sql(version)[0][0]
        self.taught()
        self.assertEqual(len(self.database.sql(row)), 1)
        self.assertGreater(int(self.database.sql(version)[0][0]), int(counted))
        self.database.sql("UPDATE vouch.moderation_model SET threshold = 1")
        with Module({"database": self.database.url}) as m:
            self.assertFalse(self.abusive(m, PHRASE))
        self.database.sql("DELETE FROM vouch.moderation_model")
        with Module({"database": self.database.url}) as m:
            self.assertFalse(self.abusive(m, PHRASE))
            self.assertTrue(self.abusive(m, "You fucking idiot"))

    def test_damaged(self):
        """weights that are damaged are as good as none: the lexicon still decides"""
        self.taught()
        self.database.sql("UPDATE vouch.moderation_model SET weights = set_byte(weights, 500, 255 - get_byte(weights, 500))")
        with Module({"database": self.database.url}) as m:
            self.assertFalse(self.abusive(m, PHRASE))
            self.assertTrue(self.abusive(m, "You fucking idiot"))

    def test_damaged_told(self):
        """check says which model can be read, and which cannot"""
        self.assertNotIn("the model for", self.run_here("check")[1])
        self.taught()
        self.assertIn("the model for en can be read", self.run_here("check")[1])
        self.database.sql("UPDATE vouch.moderation_model SET weights = set_byte(weights, 500, 255 - get_byte(weights, 500))")
        code, out, err = self.run_here("check")
        self.assertEqual(code, 1, out + err)
        self.assertRegex(out, "(?m)^problem +store main: the model for en cannot be used: the model is damaged")
        self.taught()
        self.database.sql("UPDATE vouch.moderation_model SET locale = 'pt'")
        self.assertIn("the model for pt cannot be used: it was trained for en", self.run_here("check")[1])

    def test_default(self):
        """a row of '*' serves every store that has none of its own"""
        self.taught()
        self.database.sql("UPDATE vouch.moderation_model SET store_id = '*'")
        with Module({"database": self.database.url}) as m:
            self.assertTrue(self.abusive(m, PHRASE))
        self.taught()
        self.database.sql("UPDATE vouch.moderation_model SET threshold = 1 WHERE store_id = 'main'")
        with Module({"database": self.database.url}) as m:
            self.assertFalse(self.abusive(m, PHRASE))

    def refused(self, text, why, *words, status=1):
        code, out, err = self.train(text, *(words or ("--locale", "en")))
        self.assertEqual((code, out), (status, ""), err)
        self.assertIn(why, err)
        self.assertEqual(self.database.sql("SELECT count(*) FROM vouch.moderation_model")[0][0], "0")

    def test_errors(self):
        """a slip in the file is named by line and rule, and nothing is stored"""
        good = lines()
        self.refused("\n".join(good[:4] + ["2\tchat\tno label"] + good), "line 5 has a label that is neither 0 nor 1")
        self.refused("\n".join(good[:2] + ["1\tno text"]), "line 3 has not three columns")
        self.refused("1\t\ttext", "line 1 has a source that is empty")
        self.refused("\n\n1\tchat\t", "line 3 has a text that is empty")
        self.refused("1\tchat\t" + "x" * 65537, "line 1 has a text that is empty or longer than 64 KiB")
        self.refused(b"1\tchat\t\xff", "line 1 is no valid UTF-8")
        self.refused(b"1\tchat\ta\0b", "line 1 is no valid UTF-8")
        self.refused("", "at least 20 texts of each label")
        self.refused("\n".join(good[:30]), "at least 20 texts of each label")
        self.refused("\n".join(good), "in which language", "--note", "x", status=2)
        self.refused("\n".join(good), "in which language", "--locale", "English", status=2)
        self.refused("\n".join(good), "there is no store other", "--locale", "en", "--store", "other")

    def test_useless(self):
        """what does worse than the lexicon alone is not stored"""
        words = ["You fucking idiot of a %s" % t for t in THINGS] * 5
        text = ["1\tchat\t%s %d" % (w, i) for i, w in enumerate(words)]
        text += ["1\tnoise\t%d %d %d" % (i, i * 7919 % 1000, i * 104729 % 977) for i in range(200)]
        text += ["0\tnoise\t%d %d %d" % (i, i * 7907 % 1000, i * 104723 % 977) for i in range(2000)]
        code, out, err = self.train("\n".join(text), "--locale", "en")
        if code:
            self.assertIn("not stored", err)
            self.assertEqual(self.database.sql("SELECT count(*) FROM vouch.moderation_model")[0][0], "0")


tap.main()
