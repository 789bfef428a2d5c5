#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""PHP as a host: the example at the terminal, and PHP-FPM, which closes the library after each request."""
import contextlib
import glob
import json
import os
import shutil
import signal
import socket
import struct
import subprocess
import sys
import time
import unittest
from urllib.parse import urlencode

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import host
import tap
import vouch

SCRIPT = os.path.join(host.ROOT, "tests", "host", "fpm.php")
BEGIN, END, PARAMS, STDIN, STDOUT, STDERR = 1, 3, 4, 5, 6, 7


def fpm_binary():
    found = [shutil.which("php-fpm")] + sorted(glob.glob("/usr/sbin/php-fpm*"))
    return next((p for p in found if p), None)


def record(kind, body):
    return struct.pack("!BBHHBx", 1, kind, 1, len(body), 0) + body


def pair(name, value):
    name, value = name.encode(), value.encode()
    return b"".join(struct.pack("!I", len(s) | 1 << 31) for s in (name, value)) + name + value


def exactly(connection, count):
    data = b""
    while len(data) < count:
        more = connection.recv(count - len(data))
        if not more:
            raise EOFError("the FPM child hung up")
        data += more
    return data


class Fpm:
    """php-fpm with one child, and a FastCGI client for it."""

    def __init__(self, options):
        self.folder, self.options = host.folder(), options
        self.socket = os.path.join(self.folder, "s")
        self.log = os.path.join(self.folder, "log")
        config = os.path.join(self.folder, "fpm.conf")
        lines = ["[global]", "error_log = " + self.log, "daemonize = no", "pid = " + self.folder + "/pid",
                 "[www]", "listen = " + self.socket, "pm = static", "pm.max_children = 1", "pm.max_requests = 0",
                 "catch_workers_output = yes"]
        if os.getuid() == 0:
            lines += ["user = root", "group = root"]
        with open(config, "w") as f:
            f.write("\n".join(lines) + "\n")
        root = ["-R"] if os.getuid() == 0 else []
        self.process = subprocess.Popen([fpm_binary(), "-F", *root, "-d", "ffi.enable=true", "-y", config],
                                        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        until = time.monotonic() + 15
        while time.monotonic() < until and self.process.poll() is None:
            with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX) as s:
                s.connect(self.socket)
                return
            time.sleep(0.05)
        raise RuntimeError("php-fpm does not start: " + self.said())

    def said(self):
        with contextlib.suppress(OSError), open(self.log) as f:
            return f.read()
        return ""

    def get(self, **query):
        """One request; the JSON that the script prints."""
        parameters = {"GATEWAY_INTERFACE": "CGI/1.1", "REQUEST_METHOD": "GET", "SCRIPT_FILENAME": SCRIPT, "SCRIPT_NAME": "/fpm.php",
                      "QUERY_STRING": urlencode(query), "REQUEST_URI": "/fpm.php", "SERVER_PROTOCOL": "HTTP/1.1",
                      "VOUCH_SO": os.path.abspath(vouch.path()), "VOUCH_OPTIONS": self.options}
        with socket.socket(socket.AF_UNIX) as s:
            s.settimeout(30)
            s.connect(self.socket)
            s.sendall(record(BEGIN, struct.pack("!HB5x", 1, 0)) + record(PARAMS, b"".join(pair(*p) for p in parameters.items())) +
                      record(PARAMS, b"") + record(STDIN, b""))
            out, said = b"", b""
            while True:
                _, kind, _, length, padding = struct.unpack("!BBHHBx", exactly(s, 8))
                body = exactly(s, length + padding)[:length]
                if kind == STDOUT:
                    out += body
                elif kind == STDERR:
                    said += body
                elif kind == END:
                    break
        head, _, text = out.partition(b"\r\n\r\n")
        if said or not text.startswith(b"{"):
            raise RuntimeError("%s %s" % (said.decode(), text.decode()))
        return json.loads(text)

    def stop(self):
        self.process.send_signal(signal.SIGQUIT)
        try:
            return self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            return None


class Php(unittest.TestCase):
    def setUp(self):
        self.database = host.database()
        self.options = host.options(self.database)

    def fpm(self):
        if not fpm_binary():
            self.skipTest("php-fpm is not installed")
        started = Fpm(self.options)
        self.addCleanup(started.process.wait)
        self.addCleanup(started.process.kill)
        return started

    def done(self, fpm):
        self.assertEqual(fpm.stop(), 0, fpm.said())
        self.assertNotIn("exited on signal", fpm.said())
        self.assertNotIn("SIGSEGV", fpm.said())

    def test_example(self):
        """the example tells its story"""
        host.story(self, self.database, *host.run("php", "-d", "ffi.enable=true", "examples/php/vouch.php", vouch.path(), self.options))

    def test_requests(self):
        """FPM: one instance over all requests of a child, though FFI closes the library after each"""
        fpm = self.fpm()
        seen = [fpm.get(do="emit", id="fpm-%d" % i) for i in range(30)]
        self.assertEqual({json.dumps(s["code"]) for s in seen}, {'{"open": 0, "emit": 0}'})
        for what in ("pid", "handle", "threads"):
            self.assertEqual(len({s[what] for s in seen}), 1, what)
        self.assertEqual(seen[0]["threads"], 1)
        self.assertEqual(len({s["descriptors"] for s in seen[1:]}), 1, "descriptors of request 2 and all later ones")
        self.assertEqual(self.database.value("SELECT count(*) FROM vouch.sales_order"), "30")
        self.done(fpm)

    def test_close(self):
        """FPM: a request that closes, and the next that opens again"""
        fpm = self.fpm()
        seen = [fpm.get(do="emit,close", id="close-%d" % i) for i in range(10)]
        self.assertEqual({json.dumps(s["code"]) for s in seen}, {'{"open": 0, "emit": 0, "close": 0}'})
        self.assertEqual(len({s["pid"] for s in seen}), 1)
        self.assertEqual(len({s["descriptors"] for s in seen[1:]}), 1)
        self.done(fpm)

    def test_thread(self):
        """FPM: a thread started in one request survives the dlclose after it"""
        fpm = self.fpm()
        first = fpm.get(do="start,emit", id="thread-0")
        self.assertEqual((first["code"], first["threads"]), ({"open": 0, "start": 0, "emit": 0}, 2))
        time.sleep(1.5)
        later = [fpm.get(do="emit", id="thread-%d" % i) for i in range(1, 4)]
        self.assertEqual({(s["pid"], s["threads"]) for s in later}, {(first["pid"], 2)})
        last = fpm.get(do="stop")
        self.assertEqual((last["pid"], last["threads"], last["code"]["stop"]), (first["pid"], 1, 0))
        self.done(fpm)


if __name__ == "__main__":
    tap.main()
