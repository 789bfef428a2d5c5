#!/usr/bin/python3
# SPDX-License-Identifier: MIT
# build: release asan
# timeout: 600
"""vouchctl at a terminal: the command line, emit, queue, approve, reject, step, run and check."""
import json
import os
import pty
import re
import signal
import subprocess
import sys
import tempfile
import time
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import tap
from cluster import Cluster, vouchctl

KEY = "a key of the store, long enough to be one"


def environment(**more):
    env = {k: v for k, v in os.environ.items() if k != "LD_PRELOAD" and not k.startswith(("VOUCH_", "PG"))}
    env["ASAN_OPTIONS"] = env.get("ASAN_OPTIONS", "").replace("detect_leaks=0", "detect_leaks=1")
    return dict(env, **more)


def run(*words, text=None, **env):
    """Exit status, standard output, standard error."""
    done = subprocess.run([vouchctl(), *words], input=text, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                          env=environment(**env))
    return done.returncode, done.stdout, done.stderr


def event(kind, name, data, **more):
    return dict({"specversion": "1.0", "id": name, "source": "/shop", "type": kind, "time": "2026-11-01T10:00:00Z",
                 "data": data}, **more)


def order(number, **more):
    return event("order.placed", "placed-%s" % number, {"order": {
        "id": number, "placed_at": "2026-10-01T10:00:00Z", "customer": {"id": "c-" + number, "email": "anna@example.test"},
        "items": [{"id": "1", "product_id": "kettle"}]}}, **more)


def review(name, body="It boils.", rating=5, product="kettle", **author):
    return event("review.submitted", "submitted-" + name, {"review": {
        "id": name, "product_id": product, "rating": rating, "body": body, "locale": "en", "author": author or {"name": "X"}}})


class Vouchctl(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.cluster = Cluster.shared()

    def setUp(self):
        self.database = self.cluster.database()
        self.folder = tempfile.TemporaryDirectory()

    def tearDown(self):
        self.cluster.drop(self.database)
        self.folder.cleanup()

    def path(self, name):
        return os.path.join(self.folder.name, name)

    def options(self, **more):
        path = self.path("options.json")
        with open(path, "w") as f:
            json.dump(dict({"database": self.database.url}, **more), f)
        return path

    def run_here(self, *words, **more):
        return run(*words, "--database", self.database.url, **more)

    def emit(self, *events):
        code, out, err = self.run_here("emit", "-", text="\n".join(json.dumps(e) for e in events))
        self.assertEqual(code, 0, out + err)
        return [json.loads(line) for line in out.splitlines()]

    def held(self, *args, **more):
        return self.emit(review(*args, **more))[0]["review"]["review_id"]

    # The command line.

    def test_usage(self):
        """what is not understood is 2 and says so; help and version are 0"""
        for words in ([], ["publish"], ["plan", "x"], ["train"], ["queue", "more"], ["approve"], ["queue", "--jsn"], ["queue", "--store"],
                      ["queue", "--json=yes"], ["queue", "--json", "--json"], ["reject", "1"], ["approve", "one"],
                      ["approve", "-1"], ["approve", "1x"], ["step", "--budget", "0"], ["run", "--threads", "65"],
                      ["emit"], ["approve", "1", "--store", "*"], ["queue", "--store", "*"]):
            code, out, err = run(*words)
            self.assertEqual((code, out), (2, ""), (words, err))
            self.assertTrue(err.startswith("vouchctl: "), err)
        code, out, err = run("help")
        self.assertEqual((code, err), (0, ""))
        for name in "migrate check step run emit queue approve reject".split():
            self.assertIn("vouchctl " + name, out)
        self.assertEqual(run("--help")[1], out)
        self.assertEqual(run("--version")[0], 0)

    def test_manual(self):
        """the manual names every command and option, and no other"""
        page = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "plugin", "cli", "vouchctl.1")
        with open(page, encoding="utf-8") as f:
            manual = f.read()
        known = [line.split()[1] for line in run("help")[1].splitlines() if line.startswith("  vouchctl")]
        named = re.findall(r"(?m)^\.It (?:Xo )?Cm (\S+)", manual)
        self.assertEqual(named, known)
        for word in run("help")[1].split():
            if word.strip("[]").startswith("--"):
                self.assertIn("Fl -" + word.strip("[]")[2:], manual)

    def test_options(self):
        """a file, then the command line over it, and the environment for what neither says"""
        nowhere = "postgresql://shop@127.0.0.1:1/none"
        file = self.options()
        self.assertEqual(run("queue", "--options", file)[0], 0)
        self.assertEqual(run("queue", "--options=" + file, VOUCH_DATABASE_URL=nowhere)[0], 0)
        self.assertEqual(run("queue", "--options", file, "--database", nowhere)[0], 1)
        self.assertEqual(run("queue", VOUCH_DATABASE_URL=self.database.url)[0], 0)
        self.assertEqual(run("queue", "--database", self.database.url, VOUCH_DATABASE_URL=nowhere)[0], 0)
        self.database.sql("INSERT INTO vouch.store (store_id) VALUES ('north')")
        code, out, err = self.run_here("approve", "1", VOUCH_STORE="north")
        self.assertIn("in store north", err)
        for bad, why in (("{", "line 1"), ("[]", "object"), ('{"stor":"main"}', "/stor"), ('{"store":"A"}', "/store")):
            with open(file, "w") as f:
                f.write(bad)
            code, out, err = run("queue", "--options", file)
            self.assertEqual((code, out), (1, ""))
            self.assertIn(why, err)
        code, out, err = run("queue", "--options", self.path("none"))
        self.assertIn("No such file", err)
        self.assertEqual(code, 1)

    # emit

    def test_emit(self):
        """an event, an array, one a line, from a file or the standard input"""
        path = self.path("event.json")
        with open(path, "w") as f:
            json.dump(order("1"), f, indent=2)
        self.assertEqual(self.run_here("emit", path)[0], 0)
        code, out, _ = self.run_here("emit", "-", text="\n " + json.dumps([order("2"), order("3")], indent=1))
        self.assertEqual((code, len(json.loads(out)["results"])), (0, 2))
        code, out, _ = self.run_here("emit", "-", text="\n\n".join(json.dumps(order(n)) for n in "456") + "\n")
        self.assertEqual((code, len(out.splitlines())), (0, 3))
        self.assertEqual(self.database.value("SELECT count(*) FROM vouch.sales_order"), "6")
        self.assertEqual(self.run_here("emit", path)[1], self.run_here("emit", path)[1])

    def test_emit_refused(self):
        """what is refused is 1, with the place; the lines after it still go in"""
        lines = [json.dumps(order("1")), '{"specversion":"1.0"}', "not json", json.dumps(order("2"))]
        code, out, err = self.run_here("emit", "-", text="\n".join(lines))
        self.assertEqual((code, len(out.splitlines())), (1, 4), err)
        self.assertIn("line 2", err)
        self.assertIn("line 3", err)
        self.assertEqual(self.database.value("SELECT count(*) FROM vouch.sales_order"), "2")
        code, out, err = self.run_here("emit", "-", text=json.dumps([order("3"), {"id": 5}]))
        self.assertEqual(code, 1)
        self.assertEqual(json.loads(out)["type"], "urn:vouch:problem:invalid")
        for text in ("", " \n\n"):
            self.assertEqual(self.run_here("emit", "-", text=text)[0], 1)
        self.assertEqual(self.run_here("emit", self.path("none"))[0], 1)
        self.assertEqual(self.database.value("SELECT count(*) FROM vouch.sales_order"), "2")

    def test_emit_spooled(self):
        """with PostgreSQL away events are spooled, which check shows; without a spool it fails"""
        options = self.options(database="postgresql://shop@127.0.0.1:1/none", spool=self.path("spool"))
        code, out, err = run("emit", "-", "--options", options, text=json.dumps(order("1")))
        self.assertEqual(code, 0, err)
        self.assertIn("spooled", err)
        code, out, err = run("check", "--options", options)
        self.assertEqual(code, 1)
        self.assertRegex(out, "(?m)^problem  PostgreSQL cannot be reached")
        self.assertRegex(out, "(?m)^warning  the spool .* holds 1 events")
        options = self.options(database="postgresql://shop@127.0.0.1:1/none", secrets={"key": KEY})
        code, out, err = run("emit", "-", "--options", options, text=json.dumps(order("1")))
        self.assertEqual(code, 1, err)
        self.assertEqual(json.loads(out)["type"], "urn:vouch:problem:unavailable")

    # queue, approve, reject

    def test_queue(self):
        """the queue shows why, with the marked words, what is verified, how long and until when"""
        self.assertEqual(self.run_here("queue")[:2], (0, "nothing is held\n"))
        first = self.held("r-1", product="Tējkanna")
        second = self.held("r-2", body="The owner is a fucking idiot.", rating=1)
        code, out, err = self.run_here("queue")
        self.assertEqual((code, err), (0, ""))
        lines = out.splitlines()
        self.assertEqual(lines[0].split(), "REVIEW STARS PRODUCT VERIFIED HELD DEADLINE WHY".split())
        self.assertEqual([line.split()[0] for line in lines[1:]], [str(second), str(first)])
        self.assertRegex(lines[1], r"^%d +1 +kettle +no +0m +in 2d" % second)
        self.assertIn("“idiot”", lines[1])
        self.assertIn("unverified (no_author)", lines[1])
        self.assertRegex(lines[2], r"^%d +5 +Tējkanna +no +0m +in 6d +unverified" % first)
        self.database.sql("SET ROLE vouch_owner; SELECT vouch.set_clock_offset('8 days')")
        self.assertRegex(self.run_here("queue")[1].splitlines()[2], r" 8d +overdue 24h ")
        rows = json.loads(self.run_here("queue", "--json")[1])
        self.assertEqual([r["review_id"] for r in rows], [second, first])
        self.assertEqual(rows[1]["product_id"], "Tējkanna")

    def test_queue_long(self):
        """more than a page, each once, nearest deadline first"""
        self.emit(*[review("r-%d" % i) for i in range(450)])
        rows = json.loads(self.run_here("queue", "--json")[1])
        self.assertEqual(len({r["review_id"] for r in rows}), 450)
        self.assertEqual(len(self.run_here("queue")[1].splitlines()), 451)

    def test_queue_terminal(self):
        """what outsiders wrote cannot steer the terminal"""
        self.held("r-1", product="a\u202eb\u009bc\u2066d")
        out = self.run_here("queue")[1]
        self.assertIn("a?b?c?d", out)

    def test_approve(self):
        """approve publishes, in the name of the login or of --operator"""
        first, second = self.held("r-1"), self.held("r-2")
        self.assertEqual(self.run_here("approve", str(first))[:2], (0, "review %d is published\n" % first))
        self.assertEqual(self.run_here("approve", str(second), "--operator", "olga", "--note", "I know her")[0], 0)
        self.assertEqual(self.database.sql("SELECT d.actor, d.automated, n.note FROM vouch.review_decision d"
                                           " LEFT JOIN vouch.decision_note n USING (store_id, decision_id)"
                                           " WHERE d.action = 'approve' ORDER BY d.decision_id"),
                         [["shop", "f", None], ["olga", "f", "I know her"]])
        self.assertEqual(self.run_here("queue")[1], "nothing is held\n")
        code, out, err = self.run_here("approve", str(first))
        self.assertEqual((code, out), (1, ""))
        self.assertIn("is published", err)
        self.assertEqual(self.run_here("approve", "999999")[0], 1)

    def test_reject(self):
        """reject needs a ground of the closed list and the facts"""
        number = str(self.held("r-1", body="You fucking idiot"))
        for words, why in ((["--ground", "low_rating", "--explanation", "x"], "abusive"),
                           (["--ground", "abusive"], "facts"), (["--ground", "abusive", "--explanation", " "], "facts")):
            code, out, err = self.run_here("reject", number, *words)
            self.assertEqual((code, out), (1, ""))
            self.assertIn(why, err)
        self.assertEqual(self.run_here("reject", number, "--explanation", "x")[0], 2)
        code, out, err = self.run_here("reject", number, "--ground", "abusive", "--explanation", "insults", "--operator=olga")
        self.assertEqual((code, out), (0, "review %s is rejected\n" % number))
        self.assertEqual(self.database.sql("SELECT actor, ground FROM vouch.review_decision WHERE action = 'reject'"),
                         [["olga", "abusive"]])

    # step and run

    def test_step(self):
        """step says how much it did, and links the record"""
        self.held("r-1")
        code, out, err = self.run_here("step")
        self.assertEqual((code, err), (0, ""))
        self.assertEqual(sorted(json.loads(out)), ["done", "in_flight", "next_ms"])
        self.assertEqual(self.database.value("SELECT count(*) FROM vouch.record_link"), "1")
        self.assertEqual(self.run_here("step", "--budget", "100")[0], 0)
        self.assertEqual(run("step", "--database", "postgresql://shop@127.0.0.1:1/none")[0], 1)

    def stop(self, process, how):
        process.send_signal(how)
        out, err = process.communicate(timeout=60)
        return process.returncode, out, err

    def worker(self, *words):
        process = subprocess.Popen([vouchctl(), "run", "--database", self.database.url, *words], text=True,
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment())
        self.assertIn("working for store", process.stdout.readline())
        return process

    def eventually(self, sql, value):
        until = time.monotonic() + 20
        while self.database.value(sql) != value and time.monotonic() < until:
            time.sleep(0.1)
        self.assertEqual(self.database.value(sql), value)

    def test_run(self):
        """run works until SIGTERM or SIGINT and stops in order"""
        for how in (signal.SIGTERM, signal.SIGINT):
            process = self.worker()
            self.held("r-%d" % how)
            self.eventually("SELECT count(*) FROM vouch.review_decision d WHERE NOT EXISTS"
                            " (SELECT FROM vouch.record_link k WHERE k.decision_id = d.decision_id)", "0")
            self.assertEqual(self.stop(process, how), (0, "stopping\nstopped\n", ""))

    def test_run_all(self):
        """run --store '*' serves every store"""
        self.database.sql("INSERT INTO vouch.store (store_id) VALUES ('north'), ('south')")
        process = self.worker("--store", "*", "--threads", "1")
        for store in ("main", "north", "south"):
            code, out, err = self.run_here("emit", "-", "--store", store, text=json.dumps(review("r-1")))
            self.assertEqual(code, 0, err)
        self.eventually("SELECT count(*) FROM vouch.record_head", "3")
        self.assertEqual(self.stop(process, signal.SIGTERM)[0], 0)

    def test_run_outage(self):
        """run starts with PostgreSQL away, and can be stopped"""
        process = subprocess.Popen([vouchctl(), "run", "--database", "postgresql://shop@127.0.0.1:1/none"], text=True,
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment())
        self.assertIn("working for store main", process.stdout.readline())
        self.assertEqual(self.stop(process, signal.SIGTERM)[0], 0)

    # check

    def configured(self):
        self.database.sql("""UPDATE vouch.store SET base_url = 'https://shop.example/reviews', smtp_url = 'smtps://relay.example:465',
            mail_from = 'Shop <shop@shop.example>'; INSERT INTO vouch.operator VALUES ('main', 'olga', 'moderator')""")

    def findings(self, *words, **options):
        code, out, err = run("check", "--json", "--options", self.options(spool=self.path("spool"), **options), *words)
        self.assertEqual(err, "")
        found = json.loads(out)
        self.assertEqual(code, 1 if found["problems"] else 0)
        for level in ("problem", "warning"):
            self.assertEqual(found[level + "s"], sum(f["level"] == level for f in found["findings"]))
        for one in found["findings"]:
            self.assertEqual("mend" in one, one["level"] != "ok", one)
        return {(f["level"], f["what"]) for f in found["findings"]}

    def assertFound(self, level, words, found):
        self.assertTrue([w for l, w in found if l == level and words in w], (level, words, sorted(found)))

    def test_check_well(self):
        """a store as it should be has no finding but ok"""
        self.configured()
        self.assertEqual([f for f in self.findings() if f[0] != "ok"], [])
        self.held("r-1")
        self.run_here("step")
        found = self.findings()
        self.assertEqual([f for f in found if f[0] != "ok"], [])
        self.assertFound("ok", "head is signed, over 1 decisions", found)
        self.assertFound("ok", "kept in the database", found)
        code, out, err = self.run_here("check")
        self.assertEqual((code, err), (0, ""))
        self.assertTrue(out.endswith("0 problems, 0 warnings\n"), out)

    def test_check_changes_nothing(self):
        """check only looks"""
        self.findings()
        self.assertIsNone(self.database.value("SELECT key_fingerprint FROM vouch.installation"))
        self.assertEqual(self.database.value("SELECT count(*) FROM vouch.secret"), "0")
        self.assertFalse(os.path.exists(self.path("spool")))

    def test_check_settings(self):
        """settings that are missing or unwise"""
        found = self.findings()
        for column in ("base_url", "smtp_url", "mail_from"):
            self.assertFound("warning", column + " is not set", found)
        self.assertFound("warning", "nobody in table operator", found)
        self.emit(order("1"), event("order.delivered", "d-1", {"order": {"id": "1", "delivered_at": "2026-10-02T10:00:00Z"}}))
        self.assertFound("problem", "smtp_url is not set", self.findings())
        self.configured()
        self.database.sql("UPDATE vouch.store SET base_url = 'http://shop.example', mail_from = 'Shop', smtp_user = 'shop'")
        found = self.findings()
        self.assertFound("warning", "is not https", found)
        self.assertFound("problem", "mail_from is no address", found)
        self.assertFound("warning", "smtp_user", found)
        self.assertFound("problem", "no such store", self.findings("--store", "north"))

    def test_check_login(self):
        """the login: a superuser, a stranger"""
        code, out, err = run("check", "--database", self.database.owner)
        self.assertRegex(out, "(?m)^warning  the login .* is a superuser")
        self.cluster.sql("DO $$ BEGIN CREATE ROLE stranger LOGIN; EXCEPTION WHEN duplicate_object THEN NULL; END $$")
        code, out, err = run("check", "--database", self.cluster.url(self.database.name, "stranger"))
        self.assertEqual(code, 1)
        self.assertRegex(out, "(?m)^problem  the login stranger is not a member of vouch_module; to mend it: .*grant")

    def test_check_schema(self):
        """no schema, an older one, a newer one, other functions"""
        empty = self.cluster.database(migrated=False)
        code, out, err = run("check", "--database", empty.owner)
        self.assertEqual(code, 1)
        self.assertIn("no schema vouch; to mend it: vouchctl migrate", out)
        self.cluster.drop(empty)
        self.database.sql("UPDATE vouch.installation SET functions_print = 'x'")
        self.assertFound("problem", "functions in schema vouch are of another version", self.findings())
        self.database.sql("INSERT INTO vouch.migration VALUES (999, 'later')")
        self.assertFound("problem", "has schema 999, this vouchctl knows", self.findings())
        self.database.sql("DELETE FROM vouch.migration WHERE number > 1")
        self.assertFound("problem", "has schema 1, this vouchctl needs", self.findings())

    def test_check_key(self):
        """the key: of the options, of the database, another one"""
        self.assertFound("ok", "no key was used yet", self.findings())
        step = run("step", "--options", self.options(secrets={"key": KEY}))
        self.assertEqual(step[0], 0, step)
        self.assertFound("ok", "kept in the options", self.findings(secrets={"key": KEY}))
        self.assertFound("problem", "is not the one of this database", self.findings(secrets={"key": KEY + "!"}))
        self.assertFound("problem", "is not the one of this database", self.findings())
        self.assertRegex(self.run_here("check")[1], "(?m)^warning  the key of this database")

    def test_check_clock(self):
        """a clock that is set off"""
        self.database.sql("SET ROLE vouch_owner; SELECT vouch.set_clock_offset('3 days')")
        self.assertFound("warning", "3 days", self.findings())

    def test_check_work(self):
        """work that nobody does: holds past their deadline, decisions not on the record, mail, events"""
        self.configured()
        self.held("r-1")
        self.emit(order("1"), event("order.delivered", "d-1", {"order": {"id": "1", "delivered_at": "2026-10-02T10:00:00Z"}}))
        self.database.sql("SET ROLE vouch_owner; SELECT vouch.set_clock_offset('9 days')")
        found = self.findings()
        self.assertFound("problem", "1 held reviews are past their deadline", found)
        self.assertFound("warning", "1 decisions are not yet on the signed record", found)
        self.assertFound("warning", "events for the store wait", found)

    def test_check_fairness(self):
        """what waits for people too long, and low stars that fare worse"""
        self.configured()
        self.held("r-1")
        self.assertFound("ok", "published as often as many; 0 objections and 0 reports", self.findings())
        self.database.sql("UPDATE vouch.review_revision SET escalated_at = now() WHERE state = 'held'")
        self.database.sql("INSERT INTO vouch.review_report (store_id, review_id, explanation, good_faith, reported_at)"
                          " SELECT 'main', review_id, 'x', true, now() - interval '8 days' FROM vouch.review")
        self.database.sql("INSERT INTO vouch.parity_total (store_id, rating, received, published, rejected) VALUES ('main', 1, 100, 10, 90), ('main', 5, 100, 95, 5)")
        found = self.findings()
        self.assertFound("warning", "1 held reviews passed their deadline", found)
        self.assertFound("warning", "1 reports wait for an answer, the oldest for 8 days", found)
        self.assertFound("warning", "few stars are published less often", found)

    def test_check_spool(self):
        """a spool that cannot be written"""
        code, out, err = run("check", "--options", self.options(spool=self.path("no/such/spool")))
        self.assertEqual(code, 1)
        self.assertRegex(out, "(?m)^problem  the spool .* cannot be written")
        code, out, err = run("check", "--options", self.options())
        self.assertRegex(out, "(?m)^warning  there is no spool")

    def tampered(self, sql):
        self.held("r-1")
        self.run_here("step")
        self.database.sql("SET session_replication_role = replica; " + sql)
        return self.findings()

    def test_check_words(self):
        """stars that somebody changed behind the triggers"""
        self.assertFound("problem", "words or stars of a review were changed",
                         self.tampered("UPDATE vouch.review_revision SET rating = 1"))

    def test_check_decision(self):
        """a decision that somebody changed"""
        self.assertFound("problem", "a decision was changed or removed",
                         self.tampered("UPDATE vouch.review_decision SET actor = 'nobody'"))

    def test_check_signature(self):
        """a head whose signature is not genuine, or is of another key"""
        self.assertFound("problem", "not genuine",
                         self.tampered("UPDATE vouch.record_head SET signature = set_byte(signature, 3, 7)"))

    def test_check_other_signer(self):
        """a head that is signed again by somebody else"""
        other = self.cluster.database()
        self.held("r-1")
        self.run_here("step")
        step = run("emit", "-", "--database", other.url, text=json.dumps(review("r-1")))
        self.assertEqual((step[0], run("step", "--database", other.url)[0]), (0, 0))
        hash_, signature, key = other.sql("SELECT hash, signature, public_key FROM vouch.record_head")[0]
        self.cluster.drop(other)
        self.database.sql("SET session_replication_role = replica; UPDATE vouch.record_head SET hash = '%s', signature = '%s',"
                          " public_key = '%s'" % (hash_, signature, key))
        found = self.findings()
        self.assertFound("problem", "signed with another key", found)
        self.assertFound("problem", "the end of the chain is not the signed one", found)

    # The terminal.

    def test_progress(self):
        """on a terminal there is progress, and its line is taken away again"""
        empty = self.cluster.database(migrated=False)
        pid, terminal = pty.fork()
        if pid == 0:
            os.execvpe(vouchctl(), [vouchctl(), "migrate", "--database", empty.owner], environment())
        said = b""
        try:
            while chunk := os.read(terminal, 65536):
                said += chunk
        except OSError:
            pass
        self.assertEqual(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), 0)
        os.close(terminal)
        self.cluster.drop(empty)
        self.assertIn(b"sql/function/", said)
        self.assertIn(b"\r\033[K", said)

    def test_closed_output(self):
        """an output that cannot be written is a failure"""
        with open("/dev/full", "w") as full:
            code = subprocess.call([vouchctl(), "help"], stdout=full, env=environment())
        self.assertEqual(code, 1)


tap.main()
