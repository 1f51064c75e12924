"""What intake refuses: told in words, shown with personal fields covered, corrected and sent again as a new event; and beyond a source's
measure of the day answered without being kept."""
import os
import unittest
import uuid

from client import Reader
from stack import Stack, until

MEASURE = 6


class Source(Reader):
    """A source spoken by hand."""

    def __init__(self, endpoint, stream, name, key):
        super().__init__(endpoint, "", key)
        self.stream, self.name, self.incarnation, self.last = stream, name, os.urandom(16), 0

    def hello(self, first=1):
        self.say("HELLO", proto=[1, 1], stream=self.stream, source=self.name, incarnation=self.incarnation, first=first, last=self.last)
        verb, fields, _ = self.hear()
        assert verb == "WELCOME", (verb, fields)
        return fields

    def answers(self, n):
        found = []
        while len(found) < n:
            verb, fields, _ = self.hear()
            found += fields["answers"] if verb == "ACK" else []
        return found

    def append(self, *events):
        self.say("APPEND", n=self.last + 1, events=list(events))
        self.last += len(events)
        return self.answers(len(events))


class Refused(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.stack = Stack(clock="wall")
        os.environ["AFTERCARE_INTAKE_REFUSED_PER_DAY"] = str(MEASURE)  # inherited by what it starts
        cls.stack.__enter__()
        cls.stack("policy", "publish", cls.stack.share("policies/boston311.yaml"))
        cls.cmd, _, cls.feed = (f"tcp://127.0.0.1:{p}" for p in cls.stack.ports[:3])
        cls.key = cls.stack.key("operator")
        cls.stream = next(iter(Reader(cls.feed, "operator/test", cls.key).events()))["data"]["stream"]

    @classmethod
    def tearDownClass(cls):
        cls.stack.__exit__(None, None, None)

    def source(self):
        source = Source(self.cmd, self.stream, "operator/" + uuid.uuid4().hex, self.key)
        source.hello()
        return source

    def ends(self, code, *args, says=None, **options):
        done = self.stack(*args, check=False, **options)
        self.assertEqual(done.returncode, code, done.stdout + done.stderr)
        if says:
            self.assertIn(says, done.stdout + done.stderr)
        return done

    @staticmethod
    def registration(key, **data):
        return {"type": "ticket.registered", "v": 1, "key": key, "by": "ann", "data": {"region": "BOS-07", **data},
                "priv": {"customer": {"name": "Li Si", "phone": "13800000000"}}}

    def test_1_listed_in_words(self):
        source = self.source()
        self.assertEqual(source.append(self.registration("LIST-1"))[0][:3], [1, "missing", "kind"])
        row, = self.stack.lines("refused", "--source", source.name, "--json")
        self.assertEqual((row["source"], row["n"], row["code"], row["field"], row["key"]), (source.name, 1, "missing", "kind", "LIST-1"))
        self.assertEqual((row["reason"], row["personal"]), ("kind is missing", True))
        self.ends(0, "refused", "--code", "missing", "--since", "1h", says="kind is missing")
        self.ends(0, "refused", "--source", source.name, "--code", "denied", says="none")
        self.ends(0, "refused", "--source", source.name, "--since", "2999-01-01", says="none")
        self.ends(2, "refused", "--since", "whenever", says="not understood")
        self.ends(0, "refused", env={"LC_ALL": "zh_CN.UTF-8"}, says="缺少 kind")

    def test_2_shown_with_personal_fields_covered(self):
        source = self.source()
        wrong = self.registration("SHOW-1", kind="Tree Emergencies")
        wrong["data"]["customer"] = {"name": "Wang Wu"}  # stands where it must not
        self.assertEqual(source.append(wrong)[0][1], "personal")
        shown = self.ends(0, "refused", "show", source.name, "1").stdout
        self.assertNotIn("Wang Wu", shown)
        self.assertNotIn("Li Si", shown)
        self.assertIn("***", shown)
        self.assertIn("--personal", shown)
        one = self.stack.json("refused", "show", f"{source.name}/1", "--personal")
        self.assertEqual(one["event"]["personal"]["customer"]["name"], "Li Si")
        self.assertEqual(one["event"]["data"]["customer"]["name"], "Wang Wu")
        self.ends(1, "refused", "show", source.name, "77", says="has no refused event")
        self.ends(2, "refused", "show", source.name)

    def test_3_corrected_and_sent_again_once(self):
        source = self.source()
        source.append(self.registration("SEND-1"))
        self.source().append(self.registration("TAKEN-1", kind="Tree Emergencies"))
        self.ends(1, "refused", "send", source.name, "1", "kind=Tree Emergencies", "key=TAKEN-1", says="taken")
        self.ends(1, "refused", "send", source.name, "1", "knd=x", says="knd")
        self.ends(1, "refused", "send", source.name, "1", says="kind is missing")
        self.assertEqual(self.stack.lines("refused", "--source", source.name, "--json")[0].get("corrected", 0), 0)
        told = self.stack.json("refused", "send", source.name, "1", "kind=Tree Emergencies", "customer.phone=13911111111", "--by", "bo for ann")
        self.assertEqual((told["taken"], told["corrected"]), (True, told["pos"]))
        events = {e["pos"]: e for e in self.stack.lines("tail", "--key", "SEND-1", "--format", "jsonl")}
        new = events[told["pos"]]
        self.assertEqual((new["type"], new["by"], new["personal"]["customer"]["phone"]), ("ticket.registered", "ann", "13911111111"))
        mark = next(e for e in events.values() if e["type"] == "event.corrected")
        self.assertEqual((mark["by"], mark["cause"]), ("bo for ann", told["pos"]))
        self.assertEqual(mark["data"], {"source": source.name, "n": 1, "pos": told["pos"], "code": "missing", "field": "kind"})
        self.ends(1, "refused", "send", source.name, "1", "kind=Tree Emergencies", says="corrected already")
        self.ends(0, "refused", "show", source.name, "1", says=f"position {told['pos']}")
        registered = self.stack.sql("SELECT count(*) FROM intake.journal WHERE key = 'SEND-1' AND type = 'ticket.registered'")
        self.assertEqual(registered, [["1"]])

    def test_4_corrected_in_an_editor(self):
        source = self.source()
        source.append(self.registration("EDIT-1"))
        self.ends(1, "refused", "send", source.name, "1", "--edit", env={"EDITOR": "false", "VISUAL": ""}, says="nothing was sent")
        self.ends(0, "refused", "send", source.name, "1", "--edit", says="taken at position",
                  env={"EDITOR": "sed -i 's/\"region\"/\"kind\": \"Tree Emergencies\", \"region\"/'", "VISUAL": ""})

    def test_5_beyond_the_measure_of_the_day(self):
        source = self.source()
        good = self.registration("MEASURE-OK", kind="Tree Emergencies")
        for n in range(MEASURE + 3):
            self.assertEqual(source.append(self.registration(f"MEASURE-{n}"))[0][1:3], ["missing", "kind"])
        self.assertIsInstance(source.append(good)[0][1], int)  # good events pass
        self.assertEqual(len(self.stack.lines("refused", "--source", source.name, "--limit", "0", "--json")), MEASURE)
        # What is asked for again is answered, without its reason.
        source.hello(first=1)
        again = source.answers(source.last)
        self.assertEqual([a[0] for a in again], list(range(1, source.last + 1)))
        self.assertEqual([a[1] for a in again[:-1]], ["missing"] * MEASURE + ["not-kept"] * 3)
        self.assertIsInstance(again[-1][1], int)
        source.say("APPEND", n=source.last, events=[good])  # the same bytes
        self.assertEqual(source.answers(1)[0][:2], again[-1][:2])
        denied = until("it is told once", lambda: [e for e in self.stack.lines("tail", "--type", "access.denied", "--format", "jsonl")
                                                  if e["data"]["code"] == "refused-measure"])
        self.assertEqual(len(denied), 1)
        self.assertEqual(self.stack.sql(f"SELECT unkept, refused_n FROM intake.source WHERE name = '{source.name}'"), [["3", str(MEASURE)]])
        # A restart does not begin a new day.
        self.stack.kill_and_wait_restart("intake")
        until("it serves again", lambda: self.stack("status", "--json", check=False).returncode == 0)
        source.socket.close(0)
        second = Source(self.cmd, self.stream, source.name, self.key)
        second.incarnation, second.last = source.incarnation, source.last
        second.hello(first=source.last + 1)
        second.append(self.registration("MEASURE-LATE"))
        self.assertEqual(len(self.stack.lines("refused", "--source", source.name, "--limit", "0", "--json")), MEASURE)


if __name__ == "__main__":
    unittest.main(verbosity=2)
