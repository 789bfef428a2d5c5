# SPDX-License-Identifier: MIT
# build: release
"""Everybody at every door: roles × routes × stores, from the route table as vouchctl tells it; tokens against forged forms."""
import json
import os
import subprocess
import sys
import unittest

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(ROOT, "tests", "lib"))
import tap  # noqa: E402
from cluster import Cluster, vouchctl  # noqa: E402
from pages import FORM, Page, Shop  # noqa: E402
from vouch import Module  # noqa: E402

ROLES = [None, "viewer", "moderator", "manager", "mediator", "producer"]
KEY = "0123456789abcdef0123456789abcdef"


def routes():
    """[(pattern, methods, roles, guard, cache, voice)]"""
    told = subprocess.run([vouchctl(), "routes"], stdout=subprocess.PIPE, text=True, check=True).stdout
    return [(p, m.split(", "), set(r.split(",")), g, c, v) for p, m, r, g, c, v in (line.split("\t") for line in told.splitlines())]


def who(role):
    return {"name": "somebody", "role": role} if role else None


class Roles(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.database = Cluster.shared().database()
        cls.database.sql("INSERT INTO vouch.store (store_id, name, base_url) VALUES ('other', 'Other', 'https://other.test') ON CONFLICT DO NOTHING;"
                         "UPDATE vouch.store SET base_url = 'https://shop.test/reviews' WHERE store_id = 'main'")
        cls.modules = {s: Module({"database": cls.database.url, "store": s, "secrets": {"key": KEY}}) for s in ("main", "other")}
        cls.module = cls.modules["main"]
        shop = Shop(cls.module, cls.database)
        for i in range(3):
            cls.module.emit(shop.event("review.submitted", {"review": {
                "id": "r%d" % i, "product_id": "cup", "rating": 3, "title": "SecretTitle", "body": "A cup.", "locale": "en",
                "author": {"email": "a@example.test", "name": "Bob"}}}))
        cls.review = cls.database.value("SELECT min(review_id) FROM vouch.review")
        cls.routes = routes()

    @classmethod
    def tearDownClass(cls):
        for module in cls.modules.values():
            module.close()

    def target(self, pattern):
        return (pattern.replace("{token}", "x" * 43).replace("{table}", "hold_policy").replace("{name}", "nothing.css")
                .replace("/reviews/{id}", "/reviews/" + self.review).replace("{id}", "1"))

    def state(self):
        return self.database.value("SELECT md5(string_agg(x, '' ORDER BY x)) FROM (SELECT d::text AS x FROM vouch.review_decision d UNION ALL"
                                   " SELECT s::text FROM vouch.suppression s UNION ALL SELECT h::text FROM vouch.hold_policy h UNION ALL"
                                   " SELECT o::text FROM vouch.operator_action o) t")

    def token(self, role, form_at, action):
        """The token that the page shows for a form with this action, as this role."""
        for module_page in (form_at,):
            page = Page(self.module.serve("GET", module_page, operator=who(role)).body)
            for form in page.forms:
                if (form.attributes.get("action") or "").endswith(action):
                    return form.fields().get("csrf")
        return None

    def test_matrix(self):
        """who has no role of a route is refused, at GET, HEAD and POST; whoever has one is not; nothing changes"""
        before, bad, count = self.state(), [], 0
        for pattern, methods, roles, guard, _, _ in self.routes:
            for role in ROLES:
                for method in methods:
                    count += 1
                    got = self.module.serve(method, self.target(pattern), "", {"content-type": FORM}, operator=who(role)).status
                    may = "anybody" in roles or role in roles
                    if not may and got != 403 or may and method != "POST" and got == 403 or method == "POST" and guard == "token" and got != 403:
                        bad.append("%s %s as %s: %d" % (method, pattern, role, got))
        print("# %d combinations" % count, file=sys.stderr)
        self.assertEqual(bad, [])
        self.assertEqual(self.state(), before)

    def test_console_is_closed(self):
        """every page of the console has its roles; every deed is a POST with a token; viewers may do none that changes anything"""
        console = [r for r in self.routes if r[0].startswith("/console")]
        self.assertGreaterEqual(len(console), 25)
        for pattern, methods, roles, guard, cache, voice in console:
            with self.subTest(pattern):
                self.assertNotIn("anybody", roles)
                self.assertNotIn("producer", roles)
                self.assertEqual((cache, voice), ("never", "page"))
                self.assertEqual(methods == ["POST"], guard == "token")
                if methods == ["POST"] and not pattern.endswith("/find") and not pattern.endswith("/preview") and not pattern.endswith("/plan"):
                    self.assertNotIn("viewer", roles)

    def test_role_by_header(self):
        """no header makes an operator"""
        for headers in ({"operator": "maija"}, {"x-operator": '{"name":"x","role":"manager"}'}, {"x-remote-user": "maija"},
                        {"authorization": "Basic bWFpamE6eA=="}, {"cookie": "operator=maija:manager"}):
            self.assertEqual(self.module.serve("GET", "/console/", headers=headers).status, 403)

    def test_other_store(self):
        """a page of one store shows nothing of another, whatever id is asked for"""
        for target in ["/console/reviews/" + self.review, "/console/queue", "/console/reviews", "/console/reviews?product=cup", "/console/reports"]:
            got = self.modules["other"].serve("GET", target, operator=who("manager"))
            self.assertNotIn("SecretTitle", got.body)
        self.assertEqual(self.modules["other"].serve("GET", "/console/reviews/" + self.review, operator=who("manager")).status, 404)
        self.assertIn("SecretTitle", self.module.serve("GET", "/console/queue", operator=who("viewer")).body)

    def test_forged(self):
        """a decision needs this operator's token for this very deed, from our own page: 403 else, and nothing moved"""
        target = "/console/reviews/%s/decision" % self.review
        good = self.token("moderator", "/console/queue", target)
        other = self.token("moderator", "/console/reviews", "/console/reviews/find")
        self.assertTrue(good and other and good != other)
        version = self.database.value("SELECT max(decision_id) FROM vouch.review_decision WHERE review_id = %s" % self.review)
        body = lambda t: "action=approve&version=%s%s" % (version, "&csrf=" + t if t is not None else "")  # noqa: E731
        before = self.state()
        forged = [("missing", body(None), {}, "somebody"), ("empty", body(""), {}, "somebody"), ("another deed's", body(other), {}, "somebody"),
                  ("another login's", body(good), {}, "else"), ("short", body(good[:-1]), {}, "somebody"), ("flipped", body(good[:-1] + ("A" if good[-1] != "A" else "B")), {}, "somebody"),
                  ("cross-site", body(good), {"sec-fetch-site": "cross-site"}, "somebody"), ("same-site", body(good), {"sec-fetch-site": "same-site"}, "somebody"),
                  ("evil origin", body(good), {"origin": "https://evil.test"}, "somebody"), ("null origin", body(good), {"origin": "null"}, "somebody"),
                  ("as JSON", '{"csrf":"%s"}' % good, {"content-type": "text/plain"}, "somebody")]
        for what, text, headers, name in forged:
            got = self.module.serve("POST", target, text, dict({"content-type": FORM}, **headers), operator={"name": name, "role": "moderator"})
            self.assertIn(got.status, (403, 415) if what == "as JSON" else (403,), what)
        self.assertEqual(self.module.serve("GET", target + "?" + body(good), operator=who("moderator")).status, 405)
        self.assertEqual(self.state(), before)
        got = self.module.serve("POST", target, body(good), {"content-type": FORM, "sec-fetch-site": "same-origin"}, operator=who("moderator"))
        self.assertEqual(got.status, 303)
        self.assertNotEqual(self.state(), before)

    def test_sql_checks_again(self):
        """the functions behind the pages refuse a role themselves"""
        names = [r[0] for r in self.database.sql(
            "SELECT p.proname FROM pg_proc p WHERE p.pronamespace = 'vouch'::regnamespace AND p.proname LIKE 'console\\_%' AND p.prosecdef"
            " AND pg_get_function_identity_arguments(p.oid) = 'p_store text, p_operator text, p_role text, p_ask jsonb' ORDER BY 1")]
        self.assertGreater(len(names), 15)
        for name in names:
            for role in ("'producer'", "NULL"):
                with self.assertRaisesRegex(RuntimeError, "needs one of the roles", msg=name):
                    self.database.sql("SELECT vouch.%s('main', 'x', %s, '{}')" % (name, role))

    def test_redirects_stay(self):
        """where a deed leads back to is ours, whatever the form says"""
        for place in ("//evil.test", "/\\evil.test", "https://evil.test", "javascript:alert(1)", "queue/../../x", "\r\nset-cookie: x"):
            token = self.token("manager", "/console/reviews", "/console/reviews/find")
            from urllib.parse import urlencode
            got = self.module.serve("POST", "/console/reviews/find", urlencode({"csrf": token, "address": "a@example.test", "from": place, "next": place, "back": place}),
                                    {"content-type": FORM}, operator=who("manager"))
            self.assertEqual(got.status, 303)
            self.assertRegex(got.headers["location"], r"^\.\./\.\./console/reviews\?author=a%3A[0-9a-f]{64}$")

    def test_addresses_go_no_further(self):
        """a typed address stands in no answer, redirect or problem; in a query it is not looked at"""
        got = self.module.serve("GET", "/console/reviews?address=somebody%40example.test", operator=who("viewer"))
        self.assertEqual(got.status, 200)
        self.assertNotIn("somebody", got.body.replace("<bdi>somebody</bdi>", ""))
        self.assertNotIn("address=", json.dumps(got.headers))


tap.main()
