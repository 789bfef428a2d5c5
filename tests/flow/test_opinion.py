# SPDX-License-Identifier: MIT
# build: release
"""The outside classifier: asked after the decision, over TLS; its answer holds, its silence does not."""
import http.server
import json
import os
import ssl
import subprocess
import sys
import tempfile
import threading
import time
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import cluster  # noqa: E402
import tap  # noqa: E402
from vouch import Module  # noqa: E402


class Classifier(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.seen.append((self.path, self.headers.get("Authorization"), body))
        words = body.get("input") or body["comment"]["text"]
        score = 0.97 if "subtle" in words else 0.02
        said = {"attributeScores": {"INSULT": {"summaryScore": {"value": score}}}} if "comment" in body else \
               {"results": [{"flagged": score > 0.5, "category_scores": {"harassment": score, "hate": 0.01}}]}
        text = json.dumps(said).encode()
        if self.server.mood == "slow":
            time.sleep(2)
        self.send_response(500 if self.server.mood == "broken" else 200)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, *args):
        pass


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    mood, seen = "well", []

    def handle_error(self, request, client_address):
        pass


class Opinion(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        folder = tempfile.mkdtemp()
        certificate, key = os.path.join(folder, "certificate.pem"), os.path.join(folder, "key.pem")
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
                        "-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1", "-days", "2",
                        "-keyout", key, "-out", certificate], check=True, stderr=subprocess.DEVNULL)
        cls.server = Server(("127.0.0.1", 0), Classifier)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate, key)
        cls.server.socket = context.wrap_socket(cls.server.socket, server_side=True, do_handshake_on_connect=False)
        threading.Thread(target=cls.server.serve_forever, daemon=True).start()
        cls.place = "127.0.0.1:%d" % cls.server.server_port
        cls.certificate = certificate

    def setUp(self):
        self.database = cluster.Cluster.shared().database()
        self.database.sql("INSERT INTO vouch.hold_policy VALUES ('main', 'unverified', 'label', '7 days', 'release')")
        self.options = {"database": self.database.url, "emit_deadline_ms": 5000, "secrets": {"tokens": {"mine": "sesame"}},
                        "https": {"allow": [self.place], "ca_file": self.certificate}}
        self.number = 0
        self.server.mood = "well"
        del self.server.seen[:]

    def classifier(self, kind, path, timeout="10 s"):
        self.database.sql("INSERT INTO vouch.classifier (store_id, kind, url, secret, timeout) VALUES ('main', '%s', 'https://%s%s', 'mine', '%s')"
                          % (kind, self.place, path, timeout))

    def review(self, module, body):
        self.number += 1
        return module.emit({"specversion": "1.0", "id": "e%d" % self.number, "source": "/shop", "type": "review.submitted",
                            "data": {"review": {"id": "r%d" % self.number, "product_id": "p%d" % self.number, "rating": 3,
                                                "body": body, "locale": "en"}}})["review"]

    def states(self):
        return dict(self.database.sql("SELECT n.external_id, v.state || coalesce(' ' || r.held_for::text, '') FROM vouch.review v "
                                      "JOIN vouch.review_name n USING (store_id, review_id) JOIN vouch.review_revision r USING (store_id, review_id)"))

    def step(self, module, enough, seconds=60):
        until = time.monotonic() + seconds
        while time.monotonic() < until and not enough():
            module.step(200)
            time.sleep(0.02)
        return enough()

    def asks(self, kind, path):
        self.classifier(kind, path)
        with Module(self.options) as module:
            self.assertEqual(self.review(module, "a subtle insult")["state"], "published")
            self.assertEqual(self.review(module, "a fine lamp")["state"], "published")
            left = lambda: self.database.value("SELECT count(*) FROM vouch.classifier_job") == "0"
            self.assertTrue(self.step(module, left), self.states())
        self.assertEqual(self.states(), {"r1": "held {classifier}", "r2": "published {}"})
        return self.server.seen

    def test_openai(self):
        """OpenAI's manner: the words and a bearer token; what is over the threshold is held"""
        seen = self.asks("openai", "/v1/moderations")
        self.assertEqual(sorted(s[2]["input"] for s in seen), ["a fine lamp", "a subtle insult"])
        self.assertEqual({(s[0], s[1]) for s in seen}, {("/v1/moderations", "Bearer sesame")})

    def test_perspective(self):
        """Perspective's manner: the token in the url, nothing kept"""
        seen = self.asks("perspective", "/v1alpha1/comments:analyze")
        self.assertEqual({(s[0], s[1], s[2]["doNotStore"]) for s in seen}, {("/v1alpha1/comments:analyze?key=sesame", None, True)})

    def test_silence(self):
        """A broken or slow one holds nothing up, is left alone after three failures, and asked again when it is well"""
        self.classifier("openai", "/", "500 ms")
        for mood in ("broken", "slow"):
            self.server.mood = mood
            with Module(self.options) as module:
                del self.server.seen[:]
                for i in range(6):
                    self.assertEqual(self.review(module, "a subtle insult %d" % self.number)["state"], "published")
                begun = time.monotonic()
                self.step(module, lambda: False, 4)
                self.assertLess(time.monotonic() - begun, 8)
                self.assertLessEqual(len(self.server.seen), 8)
        self.assertEqual(set(self.states().values()), {"published {}"})

    def test_inwards(self):
        """Without the host's leave no private address is asked"""
        self.classifier("openai", "/")
        del self.options["https"]["allow"]
        with Module(self.options) as module:
            self.assertEqual(self.review(module, "a subtle insult")["state"], "published")
            self.step(module, lambda: False, 2)
        self.assertEqual((self.server.seen, set(self.states().values())), ([], {"published {}"}))


if __name__ == "__main__":
    tap.main()
