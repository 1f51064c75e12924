"""The world, for as long as a test wants it: branches that register and answer offers, a reader that follows the stream, a witness
of what is published live. All of them outlive whatever is done to the daemons, and remember what they were told."""
import collections
import os
import random
import threading
import time

import msgpack
import zmq

import wan
from checker import Sent
from client import digest, show

SILENCE = 3.0
WINDOW = 64


def source_of(plant, name):
    """(name, key file) of a source that is a principal of its own; where there are no keys, one of the operator's."""
    if not plant.keys:
        return f"operator/{name}", None
    plant("keys", "new", name, "--region", "R")
    return name, plant.key(name)


class Link:
    """One DEALER connection; a new socket each time, so that nothing of the one before comes through."""

    def __init__(self, endpoint, kind=zmq.DEALER, key=None):
        self.endpoint, self.kind, self.key, self.socket, self.heard = endpoint, kind, key, None, 0.0
        self.context = None

    def renew(self):
        """The first time: from the network that this thread is in (a context's own threads are where it was made)."""
        self.close()
        self.context = self.context or zmq.Context()
        self.socket = self.context.socket(self.kind)
        self.socket.linger = 0
        self.socket.reconnect_ivl, self.socket.reconnect_ivl_max = 100, 500
        if self.key is not None:
            show(self.socket, self.key)
        self.socket.connect(self.endpoint)
        self.heard = time.monotonic()

    def close(self):
        if self.socket is not None:
            self.socket.close()
            self.socket = None

    def end(self):
        self.close()
        if self.context is not None:
            self.context.term()

    def say(self, verb, **fields):
        self.socket.send_multipart([verb.encode(), msgpack.packb(fields)])

    def hear(self, ms):
        if not self.socket.poll(ms):
            return None, None, 0
        verb, fields = self.socket.recv_multipart()
        self.heard = time.monotonic()
        return verb.decode(), msgpack.unpackb(fields, timestamp=0), len(fields)

    def silent(self):
        return time.monotonic() - self.heard > SILENCE


class Sender(threading.Thread):
    """A source with a spool in memory: what has no answer yet is sent again, for ever."""

    def __init__(self, endpoint, stream, source, network=None, key=None):
        super().__init__(daemon=True)
        self.link, self.stream, self.source, self.network = Link(endpoint, key=key), stream, source, network
        self.incarnation = os.urandom(16)
        self.lock = threading.Lock()
        self.spool = collections.OrderedDict()  # n: event, unanswered
        self.sent = {}                          # n: Sent
        self.last, self.trouble, self.stopping, self.sessions = 0, None, False, 0
        self.said = collections.Counter()       # what intake has said, by verb
        self.breath = threading.Event()

    def put(self, type_, key, **data):
        with self.lock:
            self.last += 1
            self.spool[self.last] = {"type": type_, "v": 1, "key": key, "by": "tester", "data": data}
            self.sent[self.last] = Sent(type_, key)

    def waiting(self):
        with self.lock:
            return len(self.spool)

    def stop(self):
        self.stopping = True
        self.breath.set()
        self.join(10)

    def run(self):
        if self.network is not None:
            wan.enter(self.network)
        while not self.stopping and self.trouble is None:
            self.link.renew()
            try:
                self.session()
            except ConnectionError:
                self.breath.wait(0.1)
        self.link.end()

    def session(self):
        with self.lock:
            first = next(iter(self.spool), self.last + 1)
            self.link.say("HELLO", proto=[1, 1], stream=self.stream, source=self.source, incarnation=self.incarnation,
                          first=first, last=self.last)
        nxt = None
        pinged = time.monotonic()
        while not self.stopping:
            verb, said, _ = self.link.hear(20)
            if verb is None and self.link.silent():
                raise ConnectionError
            if verb is not None:
                self.said[verb] += 1
            if verb == "WELCOME":
                nxt = said.get("durable", 0) + 1
                self.sessions += 1
            elif verb == "ACK":
                self.answered(said["answers"])
            elif verb == "NAK":
                if said["code"] != "gap":
                    self.trouble = f"{self.source}: {verb} {said}"
                nxt = said["expected"]
            elif verb == "BUSY":
                self.breath.wait(min(said.get("retry_ms", 0) / 1000, 0.5))
                raise ConnectionError
            elif verb == "ERROR" or (verb == "DENIED" and said["code"] == "superseded"):
                raise ConnectionError  # superseded: by an earlier HELLO of this very sender, which was long on its way
            elif verb == "DENIED" and said["code"] == "gap":
                self.trouble = f"{self.source} was told that what is before {first} is taken, and is asked for it again: {said}"
            elif verb == "DENIED":
                self.trouble = f"{self.source}: {verb} {said}"
            if self.trouble:
                return
            if nxt is not None:
                nxt = self.append(nxt)
            if time.monotonic() - pinged > 1:
                self.link.say("PING")
                pinged = time.monotonic()

    def append(self, nxt):
        with self.lock:
            oldest = next(iter(self.spool), self.last + 1)
            n = min(self.last, oldest + WINDOW - 1) - nxt + 1
            events = [self.spool[k] for k in range(nxt, nxt + n)] if n > 0 and nxt >= oldest else []
        if nxt < oldest:
            self.trouble = f"{self.source} was told that {nxt} is taken, and is asked for it again"
        if events:
            self.link.say("APPEND", n=nxt, events=events)
        return nxt + len(events)

    def answered(self, answers):
        with self.lock:
            for n, second, *rest in answers:
                one = self.sent[n]
                if isinstance(second, int):
                    if one.pos not in (0, second) or one.refused:
                        self.trouble = f"{self.source}/{n} was answered {one} and then {second}"
                    one.pos = second
                else:
                    if one.pos:
                        self.trouble = f"{self.source}/{n} was taken at {one.pos} and then refused: {second} {rest}"
                    one.refused = second
                self.spool.pop(n, None)


class Follower(threading.Thread):
    """Follows the whole stream over every break; proves positions and links; tells each event once, in order."""

    def __init__(self, endpoint, on_event, key=None):
        super().__init__(daemon=True)
        self.link, self.on_event = Link(endpoint, key=key), on_event
        self.head_told, self.now_told = 0, 0  # of heads: the farthest, in seconds
        self.have, self.chain, self.trouble, self.stopping, self.breaks = 0, None, None, False, -1
        self.when = {}  # pos: when it came
        self.breath = threading.Event()

    def stop(self):
        self.stopping = True
        self.breath.set()
        self.join(10)

    def run(self):
        while not self.stopping and self.trouble is None:
            self.link.renew()
            self.breaks += 1
            self.session()
            self.breath.wait(0.1)
        self.link.end()

    def session(self):
        fields = {"link": self.chain} if self.chain else {}
        self.link.say("OPEN", consumer="operator/follower", after=self.have, credit=1 << 20, follow=True, **fields)
        while not self.stopping and not self.link.silent():
            verb, said, size = self.link.hear(100)
            if verb == "BATCH":
                self.batch(said)
                self.link.say("CREDIT", bytes=size, applied=self.have)
            elif verb in ("ERROR", "DENIED"):
                return
            elif verb in ("FORK", "AHEAD"):
                self.trouble = f"{verb} {said} after {self.have}: what was published is gone"
            if verb is not None:
                self.head_told = max(self.head_told, said.get("head", 0))
                self.now_told = max(self.now_told, said["now"].seconds if "now" in said else 0)
            if self.trouble:
                return

    def batch(self, said):
        for body, _ in said["events"]:
            event = msgpack.unpackb(body)
            if event["pos"] != self.have + 1:
                self.trouble = f"a hole in what follows: {event['pos']} after {self.have}"
                return
            if self.chain is None:
                self.chain = digest(event["data"]["stream"].encode())
            self.have, self.chain = self.have + 1, digest(self.chain + body)
            self.when[self.have] = time.monotonic()
            self.on_event(event)
        if self.chain != said["link"]:
            self.trouble = f"the link at {self.have} differs"


class Witness(threading.Thread):
    """Hears what is published live and keeps it: whatever was told must stand in the journal for ever."""

    def __init__(self, endpoint, key=None):
        super().__init__(daemon=True)
        self.link, self.stopping = Link(endpoint, zmq.SUB, key), False
        self.bodies, self.links = {}, {}  # pos: digests of the bodies told; pos: links told

    def stop(self):
        self.stopping = True
        self.join(10)

    def run(self):
        self.link.renew()
        self.link.socket.subscribe(b"")
        while not self.stopping:
            if not self.link.socket.poll(100):
                continue
            topic, body, _ = self.link.socket.recv_multipart()
            fields = msgpack.unpackb(body, timestamp=0)
            if topic == b"~head":
                self.links.setdefault(fields.get("head", 0), set()).add(fields["link"])
            else:
                self.bodies.setdefault(fields["pos"], set()).add(digest(body))
        self.link.end()


class World:
    """Registers tickets and answers what it reads: some offers are accepted, some declined, some left; some tickets are cancelled,
    and now and then somebody says what must be refused. Everything through one of its senders."""

    def __init__(self, senders, seed):
        self.senders, self.random, self.registered = senders, random.Random(seed), 0

    def put(self, type_, key, **data):
        self.random.choice(self.senders).put(type_, key, **data)

    def register(self):
        self.registered += 1
        key = f"T-{self.registered:05}"
        self.put("ticket.registered", key, kind=self.random.choice(["leak", "noise"]), region=self.random.choice(["R1", "R2"]),
                 product="PUMP")
        if self.registered % 20 == 0:
            self.put("job.accepted", key, job=f"{key}/j99")  # nobody has offered that

    def on_event(self, event):
        kind, key, data = event["type"], event.get("key", ""), event["data"]
        draw = random.Random(event["id"]).random()
        if kind == "job.offered" and draw < 0.45:
            self.put("job.accepted", key, job=data["job"])
        elif kind == "job.offered" and draw < 0.65:
            self.put("job.declined", key, job=data["job"], reason="busy")
        elif kind == "job.offered" and draw > 0.97:
            self.put("ticket.cancelled", key, reason="mistake")
        elif kind == "job.accepted":
            if draw < 0.7:
                self.put("job.reported", key, job=data["job"], outcome="done")
            elif draw < 0.72:
                self.put("ticket.resolved", key)  # not a branch's to say
        elif kind == "followup.due" and draw < 0.6:
            self.put("followup.recorded", key, k=data["k"], reached=True, satisfaction=5 if draw < 0.5 else 1)
