"""Two intakes on one PostgreSQL: the one that stands by takes over from one that is stopped, killed or hangs; one that wakes up
after that writes nothing and tells nobody a head."""
import json
import pathlib
import signal
import subprocess
import sys
import threading
import time
import unittest
import urllib.request

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "integration")]

import checker
import client
from campaign import SITES
from keeper import as_user
from load import Link, World, source_of
from pair import LEASE_MS, Ear, Pair, Reader, Source
from stack import WORKERS, jsonl, until

RATE = 25  # registrations a second
PATIENCE = 60


class Takeover(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.pair = cls.enterClassContext(Pair())
        cls.pair("policy", "publish", HERE / "policy.yaml")
        cls.pair("append", jsonl(cls.pair.data / "sites.jsonl", SITES))

    def gap(self, sender, began, what):
        seconds, _ = sender.longest_gap(began, time.monotonic())
        print(f"{what}: {seconds:.1f} s without an acknowledgement", flush=True)
        return seconds

    def test_takeover(self):
        pair = self.pair
        active, standby = pair.both()
        self.assertEqual(pair.health(standby), "standing by")
        self.assertIn('aftercare_writer{service="intake"} 0', self.metrics(standby))
        self.assertIn('aftercare_writer{service="intake"} 1', self.metrics(active))
        self.assertEqual(self.verb(standby, "cmd", "HELLO"), "MOVED")
        self.assertEqual(self.verb(standby, "feed", "OPEN"), "MOVED")
        self.stream = json.loads(pair.key("operator").read_text())["stream"]
        self.hang(active, standby)  # while nobody says anything: nothing fails that would end it
        senders = [Source(pair.endpoints("cmd"), self.stream, *source_of(pair, f"branch-{i}")) for i in range(2)]
        world = World(senders, 1)
        reader = Reader(pair.endpoints("feed"), world.on_event, pair.key("operator"))
        over = threading.Event()

        def tick():
            while not over.wait(1 / RATE):
                world.register()
        threads = [threading.Thread(target=tick, daemon=True), reader, *senders]
        for thread in threads:
            thread.start()
        until("a load that is acknowledged", lambda: all(s.acked for s in senders), PATIENCE)
        gaps = {}
        for what, deed in (("kill -9", self.kill), ("kill -9, locked", self.kill_locked), ("SIGSTOP", self.hang), ("SIGTERM", self.end)):
            active, standby = pair.both()
            epoch, began = pair.epoch(), time.monotonic()
            deed(active, standby)
            self.assertEqual(pair.active(), standby, what)
            self.assertGreater(pair.epoch(), epoch, what)
            acked = len(senders[0].acked)
            until("acknowledged by the other", lambda: len(senders[0].acked) > acked + 3, PATIENCE)
            gaps[what] = self.gap(senders[0], began, what)
        over.set()
        pair.wait_all(senders, reader)
        for thread in (reader, *senders):
            thread.stop()
        self.check(senders)
        self.assertLess(gaps["kill -9"], 36)
        self.assertLess(gaps["kill -9, locked"], 48)
        self.assertLess(gaps["SIGSTOP"], 36)
        self.assertLess(gaps["SIGTERM"], 18)

    # --- deeds
    def kill(self, active, standby):
        """And it does not come back at once: started again it would take its own lease up again."""
        self.pair.daemons[active].wanted.clear()
        self.pair.daemons[active].signal(signal.SIGKILL)
        until("the other serves", lambda: self.pair.health(standby) == "ok", PATIENCE)
        self.pair.daemons[active].wanted.set()

    def kill_locked(self, active, standby):
        """What it leaves behind: a session whose transaction holds the head's row, and whose client says no more."""
        words = ["psql", "-X", "-q", "-h", self.pair.data / "s", "-U", "intake", "-d", "aftercare"]
        hung = subprocess.Popen(as_user(*words), stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd="/")
        try:
            hung.stdin.write(b"BEGIN; UPDATE intake.head SET holder = holder;\n")
            hung.stdin.flush()
            until("the head is locked", lambda: self.pair.pg.sql(
                "SELECT 1 FROM pg_stat_activity WHERE usename = 'intake' AND state = 'idle in transaction'"), PATIENCE)
            self.kill(active, standby)
        finally:
            hung.kill()
            hung.wait()

    def hang(self, active, standby):
        live, feed, cmd = (self.pair.endpoints(s)[self.place(active)] for s in ("live", "feed", "cmd"))
        ear = Ear(live, feed, cmd, self.stream, self.pair.key)
        until("it is heard", lambda: {what for what, *_ in ear.after(0)} >= {"~head", "HEAD", "WELCOME"}, PATIENCE)
        pid, stopped = self.pair.daemons[active].signal(signal.SIGSTOP), time.time() + 0.1
        ear.ask()
        until("the other serves", lambda: self.pair.health(standby) == "ok", PATIENCE)
        woken = time.monotonic()
        self.pair.daemons[active].signal(signal.SIGCONT)
        until("the zombie has ended", lambda: (pid, 1) in self.pair.daemons[active].ends, PATIENCE)
        until("it stands by again", lambda: self.pair.health(active) == "standing by", PATIENCE)
        ear.stop()
        self.assertEqual(ear.after(woken, stopped), [], "the zombie said something")

    def end(self, active, standby):
        self.pair.daemons[active].wanted.clear()
        self.pair.daemons[active].signal(signal.SIGTERM)
        until("the other serves", lambda: self.pair.health(standby) == "ok", PATIENCE)
        self.pair.daemons[active].wanted.set()

    # --- looks
    def place(self, name):
        return list(self.pair.own).index(name)

    def metrics(self, name):
        return urllib.request.urlopen(f"http://127.0.0.1:{self.pair.own[name][3]}/metrics", timeout=60).read().decode()

    def verb(self, name, socket, verb):
        link = Link(self.pair.endpoints(socket)[self.place(name)], key=self.pair.key("operator"))
        link.renew()
        link.say(verb)
        heard, _, _ = link.hear(PATIENCE * 1000)
        link.close()
        return heard

    def check(self, senders):
        pair = self.pair
        active = pair.active()
        # The command finds who serves; so have the workers that answer.
        until("every worker answers", lambda: all(row["answers"] for row in pair.json("status")["services"]))
        events = list(client.Reader(pair.endpoints("feed")[self.place(active)], "operator/check", pair.key("operator")).events())
        found = [line for check in (lambda: checker.check_sent(events, {s.source: s.sent for s in senders}),
                                    lambda: checker.check_once(events), lambda: checker.check_causes(events)) for line in check()]
        self.assertEqual(found, [])
        for worker in WORKERS:
            done = pair.run(f"aftercare-{worker}", "--verify", "--data", pair.data, check=False)
            self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        done = pair.run("aftercare-intake", "--verify", "--data", pair.data, check=False)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        print(f"{len(events)} events, every acknowledged one once; lease {LEASE_MS} ms", flush=True)


if __name__ == "__main__":
    unittest.main(verbosity=2)
