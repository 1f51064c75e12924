#!/usr/bin/python3
"""A client with one fault, to prove the kit: sloppy.py FAULT KEYFILE JOB …  Each check has a fault that it has to find; `FOR` says which,
and which rule the kit has to cite. Faults are laid over Python's client."""
import pathlib
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "clients" / "python"))
import aftercare  # noqa: E402
import job  # noqa: E402
import msgpack  # noqa: E402
import sloppy_files  # noqa: E402

Reader, Source, Line, Client, Error, Answer = (aftercare.Reader, aftercare.Source, aftercare.Line, aftercare.Client, aftercare.Error,
                                               aftercare.Answer)
reader_open, say, hear, connect = Reader.open, Line.say, Line.hear, Line.connect
take, on_answer, send, init = Reader.take, Source.on_answer, Source.send, Source.__init__


def unjudged(self, fields):
    """Takes whatever comes."""
    events = [msgpack.unpackb(body) for body, _ in fields.get("events", [])]
    return events, fields.get("link")


def saying(verb, change):
    def altered(self, said, fields):
        return say(self, said, change(fields) if said == verb and isinstance(fields, dict) else fields)
    Line.say = altered


def answering(verb, do):
    """`do` in place of what is right when this verb comes."""
    def altered(self, said, fields, *rest):
        return do(self, fields, *rest) if said == verb else on_answer(self, said, fields, *rest)
    Source.on_answer = altered


def taking(verb, do):
    def altered(self, said, fields, size):
        return do(self, fields) if said == verb else take(self, said, fields, size)
    Reader.take = altered


def trusting():
    Reader.judged = unjudged


def double_credit():
    saying("CREDIT", lambda f: {**f, "bytes": 2 * f["bytes"]})


def no_credit():
    saying("CREDIT", lambda f: {**f, "bytes": 0})
    Reader.owed = property(lambda self: 0, lambda self, value: None)


def afraid_of_overrun():
    came = [0]

    def altered(self, verb, fields, size):
        came[0] += size
        if came[0] > self.credit:
            raise SystemExit("more than the credit")
        return take(self, verb, fields, size)
    Reader.take = altered


def forgetful():
    saying("OPEN", lambda f: {**f, "after": 0})


def linkless():
    saying("OPEN", lambda f: {k: v for k, v in f.items() if k != "link"})


def stubborn():
    for verb in ("FORK", "AHEAD", "DENIED"):
        taking_one = Reader.take

        def altered(self, said, fields, size, verb=verb, before=taking_one):
            return reader_open(self) if said == verb else before(self, said, fields, size)
        Reader.take = altered

    def again(self, said, fields, *rest):
        if said == "DENIED" or (said == "NAK" and fields.get("code") == "conflict"):
            return False
        return on_answer(self, said, fields, *rest)
    Source.on_answer = again


def quitter():
    def altered(self, said, fields, size):
        if said == "ERROR" or (said == "DENIED" and fields.get("code") == "full"):
            raise Error("denied.quit")
        return take(self, said, fields, size)
    Reader.take = altered


def deaf():
    Line.hear = lambda self, seconds: hear(self, 600)


def strict():
    def altered(self, verb, fields, size):
        known = {"OPENED": {"epoch", "head", "first", "whole", "stream"}, "BATCH": {"after", "upto", "link", "events"}}
        if verb not in ("BATCH", "OPENED", "HEAD", "CAUGHT_UP", "DENIED", "ERROR", "FORK", "AHEAD") or set(fields) - known.get(verb, set(fields)):
            raise Error("corrupt", f"{verb}?")
        return take(self, verb, fields, size)
    Reader.take = altered
    judged = Reader.judged

    def newest(self, fields):
        events, link = judged(self, fields)
        for event in events:
            if event["type"].startswith("weather.") or event["v"] > 1:
                raise Error("version", event["type"])
        return events, link
    Reader.judged = newest


def fragile():
    def altered(self, seconds):
        if not self.socket.poll(int(1000 * seconds)):
            return None
        verb, data = self.socket.recv_multipart()
        return verb.decode(), dict(msgpack.unpackb(data)), len(data)
    Line.hear = altered


def whole_always():
    judged = Reader.judged

    def altered(self, fields):
        self.whole = True
        return judged(self, fields)
    Reader.judged = altered


def believes_heads():
    def altered(self, fields):
        self.have = fields.get("head", 0)
    taking("HEAD", altered)


def same_socket():
    def altered(self):
        keep, Line.connect = Line.connect, (lambda line, endpoints=None: None if line.socket else connect(line, endpoints))
        reader_open(self)
        Line.connect, self.opened = keep, True
    Reader.open = altered


def wants_priv():
    judged = Reader.judged

    def altered(self, fields):
        if any(priv is None and "pd" in msgpack.unpackb(body) for body, priv in fields.get("events", [])):
            raise Error("priv", "missing")
        return judged(self, fields)
    Reader.judged = altered


def careless_of_priv():
    judged = Reader.judged
    Reader.judged = lambda self, fields: judged(self, {**fields, "events": [[body, None] for body, _ in fields.get("events", [])]})


def plaintext():
    Line.connect = lambda self, endpoints=None: (self.client.key.pop("server_key", None), connect(self, endpoints))[1]


def one_endpoint():
    def altered(self, endpoints=None):
        self.endpoints = self.endpoints[:1]
        return connect(self, endpoints)
    Line.connect = altered


def filterless():
    saying("OPEN", lambda f: {k: v for k, v in f.items() if k != "types"})


def never_gives_up():
    batch = Reader.batch

    def altered(self, fields, size):
        self.failed = 0
        return batch(self, fields, size)
    Reader.batch = altered


def wrong_proto():
    saying("HELLO", lambda f: {**f, "proto": [2, 2]})


def windowless():
    Source.window = property(lambda self: (aftercare.EVENTS_MAX, aftercare.BYTES_MAX), lambda self, value: None)


def first_answer_is_all():
    def altered(self, fields, first, last, answers):
        fields = {"answers": [[n, 7, None] for n in range(first + len(answers), min(last, self.sent) + 1)]}
        return on_answer(self, "ACK", fields, first, last, answers)
    answering("ACK", altered)


def refusals_are_forgotten():
    def altered(self, fields, first, last, answers):
        fields = {"answers": [a if isinstance(a[1], int) else [a[0], 1, None] for a in fields["answers"]]}
        return on_answer(self, "ACK", fields, first, last, answers)
    answering("ACK", altered)


def counts_answers():
    def altered(self, fields, first, last, answers):
        n = first + len(answers)
        fields = {"answers": [[n + i, *a[1:]] for i, a in enumerate(fields["answers"])]}
        return on_answer(self, "ACK", fields, first, last, answers)
    answering("ACK", altered)


def forgets_when_sent():
    saying("HELLO", lambda f: {**f, "first": f["last"] + 1})


def re_encodes():
    def altered(self, n, last):
        self.kept["events"] = [msgpack.packb({**msgpack.unpackb(e), "by": f"kit {time.monotonic()}"}) for e in self.kept["events"]]
        return send(self, n, last)
    Source.send = altered


def impatient():
    aftercare.time.sleep = lambda seconds: None


def all_again():
    answering("BUSY", lambda self, fields, first, last, answers: (time.sleep(0.4), send(self, first, last), True)[2])


def heedless_of_naks():
    answering("NAK", lambda self, fields, *rest: True)


def heedless_of_errors():
    answering("ERROR", lambda self, fields, *rest: True)


def heedless_of_moves():
    answering("MOVED", lambda self, fields, *rest: False)


def nervous():
    deliver = Source.deliver

    def altered(self):
        Line.hear = lambda line, seconds: hear(line, seconds) or ("ERROR", {"code": "hello"}, 0) if line is self.line else hear(line, seconds)
        return deliver(self)
    Source.deliver = altered


def stateless():
    Source.__init__ = lambda self, client, state, name: (init(self, client, None, None), self.kept.update(source=client.key["principal"]))[0]


def lingering():
    Line.close = lambda self, linger=None: setattr(self, "socket", None)


def breathless():
    """No pause between tries."""
    def altered(self, endpoints=None):
        self.pause = 0.0
        return connect(self, endpoints)
    Line.connect = altered


def never_quieter():
    def altered(self, endpoints=None):
        self.silence = aftercare.SILENCE
        return reader_open(self, endpoints)
    Reader.open = altered


def counts_for_ever():
    """A good batch does not begin the count anew."""
    batch = Reader.batch

    def altered(self, fields, size):
        self.failed_at = self.have
        return batch(self, fields, size)
    Reader.batch = altered


def reads_anything():
    aftercare.unpack = lambda data: msgpack.unpackb(data, raw=False, unicode_errors="replace")


def from_the_first():
    saying("HELLO", lambda f: {**f, "first": 1})


def lastless():
    saying("HELLO", lambda f: {k: v for k, v in f.items() if k != "last"})


def one_id():
    def altered(self, verb, fields):
        if verb == "ASK":
            fields, self.client.asked = {**fields, "id": 1}, 1
        say(self, verb, fields)
    Line.say = altered


def passes_over_the_nameless():
    def altered(self, seconds):
        heard = hear(self, seconds)
        return ("WEATHER", {"id": -1}, 0) if heard and heard[0] == "ERROR" and not heard[1].get("id") else heard
    Line.hear = altered


def any_answer():
    def altered(self, seconds):
        heard = hear(self, seconds)
        return heard and (heard[0], {**heard[1], "id": self.client.asked}, heard[2])
    Line.hear = altered


def one_page():
    def altered(self, seconds):
        heard = hear(self, seconds)
        return heard and (heard[0], {k: v for k, v in heard[1].items() if k != "more"}, heard[2])
    Line.hear = altered


def gives_up():
    aftercare.LATER.clear()


def insistent():
    aftercare.LATER.add("denied")


def one_frame():
    Line.say = lambda self, verb, fields: self.socket.send_multipart([verb.encode()])


def own_words():
    saying("OPEN", lambda f: {**f, "colour": "red"})


def somebody_else():
    saying("OPEN", lambda f: {**f, "consumer": "somebody"})


def skips_a_number():
    def altered(self, verb, fields):
        if verb == "APPEND":
            fields = {**msgpack.unpackb(fields), "n": msgpack.unpackb(fields)["n"] + 1}
        say(self, verb, fields)
    Line.say = altered


def all_at_once():
    aftercare.EVENTS_MAX = 1000
    windowless()


def other_events():
    append = Source.append
    Source.append = lambda self, events: append(self, [{**event, "key": "KIT"} for event in events])


def all_is_well():
    main = job.main
    job.main = lambda: main() and 0


FOR = {  # check: (fault, the rule that the kit has to cite)
    "feed.plain": (double_credit, "F2"), "feed.golden": (no_credit, "F2"), "feed.credit": (no_credit, "F2"), "feed.overrun": (afraid_of_overrun, "F5"),
    "feed.gap": (trusting, "F3"), "feed.gap-inside": (trusting, "F4"), "feed.gap-at-the-end": (trusting, "F4"),
    "feed.duplicate": (trusting, "F5"), "feed.duplicate-inside": (trusting, "F5"), "feed.reordered": (trusting, "F3"),
    "feed.reordered-inside": (trusting, "F4"), "feed.slow-head": (believes_heads, "F16"), "feed.fork": (stubborn, "F8"),
    "feed.fork-on-return": (forgetful, "F12"), "feed.ahead": (stubborn, "F9"), "feed.denied": (stubborn, "F10"),
    "feed.revoked": (stubborn, "F10"), "feed.full": (quitter, "F10"), "feed.database": (quitter, "F11"),
    "feed.unknown-type": (strict, "F13"), "feed.unknown-version": (trusting, "F14"), "feed.other-version": (strict, "F14"),
    "feed.unknown-keys": (strict, "T3"), "feed.half-frames": (fragile, "T3"), "feed.half-batch": (fragile, "F3"),
    "feed.rotten-event": (never_gives_up, "F6"), "feed.wrong-link": (trusting, "F6"), "feed.wrong-first-link": (trusting, "F6"),
    "feed.altered": (trusting, "F6"), "feed.wrong-link-once": (trusting, "F6"), "feed.wrong-links-apart": (counts_for_ever, "F6"), "feed.bad-bodies": (reads_anything, "T2"), "feed.wrong-priv": (careless_of_priv, "F15"),
    "feed.priv-withheld": (wants_priv, "F15"), "feed.resumed": (linkless, "F7"), "feed.cut-line": (deaf, "F12"),
    "feed.silent": (deaf, "F12"), "feed.stale": (same_socket, "F3"), "feed.endpoints": (one_endpoint, "T5"),
    "feed.standby": (one_endpoint, "F18"), "feed.filtered": (filterless, "F17"), "feed.narrowed": (whole_always, "F4"), "feed.curve": (plaintext, "T7"),
    "cmd.appended": (wrong_proto, "A1"), "cmd.window": (windowless, "A3"), "cmd.window-bytes": (windowless, "A3"),
    "cmd.partly-acked": (first_answer_is_all, "A9"), "cmd.refused": (refusals_are_forgotten, "A9"),
    "cmd.acked-twice": (counts_answers, "A9"), "cmd.lost-ack": (forgets_when_sent, "A5"), "cmd.lost-append": (re_encodes, "A4"),
    "cmd.busy": (impatient, "A6"), "cmd.busy-between": (all_again, "A6"), "cmd.busy-hello": (impatient, "A6"),
    "cmd.nak-gap": (heedless_of_naks, "A7"), "cmd.nak-conflict": (stubborn, "A8"), "cmd.denied-hello": (stubborn, "A8"),
    "cmd.superseded": (stubborn, "A8"), "cmd.hello-again": (heedless_of_errors, "A10"), "cmd.nobody-serves": (breathless, "T6"), "cmd.moved": (heedless_of_moves, "A12"),
    "cmd.standby": (one_endpoint, "A12"), "cmd.given-up": (lingering, "T6"),
    "cmd.silence": (deaf, "A11"), "cmd.patient": (nervous, "A11"), "cmd.killed": (stateless, "A13"), "cmd.second-run": (stateless, "A13"),
    "cmd.half-frames": (fragile, "T3"), "cmd.asked": (any_answer, "Q1"), "cmd.paged": (one_page, "Q2"), "cmd.ask-later": (gives_up, "Q3"),
    "cmd.ask-standby": (one_endpoint, "F18"), "cmd.ask-refused": (insistent, "Q4"), "cmd.ask-unread": (passes_over_the_nameless, "Q1"),
    "file.put-not-attached": (refusals_are_forgotten, "P1"), "file.put-silent": (deaf, "A11"), "file.put-hello-again": (heedless_of_errors, "A10"),
    "file.put-later": (gives_up, "P4"), "file.get-later": (gives_up, "P7"), **sloppy_files.FOR,
}

ALSO = [  # rules that every check sees to: (check, fault, rule)
    ("feed.plain", one_frame, "T1"), ("feed.plain", own_words, "T2"), ("feed.plain", somebody_else, "F1"),
    ("cmd.appended", skips_a_number, "A2"), ("cmd.appended", all_at_once, "T4"), ("cmd.appended", other_events, "J2"),
    ("cmd.denied-hello", all_is_well, "J1"), ("feed.database", breathless, "T6"), ("cmd.ask-later", breathless, "T6"), ("feed.silent", never_quieter, "F12"),
    ("cmd.hello-again", from_the_first, "A1"), ("cmd.second-run", from_the_first, "A1"), ("cmd.paged", one_id, "Q1"), ("cmd.appended", lastless, "T2"), *sloppy_files.ALSO,
]
UNCHECKED = set()  # rules that README.md says are not checked

if __name__ == "__main__":
    FAULTS = {fault.__name__: fault for fault in [*(fault for fault, _ in FOR.values()), *(fault for _, fault, _ in ALSO)]}
    FAULTS[sys.argv.pop(1)]()
    sys.exit(job.main())
