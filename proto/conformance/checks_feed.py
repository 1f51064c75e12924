"""What a reader meets. Each check: a name, and what it does; which rule was broken stands where it is seen."""
import time

import msgpack

from feed_side import Feed
from journal import Journal
from kit import PAUSES, PROTO, Broken, paused


def plain(k):
    """three batches to the head"""
    k.start("read")
    k.expect_open(0)
    k.opened()
    k.serve(step=15)
    last = k.everything("F5")
    if last.get("pos") != k.journal.n or last.get("link") != k.journal.links[-1].hex():
        raise Broken("F7", f"its cursor at the end is {last.get('pos')}, {last.get('link')}")


def golden(k):
    """the session of golden/session-read.hex, octet by octet"""
    frames = golden_frames("session-read.hex")
    k.stream, k.principal = "demo-0badcafe", "GD01"
    k.start("read")
    k.expect_open(0)
    for verb, raw in frames:
        if verb == "→ CREDIT":  # waited for: what an ending client has just said may be lost with its socket
            said, want = k.hear(rule="F2", want="CREDIT"), msgpack.unpackb(raw)
            if said.verb != "CREDIT" or said["bytes"] != want["bytes"]:
                raise Broken("F2", f"{said.verb} of {said['bytes']} bytes where CREDIT of {want['bytes']} was due")
            k.on_credit(said)
        elif verb.startswith("← "):
            cost = k.say(verb[2:], raw)
            k.cost, k.upto = (cost, 3) if verb == "← BATCH" else (k.cost, k.upto)
    k.wait_end("F1")
    last = k.ended("caught-up", "F6", [1, 2, 3])
    link = msgpack.unpackb(dict(frames)["← BATCH"])["link"]
    if last.get("link") != link.hex():
        raise Broken("F6", f"it stands at {last.get('link')}; golden/session-read.hex has another end")


def golden_frames(name):
    """(title, bytes) of each frame of a golden session."""
    found = []
    for line in (PROTO / "golden" / name).read_text(encoding="utf-8").splitlines():
        if line.startswith("# "):
            found.append((line[2:].split(":")[0], b""))
        else:
            found[-1] = (found[-1][0], found[-1][1] + bytes.fromhex(line))
    return found


def credit(k):
    """three megabytes, as credit comes back"""
    k.journal = Journal(60, pad=50000)
    k.start("read")
    k.expect_open(0)
    k.opened()
    k.serve(step=4, rule="F2")
    k.everything("F2")


def overrun(k):
    """a feed that sends more than its credit"""
    k.journal = Journal(60, pad=50000)
    k.start("read")
    k.expect_open(0)
    k.opened()
    for after in range(0, 60, 4):
        k.batch(after, after + 4)
    k.caught_up()
    k.wait_end("F2")
    k.everything("F5")


def gap(k):
    """a batch that is missing"""
    k.begin()
    k.batch(15, 20)
    k.expect_open(10, "F3", want="OPEN from behind the hole")
    k.opened()
    k.serve()
    k.everything("F3")


def gap_inside(k):
    """an event that is missing inside a batch"""
    k.begin()
    k.batch(10, 20, positions=[11, 12, 14, 15, 16, 17, 18, 19, 20])
    k.expect_open(10, "F4", want="OPEN from behind the hole")
    k.opened()
    k.serve()
    k.everything("F4")


def gap_at_the_end(k):
    """a batch whose last events are missing"""
    k.begin()
    k.batch(10, 20, positions=range(11, 18))
    k.expect_open(10, "F4", want="OPEN from behind the hole")
    k.opened()
    k.serve()
    k.everything("F4")


def duplicate(k):
    """a batch that comes twice"""
    k.begin(upto=20)
    k.batch(10, 20)
    k.serve(rule="F5", reopen=(20, 30, 40))  # it may pass over what it has, or open anew where it stands
    k.everything("F5")


def duplicate_inside(k):
    """an event that comes twice inside a batch"""
    k.begin()
    k.batch(10, 20, positions=[11, 12, 12, 13, 14, 15, 16, 17, 18, 19, 20])
    k.expect_open(10, "F5", want="OPEN from before the batch")
    k.opened()
    k.serve()
    k.everything("F5")


def reordered(k):
    """two batches in the wrong order"""
    k.begin()
    k.batch(20, 30)
    k.batch(10, 20)
    k.expect_open(None, "F3", want="OPEN from behind the hole")
    if k.upto not in (10, 20):
        raise Broken("F3", f"OPEN after {k.upto}, the last good position was 10 or 20")
    k.opened()
    k.serve()
    k.everything("F3")


def reordered_inside(k):
    """two events in the wrong order inside a batch"""
    k.begin()
    k.batch(10, 20, positions=[11, 13, 12, 14, 15, 16, 17, 18, 19, 20])
    k.expect_open(10, "F4", want="OPEN from before the batch")
    k.opened()
    k.serve()
    k.everything("F4")


def slow_head(k):
    """heads that lag behind what came, and long pauses between"""
    k.start("read", "--until", k.journal.n)
    k.expect_open(0)
    k.opened()
    k.batch(0, 10)
    k.head("CAUGHT_UP", 10)
    for i in range(8):  # longer than a reader is silent for: a feed that says HEAD is there
        k.head(pos=3 if i % 2 else 10)
        k.no_position_beyond(10, "F16")
        end = time.monotonic() + 0.9
        while (left := end - time.monotonic()) > 0:
            if k.poller.poll(int(1000 * left)):
                said = k.hear(1)
                if said.verb != "CREDIT":
                    raise Broken("F16", f"{said.verb} after {said['after']}, though the feed said HEAD each second")
                k.on_credit(said)
    k.upto = 10
    k.serve(rule="F16")
    k.ended("caught-up", "F16", range(1, k.journal.n + 1))


def fork(k):
    """another history"""
    k.start("read", "--after", 10, "--link", "00" * 15 + "01")
    said = k.expect_open(10, "F7", link=False)
    if said["link"] != bytes(15) + b"\1":
        raise Broken("F7", "OPEN without the link it was started with")
    k.say("FORK", {"pos": 10})
    k.wait_end("F8")
    k.ended("fork", "F8", [])


def fork_on_return(k):
    """another history, found when the line comes back"""
    k.begin()
    k.cut("feed")
    k.expect_open(10, "F12")
    k.say("FORK", {"pos": 10})
    k.wait_end("F8")
    k.ended("fork", "F8", range(1, 11))


def ahead(k):
    """a journal that is shorter than what was read"""
    k.start("read", "--after", 30, "--link", k.journal.links[30].hex())
    k.expect_open(30, "F7")
    k.say("AHEAD", {"head": 20})
    k.wait_end("F9")
    k.ended("ahead", "F9", [])


def denied(k):
    """no right to read"""
    k.start("read")
    k.expect_open(0)
    k.say("DENIED", {"code": "principal", "why": "kit-reader is unknown"})
    k.wait_end("F10")
    k.ended("denied", "F10", [])


def revoked(k):
    """the right is taken away on the way"""
    k.begin("read", "--until", 40)
    k.say("DENIED", {"code": "principal", "why": "revoked"})
    k.wait_end("F10")
    k.ended("denied", "F10", range(1, 11))


def full(k):
    """no place for another reader yet"""
    k.start("read")
    k.expect_open(0)
    k.say("DENIED", {"code": "full", "why": "too many readers"})
    k.expect_open(0, "F10", want="OPEN once more")
    k.opened()
    k.serve(rule="F10")
    k.everything("F10")


def database(k):
    """the feed cannot read now"""
    k.start("read")
    k.expect_open(0, "F11")
    for pause in PAUSES:
        began = time.monotonic()
        k.say("ERROR", {"code": "database", "why": "the journal cannot be read now"})
        k.expect_open(0, "F11", want="OPEN once more")
        paused(began, pause, "OPEN")
    k.opened()
    k.serve(rule="F11")
    k.everything("F11")


def resumed(k):
    """a second run goes on where the first ended"""
    k.journal = Journal(20)
    k.start("read")
    k.expect_open(0)
    k.opened()
    k.serve()
    last = k.everything("F5")
    whole = Journal(40)
    k.journal = whole
    k.start("read", "--after", last.get("pos", 0), "--link", last.get("link", ""))
    k.expect_open(20, "F7")
    k.opened()
    k.serve(rule="F7")
    k.ended("caught-up", "F7", range(21, 41))


def cut_line(k):
    """the feed goes away and comes back without its sessions"""
    k.begin(upto=20)
    k.cut("feed")
    k.expect_open(20, "F12", want="OPEN on the line that came back")
    k.opened()
    k.serve(rule="F12")
    k.everything("F12")


def silent(k):
    """a feed that says nothing any more"""
    k.begin()
    k.expect_open(10, "F12", want="OPEN anew after the silence")
    began = time.monotonic()
    k.expect_open(10, "F12", want="OPEN anew after the longer silence")
    if time.monotonic() - began < 8:
        raise Broken("F12", f"OPEN again after {time.monotonic() - began:.1f} s: the second silence lasts 10 s")
    k.opened()
    k.serve(rule="F12")
    k.everything("F12")


def stale(k):
    """batches of the session before, after a new OPEN"""
    k.begin()
    k.batch(15, 20)
    k.expect_open(10, "F3", want="OPEN from behind the hole")
    k.batch(20, 30)
    k.upto = 10
    k.opened()
    k.serve(rule="F3")
    k.everything("F3")


def endpoints(k):
    """the first of two feeds is not there"""
    dead = k.router()
    address = k.address(dead)
    k.poller.unregister(dead)
    dead.close(0)
    k.endpoints["feed"].insert(0, address)
    k.start("read")
    k.expect_open(0, "T5")
    k.opened()
    k.serve(rule="T5")
    k.everything("T5")


def standby(k):
    """the first of two feeds stands by: MOVED, and no word of where to"""
    serving, k.feed = k.feed, k.router()
    k.endpoints["feed"] = [k.address(k.feed), k.address(serving)]
    k.start("read")
    k.expect_open(0)
    k.say("MOVED", {})
    k.feed, k.left, k.left_rule = serving, k.feed, "F18"
    k.expect_open(0, "F18", want="OPEN at the next endpoint")
    k.opened()
    k.serve(rule="F18")
    k.everything("F18")


def filtered(k):
    """a filter: holes are right, the link is a cursor, an empty batch moves it"""
    job = ("read", "--type", "sla.", "--type", "job.")
    k.start(*job)
    said = k.expect_open(0)
    if said["types"] != ["sla.", "job."]:
        raise Broken("F17", f"OPEN with types {said['types']!r}, it was started with sla. and job.")
    k.opened(whole=False)
    wanted = [p for p in range(1, 41) if k.journal.types[p].startswith(("sla.", "job."))]
    k.batch(0, 20, positions=[p for p in wanted if p <= 20], link=b"0123456789abcdef")
    k.batch(20, 40, positions=[p for p in wanted if p > 20], link=b"fedcba9876543210")
    k.journal.events.extend([None] * 20)
    k.journal.links.extend([b"opaque-cursor-60"] * 20)
    k.journal.n = 60
    k.batch(40, 60, positions=[])
    k.caught_up()
    k.wait_end("F17")
    last = k.ended("caught-up", "F17", wanted)
    if last.get("pos") != 60 or last.get("link") != b"opaque-cursor-60".hex():
        raise Broken("F17", f"its cursor is {last.get('pos')}, {last.get('link')}; the empty batch moved it to 60")
    k.start(*job, "--after", 60, "--link", last["link"])
    said = k.expect_open(60, "F17")
    k.opened(whole=False)
    k.caught_up()
    k.wait_end("F17")
    k.ended("caught-up", "F17", [])


def narrowed(k):
    """a principal that sees a part: no filter, and yet holes are right"""
    k.start("read")
    k.expect_open(0)
    k.opened(whole=False)
    seen = [2, 3, 11, 19, 33]
    k.batch(0, 20, positions=[p for p in seen if p <= 20])
    k.batch(20, 40, positions=[33])
    k.caught_up()
    k.wait_end("F4")
    k.ended("caught-up", "F4", seen)


def curve(k):
    """a line under CURVE"""
    k.start("read")
    k.expect_open(0, "T7")
    k.opened()
    k.serve(rule="T7")
    k.everything("T7")


CHECKS = [plain, golden, credit, overrun, gap, gap_inside, gap_at_the_end, duplicate, duplicate_inside, reordered,
          reordered_inside, slow_head, fork, fork_on_return, ahead, denied, revoked, full, database, resumed,
          cut_line, silent, stale, endpoints, standby, filtered, narrowed, curve]
SIDE = Feed
