"""A branch's daemon against a real centre: line down and up, refusals put right, kills, the disk, the clock, the work list."""
import os
import pathlib
import random
import signal
import subprocess
import tempfile
import unittest

from branch import App, Branch, journaled, note, registration
from relay import Narrow
from stack import TREE, Stack, free_ports, jsonl, until

KILLS = int(os.environ.get("AFTERCARE_TEST_KILLS", "8"))
CALLS = [int(k) for k in os.environ.get("AFTERCARE_TEST_CALLS", "3").split(",")]  # the nth after its start-up
PATIENCE = 180
FACTS = int(os.environ.get("AFTERCARE_TEST_FACTS", "3000"))
# Each of these in turn ends the process when it is called for the nth time.
SYSCALLS = {"pwrite64": 6, "fdatasync": 4, "sendto": 0, "recvfrom": 0, "write": 8}


class Centre(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.stack = Stack(clock="wall")
        cls.stack.__enter__()
        cls.stack("policy", "publish", TREE / "tests" / "integration" / "branch.yaml")

    @classmethod
    def tearDownClass(cls):
        cls.stack.__exit__(None, None, None)

    def nowhere(self):
        """Endpoints that nobody serves: the line is down."""
        return tuple(f"tcp://127.0.0.1:{port}" for port in free_ports(2))

    def line_up(self, branch):
        branch.kill(signal.SIGTERM)
        branch.line = tuple(f"tcp://127.0.0.1:{self.stack.ports[i]}" for i in (0, 2))
        branch.write_settings()
        branch.start()

    def in_order(self, branch, count):
        rows = journaled(self.stack, branch.name)
        self.assertEqual([n for _, n, _, _ in rows], list(range(1, count + 1)), "each once and in order")
        return rows

    def test_numbers_off_line_then_everything_arrives(self):
        with Branch(self.stack, "branch-off", prefix="OFF1", line=self.nowhere()) as branch:
            first = [branch.register("kind=repair", "region=OFF1", "customer.phone=1380000") for _ in range(3)]
            branch("say", "note", first[0], "text=the customer called again")
            branch.restart()  # kill -9
            more = [branch.register("kind=repair", "region=OFF1") for _ in range(2)]
            day = first[0].split("-")[1]
            self.assertEqual(first + more, [f"OFF1-{day}-{i:06}" for i in range(1, 6)])
            self.assertEqual(branch.status()["line"], "down")
            self.assertEqual(branch.status()["queued"], 6)
            self.assertEqual([row["n"] for row in branch.rows("queued")], list(range(1, 7)))
            self.assertEqual(branch.rows("jobs"), [])
            self.line_up(branch)
            branch.drained()
            rows = self.in_order(branch, 6)
            self.assertEqual([key for _, _, kind, key in rows if kind == "ticket.registered"], first + more)
            # The centre gives numbers of its own beside; the branch goes on behind what it gave.
            self.assertEqual(branch.register("kind=repair", "region=OFF1"), f"OFF1-{day}-000006")

    def test_a_refusal_is_shown_and_put_right(self):
        with Branch(self.stack, "branch-no", prefix="NO1") as branch:
            number = branch.register("kind=complaint", "region=NO1")  # the centre wants a telephone
            branch("say", "note", number, "text=before it is known")
            until("both are refused", lambda: branch.status()["refused"] == 2)
            refused = branch.rows("refused")
            self.assertEqual([(r["code"], r.get("field")) for r in refused], [("missing", "customer.phone"), ("ticket.unknown", "key")])
            done = branch("resend", "1", "customer.phone=13800004711")
            self.assertIn(number, done.stdout)
            until("it is taken now", lambda: branch.status()["refused"] == 1 and branch.drained())
            branch("resend", "2")
            branch.drained()
            self.assertEqual(branch.status()["refused"], 0)
            kinds = [kind for _, _, kind, key in journaled(self.stack, branch.name) if key == number]
            self.assertEqual(kinds, ["ticket.registered", "ticket.noted"])
            # Said twice, by mistake: what is refused now is left out, and that stays on record.
            branch("append", "-", input='{"type":"ticket.noted","key":"NOBODY-1","data":{"kind":"x"}}\n')
            until("refused", lambda: branch.status()["refused"] == 1)
            n = branch.rows("refused")[0]["n"]
            self.assertEqual(branch("drop", n, check=False).returncode, 2)
            branch("drop", n, "--reason", "the ticket was never ours")
            self.assertEqual(branch.rows("refused"), [])
            settled = branch.rows("refused", "--all")
            self.assertEqual([r["state"] for r in settled], ["corrected", "corrected", "dropped"])
            self.assertEqual(branch("resend", n, check=False).returncode, 1)

    def test_fields_are_checked_at_once(self):
        with Branch(self.stack, "branch-check", prefix="CHK1", line=self.nowhere()) as branch:
            app = branch.app()
            app.give([{"type": "ticket.registered", "v": 1, "data": {"kind": "repair", "colour": "red"}},
                      {"type": "ticket.registered", "v": 1, "data": {"kind": "repair", "customer": {"phone": "138"}}},
                      {"type": "no.such", "v": 1, "key": "X", "data": {}},
                      {"type": "ticket.assessed", "v": 1, "key": "X", "data": {}},
                      {"type": "ticket.noted", "v": 1, "data": {}},
                      registration(1, request_id="slip-4711"), registration(1, request_id="slip-4711")])
            app.flush()
            self.assertEqual([app.answers[n][0] for n in range(1, 8)],
                             ["unknown-field", "personal", "type.unknown", "denied", "missing", None, None])
            self.assertEqual(app.answers[6][1]["number"], app.answers[7][1]["number"], "the slip has one number")
            self.assertEqual(branch.status()["queued"], 1)
            # Another content under a number that was answered.
            app.facts[5] = registration(2)
            app.send(6, 1)
            self.assertEqual(app.take(5), "NAK")
            app.close()

    def test_killed_again_and_again_while_it_takes_and_sends(self):
        dice = random.Random(4711)
        with Branch(self.stack, "branch-kill", prefix="KIL1") as branch:
            app = branch.app()
            app.give([registration(i) for i in range(FACTS)])
            app.connect()
            kills = 0
            while len(app.answers) < FACTS:
                until_n = len(app.answers) + dice.randrange(1, 2 * FACTS // (KILLS + 1)) if kills < KILLS else FACTS
                while len(app.answers) < min(until_n, FACTS):
                    app.send(len(app.answers) + 1, 40)
                    if app.take(2) not in ("ACK", "PONG", "BUSY"):
                        app.connect()
                if kills < KILLS:
                    app.send(len(app.answers) + 1, 40)  # one is on its way
                    branch.restart()
                    kills += 1
                    app.connect()
            branch.drained(120)
            app.close()
            self.assertEqual(kills, KILLS)
            self.assertEqual(len(set(app.numbers())), FACTS, "no number twice")
            rows = self.in_order(branch, FACTS)
            self.assertEqual([key for _, _, _, key in rows], app.numbers(), "in the order they were given")

    def test_killed_at_system_calls(self):
        if subprocess.run(["strace", "-o", "/dev/null", "true"], capture_output=True).returncode != 0:
            print("SKIPPED: strace cannot trace here, so no kill at a chosen system call")
            self.skipTest("no strace")
        with Branch(self.stack, "branch-call", prefix="CAL1", line=self.nowhere()) as branch:
            app = branch.app()
            for call, after in SYSCALLS.items():
                for when in [after + k for k in CALLS]:
                    branch.kill()
                    branch.start("strace", "-f", "-qq", "-o", "/dev/null", "-e", f"trace={call}", "-e",
                                 f"inject={call}:signal=KILL:when={when}", ready=False)
                    app.give([registration(i) for i in range(60)])
                    try:
                        app.flush(1, piece=7)
                    except Exception:  # it is dead, or this call is seldom made
                        pass
            branch.restart()
            app.flush(30)
            app.close()
            self.assertEqual(len(set(app.numbers())), len(app.facts))
            self.assertEqual(branch.status()["queued"], len(app.facts))
            self.line_up(branch)
            branch.drained()
            rows = self.in_order(branch, len(app.facts))
            self.assertEqual([key for _, _, _, key in rows], app.numbers())

    def test_the_spool_is_bounded_and_warns_before(self):
        with Branch(self.stack, "branch-full", prefix="FUL1", line=self.nowhere(), settings="  facts_max: 10\n") as branch:
            for i in range(10):
                branch.register("kind=repair", "region=FUL1")
                if i == 6:
                    self.assertEqual(branch.health(), "ok")
                if i == 7:
                    until("the warning", lambda: "80 % full" in branch.health())
            done = branch("say", "register", "-", "kind=repair", "region=FUL1", check=False)
            self.assertEqual(done.returncode, 1)
            self.assertIn("spool.full", done.stderr)
            self.assertEqual(branch("status", check=False).returncode, 1)
            self.line_up(branch)
            branch.drained()
            branch.register("kind=repair", "region=FUL1")
            self.in_order(branch, 11)

    def test_a_wrong_clock(self):
        with tempfile.NamedTemporaryFile("w", delete=False) as clock:
            clock.write(f"{7200 * 1000000} 0 ".ljust(64))
        os.chmod(clock.name, 0o644)
        try:
            with Branch(self.stack, "branch-clock", prefix="CLK1", clock=clock.name) as branch:
                until("it knows", lambda: branch.status()["clock_off_s"] > 7100)
                branch.register("kind=repair", "region=CLK1")  # "now" there is in two hours
                branch("say", "register", "-", "kind=repair", "region=CLK1", "at=2026-11-20T08:00:00Z")
                branch.drained()
                until("health says so", lambda: "clock" in branch.health())
                bodies = [body for body in self.stack.lines("tail", "--format", "jsonl", "--type", "ticket.registered")
                          if body["from"] == branch.name]
                self.assertTrue(bodies[0]["cut"], "the centre flags what lies ahead of it")
                self.assertEqual(bodies[1]["at"], "2026-11-20T08:00:00Z", "the time that was reported stays")
        finally:
            os.unlink(clock.name)

    def test_a_full_disk(self):
        folder = pathlib.Path(tempfile.mkdtemp(prefix="acd-", dir="/tmp"))
        if os.geteuid() != 0 or subprocess.run(["mount", "-t", "tmpfs", "-o", "size=6m,mode=755", "none", folder],
                                               capture_output=True).returncode != 0:
            os.rmdir(folder)
            print("SKIPPED: no file system of a few pages can be mounted here, so no full disk")
            self.skipTest("no mount")
        try:
            with Branch(self.stack, "branch-disk", prefix="DSK1", line=self.nowhere(), folder=folder) as branch:
                app = branch.app()
                many = 6000  # more than there is room for, but not their answers
                app.give([registration(i, fault="x" * 150, model="y" * 60, product="z" * 60) for i in range(many)])
                app.fill("disk.full", PATIENCE, piece=250)
                taken = len(app.answers)
                self.assertTrue(0 < taken < many)
                extra = 0
                while (done := branch("say", "note", "T-1", f"kind={'x' * 30}", check=False)).returncode == 0:
                    extra += 1  # a small one still found a place
                    self.assertLess(extra, 500)
                self.assertEqual(done.returncode, 1)
                self.assertIn("disk.full", done.stderr)
                until("health says so", lambda: "no room" in branch.health())
                self.line_up(branch)  # what the centre answers makes room
                app.flush(PATIENCE, piece=250)
                app.close()
                branch.drained(PATIENCE)
                self.assertEqual(len(set(app.numbers())), many)
                numbers = [n for _, n, kind, _ in journaled(self.stack, branch.name)]
                self.assertEqual(len(numbers) + branch.status()["refused"], many + extra)  # there is no ticket T-1
                self.assertEqual(numbers, sorted(set(numbers)))
        finally:
            subprocess.run(["umount", "-l", folder])
            os.rmdir(folder)

    def test_the_work_list(self):
        self.stack("append", jsonl(self.stack.data / "sites.jsonl", [
            {"type": "site.updated", "key": "wrk-1", "by": "hq", "data": {"name": "w", "tier": 3, "territories": ["WRK"], "region": "WRK"}}]))
        with Branch(self.stack, "branch-work", prefix="WRK1", regions="WRK", sites="wrk-1", personal="yes") as branch:
            ticket = self.stack.json("say", "register", "-", "kind=repair", "region=WRK", "customer.id=C-77", "customer.name=Li",
                                     "customer.phone=13899990000")["result"]["number"]
            job = until("the job is offered", lambda: [r for r in branch.rows("jobs") if r["ticket"] == ticket])[0]
            self.assertEqual((job["site"], job["kind"], job["phone"]), ("wrk-1", "repair", "13899990000"))
            self.assertTrue([r for r in branch.rows("limits") if r["key"] == ticket])
            # The line goes; the list stays, says how old it is, and shows what was said here since.
            branch.kill(signal.SIGTERM)
            branch.line = self.nowhere()
            branch.write_settings()
            branch.start()
            branch("say", "accept", ticket, f"job={job['job']}")
            job = branch.rows("jobs")[0]
            self.assertIn(job["state"], ("offered", "expired"))
            self.assertEqual(job["queued"], "job.accepted")
            self.assertIn("the line is down", branch("jobs").stdout)
            self.line_up(branch)
            until("accepted", lambda: branch.rows("jobs")[0]["state"] == "accepted" and "queued" not in branch.rows("jobs")[0])
            branch("say", "report", ticket, f"job={job['job']}", "outcome=done")
            until("a callback is due", lambda: [r for r in branch.rows("callbacks") if r["ticket"] == ticket])
            branch("say", "callback", ticket, "reached=yes", "satisfaction=5")
            until("nothing is left to do", lambda: not branch.rows("jobs") and not branch.rows("callbacks"))

    def found(self, branch, words):
        """Which of them stand in any byte of the branch's files."""
        return [f"{path.name}: {word}" for path in sorted((branch.data / "branch").iterdir()) for word in words
                if word.encode() in path.read_bytes()]

    def test_who_is_erased_is_erased_here_too(self):
        person = {"phone": "13977188299", "name": "QwxzLi", "address": "Zxvq-418", "text": "Yyzzq says"}
        other = {"phone": "13666012345", "name": "RtkpSima"}
        self.stack("append", jsonl(self.stack.data / "era.jsonl", [
            {"type": "site.updated", "key": "era-1", "by": "hq", "data": {"name": "e", "tier": 3, "territories": ["ERA"], "region": "ERA"}}]))

        def customer(identity, who):
            return ["kind=repair", "region=ERA", f"customer.id={identity}", *(f"customer.{k}={v}" for k, v in who.items() if k != "text")]

        # That its list is of one region only keeps no erasure from it.
        with Branch(self.stack, "branch-era", prefix="ERA1", regions="ERA", sites="era-1", personal="yes", settings="  regions: ERA\n") as branch:
            old = branch.register(*customer("C-17", person))
            branch.register(*customer("C-18", other))
            refused = branch.register("kind=complaint", *customer("C-17", {k: person[k] for k in ("name", "address")})[1:])
            until("jobs are on the list", lambda: len([r for r in branch.rows("jobs") if r.get("phone")]) == 2)
            until("one is refused", lambda: branch.drained() and branch.status()["refused"] == 1)
            # The line goes. Somebody says more of the customer and of a new ticket of the same; the customer is erased meanwhile.
            branch.kill(signal.SIGTERM)
            branch.line = self.nowhere()
            branch.write_settings()
            branch.start()
            branch("say", "note", old, f"text={person['text']} of the old one")
            new = branch.register(*customer("C-17", person))
            branch("say", "note", new, f"text={person['text']} of the new one")
            photo = branch.data / "photo.jpg"
            photo.write_bytes(b"PhotoWqz" * 2000)
            photo.chmod(0o644)
            branch("file", "add", new, photo)
            self.stack("erase", "C-17", "--reason", "asked for")
            words = {*person.values(), "PhotoWqz"}
            self.assertEqual({line.split(": ")[1] for line in self.found(branch, words)}, words,
                             "nothing personal is there: the test shows nothing")
            self.line_up(branch)
            branch.drained()
            until("nothing personal is left at the branch", lambda: not self.found(branch, words))
            self.assertEqual(self.stack.sql("SELECT count(*) FROM intake.file_bytes WHERE owner = 'branch-era'")[0][0], "0", "the photo was sent")
            self.assertTrue(self.found(branch, other.values()), "the other customer's data are gone too")
            # What waited has gone to the centre without it, each once.
            mine = [e for e in self.stack.lines("tail", "--format", "jsonl") if e["from"] == branch.name]
            self.assertEqual([e["key"] for e in mine if e["key"] in (old, new)], [old, old, new, new, new])
            self.assertEqual([e for e in mine if any(word in str(e) for word in person.values())], [])
            self.assertIn(refused, [r["key"] for r in branch.rows("refused")])
            # One who comes back is a customer like any other.
            branch.register(*customer("C-17", {"name": "QwxzLi", "phone": "13977188299"}))
            until("the list has it", lambda: [r for r in branch.rows("jobs") if r.get("phone") == "13977188299"])

    def test_a_photo_on_a_narrow_line(self):
        """256 kbit/s: hardly more goes over it than the photo."""
        line = Narrow(self.stack.ports[0], 32000)
        self.addCleanup(line.close)
        with Branch(self.stack, "branch-thin", prefix="THN1", line=(line.endpoint, f"tcp://127.0.0.1:{self.stack.ports[2]}")) as branch:
            ticket = branch.register("kind=repair", "region=THN1")
            branch.drained()
            photo = branch.data / "photo.jpg"
            photo.write_bytes(random.Random(5).randbytes(200000))
            photo.chmod(0o644)
            before = line.gone
            branch("file", "add", ticket, photo)
            until("the photo is there", lambda: branch.status().get("files", 0) == 0, PATIENCE)
            self.assertLess(line.gone - before, 1.2 * 200000)
            self.assertGreater(line.gone - before, 200000)

    def test_its_socket_is_this_machines_only(self):
        branch = Branch(self.stack, "branch-open", line=self.nowhere(), settings=f"  cmd: tcp://0.0.0.0:{free_ports(1)[0]}\n")
        self.addCleanup(branch.__exit__, None, None, None)
        branch.write_settings()
        branch.start(ready=False)
        self.assertEqual(branch.process.wait(300), 1)
        self.assertIn("no keys are asked for there", branch.log.read_text())

    def test_a_new_spool_under_an_old_name(self):
        with Branch(self.stack, "branch-new", prefix="NEW1") as branch:
            numbers = [branch.register("kind=repair", "region=NEW1") for _ in range(3)]
            branch.drained()
            branch.kill()
            for file in (branch.data / "branch").iterdir():
                file.unlink()  # the machine was replaced
            branch.start()
            until("it is not let in", lambda: branch.status()["line"] == "denied")
            self.assertIn("incarnation", branch.status()["why"])
            self.assertEqual(branch("status", check=False).returncode, 1)
            self.assertTrue(len(set(numbers)) == 3)


if __name__ == "__main__":
    unittest.main(verbosity=2)
