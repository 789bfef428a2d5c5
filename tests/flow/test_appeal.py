#!/usr/bin/python3
# SPDX-License-Identifier: MIT
# timeout: 600
"""Holds, objections and reports as people meet them: mails through a relay, pages through vouch_serve, operators through SQL.
And that no star changes any of it."""
import email
import email.policy
import os
import re
import sys
import tempfile
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
LANGUAGES = ("en", "es", "pt", "ar", "fa", "lv")
ABUSE = "You are a fucking idiot, you piece of shit."


class Patient(vouch.Module):
    """On a busy machine PostgreSQL may miss a deadline: the step comes again, and so does an event that was spooled meanwhile."""

    def step(self, budget_ms=1000):
        try:
            return super().step(budget_ms)
        except vouch.Problem as busy:
            if busy.code != vouch.UNAVAILABLE:
                raise
            time.sleep(0.3)
            return {"done": 0, "in_flight": 1, "next_ms": 100}

    def emit(self, event):
        for _ in range(20):
            code, reply = self.call("emit", event)
            if code != vouch.SPOOLED:
                break
            self.step()
        if code < 0:
            raise vouch.Problem("vouch_emit", code, reply)
        return reply


class Appeal(unittest.TestCase):
    maxDiff = None

    @classmethod
    def setUpClass(cls):
        cls.database = cluster.Cluster.shared().database()
        cls.peer = smtp_peer.Peer(tempfile.mkdtemp())
        cls.database.sql("UPDATE vouch.store SET smtp_url = 'smtp://127.0.0.1:%d', mail_from = 'Kettles <shop@shop.test>',"
                         " base_url = '%s', name = 'Kettles'" % (cls.peer.port, BASE))
        cls.database.sql("INSERT INTO vouch.operator (store_id, name, role) VALUES ('main', 'olga', 'moderator'), ('main', 'zane', 'manager')")
        cls.database.sql("INSERT INTO vouch.store (store_id) SELECT 's' || n FROM generate_series(1, 5) n")
        cls.database.sql('ALTER DATABASE "%s" SET vouch.store = \'main\'' % cls.database.name)
        cls.module = Patient({"database": cls.database.url, "store": ["main", "s1", "s2", "s3", "s4", "s5"], "emit_deadline_ms": 20000,
                              "spool": os.path.join(tempfile.mkdtemp(), "spool"),
                              "secrets": {"key": "a key of these appeals, 32 bytes or more"}})
        cls.count = 0

    @classmethod
    def tearDownClass(cls):
        cls.module.stop(10000)
        cls.module.close()
        cls.peer.close()

    def event(self, kind, data, store="main"):
        type(self).count += 1
        return {"specversion": "1.0", "id": "a-%d" % self.count, "source": "/appeal", "store": store, "type": kind, "time": "2026-01-20T10:00:00Z", "data": data}

    def review(self, name, body, rating=2, locale="en", store="main"):
        """A verified one."""
        self.module.emit([
            self.event("order.placed", {"order": {
                "id": "o-" + name, "placed_at": "2026-01-01T10:00:00Z", "customer": {"id": "c-" + name, "email": name + "@buyer.test", "name": "Anna"},
                "locale": locale, "items": [{"id": "1", "product_id": "p-" + name, "name": "Kettle"}]}}, store),
            self.event("order.delivered", {"order": {"id": "o-" + name, "delivered_at": "2026-01-10T10:00:00Z"}}, store)])
        return self.module.emit(self.event("review.submitted", {"review": {
            "id": name, "product_id": "p-" + name, "rating": rating, "title": "Kettle", "body": body, "locale": locale,
            "author": {"customer_id": "c-" + name, "email": name + "@buyer.test", "name": "Anna"}}}, store))["review"]

    def mail(self, to, subject):
        def came():
            """a mail about that"""
            for kept in self.peer.mails:
                message = email.message_from_bytes(kept["data"], policy=email.policy.default)
                if kept["to"] == to and subject in message["subject"]:
                    return message.get_body(("plain",)).get_content()
        return self.module.step_until(came, seconds=40)

    def link(self, text, door):
        return re.search(re.escape(BASE) + "(/%s/[A-Za-z0-9_-]{43})" % door, text).group(1)

    def page(self, answer, status=200):
        self.assertEqual(answer.status, status, answer.body[:400])
        return pages.Page(answer.body)

    def form(self, page, action):
        return next((f for f in page.forms if f.fields().get("action") == action), None)

    def test_1_statement_and_appeal(self):
        """held with a statement of reasons; refused; objected to on the page; granted by another operator; told each time"""
        made = self.review("anna", ABUSE)
        self.assertEqual((made["state"], made["reasons"]), ("held", ["abusive"]))
        text = self.mail("anna@buyer.test", "is being checked")
        for part in ("It may contain abusive language.", "idiot", "automatic", "We decide by", "within six months, until", "out-of-court", "number of stars played no part"):
            self.assertIn(part, text)
        target = self.link(text, "a")
        page = self.page(self.module.serve("GET", target))
        for part in ("It may contain abusive language.", "idiot", "without a person", "court"):
            self.assertIn(part, page.text)
        self.assertIsNotNone(self.form(page, "appeal"), "a hold can be objected to")
        self.database.sql("SELECT vouch.reject(%d, 'olga', 'abusive', 'calls our driver an idiot')" % made["review_id"])
        text = self.mail("anna@buyer.test", "was not published")
        for part in ("calls our driver an idiot", "Abusive or inappropriate language", "A member of our staff decided."):
            self.assertIn(part, text)
        form = self.form(self.page(self.module.serve("GET", target)), "appeal")
        self.assertEqual(set(form.fields()), {"action", "objection"})
        self.page(pages.post(self.module, target, {"action": "appeal", "objection": " "}), 400)
        self.page(pages.post(self.module, target, {"action": "appeal", "objection": "x" * 10001}), 400)
        self.assertEqual(pages.post(self.module, target, {"action": "appeal", "objection": "no"}, {"origin": "https://evil.test", "host": "shop.test"}).status, 403)
        self.assertEqual(self.database.value("SELECT count(*) FROM vouch.appeal"), "0")
        for _ in range(2):
            page = self.page(pages.post(self.module, target, {"action": "appeal", "objection": "It is <b>what</b> he said\r\nto me"}))
            self.assertIn("We have received your objection", page.text)
        self.assertEqual(self.database.sql("SELECT appellant, state, body FROM vouch.appeal"), [["author", "open", "It is <b>what</b> he said\nto me"]])
        page = self.page(self.module.serve("GET", target))
        self.assertIn("It is <b>what</b> he said", page.text)
        self.assertIsNone(self.form(page, "appeal"))
        appeal = self.database.value("SELECT appeal_id FROM vouch.open_appeal")
        self.assertRaisesRegex(RuntimeError, "somebody else decides", self.database.sql, "SELECT vouch.decide_appeal(%s, 'olga', 'refused', 'no')" % appeal)
        self.database.sql("SELECT vouch.decide_appeal(%s, 'zane', 'granted', 'a quotation')" % appeal)
        self.assertIn("you were right", self.mail("anna@buyer.test", "is online"))
        page = self.page(self.module.serve("GET", target))
        self.assertIn("Objection upheld", page.text)
        self.assertIn("a quotation", page.text)
        shown = self.module.serve("GET", "/products/p-anna/reviews", headers={"accept": "application/json"}).json()
        self.assertEqual([r["body"] for r in shown["reviews"]], [ABUSE])

    def test_2_refused(self):
        """an objection refused: the decision stands, its ground and the new explanation are told, and there is no third round"""
        made = self.review("bob", "Lovely kettle")
        self.assertEqual(made["state"], "published")
        self.database.sql("SELECT vouch.reject(%d, 'olga', 'wrong_product', 'it is about a lamp')" % made["review_id"])
        target = self.link(self.mail("bob@buyer.test", "has been taken down"), "a")
        self.page(pages.post(self.module, target, {"action": "appeal", "objection": "It is not"}))
        self.database.sql("SELECT vouch.decide_appeal((SELECT appeal_id FROM vouch.open_appeal), 'zane', 'refused', 'the photograph shows a lamp')")
        text = self.mail("bob@buyer.test", "Our decision on your objection")
        for part in ("the photograph shows a lamp", "It is about another product", "The decision stands", "is closed"):
            self.assertIn(part, text)
        page = self.page(self.module.serve("GET", target))
        self.assertIn("Objection refused", page.text)
        self.assertIsNone(self.form(page, "appeal"))
        self.page(pages.post(self.module, target, {"action": "appeal", "objection": "again"}), 409)

    def test_3_redacted(self):
        """personal data hidden everywhere but from the author, who is told"""
        made = self.review("carol", "The kettle is fine, ask my neighbour Janis about his")
        self.database.sql("SELECT vouch.redact(%d, 'olga', '[{\"field\":\"body\",\"text\":\"Janis\"}]', 'a neighbour by name')" % made["review_id"])
        text = self.mail("carol@buyer.test", "are hidden")
        self.assertIn("a neighbour by name", text)
        target = self.link(text, "a")
        self.assertIn("ask my neighbour Janis", self.module.serve("GET", target).body)
        self.assertIn("Parts of your text are hidden", self.page(self.module.serve("GET", target)).text)
        for where in ("/products/p-carol/reviews", "/products/p-carol/rating.jsonld", "/reviews/%d" % made["review_id"],
                      "/reviews/%d/report" % made["review_id"], "/feeds/product-ratings.xml"):
            body = self.module.serve("GET", where, headers={"accept": "application/json"}).body
            self.assertNotIn("Janis", body, where)
        self.assertIn("[…]", self.module.serve("GET", "/reviews/%d" % made["review_id"]).body)

    def test_4_report(self):
        """anybody reports by the form: four fields, a receipt, a decision, an objection; six languages"""
        made = self.review("dora", "My neighbour Juris sold it", locale="lv")
        target = "/reviews/%d/report" % made["review_id"]
        seen = set()
        for language in LANGUAGES:
            answer = self.module.serve("GET", target + "?lang=" + language)
            page = self.page(answer)
            self.assertIn(("html", {"lang": language, "dir": "rtl" if language in ("ar", "fa") else "ltr"}), page.elements)
            seen.add(page.text)
        self.assertEqual(len(seen), len(LANGUAGES))
        fields = self.page(self.module.serve("GET", target)).forms[0].fields()
        self.assertEqual(set(fields), {"category", "explanation", "url", "name", "email"})
        self.assertEqual(fields["url"], BASE + "/reviews/%d" % made["review_id"])
        good = dict(fields, category="personal_data", explanation="It names my neighbour", name="Max <b>", email="max@reader.test", good_faith="true")
        for missing in ("explanation", "name", "email", "good_faith"):
            page = self.page(pages.post(self.module, target, {k: v for k, v in good.items() if k != missing}), 400)
            self.assertIn(missing, " ".join(str(a.get("id")) for _, a in page.elements if "v-fault" in str(a.get("class"))))
        self.page(pages.post(self.module, target, dict(good, email="nobody")), 400)
        self.assertEqual(pages.post(self.module, target, good, {"sec-fetch-site": "cross-site"}).status, 403)
        self.assertEqual(self.database.value("SELECT count(*) FROM vouch.review_report"), "0")
        self.assertIn("We have received your report", self.page(pages.post(self.module, target, good)).text)
        self.assertEqual(self.database.sql("SELECT explanation, url, name, email, category, good_faith, locale, state FROM vouch.review_report"),
                         [["It names my neighbour", fields["url"], "Max <b>", "max@reader.test", "personal_data", "t", "en", "open"]])
        self.assertIn("It names my neighbour", self.mail("max@reader.test", "We have received your report"))
        self.assertEqual(self.module.serve("GET", target).status, 200, "still online")
        self.database.sql("SELECT vouch.decide_report((SELECT report_id FROM vouch.open_report), 'olga', 'kept', 'a common name')")
        text = self.mail("max@reader.test", "Our decision on your report")
        for part in ("It stays visible", "a common name", "A member of our staff", "until"):
            self.assertIn(part, text)
        status = self.link(text, "n")
        page = self.page(self.module.serve("GET", status))
        self.assertIn("a common name", page.text)
        self.page(pages.post(self.module, status, {"action": "appeal", "objection": ""}), 400)
        self.assertIn("We have received your objection", self.page(pages.post(self.module, status, {"action": "appeal", "objection": "Not in our village"})).text)
        self.database.sql("SELECT vouch.decide_appeal((SELECT appeal_id FROM vouch.open_appeal WHERE appellant = 'reporter'), 'zane', 'granted', 'a village of two')")
        self.assertEqual(self.module.serve("GET", target).status, 404, "gone")
        self.assertEqual(pages.post(self.module, target, good).status, 404)
        text = self.mail("dora@buyer.test", "ir noņemta")
        self.assertIn("a village of two", text)
        self.assertIn("Objection upheld", self.page(self.module.serve("GET", status)).text)
        for none in ("/reviews/999999/report", "/reviews/x/report", "/reviews/0/report", "/n/" + "x" * 43):
            self.assertEqual(self.module.serve("GET", none).status, 404, none)

    def test_5_report_by_event(self):
        """review.reported: its address is checked, its receipt goes out, and what is dangerous is held at once"""
        made = self.review("eve", "Mix bleach and acid in it")
        data = {"review": {"id": "eve"}, "report": {"explanation": "Dangerous advice", "url": "https://shop.test/x", "name": "Kim",
                                                    "email": "kim@reader.test", "good_faith": True, "category": "dangerous"}}
        with self.assertRaises(vouch.Problem) as refused:
            self.module.emit(self.event("review.reported", dict(data, report=dict(data["report"], email="nobody"))))
        self.assertEqual(refused.exception.pointer, "/data/report/email")
        self.module.emit(self.event("review.reported", data))
        self.assertEqual(self.database.value("SELECT state FROM vouch.review WHERE review_id = %d" % made["review_id"]), "held")
        text = self.mail("eve@buyer.test", "is being checked")
        for part in ("Somebody has reported it.", "It follows a report"):
            self.assertIn(part, text)
        self.mail("kim@reader.test", "We have received your report")
        self.database.sql("SELECT vouch.reject(%d, 'olga', 'illegal', 'endangers the public, section 9')" % made["review_id"])
        self.assertIn("no longer shown", self.mail("kim@reader.test", "Our decision on your report"))

    def test_6_limits(self):
        """from one network so many reports an hour and no more; to one address so many receipts a day"""
        made = self.review("fay", "Plain")
        target = "/reviews/%d/report" % made["review_id"]
        good = {"explanation": "x", "name": "y", "email": "victim@reader.test", "good_faith": "true", "url": ""}
        told = [pages.post(self.module, target, good, client_address="198.51.100.7").status for _ in range(22)]
        self.assertEqual(told, [200] * 20 + [429] * 2)
        self.assertEqual(pages.post(self.module, target, good, client_address="198.51.100.8").status, 200)
        self.assertEqual(self.database.value("SELECT count(*) FROM vouch.outgoing_mail m JOIN vouch.review_report r ON m.subject_id = r.report_id"
                                             " WHERE m.kind = 'report_receipt' AND r.email = 'victim@reader.test'"), "5")

    def test_7_no_star_counts(self):
        """the same words with every number of stars: the same verdict, deadline, mails; at the deadline the same end"""
        bodies = [ABUSE, "Lovely kettle", "Call me at +371 2000 0000 or www.cheap.example", "", "Write to x@y.test, idiots", "Slikta tējkanna, muļķi"]
        told = {}
        for stars in range(1, 6):
            for n, body in enumerate(bodies):
                self.review("same-%d" % n, body, rating=stars, store="s%d" % stars)
        for row in self.database.sql(
                "SELECT v.store_id, n.external_id, v.state, r.reasons, r.held_for, r.labels, r.marks, r.deadline_at - r.held_at, v.verified_reason,"
                " (SELECT string_agg(m.kind, ',' ORDER BY m.mail_id) FROM vouch.outgoing_mail m JOIN vouch.review_decision d ON d.decision_id = m.subject_id"
                "  WHERE d.review_id = v.review_id AND m.kind IN ('held', 'rejected', 'published')),"
                " (SELECT string_agg(d.action || d.to_state, ',' ORDER BY d.decision_id) FROM vouch.review_decision d WHERE d.review_id = v.review_id)"
                " FROM vouch.review_name n JOIN vouch.review v USING (store_id, review_id) JOIN vouch.review_revision r USING (store_id, review_id)"
                " WHERE n.external_id LIKE 'same-%' ORDER BY 1, 2"):
            told.setdefault(row[0], []).append(row[1:])
        self.assertEqual(sorted(told), ["s1", "s2", "s3", "s4", "s5"])
        for stars in told:
            self.assertEqual(told[stars], told["s5"], stars)
        self.assertLessEqual({"held", "published"}, {row[1] for row in told["s1"]}, "both ends are reached")
        self.database.sql("SELECT vouch.set_clock_offset('8 days')")
        try:
            self.module.drain()
            ends = self.database.sql("SELECT n.external_id, count(DISTINCT (v.state, r.labels, r.escalated_at IS NULL, r.deadline_at - r.escalated_at))"
                                     " FROM vouch.review_name n JOIN vouch.review v USING (store_id, review_id) JOIN vouch.review_revision r USING (store_id, review_id)"
                                     " WHERE n.external_id LIKE 'same-%' GROUP BY 1")
            self.assertEqual({e[1] for e in ends}, {"1"})
        finally:
            self.database.sql("SELECT vouch.set_clock_offset('0')")

    def test_8_record(self):
        """all of it is on a whole record"""
        self.module.drain()
        self.assertEqual(self.database.sql("SELECT * FROM vouch.record_faults('main')"), [])
        self.assertEqual(self.database.value("SELECT count(*) FROM vouch.record_pending"), "0")


if __name__ == "__main__":
    tap.main()
