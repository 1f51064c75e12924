"""Two intakes on one PostgreSQL, one standing by for the other; sources, workers and readers know both by their endpoints."""
import threading
import time
import urllib.error
import urllib.request

import msgpack
import zmq

from client import show
from load import Follower, Link, Sender
from plant import INTAKES, SOCKETS, Plant
from stack import WORKERS, Failed, until

SILENCE = 1.5
LEASE_MS = 4000  # who is let run less often than that loses it to the other one by chance


class Links(Link):
    """A connection to one of several endpoints, each tried in turn: on silence, and where MOVED says that it stands by."""

    def __init__(self, endpoints, key):
        super().__init__(endpoints[0], key=key)
        self.endpoints, self.turn = endpoints, -1

    def renew(self):
        self.turn += 1
        self.endpoint = self.endpoints[self.turn % len(self.endpoints)]
        super().renew()

    def hear(self, ms):
        verb, said, size = super().hear(ms)
        return ("ERROR" if verb == "MOVED" else verb), said, size

    def silent(self):
        return time.monotonic() - self.heard > SILENCE


class Source(Sender):
    """A branch that knows both, and when each of its events was acknowledged."""

    def __init__(self, endpoints, stream, name, key=None):
        super().__init__(endpoints[0], stream, name)
        self.link, self.acked = Links(endpoints, key), []

    def answered(self, answers):
        super().answered(answers)
        self.acked.append(time.monotonic())

    def longest_gap(self, since, until_):
        """(seconds, when it began) without a single acknowledgement, between the two instants."""
        times = [since, *(t for t in self.acked if since < t < until_), until_]
        return max(((b - a, a) for a, b in zip(times, times[1:])), default=(0, since))


class Reader(Follower):
    def __init__(self, endpoints, on_event, key=None):
        super().__init__(endpoints[0], on_event)
        self.link = Links(endpoints, key)


class Ear(threading.Thread):
    """Everything that one intake says to whoever listens or asks: live, heads on its feed, PONGs; with the instant it came."""

    def __init__(self, live, feed, cmd, stream, key):
        """key(name): the key file of a principal."""
        super().__init__(daemon=True)
        self.key = key
        self.addresses, self.stream, self.heard = {"live": live, "feed": feed, "cmd": cmd, "door": feed}, stream, []
        self.stopping, self.asking = threading.Event(), threading.Event()
        self.start()

    def run(self):
        context, sockets, poller = zmq.Context(), {}, zmq.Poller()
        for name, address in self.addresses.items():
            socket = sockets[name] = context.socket(zmq.SUB if name == "live" else zmq.DEALER)
            socket.linger = 0
            show(socket, self.key("dispatcher" if name == "live" else "operator"))
            socket.connect(address)
            poller.register(socket, zmq.POLLIN)
        sockets["live"].subscribe(b"")
        follow = [b"OPEN", msgpack.packb({"consumer": "operator/ear", "credit": 1 << 24, "follow": True})]
        sockets["feed"].send_multipart(follow)
        sockets["cmd"].send_multipart([b"HELLO", msgpack.packb({"proto": [1, 1], "stream": self.stream, "source": "operator/ear",
                                                                "incarnation": b"e" * 16, "first": 1, "last": 0})])
        while not self.stopping.is_set():
            if self.asking.is_set():
                self.asking.clear()
                sockets["cmd"].send_multipart([b"PING", msgpack.packb({})])
                sockets["door"].send_multipart(follow)
            for socket, _ in poller.poll(50):
                parts = socket.recv_multipart()
                fields = msgpack.unpackb(parts[1], timestamp=0)
                self.heard.append((time.monotonic(), parts[0].decode(), fields))
        for socket in sockets.values():
            socket.close()

    def ask(self):
        """How things stand: of one that is stopped, it waits there for the moment when it wakes up."""
        self.asking.set()

    def stop(self):
        self.stopping.set()
        self.join(5)

    def after(self, instant, told=0):
        """What came after an instant (monotonic) and speaks of a time after `told` (seconds since 1970): what was said before and
        came late does not count."""
        def time_of(fields):
            said = fields.get("now") or fields.get("rec")
            return said.seconds + said.nanoseconds / 1e9 if said is not None else told + 1
        return [(what, fields.get("epoch"), fields.get("head", fields.get("pos"))) for when, what, fields in self.heard
                if when > instant and what not in ("MOVED", "BATCH", "ERROR") and time_of(fields) > told]


class Pair(Plant):
    """As Plant, but nobody stands between: the settings name both intakes, as an operator with two hosts writes them."""

    def __init__(self, **options):
        super().__init__(wide=False, two=True, **options)

    def endpoints(self, socket):
        return [f"tcp://127.0.0.1:{self.own[name][SOCKETS.index(socket)]}" for name in INTAKES]

    def write_settings(self):
        for name, file in zip(INTAKES, ("aftercare.yaml", "intake-b.yaml")):
            cmd, live, feed, metrics = self.own[name]
            lines = [f"data: {self.data}", f"sockets: {self.data}/s"]
            lines += [f"{s}: \"{', '.join(self.endpoints(s))}\"" for s in SOCKETS]
            lines += ["intake:", f"  cmd: tcp://127.0.0.1:{cmd}", f"  live: tcp://127.0.0.1:{live}", f"  feed: tcp://127.0.0.1:{feed}",
                      f"  metrics: 127.0.0.1:{metrics}", f"  lease_ms: {LEASE_MS}", f"  dsn: {self.dsn(name, 'intake')}"]
            for worker in WORKERS:
                lines += [f"{worker}:", f"  metrics: 127.0.0.1:{self.worker_metrics[worker]}", f"  dsn: {self.dsn(worker, worker)}"]
            (self.data / file).write_text("\n".join(lines) + "\n")

    # --- who is what
    def health(self, name):
        """"ok", "standing by", another reason; None: it does not answer."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.own[name][3]}/health", timeout=10) as answer:
                return answer.read().decode().strip()
        except urllib.error.HTTPError as why:
            return why.read().decode().strip()
        except OSError:
            return None

    def active(self):
        return next((name for name in INTAKES if self.health(name) == "ok"), None)

    def standby(self):
        return next((name for name in INTAKES if self.health(name) == "standing by"), None)

    def both(self):
        """(active, standing by), as soon as it is so."""
        until("one intake serves and one stands by", lambda: self.active() and self.standby())
        return self.active(), self.standby()

    def epoch(self):
        return int(self.pg.sql("SELECT epoch FROM intake.head")[0][0])

    def wait_all(self, senders, follower, seconds=60):
        def quiet():
            for who in (*senders, follower):
                if who.trouble:
                    raise Failed(who.trouble)
            head = self.caught_up()
            return head and not any(s.waiting() for s in senders) and follower.have == head
        until("all acknowledged, all at the head", quiet, seconds)
