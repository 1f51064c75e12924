"""What PostgreSQL must hold once all is quiet: the journal and the sources against what readers were told, and every worker's
tables against the journal.

    found = check_tables(stack, events, bodies, sent, witness)     # complaints, each one line

`stack` answers sql(query); `events` and their bodies were read from the feed, `witness` has heard live."""
import collections
import hashlib

from checker import stories_of
from client import digest
from stack import WORKERS


def check_journal_rows(stack, events, bodies):
    """The rows are what the feed told, each link follows from the one before, the head is the last of them."""
    rows = stack.sql("SELECT pos, encode(link, 'hex'), encode(sha256(body), 'hex') FROM intake.journal ORDER BY pos")
    link = digest(events[0]["data"]["stream"].encode())
    for i, (pos, stored, body) in enumerate(rows):
        if int(pos) != i + 1:
            yield f"the journal has {pos} behind {i}"
            return
        if i >= len(bodies) or hashlib.sha256(bodies[i]).hexdigest() != body:
            yield f"the feed tells another event at {pos} than the journal has"
            return
        link = digest(link + bodies[i])
        if link.hex() != stored:
            yield f"the link at {pos} does not follow from its body and the link before"
            return
    if len(rows) != len(bodies):
        yield f"the journal has {len(rows)} events, the feed tells {len(bodies)}"
    pos, stored = stack.sql("SELECT pos, encode(link, 'hex') FROM intake.head")[0]
    if int(pos) != len(rows) or stored != link.hex():
        yield f"the head is {pos} {stored}, the last event {len(rows)} {link.hex()}"


def check_sources(stack, sent):
    """Every number of every source is answered once: taken or refused. Who was told that his event is refused finds it so."""
    answered = collections.defaultdict(list)
    for name, n in stack.sql("SELECT s.name, j.n FROM intake.journal j JOIN intake.source s ON s.id = j.source"):
        answered[name].append(int(n))
    refused = {}
    for name, n, code in stack.sql("SELECT s.name, r.n, r.code FROM intake.refused r JOIN intake.source s ON s.id = r.source"):
        answered[name].append(int(n))
        refused[name, int(n)] = code
    for name, last in stack.sql("SELECT name, last FROM intake.source WHERE id <> 1"):
        if sorted(answered[name]) != list(range(1, int(last) + 1)):
            numbers = collections.Counter(answered[name])
            yield f"{name} gave out 1 to {last}; twice: {[n for n in numbers if numbers[n] > 1][:9]}, " \
                  f"missing: {[n for n in range(1, int(last) + 1) if n not in numbers][:9]}"
    for source, numbers in sent.items():
        for n, one in numbers.items():
            if one.refused and refused.get((source, n)) != one.refused:
                yield f"{source}/{n} was refused with {one.refused}, the table says {refused.get((source, n))}"
            if one.pos and (source, n) in refused:
                yield f"{source}/{n} was taken at {one.pos} and is among the refused: {refused[source, n]}"


def check_live(events, bodies, witness):
    """Whatever was told live stands in the journal for ever."""
    links, link = [b"\0" * 16], digest(events[0]["data"]["stream"].encode())
    for body in bodies:
        link = digest(link + body)
        links.append(link)
    for pos, told in witness.bodies.items():
        if pos > len(bodies) or told != {digest(bodies[pos - 1])}:
            yield f"live told of {len(told)} event(s) at {pos} that the journal does not have"
    for pos, told in witness.links.items():
        if pos > len(bodies) or (pos and told != {links[pos]}):
            yield f"live told of a head at {pos} that the journal does not have"


def nothing_in_flight(stack):
    """What is not done yet; empty: every worker has applied all, and all its conclusions are in the journal."""
    head, link = stack.sql("SELECT pos, encode(link, 'hex') FROM intake.head")[0]
    upto = dict(stack.sql("SELECT name, upto FROM intake.source"))
    for worker in WORKERS:
        pos, there = stack.sql(f'SELECT pos, encode(link, \'hex\') FROM "{worker}".cursor')[0]
        if pos != head or there != link:
            yield f"{worker} is at {pos} {there}, the head at {head} {link}"
        elif upto.get(worker) != head:
            yield f"{worker} has said its conclusions up to {upto.get(worker)}, the head is {head}"


def check_rows(stack, events):
    """The workers' tables say what the journal says, by another reckoning than their own."""
    stories = stories_of(events)
    jobs = {job: state for one in stories.values() for job, state in one.jobs.items()}
    rows = dict(stack.sql("SELECT job, state FROM dispatcher.job"))
    for job in jobs.keys() | rows.keys():
        if jobs.get(job) != rows.get(job):
            yield f"job {job} is {rows.get(job)} for the dispatcher, by the state table it is {jobs.get(job)}"
    rows = dict(stack.sql("SELECT ticket, state FROM dispatcher.ticket"))
    for ticket in stories.keys() | rows.keys():
        said = stories[ticket].state if ticket in stories else None
        if rows.get(ticket) != said:
            yield f"ticket {ticket} is {rows.get(ticket)} for the dispatcher, by the state table it is {said}"
    for callback, state in stack.sql('SELECT callback, state FROM "follow-up".callback WHERE state IN (\'scheduled\', \'due\')'):
        yield f"callback {callback} is {state} for ever"
    late = stack.sql('SELECT clock, next FROM "sla-watchdog".clock WHERE open AND next <= (SELECT checked FROM "sla-watchdog".cursor)')
    for clock, instant in late:
        yield f"clock {clock} has said nothing of {instant}, which is over"


def check_tables(stack, events, bodies, sent, witness=None):
    found = []
    for check in (lambda: check_journal_rows(stack, events, bodies), lambda: check_sources(stack, sent),
                  lambda: nothing_in_flight(stack), lambda: check_rows(stack, events)):
        found += check()
    return found + (list(check_live(events, bodies, witness)) if witness is not None else [])
