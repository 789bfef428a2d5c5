# SPDX-License-Identifier: MIT
"""A JSON Schema (2020-12) validator for the keywords that hooks/schema uses, and no others.

check(name, value) gives a list of (pointer, rule) for what is wrong; an unknown keyword is an
AssertionError, so a schema cannot say something that nobody checks.
"""
import functools
import json
import os
import re

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
SCHEMAS = os.path.join(ROOT, "hooks", "schema")
NOTES = {"$schema", "$defs", "title", "description"}
TYPES = {"object": dict, "array": list, "string": str, "boolean": bool, "null": type(None)}


@functools.lru_cache(maxsize=None)
def load(path):
    with open(path, encoding="utf-8") as f:
        return json.load(f)


def files():
    """All schema files, relative to hooks/schema, sorted."""
    found = []
    for folder, _, names in os.walk(SCHEMAS):
        found += [os.path.relpath(os.path.join(folder, n), SCHEMAS) for n in names if n.endswith(".json")]
    return sorted(found)


def has_type(value, name):
    if name in ("integer", "number"):
        return type(value) is int or (type(value) is float and (name == "number" or value.is_integer()))
    return isinstance(value, TYPES[name])


def follow(path, reference):
    file, _, fragment = reference.partition("#")
    path = os.path.normpath(os.path.join(os.path.dirname(path), file)) if file else path
    schema = load(path)
    for part in fragment.split("/")[1:]:
        schema = schema[part]
    return path, schema


def validate(path, schema, value, at=""):
    wrong = []

    def rule(name, fine):
        if not fine:
            wrong.append((at, name))

    for key, arg in schema.items():
        if key in NOTES:
            continue
        if key == "$ref":
            target, inner = follow(path, arg)
            wrong += validate(target, inner, value, at)
        elif key == "allOf":
            for inner in arg:
                wrong += validate(path, inner, value, at)
        elif key == "anyOf":
            rule(key, any(not validate(path, inner, value, at) for inner in arg))
        elif key == "type":
            rule(key, any(has_type(value, t) for t in (arg if isinstance(arg, list) else [arg])))
        elif key == "const":
            rule(key, value == arg and type(value) is type(arg))
        elif key == "enum":
            rule(key, value in arg)
        elif key == "required":
            if isinstance(value, dict):
                wrong += [(at + "/" + name, key) for name in arg if name not in value]
        elif key == "properties":
            for name, inner in arg.items():
                if isinstance(value, dict) and name in value:
                    wrong += validate(path, inner, value[name], at + "/" + name)
        elif key == "additionalProperties":
            rule(key, arg is not False or not isinstance(value, dict) or not set(value) - set(schema.get("properties", {})))
        elif key == "items":
            if isinstance(value, list):
                for i, one in enumerate(value):
                    wrong += validate(path, arg, one, "%s/%d" % (at, i))
        elif key in ("minItems", "maxItems"):
            rule(key, not isinstance(value, list) or (len(value) >= arg if key == "minItems" else len(value) <= arg))
        elif key in ("minimum", "maximum"):
            number = has_type(value, "number")
            rule(key, not number or (value >= arg if key == "minimum" else value <= arg))
        elif key in ("minLength", "maxLength"):
            rule(key, not isinstance(value, str) or (len(value) >= arg if key == "minLength" else len(value) <= arg))
        elif key == "x-max-bytes":
            rule(key, not isinstance(value, str) or len(value.encode("utf-8", "surrogatepass")) <= arg)
        elif key == "pattern":
            # ECMA's $ is the end of the text; Python's also stands before a last newline.
            rule(key, not isinstance(value, str) or re.search(arg.replace("$", r"\Z"), value) is not None)
        else:
            raise AssertionError("keyword %s in %s is checked by nobody" % (key, path))
    return wrong


def check(name, value):
    """name: "order.placed", "out/review.held", "envelope"."""
    path = os.path.normpath(os.path.join(SCHEMAS, name + ".json"))
    return validate(path, load(path), value)
