"""Who puts and gets files by hand, and the stack they do it on."""
import contextlib
import hashlib
import json
import os
import pathlib
import random
import subprocess
import tempfile
import unittest
import urllib.request

import msgpack
import zmq

from client import show
from stack import Failed, Stack, TREE, USER, jsonl, until

PART = 128 * 1024


def content(n, seed):
    return random.Random(seed).randbytes(n)


def digest(data):
    return hashlib.sha256(data).digest()


class Line:
    """A DEALER with a key file: asks, and waits for one verb's answer."""

    def __init__(self, endpoint, key):
        self.socket = zmq.Context.instance().socket(zmq.DEALER)
        self.socket.linger = 0
        self.principal = show(self.socket, key)["principal"]
        self.socket.connect(endpoint)

    def say(self, verb, **fields):
        self.socket.send_multipart([verb.encode(), msgpack.packb(fields)])

    def hear(self, *verbs, seconds=20):
        while self.socket.poll(seconds * 1000):
            verb, fields = self.socket.recv_multipart()
            if verb.decode() in verbs:
                return {"": verb.decode(), **msgpack.unpackb(fields, timestamp=0)}
        raise TimeoutError(f"no {verbs}")

    def close(self):
        self.socket.close(0)


class Putter(Line):
    """A source that puts a file by hand."""

    def greet(self, stream):
        self.say("HELLO", proto=[1, 1], stream=stream, source=f"{self.principal}/{os.urandom(6).hex()}", incarnation=os.urandom(16),
                 first=1, last=0)
        try:
            return self.hear("WELCOME", "DENIED", "MOVED", "BUSY", seconds=5)[""]
        except TimeoutError:
            return ""

    def put(self, data, offset=0, n=0, sha=None, seconds=20):
        self.say("PUT", sha256=sha or digest(data), offset=offset, bytes=data[offset:offset + n])
        have = self.hear("HAVE", seconds=seconds)
        assert have["sha256"] == (sha or digest(data))
        return {"upto": 0, "whole": False, "code": "", **have}

    def attach(self, n, ticket, data, size=None):
        fields = {"bytes": len(data) if size is None else size, "sha256": digest(data)}
        self.say("APPEND", n=n, events=[{"type": "file.attached", "v": 1, "key": ticket, "by": "test", "data": fields}])
        return self.hear("ACK")["answers"][0]


class FileCase(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.stack = cls.enter(Stack())
        policy = cls.stack.data / "policy.yaml"
        policy.write_text((TREE / "tests" / "integration" / "branch.yaml").read_text() + "reads_recorded: true\n")
        policy.chmod(0o644)
        cls.stack("policy", "publish", policy)
        register = lambda key, region, customer: {"type": "ticket.registered", "key": key, "data": {
            "kind": "repair", "region": region, "customer": {"id": customer, "phone": "1"}}}
        cls.stack("append", jsonl(cls.stack.data / "tickets.jsonl", [
            *[register(f"T-{i}", "GD01", "C-1") for i in range(1, 8)], register("T-8", "GD01", "C-2"), register("T-9", "BJ01", "C-9")]))
        cls.folder = cls.enter_folder()
        for name, *words in (("gd", "--region", "GD", "--personal"), ("bj", "--region", "BJ", "--personal"), ("blind", "--region", "GD")):
            cls.principal(name, *words)
        cls.stream = json.loads((cls.stack.data / "gd.key").read_text())["stream"]

    @classmethod
    def enter(cls, context):
        context.__enter__()
        cls.addClassCleanup(context.__exit__, None, None, None)
        return context

    @classmethod
    def enter_folder(cls):
        folder = pathlib.Path(cls.enter(tempfile.TemporaryDirectory(prefix="acf-")).name)
        folder.chmod(0o777)
        return folder

    def line(self, kind, name, port):
        line = kind(f"tcp://127.0.0.1:{self.stack.ports[port]}", self.stack.data / f"{name}.key")
        self.addCleanup(line.close)
        return line

    def putter(self, name="gd"):
        """Let in; one that stands by says MOVED, one that begins says nothing: then over a new connection."""
        def let_in():
            putter = self.line(Putter, name, 0)
            return putter if putter.greet(self.stream) == "WELCOME" else None
        return until(f"{name} is let in", let_in)

    @classmethod
    def principal(cls, name, *words):
        cls.stack("keys", "new", name, *words)
        cls.stack("keys", "export", name, "--host", "127.0.0.1", "--out", cls.stack.data / f"{name}.key")

    def get(self, name, sha, offset=0, line=None, **more):
        line = line or self.line(Line, name, 2)
        line.say("GET", sha256=sha, offset=offset, **more)
        part = line.hear("PART")
        return {"bytes": b"", "code": "", **part}

    def bring(self, putter, data):
        have = putter.put(data)
        while not have["whole"]:
            have = putter.put(data, have["upto"], PART)
            self.assertEqual(have["code"], "")
        return have

    def file(self, name, data):
        path = self.folder / name
        path.write_bytes(data)
        path.chmod(0o644)
        return path

    def story(self, ticket, kind):
        return [e for e in self.stack.lines("tail", "--format", "jsonl", "--key", ticket) if e["type"] == kind]

    def stored(self, ticket, n=1):
        return until(f"{n} file.stored of {ticket}", lambda: len(self.story(ticket, "file.stored")) >= n and self.story(ticket, "file.stored"))

    def metric(self, name):
        with urllib.request.urlopen(f"http://127.0.0.1:{self.stack.ports[3]}/metrics", timeout=20) as page:
            return next(float(line.split()[-1]) for line in page.read().decode().splitlines() if line.startswith(f"aftercare_{name}{{"))

    def answers(self):
        try:
            return self.stack.head()
        except Failed:
            return 0

    def sure(self, data):
        """HAVE's word, once intake and its shelf are there again."""
        def said():
            try:
                have = self.putter().put(data, seconds=3)
                return have if have["code"] not in ("busy", "database") else None
            except TimeoutError:
                return None
        return until("HAVE", said)

    @contextlib.contextmanager
    def lock(self, table):
        words = ["psql", "-X", "-q", "-A", "-t", "-h", str(self.stack.data / "s"), "-U", "postgres", "-d", "aftercare"]
        with subprocess.Popen((["runuser", "-u", USER, "--"] if USER else []) + words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd="/") as psql:
            psql.stdin.write(f"BEGIN; LOCK TABLE {table}; SELECT 'held';\n")
            psql.stdin.flush()
            self.assertEqual(psql.stdout.readline().strip(), "held")
            yield
            psql.stdin.close()

    def holds(self, mark):
        for at, folders, files in os.walk(self.stack.data / "pg"):
            folders[:] = [name for name in folders if name not in ("pg_wal", "pg_stat_tmp")]
            for name in files:
                try:
                    if mark in (pathlib.Path(at) / name).read_bytes():
                        return True
                except OSError:
                    pass  # a file that has just gone
        return False
