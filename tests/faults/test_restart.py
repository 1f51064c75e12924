"""What the stack costs idle, and how it comes back: how long after a kill of intake every worker goes on; which one stays when a worker runs twice."""
import os
import pathlib
import signal
import subprocess
import sys
import time
import unittest

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "integration")]

from stack import BIN, DAEMONS, Stack, free_ports, jsonl, until

BACK_WITHIN = 12.0  # the best of three: two seconds on a machine without other things to do; what waits for a silence takes fifteen and more


class Restart(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.stack = Stack(clock="wall")
        cls.stack.__enter__()
        cls.stack("policy", "publish", HERE / "policy.yaml")
        cls.stack("append", jsonl(cls.stack.data / "sites.jsonl", [
            {"type": "site.updated", "key": "HQ", "by": "hq", "data": {"name": "headquarters", "tier": 1, "region": "R1"}}]))
        cls.stack.wait_caught_up()

    @classmethod
    def tearDownClass(cls):
        cls.stack.__exit__(None, None, None)

    def register(self, key):
        return jsonl(self.stack.data / f"{key}.jsonl", [
            {"type": "ticket.registered", "key": key, "by": "clerk", "data": {"kind": "leak", "region": "R1"}}])

    def test_0_idle_costs_next_to_nothing(self):
        seconds, tick = 10, os.sysconf("SC_CLK_TCK")

        def used():
            stats = [pathlib.Path(f"/proc/{self.stack.pid(d)}/stat").read_text() for d in DAEMONS]
            return sum(int(n) for stat in stats for n in stat.rpartition(")")[2].split()[11:13])
        before, end = used(), time.monotonic() + seconds
        until("that time is over", lambda: time.monotonic() > end)
        part = (used() - before) / tick / seconds
        print(f"all daemons idle: {part:.1%} of a core")
        self.assertLess(part, 0.06)  # of a slow machine, with sanitizers; 0.3 % of one as this is without

    def test_1_all_go_on_soon_after_a_kill_of_intake(self):
        took = []
        for i in range(3):
            pid = self.stack.kill("intake")
            began = time.monotonic()
            file = self.register(f"BACK-{i}")
            until("the registration is taken", lambda: self.stack("append", file, check=False).returncode == 0)
            taken = time.monotonic()
            pos = int(self.stack.sql(f"SELECT min(pos) FROM intake.journal WHERE key = 'BACK-{i}'")[0][0])
            until("all workers have applied it", lambda: min(self.stack.positions().values()) >= pos)
            took.append((round(taken - began, 2), round(time.monotonic() - began, 2)))
            self.assertNotEqual(self.stack.pid("intake"), pid)
        print("seconds from kill -9 of intake to an event taken, and applied by all:", took)
        self.assertLess(min(applied for _, applied in took), BACK_WITHIN)

    def test_2_of_two_processes_of_a_worker_the_newest_stays(self):
        older = self.stack.pid("dispatcher")
        newer = subprocess.Popen(self.stack.command("aftercare-dispatcher", "--data", self.stack.data), cwd="/",
                                 stderr=subprocess.PIPE, text=True,
                                 env={**os.environ, "AFTERCARE_DISPATCHER_METRICS": f"127.0.0.1:{free_ports(1)[0]}"})
        try:
            until("the older one ends", lambda: not pathlib.Path(f"/proc/{older}").exists())
            self.stack("append", self.register("TWICE-1"))
            until("the newer one works", lambda: self.stack.sql("SELECT 1 FROM dispatcher.job WHERE ticket = 'TWICE-1'"))
            self.stack.wait_caught_up()
            log = (self.stack.data / "log" / "dispatcher.log").read_text()
            self.assertIn("another process of this worker has begun a session", log)
            # Nobody starts the older one again: as many seconds on as the supervisor would have waited.
            end = time.monotonic() + 3
            until("three seconds more", lambda: time.monotonic() > end)
            self.assertIsNone(newer.poll())
            self.assertEqual(len(running_of(self.stack)), 1)
        finally:
            for p in running_of(self.stack):
                os.kill(p, signal.SIGTERM)
            newer.communicate(timeout=20)


def read(path):
    try:
        return path.read_bytes()
    except OSError:
        return b""


def running_of(stack):
    program, data = str(BIN / "aftercare-dispatcher").encode(), str(stack.data).encode()
    words = {int(p.parent.name): read(p).split(b"\0") for p in pathlib.Path("/proc").glob("[0-9]*/cmdline")}
    return [pid for pid, said in words.items() if said[0] == program and data in said]


if __name__ == "__main__":
    unittest.main(verbosity=2)
