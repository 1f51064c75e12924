"""What a reader meets that is not what it has to be: events of other versions, half frames, wrong links, false personal parts."""
import msgpack

from feed_side import Feed
from journal import TYPES, Journal, digest, event
from kit import PROTO, Broken

DAMAGED = ("damaged", "silent")


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
    k.wait_end("F14")
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
    k.serve(rule="T3", reopen=(10, 20, 30, 40))
    k.everything("T3")


def half_batch(k):
    """a batch cut in the middle"""
    k.begin()
    raw = msgpack.packb(k.journal.batch(10, 20))
    k.say("BATCH", raw[:len(raw) // 2])
    k.batch(20, 30)
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
    k.wait_end("F6")
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
    k.wait_end("F6")
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
    k.wait_end("F6")
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
    k.wait_end("F6")
    k.ended(DAMAGED, "F6", range(1, 11))


def wrong_link_once(k):
    """a link that does not follow, once"""
    k.begin()
    k.batch(10, 20, link=bytes(16))
    k.batch(20, 30)
    if again(k, 10, "F6"):
        k.opened()
        k.serve(rule="F6")
        k.everything("F6")
    else:
        k.wait_end("F6")
        k.ended(DAMAGED, "F6", range(1, 11))


def wrong_links_apart(k):
    """links that do not follow, twice, and twice elsewhere: what was good between them counts"""
    k.begin()
    for after in (10, 20):
        for _ in range(2):
            k.batch(after, after + 10, link=bytes(16))
            k.expect_open(after, "F6", want=f"OPEN after {after}: not the third time in turn behind it")
            k.opened()
        k.batch(after, after + 10)
    k.caught_up_from(30, "F6")


def bad_bodies(k):
    """bad-bodies.hex: cut, a key twice, U+0000, not UTF-8, nested 17 deep, lengths that are only declared"""
    k.begin()
    k.upto = 10
    for pos, what, body in bad_bodies_listed():
        after = pos - 1
        if k.upto != after:
            k.batch(k.upto, after)
        bodies = [body, *(k.journal.events[p][0] for p in range(pos + 1, pos + 5))]
        link = k.journal.links[after]
        for each in bodies:
            link = digest(link, each)
        k.batch(after, after + 5, alter={pos: (body, None)}, link=link)
        k.expect_open(after, "T2", want=f"OPEN from before a body that is none ({what})")
        k.opened()
    k.caught_up_from(k.upto, "T2")


def bad_bodies_listed():
    for block in (PROTO / "conformance" / "bad-bodies.hex").read_text(encoding="utf-8").split("\n# ")[1:]:
        title, *lines = block.splitlines()
        pos, what = title.split(": ", 1)
        yield int(pos), what, bytes.fromhex("".join(lines))


def wrong_priv(k):
    """a personal part that is not the recorded one"""
    k.begin()
    false = msgpack.packb([bytes(16), {"customer": {"name": "李四"}}])
    for _ in range(9):
        k.batch(10, 20, alter={15: (k.journal.events[15][0], false)})
        if not again(k, 10, "F15"):
            break
        k.opened()
    k.wait_end("F15")
    k.ended(DAMAGED, "F15", range(1, 11))


def priv_withheld(k):
    """personal parts that it may not see"""
    k.begin()
    k.batch(10, 20, alter={15: (k.journal.events[15][0], None)})
    k.serve(rule="F15")
    k.everything("F15")


CHECKS = [unknown_type, unknown_version, other_version, unknown_keys, half_frames, half_batch, rotten_event,
          wrong_link, wrong_first_link, altered, wrong_link_once, wrong_links_apart, bad_bodies, wrong_priv, priv_withheld]
SIDE = Feed
