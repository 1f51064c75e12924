"""Intake as the kit plays it: sessions, numbers, answers."""
import hashlib
import time

import msgpack

from kit import PATIENCE, Broken, Kit


def raw_events(said):
    """The bytes of each element of APPEND's events: what makes two sendings the same content."""
    unpacker = msgpack.Unpacker(max_buffer_size=1 << 20)
    unpacker.feed(said.raw)
    for _ in range(unpacker.read_map_header()):
        if unpacker.unpack() != "events":
            unpacker.skip()
            continue
        found = []
        for _ in range(unpacker.read_array_header()):
            begin = unpacker.tell()
            unpacker.skip()
            found.append(said.raw[begin:unpacker.tell()])
        return found
    return []


class Intake(Kit):
    def __init__(self, *args, **options):
        super().__init__(*args, **options)
        self.incarnation = self.source = None
        self.flying = self.flying_bytes = 0
        self.ids = set()  # of ASKs

    # --- what the source says
    def pong(self, said):
        """As intake does: who has no session here is told so."""
        if said.peer == self.cmd_peer:
            self.say("PONG", {"head": 1}, self.cmd, said.peer)
        else:
            self.say("ERROR", {"id": 0, "code": "hello", "why": "say HELLO first"}, self.cmd, said.peer)

    def expect_hello(self, rule="A1", want="HELLO", seconds=PATIENCE):
        until = time.monotonic() + seconds
        while True:
            said = self.hear(max(0.1, until - time.monotonic()), rule, want)
            if said.verb == "HELLO":
                break
            if said.verb == "PING":
                self.pong(said)
            elif said.verb == "APPEND" and self.cmd_peer != said.peer:
                raise Broken("A1", "APPEND on a connection before its HELLO was answered")
            elif said.verb == "PUT" and self.source is None:
                raise Broken("P1", "PUT before HELLO")
        if said["proto"] != [1, 1]:
            raise Broken("A1", f"HELLO.proto is {said['proto']!r}, version 1 is said [1, 1]")
        if said["stream"] != self.stream:
            raise Broken("A1", f"HELLO for the stream {said['stream']!r}")
        if said["source"].split("/")[0] != self.principal:
            raise Broken("A1", f"HELLO of {said['source']!r}, the key file's principal is {self.principal!r}")
        if self.source == said["source"] and self.incarnation != said["incarnation"]:
            raise Broken("A13", "another incarnation of the same source")
        if self.source != said["source"]:  # one that nothing was heard of
            self.content, self.acked = {}, 0
        self.source, self.incarnation = said["source"], said["incarnation"]
        if said["first"] < 1 or said["last"] < said["first"] - 1:
            raise Broken("A1", f"HELLO with first {said['first']}, last {said['last']}")
        if said["first"] > self.acked + 1:
            raise Broken("A5", f"HELLO from {said['first']} on, {self.acked} is the last one that was answered")
        if said["last"] < max(self.content, default=0):
            raise Broken("A2", f"HELLO says {said['last']} was the last number given out, {max(self.content)} was sent")
        self.cmd_peer, self.flying, self.flying_bytes = said.peer, 0, 0
        return said

    def cut(self, which):
        super().cut(which)
        self.cmd_peer = None

    def welcome(self, durable=0, events=256, size=256 * 1024, hb_ms=5000):
        self.window, self.next_n = (events, size), durable + 1
        self.reply("WELCOME", {"epoch": 1, "head": 100, "durable": durable, "window": {"events": events, "bytes": size}, "hb_ms": hb_ms})

    def reply(self, verb, fields):
        self.say(verb, fields, self.cmd, self.cmd_peer)

    def greeted(self, *job, **options):
        self.start(*job)
        said = self.expect_hello()
        self.welcome(**options)
        return said

    def all_sent(self, total=10, **options):
        """Greeted, and everything is on its way, in one APPEND or several."""
        said = self.greeted("append", total, self.state, **options)
        while self.next_n <= total:
            self.expect_append()
        return said

    def expect_append(self, n=None, rule="A2", want="APPEND", seconds=PATIENCE):
        """The next APPEND: its numbers follow, its bytes are those sent before under them, the window has room."""
        until = time.monotonic() + seconds
        while True:
            said = self.hear(max(0.1, until - time.monotonic()), rule, want)
            if said.verb == "APPEND":
                break
            if said.verb == "PING":
                self.pong(said)
            elif said.verb == "HELLO":
                raise Broken(rule, f"HELLO where {want} was due")
            elif said.verb == "PUT":
                raise Broken("P1", f"PUT where {want} was due")
        if said.peer != self.cmd_peer:
            raise Broken("A1", "APPEND on another connection than its HELLO")
        events = raw_events(said)
        n = self.next_n if n is None else n
        if said["n"] != n:
            raise Broken(rule, f"APPEND begins with number {said['n']}, {n} was due")
        if not events or len(events) > 256:
            raise Broken("T4", f"APPEND of {len(events)} events")
        for i, event in enumerate(events, n):
            digest = hashlib.sha256(event).digest()
            if self.content.setdefault(i, digest) != digest:
                raise Broken("A4", f"other bytes under number {i} than before")
            self.judge_event(i, msgpack.unpackb(event))
        self.next_n = n + len(events)
        self.flying += len(events)
        self.flying_bytes += sum(map(len, events))
        if self.flying > self.window[0] or self.flying_bytes > self.window[1]:
            raise Broken("A3", f"{self.flying} events of {self.flying_bytes} bytes unanswered, the window is {self.window}")
        return events

    def judge_event(self, n, event):
        if event.get("key") != f"KIT-{n}":
            raise Broken("J2", f"under number {n} stands {event.get('key')!r}, the job says KIT-{n}")

    # --- what intake says
    def ack(self, first, last, refused=()):
        self.acked = max(self.acked, last)
        self.flying, self.flying_bytes = max(0, self.flying - (last - first + 1)), 0 if self.flying <= last - first + 1 else self.flying_bytes
        self.reply("ACK", {"answers": [[n, "missing", "kind", "ticket.registered"] if n in refused else [n, 100 + n, None] for n in range(first, last + 1)]})

    def drop(self, verb, fields, next_n):
        """What is in flight is not taken; next_n has to come again."""
        self.flying, self.flying_bytes, self.next_n = 0, 0, next_n
        self.reply(verb, fields)

    def finish(self, total, rule, refused=(), first=1):
        """Everything that still comes is answered, and each answer has been given to its caller."""
        self.take(total, refused, rule)
        self.answers(total, rule, refused, first)

    def take(self, total, refused=(), rule="A2"):
        """Everything that still comes, answered, until the client ends."""
        while self.next_n <= total:
            first = self.next_n
            events = self.expect_append(rule=rule)
            self.ack(first, first + len(events) - 1, refused)
        self.wait_end(rule)

    def answers(self, total, rule="A9", refused=(), first=1):
        self.ended("done", rule)
        have = [line for line in self.lines if "n" in line]
        want = [{"n": n, "code": "missing", "field": "kind"} if n in refused else {"n": n, "pos": 100 + n} for n in range(first, total + 1)]
        for a, b in zip(have, want):
            if {k: a.get(k) for k in b} != b:
                raise Broken(rule, f"its caller got {a}, {b} was the answer")
        if len(have) != len(want):
            raise Broken(rule, f"its caller got {len(have)} answers, {len(want)} were due")


def wait_quiet(k, began, seconds, rule, what):
    """Nothing but PING from `began` on for so long. What comes while the kit itself was late stands for the next step."""
    while (left := began + seconds - time.monotonic()) > 0:
        if not k.poller.poll(int(1000 * left) + 1):
            break
        said = k.hear(1, rule)
        if said.verb == "PING":
            k.pong(said)
        elif time.monotonic() >= began + seconds:
            k.unread = said
        else:
            raise Broken(rule, f"{said.verb} {what}")
