"""The operator's command as its user meets it: every command and option on a real stack, what it says, how it ends."""
import csv
import gzip
import json
import os
import signal
import subprocess
import threading
import time
import unittest

from relay import Relay
from stack import TREE, WORKERS, Stack, jsonl, until

CHINESE = {"LC_ALL": "zh_CN.UTF-8", "LANG": "zh_CN.UTF-8"}
HEADER = "no,opened,kind,姓名,电话,说明"
ROWS = ['{0}-1,2026-01-05 10:00:00,Tree Emergencies,王小明,138,"第一行\r\n第二行, ""引用"""',
        "{0}-2,2026-01-05 10:05:00,Tree Emergencies,李四,139,洞",
        "{0}-3,not a time,Tree Emergencies,,,",
        "{0}-4,2026-01-05 10:05:00,Tree Emergencies,x",
        "bad key,2026-01-05 10:05:00,T,x,y,z",
        "{0}-5,2026-01-05 10:05:00,,x,y,z"]
MAPPING = """key: no
zone: Asia/Shanghai
time: "%Y-%m-%d %H:%M:%S"
events:
  - type: ticket.registered
    at: opened
    data: { kind: kind, region: { text: BOS-07 }, product: { text: PARK }, customer.name: 姓名, customer.phone: 电话, description: 说明 }
"""


class Cli(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.stack = Stack(clock="wall")
        cls.stack.__enter__()
        cls.folder = cls.stack.data
        cls.stack("policy", "publish", cls.stack.share("policies/boston311.yaml"))
        cls.stack("append", cls.stack.share("networks/boston311.jsonl"))
        cls.say("register", "E1", "kind=Tree Emergencies", "region=BOS-07", "product=PARK", "customer.name=王小明")
        cls.stack.wait_caught_up()
        cls.say("accept", "E1", "job=E1/j1", "by=ann")
        cls.say("note", "E1", "text=called again", "at=2026-01-05 08:00")
        cls.say("report", "E1", "job=E1/j1", "outcome=done")
        cls.stack.wait_caught_up()
        cls.say("callback", "E1", "reached=yes", "satisfaction=5")
        cls.stack.wait_caught_up()

    @classmethod
    def tearDownClass(cls):
        cls.stack.__exit__(None, None, None)

    @classmethod
    def say(cls, *args):
        return cls.stack("say", *args)

    def file(self, name, content):
        path = self.folder / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        os.chmod(path, 0o644)
        return path

    def ends(self, code, *args, says="", **options):
        """The command ends so, and says so; nothing that goes into a pipe has colours or a bar."""
        done = self.stack(*args, check=False, silent=code == 3, **options)
        both = done.stdout + done.stderr
        self.assertEqual(done.returncode, code, f"{args}: {both}")
        self.assertIn(says, both, args)
        self.assertNotIn("\033", both)
        self.assertNotIn("█", both)
        return done

    # --- how it ends
    def test_nobody_answers(self):
        nobody = self.folder / "nobody"
        for args in (["status"], ["jobs"], ["tail"], ["verify"], ["say", "note", "T", "text=x"],
                     ["append", self.stack.share("networks/boston311.jsonl")], ["report", "monthly", "--period", "2011-01"]):
            begun = time.monotonic()
            # The last --data counts; its settings point at ports where nobody is.
            done = self.ends(3, *args, "--data", nobody, "--config", self.silent_settings(), says="nobody answers")
            self.assertLess(time.monotonic() - begun, 100, args)
            self.assertIn("aftercare up", done.stderr)
        zh = self.ends(3, "status", "--config", self.silent_settings(), env=CHINESE)
        self.assertNotIn("nobody answers", zh.stderr)

    def silent_settings(self):
        return self.file("silent.yaml", "cmd: tcp://127.0.0.1:9\nfeed: tcp://127.0.0.1:9\n")

    def test_usage(self):
        for args in (["nonsense"], ["say", "registr", "T"], ["say", "register"], ["say", "register", "a b", "kind=x"],
                     ["say", "register", "T", "knd=x"], ["jobs", "foo=1"], ["sites", "--limit", "x"], ["jobs", "--why"],
                     ["tail", "--from", "x"], ["tail", "--format", "x"], ["import", "x.csv"], ["append"], ["append", "/none"],
                     ["report", "monthly", "--period", "2026-13"], ["rebuild"], ["rebuild", "nobody"], ["ticket"],
                     ["policy", "check"], ["schema", "no.such"], ["status", "--config", "/none"]):
            self.ends(2, *args)

    def test_help(self):
        listed = self.ends(0, "--help").stdout
        for command in ("status", "policy", "import", "append", "say", "tail", "ticket", "tickets", "jobs", "limits",
                        "callbacks", "sites", "engineers", "refused", "parked", "report", "rebuild", "verify", "schema", "keys", "doctor"):
            self.assertIn(f"  {command} ", listed)
            if command != "doctor":
                self.ends(0, command, "--help")
        for command in ("import", "append", "tail", "jobs", "report", "rebuild", "policy", "schema", "tickets", "say"):
            self.assertIn("Example", self.ends(0, command, "--help").stdout, command)
        self.assertIn("示例", self.ends(0, "import", "--help", env=CHINESE).stdout)
        verbs = [line.split()[0] for line in self.ends(0, "say", "--help").stdout.splitlines() if line.startswith("  ")]
        self.assertGreater(len(verbs), 25)
        for verb in verbs:
            self.assertIn(f"aftercare say {verb} ", self.ends(0, "say", verb, "--help").stdout)

    # --- rules
    def test_policy(self):
        good = self.stack.share("policies/boston311.yaml")
        self.ends(0, "policy", "check", good, says="is good")
        self.ends(0, "policy", "publish", good, says="published already")
        self.ends(0, "policy", "show", says="boston311-1")
        self.assertEqual(self.stack.json("policy", "show")["name"], "boston311")
        text = good.read_text()
        bad = self.file("bad.yaml", text.replace("zone: America/New_York", "zone: Mars/Base", 1))
        self.ends(1, "policy", "check", bad, says="bad.yaml:")
        told = json.loads(self.ends(1, "policy", "check", bad, "--json").stdout)
        self.assertFalse(told["good"])
        self.assertEqual(told["problems"][0]["field"], "zone")
        self.assertGreater(told["problems"][0]["line"], 1)
        changed = self.file("changed.yaml", text + "\n# another text\n")
        self.ends(1, "policy", "publish", changed, says="another text")

    # --- what goes in
    def test_say(self):
        for args in (["say", "--data", self.folder, "register", "OPT-1"], ["say", "register", "OPT-2", "--data", self.folder],
                     ["say", "ticket.registered", "OPT-3"]):
            self.ends(0, *args, "kind=Pothole", "region=BOS-07", says="taken at position")
        number = self.stack.json("say", "register", "-", "kind=Pothole", "region=BOS-07")["result"]["number"]
        self.assertTrue(number.startswith("T-"))
        self.ends(1, "say", "register", "OPT-9", "region=BOS-07", says="kind")
        self.ends(1, "say", "note", "NOWHERE", "text=x", says="no such ticket")
        refused = json.loads(self.ends(1, "say", "register", "OPT-9", "region=BOS-07", "--json").stdout)
        self.assertEqual((refused["taken"], refused["code"], refused["field"]), (False, "missing", "kind"))
        self.ends(1, "say", "register", "OPT-9", "region=BOS-07", env=CHINESE, says="缺少")

    def test_append(self):
        note = '{"type":"ticket.noted","key":"E1","data":{"text":"%s"}}\n'
        self.ends(0, "append", "-", input=note % "from a pipe", says="1 taken")
        self.ends(0, "append", "-", input=note % "from a pipe", says="--again")
        self.ends(0, "append", "-", "--again", input=note % "from a pipe", says="1 taken")
        file = jsonl(self.folder / "half.jsonl", [{"type": "ticket.noted", "key": "E1", "data": {"text": "good"}},
                                                  {"type": "ticket.noted", "key": "NOWHERE", "data": {"text": "bad"}}])
        told = json.loads(self.ends(1, "append", file, "--json").stdout)
        self.assertEqual((told["taken"], told["refused"]), (1, 1))
        self.assertEqual((told["refusals"][0]["line"], told["refusals"][0]["code"]), (2, "ticket.unknown"))
        self.ends(1, "append", file, says="line 2: refused")  # a stored refusal is told again
        head = self.stack.head()
        self.ends(1, "append", "-", input=note % "x" + '{"type":"ticket.noted","key":"E1","data":{"txt":"x"}}', says="-:2:1")
        self.assertEqual(self.stack.head(), head, "a wrong line and yet something was sent")
        self.ends(1, "append", "-", input="", says="no event")
        told = json.loads(self.ends(1, "append", "-", "--json", input='{"type":"no.such"}\n{"type":').stdout)
        self.assertEqual([p["line"] for p in told["problems"]], [1, 2])

    def test_import(self):
        mapping = self.file("calls.yaml", MAPPING)
        for name, encoding, mark in (("bom", "utf-8", b"\xef\xbb\xbf"), ("gb", "gb18030", b"")):
            content = "\r\n".join([HEADER] + [row.format(name.upper()) for row in ROWS]) + "\r\n"
            if name == "gb":
                content += 'GB-9,2026-01-05 10:05:00,T,x,y,"never closed\r\n'
            file = self.file(f"{name}.csv", mark + content.encode(encoding))
            rejects = self.folder / f"{name}-rejects.csv"
            told = self.stack.json("import", file, "--mapping", mapping, "--rejects", rejects)
            self.assertEqual((told["taken"], told["encoding"]), (2, encoding))
            with open(rejects, encoding="utf-8") as source:
                bad = list(csv.DictReader(source))
            self.assertEqual([(r["line"], r["column"]) for r in bad][:4], [("5", "opened"), ("6", ""), ("7", "no"), ("8", "kind")])
            self.assertIn("4 cells, the header has 6", bad[1]["reason"])
            self.assertEqual(told["bad_rows"], len(bad))
            again = self.stack.json("import", file, "--mapping", mapping, "--rejects", rejects)
            self.assertEqual((again["taken"], again["there_before"]), (0, 2))
        story = self.ends(0, "ticket", "GB-1").stdout
        self.assertIn("王小明", story)
        self.assertIn('第二行, "引用"', story)
        self.ends(1, "import", self.file("other.csv", "a,b\n1,2\n"), "--mapping", mapping, says='no column "no"')
        self.ends(1, "import", file, "--mapping", self.file("wrong.yaml", MAPPING.replace("registered", "registerd")), says="wrong.yaml:5")
        self.ends(1, "import", file, "--mapping", mapping, "--stepped", says="stepped")
        self.ends(2, "import", file, "--mapping", mapping, "--until", "xx", says="--until")
        self.ends(1, "import", file, "--mapping", mapping, "--as", "nobody", says="principal")

    def test_import_goes_on_where_it_was_cut_off(self):
        with gzip.open(TREE / "deploy/requests/boston311-2011q3.csv.gz", "rt", encoding="utf-8") as source:
            lines = [next(source) for _ in range(3001)]
        part = self.file("cut.csv", "".join(lines))
        args = ["import", part, "--mapping", self.stack.share("mappings/boston311.yaml")]
        head = self.stack.head()
        first = subprocess.Popen(self.stack.command("aftercare", "--data", self.folder, *args), cwd="/",
                                 stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True)
        until("some of it is there", lambda: self.stack.head() > head + 100 or first.poll() is not None)
        os.killpg(first.pid, signal.SIGKILL)
        first.wait(300)
        told = self.stack.json(*args)
        self.assertEqual(told["refused"], 0)
        self.assertEqual(told["taken"] + told["there_before"], told["facts"])
        self.stack.wait_caught_up(240)
        got = self.stack.sql("SELECT count(*), count(DISTINCT key) FROM intake.journal WHERE type = 'ticket.registered'"
                             " AND key ~ '^1010'")
        self.assertEqual(got, [["3000", "3000"]])

    def test_import_says_for_whom_it_waits(self):
        cmd, _, feed = self.stack.ports[:3]
        relay = Relay(cmd, hold_after=20000)
        self.addCleanup(relay.close)
        config = self.file("relayed.yaml", f"data: {self.stack.data}\ncmd: {relay.endpoint}\nfeed: tcp://127.0.0.1:{feed}\n")
        rows = [ROWS[1].format(f"AWAY{i}") for i in range(600)]
        told = self.file("away.txt", "")
        with open(told, "w", encoding="utf-8") as err:
            importing = subprocess.Popen(self.stack.command(
                "aftercare", "--config", config, "import", self.file("away.csv", "\n".join([HEADER] + rows) + "\n"),
                "--mapping", self.file("away.yaml", MAPPING)), cwd="/", stdout=subprocess.DEVNULL, stderr=err)
        until("it is told", lambda: f"waiting for intake at {relay.endpoint} …" in told.read_text() or importing.poll() is not None)
        self.assertTrue(relay.held.is_set())
        self.assertNotIn("is back", told.read_text())
        relay.let_go()
        self.assertEqual(importing.wait(300), 0)
        words = told.read_text()
        self.assertEqual((words.count("waiting for intake"), words.count("is back")), (1, 1), words)
        got = self.stack.sql("SELECT count(*) FROM intake.journal WHERE type = 'ticket.registered' AND key LIKE 'AWAY%'")
        self.assertEqual(got, [["600"]])

    # --- what comes out
    def test_tail(self):
        rows = self.stack.lines("tail", "--key", "E1", "--format", "jsonl")
        self.assertEqual([r["type"] for r in rows][:2], ["ticket.registered", "ticket.assessed"])
        self.assertEqual(self.stack.lines("tail", "--key", "E1", "--json")[0], rows[0])
        clouds = self.stack.lines("tail", "--key", "E1", "--format", "cloudevents")
        self.assertEqual((clouds[0]["specversion"], clouds[0]["subject"], clouds[0]["sequence"]),
                         ("1.0", "E1", str(rows[0]["pos"]).zfill(20)))
        self.assertNotIn("王小明", json.dumps(clouds, ensure_ascii=False))
        jobs = self.stack.lines("tail", "--type", "job.", "--region", "BOS-07", "--json")
        self.assertTrue(jobs and all(r["type"].startswith("job.") and r["region"].startswith("BOS-07") for r in jobs))
        both = {r["type"] for r in self.stack.lines("tail", "--type", "job.", "--type", "sla.", "--key", "E1", "--json")}
        self.assertEqual(both, {"job.offered", "job.accepted", "job.reported", "sla.scheduled", "sla.met"})
        late = self.stack.lines("tail", "--from", rows[-1]["pos"], "--key", "E1", "--json")
        self.assertEqual(late[0]["pos"], rows[-1]["pos"])
        self.assertEqual(self.ends(0, "tail", "--from", "now").stdout, "")
        self.ends(1, "tail", "--from", "99999999", says="not that long")
        self.ends(0, "tail", "--key", "E1", says="job accepted")
        self.ends(0, "tail", "--key", "E1", env=CHINESE, says="接受派工")

    def test_tail_follows(self):
        self.say("register", "FOLLOW", "kind=Pothole", "region=BOS-07")
        process = subprocess.Popen(
            self.stack.command("aftercare", "--data", self.folder, "tail", "--follow", "--from", "start", "--key", "FOLLOW", "--json"),
            cwd="/", stdout=subprocess.PIPE, text=True, start_new_session=True)
        seen = []
        reader = threading.Thread(target=lambda: seen.extend(json.loads(line)["type"] for line in process.stdout))
        reader.start()
        try:
            until("what was there", lambda: "ticket.registered" in seen)
            self.say("note", "FOLLOW", "text=later")
            until("what comes", lambda: "ticket.noted" in seen)
        finally:
            os.killpg(process.pid, signal.SIGINT)
            process.wait(300)
            reader.join(20)
            process.stdout.close()

    def test_ticket(self):
        story = self.ends(0, "ticket", "E1").stdout
        for word in ("ticket registered", "limits scheduled", "job offered", "ann", "after ", "ticket closed", "score 5"):
            self.assertIn(word, story)
        self.assertEqual(self.stack.lines("ticket", "E1", "--json")[0]["type"], "ticket.registered")
        self.ends(1, "ticket", "NOWHERE", says="nothing is known")
        chinese = self.ends(0, "ticket", "E1", env=CHINESE).stdout
        for word in ("工单登记", "派工", "结果 完成", "缘由"):
            self.assertIn(word, chinese)

    def test_lists(self):
        self.assertEqual(self.stack.lines("jobs", "E1", "--json")[0]["state"], "reported")
        self.assertEqual(self.stack.lines("jobs", "E1/j1", "--json"), self.stack.lines("jobs", "ticket=E1", "--json"))
        why = self.stack.lines("jobs", "E1", "--why", "--json")
        self.assertTrue(why[0]["chosen"])
        self.assertEqual(why[1]["removed"], "territory")
        self.ends(0, "jobs", "E1", "--why", says="lowest score")
        self.ends(0, "jobs", "E1", "--why", env=CHINESE, says="不在服务范围")
        self.ends(1, "jobs", "NOWHERE", "--why")
        trees = self.stack.lines("tickets", "state=closed", "kind=Tree Emergencies", "region=BOS-07", "--json", "--limit", "0")
        self.assertIn("E1", [t["ticket"] for t in trees])
        self.assertTrue(all(t["state"] == "closed" and t["region"].startswith("BOS-07") for t in trees))
        self.assertEqual(self.stack.lines("tickets", "E1", "--json")[0]["satisfaction"], 5)
        self.ends(0, "tickets", "state=closed", env=CHINESE, says="已关闭")
        self.assertEqual(self.stack.lines("limits", "E1", "--json")[0]["state"], "met")
        self.assertIn("E1", [c["ticket"] for c in self.stack.lines("callbacks", "state=recorded", "--json")])
        self.assertEqual([s["site"] for s in self.stack.lines("sites", "tier=1", "--json")], ["city-hall"])
        self.assertEqual(len(self.stack.lines("sites", "--limit", "2", "--json")), 2)
        self.ends(0, "sites", "--limit", "2", says="--limit 0 gives all")
        self.ends(0, "jobs", "state=declined", says="none")
        self.ends(0, "parked", says="none")
        self.assertEqual(self.ends(0, "parked", "--json").stdout, "")
        self.stack("say", "register", "REF-1", "region=BOS-07", check=False)
        self.assertIn(("REF-1", "kind"), [(r["key"], r["field"]) for r in self.stack.lines("refused", "code=missing", "--limit", "0", "--json")])

    def test_status(self):
        self.stack.wait_caught_up()
        status = until("all answer within a second", lambda: (now := self.stack.json("status")) and all(s["answers"] for s in now["services"]) and now)
        self.assertEqual([s["service"] for s in status["services"]], ["intake"] + WORKERS)
        for service in status["services"]:
            for field in ("pos", "lag", "parked", "in_flight", "checked_until"):
                self.assertIn(field, service)
        self.ends(0, "status", says="up to date")
        self.ends(0, "status", env=CHINESE, says="正常")

    def test_report(self):
        out = self.folder / "report"
        self.ends(1, "report", "monthly", "--period", "2999-01", "--out", out, says="not over")
        self.assertEqual(self.stack.lines("tail", "--type", "report.", "--key", "monthly.2999-01", "--json"), [])
        told = self.stack.json("report", "monthly", "--period", "2011-01", "--out", out)
        self.assertEqual(sorted(f["path"].rsplit(".", 1)[1] for f in told["files"]), ["csv", "html", "xlsx"])
        before = {p.name: p.read_bytes() for p in out.iterdir()}
        self.ends(0, "report", "monthly", "--period", "2011-01", "--out", out, says=".xlsx")
        self.assertEqual({p.name: p.read_bytes() for p in out.iterdir()}, before)
        self.assertEqual(len(self.stack.lines("tail", "--type", "report.closed", "--key", "monthly.2011-01", "--json")), 1)

    # --- proofs
    def test_rebuild_of_tables_that_are_ahead(self):
        """A journal put back from a backup is shorter than what its workers have seen: their tables are made anew of what there is."""
        head = self.stack.head()
        self.stack.sql("UPDATE follow_up_or.cursor SET pos = pos + 1000".replace("follow_up_or", '"follow-up"'))
        self.assertEqual(self.stack.json("rebuild", "follow-up")["rebuilt"], True)
        until("it goes on from the journal's end", lambda: self.stack.sql('SELECT pos FROM "follow-up".cursor')[0][0] and
              head <= int(self.stack.sql('SELECT pos FROM "follow-up".cursor')[0][0]) < head + 1000)
        self.stack("verify")

    def test_rebuild_and_verify(self):
        self.stack.wait_caught_up(240)
        self.assertEqual(self.stack.json("rebuild", "follow-up"), {"worker": "follow-up", "rebuilt": True})
        self.ends(0, "rebuild", "follow-up", "--verify", says="what the journal says")
        told = self.stack.json("verify")
        self.assertTrue(told["good"] and told["journal"] and all(told[w] for w in WORKERS), told)
        self.ends(0, "verify", says="every link holds")

    def test_schema(self):
        self.assertEqual(json.loads(self.ends(0, "schema", "--asyncapi").stdout)["asyncapi"], "3.0.0")
        self.assertIn("$schema", json.loads(self.ends(0, "schema", "--json-schema").stdout))
        self.assertEqual(self.ends(0, "schema", "--asyncapi").stdout, (TREE / "proto/asyncapi.json").read_text())
        self.ends(0, "schema", "ticket.noted", says="[personal]")
        self.ends(0, "schema", env=CHINESE, says="工单登记")
        self.ends(0, "schema", "--questions", says="dispatcher why")


if __name__ == "__main__":
    unittest.main(verbosity=2)
