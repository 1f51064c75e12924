"""What a reader meets. Each check: a name, and what it does; which rule was broken stands where it is seen."""
import time

from feed_side import Feed
from journal import TYPES, Journal, event
from kit import Broken

DAMAGED = ("damaged", "silent")


def plain(k):
    """three batches to the head"""
    k.start("read")
    k.expect_open(0)
    k.opened()
    k.serve(step=15)
    last = k.everything("F5")
    if last.get("pos") != k.journal.n or last.get("link") != k.journal.links[-1].hex():
        raise Broken("F7", f"its cursor at the end is {last.get('pos')}, {last.get('link')}")


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
    resume_or_go_on(k, "F5")


def resume_or_go_on(k, rule):
    """It may pass over what it has, or open anew where it stands."""
    k.batch(20, 30)
    k.upto = 30
    try:
        k.expect_open(None, rule, seconds=1)
    except Broken as broken:
        if "nothing in" not in broken.what:
            raise
        k.upto = 30
    else:
        if k.upto not in (20, 30):
            raise Broken(rule, f"OPEN after {k.upto}, 20 or 30 was read last")
        k.opened()
    k.serve(rule=rule)
    k.everything(rule)


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
    k.wait_end("F8", 5)
    k.ended("fork", "F8", [])


def fork_on_return(k):
    """another history, found when the line comes back"""
    k.begin()
    k.cut("feed")
    k.expect_open(10, "F12")
    k.say("FORK", {"pos": 10})
    k.wait_end("F8", 5)
    k.ended("fork", "F8", range(1, 11))


def ahead(k):
    """a journal that is shorter than what was read"""
    k.start("read", "--after", 30, "--link", k.journal.links[30].hex())
    k.expect_open(30, "F7")
    k.say("AHEAD", {"head": 20})
    k.wait_end("F9", 5)
    k.ended("ahead", "F9", [])


def denied(k):
    """no right to read"""
    k.start("read")
    k.expect_open(0)
    k.say("DENIED", {"code": "principal", "why": "kit-reader is unknown"})
    k.wait_end("F10", 5)
    k.ended("denied", "F10", [])


def revoked(k):
    """the right is taken away on the way"""
    k.begin("read", "--until", 40)
    k.say("DENIED", {"code": "principal", "why": "revoked"})
    k.wait_end("F10", 5)
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
    began = time.monotonic()
    for _ in range(4):
        k.expect_open(0, "F11")
        k.say("ERROR", {"code": "database", "why": "the journal cannot be read now"})
    k.expect_open(0, "F11", want="OPEN once more")
    if time.monotonic() - began < 0.2:
        raise Broken("F11", "five OPENs in less than 0.2 s: later, and each time later, not at once")
    k.opened()
    k.serve(rule="F11")
    k.everything("F11")


def unknown_type(k):
    """a type that nobody knows yet"""
    k.journal = Journal(40, types={12: ("weather.forecast", 3), 40: ("weather.forecast", 4)})
    k.start("read", "--need", "ticket.registered/1")
    k.expect_open(0)
    k.opened()
    k.serve(rule="F13")
    k.everything("F13")


def unknown_version(k):
    """a version that it needs and does not know"""
    k.journal = Journal(40, types={25: ("ticket.registered", 2)})
    k.begin("read", "--need", "ticket.registered/1", upto=20)
    k.batch(20, 30)
    k.wait_end("F14", 5)
    k.ended("version", "F14")
    if not set(range(1, 21)) <= set(k.positions()) <= set(range(1, 25)):
        raise Broken("F14", f"its caller got {k.positions()[-1:]}, the version stood at 25")


def other_version(k):
    """a new version of what it does not need"""
    k.journal = Journal(40, types={25: ("ticket.registered", 2)})
    k.start("read", "--need", "job.offered/1")
    k.expect_open(0)
    k.opened()
    k.serve(rule="F14")
    k.everything("F14")


def unknown_keys(k):
    """keys and verbs of a later protocol"""
    k.journal = Journal(40, extra={13: {"weight": 4, "tags": ["a", {"b": None}]}})
    k.start("read")
    k.expect_open(0)
    k.say("WEATHER", {"sun": True})
    k.say("OPENED", {"epoch": 1, "head": 40, "first": 1, "whole": True, "mood": ["good"]})
    k.cost += k.say("BATCH", {**k.journal.batch(0, 20), "flavour": {"a": [1, 2]}})
    k.upto = 20
    k.say("WEATHER", {})
    k.serve(rule="T3")
    k.everything("T3")


def half_frames(k):
    """messages that are none: one frame, three, a cut map, something behind it, no map, no text"""
    k.begin()
    for frames in ([b"BATCH"], [b"BATCH", b"\x80", b"\x80"], [b"", b""]):
        k.feed.send_multipart([k.peer, *frames])
    for verb, data in ((b"HEAD", b"\x84\xa4head"), (b"HEAD", b"\x80\x80"), (b"HEAD", b"\x93\x01\x02\x03"), (b"\xff\xfe", b"\x80"),
                       (b"HEAD", b"\xdf\xff\xff\xff\xff"), (b"HEAD", b"\x81\xa4head\xc1")):
        k.feed.send_multipart([k.peer, verb, data])
    serve_on(k, 10, "T3")
    k.everything("T3")


def serve_on(k, upto, rule):
    """What follows, be it in this session or over a new OPEN from `upto`."""
    k.batch(upto, upto + 10)
    try:
        k.expect_open(None, rule, seconds=0.7)
    except Broken as broken:
        if "nothing in" not in broken.what:
            raise
    else:
        if k.upto not in (upto, upto + 10):
            raise Broken(rule, f"OPEN after {k.upto}, {upto} was read last")
        k.opened()
    k.serve(rule=rule)


def half_batch(k):
    """a batch cut in the middle"""
    k.begin()
    import msgpack
    raw = msgpack.packb(k.journal.batch(10, 20))
    k.say("BATCH", raw[:len(raw) // 2])
    k.batch(20, 30)
    k.upto = 10
    k.expect_open(10, "F3", want="OPEN from behind the hole")
    k.opened()
    k.serve()
    k.everything("F3")


def rotten_event(k):
    """a body that cannot be read"""
    k.begin()
    for _ in range(3):
        k.batch(10, 20, alter={14: (b"\xdf\xff\xff\xff\xff", None)})
        if not again(k, 10, "F6"):
            break
        k.opened()
    k.wait_end("F6", 15)
    k.ended(DAMAGED, "F6", range(1, 11))


def again(k, after, rule):
    """True: it opens anew from there. False: it has had enough."""
    try:
        k.expect_open(after, rule, want="OPEN from before the batch, or its end")
        return True
    except Broken as broken:
        if k.process.poll() is None or "it ended" not in broken.what:
            raise
        return False


def wrong_link(k):
    """a link that does not follow"""
    k.begin()
    for _ in range(9):
        k.batch(10, 20, link=bytes(16))
        if not again(k, 10, "F6"):
            break
        k.opened()
    k.wait_end("F6", 5)
    k.ended(DAMAGED, "F6", range(1, 11))


def wrong_first_link(k):
    """a journal under this name that begins otherwise"""
    k.start("read")
    k.expect_open(0)
    k.journal.links[10] = bytes(range(16))
    for _ in range(9):
        k.opened()
        k.batch(0, 10)
        if not again(k, 0, "F6"):
            break
    k.wait_end("F6", 5)
    k.ended(DAMAGED, "F6", [])


def altered(k):
    """an event that was altered, under the true link"""
    k.begin()
    forged = event(14, TYPES[0], 1, pad=3)
    for _ in range(9):
        k.batch(10, 20, alter={14: forged})
        if not again(k, 10, "F6"):
            break
        k.opened()
    k.wait_end("F6", 5)
    k.ended(DAMAGED, "F6", range(1, 11))


def wrong_link_once(k):
    """a link that does not follow, once"""
    k.begin()
    k.batch(10, 20, link=bytes(16))
    k.batch(20, 30)
    k.upto = 10
    if again(k, 10, "F6"):
        k.opened()
        k.serve(rule="F6")
        k.everything("F6")
    else:
        k.wait_end("F6", 5)
        k.ended(DAMAGED, "F6", range(1, 11))


def wrong_priv(k):
    """a personal part that is not the recorded one"""
    k.begin()
    import msgpack
    false = msgpack.packb([bytes(16), {"customer": {"name": "李四"}}])
    for _ in range(9):
        k.batch(10, 20, alter={15: (k.journal.events[15][0], false)})
        if not again(k, 10, "F15"):
            break
        k.opened()
    k.wait_end("F15", 5)
    k.ended(DAMAGED, "F15", range(1, 11))


def priv_withheld(k):
    """personal parts that it may not see"""
    k.begin()
    k.batch(10, 20, alter={15: (k.journal.events[15][0], None)})
    k.serve(rule="F15")
    k.everything("F15")


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


CHECKS = [plain, credit, overrun, gap, gap_inside, gap_at_the_end, duplicate, duplicate_inside, reordered, reordered_inside,
          slow_head, fork, fork_on_return, ahead, denied, revoked, full, database, unknown_type, unknown_version, other_version,
          unknown_keys, half_frames, half_batch, rotten_event, wrong_link, wrong_first_link, altered, wrong_link_once, wrong_priv,
          priv_withheld, resumed, cut_line, silent, stale, endpoints, standby, filtered, narrowed, curve]
SIDE = Feed
