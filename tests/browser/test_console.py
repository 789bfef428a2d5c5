# SPDX-License-Identifier: MIT
# timeout: 900
"""The operator console in Chromium: console.mjs does what operators do, and this looks into the tables afterwards."""
import json
import os
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(ROOT, "tests", "lib"))
import browser  # noqa: E402
from cluster import Cluster  # noqa: E402
from front import Front  # noqa: E402
from pages import Shop  # noqa: E402
from vouch import Module  # noqa: E402

RUDE = "The people who run this shop are fucking idiots."
WORDS = [("en", "Fine", "Pours well and stays cool."), ("lv", "Laba krūze", "Silta rokā un turas ilgi."),
         ("ar", "جميل", "وصل في الموعد وكما في الوصف."), ("fa", "خوب", "کیفیت خوبی دارد."), ("es", "Buena", "Repetiré seguro.")]


class Seed:
    def __init__(self, module, shop):
        self.module, self.shop, self.number = module, shop, 0

    def write(self, product, words, author=None, **more):
        self.number += 1
        locale, title, body = words
        review = dict({"id": "s-%d" % self.number, "product_id": product, "rating": 1 + self.number % 5, "title": title, "body": body, "locale": locale,
                       "author": {"email": "who%d@example.test" % (self.number % 9), "name": author or "Bob %d" % self.number}}, **more)
        return self.module.emit(self.shop.event("review.submitted", {"review": review}))

    def some(self, product, count, rude=0):
        for i in range(count):
            self.write(product, ("en", "Never again", RUDE + " %d" % i) if i < rude else WORDS[i % len(WORDS)])


def hostile(seed, shop):
    """Each payload as name, title, words, product and order; and an order that holds one in all it can hold."""
    for i, text in enumerate(browser.payloads()):
        clean = text.replace("\n", " ").replace("\t", " ").strip() or "x"
        seed.write("xss", ("en", clean, text if text.strip() else "x"), author=clean)
    for i, text in enumerate(browser.payloads()[:40]):
        clean = text.replace("\n", " ").replace("\t", " ").strip() or "x"
        seed.write(clean[:190], ("en", clean, text), author=clean, order_id=("ord " + clean)[:190])


def published(database, module, shop):
    """Verified reviews, each reported; and two objections, one to maija's decision, one to ilze's."""
    for i in range(6):
        shop.order(["pot"], order_id="v-%d" % i)
        module.emit(shop.event("review.submitted", {"review": {
            "id": "v-%d" % i, "product_id": "pot", "order_id": "v-%d" % i, "rating": 1 + i % 5, "title": "As ordered", "locale": "en",
            "body": "It works. The driver Robert Example was kind.", "author": {"customer_id": "c-v-%d" % i, "name": "Anna"}}}))
        module.emit(shop.event("review.reported", {"review": {"id": "v-%d" % i}, "report": {
            "explanation": "This <b>names</b> somebody.", "name": "Rita", "email": "rita@example.test", "good_faith": True, "category": "personal_data"}}))
    for name in ("maija", "ilze", "maija"):
        held = database.value("SELECT min(review_id) FROM vouch.held_review WHERE product_id = 'kettle'")
        database.sql("SET vouch.store = 'main'; SELECT vouch.reject(%s, '%s', 'abusive', 'Calls the people of the shop idiots');"
                     "SELECT vouch.appeal(%s, 'I only said <script>what</script> I think.', 'ilze')" % (held, name, held))


def main():
    if not browser.chromium():
        print("1..0 # SKIP no chromium here: tests/setup test installs it")
        return 0
    database = Cluster.shared().database()
    database.sql("UPDATE vouch.store SET name = 'Tea & <Kettle>', base_url = 'https://shop.test/reviews' WHERE store_id = 'main';"
                 "INSERT INTO vouch.operator (store_id, name, role) VALUES ('main', 'maija', 'moderator'), ('main', 'ilze', 'manager'),"
                 " ('main', 'vera', 'viewer')")
    with Module({"database": database.url, "store": "main", "secrets": {"key": "0123456789abcdef0123456789abcdef"}}) as module:
        shop = Shop(module, database)
        seed = Seed(module, shop)
        for i in range(3):
            shop.order(["kettle", "cup"], order_id="o-%d" % i)
        seed.some("keys", 21, rude=7)
        seed.some("undo", 3)
        seed.some("plain", 10)
        seed.some("both", 3)
        seed.some("kettle", 12, rude=3)
        hostile(seed, shop)
        published(database, module, shop)
        some = database.value("SELECT min(review_id) FROM vouch.review WHERE product_id = 'kettle'")
        routes = {"home": "/console/", "queue": "/console/queue?product=kettle", "empty": "/console/queue?product=nothing", "reviews": "/console/reviews",
                  "review": "/console/reviews/" + some, "reports": "/console/reports", "appeals": "/console/appeals",
                  "parity": "/console/parity", "discounts": "/console/discounts", "delivery": "/console/delivery",
                  "suppression": "/console/suppression?key=" + "ab" * 32, "settings": "/console/settings",
                  "policy": "/console/settings/hold_policy?edit=1&key.reason=abusive", "store": "/console/settings/store?edit=1", "fresh": "/console/settings/mail_template?new=1",
                  "problem": "/console/queue?after=x"}
        strange = ["/console/reviews/" + r[0] for r in database.sql(
            "SELECT review_id FROM vouch.review WHERE product_id <> 'xss' AND review_id > (SELECT max(review_id) - 40 FROM vouch.review) ORDER BY 1")]
        with Front(module) as front:
            code = browser.run("console.mjs", FRONT=front.url, ROUTES=json.dumps(routes), HOSTILE=json.dumps(strange))
        left = database.value("SELECT count(*) FROM vouch.held_review WHERE product_id = 'keys'")
        by = database.sql("SELECT action, count(*) FROM vouch.review_decision JOIN vouch.review USING (store_id, review_id)"
                          " WHERE product_id = 'keys' AND actor = 'maija' GROUP BY 1 ORDER BY 1")
        print("# held of 21 now %s; maija: %s" % (left, dict(by)))
        if left != "1" or dict(by).get("reject", "0") == "0" or sum(int(n) for _, n in by) != 20:
            print("# the tables do not hold 20 decisions of hers")
            code = code or 1
        doubled = database.value("SELECT count(*) FROM vouch.review_decision JOIN vouch.review USING (store_id, review_id)"
                                 " WHERE product_id = 'both' AND NOT automated")
        code = code or (doubled != "1" and print("# two operators made %s decisions" % doubled) is None)
        code = int(code) if not os.environ.get("ONLY") else 0
    return int(code)


if __name__ == "__main__":
    sys.exit(main())
