#!/usr/bin/python3
# SPDX-License-Identifier: MIT
# build: release
"""Random histories of cases against a model: no illegal step, clocks right over business hours, holidays and both days the clocks
are changed, figures equal to a recomputation from the audit. VOUCH_ROUNDS histories (default 20), VOUCH_SEED."""
import datetime
import json
import os
import random
import statistics
import sys
import unittest
from zoneinfo import ZoneInfo

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(HERE, "..", "lib"), HERE]
import cluster
import psycopg2
import tap

ROUNDS = int(os.environ.get("VOUCH_ROUNDS", "20"))
SEED = int(os.environ.get("VOUCH_SEED", "7"))
UTC = datetime.timezone.utc
ALIVE = ["open", "contacted", "replied", "resolution_proposed", "confirmed", "not_confirmed", "mediation", "reopened"]
LEGAL = {   # action -> {from: to}
    "contact": {**{s: "contacted" for s in ("open", "reopened", "not_confirmed", "contacted")},
                **{s: s for s in ("replied", "resolution_proposed", "mediation", "confirmed")}},
    "reply": {**{s: s for s in ALIVE + ["closed"]}, **{s: "replied" for s in ("open", "contacted", "reopened")}},
    "propose": {s: "resolution_proposed" for s in ("open", "contacted", "replied", "resolution_proposed", "not_confirmed", "reopened")},
    "yes": {"resolution_proposed": "confirmed"}, "no": {"resolution_proposed": "not_confirmed"},
    "answer": {**{s: s for s in ALIVE}, "closed": "reopened"},
    "close": {s: "closed" for s in ALIVE if s != "mediation"},
    "reopen": {"closed": "reopened", "confirmed": "reopened"},
    "mediate": {s: "mediation" for s in ("open", "contacted", "replied", "resolution_proposed", "not_confirmed", "reopened")},
    "settled": {"mediation": "confirmed"}, "for_customer": {"mediation": "not_confirmed"}, "for_store": {"mediation": "closed"},
    "note": {s: s for s in ALIVE + ["closed"]},
}


def share(answers):
    answers = [bool(a) for a in answers]
    return sum(answers) / len(answers) if answers else None


class Hours:
    """Business time, written a second time: minute by minute where it matters, by whole windows elsewhere."""

    def __init__(self, zone, hours, holidays):
        self.zone, self.hours, self.holidays = ZoneInfo(zone), hours, holidays

    def instant(self, day, minutes):
        local = datetime.datetime.combine(day, datetime.time()) + datetime.timedelta(minutes=minutes)
        one, two = (local.replace(tzinfo=self.zone, fold=f).astimezone(UTC) for f in (0, 1))
        exists = one.astimezone(self.zone).replace(tzinfo=None) == local
        return two if exists else one      # doubled: the second one; skipped: as if not yet put forward

    def windows(self, start):
        day = start.astimezone(self.zone).date()
        for i in range(1500):
            today = day + datetime.timedelta(days=i)
            if today in self.holidays:
                continue
            if not self.hours:
                yield self.instant(today, 0), self.instant(today + datetime.timedelta(days=1), 0)
            last = None
            for opens, closes in sorted(self.hours.get(today.isoweekday(), [])):
                a, b = self.instant(today, opens), self.instant(today, closes)
                a = max(a, last) if last else a
                last = max(b, last) if last else b
                if a < b:
                    yield a, b

    def after(self, start, seconds):
        left = datetime.timedelta(seconds=seconds)
        for a, b in self.windows(start):
            a = max(a, start)
            if b > a:
                if b - a >= left:
                    return a + left
                left -= b - a
        return start + datetime.timedelta(seconds=seconds)

    def between(self, start, end):
        total = datetime.timedelta()
        for a, b in self.windows(start):
            if a >= end:
                break
            total += max(min(b, end) - max(a, start), datetime.timedelta())
        return int(total.total_seconds())


class Histories(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.cluster = cluster.Cluster.shared()
        cls.database = cls.cluster.database()
        cls.link = psycopg2.connect(cls.database.owner)
        cls.link.autocommit = True
        cls.cursor = cls.link.cursor()
        cls.ask("SET vouch.store = 'main'")

    @classmethod
    def ask(cls, text, *values):
        cls.cursor.execute(text, values)
        return cls.cursor.fetchall() if cls.cursor.description else []

    def random_hours(self, rng):
        zone = rng.choice(["Europe/Riga", "America/Sao_Paulo", "Asia/Tehran", "America/New_York", "Pacific/Auckland", "UTC"])
        hours = {}
        for day in range(1, 8):
            for opens, closes in rng.choice([[], [(540, 1020)], [(480, 720), (780, 1080)], [(0, 1440)], [(90, 210)], [(600, 900), (840, 1200)]]):
                hours.setdefault(day, []).append((opens, closes))
        if rng.random() < 0.15:
            hours = {}
        holidays = {datetime.date(2026, rng.randint(1, 12), rng.randint(1, 28)) for _ in range(rng.randint(0, 20))}
        self.ask("DELETE FROM vouch.business_hours; DELETE FROM vouch.holiday; UPDATE vouch.store SET timezone = %s", zone)
        for day, spans in hours.items():
            for opens, closes in spans:
                self.ask("INSERT INTO vouch.business_hours VALUES ('main', %s, make_interval(mins => %s)::time + interval '0', %s::time)",
                         day, opens, "%02d:%02d" % divmod(closes, 60))
        for day in holidays:
            self.ask("INSERT INTO vouch.holiday VALUES ('main', %s)", day)
        return Hours(zone, hours, holidays)

    def test_business_time(self):
        """deadlines and spans over hours, holidays and clock changes equal the model's"""
        rng = random.Random(SEED)
        for _ in range(ROUNDS):
            model = self.random_hours(rng)
            for _ in range(10):
                month, day = rng.choice([(3, 29), (10, 25), (3, 8), (11, 1), (4, 5), (9, 27), (rng.randint(1, 12), rng.randint(1, 28))])
                start = datetime.datetime(2026, month, day, rng.randint(0, 23), rng.randint(0, 59), rng.randint(0, 59), tzinfo=UTC) \
                    - datetime.timedelta(hours=rng.randint(0, 80))
                seconds = rng.choice([60, 3600, 4 * 3600, 86400, 5 * 86400, rng.randint(1, 10 ** 6)])
                end = start + datetime.timedelta(seconds=rng.randint(0, 20 * 86400))
                after, between = self.ask("SELECT vouch.business_after('main', %s, make_interval(secs => %s)), vouch.business_seconds('main', %s, %s)",
                                          start, seconds, start, end)[0]
                self.assertEqual(after, model.after(start, seconds), (model.zone, model.hours, model.holidays, start, seconds))
                self.assertEqual(between, model.between(start, end), (model.zone, model.hours, model.holidays, start, end))

    def test_spikes(self):
        """three years of weeks at many rates: planted spikes found in their week, at most one false alarm a product and year"""
        rng = random.Random(SEED + 2)
        import math

        def poisson(rate):
            limit, k, p = math.exp(-rate), 0, 1.0
            while True:
                p *= rng.random()
                if p <= limit:
                    return k
                k += 1
        years = false = planted = found = 0
        known = {}

        def tail(before, count):
            if (before, count) not in known:
                known[before, count] = self.ask("SELECT vouch.count_tail(%s, 12, %s) < vouch.spike_limit()", before, count)[0][0]
            return count >= 5 and known[before, count]
        for _ in range(max(ROUNDS, 10)):
            years += 3
            for _ in range(8):
                rate = rng.choice([0.02, 0.1, 0.3, 1, 2, 4])
                weeks = [poisson(rate) for _ in range(168)]
                spike = rng.randrange(20, 168) if rng.random() < 0.3 else None
                if spike is not None:
                    weeks[spike] += max(6, poisson(6 * rate + 6))
                    planted += 1
                for w in range(12, 168):
                    alarm = tail(sum(weeks[w - 12:w]), weeks[w])
                    if w == spike:
                        found += alarm
                    else:
                        false += alarm
        print("# %d product-years: %d of %d spikes found in their week, %d false alarms" % (years, found, planted, false))
        self.assertLessEqual(false, years)
        self.assertGreaterEqual(found, 0.9 * planted)

    def act(self, action, case, review):
        calls = {
            "contact": ("SELECT vouch.contact(%s, 'olga', 'phone', 'Called.')", case), "note": ("SELECT vouch.note_case(%s, 'olga', 'n')", case),
            "reply": ("SELECT vouch.reply(%s, 'olga', 'Thank you.', 'asked in public')", review),
            "propose": ("SELECT vouch.propose_resolution(%s, 'olga', 'refund', 'Your money back.')", case),
            "close": ("SELECT vouch.close_case(%s, 'olga')", case), "reopen": ("SELECT vouch.reopen_case(%s, 'olga')", case),
            "mediate": ("SELECT vouch.mediate_case(%s, 'olga', 'mara')", case),
            "answer": ("SELECT vouch.case_move('main', %s, 'answer', 'author', false, null, 'Hello.')", case),
            "yes": ("SELECT vouch.case_move('main', %s, 'confirm', 'author', false, null, null)", case),
            "no": ("SELECT vouch.case_move('main', %s, 'refuse', 'author', false, null, null)", case),
        }
        for outcome in ("settled", "for_customer", "for_store"):
            calls[outcome] = ("SELECT vouch.settle_mediation(%%s, 'mara', '%s', 'So be it.')" % outcome, case)
        self.ask(*calls[action])

    def test_histories(self):
        """no illegal step, targets and spans as the model has them, figures from the audit"""
        rng = random.Random(SEED + 1)
        self.ask("INSERT INTO vouch.operator VALUES ('main', 'olga', 'moderator'), ('main', 'mara', 'mediator')")
        self.ask("INSERT INTO vouch.case_policy (store_id, stars, respond_within, resolve_within) VALUES ('main', 2, '4 hours', '30 hours')")
        start = datetime.datetime(2026, 3, 26, 6, tzinfo=UTC)
        refused = done = 0
        for n in range(ROUNDS):
            model = self.random_hours(rng)
            at = start + datetime.timedelta(days=rng.choice([0, 1, 2, 211, 212]), minutes=rng.randint(0, 1440))

            def clock():
                self.ask("SELECT vouch.set_clock_offset(%s - now())", at)
            clock()
            review = self.ask(
                "SELECT (vouch.event_apply('main', 'review.submitted', jsonb_build_object('external_id', %s, 'product_id', %s, 'rating', %s, 'body', 'x',"
                " 'claim', 'anonymous', 'reasons', '[]'::jsonb, 'marks', '[]'::jsonb, 'topics', '[\"quality\"]'::jsonb), vouch.clock())"
                " #>> '{review,review_id}')::bigint", "h%d" % n, rng.choice("abc"), rng.randint(1, 2))[0][0]
            case, state, opened, respond, resolve = self.ask(
                "SELECT case_id, state, opened_at, respond_by, resolve_by FROM vouch.case WHERE review_id = %s", review)[0]
            self.assertEqual((respond, resolve), (model.after(opened, 4 * 3600), model.after(opened, 30 * 3600)))
            first = None
            for _ in range(rng.randint(1, 14)):
                at += datetime.timedelta(seconds=rng.choice([30, 3600, 7200, 40000, 90000, rng.randint(1, 400000)]))
                clock()
                action = rng.choice(list(LEGAL))
                goal = LEGAL[action].get(state)
                before = self.ask("SELECT count(*) FROM vouch.case_event")[0][0]
                try:
                    self.act(action, case, review)
                    fine = True
                except psycopg2.Error as error:
                    fine = False
                    self.assertIn(error.pgcode, ("VO201", "VO203"), error)
                mediator_again = action == "mediate" and goal and not fine
                if mediator_again:      # a mediator has no part twice
                    self.assertTrue(self.ask("SELECT 1 FROM vouch.case_event WHERE case_id = %s AND actor = 'mara'", case))
                    goal = None
                self.assertEqual(fine, goal is not None, (action, state))
                now_state, happened = self.ask("SELECT k.state, max(e.happened_at) FROM vouch.case k JOIN vouch.case_event e USING (store_id, case_id)"
                                               " WHERE k.case_id = %s GROUP BY 1", case)[0]
                self.assertEqual(now_state, goal or state, (action, state))
                after = self.ask("SELECT count(*) FROM vouch.case_event")[0][0]
                self.assertEqual(after - before, 1 if fine else 0, "a step leaves one line, a refused one none")
                refused, done = refused + (not fine), done + fine
                if fine and action in ("contact", "reply", "propose") and first is None:
                    first = happened
                    took = self.ask("SELECT detail ->> 'took_s' FROM vouch.case_event WHERE case_id = %s ORDER BY event_id DESC LIMIT 1", case)[0][0]
                    self.assertEqual(int(took), model.between(opened, happened))
                if fine and goal == "reopened" and state != "reopened":
                    again = self.ask("SELECT respond_by, resolve_by FROM vouch.case WHERE case_id = %s", case)[0]
                    self.assertEqual(again, (model.after(happened, 4 * 3600), model.after(happened, 30 * 3600)))
                state = now_state
            chain = self.ask("SELECT from_state, to_state FROM vouch.case_event WHERE case_id = %s ORDER BY event_id", case)
            self.assertTrue(all(a[1] == b[0] for a, b in zip(chain, chain[1:])), "the audit is one chain")
            self.assertEqual(chain[-1][1], state)
        print("# %d steps, %d refused" % (done, refused))
        self.assertGreater(refused, ROUNDS / 4)
        self.figures()

    def figures(self):
        cases = {}
        for case, product, action, old, new, at, detail in self.ask(
                "SELECT e.case_id, k.product_id, e.action, e.from_state, e.to_state, e.happened_at, e.detail FROM vouch.case_event e"
                " JOIN vouch.case k USING (store_id, case_id) ORDER BY e.event_id"):
            c = cases.setdefault(case, {"product": product, "took": None, "solved": None, "ended": False, "reopened": False, "in_time": None})
            if action == "open":
                c["due"] = datetime.datetime.fromisoformat(detail["respond_by"])
            if action in ("contact", "reply", "propose") and c["took"] is None:
                c["took"], c["in_time"] = detail["took_s"], at <= c["due"]
            if new == "confirmed" and old != "confirmed" and c["solved"] is None:
                c["solved"] = detail["took_s"]
            c["ended"] |= new in ("confirmed", "closed")
            c["reopened"] |= new == "reopened"
        now = self.ask("SELECT vouch.clock()")[0][0]
        for dimension, value, some in [("all", "*", list(cases.values()))] + [
                ("product", p, [c for c in cases.values() if c["product"] == p]) for p in "abc"]:
            took = sorted(c["took"] for c in some if c["took"] is not None)
            judged = [c for c in some if c["took"] is not None or c["due"] < now]
            ended = [c for c in some if c["ended"]]
            found = self.ask("SELECT cases, extract(epoch FROM first_response_median)::float, extract(epoch FROM first_response_p90)::float,"
                             " within_target::float, resolution_rate::float, reopen_rate::float FROM vouch.kpi WHERE dimension = %s AND value = %s",
                             dimension, value)[0]
            place = 0.9 * max(len(took) - 1, 0)
            low = int(place)
            p90 = took[low] + (took[min(low + 1, len(took) - 1)] - took[low]) * (place - low) if took else None
            expected = (len(some), statistics.median(took) if took else None, p90, share(c["in_time"] for c in judged),
                        share(c["solved"] is not None for c in ended), share(c["reopened"] for c in ended))
            for a, b in zip(found, expected):
                self.assertEqual(a is None, b is None, (dimension, value, found, expected))
                if a is not None:
                    self.assertAlmostEqual(float(a), float(b), places=3, msg=(dimension, value, found, expected))


tap.main()
