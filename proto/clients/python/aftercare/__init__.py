"""A client of aftercare's stream. proto/README.md is the authority; its rules are cited as F1, A4 …

    client = aftercare.open("integrator.key")
    with client.read(after=pos, link=link, follow=True) as reader:
        for batch in reader:                    # events in order, no hole, each once, links verified
            with database:                      # the table and (batch.upto, batch.link) in one transaction
                ...
            reader.commit(batch)
    with client.source("append.state") as source:
        answers = source.append([{"type": "customer.informed", "v": 1, "key": "T-1", "data": {}}])
    rows, as_of = client.ask("reporting", "tickets", {"limit": 10})

One thread a client. What ends for good raises Error, with a `code`; what passes is waited for, at most `patience` seconds."""
import collections
import fcntl
import hashlib
import json
import os
import pathlib
import time

import msgpack
import zmq

from .wire import Error, digest, pack_event, unpack

CREDIT, EVENTS_MAX, BYTES_MAX = 1 << 20, 256, 256 * 1024
SILENCE = 5.0  # seconds in which the other end says something when it is its turn
TRIES = 3  # the same damage at the same place: it is not the line's
LATER = {"nobody", "timeout", "behind", "busy", "database", "unavailable"}
# events: dicts (body's keys, and "personal"); upto, link: the cursor to keep; cost: credit it holds; session: whose
Batch = collections.namedtuple("Batch", "events after upto link cost session")
# pos: where it was taken (result: a map or None); pos None: refused for good with code, field, args
Answer = collections.namedtuple("Answer", "n pos result code field args")
_file = open


def open(key, patience=60):  # noqa: A001 - the module's verb
    """A client by its key file (a path, or what stands in it as a dict). patience None: for ever."""
    key = key if isinstance(key, dict) else json.loads(pathlib.Path(key).read_text(encoding="utf-8"))
    if key.get("aftercare") != "key" or key.get("version") != 1:
        raise Error("key", "not a key file of version 1")
    return Client(key, patience)


class Closing:
    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


class Line:
    """One DEALER to one endpoint; made anew, to the next endpoint, whenever it is in doubt."""

    def __init__(self, client, which, linger):
        self.client, self.endpoints, self.linger = client, list(client.key["endpoints"].get(which, [])), linger
        self.socket, self.turn, self.pause, self.silent_since = None, -1, 0.0, None

    def connect(self, endpoints=None):
        """A new connection, to these or else to the next endpoint, not sooner than the pause since the one before allows."""
        self.close(0)  # a HELLO left over would end the new session (T6)
        if endpoints:
            self.endpoints, self.turn = list(endpoints), -1
        now = time.monotonic()
        self.silent_since = self.silent_since or now
        patience = self.client.patience
        if patience is not None and now - self.silent_since > patience:
            raise Error("silent", f"nobody answers at {', '.join(self.endpoints)}")
        time.sleep(self.pause)
        self.pause = min(max(2 * self.pause, 0.1), 5.0)
        self.turn += 1
        key, self.socket = self.client.key, self.client.context.socket(zmq.DEALER)
        for option, value in {zmq.LINGER: self.linger, zmq.MAXMSGSIZE: 1 << 20, zmq.HANDSHAKE_IVL: 5000, zmq.RECONNECT_IVL: 100, zmq.RECONNECT_IVL_MAX: 1000,
                              zmq.TCP_KEEPALIVE: 1, zmq.TCP_KEEPALIVE_IDLE: 10, zmq.TCP_KEEPALIVE_INTVL: 5, zmq.TCP_KEEPALIVE_CNT: 3}.items():
            self.socket.setsockopt(option, value)
        if key.get("server_key"):
            for name in ("server", "public", "secret"):
                setattr(self.socket, f"curve_{name}key", key[f"{name}_key"].encode())
        self.socket.connect(self.endpoints[self.turn % len(self.endpoints)])

    def good(self):
        self.pause, self.silent_since = 0.0, None

    def say(self, verb, fields):
        data = fields if isinstance(fields, bytes) else msgpack.packb(fields, datetime=True)
        self.socket.send_multipart([verb.encode(), data])

    def hear(self, seconds):
        """(verb, map, bytes of the map); None: silence. What is no message of the protocol is dropped (T3)."""
        deadline = time.monotonic() + seconds
        while self.socket.poll(max(0, int(1000 * (deadline - time.monotonic())))):
            frames = self.socket.recv_multipart()
            try:
                fields = unpack(frames[1]) if len(frames) == 2 else None
                if isinstance(fields, dict):
                    return frames[0].decode("ascii"), fields, len(frames[1])
            except (ValueError, msgpack.exceptions.UnpackException):
                pass
        return None

    def close(self, linger=None):
        if self.socket is not None:
            self.socket.close(linger)
        self.socket = None


class Client(Closing):
    def __init__(self, key, patience):
        self.key, self.patience, self.context, self.asked = key, patience, zmq.Context(), 0
        self.questions = Line(self, "feed", 0)

    def close(self):
        self.context.destroy()

    def read(self, after=0, link=None, **options):
        """after, link: the cursor kept last. types, regions, sites, keys: filters; follow; credit: bytes; needs:
        {type: newest version understood}; name: of this reader, behind the principal's."""
        return Reader(self, after, link, **options)

    def source(self, state=None, name=None):
        """Appends. state: a file that belongs to this source for ever; None: a source of this life only."""
        return Source(self, state, name)

    def ask(self, to, question, args=None, limit=None, at_least=0):
        """All rows (at most `limit`) and the position the last page holds for."""
        line, rows, page, deadline = self.questions, [], "", time.monotonic() + (self.patience or 1e9)
        while True:
            if line.socket is None:
                line.connect()
            self.asked += 1
            ask = {"id": self.asked, "to": to, "question": question, "args": args or {}, "at_least": at_least}
            ask.update({"limit": min(limit - len(rows), 1000)} if limit else {}, **({"after": page} if page else {}))
            line.say("ASK", ask)
            heard = line.hear(2 * SILENCE)
            while heard and heard[0] != "MOVED" and heard[1].get("id", 0) not in (self.asked, 0 if heard[0] == "ERROR" else self.asked):  # Q1
                heard = line.hear(2 * SILENCE)
            verb, fields = heard[:2] if heard else ("MOVED", {})
            if verb != "ANSWER" and (fields.get("code", "timeout") not in LATER or time.monotonic() > deadline):
                raise Error(fields.get("code", "timeout"), fields.get("why", ""))
            if verb != "ANSWER":  # Q3: later, over a new connection
                line.connect(fields.get("endpoints"))
                continue
            line.good()
            rows, page = rows + fields.get("rows", []), fields.get("after", "")
            if not fields.get("more") or (limit and len(rows) >= limit):
                return rows, fields.get("as_of", 0)


class Reader(Closing):
    """Iterate for batches; commit each when its effects are. A batch not committed holds credit."""

    def __init__(self, client, after, link, types=(), regions=(), sites=(), keys=(), follow=False, credit=CREDIT,
                 needs=None, name=None):
        self.line, self.client, self.follow, self.needs = Line(client, "feed", 0), client, follow, needs or {}
        self.have, self.link = after, digest(client.key["stream"].encode()) if after == 0 else link
        self.filters = {k: list(v) for k, v in (("types", types), ("regions", regions), ("sites", sites), ("keys", keys)) if v}
        self.consumer = client.key["principal"] + (f"/{name}" if name else "")
        self.credit, self.owed, self.session, self.whole = credit, 0, 0, False
        self.silence, self.failed, self.failed_at, self.over = SILENCE, 0, -1, False
        self.open()

    def close(self):
        if self.line.socket is not None:
            self.line.say("CLOSE", {})
        self.line.close()

    def open(self, endpoints=None):
        """A session where the last batch ended, over a new connection, so that nothing of the old one comes (F7)."""
        self.line.connect(endpoints)
        self.session, self.owed, self.opened = self.session + 1, 0, False
        fields = {"stream": self.client.key["stream"], "consumer": self.consumer, "after": self.have, "credit": self.credit}
        if self.have > 0 and self.link:
            fields["link"] = self.link
        self.line.say("OPEN", {**fields, **self.filters, **({"follow": True} if self.follow else {})})

    def commit(self, batch):
        """This batch's effects stand: its credit goes back (F2). Its cursor is the caller's to keep."""
        if batch.session == self.session:
            self.owed -= batch.cost
            self.line.say("CREDIT", {"bytes": batch.cost, "applied": batch.upto})

    def __iter__(self):
        return self

    def __next__(self):
        while not self.over:
            if self.owed >= self.credit:
                raise Error("credit", "commit() what was read before reading on")
            heard = self.line.hear(self.silence)
            if heard is None:  # F12
                self.silence = min(2 * self.silence, 40.0)
                self.open()
                continue
            batch = self.take(*heard)
            if batch is not None:
                return batch
        raise StopIteration

    def take(self, verb, fields, size):
        if verb == "OPENED":
            self.opened, self.whole = True, bool(fields.get("whole")) and not self.filters
        elif verb == "FORK":
            raise Error("fork", f"at {self.have} this journal is another")
        elif verb == "AHEAD":
            raise Error("ahead", f"{self.have} was read, the journal ends at {fields.get('head', 0)}: it was restored")
        elif verb == "DENIED" and fields.get("code") != "full":
            raise Error(f"denied.{fields.get('code')}", fields.get("why", ""))
        elif verb in ("DENIED", "ERROR", "MOVED"):
            if fields.get("code") == "corrupt":
                raise Error("corrupt", fields.get("why", ""))
            self.open(fields.get("endpoints"))
        elif verb in ("HEAD", "CAUGHT_UP") and self.opened:
            self.line.good()
            self.silence = SILENCE
            self.over = verb == "CAUGHT_UP" and not self.follow
        elif verb == "BATCH" and self.opened:
            return self.batch(fields, size)
        return None

    def batch(self, fields, size):
        try:
            events, link = self.judged(fields)
        except (Error, KeyError, TypeError, ValueError, msgpack.exceptions.UnpackException) as error:
            if isinstance(error, Error) and error.code == "version":
                raise
            self.failed = self.failed + 1 if self.failed_at == self.have else 1
            self.failed_at = self.have
            if self.failed >= TRIES:
                raise error if isinstance(error, Error) else Error("corrupt", f"after {self.have}: {error!r}")
            self.open()
            return None
        batch = Batch(events, self.have, fields.get("upto", 0), link, size, self.session)
        self.have, self.link, self.owed, self.silence = batch.upto, link, self.owed + size, SILENCE
        self.line.good()
        return batch

    def judged(self, fields):
        """The events decoded and the link at the end, where all is as it has to be (F3 to F6)."""
        at, upto, link, events = self.have, fields.get("upto", 0), self.link, []
        if fields.get("after", 0) != at or upto < at:
            raise Error("hole", f"a batch after {fields.get('after', 0)} came, {at} was read last")
        for body, priv in fields.get("events", []):
            event = unpack(body)
            if event["pos"] <= at or event["pos"] > upto or (self.whole and event["pos"] != at + 1):
                raise Error("hole", f"position {event['pos']} came after {at}")
            at, link = event["pos"], digest(link, body) if self.whole and link else link
            if priv is not None and hashlib.sha256(priv).digest() != event.get("pd"):
                raise Error("priv", f"position {at}: the personal part is not the one that was recorded")
            event["personal"] = unpack(priv)[1] if priv is not None else None
            if event.get("v", 1) > self.needs.get(event["type"], 1 << 30):
                raise Error("version", f"position {at}: {event['type']} version {event['v']} is not understood here")
            events.append(event)
        if self.whole and (at != upto or (link and link != fields.get("link"))):
            raise Error("link" if at == upto else "hole", f"the journal is not what its links say at {upto}")
        return events, fields.get("link")


class Source(Closing):
    """Numbers, a window, answers. What append() was given stands in the state file before it is sent, and is taken exactly
    once over whatever is killed: the next Source of the same file sends it again, and its answers stand in `recovered`.
    Without a file it lives in memory: what has its answer is in the journal, the fate of the rest dies with the process."""

    def __init__(self, client, state, name):
        self.client, self.state, self.line, self.files = client, state, Line(client, "cmd", 2000), []
        principal = client.key["principal"]
        self.kept = {"source": f"{principal}/{name or os.urandom(8).hex()}" if name or not state else principal,
                     "incarnation": os.urandom(16), "n": 1, "events": []}
        if state:
            self.files = [os.open(os.path.dirname(os.path.abspath(state)), os.O_RDONLY), os.open(f"{state}.lock", os.O_RDWR | os.O_CREAT, 0o600)]
            try:
                fcntl.flock(self.files[1], fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                raise Error("state", f"{state} is in use") from None
            if os.path.exists(state):
                kept = msgpack.unpackb(pathlib.Path(state).read_bytes())
                if kept["source"] != self.kept["source"]:
                    raise Error("state", f"{state} belongs to {kept['source']}")
                self.kept = kept
        self.window, self.beat, self.missed, self.durable, self.sent, self.moved = (EVENTS_MAX, BYTES_MAX), SILENCE, 0, 0, 0, None
        self.recovered = self.deliver() if self.kept["events"] else []

    @property
    def n(self):
        """The number that the next event gets."""
        return self.kept["n"] + len(self.kept["events"])

    def close(self):
        self.line.close()
        while self.files:
            os.close(self.files.pop())

    def keep(self):
        if not self.state:
            return
        with _file(f"{self.state}.new", "wb", opener=lambda name, flags: os.open(name, flags, 0o600)) as file:  # names, telephones
            file.write(msgpack.packb(self.kept))
            file.flush()
            os.fsync(file.fileno())
        os.replace(f"{self.state}.new", self.state)
        os.fsync(self.files[0])

    def append(self, events):
        """An Answer for each, in order; refusals are answers too."""
        answers, part, size = [], [], 0
        for event in [pack_event(event) for event in events] + [None]:
            if part and (event is None or len(part) == self.window[0] or size + len(event) + 64 > self.window[1]):
                self.kept["events"] = part
                self.keep()
                answers += self.deliver()
                part, size = [], 0
            if event is not None:
                part, size = part + [event], size + len(event)
        return answers

    def deliver(self):
        """Everything kept is answered; then it is forgotten (A5)."""
        first, answers = self.kept["n"], {}
        last = first + len(self.kept["events"]) - 1
        if self.line.socket is None:
            self.greet(first, last, answers)
        self.send(max(self.durable + 1, first + len(answers)), last)
        while len(answers) < last - first + 1:
            heard = self.line.hear(self.beat)
            self.missed = 0 if heard else self.missed + 1
            if not heard and self.missed < 3:
                self.line.say("PING", {})
            elif not heard or not self.on_answer(*heard[:2], first, last, answers):
                self.greet(first + len(answers), last, answers)
                self.send(max(self.durable + 1, first + len(answers)), last)
        self.kept["n"], self.kept["events"] = last + 1, []
        self.keep()
        return [answers[n] for n in sorted(answers)]

    def send(self, n, last):
        """From n on what the window lets go; more follows each answer."""
        self.sent, first, size, part = n - 1, self.kept["n"], 0, []
        for event in self.kept["events"][n - first:]:
            if len(part) == self.window[0] or (part and size + len(event) + 64 > self.window[1]):
                break
            part, size = part + [event], size + len(event)
        if part:
            pack = msgpack.Packer()
            self.sent = n + len(part) - 1
            self.line.say("APPEND", b"".join([pack.pack_map_header(2), pack.pack("n"), pack.pack(n), pack.pack("events"),
                                              pack.pack_array_header(len(part)), *part]))

    def on_answer(self, verb, fields, first, last, answers):
        """False: this session is over, greet again."""
        if verb == "ACK":
            for n, pos, *rest in fields.get("answers", []):
                if n == first + len(answers) and n <= last:
                    taken = isinstance(pos, int)
                    answers[n] = Answer(n, pos, rest[0], None, None, None) if taken else Answer(n, None, None, pos, *rest[:2])
            self.line.good()
            if self.sent < last and first + len(answers) > self.sent:
                self.send(self.sent + 1, last)
        elif verb == "BUSY":  # A6
            time.sleep(min(max(fields.get("retry_ms", 0), 1), 60000) / 1000)
            self.send(first + len(answers), last)
        elif verb == "NAK" and fields.get("code") == "gap" and first + len(answers) <= fields.get("expected", 0) <= last:
            self.send(fields["expected"], last)
        elif verb == "NAK" and fields.get("code") != "gap":
            raise Error("conflict", f"other content stands under {fields.get('n')}: this source is frozen")
        elif verb == "DENIED":
            raise Error(f"denied.{fields.get('code')}", fields.get("why", ""))
        elif verb == "ERROR" and fields.get("code") == "malformed":
            raise Error("malformed", fields.get("why", ""))
        elif verb in ("ERROR", "NAK", "MOVED"):
            self.moved = fields.get("endpoints")
            return False
        return True

    def greet(self, n, last, answers):
        """HELLO until WELCOME, then on from `durable` + 1."""
        while True:
            self.line.connect(self.moved)
            self.moved, self.missed = None, 0
            self.line.say("HELLO", {"proto": [1, 1], "stream": self.client.key["stream"], "source": self.kept["source"],
                                    "incarnation": self.kept["incarnation"], "first": n, "last": last})
            heard = self.line.hear(SILENCE)
            if heard and heard[0] == "WELCOME":
                break
            if heard and heard[0] == "BUSY":
                time.sleep(min(max(heard[1].get("retry_ms", 0), 1), 60000) / 1000)
            elif heard and heard[0] in ("DENIED", "MOVED"):
                self.on_answer(*heard[:2], n, last, answers)
        welcome, window = heard[1], heard[1].get("window", {})
        self.window = min(window.get("events") or EVENTS_MAX, EVENTS_MAX), min(window.get("bytes") or BYTES_MAX, BYTES_MAX)
        self.beat, self.durable = (welcome.get("hb_ms") or 1000 * SILENCE) / 1000, welcome.get("durable", 0)
