"""`aftercare limits ID --why` on a real stream: what it tells can be checked by hand with a paper calendar."""
import os
import re
import unittest
import urllib.request

from stack import WORKERS, Stack, jsonl

CALENDAR = "name: office\nversion: office-1\nzone: Asia/Shanghai\nweekly:\n" + "".join(
    f"  - {{weekday: {day}, windows: [{{from: '08:30', to: '12:00'}}, {{from: '13:30', to: '17:30'}}]}}\n"
    for day in ("mon", "tue", "wed", "thu", "fri")) + (
    "exceptions:\n  - {from: '2026-10-01', to: '2026-10-07', name: holidays}\nknown_from: 2026\nknown_to: 2026\n")
POLICY = """name: paper
version: paper-1
zone: Asia/Shanghai
calendars: [office]
kinds: [{name: repair}, {name: long}]
ladder: [clerk, manager]
pauses: [{reason: customer}]
priorities: [{priority: urgent, match: {priorities: [urgent]}}]
sla:
  - id: answer
    title: answered
    start: ticket.assessed
    stop: ticket.replied
    pause: [customer]
    calendar: office
    levels: [{at: -1wh, to: clerk}, {at: 1d, to: manager}]
    limits:
      - {limit: 4wh, match: {kinds: [repair], priorities: [urgent]}}
      - {limit: 12wh, match: {kinds: [repair]}}
      - {limit: 60wd, match: {kinds: [long]}}
      - {limit: 9d}
  - {id: call, start: call.received, stop: customer.informed, limits: [{limit: 1d}]}
"""


def fact(type, key, at, **data):
    return {"type": type, "key": key, "by": "branch-1", "at": at, "data": data}


class Limits(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.stack = Stack(clock="wall")
        cls.stack.__enter__()
        folder = cls.stack.data
        (folder / "paper.yaml").write_text(POLICY)
        (folder / "office.yaml").write_text(CALENDAR)
        for name in ("paper.yaml", "office.yaml"):
            os.chmod(folder / name, 0o644)
        cls.stack("policy", "publish", folder / "paper.yaml", "--calendars", folder)
        # 2026-11-16 is a Monday; told days later.
        cls.stack("append", jsonl(folder / "facts.jsonl", [
            fact("ticket.registered", "T1", "2026-11-16T09:00:00+08:00", kind="repair"),
            fact("ticket.waiting", "T1", "2026-11-16T15:00:00+08:00", reason="customer"),
            fact("ticket.resumed", "T1", "2026-11-17T10:00:00+08:00"),
            fact("ticket.replied", "T1", "2026-11-18T09:00:00+08:00"),
            fact("ticket.registered", "T2", "2026-11-20T09:00:00+08:00", kind="long"),
            fact("ticket.registered", "T3", "2026-11-20T09:00:00+08:00", kind="repair"),
            fact("ticket.waiting", "T3", "2026-11-20T09:30:00+08:00", reason="customer"),
            fact("call.received", "C1", "2026-11-20T09:00:00+08:00", rings=2),
        ]))
        cls.stack.wait_caught_up()

    @classmethod
    def tearDownClass(cls):
        cls.stack.__exit__(None, None, None)

    def why(self, key):
        return self.stack.json("limits", key, "--why")["limits"]

    def test_windows_and_waits(self):
        limit, = self.why("T1")
        self.assertEqual([(w["from"][5:16], w["to"][11:16], w["seconds"]) for w in limit["windows"]], [
            ("11-16T01:00", "04:00", 10800),   # Monday 09:00 - 12:00
            ("11-16T05:30", "07:00", 5400),    # 13:30 - 15:00, then it waits
            ("11-17T02:00", "04:00", 7200),    # Tuesday 10:00 - 12:00
            ("11-17T05:30", "09:30", 14400),
            ("11-18T00:30", "02:00", 5400)])   # Wednesday 08:30 - 10:00: twelve hours
        self.assertEqual((limit["due"], limit["counted_s"]), ("2026-11-18T02:00:00Z", 12 * 3600))
        wait, = limit["waits"]
        self.assertEqual((wait["reason"], wait["by"].split(" ")[0], wait["from"], wait["to"], wait["counted_s"]), (
            "customer", "branch-1", "2026-11-16T07:00:00Z", "2026-11-17T02:00:00Z", 4 * 3600))  # 15:00-17:30, 08:30-10:00
        self.assertEqual((limit["state"], limit["stopped"]), ("met", "2026-11-18T01:00:00Z"))
        first, second, *_ = limit["lines"]
        self.assertEqual((first["decides"], first["differs"], first["wants"], first["is"]),
                         (False, "priorities", "urgent", "normal"))
        self.assertTrue(second["decides"])
        self.assertEqual(limit["start"]["type"], "ticket.assessed")

    def test_year_without_holidays(self):
        limit, = self.why("T2")
        self.assertEqual(limit["years_without_holidays"], [2027])
        text = self.stack("limits", "T2", "--why").stdout
        self.assertIn("2027: weekly pattern, no holiday data", text)
        self.assertIn("more days", text)

    def test_while_it_waits(self):
        limit, = self.why("T3")
        self.assertEqual((limit["state"], "due" in limit, limit["counted_s"]), ("paused", False, 1800))
        self.assertIn("none while it waits", self.stack("limits", "T3", "--why").stdout)
        row, = self.stack.lines("limits", "T3", "--json")
        self.assertEqual(row["state"], "paused")

    def test_a_call(self):
        limit, = self.why("C1")
        self.assertEqual((limit["clause"], limit["start"]["type"], limit["state"]), ("call", "call.received", "breached"))
        breach = next(l for l in limit["levels"] if l["level"] == 0)
        self.assertEqual(breach["at"], "2026-11-21T01:00:00Z")
        self.assertIn("announced", breach)

    def test_status_names_calendars_without_holidays(self):
        unknown, = self.stack.json("status")["calendars_without_data"]
        self.assertEqual(unknown, {"calendar": "office", "version": "office-1", "year": 2027})
        self.assertIn("calendar office (office-1): no holidays of 2027", self.stack("status").stdout)

    def test_detection_lag_is_a_metric(self):
        port = self.stack.ports[3 + 1 + WORKERS.index("sla-watchdog")]
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=120) as answer:
            text = answer.read().decode()
        value = lambda name: int(re.search(rf"^aftercare_{name}\{{[^}}]*\}} (\d+)", text, re.M).group(1))
        self.assertGreaterEqual(value("timers_fired_total"), 1)  # the call's limit was past when it was told
        self.assertLessEqual(value("timers_within_1000_ms_total"), value("timers_fired_total"))
        self.assertGreater(value("timers_late_microseconds_total"), 0)
        self.assertGreater(value("checked_until_seconds"), 0)

    def test_nobody_knows_it(self):
        self.assertEqual(self.stack("limits", "NOBODY", "--why", check=False).returncode, 1)


if __name__ == "__main__":
    unittest.main(verbosity=2)
