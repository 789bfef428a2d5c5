# SPDX-License-Identifier: MIT
"""What a store shows and hands on: filters, counts, rating.jsonld and the feed by their schemas, a review's own page."""
import json
import os
import re
import subprocess
import sys
import tempfile
import unittest
import xml.etree.ElementTree as ET
from urllib.parse import quote

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(ROOT, "tests", "lib"))
import schema  # noqa: E402
import tap  # noqa: E402
from cluster import Cluster  # noqa: E402
from pages import Page, Shop, post  # noqa: E402
from vouch import Module  # noqa: E402

SCHEMAS = os.path.join(ROOT, "tests", "flow", "schema")
BASE = "https://shop.test/vouch"
WORDS = {"lv": "Lieliska tējkanna", "ar": "غلاية ممتازة", "en": "Pours well & <b>fast</b> ]]>", "en-GB": "Rather good"}


def rated(schema_name, value):
    path = os.path.join(SCHEMAS, schema_name)
    return schema.validate(path, schema.load(path), value)


class Storefront(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.cluster = Cluster.shared()
        cls.database = cls.cluster.database()
        cls.database.sql("UPDATE vouch.store SET name = 'Tea & Co', base_url = '%s' WHERE store_id = 'main';"
                         "INSERT INTO vouch.operator (store_id, name, role) VALUES ('main', 'boss', 'manager') ON CONFLICT DO NOTHING;"
                         "INSERT INTO vouch.hold_policy VALUES ('main', 'unverified', 'label', '7 days', 'release')" % BASE)
        cls.module = Module({"database": cls.database.url, "store": "main", "secrets": {"key": "0123456789abcdef0123456789abcdef"}})
        cls.shop = Shop(cls.module, cls.database)

    @classmethod
    def tearDownClass(cls):
        cls.module.close()

    def get(self, target, **more):
        return self.module.serve("GET", target, **more)

    def operate(self, sql):
        return self.database.sql("SET vouch.store = 'main'; " + sql)

    def review(self, product, rating, locale="en", **fields):
        token = self.shop.order([product], locale=locale)
        answer = post(self.module, "/r/%s?lang=%s" % (token, locale), dict({"rating": str(rating)}, **fields))
        self.assertEqual(answer.status, 200, answer.body)
        return "/a/" + re.search(r"/a/([\w-]+)", answer.body).group(1)

    def unverified(self, product, rating, name="Passer-by", locale="en"):
        self.shop.count += 1
        self.module.emit(self.shop.event("review.submitted", {"review": {
            "id": "un-%d" % self.shop.count, "product_id": product, "rating": rating, "locale": locale, "body": "Heard of it.", "author": {"name": name}}}))

    def all_of(self, product, query="", limit=3):
        found, cursor = [], ""
        while cursor is not None:
            page = self.get("/products/%s/reviews?limit=%d%s%s" % (quote(product, safe=""), limit, query, "&cursor=" + cursor if cursor else ""))
            self.assertEqual(page.status, 200, page.body)
            found += page.json()["reviews"]
            cursor = page.json()["next"]
        return page.json()["summary"], found

    def feed(self, query=""):
        """The whole feed, as a host appends it, and in how many pieces it came."""
        target, text, pieces = "/feeds/product-ratings.xml" + query, "", 0
        while target:
            answer = self.get(target)
            self.assertEqual(answer.status, 200, answer.body)
            self.assertEqual(answer.headers["content-type"], "application/xml; charset=utf-8")
            text, target, pieces = text + answer.body, answer.next, pieces + 1
        with tempfile.NamedTemporaryFile("w", suffix=".xml", encoding="utf-8") as f:
            f.write(text)
            f.flush()
            done = subprocess.run(["xmllint", "--noout", "--nonet", "--schema", os.path.join(SCHEMAS, "product_reviews.xsd"), f.name],
                                  capture_output=True, text=True)
        self.assertEqual(done.returncode, 0, done.stderr[:2000])
        return ET.fromstring(text), pieces

    def test_filters(self):
        """the count shown is the count retrievable, low stars like high ones, by stars, language and verification"""
        wanted = []
        for i, (locale, words) in enumerate(list(WORDS.items()) * 3):
            rating = i % 5 + 1
            self.review("filter", rating, locale, body=words, name="F%d" % i)
            wanted.append((rating, locale, True))
        for rating in (1, 1, 5):
            self.unverified("filter", rating, locale="lv")
            wanted.append((rating, "lv", False))
        summary, found = self.all_of("filter")
        self.assertEqual((summary["count"], len(found)), (len(wanted), len(wanted)))
        for star in range(1, 6):
            mine, some = self.all_of("filter", "&stars=%d" % star)
            self.assertEqual(mine, summary)
            self.assertEqual(len(some), summary["histogram"][star - 1])
            self.assertEqual({r["rating"] for r in some}, {star})
        for query, fits in [("&stars=1,2", lambda w: w[0] < 3), ("&language=en", lambda w: w[1].startswith("en")),
                            ("&language=lv-LV", lambda w: w[1] == "lv"), ("&verified=false", lambda w: not w[2]),
                            ("&verified=true&stars=1", lambda w: w[2] and w[0] == 1), ("&language=pt", lambda w: False),
                            ("&stars=1&language=lv&verified=false", lambda w: w == (1, "lv", False))]:
            for limit in (1, 100):
                self.assertEqual(len(self.all_of("filter", query, limit)[1]), len([w for w in wanted if fits(w)]), query)
        times = [(r["published_at"], r["review_id"]) for r in found]
        self.assertEqual(times, sorted(times, reverse=True))
        for bad in ["stars=0", "stars=6", "stars=", "stars=1,", "stars=1,1", "stars=1 2", "stars=٥", "language=", "language=x", "language=e'",
                    "language=abcdefghi", "verified=1", "verified=", "verified=TRUE", "stars=1&stars=2"]:
            self.assertEqual(self.get("/products/filter/reviews?" + bad).status, 400, bad)
        page = Page(self.get("/products/filter/reviews?format=page").body)
        links = [a["href"] for t, a in page.elements if "stars=" in a.get("href", "")]
        self.assertEqual(len(links), 5)
        for link, star in zip(links, (5, 4, 3, 2, 1)):
            self.assertTrue(link.startswith(BASE + "/products/filter/reviews?"))
            shown = Page(self.get(link[len(BASE):]).body)
            self.assertEqual(len([1 for t, _ in shown.elements if t == "article"]), summary["histogram"][star - 1])
        self.assertIn("no reviews with these stars", Page(self.get("/products/filter/reviews?format=html&language=pt").body).text)

    def test_summary_at_once(self):
        """rating_summary is right in the transaction that publishes, edits, takes down or withdraws, folded or not"""
        def seen():
            row = self.database.sql("SELECT review_count, average, histogram FROM vouch.rating_summary WHERE product_id = 'sum'")
            page = self.get("/products/sum/reviews").json()
            self.assertEqual([page["summary"]["count"], page["summary"]["histogram"]],
                             [int(row[0][0]), json.loads(row[0][2].replace("{", "[").replace("}", "]"))] if row else [0, [0] * 5])
            self.assertEqual(len(self.all_of("sum")[1]), page["summary"]["count"])
            return page["summary"]["histogram"]
        links = [self.review("sum", r) for r in (1, 3, 5)]
        self.assertEqual(seen(), [1, 0, 1, 0, 1])
        self.module.drain()
        self.assertEqual(self.database.value("SELECT count(*) FROM vouch.rating_change WHERE product_id = 'sum'"), "0")
        self.assertEqual(seen(), [1, 0, 1, 0, 1])
        post(self.module, links[0], {"action": "edit", "rating": "2"})
        self.assertEqual(seen(), [0, 1, 1, 0, 1])
        post(self.module, links[1], {"action": "withdraw"})
        self.assertEqual(seen(), [0, 1, 0, 0, 1])
        top = max(r["review_id"] for r in self.all_of("sum")[1])
        self.operate("SELECT vouch.reject(%d, 'boss', 'wrong_product', 'Another one.')" % top)
        self.assertEqual(seen(), [0, 1, 0, 0, 0])
        self.module.drain()
        self.assertEqual(seen(), [0, 1, 0, 0, 0])

    def test_rating(self):
        """rating.jsonld: by its schema, nothing for zero, inert, no address as an author, pictures and pages by https only"""
        self.module.emit(self.shop.event("product.updated", {"product": {
            "id": "rich", "name": "Kettle </script>", "url": "https://shop.test/kettle?a=1&b=2", "gtin": "4006381333931", "brand": "Acme"}}))
        self.operate("UPDATE vouch.product SET image_url = 'javascript:alert(1)' WHERE product_id = 'rich'")
        empty = self.get("/products/rich/rating.jsonld")
        self.assertEqual((empty.status, empty.body), (404, ""))
        for i in range(7):
            self.review("rich", i % 5 + 1, body=WORDS["en"], **({"name": "N%d" % i} if i % 3 else {}))
        self.unverified("rich", 2, name="someone@example.test")
        answer = self.get("/products/rich/rating.jsonld")
        self.assertEqual(rated("rating.json", answer.json()), [])
        self.assertFalse(set("<>&") & set(answer.body))
        found = answer.json()
        self.assertNotIn("image", found)
        self.assertEqual((found["name"], found["url"], found["gtin"]), ("Kettle </script>", "https://shop.test/kettle?a=1&b=2", "4006381333931"))
        summary, shown = self.all_of("rich")
        self.assertEqual((found["aggregateRating"]["reviewCount"], found["aggregateRating"]["ratingValue"]), (summary["count"], "%.2f" % summary["average"]))
        self.assertEqual([r["author"]["name"] for r in found["review"]], [r["author"] for r in shown if r["author"]][:5])
        for target in ("/products/rich/reviews", "/products/rich/reviews?format=html", "/products/rich/rating.jsonld"):
            self.assertNotIn("example.test", self.get(target).body)
        self.assertNotIn("example.test", ET.tostring(self.feed()[0], encoding="unicode"))
        self.assertNotEqual(rated("rating.json", dict(found, aggregateRating={})), [])

    def test_feed(self):
        """the feed: valid, every published review once whatever its stars, in pieces, only what changed with ?since"""
        self.module.emit(self.shop.event("product.updated", {"product": {"id": "fed", "name": "Fed & <up>", "brand": "A&B"}}))
        self.operate("UPDATE vouch.product SET url = 'ftp://x', gtin = 'abc' WHERE product_id = 'fed'")
        links = [self.review("fed", i % 5 + 1, "lv", title="T%d" % i, body="B\u2028%d \ufffe]]> &amp;" % i, name="N'%d\"" % i) for i in range(6)]
        self.review("fed", 2, "en")
        self.operate("INSERT INTO vouch.review (store_id, product_id, claim, verified_reason, state, revision, written_at)"
                     " SELECT 'main', 'bulk', 'anonymous', 'no_author', 'held', 1, now() FROM generate_series(1, 230);"
                     "INSERT INTO vouch.review_revision (store_id, review_id, revision, rating, body, locale, written_at, received_at, state, digest)"
                     " SELECT 'main', review_id, 1, 1 + review_id % 5, 'Body', 'en', now(), now(), 'unconfirmed', sha256('')"
                     " FROM vouch.review WHERE product_id = 'bulk';"
                     "SELECT count(vouch.revision_move('main', review_id, 1, 'publish', 'vouch', true, null, null, null)) FROM vouch.review WHERE product_id = 'bulk'")
        feed, pieces = self.feed()
        self.assertGreaterEqual(pieces, 3)
        reviews = feed.findall("reviews/review")
        published = self.database.sql("SELECT v.review_id, r.rating FROM vouch.review v JOIN vouch.review_revision r"
                                      " ON (r.store_id, r.review_id, r.revision) = (v.store_id, v.review_id, v.published_revision) WHERE v.store_id = 'main'")
        self.assertEqual(sorted((r.findtext("review_id"), r.findtext("ratings/overall")) for r in reviews), sorted(map(tuple, published)))
        mine = [r for r in reviews if r.findtext("products/product/product_ids/skus/sku") == "fed"]
        self.assertEqual([r.findtext("reviewer/name") for r in mine], ["N'%d\"" % i for i in range(6)] + ["Anonymous"])
        self.assertEqual(mine[0].findtext("content"), "B\u20280 ]]> &amp;")
        self.assertEqual(mine[6].findtext("content"), "★★☆☆☆")
        self.assertEqual(mine[0].findtext("products/product/product_url"), BASE + "/products/fed/reviews")
        self.assertIsNone(mine[0].find("products/product/product_ids/gtins"))
        self.assertEqual({r.findtext("is_verified_purchase") for r in mine}, {"true"})
        url = mine[0].findtext("review_url")
        self.assertEqual(self.get(url[len(BASE):]).status, 200)
        since = self.database.value("SELECT to_char(clock_timestamp() AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"')")
        self.assertEqual(self.feed("?since=" + since)[0].findall("reviews/review"), [])
        post(self.module, links[2], {"action": "edit", "rating": "1", "body": "Changed my mind."})
        self.assertEqual([r.findtext("content") for r in self.feed("?since=" + since)[0].findall("reviews/review")], ["Changed my mind."])
        post(self.module, links[3], {"action": "withdraw"})
        self.assertEqual(len(self.feed()[0].findall("reviews/review")), len(reviews) - 1)
        everything = self.feed("?since=2020-01-01T00:00:00Z")
        self.assertEqual((len(everything[0].findall("reviews/review")), everything[1]), (len(reviews) - 1, pieces))
        for bad in ["since=x", "since=2026-01-01", "after=x", "after=MS4x", "until=2026-01-01T00:00:00Z", "since=&since="]:
            self.assertEqual(self.get("/feeds/product-ratings.xml?" + bad).status, 400, bad)
        self.assertIsNone(self.module.serve("HEAD", "/feeds/product-ratings.xml").next)

    def test_empty_feed(self):
        """a store without reviews has a valid feed"""
        database = self.cluster.database()
        with Module({"database": database.url}) as module:
            module_now, self.module = self.module, module
            try:
                self.assertIsNone(self.feed()[0].find("reviews"))
            finally:
                self.module = module_now

    def test_review_page(self):
        """a review's own page: words with badge and date, reply, Open Graph; gone when it is taken down"""
        self.review("own", 4, title="Solid \"quoted\"", body="Line.\n" + "x" * 500, name="Anna")
        review = self.all_of("own")[1][0]["review_id"]
        self.operate("SELECT vouch.reply(%d, 'boss', 'Thank you, Anna <3')" % review)
        answer = self.get("/reviews/%d" % review)
        page = Page(answer.body)
        self.assertEqual(answer.status, 200)
        for words in ("Review of Own", "Anna", "Verified purchase", "Date of experience: 2026-01-05", "Thank you, Anna <3", "Solid \"quoted\""):
            self.assertIn(words, page.text)
        metas = {a["property"]: a["content"] for t, a in page.elements if t == "meta" and "property" in a}
        self.assertEqual((metas["og:type"], metas["og:title"], metas["og:url"], metas["og:site_name"]),
                         ("article", "Review of Own", BASE + "/reviews/%d" % review, "Tea & Co"))
        self.assertLess(len(metas["og:description"]), 240)
        self.assertEqual(self.all_of("own")[1][0]["reply"]["body"], "Thank you, Anna <3")
        self.assertIn("Thank you, Anna <3", Page(self.get("/products/own/reviews?format=html").body).text)
        self.assertEqual(self.get("/reviews/%d" % review, headers={"if-none-match": answer.headers["etag"]}).status, 304)
        self.operate("SELECT vouch.reject(%d, 'boss', 'wrong_product', 'Another one.')" % review)
        gone = self.get("/reviews/%d" % review)
        for other in ["0", "-1", "x", "1e1", "+1", "0x1", "٣", "9" * 30, "1%20", str(10 ** 17)]:
            answer = self.get("/reviews/" + quote(other, safe="%+"))
            self.assertEqual((answer.status, answer.body), (404, gone.body), other)

    def test_data(self):
        """the author takes the data away: every wording and decision, nobody's address, nobody else's link"""
        link = self.review("data", 2, body="First words.", name="Anna")
        post(self.module, link, {"action": "edit", "rating": "3", "body": "Second words."})
        page = Page(self.get(link).body)
        self.assertIn("../" + link[1:] + "/data", page.attributes("href"))
        answer = self.get(link + "/data")
        self.assertEqual(answer.headers["content-disposition"], 'attachment; filename="my-review.json"')
        self.assertEqual([r["body"] for r in answer.json()["revisions"]], ["First words.", "Second words."])
        self.assertGreaterEqual(len(answer.json()["decisions"]), 2)
        self.assertFalse(re.search(r"address_key|salt|digest|@", answer.body))
        foreign = self.shop.order(["data"])
        self.assertEqual({(a.status, a.body) for a in (self.get("/a/%s/data" % t) for t in ("nothing", foreign))}, {(404, self.get("/a/x/data").body)})

    def test_limits(self):
        """dead links and forms are limited by network, for all processes, over restarts; others go on"""
        self.operate("INSERT INTO vouch.rate_limit VALUES ('main', 'miss', 25, '1 hour'), ('main', 'form', 20, '1 hour')")
        try:
            token, other = self.shop.order(["limit"]), self.shop.order(["limit"])
            said = [self.get("/r/%s" % ("x" * 43), client_address="203.0.113.9").status for _ in range(30)]
            self.assertEqual(said, [404] * 25 + [429] * 5)
            answers = {(a.status, a.body) for a in (self.get("/r/" + t, client_address="203.0.113.9") for t in (token, "x", "y" * 43))}
            self.assertEqual(len(answers), 1)
            self.assertEqual(self.get("/r/" + token, client_address="203.0.113.9").headers["retry-after"], "60")
            with Module({"database": self.database.url, "store": "main", "secrets": {"key": "0123456789abcdef0123456789abcdef"}, "spool": tempfile.mktemp()}) as again:
                self.assertEqual(again.serve("GET", "/r/" + token, client_address="203.0.113.9").status, 429)
                self.assertEqual(again.serve("GET", "/r/" + token, client_address="203.0.113.10").status, 200)
            said = [post(self.module, "/r/" + other, {"rating": "5"}, client_address="2001:db8:0:1::%x" % i).status for i in range(1, 24)]
            self.assertEqual(said, [200] * 20 + [429] * 3)
            self.assertEqual(post(self.module, "/r/" + other, {"rating": "5"}, client_address="2001:db8:0:2::1").status, 200)
            self.assertEqual(post(self.module, "/r/" + other, {"rating": "5"}, {"x-forwarded-for": "198.51.100.1"}, client_address="2001:db8:0:1::ff").status, 429)
        finally:
            self.operate("DELETE FROM vouch.rate_limit WHERE store_id = 'main'")


if __name__ == "__main__":
    tap.main()
