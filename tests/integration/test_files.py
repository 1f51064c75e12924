#!/usr/bin/env python3
"""Files of tickets: put in pieces, cut, gone on with, fetched again to the byte; who may not gets nothing; a branch off line sends them when
the line is back, through its own death; what is erased is gone."""
import os
import pathlib
import shutil
import signal
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).parent))
from branch import Branch  # noqa: E402
from files import PART, FileCase, Line, content, digest  # noqa: E402
from relay import Relay  # noqa: E402
from stack import USER, until  # noqa: E402


class Files(FileCase):
    def left(self, name, content):
        """As an earlier run of the same user leaves it: another's is not gone on with."""
        path = self.folder / name
        path.write_bytes(content)
        path.chmod(0o600)
        if USER:
            shutil.chown(path, USER)

    def test_add_list_get(self):
        data = content(300001, 1)
        path = self.file("报告 1.pdf", data)
        said = self.stack.json("file", "add", "T-1", path)
        self.assertEqual((said["sha256"], said["bytes"]), (digest(data).hex(), len(data)))
        self.assertEqual(self.stack.json("file", "add", "T-1", path)["pos"], said["pos"], "a second run attached it again")
        (stored,) = self.stored("T-1")
        self.assertEqual(stored["region"], "GD01")
        self.stack("file", "add", "T-1", self.file("empty", b""))
        self.stored("T-1", 2)
        rows = {row["name"]: row for row in self.stack.lines("file", "list", "T-1", "--json")}
        self.assertEqual({name: (row["state"], row.get("bytes", 0), row.get("media", "")) for name, row in rows.items()},
                         {"报告 1.pdf": ("stored", 300001, "application/pdf"), "empty": ("stored", 0, "")})
        # By ticket into a folder, by digest into a file.
        names = self.stack("file", "get", "T-1", "--out", self.folder).stdout.splitlines()
        self.assertEqual(sorted(pathlib.Path(name).read_bytes() for name in names), sorted([data, b""]))
        self.assertIn(f"{digest(data).hex()[:12]}-报告 1.pdf", {pathlib.Path(name).name for name in names})
        self.stack("file", "get", digest(data).hex(), "--out", self.folder / "back")
        self.assertEqual((self.folder / "back").read_bytes(), data)
        # What an earlier run left is gone on with; what is not true is thrown away.
        self.left("cut.part", data[:140000])
        self.stack("file", "get", digest(data).hex(), "--out", self.folder / "cut")
        self.assertEqual((self.folder / "cut").read_bytes(), data)
        self.left("bad.part", b"x" * 1000)
        self.assertEqual(self.stack("file", "get", digest(data).hex(), "--out", self.folder / "bad", check=False).returncode, 1)
        self.assertFalse((self.folder / "bad").exists() or (self.folder / "bad.part").exists())
        # The same content of a second ticket: nothing is sent again, and it is told of that ticket too.
        kept = self.stack.sql("SELECT count(*), sum(length(data)) FROM intake.file_part")
        self.stack("file", "add", "T-2", path, "--name", "copy.pdf")
        self.stored("T-2")
        self.assertEqual(self.stack.sql("SELECT count(*), sum(length(data)) FROM intake.file_part"), kept)
        self.assertEqual(self.stack("file", "get", "T-3", "--out", self.folder, check=False).returncode, 1)
        self.assertEqual(self.stack("file", "add", "T-404", path, check=False).returncode, 1)
        self.assertEqual(self.stack("file", "add", "T-1", self.file("much", bytes(20 * 1024 * 1024 + 1)), check=False).returncode, 2)

    def test_cut_and_gone_on_with(self):
        data = content(5 * PART + 777, 2)
        putter = self.putter()
        self.assertIsInstance(putter.attach(1, "T-3", data)[1], int)
        for at in range(0, 3 * PART, PART):
            self.assertEqual(putter.put(data, at, PART)["upto"], at + PART)
        self.assertEqual(putter.put(data, 0, PART)["upto"], 3 * PART, "a piece that came twice")
        self.assertEqual(putter.put(data, 4 * PART, PART)["upto"], 3 * PART, "a piece before its turn")
        self.assertEqual(self.get("gd", digest(data))["code"], "awaited")
        # One that nobody has gone on with for long is forgotten; what it is of may be put again.
        old = content(2 * PART, 20)
        self.assertIsInstance(putter.attach(2, "T-3", old)[1], int)
        self.assertEqual(putter.put(old, 0, PART)["upto"], PART)
        self.stack.sql(f"UPDATE intake.file_bytes SET touched = now() - interval '15 days' WHERE sha256 = '\\x{digest(old).hex()}'")
        self.stack.kill_and_wait_restart("intake")
        putter = self.putter()
        self.assertEqual(putter.put(data)["upto"], 3 * PART, "what HAVE said is kept")
        for at in range(3 * PART, len(data), PART):
            have = putter.put(data, at, PART)
        self.assertEqual((have["upto"], have["whole"]), (len(data), True))
        self.assertTrue(self.putter("gd").put(data)["whole"])
        self.stored("T-3")
        until("what nobody went on with is forgotten", lambda: self.putter().put(old)["upto"] == 0)
        # Back in pieces of whatever size lies there, from anywhere.
        line = self.line(Line, "gd", 2)
        got, part = b"", {"receipt": bytes(8), "size": 1}
        while len(got) < part["size"]:
            part = self.get("gd", digest(data), len(got), line, receipt=part["receipt"])
            got += part["bytes"]
        self.assertEqual(got, data)
        self.assertEqual(self.get("gd", digest(data), 100, self.line(Line, "gd", 2))["bytes"], data[100:100 + PART])

    def test_as_much_as_was_asked_for(self):
        """GET's `bytes`, to its bounds, over the seams of pieces that were put; what is beyond them is refused with its name, and takes no place."""
        data = content(2 * PART + 5, 21)
        putter, line = self.putter(), self.line(Line, "gd", 2)
        self.assertIsInstance(putter.attach(1, "T-6", data)[1], int)
        self.bring(putter, data)
        for bad in (0, -1, PART + 1, 1 << 62, "4096"):
            line.say("GET", sha256=digest(data), offset=0, bytes=bad)
            error = line.hear("ERROR", "PART")
            self.assertEqual((error[""], error["code"], error["why"]), ("ERROR", "malformed", "bytes"), bad)
        at, part = 0, {"receipt": bytes(8)}
        for n in (1, 5, 4096, PART - 4000, 3, PART):
            part = self.get("gd", digest(data), at, line, bytes=n, receipt=part["receipt"])
            self.assertEqual((part["bytes"], part["size"]), (data[at:at + n], len(data)))
            at += len(part["bytes"])
        self.assertEqual((at, self.get("gd", digest(data), at, line, bytes=1, receipt=part["receipt"])["bytes"]), (len(data), b""))

    def test_the_database_dies(self):
        """A piece that was answered may be lost with it; whoever has the file goes on from where HAVE says. A whole file is there."""
        data, small = content(8 * PART, 50), content(9000, 51)
        self.stack.sql("ALTER SYSTEM SET wal_writer_delay = '10s'")  # what is not made sure of stays unsure
        self.stack.sql("SELECT pg_reload_conf()")
        putter = self.putter()
        for n, file in ((1, data), (2, small)):
            self.assertIsInstance(putter.attach(n, "T-1", file)[1], int)
        for at in range(0, 6 * PART, PART):
            self.assertEqual(putter.put(data, at, PART)["upto"], at + PART)
        self.bring(putter, small)
        for at in range(6 * PART, 8 * PART - PART, PART):
            self.assertEqual(putter.put(data, at, PART)["upto"], at + PART)
        pid = int((self.stack.data / "pg" / "postmaster.pid").read_text().split()[0])
        os.kill(pid, signal.SIGKILL)
        until("the database is back", lambda: self.answers() and int((self.stack.data / "pg" / "postmaster.pid").read_text().split()[0]) != pid)
        self.assertTrue(self.sure(small)["whole"])
        have = self.sure(data)
        self.assertIn(have["upto"], (6 * PART, 7 * PART), "what was there when a file became whole is there too")
        self.bring(self.putter(), data)
        self.stored("T-1", 2)
        self.assertEqual(self.get("gd", digest(small))["bytes"], small)
        self.stack.sql("ALTER SYSTEM RESET wal_writer_delay")
        self.stack.sql("SELECT pg_reload_conf()")

    def test_what_is_refused(self):
        data, other = content(3 * PART, 3), content(PART, 4)
        putter = self.putter()
        self.assertEqual(putter.put(data, 0, PART)["code"], "unknown")
        self.assertIsInstance(putter.attach(1, "T-4", data)[1], int)
        self.assertEqual(putter.put(data, 0, 100)["code"], "too-small")
        self.assertEqual(self.putter("bj").put(data, 0, PART)["code"], "denied")
        self.assertEqual(self.putter("bj").attach(1, "T-4", data)[1], "denied")
        # Two principals put the same; one of them wrong bytes: only his own are thrown away.
        wrong = data[:-1] + bytes([data[-1] ^ 1])
        hq = self.putter("keys/operator")
        self.assertEqual(hq.put(wrong, 0, PART, digest(data))["code"], "denied", "he has not named it")
        self.assertIsInstance(hq.attach(1, "T-4", data)[1], int)
        self.assertEqual(putter.put(data, 0, PART)["upto"], PART)
        for at in range(0, 2 * PART, PART):
            self.assertEqual(hq.put(wrong, at, PART, digest(data))["upto"], at + PART)
        have = hq.put(wrong, 2 * PART, PART, digest(data))
        self.assertEqual((have["code"], have["upto"], have["whole"]), ("sha256", 0, False))
        self.assertEqual(putter.put(data)["upto"], PART)
        # Longer than it was announced.
        self.assertIsInstance(putter.attach(2, "T-4", other, size=5000)[1], int)
        self.assertEqual(putter.put(other, 0, PART)["code"], "too-large")
        for at in range(PART, 3 * PART, PART):
            have = putter.put(data, at, PART)
        self.assertTrue(have["whole"])
        # Shorter than it was announced: all of it has come before the right length was said, and the question finds it whole.
        late = content(2 * PART, 6)
        self.assertIsInstance(putter.attach(3, "T-4", late, size=5 * PART)[1], int)
        for at in range(0, 2 * PART, PART):
            have = putter.put(late, at, PART)
        self.assertEqual((have["upto"], have["whole"], putter.put(late)["whole"]), (2 * PART, False, False))
        self.assertIsInstance(putter.attach(4, "T-4", late)[1], int)
        have = putter.put(late)
        self.assertEqual((have["upto"], have["whole"]), (2 * PART, True))
        # Who may not see it, and who does not say that he has the last piece.
        self.assertEqual(self.get("bj", digest(data))["code"], "denied")
        self.assertEqual(self.get("blind", digest(data))["code"], "denied")
        self.assertEqual(self.get("gd", digest(b"?"))["code"], "unknown")
        line = self.line(Line, "gd", 2)
        first = self.get("gd", digest(data), 0, line)
        self.assertEqual(self.get("gd", digest(data), PART, line)["code"], "receipt")
        self.assertEqual(self.get("gd", digest(data), PART, line, receipt=first["receipt"])["bytes"], data[PART:2 * PART])
        # Who was given it is on record, who was not as well.
        until("the reading is on record", lambda: ("gd", "C-1") in {  # once an hour, of whichever ticket
            (e["data"]["principal"], e["key"]) for e in self.stack.lines("tail", "--format", "jsonl", "--type", "access.read")})
        self.assertIn("file", {e["data"]["code"] for e in self.stack.lines("tail", "--format", "jsonl", "--type", "access.denied")})

    def test_a_digest_is_no_key(self):
        """Who only knows a digest and names it for a ticket of his own is given nothing, whatever others do with the same content; who has the
        bytes brings them."""
        data = content(3 * PART + 5, 30)
        sha, owner, thief = digest(data), self.putter(), self.putter("bj")
        self.assertIsInstance(thief.attach(1, "T-9", data)[1], int)
        self.assertIsInstance(owner.attach(1, "T-6", data)[1], int)
        self.bring(owner, data)
        self.assertEqual(self.get("gd", sha)["bytes"], data[:PART], "whole is whole, before file.stored is said")
        self.stored("T-6")
        self.assertIsInstance(thief.attach(2, "T-9", data)[1], int)
        nothing = lambda: self.assertEqual((thief.put(data)["upto"], thief.put(data)["whole"], self.get("bj", sha)["code"]), (0, False, "awaited"))
        nothing()
        # Who may read it, or has brought it, names it for another ticket: nothing is sent again, and it is that ticket's too.
        hq = self.putter("keys/operator")
        for n, putter, ticket in ((1, hq, "T-7"), (2, owner, "T-5"), (2, hq, "T-6")):
            self.assertIsInstance(putter.attach(n, ticket, data)[1], int)
            self.assertTrue(putter.put(data)["whole"])
            self.stored(ticket, 2 if ticket == "T-6" else 1)
        nothing()
        # Who may not read it brings it too; he has the right to say so, and no more.
        blind = self.putter("blind")
        self.assertIsInstance(blind.attach(1, "T-3", data)[1], int)
        self.assertFalse(blind.put(data)["whole"])
        # What was said stays: naming it again takes nothing away, and an archive that is made anew knows as much.
        self.assertIsInstance(blind.attach(2, "T-6", data)[1], int)
        self.assertEqual(self.get("gd", sha)["bytes"], data[:PART])
        pid = self.stack.pid("intake")
        self.stack("rebuild", "intake")
        until("the intake that was taken over from has begun anew", lambda: self.stack.pid("intake") not in (None, pid))
        thief = self.putter("bj")
        nothing()
        self.assertEqual(self.get("gd", sha)["bytes"], data[:PART])
        # With the bytes it is another story. They are kept once.
        self.bring(thief, data)
        self.stored("T-9")
        self.assertEqual(self.get("bj", sha)["bytes"], data[:PART])
        self.assertEqual(self.stack.sql(f"SELECT count(*), sum(length(data)) FROM intake.file_part WHERE sha256 = '\\x{sha.hex()}'"), [["4", str(len(data))]])

    def test_how_much_of_one_principal(self):
        """At the bounds: begun and not finished, and taken in a day. What there would be already is written into the tables."""
        data, mib = content(4 * PART, 40), 1024 * 1024
        putter = self.putter("bj")
        self.assertIsInstance(putter.attach(1, "T-9", data)[1], int)
        beyond = self.metric("file_pieces_beyond_total")
        self.addCleanup(self.stack.sql, "DELETE FROM intake.file_bytes WHERE sha256 IN (sha256('other'), sha256('his')); DELETE FROM intake.file_day")
        self.stack.sql(f"INSERT INTO intake.file_bytes (sha256, owner, upto) VALUES (sha256('other'), 'bj', {256 * mib - PART}), (sha256('his'), 'gd', {256 * mib})")
        self.assertEqual(putter.put(data, 0, PART)["upto"], PART, "exactly as much as there may be")
        self.assertEqual(putter.put(data, PART, PART)["code"], "quota")
        self.assertEqual([putter.put(data)[k] for k in ("upto", "code")], [PART, ""])
        self.stack.sql("DELETE FROM intake.file_bytes WHERE sha256 IN (sha256('other'), sha256('his'))")
        self.stack.sql(f"UPDATE intake.file_day SET bytes = {4096 * mib - PART} WHERE owner = 'bj'")
        self.assertEqual(putter.put(data, PART, PART)["upto"], 2 * PART)
        self.assertEqual(putter.put(data, 2 * PART, PART)["code"], "measure")
        self.assertEqual(self.metric("file_pieces_beyond_total"), beyond + 2)
        self.assertIn("bj", {row["data"].get("principal") for row in self.stack.lines("tail", "--format", "jsonl", "--type", "access.denied")
                             if row["data"]["code"] == "file-measure"}, "on record")
        self.stack.sql("UPDATE intake.file_day SET day = day - 1")
        self.bring(putter, data)
        self.assertEqual(self.stack.sql("SELECT bytes FROM intake.file_day WHERE owner = 'bj'"), [[str(2 * PART)]])

    def test_four_pieces_under_way(self):
        """While the shelf waits for its database: four of a principal's, whatever its connections, thirty-two of all; and facts flow."""
        data, names = content(6 * PART, 41), [f"putter-{i}" for i in range(5)]
        for name in names:
            self.principal(name, "--region", "GD", "--personal")
        putter, second, last = self.putter(), self.putter(), self.putter(names[4])
        others = [self.putter(name) for name in ("bj", "blind", "keys/operator", *names[:4])]
        self.assertIsInstance(putter.attach(1, "T-1", data)[1], int)
        with self.lock("intake.file_bytes"):
            for _ in range(6):
                putter.say("PUT", sha256=digest(data))
            self.assertEqual([putter.hear("HAVE")["code"] for _ in range(2)], ["busy"] * 2)
            self.assertEqual(second.put(data)["code"], "busy")
            for line in others:
                for _ in range(4):
                    line.say("PUT", sha256=digest(b"nobody's"))
            # Each has been read when its fact is answered; none was refused.
            for n, line in enumerate((putter, *others)):
                self.assertIsInstance(line.attach(2 if line is putter else 1, "T-9" if n == 1 else "T-1", content(9, n))[1], int)
            self.assertEqual(last.put(data)["code"], "busy")
        self.assertEqual([putter.hear("HAVE").get("code", "") for _ in range(4)], [""] * 4)
        self.assertEqual([line.hear("HAVE")["code"] for line in others for _ in range(4)], ["unknown"] * 28)
        self.assertEqual(putter.put(data, 0, PART)["upto"], PART)

    def test_how_many_read(self):
        """A piece that was not answered for takes a place: sixteen of a principal, sixty-four of all."""
        data = content(PART + 1, 42)
        putter = self.putter("gd")
        self.assertIsInstance(putter.attach(1, "T-2", data)[1], int)
        self.bring(putter, data)
        self.stored("T-2")
        self.stack.kill_and_wait_restart("intake")  # one that begins knows of no places: those of other tests, then of this one
        self.addCleanup(self.stack.kill_and_wait_restart, "intake")
        names = [f"reader-{i}" for i in range(5)]
        for name in names:
            self.principal(name, "--region", "GD", "--personal")
        ask = lambda name, line, at=0, receipt=bytes(8): self.get(name, digest(data), at, line, receipt=receipt)
        lines = {name: [self.line(Line, name, 2) for _ in range(17)] for name in names[:4]}
        last = self.line(Line, names[4], 2)

        def first_pieces(*names):  # at once: a place is kept for twenty seconds
            all_of = [line for name in names for line in lines[name][:16]]
            for line in all_of:
                line.say("GET", sha256=digest(data), offset=0)
            return [line.hear("PART")["receipt"] for line in all_of]

        receipts = first_pieces(*names[:3])
        self.assertEqual(ask(names[0], lines[names[0]][16])["code"], "busy")
        first_pieces(names[3])
        self.assertEqual(ask(names[4], last)["code"], "busy")
        # One reads on, to the end: its place is another's.
        line, receipt = lines[names[0]][0], receipts[0]
        self.assertEqual(ask(names[0], line, PART, receipts[1])["code"], "receipt")
        part = ask(names[0], line, PART, receipt)
        self.assertEqual(part["bytes"], data[PART:])
        self.assertEqual(ask(names[4], last)["code"], "busy", "it has a piece still")
        self.assertEqual(ask(names[0], line, PART + 1, part["receipt"])["bytes"], b"")
        self.assertEqual(ask(names[4], last)["bytes"], data[:PART])

    def test_a_branch_off_line(self):
        relay = Relay(self.stack.ports[0], 1)  # nothing comes back
        self.addCleanup(relay.close)
        data, small = content(6 * 1024 * 1024, 5), content(9000, 6)
        with Branch(self.stack, "branch-gz", line=(relay.endpoint, f"tcp://127.0.0.1:{self.stack.ports[2]}"), regions="GD", personal="yes") as branch:
            self.assertTrue(relay.held.wait(30), "the branch does not try its line")
            fact = branch.json("say", "note", "T-5", "kind=before")
            path = self.file("photo.jpg", data)
            said = branch.json("file", "add", "T-5", path)
            self.assertEqual((said["sha256"], said["queued"]), (digest(data).hex(), True))
            branch("file", "add", "T-5", self.file("small.jpg", small))
            branch("file", "add", "T-5", path)
            self.assertEqual((branch.status()["queued"], branch.status()["files"]), (3, 2))
            branch.restart()
            self.assertEqual({(row["state"], row["bytes"]) for row in branch.rows("file", "list")}, {("waits", len(data)), ("waits", 9000)})
            # The line is back, and goes again in the middle; so does the branch.
            relay.left = 2_000_000
            relay.held.clear()
            relay.let_go()
            self.assertTrue(relay.held.wait(60), "the file does not go")
            branch.kill(signal.SIGKILL)
            upto = lambda: int(self.stack.sql("SELECT coalesce(max(upto), 0) FROM intake.file_bytes WHERE owner = 'branch-gz' AND NOT whole")[0][0])
            self.assertGreater(upto(), 1_000_000)
            self.assertLess(upto(), len(data))
            self.assertEqual([e["data"]["kind"] for e in self.story("T-5", "ticket.noted")], ["before"], "the facts go first")
            relay.let_go()
            branch.start()
            self.stored("T-5", 2)
            until("the branch knows", lambda: branch.status().get("files", 0) == 0)
            self.assertLess(os.path.getsize(branch.data / "branch" / "files.db"), 16 * 1024 * 1024)
            self.assertEqual(fact["taken"], True)
            self.assertEqual(len(self.story("T-5", "file.attached")), 2)
        self.stack("file", "get", digest(data).hex(), "--out", self.folder / "photo-back")
        self.assertEqual((self.folder / "photo-back").read_bytes(), data)

    def test_erased(self):
        mark = b"PhotoOf-Zxvq-Yyzzq"
        data, shared = mark * 20000, content(50000, 7)
        self.stack("file", "add", "T-8", self.file("face.jpg", data))
        self.stack("file", "add", "T-8", self.file("form.pdf", shared))
        self.stack("file", "add", "T-9", self.file("form.pdf", shared))
        self.assertIsInstance(self.putter("bj").attach(1, "T-9", data)[1], int)  # and has not brought it: keeps nothing
        putter = self.putter()
        begun = content(2 * PART, 8)
        self.assertIsInstance(putter.attach(1, "T-8", begun)[1], int)
        self.assertEqual(putter.put(begun, 0, PART)["upto"], PART)
        self.stored("T-8", 2)
        line = self.line(Line, "gd", 2)
        part = self.get("gd", digest(data), 0, line)
        part = self.get("gd", digest(data), PART, line, receipt=part["receipt"])
        self.assertEqual(part["bytes"], data[PART:2 * PART])
        self.stack.sql("CHECKPOINT")
        self.assertTrue(self.holds(mark), "the photo is not there: the test shows nothing")
        self.stack("erase", "C-2")
        self.assertEqual(self.get("gd", digest(data), 2 * PART, line, receipt=part["receipt"])["code"], "erased")
        self.assertEqual(self.get("gd", digest(data))["code"], "erased")
        self.assertEqual(self.get("gd", digest(shared))["code"], "erased")
        self.assertEqual(self.get("bj", digest(shared))["bytes"], shared, "another customer's stays")
        self.assertEqual(self.get("bj", digest(data))["code"], "awaited")
        self.assertEqual(putter.put(begun, PART, PART)["code"], "erased")
        self.assertEqual({row["state"] for row in self.stack.lines("file", "list", "T-8", "--json")} - {"awaited"}, {"erased"})
        shas = {row[0] for row in self.stack.sql("SELECT encode(sha256, 'hex') FROM intake.file_part UNION SELECT encode(sha256, 'hex') FROM intake.file_bytes")}
        self.assertFalse(shas & {digest(data).hex(), digest(begun).hex()})
        self.stack.sql("CHECKPOINT")
        self.assertFalse(self.holds(mark), "the photo is still in PostgreSQL's files")
        self.assertTrue(self.stack.json("verify")["files"], "what was erased is no finding")
        first = min(int(row[0]) for row in self.stack.sql("SELECT pos FROM intake.journal WHERE type = 'file.stored' AND key = 'T-8'"))
        self.assertEqual([self.stack.json("verify", "--event", first)[k] for k in ("good", "file")], [True, "erased"])
        # Named again it is another story.
        refused = self.stack("file", "add", "T-8", self.file("face.jpg", data), check=False)
        self.assertEqual((refused.returncode, "--again" in refused.stderr), (1, True), refused.stderr)
        self.stack("file", "add", "T-8", self.file("face.jpg", data), "--again")
        self.assertEqual(self.get("gd", digest(data))["bytes"], data[:PART])

    def test_a_stop_is_the_loops(self):
        """A thread that does not block TERM would end the process where it stands, with the lease running: door, feed, shelf, eraser."""
        for task in pathlib.Path(f"/proc/{self.stack.pid('intake')}/task").iterdir():
            fields = dict(line.split(":\t", 1) for line in (task / "status").read_text().splitlines() if ":\t" in line)
            self.assertTrue(int(fields["SigBlk"], 16) & 1 << signal.SIGTERM - 1, f"{fields['Name']} {task.name}")


if __name__ == "__main__":
    unittest.main()
