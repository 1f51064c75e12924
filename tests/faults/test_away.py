"""PostgreSQL is away for a while: sources keep what they have, intake says that it has no session or nothing and takes nothing, no
daemon ends, and everything flows again by itself.

    test_away.py [--seconds N]      20 in ctest; ten minutes in tests/run --all"""
import argparse
import signal
import time

import campaign
from plant import Plant
from stack import Failed, until

# What proto/README.md lets intake say to a source that it cannot serve now.
MAY_SAY = {"BUSY", "ERROR"}
BACK_WITHIN = 40  # seconds from its coming back to an event that was taken


def processes(plant):
    return {name: daemon.pid for name, daemon in plant.daemons.items()}


def memory_kb(pid):
    with open(f"/proc/{pid}/status") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmRSS"))


def begins_unwell(plant):
    """An intake that does not know yet whether the journal is its to write does not say that it is well."""
    pid = plant.pid("intake")
    plant.to_pg["intake"].still(600)
    plant.daemons["intake"].signal(signal.SIGKILL)
    until("it runs again", lambda: plant.pid("intake") not in (None, pid))
    status, text = until("it says how it is", lambda: plant.address.ask("intake"))
    plant.to_pg["intake"].still(0)
    if status == 200:
        yield f"an intake that has just begun says {status} {text.strip()}"


def away(seconds):
    with Plant(wide=False, two=False) as plant:
        load = campaign.Load(plant, 1, 10, office=True, patience=seconds + campaign.SETTLE)
        sender = load.senders[1]
        until("something is answered", lambda: sender.said["ACK"] > 20)
        before = processes(plant)
        plant.pg.away()
        plant.pg.process.wait(120)
        said, spooled = dict(sender.said), sender.waiting()
        began = time.monotonic()
        until(f"PostgreSQL has been away for {seconds} s", lambda: time.monotonic() > began + seconds, seconds + 5)
        heard = {verb: n - said.get(verb, 0) for verb, n in sender.said.items() if n != said.get(verb, 0)}
        health = plant.address.is_well("intake")
        kept, memory = sender.waiting(), memory_kb(plant.pid("intake"))
        plant.pg.back()
        back = time.monotonic()
        until("an event is taken again", lambda: plant.pg.tend() or sender.said["ACK"] > said["ACK"], BACK_WITHIN)
        taken = time.monotonic() - back
        load.settle()
        load.stop()
        events, found = campaign.check(plant, load)
        after = processes(plant)
        print(f"away for {seconds} s: {kept} events kept by a branch (before: {spooled}), intake said {heard or 'nothing'} and has {memory} kB; "
              f"taken again after {taken:.1f} s; {len(events)} events in the end")
        if set(heard) - MAY_SAY:
            found.append(f"intake has said {heard} while there was no PostgreSQL")
        if health:
            found.append("intake was well while there was no PostgreSQL")
        if kept <= spooled:
            found.append(f"the branch has kept {kept}, and had {spooled}: nothing was registered meanwhile")
        if before != after:
            found.append(f"daemons have ended: {before} before, {after} after")
        found += begins_unwell(plant)
        if found:
            raise Failed("\n".join(found))


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--seconds", type=int, default=20)
    away(parser.parse_args().seconds)
