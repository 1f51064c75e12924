"""A PostgreSQL of a test's own, whose every misfortune is the test's: killed, away, without room."""
import ctypes
import os
import pathlib
import shutil
import signal
import subprocess
import time

from keeper import as_user, USER
from stack import TREE, Failed, until

CONF = """listen_addresses = ''
unix_socket_directories = '{sockets}'
max_connections = 64
shared_buffers = 64MB
min_wal_size = 8MB
max_wal_size = 48MB
checkpoint_timeout = 1min
jit = off
log_min_messages = warning
log_line_prefix = '%m [%p] %u '
timezone = 'UTC'
"""
MS_REC_PRIVATE = 0x44000


def binaries():
    found = sorted(pathlib.Path("/usr/lib/postgresql").glob("*/bin"), key=lambda p: int(p.parent.name))
    if not found:
        raise Failed("no PostgreSQL server here: deploy/install-deps run")
    return found[-1]


class Disk:
    """A small file system that can be filled: a tmpfs in a mount namespace of this process, so that nothing of it outlives it.
    Without the right to mount it is an ordinary folder, and `why` says so."""

    def __init__(self, folder, megabytes):
        self.folder, self.why = folder, ""
        folder.mkdir()
        libc = ctypes.CDLL(None, use_errno=True)
        if os.geteuid() != 0:
            self.why = "not root"
        elif libc.unshare(0x20000) != 0 or libc.mount(b"none", b"/", None, MS_REC_PRIVATE, None) != 0 or \
                libc.mount(b"tmpfs", str(folder).encode(), b"tmpfs", 0, f"size={megabytes}m,mode=755".encode()) != 0:
            self.why = f"no right to mount: {os.strerror(ctypes.get_errno())}"
        if USER:
            shutil.chown(folder, USER)
        self.ballast = folder / "ballast"

    def fill(self):
        with open(self.ballast, "ab", buffering=0) as file:
            for size in (1 << 24, 1 << 20, 1 << 16, 1 << 12):
                while True:
                    try:
                        os.posix_fallocate(file.fileno(), file.seek(0, os.SEEK_END), size)
                    except OSError:
                        break

    def make_room(self):
        self.ballast.unlink(missing_ok=True)

    def keep(self):
        """What is on it goes to a folder that outlives this process."""
        if not self.why:
            self.make_room()
            shutil.copytree(self.folder, self.folder.with_name(self.folder.name + "-kept"), symlinks=True)


class Postgres:
    def __init__(self, folder, sockets, log):
        self.bin, self.data, self.sockets, self.log = binaries(), folder / "pg", sockets, log
        self.process, self.started, self.wanted = None, 0.0, False

    def run(self, program, *args, **options):
        return subprocess.run(as_user(self.bin / program, *args), cwd="/", capture_output=True, text=True, **options)

    def make(self, workers):
        done = self.run("initdb", "-D", self.data, "-U", "postgres", "--auth=trust", "--locale=C.UTF-8", "--encoding=UTF8",
                        "--wal-segsize=1", "--no-sync")
        if done.returncode != 0:
            raise Failed(done.stdout + done.stderr)
        with open(self.data / "postgresql.conf", "a") as file:
            file.write(CONF.format(sockets=self.sockets))
        self.start()
        until("PostgreSQL answers", self.answers, 60)
        self.sql("CREATE DATABASE aftercare ENCODING 'UTF8' LOCALE 'C.UTF-8' TEMPLATE template0", "postgres")
        done = self.run("psql", "-X", "-q", "-h", self.sockets, "-U", "postgres", "-d", "aftercare", "-v", "ON_ERROR_STOP=1",
                        "-v", "pass=any", "-f", "-", input=(TREE / "deploy/images/prepare.sql").read_text())
        if done.returncode != 0:
            raise Failed(done.stdout + done.stderr)

    def start(self):
        """Begins to come up; answers() says when it is."""
        self.wanted, self.started = True, time.monotonic()
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(as_user(self.bin / "postgres", "-D", self.data, death="QUIT"), cwd="/", stdout=log,
                                            stderr=log, stdin=subprocess.DEVNULL)

    def tend(self):
        """Starts it again where it has ended and nobody wants it to be away: asked for now and then. A crashed one's backends
        hold its memory for a moment: then it ends at once and is started again at the next asking."""
        if self.wanted and self.process.poll() is not None and time.monotonic() > self.started + 0.5:
            self.start()

    def answers(self):
        self.tend()
        return self.run("pg_isready", "-q", "-h", self.sockets, "-t", "2").returncode == 0

    def kill(self):
        if self.process.poll() is None:
            os.kill(self.process.pid, signal.SIGKILL)
            self.process.wait()

    def restart(self, how):
        """fast: sessions are ended; immediate: as after a crash."""
        if self.process.poll() is None:
            os.kill(self.process.pid, signal.SIGINT if how == "fast" else signal.SIGQUIT)

    def away(self):
        self.wanted = False
        if self.process.poll() is None:
            os.kill(self.process.pid, signal.SIGQUIT)

    def back(self):
        self.wanted = True
        self.tend()

    def stop(self):
        self.wanted = False
        if self.process is not None and self.process.poll() is None:
            os.kill(self.process.pid, signal.SIGINT)
            try:
                self.process.wait(20)
            except subprocess.TimeoutExpired:
                os.kill(self.process.pid, signal.SIGQUIT)
                self.process.wait(20)

    def sql(self, query, database="aftercare", timeout=60):
        """Rows as lists of text."""
        done = self.run("psql", "-X", "-A", "-t", "-F", "\t", "-v", "ON_ERROR_STOP=1", "-h", self.sockets, "-U", "postgres", "-d",
                        database, "-c", query, timeout=timeout)
        if done.returncode != 0:
            raise Failed(done.stderr.strip())
        return [line.split("\t") for line in done.stdout.splitlines()]
