"""What must hold of a journal and of its workers whatever has happened to the daemons.

    found = check_journal(events, sent)     # complaints, each one line; empty: all is well

`events`: every event in order (client.Reader, which proves positions and links on the way). `sent`: per source what it
sent and what was acknowledged, {source: {n: Sent}}. tables.py goes on from here to what PostgreSQL holds."""
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


def check_kept(events, source, kept, refused):
    """A branch's daemon: each fact that it has said to keep stands once under its number, in order, or the centre has refused it;
    it refuses no registration here, and something was kept at all.
    kept: {the branch's number: Sent}; refused: {number: code}"""
    there = collections.defaultdict(list)
    for event in events:
        if event["from"] == source:
            there[event["n"]].append(event)
    if list(there) != sorted(there):
        yield f"{source}'s facts stand in the order {list(there)[:20]}"
    if sorted(kept) != list(range(1, len(kept) + 1)):
        yield f"{source} gave out {len(kept)} numbers: {sorted(kept)[:20]}"
    if not kept:
        yield f"{source} kept nothing"
    keys = [one.key for one in kept.values() if one.type == "ticket.registered"]
    if len(set(keys)) != len(keys):
        yield f"{source} gave a ticket's number twice: {[k for k, n in collections.Counter(keys).items() if n > 1][:9]}"
    for n, one in kept.items():
        got = there.pop(n, [])
        if one.type == "ticket.registered" and n in refused:
            yield f"{source}/{n} {one.type} {one.key} was refused: {refused[n]}"
        if len(got) + (n in refused) != 1:
            yield f"{source}/{n} {one.type} {one.key} was kept; it stands {len(got)} times, refused: {refused.get(n, 'no')}"
        elif got and (got[0]["type"], got[0]["key"]) != (one.type, one.key):
            yield f"{source}/{n} was {one.type} {one.key} and became {got[0]['type']} {got[0]['key']}"
    for n, got in there.items():
        yield f"{source}/{n} stands at {got[0]['pos']} and was never given"


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


class Story:
    """A ticket, as the state tables of proto/README.md have it."""

    def __init__(self):
        self.state, self.jobs, self.nobody, self.resolved, self.reported = None, {}, False, 0, False
        self.has_clock, self.limits, self.judged, self.callbacks, self.answered = False, {}, set(), set(), set()

    def held(self, *states):
        return sum(state in states for state in self.jobs.values())

    def read(self, event):
        kind, data = event["type"], event["data"]
        family, _, news = kind.partition(".")
        if family == "ticket":
            self.read_ticket(news, event)
        elif family == "job" and "job" in data:
            job = data["job"]
            after = job_next(self, job, news, data.get("outcome"))
            if news == "reported" and after == "done" != self.jobs.get(job) and data.get("outcome") != "failed":
                self.reported = True
            if after is not None:
                self.jobs[job] = after
            if news == "offered" or after == "accepted":
                self.nobody = False  # who was late takes it after all
        elif kind == "sla.scheduled":
            self.has_clock = True
            for limit in data["limits"]:
                due = limit.get("due")
                self.limits[limit["clause"], limit.get("k", 0)] = due and (due.seconds, due.nanoseconds)
        elif kind in ("sla.met", "sla.breached"):
            self.judged.add((data["clause"], data.get("k", 0)))
        elif kind == "followup.due":
            self.callbacks.add(data["k"])
        elif kind == "followup.missed" or (kind == "followup.recorded" and data.get("reached")):
            self.answered.add(data.get("k", 0))

    def read_ticket(self, news, event):
        if news == "assessed":
            self.state = self.state or "open"
        elif news == "resolved" and self.state == "open":
            self.state = "resolved"
            self.resolved += 1
            live = [j for j, s in self.jobs.items() if s == "accepted"] or [j for j, s in self.jobs.items() if s == "offered"]
            if live and event["data"].get("job", live[0]) == live[0]:
                self.jobs[live[0]] = "done"  # another one that is named did it: then this one gets job.withdrawn
        elif news == "cancelled" and self.state == "open":
            self.state = "cancelled"
        elif news == "closed" and self.state == "resolved":
            self.state = "closed"
        elif news == "reopened" and self.state in ("resolved", "closed"):
            self.state, self.reported = "open", False
        elif news == "escalated" and "/nobody/" in event["id"] and not self.held("accepted"):
            self.nobody = True  # unless who was late took it meanwhile


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


def job_next(story, job, news, outcome=None):
    before = story.jobs.get(job)
    after = JOB.get(before, {}).get(news, before)
    others = [state for j, state in story.jobs.items() if j != job]
    ended = story.reported or story.state in ("resolved", "closed", "cancelled")
    if after == "accepted" != before and ("accepted" in others or ended):
        return before  # it gets job.withdrawn
    if news == "offered" and before is None and (ended or "offered" in others or "accepted" in others):
        return "withdrawn"  # the story has moved on
    if news == "reported" and outcome != "failed" and ended and before != "accepted":
        return before
    if news == "reported" and outcome == "failed" and (before == "declined" or before == "withdrawn" or (
            before == "expired" and (ended or "offered" in others or "accepted" in others))):
        return before
    return after


def stories_of(events):
    """{ticket: Story}"""
    stories = collections.defaultdict(Story)
    for event in events:
        if event["type"].split(".")[0] in ("ticket", "job", "sla", "followup"):
            stories[event["key"]].read(event)
    return {key: one for key, one in stories.items() if one.state is not None}


def check_complete(events):
    """Nothing is missing once all is quiet: every open ticket has its offer and its clock, every limit that is over its verdict, every
    resolution its callback and every callback its end."""
    now = (events[-1]["rec"].seconds, events[-1]["rec"].nanoseconds) if events else (0, 0)
    for ticket, one in stories_of(events).items():
        jobs = list(one.jobs.values())
        if one.state == "open" and one.held("offered", "accepted") != (0 if one.nobody else 1):
            yield f"{ticket} is open and its jobs are {jobs}"
        if not one.has_clock:
            yield f"{ticket} has no clock"
        for (clause, k), due in one.limits.items():
            if one.state == "open" and due and due < now and (clause, k) not in one.judged:
                yield f"{ticket} {clause}.{k} was due at {due}, it is {now}, and there is no verdict"
        if one.resolved and not one.callbacks:
            yield f"{ticket} was resolved and no callback was due"
        if one.state == "resolved":
            yield f"{ticket} is resolved and neither closed nor reopened; callbacks due {one.callbacks}, ended {one.answered}"


def check_journal(events, sent):
    found = []
    for check in (lambda: check_sent(events, sent), lambda: check_once(events), lambda: check_causes(events),
                  lambda: check_complete(events)):
        found += check()
    return found


def story(events, key):
    """One key's events, a line each: what a failing test shows."""
    return "\n".join(f"{e['pos']:>7} {e['id']:<48} {e['type']:<20} cause {e['cause']} {e['data']}"
                     for e in events if e.get("key") == key)
