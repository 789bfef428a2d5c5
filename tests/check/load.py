# SPDX-License-Identifier: MIT
"""Loading the module does nothing: no thread, no descriptor, no file, no signal handler."""
import ctypes
import os
import subprocess
import sys
import unittest

sys.path.insert(0, "tests/lib")
import tap
import vouch


def status():
    with open("/proc/self/status") as f:
        wanted = ("Threads", "SigBlk", "SigIgn", "SigCgt", "NoNewPrivs")
        lines = dict(line.split(":", 1) for line in f)
    return {k: lines[k].strip() for k in wanted}, sorted(os.listdir("/proc/self/fd")), os.getcwd(), dict(os.environ)


class Load(unittest.TestCase):
    def test_idle(self):
        """a loaded module adds no thread, descriptor or handler"""
        before = status()
        lib = vouch.library()
        self.assertEqual(lib.vouch_abi(), 1)
        lib.vouch_free(None)
        self.assertEqual(status(), before)

    def test_stays(self):
        """dlclose leaves it mapped, and it works when opened again"""
        lib = vouch.library()
        ctypes.CDLL(None).dlclose(ctypes.c_void_p(lib._handle))
        ctypes.CDLL(None).dlclose(ctypes.c_void_p(lib._handle))
        with open("/proc/self/maps") as f:
            self.assertIn(os.path.basename(vouch.path()), f.read())
        self.assertEqual(ctypes.CDLL(vouch.path()).vouch_abi(), 1)

    def test_link(self):
        """a symbolic link to it loads, locally and globally"""
        link = os.path.join(os.environ["TMPDIR"], "other.so")
        os.symlink(vouch.path(), link)
        for mode in (os.RTLD_NOW | os.RTLD_LOCAL, os.RTLD_NOW | os.RTLD_GLOBAL):
            self.assertEqual(ctypes.CDLL(link, mode).vouch_abi(), 1)

    def test_header(self):
        """what these tests declare is what the header declares"""
        with open("hooks/vouch.h", encoding="utf-8") as f:
            text = f.read()
        kinds = {"int": ctypes.c_int, "void": None, "size_t": ctypes.c_size_t, "vouch *": ctypes.c_void_p,
                 "const char *": ctypes.c_char_p, "char *": ctypes.c_void_p, "char **": vouch._text,
                 "vouch **": ctypes.POINTER(ctypes.c_void_p)}
        import re
        found = {}
        for result, name, arguments in re.findall(r"(?m)^(int|void) (vouch_\w+)\(([^)]*)\);", text):
            types = [re.sub(r"\w+$", "", a.strip()).strip() for a in arguments.split(",")] if arguments != "void" else []
            found[name] = (kinds[result], [kinds[t] for t in types])
        self.assertEqual(found, vouch.DECLARATIONS)

    def test_silent(self):
        """a program that only loads it prints nothing and makes no call of its own"""
        code = "import ctypes,sys; ctypes.CDLL(sys.argv[1]).vouch_abi()"
        done = subprocess.run([sys.executable, "-c", code, vouch.path()], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        self.assertEqual((done.returncode, done.stdout, done.stderr), (0, b"", b""))


tap.main()
