# SPDX-License-Identifier: MIT
"""vouch.so over ctypes, with the contract of hooks/vouch.h and nothing else.

    with Module({"database": d.url}) as m:
        m.emit(event)                          # reply as Python values; a problem raises Problem
        code, reply = m.call("emit", event)    # the same without raising
        m.step_until(lambda: mails)            # background work in this thread
        m.serve("GET", "/r/" + token).body
The library is VOUCH_SO, or build/vouch.so. DECLARATIONS is every function with its types, so that a
test can compare it with the header and with other hosts' declarations.
"""
import ctypes
import json
import os
import time
from ctypes import POINTER, byref, c_char_p, c_int, c_size_t, c_void_p, string_at

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
OK, SPOOLED, EMPTY = 0, 1, 2
INVALID, UNAVAILABLE, MISUSE, FORKED, FAILED = -1, -2, -3, -4, -5
ABI = 1
NAMES = {OK: "OK", SPOOLED: "SPOOLED", EMPTY: "EMPTY", INVALID: "INVALID", UNAVAILABLE: "UNAVAILABLE",
         MISUSE: "MISUSE", FORKED: "FORKED", FAILED: "FAILED"}

_text = POINTER(c_void_p)
DECLARATIONS = {
    "vouch_abi": (c_int, []),
    "vouch_open": (c_int, [c_char_p, POINTER(c_void_p), _text]),
    "vouch_start": (c_int, [c_void_p, c_int, _text]),
    "vouch_step": (c_int, [c_void_p, c_int, _text]),
    "vouch_stop": (c_int, [c_void_p, c_int, _text]),
    "vouch_emit": (c_int, [c_void_p, c_char_p, c_size_t, _text]),
    "vouch_take": (c_int, [c_void_p, c_int, _text]),
    "vouch_ack": (c_int, [c_void_p, c_char_p, _text]),
    "vouch_serve": (c_int, [c_void_p, c_char_p, c_size_t, _text]),
    "vouch_describe": (c_int, [c_void_p, _text]),
    "vouch_close": (c_int, [c_void_p]),
    "vouch_free": (None, [c_void_p]),
}
_loaded = {}


def path():
    return os.environ.get("VOUCH_SO") or os.path.join(ROOT, "build", "vouch.so")


def library(where=None):
    """The library with all its functions declared; loaded once a path."""
    where = os.path.abspath(where or path())
    if where not in _loaded:
        found = ctypes.CDLL(where)
        for name, (result, arguments) in DECLARATIONS.items():
            function = getattr(found, name)
            function.restype, function.argtypes = result, arguments
        if found.vouch_abi() != ABI:
            raise RuntimeError("vouch.so speaks ABI %d, these tests %d" % (found.vouch_abi(), ABI))
        _loaded[where] = found
    return _loaded[where]


class Problem(Exception):
    """A negative code; .reply is the RFC 9457 problem, or None."""

    def __init__(self, function, code, reply):
        super().__init__("%s: VOUCH_%s %s" % (function, NAMES.get(code, code), json.dumps(reply)))
        self.function, self.code, self.reply = function, code, reply
        self.pointer = (reply or {}).get("pointer")


class Response:
    """An HTTP answer of vouch_serve; header names in lower case."""

    def __init__(self, answer):
        self.status, self.body, self.next = answer["status"], answer.get("body", ""), answer.get("next")
        self.headers = {k.lower(): v for k, v in answer.get("headers", {}).items()}

    def json(self):
        return json.loads(self.body)


def _bytes(value):
    if value is None or isinstance(value, bytes):
        return value
    return (value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)).encode()


class Module:
    """One handle. Every method may be called from any thread."""

    def __init__(self, options=None, lib=None):
        self.lib, self.handle = lib or library(), c_void_p()
        reply = c_void_p()
        code = self.lib.vouch_open(_bytes(options), byref(self.handle), byref(reply))
        reply = self._take(reply)
        if code < 0:
            raise Problem("vouch_open", code, reply)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.handle:
            self.call("stop", 10000)
            self.close()

    def _take(self, reply):
        if not reply.value:
            return None
        text = string_at(reply.value).decode("utf-8", "strict")
        self.lib.vouch_free(reply)
        return json.loads(text)

    def call(self, name, *arguments):
        """(code, reply) of vouch_NAME; events and requests as bytes, text or Python values."""
        reply, function = c_void_p(), getattr(self.lib, "vouch_" + name)
        if name in ("emit", "serve"):
            data = _bytes(arguments[0])
            arguments = [data, len(data)]
        elif name == "ack":
            arguments = [_bytes(arguments[0])]
        code = function(self.handle, *arguments, byref(reply))
        return code, self._take(reply)

    def must(self, name, *arguments):
        code, reply = self.call(name, *arguments)
        if code < 0:
            raise Problem("vouch_" + name, code, reply)
        return reply

    def start(self, threads=1):
        return self.must("start", threads)

    def step(self, budget_ms=1000):
        return self.must("step", budget_ms)

    def step_until(self, done, seconds=20, budget_ms=200):
        """Steps until done() is true, and gives what it gave; TimeoutError otherwise."""
        until = time.monotonic() + seconds
        while True:
            self.step(budget_ms)
            found = done()
            if found:
                return found
            if time.monotonic() > until:
                raise TimeoutError("%s after %s s; %s" % (getattr(done, "__doc__", None) or "nothing came",
                                                          seconds, json.dumps(self.describe())[:4000]))
            time.sleep(0.02)

    def drain(self, seconds=60, budget_ms=1000):
        """Steps until a step did nothing and nothing is in flight; gives how much was done."""
        until, done = time.monotonic() + seconds, 0
        while time.monotonic() < until:
            reply = self.step(budget_ms)
            done += reply["done"]
            if not reply["done"] and not reply["in_flight"]:
                return done
        raise TimeoutError("still busy after %s s" % seconds)

    def stop(self, deadline_ms=10000):
        return self.must("stop", deadline_ms)

    def emit(self, event):
        return self.must("emit", event)

    def take(self, wait_ms=0):
        """The next event for the store, or None."""
        return self.must("take", wait_ms)

    def ack(self, event_id):
        return self.must("ack", event_id)

    def take_all(self, wait_ms=0):
        """Takes and acknowledges until there is nothing more."""
        taken = []
        while True:
            event = self.take(wait_ms)
            if event is None:
                return taken
            taken.append(event)
            self.ack(event["id"])

    def serve(self, method, target, body="", headers=None, client_address="192.0.2.1", operator=None):
        return Response(self.must("serve", {
            "method": method, "target": target, "headers": headers or {}, "body": body,
            "client_address": client_address, "operator": operator}))

    def describe(self):
        return self.must("describe")

    def close(self):
        code = self.lib.vouch_close(self.handle)
        if code < 0:
            raise Problem("vouch_close", code, None)
        self.handle = c_void_p()
