"""Who puts a file meets this, and who gets one."""
import time

from file_side import LEAST, MOST, Shelf
from kit import Broken

SIZE = 5 * MOST + 777
NARROW = 16 * 1024  # bytes a second


# --- putting

def put(k):
    """a file in pieces"""
    k.put(SIZE)
    k.all_put("P2")


def put_in_turn(k):
    """no PUT before WELCOME, none before the ACK of the fact"""
    k.start_put(SIZE)
    k.expect_hello("P1")
    k.quiet(0.3, "P1", "before WELCOME")
    k.welcome()
    k.expect_append(rule="P1", want="APPEND of file.attached")
    k.quiet(0.3, "P1", "before the ACK of file.attached")
    k.fact_acked = True
    k.ack(1, k.next_n - 1)
    k.all_put("P1")


def put_not_attached(k):
    """the fact is refused: no bytes of it"""
    k.start_put(SIZE)
    k.greet_put()
    k.expect_append(rule="P1", want="APPEND of file.attached")
    k.ack(1, 1, refused=(1,))
    k.put_ended("refused", "P1", "missing")


def put_unanswered(k):
    """answers that take long"""
    k.put(9 * MOST)
    while k.kept < len(k.file):
        for said in k.flight():
            k.keep(said)
    k.put_ended("done", "P2")


def put_resumed(k):
    """the line is cut when a piece was kept that HAVE had not said"""
    k.put(SIZE, hb_ms=800)
    k.keep_until(MOST)
    k.flight()
    k.cut("cmd")
    k.kept = 2 * MOST + LEAST
    k.greet_put("P2", "HELLO after the line was cut")
    k.all_put("P2")


def put_lower(k):
    """less is kept than was sent, and than was said before: the database died"""
    k.put(SIZE)
    k.keep_until(MOST)
    k.flight()
    for _ in range(k.unanswered):
        k.have(upto=LEAST)
    k.all_put("P2")


def put_further(k):
    """more is kept than was sent: another run had brought it"""
    k.put(SIZE)
    k.flight()
    for _ in range(k.unanswered):
        k.have(upto=4 * MOST + LEAST)
    k.all_put("P2")


def put_there(k):
    """all of it is there before a piece was sent"""
    k.put(SIZE)
    k.expect_put("P3", "PUT")
    k.have(upto=SIZE, whole=True)
    k.put_ended("done", "P3")


def put_whole_early(k):
    """somebody else brings the rest meanwhile"""
    k.put(SIZE)
    k.keep_until(MOST)
    k.flight("P3")
    for _ in range(k.unanswered):
        k.have(upto=SIZE, whole=True)
    k.put_ended("done", "P3")


def put_not_whole(k):
    """every byte was sent, and HAVE does not say whole"""
    k.put(SIZE)
    k.last_piece()
    k.have(upto=SIZE)
    for _ in range(3):  # it may ask again
        if said := k.next_or_end("P3"):
            if k.judge_put(said)["bytes"]:
                raise Broken("P3", "a piece where nothing is left to be sent")
            k.have(upto=SIZE)
    k.wait_end("P3")
    k.ended(("refused", "damaged"), "P3")


def refused(code):
    def check(k):
        k.put(SIZE)
        k.keep_until(MOST)
        k.flight("P4")
        for _ in range(k.unanswered):
            k.have(code=code, why="the kit says so")
        k.put_ended("refused", "P4", code)
    check.__name__, check.__doc__ = f"put_{code.replace('-', '_')}", f"HAVE says {code}"
    return check


def put_thrown_away(k):
    """the content was another one: from 0 on, if at all"""
    k.put(SIZE)
    k.last_piece()
    k.have(upto=0, code="sha256", why="its bytes have another digest: all of it was thrown away")
    if not (said := k.next_or_end("P4")):
        k.put_ended("refused", "P4", "sha256")
        return
    if (said["offset"], said["bytes"]) != (0, k.file[:len(said["bytes"] or b"")]):
        raise Broken("P4", f"after all was thrown away a piece from {said['offset']} on")
    k.keep(k.judge_put(said))
    k.all_put("P4")


def put_later(k):
    """no room, no database: later, and then how far is it?"""
    k.put(SIZE)
    k.keep_until(2 * MOST)
    began = time.monotonic()
    k.flight("P4")
    for code in ("busy", "database", "busy", "database"):
        for _ in range(k.unanswered):
            k.have(upto=k.kept, code=code)
        k.expect_put("P4", "PUT once more")
    if time.monotonic() - began < 0.3:
        raise Broken("P4", "five PUTs in less than 0.3 s: later, and each time later, not at once")
    k.have()
    k.all_put("P4")


def put_empty(k):
    """a file without bytes"""
    k.put(0)
    said = k.expect_put("P1")
    if said["bytes"] or said["offset"]:
        raise Broken("P1", f"PUT from {said['offset']} on of a file without bytes")
    k.have(whole=True)
    k.put_ended("done", "P1")


def put_silent(k):
    """no word after a PUT: PING at the beat, after three a new connection, and how far is it?"""
    k.put(SIZE, hb_ms=800)
    k.keep_until(MOST)
    k.mute = True
    k.flight()
    peer = k.cmd_peer
    k.greet_put("A11", "HELLO anew")
    k.mute = False
    if k.cmd_peer == peer or "PING" not in k.said:
        raise Broken("A11", "HELLO over the silent connection" if k.cmd_peer == peer else "no PING in three beats of silence")
    k.all_put("P2")


def put_hello_again(k):
    """intake was started again and knows no session"""
    k.put(SIZE)
    k.keep_until(2 * MOST)
    k.flight()
    k.reply("ERROR", {"id": 0, "code": "hello", "why": "say HELLO first"})
    k.greet_put("A10", "HELLO once more")
    k.all_put("P2")


def put_killed(k):
    """killed on the way, started again: attached once, gone on with where it was"""
    k.put(SIZE)
    k.keep_until(2 * MOST)
    k.flight()
    k.kill()
    k.kept = 3 * MOST
    k.start_put(SIZE)
    k.greet_put("J3")
    while (said := k.hear(rule="J3", want="PUT")).verb == "APPEND":
        k.unread = said
        k.expect_append(rule="J3")
    k.keep(k.judge_put(said))
    k.all_put("P2")


# --- getting

def get(k):
    """a file in pieces"""
    k.get(SIZE)
    k.all_got("P5")


def get_odd_pieces(k):
    """pieces of any size"""
    k.get(4 * LEAST)
    for n in (1, LEAST, 100, 2 * LEAST + 17):
        k.give(n=n, upto=k.got + n)
    k.all_got("P5", n=77)


def get_shorter(k):
    """every piece is shorter than it might be"""
    k.get(10 * LEAST)
    while k.got < len(k.file):
        k.expect_get()
        k.part(n=max(1, k.wanted // 3))
    k.all_got("P5")


def get_narrow(k):
    """a line that bears 16 KiB a second: who says how much asks for what comes in a few seconds"""
    k.get(5 * NARROW)
    while k.got < len(k.file):
        said = k.expect_get()
        if "bytes" in said.fields:
            if k.wanted > 3 * NARROW:
                raise Broken("P5", f"GET of {k.wanted} bytes, {k.wanted / NARROW:.0f} seconds of this line")
            time.sleep(min(k.wanted, len(k.file) - k.got) / NARROW)
        k.part()
    k.all_got("P5")


def get_one_at_a_time(k):
    """an answer that takes a while"""
    k.get(3 * MOST)
    for _ in range(3):
        k.expect_get()
        k.quiet(0.3, "P5", "before the one before it was answered")
        k.part()
    k.all_got("P5")


def get_cut(k):
    """the line is cut: on at the same place"""
    k.get(SIZE)
    k.give(upto=2 * MOST)
    k.expect_get()
    k.cut("feed")
    k.expect_get("P5", "GET on the line that came back")
    k.part()
    k.all_got("P5")


def get_silent(k):
    """no answer: a new connection, which has no receipts yet"""
    k.get(SIZE)
    k.give(upto=2 * MOST)
    k.expect_get()
    if any(k.expect_get("P5", "GET over a new connection")["receipt"] or b""):
        raise Broken("P6", "a receipt of another connection")
    k.part()
    k.all_got("P5")


def get_other_part(k):
    """pieces of another place and of another file before the right one"""
    k.get(SIZE)
    k.give(upto=MOST)
    k.expect_get()
    for wrong in ({"offset": 3 * MOST}, {"sha256": bytes(32)}):
        k.say("PART", {"sha256": k.sha256, "offset": k.got, "bytes": b"other", "size": SIZE, "receipt": b"anothers", **wrong}, peer=k.getter)
    if said := k.soon(0.2, "P5"):  # it may have taken that for a broken line
        k.unread = said
        k.expect_get()
    k.part()
    k.all_got("P5")


def get_other_bytes(k):
    """bytes that have another digest"""
    k.get(SIZE)
    k.give(upto=2 * MOST)
    k.expect_get()
    k.part(bytes=b"x" * k.wanted)
    k.give()
    if not (said := k.next_or_end("P7")):
        k.got_ended("damaged", "P7")
        return
    k.unread, k.got = said, 0  # once more, from the beginning
    k.all_got("P7")


def not_given(code):
    def check(k):
        k.get(SIZE)
        k.expect_get("P7")
        k.not_given(code)
        k.got_ended("refused", "P7", code)
    check.__name__, check.__doc__ = f"get_{code}", f"PART says {code}"
    return check


def get_later(k):
    """no room, no database: later, from the same place"""
    k.get(SIZE)
    k.give(upto=2 * MOST)
    began = time.monotonic()
    for code in ("busy", "database", "busy", "database"):
        k.expect_get("P7", "GET once more")
        k.not_given(code)
    k.expect_get("P7", "GET once more")
    if time.monotonic() - began < 0.3:
        raise Broken("P7", "five GETs in less than 0.3 s: later, and each time later, not at once")
    k.part()
    k.all_got("P7")


def get_empty(k):
    """a file without bytes"""
    k.get(0)
    k.all_got("P5")


def get_killed(k):
    """killed on the way, started again: from where it was, or from the beginning"""
    k.get(SIZE)
    k.give(upto=3 * MOST)
    k.expect_get()
    k.kill()
    k.not_there_yet()
    k.start("get", k.sha256.hex(), k.out)
    said = k.hear(rule="P5", want="GET")
    if said.verb != "GET" or said["offset"] > k.got:
        raise Broken("P5", f"{said.verb} from {said['offset']} on, {k.got} bytes were given")
    k.unread, k.got = said, said["offset"]
    k.all_got("P5")


CHECKS = [put, put_in_turn, put_not_attached, put_unanswered, put_resumed, put_lower, put_further, put_there, put_whole_early, put_not_whole,
          *map(refused, ("unknown", "denied", "erased", "too-large", "too-small", "quota", "measure")), put_thrown_away, put_later, put_empty, put_silent,
          put_hello_again, put_killed,
          get, get_odd_pieces, get_shorter, get_narrow, get_one_at_a_time, get_cut, get_silent, get_other_part, get_other_bytes,
          *map(not_given, ("unknown", "denied", "erased", "awaited")), get_later, get_empty, get_killed]
SIDE = Shelf
