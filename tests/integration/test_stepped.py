"""A stream whose time an import moves: a part of the quarter through real daemons, each killed on the way; what they hold
afterwards is what the journal says, also for a dispatcher that would choose otherwise."""
import csv
import datetime
import gzip
import os
import pathlib
import signal
import subprocess
import threading
import unittest
import zoneinfo

from client import Reader
from stack import BIN, DAEMONS, TREE, WORKERS, Stack, until

REQUESTS = int(os.environ.get("AFTERCARE_TEST_REQUESTS", "1500"))
UNTIL = "2011-07-16T04:00:00Z"
BOSTON = zoneinfo.ZoneInfo("America/New_York")


def instant(text):
    return datetime.datetime.strptime(text, "%Y-%m-%d %H:%M:%S").replace(tzinfo=BOSTON).timestamp()


class Stepped(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.stack = stack = Stack(clock="stepped", start="2011-07-01T04:00:00Z")
        stack.__enter__()
        cls.feed = f"tcp://127.0.0.1:{stack.ports[2]}"
        stack("policy", "publish", stack.share("policies/boston311.yaml"))
        stack("append", stack.share("networks/boston311.jsonl"))
        with gzip.open(TREE / "deploy/requests/boston311-2011q3.csv.gz", "rt", encoding="utf-8") as source:
            cls.rows = list(csv.DictReader(source))[:REQUESTS]
        cls.part = stack.data / "part.csv"
        with open(cls.part, "w", newline="", encoding="utf-8") as out:
            writer = csv.DictWriter(out, cls.rows[0].keys())
            writer.writeheader()
            writer.writerows(cls.rows)
        os.chmod(cls.part, 0o644)
        # The import runs, and each daemon is killed once on the way, intake twice.
        importing = subprocess.Popen(stack.command("aftercare", "import", "--data", stack.data, cls.part, "--mapping",
                                                   stack.share("mappings/boston311.yaml"), "--until", UNTIL),
                                     stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, cwd="/")
        said = []
        reader = threading.Thread(target=lambda: said.append(importing.stdout.read()))
        reader.start()
        mark = stack.head()
        for daemon in DAEMONS + ["intake"]:
            mark += 300
            until(f"the journal grows past {mark}", lambda: importing.poll() is not None or head_of(stack) > mark, 240)
            if importing.poll() is None:
                stack.kill_and_wait_restart(daemon)
        importing.wait(400)
        reader.join()
        cls.imported = importing.returncode, said[0]
        stack.wait_caught_up(240)

    @classmethod
    def tearDownClass(cls):
        cls.stack.__exit__(None, None, None)

    def test_01_the_import_ended_well(self):
        code, said = self.imported
        self.assertEqual(code, 0, said)

    def test_02_the_stream_has_no_hole_and_every_fact_once(self):
        events = list(Reader(self.feed, "operator/check", self.stack.key("operator")).events())
        registered = [e["key"] for e in events if e["type"] == "ticket.registered"]
        self.assertEqual(len(registered), REQUESTS)
        self.assertEqual(len(set(registered)), REQUESTS)
        ids = [e["id"] for e in events]
        self.assertEqual(len(ids), len(set(ids)), "an id was given twice")
        conclusions = sum(e["from"] in WORKERS or e["from"] == "intake" for e in events)
        self.assertGreaterEqual(conclusions / len(events), 0.4)
        type(self).events = events

    def test_03_due_times_are_the_citys_own(self):
        due = {}
        for event in self.events:
            if event["type"] == "sla.scheduled":
                for limit in event["data"]["limits"]:
                    due[event["key"]] = limit["due"].to_unix()
        wanted = [(r["case_enquiry_id"], instant(r["target_dt"])) for r in self.rows if r["target_dt"]]
        close = sum(key in due and abs(due[key] - target) <= 60 for key, target in wanted)
        self.assertGreaterEqual(close / len(wanted), 0.985, f"{close} of {len(wanted)}")

    def test_04_every_open_ticket_has_its_offer_and_its_clock(self):
        missing = self.stack.sql("SELECT t.ticket FROM dispatcher.ticket t WHERE t.state = 'open' AND NOT EXISTS"
                                 " (SELECT 1 FROM dispatcher.job j WHERE j.ticket = t.ticket AND j.state IN ('offered', 'accepted'))")
        self.assertEqual(missing, [])
        due = {e["key"] for e in self.events if e["type"] == "sla.scheduled"}
        clocks = {r[0] for r in self.stack.sql("SELECT split_part(clock, '/', 1) FROM \"sla-watchdog\".clock")}
        self.assertEqual(due, clocks)
        resolved = {e["key"] for e in self.events if e["type"] == "ticket.resolved"}
        callbacks = {r[0] for r in self.stack.sql('SELECT ticket FROM "follow-up".callback')}
        self.assertEqual(resolved, callbacks)

    def test_04b_what_is_resolved_within_the_hour_has_met_its_offer(self):
        offered, accepted, early = set(), {}, []
        for event in self.events:
            if event["type"] == "job.offered":
                offered.add(event["key"])
            elif event["type"] == "job.accepted":
                accepted[event["key"]] = event["data"].get("implied", "")
            elif event["type"] == "ticket.resolved" and event["key"] not in offered:
                early.append(event["key"])
        self.assertEqual(early, [])
        resolved = {e["key"] for e in self.events if e["type"] == "ticket.resolved"}
        self.assertEqual(resolved - accepted.keys(), set())
        self.assertGreater(sum(how == "resolved" for how in accepted.values()), len(resolved) // 5)

    def test_05_a_worker_is_what_a_fold_of_the_journal_gives(self):
        for worker in WORKERS:
            done = self.stack.run(f"aftercare-{worker}", "--verify", "--data", self.stack.data, check=False)
            self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
            self.assertIn(" 0 differ", done.stdout)

    def test_06_verify_sees_a_changed_row(self):
        self.stack.sql("UPDATE dispatcher.job SET tier = 7 WHERE job = (SELECT min(job) FROM dispatcher.job WHERE NOT open)")
        done = self.stack.run("aftercare-dispatcher", "--verify", "--data", self.stack.data, check=False)
        self.assertEqual(done.returncode, 1)
        self.assertIn("differs in tier", done.stdout)

    def test_07_rebuilds_ship_nothing_and_give_the_same_rows(self):
        head = self.stack.head()
        reversed_ties = pathlib.Path(os.environ.get("AFTERCARE_TEST_BIN", BIN.parent / "tests" / "bin")) / "aftercare-dispatcher-reversed"
        self.assertTrue(reversed_ties.exists())
        self.stack.run(reversed_ties, "--rebuild", "--data", self.stack.data)
        for worker in WORKERS:
            if worker != "dispatcher":
                self.stack("rebuild", worker)
        self.stack.wait_caught_up()
        self.assertEqual(self.stack.head(), head)
        for worker in WORKERS:
            done = self.stack.run(f"aftercare-{worker}", "--verify", "--data", self.stack.data)
            self.assertIn(" 0 differ", done.stdout)

    def test_08_the_report_comes_out_the_same_twice(self):
        folders = [self.stack.data / name for name in ("report-1", "report-2")]
        for folder in folders:
            self.stack("report", "monthly", "--period", "2011-07", "--early", "--out", folder)
        self.stack.wait_caught_up()
        names = sorted(p.name for p in folders[0].iterdir())
        self.assertTrue(any(n.endswith(".xlsx") for n in names) and any(n.endswith(".html") for n in names), names)
        for name in names:
            self.assertEqual((folders[0] / name).read_bytes(), (folders[1] / name).read_bytes(), name)

    def test_09_run_again_nothing_twice(self):
        before = self.stack.sql("SELECT count(*) FROM intake.journal WHERE type = 'ticket.registered'")
        again = self.stack("import", self.part, "--mapping", self.stack.share("mappings/boston311.yaml"), "--until", UNTIL)
        self.assertIn("already there", again.stdout + again.stderr)
        self.assertEqual(self.stack.sql("SELECT count(*) FROM intake.journal WHERE type = 'ticket.registered'"), before)


def head_of(stack):
    try:
        return stack.head()
    except Exception:
        return 0


if __name__ == "__main__":
    unittest.main(verbosity=2)
