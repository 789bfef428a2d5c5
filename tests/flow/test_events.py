#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""The module and the schemas agree: every good event is accepted, every bad one refused where the table says."""
import json
import os
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import cluster
import events
import schema
import tap
import vouch

NEEDS = ["order.placed", "order.delivered", "review.submitted"]  # what others refer to comes first
LAST = ["customer.erased"]                                       # what takes that away, last
RAW = [
    ("not JSON", b"{"), ("nothing", b""), ("a number", b"7"), ("text behind it", b'{"id":"1"} x'),
    ("a byte order mark", b"\xef\xbb\xbf{}"), ("a member twice", b'{"id":"1","id":"2"}'), ("NUL", b'{"id":"a\x00b"}'),
    ("an escaped NUL", b'{"id":"a\\u0000b"}'), ("a lone surrogate", b'{"id":"\\ud800"}'), ("ill-formed UTF-8", b'{"id":"\xff"}'),
    ("overlong UTF-8", b'{"id":"\xc0\xaf"}'), ("33 levels", b'{"id":' + b"[" * 33 + b"]" * 33 + b"}"),
    ("a thousand levels", b"[" * 1000 + b"]" * 1000), ("an array in an array", b"[[]]"), ("a text in an array", b'["x"]'),
]


def big(size):
    """A valid event of exactly that many bytes, of a type nobody knows."""
    event = {"specversion": "1.0", "id": "big", "source": "/shop", "type": "shop.big", "data": {"fill": ""}}
    event["data"]["fill"] = "x" * (size - len(json.dumps(event)))
    return json.dumps(event).encode()


class Events(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.database = cluster.Cluster.shared().database()
        cls.module = vouch.Module({"database": cls.database.url, "emit_deadline_ms": 30000})

    @classmethod
    def tearDownClass(cls):
        cls.module.close()

    def count(self):
        return int(self.database.value("SELECT count(*) FROM vouch.event"))

    def test_1_good(self):
        """every type is accepted, the unknown one marked ignored"""
        for name in NEEDS + [n for n in events.names() if n not in NEEDS + LAST] + LAST:
            with self.subTest(name):
                code, reply = self.module.call("emit", events.good(name))
                self.assertEqual(code, vouch.OK, reply)
        ignored = self.database.sql("SELECT type FROM vouch.event WHERE state = 'ignored'")
        self.assertEqual(ignored, [["shop.opened"]])

    def test_2_bad(self):
        """every bad one is refused, and the pointer shows where; nothing of it is kept"""
        before = self.count()
        for what, event, pointer in events.bad():
            with self.subTest(what):
                if pointer != "/source":
                    event["source"] = "/bad"  # a key of its own: a repetition would answer as the first did
                code, reply = self.module.call("emit", event)
                self.assertEqual(code, vouch.INVALID, reply)
                self.assertEqual(reply.get("pointer"), pointer, reply.get("detail"))
                self.assertLessEqual({"type", "title", "detail"}, set(reply))
        self.assertEqual(self.count(), before)

    def test_3_raw(self):
        """what is no event at all is refused"""
        for what, data in RAW:
            with self.subTest(what):
                code, reply = self.module.call("emit", data)
                self.assertEqual(code, vouch.INVALID, reply)
                self.assertIsInstance(reply["pointer"], str)

    def test_4_array(self):
        """one bad event refuses its whole array, and the pointer says which it is"""
        before = self.count()
        good = [dict(events.good("order.placed"), id="array-%d" % i) for i in range(5)]
        bad = events.change(good[3], "/data/order/items/0/quantity", 0)
        code, reply = self.module.call("emit", good[:3] + [bad] + good[4:])
        self.assertEqual((code, reply["pointer"]), (vouch.INVALID, "/3/data/order/items/0/quantity"))
        self.assertEqual(self.count(), before)
        self.assertEqual(len(self.module.emit(good)["results"]), 5)
        self.assertEqual(self.count(), before + 5)

    def test_5_size(self):
        """one MiB an event, 16 MiB and 10000 events an array"""
        for size, wanted in ((1 << 20, vouch.OK), ((1 << 20) + 1, vouch.INVALID)):
            code, reply = self.module.call("emit", big(size))
            self.assertEqual(code, wanted, (size, reply))
        few = [{"specversion": "1.0", "id": "many-%d" % i, "source": "/shop", "type": "shop.many"} for i in range(10001)]
        self.assertEqual(self.module.call("emit", few[:10000])[0], vouch.OK)
        self.assertEqual(self.module.call("emit", few)[0], vouch.INVALID)
        long = b"[" + b",".join([big(1 << 20).replace(b'"big"', b'"l%02d"' % i) for i in range(16)]) + b"]"
        self.assertGreater(len(long), 16 << 20)
        self.assertEqual(self.module.call("emit", long)[0], vouch.INVALID)

    def test_6_null(self):
        """null is the same as a missing member, and members nobody knows do no harm"""
        event = events.good("order.placed")
        event["id"], event["extra"], event["data"]["new"] = "null", "x", {"later": [1]}
        for name in ("currency", "total", "locale", "country", "timezone", "marketing_consent"):
            event["data"]["order"][name] = None
        event["data"]["order"]["id"] = "null-1"
        event["data"]["order"]["items"][0].update(name=None, url=None, groups=None, quantity=None, unit_price=None, promised_at=None)
        self.assertEqual(schema.check("order.placed", event), [])
        self.assertEqual(self.module.call("emit", event)[0], vouch.OK)

    def test_7_out(self):
        """what the store takes is as its schema says"""
        taken = self.module.take_all()
        self.assertIn("review.published", {event["type"] for event in taken})
        for event in taken:
            with self.subTest(event["type"]):
                self.assertEqual(schema.check("out/" + event["type"], event), [])


if __name__ == "__main__":
    tap.main()
