#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Node as a host: the example, many asynchronous calls, and whose OpenSSL the module's libraries bind to.

koffi is installed from examples/node's lock file into the build folder, once."""
import glob
import json
import os
import re
import shutil
import subprocess
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import host
import tap
import vouch

MODULES = os.path.join(host.ROOT, "build", "node")


def install():
    os.makedirs(MODULES, exist_ok=True)
    for name in ("package.json", "package-lock.json"):
        shutil.copy(os.path.join(host.ROOT, "examples", "node", name), MODULES)
    if not glob.glob(MODULES + "/node_modules/koffi/package.json"):
        subprocess.run(["npm", "ci", "--no-audit", "--no-fund", "--ignore-scripts", "--loglevel=error"], cwd=MODULES, check=True,
                       stdin=subprocess.DEVNULL, stdout=sys.stderr, timeout=240)


class Node(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        install()

    def setUp(self):
        self.database = host.database()
        self.options = host.options(self.database)

    def node(self, *arguments, **env):
        return host.run("node", *arguments, env=dict(env, NODE_PATH=MODULES + "/node_modules"))

    def test_example(self):
        """the example tells its story"""
        host.story(self, self.database, *self.node("examples/node/vouch.js", vouch.path(), self.options))

    def test_many(self):
        """500 asynchronous emits, 64 at a time; the event loop turns on, a worker thread shares the instance"""
        code, out, err = self.node("tests/host/many.js", os.path.abspath(vouch.path()), self.options, "500")
        self.assertEqual((code, err), (0, ""), out)
        told = json.loads(out)
        self.assertEqual((told["codes"], told["closed"]), ({"0": 500}, 0))
        self.assertGreater(told["turns"], 2)
        self.assertEqual(told["worker"]["code"], vouch.EMPTY)
        self.assertEqual(self.database.value("SELECT count(*) FROM vouch.sales_order"), "500")

    def test_bindings(self):
        """libcurl and libpq bind to the system's OpenSSL, not to node's own"""
        where = host.folder()
        script = ("const k = require('koffi'); const l = k.load(%s, {deep: true});"
                  "if (l.func('int vouch_abi(void)')() !== 1) throw 1;" % json.dumps(os.path.abspath(vouch.path())))
        code, out, err = self.node("-e", script, LD_DEBUG="bindings", LD_DEBUG_OUTPUT=where + "/ld", LD_BIND_NOW="1")
        self.assertEqual((code, err), (0, ""), out)
        bound, stolen = set(), []
        for path in glob.glob(where + "/ld.*"):
            with open(path, errors="replace") as f:
                for line in f:
                    m = re.search(r"binding file (\S+) \[\d+\] to (\S+) \[\d+\]: \S+ symbol `(\w+)'", line)
                    if not m or not re.match(r"(SSL|EVP|X509|BIO|OPENSSL|CRYPTO|ERR|RAND)_", m.group(3)):
                        continue
                    user, giver = (os.path.basename(p) for p in m.group(1, 2))
                    if re.match(r"lib(curl|pq|ssl|crypto)|vouch", user):
                        bound.add((user.split(".")[0], giver.split(".")[0]))
                        if giver.startswith("node"):
                            stolen.append(line.strip())
        self.assertEqual(stolen[:5], [])
        self.assertIn(("libpq", "libssl"), bound)
        self.assertTrue({("libcurl", "libssl"), ("libcurl-gnutls", "libssl")} & bound or
                        not any(u.startswith("libcurl") for u, _ in bound), bound)


if __name__ == "__main__":
    tap.main()
