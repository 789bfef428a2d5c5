#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""A scripted SMTP server: it does what a relay may do, at the moment it is told to.

    peer = Peer(folder)                        # listens on 127.0.0.1, peer.port
    peer.plan["anna@x.test"] = ["drop-after-dot", "accept"]     # one a mail, in turn
    peer.greet = ["421"]                       # one a connection, in turn
Without a plan the recipient's local part names the behaviour up to "." or "+" (`rcpt-550.7@x.test`),
else the mail is accepted. Behaviours:
    accept  accept-rst  accept-hang            250, then: go on, RST, never answer again
    mail-CODE rcpt-CODE data-CODE dot-CODE     that reply at that moment (421 also hangs up)
    drop-mail drop-rcpt drop-data drop-dot     hang up instead of that reply, close() or
    rst-data rst-dot                           RST; rst-data: right behind a 354
    rst-body                                   RST after 64 KiB of body
    early-CODE                                 that reply after 64 KiB of body
    silent-mail silent-dot  late-dot-SECONDS   say nothing; answer the dot late
    accept-421                                 250, and 421 right behind it
Greetings: ok, close, CODE, silent, drop-ehlo, huge-line, huge-lines, long-line (allowed), nul, endless, drip.
Every byte is in peer.bytes (connection, "<" or ">", bytes); every accepted mail is fsynced into the folder
(N.eml as sent, N.json with its envelope) before its 250. As a program: the port on stdout, then
JSON lines on stdin: {"plan": {...}}, {"greet": [...]}, {"set": {"pipelining": false}}.
"""
import argparse
import base64
import json
import os
import select
import socket
import ssl
import struct
import sys
import threading
import time


class Gone(Exception):
    """The connection is over."""


def sync_write(path, data):
    fd = os.open(path + ".part", os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644)
    try:
        os.write(fd, data)
        os.fsync(fd)
    finally:
        os.close(fd)
    os.rename(path + ".part", path)
    folder = os.open(os.path.dirname(path), os.O_RDONLY)
    os.fsync(folder)
    os.close(folder)


class Peer:
    def __init__(self, folder, pipelining=True, extensions=("8BITMIME", "SMTPUTF8", "SIZE 20000000"),
                 certificate=None, key=None, implicit_tls=False, starttls=None, users=None, slice_writes=0,
                 refused_data="354", mails_a_connection=0, helo_only=False, host="127.0.0.1", port=0):
        self.folder, self.pipelining, self.extensions = folder, pipelining, list(extensions)
        self.implicit_tls = implicit_tls
        self.starttls = bool(certificate) and not implicit_tls if starttls is None else starttls
        self.users, self.slice_writes, self.refused_data = users, slice_writes, refused_data
        self.mails_a_connection, self.helo_only = mails_a_connection, helo_only
        self.plan, self.greet, self.bytes, self.mails, self.faults = {}, [], [], [], []
        self.connections, self.open, self.number = 0, {}, 0
        self.context = None
        if certificate:
            self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self.context.load_cert_chain(certificate, key)
        self.lock = threading.Lock()
        self.listener = socket.socket()
        self.listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)
        self.listener.bind((host, port))
        self.listener.listen(64)
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            try:
                sock, _ = self.listener.accept()
            except OSError:
                return
            with self.lock:
                self.connections += 1
                session = Session(self, sock, self.connections)
                self.open[session.number] = session
            threading.Thread(target=session.run, daemon=True).start()

    def close(self):
        self.listener.close()
        for session in list(self.open.values()):
            session.hang_up()

    def say_to_all(self, data):
        """Out of turn, on every open connection."""
        for session in list(self.open.values()):
            session.write(data)

    def close_all(self):
        for session in list(self.open.values()):
            session.hang_up()

    def sent(self, number=None):
        """What clients wrote, as bytes."""
        return b"".join(b for n, way, b in list(self.bytes) if way == "<" and number in (None, n))

    def behaviour(self, recipient):
        with self.lock:
            plan = self.plan.get(recipient)
            if plan:
                return plan.pop(0) if len(plan) > 1 else plan[0]
        local = recipient.partition("@")[0]
        name = local.split(".")[0].split("+")[0]
        return name if name in ("accept",) or "-" in name else "accept"

    def greeting(self):
        with self.lock:
            return self.greet.pop(0) if self.greet else "ok"

    def keep(self, envelope, data):
        with self.lock:
            self.number += 1
            number = self.number
        sync_write(os.path.join(self.folder, "%d.eml" % number), data)
        sync_write(os.path.join(self.folder, "%d.json" % number), json.dumps(envelope).encode())
        with self.lock:
            self.mails.append(dict(envelope, data=data))


class Session:
    def __init__(self, peer, sock, number):
        self.peer, self.sock, self.number = peer, sock, number
        self.pending, self.tls, self.user, self.helo, self.done = b"", False, None, None, 0
        self.reset()
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def reset(self):
        self.sender, self.recipient, self.refused, self.does = None, None, False, "accept"

    # bytes
    def write(self, data):
        self.peer.bytes.append((self.number, ">", data))
        size = self.peer.slice_writes or len(data)
        try:
            for i in range(0, len(data), size):
                self.sock.sendall(data[i:i + size])
        except (OSError, ValueError):
            raise Gone()

    def read(self):
        try:
            data = self.sock.recv(65536)
        except (OSError, ValueError):
            raise Gone()
        if not data:
            raise Gone()
        self.peer.bytes.append((self.number, "<", data))
        return data

    def line(self):
        while b"\r\n" not in self.pending:
            self.pending += self.read()
        line, _, self.pending = self.pending.partition(b"\r\n")
        if not self.peer.pipelining and (self.pending or self.more()):
            self.peer.faults.append("pipelined without leave: %r" % (line + b"|" + self.pending))
        return line

    def more(self):
        if isinstance(self.sock, ssl.SSLSocket) or not select.select([self.sock], [], [], 0.002)[0]:
            return False
        return bool(self.sock.recv(1, socket.MSG_PEEK))

    def hang_up(self, reset=False):
        try:
            if reset:
                self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                if isinstance(self.sock, ssl.SSLSocket):
                    self.sock = socket.socket(fileno=self.sock.detach())
            else:
                self.sock.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        try:
            self.sock.close()
        except OSError:
            pass

    def drop(self, reset=False):
        self.hang_up(reset)
        raise Gone()

    def silent(self):
        while True:
            self.read()

    def reply(self, code, text=None):
        words = {"250": "2.0.0 Ok", "354": "go on", "421": "4.3.2 closing", "450": "4.2.1 busy",
                 "451": "4.3.0 later", "452": "4.5.3 too many", "550": "5.1.1 no such user",
                 "530": "5.7.0 log in first", "552": "5.3.4 too large",
                 "554": "5.7.1 not wanted"}.get(code, "said")
        self.write(("%s %s\r\n" % (code, text or words)).encode())
        if code == "421":
            self.drop()

    # the dialogue
    def run(self):
        try:
            if self.peer.implicit_tls:
                self.upgrade()
            self.begin(self.peer.greeting())
            while True:
                self.command(self.line())
        except Gone:
            pass
        finally:
            self.hang_up()
            self.peer.open.pop(self.number, None)

    def begin(self, how):
        self.drops_ehlo = how == "drop-ehlo"
        self.odd = how
        if how == "close":
            self.drop()
        if how == "silent":
            self.silent()
        if how.isdigit():
            self.reply(how)
            self.drop()
        self.reply("220", "peer.test ESMTP")

    def odd_reply(self):
        """In place of the reply to MAIL."""
        if self.odd == "huge-line":
            self.write(b"250 " + b"x" * (1 << 20))
        elif self.odd == "huge-lines":
            self.write(b"250-x\r\n" * 10000 + b"250 x\r\n")
        elif self.odd == "nul":
            self.write(b"\0\0\0\0\r\n")
        elif self.odd == "endless":
            while True:
                self.write(b"x" * 65536)
        elif self.odd == "drip":
            for byte in b"250-" + b"y" * 1000:
                self.write(bytes([byte]))
                time.sleep(0.05)
        elif self.odd == "long-line":
            self.write(b"250-" + b"x" * 2000 + b"\r\n" + b"250-line\r\n" * 60 + b"250 2.1.0 fine\r\n")
            return
        self.silent()

    def command(self, line):
        verb = line.split(b" ")[0].upper().decode("latin-1")
        handler = getattr(self, "on_" + verb.lower(), None)
        if handler and verb in ("EHLO", "HELO", "STARTTLS", "AUTH", "MAIL", "RCPT", "DATA", "RSET", "QUIT"):
            handler(line)
        else:
            self.peer.faults.append("unknown command: %r" % line)
            self.reply("500")

    def on_ehlo(self, line):
        if self.peer.helo_only:
            self.reply("502")
            return
        if self.drops_ehlo:
            self.drop()
        self.helo = line[5:].decode("latin-1")
        lines = ["peer.test greets you"] + self.peer.extensions
        lines += ["PIPELINING"] if self.peer.pipelining else []
        lines += ["STARTTLS"] if self.peer.starttls and not self.tls else []
        lines += ["AUTH PLAIN LOGIN"] if self.peer.users else []
        out = ["250-" + x for x in lines[:-1]] + ["250 " + lines[-1]]
        self.write("".join(x + "\r\n" for x in out).encode())

    def on_helo(self, line):
        self.helo = line[5:].decode("latin-1")
        self.reply("250", "peer.test")

    def upgrade(self):
        try:
            self.sock = self.peer.context.wrap_socket(self.sock, server_side=True)
        except (OSError, ssl.SSLError, ValueError):
            raise Gone()
        self.tls = True

    def on_starttls(self, line):
        if not self.peer.starttls:
            self.reply("502")
            return
        self.reply("220", "go on")
        self.pending = b""
        self.upgrade()

    def on_auth(self, line):
        words = line.split(b" ")
        if words[1].upper() == b"PLAIN":
            if len(words) < 3:
                self.write(b"334 \r\n")
                words.append(self.line())
            given = base64.b64decode(words[2]).split(b"\0")[1:]
        else:
            given = []
            if len(words) > 2:
                given.append(base64.b64decode(words[2]))
            while len(given) < 2:
                self.write(b"334 " + base64.b64encode(b"say") + b"\r\n")
                given.append(base64.b64decode(self.line()))
        user, password = [x.decode() for x in given]
        if self.peer.users.get(user) != password:
            self.reply("535", "5.7.8 wrong")
            return
        self.user = user
        self.reply("235", "2.7.0 welcome")

    def at(self, moment):
        """True when this moment was dealt with as the behaviour says."""
        what, _, arg = self.does.partition("-")
        if arg != moment and what != moment:
            return False
        if what == moment and arg.isdigit():
            self.refused = True
            self.reply(arg)
            return True
        if what == "drop":
            self.drop()
        if what == "rst" and moment != "data":
            self.drop(reset=True)
        if what == "silent":
            self.silent()
        return False

    def on_mail(self, line):
        self.reset()
        self.sender = line[line.find(b"<") + 1:line.find(b">")].decode("utf-8", "replace")
        self.arguments = line[line.find(b">") + 1:].decode("latin-1").split()
        if self.odd in ("huge-line", "huge-lines", "nul", "endless", "drip", "long-line"):
            self.odd_reply()
            return
        # Who the mail is for is known one command later: MAIL's own behaviours go by the sender.
        self.does = self.peer.behaviour(self.sender)
        if self.peer.users and not self.user:
            self.refused = True
            self.reply("530")
        elif not self.at("mail"):
            self.reply("250")

    def on_rcpt(self, line):
        if self.refused:
            self.reply("503")
            return
        self.recipient = line[line.find(b"<") + 1:line.find(b">")].decode("utf-8", "replace")
        self.does = self.peer.behaviour(self.recipient)
        if not self.at("rcpt"):
            self.reply("250")

    def on_data(self, line):
        if self.refused or not self.recipient:
            self.reply(self.peer.refused_data, None if self.peer.refused_data == "354" else "no recipients")
            if self.peer.refused_data == "354":
                if self.body():
                    self.peer.faults.append("a body for a refused mail")
                self.reply("554", "5.5.1 no valid recipients")
            return
        if self.at("data"):
            return
        self.write(b"354 go on\r\n")
        if self.does == "rst-data":
            self.drop(reset=True)
        data = self.body()
        self.finish(data)

    def body(self):
        """Each byte is looked at once, however large the mail."""
        data, seen, early = bytearray(self.pending), 0, self.does.startswith(("rst-body", "early-"))
        end = b"\r\n.\r\n"
        while not data.startswith(b".\r\n") and data.find(end, seen) < 0:
            seen = max(0, len(data) - len(end))
            if early and len(data) > 65536:
                if self.does == "rst-body":
                    self.drop(reset=True)
                self.write(("%s 5.3.4 too early\r\n" % self.does[6:]).encode())
                self.silent()
            data += self.read()
        if data.startswith(b".\r\n"):
            self.pending = bytes(data[3:])
            return b""
        data, _, rest = data.partition(end)
        self.pending = bytes(rest)
        return (b"\r\n" + bytes(data) + b"\r\n").replace(b"\r\n.", b"\r\n")[2:]

    def finish(self, data):
        if self.does.startswith("late-dot-"):
            time.sleep(float(self.does[9:]))
        elif self.does == "drop-after-dot":
            self.does = "drop-dot"
        if self.at("dot"):
            return
        envelope = {"from": self.sender, "to": self.recipient, "helo": self.helo, "tls": self.tls, "user": self.user,
                    "arguments": self.arguments, "connection": self.number, "time": time.time()}
        self.peer.keep(envelope, data)
        self.done += 1
        if self.does == "accept-421":
            self.write(b"250 2.0.0 Ok\r\n421 4.3.2 good bye\r\n")
            self.drop()
        self.reply("250", "2.0.0 Ok: queued as %d" % self.peer.number)
        if self.does == "accept-rst":
            time.sleep(0.1)   # an RST takes with it what was not yet read
            self.drop(reset=True)
        if self.does == "accept-hang":
            self.silent()
        if self.peer.mails_a_connection and self.done >= self.peer.mails_a_connection:
            self.drop()

    def on_rset(self, line):
        self.reset()
        self.reply("250")

    def on_quit(self, line):
        self.reply("221", "good bye")
        self.drop()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--folder", required=True)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--no-pipelining", action="store_true")
    given = parser.parse_args()
    peer = Peer(given.folder, pipelining=not given.no_pipelining, port=given.port)
    print(peer.port, flush=True)
    for line in sys.stdin:
        order = json.loads(line)
        peer.plan.update(order.get("plan", {}))
        peer.greet.extend(order.get("greet", []))
        for name, value in order.get("set", {}).items():
            setattr(peer, name, value)
        print(json.dumps({"accepted": len(peer.mails), "connections": peer.connections}), flush=True)


if __name__ == "__main__":
    main()
