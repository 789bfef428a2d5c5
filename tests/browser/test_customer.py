# SPDX-License-Identifier: MIT
# timeout: 900
"""What customers and readers see, in Chromium: customer.mjs looks and types, this looks into the tables afterwards."""
import json
import os
import re
import sys
import tempfile

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(ROOT, "tests", "lib"))
import browser  # noqa: E402
from cluster import Cluster  # noqa: E402
from front import Front  # noqa: E402
from pages import Shop, post  # noqa: E402
from vouch import Module  # noqa: E402

NAMES = {"kettle": "Tējkanna «Rīta» 1,7 l", "cup": "فنجان قهوة عربي", "board": "Olivenholz-Schneidebrett"}


class Seed:
    def __init__(self, module, database):
        self.module, self.database, self.shop = module, database, Shop(module, database)

    def author(self, order, product="kettle", locale="en", **fields):
        token = self.shop.order([product], order_id=order, locale=locale, names=NAMES)
        answer = post(self.module, "/r/" + token, dict({"rating": "4", "title": "Pours well", "body": "Quick, quiet, and it does not drip.\nA bit heavy when full.",
                                                        "name": "Anna"}, **fields))
        assert answer.status == 200, answer.body
        return "/a/" + re.search(r"/a/([\w-]+)", answer.body).group(1)

    def operate(self, sql):
        return self.database.sql("SET vouch.store = 'main'; " + sql)

    def review(self, order):
        return self.shop.reviews(order)[0]["review_id"]

    def pages(self):
        """name -> target of every page a customer or reader may see."""
        form = self.shop.order(["kettle", "cup"], order_id="form", names=NAMES)
        found = {"form": "/r/" + form, "published": self.author("published"), "held": self.author("held", body="You are fucking idiots, all of you."),
                 "rejected": self.author("rejected"), "withdrawn": self.author("withdrawn"), "pending": self.author("pending")}
        self.operate("SELECT vouch.reply(%d, 'boss', 'Thank you, Anna. The handle of the new edition is lighter.')" % self.review("published"))
        self.operate("SELECT vouch.reject(%d, 'boss', 'wrong_product', 'It speaks of a cup; the order holds a kettle.')" % self.review("rejected"))
        post(self.module, found["withdrawn"], {"action": "withdraw"})
        post(self.module, found["pending"], {"action": "edit", "rating": "1", "body": "Fucking idiots."})
        for i, stars in enumerate((5, 1, 3, 4, 5, 2)):
            self.author("more-%d" % i, rating=str(stars), locale=("en", "lv", "ar")[i % 3], name=("", "Jānis", "ليلى")[i % 3],
                        body=("Does what it should.", "Ļoti laba tējkanna, ātri uzvāra.", "غلاية ممتازة وسريعة، وصلت في الموعد.")[i % 3])
        self.module.emit(self.shop.event("review.submitted", {"review": {"id": "conf", "product_id": "cup", "rating": 2, "title": "Leaky", "body": "It drips.",
                                                                         "author": {"email": "held@example.test"}}}))
        found["confirm"] = "/c/" + self.shop.link("confirm", "(SELECT max(confirmation_id) FROM vouch.confirmation)")
        found["unsubscribe"] = "/u/" + self.shop.unsubscribe("held")
        found["unsubscribed"] = "/u/" + self.shop.unsubscribe("published")
        post(self.module, found["unsubscribed"], "List-Unsubscribe=One-Click")
        found["reviews"] = "/products/kettle/reviews?format=page"
        found["reviews-empty"] = "/products/nothing/reviews?format=page"
        found["review"] = "/reviews/%d" % self.review("published")
        found["report"] = "/reviews/%d/report" % self.review("published")
        found["transparency"] = "/transparency"
        found["missing"] = "/r/" + "x" * 43
        return {k: v for k, v in found.items() if k == "missing" or self.module.serve("GET", v).status == 200 or k != "report"}

    def hostile(self, payloads):
        """Each payload in every field of the form, sent and refused, on the author's page, in the list and the feed."""
        made = []
        for i, text in enumerate(payloads):
            product = "x-%d" % (i // 50)
            token = self.shop.order([product], order_id="x-%d" % i, names={product: payloads[i // 50 * 50]})
            one_line = " ".join(text.split()) or "x"
            fields = {"title": one_line[:400], "body": text, "name": one_line[:400]}
            made.append(("refused %d" % i, post(self.module, "/r/" + token, dict(fields, rating="9")).body))
            answer = post(self.module, "/r/" + token, dict(fields, rating="3"))
            made.append(("thanks %d" % i, answer.body))
            link = re.search(r"/a/([\w-]+)", answer.body)
            if link:
                made.append(("author %d" % i, self.module.serve("GET", "/a/" + link.group(1)).body))
            made.append(("query %d" % i, self.module.serve("GET", "/r/%s?lang=%s" % (token, "".join("%%%02x" % b for b in text.encode()[:200]))).body))
        self.operate("SELECT count(vouch.approve(review_id, 'boss', 'fine')) FROM vouch.held_review WHERE product_id LIKE 'x-%'")
        for k in range((len(payloads) + 49) // 50):
            for form in ("html", "page"):
                made.append(("%s %d" % (form, k), self.module.serve("GET", "/products/x-%d/reviews?limit=100&format=%s" % (k, form)).body))
            made.append(("jsonld %d" % k, "<!DOCTYPE html><title>x</title><div id=after></div><script type=\"application/ld+json\">%s</script><p id=end></p>"
                         % self.module.serve("GET", "/products/x-%d/rating.jsonld" % k).body))
        for row in self.database.sql("SELECT review_id FROM vouch.review WHERE product_id LIKE 'x-%' AND state = 'published' ORDER BY review_id LIMIT 60"):
            made.append(("review " + row[0], self.module.serve("GET", "/reviews/" + row[0]).body))
        return made


def main():
    if not browser.chromium():
        print("1..0 # SKIP no chromium here: tests/setup test")
        return 0
    with Cluster() as cluster:
        database = cluster.database()
        with Module({"database": database.url, "store": "main", "secrets": {"key": "0123456789abcdef0123456789abcdef"}}) as module, Front(module) as front:
            database.sql("UPDATE vouch.store SET name = 'Tēja & Co', base_url = '%s' WHERE store_id = 'main';"
                         "INSERT INTO vouch.operator (store_id, name, role) VALUES ('main', 'boss', 'manager') ON CONFLICT DO NOTHING;"
                         "INSERT INTO vouch.discount_policy (store_id, kind, value, valid_for) VALUES ('main', 'percent', 10, '60 days');"
                         "INSERT INTO vouch.rate_limit VALUES ('main', 'form', 100000, '1 hour')" % front.url)
            seed = Seed(module, database)
            pages = seed.pages()
            arabic = seed.shop.order(["kettle", "cup"], order_id="arabic", locale="ar", names=NAMES)
            hostile = seed.hostile(browser.payloads()[:int(os.environ.get("PAYLOADS", "400"))])
            with tempfile.NamedTemporaryFile("w", suffix=".json", encoding="utf-8") as f:
                json.dump(hostile, f)
                f.flush()
                code = browser.run("customer.mjs", FRONT=front.url, ROUTES=json.dumps(pages), ARABIC="/r/" + arabic, HOSTILE=f.name)
            found = [(r["rating"], bool(r["body"])) for r in seed.shop.reviews("arabic")]
            print("# the customer on the phone left %s" % found)
            if found != [(4, True), (2, True)] and not os.environ.get("ONLY"):
                print("# that is not what was typed")
                code = code or 1
    return int(code)


if __name__ == "__main__":
    sys.exit(main())
