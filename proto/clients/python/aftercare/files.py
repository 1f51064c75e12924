"""Files of tickets over aftercare's stream (proto/README.md, P1 to P7).

    sha256 = files.put_file(client, "T-1", "report.pdf")  # the fact and its bytes; run again, it goes on where it was
    files.get_file(client, sha256, "copy.pdf")            # copy.pdf is there when its digest is true, not before

What ends for good raises Error: refused.CODE (of the fact, of HAVE, of PART), corrupt (other bytes than the digest says), state
(somebody else is at it) …; what passes is waited for, at most the client's `patience`."""
import fcntl
import hashlib
import os
import time

import msgpack

from . import LATER, SILENCE, TRIES, Error, Line, Source, digest

PIECE, LEAST = 128 * 1024, 4 * 1024


def put_file(client, ticket, path, name=None, media="", by=None, again=False):
    """Attaches it (at most 20 MiB) and brings its bytes; its digest in hex. The same ticket, name, media and content is the same fact,
    whoever of the principal runs it, and how often; again: it is attached once more."""
    with open(path, "rb") as file:
        found, size = digest_of(file)
        sha256, name = found.digest(), os.path.basename(path) if name is None else name
        fact = {"type": "file.attached", "v": 1, "key": ticket, **({"by": by} if by else {}), "priv": {"name": name},
                "data": {**({"media": media} if media else {}), "bytes": size, "sha256": sha256}}
        what = os.urandom(16) if again else digest(f"file\n{ticket}\n{name}\n{media}\n".encode(), sha256)
        with Source(client, None, what.hex()[:94 - len(client.key["principal"])]) as source:
            source.kept.update(incarnation=digest(source.kept["source"].encode()), events=[msgpack.packb(fact)])
            answer = source.deliver()[0]
            if answer.code and source.durable and not again:  # said to an earlier run: what it lacked may be there by now
                return put_file(client, ticket, path, name, media, by, again=True)
            if answer.code:
                raise Error(f"refused.{answer.code}", f"{answer.field} {answer.args or ''}")
            put_bytes(source, file, sha256, size)
    return sha256.hex()


def put_bytes(source, file, sha256, size):
    have, at, still, most = put(source, sha256), None, 0, 2 * LEAST  # how far is it?
    while have is None or not have.get("whole"):
        if have is None or have.get("code") in LATER:
            if have:
                later(source.line, have)
            have, at = put(source, sha256), None
            continue
        upto = min(have.get("upto", 0), size)
        file.seek(upto)
        piece = file.read(min(most, size - upto))
        if have.get("code") or not piece:  # without a code: all of it was sent, and it is another content
            raise Error(f"refused.{have.get('code') or 'sha256'}", have.get("why", ""))
        source.line.good()
        still, at, began = still + 1 if upto == at else 0, upto, time.monotonic()
        if still == TRIES:
            raise Error("corrupt", f"what is kept stands still at {upto}")
        have = put(source, sha256, offset=upto, bytes=piece)
        most = borne(most, len(piece), time.monotonic() - began if have else None)


def borne(most, came, took):
    """How large the next piece may be, so that a line is not filled for longer than it is waited for: a second or two. None: it broke."""
    if took is None:
        most //= 4
    elif took > 2:
        most = came / took
    elif took < 1 and came >= most:
        most *= 2
    return min(max(int(most), LEAST), PIECE)


def put(source, sha256, **piece):
    """HAVE. None: it is another connection now, and whatever was said may be lost; ask."""
    source.line.say("PUT", {"sha256": sha256, **piece})
    until = time.monotonic() + 90  # with somebody there, who may have lost it
    while time.monotonic() < until:
        heard = source.line.hear(source.beat)
        source.missed = 0 if heard else source.missed + 1
        if heard and heard[0] == "HAVE" and heard[1].get("sha256") == sha256:
            return heard[1]
        if not heard and source.missed < 3:
            source.line.say("PING", {})
        elif not heard or not source.on_answer(*heard[:2], 2, 1, {}):
            break
    return source.greet(2, 1, {})


def get_file(client, sha256, path):
    """A content, by its digest in hex, into the file `path`. Until then it is in PATH.part; what an earlier run left there is gone on with."""
    wanted, line = bytes.fromhex(sha256), Line(client, "feed", 0)
    with open(f"{path}.part", "a+b", opener=lambda name, flags: os.open(name, flags, 0o600)) as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise Error("state", f"{file.name} is in use") from None
        file.seek(0)
        try:
            if get_bytes(line, file, wanted, *digest_of(file)).digest() != wanted:
                file.truncate(0)  # the next run begins anew
                raise Error("corrupt", "the bytes that came have another digest")
        except Error:
            if file.seek(0, os.SEEK_END) == 0:
                os.unlink(file.name)
            raise
        finally:
            line.close()
        file.flush()
        os.fsync(file.fileno())
        os.replace(file.name, path)


def get_bytes(line, file, wanted, found, at):
    line.connect()
    receipt, silence, most = b"", SILENCE, 2 * LEAST
    while True:
        began = time.monotonic()
        line.say("GET", {"sha256": wanted, "offset": at, "bytes": most, **({"receipt": receipt} if receipt else {})})
        part = hear_part(line, wanted, at, silence)
        piece = part.get("bytes", b"") if part else b""
        if not part or piece:
            most = borne(most, len(piece), time.monotonic() - began if part else None)
        if part is None:  # a piece takes its time on a narrow line
            receipt, silence = b"", min(2 * silence, 40)
        elif part.get("code") in LATER:
            later(line, part)
        elif part.get("code"):
            raise Error(f"refused.{part['code']}", part.get("why", ""))
        elif not piece:
            return found
        else:
            line.good()
            found.update(piece)
            file.write(piece)
            at, receipt = at + len(piece), part.get("receipt", b"")


def hear_part(line, wanted, at, silence):
    until = time.monotonic() + silence
    while (left := until - time.monotonic()) > 0 and (heard := line.hear(left)):
        verb, fields = heard[:2]
        if verb == "DENIED" and fields.get("code") != "full":
            raise Error(f"denied.{fields.get('code')}", fields.get("why", ""))
        if verb in ("MOVED", "ERROR", "DENIED"):
            return line.connect(fields.get("endpoints"))
        if verb == "PART" and fields.get("sha256") == wanted and (fields.get("code") or fields.get("offset", 0) == at):
            return fields
    return line.connect()  # None: it is another one now


def digest_of(file):
    found = hashlib.sha256()
    while piece := file.read(PIECE):
        found.update(piece)
    return found, file.tell()


def later(line, fields):
    now, patience = time.monotonic(), line.client.patience
    line.silent_since = line.silent_since or now
    if patience is not None and now - line.silent_since > patience:
        raise Error(f"refused.{fields['code']}", fields.get("why", ""))
    line.pause = min(max(2 * line.pause, 0.1), 5.0)
    time.sleep(line.pause)  # T6
