#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""python3 examples/python/vouch.py build/vouch.so OPTIONS.json

One order from checkout to review. An adapter keeps lib and module for the life of the process (Django:
AppConfig.ready, after the fork of the server's workers) and calls emit from its signals; CDLL releases
the GIL during a call, so emit may come from many threads and one thread may wait in take.
"""
import json
import sys
from ctypes import CDLL, POINTER, byref, c_char_p, c_int, c_size_t, c_void_p, string_at
from datetime import datetime, timedelta, timezone

# Every argument declared, handles and replies as c_void_p: undeclared ones are cut to an int.
OUT = POINTER(c_void_p)
FUNCTIONS = {
    "vouch_abi": [], "vouch_open": [c_char_p, OUT, OUT], "vouch_emit": [c_void_p, c_char_p, c_size_t, OUT],
    "vouch_step": [c_void_p, c_int, OUT], "vouch_take": [c_void_p, c_int, OUT],
    "vouch_ack": [c_void_p, c_char_p, OUT], "vouch_serve": [c_void_p, c_char_p, c_size_t, OUT],
    "vouch_stop": [c_void_p, c_int, OUT], "vouch_close": [c_void_p]}
lib = CDLL(sys.argv[1])
for name, arguments in FUNCTIONS.items():
    getattr(lib, name).argtypes = arguments
lib.vouch_free.argtypes, lib.vouch_free.restype = [c_void_p], None
assert lib.vouch_abi() == 1, "another ABI"

def ask(name, *arguments):
    """The reply as Python values; it is copied, then given back. A problem ends the script."""
    reply = c_void_p()
    code = getattr(lib, name)(*arguments, byref(reply))
    text = string_at(reply.value).decode() if reply.value else "null"
    lib.vouch_free(reply)
    if code < 0:
        sys.exit("%s: %d %s" % (name, code, text))
    return json.loads(text)

def emit(kind, fact, at, data):
    """The id is derived from the fact, so that a repetition is recognised and free."""
    event = json.dumps({"specversion": "1.0", "id": fact, "source": "/python", "type": kind, "time": at, "data": data}).encode()
    return ask("vouch_emit", module, event, len(event))

def ago(days):
    return (datetime.now(timezone.utc) - timedelta(days=days)).isoformat()

module = c_void_p()
ask("vouch_open", open(sys.argv[2], "rb").read(), byref(module))
order, buyer = "python-1", {"id": "c-7", "email": "anna@example.test", "name": "Anna"}
emit("order.placed", "placed:" + order, ago(3), {"order": {"id": order, "placed_at": ago(3), "customer": buyer,
     "items": [{"id": "1", "product_id": "kettle", "name": "Tējkanna"}]}})
emit("order.delivered", "delivered:" + order, ago(1), {"order": {"id": order, "delivered_at": ago(1)}})
print("review", json.dumps(emit("review.submitted", "review:" + order, ago(0), {"review": {  # customer_id: they are logged in
    "id": "r-" + order, "product_id": "kettle", "rating": 4, "body": "Uzvāra ātri.", "author": {"customer_id": "c-7"}}})["review"]))
ask("vouch_step", module, 1000)  # due work; or vouch_start(n), or `vouchctl run` beside the web server
while (taken := ask("vouch_take", module, 0)):
    print("event", taken["type"])  # handle it, then say so; unacknowledged it comes again in 30 s
    ask("vouch_ack", module, taken["id"].encode())
request = json.dumps({"method": "GET", "target": "/products/kettle/reviews", "headers": {"accept": "application/json"}}).encode()
print("summary", json.dumps(json.loads(ask("vouch_serve", module, request, len(request))["body"])["summary"]))
ask("vouch_stop", module, 5000)
print("closed", lib.vouch_close(module))
