"""Keeps one daemon running, as a service manager does, each with an environment and a clock of its own; remembers how it ended."""
import os
import pwd
import signal
import subprocess
import threading
import time

USER = "postgres" if os.geteuid() == 0 else None
AGAIN_AFTER = 0.2
SUPERSEDED = 4  # another process of the same worker has begun


def as_user(*words, death="KILL"):
    """The command as the user that the server runs as; it ends with the thread that started it."""
    who = []
    if USER:
        entry = pwd.getpwnam(USER)
        who = ["--reuid", str(entry.pw_uid), "--regid", str(entry.pw_gid), "--clear-groups"]
    return ["setpriv", "--pdeathsig", death, *who, "--", *map(str, words)]


class Clock:
    """The file that a daemon's clock is moved by (common/base/clock.h)."""

    def __init__(self, path):
        self.path, self.wall, self.boot = path, 0, 0
        self.write()

    def write(self):
        line = f"{self.wall} {self.boot}".ljust(60).encode() + b"\n"
        with open(self.path, "r+b" if self.path.exists() else "wb", buffering=0) as file:
            file.write(line)
        self.path.chmod(0o644)

    def set(self, wall, boot=None):
        """In microseconds beside the machine's; the boot clock only ever goes forward."""
        self.wall, self.boot = wall, max(self.boot, boot or 0)
        self.write()


class Daemon(threading.Thread):
    def __init__(self, name, words, log, clock, env, before=()):
        """before: words that are root's, in front of the command."""
        super().__init__(daemon=True)
        self.name_, self.words, self.before, self.log, self.clock = name, words, before, log, clock
        self.env = {**os.environ, "LC_ALL": "C.UTF-8", "AFTERCARE_CLOCK_FILE": str(clock.path), **env}
        self.process, self.ends, self.ours = None, [], set()
        self.wanted, self.over = threading.Event(), False
        self.ended = threading.Condition()
        self.wanted.set()
        self.start()

    def run(self):
        while not self.over:
            if not self.wanted.wait(1):
                continue
            if self.over:
                return
            with open(self.log, "ab") as log:
                process = subprocess.Popen([*self.before, *as_user(*self.words)], cwd="/", stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=self.env)
            self.process = process
            code = process.wait()
            with self.ended:
                self.ends.append((process.pid, code))
                self.ended.notify_all()
            self.ended_wait(AGAIN_AFTER)

    def ended_wait(self, seconds):
        with self.ended:
            self.ended.wait(seconds)

    @property
    def pid(self):
        process = self.process
        return process.pid if process is not None and process.poll() is None else None

    def signal(self, number):
        """The process it went to; None: there is none now."""
        pid = self.pid
        try:
            if pid is not None:
                if number in (signal.SIGKILL, signal.SIGTERM):
                    self.ours.add(pid)
                os.kill(pid, number)
        except ProcessLookupError:
            return None
        return pid

    def finish(self):
        self.over = True
        self.wanted.set()
        if self.signal(signal.SIGTERM) is not None:
            self.signal(signal.SIGCONT)
        self.join(20)
        if self.is_alive():
            self.signal(signal.SIGKILL)
            self.join(10)

    def misbehaved(self):
        """How it ended by itself as no daemon may: by a signal that was not ours, an assertion, a sanitizer's finding."""
        return [f"{self.name_} ({pid}) ended by itself with {code}: see its log" for pid, code in self.ends
                if (code < 0 or code not in (0, 1, SUPERSEDED)) and pid not in self.ours]
