#!/usr/bin/python3
"""proto/history/check: today's catalogue keeps every release; what an old reader could not bear goes red, what it can stays green."""
import copy
import json
import pathlib
import subprocess
import sys
import tempfile
import unittest

TREE = pathlib.Path(__file__).resolve().parents[3]
CHECK = TREE / "proto" / "history" / "check"
TODAY = json.loads((TREE / "proto" / "asyncapi.json").read_text())


class History(unittest.TestCase):
    def judged(self, change):
        """Exit code and words of the check after a change to `ticket.registered.v1` (and the whole document)."""
        document = copy.deepcopy(TODAY)
        change(document["components"]["schemas"]["ticket.registered.v1"], document)
        with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
            json.dump(document, file)
            file.flush()
            done = subprocess.run([sys.executable, CHECK, file.name], capture_output=True, text=True)
        return done.returncode, done.stdout

    def test_today_keeps_every_release(self):
        self.assertEqual(self.judged(lambda schema, _: None)[0], 0, self.judged(lambda schema, _: None)[1])

    def test_what_breaks_goes_red(self):
        def gone(schema, _): del schema["properties"]["channel"]
        def other_kind(schema, _): schema["properties"]["quantity"] = {"type": "string"}
        def shorter(schema, _): schema["properties"]["channel"]["maxLength"] = 8
        def required_now(schema, _): schema["required"].append("channel")
        def required_no_more(schema, _): schema["required"].remove("kind")
        def new_and_required(schema, _): schema["properties"]["mood"] = {"type": "string"}; schema["required"].append("mood")
        def personal_now(schema, _): schema["properties"]["subject"]["x-personal"] = True
        def nested_gone(schema, _): del schema["properties"]["customer"]["properties"]["phone"]
        def type_gone(_, document): del document["components"]["schemas"]["job.offered.v1"]
        def word_gone(_, document): document["components"]["schemas"]["stream.created.v1"]["properties"]["clock"]["enum"].pop(0)
        def frame_field(_, document): del document["components"]["messages"]["feed.BATCH"]["payload"]["properties"]["link"]
        def sender_must_now(_, document): document["components"]["messages"]["cmd.PING"]["payload"]["required"] = ["upto"]
        for change in (gone, other_kind, shorter, required_now, required_no_more, new_and_required, personal_now, nested_gone, type_gone,
                       word_gone, frame_field, sender_must_now):
            with self.subTest(change.__name__):
                self.assertEqual(self.judged(change)[0], 1)

    def test_what_old_readers_bear_stays_green(self):
        def new_optional(schema, _): schema["properties"]["mood"] = {"type": "string", "maxLength": 7}
        def longer(schema, _): schema["properties"]["channel"]["maxLength"] = 99
        def new_type(_, document): document["components"]["schemas"]["weather.forecast.v1"] = {
            "type": "object", "properties": {"sun": {"type": "boolean"}}, "required": ["sun"]}
        def new_version(schema, document): document["components"]["schemas"]["ticket.registered.v2"] = {"type": "object", "properties": {}}
        def new_word(_, document): document["components"]["schemas"]["stream.created.v1"]["properties"]["clock"]["enum"].append("moon")
        for change in (new_optional, longer, new_type, new_version, new_word):
            with self.subTest(change.__name__):
                code, words = self.judged(change)
                self.assertEqual(code, 0, words)


if __name__ == "__main__":
    unittest.main()
