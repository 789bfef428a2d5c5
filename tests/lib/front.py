# SPDX-License-Identifier: MIT
"""A host for browsers: HTTP on 127.0.0.1 that hands everything under /reviews to vouch_serve, as a store would.

    with Front(module) as front:
        front.operator = {"name": "maija", "role": "moderator"}   # or None; or by cookie: operator=maija:moderator
        print(front.url + "/console/")
"""
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

MOUNT = "/reviews"


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def operator(self):
        """A test's login: the cookie is the browser context's, so several people can be at work at once."""
        for part in (self.headers.get("cookie") or "").split(";"):
            name, _, value = part.strip().partition("=")
            if name == "operator" and ":" in value:
                person, role = value.split(":", 1)
                return {"name": person, "role": role}
        return self.server.front.operator

    def answer(self):
        front = self.server.front
        body = self.rfile.read(int(self.headers.get("content-length") or 0)).decode("utf-8", "replace")
        if not self.path.startswith(MOUNT):
            self.send_response(404)
            self.send_header("content-length", "0")
            self.end_headers()
            return
        target, parts, first = self.path[len(MOUNT):] or "/", [], None
        while target and len(parts) < 10000:
            got = front.module.serve(self.command, target, body, {k.lower(): v for k, v in self.headers.items()},
                                     self.client_address[0], self.operator())
            first = first or got
            parts.append(got.body)
            target = getattr(got, "next", None)
        text = "".join(parts).encode()
        front.seen.append((self.command, self.path, first.status))
        self.send_response(first.status)
        for name, value in first.headers.items():
            self.send_header(name, value)
        self.send_header("content-length", str(len(text)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(text)

    do_GET = do_POST = do_HEAD = answer


class Front:
    def __init__(self, module, operator=None):
        self.module, self.operator, self.seen = module, operator, []
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads, self.server.front = True, self
        self.origin = "http://127.0.0.1:%d" % self.server.server_port
        self.url = self.origin + MOUNT

    def __enter__(self):
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()
