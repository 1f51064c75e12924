"""Who reads a customer's personal data is on record where the policy asks for it: one line for each principal, customer and hour."""
import os
import pathlib
import subprocess
import time
import unittest

from client import Reader
from stack import TREE, USER, Stack, jsonl, until


def customer(identity):
    return {"id": identity, "name": f"name of {identity}", "phone": "13800000000"}


class Small(Stack):
    """Few events in one commit."""

    def write_settings(self):
        super().write_settings()
        file = self.data / "aftercare.yaml"
        file.write_text(file.read_text().replace("intake:\n", "intake:\n  batch_events: 4\n"))


class Reads(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.stack = Small(clock="wall")
        cls.stack.__enter__()
        cls.publish("off", "")
        cls.stack("append", jsonl(cls.stack.data / "facts.jsonl", [
            {"type": "ticket.registered", "key": key, "data": {"kind": "repair", "region": "GD", **data}}
            for key, data in (("T-1", {"customer": customer("C-1")}), ("T-2", {"customer": customer("C-1")}),
                              ("T-3", {"customer": customer("C-2")}), ("T-4", {"customer": {"name": "nobody's"}}),
                              ("T-5", {"customer": customer("C-5")}))]))
        cls.stack("append", jsonl(cls.stack.data / "refused.jsonl", [
            {"type": "ticket.registered", "key": "T-6", "data": {"kind": "complaint", "region": "GD", "customer": {"id": "C-6", "name": "no phone"}}}]),
            check=False)
        for name, more in (("desk-1", ["--personal"]), ("desk-2", [])):
            cls.stack("keys", "new", name, "--kind", "desk", *more)
            cls.stack("keys", "export", name, "--host", "127.0.0.1", "--out", cls.stack.data / f"{name}.key")

    @classmethod
    def tearDownClass(cls):
        cls.stack.__exit__(None, None, None)

    @classmethod
    def publish(cls, version, more):
        text = (TREE / "tests" / "integration" / "branch.yaml").read_text()
        path = cls.stack.data / f"{version}.yaml"
        path.write_text(text.replace("version: branches-1", f"version: branches-{version}") + more)
        path.chmod(0o644)
        cls.stack("policy", "publish", path)

    def reads(self, who, *args):
        env = {"AFTERCARE_KEY": str(self.stack.data / f"{who}.key"), "AFTERCARE_SOCKETS": str(self.stack.data / "nowhere")}
        return self.stack(*args, env=env)

    def recorded(self):
        return [(e["data"]["principal"], e["key"], e["data"].get("what", ""))
                for e in self.stack.lines("tail", "--type", "access.read", "--format", "jsonl")]

    def test_reads_are_on_record(self):
        self.assertIn("name of C-1", self.reads("desk-1", "tail", "--key", "T-1", "--format", "jsonl").stdout)
        self.publish("on", "reads_recorded: true\n")
        self.assertIn("put on record", self.stack("policy", "show").stdout)
        # What holds nothing personal, or goes to who may not see it, is no reading.
        self.reads("desk-1", "tail", "--key", "T-5", "--type", "job.")
        self.assertNotIn("name of C-5", self.reads("desk-2", "tail", "--key", "T-5", "--format", "jsonl").stdout)
        self.reads("desk-2", "tail")
        source = self.stack.lines("refused", "--json")[0]["source"]
        self.stack("refused", "show", source, "1")
        # What is.
        for key in ("T-1", "T-1", "T-2", "T-3", "T-4"):
            self.reads("desk-1", "tail", "--key", key)
        self.stack("ticket", "T-3")
        self.stack("refused", "show", source, "1", "--personal")
        self.reads("desk-1", "tail")
        want = {("desk-1", "C-1", "T-1"), ("desk-1", "C-2", "T-3"), ("desk-1", "T-4", "T-4"), ("operator", "C-2", "T-3"),
                ("desk-1", "everybody", "")}
        # T-6 was refused: the archive does not know it, and what it is called is its sender's text.
        until("all of it is on record", lambda: set(self.recorded()) >= want | {("operator", "everybody", "")})
        told = self.recorded()
        self.assertEqual({row for row in told if row[:2] != ("operator", "everybody")}, want)
        self.assertLessEqual(max(told.count(row) for row in told), 2, "once an hour, and an hour may have ended meanwhile")
        # The policy's next version does not ask for it any more.
        self.publish("off-again", "")
        self.reads("desk-1", "tail", "--key", "T-5")
        self.publish("on-again", "reads_recorded: true\n")
        self.reads("desk-2", "tail", "--key", "T-5")
        self.stack("tail", "--key", "T-5")
        until("the operator's is", lambda: ("operator", "C-5", "T-5") in self.recorded())
        self.assertNotIn(("desk-1", "C-5", "T-5"), self.recorded())
        self.stack.wait_caught_up()
        self.stack("verify")

    def cpu(self):
        """Seconds that intake has had of the processor."""
        fields = pathlib.Path(f"/proc/{self.stack.pid('intake')}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def test_what_a_commit_cannot_take_waits_quietly(self):
        """Readings come while a commit hangs: they are on record behind it, and nobody looks at them all the time meanwhile."""
        self.publish("quiet", "reads_recorded: true\n")
        keys = [f"Q-{i}" for i in range(16)]
        self.stack("append", jsonl(self.stack.data / "quiet.jsonl", [
            {"type": "ticket.registered", "key": key, "data": {"kind": "repair", "region": "GD", "customer": customer(f"C{key}")}}
            for key in keys]))
        self.stack.wait_caught_up()
        hung = subprocess.Popen([*(["runuser", "-u", USER, "--"] if USER else []), "psql", "-X", "-q", "-A", "-t", "-h", str(self.stack.data / "s"),
                                 "-U", "postgres", "-d", "aftercare"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd="/")
        self.addCleanup(hung.communicate)
        hung.stdin.write("BEGIN; LOCK TABLE intake.head IN EXCLUSIVE MODE; SELECT 'locked';\n")
        hung.stdin.flush()
        self.assertEqual(hung.stdout.readline().strip(), "locked")
        reader = Reader(f"tcp://127.0.0.1:{self.stack.ports[2]}", "desk-1", self.stack.data / "desk-1.key")
        self.addCleanup(reader.socket.close, 0)
        reader.say("OPEN", consumer="desk-1", after=0, credit=1, keys=keys)
        waits = lambda: self.stack.sql("SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'")[0][0] != "0"
        until("the commit hangs", waits)
        began, had = time.monotonic(), self.cpu()
        while time.monotonic() - began < 1:
            self.assertTrue(waits(), "the commit came through")
        took, had = time.monotonic() - began, self.cpu() - had
        hung.stdin.write("COMMIT;\n")
        hung.stdin.flush()
        self.assertLess(had, took / 2, "intake looks at what it cannot take")
        until("all of them are on record", lambda: {("desk-1", f"C{key}", key) for key in keys} <= set(self.recorded()))


if __name__ == "__main__":
    unittest.main(verbosity=2)
