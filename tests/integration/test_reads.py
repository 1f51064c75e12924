"""Who reads a customer's personal data is on record where the policy asks for it: one line for each principal, customer and hour."""
import unittest

from stack import TREE, Stack, jsonl, until


def customer(identity):
    return {"id": identity, "name": f"name of {identity}", "phone": "13800000000"}


class Reads(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.stack = Stack(clock="wall")
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


if __name__ == "__main__":
    unittest.main(verbosity=2)
