"""A whole aftercare in a folder of its own, for tests: real daemons, real PostgreSQL, free ports.

    with Stack(clock="stepped", start="2011-07-01T04:00:00Z") as stack:
        stack("policy", "publish", stack.share("policies/boston311.yaml"))
        stack.wait_caught_up()

Run as root it works as the user `postgres`, since neither the server nor the daemons run as root there. Nothing sleeps
blindly: what is waited for is asked again until a deadline."""
import json
import os
import pathlib
import pwd
import random
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

TREE = pathlib.Path(__file__).resolve().parents[2]
BIN = pathlib.Path(os.environ.get("AFTERCARE_BIN", TREE / "build" / "bin"))
WORKERS = ["dispatcher", "sla-watchdog", "follow-up", "reporting"]
DAEMONS = ["intake"] + WORKERS
USER = "postgres" if os.geteuid() == 0 else None


class Failed(Exception):
    pass


PATIENCE = 4  # a deadline is meant for a machine that has nothing else to do; others take that many times as long
UNHEARD = ("Is it running?", "Is aftercare-branch running?", "does not answer at")


def until(what, check, seconds=60):
    """What check() returns as soon as it is true; asked again and again until the deadline."""
    seconds *= PATIENCE
    deadline = time.monotonic() + seconds
    while True:
        result = check()
        if result:
            return result
        if time.monotonic() > deadline:
            raise Failed(f"{what}: not within {seconds} s")
        time.sleep(0.05)


def said_again(command, silent=False):
    """What command() ends with. Where nobody has answered it within its own five seconds nothing has been done, and on a machine that
    is busy it is said again, for two minutes; not where silence is what is looked for."""
    end = time.monotonic() + 120
    while True:
        began = time.monotonic()
        done = command()
        if silent or done.returncode != 3 or not any(words in done.stderr for words in UNHEARD) or \
                time.monotonic() > end or time.monotonic() - began > 60:
            return done


reserved = []  # sockets without a peer, each the sign that a port is this process's


def free_ports(n):
    """n ports that are this process's until it ends, whether anybody listens on them or not: not of those that the kernel gives to
    outgoing connections and to whoever asks for any (a daemon that is started again would find its port taken), and none that another
    test has chosen."""
    low, high = map(int, pathlib.Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split())
    outside = [port for port in range(10000, 65536) if not low <= port <= high] or list(range(low, high + 1))
    found = []
    while len(found) < n:
        port, sign = random.choice(outside), socket.socket(socket.AF_UNIX)
        try:
            with socket.socket() as probe:
                sign.bind(f"\0aftercare-test-port-{port}")  # the kernel's own name: gone with the process, however that ends
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                probe.bind(("127.0.0.1", port))
        except OSError:
            sign.close()
            continue
        reserved.append(sign)
        found.append(port)
    return found


class Stack:
    def __init__(self, clock="wall", start=None, settings="", keep=False, folder=None, keys=True):
        self.clock, self.start, self.keep = clock, start, keep
        self.made = folder is None
        self.data = pathlib.Path(folder or tempfile.mkdtemp(prefix="ac-", dir="/tmp"))
        self.ports = free_ports(8)
        self.settings = settings
        self.keys = keys  # False: TCP asks for none
        if self.made and USER:
            os.chown(self.data, pwd.getpwnam(USER).pw_uid, -1)

    # --- life
    def __enter__(self):
        if self.made:
            self.write_settings()
        self.up()
        return self

    def __exit__(self, kind, value, trace):
        if kind is not None:
            self.show_logs()
        self("down", check=False)
        if self.made and not self.keep:
            shutil.rmtree(self.data, ignore_errors=True)

    def write_settings(self):
        cmd, live, feed, *metrics = self.ports
        lines = [f"data: {self.data}", f"sockets: {self.data}/s", "intake:", f"  cmd: tcp://127.0.0.1:{cmd}",
                 f"  live: tcp://127.0.0.1:{live}", f"  feed: tcp://127.0.0.1:{feed}",
                 f"  metrics: 127.0.0.1:{metrics[0]}"]
        for i, worker in enumerate(WORKERS):
            lines += [f"{worker}:", f"  metrics: 127.0.0.1:{metrics[i + 1]}"]
        (self.data / "aftercare.yaml").write_text("\n".join(lines) + "\n" + self.settings)

    def up(self):
        args = ["up", "--clock", self.clock, "--name", "test"]
        if self.clock == "stepped":
            args += ["--start", self.start or "2011-07-01T04:00:00Z"]
        self(*args, *([] if self.keys else ["--no-keys"]))

    # --- commands
    def command(self, program, *args):
        words = [str(BIN / program), *map(str, args)]
        return ["runuser", "-u", USER, "--", *words] if USER else words

    def run(self, program, *args, check=True, input=None, timeout=600, env=None, silent=False):
        """silent: it may well be that nobody answers."""
        done = said_again(lambda: subprocess.run(self.command(program, *args), input=input, capture_output=True, text=True, timeout=timeout,
                                                 cwd="/", env={**os.environ, "LANG": "C.UTF-8", "LC_ALL": "C.UTF-8", **(env or {})}), silent)
        if check and done.returncode != 0:
            raise Failed(f"{program} {' '.join(map(str, args))}: exit {done.returncode}\n{done.stdout}{done.stderr}")
        return done

    def __call__(self, *args, **options):
        """aftercare ARGS on this stack."""
        return self.run("aftercare", "--data", self.data, *args, **options)

    def json(self, *args, **options):
        return json.loads(self(*args, "--json", **options).stdout)

    def lines(self, *args, **options):
        return [json.loads(line) for line in self(*args, **options).stdout.splitlines()]

    def share(self, name):
        return TREE / "deploy" / name

    def key(self, name):
        """The key file of a principal of this stack."""
        return self.data / "keys" / f"{name}.key"

    # --- state
    def sql(self, query, role="postgres"):
        """Rows as lists of text, as a role; only for looking."""
        done = subprocess.run(["psql", "-X", "-A", "-t", "-F", "\t", "-v", "ON_ERROR_STOP=1", "-h", str(self.data / "s"),
                               "-U", role, "-d", "aftercare", "-c", query] if not USER else
                              ["runuser", "-u", USER, "--", "psql", "-X", "-A", "-t", "-F", "\t", "-v", "ON_ERROR_STOP=1",
                               "-h", str(self.data / "s"), "-U", role, "-d", "aftercare", "-c", query],
                              capture_output=True, text=True, cwd="/")
        if done.returncode != 0:
            raise Failed(done.stderr.strip())
        return [line.split("\t") for line in done.stdout.splitlines()]

    def head(self):
        return int(self.sql("SELECT pos FROM intake.head")[0][0])

    def positions(self):
        return {w: int(self.sql(f'SELECT pos FROM "{w}".cursor')[0][0]) for w in WORKERS}

    def caught_up(self):
        try:
            head = self.head()
            return all(p == head for p in self.positions().values()) and self.head() == head and head
        except Failed:
            return False  # PostgreSQL may be on its way

    def wait_caught_up(self, seconds=120):
        """Every worker at the head, three looks in a row: a conclusion may be on its way."""
        count, last = 0, None

        def settled():
            nonlocal count, last
            head = self.caught_up()
            count = count + 1 if head and head == last else 0
            last = head
            return count >= 3
        until("all workers at the head", settled, seconds)

    def pid(self, daemon):
        """Of the daemon that holds this stack's data folder."""
        for proc in pathlib.Path("/proc").iterdir():
            if not proc.name.isdigit():
                continue
            try:
                words = (proc / "cmdline").read_bytes().split(b"\0")
            except OSError:
                continue
            if words[0].endswith(f"/aftercare-{daemon}".encode()) and str(self.data).encode() in words:
                return int(proc.name)
        return None

    def kill(self, daemon, sig=signal.SIGKILL):
        pid = until(f"{daemon} running", lambda: self.pid(daemon))
        os.kill(pid, sig)
        return pid

    def kill_and_wait_restart(self, daemon):
        pid = self.kill(daemon)
        until(f"{daemon} started again", lambda: self.pid(daemon) not in (None, pid))

    def show_logs(self, lines=25):
        for log in sorted((self.data / "log").glob("*.log")):
            text = log.read_text(errors="replace").splitlines()[-lines:]
            print(f"--- {log.name}", *text, sep="\n", file=sys.stderr)


def jsonl(path, events):
    pathlib.Path(path).write_text("".join(json.dumps(e, ensure_ascii=False) + "\n" for e in events))
    os.chmod(path, 0o644)
    return path
