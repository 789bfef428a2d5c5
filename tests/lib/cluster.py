# SPDX-License-Identifier: MIT
"""A private PostgreSQL (15 or newer) that dies with the process that started it.

    with Cluster() as c:                       # durable=True: fsync on, as in a store
        d = c.database()                       # migrated by vouchctl, a copy of a template
        d.url                                  # as the store's role, a member of vouch_module
        d.owner                                # as the superuser
        d.sql("SELECT 1")                      # rows as lists of text, as the superuser
        c.stop(); c.start(); c.crash()         # crash: immediate, then recovery at start()
        with c.pgbouncer(pool=2) as b: b.url(d.name, "shop")

Cluster.shared() is the one of VOUCH_TEST_DATABASE, which tests/run gives to every program, or a
new one. Needs nothing but the server's own programs: as root it runs as postgres or nobody.
"""
import atexit
import contextlib
import fcntl
import glob
import os
import pwd
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from urllib.parse import quote, urlsplit

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
TEMPLATE = "vouch_template"
QUICK = ["fsync=off", "synchronous_commit=off", "full_page_writes=off"]


def programs():
    """The folder of the newest server's programs."""
    found = [(int(m.group(1)), m.group(0)) for m in
             (re.search(r"^/usr/lib/postgresql/(\d+)/bin", p)
              for p in glob.glob("/usr/lib/postgresql/*/bin/initdb")) if m]
    found += [(15, os.path.dirname(p)) for p in [shutil.which("initdb")] if p and not found]
    if not found or max(found)[0] < 15:
        raise RuntimeError("PostgreSQL 15 or newer is not installed: tests/setup test")
    return max(found)[1]


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def _user():
    """Who runs the server: we ourselves, or when we are root somebody who is not."""
    if os.getuid() != 0:
        return pwd.getpwuid(os.getuid())
    for name in ("postgres", "nobody"):
        with contextlib.suppress(KeyError):
            return pwd.getpwnam(name)
    raise RuntimeError("neither user postgres nor nobody is here")


def _folder(user):
    """A folder of that user's, reachable by it, with a name short enough for sockets."""
    for parent in (tempfile.gettempdir(), "/tmp", "/var/tmp"):
        steps = [parent[:i] or "/" for i in range(len(parent) + 1) if parent[i:i + 1] in ("/", "")]
        if len(parent) < 60 and all(os.path.isdir(s) and os.stat(s).st_mode & 1 for s in steps):
            folder = tempfile.mkdtemp(prefix="vouch-", dir=parent)
            os.chown(folder, user.pw_uid, user.pw_gid)
            return folder
    raise RuntimeError("no temporary folder that user %s may enter" % user.pw_name)


def _alive(pid):
    with contextlib.suppress(OSError), open("/proc/%d/stat" % pid) as f:
        return f.read().rpartition(")")[2].split()[0] not in "ZX"
    return False


def _keep(folder, pipe):
    """The keeper: waits for its maker's death, of whatever kind, then clears up after it."""
    os.setsid()
    for s in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGPIPE):
        signal.signal(s, signal.SIG_IGN)
    while os.read(pipe, 1):
        pass
    pids = []
    for name, how in (("pgbouncer*.pid", signal.SIGKILL), ("data/postmaster.pid", signal.SIGQUIT)):
        for path in glob.glob(os.path.join(folder, name)):
            with contextlib.suppress(OSError, ValueError), open(path) as f:
                pids.append(int(f.readline()))
                os.kill(pids[-1], signal.SIGCONT)
                os.kill(pids[-1], how)
    until = time.monotonic() + 10
    while pids and time.monotonic() < until:
        pids = [p for p in pids if _alive(p)]
        time.sleep(0.02)
    for pid in pids:
        with contextlib.suppress(OSError):
            os.kill(pid, signal.SIGKILL)
    shutil.rmtree(folder, ignore_errors=True)


def _start_keeper(folder):
    """The pipe whose closing end it."""
    theirs, ours = os.pipe()
    code = "import sys; sys.path.insert(0, %r); import cluster; cluster._keep(%r, %d)" % (
        os.path.join(ROOT, "tests", "lib"), folder, theirs)
    clean = {k: v for k, v in os.environ.items() if k != "LD_PRELOAD"}
    subprocess.Popen(["/usr/bin/python3", "-c", code], pass_fds=[theirs], env=clean, cwd="/",
                     stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    os.close(theirs)
    return ours


class Database:
    """One database of a cluster."""

    def __init__(self, cluster, name):
        self.cluster, self.name = cluster, name
        self.url = cluster.url(name, "shop")
        self.owner = cluster.url(name)

    def sql(self, text, user=None):
        return self.cluster.sql(text, self.name, user)

    def value(self, text, user=None):
        rows = self.sql(text, user)
        return rows[0][0] if rows else None


class Cluster:
    def __init__(self, durable=False, settings=()):
        self.bin, self.user = programs(), _user()
        self.settings = ["max_connections=300"] + list(settings)
        self.settings += [] if durable else QUICK
        self.folder, self._pipe = None, None
        self.port = self.superuser = None

    def __enter__(self):
        return self if self.folder else self.make()

    def __exit__(self, *_):
        self.close()

    @classmethod
    def shared(cls):
        url = urlsplit(os.environ.get("VOUCH_TEST_DATABASE", ""))
        if not url.port:
            return cls().make()
        c = cls()
        c.port, c.superuser = url.port, url.username
        c.close = lambda: None
        c.folder = tempfile.gettempdir()
        return c

    def _as_user(self):
        if os.getuid() == 0:
            os.setgroups([])
            os.setgid(self.user.pw_gid)
            os.setuid(self.user.pw_uid)

    def _run(self, program, *args):
        """One of the server's programs, as its user. Its output goes to a file: pg_ctl leaves a server
        behind, which would hold a pipe open."""
        env = {k: v for k, v in os.environ.items() if not k.startswith("PG") and k != "LD_PRELOAD"}
        env.update(LC_ALL="C.UTF-8", HOME=self.folder)
        with tempfile.TemporaryFile("w+") as said:
            code = subprocess.call([os.path.join(self.bin, program), *args], cwd=self.folder, env=env,
                                   preexec_fn=self._as_user, stdin=subprocess.DEVNULL,
                                   stdout=said, stderr=said)
            said.seek(0)
            if code:
                raise RuntimeError("%s: %s" % (program, said.read()))

    def make(self):
        self.folder, self.superuser = _folder(self.user), "postgres"
        self._pipe = _start_keeper(self.folder)
        atexit.register(self.close)
        self._run("initdb", "-D", "data", "-U", "postgres", "-A", "trust", "-E", "UTF8",
                  "--locale=C.UTF-8", "--no-sync")
        for attempt in range(5):
            self.port = free_port()
            with contextlib.suppress(RuntimeError):
                self.start()
                return self
        with open(os.path.join(self.folder, "log")) as log:
            raise RuntimeError("PostgreSQL does not start:\n" + log.read())

    def start(self):
        """Starts what stop(), crash() or freeze() left, on the same port."""
        options = ["listen_addresses=127.0.0.1", "port=%d" % self.port,
                   "unix_socket_directories=" + self.folder]
        self._run("pg_ctl", "-D", "data", "-s", "-w", "-t", "60", "-l", "log", "-o",
                  " ".join("-c " + s for s in options + self.settings), "start")

    def stop(self, mode="fast"):
        self._run("pg_ctl", "-D", "data", "-s", "-w", "-m", mode, "stop")

    def crash(self):
        self.stop("immediate")

    def pid(self):
        with open(os.path.join(self.folder, "data", "postmaster.pid")) as f:
            return int(f.readline())

    def freeze(self):
        """Stops every process of the server without ending it; thaw() lets them go on."""
        self._signal(signal.SIGSTOP)

    def thaw(self):
        self._signal(signal.SIGCONT)

    def _signal(self, which):
        pid = self.pid()
        with open("/proc/%d/task/%d/children" % (pid, pid)) as f:
            children = f.read()
        for p in [pid] + [int(c) for c in children.split()]:
            with contextlib.suppress(OSError):
                os.kill(p, which)

    def close(self):
        """Ends server and folder; the keeper does it."""
        if self._pipe is None:
            return
        os.close(self._pipe)
        self._pipe = None
        until = time.monotonic() + 15
        while os.path.exists(self.folder) and time.monotonic() < until:
            time.sleep(0.01)

    def url(self, dbname="postgres", user=None, port=None):
        return "postgresql://%s@127.0.0.1:%d/%s" % (
            quote(user or self.superuser, safe=""), port or self.port, quote(dbname, safe=""))

    def sql(self, text, dbname="postgres", user=None):
        """Rows as lists of text, NULL as None; an error raises with psql's words."""
        done = subprocess.run(
            [os.path.join(self.bin, "psql"), "-XAtq", "-F", "\x1f", "-R", "\x1e", "-v", "ON_ERROR_STOP=1",
             "-P", "null=\x1a", "-d", self.url(dbname, user), "-f", "-"],
            input=text.encode(), stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            env={k: v for k, v in os.environ.items() if k != "LD_PRELOAD"})
        if done.returncode:
            raise RuntimeError(done.stderr.decode().strip())
        out = done.stdout.decode().rstrip("\n")
        return [[None if v == "\x1a" else v for v in row.split("\x1f")] for row in out.split("\x1e")] if out else []

    def _template(self):
        lock = os.path.join("/tmp" if os.path.isdir("/tmp") else tempfile.gettempdir(),
                            "vouch-%d-%d.lock" % (os.getuid(), self.port))
        with open(lock, "w") as held:
            fcntl.flock(held, fcntl.LOCK_EX)
            try:
                if self.sql("SELECT 1 FROM pg_database WHERE datname = '%s' AND datistemplate" % TEMPLATE):
                    return
                self.sql("DROP DATABASE IF EXISTS %s" % TEMPLATE)
                self.sql("CREATE DATABASE %s ENCODING 'UTF8' TEMPLATE template0" % TEMPLATE)
                migrate(self.url(TEMPLATE))
                self.sql("DO $$ BEGIN CREATE ROLE shop LOGIN IN ROLE vouch_module;"
                         " EXCEPTION WHEN duplicate_object THEN NULL; END $$")
                self.sql("ALTER DATABASE %s IS_TEMPLATE true" % TEMPLATE)
            finally:
                os.unlink(lock)

    def database(self, name=None, migrated=True):
        """A new database: a copy of one that vouchctl migrated, or an empty one."""
        name = name or "t_%d_%d" % (os.getpid(), time.monotonic_ns())
        if migrated:
            self._template()
        self.sql('CREATE DATABASE "%s" TEMPLATE %s' % (name, TEMPLATE if migrated else "template0"))
        return Database(self, name)

    def drop(self, database):
        self.sql('DROP DATABASE IF EXISTS "%s" WITH (FORCE)' % database.name)

    def pgbouncer(self, pool=2, settings=()):
        return Pgbouncer(self, pool, settings)


class Pgbouncer:
    """PgBouncer in transaction mode in front of a cluster of ours; users are believed."""

    def __init__(self, cluster, pool, settings):
        self.cluster, self.port = cluster, free_port()
        self.folder = _folder(cluster.user)
        self._pipe = _start_keeper(self.folder)
        base = self.base = os.path.join(self.folder, "pgbouncer")
        lines = ["[databases]", "* = host=127.0.0.1 port=%d" % cluster.port, "[pgbouncer]",
                 "listen_addr = 127.0.0.1", "listen_port = %d" % self.port, "unix_socket_dir =",
                 "auth_type = trust", "auth_file = %s.users" % base,
                 "pool_mode = transaction", "default_pool_size = %d" % pool, "max_client_conn = 500",
                 "admin_users = postgres", "logfile = %s.log" % base, "pidfile = %s.pid" % base, *settings]
        self.ini = base + ".ini"
        with open(self.ini, "w") as f:
            f.write("\n".join(lines) + "\n")
        with open(base + ".users", "w") as f:
            users = cluster.sql("SELECT rolname FROM pg_roles WHERE rolcanlogin")
            f.write("".join('"%s" ""\n' % u[0] for u in users))
        for path in (self.ini, base + ".users"):
            os.chmod(path, 0o644)
        self.process = None

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.stop()
        os.close(self._pipe)

    def start(self):
        env = {k: v for k, v in os.environ.items() if k != "LD_PRELOAD"}
        binary = shutil.which("pgbouncer") or "/usr/sbin/pgbouncer"
        self.process = subprocess.Popen([binary, "-q", self.ini], cwd="/", env=env,
                                        preexec_fn=self.cluster._as_user, stdin=subprocess.DEVNULL,
                                        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        until = time.monotonic() + 10
        while time.monotonic() < until and self.process.poll() is None:
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port), 1):
                return
            time.sleep(0.02)
        with open(self.base + ".log") as log:
            raise RuntimeError("pgbouncer does not start:\n" + log.read())

    def stop(self, how=signal.SIGKILL):
        if self.process:
            self.process.send_signal(how)
            self.process.wait()
            self.process = None

    def url(self, dbname="postgres", user=None):
        return self.cluster.url(dbname, user, self.port)


def vouchctl():
    return os.environ.get("VOUCH_CTL") or os.path.join(ROOT, os.environ.get("VOUCH_BUILD", "build"), "vouchctl")


def migrate(url):
    env = {k: v for k, v in os.environ.items() if k != "LD_PRELOAD"}
    done = subprocess.run([vouchctl(), "migrate", "--database", url], stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, env=env, stdin=subprocess.DEVNULL)
    if done.returncode:
        raise RuntimeError("vouchctl migrate ended with %d: %s" % (done.returncode, done.stdout))


def main(args):
    """tests/lib/cluster [--durable] [--migrated] [--pgbouncer N] [--set NAME=VALUE] [-- COMMAND…]: see there."""
    durable = migrated = False
    pool, settings = 0, []
    while args and args[0] != "--":
        word = args.pop(0)
        if word == "--durable":
            durable = True
        elif word == "--migrated":
            migrated = True
        elif word == "--pgbouncer" and args:
            pool = int(args.pop(0))
        elif word == "--set" and args:
            settings.append(args.pop(0))
        else:
            sys.exit("usage: " + main.__doc__)
    with Cluster(durable, settings) as c, contextlib.ExitStack() as stack:
        made = c.database("vouch") if migrated else Database(c, "postgres")
        front = stack.enter_context(c.pgbouncer(pool)) if pool else c
        env = dict(os.environ, VOUCH_TEST_DATABASE=c.url(made.name),
                   VOUCH_DATABASE_URL=front.url(made.name, "shop" if migrated else None),
                   PGHOST="127.0.0.1", PGPORT=str(front.port), PGUSER=c.superuser, PGDATABASE=made.name)
        if args[1:]:
            signal.signal(signal.SIGINT, signal.SIG_IGN)
            return subprocess.call(args[1:], env=env)
        for name in env.keys() - {k for k in env if os.environ.get(k) == env[k]}:
            print("export %s='%s'" % (name, env[name]), flush=True)
        sys.stdin.read()
    return 0
