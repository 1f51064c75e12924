"""Events, a timer and a sweep that a worker cannot bear: they fail, abort, loop. Each is set aside with what follows of its ticket; everything else
flows. Told, tried again, left out; and a worker that was mended handles them late."""
import os
import pathlib
import shutil
import unittest

import stack as stacks
from stack import TREE, WORKERS, Stack, jsonl, until

TEST_BIN = pathlib.Path(os.environ.get("AFTERCARE_TEST_BIN", stacks.BIN.parent / "tests" / "bin"))
SOUND, POISONED = stacks.BIN / "aftercare-dispatcher", TEST_BIN / "aftercare-dispatcher-poisoned"


def own_programs(folder):
    """The programs in a folder of their own, where one of them can be exchanged."""
    for program in stacks.BIN.glob("aftercare*"):
        (folder / program.name).symlink_to(program)
    (folder / "aftercare").unlink()
    shutil.copy2(stacks.BIN / "aftercare", folder / "aftercare")  # it starts what lies beside it
    stacks.BIN = folder


class Parking(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.stack = Stack(clock="wall")
        cls.programs = cls.stack.data / "bin"
        cls.programs.mkdir()
        own_programs(cls.programs)
        cls.put(POISONED)
        cls.stack.__enter__()
        cls.stack("policy", "publish", cls.stack.share("policies/boston311.yaml"))
        cls.stack("append", cls.stack.share("networks/boston311.jsonl"))

    @classmethod
    def tearDownClass(cls):
        cls.stack.__exit__(None, None, None)

    @classmethod
    def put(cls, program, daemon="dispatcher"):
        link = cls.programs / f"aftercare-{daemon}"
        link.unlink()
        link.symlink_to(program)

    def register(self, *keys):
        events = [{"type": "ticket.registered", "key": key, "by": "tester",
                   "data": {"kind": "Tree Emergencies", "region": "BOS-07", "product": "PARK"}} for key in keys]
        self.stack("append", jsonl(self.stack.data / f"{keys[0]}.jsonl", events))

    def parked(self, *args):
        return self.stack.lines("parked", *args, "--json")

    def ends(self, code, *args, says=None):
        done = self.stack(*args, check=False, silent=code == 3)
        self.assertEqual(done.returncode, code, done.stdout + done.stderr)
        if says:
            self.assertIn(says, done.stdout + done.stderr)
        return done

    def test_1_each_kind_of_poison_is_set_aside_and_everything_else_flows(self):
        # The poison lies in the middle of a batch, and of a crash loop nothing is lost.
        self.register(*(f"GOOD-A-{i}" for i in range(40)), "POISON-FAIL-1", *(f"GOOD-B-{i}" for i in range(40)), "POISON-ABORT-1",
                      *(f"GOOD-C-{i}" for i in range(40)), "POISON-LOOP-1", *(f"GOOD-D-{i}" for i in range(40)))
        for priority in ("urgent", "normal"):  # wait behind it
            self.stack("say", "ticket.reclassified", "POISON-ABORT-1", f"priority={priority}", "reason=test")
        until("all three are set aside", lambda: len(self.parked("dispatcher")) == 3, 90)
        self.stack.wait_caught_up()
        jobs = self.stack.sql("SELECT count(*) FROM intake.journal WHERE type = 'job.offered' AND key LIKE 'GOOD-%'")
        self.assertEqual(jobs, [["160"]])
        self.assertEqual(self.stack.sql("SELECT count(*) FROM intake.journal WHERE type = 'event.parked'"), [["3"]])
        rows = {r["key"]: r for r in self.parked()}
        self.assertEqual({k: r["waiting"] for k, r in rows.items()}, {"POISON-FAIL-1": 0, "POISON-ABORT-1": 2, "POISON-LOOP-1": 0})
        for row in rows.values():
            self.assertEqual((row["worker"], row["type"], row["tries"]), ("dispatcher", "ticket.assessed", 0))
            self.assertTrue(row["since"])
        self.assertIn("poison in POISON-FAIL-1", rows["POISON-FAIL-1"]["reason"])
        self.assertIn("brought the process down", rows["POISON-ABORT-1"]["reason"])
        self.assertIn("brought the process down", rows["POISON-LOOP-1"]["reason"])

    def test_2_status_and_the_table_tell(self):
        services = {s["service"]: s for s in self.stack.json("status")["services"]}
        self.assertEqual({w: services[w]["parked"] for w in WORKERS}, {"dispatcher": 5, "sla-watchdog": 0, "follow-up": 0, "reporting": 0})
        self.ends(0, "parked", says="POISON-LOOP-1")
        self.ends(0, "parked", "reporting", says="none")
        self.ends(2, "parked", "nobody", says="there is no worker")
        self.ends(2, "parked", "retry", "dispatcher")
        self.ends(2, "parked", "drop", "dispatcher", "POISON-FAIL-1", says="why?")
        self.ends(1, "parked", "retry", "dispatcher", "999999", says="has not set aside")
        done = self.stack("parked", env={"LC_ALL": "zh_CN.UTF-8"})
        self.assertIn("等待", done.stdout)

    def test_3_tried_again_it_fails_again(self):
        self.ends(1, "parked", "retry", "dispatcher", "POISON-FAIL-1", says="still set aside")
        row = self.parked()[0]
        self.assertEqual((row["key"], row["tries"]), ("POISON-FAIL-1", 1))
        # One that brings the process down is tried until that is certain, and stays.
        self.ends(3, "parked", "retry", "dispatcher", "POISON-ABORT-1", "--reason", "perhaps now", says="does not answer")
        until("it is set aside again", lambda: [r["tries"] for r in self.parked("dispatcher") if r["key"] == "POISON-ABORT-1"] == [1], 60)
        self.stack.wait_caught_up()

    def test_4_left_out_with_a_reason(self):
        self.ends(0, "parked", "drop", "dispatcher", "POISON-LOOP-1", "--reason", "entered twice", "--by", "ann for operator")
        self.assertNotIn("POISON-LOOP-1", [r["key"] for r in self.parked()])
        line = self.stack.lines("tail", "--type", "event.dropped", "--format", "jsonl")[-1]
        self.assertEqual((line["by"], line["data"]["reason"], line["data"]["worker"]), ("ann for operator", "entered twice", "dispatcher"))

    def test_5_a_mended_worker_handles_what_waited(self):
        self.put(SOUND)
        self.stack.kill_and_wait_restart("dispatcher")
        for key in ("POISON-FAIL-1", "POISON-ABORT-1"):
            until("the worker answers", lambda: all(s["answers"] for s in self.stack.json("status", check=False)["services"]), 60)
            self.ends(0, "parked", "retry", "dispatcher", key)
        self.assertEqual(self.parked(), [])
        self.stack.wait_caught_up()
        offers = self.stack.sql("SELECT count(*) FROM intake.journal WHERE type = 'job.offered' AND key LIKE 'POISON-%'")
        self.assertEqual(offers, [["2"]])

    def test_6_a_rebuild_parks_and_releases_at_the_same_places(self):
        head = self.stack.head()
        done = self.stack.run("aftercare-dispatcher", "--verify", "--data", self.stack.data, check=False)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.stack("rebuild", "dispatcher")
        self.stack.wait_caught_up()
        self.assertEqual(self.stack.head(), head)
        self.assertEqual(self.parked(), [])

    def test_7_a_timer_that_brings_it_down_is_set_aside(self):
        self.put(POISONED)
        self.stack.kill_and_wait_restart("dispatcher")
        self.stack("policy", "publish", TREE / "tests" / "faults" / "policy.yaml")  # an offer is over after two seconds
        self.register("POISON-TIMER-1", "GOOD-T-1")
        row = until("the timer is set aside", lambda: self.parked("dispatcher"), 90)[0]
        self.assertEqual((row["key"], row["type"]), ("POISON-TIMER-1", "job.due"))
        self.assertIn("brought the process down", row["reason"])
        until("others' timers fire", lambda: self.stack.sql("SELECT 1 FROM intake.journal WHERE type = 'job.expired' AND key = 'GOOD-T-1'"))
        self.stack("say", "ticket.reclassified", "POISON-TIMER-1", "priority=urgent", "reason=test")
        until("what comes later waits", lambda: [r["waiting"] for r in self.parked("dispatcher")] == [1])
        self.put(SOUND)
        self.stack.kill_and_wait_restart("dispatcher")
        until("the worker answers", lambda: all(s["answers"] for s in self.stack.json("status", check=False)["services"]), 60)
        self.ends(0, "parked", "retry", "dispatcher", row["pos"])
        until("it has fired", lambda: self.stack.sql("SELECT 1 FROM intake.journal WHERE type = 'job.expired' AND key = 'POISON-TIMER-1'"))
        self.assertEqual(self.parked(), [])
        self.stack.wait_caught_up()
        done = self.stack.run("aftercare-dispatcher", "--verify", "--data", self.stack.data, check=False)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)

    def test_7b_what_intake_refuses_is_set_aside(self):
        """A defect of the worker's stops what it is about, not the worker: what no message can hold, what the desk refuses of a timer. What it
        refuses of an event is lost and told, for an event is not decided twice."""
        self.put(POISONED)
        self.stack.kill_and_wait_restart("dispatcher")
        self.register("GOOD-R-1", "POISON-DENIED-1", "GOOD-R-2", "POISON-YEAR-1", "GOOD-R-3", "POISON-LATE-1", "GOOD-R-4")
        wanted = {"POISON-YEAR-1": "ticket.assessed", "POISON-LATE-1": "job.due"}
        until("both are set aside",
              lambda: {r["key"]: r["type"] for r in self.parked("dispatcher") if r["key"] in wanted} == wanted, 180)
        until("others' timers fire", lambda: self.stack.sql("SELECT count(DISTINCT key) FROM intake.journal WHERE type = 'job.expired'"
                                                            " AND key LIKE 'GOOD-R-%'") == [["4"]], 60)
        self.stack.wait_caught_up()
        self.assertEqual(self.stack.sql("SELECT count(*) FROM intake.journal WHERE type = 'event.parked' AND key IN"
                                        " ('POISON-DENIED-1', 'POISON-YEAR-1', 'POISON-LATE-1')"), [["2"]])
        self.assertIn("POISON-DENIED-1", {r["key"] for r in self.stack.lines("refused", "--json")})
        self.put(SOUND)
        self.stack.kill_and_wait_restart("dispatcher")
        until("the worker answers", lambda: all(s["answers"] for s in self.stack.json("status", check=False)["services"]), 60)
        for row in self.parked("dispatcher"):
            self.ends(0, "parked", "retry", "dispatcher", row["pos"])
        self.stack.wait_caught_up()
        self.assertEqual(self.parked(), [])
        done = self.stack.run("aftercare-dispatcher", "--verify", "--data", self.stack.data, check=False)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)

    def test_8_a_sweep_that_brings_it_down_is_set_aside(self):
        """A new policy is for open clocks too: one ticket's cannot be looked at."""
        self.put(TEST_BIN / "aftercare-sla-watchdog-poisoned", "sla-watchdog")
        self.stack.kill_and_wait_restart("sla-watchdog")
        self.stack("policy", "publish", self.policy("sweeps-1", "1h"))
        keys = [*(f"GOOD-S-{i}" for i in range(20)), "POISON-SWEEP-1", *(f"HAPPY-S-{i}" for i in range(20))]
        self.register(*keys)
        self.stack.wait_caught_up()
        self.stack("policy", "publish", self.policy("sweeps-2", "2h"))
        row = until("the story is set aside", lambda: self.parked("sla-watchdog"), 180)[0]
        self.assertEqual((row["key"], row["type"]), ("POISON-SWEEP-1", "clock.follows"))
        self.assertIn("brought the process down", row["reason"])
        retargeted = ("SELECT count(*) FROM intake.journal WHERE type = 'sla.scheduled' AND key {} AND pos >"
                      " (SELECT max(pos) FROM intake.journal WHERE type = 'policy.published')").format
        until("all others follow the new policy", lambda: self.stack.sql(retargeted("~ '-S-'")) == [["40"]], 60)
        self.stack.wait_caught_up()
        self.assertEqual(self.stack.sql("SELECT count(*) FROM intake.journal WHERE type = 'event.parked' AND key LIKE 'POISON-SWEEP%'"), [["1"]])
        self.stack("say", "ticket.reclassified", "POISON-SWEEP-1", "priority=urgent", "reason=test")
        until("what comes later waits", lambda: [r["waiting"] for r in self.parked("sla-watchdog")] == [1])
        self.put(SOUND.parent / "aftercare-sla-watchdog", "sla-watchdog")
        self.stack.kill_and_wait_restart("sla-watchdog")
        until("the worker answers", lambda: all(s["answers"] for s in self.stack.json("status", check=False)["services"]), 60)
        self.stack.wait_caught_up()
        self.assertEqual(self.stack.sql(retargeted("LIKE 'POISON-SWEEP%'")), [["0"]])  # nobody tries it before he is told to
        self.ends(0, "parked", "retry", "sla-watchdog", row["pos"])
        until("it follows it too", lambda: self.stack.sql(retargeted("LIKE 'POISON-SWEEP%'"))[0][0] != "0")
        self.assertEqual(self.parked(), [])
        self.stack.wait_caught_up()
        done = self.stack.run("aftercare-sla-watchdog", "--verify", "--data", self.stack.data, check=False)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)

    def policy(self, version, limit):
        """The campaign's, with other limits, for open tickets too."""
        text = (TREE / "tests" / "faults" / "policy.yaml").read_text().replace("version: faults-1", f"version: {version}")
        path = self.stack.data / f"{version}.yaml"
        path.write_text(text.replace("limits: [{limit: 2s}]", f"limits: [{{limit: {limit}}}]")
                        .replace("accept_within: 2s", "accept_within: 5h") + "retarget_open: true\n")
        path.chmod(0o644)
        return path


if __name__ == "__main__":
    unittest.main(verbosity=2)
