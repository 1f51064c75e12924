"""The clients of proto/clients on a real stack: their tables stay equal to the journal through kills of themselves, of the line to
the feed and of intake; appends come out exactly once; the page FIRST-INTEGRATION.md holds; CloudEvents are CloudEvents."""
import hashlib
import json
import os
import pathlib
import re
import shutil
import signal
import sqlite3
import subprocess
import sys
import unittest

import msgpack
import zmq

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "proto" / "clients" / "python"))
import aftercare  # noqa: E402
from relay import Relay
from stack import BIN, TREE, USER, Stack, jsonl, until

CLIENTS = TREE / "proto" / "clients"
TEST_BIN = pathlib.Path(os.environ.get("AFTERCARE_TEST_BIN", TREE / "build" / "tests" / "bin"))
NODE = os.environ.get("AFTERCARE_NODE_CLIENT", "")  # a folder with the Node client and what it needs (test_node.py)
STATES = {"ticket.resolved": "resolved", "ticket.closed": "closed", "ticket.cancelled": "cancelled", "ticket.reopened": "open"}


def fold(bodies):
    """What the table has to be: the journal, folded here."""
    rows = {}
    for body in bodies:
        event = msgpack.unpackb(body)
        if event["type"] == "ticket.registered":
            rows[event["key"]] = [event["data"]["kind"], event.get("region", ""), "open", 1, event["pos"]]
        elif event.get("key") in rows:
            row = rows[event["key"]]
            row[2], row[3], row[4] = STATES.get(event["type"], row[2]), row[3] + 1, event["pos"]
    return {number: tuple(map(str, row)) for number, row in rows.items()}


class Clients(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.stack = Stack(clock="wall")
        cls.stack.__enter__()
        cls.folder = cls.stack.data
        cls.stack("policy", "publish", cls.stack.share("policies/boston311.yaml"))
        for name in ("python", "c", "first"):
            cls.stack.sql(f"CREATE DATABASE table_{name}")
        cls.stream = json.loads(cls.stack("tail", "--type", "stream.created", "--format", "jsonl").stdout)["data"]["stream"]
        cls.processes = []
        cls.knock()

    @classmethod
    def knock(cls):
        """Somebody without a key comes to the door: an event about nothing, without `key`. A client that is killed in its handshake
        leaves one too."""
        stranger = zmq.Context.instance().socket(zmq.DEALER)
        stranger.linger = 0
        stranger.connect(f"tcp://127.0.0.1:{cls.stack.ports[2]}")
        until("it is on record", lambda: cls.stack.sql("SELECT 1 FROM intake.journal WHERE type = 'access.denied' AND coalesce(key, '') = ''"))
        stranger.close()

    @classmethod
    def tearDownClass(cls):
        for process in cls.processes:
            process.kill()
            process.wait()
        cls.stack.__exit__(None, None, None)

    # --- the examples as processes
    def key_file(self, name, feeds=None, principal="operator", cmds=None):
        """The principal's, with other endpoints."""
        key = json.loads(self.stack.key(principal).read_text())
        key["endpoints"] = {"cmd": cmds or [f"tcp://127.0.0.1:{self.stack.ports[0]}"], "feed": feeds or [f"tcp://127.0.0.1:{self.stack.ports[2]}"]}
        path = self.folder / f"{name}.key"
        path.write_text(json.dumps(key))
        os.chmod(path, 0o600)
        if USER:
            shutil.chown(path, USER)
        return path

    def where(self, name):
        return f"host={self.folder}/s user=postgres dbname=table_{name}"

    def example(self, name, *options):
        words = {"python": [sys.executable, CLIENTS / "python/example/table_in_step.py", self.folder / "python.key", self.where("python")],
                 "c": [TEST_BIN / "client-table-in-step", self.folder / "c.key", self.where("c")],
                 "node": ["node", f"{NODE}/example/table-in-step.js", self.folder / "node.key", self.folder / "node.db"]}[name]
        command = [*map(str, words), *options]
        return ["runuser", "-u", USER, "--", *command] if USER and name != "node" else command

    def start(self, name):
        process = subprocess.Popen(self.example(name), cwd="/", stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True)
        self.processes.append(process)
        return process

    def table(self, name):
        sql = "SELECT number, kind, region, state, events, pos FROM ticket"
        if name == "node":
            database = sqlite3.connect(self.folder / "node.db")
            try:
                rows = [tuple(map(str, row)) for row in database.execute(sql)]
            except sqlite3.OperationalError as why:
                if "no such table" not in str(why):
                    raise
                return {}  # it has not begun yet
            finally:
                database.close()
        else:
            done = subprocess.run([*(["runuser", "-u", USER, "--"] if USER else []), "psql", "-XAtF", "\t", self.where(name), "-c", sql],
                                  capture_output=True, text=True, cwd="/")
            if "does not exist" in done.stderr:  # it has not begun yet
                return {}
            self.assertEqual(done.returncode, 0, done.stderr)
            rows = [tuple(line.split("\t")) for line in done.stdout.splitlines()]
        return {row[0]: row[1:] for row in rows}

    def journal(self):
        return fold(bytes.fromhex(row[0]) for row in self.stack.sql("SELECT encode(body, 'hex') FROM intake.journal ORDER BY pos"))

    def append_some(self, round_):
        """Tickets registered and half of them cancelled; by the command, which sends each exactly once."""
        numbers = [f"STEP-{round_}-{i}" for i in range(60)]
        events = [{"type": "ticket.registered", "key": n, "by": "x", "data": {"kind": "Pothole", "region": "BOS-07"}} for n in numbers]
        events += [{"type": "ticket.cancelled", "key": n, "by": "x", "data": {"reason": "double"}} for n in numbers[::2]]
        self.stack("append", jsonl(self.folder / f"round-{round_}.jsonl", events))

    def test_tables_stay_equal_to_the_journal_whatever_is_killed(self):
        names = ["node"] if NODE else ["python", "c"]
        relay = Relay(self.stack.ports[2], 1 << 40)
        for name in names:
            self.key_file(name, [relay.endpoint])
        running = {name: self.start(name) for name in names}
        for round_ in range(3):
            for name in names:  # a backlog to be in the middle of
                os.killpg(running[name].pid, signal.SIGKILL)
                running[name].wait()
            self.append_some(round_)
            self.stack.wait_caught_up()
            before = {name: self.table(name) for name in names}
            if round_ == 2:  # another line, known before any of them begins (T5)
                spare = Relay(self.stack.ports[2], 1 << 40)
                for name in names:
                    self.key_file(name, [relay.endpoint, spare.endpoint])
            running = {name: self.start(name) for name in names}
            if round_ == 1:
                self.stack.kill_and_wait_restart("intake")  # and the feed with it
            if round_ == 2:  # the line to the feed breaks
                relay.close()
                relay = spare
            for name in names:  # as soon as anything of it shows
                until(f"{name}'s table moves", lambda: self.table(name) != before[name], 120)
                os.killpg(running[name].pid, signal.SIGKILL)
                running[name].wait()
                running[name] = self.start(name)
        self.stack.kill_and_wait_restart("intake")  # while they follow
        self.append_some("last")
        self.stack.wait_caught_up()
        for name in names:
            until(f"{name}'s table has the last ticket", lambda: self.table(name).get("STEP-last-58", ("",) * 5)[2] == "closed", 120)
            os.killpg(running[name].pid, signal.SIGKILL)
            running[name].wait()
            done = subprocess.run(self.example(name, "--once"), cwd="/", capture_output=True, text=True, timeout=180)
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assertEqual(self.table(name), self.journal(), name)
        relay.close()

    def test_two_copies_do_not_apply_twice(self):
        self.key_file("python")
        first = subprocess.Popen(self.example("python"), cwd="/", stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True)
        second = self.start("python")
        self.append_some("copies")
        self.stack.wait_caught_up()
        until("a copy has the tickets", lambda: "STEP-copies-59" in self.table("python"))
        for process in (first, second):
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
        subprocess.run(self.example("python", "--once"), cwd="/", check=True, capture_output=True, timeout=180)
        self.assertEqual(self.table("python"), self.journal())

    def test_appends_are_taken_exactly_once_over_kills(self):
        """A source killed again and again, and intake under it: each number has one answer. The second one's tickets are there
        already, so that its answers are refusals, kept as well."""
        self.stack("keys", "new", "mover", "--kind", "import")
        for name, principal, command in (("python", "operator", [sys.executable, CLIENTS / "python/job.py"]),
                                         ("c", "mover", [TEST_BIN / "client-job"])):
            words = [*map(str, command), str(self.key_file(f"append-{name}", principal=principal)), "append"]
            state = str(self.folder / f"append-{name}.state")
            for attempt in range(4):
                process = subprocess.Popen([*words, str(300 * (attempt + 1)), state], cwd="/", stdout=subprocess.DEVNULL)
                if attempt == 2:
                    self.stack.kill_and_wait_restart("intake")
                try:
                    process.wait(0.15 * (attempt + 1))
                except subprocess.TimeoutExpired:
                    process.kill()
                    process.wait()
            done = subprocess.run([*words, "1200", state], cwd="/", capture_output=True, text=True, timeout=180)
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assertEqual(json.loads(done.stdout.splitlines()[-1]), {"end": "done"})
        taken = self.stack.sql("SELECT key FROM intake.journal WHERE type = 'ticket.registered' AND key LIKE 'KIT-%' ORDER BY pos")
        self.assertEqual([row[0] for row in taken], [f"KIT-{n}" for n in range(1, 1201)])
        refused = self.stack.sql("SELECT n FROM intake.refused r JOIN intake.source s ON s.id = r.source WHERE s.name = 'mover' ORDER BY n")
        self.assertEqual([int(row[0]) for row in refused], list(range(1, 1201)))

    def test_questions(self):
        self.append_some("asked")
        self.stack.wait_caught_up()
        key = self.key_file("ask")
        with aftercare.open(str(key)) as client:
            rows, as_of = client.ask("reporting", "tickets", limit=150, at_least=self.stack.head())
            self.assertGreater(len(rows), 50)
            self.assertGreaterEqual(as_of, 60)
            everybody = [row["service"] for row in client.ask("intake", "status")[0]]
            self.assertGreater(len(everybody), 3)
            line, have, page = client.questions, [], ""
            for n in range(len(everybody)):  # one row a page, as asked for (Q1, Q2)
                line.say("ASK", {"id": 1000 + n, "to": "intake", "question": "status", "limit": 1, "after": page})
                _, answer, _ = line.hear(60)
                have += [row["service"] for row in answer["rows"]]
                page = answer.get("after", "")
                self.assertEqual(answer.get("more", False), n + 1 < len(everybody), (n, answer))
            self.assertEqual(have, everybody)
            with self.assertRaises(aftercare.Error) as caught:
                client.ask("reporting", "weather")
            self.assertEqual(caught.exception.code, "unknown-question")
            with self.assertRaises(aftercare.Error) as caught:
                next(iter(client.read(self.stack.head() + 1000, bytes(range(16)))))
            self.assertEqual(caught.exception.code, "ahead")
            with self.assertRaises(aftercare.Error) as caught:
                next(iter(client.read(3, bytes(range(16)))))
            self.assertEqual(caught.exception.code, "fork")

    def read(self, principal="operator", **options):
        """(events, cursors) up to the head."""
        events, cursors = [], []
        with aftercare.open(str(self.key_file(f"read-{principal}", principal=principal))) as client, client.read(**options) as reader:
            for batch in reader:
                events += batch.events
                cursors.append((batch.upto, batch.link, len(events)))
                reader.commit(batch)
            return events, cursors, reader.whole

    def narrowed(self, everything, filters, wanted):
        found, cursors, whole = self.read(credit=3000, **filters)
        self.assertFalse(whole)
        have = [e["pos"] for e in found]
        self.assertEqual([p for p in have if p <= len(everything)], wanted, filters)
        for upto, link, n in cursors[:: max(1, len(cursors) // 4)]:  # from wherever one has kept the cursor
            rest = [e["pos"] for e in self.read(after=upto, link=link, **filters)[0]]
            self.assertEqual(rest[:len(have) - n], have[n:], (filters, upto))

    def test_what_a_reader_sees(self):
        events = [{"type": "ticket.registered", "key": f"SEEN-{i}", "by": "x",
                   "data": {"kind": "Pothole", "region": ("EAST-1", "EAST-2", "WEST-1")[i % 3], "customer": {"name": "王小明"}}} for i in range(30)]
        large = {"type": "training.held", "key": "SEEN-30", "by": "x", "data": {"topics": [f"{i:079}" for i in range(16)], "trainees": "x" * 3999}}
        self.stack("append", jsonl(self.folder / "seen.jsonl", events[:15] + [large] + events[15:] + [large]))
        self.stack("keys", "new", "east", "--kind", "integrator", "--region", "EAST")
        self.stack.wait_caught_up()
        everything, _, whole = self.read()
        self.assertTrue(whole)
        self.assertEqual([e["pos"] for e in everything], list(range(1, len(everything) + 1)))
        self.assertIn({"customer": {"name": "王小明"}}, [e["personal"] for e in everything])

        def wanted(**filters):  # AND between kinds, OR within
            return [e["pos"] for e in everything
                    if (not filters.get("types") or e["type"].startswith(tuple(filters["types"])))
                    and (not filters.get("regions") or e.get("region", "").startswith(tuple(filters["regions"])))
                    and (not filters.get("keys") or e.get("key") in filters["keys"])]
        for filters in ({"types": ["ticket."]}, {"types": ["ticket.reg", "sla."], "regions": ["EAST-2", "WEST"]}, {"keys": ["SEEN-3", "SEEN-4"]},
                        {"types": ["ticket."], "regions": ["EAST"], "keys": ["SEEN-0", "SEEN-1", "SEEN-2"]}, {"types": ["nothing."]}):
            self.narrowed(everything, filters, wanted(**filters))
        # The same out of the database, which has events that are many times as large as the others.
        self.assertGreater(int(self.stack.sql("SELECT octet_length(body) + octet_length(priv) FROM intake.journal WHERE key = 'SEEN-30'")[0][0]), 5000)
        self.stack.kill_and_wait_restart("intake")
        self.assertEqual([e["pos"] for e in self.read()[0]][:len(everything)], [e["pos"] for e in everything])
        for filters in ({"types": ["ticket.", "policy.", "training."]}, {"types": ["training."]}, {"keys": ["SEEN-3", "SEEN-30", "SEEN-29", "no such"]},
                        {"types": ["ticket."], "regions": ["EAST"], "keys": ["SEEN-0", "SEEN-1", "SEEN-2"]}, {"types": ["nothing."]}):
            self.narrowed(everything, filters, wanted(**filters))
        mine, _, whole = self.read("east")
        self.assertFalse(whole)
        self.assertEqual({e["key"] for e in mine if e["type"] == "ticket.registered"}, {f"SEEN-{i}" for i in range(30) if i % 3 < 2})
        self.assertTrue(all(e.get("region", "").startswith("EAST") or e["type"].startswith(("policy.", "calendar.", "product.", "personal."))
                            for e in mine))
        self.assertEqual([e["pos"] for e in mine if e["personal"]], [])

    def test_a_right_that_changes_is_no_hole(self):
        """By the socket of this machine's programs, where no key is asked for."""
        self.stack("say", "principal.added", "wide", "id=wide", "kind=integrator", "regions=NORTH")
        key = {"aftercare": "key", "version": 1, "stream": self.stream, "principal": "wide", "endpoints": {"feed": [f"ipc://{self.folder}/s/feed"]}}
        with aftercare.open(key) as client, client.read(follow=True) as reader:
            batches = iter(reader)
            while not (reader.have >= self.stack.head()):
                reader.commit(next(batches))
            self.assertEqual((reader.whole, reader.session), (False, 1))
            self.stack("say", "principal.changed", "wide", "id=wide", "kind=integrator")
            self.append_some("wider")
            seen = []
            while not any(e.get("key") == "STEP-wider-59" for e in seen):
                batch = next(batches)
                seen += batch.events
                reader.commit(batch)
            self.assertEqual((reader.whole, reader.session), (True, 2))
            self.assertEqual([e["pos"] for e in seen], list(range(seen[0]["pos"], seen[-1]["pos"] + 1)))

    # --- files
    def job(self, *words, client=None):
        client = client or (["node", f"{NODE}/job.js"] if NODE else [sys.executable, CLIENTS / "python/job.py"])
        return subprocess.Popen([*map(str, client), *map(str, words)], cwd="/", stdout=subprocess.PIPE, text=True)

    def done(self, *words, client=None):
        """It ends well."""
        process = self.job(*words, client=client)
        out, _ = process.communicate(timeout=180)
        self.assertEqual((process.returncode, json.loads(out)), (0, {"end": "done"}))

    def killed(self, relay, *words, client=None):
        """By the time that nothing comes back through the relay."""
        process = self.job(*words, client=client)
        self.assertTrue(relay.held.wait(60), "it does not go")
        process.kill()
        process.communicate()
        relay.close()

    def file(self, name, size):
        path, data = self.folder / name, os.urandom(size)
        path.write_bytes(data)
        path.chmod(0o644)
        return path, data, hashlib.sha256(data).hexdigest()

    def told(self, ticket):
        return [row[0] for row in self.stack.sql(f"SELECT type FROM intake.journal WHERE key = '{ticket}' AND type LIKE 'file.%' ORDER BY pos")]

    def test_files_go_between_the_clients(self):
        """Python, or Node, puts and `aftercare file` gets, and the other way; killed in the middle, gone on with by itself and by the other."""
        for ticket in ("FILE-1", "FILE-2", "FILE-3"):
            self.stack("say", "register", ticket, "kind=Pothole", "region=BOS-07", "customer.id=C-FILE", "customer.name=王小明")
        for ticket in ("FILE-1", "FILE-2"):
            path, data, sha256 = self.file(f"{ticket}.bin", 3 << 20)
            relay = Relay(self.stack.ports[0], 1 << 20)
            self.killed(relay, self.key_file("put", cmds=[relay.endpoint]), "put", ticket, path, "-")
            upto = int(self.stack.sql(f"SELECT upto FROM intake.file_bytes WHERE sha256 = '\\x{sha256}' AND NOT whole")[0][0])
            self.assertTrue(1 << 19 < upto < len(data), upto)
            if ticket == "FILE-1":
                self.done(self.key_file("put"), "put", ticket, path, "-")
                self.done(self.key_file("put"), "put", ticket, path, "-")
            else:
                self.assertEqual(self.stack.json("file", "add", ticket, path)["sha256"], sha256)
            until("file.stored", lambda: self.told(ticket) == ["file.attached", "file.stored"])
            out = self.folder / f"{ticket}.out"
            self.stack("file", "get", sha256, "--out", out)
            self.assertEqual(out.read_bytes(), data)
        path, data, sha256 = self.file("FILE-3.bin", 6 << 20)
        self.stack("file", "add", "FILE-3", path)
        relay, out = Relay(self.stack.ports[2], 2500), self.folder / "FILE-3.out"  # a greeting, and some of 48 GETs
        self.killed(relay, self.key_file("get", [relay.endpoint]), "get", sha256, out)
        self.assertFalse(out.exists())
        self.assertTrue(0 < (self.folder / "FILE-3.out.part").stat().st_size < len(data))
        self.done(self.key_file("get"), "get", sha256, out)
        self.assertEqual(out.read_bytes(), data)
        self.assertFalse((self.folder / "FILE-3.out.part").exists())
        # Refused once is not refused for ever.
        path, data, sha256 = self.file("late.bin", 10)
        out, _ = self.job(self.key_file("put"), "put", "FILE-4", path, "-").communicate(timeout=60)
        self.assertEqual(json.loads(out), {"end": "refused", "code": "ticket.unknown"})
        self.assertEqual(json.loads(self.stack("file", "add", "FILE-5", path, "--json", check=False).stdout)["code"], "ticket.unknown")
        for ticket in ("FILE-4", "FILE-5"):
            self.stack("say", "register", ticket, "kind=Pothole", "region=BOS-07")
        self.done(self.key_file("put"), "put", "FILE-4", path, "-")
        self.stack("file", "add", "FILE-5", path)
        until("both are told", lambda: (self.told("FILE-4"), self.told("FILE-5")) == (["file.attached", "file.stored"],) * 2)

    def test_files_go_between_c_and_python(self):
        """What one began, and was killed at, the other goes on with: the fact is said once, the bytes go on where they were, there and back."""
        c, python = [TEST_BIN / "client-job"], [sys.executable, CLIENTS / "python/job.py"]
        for ticket, first, second in (("FILE-C1", c, python), ("FILE-C2", python, c)):
            self.stack("say", "register", ticket, "kind=Pothole", "region=BOS-07")
            path, data, sha256 = self.file(f"{ticket}.bin", 2 << 20)
            relay = Relay(self.stack.ports[0], 1 << 20)
            self.killed(relay, self.key_file("put", cmds=[relay.endpoint]), "put", ticket, path, "-", client=first)
            upto = int(self.stack.sql(f"SELECT upto FROM intake.file_bytes WHERE sha256 = '\\x{sha256}' AND NOT whole")[0][0])
            self.assertTrue(1 << 19 < upto < len(data), upto)
            self.done(self.key_file("put"), "put", ticket, path, "-", client=second)
            self.done(self.key_file("put"), "put", ticket, path, "-", client=first)
            until("file.stored", lambda: self.told(ticket) == ["file.attached", "file.stored"])
            relay, out = Relay(self.stack.ports[2], 2500), self.folder / f"{ticket}.out"
            self.killed(relay, self.key_file("get", [relay.endpoint]), "get", sha256, out, client=first)
            self.assertFalse(out.exists())
            self.assertTrue(0 < (self.folder / f"{ticket}.out.part").stat().st_size < len(data))
            self.done(self.key_file("get"), "get", sha256, out, client=second)
            self.assertEqual(out.read_bytes(), data)
            self.assertFalse((self.folder / f"{ticket}.out.part").exists())
            self.assertEqual(self.stack.json("file", "add", ticket, path)["sha256"], sha256)  # as the command names it
            self.assertEqual(self.told(ticket), ["file.attached", "file.stored"])
        # Refused once is not refused for ever.
        path, data, sha256 = self.file("late-c.bin", 10)
        out, _ = self.job(self.key_file("put"), "put", "FILE-C3", path, "-", client=c).communicate(timeout=60)
        self.assertEqual(json.loads(out), {"end": "refused", "code": "ticket.unknown"})
        self.stack("say", "register", "FILE-C3", "kind=Pothole", "region=BOS-07")
        self.done(self.key_file("put"), "put", "FILE-C3", path, "-", client=c)
        until("it is told", lambda: self.told("FILE-C3") == ["file.attached", "file.stored"])
        # What cannot be: no such file, no such folder, no digest.
        for words in (("put", "FILE-C3", self.folder / "nowhere", "-"), ("get", sha256, self.folder / "no" / "where"), ("get", "abc", self.folder / "x")):
            out, _ = self.job(self.key_file("put"), *words, client=c).communicate(timeout=60)
            self.assertEqual(json.loads(out), {"end": "refused", "code": "malformed" if "abc" in words else "state"})

    def test_cloudevents(self):
        self.stack("say", "register", "CLOUD-1", "kind=Pothole", "region=BOS-07", "customer.name=王小明", "customer.phone=13800000000")
        self.stack.wait_caught_up()
        seen, schema = {}, json.loads((TREE / "proto" / "schema.json").read_text())
        for cloud in self.stack.lines("tail", "--format", "cloudevents"):
            self.assertEqual(cloud["specversion"], "1.0")
            about = ("subject", "partitionkey") if "subject" in cloud else ()  # of an event about nothing neither is there
            self.assertEqual("subject" in cloud, "partitionkey" in cloud, cloud)
            self.assertEqual("subject" in cloud, cloud["type"] != "access.denied", cloud)
            for name in ("id", "source", "type", "dataschema", "sequence", *about):
                self.assertTrue(isinstance(cloud[name], str) and cloud[name], (name, cloud))
            for name in cloud:  # the names of attributes: lower-case letters and digits
                self.assertRegex(name, r"^[a-z0-9]{1,20}$")
            self.assertNotIn("data_base64", cloud)
            self.assertEqual(cloud["datacontenttype"], "application/json")
            self.assertRegex(cloud["source"], r"^/aftercare/[A-Za-z0-9._~/-]+$")  # a URI-reference
            self.assertRegex(cloud["time"], r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$")
            scheme, _, pointer = cloud["dataschema"].partition("#")  # a URI: that of the type in schema.json
            self.assertEqual(scheme, schema["$id"])
            self.assertRegex(pointer, r"^/\$defs/[a-z0-9._-]+~1\d+$")
            self.assertIn(pointer.removeprefix("/$defs/").replace("~1", "/"), schema["$defs"])
            self.assertRegex(cloud["sequence"], r"^\d{20}$")
            self.assertEqual(cloud["id"], f"{self.stream}/{int(cloud['sequence'])}")
            seen.setdefault((cloud["source"], cloud["id"]), []).append(cloud)
        self.assertTrue(all(len(v) == 1 for v in seen.values()))
        sequences = [c[0]["sequence"] for c in seen.values()]
        self.assertEqual(sequences, sorted(sequences))
        self.assertNotIn("13800000000", json.dumps(list(seen.values()), default=str))

    def test_the_page_first_integration(self):
        """Every command of the page, in its order; what it names is this stack's."""
        page = (TREE / "proto" / "FIRST-INTEGRATION.md").read_text()
        blocks = re.findall(r"```sh\n(.*?)```", page, re.S)
        self.assertGreater(len(blocks), 3)
        work = self.folder / "first"
        work.mkdir()
        if USER:
            shutil.chown(work, USER)
        env = {**os.environ, "PATH": f"{BIN}:{os.environ['PATH']}", "AFTERCARE_DATA": str(self.folder), "TREE": str(TREE), "LANG": "C.UTF-8",
               "MINE": self.where("first")}
        script = "set -euo pipefail\n" + "\n".join(block for block in blocks if "quickstart" not in block)
        words = ["bash", "-c", script]
        done = subprocess.run(["runuser", "-u", USER, "--", *words] if USER else words, cwd=work, env=env, capture_output=True, text=True, timeout=300)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        for line in re.findall(r"^#> (.*)$", page, re.M):  # what the page says is printed
            self.assertIn(line, done.stdout)


if __name__ == "__main__":
    unittest.main(verbosity=2)
