# SPDX-License-Identifier: MIT
"""Runs one isolationtester spec in a new migrated database: isolation.py tests/sql/test_x.spec

Its output must equal expected/test_x.out beside it; as TAP, one result a permutation.
With --accept the output becomes the expected one."""
import difflib
import glob
import os
import re
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from cluster import Cluster  # noqa: E402

spec = sys.argv[-1]
expected = os.path.join(os.path.dirname(spec), "expected", os.path.basename(spec)[:-5] + ".out")


def permutations(text):
    text = re.sub(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC", "(time) UTC", text)
    parts = text.split("\nstarting permutation: ")
    return [p.strip() for p in parts[1:]]


with Cluster.shared() as c:
    tool = glob.glob(os.path.join(os.path.dirname(c.bin), "lib/pgxs/src/test/isolation/isolationtester"))
    if not tool:
        print("1..0 # SKIP isolationtester is not installed")
        sys.exit(0)
    d = c.database()
    with open(spec) as f:
        done = subprocess.run([tool[0], d.owner], stdin=f, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    c.drop(d)
if "--accept" in sys.argv:
    os.makedirs(os.path.dirname(expected), exist_ok=True)
    with open(expected, "w") as f:
        f.write(done.stdout)
found = permutations(done.stdout)
wanted = []
if os.path.exists(expected):
    with open(expected) as f:
        wanted = permutations(f.read())
print("1..%d" % max(len(found), len(wanted), 1))
for i in range(max(len(found), len(wanted), 1)):
    a, b = (w[i] if i < len(w) else "" for w in (wanted, found))
    good = a == b and a != "" and done.returncode == 0
    print("%sok %d - %s" % ("" if good else "not ", i + 1, (a or b).split("\n")[0] or "a permutation"))
    if not good:
        for line in difflib.unified_diff(a.split("\n"), b.split("\n"), "expected", "found", lineterm=""):
            print("# " + line)
if not found:
    print("# " + done.stdout.replace("\n", "\n# "))
sys.exit(0)
