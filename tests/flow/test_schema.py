#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""hooks/schema: well-formed, complete, and right about good and bad events. Needs no database."""
import json
import os
import re
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import events
import schema

try:
    import jsonschema
    import referencing
except ImportError:
    jsonschema = None

IN = """order.placed order.paid order.shipped order.delivered order.cancelled order.refunded review.submitted
review.edited review.withdrawn review.reported customer.updated customer.unsubscribed customer.erased product.updated
discount.redeemed mail.bounced mail.complained mail.received""".split()
OUT = """request.sent discount.issued review.published review.held review.rejected review.withdrawn rating.changed
case.opened case.overdue case.closed resolution.proposed""".split()
count = failed = 0


def ok(fine, what, why=""):
    global count, failed
    count += 1
    failed += not fine
    print("%sok %d - %s" % ("" if fine else "not ", count, what))
    if not fine and why:
        print("# " + str(why).replace("\n", "\n# "))


def nodes(value):
    """All schemas within a schema."""
    if isinstance(value, dict):
        yield value
        for key, inner in value.items():
            if key in ("properties", "$defs"):
                for one in inner.values():
                    yield from nodes(one)
            elif key in ("items", "allOf", "anyOf"):
                for one in inner if isinstance(inner, list) else [inner]:
                    yield from nodes(one)


def unique(pairs):
    assert len({k for k, _ in pairs}) == len(pairs), "a member twice"
    return dict(pairs)


def check_shape(name):
    path = os.path.join(schema.SCHEMAS, name)
    with open(path, encoding="utf-8") as f:
        top = json.load(f, object_pairs_hook=unique)
    assert top["$schema"].endswith("2020-12/schema"), "dialect"
    assert top.get("title") and top.get("description"), "title and description"
    for node in nodes(top):
        if "$ref" in node:
            schema.follow(path, node["$ref"])
        if "pattern" in node:
            re.compile(node["pattern"])
            assert node["pattern"].startswith("^") and node["pattern"].endswith("$"), "unanchored pattern"
        if "string" in node.get("type", ()) and "$ref" not in node and set(node) != {"type"}:
            assert "maxLength" in node, "string without a maximum: %s" % node
        if "maxLength" in node:
            assert node.get("x-max-bytes") == node["maxLength"], "maxLength and x-max-bytes differ: %s" % node
        if "array" in node.get("type", ()):
            assert "maxItems" in node and "items" in node, "array without a maximum: %s" % node
        if "object" in node.get("type", ()):
            assert set(node.get("required", ())) <= set(node.get("properties", ())), "required but not described"
    return top


def attempt(what, call, *args):
    try:
        call(*args)
        ok(True, what)
    except Exception as fault:
        ok(False, what, "%s: %s" % (type(fault).__name__, fault))


def check_limits():
    """The table in README.md and the schemas say the same."""
    defs = schema.load(os.path.join(schema.SCHEMAS, "common.json"))["$defs"]
    with open(os.path.join(schema.SCHEMAS, "README.md"), encoding="utf-8") as f:
        table = {c[1].strip(): c[2] for c in (line.split("|") for line in f) if len(c) == 5}
    for row, name, key in (("id", "id", "maxLength"), ("name", "name", "maxLength"), ("text", "text", "maxLength"),
                           ("url", "url", "maxLength"), ("mail address", "email", "maxLength"),
                           ("groups", "groups", "maxItems"), ("order lines", "lines", "maxItems"),
                           ("rating", "rating", "maximum"), ("time", "time", "maxLength"),
                           ("language", "locale", "maxLength"), ("time zone", "timezone", "maxLength"),
                           ("discount code", "code", "maxLength"), ("IP address", "client_address", "maxLength")):
        assert str(defs[name][key]) in re.findall(r"\d+", table[row]), "%s: %s is not %s" % (row, table[row], defs[name][key])
    assert str(1 << 20) in table["one event"] and str(16 << 20) in table["one call, array of events"], "sizes"


def second_opinion():
    """The same verdicts from a full validator, where one is installed."""
    def retrieve(uri):
        path = os.path.join(schema.SCHEMAS, uri[len("https://schema.invalid/"):])
        return referencing.Resource.from_contents(schema.load(os.path.normpath(path)))
    registry = referencing.Registry(retrieve=retrieve)

    def verdict(name, event):
        return jsonschema.Draft202012Validator({"$ref": "https://schema.invalid/%s.json" % name}, registry=registry).is_valid(event)
    for name in schema.files():
        jsonschema.Draft202012Validator.check_schema(schema.load(os.path.join(schema.SCHEMAS, name)))
    for name in IN:
        assert verdict(name, events.good(name)), name
    for what, event, _ in events.bad():
        name = event.get("type") if event.get("type") in IN else "order.placed"
        ours = {rule for _, rule in schema.check(name, event)}
        if ours - {"x-max-bytes"}:
            assert not verdict(name, event), what


def main():
    files = schema.files()
    wanted = sorted(["common.json", "envelope.json"] + [n + ".json" for n in IN] + ["out/%s.json" % n for n in OUT])
    ok(files == wanted, "a schema for each type and nothing else", set(files) ^ set(wanted))
    for name in files:
        attempt("%s is a schema" % name, check_shape, name)
    attempt("limits in README.md and schemas agree", check_limits)
    for name in events.names():
        event = events.good(name)
        ok(event["type"] == name, "%s names its type" % name)
        wrong = schema.check(name if name in IN else "envelope", event)
        ok(not wrong, "%s is valid" % name, wrong)
    ok(set(IN) < set(events.names()), "an example of each type in")
    for what, event, pointer in events.bad():
        name = event.get("type") if event.get("type") in IN else "order.placed"
        wrong = schema.check(name, event)
        ok(pointer in {p for p, _ in wrong}, "refused: " + what, wrong)
    if jsonschema:
        attempt("another validator agrees", second_opinion)
    else:
        ok(True, "another validator agrees # SKIP python3-jsonschema is not installed")
    print("1..%d" % count)
    return 1 if failed else 0


sys.exit(main())
