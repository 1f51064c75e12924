"""Faults of a client that puts and gets files, laid over Python's: the part of sloppy.py that is about them."""
import hashlib
import types

import aftercare
import msgpack
from aftercare import files

Line, Source, Error = aftercare.Line, aftercare.Source, aftercare.Error
say, hear, connect, send = Line.say, Line.hear, Line.connect, Source.send
put, hear_part, put_bytes = files.put, files.hear_part, files.put_bytes


def having(change):
    """HAVE as `change(have, what PUT said)` has it."""
    def altered(source, sha256, **piece):
        have = put(source, sha256, **piece)
        return have and change(have, piece)
    files.put = altered


def crumbs():
    files.LEAST = files.PIECE = 1000


def eager():
    def altered(self, n, last):
        say(self.line, "PUT", {"sha256": msgpack.unpackb(self.kept["events"][0])["data"]["sha256"]})
        send(self, n, last)
    Source.send = altered


def all_pieces_at_once():
    def altered(source, file, sha256, size):
        for at in range(0, size, files.PIECE):
            file.seek(at)
            source.line.say("PUT", {"sha256": sha256, "offset": at, "bytes": file.read(files.PIECE)})
        return put_bytes(source, file, sha256, size)
    files.put_bytes = altered


def asks_once():
    said = [0]

    def altered(source, sha256, **piece):
        if not piece and said[0]:
            return {"upto": said[0]}
        said[0] = piece.get("offset", 0) + len(piece.get("bytes", b""))
        return put(source, sha256, **piece)
    files.put = altered


def counts_its_pieces():
    having(lambda have, piece: {**have, "upto": piece["offset"] + len(piece["bytes"])} if piece and not have.get("whole") else have)


def never_whole():
    having(lambda have, piece: {name: value for name, value in have.items() if name != "whole"})


def sent_is_whole():
    having(lambda have, piece: {**have, "whole": True} if piece and len(piece["bytes"]) % 4096 else have)


def deaf_to_codes():
    having(lambda have, piece: {name: value for name, value in have.items() if name != "code"})


def goes_on_regardless():
    having(lambda have, piece: {"upto": 2 * files.PIECE} if have.get("code") else have)


def nothing_to_bring():
    files.put_bytes = lambda source, file, sha256, size: size and put_bytes(source, file, sha256, size)


def attaches_again():
    put_file = files.put_file
    files.put_file = lambda *args: put_file(*args, again=True)


def getting(change):
    """GET as `change(what it says)` has it."""
    Line.say = lambda self, verb, fields: say(self, verb, change(fields) if verb == "GET" else fields)


def receiptless():
    getting(lambda f: {name: value for name, value in f.items() if name != "receipt"})


def keeps_the_last_receipt():
    def altered(line, wanted, at, *rest):
        part = hear_part(line, wanted, at, *rest)
        if part and at + len(part.get("bytes", b"")) == part.get("size", 0):
            line.say = lambda verb, fields: None
            line.hear = lambda seconds: ("PART", {"sha256": wanted, "offset": part["size"]}, 0)
        return part
    files.hear_part = altered


def same_receipt_elsewhere():
    last = {}

    def altered(self, verb, fields):
        if verb == "GET":
            last.update({"receipt": fields["receipt"]} if "receipt" in fields else {})
            fields = {**fields, **last}
        say(self, verb, fields)
    Line.say = altered


def counts_whole_pieces():
    getting(lambda f: {**f, "offset": -(-f["offset"] // files.PIECE) * files.PIECE})


def counts_what_it_asked():
    due = [0]

    def change(fields):
        at, due[0] = due[0], due[0] + fields["bytes"]
        return {**fields, "offset": at}
    getting(change)


def asks_for_nothing():
    getting(lambda f: {**f, "bytes": 0})


def asks_for_too_much():
    getting(lambda f: {**f, "bytes": files.PIECE + 1})


def more_and_more():
    files.borne = lambda most, *_: min(2 * most, files.PIECE)


def twice_at_once():
    def altered(self, verb, fields):
        for _ in range(2 if verb == "GET" else 1):
            say(self, verb, fields)
    Line.say = altered


def anew_each_time():
    connected = [0]

    def altered(self, endpoints=None):
        connected[0] += 1
        connect(self, endpoints)
    Line.connect = altered
    getting(lambda f: {**f, "offset": 0} if connected[0] > 1 else f)


def any_part():
    files.hear_part = lambda line, *rest: hear(line, 5)[1]


def believes_bytes():
    get_bytes = files.get_bytes
    files.get_bytes = lambda line, file, wanted, *rest: (get_bytes(line, file, wanted, *rest), types.SimpleNamespace(digest=lambda: wanted))[1]


def writes_at_out():
    def altered(client, sha256, path):
        with open(path, "wb") as file:
            files.get_bytes(Line(client, "feed", 0), file, bytes.fromhex(sha256), hashlib.sha256(), 0)
    files.get_file = altered


def deaf_to_part_codes():
    def altered(line, wanted, at, *rest):
        part = hear_part(line, wanted, at, *rest)
        return part and {name: value for name, value in part.items() if name != "code"}
    files.hear_part = altered


def nothing_is_no_file():
    def altered(line, wanted, at, *rest):
        part = hear_part(line, wanted, at, *rest)
        if part and not part.get("size"):
            raise Error("refused.empty")
        return part
    files.hear_part = altered


def behind_what_it_had():
    digest_of = files.digest_of
    files.digest_of = lambda file: (digest_of(file)[0], 0)


FOR = {  # as in sloppy.py
    "file.put": (crumbs, "P2"), "file.put-in-turn": (eager, "P1"), "file.put-unanswered": (all_pieces_at_once, "P2"),
    "file.put-resumed": (asks_once, "P2"), "file.put-lower": (counts_its_pieces, "P2"), "file.put-further": (counts_its_pieces, "P2"),
    "file.put-there": (never_whole, "P3"), "file.put-whole-early": (never_whole, "P3"), "file.put-not-whole": (sent_is_whole, "P3"),
    "file.put-unknown": (deaf_to_codes, "P4"), "file.put-denied": (deaf_to_codes, "P4"), "file.put-erased": (deaf_to_codes, "P4"),
    "file.put-too-large": (deaf_to_codes, "P4"), "file.put-too-small": (deaf_to_codes, "P4"), "file.put-quota": (deaf_to_codes, "P4"),
    "file.put-measure": (deaf_to_codes, "P4"), "file.put-thrown-away": (goes_on_regardless, "P4"), "file.put-empty": (nothing_to_bring, "P1"),
    "file.put-killed": (attaches_again, "J3"), "file.get": (receiptless, "P6"), "file.get-odd-pieces": (counts_whole_pieces, "P5"),
    "file.get-shorter": (counts_what_it_asked, "P5"),
    "file.get-narrow": (more_and_more, "P5"), "file.get-one-at-a-time": (twice_at_once, "P5"), "file.get-cut": (anew_each_time, "P5"),
    "file.get-silent": (same_receipt_elsewhere, "P6"), "file.get-other-part": (any_part, "P5"),
    "file.get-other-bytes": (believes_bytes, "P7"), "file.get-unknown": (deaf_to_part_codes, "P7"),
    "file.get-denied": (deaf_to_part_codes, "P7"), "file.get-erased": (deaf_to_part_codes, "P7"),
    "file.get-awaited": (deaf_to_part_codes, "P7"), "file.get-empty": (nothing_is_no_file, "P5"),
    "file.get-killed": (behind_what_it_had, "P5"),
}
ALSO = [("file.get", asks_for_nothing, "P5"), ("file.get", asks_for_too_much, "P5"), ("file.get", keeps_the_last_receipt, "P6"), ("file.get", writes_at_out, "J4")]
