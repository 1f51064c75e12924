"""aftercare backtest on a small history worked out by hand, and on a part of the shipped quarter."""
import gzip
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

AFTERCARE = sys.argv.pop(1)
TREE = pathlib.Path(__file__).resolve().parents[4]
ENGLISH = {**os.environ, "LC_ALL": "C.UTF-8", "LANG": "C.UTF-8"}

POLICY = """
name: house
version: VERSION
title: 小店
zone: Asia/Shanghai
number_prefix: H
kinds: [{name: repair}]
dispatch:
  tiers: [{tier: 3, accept_within: ACCEPT, silence: expires}, {tier: 1, accept_within: 8h, silence: accepts}]
sla:
  - {id: resolve, title: 办结, start: ticket.assessed, stop: ticket.resolved, limits: [{limit: LIMIT}]}
followup: [{after: 1d, window: WINDOW}]
late_facts_within: 7d
"""
NETWORK = [
    {"type": "site.updated", "key": "HQ", "data": {"name": "HQ", "tier": 1}},
    {"type": "site.updated", "key": "D1", "data": {"name": "D1", "tier": 3, "territories": ["11"]}},
    {"type": "site.updated", "key": "D2", "data": {"name": "D2", "tier": 3, "territories": ["12"]}},
]


def registered(key, at, region):
    return {"type": "ticket.registered", "key": key, "at": at, "data": {"kind": "repair", "region": region}}


def accepted(key, at):
    return {"type": "job.accepted", "key": key, "at": at, "data": {"job": key + "/j1"}}


def resolved(key, at):
    return {"type": "ticket.resolved", "key": key, "at": at, "data": {"outcome": "done"}}


# Limits of 8 h (old) and 12 h (new); D1 and D2 answer within 2 h (old) and 1 h (new), else it goes to HQ.
EVENTS = [
    registered("A", "2026-03-02T09:00:00+08:00", "11"),  # 10 h: broken, then met
    accepted("A", "2026-03-02T10:30:00+08:00"),          # in time, then an hour late: HQ has been asked; D1 has it again
    resolved("A", "2026-03-02T19:00:00+08:00"),
    registered("B", "2026-03-02T09:00:00+08:00", "12"),  # 2 h: met, met
    accepted("B", "2026-03-02T09:10:00+08:00"),
    resolved("B", "2026-03-02T11:00:00+08:00"),
    registered("C", "2026-03-03T09:00:00+08:00", "11"),  # never: broken, broken
    accepted("C", "2026-03-03T09:10:00+08:00"),
    registered("D", "2026-03-31T23:30:00+08:00", "12"),  # 8 h exactly: met, met; March by the house's clock
    accepted("D", "2026-03-31T23:40:00+08:00"),
    resolved("D", "2026-04-01T07:30:00+08:00"),
]


def lines(events):
    return "".join(json.dumps(e) + "\n" for e in events)


class Backtest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        cls.path = pathlib.Path(cls.folder.name)
        for name, version, limit, accept, window in (("old", "house-1", "8h", "2h", "5d"), ("new", "house-2", "12h", "1h", "1d")):
            text = POLICY.replace("VERSION", version).replace("LIMIT", limit).replace("ACCEPT", accept).replace("WINDOW", window)
            (cls.path / f"{name}.yaml").write_text(text, encoding="utf-8")
        (cls.path / "network.jsonl").write_text(lines(NETWORK))
        (cls.path / "events.jsonl").write_text(lines(EVENTS))

    @classmethod
    def tearDownClass(cls):
        cls.folder.cleanup()

    def run_it(self, *options, want=0, env=None):
        done = subprocess.run([AFTERCARE, "backtest", "--data", self.path / "data", *options], capture_output=True, text=True, cwd=self.path,
                              env=env or ENGLISH)
        self.assertEqual(done.returncode, want, done.stdout + done.stderr)
        return done.stdout if want == 0 else done.stderr

    def both(self, *options, events="events.jsonl"):
        return json.loads(self.run_it("--policy", "new.yaml", "--against", "old.yaml", "--network", "network.jsonl", "--events", events,
                                      "--until", "2026-04-05", "--json", *options))

    def cell(self, result, region, month="2026-03"):
        found = [c for c in result["promises"] if c["region"] == region and c["month"] == month]
        self.assertEqual(len(found), 1, result["promises"])
        return {v: (found[0][v]["old"], found[0][v]["new"]) for v in ("met", "late", "broken", "running")}

    def test_verdicts_by_region_and_month(self):
        result = self.both()
        self.assertEqual((result["policy"], result["against"]), ("house-2", "house-1"))
        self.assertEqual(len(result["promises"]), 2)
        self.assertEqual(self.cell(result, "11"), {"met": (0, 1), "late": (0, 0), "broken": (2, 1), "running": (0, 0)})
        self.assertEqual(self.cell(result, "12"), {"met": (2, 2), "late": (0, 0), "broken": (0, 0), "running": (0, 0)})
        self.assertEqual(result["changed"]["first"], [
            {"ticket": "A", "clause": "resolve", "k": 1, "old": {"verdict": "broken", "due": "2026-03-02T09:00:00Z"},
             "new": {"verdict": "met", "due": "2026-03-02T13:00:00Z"}}])
        self.assertEqual((result["changed"]["promises"], result["changed"]["tickets"]), (1, 1))

    def test_work_by_site(self):
        sites = {s["site"]: s for s in self.both()["sites"]}
        self.assertEqual(sites.keys(), {"D1", "D2", "HQ"})
        pairs = {name: [(s[what].get("old"), s[what].get("new")) for what in ("offers", "accepted", "expired", "most_at_once")]
                 for name, s in sites.items()}
        self.assertEqual(pairs["D1"], [(2, 2), (2, 2), (0, 1), (1, 1)])
        self.assertEqual(pairs["D2"], [(2, 2), (2, 2), (0, 0), (1, 1)])
        self.assertEqual(pairs["HQ"], [(0, 1), (0, 0), (0, 0), (0, 1)])  # taken back when D1 answered after all

    def test_callbacks(self):
        result = self.both()
        # A, B and D are due; those of A and B are missed in either case, D's of April 2 only where it has a day, not five.
        self.assertEqual(result["callbacks_due"], {"old": 3, "new": 3})
        self.assertEqual(result["callbacks_missed"], {"old": 2, "new": 3})
        self.assertEqual(result["closed"], {"old": 2, "new": 3})

    def test_one_side_alone(self):
        result = json.loads(self.run_it("--policy", "old.yaml", "--network", "network.jsonl", "--events", "events.jsonl",
                                        "--until", "2026-04-05", "--json"))
        self.assertNotIn("changed", result)
        self.assertEqual(sum(c["broken"]["new"] for c in result["promises"]), 2)
        said = self.run_it("--policy", "old.yaml", "--network", "network.jsonl", "--events", "events.jsonl", "--until", "2026-04-05")
        self.assertRegex(said, r"resolve +2 +2 +0")
        self.assertNotIn("Another verdict", said)

    def test_conclusions_in_the_input_are_left_out(self):
        before = self.both("--out", "new.jsonl")
        lines_out = (self.path / "new.jsonl").read_text().splitlines()
        self.assertEqual(len(lines_out), before["events"]["new"])
        self.assertIn("sla.met", {json.loads(line)["type"] for line in lines_out})
        again = self.both(events="new.jsonl")
        self.assertGreater(again["left_out"], 30)
        self.assertEqual(again["facts"], len(EVENTS) + 2 * len(NETWORK))  # the network is in the events, too
        for what in ("promises", "callbacks_due", "callbacks_missed", "changed", "tickets"):
            self.assertEqual(again[what], before[what], what)

    def test_the_policy_in_the_input_is_replaced(self):
        self.both("--out", "replaced.jsonl")
        result = json.loads(self.run_it("--policy", "old.yaml", "--events", "replaced.jsonl", "--until", "2026-04-05", "--json", "--out", "o.jsonl"))
        versions = [json.loads(line)["data"]["version"] for line in (self.path / "o.jsonl").read_text().splitlines() if '"policy.published"' in line]
        self.assertEqual(versions, ["house-1"])
        self.assertEqual(sum(c["broken"]["new"] for c in result["promises"]), 2)

    def test_a_stream_ends_with_its_last_event(self):
        self.both("--out", "stream.jsonl")
        ended = json.loads(self.run_it("--policy", "old.yaml", "--events", "stream.jsonl", "--json"))
        self.assertEqual(ended["until"], "2026-04-05T16:00:00Z")  # not with D's resolution of April 1
        self.assertEqual(ended["callbacks_due"], {"new": 3})
        ended = json.loads(self.run_it("--policy", "old.yaml", "--events", "events.jsonl", "--json"))
        self.assertEqual((ended["until"], ended["callbacks_due"]["new"]), ("2026-03-31T23:30:00Z", 2))

    def test_told_late_counts_as_it_was_told(self):
        events = [dict(e) for e in EVENTS]
        events[5]["rec"] = "2026-03-03T08:00:00+08:00"  # B's end of 11:00 was recorded the day after
        (self.path / "late.jsonl").write_text(lines(events))
        self.assertEqual(self.cell(self.both(events="late.jsonl"), "12")["late"], (1, 1))

    def test_csv(self):
        rows = "no,opened,closed,where\nA,2026-03-02 09:00,2026-03-02 19:00,11\nB,2026-03-02 09:00,2026-03-02 11:00,12\nC,never,,12\n"
        (self.path / "calls.csv.gz").write_bytes(gzip.compress(rows.encode()))
        (self.path / "map.yaml").write_text('key: no\nzone: Asia/Shanghai\ntime: "%Y-%m-%d %H:%M"\nevents:\n'
                                            "  - {type: ticket.registered, at: opened, data: {kind: {text: repair}, region: where}}\n"
                                            "  - {type: ticket.resolved, when: closed, at: closed, data: {outcome: {text: done}}}\n")
        result = self.both("--mapping", "map.yaml", events="calls.csv.gz")
        self.assertEqual((result["bad"], result["tickets"]), (1, {"old": 2, "new": 2}))
        self.assertEqual(self.cell(result, "11")["broken"], (1, 0))

    def test_until(self):
        result = json.loads(self.run_it("--policy", "old.yaml", "--network", "network.jsonl", "--events", "events.jsonl",
                                        "--until", "2026-03-02", "--json"))
        self.assertEqual((result["until"], result["tickets"]["new"]), ("2026-03-02T16:00:00Z", 2))

    def test_refused_facts_are_counted(self):
        (self.path / "odd.jsonl").write_text(lines(EVENTS + [accepted("Z", "2026-03-05T09:00:00+08:00")]) + "no json\n")
        result = self.both(events="odd.jsonl")
        self.assertEqual((result["refused"], result["bad"]), ({"old": 1, "new": 1}, 1))

    def test_said_in_both_languages(self):
        options = ("--policy", "new.yaml", "--against", "old.yaml", "--network", "network.jsonl", "--events", "events.jsonl", "--until", "2026-04-05")
        said = self.run_it(*options)
        self.assertIn("Another verdict: 1 promises on 1 tickets", said)
        self.assertRegex(said, r"A +resolve +broken 2026-03-02 17:00 +met 2026-03-02 21:00")
        self.assertRegex(said, r"resolve +2 +3 +\+1 +2 +1 +-1")
        chinese = self.run_it(*options, env={**os.environ, "LC_ALL": "zh_CN.UTF-8"})
        self.assertIn("结论不同：1 项时限，1 张工单", chinese)
        self.assertRegex(chinese, r"A +resolve +超时 2026-03-02 17:00 +按时 2026-03-02 21:00")

    def test_complaints(self):
        self.assertIn("needs --policy", self.run_it("--events", "events.jsonl", want=2))
        self.assertIn("needs --events FILE or --journal", self.run_it("--policy", "new.yaml", want=2))
        self.assertIn("cannot open", self.run_it("--policy", "none.yaml", "--events", "events.jsonl", want=2))
        self.assertIn("cannot open", self.run_it("--policy", "new.yaml", "--events", "none.jsonl", want=2))
        (self.path / "bad.yaml").write_text((self.path / "new.yaml").read_text().replace("12h", "12q"))
        self.assertIn("bad.yaml:", self.run_it("--policy", "bad.yaml", "--events", "events.jsonl", want=1))
        (self.path / "empty.jsonl").write_text("")
        self.assertIn("no facts", self.run_it("--policy", "new.yaml", "--events", "empty.jsonl", want=1))
        (self.path / "cn.yaml").write_text((self.path / "new.yaml").read_text() + "calendars: [cn]\n")
        self.assertIn("calendars", self.run_it("--policy", "cn.yaml", "--events", "events.jsonl", want=1))
        self.run_it("--policy", "cn.yaml", "--events", "events.jsonl", "--calendars", TREE / "deploy/calendars")

    def test_two_runs_give_the_same_bytes(self):
        boston = ("--policy", TREE / "deploy/policies/boston311.yaml", "--events", TREE / "deploy/requests/boston311-2011q3.csv.gz",
                  "--mapping", TREE / "deploy/mappings/boston311.yaml", "--network", TREE / "deploy/networks/boston311.jsonl",
                  "--until", "2011-07-12")
        said = [self.run_it(*boston, "--against", boston[1], "--out", f"{i}.jsonl") for i in range(2)]
        self.assertEqual((self.path / "0.jsonl").read_bytes(), (self.path / "1.jsonl").read_bytes())
        self.assertEqual(said[0], said[1])
        self.assertIn("Another verdict: 0 promises on 0 tickets", said[0])
        self.assertGreater(len((self.path / "0.jsonl").read_bytes()), 5_000_000)
        self.assertNotEqual(self.run_it(*boston, "--step", "1h"), self.run_it(*boston))


if __name__ == "__main__":
    unittest.main(verbosity=1)
