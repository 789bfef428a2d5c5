# SPDX-License-Identifier: MIT
"""A real Postfix and its smtp-sink beside the machine's own MTA: the package is unpacked under
build/postfix, never installed, and everything of an instance is in one folder that goes away.

    with Postfix(next_hop=peer.port, main={"soft_bounce": "yes"}) as p:   # root only
        p.url; p.configure(soft_bounce="no"); p.stop(); p.start(); p.tool("postsuper", "-h", "ALL")
    with Sink(folder, "-r", "RCPT") as s: s.url                           # anybody
    with Wire(p.port) as w: w.url; w.sent                                 # what a client said to it

Unavailable says why there is none. VOUCH_POSTFIX_DEB names a package that is here already.
"""
import contextlib
import glob
import grp
import os
import pwd
import random
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time

from cluster import ROOT, _alive, free_port

QUEUES = ["active", "bounce", "corrupt", "defer", "deferred", "flush", "hold", "incoming", "private", "saved", "trace"]
DAEMONS = """
{port}    inet  n - n - - smtpd
{tls}     inet  n - n - - smtpd -o smtpd_tls_wrappermode=yes
cleanup   unix  n - n - 0 cleanup
qmgr      unix  n - n 300 1 qmgr
tlsmgr    unix  - - n 1000? 1 tlsmgr
rewrite   unix  - - n - - trivial-rewrite
bounce    unix  - - n - 0 bounce
defer     unix  - - n - 0 bounce
trace     unix  - - n - 0 bounce
flush     unix  n - n 1000? 0 flush
smtp      unix  - - n - - smtp
showq     unix  n - n - - showq
error     unix  - - n - - error
retry     unix  - - n - - error
anvil     unix  - - n - 1 anvil
postlog   unix-dgram n - n - 1 postlogd
"""


class Unavailable(Exception):
    """There is no Postfix to be had here, and why."""


def _environment(base):
    """Tools of the unpacked package find their libraries; a sanitizer's runtime is none of theirs."""
    env = {k: v for k, v in os.environ.items() if k != "LD_PRELOAD" and not k.startswith(("MAIL_", "ASAN", "LSAN"))}
    return dict(env, LD_LIBRARY_PATH=os.path.join(base, "usr/lib/postfix"))


def _works(base):
    with contextlib.suppress(OSError):
        return subprocess.call([os.path.join(base, "usr/sbin/postconf"), "-d", "mail_version"], env=_environment(base),
                               stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) == 0
    return False


def _run(command, where):
    try:
        done = subprocess.run(command, cwd=where, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, timeout=60,
                              stderr=subprocess.STDOUT, text=True, errors="replace", env=_environment("/nowhere"))
    except (OSError, subprocess.TimeoutExpired) as e:
        raise Unavailable("%s: %s" % (command[0], e))
    if done.returncode:
        raise Unavailable("%s: %s" % (" ".join(command[:2]), (done.stdout.strip() or "failed").splitlines()[-1]))


def _unpack(cache):
    """Fetches and unpacks beside the cache, then puts it there at once: two programs may do so at a time."""
    os.makedirs(os.path.dirname(cache), exist_ok=True)
    part = tempfile.mkdtemp(prefix="postfix-", dir=os.path.dirname(cache))
    try:
        deb = os.environ.get("VOUCH_POSTFIX_DEB")
        if not deb:
            _run(["apt-get", "download", "-qq", "postfix"], part)
            deb = glob.glob(os.path.join(part, "*.deb"))[0]
        _run(["dpkg-deb", "-x", deb, part], part)
        if not _works(part):
            raise Unavailable("the package's programs do not run here: a library of theirs is missing")
        os.chmod(part, 0o755)
        with contextlib.suppress(OSError):
            os.rename(part, cache)
    finally:
        shutil.rmtree(part, ignore_errors=True)


def base():
    """The folder that holds usr/sbin and usr/lib/postfix: the unpacked package's, or / where it is installed."""
    cache = os.path.join(ROOT, "build", "postfix")
    if _works(cache):
        return cache
    if os.path.exists("/usr/lib/postfix/sbin/master") and _works("/"):
        return "/"
    shutil.rmtree(cache, ignore_errors=True)
    _unpack(cache)
    return cache


def _until(true, seconds, what):
    end = time.monotonic() + seconds
    while not true():
        if time.monotonic() > end:
            raise RuntimeError(what() if callable(what) else what)
        time.sleep(0.01)


def _listens(port):
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1) as s:
        return s.recv(3) == b"220"
    return False


def _people():
    """mail_owner, default_privs and setgid_group: three that exist, share nothing and own no files."""
    users = [u for u in map(_lookup(pwd.getpwnam), ("postfix", "daemon", "nobody", "bin")) if u and u.pw_uid]
    if len(users) < 2:
        raise Unavailable("this machine has too few system users for a Postfix")
    owner, other = users[:2]
    taken = {owner.pw_gid, other.pw_gid, 0}
    for group in map(_lookup(grp.getgrnam), ("postdrop", "mail", "nogroup", "daemon", "bin", "sys")):
        if group and group.gr_gid not in taken:
            return owner, other, group
    raise Unavailable("this machine has too few system groups for a Postfix")


def _lookup(ask):
    def find(name):
        with contextlib.suppress(KeyError):
            return ask(name)
    return find


class Postfix:
    """Listens on 127.0.0.1 (.port plain and STARTTLS, .tls_port TLS at once) and hands everything to next_hop."""

    def __init__(self, next_hop, main=()):
        if os.getuid() != 0:
            raise Unavailable("Postfix's master starts as root only")
        self.base, self.people, self.process = base(), _people(), None
        self.folder = tempfile.mkdtemp(prefix="vouch-postfix-")
        try:
            self._lay_out(next_hop, dict(main))
            self.start()
        except BaseException:
            self.close()
            raise

    def _lay_out(self, next_hop, main):
        owner, other, group = self.people
        os.chmod(self.folder, 0o755)
        self.port, self.tls_port, self.next_hop = free_port(), free_port(), next_hop
        self.log, self.queue = self.folder + "/log/mail", self.folder + "/queue"
        for name, uid, gid, mode in (
                [("etc", 0, 0, 0o755), ("log", 0, 0, 0o755), ("queue", 0, 0, 0o755), ("queue/pid", 0, 0, 0o755),
                 ("data", owner.pw_uid, owner.pw_gid, 0o700), ("queue/public", owner.pw_uid, group.gr_gid, 0o710),
                 ("queue/maildrop", owner.pw_uid, group.gr_gid, 0o730)]
                + [("queue/" + q, owner.pw_uid, 0, 0o700) for q in QUEUES]):
            path = os.path.join(self.folder, name)
            os.mkdir(path)
            os.chown(path, uid, gid)
            os.chmod(path, mode)
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
                        "-days", "2", "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost",
                        "-keyout", self.folder + "/etc/key.pem", "-out", self.certificate],
                       check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=_environment("/nowhere"))
        self.main = dict(self._settings(), **main)
        self._write()

    def _settings(self):
        owner, other, group = self.people
        lib, etc = os.path.join(self.base, "usr/lib/postfix"), self.folder + "/etc"
        return {
            "compatibility_level": "3.6", "queue_directory": self.queue, "data_directory": self.folder + "/data",
            "daemon_directory": lib + "/sbin", "shlib_directory": lib, "meta_directory": etc,
            "command_directory": os.path.join(self.base, "usr/sbin"),
            "import_environment": "MAIL_CONFIG TZ LANG=C LD_LIBRARY_PATH=" + lib,
            "sendmail_path": "/bin/false", "newaliases_path": "/bin/false", "mailq_path": "/bin/false",
            "mail_owner": owner.pw_name, "default_privs": other.pw_name, "setgid_group": group.gr_name,
            "maillog_file": self.log, "maillog_file_prefixes": self.folder, "syslog_name": "postfix",
            "inet_interfaces": "127.0.0.1", "inet_protocols": "ipv4", "myhostname": "mta.test", "myorigin": "mta.test",
            "mynetworks": "127.0.0.0/8", "mydestination": "", "alias_maps": "", "alias_database": "",
            "local_recipient_maps": "", "local_transport": "error:nobody lives here", "biff": "no", "notify_classes": "",
            "relayhost": "[127.0.0.1]:%d" % self.next_hop, "disable_dns_lookups": "yes", "smtp_host_lookup": "native",
            "smtp_connection_cache_on_demand": "no", "smtp_connect_timeout": "3s", "transport_retry_time": "1s",
            "minimal_backoff_time": "1s", "maximal_backoff_time": "2s", "queue_run_delay": "1s",
            "default_process_limit": "30", "smtpd_client_connection_count_limit": "0", "smtpd_peername_lookup": "no",
            "smtpd_tls_cert_file": self.certificate, "smtpd_tls_key_file": etc + "/key.pem",
            "smtpd_tls_security_level": "may", "smtpd_recipient_restrictions": "permit_mynetworks, reject"}

    @property
    def certificate(self):
        return self.folder + "/etc/certificate.pem"

    @property
    def url(self):
        return "smtp://127.0.0.1:%d" % self.port

    def _write(self):
        doors = {"port": "127.0.0.1:%d" % self.port, "tls": "127.0.0.1:%d" % self.tls_port}
        for name, text in (("main.cf", "".join("%s = %s\n" % x for x in self.main.items())),
                           ("master.cf", DAEMONS.format(**doors))):
            path = os.path.join(self.folder, "etc", name)
            with open(path, "w") as f:
                f.write(text)
            # What changed within two seconds it takes for half written, and waits.
            os.utime(path, (time.time() - 60,) * 2)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def tool(self, name, *arguments):
        """One of its commands, on this instance; its output."""
        done = subprocess.run([os.path.join(self.base, "usr/sbin", name), "-c", self.folder + "/etc", *arguments], cwd="/",
                              env=_environment(self.base), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True, timeout=30)
        if done.returncode:
            raise RuntimeError("%s %s: %s" % (name, " ".join(arguments), done.stdout))
        return done.stdout

    def start(self):
        """What `postfix start` does in the end, but as our child; a keeper ends it when we are killed."""
        self.process = subprocess.Popen(
            [os.path.join(self.main["daemon_directory"], "master"), "-c", self.folder + "/etc", "-d"], cwd="/",
            env=_environment(self.base), start_new_session=True,
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.keeper = subprocess.Popen(
            ["/bin/sh", "-c", 'read word || { kill -s KILL -- -"$0"; sleep 1; rm -rf "$1"; }',
             str(self.process.pid), self.folder],
            start_new_session=True, env=_environment(self.base), stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        _until(lambda: self.process.poll() is not None or _listens(self.port), 15, "Postfix does not answer")
        if self.process.poll() is not None:
            raise RuntimeError("Postfix does not start:\n" + self.said())

    def stop(self):
        """`postfix stop`."""
        self.tool("postfix", "stop")
        self._ended()

    def _ended(self):
        self.process.wait(10)
        self.keeper.communicate(b"ended\n")

    def configure(self, **settings):
        """New settings, for open connections too: they are cut."""
        self.stop()
        self.main.update(settings)
        self._write()
        self.start()

    def daemons(self, *name):
        """Process ids of its daemons (of that name)."""
        found = subprocess.run(["pgrep", "-g", str(self.process.pid), "-x", *name], stdout=subprocess.PIPE,
                               text=True, env=_environment(self.base))
        return [int(pid) for pid in found.stdout.split() if _alive(int(pid))]

    def said(self):
        with contextlib.suppress(OSError), open(self.log, errors="replace") as f:
            return f.read()
        return ""

    def waiting(self):
        """Mails in its queues; what a daemon was writing when it was killed is none, and not executable."""
        count = 0
        for queue in ("maildrop", "incoming", "active", "deferred", "hold"):
            for where, _, files in os.walk(os.path.join(self.queue, queue)):
                for name in files:
                    with contextlib.suppress(OSError):
                        count += os.stat(os.path.join(where, name)).st_mode >> 6 & 1
        return count

    def close(self):
        if self.process:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.process.pid, signal.SIGKILL)
            self._ended()
            # Its daemons are nobody's children now, but still of its group.
            _until(lambda: not self.daemons(), 10, "Postfix's daemons do not end")
        shutil.rmtree(self.folder, ignore_errors=True)


class Sink:
    """smtp-sink; every mail it took is a file in folder."""

    def __init__(self, folder, *options, port=None):
        self.base, self.folder, self.options, self.process = base(), folder, (), None
        self.port = port or free_port()
        self.start(*options)

    @property
    def url(self):
        return "smtp://127.0.0.1:%d" % self.port

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def start(self, *options):
        """(Again,) with these options."""
        self.close()
        root = ["-u", "nobody"] if os.getuid() == 0 else []
        # Changing its user it forgets whose child it is: a shell that waits for our end stays with it.
        self.process = subprocess.Popen(
            ["/bin/sh", "-c", '"$@" & cat; kill -9 $!; wait', "sink",
             os.path.join(self.base, "usr/sbin/smtp-sink"), *root, *options, "-d", "%M.", "127.0.0.1:%d" % self.port, "64"],
            cwd=self.folder, env=_environment(self.base), stdin=subprocess.PIPE, stdout=subprocess.DEVNULL)
        _until(self._bound, 10, "smtp-sink does not start")

    def _bound(self):
        """Without saying a word to it: it may hang up on everybody."""
        with open("/proc/net/tcp") as f:
            return re.search(r"^ *\d+: 0100007F:%04X 00000000:0000 0A " % self.port, f.read(), re.M)

    def close(self):
        if self.process:
            self.process.stdin.close()
            self.process.wait()
            self.process = None

    def kept(self):
        """(X-Rcpt-Args' address, message bytes with LF line ends) of every mail taken to its end."""
        for name in os.listdir(self.folder):
            with open(os.path.join(self.folder, name), "rb") as f:
                data = f.read()
            head, _, message = data.partition(b"\nReceived: ")
            to = re.search(rb"^X-Rcpt-Args: .*<(.*?)>", head, re.M)
            # The last line of smtp-sink's own three-line header ends with the time.
            message = message.split(b"\n", 3)[3] if message.count(b"\n") > 2 else b""
            yield (to.group(1).decode() if to else None), message


class Wire:
    """A line to ports of 127.0.0.1, a random one per connection, that writes down what clients say.

    chance: of a connection to be cut, at a random byte of either direction; cut_before(reply): now, without it."""

    def __init__(self, *ports, chance=0.0, seed=0, cut_before=None):
        self.targets, self.chance, self.random = ports, chance, random.Random(seed)
        self.sent, self.cuts, self.cut_before, self.sockets = {}, 0, cut_before, []
        self.lock = threading.Lock()
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def url(self):
        return "smtp://127.0.0.1:%d" % self.port

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def _accept(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            target, left = self.random.choice(self.targets), {"up": None, "down": None}
            if self.random.random() < self.chance:
                way = self.random.choice(["up", "down"])
                left[way] = self.random.randrange(40000 if way == "up" else 2000)
            try:
                server = socket.create_connection(("127.0.0.1", target), 5)
            except OSError:
                client.close()
                continue
            server.settimeout(None)
            with self.lock:
                self.sockets += [client, server]
                self.sent[len(self.sent)] = said = []
            for way, source, goal in (("up", client, server), ("down", server, client)):
                threading.Thread(target=self._carry, args=(way, source, goal, left[way], said), daemon=True).start()

    def _carry(self, way, source, goal, left, said):
        with contextlib.suppress(OSError):
            while True:
                data = source.recv(65536)
                if way == "up":
                    said.append(data)
                elif self.cut_before and self.cut_before(data):
                    break
                if left is not None and len(data) > left:
                    goal.sendall(data[:left])
                    break
                left = None if left is None else left - len(data)
                if not data:
                    goal.shutdown(socket.SHUT_WR)
                    return
                goal.sendall(data)
            with self.lock:
                self.cuts += 1
        for s in (source, goal):
            with contextlib.suppress(OSError):
                s.shutdown(socket.SHUT_RDWR)

    def close(self):
        for s in [self.listener] + self.sockets:
            with contextlib.suppress(OSError):
                s.shutdown(socket.SHUT_RDWR)
            s.close()
