# SPDX-License-Identifier: MIT
# build: asan
"""Mails as composed by mail/mime, read back by Python's own parser: what went in comes out."""
import email
import email.header
import email.policy
import os
import re
import subprocess
import sys
import unittest

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(ROOT, "tests", "lib"))
import tap  # noqa: E402

DRIVER = os.environ.get("VOUCH_MIME_DRIVER") or os.path.join(
    os.environ.get("VOUCH_BUILD", os.path.join(ROOT, "build", "asan")), "unit", "test_mime")
SAMPLE = {"from_name": "Shop", "from_address": "shop@example.test", "to_name": "Anna",
          "to_address": "anna@example.test", "subject": "Hello", "message_id": "a.1@example.test",
          "text": "Hello\n", "html": "<p>Hello</p>\n", "locale": "en"}

ARABIC = "كيف كانت تجربتك مع المنتج الذي اشتريته من متجرنا الأسبوع الماضي؟ نود أن نسمع رأيك"
TEXTS = [
    "plain", "", "a", "=", "=?", "=?UTF-8?Q?fake?=", "=?utf-8?b?ZmFrZQ==?= tail", "?=", "a =? b",
    "two  spaces", " leading", "trailing ", "   ", "a" * 73, "a" * 74, "a" * 75, "a" * 76, "a" * 77,
    "a" * 78, "a" * 200, "a" * 998, "a" * 1200, "a " * 300 + "b", "word " * 40 + "end",
    "x" * 69 + " y", "x" * 70 + " " + "y" * 70, "=" * 100, "_under_score_", "ā_ē=?ī", "\"quoted\"",
    "back\\slash", "a, b; c: <d>", "(comment)", "dot.dot", "comma, name", "semi;colon", "ümläut",
    "Bērziņa Ļubova", "Ļ" * 30, "Ļ" * 31, "Ļ" * 200, "日本語" * 40, "日本語のとても長い件名" * 20,
    "😀", "😀" * 50, "👨‍👩‍👧‍👦" * 20, "🇱🇻" * 40, "e\u0301" * 60, ARABIC, ARABIC * 5,
    "نظر شما درباره خرید", "\u200f" + ARABIC + "\u200e", "\u202eevil", "a\u00a0b", "\u00a0", "\ufeffbom",
    "soft\u00adhyphen", "zero\u200bwidth", "tilde~`!@#$%^&*()_+-=[]{}|;':,./<>?", "100% =20 off",
    "%0d%0aBcc: x@example.test", "\\r\\nBcc: x@example.test", "Re: Re: Re: Fwd:", "A" * 60, "A" * 61,
    "A B" * 25, "ā" + "a" * 100, "a" * 100 + "ā", "a " * 50 + "ā", "ā " * 50 + "a", "𝔘𝔫𝔦𝔠𝔬𝔡𝔢" * 9,
    "\U0010fffd" * 10, "x" * 10000, "ž" * 5000, "From me", ".", "..", ".a",
]
BODIES = [
    "", "a", "a\n", "\n", "\n\n\n", ".", ".\n", "..\n.\n...\n", "\n.\n", "a\n.\nb", ".a\n.b\n",
    "line\r\n.\r\nMAIL FROM:<x>\r\n.\r\n", "\r.\r", "\n.\r\n", "\r\n.\n", "lone\rcr", "a\r\r\nb",
    "From me\nFrom you\n>From them\n", "tab\t\nspace \nboth \t \n", " \n", "\t\n", "=\n==\n=3D\n",
    "x" * 75, "x" * 76, "x" * 77, "x" * 78, "x" * 998, "x" * 999, "x" * 1000, "x" * 100000,
    "." * 76, "." * 200, "=" * 200, ("." + "x" * 74) * 5, ("x" * 75 + ".") * 4, "ā" * 100, "a ā " * 100,
    ARABIC * 30, "日本語\n" * 200, "😀" * 500, "\x01\x02\x1b[0m", "\x7f", "\x0b\x0c", "a\u2028b\u2029c\u0085d",
    "--=_boundary\n--\n", "--\n", "-- \nSignature\n", "=_" * 100, "https://example.test/r/" + "t" * 300,
    "x" * 75 + " \n", "x" * 74 + " ", "x" * 73 + " y", "%PDF", "\ufeffbom", "trailing  ", "a" * 75 + "From b",
    "ļoti labi, paldies! " * 50, "é" * 24 + "x", "x" * 72 + "é" * 3,
]
CONTROLS = ["\r", "\n", "\r\n", "\r\nBcc: x@example.test", "\x0b", "\x1b", "\x7f", "\u2028", "\u2029",
            "\u0085", "\x00", "\t", "\x01"]


def setUpModule():
    if not os.path.exists(DRIVER):
        subprocess.run(["make", "-s", "-C", ROOT, "BUILD=build/asan", "SANITIZE=address,undefined",
                        os.path.relpath(DRIVER, ROOT)], check=True, stdout=sys.stderr)


class Driver:
    def __init__(self):
        env = dict(os.environ, ASAN_OPTIONS="detect_leaks=1")
        env.pop("LD_PRELOAD", None)
        self.process = subprocess.Popen([DRIVER, "--drive"], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, env=env)

    def compose(self, **fields):
        mail = dict(SAMPLE, **fields)
        lines = ["%s %s\n" % (k, (v if isinstance(v, bytes) else v.encode("utf-8")).hex())
                 for k, v in mail.items() if v is not None]
        self.process.stdin.write(("".join(lines) + "\n").encode())
        self.process.stdin.flush()
        word, _, rest = self.process.stdout.readline().decode().strip().partition(" ")
        return (bytes.fromhex(rest), None) if word == "ok" else (None, rest)

    def close(self):
        self.process.stdin.close()
        self.process.stdout.read()
        return self.process.wait(30)


def canonical(text):
    text = re.sub("\r\n|\r|\n", "\r\n", text)
    return text if not text or text.endswith("\r\n") else text + "\r\n"


def unfold(raw, name):
    value = re.search(rb"(?m)^%s:((?:[^\r\n]|\r\n[ \t])*)\r\n" % name.encode(), raw).group(1)
    return value.replace(b"\r\n", b"")[1:].decode("ascii")


def decode(value):
    parts = email.header.decode_header(value)
    return "".join(p.decode(c or "ascii") if isinstance(p, bytes) else p for p, c in parts)


class Mime(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.driver = Driver()

    @classmethod
    def tearDownClass(cls):
        assert cls.driver.close() == 0

    def made(self, **fields):
        raw, refused = self.driver.compose(**fields)
        self.assertIsNotNone(raw, "refused %s" % refused)
        self.wire(raw)
        return raw, email.message_from_bytes(raw, policy=email.policy.default)

    def wire(self, raw):
        self.assertTrue(raw.endswith(b"\r\n"))
        self.assertNotRegex(raw, rb"(?<!\r)\n|\r(?!\n)|\x00")
        head, _, body = raw.partition(b"\r\n\r\n")
        for line in head.split(b"\r\n"):
            self.assertLessEqual(len(line), 78)
            self.assertTrue(line.strip(), head)
            for word in re.findall(rb"=\?[^?]+\?[QB]\?[^?]*\?=", line):
                self.assertLessEqual(len(word), 75)
                self.assertLessEqual(len(line), 76)
                email.header.decode_header(word.decode())[0][0].decode("utf-8")   # whole characters
        for line in body.split(b"\r\n"):
            self.assertLessEqual(len(line), 76)
            self.assertFalse(line.startswith(b"."))
        names = re.findall(rb"(?m)^([A-Za-z-]+):", head)
        self.assertEqual(len(names), len(set(names)))
        self.assertEqual(names[:5], [b"Date", b"From", b"To", b"Subject", b"Message-ID"])

    def test_subjects(self):
        for text in TEXTS:
            with self.subTest(text=text[:40]):
                raw, mail = self.made(subject=text)
                value = unfold(raw, "Subject")
                self.assertEqual(decode(value) if "=?" in value else value, text)
                if text.strip() == text and "\ufeff" not in text:
                    self.assertEqual(str(mail["Subject"]), text)

    def test_names(self):
        for text in TEXTS:
            if len(text) > 300:
                continue
            with self.subTest(text=text[:40]):
                raw, mail = self.made(to_name=text)
                self.assertEqual([a.addr_spec for a in mail["To"].addresses], ["anna@example.test"])
                value = unfold(raw, "To").rpartition("<")[0]
                if text and "=?" in value:
                    self.assertEqual(decode(value.strip()), text)
                elif text:
                    self.assertEqual(mail["To"].addresses[0].display_name, text)

    def test_bodies(self):
        for text in BODIES:
            with self.subTest(text=text[:40]):
                raw, mail = self.made(text=text, html="<p>" + text)
                self.assertEqual([], [d for p in mail.walk() for d in p.defects])
                plain, html = mail.iter_parts()
                self.assertEqual((plain.get_content_type(), html.get_content_type()),
                                 ("text/plain", "text/html"))
                self.assertEqual(plain.get_payload(decode=True).decode(), canonical(text))
                self.assertEqual(html.get_payload(decode=True).decode(), canonical("<p>" + text))

    def test_plain_bodies(self):
        for text in BODIES:
            with self.subTest(text=text[:40]):
                raw, mail = self.made(text=text, html=None)
                self.assertFalse(mail.is_multipart())
                self.assertEqual(mail.get_payload(decode=True).decode(), canonical(text))

    def test_controls_never_reach_the_wire(self):
        fields = ["from_name", "to_name", "subject", "from_address", "to_address", "reply_to", "locale",
                  "message_id", "list_id", "unsubscribe_url", "auto_submitted", "feedback_id"]
        for field in fields:
            for control in CONTROLS:
                if control == "\x00":   # ends a C string: nothing behind it exists
                    continue
                with self.subTest(field=field, control=control):
                    good = {"unsubscribe_url": "https://example.test/u"}.get(field, "a@example.test")
                    raw, refused = self.driver.compose(**{field: good + control + "b"})
                    self.assertIsNone(raw)
                    self.assertEqual(refused, "/" + field)

    def test_bad_utf8(self):
        for bad in [b"\xff", b"\xc0\x80", b"\xed\xa0\x80", b"\xf4\x90\x80\x80", b"a\xc4", b"\x80"]:
            for field in ["subject", "to_name", "text", "html"]:
                with self.subTest(bad=bad, field=field):
                    self.assertEqual(self.driver.compose(**{field: bad}), (None, "/" + field))

    def test_envelope_like_addresses(self):
        for bad in ["a@b>\r\nRCPT TO:<x@y.test", "a@b.test\nDATA", '"a\r\nb"@x.test', "<a@b.test> SIZE=1",
                    "a@b.test,c@d.test", "a@[127.0.0.1]", "a@localhost", "a" * 65 + "@b.test",
                    "a@" + "b" * 251 + ".test", "a@b.test.", "a(c)@b.test", "a@b.test (c)", "@b.test", "a@",
                    "a b@c.test", "a@b@c.test", "", " ", "a@b..test", ".a@b.test", "a.@b.test"]:
            for field in ["to_address", "from_address", "reply_to"]:
                with self.subTest(bad=bad, field=field):
                    self.assertEqual(self.driver.compose(**{field: bad}), (None, "/" + field))

    def test_list_headers(self):
        url = "https://example.test/u/" + "t" * 200
        raw, refused = self.driver.compose(list_id="requests.example.test", unsubscribe_url=url,
                                           auto_submitted="auto-generated", feedback_id="a:b:c:d")
        mail = email.message_from_bytes(raw, policy=email.policy.default)
        self.assertEqual(unfold(raw, "List-Unsubscribe"), "<%s>" % url)
        self.assertEqual(mail["List-Unsubscribe-Post"], "List-Unsubscribe=One-Click")
        self.assertEqual(mail["List-Id"], "<requests.example.test>")
        self.assertEqual(mail["Auto-Submitted"], "auto-generated")
        self.assertEqual(mail["Feedback-ID"], "a:b:c:d")
        self.assertEqual(mail["Content-Language"], "en")

    def test_a_retry_is_the_same_bytes(self):
        self.assertEqual(self.driver.compose(subject=ARABIC), self.driver.compose(subject=ARABIC))


if __name__ == "__main__":
    tap.main()
