"""Nobody changes the book unseen: every column of the journal, its order and its head, each changed by one byte and found by its
position and name; the proof of one event; and intake's archive made anew from the journal."""
import csv
import hashlib
import json
import os
import random
import socket
import threading
import unittest

from stack import Stack, until

CHINESE = {"LC_ALL": "zh_CN.UTF-8", "LANG": "zh_CN.UTF-8"}
MAPPING = """key: no
zone: UTC
time: "%Y-%m-%d %H:%M:%S"
events:
  - type: ticket.registered
    at: opened
    data: { kind: kind, region: { text: BOS-07 }, product: { text: PARK }, serial: serial, customer.name: name, request_id: no }
"""
ROWS = [("A-1", "2026-01-05 10:00:00", "Tree Emergencies", "", "Ann"), ("A-2", "2026-01-05 12:00:00", "Tree Emergencies", "SN1", "Bob"),
        ("A-3", "2026-01-06 09:00:00", "Tree Emergencies", "SN1", "Cid"), ("A-4", "2026-01-07 09:00:00", "Tree Emergencies", "", "Dan")]


class Notified:
    """What daemons that are started meanwhile tell the service manager (sd_notify)."""

    def __init__(self, path):
        self.path, self.said = str(path), []

    def __enter__(self):
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(self.path)
        os.chmod(self.path, 0o777)
        os.environ["NOTIFY_SOCKET"] = self.path
        self.reader = threading.Thread(target=self.read, daemon=True)
        self.reader.start()
        return self.said

    def read(self):
        while (word := self.socket.recv(4096)) != b"end":
            self.said.append(word.decode())

    def __exit__(self, *_):
        del os.environ["NOTIFY_SOCKET"]
        self.socket.sendto(b"end", self.path)
        self.reader.join()
        self.socket.close()


class Verify(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.stack = stack = Stack(clock="stepped", start="2026-01-05T00:00:00Z")
        stack.__enter__()
        cls.addClassCleanup(stack.__exit__, None, None, None)
        stack("policy", "publish", stack.share("policies/boston311.yaml"))
        stack("append", stack.share("networks/boston311.jsonl"))
        (stack.data / "map.yaml").write_text(MAPPING)
        with open(stack.data / "rows.csv", "w", newline="") as file:
            csv.writer(file).writerows([("no", "opened", "kind", "serial", "name"), *ROWS])
        stack("import", "--map", stack.data / "map.yaml", "--until", "2026-01-08T00:00:00Z", stack.data / "rows.csv")
        stack("say", "note", "NOBODY", "text=x", check=False)  # refused
        cls.photo, cls.form = (hashlib.sha256(path.read_bytes()).hexdigest() for path in (cls.file("photo.jpg", 300001), cls.file("form.pdf", 5)))
        for ticket, name in (("A-2", "photo.jpg"), ("A-3", "photo.jpg"), ("A-3", "form.pdf")):
            stack("file", "add", ticket, stack.data / name)
        until("the files are stored", lambda: stack.sql("SELECT count(*) FROM intake.file WHERE stored > pos") == [["3"]])
        stack("say", "note", "A-1", "kind=last")  # a row that is not intake's own, and has nothing personal
        stack.wait_caught_up()
        stack.sql("CREATE TABLE public.journal AS SELECT * FROM intake.journal; CREATE TABLE public.head AS SELECT * FROM intake.head;"
                  "CREATE TABLE public.source AS SELECT * FROM intake.source; CREATE TABLE public.refused AS SELECT * FROM intake.refused")

    @classmethod
    def file(cls, name, n):
        path = cls.stack.data / name
        path.write_bytes(random.Random(name).randbytes(n))
        path.chmod(0o644)
        return path

    def one(self, sql):
        return self.stack.sql(sql)[0][0]

    def position(self, where):
        return int(self.one(f"SELECT min(pos) FROM intake.journal WHERE {where}"))

    def findings(self):
        done = self.stack.run("aftercare-intake", "--data", self.stack.data, "--verify", check=False)
        lines = [json.loads(line) for line in done.stdout.splitlines()]
        self.assertEqual(lines[-1].get("findings", 0), len(lines) - 1)
        self.assertEqual(done.returncode, 1 if lines[:-1] else 0, done.stderr)
        return [(line.get("pos", 0), line["column"], line["what"]) for line in lines[:-1]]

    def mend(self):
        self.stack.sql("BEGIN;" + "".join(f"DELETE FROM intake.{t}; INSERT INTO intake.{t} SELECT * FROM public.{t};"
                                          for t in ("journal", "head", "source", "refused")) + "COMMIT")

    def test_1_all_is_well(self):
        self.assertEqual(self.findings(), [])
        told = self.stack.json("verify")
        self.assertTrue(told["good"] and told["journal"], told)
        self.assertEqual(told["findings"], [])
        self.assertEqual(told["rows"]["positions"], self.stack.head())
        self.assertGreaterEqual(told["rows"]["sealed"], 2)
        self.assertEqual(told["rows"]["refused"], 1)
        self.assertEqual((told["files"], told["rows"]["files"], told["rows"]["file_bytes"]), (True, 2, 300006))
        self.assertEqual(told["rows"]["archive"], sum(len(rows) for rows in self.archive().values()))

    def test_2_every_change_is_named(self):
        head, p = self.stack.head(), self.position("type = 'ticket.registered' AND key = 'A-2'")
        own = self.position("type = 'ticket.assessed' AND key = 'A-2'")

        def flip(column, pos, at="0"):
            return f"UPDATE intake.journal SET {column} = set_byte({column}, {at}, get_byte({column}, {at}) # 1) WHERE pos = {pos}"

        def swap(a, b):
            return (f"UPDATE intake.journal SET pos = 999999 WHERE pos = {a}; UPDATE intake.journal SET pos = {a} WHERE pos = {b};"
                    f"UPDATE intake.journal SET pos = {b} WHERE pos = 999999")
        text = "position('PARK' in body) - 1"
        cases = [
            ("a text in a body", flip("body", p, text), [(p, "body", "changed")]),
            ("a body's first byte", flip("body", p), [(p, "body", "unreadable")]),
            ("the last body", flip("body", head, "length(body) - 1"), [(head, "body", None)]),
            ("a personal part", flip("priv", p, "length(priv) - 1"), [(p, "priv", "changed")]),
            ("a personal part where there was none", f"UPDATE intake.journal SET priv = 'x' WHERE pos = {own}", [(own, "priv", "changed")]),
            ("a link", flip("link", p), [(p, "link", "changed")]),
            ("the first link", flip("link", 1), [(1, "link", "changed")]),
            ("the last link", flip("link", head), [(head, "link", "changed")]),
            ("a digest", flip("digest", p, "31"), [(p, "digest", "changed")]),
            ("a digest away", f"UPDATE intake.journal SET digest = NULL WHERE pos = {p}", [(p, "digest", "changed")]),
            ("an answer", flip("result", p, "length(result) - 1"), [(p, "result", "changed")]),
            ("an answer where there was none", f"UPDATE intake.journal SET result = 'x' WHERE pos = {own}", [(own, "result", "changed")]),
            ("a seal", flip("seal", p), [(p, "seal", "changed")]),
            ("its other half", flip("seal", p, "31"), [(p, "seal", "changed")]),
            ("a missing row", f"DELETE FROM intake.journal WHERE pos = {own}", [(own, "pos", "missing"), ]),
            ("three missing rows", f"DELETE FROM intake.journal WHERE pos BETWEEN {p} AND {p + 2}", [(p, "pos", "missing")]),
            ("the last row missing", f"DELETE FROM intake.journal WHERE pos = {head}", [(0, "head", "changed")]),
            ("a swapped pair", swap(p, p + 1), [(p, "pos", "misplaced"), (p + 1, "pos", "misplaced")]),
            ("a swapped pair far apart", swap(p, head - 1), [(p, "pos", "misplaced"), (head - 1, "pos", "misplaced")]),
            ("the head's link", "UPDATE intake.head SET link = set_byte(link, 3, get_byte(link, 3) # 8)", [(0, "head", "changed")]),
            ("the head's position", "UPDATE intake.head SET pos = pos - 1", [(0, "head", "changed")]),
            ("the head's seal", "UPDATE intake.head SET seal = set_byte(seal, 3, get_byte(seal, 3) # 8)", [(0, "head", "changed")]),
            ("intake's own number", "UPDATE intake.head SET own_n = own_n + 1", [(0, "head", "changed")]),
            ("a type", f"UPDATE intake.journal SET type = 'ticket.noted' WHERE pos = {p}", [(p, "type", "differs")]),
            ("a key", f"UPDATE intake.journal SET key = 'A-1' WHERE pos = {p}", [(p, "key", "differs")]),
            ("a time", f"UPDATE intake.journal SET rec = rec + interval '1 us' WHERE pos = {p}", [(p, "rec", "differs")]),
            ("a source", f"UPDATE intake.journal SET source = 1 WHERE pos = {p}", [(p, "source", "differs")]),
            ("a number", f"UPDATE intake.journal SET n = n + 100000 WHERE pos = {p}", [(p, "n", "differs")]),
            ("a source's last number", "UPDATE intake.source SET last = last + 1 WHERE name LIKE 'import/%'", [(0, "source", "missing")]),
            ("a refusal's event", "UPDATE intake.refused SET event = set_byte(event, 5, get_byte(event, 5) # 1)", [(0, "refused", "changed")]),
            ("a refusal away", "DELETE FROM intake.refused", [(0, "source", "missing")]),
        ]
        for name, sql, expected in cases:
            with self.subTest(name):
                self.stack.sql(sql)
                try:
                    found = self.findings()
                finally:
                    self.mend()
                # What follows from it elsewhere (a number that has no row now) may be told too, behind it.
                got = [(pos, column, what if want[2] else None) for (pos, column, what), want in zip(found, expected)]
                self.assertEqual(got, expected, found)
                self.assertEqual([line for line in found[len(expected):] if line[1] not in ("source", "n")], [], found)
        self.assertEqual(self.findings(), [])

    def test_3_the_proof_of_an_event(self):
        p = self.position("type = 'ticket.registered' AND key = 'A-2'")
        proof = self.stack.json("verify", "--event", p)
        self.assertTrue(proof["good"])
        self.assertEqual((proof["key"], proof["type"], proof["personal"]), ("A-2", "ticket.registered", "there"))
        self.assertEqual(proof["link"], self.one(f"SELECT encode(link, 'hex') FROM intake.journal WHERE pos = {p}"))
        self.assertEqual(proof["link_before"], proof["before"]["link"])
        self.assertEqual((proof["before"]["pos"], proof["behind"]["pos"]), (p - 1, p + 1))
        self.assertEqual(proof["anchor_by"], "journal.sealed")
        self.assertEqual(proof["anchor_link"], proof["anchor_computed"])
        self.assertEqual(self.one(f"SELECT type FROM intake.journal WHERE pos = {proof['anchor_at']}"), "journal.sealed")
        first, last = self.stack.json("verify", "--event", 1), self.stack.json("verify", "--event", self.stack.head())
        self.assertTrue(first["good"] and last["good"])
        self.assertEqual(last["anchor_by"], "head")
        self.assertIn("every link from here", self.stack("verify", "--event", p).stdout)
        self.assertIn("链接由前一行推得", self.stack("verify", "--event", p, env=CHINESE).stdout)
        self.stack.sql(f"UPDATE intake.journal SET body = set_byte(body, position('PARK' in body) - 1, 88) WHERE pos = {p}")
        try:
            done = self.stack("verify", "--event", p, "--json", check=False)
            self.assertEqual(done.returncode, 1)
            self.assertFalse(json.loads(done.stdout).get("link_holds", False))
            self.assertFalse(json.loads(done.stdout).get("anchor_holds", False))
            done = self.stack("verify", check=False, env=CHINESE)
            self.assertEqual(done.returncode, 1)
            self.assertIn(f"位置 {p}，body：被改动", done.stdout)
        finally:
            self.mend()
        self.assertEqual(self.stack("verify", "--event", 10 ** 9, check=False).returncode, 1)
        self.assertEqual(self.stack("verify", "--event", "0", check=False).returncode, 2)

    # --- files
    def test_4_files(self):
        photo, form = (f"sha256 = '\\x{sha}'" for sha in (self.photo, self.form))
        first, second = sorted(int(row[0]) for row in self.stack.sql(f"SELECT stored FROM intake.file WHERE {photo}"))
        of_form = int(self.one(f"SELECT stored FROM intake.file WHERE {form}"))
        pieces = [int(row[0]) for row in self.stack.sql(f"SELECT at FROM intake.file_part WHERE {photo} ORDER BY at")]
        middle, last = pieces[len(pieces) // 2], pieces[-1]
        self.assertTrue(0 < middle < last, pieces)
        flip = f"UPDATE intake.file_part SET data = set_byte(data, 77, get_byte(data, 77) # 1) WHERE {photo} AND at = {middle}"
        proof = lambda pos: self.stack.json("verify", "--event", pos, check=False)
        self.assertEqual([proof(first)[k] for k in ("good", "file", "file_holds", "file_digest")], [True, "there", True, self.photo])
        self.assertNotIn("file", proof(1))
        self.stack.sql("CREATE TABLE public.part AS SELECT * FROM intake.file_part; CREATE TABLE public.bytes AS SELECT * FROM intake.file_bytes")
        back = "; ".join(f"DELETE FROM intake.file_{t}; INSERT INTO intake.file_{t} SELECT * FROM public.{t}" for t in ("part", "bytes"))
        cases = [
            ("a byte", flip, [(first, "file", "changed")], ("changed", False)),
            ("a piece away", f"DELETE FROM intake.file_part WHERE {photo} AND at = {middle}", [(first, "file", "changed")], ("changed", False)),
            ("the last piece away", f"DELETE FROM intake.file_part WHERE {photo} AND at = {last}", [(first, "file", "changed")], ("changed", False)),
            ("all of it away", f"DELETE FROM intake.file_part WHERE {photo}; DELETE FROM intake.file_bytes WHERE {photo}",
             [(first, "file", "missing"), (second, "file", "missing")], ("missing", False)),
        ]
        for name, sql, expected, (state, holds) in cases:
            with self.subTest(name):
                self.stack.sql(sql)
                try:
                    found, told = self.findings(), proof(second)
                finally:
                    self.stack.sql(f"BEGIN; {back}; COMMIT")
                self.assertEqual(found, expected)
                self.assertEqual((told.get("good", False), told["file"], told.get("file_holds", False)), (False, state, holds))
        # A file that is whole although nobody was told of it yet has its digest too; one that is not has none.
        self.stack.sql(f"UPDATE intake.file_bytes SET keeps = false, whole = false WHERE {form}")
        self.assertEqual(self.findings(), [(of_form, "file", "missing")])
        self.stack.sql(f"BEGIN; {back}; {flip}; COMMIT")
        told = self.stack.json("verify", check=False)
        self.assertEqual([told[k] for k in ("good", "journal", "intake", "files")], [False, True, True, False])
        self.assertEqual(told["findings"], [{"pos": first, "column": "file", "what": "changed", "detail": f"{self.photo}: its 300001 bytes have another digest"}])
        self.assertIn("附件内容与正文所记摘要不符", self.stack("verify", "--event", first, check=False, env=CHINESE).stdout)
        self.stack.sql(f"BEGIN; {back}; COMMIT")
        self.assertEqual(self.findings(), [])

    # --- the archive
    def archive(self):
        tables = [name for name, in self.stack.sql("SELECT name FROM intake.definition")]
        return {table: self.stack.sql(f"SELECT * FROM intake.\"{table}\" ORDER BY 1") for table in tables}

    def test_5_the_archive_is_made_anew(self):
        before = self.archive()
        self.assertTrue(before["ticket"] and before["request"] and before["unit"] and before["principal"])
        self.stack.sql("UPDATE intake.ticket SET priority = 'wrong'; DELETE FROM intake.request; DELETE FROM intake.job")
        self.assertNotEqual(self.archive(), before)
        told = self.stack.json("verify", check=False)
        self.assertEqual((told["good"], told["journal"], told["intake"]), (False, True, False))
        said = [line["detail"] for line in told["findings"] if line["column"] == "archive"]
        self.assertIn("ticket A-2 differs in priority", said)
        self.assertEqual(sum(line.startswith("request") and line.endswith("is missing") for line in said), len(before["request"]))
        self.stack.sql("UPDATE intake.unit SET serial = 'SN9'")
        self.assertEqual([line["detail"] for line in self.stack.json("verify", check=False)["findings"] if line["detail"].startswith("unit")],
                         ["unit SN1 is missing", "unit SN9 is not in the fold"])
        self.assertIn("unit SN9 is not in the fold", self.stack("verify", check=False).stdout)
        self.assertEqual(self.stack.sql("SELECT tablename FROM pg_tables WHERE tablename LIKE 'verify%'"), [], "it has left nothing")
        pid = self.stack.pid("intake")
        self.assertEqual(self.stack.json("rebuild", "intake"), {"worker": "intake", "rebuilt": True})
        self.assertEqual(self.archive(), before)
        until("the intake that was taken over from has begun anew", lambda: self.stack.pid("intake") not in (None, pid))
        self.stack("say", "note", "A-2", "text=goes on")

    def test_6_another_definition_at_an_upgrade(self):
        self.stack.wait_caught_up()
        self.stack("down")
        self.stack.up()
        before = self.archive()
        self.stack.sql("UPDATE intake.definition SET digest = '\\x00' WHERE name = 'ticket'; UPDATE intake.ticket SET priority = 'old'")
        self.stack("down")
        with Notified(self.stack.data / "notify") as said:
            self.stack.up()
            # Who started it hears that it lives before it serves, however long that takes.
            until("it says that it serves", lambda: any("STATUS=serves" in word for word in said))
            serves = [i for i, word in enumerate(said) if "STATUS=serves" in word][0]
            self.assertTrue([word for word in said[:serves] if word.startswith("WATCHDOG=1\nSTATUS=rebuild: ")], said)
        self.assertEqual(self.archive(), before)
        self.stack("say", "note", "A-2", "text=goes on after that")
        self.stack("verify")


if __name__ == "__main__":
    unittest.main(verbosity=2)
