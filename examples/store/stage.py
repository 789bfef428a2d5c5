# SPDX-License-Identifier: MIT
"""What the demo stands on: a terminal to tell on, a private PostgreSQL, the store, a browser.

Everything lives in build/demo and ends with the process that made it, however that ends.
"""
import contextlib
import ctypes
import email
import email.policy
import fcntl
import glob
import html.parser
import http.cookiejar
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import textwrap
import time
import urllib.error
import urllib.parse
import urllib.request

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
BUILD = os.path.join(ROOT, os.environ.get("VOUCH_BUILD", "build"))
HOME = os.path.join(BUILD, "demo")
sys.path.insert(0, os.path.join(ROOT, "tests", "lib"))
sys.dont_write_bytecode = True
import cluster  # noqa: E402  (the private PostgreSQL that the tests use, too)


class Failed(Exception):
    """A step did not come out as told."""


class Terminal:
    """Tells the story; colours and a spinner only where somebody watches."""

    def __init__(self):
        self.live = sys.stdout.isatty() and os.environ.get("TERM", "") not in ("", "dumb")
        self.number = 0

    def paint(self, code, words):
        return "\x1b[%sm%s\x1b[0m" % (code, words) if self.live and not os.environ.get("NO_COLOR") else words

    def say(self, words="", indent=4):
        for line in words.split("\n"):
            wrapped = textwrap.wrap(line, 92 - indent, break_long_words=False, break_on_hyphens=False)
            print("\n".join(" " * indent + w for w in wrapped or [""]).rstrip(), flush=True)

    def step(self, title):
        self.number += 1
        print("\n%s %s" % (self.paint("1;36", "%2d" % self.number), self.paint("1", title)), flush=True)

    def good(self, words):
        first, _, rest = words.partition("\n")
        print("  %s %s" % (self.paint("32", "✓"), first), flush=True)
        if rest:
            self.say(rest)

    def quote(self, words):
        for line in words.strip("\n").split("\n"):
            print("    " + self.paint("2", "│ ") + line, flush=True)

    def wait(self, what, found, seconds=30):
        """Polls found() until it gives something; a spinner meanwhile."""
        until = time.monotonic() + seconds
        turn = 0
        try:
            while True:
                got = found()
                if got:
                    return got
                if time.monotonic() > until:
                    raise Failed("%s: not within %d seconds" % (what, seconds))
                if self.live:
                    print("\r    %s %s" % ("⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏"[turn % 10], what), end="", flush=True)
                turn += 1
                time.sleep(0.1)
        finally:
            if self.live and turn:
                print("\r\x1b[K", end="", flush=True)


class Forms(html.parser.HTMLParser):
    """The forms of a page: action, and every field with the values it may take."""

    def __init__(self, page):
        super().__init__()
        self.forms = []
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        a = dict(attrs)
        if tag == "form":
            self.forms.append({"action": a.get("action", ""), "method": a.get("method", "get"), "fields": []})
        elif tag in ("input", "textarea", "select", "button") and self.forms and a.get("name"):
            kind = a.get("type", "text") if tag == "input" else tag
            self.forms[-1]["fields"].append((kind, a["name"], a.get("value") or "", "checked" in a))


class Answer:
    def __init__(self, status, url, body):
        self.status, self.url, self.body = status, url, body

    def forms(self):
        return Forms(self.body).forms

    def form(self, part):
        """The form that has a field, or an action, named so."""
        for form in self.forms():
            if part in form["action"] or any(part == f[1] for f in form["fields"]):
                return form
        raise Failed("%s has no form with %s" % (self.url, part))


class Browser:
    """A visitor with cookies of their own."""

    def __init__(self, base):
        self.base = base
        jar = urllib.request.HTTPCookieProcessor(http.cookiejar.CookieJar())
        self.opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), jar)

    def _open(self, target, data=None, accept="text/html"):
        url = urllib.parse.urljoin(self.base, target)
        request = urllib.request.Request(url, data, {"Accept": accept})
        try:
            answer = self.opener.open(request, timeout=30)
        except urllib.error.HTTPError as refused:
            answer = refused
        return Answer(answer.status, answer.geturl(), answer.read().decode())

    def get(self, target, accept="text/html"):
        return self._open(target, accept=accept)

    def json(self, target):
        return json.loads(self.get(target, "application/json").body)

    def send(self, page, form, **values):
        """Sends a form of the page, or the one that form() finds, with these fields filled in."""
        form = page.form(form) if isinstance(form, str) else form
        data = [(name, value) for kind, name, value, checked in form["fields"]
                if name not in values and (kind == "hidden" or checked)]
        data += list(values.items())
        action = urllib.parse.urljoin(page.url, form["action"])
        return self._open(action, urllib.parse.urlencode(data).encode())


def _die_with_us():
    """The store ends when this script does, even by kill -9. In a session of its own, so that
    Ctrl-C reaches only us, and we end things in order."""
    os.setsid()
    ctypes.CDLL(None).prctl(1, signal.SIGTERM)


class Stage:
    def __init__(self, terminal):
        self.terminal, self.close_later = terminal, contextlib.ExitStack()
        self.store = None
        self.mails = os.path.join(HOME, "mails")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close_later.close()

    def run(self, *command, **more):
        """A command's output; what it said is in the complaint when it fails."""
        done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True, **more)
        if done.returncode:
            raise Failed("%s ended with %d:\n%s" % (" ".join(map(os.path.basename, command[:2])),
                                                    done.returncode, done.stdout.strip()))
        return done.stdout

    def vouchctl(self, *words, user):
        """As that person, by the name of their own login to the database."""
        return self.run(os.path.join(BUILD, "vouchctl"), *words, "--database", self.cluster.url("demo", user),
                        "--store", "main")

    def sql(self, text, user=None):
        return self.cluster.sql(text, "demo", user)

    def value(self, text, user=None):
        rows = self.sql(text, user)
        return rows[0][0] if rows else None

    def clear(self):
        """An empty build/demo, ours alone for as long as we live."""
        os.makedirs(HOME, exist_ok=True)
        lock = open(os.path.join(BUILD, "demo.lock"), "w")
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise Failed("another demo runs in %s already" % HOME) from None
        self.close_later.callback(lock.close)
        for name in os.listdir(HOME):
            path = os.path.join(HOME, name)
            (shutil.rmtree if os.path.isdir(path) else os.unlink)(path)
        os.makedirs(self.mails)

    def build(self):
        for name in ("vouch.so", "vouchctl"):
            if not os.path.exists(os.path.join(BUILD, name)):
                raise Failed("build/%s is missing: run make first" % name)
        self.run("make", "-s", "-C", HERE, "BUILD=" + BUILD)

    def database(self):
        """A cluster in build/demo; where its user may not go, in a folder of /tmp while it runs."""
        tempfile.tempdir = HOME
        self.cluster = cluster.Cluster()
        self.close_later.callback(self.cluster.close)
        self.cluster.make()
        tempfile.tempdir = None
        self.cluster.sql("create database demo encoding 'UTF8' template template0")
        self.run(os.path.join(BUILD, "vouchctl"), "migrate", "--database", self.cluster.url("demo"))

    def start(self, port, smtp_port):
        self.port = port
        self.options = os.path.join(HOME, "vouch.json")
        with open(self.options, "w") as f:
            json.dump({"database": self.cluster.url("demo", "vouch_store"), "store": "main",
                       "spool": os.path.join(HOME, "main.spool"),
                       "log": {"level": "info", "file": os.path.join(HOME, "vouch.log")}}, f, indent=2)
        with open(os.path.join(HOME, "store.log"), "w") as log:
            self.store = subprocess.Popen(
                [os.path.join(BUILD, "store", "store"), "--module", os.path.join(BUILD, "vouch.so"),
                 "--options", self.options, "--database", self.cluster.url("demo", "shop"), "--port", str(port),
                 "--smtp-port", str(smtp_port), "--mails", self.mails],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, preexec_fn=_die_with_us)
        self.close_later.callback(self._stop)
        self.terminal.wait("the store opens", self._is_open, 20)

    def _is_open(self):
        if self.store.poll() is not None:
            raise Failed("the store ended with %d" % self.store.returncode)
        with open(os.path.join(HOME, "store.log")) as log:
            return "open at" in log.read()

    def _stop(self):
        if self.store.poll() is None:
            self.store.terminate()
            try:
                self.store.wait(20)
            except subprocess.TimeoutExpired:
                self.store.kill()
                self.store.wait()

    def alive(self):
        return self.store.poll() is None

    def inbox(self, address):
        """The mails to an address, oldest first."""
        found = []
        for path in sorted(glob.glob(os.path.join(self.mails, "*.eml"))):
            with open(path, "rb") as f:
                mail = email.message_from_binary_file(f, policy=email.policy.default)
            if address in str(mail["To"]):
                found.append(mail)
        return found

    def logs(self):
        """The last words of store and module, for a complaint."""
        said = []
        for name in ("store.log", "vouch.log"):
            path = os.path.join(HOME, name)
            with contextlib.suppress(OSError), open(path) as f:
                lines = f.read().strip().split("\n")[-8:]
                if lines != [""]:
                    said.append("%s:\n%s" % (os.path.relpath(path, ROOT), "\n".join("  " + line for line in lines)))
        return "\n".join(said)
