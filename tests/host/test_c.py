#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""A plain C host (host.c) loads the module by dlopen; its TAP is passed on. With the release build and,
linked with the sanitizers as hosts of a sanitized module are, with the ASan one when it has been built."""
import os
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import host
import vouch

RENUMBERED = 0


def tell(fine, what):
    global RENUMBERED
    RENUMBERED += 1
    print("%sok %d - %s" % ("" if fine else "not ", RENUMBERED, what), flush=True)
    return fine


def attempt(name, library, flags):
    where = host.folder()
    program = os.path.join(where, "host")
    built = subprocess.run(["gcc", "-std=c11", "-D_GNU_SOURCE", "-O1", "-g", "-Wall", "-Wextra", "-Werror", *flags, "-Ihooks",
                            "tests/host/host.c", "-o", program, "-pthread", "-ldl"],
                           cwd=host.ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if not tell(built.returncode == 0, name + ": host.c compiles against vouch.h alone"):
        print("# " + built.stdout.replace("\n", "\n# "))
        return False
    database = host.database()
    code, out, err = host.run(program, library, host.options(database, where))
    fine = True
    for line in out.splitlines():
        if line.startswith(("ok ", "not ok ")):
            fine &= tell(line.startswith("ok "), name + ": " + line.partition(" - ")[2])
        elif not line.startswith("1.."):
            print(line)
    fine &= tell(code == 0, "%s: it ends with 0" % name)
    fine &= tell(err == "", "%s: nothing is printed on standard error" % name)
    if code or err:
        print("# %d %s" % (code, err[-4000:].replace("\n", "\n# ")))
    rows = database.sql("SELECT count(*), count(DISTINCT id) FROM vouch.event WHERE source = '/c' AND state = 'applied'")
    fine &= tell(rows == [["208", "208"]], "%s: every accepted event is in the table once (%s)" % (name, rows))
    return fine


def main():
    fine = attempt("release", vouch.path(), [])
    sanitized = os.path.join(host.ROOT, "build", "asan", "vouch.so")
    if os.path.exists(sanitized):
        fine &= attempt("asan", sanitized, ["-fsanitize=address,undefined"])
    else:
        tell(True, "asan # SKIP where build/asan/vouch.so is built")
    print("1..%d" % RENUMBERED)
    return 0 if fine else 1


sys.exit(main())
