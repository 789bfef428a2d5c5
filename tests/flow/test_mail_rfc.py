# SPDX-License-Identifier: MIT
# timeout: 600
"""Every mail of every kind and language, read back by Python's email and by an HTML5 parser; and nothing that a buyer,
a product or a setting holds ever makes a header line or a command of its own."""
import email
import email.policy
import glob
import os
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

import html5lib

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
sys.path[:0] = [os.path.join(ROOT, "tests", "lib"), HERE]
import tap  # noqa: E402
from cluster import Cluster  # noqa: E402
from mailing import Mail, Sender, Shop  # noqa: E402
from smtp_peer import Peer  # noqa: E402
os.environ.setdefault("VOUCH_MIME_DRIVER", os.path.join(ROOT, "build", "asan", "unit", "test_mime"))
import test_mime  # noqa: E402

KINDS = {"request", "reminder", "discount", "confirm", "held", "rejected", "published", "reply"}
HEADERS = {"Date", "From", "To", "Subject", "Message-ID", "List-Id", "List-Unsubscribe", "List-Unsubscribe-Post", "Auto-Submitted",
           "Feedback-ID", "Content-Language", "MIME-Version", "Content-Type"}
# B-20: what might end a line, or look like it.
ENDS = ["\r", "\n", "\r\n", "%0d%0a", "\u2028", "\u0085", "\x0b", "\x1b", "\r\n\r\n", "\x0c", "\u2029", "\\r\\n"]
EVIL = "a%sBcc: evil@evil.test"
BUYER = ["name", "order", "line", "product", "url", "locale", "email"]
SETTINGS = ["name", "mail_from", "request_from", "base_url", "return_path", "subject", "text"]
# B-21: what might leave the angle brackets of an envelope.
ENVELOPES = ["a@b.test>\r\nRCPT TO:<x@y.test", "a@b.test\nDATA", "a@b.test\r\n.\r\n", '"a\r\nb"@x.test', "<a@b.test> SIZE=1", "a@b.test,c@d.test",
             "a@[127.0.0.1]", "a@localhost", "a" * 65 + "@b.test", "a@" + "b" * 251 + ".test", "a@b.test.", "a(c)@b.test", "a@b.test (c)",
             "@b.test", "a b@c.test", "a@b@c.test", "a@b..test", ".a@b.test", "a.@b.test", "a@b.test\x0b", "a@\x7fb.test", "a\u2028b@c.test>",
             "a@b.test BODY=8BITMIME", "a@b.test> ORCPT=rfc822;x", "a;b@c.test", "a:b@c.test", "a\\b@c.test", "a[b@c.test", "a@b_c.test", "a@-b.test"]


def quoted(text):
    return "$q$%s$q$" % text


class Letters(unittest.TestCase):
    """As tests/unit/test_letter.c writes them into a folder."""

    @classmethod
    def setUpClass(cls):
        test_mime.setUpModule()
        cls.driver = test_mime.Driver()
        cls.folder = tempfile.mkdtemp()
        program = os.path.join(ROOT, "build", "asan", "unit", "test_letter")
        env = {k: v for k, v in os.environ.items() if k not in ("LD_PRELOAD", "MAKEFLAGS")}
        subprocess.run(["make", "-s", "-C", ROOT, "BUILD=build/asan", "SANITIZE=address,undefined", "build/asan/unit/test_letter"],
                       check=True, stdout=sys.stderr, env=env)
        subprocess.run([program, cls.folder], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=env)

    @classmethod
    def tearDownClass(cls):
        shutil.rmtree(cls.folder)
        assert cls.driver.close() == 0

    def letters(self):
        for path in sorted(glob.glob(os.path.join(self.folder, "*.html"))):
            name = os.path.basename(path)[:-5]
            parts = {}
            for suffix in ("html", "txt", "subject"):
                with open(path[:-4] + suffix, encoding="utf-8") as f:
                    parts[suffix] = f.read()
            yield name, name.split(".")[0], name.split(".")[-1], parts

    def test_every_letter(self):
        """Headers and parts come back from the wire as they were, within the limits of RFC 5322, 2045 and 2047"""
        kinds, locales = set(), set()
        for name, kind, locale, parts in self.letters():
            with self.subTest(name=name):
                raw, refused = self.driver.compose(subject=parts["subject"], text=parts["txt"], html=parts["html"], locale=locale)
                self.assertIsNone(refused)
                test_mime.Mime.wire(self, raw)
                mail = email.message_from_bytes(raw, policy=email.policy.default)
                self.assertEqual(mail["Subject"], parts["subject"])
                self.assertEqual(mail.defects, [])
                for subtype, part in (("plain", "txt"), ("html", "html")):
                    got = mail.get_body((subtype,))
                    self.assertEqual(got.defects, [])
                    self.assertEqual(got.get_content().replace("\r\n", "\n").rstrip("\n"), parts[part].rstrip("\n"))
            kinds.add(kind)
            locales.add(locale)
        self.assertLessEqual(KINDS, kinds)
        self.assertEqual(len(locales), 6)

    def test_html(self):
        """The HTML parses without an error, loads nothing, and says what the text says"""
        for name, kind, locale, parts in self.letters():
            with self.subTest(name=name):
                parser = html5lib.HTMLParser(tree=html5lib.getTreeBuilder("etree"), namespaceHTMLElements=False)
                tree = parser.parse(parts["html"])
                self.assertEqual([e for e in parser.errors], [])
                for element in tree.iter():
                    if not isinstance(element.tag, str):
                        continue   # a comment
                    self.assertNotIn(element.tag, ("script", "img", "link", "iframe", "object", "form", "input"))
                    self.assertEqual([a for a in element.attrib if a.startswith("on") or a in ("src", "background")], [])
                body = tree.find("body")
                said = "".join(body.itertext()) + " ".join(
                    e.get(a) or "" for e in body.iter() for a in ("title", "aria-label") if isinstance(e.tag, str))
                links = {a.get("href") for a in body.iter("a")}
                for word in set(re.findall(r"\w{4,}", re.sub(r"https?://\S+", "", parts["txt"]))):
                    self.assertIn(word, said)
                for link in set(re.findall(r"https?://\S+", parts["txt"])):
                    self.assertIn(link, links)


class Injection(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.mkdtemp()
        self.addCleanup(shutil.rmtree, self.folder)
        self.peer = Peer(self.folder)
        self.addCleanup(self.peer.close)
        self.cluster = Cluster.shared()
        self.addCleanup(self.cluster.close)
        self.shop = Shop(self.cluster, "smtp://127.0.0.1:%d" % self.peer.port)
        self.addCleanup(self.cluster.drop, self.shop.database)

    def may(self, statement):
        """False: the database refused it."""
        try:
            self.shop.sql(statement)
            return True
        except RuntimeError as e:
            self.assertNotIn("syntax error", str(e))
            return False

    def send(self):
        with Sender(self.shop.database.url, variant="release", data=5000) as s:
            s.drain(30000)

    def clean(self):
        """Every mail on the wire has exactly the headers it should have, every envelope one recipient of ours."""
        for kept in self.peer.mails:
            head = kept["data"].partition(b"\r\n\r\n")[0].decode("ascii")
            names = re.findall(r"(?m)^([^ \t:]+):", head)
            self.assertEqual(sorted(names), sorted(HEADERS), head)
            self.assertNotRegex(head, r"(?m)^(?![A-Za-z-]+:|[ \t]+\S)")
            Mail(kept)
        self.assertEqual(self.peer.faults, [])
        self.assertNotIn(b"RCPT TO:<evil@", self.peer.sent())
        self.assertEqual(self.peer.sent().count(b"RCPT TO:"), self.peer.sent().count(b"MAIL FROM:"))

    def test_buyers(self):
        """84 cases of what buyers and products hold: refused or encoded"""
        refused = sent = 0
        for c, end in enumerate(ENDS):
            for f, field in enumerate(BUYER):
                order = "o%d-%d" % (c, f)
                self.shop.deliver([order])
                value = quoted(EVIL % end)
                where = "WHERE store_id = 'main' AND order_id = '%s'" % order
                key = "(SELECT address_key FROM vouch.sales_order %s)" % where
                ok = self.may({
                    "name": "UPDATE vouch.customer SET name = %s WHERE address_key = %s" % (value, key),
                    "email": "UPDATE vouch.customer SET email = %s WHERE address_key = %s" % (
                        quoted("a@b.test>%sRCPT TO:<evil@evil.test" % end), key),
                    "locale": "UPDATE vouch.sales_order SET locale = %s %s" % (value, where),
                    "line": "UPDATE vouch.order_line SET name = %s %s" % (value, where),
                    "product": "UPDATE vouch.order_line SET product_id = %s %s" % (value, where),
                    "url": "UPDATE vouch.order_line SET url = %s %s" % (quoted("https://shop.test/" + EVIL % end), where),
                    "order": "UPDATE vouch.review_request SET order_id = %s %s;UPDATE vouch.order_line SET order_id = %s %s;"
                             "UPDATE vouch.sales_order SET order_id = %s %s" % (value, where, value, where, value, where),
                }[field])
                refused += not ok
        self.send()
        sent = len(self.peer.mails)
        self.clean()
        self.assertGreater(sent, 40)
        self.assertEqual(len(ENDS) * len(BUYER), 84)

    def test_settings(self):
        """84 cases of what settings hold: refused, or the mail waits, or it is encoded"""
        before = {c: self.shop.value("SELECT %s FROM vouch.store" % c) for c in SETTINGS[:5]}
        taken = 0
        for c, end in enumerate(ENDS):
            for f, field in enumerate(SETTINGS):
                value = EVIL % end
                if field in ("subject", "text"):
                    ok = self.may("INSERT INTO vouch.mail_template (store_id, kind, %s) VALUES ('main', 'request', %s)" % (
                        field, quoted(value + " {{unsubscribe_url}}")))
                else:
                    value = {"base_url": "https://shop.test/" + value, "return_path": "b+{mail}@shop.test" + end + "X: y",
                             "name": value}.get(field, "Shop%sBcc: evil@evil.test <shop@shop.test>" % end)
                    ok = self.may("UPDATE vouch.store SET %s = %s" % (field, quoted(value)))
                if ok:
                    taken += 1
                    self.shop.deliver(["s%d-%d" % (c, f)])
                    with Sender(self.shop.database.url, variant="release") as s:
                        s.run(250)
                    self.shop.sql("DELETE FROM vouch.mail_template")
                    for column, text in before.items():
                        self.shop.sql("UPDATE vouch.store SET %s = %s" % (column, quoted(text or "")))
        self.clean()
        self.assertGreater(taken, 10)

    def test_envelopes(self):
        """60 cases of addresses that are none, as sender and as recipient: never on the wire"""
        orders = ["e%d" % i for i in range(len(ENVELOPES))]
        self.shop.deliver(orders)
        for order, address in zip(orders, ENVELOPES):
            self.may("UPDATE vouch.customer SET email = %s WHERE address_key = (SELECT address_key FROM vouch.sales_order"
                     " WHERE order_id = '%s')" % (quoted(address), order))
        self.shop.sql("UPDATE vouch.customer SET email = 'fine@buyer.test' WHERE email LIKE '%@buyer.test'")
        self.send()
        for kept in self.peer.mails:
            self.assertEqual(kept["to"], "fine@buyer.test")
        sent = len(self.peer.mails)
        self.shop.deliver(["from"])
        for address in ENVELOPES:
            if self.may("UPDATE vouch.store SET mail_from = %s" % quoted(address)):
                with Sender(self.shop.database.url, variant="release") as s:
                    s.run(200)
        self.assertEqual(len(self.peer.mails), sent)
        self.clean()
        self.assertEqual(2 * len(ENVELOPES), 60)


if __name__ == "__main__":
    tap.main()
