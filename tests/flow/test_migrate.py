#!/usr/bin/python3
# SPDX-License-Identifier: MIT
# build: release asan
# timeout: 600
"""vouchctl migrate: fresh, again, two at once, killed in the middle, against a newer schema, without
being superuser, through PgBouncer."""
import glob
import os
import random
import re
import subprocess
import sys
import threading
import time
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import tap
from cluster import ROOT, Cluster, vouchctl

FILES = sorted(os.path.basename(f) for f in glob.glob(os.path.join(ROOT, "sql", "schema", "*.sql")))
KNOWN = int(FILES[-1][:4])  # numbers may have gaps
LOCALES = len(glob.glob(os.path.join(ROOT, "sql", "seed", "abuse_term.*.tsv")))
LOCK = "SELECT pg_advisory_xact_lock(hashtextextended('vouchctl migrate', 0))"
# All that a migration makes, without oids and times.
MADE = """
SELECT 'table', c.relname, c.relrowsecurity::text, c.relforcerowsecurity::text, c.relowner::regrole::text, c.relacl::text
FROM pg_class c WHERE c.relnamespace = 'vouch'::regnamespace
UNION ALL SELECT 'column', a.attrelid::regclass::text, a.attname, a.atttypid::regtype::text, a.attnotnull::text, a.attacl::text
FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid WHERE c.relnamespace = 'vouch'::regnamespace AND a.attnum > 0
UNION ALL SELECT 'function', p.oid::regprocedure::text, md5(p.prosrc), p.prosecdef::text, p.proowner::regrole::text, p.proacl::text
FROM pg_proc p WHERE p.pronamespace = 'vouch'::regnamespace
UNION ALL SELECT 'constraint', c.conrelid::regclass::text, c.conname, pg_get_constraintdef(c.oid), '', ''
FROM pg_constraint c WHERE c.connamespace = 'vouch'::regnamespace
UNION ALL SELECT 'trigger', t.tgrelid::regclass::text, t.tgname, '', '', '' FROM pg_trigger t WHERE NOT t.tgisinternal
UNION ALL SELECT 'policy', p.tablename, p.policyname, p.cmd, p.qual, p.with_check FROM pg_policies p WHERE p.schemaname = 'vouch'
UNION ALL SELECT 'migration', number::text, name, '', '', '' FROM vouch.migration
UNION ALL SELECT 'prints', functions_print, lexicon_print, clock_offset::text, '', '' FROM vouch.installation
UNION ALL SELECT 'terms', locale, count(*)::text, md5(string_agg(term, ',' ORDER BY term)), '', '' FROM vouch.abuse_term GROUP BY locale
UNION ALL SELECT 'store', store_id, '', '', '', '' FROM vouch.store
ORDER BY 1, 2, 3, 4, 5, 6"""


def environment():
    env = {k: v for k, v in os.environ.items() if k not in ("LD_PRELOAD", "VOUCH_DATABASE_URL", "VOUCH_STORE")}
    env["ASAN_OPTIONS"] = env.get("ASAN_OPTIONS", "").replace("detect_leaks=0", "detect_leaks=1")
    return env


def start(url, *words):
    return subprocess.Popen([vouchctl(), "migrate", "--database", url, *words], stdout=subprocess.PIPE,
                            stderr=subprocess.STDOUT, text=True, env=environment(), stdin=subprocess.DEVNULL)


def migrate(url, *words):
    process = start(url, *words)
    said = process.communicate()[0]
    return process.returncode, said


class Migrate(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.cluster = Cluster().make()
        cls.cluster.sql("CREATE ROLE installer LOGIN CREATEROLE")
        cls.cluster.sql("CREATE ROLE passer LOGIN")
        cls.first = cls.made_without_superuser()
        cls.whole = cls.made_as_superuser()
        cls.expected = cls.whole.sql(MADE)

    @classmethod
    def tearDownClass(cls):
        cls.cluster.close()

    @classmethod
    def empty(cls):
        return cls.cluster.database(migrated=False)

    @classmethod
    def made_without_superuser(cls):
        """The first of its cluster: the roles are still to be made."""
        d = cls.empty()
        d.sql('GRANT CREATE ON DATABASE "%s" TO installer' % d.name)
        cls.first_said = migrate(cls.cluster.url(d.name, "installer"))
        return d

    @classmethod
    def made_as_superuser(cls):
        d = cls.empty()
        cls.whole_said = migrate(d.owner)
        return d

    def well(self, database, message=None):
        self.assertEqual(database.sql(MADE), self.expected, message)

    def test_fresh(self):
        """a fresh database gets schema, functions, lexicon and store main"""
        code, said = self.whole_said
        self.assertEqual(code, 0, said)
        self.assertEqual(len(re.findall(r"(?m)^applied sql/schema/", said)), len(FILES))
        self.assertIn("applied the functions", said)
        self.assertIn("in %d languages" % LOCALES, said)
        self.assertIn("made store main", said)
        self.assertIn("schema %d is ready" % KNOWN, said)
        self.assertEqual(int(self.whole.value("SELECT count(*) FROM vouch.migration")), len(FILES))
        self.assertEqual(int(self.whole.value("SELECT count(DISTINCT locale) FROM vouch.abuse_term")), LOCALES)

    def test_owner(self):
        """everything belongs to vouch_owner, under row-level security that binds it too"""
        self.assertEqual(self.whole.sql(
            "SELECT c.relname FROM pg_class c WHERE c.relnamespace = 'vouch'::regnamespace AND c.relkind IN ('r','v','S')"
            " AND c.relowner <> 'vouch_owner'::regrole"), [])
        self.assertEqual(self.whole.sql(
            "SELECT c.relname FROM pg_class c WHERE c.relnamespace = 'vouch'::regnamespace AND c.relkind = 'r'"
            " AND NOT (c.relrowsecurity AND c.relforcerowsecurity)"), [])
        self.assertEqual(self.whole.value(
            "SELECT count(*) FROM pg_roles WHERE rolname = 'vouch_owner' AND NOT rolcanlogin AND NOT rolbypassrls"), "1")

    def test_again(self):
        """a second time nothing is to be done, and nothing is"""
        before = self.whole.sql("SELECT xmin::text FROM vouch.installation UNION ALL SELECT max(xmin::text) FROM pg_proc"
                                " WHERE pronamespace = 'vouch'::regnamespace")
        code, said = migrate(self.whole.owner)
        self.assertEqual(code, 0, said)
        self.assertEqual(said, "schema %d is up to date, nothing was to be done\n" % KNOWN)
        self.assertEqual(self.whole.sql("SELECT xmin::text FROM vouch.installation UNION ALL SELECT max(xmin::text)"
                                        " FROM pg_proc WHERE pronamespace = 'vouch'::regnamespace"), before)

    def test_changed(self):
        """changed functions and lexicon are applied again, and only they"""
        d = self.made_as_superuser()
        d.sql("UPDATE vouch.installation SET functions_print = 'other'; DROP FUNCTION vouch.health CASCADE")
        code, said = migrate(d.owner)
        self.assertEqual((code, said.count("applied")), (0, 1), said)
        self.assertIn("applied the functions", said)
        d.sql("UPDATE vouch.installation SET lexicon_print = NULL; DELETE FROM vouch.abuse_term WHERE locale = 'en'")
        code, said = migrate(d.owner)
        self.assertEqual((code, said.count("applied")), (0, 1), said)
        self.well(d)

    def test_without_superuser(self):
        """a role with CREATEROLE, and CREATE on the database, makes roles and all the same"""
        code, said = self.first_said
        self.assertEqual(code, 0, said)
        self.assertIn("made the roles vouch_owner, vouch_module, vouch_operator, vouch_viewer", said)
        self.well(self.first)
        code, said = migrate(self.cluster.url(self.first.name, "installer"))
        self.assertEqual(code, 0, said)
        code, said = migrate(self.first.owner)
        self.assertIn("nothing was to be done", said)

    def test_rights(self):
        """who may not make it is told what is missing, and leaves nothing behind"""
        d = self.empty()
        code, said = migrate(self.cluster.url(d.name, "passer"))
        self.assertEqual(code, 1, said)
        self.assertIn("CREATEROLE", said)
        self.assertEqual(d.value("SELECT count(*) FROM pg_namespace WHERE nspname = 'vouch'"), "0")

    def test_two(self):
        """two at once, eight times: both succeed, one waits, nothing is done twice"""
        for _ in range(8):
            d = self.empty()
            both = [start(d.owner), start(d.owner)]
            said = [p.communicate()[0] for p in both]
            self.assertEqual([p.returncode for p in both], [0, 0], said)
            self.assertEqual("".join(said).count("applied sql/schema/"), len(FILES), said)
            self.assertEqual("".join(said).count("made store main"), 1, said)
            self.well(d)

    def test_two_databases(self):
        """several databases of one cluster at once"""
        four = [self.empty() for _ in range(4)]
        started = [start(d.owner) for d in four]
        said = [p.communicate()[0] for p in started]
        self.assertEqual([p.returncode for p in started], [0] * 4, said)
        for d in four:
            self.well(d)

    def test_wait(self):
        """it says that it waits for another migration, and waits"""
        d = self.empty()
        holder = threading.Thread(target=d.sql, args=("BEGIN; %s; SELECT pg_sleep(2); COMMIT" % LOCK,))
        holder.start()
        time.sleep(0.5)
        begun = time.monotonic()
        code, said = migrate(d.owner)
        holder.join()
        self.assertEqual(code, 0, said)
        self.assertIn("waiting for it, at most 60 s", said)
        self.assertGreater(time.monotonic() - begun, 1)
        self.well(d)

    def test_table_in_use(self):
        """a table that somebody holds is waited for, no longer than stated, and it says so"""
        d = self.made_as_superuser()
        d.sql("UPDATE vouch.installation SET functions_print = NULL")
        holder = threading.Thread(target=d.sql, args=(
            "BEGIN; LOCK vouch.review IN ACCESS SHARE MODE; SELECT pg_sleep(4); COMMIT",))
        holder.start()
        time.sleep(0.5)
        code, said = migrate(d.owner)
        holder.join()
        self.assertEqual(code, 0, said)
        self.well(d)

    def test_killed(self):
        """killed in the middle, ten times: the next one completes it"""
        begun = time.monotonic()
        self.made_as_superuser()
        whole = time.monotonic() - begun
        reached = set()
        for i in range(10):
            d = self.empty()
            process = start(d.owner)
            time.sleep(whole * (i + random.random()) / 10)
            process.kill()
            process.communicate()
            at = d.value("SELECT to_regclass('vouch.migration') IS NOT NULL")
            reached.add(d.value("SELECT count(*) FROM vouch.migration") if at == "t" else "none")
            code, said = migrate(d.owner)
            self.assertEqual(code, 0, said)
            self.well(d, "killed after part %d of 10" % i)
        print("killed at schemas", sorted(reached))
        self.assertGreater(len(reached), 1)

    def test_killed_at_each_file(self):
        """killed after each of the schema files: the next one goes on from there"""
        for number in (int(f[:4]) for f in FILES[:-1]):
            d = self.empty()
            process = start(d.owner)
            for line in process.stdout:
                if "applied sql/schema/%04d" % number in line:
                    process.kill()
                    break
            process.communicate()
            code, said = migrate(d.owner)
            self.assertEqual(code, 0, said)
            self.well(d)

    def test_newer(self):
        """a newer schema is refused by name and left alone"""
        d = self.made_as_superuser()
        d.sql("INSERT INTO vouch.migration VALUES (%d, 'from_the_future'); UPDATE vouch.installation SET functions_print = 'x'"
              % (KNOWN + 2))
        code, said = migrate(d.owner)
        self.assertEqual(code, 1)
        self.assertIn("this database has schema %d, this vouchctl knows %d" % (KNOWN + 2, KNOWN), said)
        self.assertEqual(d.value("SELECT functions_print FROM vouch.installation"), "x")

    def test_foreign(self):
        """a schema vouch that no migration made is not touched"""
        d = self.empty()
        d.sql("CREATE SCHEMA vouch; CREATE TABLE vouch.mine (x int)")
        code, said = migrate(d.owner)
        self.assertEqual(code, 1)
        self.assertIn("no migration of vouchctl made it", said)

    def test_encoding(self):
        """a database that is not UTF8 is refused"""
        self.cluster.sql("CREATE DATABASE latin ENCODING 'LATIN1' LC_COLLATE 'C' LC_CTYPE 'C' TEMPLATE template0")
        code, said = migrate(self.cluster.url("latin"))
        self.assertEqual(code, 1)
        self.assertIn("UTF8", said)

    def test_stores(self):
        """a named store is made beside others, main only where there is none"""
        d = self.empty()
        self.assertIn("made store north", migrate(d.owner, "--store", "north")[1])
        self.assertIn("made store south", migrate(d.owner, "--store", "south")[1])
        self.assertIn("nothing was to be done", migrate(d.owner)[1])
        self.assertEqual(d.sql("SELECT store_id FROM vouch.store ORDER BY 1"), [["north"], ["south"]])
        code, said = migrate(d.owner, "--store", "No good")
        self.assertEqual(code, 1, said)

    def test_settings_of_the_login(self):
        """defaults of role and database do not matter"""
        d = self.empty()
        d.sql("""ALTER DATABASE "%s" SET search_path = nowhere; ALTER DATABASE "%s" SET lock_timeout = '1ms';
                 ALTER DATABASE "%s" SET statement_timeout = '20ms'; ALTER DATABASE "%s" SET check_function_bodies = on;
                 ALTER DATABASE "%s" SET default_transaction_isolation = 'serializable';
                 ALTER DATABASE "%s" SET default_transaction_read_only = on""" % ((d.name,) * 6))
        code, said = migrate(d.owner)
        self.assertEqual(code, 0, said)
        self.cluster.sql('ALTER DATABASE "%s" RESET ALL' % d.name)
        self.well(d)

    def test_pgbouncer(self):
        """through PgBouncer in transaction mode, two at once"""
        with self.cluster.pgbouncer(pool=3) as b:
            d = self.empty()
            both = [start(b.url(d.name)), start(b.url(d.name))]
            said = [p.communicate()[0] for p in both]
            self.assertEqual([p.returncode for p in both], [0, 0], said)
            self.well(d)
            d = self.empty()
            d.sql('GRANT CREATE ON DATABASE "%s" TO installer' % d.name)
            code, text = migrate(b.url(d.name, "installer"))
            self.assertEqual(code, 0, text)
            self.well(d)

    def test_unreachable(self):
        """a server that is not there is said in one line"""
        code, said = migrate("postgresql://postgres@127.0.0.1:1/none")
        self.assertEqual((code, said.count("\n")), (1, 1), said)


tap.main()
