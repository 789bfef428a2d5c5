# SPDX-License-Identifier: MIT
"""Stores with orders to ask about, hosts that send (tests/flow/sender.c), and what their mails say.

    shop = Shop(cluster, smtp="smtp://127.0.0.1:2525")
    shop.deliver(["1001", "1002"])             # due by now
    with Sender(shop.database.url) as s: s.drain()
    shop.state("1001"); Mail(peer.mails[0]).token("r")
"""
import email
import email.policy
import hashlib
import json
import os
import re
import subprocess

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
KEY = "a key of the mail tests, 32 bytes or more"
VARIANTS = {"release": ("build", []),
            "asan": ("build/asan", ["SANITIZE=address,undefined"])}


def build(variant="release"):
    """The sender of a build, made when it is not there."""
    known = os.environ.get("VOUCH_SENDER_" + variant.upper())
    if known:
        return known
    where, words = VARIANTS[variant]
    target = os.path.join(where, "flow", "sender")
    clean = {k: v for k, v in os.environ.items() if k not in ("LD_PRELOAD", "MAKEFLAGS", "MFLAGS", "MAKELEVEL")}
    done = subprocess.run(["make", "-s", "-j%d" % (os.cpu_count() or 2), "BUILD=" + where, *words, target],
                          cwd=ROOT, env=clean, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True)
    if done.returncode:
        raise RuntimeError(done.stdout)
    return os.path.join(ROOT, target)


def address_key(address):
    """Any 32 bytes will do where no event brings the address."""
    return hashlib.sha256(address.encode()).hexdigest()


class Shop:
    def __init__(self, cluster, smtp="", name="Kettle & Co", sender="shop@shop.test",
                 base_url="https://shop.test/reviews", database=None):
        self.database = database or cluster.database()
        self.sql, self.value = self.database.sql, self.database.value
        self.configure(smtp_url=smtp, name=name, mail_from=sender, base_url=base_url)

    def configure(self, **columns):
        self.sql("UPDATE vouch.store SET %s WHERE store_id = 'main'" % ", ".join(
            "%s = $q$%s$q$" % x for x in columns.items()))

    def discount(self, kind="percent", value="10", prefix="THANKS", grant_on="request"):
        self.sql("INSERT INTO vouch.discount_policy (store_id, kind, value, prefix, grant_on)"
                 " VALUES ('main', '%s', %s, '%s', '%s')" % (kind, value, prefix, grant_on))

    def deliver(self, orders, days=8, address="%s@buyer.test", locale="en", name="Anna", lines=1):
        """Orders delivered so many days ago, with their requests."""
        rows = [(o, address % o if "%s" in address else address) for o in orders]
        people = ",".join("('main', '\\x%s', '%s', '%s', '%s', now())" % (address_key(a), a, name, locale)
                          for a in sorted({a for _, a in rows}))
        sold = ",".join("('main', '%s', '\\x%s', now() - interval '%d days', '%s', 'EUR')" % (
            o, address_key(a), days + 3, locale) for o, a in rows)
        items = ",".join("('main', '%s', '%d', 'kettle', 'Kettle <%d>', 'https://shop.test/kettle',"
                         " now() - interval '%d days')" % (o, i + 1, i + 1, days) for o, _ in rows for i in range(lines))
        self.sql("INSERT INTO vouch.customer (store_id, address_key, email, name, locale, updated_at) VALUES %s"
                 " ON CONFLICT DO NOTHING;"
                 "INSERT INTO vouch.sales_order (store_id, order_id, address_key, placed_at, locale, currency) VALUES %s;"
                 "INSERT INTO vouch.order_line (store_id, order_id, line_id, product_id, name, url, delivered_at)"
                 " VALUES %s;"
                 "SELECT vouch.request_derive('main', array[%s])" % (
                     people, sold, items, ",".join("'%s'" % o for o in orders)))

    def state(self, order):
        return self.value("SELECT state FROM vouch.review_request WHERE order_id = '%s'" % order)

    def mail(self, order, kind="request"):
        """state, attempts, doubts, reason of an order's mail."""
        rows = self.sql("SELECT m.state, m.attempts, m.doubts, m.reason FROM vouch.outgoing_mail m"
                        " JOIN vouch.review_request r ON r.store_id = m.store_id AND r.request_id = m.subject_id"
                        " WHERE m.kind = '%s' AND r.order_id = '%s'" % (kind, order))
        return tuple(rows[0]) if rows else None

    def count(self, table, where="true"):
        return int(self.value("SELECT count(*) FROM vouch.%s WHERE %s" % (table, where)))

    def clock(self, offset):
        self.sql("SELECT vouch.set_clock_offset('%s')" % offset)


class Sender:
    """A host process that sends."""

    def __init__(self, url, variant="asan", forever=False, env=None, **settings):
        given = dict(database=url, key=KEY, connect=3000, reply=5000, data=5000, retry=100)
        given.update(settings)
        clean = dict(os.environ, ASAN_OPTIONS="detect_leaks=1", LSAN_OPTIONS="suppressions=%s:print_suppressions=0" %
                     os.path.join(ROOT, "tests", "lib", "leaks.supp"), **(env or {}))
        clean.pop("LD_PRELOAD", None)
        self.process = subprocess.Popen(
            [build(variant)] + ["--forever"] * forever + ["%s=%s" % x for x in given.items()],
            env=clean, text=True, bufsize=1, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.read()

    def read(self):
        line = self.process.stdout.readline()
        if not line:
            raise AssertionError("the sender ended with %s" % self.process.wait(10))
        return json.loads(line)

    def say(self, line):
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()

    def ask(self, line):
        self.say(line)
        return self.read()

    def run(self, ms=300):
        return self.ask("run %d" % ms)

    def drain(self, ms=20000):
        return self.ask("drain %d" % ms)

    def kill(self):
        self.process.kill()
        self.process.wait()
        self.process.stdin.close()
        self.process.stdout.close()

    def close(self):
        self.process.stdin.close()
        code = self.process.wait(20)
        self.process.stdout.close()
        assert code == 0, "the sender ended with %d" % code

    def __enter__(self):
        return self

    def __exit__(self, *what):
        if what[0]:
            self.kill()
        else:
            self.close()


class Mail:
    """What a relay kept: envelope and message."""

    def __init__(self, kept):
        self.to, self.data = kept["to"], kept["data"]
        self.message = email.message_from_bytes(self.data, policy=email.policy.default)
        self.text = self.message.get_body(("plain",)).get_content()
        self.html = self.message.get_body(("html",)).get_content()
        self.id = self.message["Message-ID"].strip("<>")
        self.order = self.to.partition("@")[0].split("+")[0]

    def tokens(self, door):
        return sorted(set(re.findall(r"https://shop\.test/reviews/%s/([A-Za-z0-9_-]{43})" % door, self.text)))

    def token(self, door):
        found = self.tokens(door)
        assert len(found) == 1, (door, found)
        return found[0]

    def code(self):
        found = re.findall(r"\bTHANKS[0-9A-Z]{14}\b", self.text)
        return found[0] if found else None


def token_hash(token):
    return hashlib.sha256(token.encode()).hexdigest()
