"""Maps as bytes. A map that is none by T2 (cut, a key twice, a text with U+0000 or not UTF-8, nested deeper than 16) is refused, whole."""
import hashlib

import msgpack

DEPTH_MAX = 16


class Error(Exception):
    """code: fork, ahead, denied.CODE, hole, link, priv, version, conflict, silent, credit, malformed … ; why: for people."""

    def __init__(self, code, why=""):
        super().__init__(f"{code}: {why}" if why else code)
        self.code, self.why = code, why


def digest(*parts):
    return hashlib.sha256(b"".join(parts)).digest()[:16]


def unique(pairs):
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a key twice")
    return found


def look(value, depth=1):
    if isinstance(value, str):
        if "\0" in value:
            raise ValueError("U+0000 in a text")
    elif isinstance(value, (dict, list)):
        if depth > DEPTH_MAX:
            raise ValueError("nested too deeply")
        for inner in value:
            look(inner, depth + 1)
        for inner in value.values() if isinstance(value, dict) else ():
            look(inner, depth + 1)
    return value


def unpack(data):
    return look(msgpack.unpackb(data, object_pairs_hook=unique))


def pack_event(event):
    """Once, before it gets its number: what intake could not read would stand under it for ever."""
    try:
        data = msgpack.packb(event, datetime=True)
        unpack(data)
        return data
    except (TypeError, ValueError, OverflowError) as error:
        raise Error("malformed", f"an event that cannot be sent: {error}") from None
