"""A made-up journal: events with bodies, personal parts and links, as proto/README.md says. The same each time."""
import hashlib

import msgpack

STREAM = "kit-0badcafe"
PRINCIPAL = "kit-reader"
TYPES = ["ticket.registered", "ticket.assessed", "job.offered", "job.accepted", "sla.scheduled", "job.reported"]


def digest(*parts):
    return hashlib.sha256(b"".join(parts)).digest()[:16]


def event(pos, type_, v, pad=0, extra=None, personal=None):
    """(body, priv or None) of one position; `extra` are keys that no version knows yet."""
    priv = None
    fields = {"pos": pos, "id": f"KIT/{pos}", "type": type_, "v": v, "key": STREAM if pos == 1 else f"T-{pos % 7}",
              "from": "intake" if pos == 1 else "KIT", "n": pos, "at": msgpack.Timestamp(1309498353 + pos, 250000000),
              "rec": msgpack.Timestamp(1309498354 + pos, 0), "cause": pos - 1, "by": "0032 for KIT",
              "data": {"stream": STREAM} if pos == 1 else {"kind": "repair", "note": "修" * 3 + "x" * pad}}
    if personal:
        priv = msgpack.packb([bytes(range(16)), personal])
        fields["pd"] = hashlib.sha256(priv).digest()
    return msgpack.packb({**fields, **(extra or {})}), priv


class Journal:
    """Positions 1 … n. types: {pos: (type, v)} that differ; extra: {pos: keys}."""

    def __init__(self, n, pad=0, types=None, extra=None):
        self.events, self.links, self.types = [None], [digest(STREAM.encode())], [None]
        for pos in range(1, n + 1):
            name, v = (types or {}).get(pos, ("stream.created" if pos == 1 else TYPES[pos % len(TYPES)], 1))
            personal = {"customer": {"name": "王小明"}} if pos % 5 == 0 else None
            body, priv = event(pos, name, v, pad, (extra or {}).get(pos), personal)
            self.events.append((body, priv))
            self.types.append(name)
            self.links.append(digest(self.links[-1], body))
        self.n = n

    def batch(self, after, upto, positions=None, link=None, alter=None):
        """A BATCH's map. positions: which are in it (default all); alter: {pos: (body, priv)} put in their place."""
        events = [list((alter or {}).get(p, self.events[p])) for p in (range(after + 1, upto + 1) if positions is None else positions)]
        return {"after": after, "upto": upto, "link": link or self.links[upto], "events": events}
