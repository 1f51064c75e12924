#!/usr/bin/env python3
"""backtest --journal: the living stream under its own rules gives the stream's own verdicts; under others, others."""
import csv
import gzip
import os
import unittest

from stack import TREE, Stack

REQUESTS = 400
UNTIL = "2011-07-08T04:00:00Z"


class Backtest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.stack = stack = Stack(clock="stepped", start="2011-07-01T04:00:00Z")
        stack.__enter__()
        stack("policy", "publish", stack.share("policies/boston311.yaml"))
        stack("append", stack.share("networks/boston311.jsonl"))
        with gzip.open(TREE / "deploy/requests/boston311-2011q3.csv.gz", "rt", encoding="utf-8") as source:
            rows = list(csv.DictReader(source))[:REQUESTS]
        part = stack.data / "part.csv"
        with open(part, "w", newline="", encoding="utf-8") as out:
            writer = csv.DictWriter(out, rows[0].keys())
            writer.writeheader()
            writer.writerows(rows)
        os.chmod(part, 0o644)
        stack("import", part, "--mapping", stack.share("mappings/boston311.yaml"), "--until", UNTIL)
        stack.wait_caught_up(240)

    @classmethod
    def tearDownClass(cls):
        cls.stack.__exit__(None, None, None)

    def backtest(self, policy):
        return self.stack.json("backtest", "--policy", policy, "--calendars", self.stack.share("calendars"), "--journal")

    def verdicts(self, result, side):
        sums = {}
        for cell in result["promises"]:
            for verdict in ("met", "late", "broken", "running"):
                sums[verdict] = sums.get(verdict, 0) + cell[verdict][side]
        return sums

    def test_under_its_own_rules(self):
        head = self.stack.head()
        result = self.backtest(self.stack.share("policies/boston311.yaml"))
        self.assertEqual(result["changed"], {"promises": 0, "tickets": 0, "first": []})
        self.assertEqual(result["tickets"], {"old": REQUESTS, "new": REQUESTS})
        self.assertEqual(result["refused"], {"old": 0, "new": 0})
        self.assertGreater(result["left_out"], REQUESTS)
        rows = self.stack.sql("SELECT state, count(*) FROM \"sla-watchdog\".clock GROUP BY 1")
        lived = {state: int(n) for state, n in rows}
        told = self.verdicts(result, "new")
        self.assertEqual(told["broken"], lived.get("breached", 0))
        self.assertEqual(told["met"] + told["late"], lived.get("met", 0))
        self.assertEqual(self.stack.head(), head, "a backtest has written to the stream")

    def test_under_others(self):
        text = (TREE / "deploy/policies/boston311.yaml").read_text(encoding="utf-8")
        other = self.stack.data / "other.yaml"
        other.write_text(text.replace("version: boston311-1", "version: boston311-x").replace("limit: 2wd", "limit: 1wd"), encoding="utf-8")
        os.chmod(other, 0o644)
        result = self.backtest(other)
        old, new = self.verdicts(result, "old"), self.verdicts(result, "new")
        self.assertEqual(sum(old.values()), sum(new.values()))
        self.assertGreater(new["broken"], old["broken"])
        self.assertGreater(result["changed"]["tickets"], 0)


if __name__ == "__main__":
    unittest.main(verbosity=2)
