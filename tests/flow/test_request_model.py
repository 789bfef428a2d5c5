#!/usr/bin/python3
# SPDX-License-Identifier: MIT
# timeout: 900
# build: release
"""A year of buyers in four time zones, under random policies, against a model written from the comments of the tables: the
same mails at the same hours, and none in quiet hours, over the cap, or to somebody suppressed, refunded or erased.

Time moves by vouch.set_clock_offset, an hour or a few at a time; at each stop events arrive and whatever is due goes out.
300 buyers and one store; VOUCH_LONG=1 has 10,000 in 8 stores (half an hour). VOUCH_BUYERS, VOUCH_SEED."""
import hashlib
import os
import random
import sys
import unittest
from collections import Counter, defaultdict
from datetime import date, datetime, time, timedelta, timezone
from zoneinfo import ZoneInfo

import psycopg2
from psycopg2.extras import Json

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import cluster
import tap

LONG = os.environ.get("VOUCH_LONG") == "1"
BUYERS = int(os.environ.get("VOUCH_BUYERS") or (10000 if LONG else 300))
STORES = 8 if LONG else 1
SEED = int(os.environ.get("VOUCH_SEED") or random.SystemRandom().randrange(1 << 32))
UTC = timezone.utc
BEGIN = datetime(2027, 1, 1, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
PLACES = {"Europe/Riga": ("LV", "lv-LV"), "America/New_York": ("US", "en-US"), "Australia/Sydney": ("AU", "en_AU"), "Asia/Tokyo": ("JP", "ja")}
PRODUCTS = ["kettle", "mug", "bowl", "vase", "tray"]
E = ["text", "text", "text", "timestamptz", "jsonb", "text"]
O = ["bigint", "text", "timestamptz", "text", "timestamptz", "bytea", "bytea", "text", "text", "text", "text", "text", "text", "boolean", "text", "text", "text"]
L = ["bigint", "text", "text", "text", "text", "text", "text", "text", "text", "timestamptz"]
F = ["bigint", "text", "text", "text", "timestamptz", "text"]
INGEST = "SELECT vouch.ingest(%s, " + ", ".join("%s::" + k + "[]" for k in E + O + L + F) + ")"
TICK = """
create function public.tick(p_store text) returns table (kind text, order_id text) language plpgsql as $$
declare
  mail record;
  message text;
begin
  while vouch.request_enqueue(p_store, 100) = 100 loop null; end loop;
  loop
    select * into mail from vouch.mail_claim(p_store, 1, '45 s');
    exit when not found;
    message := 'm' || mail.mail_id;
    if (select a.obstacle is null from vouch.mail_attempt(p_store, array[mail.mail_id], array[mail.lease], array[message], array['[]'::jsonb],
          array[null]::bytea[], array[null]::text[], '660 s') a) then
      perform vouch.mail_data(p_store, array[mail.mail_id], array[mail.lease], '660 s'),
        vouch.mail_settle(p_store, array[mail.mail_id], array[mail.lease], '{accepted}', '{250}', '{null}', '{ok}');
      kind := mail.kind || (mail.context ->> 'serial');
      order_id := mail.context ->> 'order_id';
      return next;
    end if;
  end loop;
end $$"""


def key(text):
    return hashlib.sha256(text.encode()).digest()


# --- the rules, as the comments of request_policy tell them -------------------------------------------------------------

def quiet(p, local):
    if local.isoweekday() not in p["weekdays"]:
        return True
    a, b, t = p["quiet_from"], p["quiet_until"], local.time().replace(tzinfo=None)
    if a is None or a == b:
        return False
    return a <= t < b if a < b else t >= a or t < b


def later_reading(day, at, zone):
    return max(datetime.combine(day, at, zone).replace(fold=f).astimezone(UTC) for f in (0, 1))


def awake(p, zone, at):
    """at, or the first end of a quiet stretch behind it."""
    local = at.astimezone(zone)
    if not quiet(p, local):
        return at
    ends = [time(0)] + ([p["quiet_until"]] if p["quiet_until"] else [])
    for n in range(0, 16):
        for end in sorted(ends):
            moment = later_reading(local.date() + timedelta(days=n), end, zone)
            if moment > at and not quiet(p, moment.astimezone(zone)):
                return moment
    raise AssertionError("never awake")


class Line:
    def __init__(self, product):
        self.product, self.delivered, self.cancelled, self.refunded, self.reviewed = product, None, False, False, False


class Order:
    def __init__(self, world, buyer, name):
        self.world, self.buyer, self.name = world, buyer, name
        self.lines, self.erased, self.refunded, self.paid_back = {}, False, False, 0
        self.state, self.reason, self.due, self.seq, self.reminders = None, None, None, None, []

    @property
    def policy(self):
        return self.world.policies.get(self.country) or self.world.policies["*"]

    def derive(self, seq):
        if self.state == "sent" or not any(l.delivered for l in self.lines.values()):
            return
        p, lines = self.policy, list(self.lines.values())
        standing = [l for l in lines if not l.cancelled and not l.refunded]
        times = [l.delivered for l in standing if l.delivered] or [l.delivered for l in lines if l.delivered]
        asked = any(l.delivered for l in standing) and not self.refunded
        open_ = any(not l.delivered for l in standing) and not self.refunded
        due = min(times) + max(p["partial_wait"], p["delay"])
        if not open_:
            due = min(due, max(times) + p["delay"])
        if self.state in (None, "scheduled", "cancelled") or (
                self.state == "skipped" and self.reason in ("reviewed", "excluded_product") and asked and due > self.due):
            self.seq = seq if self.state is None else self.seq
            self.state, self.due, self.reason = ("scheduled" if asked else "cancelled"), due, None

    def obstacle(self):
        p, b = self.policy, self.buyer
        kept = [l for l in self.lines.values() if l.delivered and not l.cancelled]
        paid = [l for l in kept if not l.refunded]
        asked = [l for l in paid if l.product not in p["excluded_products"]]
        consent = b.consent[1]
        if self.erased:
            return "no_address"
        if not kept:
            return "cancelled"
        if self.refunded or not paid:
            return "refunded"
        if not asked:
            return "excluded_product"
        if all(l.reviewed for l in asked):
            return "reviewed"
        if b.opted_out:
            return "unsubscribed"
        if b.suppressed:
            return "suppressed"
        if p["consent"] == "soft_opt_in" and consent is False or p["consent"] == "marketing_consent" and consent is not True:
            return "no_consent"
        if set(self.groups) & set(p["excluded_customer_groups"]):
            return "excluded_customer"
        if p["minimum_order_value"] and self.total is not None and self.currency == (p["currency"] or "EUR") and self.total < p["minimum_order_value"]:
            return "below_minimum"
        return None


class Buyer:
    def __init__(self, n):
        self.id, self.email = "c%d" % n, "b%d@x.test" % n
        self.consent, self.opted_out, self.suppressed, self.requests, self.mailed = (None, None), False, False, [], False


class World:
    """One store: its policies, its buyers, what happens to them and when it is heard of."""

    def __init__(self, r, name, buyers, first):
        self.r, self.name = r, name
        self.policies = {"*": self.policy("*")}
        for country in r.sample(["LV", "US", "AU", "JP"], r.randint(1, 3)):
            self.policies[country] = self.policy(country)
        self.orders, self.buyers, self.events, self.sent = {}, [], [], []
        for n in range(buyers):
            self.buyer(Buyer(first + n))
        self.events.sort(key=lambda e: (e["heard"], e["n"]))

    def policy(self, country):
        r = self.r
        quiet_from, quiet_until = r.choice([(None, None), (time(20), time(8)), (time(21, 30), time(9)), (time(0), time(7)), (time(12), time(15)), (time(22), time(2, 30))])
        return {"country": country, "delay": r.randint(0, 20) * DAY, "reminder_after": sorted(r.sample([3 * DAY, 7 * DAY, 10 * DAY, 20 * DAY], r.randint(0, 3))),
                "quiet_from": quiet_from, "quiet_until": quiet_until, "weekdays": r.choice([[1, 2, 3, 4, 5, 6, 7], [1, 2, 3, 4, 5], [2, 4], [6, 7]]),
                "cap_count": r.choice([None, 1, 2]), "cap_period": r.choice([7, 30, 60]) * DAY, "minimum_order_value": r.choice([None, None, 15]),
                "currency": r.choice([None, "USD"]), "excluded_products": r.sample(PRODUCTS, r.choice([0, 0, 1, 2])),
                "excluded_customer_groups": r.choice([[], ["staff"]]), "link_valid_for": r.choice([25, 90]) * DAY, "partial_wait": r.randint(0, 15) * DAY,
                "consent": r.choice(["any", "soft_opt_in", "marketing_consent"])}

    def add(self, heard, kind, **more):
        self.events.append(dict(more, heard=heard, type=kind, n=len(self.events), id="%s-%d" % (self.name, len(self.events))))

    def buyer(self, b):
        r = self.r
        self.buyers.append(b)
        zone = r.choice(list(PLACES))
        quits = r.random()
        for n in range(r.choice([1, 1, 2, 3, 4])):
            self.order(b, "%s-%d" % (b.id, n), zone, erases=quits < 0.05)
        some = BEGIN + timedelta(minutes=r.randrange(60 * 24 * 360))
        if quits < 0.05:
            self.add(some, "customer.erased", buyer=b, body={"address_key": key(b.email).hex(), "email": b.email})
        elif quits < 0.12:
            self.add(some, "customer.unsubscribed", buyer=b, body={"address_key": key(b.email).hex(), "email": b.email})
        elif quits < 0.17:  # by the store's id, before anything is known
            self.add(BEGIN, "customer.unsubscribed", buyer=b, body={"customer_id": b.id, "customer_key": key(b.id).hex()})
        elif quits < 0.25:
            self.add(some, r.choice(["mail.bounced", "mail.complained"]), buyer=b, body={"address_key": key(b.email).hex(), "email": b.email})
        elif quits < 0.35:
            self.add(some, "customer.updated", buyer=b, body={"address_key": key(b.email).hex(), "email": b.email, "marketing_consent": r.random() < 0.5})

    def order(self, b, name, zone, erases):
        r = self.r
        o = self.orders[name] = Order(self, b, name)
        placed = BEGIN + timedelta(minutes=r.randrange(60 * 24 * 340))
        country, locale = PLACES[zone]
        said = r.choice(["zone", "country", "locale"])
        o.zone = ZoneInfo(zone)
        o.country = None if said == "locale" else country
        o.currency, o.total, o.groups = r.choice(["EUR", "USD"]), r.choice([None, 9.5, 20, 30]), r.choice([[], ["b2c"], ["b2c", "staff"]])
        items = r.sample(PRODUCTS, r.randint(1, 3))
        self.add(placed, "order.placed", order=o, items=items, timezone=zone if said == "zone" else None, country=o.country,
                 locale=locale if said == "locale" else "en", consent=r.choice([None, True, False]))
        lines = [str(i + 1) for i in range(len(items))]
        if r.random() < 0.9:
            split = len(lines) > 1 and r.random() < 0.4
            for part in ([[l] for l in lines] if split else [None]):
                if split and r.random() < 0.2:
                    continue
                delivered = placed + timedelta(minutes=r.randrange(60 * 24 * 25))
                late = timedelta(days=r.choice([0, 0, 0, 0, 1, 40, 120]))
                self.add(delivered + late, "order.delivered", order=o, lines=part, at=delivered)
                if not erases and r.random() < 0.25:
                    line = r.choice(part or lines)
                    self.add(delivered + late + timedelta(minutes=r.randrange(10, 60 * 24 * 20)), "review.submitted", order=o, line=line)
        for kind, chance in (("order.cancelled", 0.06), ("order.refunded", 0.1)):
            if r.random() < chance:
                at = placed + timedelta(minutes=r.randrange(60 * 24 * 40))
                amount = o.total if kind == "order.refunded" and o.total and r.random() < 0.3 else None
                self.add(at, kind, order=o, lines=None if amount or r.random() < 0.5 else [r.choice(lines)], at=at, amount=amount)

    # What an event tells, for the model.
    def learn(self, e, now, touched):
        o, b = e.get("order"), e.get("buyer") or e["order"].buyer
        if e["type"] == "order.placed":
            o.lines = {str(i + 1): Line(p) for i, p in enumerate(e["items"])}
            if e["consent"] is not None and (b.consent[0] is None or e["heard"] >= b.consent[0]):
                b.consent = (e["heard"], e["consent"])
        elif e["type"].startswith("order."):
            for line in [o.lines[n] for n in e["lines"]] if e["lines"] else [] if e.get("amount") else o.lines.values():
                if e["type"] == "order.delivered":
                    line.delivered = min(filter(None, [line.delivered, e["at"]]))
                elif e["type"] == "order.cancelled":
                    line.cancelled = True
                else:
                    line.refunded = True
            if e["type"] == "order.refunded" and not e["lines"]:
                o.refunded = True
            touched.add(o)
        elif e["type"] == "customer.unsubscribed":
            b.opted_out = True
        elif e["type"] in ("mail.bounced", "mail.complained"):
            b.suppressed = b.suppressed or b.mailed
        elif e["type"] == "customer.updated":
            b.consent = (e["heard"], e["body"]["marketing_consent"])
        elif e["type"] == "review.submitted" and o.lines[e["line"]].delivered and o.lines[e["line"]].delivered <= e["heard"]:
            o.lines[e["line"]].reviewed = True

    def erase(self, e, now):
        b = e["buyer"]
        b.consent = (None, None)
        for o in self.orders.values():
            if o.buyer is b and o.lines:
                o.erased = True

    def step(self, events, now, tick):
        touched, going = set(), []
        for e in events:
            self.learn(e, now, touched)
        for e in events:
            if e["type"] == "customer.erased":
                self.erase(e, now)
        for o in touched:
            o.derive((tick, o.name))
        for o in sorted((o for o in self.orders.values() if o.state == "scheduled" and o.due <= now), key=lambda o: (o.due, o.seq)):
            p, why, slot = o.policy, o.obstacle(), awake(o.policy, o.zone, now)
            if o.due + p["link_valid_for"] < now:
                o.state, o.reason = "expired", "too_late"
            elif why:
                o.state, o.reason = "skipped", why
            elif slot > now:
                o.due = slot
            elif p["cap_count"] and sum(t > now - p["cap_period"] for t in o.buyer.requests) >= p["cap_count"]:
                o.state, o.reason = "skipped", "cap"
            else:
                o.state, o.sent_at, o.buyer.mailed = "sent", now, True
                o.buyer.requests.append(now)
                o.reminders = [(awake(p, o.zone, now + after), n + 1) for n, after in enumerate(p["reminder_after"])]
                going.append(("request0", o.name))
        for o in [o for o in self.orders.values() if o.reminders]:
            for due, n in [x for x in o.reminders if x[0] <= now]:
                o.reminders.remove((due, n))
                if o.obstacle() or o.sent_at + o.policy["link_valid_for"] <= now:
                    continue
                slot = awake(o.policy, o.zone, now)
                if slot > now:
                    o.reminders.append((slot, n))
                else:
                    going.append(("reminder%d" % n, o.name))
        return sorted(going)

    # The same, for vouch.ingest.
    def rows(self, events):
        e, o, l, f = ([[] for _ in kinds] for kinds in (E, O, L, F))

        def put(columns, values):
            for column, value in zip(columns, values):
                column.append(value)

        for n, x in enumerate(events, 1):
            order, body = x.get("order"), x.get("body")
            if x["type"] == "review.submitted":
                b = order.buyer
                body = {"external_id": x["id"], "product_id": order.lines[x["line"]].product, "order_id": order.name, "rating": 1 + n % 5, "body": "words", "customer_id": b.id,
                        "customer_key": key(b.id).hex(), "email": b.email, "address_key": key(b.email).hex(), "claim": "authenticated", "reasons": [], "marks": []}
            put(e, ["/shop", x["id"], x["type"], x["heard"], Json(body) if body else None, None])
            if x["type"] == "order.placed":
                b = order.buyer
                put(o, [n, "/shop " + x["id"], x["heard"], order.name, x["heard"], key(b.email), key(b.id), b.id, b.email, "Anna", x["locale"], x["country"], x["timezone"],
                        x["consent"], order.currency, order.total and str(order.total), "{%s}" % ",".join(order.groups)])
                for i, product in enumerate(x["items"]):
                    put(l, [n, order.name, str(i + 1), product, product, None, None, "1", "10.00", None])
            elif order and not body:
                for line in x["lines"] or [None]:
                    put(f, [n, order.name, line, x["type"][6:], x["at"], x.get("amount") and str(x["amount"])])
        return e + o + l + f


class Model(unittest.TestCase):
    def test_year(self):
        """what goes out, and when, is what the rules say; nothing else, and nobody is left out"""
        print("# VOUCH_SEED=%d, %d buyers, %d stores" % (SEED, BUYERS, STORES))
        r, database = random.Random(SEED), cluster.Cluster.shared().database()
        link = psycopg2.connect(database.owner)
        c = link.cursor()
        c.execute(TICK)
        names = ["main"] + ["s%d" % n for n in range(1, STORES)]
        worlds = []
        for n, name in enumerate(names):
            c.execute("insert into vouch.store (store_id) values (%s) on conflict do nothing", [name])
            w = World(r, name, BUYERS // STORES, n * 100000)
            for p in w.policies.values():
                c.execute("insert into vouch.request_policy (store_id, %s) values (%%s, %s)" % (", ".join(p), ", ".join(
                    "%s::interval[]" if k == "reminder_after" else "%s::text[]" if k.startswith("excluded") else "%s" for k in p)), [name] + list(p.values()))
            worlds.append(w)
        link.commit()
        now, tick, at = BEGIN + timedelta(minutes=17), 0, [0] * len(worlds)
        count = Counter()
        while now < BEGIN + 500 * DAY:
            for i, w in enumerate(worlds):
                events = []
                while at[i] < len(w.events) and w.events[at[i]]["heard"] <= now:
                    events.append(w.events[at[i]])
                    at[i] += 1
                c.execute("select vouch.set_clock_offset(%s - now())", [now])
                if events:
                    c.execute(INGEST, [w.name] + self.told(w, events))
                c.execute("select kind, order_id from public.tick(%s)", [w.name])
                got, wanted = sorted(c.fetchall()), w.step(events, now, tick)
                self.assertEqual(got, wanted, "%s, store %s, policies %s" % (now, w.name, w.policies))
                for kind, name in got:
                    count[kind[:-1]] += 1
                    self.safe(w.orders[name], now)
                link.commit()
            tick += 1
            now += r.choice([1, 1, 2, 3, 5]) * HOUR + timedelta(minutes=r.randrange(60))
        self.states(c, worlds, count)
        link.close()

    def told(self, w, events):
        # A review names its line's product, known once its order is described.
        for e in events:
            if e["type"] == "order.placed":
                e["order"].lines = e["order"].lines or {str(i + 1): Line(p) for i, p in enumerate(e["items"])}
        return w.rows(events)

    def safe(self, o, now):
        """The promises, whatever the model says."""
        p = o.policy
        self.assertFalse(quiet(p, now.astimezone(o.zone)), "in quiet hours")
        self.assertFalse(o.erased or o.refunded or o.buyer.opted_out or o.buyer.suppressed)
        if p["cap_count"] and o.sent_at == now:
            self.assertLessEqual(sum(now - p["cap_period"] < t <= now for t in o.buyer.requests), p["cap_count"])

    def states(self, c, worlds, count):
        why = Counter()
        for w in worlds:
            c.execute("select order_id, state, reason from vouch.review_request where store_id = %s", [w.name])
            got = {name: (state, reason) for name, state, reason in c.fetchall()}
            for o in w.orders.values():
                if o.state is None:
                    self.assertNotIn(o.name, got)
                    continue
                self.assertEqual(got[o.name][0], o.state, (o.name, got[o.name], o.reason))
                if o.state in ("skipped", "expired"):
                    self.assertEqual(got[o.name][1], o.reason, o.name)
                    why[o.reason] += 1
                self.assertFalse(o.state == "scheduled", "left out: " + o.name)
        print("# sent %s; not sent %s" % (dict(count), dict(why)), file=sys.stderr)


if __name__ == "__main__":
    tap.main()
