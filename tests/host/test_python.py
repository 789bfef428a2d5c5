#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Python as a host: the example, many threads, a thread waiting in take, and fork."""
import os
import sys
import threading
import time
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import events
import host
import tap
import vouch

THREADS, EACH = 64, 20


def placed(order_id, product="kettle"):
    event = events.good("order.placed")
    event["id"] = "placed:" + order_id
    event["data"]["order"].update(id=order_id)
    event["data"]["order"]["items"][0]["product_id"] = product
    return event


def delivered_and_reviewed(order_id):
    delivered, review = events.good("order.delivered"), events.good("review.submitted")
    delivered["id"], review["id"] = "delivered:" + order_id, "review:" + order_id
    delivered["data"]["order"]["id"] = order_id
    review["data"]["review"].update(id="r-" + order_id, order_id=order_id)
    return [placed(order_id), delivered, review]


class Python(unittest.TestCase):
    def setUp(self):
        self.database = host.database()

    def open(self):
        return vouch.Module({"database": self.database.url, "emit_deadline_ms": 10000})

    def test_example(self):
        """the example tells its story, and again: the same reply, nothing twice"""
        options = host.options(self.database)
        command = ("/usr/bin/python3", "examples/python/vouch.py", vouch.path(), options)
        host.story(self, self.database, *host.run(*command))
        code, out, err = host.run(*command)
        self.assertEqual((code, err), (0, ""))
        self.assertIn('"verified": true', out)
        self.assertNotIn("event", out)
        self.assertEqual(self.database.value("SELECT count(*) FROM vouch.event"), "3")

    def test_threads(self):
        """64 threads emit on one handle; every event is applied once"""
        wrong, start = [], threading.Barrier(THREADS)

        def work(number):
            start.wait()
            for i in range(EACH):
                code, reply = module.call("emit", placed("%d-%d" % (number, i)))
                if code != vouch.OK:
                    wrong.append((code, reply))
        with self.open() as module:
            threads = [threading.Thread(target=work, args=(n,)) for n in range(THREADS)]
            for t in threads:
                t.start()
            for t in threads:
                t.join()
        self.assertEqual(wrong, [])
        for table in ("event", "sales_order", "order_line"):
            self.assertEqual(self.database.value("SELECT count(*) FROM vouch.%s" % table), str(THREADS * EACH), table)

    def test_take(self):
        """a thread waits in take while others emit; it wakes soon, and stop wakes it too"""
        taken = []

        def wait():
            code, event = module.call("take", 20000)
            taken.append((code, event, time.monotonic()))
        with self.open() as module:
            waiter = threading.Thread(target=wait)
            waiter.start()
            time.sleep(0.3)
            self.assertEqual(taken, [])
            module.emit(delivered_and_reviewed("take-1"))
            emitted = time.monotonic()
            waiter.join(15)
            self.assertFalse(waiter.is_alive(), "take did not return")
            code, event, at = taken.pop()
            self.assertEqual((code, event["type"][:7]), (vouch.OK, "review."))
            self.assertLess(at - emitted, 5)
            for one in [event] + module.take_all():
                module.ack(one["id"])
            waiter = threading.Thread(target=wait)
            waiter.start()
            time.sleep(0.3)
            module.stop(5000)
            waiter.join(10)
            self.assertFalse(waiter.is_alive(), "stop did not wake take")
            self.assertEqual(taken[0][:2], (vouch.EMPTY, None))

    def test_fork(self):
        """a forked child is told FORKED by every call and opens anew; the parent goes on"""
        def child():
            for name, arguments in (("start", (1,)), ("step", (1,)), ("stop", (1,)), ("emit", (b"{}",)), ("take", (0,)),
                                    ("ack", ("1",)), ("serve", (b"{}",)), ("describe", ())):
                code, reply = module.call(name, *arguments)
                if code != vouch.FORKED or not reply.get("title"):
                    return 2
            if module.lib.vouch_close(module.handle) != vouch.FORKED:
                return 3
            with self.open() as own:
                own.emit(placed("child"))
            return 0
        module = self.open()
        module.emit(placed("before"))
        module.start(2)
        for _ in range(3):
            pid = os.fork()
            if pid == 0:
                try:
                    os._exit(child())
                finally:
                    os._exit(99)
            self.assertEqual(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), 0)
            module.emit(placed("after-%d" % pid))
        module.stop()
        module.close()
        self.assertEqual(self.database.value("SELECT count(*) FROM vouch.sales_order"), "5")

    def test_free(self):
        """replies are freed from another thread, and after close"""
        from ctypes import byref, c_void_p
        module, reply = self.open(), c_void_p()
        self.assertEqual(module.lib.vouch_describe(module.handle, byref(reply)), vouch.OK)
        module.close()
        thread = threading.Thread(target=module.lib.vouch_free, args=(reply,))
        thread.start()
        thread.join()
        module.lib.vouch_free(None)


if __name__ == "__main__":
    tap.main()
