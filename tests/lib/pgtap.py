# SPDX-License-Identifier: MIT
"""Runs one pgTAP file in a new migrated database, as the superuser: pgtap.py tests/sql/test_x.sql

pgTAP is there already (schema public); the file begins with SELECT plan(N) or no_plan(), and rolls
back or not as it likes. Its standard output is TAP."""
import os
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from cluster import Cluster  # noqa: E402

with Cluster.shared() as c:
    d = c.database()
    d.sql("CREATE EXTENSION pgtap SCHEMA public")
    code = subprocess.call([os.path.join(c.bin, "psql"), "-XAtq", "-v", "ON_ERROR_STOP=1", "-P", "pager=off",
                            "-d", d.owner, "-f", sys.argv[1]], stderr=subprocess.STDOUT)
    c.drop(d)
sys.exit(code)
