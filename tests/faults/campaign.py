"""A campaign: a whole plant under load, faults at random from a seed, and the proof afterwards that nothing is lost, nothing twice,
nothing missing.

    run [--minutes N] [--seed S] [--rate R] [--only DEED,DEED] [--keep]     (campaign.py itself, by its short name)

A line a fault; at the end the faults by kind and the verdict. Without --minutes it takes about a minute."""
import argparse
import os
import pathlib
import sys
import threading
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "integration")]

import checker
import tables
from client import Reader
from deeds import Deeds, WEIGHTS
from load import Follower, Sender, Witness, World, source_of
from office import Desk, Office
from plant import Plant
from stack import DAEMONS, WORKERS, Failed, jsonl, until

SHORT = 35    # seconds of faults
QUIET = 6     # seconds, longer than any limit of the policy goes without a word
SETTLE = 240  # seconds that a campaign may take to come to rest, on a machine with other things to do
SITES = [{"type": "site.updated", "key": f"S{i}", "by": "hq", "data": {"name": f"site {i}", "tier": 3, "territories": ["R"],
                                                                      "region": "R1"}} for i in range(6)] + \
        [{"type": "site.updated", "key": "HQ", "by": "hq", "data": {"name": "headquarters", "tier": 1, "region": "R1"}}]


class Load:
    """Two branches, one of them behind the wide line, a third one with its own daemon, an integrator who follows, a witness, a clerk
    with files. Each comes by a key of its own."""

    def __init__(self, plant, seed, rate, office=False, patience=SETTLE):
        """patience: seconds that the clerk tries to hand in a file."""
        self.patience = patience
        self.plant, self.rate, operator = plant, rate, plant.key("operator")
        plant("policy", "publish", HERE / "policy.yaml")
        plant("append", jsonl(plant.data / "sites.jsonl", SITES))
        stream = next(iter(Reader(plant.endpoint("feed"), "operator/test", operator).events()))["data"]["stream"]
        network = plant.wan.branch if plant.wan is not None else None
        far, near = source_of(plant, "far"), source_of(plant, "near")
        self.senders = [Sender(plant.endpoint("cmd", branch=True), stream, far[0], network, far[1]),
                        Sender(plant.endpoint("cmd"), stream, near[0], key=near[1])]
        self.office = Office(plant).__enter__() if office else None
        self.desks = [Desk(self.office)] if office else []
        self.world = World(self.senders + self.desks, seed)
        self.follower = Follower(plant.endpoint("feed"), self.world.on_event, operator)
        self.witness = Witness(plant.endpoint("live"), plant.key("dispatcher"))
        self.over, self.files = threading.Event(), []
        self.threads = [threading.Thread(target=self.tick, daemon=True), threading.Thread(target=self.clerk, daemon=True)]
        for thread in (*self.senders, *self.desks, self.follower, self.witness, *self.threads):
            thread.start()

    def tick(self):
        while not self.over.wait(1 / self.rate):
            self.world.register()

    def clerk(self):
        """`aftercare append` of small files, one after the other; each until it says that all is acknowledged."""
        i = 0
        while not self.over.wait(1):
            i += 1
            file = jsonl(self.plant.data / f"file-{i}.jsonl", [
                {"type": "ticket.registered", "key": f"F-{i}-{k}", "by": "clerk", "data": {"kind": "leak", "region": "R1"}}
                for k in range(5)])
            end = time.monotonic() + self.patience
            while time.monotonic() < end:
                answer = self.plant("append", file, check=False, timeout=self.patience)
                if answer.returncode in (0, 1):
                    break
            self.files.append((i, answer.returncode, answer.stdout + answer.stderr))

    @property
    def trouble(self):
        return next(filter(None, [*(s.trouble for s in self.senders + self.desks), self.follower.trouble]), None)

    def waiting(self):
        return sum(s.waiting() for s in self.senders + self.desks)

    def queued(self):
        """At the branch that has a daemon: facts without the centre's answer."""
        return self.office.queued() if self.office is not None else 0

    def settle(self, seconds=SETTLE):
        """No more load; returns when all is answered, every worker has nothing more to say, and time has passed without a word."""
        self.over.set()
        for thread in self.threads:
            thread.join(seconds)
        last = {"head": 0, "at": time.monotonic(), "not": []}
        breath = threading.Event()

        def is_quiet():
            if self.trouble:
                raise Failed(self.trouble)
            breath.wait(0.2)
            head = self.plant.caught_up()
            if not head or head != last["head"] or self.waiting():
                last.update(head=head or last["head"], at=time.monotonic())
            return time.monotonic() - last["at"] > QUIET and not last.update({"not": list(tables.nothing_in_flight(self.plant))}) \
                and not last["not"] and self.follower.have == head and self.queued() == 0
        try:
            until("all answered, all at the head, nothing in flight", is_quiet, seconds)
        except Failed as why:
            raise Failed(f"{why}; unanswered {self.waiting()}, {self.plant.positions()}, follower {self.follower.have}; "
                         f"{last['not']}") from why

    def stop(self):
        self.over.set()
        for thread in (*self.senders, *self.desks, self.follower, self.witness):
            thread.stop()


def check(plant, load):
    """(events, complaints)"""
    reader = Reader(plant.endpoint("feed"), "operator/check", plant.key("operator"))
    events = list(reader.events())
    sent = {s.source: s.sent for s in load.senders}
    found = checker.check_journal(events, sent)
    for desk in load.desks:
        found += checker.check_kept(events, load.office.name, desk.kept, load.office.refused())
    found += tables.check_tables(plant, events, reader.bodies, sent, load.witness)
    if len(events) != load.follower.have:
        found.append(f"the follower has {load.follower.have} events, the journal {len(events)}")
    registered = [e["key"] for e in events if e["type"] == "ticket.registered"]
    for i, code, said in load.files:
        if code != 0:
            found.append(f"append of file {i} ended with {code}: {said}")
        for k in range(5):
            if registered.count(f"F-{i}-{k}") != 1:
                found.append(f"F-{i}-{k} stands {registered.count(f'F-{i}-{k}')} times")
    for worker in WORKERS:
        done = plant.run(f"aftercare-{worker}", "--verify", "--data", plant.data, check=False)
        if done.returncode != 0 or " 0 differ" not in done.stdout:
            found.append(f"{worker} --verify: {done.stdout}{done.stderr}")
    done = plant("verify", check=False)
    if done.returncode != 0:
        found.append(f"aftercare verify: {done.stdout}{done.stderr}")
    for daemon in plant.daemons.values():
        found += daemon.misbehaved()
    return events, found


def show(events, found):
    keys = {word.strip(",") for line in found[:5] for word in line.replace("'", " ").replace("/", " ").split() if word[:2] in ("T-", "F-", "GZ")}
    for key in sorted(keys)[:3]:
        print(f"--- {key}", checker.story(events, key), sep="\n")


def campaign(seed, seconds, rate=25, only=None, tell=print, settle=SETTLE, at_least=0, **plant_options):
    """Raises Failed where it does not come to rest, or the checker complains."""
    plant = Plant(seed=seed, disk_mb=300 + int(seconds), **plant_options)
    for why in plant.skipped:
        tell(f"SKIPPED: {why}")
    with plant:
        load = Load(plant, seed, rate, office=plant.keys and not plant.tidy)
        deeds = Deeds(plant, seed, tell)
        found = []
        try:
            deeds.run(seconds, only, at_least)
            load.settle(settle)
        except Failed as why:
            found.append(str(why))
        finally:
            load.stop()
        events, complaints = check(plant, load)
        found += complaints
        tell(f"{sum(deeds.counts.values())} faults: " + "; ".join(f"{n} {kind}" for kind, n in sorted(deeds.counts.items())))
        tell(f"{len(events)} events, of these {sum(len(d.kept) for d in load.desks)} through a branch's daemon; {plant.address.moves} takeovers, "
             f"sessions of the branches {[s.sessions for s in load.senders + load.desks]}, breaks of the follower {load.follower.breaks}")
        if found and not plant.tidy:
            show(events, found)
        if found:
            raise Failed(f"{len(found)} complaints:\n" + "\n".join(found[:None if plant.tidy else 40]))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--minutes", type=float, default=0)
    parser.add_argument("--seed", type=int, default=None)
    parser.add_argument("--rate", type=float, default=25, help="registrations a second")
    parser.add_argument("--only", default=None, help="these deeds only: " + ",".join(WEIGHTS))
    parser.add_argument("--keep", action="store_true", help="keep the folder, whatever comes out")
    args = parser.parse_args()
    seed = args.seed if args.seed is not None else int.from_bytes(os.urandom(4), "big")
    print(f"seed {seed}", flush=True)

    def tell(line):
        print(line, flush=True)
    try:
        campaign(seed, args.minutes * 60 or SHORT, args.rate, args.only and args.only.split(","), tell, keep=args.keep)
    except Failed as why:
        print(why)
        sys.exit(f"--- FAILED with --seed {seed}: logs and settings lie in the folder that was kept; to look at its tables:"
                 " postgres -D FOLDER/disk-kept/pg -k /tmp; again: tests/faults/run --seed ...")
    print(f"VERDICT: all well (seed {seed})")


if __name__ == "__main__":
    main()
