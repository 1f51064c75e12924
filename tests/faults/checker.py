"""What must hold of a journal and of its workers whatever has happened to the daemons.

    found = check_journal(events, sent)     # complaints, each one line; empty: all is well

`events`: every event in order (client.Reader, which proves positions and links on the way). `sent`: per source what it
sent and what was acknowledged, {source: {n: Sent}}."""
import collections
import dataclasses


@dataclasses.dataclass
class Sent:
    type: str
    key: str
    pos: int = 0        # of its ACK; 0: none came
    refused: str = ""   # the code, where it was


# What must not be concluded twice: type -> what makes it the same.
ONCE = {
    "job.offered": lambda e: e["data"]["job"],
    "job.expired": lambda e: e["data"]["job"],
    "followup.due": lambda e: (e["key"], e["data"]["k"]),
    "followup.missed": lambda e: (e["key"], e["data"]["k"]),
    "sla.scheduled": lambda e: (e["key"], e["cause"]),
    "sla.warned": lambda e: clock(e) + (e["data"].get("level", 0), e["data"].get("target", 0)),
    "sla.breached": lambda e: clock(e) + (e["data"].get("level", 0), e["data"].get("target", 0)),
    "sla.met": lambda e: clock(e) + (e["data"].get("target", 0),),
}


def clock(event):
    return event["key"], event["data"]["clause"], event["data"].get("k", 0)


def check_sent(events, sent):
    """Every acknowledged event stands once, at its position; nothing stands that was not sent."""
    there = collections.defaultdict(list)
    for event in events:
        if event["from"] in sent:
            there[event["from"], event["n"]].append(event)
    for source, numbers in sent.items():
        for n, one in numbers.items():
            got = there.pop((source, n), [])
            if len(got) > 1:
                yield f"{source}/{n} stands {len(got)} times, at {[e['pos'] for e in got]}"
            if one.pos and not got:
                yield f"{source}/{n} {one.type} {one.key} was acknowledged at {one.pos} and is not there"
            if one.refused and got:
                yield f"{source}/{n} was refused ({one.refused}) and stands at {got[0]['pos']}"
            for event in got[:1]:
                if one.pos and event["pos"] != one.pos:
                    yield f"{source}/{n} was acknowledged at {one.pos} and stands at {event['pos']}"
                if (event["type"], event["key"]) != (one.type, one.key):
                    yield f"{source}/{n} was {one.type} {one.key} and became {event['type']} {event['key']}"
    for (source, n), got in there.items():
        yield f"{source}/{n} stands at {got[0]['pos']} and was never sent"


def check_once(events):
    """No id, no number of a source, no conclusion twice."""
    ids, numbers, slots = {}, {}, {}
    for event in events:
        pos = event["pos"]
        for what, seen, key in (("id", ids, event["id"]), ("number", numbers, (event["from"], event["n"]))):
            if key in seen:
                yield f"{what} {key} at {seen[key]} and again at {pos} ({event['type']})"
            seen[key] = pos
        if event["type"] in ONCE:
            key = event["type"], ONCE[event["type"]](event)
            if key in slots:
                yield f"{key[0]} {key[1]} at {slots[key]} and again at {pos}"
            slots[key] = pos


def check_causes(events):
    """A cause comes first, time never goes back, a conclusion says its own id."""
    rec = None
    for event in events:
        if event["cause"] >= event["pos"]:
            yield f"{event['pos']} follows from {event['cause']}"
        now = (event["rec"].seconds, event["rec"].nanoseconds)
        if rec is not None and now < rec:
            yield f"rec goes back at {event['pos']}"
        rec = now


def check_complete(events):
    """Nothing is missing: every open ticket has its offer and its clock, every resolution its callback."""
    tickets, jobs, clocks, callbacks, resolved = {}, {}, set(), {}, collections.Counter()
    nobody = set()  # tickets of which was said that nobody is left
    for event in events:
        kind, key, data = event["type"], event["key"], event["data"]
        if kind == "ticket.assessed":
            tickets.setdefault(key, "open")
        elif kind == "ticket.resolved" and tickets.get(key) == "open":
            tickets[key] = "resolved"
            resolved[key] += 1
        elif kind == "ticket.reopened" and tickets.get(key) in ("resolved", "closed"):
            tickets[key] = "open"
        elif kind == "ticket.closed" and tickets.get(key) == "resolved":
            tickets[key] = "closed"
        elif kind.startswith("job.") and "job" in data:
            mine = jobs.setdefault(key, {})
            mine[data["job"]] = job_next(mine, data["job"], kind[4:])
            if kind == "job.offered":
                nobody.discard(key)
        elif kind == "ticket.escalated" and "/nobody/" in event["id"]:
            nobody.add(key)
        elif kind == "sla.scheduled":
            clocks.update((key, limit["clause"]) for limit in data["limits"])
        elif kind == "followup.due":
            callbacks[key] = max(data["k"], callbacks.get(key, 0))
    for ticket, state in tickets.items():
        mine = list(jobs.get(ticket, {}).values())
        if state == "open" and mine.count("offered") + mine.count("accepted") != (0 if ticket in nobody else 1):
            yield f"{ticket} is open and its jobs are {mine}"
        if (ticket, "arrange") not in clocks:
            yield f"{ticket} has no clock"
        if resolved[ticket] and callbacks.get(ticket, 0) == 0:
            yield f"{ticket} was resolved and no callback was due"


# The state table of a job, as proto/README.md has it: before -> news -> after; what is not there changes nothing.
JOB = {
    None: {"offered": "offered"},
    "offered": {"accepted": "accepted", "declined": "declined", "expired": "expired", "arrived": "accepted",
                "reported": "done", "withdrawn": "withdrawn"},
    "accepted": {"declined": "declined", "reported": "done", "withdrawn": "withdrawn"},
    "declined": {"reported": "done", "withdrawn": "withdrawn"},
    "expired": {"accepted": "accepted", "arrived": "accepted", "reported": "done", "withdrawn": "withdrawn"},
    "withdrawn": {"reported": "done"},
}


def job_next(jobs, job, news):
    before = jobs.get(job)
    after = JOB.get(before, {}).get(news, before)
    others = [state for j, state in jobs.items() if j != job]
    if after == "accepted" != before and "accepted" in others:
        return before  # it gets job.withdrawn {taken}
    if news == "offered" and before is None and ("offered" in others or "accepted" in others):
        return "withdrawn"  # the story has moved on
    return after


def check_journal(events, sent):
    found = []
    for check in (lambda: check_sent(events, sent), lambda: check_once(events), lambda: check_causes(events),
                  lambda: check_complete(events)):
        found += check()
    return found


def story(events, key):
    """One key's events, a line each: what a failing test shows."""
    return "\n".join(f"{e['pos']:>7} {e['id']:<48} {e['type']:<20} cause {e['cause']} {e['data']}"
                     for e in events if e["key"] == key)
