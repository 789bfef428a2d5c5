# SPDX-License-Identifier: MIT
"""Pages without a browser: a shop with orders, links into it, forms read from HTML and sent back.

    shop = Shop(module, database)
    token = shop.order(["kettle", "cup"])        # placed, delivered, asked; the link's token
    page = Page(module.serve("GET", "/r/" + token).body)
    fields = page.forms[0].fields()              # what a browser would send untouched
    post(module, "/r/" + token, dict(fields, **{"rating.1": "4"}))
"""
import hashlib
import json
import secrets
from html.parser import HTMLParser
from urllib.parse import urlencode

FORM = "application/x-www-form-urlencoded"
VOID = {"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"}


class Form:
    def __init__(self, attributes):
        self.attributes, self.inputs = attributes, []

    def fields(self):
        """name -> value as sent untouched."""
        found = {}
        for tag, a in self.inputs:
            kind = a.get("type", "text") if tag == "input" else tag
            if kind in ("radio", "checkbox") and "checked" not in a:
                continue
            if a.get("name") and kind not in ("submit", "button"):
                found[a["name"]] = a.get("value") or ""
        return found

    def choices(self, name):
        return [a["value"] for _, a in self.inputs if a.get("name") == name and a.get("type") == "radio"]


class Page(HTMLParser):
    """Elements, attributes, forms and text of a page; ill-nested tags raise."""

    def __init__(self, text):
        super().__init__(convert_charrefs=True)
        self.elements, self.forms, self.stack, self.words, self.area = [], [], [], [], None
        self.feed(text)
        self.close()
        if self.stack:
            raise ValueError("never closed: %s" % self.stack)

    def handle_starttag(self, tag, attrs):
        names = [n for n, _ in attrs]
        if len(set(names)) != len(names):
            raise ValueError("an attribute twice in <%s>" % tag)
        a = dict(attrs)
        self.elements.append((tag, a))
        if tag == "form":
            self.forms.append(Form(a))
        elif tag in ("input", "textarea", "select") and self.forms:
            self.forms[-1].inputs.append((tag, a))
            self.area = a if tag == "textarea" else None
            if self.area is not None:
                a["value"] = ""
        if tag not in VOID:
            self.stack.append(tag)

    def handle_endtag(self, tag):
        if not self.stack or self.stack.pop() != tag:
            raise ValueError("</%s> closes nothing" % tag)
        if tag == "textarea":
            self.area = None

    def handle_data(self, data):
        if self.area is not None:
            self.area["value"] += data
        elif not self.stack or self.stack[-1] not in ("style", "script"):
            self.words.append(data)

    @property
    def text(self):
        return " ".join(" ".join(self.words).split())

    def attributes(self, name):
        return [a[name] for _, a in self.elements if name in a]

    def tags(self):
        return {tag for tag, _ in self.elements}


def post(module, target, fields, headers=None, **more):
    body = fields if isinstance(fields, str) else urlencode(fields)
    return module.serve("POST", target, body, dict({"content-type": FORM}, **(headers or {})), **more)


def quote(text):
    return "'" + text.replace("'", "''") + "'"


class Shop:
    """Orders through the module; the link a mail would bring is put into the table by hand."""

    def __init__(self, module, database, store="main"):
        self.module, self.database, self.store, self.count = module, database, store, 0

    def event(self, kind, data):
        self.count += 1
        return {"specversion": "1.0", "id": "%s-%d" % (self.store, self.count), "source": "/pages", "store": self.store,
                "type": kind, "time": "2026-01-10T10:00:00Z", "data": data}

    def order(self, products, locale="en", order_id=None, names=None, email=None):
        order_id = order_id or "o-%d" % (self.count + 1)
        items = [{"id": str(i + 1), "product_id": p, "name": (names or {}).get(p, p.title())}
                 for i, p in enumerate(products)]
        self.module.emit(self.event("order.placed", {"order": {
            "id": order_id, "placed_at": "2026-01-01T10:00:00Z", "currency": "EUR", "total": "10.00", "locale": locale,
            "country": "LV", "marketing_consent": True,
            "customer": {"id": "c-" + order_id, "email": email or "%s@example.test" % order_id, "name": "Anna Secret"},
            "items": items}}))
        self.module.emit(self.event("order.delivered", {"order": {"id": order_id, "delivered_at": "2026-01-05T10:00:00Z"}}))
        return self.link("review", "(SELECT request_id FROM vouch.review_request WHERE store_id = %s AND order_id = %s)"
                         % (quote(self.store), quote(order_id)))

    def link(self, purpose, subject="NULL", address="NULL", expires="NULL"):
        token = secrets.token_urlsafe(32)
        self.database.sql("INSERT INTO vouch.link_token (store_id, token_hash, purpose, subject_id, address_key, expires_at)"
                          " VALUES (%s, '\\x%s', '%s', %s, %s, %s)" % (
                              quote(self.store), hashlib.sha256(token.encode()).hexdigest(), purpose, subject, address, expires))
        return token

    def unsubscribe(self, order_id):
        return self.link("unsubscribe", address="(SELECT address_key FROM vouch.sales_order WHERE order_id = %s AND store_id = %s)"
                         % (quote(order_id), quote(self.store)))

    def reviews(self, order_id):
        """[{line_id, rating, title, body, name, state, revision}] of an order, by line."""
        rows = self.database.sql(
            "SELECT coalesce(json_agg(json_build_object('review_id', v.review_id, 'line_id', v.line_id, 'rating', r.rating,"
            " 'title', r.title, 'body', r.body, 'name', r.author_name, 'state', v.state, 'revision', v.revision,"
            " 'verified', v.verified) ORDER BY v.line_id, v.review_id), '[]')::text FROM vouch.review v"
            " JOIN vouch.review_revision r USING (store_id, review_id, revision) WHERE v.order_id = %s AND v.store_id = %s"
            % (quote(order_id), quote(self.store)))
        return json.loads(rows[0][0])
