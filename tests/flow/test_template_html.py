# SPDX-License-Identifier: MIT
# build: asan
"""Whatever a value holds, in HTML it stays one piece of text or one attribute, read back as it was."""
import html.parser
import json
import os
import random
import subprocess
import sys
import unittest

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(ROOT, "tests", "lib"))
import tap  # noqa: E402

DRIVER = os.environ.get("VOUCH_TEMPLATE_DRIVER") or os.path.join(
    os.environ.get("VOUCH_BUILD", os.path.join(ROOT, "build", "asan")), "unit", "test_template")

HOSTILE = [
    "<script>alert(1)</script>", "</p><script>alert(1)</script>", "\"><img src=x onerror=alert(1)>",
    "'><svg onload=alert(1)>", "' onmouseover='alert(1)", "\" autofocus onfocus=\"alert(1)", "&lt;script&gt;",
    "&#60;b&#62;", "&amp;lt;", "&quot;&#39;&apos;", "&notit;", "&", "&&&", "&#", "&#x", "&#0;", "<", ">", "<!--", "-->",
    "<![CDATA[", "]]>", "<?php", "</title>", "</textarea>", "</style>", "{{x}}", "{{{v}}}", "{{#v}}", "{{>v}}", "%s%n",
    "${7*7}", "[shortcode]", "javascript:alert(1)", "`", "``onload=alert(1)", "a\tb", "a b", "<\u200bscript>",
    "\u202e<b>\u202c", "\uff1cscript\uff1e", "\u2028<b>\u2029", "é̂̂̂", "سلام <b>", "★" * 200, "'" * 100, "\"" * 100,
    "<" * 100, "&amp" * 50, "\\\"><b>", "\\x3cb\\x3e", "%3Cb%3E", "<a href=\"", "--!>", "<plaintext>", "\ufeff<b>",
]
PLACES = {
    "text": ("<p>{{v}}</p><i>end</i>", "p", None),
    "double-quoted attribute": ('<a title="{{v}}">x</a><i>end</i>', "a", "title"),
    "single-quoted attribute": ("<a title='{{v}}'>x</a><i>end</i>", "a", "title"),
    "title": ("<title>{{v}}</title><i>end</i>", "title", None),
    "textarea": ("<textarea>{{v}}</textarea><i>end</i>", "textarea", None),
    "section": ("{{#l}}<p>{{.}}</p>{{/l}}<i>end</i>", "p", None),
    "dotted": ("<p>{{o.v}}</p><i>end</i>", "p", None),
}


class Reader(html.parser.HTMLParser):
    def __init__(self, text):
        super().__init__(convert_charrefs=True)
        self.tags, self.words = [], [[]]
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attributes):
        self.tags.append((tag, dict(attributes)))
        self.words.append([])

    def handle_data(self, data):
        self.words[-1].append(data)

    def unexpected(self, data):
        self.tags.append(("unexpected", data))

    handle_comment = handle_decl = handle_pi = unknown_decl = unexpected


def noise(count):
    chance = random.Random(20261101)
    pieces = ["<", ">", "&", "\"", "'", "=", "/", "!", "-", "#", "x3c;", "lt;", "script", "on", " ", "a", "{{", "}}", "é", "\u202e"]
    return ["".join(chance.choice(pieces) for _ in range(chance.randint(1, 24))) for _ in range(count)]


def render(asked):
    lines = "".join(json.dumps(a) + "\n" for a in asked)
    done = subprocess.run([DRIVER, "serve"], input=lines.encode(), stdout=subprocess.PIPE, check=True)
    return [json.loads(line) for line in done.stdout.splitlines()]


class Template(unittest.TestCase):
    def hold(self, place):
        template, tag, attribute = PLACES[place]
        values = HOSTILE + noise(500)
        asked = [{"template": template, "data": {"v": v, "l": [v], "o": {"v": v}}} for v in values]
        for value, text in zip(values, render(asked), strict=True):
            page = Reader(text)
            self.assertEqual([t for t, _ in page.tags], [tag, "i"], (value, text))
            self.assertEqual("".join(page.words[2]), "end", (value, text))
            if attribute:
                self.assertEqual(page.tags[0][1], {attribute: value}, text)
            elif tag not in ("title", "textarea"):
                self.assertEqual("".join(page.words[1]), value, text)


for name in PLACES:
    def one(self, place=name):
        self.hold(place)
    one.__doc__ = "a value in " + name + " stays there"
    setattr(Template, "test_" + name.replace("-", "_").replace(" ", "_"), one)

if __name__ == "__main__":
    if not os.path.exists(DRIVER):
        print("1..0 # SKIP %s is not built" % os.path.relpath(DRIVER, ROOT))
        sys.exit(0)
    tap.main()
