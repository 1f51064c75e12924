"""Readers that stand still, subscribers that read nothing, senders of garbage: everything else flows, and intake's memory stays within
its bounds. tests/bench/run --only hostile measures the same with ten times as many."""
import os
import pathlib
import random
import threading
import time
import unittest

import msgpack
import zmq

from client import Reader
from stack import BIN, Stack, jsonl, until

FROZEN_FEEDS, FROZEN_LIVE, GARBAGE = 100, 5, 20
BENCH = pathlib.Path(os.environ.get("AFTERCARE_TEST_BIN", BIN.parent / "tests" / "bin")) / "aftercare-bench"
RSS_MAX_MIB = 160  # tests/README.md, Limits; without the bound on what readers have not read it is 270 here


def frozen(endpoint, kind, say=None):
    """A socket that takes hardly anything and is never read."""
    socket = zmq.Context.instance().socket(kind)
    socket.linger, socket.rcvhwm = 0, 1
    if kind == zmq.SUB:
        socket.setsockopt(zmq.SUBSCRIBE, b"")
    socket.connect(endpoint)
    if say:
        socket.send_multipart(say)
    return socket


def frozen_feed(endpoint, stream):
    return frozen(endpoint, zmq.DEALER, [b"OPEN", msgpack.packb({"stream": stream, "consumer": "operator/frozen", "after": 0,
                                                               "follow": True, "credit": 64 << 20})])


class Garbage(threading.Thread):
    """What no client says: frames that are none, verbs that are none, sources nobody knows, events of no type; so many a second."""

    def __init__(self, endpoint, stream, seed, rate=100):
        super().__init__(daemon=True)
        self.endpoint, self.stream, self.dice, self.rate, self.stop, self.sent = endpoint, stream, random.Random(seed), rate, False, 0
        self.name_of_source = f"operator/garbage-{seed}-{os.getpid()}"
        self.last = 0  # number of its last event; each is refused

    def refusal(self):
        self.last += 1
        return [b"APPEND", msgpack.packb({"n": self.last, "events": [{"type": "no.such", "data": {"x": "y" * 300}}]})]

    def frame(self, n):
        dice = self.dice
        return [
            self.refusal,
            lambda: [b"HELLO", msgpack.packb({"proto": [1, 1], "stream": self.stream, "source": f"nobody-{n}", "incarnation": b"0" * 16})],
            lambda: [b"HELLO", dice.randbytes(dice.randrange(200))],
            lambda: [b"NONSENSE", b"\x80"],
            lambda: [dice.randbytes(9)] * dice.randrange(1, 5),
            lambda: [b"PING", b"\x80"],
            lambda: [b"APPEND", msgpack.packb({"n": 1 << 40, "events": []})],
            lambda: [b"APPEND", b"\xdd\xff\xff\xff\xff"],
            lambda: [b"APPEND", msgpack.packb({"n": n, "events": ["x" * 200000]})],
        ][dice.choices(range(9), weights=[6, 2, 2, 2, 2, 4, 2, 2, 1])[0]]()

    def run(self):
        socket = zmq.Context().socket(zmq.DEALER)
        socket.linger, socket.sndhwm = 0, 10
        socket.connect(self.endpoint)
        socket.send_multipart([b"HELLO", msgpack.packb({"proto": [1, 1], "stream": self.stream, "source": self.name_of_source,
                                                        "incarnation": os.urandom(16), "first": 1, "last": 1 << 30})])
        began = time.monotonic()
        while not self.stop:
            due = int((time.monotonic() - began) * self.rate)
            while self.sent < due and not self.stop:
                if socket.poll(100, zmq.POLLOUT):
                    socket.send_multipart(self.frame(self.sent + 1))
                self.sent += 1
            socket.poll(10, zmq.POLLIN)
            while socket.poll(0) and self.sent % 2:  # half of the time it reads
                socket.recv_multipart()
        socket.close(0)


class Hostile(unittest.TestCase):
    def setUp(self):
        self.stack = Stack(clock="wall", keys=False)
        self.stack.__enter__()
        self.addCleanup(self.stack.__exit__, None, None, None)
        self.stack("policy", "publish", self.stack.share("policies/boston311.yaml"))
        self.stack("append", self.stack.share("networks/boston311.jsonl"))
        self.cmd, self.live, self.feed = (f"tcp://127.0.0.1:{p}" for p in self.stack.ports[:3])
        self.stream = next(iter(Reader(self.feed, "operator/test").events()))["data"]["stream"]

    def intake_mib(self):
        pid = self.stack.pid("intake")
        sanitized = "libasan" in pathlib.Path(f"/proc/{pid}/maps").read_text()
        line = next(s for s in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines() if s.startswith("VmRSS"))
        return int(line.split()[1]) / 1024 / (4 if sanitized else 1)  # shadow memory, red zones, quarantine

    def test_everything_else_flows(self):
        self.stack.run(BENCH, "facts", self.cmd, self.stream, "1", "256")  # some ten thousand events to be replayed
        feeds = [frozen_feed(self.feed, self.stream) for _ in range(FROZEN_FEEDS)]
        lives = [frozen(self.live, zmq.SUB) for _ in range(FROZEN_LIVE)]
        senders = [Garbage(self.cmd, self.stream, i) for i in range(GARBAGE)]
        for sender in senders:
            sender.start()
        try:
            self.stack.run(BENCH, "facts", self.cmd, self.stream, "2", "256")
            took = []
            for i in range(20):
                began = time.monotonic()
                self.stack("append", jsonl(self.stack.data / f"host-{i}.jsonl", [
                    {"type": "ticket.registered", "key": f"HOST-{i}-{k}", "by": "tester",
                     "data": {"kind": "Tree Emergencies", "region": "BOS-07"}} for k in range(20)]))
                took.append(time.monotonic() - began)
            self.stack.wait_caught_up()
            self.assertLess(sorted(took)[10], 10)
            events = list(Reader(self.feed, "operator/sound").events())  # a sound reader reads everything, beside the frozen ones
            self.assertEqual(len(events), events[-1]["pos"])
            self.assertLess(self.intake_mib(), RSS_MAX_MIB)
            self.assertTrue(all(s.is_alive() and s.sent > 50 for s in senders))
            self.assertGreater(int(self.stack.sql("SELECT count(*) FROM intake.refused WHERE code = 'type.unknown'")[0][0]), 100)
            offers = self.stack.sql("SELECT count(*) FROM intake.journal WHERE type = 'job.offered' AND key LIKE 'HOST-%'")
            self.assertEqual(offers, [["400"]])
        finally:
            for sender in senders:
                sender.stop = True
            for sender in senders:
                sender.join(10)
            for socket in feeds + lives:
                socket.close(0)


if __name__ == "__main__":
    unittest.main(verbosity=2)
