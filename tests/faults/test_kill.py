"""What `aftercare up` keeps running, under faults: daemons are killed, stopped and cut off while a load runs; afterwards nothing is
lost, nothing is twice, nothing is missing. (run is the campaign with faults of every other kind.)

    test_kill.py [--minutes N] [--seed S] [--rate EVENTS] [--keep]

Without --minutes it takes about a minute. What is done and when comes out of the seed, which a failure prints."""
import argparse
import json
import os
import pathlib
import random
import signal
import sys
import threading
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "integration")]

import checker
import tables
from campaign import QUIET, SITES
from client import Reader
from load import Follower, Sender, World, source_of
from relay import Relay, listen_tcp
from stack import DAEMONS, WORKERS, Failed, Stack, free_ports, jsonl, until

class Faults:
    def __init__(self, stack, relays, seed):
        self.stack, self.relays, self.random = stack, relays, random.Random(seed)
        self.began, self.trace, self.kills = time.monotonic(), [], []

    def say(self, text):
        self.trace.append(f"{time.monotonic() - self.began:7.2f}  {text}")

    def pause(self, low, high):
        end = time.monotonic() + self.random.uniform(low, high)
        until("the pause is over", lambda: time.monotonic() >= end, high + 5)

    def kill_next(self):
        if not self.kills:
            self.kills = DAEMONS + ["intake", "postmaster"]
            self.random.shuffle(self.kills)
        name = self.kills.pop()
        pid = self.postmaster() if name == "postmaster" else self.stack.pid(name)
        self.say(f"kill -9 {name} ({pid})")
        self.signal(pid, signal.SIGKILL)

    def kill_pair(self):
        for name in self.random.sample(DAEMONS, 2):
            pid = self.stack.pid(name)
            self.say(f"kill -9 {name} ({pid}), one of two at once")
            self.signal(pid, signal.SIGKILL)

    def stop_one(self):
        name, seconds = self.random.choice(DAEMONS), self.random.choice([0.5, 1.5, 3, 6.5])
        pid = self.stack.pid(name)
        self.say(f"stop {name} ({pid}) for {seconds} s")
        self.signal(pid, signal.SIGSTOP)
        self.pause(seconds, seconds)
        self.signal(pid, signal.SIGCONT)

    def end_backends(self):
        role = self.random.choice(DAEMONS + ["%"])
        self.say(f"pg_terminate_backend of {role}")
        try:
            self.stack.sql(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename LIKE '{role}'"
                           " AND pid <> pg_backend_pid()")
        except Failed as why:
            self.say(f"  not now: {why}")

    def stop_backend(self):
        role, seconds = self.random.choice(DAEMONS), self.random.choice([0.5, 2, 4])
        try:
            pids = [int(r[0]) for r in self.stack.sql(f"SELECT pid FROM pg_stat_activity WHERE usename = '{role}'")]
        except Failed as why:
            return self.say(f"no backend to stop: {why}")
        self.say(f"stop PostgreSQL's side of {role} {pids} for {seconds} s")
        for pid in pids:
            self.signal(pid, signal.SIGSTOP)
        self.pause(seconds, seconds)
        for pid in pids:
            self.signal(pid, signal.SIGCONT)

    def cut(self):
        names = self.random.choice([["cmd"], ["live"], ["feed"], ["cmd", "live", "feed"]])
        self.say(f"cut {' '.join(names)}")
        for name in names:
            self.relays[name].cut()

    def postmaster(self):
        try:
            return int((self.stack.data / "pg" / "postmaster.pid").read_text().split()[0])
        except (OSError, IndexError):
            return None

    def signal(self, pid, number):
        try:
            if pid is not None:
                os.kill(pid, number)
        except ProcessLookupError:
            pass

    def run(self, seconds):
        deeds = [self.kill_next] * 4 + [self.stop_one] * 2 + [self.end_backends] * 2 + [self.cut] * 2 + [self.kill_pair, self.stop_backend]
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            self.random.choice(deeds)()
            self.pause(0.1, 3)


def files(stack, seconds, done):
    """`aftercare append` of small files, one after the other; each until it says that all is acknowledged."""
    end, i = time.monotonic() + seconds, 0
    while time.monotonic() < end:
        i += 1
        file = jsonl(stack.data / f"file-{i}.jsonl", [
            {"type": "ticket.registered", "key": f"F-{i}-{k}", "by": "clerk", "data": {"kind": "leak", "region": "R1"}}
            for k in range(5)])
        while True:
            answer = stack("append", file, check=False)
            if answer.returncode in (0, 1):
                break
        done.append((i, answer.returncode, answer.stdout + answer.stderr))


def torture(stack, args, faults):
    stack("policy", "publish", HERE / "policy.yaml")
    stack("append", jsonl(stack.data / "sites.jsonl", SITES))
    stream = json.loads(stack.key("operator").read_text())["stream"]
    source, key = source_of(stack, "branch")
    sender = Sender(f"tcp://127.0.0.1:{faults.relays['cmd'].port}", stream, source, key=key)
    world = World([sender], args.seed)
    follower = Follower(f"tcp://127.0.0.1:{faults.relays['feed'].port}", world.on_event, stack.key("operator"))
    seconds, appended = args.minutes * 60 or 30, []
    by_file = threading.Thread(target=files, args=(stack, seconds, appended), daemon=True)
    ticking = threading.Event()

    def tick():
        while not ticking.wait(1 / args.rate):
            world.register()
    ticker = threading.Thread(target=tick, daemon=True)
    for thread in (sender, follower, by_file, ticker):
        thread.start()
    try:
        faults.run(seconds)
    finally:
        ticking.set()
    faults.say("the faults are over")
    ticker.join(60)
    by_file.join(600)
    trouble = lambda: sender.trouble or follower.trouble
    until("all that was sent is answered", lambda: trouble() or sender.waiting() == 0, 120)
    last = {"head": 0, "at": time.monotonic()}

    def quiet():
        head = stack.caught_up()
        if not head or head != last["head"] or sender.waiting():
            last.update(head=head or last["head"], at=time.monotonic())
        return trouble() or (time.monotonic() - last["at"] > QUIET and not list(tables.nothing_in_flight(stack)))
    until("every worker at the head and nothing more to say", quiet, 180)
    faults.say(f"quiet at {stack.head()}; sessions of the branch {sender.sessions}, breaks of the follower {follower.breaks}")
    follower.stop()
    sender.stop()
    if trouble():
        raise Failed(trouble())
    return sender, follower, appended


def check(stack, sender, follower, appended):
    reader = Reader(f"tcp://127.0.0.1:{stack.ports[2]}", "operator/check", stack.key("operator"))
    events, sent = list(reader.events()), {sender.source: sender.sent}
    found = checker.check_journal(events, sent) + tables.check_tables(stack, events, reader.bodies, sent)
    if len(events) != follower.have:
        found.append(f"the follower has {follower.have} events, the journal {len(events)}")
    registered = [e["key"] for e in events if e["type"] == "ticket.registered"]
    for i, code, said in appended:
        if code != 0:
            found.append(f"append of file {i} ended with {code}: {said}")
        for k in range(5):
            if registered.count(f"F-{i}-{k}") != 1:
                found.append(f"F-{i}-{k} stands {registered.count(f'F-{i}-{k}')} times")
    for worker in WORKERS:
        done = stack.run(f"aftercare-{worker}", "--verify", "--data", stack.data, check=False)
        if done.returncode != 0 or " 0 differ" not in done.stdout:
            found.append(f"{worker} --verify: {done.stdout}{done.stderr}")
    done = stack("verify", check=False)
    if done.returncode != 0:
        found.append(f"aftercare verify: {done.stdout}{done.stderr}")
    return events, found


def settings_of(stack):
    """Clients and workers reach intake through relays."""
    ports = free_ports(3)
    relays = {}
    for name, port, target in zip(("cmd", "live", "feed"), ports, stack.ports):
        relays[name] = Relay(listen_tcp(port=port), target)
        stack.settings += f"{name}: tcp://127.0.0.1:{port}\n"
    return relays


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--minutes", type=float, default=0)
    parser.add_argument("--seed", type=int, default=None)
    parser.add_argument("--rate", type=float, default=25, help="registrations a second")
    parser.add_argument("--keep", action="store_true")
    args = parser.parse_args()
    args.seed = args.seed if args.seed is not None else int.from_bytes(os.urandom(4), "big")
    print(f"seed {args.seed}", flush=True)
    stack = Stack(clock="wall", keep=args.keep)
    relays = settings_of(stack)
    faults = None
    try:
        with stack:
            faults = Faults(stack, relays, args.seed)
            sent = torture(stack, args, faults)
            events, found = check(stack, *sent)
            if found:
                keys = {word for line in found[:5] for word in line.replace("'", " ").split() if word[:2] in ("T-", "F-")}
                for key in sorted(keys)[:3]:
                    print(f"--- {key}", checker.story(events, key), sep="\n")
                raise Failed(f"{len(found)} complaints:\n" + "\n".join(found[:40]))
            kinds = {t: sum(e["type"] == t for e in events) for t in sorted({e["type"] for e in events})}
            print(f"{len(events)} events, all well: {kinds}")
    except BaseException:
        print(f"--- FAILED with --seed {args.seed}; what was done:", *(faults.trace if faults else []), sep="\n")
        raise
    finally:
        for relay in relays.values():
            relay.stop()


if __name__ == "__main__":
    main()
