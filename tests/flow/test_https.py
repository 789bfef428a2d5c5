# SPDX-License-Identifier: MIT
# build: release
"""io/https against a real TLS server: what arrives, what is refused, what takes too long."""
import http.server
import os
import ssl
import subprocess
import sys
import tempfile
import threading
import time
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
sys.path[:0] = [os.path.join(ROOT, "tests", "lib"), HERE]
import tap  # noqa: E402

HOST = os.path.join(os.environ.get("VOUCH_BUILD", "build"), "flow", "https_host")
FINE, REFUSED, UNREACHED, TLS, TIMEOUT, TOO_LONG, LOST = range(7)


class Answers(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        self.answer(self.rfile.read(int(self.headers.get("Content-Length", 0))))

    def do_GET(self):
        self.answer(b"")

    def answer(self, body):
        self.server.seen.append((self.command, self.path, self.headers, body))
        if self.path == "/slow":
            time.sleep(3)
        if self.path == "/drop":
            self.connection.close()
            return
        text = b"x" * 5000 if self.path == "/long" else b"said " + body
        self.send_response({"/moved": 302, "/busy": 429}.get(self.path, 200))
        if self.path == "/moved":
            self.send_header("Location", "https://127.0.0.1:%d/taken" % self.server.server_port)
        if self.path == "/busy":
            self.send_header("Retry-After", "7")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, *args):
        pass


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request, client_address):
        pass   # a client that hangs up is what is tested


class Https(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        subprocess.run(["make", "-s", os.path.relpath(HOST, ROOT) if os.path.isabs(HOST) else HOST], cwd=ROOT, check=True)
        cls.folder = tempfile.mkdtemp()
        cls.certificate = os.path.join(cls.folder, "certificate.pem")
        key = os.path.join(cls.folder, "key.pem")
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
                        "-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1", "-days", "2",
                        "-keyout", key, "-out", cls.certificate], check=True, stderr=subprocess.DEVNULL)
        cls.server = Server(("127.0.0.1", 0), Answers)
        cls.server.seen = []
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(cls.certificate, key)
        cls.server.socket = context.wrap_socket(cls.server.socket, server_side=True, do_handshake_on_connect=False)
        threading.Thread(target=cls.server.serve_forever, daemon=True).start()
        cls.place = "127.0.0.1:%d" % cls.server.server_port

    @classmethod
    def tearDownClass(cls):
        cls.server.shutdown()

    def ask(self, path, body="words", allow=None, ca=None, milliseconds=8000, most=0, url=None):
        del self.server.seen[:]
        words = [os.path.join(ROOT, HOST), ca or self.certificate, allow or self.place, url or "https://%s%s" % (self.place, path), str(milliseconds),
                 str(most)] + ([body] if body is not None else [])
        # Whatever the environment says of proxies is not listened to.
        said = subprocess.run(words, stdout=subprocess.PIPE, text=True, check=True, timeout=60,
                              env=dict(os.environ, https_proxy="http://127.0.0.1:9", HTTPS_PROXY="http://127.0.0.1:9")).stdout
        lines = said.split("\n")
        return lines[0].split(" ", 4), lines

    def test_a_request_arrives_as_given(self):
        """A body is posted with its headers, once, and the reply read"""
        words, _ = self.ask("/x?y=1")
        self.assertEqual(words[:2] + words[3:], [str(FINE), "200", "10", "said words"])
        (method, path, headers, body), = self.server.seen
        self.assertEqual((method, path, body, headers["X-Vouch"], headers["Expect"]), ("POST", "/x?y=1", b"words", "yes", None))
        self.assertEqual(self.ask("/", body=None)[0][0], str(FINE))
        self.assertEqual(self.server.seen[0][0], "GET")

    def test_redirects_stay_where_they_are(self):
        """A redirect is a reply like any other, followed by nobody"""
        self.assertEqual(self.ask("/moved")[0][:2], [str(FINE), "302"])
        self.assertEqual([seen[1] for seen in self.server.seen], ["/moved"])

    def test_retry_after(self):
        """Retry-After is told"""
        self.assertEqual(self.ask("/busy")[0][:3], [str(FINE), "429", "7"])

    def test_too_long(self):
        """A reply longer than it may be is a failure"""
        self.assertEqual(self.ask("/long", most=1000)[0][:2], [str(TOO_LONG), "0"])
        self.assertEqual(self.ask("/long", most=6000)[0][:2], [str(FINE), "200"])

    def test_slow(self):
        """The deadline is kept"""
        words, lines = self.ask("/slow", milliseconds=300)
        self.assertEqual(words[0], str(TIMEOUT))
        self.assertLess(int(lines[2]), 2000)

    def test_lost(self):
        """A connection that ends early is lost, not unreached: the request may have been read"""
        self.assertEqual(self.ask("/drop")[0][0], str(LOST))

    def test_certificate(self):
        """Who cannot show a certificate that somebody vouches for is not spoken to"""
        self.assertEqual(self.ask("/", ca="/etc/ssl/certs/ca-certificates.crt")[0][0], str(TLS))
        self.assertEqual(self.server.seen, [])

    def test_names_that_resolve_inwards(self):
        """A public-looking name of this machine is refused when it is resolved; nothing connects"""
        name = "localhost.localdomain"
        with open("/etc/hosts", encoding="utf-8") as f:
            known = [line.split()[1:] for line in f if line.startswith(("127.", "::1"))]
        name = next((n for names in known for n in names if "." in n), None)
        if not name:
            name = "vouch.localhost"   # RFC 6761: always the loopback; resolvers that do not know it fail, which serves as well
        words, _ = self.ask("/", url="https://%s:%d/" % (name, self.server.server_port), allow="127.0.0.2:%d" % self.server.server_port)
        self.assertIn(words[0], (str(REFUSED), str(UNREACHED)))
        self.assertEqual(self.server.seen, [])


if __name__ == "__main__":
    tap.main()
