# SPDX-License-Identifier: MIT
# build: asan
"""500 requests through vouch.so to smtp-sinks of every mood over a line that breaks: none is lost, none comes
twice unless it was in doubt."""
import os
import random
import re
import shutil
import sys
import tempfile
import unittest
from collections import Counter

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(os.path.dirname(HERE), "lib"))
import cluster  # noqa: E402
import postfix  # noqa: E402
import tap  # noqa: E402
import vouch  # noqa: E402
from mailing import KEY, Shop  # noqa: E402

MAILS, ROUNDS = 500, 6
SEED = int(os.environ.get("VOUCH_SEED", str(random.randrange(10 ** 6))))
# Fine ones, soft errors, disconnects without and with a reply. A connection meets one of them by chance.
MOODS = [[], [], ["-p"], ["-8", "-e"], ["-r", "MAIL"], ["-r", "RCPT"], ["-r", "DATA"], ["-r", "."],
         ["-q", "MAIL"], ["-q", "RCPT"], ["-q", "DATA"], ["-q", "."], ["-Q", "RCPT"], ["-Q", "."]]


class Sinks(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.mkdtemp()
        self.addCleanup(shutil.rmtree, self.folder)
        os.chmod(self.folder, 0o777)
        self.sinks = []
        try:
            for i, mood in enumerate(MOODS):
                self.sinks.append(self.sink(str(i), mood))
        except postfix.Unavailable as e:
            self.skipTest("no smtp-sink here: %s" % e)
        self.cluster = cluster.Cluster.shared()
        self.addCleanup(self.cluster.close)
        self.shop = Shop(self.cluster)
        self.addCleanup(self.cluster.drop, self.shop.database)

    def sink(self, name, options):
        folder = os.path.join(self.folder, name)
        os.mkdir(folder)
        os.chmod(folder, 0o777)
        made = postfix.Sink(folder, *options)
        self.addCleanup(made.close)
        return made

    def module(self):
        made = vouch.Module({"database": self.shop.database.url, "secrets": {"key": KEY}})
        self.addCleanup(made.__exit__)
        return made

    def kept(self):
        """Message-IDs of all mails a sink took to the end, each as often as it came, and who got it.

        smtp-sink keeps also what it then answers with 4xx: that sender was told, so those do not count."""
        ids, people = Counter(), {}
        for sink in [s for s, mood in zip(self.sinks, MOODS) if mood not in (["-r", "."], ["-Q", "."])]:
            for to, data in sink.kept():
                found = re.search(rb"^Message-ID:\s*<(.*?)>", data, re.M | re.I)
                # What broke off before the dot was never answered: its last part has no end.
                boundary = re.search(rb'boundary="(.*?)"', data)
                if found and boundary and data.rstrip().endswith(b"--" + boundary.group(1) + b"--"):
                    ids[found.group(1).decode()] += 1
                    people.setdefault(found.group(1).decode(), set()).add(to)
        return ids, people

    def rows(self):
        return self.shop.sql(
            "SELECT min(a.message_id), m.state, m.doubts, count(DISTINCT a.message_id), r.order_id, m.attempts"
            " FROM vouch.outgoing_mail m JOIN vouch.review_request r ON r.request_id = m.subject_id"
            " LEFT JOIN vouch.send_attempt a ON a.mail_id = m.mail_id WHERE m.kind = 'request'"
            " GROUP BY m.mail_id, m.state, m.doubts, r.order_id, m.attempts")

    def due(self):
        """When all that still goes out is due, as an offset of the clock; None: nothing is."""
        return self.shop.value(
            "SELECT max(m.due_at) - clock_timestamp() + interval '1 second' FROM vouch.outgoing_mail m"
            " WHERE m.state IN ('queued', 'ambiguous') AND m.due_at < 'infinity'")

    def drain(self, module):
        """Until nothing is under way or due at once."""
        def done():
            return not self.shop.count("outgoing_mail", "state = 'sending' OR state IN ('queued', 'ambiguous')"
                                       " AND due_at < vouch.clock() + interval '1 minute'") \
                and not self.shop.count("review_request", "state = 'scheduled' AND due_at <= vouch.clock()")
        module.step_until(done, 60, 500)

    def test_moods(self):
        """500 mails, soft errors and disconnects at random: each counted by its Message-ID"""
        names = ["m%d" % i for i in range(MAILS)]
        self.shop.deliver(names)
        cuts, fine = 0, [s.port for s, mood in zip(self.sinks, MOODS) if not mood]
        for turn in range(ROUNDS):
            last = turn == ROUNDS - 1
            ports = fine if last else [s.port for s in self.sinks]
            module = self.module()   # a new host each time
            with postfix.Wire(*ports, chance=0 if last else 0.8, seed=SEED + turn) as wire:
                self.shop.configure(smtp_url=wire.url)
                self.drain(module)
                module.stop()
                cuts += wire.cuts
            due = self.due()
            print("round %d, seed %d: %d connections, %d cut; %s; next in %s" % (
                turn, SEED, len(wire.sent), wire.cuts, dict(Counter(r[1] for r in self.rows())), due), file=sys.stderr)
            if due:
                self.shop.clock(due)
        self.check(names)
        self.assertGreater(cuts, 0)

    def check(self, names):
        ids, people = self.kept()
        rows = self.rows()
        self.assertEqual(sorted(r[4] for r in rows), sorted(names))
        self.assertLessEqual(set(ids), {r[0] for r in rows})
        for message_id, state, doubts, different, order, attempts in rows:
            with self.subTest(order=order, seed=SEED):
                self.assertEqual(different, "1")
                self.assertIn((state, doubts), {("sent", "0"), ("sent", "1"), ("ambiguous", "2")})
                self.assertLessEqual(ids[message_id], 1 + int(doubts) if state == "sent" else 2)
                self.assertGreaterEqual(ids[message_id], 1 if state == "sent" else 0)
                self.assertLessEqual(people.get(message_id, set()), {order + "@buyer.test"})
        self.assertGreater(sum(r[1] == "sent" for r in rows), MAILS * 0.9)


if __name__ == "__main__":
    tap.main()
