"""What a check stands on: the client under test as a process, the two sockets it talks to, and the eye kept on all it says."""
import json
import os
import pathlib
import random
import re
import shlex
import signal
import subprocess
import tempfile
import threading
import time

import msgpack
import zmq

from journal import PRINCIPAL, STREAM, Journal

PROTO = pathlib.Path(__file__).resolve().parents[1]
README, JOBS = PROTO / "README.md", PROTO / "conformance" / "README.md"
PATIENCE = float(os.environ.get("AFTERCARE_KIT_PATIENCE", "20"))  # a client opens anew after 5 s of silence; a busy machine is given more
START = 3 * PATIENCE  # for the first word of a process

UINT, TEXT, BIN8, BIN16, BIN32, BYTES, LIST, MAP, BOOL = ("a number", "a text", "8 bytes", "16 bytes", "32 bytes", "bytes", "a list",
                                                          "a map", "true or false")
FRAMES = {  # what a client says: field -> (what it has to be, required)
    "OPEN": {"stream": (TEXT, False), "consumer": (TEXT, True), "after": (UINT, False), "link": (BIN16, False),
             "types": (LIST, False), "regions": (LIST, False), "sites": (LIST, False), "keys": (LIST, False),
             "follow": (BOOL, False), "credit": (UINT, True)},
    "CREDIT": {"bytes": (UINT, False), "applied": (UINT, False)},
    "CLOSE": {},
    "ASK": {"id": (UINT, True), "to": (TEXT, True), "question": (TEXT, True), "args": (MAP, False), "limit": (UINT, False),
            "after": (TEXT, False), "at_least": (UINT, False)},
    "HELLO": {"proto": (LIST, True), "stream": (TEXT, True), "source": (TEXT, True), "incarnation": (BIN16, True),
              "first": (UINT, True), "last": (UINT, True)},
    "APPEND": {"n": (UINT, True), "events": (LIST, True)},
    "PING": {},
    "PUT": {"sha256": (BIN32, True), "offset": (UINT, False), "bytes": (BYTES, False)},
    "GET": {"sha256": (BIN32, True), "offset": (UINT, False), "receipt": (BIN8, False), "bytes": (UINT, False)},
}
ON_CMD = ("HELLO", "APPEND", "PING", "PUT")
OPTIONAL = ("put", "get")  # jobs that a client may do without


def is_a(value, kind):
    if kind == UINT:
        return isinstance(value, int) and not isinstance(value, bool) and value >= 0
    length = {BIN8: 8, BIN16: 16, BIN32: 32}
    if kind == BYTES or kind in length:
        return isinstance(value, bytes) and len(value) == length.get(kind, len(value))
    return isinstance(value, {TEXT: str, LIST: list, MAP: dict, BOOL: bool}[kind])


def rule_line(rule):
    """(document, line) that states it: proto/README.md, or of a job the kit's own."""
    file = JOBS if rule.startswith("J") else README
    for number, line in enumerate(file.read_text(encoding="utf-8").splitlines(), 1):
        if f"**{rule}**" in line:
            return f"proto/{file.relative_to(PROTO)}", number
    raise LookupError(f"{file} has no rule {rule}")


class Broken(Exception):
    """The client broke a rule; the check ends."""

    def __init__(self, rule, what):
        super().__init__(what)
        self.rule, self.what = rule, what


class Unstartable(Exception):
    """There is no such command."""


class Lacking(Exception):
    """The client says that it does not have this job, and may."""


class Said:
    def __init__(self, peer, verb, fields, raw):
        self.peer, self.verb, self.fields, self.raw = peer, verb, fields, raw

    def __getitem__(self, name):
        return self.fields.get(name, 0)


def own_address():
    """One of 16 million loopback addresses, for this check alone. A port of 127.0.0.1 that one check lets go is soon another's, and
    a client that still tries it comes to the wrong place."""
    return "127." + ".".join(str(random.randint(1, 254)) for _ in range(3))


class Kit:
    def __init__(self, command, journal=None, curve=False):
        self.command, self.journal, self.host = command, journal or Journal(40), own_address()
        self.context = zmq.Context()
        self.folder = tempfile.TemporaryDirectory(prefix="aftercare-kit-")
        self.state = f"{self.folder.name}/append.state"
        self.keys = [*zmq.curve_keypair(), *zmq.curve_keypair()] if curve else None
        self.poller, self.process, self.lines, self.said, self.unread = zmq.Poller(), None, [], [], None
        self.feed, self.cmd, self.left = self.router(), self.router(), None
        self.left_rule, self.stream, self.principal = "A12", STREAM, PRINCIPAL
        self.endpoints = {"feed": [self.address(self.feed)], "cmd": [self.address(self.cmd)]}
        self.peer, self.sent, self.upto, self.applied = None, [], 0, 0  # of the feed's session
        self.credit, self.returned, self.cost = 0, 0, 0
        self.content, self.acked, self.window, self.last_n, self.cmd_peer = {}, 0, (256, 256 * 1024), 0, None

    # --- sockets
    def router(self, address=None):
        socket = self.context.socket(zmq.ROUTER)
        socket.linger = 0
        if self.keys:
            socket.curve_server, socket.curve_secretkey, socket.curve_publickey = True, self.keys[1], self.keys[0]
        socket.bind(address or f"tcp://{self.host}:*")
        self.poller.register(socket, zmq.POLLIN)
        return socket

    @staticmethod
    def address(socket):
        return socket.getsockopt_string(zmq.LAST_ENDPOINT)

    def cut(self, which):
        """The line goes down and comes up again on the same address; whoever had a session has none."""
        socket = getattr(self, which)
        address = self.address(socket)
        self.let_go(socket)
        setattr(self, which, self.bind_again(address))

    def let_go(self, socket):
        self.poller.unregister(socket)
        socket.close(0)

    def bind_again(self, address):
        deadline = time.monotonic() + 5
        while True:
            try:
                return self.router(address)
            except zmq.ZMQError:  # it is being let go
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.01)

    def close(self):
        """The client and what it has started are gone before the sockets are."""
        if self.process:
            self.kill()
            self.process.stdout.close()
        self.context.destroy(0)
        self.folder.cleanup()

    # --- the client
    def start(self, *job):
        key = {"aftercare": "key", "version": 1, "stream": self.stream, "principal": self.principal, "kind": "integrator",
               "endpoints": self.endpoints}
        if self.keys:
            public, _, own, secret = (k.decode() for k in self.keys)
            key.update(server_key=public, public_key=own, secret_key=secret)
        path = pathlib.Path(self.folder.name) / "kit.key"
        path.touch(0o600)
        path.write_text(json.dumps(key))
        self.job = job[0]
        self.lines, self.heard, self.started = [], False, time.monotonic()
        self.errors = open(f"{self.folder.name}/stderr", "w+", encoding="utf-8", errors="replace")
        try:
            self.process = subprocess.Popen([*self.command, str(path), *map(str, job)], stdout=subprocess.PIPE, stderr=self.errors, text=True,
                                            start_new_session=True)
        except OSError as error:
            raise Unstartable(f"{self.command[0]} cannot be started: {error.strerror}") from None
        self.reading = threading.Thread(target=self.read_lines, args=(self.process.stdout, self.lines), daemon=True)
        self.reading.start()

    @staticmethod
    def read_lines(pipe, lines):
        for line in pipe:
            try:
                lines.append(json.loads(line))
            except ValueError:
                lines.append({"unreadable": line[:200]})

    def kill(self):
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        self.reading.join()

    def positions(self):
        return [line["pos"] for line in list(self.lines) if "pos" in line and "type" in line]

    def complain(self):
        self.errors.seek(0)
        text = self.errors.read().strip().splitlines()
        return f" (it said: {text[-1][:160]})" if text else ""

    # --- what comes from it
    def hear(self, seconds=PATIENCE, rule="T1", want="a message"):
        """The next message, judged by its form. The end of the client, or silence, breaks `rule`."""
        deadline = max(time.monotonic() + seconds, self.started + START if not self.heard else 0)
        if self.unread is not None:
            said, self.unread = self.unread, None
            return said
        while True:
            ready = dict(self.poller.poll(100))
            if ready:
                self.heard = True
                socket = next(iter(ready))
                return self.judged(socket, socket.recv_multipart())
            if self.process.poll() is not None and not self.poller.poll(100):
                self.reading.join()
                end = next((line["end"] for line in self.lines if "end" in line), f"exit {self.process.returncode}")
                self.lacks(end)
                raise Broken(rule, f"it ended ({end}) where {want} was due{self.complain()}")
            if time.monotonic() > deadline:
                raise Broken(rule, f"nothing in {seconds:g} s where {want} was due")

    def lacks(self, end):
        if end == "no-such-job" and self.job in OPTIONAL:
            if self.process.returncode == 0:
                raise Broken("J1", "exit code 0 after 'no-such-job'")
            raise Lacking(self.job)

    def judged(self, socket, frames):
        if len(frames) != 3:
            raise Broken("T1", f"a message of {len(frames) - 1} frames")
        if socket is self.left:
            raise Broken(self.left_rule, "it speaks to the place that it had to leave")
        peer, verb, raw = frames[0], frames[1].decode("ascii", "replace"), frames[2]
        known = FRAMES.get(verb)
        if known is None or (verb in ON_CMD) != (socket is self.cmd):
            raise Broken("T1", f"a verb {verb!r} on {'cmd' if socket is self.cmd else 'feed'}")
        try:
            fields = msgpack.unpackb(raw)
        except ValueError as error:
            raise Broken("T2", f"{verb}: not one msgpack map ({error})") from None
        if not isinstance(fields, dict):
            raise Broken("T2", f"{verb}: not a map")
        for name, value in fields.items():
            if name not in known:
                raise Broken("T2", f"{verb} has a key {name!r} that the protocol does not know")
            if not is_a(value, known[name][0]):
                raise Broken("T2", f"{verb}.{name} is not {known[name][0]}: {value!r}"[:160])
        for name, (_, required) in known.items():
            if required and name not in fields:
                raise Broken("T2", f"{verb} without {name!r}")
        if len(raw) > (256 * 1024 + 256 if verb == "APPEND" else 1 << 20):
            raise Broken("T4", f"{verb} of {len(raw)} bytes")
        said = Said(peer, verb, fields, raw)
        self.said.append(verb)
        return said

    def say(self, verb, fields, socket=None, peer=None):
        raw = fields if isinstance(fields, bytes) else msgpack.packb(fields)
        (socket or self.feed).send_multipart([peer or self.peer, verb.encode(), raw])
        return len(raw)

    # --- the end
    def wait_end(self, rule, seconds=PATIENCE):
        """It ends by itself; what it still says is judged meanwhile."""
        deadline = time.monotonic() + seconds
        while self.process.poll() is None:
            ready = dict(self.poller.poll(50))
            for socket in ready:
                self.on_late(self.judged(socket, socket.recv_multipart()), rule)
            if time.monotonic() > deadline:
                raise Broken(rule, f"it had not ended after {seconds:g} s")
        while ready := dict(self.poller.poll(0)):
            for socket in ready:
                self.on_late(self.judged(socket, socket.recv_multipart()), rule)
        self.reading.join()

    def on_late(self, said, rule):
        if said.verb == "CREDIT":
            self.on_credit(said)
        elif said.verb == "PING":
            self.say("PONG", {"head": 1}, self.cmd, said.peer)
        elif said.verb in ("OPEN", "HELLO", "APPEND", "ASK", "PUT", "GET"):
            raise Broken(rule, f"{said.verb} once more, where it had to end")

    def ended(self, end, rule, positions=None):
        """How it ended, and what it gave its caller before."""
        last = self.lines[-1] if self.lines else {}
        if last.get("end") not in (end if isinstance(end, tuple) else (end,)):
            raise Broken(rule, f"it ended with {json.dumps(last, ensure_ascii=False)[:160]}, not with {end!r}{self.complain()}")
        if (self.process.returncode == 0) != (last["end"] in ("caught-up", "done")):
            raise Broken("J1", f"exit code {self.process.returncode} after {last['end']!r}")
        if positions is not None and self.positions() != list(positions):
            raise Broken(rule, difference(self.positions(), list(positions)))
        return last


PAUSES = (0, 0.1, 0.2, 0.4, 0.8)  # seconds before another connection, while nothing good comes (T6)


def paused(began, pause, verb):
    """What was said since `began` came too soon. A kit that is late finds pauses too long, never too short."""
    if (waited := time.monotonic() - began) < 0.8 * pause:
        raise Broken("T6", f"{verb} over a new connection after {waited:.2f} s, a pause of {pause:g} s was due")


def difference(have, want):
    for i, (a, b) in enumerate(zip(have, want)):
        if a != b:
            return f"its caller got position {a} where {b} was due"
    return f"its caller got {len(have)} events, {len(want)} were due" + (f" (the last: {have[-1]})" if have else "")


def command_of(words):
    return shlex.split(words[0]) if len(words) == 1 else words


def rules_in_readme():
    """The protocol's, and those of the kit's jobs."""
    return [rule for file in (README, JOBS) for rule in re.findall(r"\*\*([A-Z]\d+)\*\*", file.read_text(encoding="utf-8"))]
