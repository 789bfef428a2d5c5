# SPDX-License-Identifier: MIT
# timeout: 600
"""Pages and machines' doors through vouch_serve: header fields, methods, links, forms, hostile input."""
import base64
import json
import os
import re
import subprocess
import sys
import threading
import unittest
from urllib.parse import quote, urlencode

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(ROOT, "tests", "lib"))
import tap  # noqa: E402
from cluster import Cluster, vouchctl  # noqa: E402
from pages import FORM, Page, Shop, post  # noqa: E402
from vouch import INVALID, Module, Problem  # noqa: E402

CSP = ("default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; connect-src 'self'; "
       "form-action 'self'; base-uri 'none'; frame-ancestors 'none'")
LOCALES = ["en", "es", "pt", "ar", "fa", "lv"]
PRODUCER = {"name": "erp", "role": "producer"}
PAYLOADS = [
    "<script>alert(1)</script>", "</textarea><script>alert(1)</script>", "\"><img src=x onerror=alert(1)>",
    "'><svg onload=alert(1)>", "\" onfocus=alert(1) autofocus=\"", "' onmouseover='alert(1)", "`onclick=alert(1)`",
    "<img src=x onerror=alert(1)//", "<svg/onload=alert(1)>", "<iframe srcdoc='<script>1</script>'>",
    "<a href=\"javascript:alert(1)\">x</a>", "<math><mi//xlink:href=\"data:x,<script>1</script>\">",
    "<body onload=alert(1)>", "<input autofocus onfocus=alert(1)>", "<details open ontoggle=alert(1)>",
    "<style>@import'//evil.test'</style>", "<link rel=stylesheet href=//evil.test>", "<meta http-equiv=refresh content=0>",
    "<base href=//evil.test>", "<object data=//evil.test>", "<embed src=//evil.test>", "<form action=//evil.test><input>",
    "</title><script>1</script>", "</style><script>1</script>", "--><script>1</script>", "<!--<script>", "]]><script>1</script>",
    "<![CDATA[<script>1</script>]]>", "&lt;script&gt;alert(1)&lt;/script&gt;", "&#60;script&#62;", "&amp;lt;script&amp;gt;",
    "%3Cscript%3Ealert(1)%3C/script%3E", "\\u003cscript\\u003e", "\\x3cscript\\x3e", "<scr<script>ipt>alert(1)</scr</script>ipt>",
    "<ScRiPt>alert(1)</sCrIpT>", "<script\x0b>1</script>".replace("\x0b", "/"), "javascript:alert(1)", "{{title}}",
    "{{{body}}}", "{{&store.name}}", "{{#lines}}x{{/lines}}", "{{>layout}}", "{{=<% %>=}}", "%s%n%x", "${7*7}", "#{7*7}",
    "[shortcode]", "<%= 7*7 %>", "{%raw%}", "\u202eevil\u202c", "\u2066x\u2069", "\u200b\u200c\u200d", "Z\u0351\u0352\u0353algo",
    "<b\u202e>", "\ufefftext", "'; DROP TABLE vouch.review; --", "\\'; SELECT pg_sleep(5)--", "e\u0301" * 5,
]


def tables(database):
    """What is in every table, as one checksum a table."""
    names = [r[0] for r in database.sql("SELECT tablename FROM pg_tables WHERE schemaname = 'vouch' ORDER BY 1")]
    return {n: database.value("SELECT md5(coalesce(string_agg(t::text, '|' ORDER BY t::text), '')) FROM vouch.%s t" % n)
            for n in names}


class Web(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.cluster = Cluster.shared()
        cls.database = cls.cluster.database()
        cls.database.sql("INSERT INTO vouch.store (store_id, name) VALUES ('other', 'Other') ON CONFLICT DO NOTHING;"
                         "UPDATE vouch.store SET name = 'Tea & <Kettle>', base_url = 'https://shop.test/reviews' WHERE store_id = 'main'")
        cls.options = {"database": cls.database.url, "store": "main", "secrets": {"key": "0123456789abcdef0123456789abcdef"}}
        cls.module = Module(cls.options)
        cls.shop = Shop(cls.module, cls.database)

    @classmethod
    def tearDownClass(cls):
        cls.module.close()

    def get(self, target, **more):
        return self.module.serve("GET", target, **more)

    def author(self, response):
        return "/a/" + re.search(r"/a/([\w-]+)", response.body).group(1)

    def review(self, order, **fields):
        token = self.shop.order(["kettle"], order_id=order)
        answer = post(self.module, "/r/" + token, dict({"rating": "4", "title": "Fine", "body": "Pours well."}, **fields))
        self.assertEqual(answer.status, 200, answer.body)
        return token, answer

    # Header fields.
    def golden(self, response, kind, cache="no-store", extra=()):
        private = cache == "no-store"
        expected = {"content-type": kind, "cache-control": cache, "content-security-policy": CSP, "x-content-type-options": "nosniff",
                    "referrer-policy": "no-referrer" if private else "strict-origin-when-cross-origin"}
        expected.update({"x-robots-tag": "noindex"} if private else {})
        expected.update(extra)
        self.assertEqual(response.headers, expected)

    def test_headers(self):
        """the same header fields on every route and every error"""
        html, data, problem = ("%s; charset=utf-8" % t for t in ("text/html", "application/json", "application/problem+json"))
        token, answer = self.review("gold-1")
        style = re.search(r"assets/(vouch\.\w+\.css)", answer.body).group(1)
        self.golden(answer, html)
        self.golden(self.get("/r/" + token), html)
        self.golden(self.get(self.author(answer)), html)
        self.golden(self.get("/u/" + self.shop.unsubscribe("gold-1")), html)
        for route in "racu":
            self.golden(self.get("/%s/nothing" % route), html)
            self.golden(self.module.serve("DELETE", "/%s/x" % route), html, extra={"allow": "GET, HEAD, POST"})
            self.golden(self.get("/%s/x?a=1&a=2" % route), html)
        self.golden(post(self.module, "/r/" + token, {}), html)
        self.golden(post(self.module, "/r/" + token, {}, {"sec-fetch-site": "cross-site"}), html)
        self.golden(post(self.module, "/r/" + token, {}, {"content-type": "text/plain"}), html)
        public = {"vary": "accept, accept-language, sec-fetch-dest"}
        shown = self.get("/products/kettle/reviews")
        self.golden(shown, data, "public, max-age=60", dict(public, etag=shown.headers["etag"]))
        shown = self.get("/products/kettle/reviews?format=html")
        self.golden(shown, html, "public, max-age=60", dict(public, etag=shown.headers["etag"]))
        self.golden(self.get("/products/kettle/reviews?limit=0"), problem)
        shown = self.get("/products/kettle/rating.jsonld")
        self.golden(shown, "application/ld+json; charset=utf-8", "public, max-age=60", {"etag": shown.headers["etag"]})
        self.golden(self.get("/products/none/rating.jsonld"), "application/ld+json; charset=utf-8")
        self.golden(self.module.serve("POST", "/products/kettle/reviews"), problem, extra={"allow": "GET, HEAD"})
        self.golden(self.module.serve("POST", "/events", "{}"), problem)
        self.golden(self.module.serve("GET", "/events"), problem, extra={"allow": "POST"})
        self.golden(self.get("/healthz"), data)
        self.golden(self.get("/metrics"), "text/plain; version=0.0.4; charset=utf-8")
        self.golden(self.get("/assets/" + style), "text/css; charset=utf-8", "public, max-age=31536000, immutable")
        self.golden(self.get("/assets/vouch.css"), problem)
        self.golden(self.get("/nowhere"), problem)
        self.golden(self.get("/nowhere", headers={"Accept": "text/html"}), html)
        self.golden(self.get("//r"), problem)

    def test_headers_of_all(self):
        """every route of the table, as everybody and as a manager, with every method, well asked and badly: the same header fields"""
        told = subprocess.run([vouchctl(), "routes"], stdout=subprocess.PIPE, text=True, check=True).stdout
        routes = [line.split("\t") for line in told.splitlines()]
        token, answer = self.review("all-1")
        known = {"/r/{token}": "/r/" + token, "/a/{token}": self.author(answer), "/a/{token}/data": self.author(answer) + "/data",
                 "/u/{token}": "/u/" + self.shop.unsubscribe("all-1"), "/products/{id}/reviews": "/products/kettle/reviews",
                 "/products/{id}/rating.jsonld": "/products/kettle/rating.jsonld",
                 "/reviews/{id}": "/reviews/%d" % self.shop.reviews("all-1")[0]["review_id"]}
        extra = {"etag", "vary", "allow", "retry-after", "content-disposition", "location", "x-robots-tag"}
        seen = set()
        for pattern, methods, _, _, cache, _ in routes:
            bare = pattern.replace("{token}", "x" * 43).replace("{id}", "1").replace("{name}", "x").replace("{table}", "hold_policy")
            for target in {bare, known.get(pattern, bare), bare + "?a=1&a=2", bare + "?lang=ar", bare + "/x"}:
                for method in ("GET", "HEAD", "POST", "DELETE"):
                    for who in (None, {"name": "boss", "role": "manager"}):
                        for headers in ({}, {"sec-fetch-site": "cross-site"}, {"content-type": "text/plain", "accept": "text/html"}):
                            a = self.module.serve(method, target, "x=1", headers, operator=who)
                            seen.add(a.status)
                            at = "%s %s: %d %s" % (method, target, a.status, a.headers)
                            private = a.status not in (200, 304) or cache == "never" or target.endswith("/x")
                            self.assertEqual(a.headers["content-security-policy"], CSP, at)
                            self.assertEqual(a.headers["x-content-type-options"], "nosniff", at)
                            self.assertTrue(a.headers["content-type"].endswith("charset=utf-8"), at)
                            self.assertEqual(a.headers["referrer-policy"] == "no-referrer", a.headers["cache-control"] == "no-store", at)
                            self.assertEqual("x-robots-tag" in a.headers, a.headers["cache-control"] == "no-store", at)
                            self.assertEqual("allow" in a.headers, a.status == 405, at)
                            if private:
                                self.assertEqual(a.headers["cache-control"], "no-store", at)
                            self.assertTrue("set-cookie" not in a.headers or pattern.startswith("/console"), at)
                            self.assertFalse(set(a.headers) - extra - {"set-cookie", "content-type", "cache-control", "content-security-policy", "x-content-type-options",
                                                                        "referrer-policy"}, at)
                            self.assertNotIn("\n", "".join(a.headers.values()))
        self.assertLessEqual({200, 400, 403, 404, 405, 415}, seen)

    def test_methods(self):
        """methods: 405 with Allow, HEAD as GET without a body"""
        for method in ["PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "CONNECT", "get", "Post", "X" * 8192, "GET "]:
            answer = self.module.serve(method, "/r/x")
            self.assertEqual((answer.status, answer.headers.get("allow")), (405, "GET, HEAD, POST"), method)
        token = self.shop.order(["kettle"])
        for target in ["/r/" + token, "/products/kettle/reviews", "/healthz", "/r/none"]:
            head, get = self.module.serve("HEAD", target), self.get(target)
            self.assertEqual((head.status, head.headers, head.body), (get.status, get.headers, ""))

    def test_assets(self):
        """style sheets by the hash of their content, referred to by every page, no inline style or script"""
        token, _ = self.review("asset-1")
        page = Page(self.get("/r/" + token).body)
        links = [a["href"] for t, a in page.elements if t == "link"]
        self.assertEqual(len(links), 3)
        for link in links:
            answer = self.get(link.replace("..", "", 1))
            self.assertEqual(answer.status, 200, link)
            self.assertNotIn("@import", answer.body)
            self.assertFalse(re.search(r"url\((?!\"data:)", answer.body))
        self.assertFalse(page.tags() & {"style", "script"})
        self.assertEqual(page.attributes("style"), [])
        for name in ["", "..", "%2e%2e", "README.md", "pico.LICENSE.md", "vouch.css", "vouch.000000000000.css", "x" * 300]:
            self.assertIn(self.get("/assets/" + name).status, (400, 404))

    # Links.
    def test_reading_changes_nothing(self):
        """GET and HEAD, fifty times, from anywhere, change nothing, and the link still works"""
        token = self.shop.order(["kettle", "cup"], order_id="scan-1")
        _, answer = self.review("scan-2")
        self.module.emit(self.shop.event("review.submitted", {"review": {
            "id": "scan", "product_id": "kettle", "rating": 3, "author": {"email": "scan-1@example.test"}}}))
        confirm = self.shop.link("confirm", "(SELECT max(confirmation_id) FROM vouch.confirmation)")
        targets = ["/r/" + token, "/r/%s?stars=5" % token, self.author(answer), "/c/" + confirm, "/u/" + self.shop.unsubscribe("scan-1")]
        before = tables(self.database)
        for i in range(50):
            for target in targets:
                answer = self.module.serve(("GET", "HEAD")[i % 2], target, client_address="198.51.100.%d" % i,
                                           headers={"purpose": "prefetch", "user-agent": "scanner/%d" % i})
                self.assertEqual(answer.status, 200)
        self.assertEqual(tables(self.database), before)
        self.assertEqual(post(self.module, "/r/" + token, {"rating.1": "5"}).status, 200)

    def test_links_answer_alike(self):
        """unknown, expired, altered, other purposes' and other stores' links: the same 404"""
        token, answer = self.review("alike-1")
        author = self.author(answer)[3:]
        flipped = ["".join(chr(ord(c) ^ 1) if i == k else c for i, c in enumerate(token)) for k in range(0, 43, 6)]
        expired = self.shop.link("review", "1", expires="vouch.clock() - interval '1 second'")
        with Module(dict(self.options, store="other")) as module:
            foreign = Shop(module, self.database, "other").order(["kettle"])
            self.assertEqual(module.serve("GET", "/r/" + foreign).status, 200)
        bad = [quote(t, safe="") for t in flipped] + [expired, foreign, author, "x", token[:-1], token + "A", token + "=", token.swapcase(),
                                                      "A" * 43, "0", "null", "true", "%5B%5D", "%7B%7D", "x" * 6000, "%27%20OR%201%3D1--"]
        seen = set()
        for t in bad:
            for method in ("GET", "POST"):
                answer = self.module.serve(method, "/r/" + t, "rating=5", {"content-type": FORM})
                seen.add((answer.status, json.dumps(answer.headers, sort_keys=True), answer.body))
        self.assertEqual(len(seen), 1)
        self.assertEqual(seen.pop()[0], 404)
        for route in "acu":
            for t in [token, "x", "A" * 43]:
                answers = [self.get("/%s/%s" % (route, t)), post(self.module, "/%s/%s" % (route, t), "List-Unsubscribe=One-Click")]
                self.assertEqual([a.status for a in answers], [404, 404], (route, t))

    def test_cross_site(self):
        """a POST from another site's page is refused, but not the one-click of a mail program"""
        token = self.shop.order(["kettle"], order_id="cross-1")
        for headers in [{"sec-fetch-site": "cross-site"}, {"sec-fetch-site": "same-site"}, {"origin": "https://evil.test"},
                        {"Sec-Fetch-Site": "cross-site", "Origin": "https://shop.test"}]:
            answer = post(self.module, "/r/" + token, {"rating": "5"}, headers)
            self.assertEqual(answer.status, 403, headers)
        self.assertEqual(self.shop.reviews("cross-1"), [])
        for headers in [{"origin": "https://shop.test"}, {"origin": "null", "sec-fetch-site": "same-origin"}, {"origin": "null"},
                        {"origin": "http://localhost:81", "host": "localhost:81"}]:
            self.assertEqual(post(self.module, "/r/" + token, {"rating": "5"}, headers).status, 200, headers)
        answer = post(self.module, "/u/" + self.shop.unsubscribe("cross-1"), "List-Unsubscribe=One-Click",
                      {"sec-fetch-site": "cross-site", "origin": "https://mail.test"})
        self.assertEqual(answer.status, 200)

    # The form.
    def test_form(self):
        """a script that only knows the page fills the form in; a second sending changes nothing"""
        token = self.shop.order(["kettle", "cup", "board"], order_id="form-1")
        page = Page(self.get("/r/" + token).body)
        self.assertEqual(len(page.forms), 1)
        form = page.forms[0]
        self.assertEqual(form.attributes.get("method"), "post")
        fields = form.fields()
        self.assertEqual(form.choices("rating.1"), ["1", "2", "3", "4", "5"])
        fields.update({"rating.1": "4", "title.1": "Solid", "body.1": "Line one.\r\nLine two.", "rating.3": "2", "name": " Anna "})
        answers = [post(self.module, "/r/" + token, fields) for _ in range(3)]
        self.assertEqual({a.status for a in answers}, {200})
        self.assertEqual(len({a.body for a in answers}), 1)
        found = self.shop.reviews("form-1")
        self.assertEqual([(r["line_id"], r["rating"], r["title"], r["body"], r["name"], r["revision"], r["verified"]) for r in found],
                         [("1", 4, "Solid", "Line one.\nLine two.", "Anna", 1, True), ("3", 2, None, None, "Anna", 1, True)])
        links = re.findall(r"/a/[\w-]+", answers[0].body)
        self.assertEqual(len(links), 2)
        for link in links:
            self.assertEqual(self.get(link).status, 200)
        again = Page(self.get("/r/" + token).body).forms[0].fields()
        self.assertEqual((again["rating.1"], again["title.1"], again["name"]), ("4", "Solid", "Anna"))
        self.assertNotIn("rating.2", again)
        again["rating.1"] = "1"
        self.assertEqual(post(self.module, "/r/" + token, again).status, 200)
        self.assertEqual([(r["rating"], r["revision"]) for r in self.shop.reviews("form-1")], [(1, 2), (2, 1)])

    def test_form_of_one(self):
        """an order of one line also takes plain names, and stars in the link prefill"""
        token = self.shop.order(["kettle"], order_id="one-1")
        for query, stars in [("?stars=4", "4"), ("?stars.1=2", "2"), ("?stars=3&product=kettle", "3"), ("?stars=3&product=cup", None),
                             ("?stars=0", None), ("?stars=6", None), ("?stars=44", None), ("?stars=", None), ("", None)]:
            self.assertEqual(Page(self.get("/r/" + token + query).body).forms[0].fields().get("rating.1"), stars, query)
        self.assertEqual(post(self.module, "/r/" + token + "?stars=4", {"rating": "3", "title": "T", "body": "B"}).status, 200)
        self.assertEqual(self.shop.reviews("one-1")[0]["rating"], 3)
        two = self.shop.order(["kettle", "a&b c"], order_id="one-2")
        fields = Page(self.get("/r/%s?stars=5&product=%s" % (two, quote("a&b c"))).body).forms[0].fields()
        self.assertEqual((fields.get("rating.1"), fields.get("rating.2")), (None, "5"))

    def test_form_errors(self):
        """what is wrong is told beside its field, the draft is kept, nothing is stored"""
        token = self.shop.order(["kettle", "cup"], order_id="bad-1")
        good = {"rating.1": "4", "title.1": "My title", "body.1": "My text", "rating.2": "5", "name": "Anna"}
        bad = [("rating.1", v) for v in ["0", "6", "-1", "1.5", "1e309", "5 ", " 5", "٥", "2147483648", "05", "+4", "four", "[5]", "4,5"]]
        bad += [("title.1", "x" * 501), ("title.1", "ē" * 251), ("title.1", "a\x01b"), ("title.1", "a\nb"), ("title.1", "a\x85b"),
                ("title.1", "a\u2028b"), ("body.1", "x" * 20001), ("body.1", "a\x1b[0mb"), ("body.1", "a\x9bb"), ("name", "x" * 501),
                ("name", "anna@example.test"), ("name", "Anna <anna@example.test>"), ("name", "a\x7fb")]
        for name, value in bad:
            answer = post(self.module, "/r/" + token, dict(good, **{name: value}))
            self.assertEqual(answer.status, 400, (name, value[:30]))
            page = Page(answer.body)
            kept = page.forms[0].fields()
            for other, text in good.items():
                if other != name:
                    self.assertEqual(kept[other], text)
            if name != "rating.1" and not re.search("[\x00-\x08\x0b-\x1f]", value):
                self.assertEqual(kept[name], value)
            alert = [a for _, a in page.elements if a.get("role") == "alert"]
            self.assertEqual(len(alert), 1)
            target = [a["href"][1:] for t, a in page.elements if t == "a" and a.get("href", "").startswith("#")]
            self.assertTrue(target and all(t in page.attributes("id") for t in target), target)
        self.assertEqual(post(self.module, "/r/" + token, {"name": "x", "title.1": "no stars"}).status, 400)
        self.assertEqual(self.shop.reviews("bad-1"), [])
        for title in ["x" * 500, "ē" * 250, ""]:
            self.assertEqual(post(self.module, "/r/" + token, dict(good, **{"title.1": title})).status, 200)

    def test_form_languages(self):
        """pages and their errors speak the order's language, another by ?lang=, right to left where it must be"""
        for locale in LOCALES:
            token = self.shop.order(["kettle"], locale=locale + "-XX")
            for target, language in [("", locale), ("?lang=en", "en"), ("?lang=ar", "ar"), ("?lang=xx", locale)]:
                for answer in [self.get("/r/" + token + target), post(self.module, "/r/" + token + target, {"title.1": "x"})]:
                    html = Page(answer.body).elements[0][1]
                    self.assertEqual((html["lang"], html["dir"]), (language, "rtl" if language in ("ar", "fa") else "ltr"))
        for header, language in [("lv", "lv"), ("xx, fa-IR;q=0.5", "fa"), ("", "en")]:
            page = self.get("/r/none", headers={"accept-language": header})
            self.assertEqual(Page(page.body).elements[0][1]["lang"], language)

    def test_parallel_posts(self):
        """two hundred posts of one form at once are one review"""
        token = self.shop.order(["kettle"], order_id="race-1")
        fields, statuses = {"rating.1": "5", "title.1": "Once", "name": "A"}, []

        def send(n):
            for _ in range(n):
                statuses.append(post(self.module, "/r/" + token, fields).status)
        threads = [threading.Thread(target=send, args=(10,)) for _ in range(20)]
        for t in threads:
            t.start()
        for t in threads:
            t.join()
        self.assertEqual(sorted(set(statuses)), [200])
        self.assertEqual(len(statuses), 200)
        self.assertEqual([(r["rating"], r["revision"]) for r in self.shop.reviews("race-1")], [(5, 1)])

    def test_hostile_words(self):
        """markup, templates, formats and bidi in every field stand there as words, on every page"""
        for i, payload in enumerate(PAYLOADS):
            order = "xss-%d" % i
            token = self.shop.order(["p-" + order], order_id=order, names={"p-" + order: payload}, email="x%d@example.test" % i)
            plain = Page(self.get("/r/" + token).body)
            self.assertIn(" ".join(payload.split()), plain.text)
            fields = {"rating.1": "3", "title.1": payload, "body.1": payload, "name": payload}
            refused = Page(post(self.module, "/r/" + token, dict(fields, **{"rating.1": "9"})).body)
            for name in ("title.1", "body.1", "name"):
                self.assertEqual(refused.forms[0].fields()[name], payload)
            answer = post(self.module, "/r/" + token, fields)
            self.assertEqual(answer.status, 200, payload)
            review = self.shop.reviews(order)[0]
            self.assertEqual((review["title"], review["body"], review["name"]), (payload,) * 3)
            author = self.get(self.author(answer))
            self.assertEqual(Page(author.body).forms[0].fields()["body"], payload)
            if review["state"] == "held":
                self.database.sql("INSERT INTO vouch.operator (store_id, name, role) VALUES ('main', 'boss', 'manager') ON CONFLICT DO NOTHING")
                self.database.sql("SET vouch.store = 'main'; SELECT vouch.approve(%d, 'boss', 'fine')" % review["review_id"])
            shown = [self.get("/products/p-%s/reviews?format=%s" % (order, f)) for f in ("html", "page")]
            found = self.get("/products/p-%s/reviews" % order).json()["reviews"][0]
            self.assertEqual((found["title"], found["body"], found["author"]), (payload,) * 3)
            rating = self.get("/products/p-%s/rating.jsonld" % order)
            self.assertEqual(rating.json()["name"], payload)
            self.assertFalse(set("<>&") & set(rating.body))
            for page in [plain, refused, Page(answer.body), Page(author.body)] + [Page(s.body) for s in shown]:
                self.assertFalse(page.tags() - SAFE, page.tags() - SAFE)
                for _, attributes in page.elements:
                    self.assertFalse(set(attributes) - ALLOWED, set(attributes) - ALLOWED)
                    for name in ("href", "src", "action"):
                        self.assertFalse(re.match(r"\s*(?!https:)[a-z]+:", attributes.get(name) or "", re.I))

    # Broken requests.
    def test_targets(self):
        """targets: one reading, or none"""
        for target in ["//r/x", "/r//x", "/./r", "/r/../a", "/r/%2e%2e", "/%2e/r", "/r/%00", "/r/%0a", "/r/%zz", "/r/%", "/r/%ff", "r/x",
                       "http://shop.test/r/x", "*", "/r/a b", "/r\\x", "/r/x?a=%00", "/r/x?a=%zz", "/r/x?=1", "/r/x?a=1&a=1",
                       "/r/x?id[]=1&id[]=2", "/r/x?%61=1&a=2", "/r/x?" + "&".join("a%d=1" % i for i in range(65))]:
            self.assertEqual(self.get(target).status, 400, target)
        for target in ["/", "/r", "/r/", "/R/x", "/r/x/", "/r/x/y", "/r/x.", "/x" * 500, "/events/", "/products/a/reviews/1"]:
            self.assertEqual(self.get(target).status, 404, target)
        self.assertEqual(self.get("/r/" + "x" * 65536).status, 414)

    def test_bodies(self):
        """bodies: bounded, well-formed, of the right kind; fields that nobody asked for are overlooked"""
        token = self.shop.order(["kettle"], order_id="body-1")
        target = "/r/" + token
        for body in ["rating=%ff", "rating=%00", "rating=%c0%af", "rating=%ed%a0%80", "rating=%", "rating=5&rating=5", "rating[]=5&rating[]=4", "=5",
                     "rating=5&title=%e0%80%80", "&".join("f%d=1" % i for i in range(2000))]:
            self.assertEqual(post(self.module, target, body).status, 400, body[:40])
        self.assertEqual(post(self.module, target, "body=" + "x" * (1 << 20)).status, 413)
        for kind in ["text/plain", "application/json", "multipart/form-data; boundary=x", "application/xml"]:
            self.assertEqual(post(self.module, target, "rating=5", {"content-type": kind}).status, 415, kind)
        self.assertEqual(self.shop.reviews("body-1"), [])
        extra = {"rating": "4", "status": "approved", "store_id": "other", "verified": "1", "is_admin": "1", "review_id": "1", "claim": "x",
                 "product_id": "cup", "order_id": "gold-1", "line_id": "9", "reasons": "[]"}
        answer = post(self.module, target, extra, {"operator": "root", "x-forwarded-for": "203.0.113.9"})
        self.assertEqual(answer.status, 200)
        self.assertEqual([(r["line_id"], r["rating"]) for r in self.shop.reviews("body-1")], [("1", 4)])

    def test_requests(self):
        """what is no request of the contract is VOUCH_INVALID; headers are bounded"""
        for request in ["", "null", "[]", "{}", "{\"method\":\"GET\"}", "{\"method\":1,\"target\":\"/\"}", "{\"method\":\"GET\",\"target\":null}",
                        "{\"method\":\"GET\",\"target\":\"/\",\"method\":\"PUT\"}", "{\"method\":\"GET\",\"target\":\"/\"} x",
                        "{\"method\":\"GET\",\"target\":\"/\",\"body\":[]}", "{\"method\":\"GET\",\"target\":\"/\",\"headers\":[]}",
                        "{\"method\":\"GET\",\"target\":\"/\",\"operator\":\"root\"}", "{\"method\":\"GET\",\"target\":\"/\",\"operator\":{\"name\":\"x\"}}",
                        "{\"method\":\"GET\",\"target\":\"/\",\"operator\":{\"name\":\"x\",\"role\":\"admin\"}}",
                        "{\"method\":\"GET\",\"target\":\"/\",\"client_address\":7}", "{\"method\":\"GET\",\"target\":\"\\ud800\"}",
                        "{\"method\":\"GET\",\"target\":\"/\\u0000\"}", b"{\"method\":\"GET\",\"target\":\"\xff\"}", "[" * 10000]:
            code, reply = self.module.call("serve", request)
            self.assertEqual(code, INVALID, request[:60])
            self.assertTrue(reply["detail"])
        for headers, status in [({"x%d" % i: "y" for i in range(1000)}, 431), ({"cookie": "x" * 65536}, 431), ({"Host": "a", "host": "b"}, 400),
                                ({"a": "b\r\n c"}, 400), ({"a b": "c"}, 400), ({"a": "\u0001"}, 400)]:
            self.assertEqual(self.get("/healthz", headers=headers).status, status)
        self.assertEqual(self.module.serve("POST", "/events", "x" * (25 << 20), operator=PRODUCER).status, 413)

    # Author, confirmation, unsubscribing.
    def test_author(self):
        """the author sees state and reason, edits, withdraws; both may be repeated"""
        token, answer = self.review("author-1", body="You idiot, fuck you")
        link = self.author(answer)
        page = Page(self.get(link).body)
        self.assertIn("Being checked", page.text)
        self.assertIn("abusive language", page.text)
        self.assertRegex(page.text, r"We decide by \d{4}-\d\d-\d\d")
        edit, withdraw = page.forms[:2]
        fields = dict(edit.fields(), body="It pours well.")
        for _ in range(2):
            answer = post(self.module, link, fields)
            self.assertEqual(answer.status, 200)
            self.assertIn("Published", Page(answer.body).text)
        self.assertEqual(self.shop.reviews("author-1")[0]["revision"], 2)
        for bad in [dict(fields, rating="6"), dict(fields, rating=""), dict(fields, title="x" * 501), {"action": "edit"}]:
            answer = post(self.module, link, bad)
            self.assertEqual(answer.status, 400)
            self.assertTrue([a for _, a in Page(answer.body).elements if a.get("role") == "alert"])
        for bad in [{}, {"action": "approve"}, "action=edit&action=withdraw"]:
            self.assertEqual(post(self.module, link, bad).status, 400)
        for _ in range(2):
            answer = post(self.module, link, withdraw.fields())
            self.assertEqual(answer.status, 200)
            self.assertIn("Withdrawn by you", Page(answer.body).text)
        self.assertEqual(Page(self.get(link).body).forms, [])
        self.assertEqual(post(self.module, link, fields).status, 409)
        self.assertEqual(self.shop.reviews("author-1")[0]["state"], "withdrawn")

    def test_rejected(self):
        """a refusal shows its ground and its facts; a changed review is decided anew"""
        _, answer = self.review("reject-1")
        self.database.sql("INSERT INTO vouch.operator (store_id, name, role) VALUES ('main', 'boss', 'manager') ON CONFLICT DO NOTHING;"
                          "SET vouch.store = 'main'; SELECT vouch.reject(%d, 'boss', 'wrong_product', 'It speaks of a cup.')"
                          % self.shop.reviews("reject-1")[0]["review_id"])
        link = self.author(answer)
        page = Page(self.get(link).body)
        for words in ("Not published", "It is about another product", "It speaks of a cup.", "A member of our staff decided."):
            self.assertIn(words, page.text)
        post(self.module, link, dict(page.forms[0].fields(), title="The kettle this time"))
        page = Page(self.get(link).body)
        self.assertNotIn("It speaks of a cup.", page.text)
        self.assertIn("Published", page.text)

    def test_confirm(self):
        """one button confirms, the second press changes nothing, what was overtaken is gone"""
        self.shop.order(["cup"], order_id="conf-1", email="conf@example.test")
        body = {"id": "conf", "product_id": "cup", "rating": 2, "title": "<b>Leaky</b>", "author": {"email": "conf@example.test"}}
        self.module.emit(self.shop.event("review.submitted", {"review": body}))
        link = "/c/" + self.shop.link("confirm", "(SELECT max(confirmation_id) FROM vouch.confirmation)")
        page = Page(self.get(link).body)
        self.assertIn("Did you write this review?", page.text)
        self.assertIn("<b>Leaky</b>", page.text)
        for _ in range(2):
            answer = post(self.module, link, page.forms[0].fields())
            self.assertEqual(answer.status, 200)
            self.assertIn("counts as yours", Page(answer.body).text)
        self.assertEqual(self.database.value("SELECT v.verified FROM vouch.review v JOIN vouch.review_name n USING (store_id, review_id)"
                                             " WHERE n.external_id = 'conf'"), "t")
        links = []
        for stars in (3, 4):
            self.module.emit(self.shop.event("review.edited", {"review": {"id": "conf", "rating": stars}}))
            links.append("/c/" + self.shop.link("confirm", "(SELECT max(confirmation_id) FROM vouch.confirmation)"))
        self.assertEqual([post(self.module, k, "confirm=yes").status for k in links], [404, 200])

    def test_unsubscribe(self):
        """one click, urlencoded and multipart and by the page's button: at once, without redirect, repeatable"""
        parts = ("--b\r\nContent-Disposition: form-data; name=\"List-Unsubscribe\"\r\n\r\nOne-Click\r\n--b--\r\n",
                 {"content-type": "multipart/form-data; boundary=b"})
        for i, (body, headers) in enumerate([("List-Unsubscribe=One-Click", {}), parts, (None, {}), ("List-Unsubscribe=One-Click", {"content-type": ""})]):
            order = "unsub-%d" % i
            self.shop.order(["kettle"], order_id=order)
            target = "/u/" + self.shop.unsubscribe(order)
            page = Page(self.get(target).body)
            held = "SELECT count(*) FROM vouch.suppression x JOIN vouch.sales_order o USING (store_id, address_key) WHERE o.order_id = '%s'" % order
            self.assertEqual(self.database.value(held), "0")
            self.assertEqual(post(self.module, target, "x=y").status, 400)
            self.assertEqual(self.database.value(held), "0")
            for _ in range(3):
                answer = post(self.module, target, body or urlencode(page.forms[0].fields()), headers)
                self.assertEqual((answer.status, answer.headers.get("location")), (200, None))
            self.assertEqual(self.database.value(held), "1")
            self.assertEqual(Page(self.get(target).body).forms, [])
        for body, headers in [parts, ("List-Unsubscribe=One-Click", {})]:
            self.assertEqual(post(self.module, "/u/forged", body, headers).status, 404)
        self.assertEqual(post(self.module, target, parts[0], {"content-type": "multipart/form-data"}).status, 400)

    # The storefront.
    def test_reviews(self):
        """reviews page by page, newest first, every one once, low stars like high ones; the named fields and no other"""
        names = ["review_id", "rating", "title", "body", "author", "locale", "verified", "labels", "experience_at", "written_at",
                 "published_at", "edited", "invited", "incentivised", "refunded", "reply"]
        empty = self.get("/products/unknown/reviews").json()
        self.assertEqual(empty, {"product_id": "unknown", "summary": {"count": 0, "average": None, "histogram": [0] * 5}, "reviews": [], "next": None})
        for i in range(11):
            post(self.module, "/r/" + self.shop.order(["pot/ā b"], order_id="pot-%d" % i), {"rating": str(i % 5 + 1), "name": "N%d" % i})
        target = "/products/%s/reviews" % quote("pot/ā b", safe="")
        for limit in (1, 3, 11, 100):
            found, cursor = [], None
            while True:
                page = self.get("%s?limit=%d%s" % (target, limit, "&cursor=" + cursor if cursor else "")).json()
                self.assertEqual(sorted(page), ["next", "product_id", "reviews", "summary"])
                found += page["reviews"]
                cursor = page["next"]
                if not cursor:
                    break
            self.assertEqual([r["author"] for r in found], ["N%d" % i for i in reversed(range(11))])
        self.assertEqual(sorted(found[0]), sorted(names))
        self.assertEqual(page["summary"], {"count": 11, "average": 2.82, "histogram": [3, 2, 2, 2, 2]})
        for bad in ["limit=0", "limit=101", "limit=-1", "limit=1e1", "limit=٣", "limit=", "cursor=", "cursor=x", "cursor=%27", "format=xml",
                    "cursor=" + base64.urlsafe_b64encode(b"1").decode().rstrip("="), "cursor=" + "A" * 100,
                    "cursor=" + base64.urlsafe_b64encode(b"9999999999999999999.1").decode().rstrip("="), "limit=1&limit=2"]:
            self.assertEqual(self.get(target + "?" + bad).status, 400, bad)
        rating = self.get("/products/%s/rating.jsonld" % quote("pot/ā b", safe="")).json()
        self.assertEqual((rating["@type"], rating["aggregateRating"]["ratingValue"], rating["aggregateRating"]["reviewCount"]), ("Product", "2.82", 11))
        none = self.get("/products/unknown/rating.jsonld")
        self.assertEqual((none.status, none.body), (404, ""))

    def test_reviews_as_html(self):
        """the fragment by Accept or format; badge, disclosure and date of experience beside the words"""
        self.review("frag-1", name="Anna")
        browser = {"accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"}
        for target, headers, kind in [("", {}, "application/json"), ("", {"accept": "*/*"}, "application/json"), ("", browser, "text/html"),
                                      ("?format=json", browser, "application/json"), ("?format=html", {}, "text/html")]:
            answer = self.get("/products/kettle/reviews" + target, headers=headers)
            self.assertTrue(answer.headers["content-type"].startswith(kind), (target, headers))
        answer = self.get("/products/kettle/reviews?format=html&limit=1")
        page = Page(answer.body)
        self.assertNotIn("<html", answer.body)
        self.assertFalse(page.tags() & {"script", "style"})
        self.assertTrue(all(c.startswith("vouch-") for v in page.attributes("class") for c in v.split()))
        for words in ("Verified purchase", "Date of experience: 2026-01-05", "Anna"):
            self.assertIn(words, page.text)
        older = [a["href"] for t, a in page.elements if a.get("rel") == "next"]
        if older:
            self.assertTrue(older[0].startswith("https://shop.test/reviews/products/kettle/reviews?"))
            self.assertEqual(self.get(older[0][len("https://shop.test/reviews"):]).status, 200)
        self.assertIn("<html", self.get("/products/kettle/reviews", headers=dict(browser, **{"sec-fetch-dest": "document"})).body)

    def test_etag(self):
        """an unchanged answer is 304, a changed one is not"""
        target = "/products/etag/reviews"
        first = self.get(target)
        again = self.get(target, headers={"if-none-match": "\"x\", W/" + first.headers["etag"]})
        self.assertEqual((again.status, again.body), (304, ""))
        post(self.module, "/r/" + self.shop.order(["etag"]), {"rating": "5"})
        self.assertEqual(self.get(target, headers={"if-none-match": first.headers["etag"]}).status, 200)

    # Machines.
    def test_events(self):
        """POST /events: producers only, as vouch_emit answers, no form of another site"""
        event = self.shop.event("order.placed", {"order": {"id": "ev-1", "placed_at": "2026-01-01T10:00:00Z", "customer": {"email": "e@example.test"},
                                                           "items": [{"id": "1", "product_id": "kettle"}]}})
        text, kind = json.dumps(event), {"content-type": "application/cloudevents+json"}
        for role in (None, "viewer", "moderator", "manager", "mediator"):
            who = role and {"name": "x", "role": role}
            self.assertEqual(self.module.serve("POST", "/events", text, kind, operator=who).status, 403, role)
        for headers, status in [({"content-type": "text/plain"}, 415), ({"content-type": FORM}, 415), ({"origin": "null"}, 403),
                                ({"sec-fetch-site": "cross-site"}, 403), ({"origin": "https://evil.test"}, 403)]:
            self.assertEqual(self.module.serve("POST", "/events", text, headers, operator=PRODUCER).status, status, headers)
        self.assertEqual(self.database.value("SELECT count(*) FROM vouch.sales_order WHERE order_id = 'ev-1'"), "0")
        for _ in range(2):
            answer = self.module.serve("POST", "/events", text, kind, operator=PRODUCER)
            self.assertEqual(answer.status, 200, answer.body)
        self.assertEqual(self.database.value("SELECT count(*) FROM vouch.sales_order WHERE order_id = 'ev-1'"), "1")
        answer = self.module.serve("POST", "/events", json.dumps([event, dict(event, id="x", type="order.paid", data={})]), kind, operator=PRODUCER)
        self.assertEqual((answer.status, answer.headers["content-type"]), (400, "application/problem+json; charset=utf-8"))
        self.assertTrue(answer.json()["pointer"].startswith("/1/"))
        for bad in ["", "{", "[]x", "\ufeff{}", "null"]:
            self.assertEqual(self.module.serve("POST", "/events", bad, kind, operator=PRODUCER).status, 400, bad)

    def test_health(self):
        """health and metrics: counts, nobody's data"""
        health = self.get("/healthz").json()
        self.assertEqual((health["status"], health["database"]["reachable"]), ("ok", True))
        metrics = self.get("/metrics").body
        self.assertIn("vouch_up 1\n", metrics)
        for line in metrics.strip().split("\n"):
            self.assertRegex(line, r"^[a-z_][a-z0-9_]*(\{store=\"[a-z0-9_.-]+\"\})? [-+0-9.e]+$")

    def test_database_away(self):
        """without its database: 503 on pages and health, in time, and style sheets all the same"""
        cluster = Cluster()
        with cluster:
            database = cluster.database()
            with Module({"database": database.url}) as module:
                token = Shop(module, database).order(["kettle"])
                self.assertEqual(module.serve("GET", "/r/" + token).status, 200)
                cluster.stop("immediate")
                for target in ["/r/" + token, "/a/x", "/u/x", "/c/x", "/healthz", "/products/kettle/reviews", "/products/kettle/rating.jsonld"]:
                    answer = module.serve("GET", target)
                    self.assertEqual(answer.status, 503, target)
                    self.assertEqual(answer.headers["cache-control"], "no-store")
                answer = post(module, "/r/" + token, {"rating": "5"})
                self.assertEqual((answer.status, answer.headers["retry-after"]), (503, "30"))
                self.assertIn("vouch_up 0\n", module.serve("GET", "/metrics").body)
                style = re.search(r"assets/(\S+?\.css)", module.serve("GET", "/r/" + token).body).group(1)
                self.assertEqual(module.serve("GET", "/assets/" + style).status, 200)
                cluster.start()


SAFE = {"html", "head", "meta", "title", "link", "body", "header", "main", "footer", "nav", "section", "aside", "article", "h1", "h2", "h3", "p",
        "ul", "ol", "li", "a", "strong", "small", "bdi", "span", "div", "form", "fieldset", "legend", "label", "input", "textarea", "button",
        "details", "summary", "time", "br", "blockquote", "meter"}
ALLOWED = {"lang", "dir", "charset", "name", "content", "rel", "href", "class", "id", "method", "type", "value", "checked", "for", "rows", "open",
           "maxlength", "autocomplete", "role", "hreflang", "datetime", "title", "min", "max", "aria-label", "aria-labelledby", "aria-describedby",
           "aria-hidden", "aria-invalid", "aria-current", "download", "property"}

if __name__ == "__main__":
    tap.main()
