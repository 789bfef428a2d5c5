# SPDX-License-Identifier: MIT
"""Events of our own, one of each type (tests/flow/events), and a table of bad ones.

A bad event is a good one with members set or dropped. `pointer` is where the problem must point.
The schemas (test_schema.py) and the module itself (test_events.py) are held against the same table.
"""
import copy
import json
import os

FOLDER = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "flow", "events")
DROP = object()


def good(name):
    with open(os.path.join(FOLDER, name + ".json"), encoding="utf-8") as f:
        return json.load(f)


def names():
    return sorted(n[:-5] for n in os.listdir(FOLDER) if n.endswith(".json"))


def change(event, pointer, value):
    event = copy.deepcopy(event)
    parts = pointer.split("/")[1:]
    place = event
    for part in parts[:-1]:
        place = place[int(part) if isinstance(place, list) else part]
    last = int(parts[-1]) if isinstance(place, list) else parts[-1]
    if value is DROP:
        del place[last]
    else:
        place[last] = value
    return event


ORDER, ITEM, REVIEW = "/data/order", "/data/order/items/0", "/data/review"

# type, what is changed, to what, where the problem points (None: where it was changed)
BAD = [
    ("order.placed", "/specversion", "0.3", None),
    ("order.placed", "/specversion", DROP, None),
    ("order.placed", "/id", DROP, None),
    ("order.placed", "/id", "", None),
    ("order.placed", "/id", 7, None),
    ("order.placed", "/id", "x" * 201, None),
    ("order.placed", "/id", "ā" * 101, None),
    ("order.placed", "/id", "a\nb", None),
    ("order.placed", "/source", None, None),
    ("order.placed", "/source", "s" * 201, None),
    ("order.placed", "/type", "t" * 201, None),
    ("order.placed", "/type", DROP, None),
    ("order.placed", "/time", "2026-11-01 10:00:00", None),
    ("order.placed", "/time", "2026-11-01T10:00:00", None),
    ("order.placed", "/time", "2026-13-01T10:00:00Z", None),
    ("order.placed", "/time", 1793527200, None),
    ("order.placed", "/store", 1, None),
    ("order.placed", "/data", DROP, None),
    ("order.placed", "/data", [], None),
    ("order.placed", ORDER, DROP, None),
    ("order.placed", ORDER, "1001", None),
    ("order.placed", ORDER + "/id", 1001, None),
    ("order.placed", ORDER + "/id", None, None),
    ("order.placed", ORDER + "/placed_at", DROP, None),
    ("order.placed", ORDER + "/placed_at", "yesterday", None),
    ("order.placed", ORDER + "/placed_at", "1969-12-31T23:59:59Z", None),
    ("order.placed", ORDER + "/currency", "eur", None),
    ("order.placed", ORDER + "/currency", "EURO", None),
    ("order.placed", ORDER + "/total", 19.9, None),
    ("order.placed", ORDER + "/total", "19,90", None),
    ("order.placed", ORDER + "/total", "-1", None),
    ("order.placed", ORDER + "/total", "1e3", None),
    ("order.placed", ORDER + "/total", "1234567890123", None),
    ("order.placed", ORDER + "/total", "0.00001", None),
    ("order.placed", ORDER + "/locale", "lv LV", None),
    ("order.placed", ORDER + "/country", "lv", None),
    ("order.placed", ORDER + "/country", "LVA", None),
    ("order.placed", ORDER + "/timezone", "Europe/Riga; DROP", None),
    ("order.placed", ORDER + "/marketing_consent", "yes", None),
    ("order.placed", ORDER + "/customer", DROP, None),
    ("order.placed", ORDER + "/customer/email", DROP, None),
    ("order.placed", ORDER + "/customer/email", "anna", None),
    ("order.placed", ORDER + "/customer/email", "anna@localhost", None),
    ("order.placed", ORDER + "/customer/email", "a@b.test, c@d.test", None),
    ("order.placed", ORDER + "/customer/email", "anna@example.test\r\nBcc: x@y.test", None),
    ("order.placed", ORDER + "/customer/email", "a" * 65 + "@example.test", None),
    ("order.placed", ORDER + "/customer/email", "a@" + "b" * 250 + ".test", None),
    ("order.placed", ORDER + "/customer/name", "n" * 501, None),
    ("order.placed", ORDER + "/customer/name", "Anna\r\nX: y", None),
    ("order.placed", ORDER + "/customer/groups", ["g"] * 51, None),
    ("order.placed", ORDER + "/customer/groups", ["g" * 101], ORDER + "/customer/groups/0"),
    ("order.placed", ORDER + "/customer/groups", "b2c", None),
    ("order.placed", ORDER + "/items", DROP, None),
    ("order.placed", ORDER + "/items", [], None),
    ("order.placed", ORDER + "/items", {}, None),
    ("order.placed", ORDER + "/items", [{"id": str(i), "product_id": "p"} for i in range(1001)], None),
    ("order.placed", ITEM, "1", None),
    ("order.placed", ITEM + "/id", DROP, None),
    ("order.placed", ITEM + "/product_id", 5, None),
    ("order.placed", ITEM + "/name", "n" * 501, None),
    ("order.placed", ITEM + "/url", "javascript:alert(1)", None),
    ("order.placed", ITEM + "/url", "/kettle", None),
    ("order.placed", ITEM + "/url", "https://shop.test/" + "u" * 2000, None),
    ("order.placed", ITEM + "/quantity", 0, None),
    ("order.placed", ITEM + "/quantity", "1", None),
    ("order.placed", ITEM + "/quantity", 1.5, None),
    ("order.placed", ITEM + "/unit_price", 19, None),
    ("order.placed", ITEM + "/promised_at", "2026-11-03", None),
    ("order.paid", ORDER + "/at", DROP, None),
    ("order.shipped", ORDER + "/items", [], None),
    ("order.shipped", ORDER + "/items", [1], ORDER + "/items/0"),
    ("order.delivered", ORDER + "/delivered_at", DROP, None),
    ("order.delivered", ORDER + "/id", "", None),
    ("order.cancelled", ORDER + "/at", "soon", None),
    ("order.refunded", ORDER + "/amount", 5, None),
    ("review.submitted", REVIEW, DROP, None),
    ("review.submitted", REVIEW + "/id", DROP, None),
    ("review.submitted", REVIEW + "/product_id", DROP, None),
    ("review.submitted", REVIEW + "/rating", DROP, None),
    ("review.submitted", REVIEW + "/rating", 0, None),
    ("review.submitted", REVIEW + "/rating", 6, None),
    ("review.submitted", REVIEW + "/rating", 4.5, None),
    ("review.submitted", REVIEW + "/rating", "5", None),
    ("review.submitted", REVIEW + "/title", "t" * 501, None),
    ("review.submitted", REVIEW + "/title", "two\nlines", None),
    ("review.submitted", REVIEW + "/body", "b" * 20001, None),
    ("review.submitted", REVIEW + "/body", "ا" * 10001, None),
    ("review.submitted", REVIEW + "/body", "bell \u0007", None),
    ("review.submitted", REVIEW + "/author", "Anna", None),
    ("review.submitted", REVIEW + "/author/customer_id", 7, None),
    ("review.submitted", REVIEW + "/client_address", "not an address", None),
    ("review.edited", REVIEW + "/id", DROP, REVIEW),
    ("review.edited", REVIEW + "/rating", 9, None),
    ("review.withdrawn", REVIEW, {"review_id": "42"}, REVIEW + "/review_id"),
    ("review.reported", "/data/report/good_faith", False, None),
    ("review.reported", "/data/report/good_faith", DROP, None),
    ("review.reported", "/data/report/explanation", DROP, None),
    ("review.reported", "/data/report/url", "here", None),
    ("customer.updated", "/data/customer/marketing_consent", 1, None),
    ("customer.unsubscribed", "/data/customer/email", DROP, "/data/customer"),
    ("customer.erased", "/data/customer", {"name": "Anna"}, None),
    ("product.updated", "/data/product/id", DROP, None),
    ("product.updated", "/data/product/gtin", "12345", None),
    ("product.updated", "/data/product/image_url", "data:image/png;base64,AA==", None),
    ("discount.redeemed", "/data/discount/code", DROP, None),
    ("discount.redeemed", "/data/discount/code", "c" * 61, None),
    ("discount.redeemed", "/data/discount/order_id", DROP, None),
    ("mail.bounced", "/data/mail/recipient", DROP, None),
    ("mail.bounced", "/data/mail/status", "550", None),
    ("mail.complained", "/data/mail/recipient", "nobody", None),
    ("mail.received", "/data/mail/sender", "nobody", None),
    ("mail.received", "/data/mail/text", None, None),
]


def bad():
    """(what, event, pointer) of each bad event."""
    for name, pointer, value, to in BAD:
        shown = "missing" if value is DROP else json.dumps(value, ensure_ascii=False)[:40]
        yield "%s %s %s" % (name, pointer, shown), change(good(name), pointer, value), to or pointer
