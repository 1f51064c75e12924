"""A branch's daemon in a folder of its own, beside or behind a Stack; and an application of the branch, spoken by hand.

    with Stack() as stack, Branch(stack, "branch-gz", prefix="GD01", regions="GD") as branch:
        branch("say", "register", "-", "kind=repair", "region=GD01")
        branch.drained()
"""
import json
import os
import pathlib
import pwd
import shutil
import signal
import subprocess
import sys
import tempfile
import urllib.request

import msgpack
import zmq

from stack import BIN, USER, Failed, free_ports, said_again, until

TOOL = "at-branch/aftercare"  # what the branch's package installs as `aftercare`


class Branch:
    """line: (cmd, feed) endpoints of the centre; netns: the network namespace it lives in, a path; clock: a file of clock offsets."""

    def __init__(self, stack, name, prefix="GD01", line=None, netns=None, clock=None, settings="", folder=None, **principal):
        self.stack, self.name, self.prefix, self.netns, self.clock = stack, name, prefix, netns, clock
        self.line = line or tuple(f"tcp://127.0.0.1:{stack.ports[i]}" for i in (0, 2))
        self.data = pathlib.Path(folder or tempfile.mkdtemp(prefix="acb-", dir="/tmp"))
        self.made, self.principal, self.settings = folder is None, principal, settings
        self.metrics = free_ports(1)[0]
        self.process = None
        self.log = pathlib.Path(f"{self.data}.log")

    def __enter__(self):
        if self.stack and self.stack.keys:
            more = [word for k, flag in (("regions", "--region"), ("sites", "--site")) for v in self.principal.get(k, "").split(",") if v
                    for word in (flag, v)] + (["--personal"] if self.principal.get("personal") else [])
            self.stack("keys", "new", self.name, *more)
            out = self.stack.data / f"{self.name}.key"
            self.stack("keys", "export", self.name, "--host", self.line[0].split("//")[1].rsplit(":", 1)[0], "--out", out)
            shutil.move(out, self.data / "branch.key")
        elif self.stack and self.principal is not None:
            words = [f"{k}={v}" for k, v in self.principal.items()]
            self.stack("say", "principal.added", self.name, f"id={self.name}", "kind=branch", *words)
        self.write_settings()
        self.start()
        return self

    def __exit__(self, kind, value, trace):
        if kind is not None and self.log.exists():
            print(f"--- {self.name}", *self.log.read_text(errors="replace").splitlines()[-25:], sep="\n", file=sys.stderr)
        self.kill(signal.SIGTERM)
        self.log.unlink(missing_ok=True)
        if self.made:
            shutil.rmtree(self.data, ignore_errors=True)

    def write_settings(self):
        self.data.chmod(0o755)
        key = self.data / "branch.key"
        if key.exists():  # where the centre is stands in it
            fields = json.loads(key.read_text())
            fields["endpoints"] |= {"cmd": [self.line[0]], "feed": [self.line[1]]}
            key.write_text(json.dumps(fields))
        (self.data / "aftercare.yaml").write_text("\n".join([
            f"data: {self.data}", f"sockets: {self.data}/s",
            *([] if key.exists() else [f"cmd: {self.line[0]}", f"feed: {self.line[1]}"]), "branch:",
            f"  source: {self.name}", f"  prefix: {self.prefix}", "  zone: Asia/Shanghai",
            f"  metrics: 127.0.0.1:{self.metrics}", *([f"  key: {key}"] if key.exists() else [])]) + "\n" + self.settings)
        if USER:
            user = pwd.getpwnam(USER)
            for path in [self.data, *self.data.rglob("*")]:
                os.chown(path, user.pw_uid, user.pw_gid)

    def words(self, *before):
        within = ["nsenter", f"--net={self.netns}"] if self.netns else []
        user = ["setpriv", f"--reuid={USER}", f"--regid={USER}", "--clear-groups"] if USER else []
        return [*within, *user, *before, str(BIN / "aftercare-branch"), "--data", str(self.data)]

    def environment(self):
        clock = {"AFTERCARE_CLOCK_FILE": str(self.clock)} if self.clock else {}
        return {**os.environ, "LANG": "C.UTF-8", "LC_ALL": "C.UTF-8", **clock}

    def start(self, *before, ready=True):
        """before: words in front of the command, such as strace's."""
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(self.words(*before), stdout=log, stderr=log, cwd="/", env=self.environment(),
                                            start_new_session=True)
        if ready:
            until(f"{self.name} answers", lambda: self("status", check=False).returncode in (0, 1))

    def kill(self, how=signal.SIGKILL):
        if self.process is None:
            return
        try:
            os.killpg(self.process.pid, how)  # who traces it dies with it
        except ProcessLookupError:
            pass
        self.process.wait(120)
        self.process = None

    def restart(self, how=signal.SIGKILL):
        self.kill(how)
        self.start()

    # --- its command
    def __call__(self, *args, check=True, input=None, timeout=600):
        done = said_again(lambda: subprocess.run([str(BIN / TOOL), "--data", str(self.data), *map(str, args)], input=input,
                                                 capture_output=True, text=True, timeout=timeout, cwd="/", env=self.environment()))
        if check and done.returncode != 0:
            raise Failed(f"{TOOL} {' '.join(map(str, args))}: exit {done.returncode}\n{done.stdout}{done.stderr}")
        return done

    def json(self, *args, **options):
        return json.loads(self(*args, "--json", **options).stdout)

    def rows(self, *args):
        return [json.loads(line) for line in self(*args, "--json").stdout.splitlines()]

    def status(self):
        # On a machine that is busy with others the command may lose its patience: it is asked again.
        row = json.loads(until(f"{self.name} says how it stands", lambda: self("status", "--json", check=False).stdout))
        return {"queued": 0, "refused": 0, "sent_n": 0, "last_n": 0, "pos": 0, "clock_off_s": 0, **row}

    def register(self, *fields):
        """The ticket's number."""
        return self.json("say", "register", "-", *fields)["result"]["number"]

    def drained(self, seconds=60):
        def empty():
            status = self.status()
            return status["line"] == "up" and status["queued"] == 0 and status
        return until(f"{self.name} has sent everything", empty, seconds)

    def health(self):
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.metrics}/health", timeout=60) as answer:
                return answer.read().decode().strip()
        except urllib.error.HTTPError as error:
            return error.read().decode().strip()

    def app(self, name="app", **options):
        return App(f"ipc://{self.data}/s/branch", f"{self.name}/{name}", **options)


class App:
    """An application: numbers its facts, keeps what is not answered, and says it again after any break."""

    def __init__(self, endpoint, source):
        self.endpoint, self.source, self.incarnation = endpoint, source, os.urandom(16)
        self.facts, self.answers = [], {}  # by n − 1; by n
        self.socket, self.why = None, ""  # why: of the last BUSY

    def say(self, verb, **fields):
        self.socket.send_multipart([verb.encode(), msgpack.packb(fields)])

    def hear(self, seconds):
        if not self.socket.poll(int(seconds * 1000)):
            return None, {}
        verb, fields = self.socket.recv_multipart()
        return verb.decode(), msgpack.unpackb(fields, timestamp=3)

    def connect(self, seconds=60):
        def greet():
            self.close()
            self.socket = zmq.Context.instance().socket(zmq.DEALER)
            self.socket.linger = 0
            self.socket.connect(self.endpoint)
            first = len(self.answers) + 1
            self.say("HELLO", proto=[1, 1], stream="-", source=self.source, incarnation=self.incarnation, first=first,
                     last=len(self.facts))
            verb, fields = self.hear(1)
            return verb == "WELCOME" and fields
        return until("the branch lets the application in", greet, seconds)

    def give(self, events):
        self.facts += events

    def send(self, n, count):
        self.say("APPEND", n=n, events=self.facts[n - 1:n - 1 + count])

    def take(self, seconds):
        """Answers that came; False: nothing did."""
        verb, fields = self.hear(seconds)
        self.why = fields.get("why", "") if verb == "BUSY" else ""
        if verb == "ACK":
            for n, *answer in fields["answers"]:
                if n in self.answers:
                    assert self.answers[n] == answer, f"{n} was answered {self.answers[n]}, now {answer}"
                else:
                    assert n == len(self.answers) + 1, f"an answer to {n} after {len(self.answers)}"
                    self.answers[n] = answer
        return verb

    def push(self, piece, seconds=60):
        """What is not answered, a piece of it; greets again when the branch is silent or has lost its session."""
        self.send(len(self.answers) + 1, piece)
        if self.take(1) not in ("ACK", "BUSY", "PONG"):
            self.connect(seconds)

    def flush(self, seconds=60, piece=50):
        """Until everything is answered."""
        self.connect(seconds)

        def all_answered():
            if len(self.answers) == len(self.facts):
                return True
            self.push(piece, seconds)
            return False
        until("every fact is answered", all_answered, seconds)

    def fill(self, why, seconds=60, piece=50):
        """Until not even one fact finds a place: BUSY says why."""
        self.connect(seconds)

        def is_full():
            nonlocal piece
            assert len(self.answers) < len(self.facts), "there was room for everything"
            self.push(piece, seconds)
            if self.why.startswith(why):
                piece //= 2
            return piece == 0
        until(f"BUSY says {why}", is_full, seconds)

    def numbers(self):
        return [answer[1]["number"] for _, answer in sorted(self.answers.items()) if "number" in (answer[1] or {})]

    def close(self):
        if self.socket is not None:
            self.socket.close(0)
        self.socket = None


def registration(i, region="GD01", **data):
    return {"type": "ticket.registered", "v": 1, "by": "counter", "data": {"kind": "repair", "region": region,
                                                                           "subject": f"fact {i}", **data}}


def note(key, i):
    return {"type": "ticket.noted", "v": 1, "key": key, "by": "counter", "data": {"kind": f"note-{i}"}}


def journaled(stack, source):
    """Positions, numbers, types and keys of what a source has in the journal, in its order."""
    rows = stack.sql("SELECT pos, n, type, key FROM intake.journal j JOIN intake.source s ON s.id = j.source "
                     f"WHERE s.name = '{source}' ORDER BY pos")
    return [(int(pos), int(n), kind, key) for pos, n, kind, key in rows]
