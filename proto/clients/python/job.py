#!/usr/bin/python3
"""The jobs of the conformance kit (proto/conformance/README.md), done by this client."""
import argparse
import json
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import aftercare  # noqa: E402
from aftercare import files  # noqa: E402

ENDS = ("fork", "ahead", "denied", "version", "conflict", "refused", "silent")  # what else ends it is refused


def out(**fields):
    print(json.dumps(fields, ensure_ascii=False), flush=True)


def read(client, args):
    needs = {name: int(v) for name, v in (need.rsplit("/", 1) for need in args.need)}
    with client.read(args.after, bytes.fromhex(args.link) or None, types=args.type, needs=needs, follow=args.until > 0) as reader:
        for batch in reader:
            for event in batch.events:
                out(pos=event["pos"], type=event["type"])
            reader.commit(batch)
            if 0 < args.until <= reader.have:
                break
        out(end="caught-up", pos=reader.have, link=(reader.link or b"").hex())


def append(client, args):
    with client.source(args.state) as source:
        answers = list(source.recovered)
        answers += source.append([{"type": "ticket.registered", "v": 1, "key": f"KIT-{n}", "by": "kit", "data": {"kind": "repair"}}
                                  for n in range(source.n, args.n + 1)])
    for answer in answers:
        out(n=answer.n, **({"pos": answer.pos} if answer.pos else {"code": answer.code, "field": answer.field}))
    out(end="done")


def ask(client, args):
    rows, as_of = client.ask(args.to, args.question)
    for row in rows:
        out(**row)
    out(end="done", as_of=as_of)


def put(client, args):
    files.put_file(client, args.ticket, args.file)  # what STATE is for it has from intake
    out(end="done")


def get(client, args):
    files.get_file(client, args.sha256, args.out)
    out(end="done")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("key")
    jobs = parser.add_subparsers(dest="job", required=True)
    job = jobs.add_parser("read")
    job.set_defaults(do=read)
    job.add_argument("--after", type=int, default=0)
    job.add_argument("--link", default="")
    job.add_argument("--type", action="append", default=[])
    job.add_argument("--need", action="append", default=[])
    job.add_argument("--until", type=int, default=0)
    job = jobs.add_parser("append")
    job.set_defaults(do=append)
    job.add_argument("n", type=int)
    job.add_argument("state")
    job = jobs.add_parser("ask")
    job.set_defaults(do=ask)
    job.add_argument("to")
    job.add_argument("question")
    job = jobs.add_parser("put")
    job.set_defaults(do=put)
    job.add_argument("ticket")
    job.add_argument("file")
    job.add_argument("state")
    job = jobs.add_parser("get")
    job.set_defaults(do=get)
    job.add_argument("sha256")
    job.add_argument("out")
    args = parser.parse_args()
    try:
        with aftercare.open(args.key) as client:
            args.do(client, args)
    except aftercare.Error as error:
        head, _, code = error.code.partition(".")
        damaged = head in ("hole", "link", "priv", "corrupt")
        if not damaged and head not in ENDS:
            head, code = "refused", error.code
        out(end="damaged" if damaged else head, **({"code": code} if code else {}))
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
