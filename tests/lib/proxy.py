# SPDX-License-Identifier: MIT
"""A TCP proxy in front of PostgreSQL (or anything), which fails as networks do.

    with Proxy("127.0.0.1", port) as p:
        p.url(url)                             # the same URL, through the proxy
        p.lose(b"vouch.ingest")                # the answer to the next such call is lost: cut at ReadyForQuery
        p.swallow(True)                        # nothing passes any more, nothing is closed
        p.refuse(True)                         # connections are closed at once
        p.cut()                                # all connections are reset now
"""
import re
import select
import socket
import struct
import threading

READY = re.compile(rb"Z\x00\x00\x00\x05[ITE]$")


class Proxy:
    def __init__(self, host, port):
        self.target, self.swallowing, self.refusing = (host, port), False, False
        self.needles, self.lost, self.connections, self.pairs = [], 0, 0, set()
        self.lock = threading.Lock()
        self.listener = socket.socket()
        self.listener.bind(("127.0.0.1", 0))
        self.listener.listen(128)
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.listener.close()
        self.cut()

    def url(self, url):
        return url.replace(":%d/" % self.target[1], ":%d/" % self.port)

    def lose(self, needle, times=1):
        with self.lock:
            self.needles += [needle] * times

    def swallow(self, on):
        self.swallowing = on

    def refuse(self, on):
        self.refusing = on

    def cut(self):
        with self.lock:
            pairs = list(self.pairs)
        for pair in pairs:
            self._end(pair)

    def _accept(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            self.connections += 1
            if self.refusing:
                client.close()
                continue
            threading.Thread(target=self._carry, args=(client,), daemon=True).start()

    def _end(self, pair):
        with self.lock:
            self.pairs.discard(pair)
        for s in pair:
            try:
                s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                s.close()
            except OSError:
                pass

    def _armed(self, said):
        with self.lock:
            for needle in self.needles:
                if needle in said:
                    self.needles.remove(needle)
                    return True
        return False

    def _carry(self, client):
        try:
            server = socket.create_connection(self.target)
        except OSError:
            client.close()
            return
        pair = (client, server)
        with self.lock:
            self.pairs.add(pair)
        armed, told = False, b""
        try:
            while True:
                ready = select.select(pair, [], [], 0.05)[0]
                if self.swallowing:
                    select.select([], [], [], 0.02)
                    continue
                for s in ready:
                    data = s.recv(65536)
                    if not data:
                        return
                    if s is client:
                        armed = armed or self._armed(data)
                        told = b""
                        server.sendall(data)
                    elif armed:
                        told = (told + data)[-16:]
                        if READY.search(told):
                            self.lost += 1
                            return
                    else:
                        client.sendall(data)
        except (OSError, ValueError):
            pass
        finally:
            self._end(pair)
