"""Files as the kit plays them: what attaches one, PUT and HAVE on cmd; GET and PART on feed. Honest steps; checks put faults between."""
import hashlib
import os
import pathlib
import random
import time

from cmd_side import Intake
from feed_side import Feed
from kit import PATIENCE, Broken, Kit

LEAST, MOST, UNANSWERED = 4096, 128 * 1024, 4  # bytes of a piece, PUTs
TICKET = "KIT-T1"


class Shelf(Intake, Feed):
    def __init__(self, *args, **options):
        super().__init__(*args, **options)
        self.mute = False  # PING gets no answer
        self.facts, self.fact_acked = set(), False
        self.due = self.kept = self.unanswered = 0
        self.told = self.later = False  # HAVE has come over this connection; it was "later"
        self.getter, self.receipt, self.asked, self.got = None, None, False, 0
        self.wanted = MOST  # bytes, by the GET that came last

    def made(self, size):
        self.file = random.Random(size).randbytes(size)
        self.sha256 = hashlib.sha256(self.file).digest()

    # --- what comes
    def hear(self, seconds=PATIENCE, rule="T1", want="a message"):
        """The next message about a file. What a client reads besides (its stream's id) it gets."""
        until = time.monotonic() + seconds
        while self.aside(said := super().hear(max(0.1, until - time.monotonic()), rule, want)):
            pass
        return said

    def aside(self, said):
        if said.verb == "PING" and not self.mute:
            self.pong(said)
        elif said.verb == "OPEN":
            self.on_open(said)
            self.opened()
            self.batch(said["after"], self.journal.n)
            self.caught_up()
        elif said.verb == "CREDIT":
            self.on_credit(said)
        return said.verb in ("PING", "OPEN", "CREDIT", "CLOSE")

    def soon(self, seconds, rule):
        """The message about a file that comes within so long, or None."""
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            if self.unread is not None or self.poller.poll(int(1000 * left) + 1):
                said = Kit.hear(self, 1, rule)
                if not self.aside(said):
                    return said
        return None

    def next_or_end(self, rule):
        """The next message about a file; None: it has ended without one."""
        deadline = time.monotonic() + PATIENCE
        while self.process.poll() is None and time.monotonic() < deadline:
            if said := self.soon(0.1, rule):
                return said
        return self.soon(0.05, rule)

    def quiet(self, seconds, rule, what):
        """Nothing for so long; what comes while the kit itself was late stands for the next step."""
        end = time.monotonic() + seconds
        said = self.soon(seconds, rule)
        if said is not None and time.monotonic() < end:
            raise Broken(rule, f"{said.verb} {what}")
        self.unread = said

    def on_late(self, said, rule):
        if not self.aside(said):
            super().on_late(said, rule)

    # --- putting
    def put(self, size, **options):
        """Started; the fact is taken."""
        self.start_put(size)
        self.attach(**options)

    def start_put(self, size):
        self.made(size)
        path = pathlib.Path(self.folder.name) / "report.pdf"
        path.write_bytes(self.file)
        self.start("put", TICKET, path, self.state)

    def attach(self, **options):
        """HELLO, WELCOME, file.attached, ACK."""
        self.greet_put(**options)
        self.expect_append(rule="P1", want="APPEND of file.attached")
        self.fact_acked = True
        self.ack(1, self.next_n - 1)

    def greet_put(self, rule="P1", want="HELLO", **options):
        """A session; what intake had taken of the source before, it says again."""
        said = self.expect_hello(rule, want)
        durable = max(self.content, default=0) if self.fact_acked else 0  # 0: also of a source that nothing was heard of
        self.told, self.due, self.unanswered = False, self.kept, 0
        self.welcome(durable=durable, **options)
        if durable >= said["first"]:
            self.ack(said["first"], durable)
        return said

    def judge_event(self, n, event):
        if self.facts - {n} or self.fact_acked:
            raise Broken("J3", f"{event.get('type')!r} under number {n}: the file was attached already")
        data = event.get("data", {})
        if (event.get("type"), event.get("key")) != ("file.attached", TICKET):
            raise Broken("J3", f"{event.get('type')!r} of {event.get('key')!r}: the job attaches a file to {TICKET}")
        if data.get("sha256") != self.sha256 or data.get("bytes", 0) != len(self.file) or "name" in data:
            raise Broken("J3", f"file.attached says {sorted(data)}, {data.get('bytes')} bytes: not this file's digest and length, or a personal field")
        self.facts.add(n)

    def expect_put(self, rule="P2", want="PUT", seconds=PATIENCE):
        said = self.hear(seconds, rule, want)
        if said.verb != "PUT":
            raise Broken(rule, f"{said.verb} where {want} was due")
        return self.judge_put(said)

    def judge_put(self, said):
        """After the fact; from where it has to be, in pieces of a good size, not too many at once."""
        if said.peer != self.cmd_peer or not self.fact_acked:
            raise Broken("P1", "PUT before the ACK of file.attached" if said.peer == self.cmd_peer else "PUT on another connection than its HELLO")
        if said["sha256"] != self.sha256:
            raise Broken("P1", "PUT of another content than the one that was attached")
        self.unanswered += 1
        if self.unanswered > UNANSWERED:
            raise Broken("P2", f"{self.unanswered} PUTs are unanswered")
        piece, at, size = said["bytes"] or b"", said["offset"], len(self.file)
        if not piece:
            return said
        if self.later:
            raise Broken("P4", "a piece where it was to ask, later, how far the file is")
        if self.kept and not self.told:
            raise Broken("P2", "a piece over a connection that has not asked how far the file is")
        if at != self.due:
            raise Broken("P2", f"a piece from {at} on, it had to begin at {self.due}")
        if len(piece) > MOST or (len(piece) < LEAST and at + len(piece) < size):
            raise Broken("P2", f"a piece of {len(piece)} bytes from {at} on, the file has {size}")
        if self.file[at:at + len(piece)] != piece:
            raise Broken("P2", f"from {at} on the file has other bytes")
        self.due += len(piece)
        return said

    def have(self, upto=None, whole=False, **more):
        """One PUT is answered; upto: where the next piece has to begin, None: as it was."""
        if upto is not None:
            self.kept = self.due = upto
        self.unanswered, self.told, self.later = max(0, self.unanswered - 1), True, more.get("code") in ("busy", "database")
        self.reply("HAVE", {"sha256": self.sha256, **({"upto": self.kept} if self.kept else {}), **({"whole": True} if whole else {}), **more})

    def keep(self, said):
        """As a shelf does."""
        if said["bytes"]:
            self.kept = max(self.kept, said["offset"] + len(said["bytes"]))
        self.have(whole=self.kept == len(self.file))

    def keep_until(self, upto, rule="P2"):
        """Kept and answered, until so much is there."""
        while self.kept < upto:
            self.keep(self.expect_put(rule))

    def last_piece(self, rule="P2"):
        """All are kept and answered but the last one."""
        while not (said := self.expect_put(rule))["bytes"] or self.due < len(self.file):
            self.keep(said)

    def flight(self, rule="P2"):
        """The pieces that it sends without an answer to the first; what it asks before is answered."""
        while not (said := self.expect_put(rule, "a piece"))["bytes"]:
            self.keep(said)
        flying = [said]
        while said := self.soon(0.2, rule):
            flying.append(self.judge_put(said))
        return flying

    def all_put(self, rule):
        """Honestly to the end."""
        self.keep_until(len(self.file), rule)
        self.put_ended("done", rule)

    def put_ended(self, end, rule, code=None):
        self.wait_end(rule)
        last = self.ended(end, rule)
        if code and last.get("code") != code:
            raise Broken(rule, f"it ended with the code {last.get('code')!r}, {code!r} was said")

    # --- getting
    def get(self, size):
        self.made(size)
        self.out = pathlib.Path(self.folder.name) / "out.pdf"
        self.start("get", self.sha256.hex(), self.out)

    def expect_get(self, rule="P5", want="GET", seconds=PATIENCE):
        """The next one, from where the client stands, with the receipt that is due over this connection."""
        said = self.hear(seconds, rule, want)
        if said.verb != "GET":
            raise Broken(rule, f"{said.verb} where {want} was due")
        if said.peer != self.getter:
            self.getter, self.receipt, self.asked = said.peer, None, False
        if self.asked:
            raise Broken("P5", "a second GET before the first was answered")
        if said["sha256"] != self.sha256:
            raise Broken("P5", "GET of another content")
        if self.receipt and said["receipt"] != self.receipt:
            raise Broken("P6", f"GET from {said['offset']} on without the receipt of the piece before it")
        if said["offset"] != self.got:
            raise Broken(rule, f"GET from {said['offset']} on, it has {self.got} bytes")
        self.wanted = said.fields.get("bytes", MOST)
        if not 1 <= self.wanted <= MOST:
            raise Broken("P5", f"GET of {self.wanted} bytes: 1 to {MOST}")
        self.not_there_yet()
        self.asked = True
        return said

    def not_there_yet(self):
        if self.out.exists():
            raise Broken("J4", "OUT is there before the end")

    def part(self, n=MOST, **altered):
        """A piece of at most n bytes and of what was asked for, with a receipt; behind the end one without bytes."""
        piece = self.file[self.got:self.got + min(n, self.wanted)]
        self.receipt, self.asked = os.urandom(8) if piece else None, False
        fields = {"sha256": self.sha256, "offset": self.got, "bytes": piece, "size": len(self.file), "receipt": self.receipt, **altered}
        self.got += len(piece)
        self.say("PART", {name: value for name, value in fields.items() if value}, peer=self.getter)

    def not_given(self, code):
        self.asked = False
        self.say("PART", {"sha256": self.sha256, "code": code, "why": "the kit says so"}, peer=self.getter)

    def give(self, rule="P5", n=MOST, upto=None):
        """Piece after piece, until so much was given, or all of it and the GET behind it has come."""
        while upto is None or self.got < upto:
            behind = self.got == len(self.file)
            self.expect_get("P6" if behind and self.got else rule, "GET with the last receipt" if behind and self.got else "GET")
            self.part(n)
            if behind:
                return

    def all_got(self, rule, n=MOST):
        self.give(rule, n)
        self.got_ended("done", rule)

    def got_ended(self, end, rule, code=None):
        self.put_ended(end, rule, code)
        if end != "done" and self.out.exists():
            raise Broken("J4", f"OUT is there, though it ended with {end!r}")
        if end == "done" and (not self.out.exists() or self.out.read_bytes() != self.file):
            raise Broken(rule, "OUT does not hold what was given")
