#!/usr/bin/python3
# SPDX-License-Identifier: MIT
# timeout: 600
# build: release
"""The record: two hundred operators decide on one review at once and one of them wins; and whoever changes any column of any row of the
record past the triggers, as a superuser can, is found by vouchctl check.

VOUCH_SEED repeats a run; the seed is printed."""
import collections
import os
import random
import subprocess
import sys
import threading
import unittest

import psycopg2

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(HERE, "..", "lib"), HERE]
import cluster
import tap
import vouch

SEED = int(os.environ.get("VOUCH_SEED") or random.SystemRandom().randrange(1 << 32))
MANY = 200
LINKS = 25
# Other values of a type; the first that no constraint refuses is taken.
OTHERS = {
    "text": ["{0} || 'x'", "'spam'", "'abusive'", "'published'", "'held'", "'rejected'", "'keep'", "'hold'", "'withdraw'", "null"],
    "bigint": ["{0} + 1", "{0} + 1000", "{0} - 1"],
    "integer": ["{0} + 1", "{0} + 1000"],
    "smallint": ["{0} % 5 + 1"],
    "boolean": ["not {0}"],
    "timestamp with time zone": ["{0} + interval '1 microsecond'"],
    "bytea": ["set_byte({0}, 0, (get_byte({0}, 0) + 1) % 256)", "decode(repeat('00', 32), 'hex')"],
    "ARRAY": ["{0} || array['x']"],
    "jsonb": ["'[{{\"end\": 1, \"field\": \"body\", \"start\": 0}}]'", "null"],
}
WORDS = ("store_id", "review_id", "revision", "rating", "title", "body", "author_name", "locale", "written_at", "state", "redactions", "salt", "digest")


class Record(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.database = cluster.Cluster.shared().database()
        cls.options = {"database": cls.database.url, "emit_deadline_ms": 20000, "secrets": {"key": "a key of this record, 32 bytes or more"}}
        cls.module = vouch.Module(cls.options)
        cls.link = psycopg2.connect(cls.database.owner)
        cls.link.autocommit = True
        cls.random = random.Random(SEED)
        print("# VOUCH_SEED=%d" % SEED)

    @classmethod
    def tearDownClass(cls):
        cls.module.stop(10000)
        cls.module.close()
        cls.link.close()

    def sql(self, text, *values):
        with self.link.cursor() as c:
            c.execute(text, values or None)
            return c.fetchall() if c.description else []

    def submit(self, name, rating=2, body="words", customer=None):
        return self.module.emit({"specversion": "1.0", "id": "r-" + name, "source": "/record", "type": "review.submitted", "data": {"review": {
            "id": name, "product_id": "p-" + name, "rating": rating, "title": "Title", "body": "%s of %s" % (body, name), "locale": "en",
            "author": {"customer_id": customer or "c-" + name, "name": "Anna"}}}})["review"]["review_id"]

    def check(self):
        """vouchctl check's words about the record."""
        env = dict(os.environ, VOUCH_DATABASE_URL=self.database.owner, VOUCH_STORE="main")
        options = os.path.join(os.environ.get("TMPDIR", "/tmp"), "record-options.json")
        with open(options, "w") as f:
            f.write('{"database": "%s", "store": "main", "secrets": {"key": "%s"}}' % (self.database.owner, self.options["secrets"]["key"]))
        done = subprocess.run([os.environ["VOUCH_CTL"], "check", "--options", options], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=env)
        return done.returncode, done.stdout

    def test_1_two_hundred_decisions(self):
        """200 decisions at once on one review: one result, a complete record, everybody else told who and what"""
        review = self.submit("crowd")
        version = self.sql("SELECT version FROM vouch.held_review WHERE review_id = %s", review)[0][0]
        pool, told, lock, gate = collections.deque(range(MANY)), [], threading.Lock(), threading.Barrier(LINKS)

        def operator():
            link = psycopg2.connect(self.database.url)
            link.autocommit = True
            with link.cursor() as c:
                gate.wait(60)
                while True:
                    with lock:
                        if not pool:
                            break
                        n = pool.popleft()
                    try:
                        if n % 2:
                            c.execute("SELECT vouch.approve(%s, %s, null, %s)", [review, "op%d" % n, version])
                        else:
                            c.execute("SELECT vouch.reject(%s, %s, 'spam', 'copied', %s)", [review, "op%d" % n, version])
                        answer = ("won", n, c.fetchone()[0]["review"]["state"])
                    except psycopg2.Error as error:
                        answer = (error.pgcode, n, error.diag.message_primary)
                    with lock:
                        told.append(answer)
            link.close()
        crowd = [threading.Thread(target=operator) for _ in range(LINKS)]
        [t.start() for t in crowd]
        [t.join() for t in crowd]
        self.assertEqual(len(told), MANY)
        won = [t for t in told if t[0] == "won"]
        self.assertEqual(len(won), 1, collections.Counter(t[0] for t in told))
        self.assertEqual({t[0] for t in told if t[0] != "won"}, {"VO205"})
        self.assertEqual({"by op%d" % won[0][1] in t[2] for t in told if t[0] != "won"}, {True})
        state = "published" if won[0][1] % 2 else "rejected"
        self.assertEqual(won[0][2], state)
        self.assertEqual(self.sql("SELECT v.state, r.state FROM vouch.review v JOIN vouch.review_revision r USING (store_id, review_id) WHERE v.review_id = %s", review), [(state, state)])
        self.assertEqual(self.sql("SELECT actor, from_state, to_state FROM vouch.review_decision WHERE review_id = %s ORDER BY decision_id", review),
                         [("vouch", "unconfirmed", "held"), ("op%d" % won[0][1], "held", state)])
        self.assertEqual(self.sql("SELECT * FROM vouch.record_faults('main')"), [])

    def history(self):
        """Every kind of decision, all of it linked and signed."""
        self.sql("UPDATE vouch.installation SET clock_offset = '0'")
        for n in range(8):
            one = self.submit("h%d" % n, rating=n % 5 + 1)
            self.sql("SELECT vouch.approve(%s, 'olga', 'seen')", one)
            if n % 2:
                self.sql("SELECT vouch.redact(%s, 'olga', '[{\"field\":\"body\",\"text\":\"words\"}]', 'a name')", one)
            if n % 3 == 0:
                self.sql("SELECT vouch.reject(%s, 'zane', 'spam', 'an advertisement')", one)
                if n % 2:
                    self.sql("SELECT vouch.undo(%s, 'zane', 'too quick')", one)
                else:
                    told = self.sql("SELECT vouch.appeal(%s, 'it is not', 'olga')", one)[0][0]
                    self.sql("SELECT vouch.decide_appeal(%s, 'eve', %s, 'looked at again')", told["appeal"]["appeal_id"], "granted" if n else "refused")
        while int(self.sql("SELECT count(*) FROM vouch.record_pending")[0][0]):
            try:
                self.module.step(1000)
            except vouch.Problem:
                pass

    def columns(self, table):
        return self.sql("SELECT column_name, data_type FROM information_schema.columns WHERE table_schema = 'vouch' AND table_name = %s"
                        " AND is_identity = 'NO' ORDER BY ordinal_position", table)  # PostgreSQL itself changes no identity

    def tampered(self, table, column, kind, row):
        """Changes it, looks, and takes it back: what was found, or None when nothing lets itself be changed so."""
        found = None
        self.link.autocommit = False
        try:
            with self.link.cursor() as c:
                c.execute("SET LOCAL session_replication_role = replica")
                for value in OTHERS[kind]:
                    c.execute("SAVEPOINT here")
                    try:
                        other = value.format(column)
                        c.execute("UPDATE vouch.{0} SET {1} = {2} WHERE ctid = '{3}' AND ({2}) IS DISTINCT FROM {1}".format(table, column, other, row))
                        if c.rowcount != 1:
                            continue
                    except psycopg2.Error:
                        c.execute("ROLLBACK TO here")
                        continue
                    c.execute("SELECT count(*) FROM vouch.record_faults('main')")
                    found = c.fetchone()[0]
                    break
        finally:
            self.link.rollback()
            self.link.autocommit = True
        return found

    def test_2_tampering(self):
        """every column of rows of the record changed by a superuser with the triggers off is found; so is a row removed or added"""
        self.history()
        self.assertEqual(self.sql("SELECT * FROM vouch.record_faults('main')"), [])
        done, words = self.check()
        self.assertIn("record", words)
        self.assertNotIn("tamper", words.lower(), words)
        tried = collections.Counter()
        for table, where in (("review_decision", "true"), ("decision_note", "true"), ("record_link", "true"), ("review_revision", "erased_at IS NULL")):
            rows = [r[0] for r in self.sql("SELECT ctid::text FROM vouch.%s WHERE %s ORDER BY 1" % (table, where))]
            for row in self.random.sample(rows, min(12, len(rows))):
                for column, kind in self.columns(table):
                    if table == "review_revision" and column not in WORDS:
                        continue
                    found = self.tampered(table, column, kind, row)
                    if found is not None:
                        self.assertGreater(found, 0, "%s.%s of row %s changed unnoticed" % (table, column, row))
                        tried[table, column] += 1
            for column, _ in self.columns(table):
                if table != "review_revision" or column in WORDS:
                    self.assertGreater(tried[table, column], 0, "%s.%s was never changed" % (table, column))
            for row in self.random.sample(rows, min(6, len(rows))):
                self.assertGreater(self.gone("DELETE FROM vouch.%s WHERE ctid = %%s" % table, row), 0, "a row of %s removed unnoticed" % table)
        added = ("INSERT INTO vouch.review_decision OVERRIDING SYSTEM VALUE SELECT (d).* FROM (SELECT jsonb_populate_record(x, jsonb_build_object('decision_id', 99999,"
                 " 'actor', 'vouch')) AS d FROM vouch.review_decision x WHERE x.ctid = %s) y")
        row = self.sql("SELECT ctid::text FROM vouch.review_decision ORDER BY decision_id LIMIT 1")[0][0]
        self.assertGreater(self.gone(added, row), 0, "a decision added unnoticed")
        print("# %d changes of %d columns, each found" % (sum(tried.values()), len(tried)))

    def gone(self, text, row):
        self.link.autocommit = False
        try:
            with self.link.cursor() as c:
                c.execute("SET LOCAL session_replication_role = replica")
                c.execute(text, [row])
                c.execute("SELECT count(*) FROM vouch.record_faults('main')")
                return c.fetchone()[0]
        finally:
            self.link.rollback()
            self.link.autocommit = True

    def test_3_signature(self):
        """a chain made anew, links, head and all, has no signature: vouchctl check says so"""
        self.sql("SET session_replication_role = replica")
        self.sql("UPDATE vouch.review_decision SET actor = 'somebody' WHERE decision_id = (SELECT min(decision_id) FROM vouch.record_link)")
        self.sql("DO $$ DECLARE previous bytea := ''; k record; BEGIN FOR k IN SELECT l.sequence, d FROM vouch.record_link l JOIN vouch.review_decision d USING (store_id, decision_id)"
                 " ORDER BY l.sequence LOOP previous := sha256(previous || sha256(convert_to(vouch.decision_text(k.d), 'UTF8')));"
                 " UPDATE vouch.record_link l SET digest = sha256(convert_to(vouch.decision_text(k.d), 'UTF8')), hash = previous WHERE l.sequence = k.sequence; END LOOP;"
                 " UPDATE vouch.record_head SET hash = previous; END $$")
        self.sql("SET session_replication_role = origin")
        self.assertEqual(self.sql("SELECT * FROM vouch.chain_faults('main')"), [], "the chain itself fits together")
        code, words = self.check()
        self.assertNotEqual(code, 0)
        self.assertIn("sign", words)


if __name__ == "__main__":
    tap.main()
