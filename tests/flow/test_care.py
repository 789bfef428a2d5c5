#!/usr/bin/python3
# SPDX-License-Identifier: MIT
# timeout: 600
"""An unhappy customer, from the one-star review to a rating of four, over a real relay and the customer's own pages: alert,
thread both ways, public reply, resolution, follow-up, neutral question; webhooks signed; figures against an own computation."""
import base64
import datetime
import email
import email.policy
import hashlib
import hmac
import http.server
import json
import os
import re
import ssl
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(HERE, "..", "lib"), HERE]
import cluster
import pages
import smtp_peer
import tap
import vouch

BASE = "https://shop.test/reviews"
NOW = datetime.datetime.now(datetime.timezone.utc)


def ago(days):
    return (datetime.datetime.now(datetime.timezone.utc) - datetime.timedelta(days=days)).isoformat()


def event(kind, name, data):
    return {"specversion": "1.0", "id": "%s:%s" % (kind, name), "source": "/shop", "type": kind, "time": ago(0), "data": data}


class Receiver(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.server.seen.append((self.path, dict((k.lower(), v) for k, v in self.headers.items()), body))
        busy = self.path == "/busy" and len([s for s in self.server.seen if s[0] == "/busy"]) < 2
        self.send_response(503 if busy else 200)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"ok")

    def log_message(self, *args):
        pass


def receiver(folder):
    certificate, key = os.path.join(folder, "certificate.pem"), os.path.join(folder, "key.pem")
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-subj",
                    "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1", "-days", "2", "-keyout", key, "-out", certificate],
                   check=True, stderr=subprocess.DEVNULL)
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Receiver)
    server.seen, server.daemon_threads = [], True
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server, certificate


class Care(unittest.TestCase):
    maxDiff = None

    def setUp(self):
        self.cluster = cluster.Cluster.shared()
        self.database = self.cluster.database()
        self.sql, self.value = self.database.sql, self.database.value
        folder = tempfile.mkdtemp()
        self.peer = smtp_peer.Peer(folder)
        self.server, certificate = receiver(folder)
        place = "127.0.0.1:%d" % self.server.server_port
        self.sql("UPDATE vouch.store SET smtp_url = 'smtp://127.0.0.1:%d', mail_from = 'Kettles <shop@shop.test>',"
                 " reply_address = 'answers@shop.test', name = 'Kettles', base_url = '%s'" % (self.peer.port, BASE))
        self.sql("INSERT INTO vouch.operator (store_id, name, role) VALUES ('main', 'olga', 'moderator')")
        self.sql("INSERT INTO vouch.case_policy (store_id, stars, alert_to) VALUES ('main', 2, '{care@shop.test}')")
        for name, path, kind in (("events", "/in", "event"), ("chat", "/slack", "slack"), ("flaky", "/busy", "event")):
            self.sql("INSERT INTO vouch.webhook (store_id, name, url, types, format) VALUES ('main', '%s', 'https://%s%s',"
                     " '{case.opened,resolution.proposed}', '%s')" % (name, place, path, kind))
        self.sql("INSERT INTO vouch.webhook (store_id, name, url, types) VALUES ('main', 'inside', 'https://127.0.0.2:8443/', '{case.opened}')")
        self.module = vouch.Module({"database": self.database.url, "emit_deadline_ms": 20000, "secrets": {
            "key": "a key of the story, 32 bytes or more"}, "https": {"allow": [place], "ca_file": certificate}})

    def tearDown(self):
        self.module.stop(10000)
        self.module.close()
        self.peer.close()
        self.server.shutdown()

    def buy(self, order, customer):
        self.module.emit([
            event("order.placed", order, {"order": {
                "id": order, "placed_at": ago(20), "currency": "EUR", "total": "19.90", "locale": "en", "country": "LV",
                "timezone": "Europe/Riga", "customer": {"id": customer, "email": customer + "@example.test", "name": "Anna"},
                "items": [{"id": "1", "product_id": "kettle", "name": "Kettle 17", "promised_at": ago(14)}]}}),
            event("order.delivered", order, {"order": {"id": order, "delivered_at": ago(10.5)}})])

    def review(self, name, customer, rating, body="The lid is broken and nobody answers."):
        return self.module.emit(event("review.submitted", name, {"review": {
            "id": name, "product_id": "kettle", "rating": rating, "body": body, "locale": "en",
            "author": {"customer_id": customer, "email": customer + "@example.test", "name": "Anna"}}}))["review"]

    def mail(self, to, subject):
        def came():
            """the mail"""
            for kept in self.peer.mails:
                message = email.message_from_bytes(kept["data"], policy=email.policy.default)
                if kept["to"] == to and subject in message["Subject"]:
                    return message
        return self.module.step_until(came, seconds=30)

    def text(self, message):
        return message.get_body(("plain",)).get_content()

    def clock(self, offset):
        self.sql("SELECT vouch.set_clock_offset('%s')" % offset)

    def test_story(self):
        """one star, alert, thread, reply, resolution, follow-up, four stars; figures right"""
        m = self.module
        self.buy("1000", "c-1")
        self.buy("1001", "c-1")
        started = time.monotonic()
        review = self.review("r-1", "c-1", 1)
        self.assertEqual(review["state"], "published")
        self.assertEqual(self.value("SELECT topics FROM vouch.review_revision"), "{quality,service}")
        self.assertEqual(self.value("SELECT complaints FROM vouch.trend WHERE topic = 'quality'"), "1")
        draft = json.loads(self.value("SELECT vouch.reply_draft(%d)" % review["review_id"]))[0]
        self.assertIn(draft["topic"], ("quality", "service"))
        self.assertIn("Anna", draft["body"])
        self.assertNotIn("{", draft["body"])
        alert = self.text(self.mail("care@shop.test", "needs an answer"))
        self.assertLess(time.monotonic() - started, 15, "an alert within seconds")
        for known in ("The lid is broken", "1 out of 5", "Kettle 17", "Days late: 4", "Earlier orders:", "First answer due:"):
            self.assertIn(known, alert)
        link = re.search(re.escape(BASE) + r"(/k/[\w-]{43})", alert).group(1)
        for _ in range(2):
            page = m.serve("GET", link)
            self.assertEqual(page.status, 200)
        case = int(self.value("SELECT case_id FROM vouch.open_case WHERE review_id = %d" % review["review_id"]))
        self.assertIsNone(self.value("SELECT assigned_to FROM vouch.case"), "looking takes nothing")
        self.assertEqual(pages.post(m, link, {}).status, 200)
        self.assertEqual(self.value("SELECT assigned_to FROM vouch.case"), "care@shop.test")

        with self.assertRaises(RuntimeError):
            self.sql("SELECT vouch.reply(%d, 'olga', 'Sorry!')" % review["review_id"])
        self.clock("2 hours")
        self.sql("SELECT vouch.contact(%d, 'olga', 'mail', 'Dear Anna, we are sorry. Is it the hinge?')" % case)
        asked = self.mail("c-1@example.test", "A message from Kettles")
        self.assertIn("Is it the hinge?", self.text(asked))
        self.assertRegex(asked["Reply-To"], r"^answers\+[0-9a-f]{32}@shop\.test$")
        told = m.emit(event("mail.received", "1", {"mail": {
            "recipient": asked["Reply-To"].upper().replace("@SHOP.TEST", "@shop.test"), "sender": "c-1@example.test", "message_id": "<x1@example.test>",
            "text": "Yes, the hinge.\n\nOn 21 Nov 2026, Kettles wrote:\n> Is it the hinge?\n"}}))
        self.assertEqual(told, {"mail": {"accepted": True, "case_id": case}})
        self.assertEqual(self.value("SELECT body FROM vouch.case_text ORDER BY event_id DESC LIMIT 1"), "Yes, the hinge.")
        auto = m.emit(event("mail.received", "2", {"mail": {"recipient": asked["Reply-To"], "sender": "c-1@example.test",
                                                            "text": "I am away.", "auto_submitted": "auto-replied"}}))
        self.assertEqual(auto["mail"]["reason"], "automatic")

        author = re.search(re.escape(BASE) + r"(/a/[\w-]{43})", self.text(asked)).group(1)
        page = m.serve("GET", author)
        self.assertIn("Is it the hinge?", page.body)
        self.assertIn("Yes, the hinge.", page.body)
        answer = pages.post(m, author, {"action": "say", "message": "When will it come? <b>"})
        self.assertEqual(answer.status, 200)
        self.assertIn("When will it come? &lt;b&gt;", answer.body)
        self.assertEqual(pages.post(m, author, {"action": "say", "message": "  "}).status, 400)

        self.sql("SELECT vouch.reply(%d, 'olga', 'Thank you, Anna. A new lid is on its way.')" % review["review_id"])
        self.assertIn("A new lid is on its way.", self.text(self.mail("c-1@example.test", "has replied")))
        shown = m.serve("GET", "/products/kettle/reviews").json()["reviews"][0]
        self.assertEqual(shown["reply"]["body"], "Thank you, Anna. A new lid is on its way.")
        self.assertIn("A new lid is on its way.", m.serve("GET", "/products/kettle/reviews?format=html").body)

        self.clock("26 hours")
        self.sql("SELECT vouch.propose_resolution(%d, 'olga', 'replacement', 'A new kettle, sent today.')" % case)
        proposal = self.text(self.mail("c-1@example.test", "proposes a solution"))
        self.assertIn("Replacement", proposal)
        resolution = re.search(re.escape(BASE) + r"(/s/[\w-]{43})", proposal).group(1)
        self.assertIn("A new kettle, sent today.", m.serve("GET", resolution).body)
        self.assertEqual(self.value("SELECT state FROM vouch.case"), "resolution_proposed", "GET answers nothing")
        self.assertEqual(pages.post(m, resolution, {"answer": "perhaps"}).status, 400)
        self.clock("30 hours")
        self.assertEqual(pages.post(m, resolution, {"answer": "yes"}).status, 200)
        self.assertEqual(pages.post(m, resolution, {"answer": "no"}).status, 200)
        self.assertEqual(self.value("SELECT state FROM vouch.case"), "confirmed", "twice changes nothing")

        self.clock("7 days")
        self.mail("c-1@example.test", "Is everything all right")
        self.assertEqual(pages.post(m, resolution, {"answer": "yes"}).status, 200)
        self.clock("10 days")
        question = self.text(self.mail("c-1@example.test", "does it still say"))
        self.assertNotRegex(question.lower(), r"positive|star|improve|better|discount|refund")
        self.assertEqual(pages.post(m, author, {"action": "edit", "rating": "4", "title": "Solved", "body": "They sent another.",
                                                "name": "Anna"}).status, 200)
        self.assertEqual(self.sql("SELECT average, histogram FROM vouch.rating_summary"), [["4.00", "{0,0,0,1,0}"]])
        self.assertEqual(self.value("SELECT count(*) FROM vouch.review_revision WHERE rating = 1"), "1", "the earlier version is kept")
        self.sql("SELECT vouch.close_case(%d, 'olga', 'done')" % case)
        self.figures()

        types = [e["type"] for e in m.take_all()]
        for expected in ("case.opened", "resolution.proposed", "case.closed", "rating.changed"):
            self.assertIn(expected, types)

    def figures(self):
        """kpi against the audit, computed here"""
        rows = self.sql("SELECT case_id, action, extract(epoch FROM happened_at), detail FROM vouch.case_event ORDER BY event_id")
        opened, first, solved, due, happy, raised = {}, {}, {}, {}, {}, {}
        for case, action, at, detail in rows:
            at, detail = float(at), json.loads(detail)
            if action == "open":
                opened[case], due[case] = at, datetime.datetime.fromisoformat(detail["respond_by"]).timestamp()
            elif action in ("contact", "reply", "propose"):
                first.setdefault(case, at)
            elif action == "confirm":
                solved.setdefault(case, at)
            elif action == "feedback":
                happy[case] = detail["satisfied"]
            elif action == "update":
                raised[case] = detail["to"] > detail["from"]
        answers = [int(first[c] - opened[c]) for c in first]
        ends = [int(solved[c] - opened[c]) for c in solved]
        expected = [str(len(opened)), str(statistics.median(answers)), str(statistics.median(ends)),
                    str(sum(first[c] <= due[c] for c in first) / len(first)), str(sum(happy.values()) / len(happy)), str(sum(raised.values()))]
        found = self.sql("SELECT cases, extract(epoch FROM first_response_median)::float, extract(epoch FROM resolution_median)::float,"
                         " within_target::float, satisfaction::float, ratings_raised FROM vouch.kpi WHERE dimension = 'all'")[0]
        self.assertEqual([float(x) for x in found], [float(x) for x in expected])
        for dimension, value in (("product", "kettle"), ("country", "LV"), ("operator", "olga")):
            self.assertEqual(self.value("SELECT cases FROM vouch.kpi WHERE dimension = '%s' AND value = '%s'" % (dimension, value)), "1", dimension)

    def test_console(self):
        """a case worked on in the console; a mediator sees theirs alone; figures as CSV"""
        self.sql("INSERT INTO vouch.operator VALUES ('main', 'mara', 'mediator')")
        self.buy("1001", "c-1")
        self.review("r-1", "c-1", 1)
        case = self.value("SELECT case_id FROM vouch.case")
        olga, mara = {"name": "olga", "role": "manager"}, {"name": "mara", "role": "mediator"}
        where = "/console/cases/" + case

        def forms(operator):
            return pages.Page(self.module.serve("GET", where, operator=operator).body).forms

        def step(operator, action, **fields):
            form = [f.fields() for f in forms(operator) if action in ("note", "outcome") or f.fields().get("action") == action]
            form = [f for f in form if "csrf" in f][0 if action != "note" else -2]
            return pages.post(self.module, where + "/step", dict(form, **fields), operator=operator)
        listed = self.module.serve("GET", "/console/cases", operator=olga)
        self.assertIn("Kettle 17", listed.body)
        self.assertIn("Kettle 17", self.module.serve("GET", where, operator=olga).body)
        self.assertEqual(self.module.serve("GET", where, operator=mara).status, 404)
        self.assertEqual(self.module.serve("GET", where).status, 403)
        self.assertEqual(step(olga, "contact", channel="phone", body="Called, she is angry.").status, 303)
        self.assertEqual(step(olga, "reply", body="We shall see you in court.").status, 400)
        self.assertEqual(step(olga, "reply", body="Thank you, Anna.").status, 303)
        self.assertEqual(step(olga, "mediate", mediator="mara", body="We offered a new lid.").status, 303)
        seen = self.module.serve("GET", where, operator=mara)
        self.assertEqual(seen.status, 200)
        self.assertIn("We offered a new lid.", seen.body)
        self.assertNotIn("she is angry", seen.body)
        self.assertEqual(step(mara, "outcome", outcome="settled", body="Both agree.").status, 303)
        self.assertEqual(self.value("SELECT state FROM vouch.case"), "confirmed")
        self.assertEqual(pages.post(self.module, where + "/step", {"csrf": "x", "action": "close"}, operator=olga).status, 403)
        table = self.module.serve("GET", "/console/figures.csv", operator=olga)
        self.assertEqual(table.status, 200)
        lines = [line.split(",") for line in table.body.strip().split("\r\n")]
        self.assertEqual({len(line) for line in lines}, {18})
        self.assertEqual(lines[1][:4], ["all", '"*"', "1", "1"])
        self.assertEqual(self.module.serve("GET", "/console/figures", operator=olga).status, 200)
        self.assertEqual(self.module.serve("GET", "/console/figures", operator=mara).status, 403)
        self.assertNotIn("whsec_", self.module.serve("GET", "/console/webhooks", operator=olga).body)

    def test_webhooks(self):
        """signed after Standard Webhooks, tried again, never inwards, replayed"""
        self.buy("1001", "c-1")
        self.review("r-1", "c-1", 1)
        seen = self.server.seen
        self.module.step_until(lambda: {p for p, _, _ in seen} >= {"/in", "/slack", "/busy"}, seconds=20)
        path, headers, body = [s for s in seen if s[0] == "/in"][0]
        secret = self.value("SELECT secret FROM vouch.webhook WHERE name = 'events'")
        mac = hmac.new(base64.b64decode(secret[6:]), b"%s.%s.%s" % (
            headers["webhook-id"].encode(), headers["webhook-timestamp"].encode(), body), hashlib.sha256)
        self.assertEqual(headers["webhook-signature"], "v1," + base64.b64encode(mac.digest()).decode())
        self.assertLess(abs(time.time() - int(headers["webhook-timestamp"])), 60)
        told = json.loads(body)
        self.assertEqual((told["type"], told["data"]["case"]["order_id"]), ("case.opened", "1001"))
        slack = json.loads([s for s in seen if s[0] == "/slack"][0][2])
        self.assertRegex(slack["text"], r"^case\.opened .* 1/5 .* order_id 1001")

        def state(name):
            return self.sql("SELECT state, attempts, status FROM vouch.webhook_delivery WHERE webhook = '%s'" % name)[0]
        self.module.step_until(lambda: state("flaky")[0] == "queued" and state("flaky")[2] == "503")
        first = [s for s in seen if s[0] == "/busy"][0][1]["webhook-id"]
        self.clock("10 minutes")
        self.module.step_until(lambda: state("flaky")[0] == "delivered", seconds=20)
        self.assertEqual([s for s in seen if s[0] == "/busy"][1][1]["webhook-id"], first, "a repetition is known by its id")
        self.assertEqual(state("events")[0], "delivered")
        self.assertNotEqual(state("inside")[0], "delivered")
        self.assertEqual(state("inside")[2], "0")
        before = len([s for s in seen if s[0] == "/in"])
        self.sql("SELECT vouch.webhook_replay(delivery_id, 'olga') FROM vouch.webhook_delivery WHERE webhook = 'events'")
        self.module.step_until(lambda: len([s for s in seen if s[0] == "/in"]) == before + 1, seconds=20)

    def test_asked(self):
        """that a buyer was asked reaches webhooks as it reaches vouch_take"""
        self.sql("UPDATE vouch.webhook SET types = '{request.sent}' WHERE name = 'events'")
        self.buy("1001", "c-1")

        def told():
            """request.sent"""
            return [json.loads(body) for path, _, body in self.server.seen if path == "/in"]
        self.module.step_until(told, seconds=20)
        self.assertEqual([(e["type"], e["data"]["request"]["order_id"]) for e in told()], [("request.sent", "1001")])


tap.main()
