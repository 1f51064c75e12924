"""A stream on this machine's clock: the protocol as outsiders meet it, rights, spreading, history imported late."""
import csv
import gzip
import os
import subprocess
import threading
import unittest
import uuid

import msgpack

from client import Reader, digest
from stack import BIN, TREE, WORKERS, Failed, Stack, jsonl, until


class Raw(Reader):
    """A source spoken by hand."""

    def hello(self, source, incarnation, first=1, last=0, stream=""):
        self.say("HELLO", proto=[1, 1], stream=stream, source=source, incarnation=incarnation, first=first, last=last)
        return self.hear()[:2]

    def answers(self, n):
        found = []
        while len(found) < n:
            verb, fields, _ = self.hear()
            if verb == "ACK":
                found += fields["answers"]
            elif verb not in ("PONG",):
                raise AssertionError(f"{verb} {fields}")
        return found

    def close(self):
        self.socket.close(0)


class Wall(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.stack = Stack(clock="wall")
        cls.stack.__enter__()
        cls.folder = cls.stack.data
        cls.stack("policy", "publish", cls.stack.share("policies/boston311.yaml"))
        cls.cmd, cls.live, cls.feed = (f"tcp://127.0.0.1:{p}" for p in cls.stack.ports[:3])
        cls.key = cls.stack.key("operator")
        cls.stream = next(iter(Reader(cls.feed, "operator/test", cls.key).events()))["data"]["stream"]

    @classmethod
    def tearDownClass(cls):
        cls.stack.__exit__(None, None, None)

    def register(self, n, prefix, **data):
        return [{"type": "ticket.registered", "key": f"{prefix}-{i}", "by": "tester",
                 "data": {"kind": "Tree Emergencies", "region": "BOS-07", "product": "PARK", **data}} for i in range(n)]

    def test_two_appends_at_once(self):
        outcomes = []

        def send(name):
            file = jsonl(self.folder / f"{name}.jsonl", self.register(200, name))
            outcomes.append(self.stack("append", file, check=False).returncode)
        threads = [threading.Thread(target=send, args=(f"AT-ONCE-{x}",)) for x in "AB"]
        for t in threads:
            t.start()
        for t in threads:
            t.join()
        self.assertEqual(outcomes, [0, 0])
        got = self.stack.sql("SELECT count(*) FROM intake.journal WHERE type = 'ticket.registered' AND key LIKE 'AT-ONCE-%'")
        self.assertEqual(got, [["400"]])

    def test_a_file_sent_before_is_told(self):
        file = jsonl(self.folder / "again.jsonl", self.register(3, "AGAIN"))
        self.stack("append", file)
        head = self.stack.head()
        again = self.stack("append", file)
        self.assertIn("already there", again.stdout + again.stderr)
        self.stack.wait_caught_up()
        got = self.stack.sql("SELECT count(*) FROM intake.journal WHERE key LIKE 'AGAIN-%' AND type = 'ticket.registered'")
        self.assertEqual(got, [["3"]])
        self.assertGreaterEqual(self.stack.head(), head)

    def test_a_refusal_whose_answer_was_lost_is_still_learned(self):
        incarnation = os.urandom(16)
        source = "operator/" + uuid.uuid4().hex
        good = {"type": "ticket.registered", "v": 1, "key": "LOST-1", "by": "x",
                "data": {"kind": "Tree Emergencies", "region": "BOS-07"}}
        bad = {"type": "ticket.registered", "v": 1, "key": "LOST-2", "by": "x", "data": {"region": "BOS-07"}}
        first = Raw(self.cmd, "", self.key)
        self.assertEqual(first.hello(source, incarnation, stream=self.stream)[0], "WELCOME")
        first.say("APPEND", n=1, events=[bad, good])
        until("the refusal is kept", lambda: self.stack.sql(
            "SELECT 1 FROM intake.refused r JOIN intake.source s ON s.id = r.source WHERE s.name = '%s'" % source))
        first.close()  # nothing was read of the answer
        second = Raw(self.cmd, "", self.key)
        verb, welcome = second.hello(source, incarnation, first=1, last=2, stream=self.stream)
        self.assertEqual((verb, welcome["durable"]), ("WELCOME", 2))
        answers = second.answers(2)
        self.assertEqual(answers[0][:3], [1, "missing", "kind"])
        self.assertEqual(answers[1][0], 2)
        self.assertIsInstance(answers[1][1], int)
        second.say("APPEND", n=2, events=[good])  # the same bytes: the stored answer
        self.assertEqual(second.answers(1)[0][:2], answers[1][:2])
        second.close()

    def test_an_outside_client_reads_everything(self):
        events = list(Reader(self.feed, "operator/outside", self.key).events())
        self.assertEqual(events[0]["type"], "stream.created")
        self.assertEqual(len(events), events[-1]["pos"])

    def test_256_registrations_in_one_batch_spread_over_equal_sites(self):
        sites = [{"type": "site.updated", "key": f"equal-{i}", "by": "hq",
                  "data": {"name": f"equal {i}", "tier": 3, "territories": ["SPREAD"], "region": "SPREAD"}} for i in range(8)]
        self.stack("append", jsonl(self.folder / "sites.jsonl", sites))
        self.stack.wait_caught_up()
        raw = Raw(self.cmd, "", self.key)
        raw.hello("operator/" + uuid.uuid4().hex, os.urandom(16), stream=self.stream)
        raw.say("APPEND", n=1, events=[{"type": "ticket.registered", "v": 1, "key": f"SPREAD-{i}", "by": "x",
                                        "data": {"kind": "Pothole", "region": "SPREAD-1"}} for i in range(256)])
        self.assertEqual(len(raw.answers(256)), 256)
        raw.close()
        self.stack.wait_caught_up()
        loads = self.stack.sql("SELECT site, count(*) FROM dispatcher.job WHERE ticket LIKE 'SPREAD-%' GROUP BY 1 ORDER BY 1")
        self.assertEqual(loads, [[f"equal-{i}", "32"] for i in range(8)])

    def test_engineers(self):
        def engineer(key, site, **more):
            return {"type": "engineer.updated", "key": key, "by": "hq", "data": {"name": "王小明", "site": site, **more}}
        sites = [{"type": "site.updated", "key": f"eng-{x}", "by": "hq",
                  "data": {"name": x, "tier": 3, "territories": ["ENG"], "region": "ENG"}} for x in "abc"]
        people = [engineer("fan-1", "eng-a", skills=["fan"]), engineer("fan-2", "eng-a", skills=["fan"]),
                  engineer("pump-1", "eng-b", skills=["pump"], off_duty=True), engineer("pump-2", "eng-b", left=True),
                  engineer("all-1", "eng-c", passes=[{"pass": "training", "until": "2020-01-01T00:00:00Z"}])]
        self.stack("append", jsonl(self.folder / "people.jsonl", sites + people))
        self.stack.wait_caught_up()

        def registered(numbers, **data):
            tickets = [{"type": "ticket.registered", "key": f"ENG-{i}", "by": "x",
                        "data": {"kind": "Pothole", "region": "ENG-1", **data}} for i in numbers]
            self.stack("append", jsonl(self.folder / f"eng-{numbers[0]}.jsonl", tickets))
            self.stack.wait_caught_up()
            return [self.stack.lines("jobs", f"ENG-{i}", "--json") for i in numbers]
        first = registered([1], product="pump")[0][0]
        self.assertEqual((first["site"], first["engineer"]), ("eng-c", "all-1"))
        why = {row["site"]: row.get("removed", "") for row in self.stack.lines("jobs", "ENG-1", "--why", "--json")}
        self.assertEqual((why["eng-a"], why["eng-b"], why["eng-c"]), ("no-skill", "off-duty", ""))
        self.stack("append", jsonl(self.folder / "gone.jsonl", [engineer("all-1", "eng-c", off_duty=True)]))
        self.stack.wait_caught_up()
        shares = [job[0].get("engineer") for job in registered(range(10, 42), product="fan")]
        self.assertEqual((shares.count("fan-1"), shares.count("fan-2")), (16, 16))
        counts = {row["site"]: (row.get("engineers", 0), row.get("on_duty", 0)) for row in self.stack.lines("sites", "tier=3", "--limit", "0", "--json")}
        self.assertEqual([counts[f"eng-{x}"] for x in "abc"], [(2, 2), (2, 0), (1, 0)])
        busy = {row["engineer"]: row.get("open_jobs", 0) for row in self.stack.lines("engineers", "site=eng-a", "--json")}
        self.assertEqual(busy, {"fan-1": 16, "fan-2": 16})
        self.assertIn("离岗", self.stack("engineers", "all-1", env={"LC_ALL": "zh_CN.UTF-8", "LANG": "zh_CN.UTF-8"}).stdout)
        self.assertNotIn("王小明", str(self.stack.sql('SELECT * FROM "dispatcher".engineer')))
        self.stack("verify")

    def test_history_imported_under_todays_policy_gets_the_verdicts_of_its_day(self):
        with gzip.open(TREE / "deploy/requests/boston311-2011q3.csv.gz", "rt", encoding="utf-8") as source:
            rows = list(csv.DictReader(source))[:400]
        part = self.folder / "part.csv"
        with open(part, "w", newline="", encoding="utf-8") as out:
            writer = csv.DictWriter(out, rows[0].keys())
            writer.writeheader()
            writer.writerows(rows)
        os.chmod(part, 0o644)
        self.stack("import", part, "--mapping", self.stack.share("mappings/boston311.yaml"))
        self.stack.wait_caught_up()
        limits = {r[0]: r[1] for r in self.stack.sql("SELECT split_part(clock, '/', 1), state FROM \"sla-watchdog\".clock")}
        judged = [(r["ontime"], limits[r["case_enquiry_id"]]) for r in rows
                  if r["closed_dt"] and r["ontime"] and r["case_enquiry_id"] in limits]
        agree = sum((city == "ONTIME") == (ours == "met") for city, ours in judged)
        self.assertGreater(len(judged), 200)
        self.assertGreaterEqual(agree / len(judged), 0.985, f"{agree} of {len(judged)}")

    def test_no_role_reaches_into_another_schema(self):
        self.stack.wait_caught_up()
        tables = {role: next(iter(self.stack.sql(
            f"SELECT tablename FROM pg_tables WHERE schemaname = '{role}' ORDER BY 1")))[0] for role in ["intake"] + WORKERS}
        for role in tables:
            self.stack.sql(f'SELECT 1 FROM "{role}"."{tables[role]}" LIMIT 1', role=role)
            for other, table in tables.items():
                if other == role:
                    continue
                for attempt in (f'SELECT 1 FROM "{other}"."{table}" LIMIT 1', f'DELETE FROM "{other}"."{table}"',
                                f'CREATE TABLE "{other}".intruder (x int)', f'DROP TABLE "{other}"."{table}"'):
                    with self.assertRaises(Failed, msg=f"{role}: {attempt}"):
                        self.stack.sql(attempt, role=role)
            with self.assertRaises(Failed):
                self.stack.sql("CREATE TABLE public.intruder (x int)", role=role)

    def test_say_and_the_story_of_a_ticket(self):
        self.stack("say", "register", "STORY-1", "kind=Pothole", "region=BOS-07", "product=PWDx",
                   "customer.id=C1", "customer.name=王小明", "customer.phone=13800000000", "description=洞很大")
        self.stack.wait_caught_up()
        body = self.stack.sql("SELECT encode(body, 'escape') FROM intake.journal WHERE key = 'STORY-1'")
        self.assertNotIn("13800000000", str(body))
        story = self.stack("ticket", "STORY-1").stdout
        for word in ("ticket registered", "ticket assessed", "王小明", "dispatcher"):
            self.assertIn(word, story)
        chinese = self.stack("ticket", "STORY-1", env={"LC_ALL": "zh_CN.UTF-8", "LANG": "zh_CN.UTF-8"}).stdout
        self.assertIn("工单登记", chinese)
        refused = self.stack("say", "register", "STORY-2", "region=BOS-07", check=False)
        self.assertEqual(refused.returncode, 1)
        self.assertIn("kind", refused.stdout + refused.stderr)


if __name__ == "__main__":
    unittest.main(verbosity=2)
