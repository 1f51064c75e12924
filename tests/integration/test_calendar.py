"""`aftercare calendar` and what `policy check` says of calendars: the program alone, no daemon."""
import collections
import json
import os
import pathlib
import subprocess
import tempfile
import unittest

TREE = pathlib.Path(__file__).resolve().parents[2]
PROGRAM = pathlib.Path(os.environ.get("AFTERCARE_BIN", TREE / "build" / "bin")) / "aftercare"
CASES = TREE / "tests/unit/common/calendar/business-time-cases.json"
TRUTH = TREE / "tests/unit/common/calendar/cn_workday_truth_2007_2026.json"
CN = TREE / "deploy/calendars/cn.yaml"
# Tags of conventions that are not ours, and how many cases have them.
OTHER = {"next_open": 25, "prev_close": 16, "closing_instant_counts_as_open": 6, "clamped_to_next_open": 2, "DIFFERS": 1}

SHUT = """name: shut
version: shut-1
zone: Asia/Shanghai
weekly:
  - {weekday: mon, windows: [{from: "08:30", to: "17:30"}]}
exceptions:
  - {from: "2027-01-01", to: "2028-12-31", name: closed down}
"""


def run(*args, code=0, **environment):
    done = subprocess.run([PROGRAM, *map(str, args)], capture_output=True, text=True, timeout=300,
                          env={**os.environ, "LC_ALL": "C.UTF-8", **environment})
    if done.returncode != code:
        raise AssertionError(f"{args}: {done.returncode}, not {code}: {done.stdout}{done.stderr}")
    return done


class Calendar(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)

    def file(self, name, text):
        path = pathlib.Path(self.folder.name) / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
        return path

    def test_every_case_of_the_others(self):
        cases = json.loads(CASES.read_text())["cases"]
        done = run("calendar", "eval", CASES)
        lines = [json.loads(line) for line in done.stdout.splitlines()]
        self.assertEqual([line["id"] for line in lines], [case["id"] for case in cases])
        other = collections.Counter()
        for case, line in zip(cases, lines):
            want = case["expected_seconds"] if "expected_seconds" in case else case["expected"]
            if case.get("boundary") in OTHER:
                other[case["boundary"]] += 1
                self.assertTrue(line["convention"], line)
                self.assertEqual(line["result"] == want, False, line)
            else:
                self.assertNotIn("convention", line)
                self.assertEqual(line["result"], want, case)
        self.assertEqual(len(lines), 784)
        self.assertEqual(dict(other), OTHER)
        for tag, n in OTHER.items():
            self.assertIn(f"{n} {tag}: ", done.stderr)

    def test_cases_without_answers_get_the_same(self):
        document = json.loads(CASES.read_text())
        for case in document["cases"]:
            if case["op"] == "open_intervals":
                case["k"] = len(case["expected"])
            for name in ("expected", "expected_local", "expected_seconds"):
                case.pop(name, None)
        bare = self.file("bare.json", json.dumps(document))
        self.assertEqual(run("calendar", "eval", bare).stdout, run("calendar", "eval", CASES).stdout)

    def test_cases_that_make_no_sense(self):
        document = {"calendars": {"c": {"tz": "UTC", "weekly": {"mon": [["09:00", "17:00"]]}}, "z": {"tz": "No/Where", "weekly": {}}},
                    "cases": [{"id": "1", "op": "fly", "calendar": "c"}, {"id": "2", "op": "add", "calendar": "none"},
                              {"id": "3", "op": "add", "calendar": "c", "start": "soon", "seconds": 1},
                              {"id": "4", "op": "next_open", "calendar": "z", "at": "2026-01-01T00:00:00Z"},
                              {"id": "5", "op": "next_close", "calendar": "c", "at": "2026-01-01T00:00:00Z"}]}
        lines = [json.loads(line) for line in run("calendar", "eval", self.file("odd.json", json.dumps(document)), code=1).stdout.splitlines()]
        self.assertEqual(["error" in line for line in lines], [True] * 4 + [False])
        self.assertEqual(lines[4], {"id": "5", "result": "2026-01-05T17:00:00Z"})
        run("calendar", "eval", self.file("no.json", "[]"), code=1)

    def test_nights_and_breaks(self):
        def answer(breaks, op):
            calendar = {"tz": "UTC", "weekly": {"mon": [["22:00", "06:00"]]}, "breaks": breaks}
            case = {"id": "n", "op": op, "calendar": "c", "start": "2026-01-05T00:00:00Z", "end": "2026-01-07T00:00:00Z"}
            file = self.file("nights.json", json.dumps({"calendars": {"c": calendar}, "cases": [case]}))
            done = subprocess.run([PROGRAM, "calendar", "eval", file], capture_output=True, text=True, timeout=300)
            return json.loads(done.stdout)
        self.assertEqual(answer({}, "between")["result"], 8 * 3600)
        self.assertEqual(answer({"2026-01-05": [["22:00", "23:00"]]}, "between")["result"], 7 * 3600)
        self.assertEqual(answer({"2026-01-06": [["07:00", "08:00"]]}, "between")["result"], 8 * 3600)
        self.assertIn("night shift", answer({"2026-01-06": [["02:00", "03:00"]]}, "between")["error"])
        self.assertIn("night shift", answer({"2026-01-05": [["23:00", "02:00"]]}, "between")["error"])

    def test_working_days_of_every_month(self):
        truth = json.loads(TRUTH.read_text())["years"]
        shown = {str(year["year"]): year for year in json.loads(run("--json", "calendar", "show", CN).stdout)["years"]}
        self.assertEqual(sorted(shown), sorted(truth) + ["2027"])
        for year, facts in truth.items():
            self.assertEqual(shown[year]["working_days"], facts["workdays_by_month"], year)
            self.assertTrue(shown[year]["known"])
        self.assertFalse(shown["2027"]["known"])

    def test_a_month(self):
        october = run("calendar", "show", CN, "--month", "2026-10").stdout
        self.assertIn("10 8*   11 -", october)
        self.assertIn("2026-10-01 – 2026-10-07  国庆节  off", october)
        self.assertIn("working days 18, working hours 144", october)
        self.assertNotIn("no holidays", october)
        month = json.loads(run("--json", "calendar", "show", CN, "--month", "2026-10").stdout)
        self.assertEqual((month["working_days"], month["working_seconds"], month["known"]), (18, 144 * 3600, True))
        self.assertEqual(month["days"][9]["windows"], [["08:30", "12:00"], ["13:00", "17:30"]])
        self.assertIn("2027: no holidays are known", run("calendar", "show", CN, "--month", "2027-02").stdout)
        self.assertIn("2027 年：尚无节假日安排", run("calendar", "show", CN, "--month", "2027-02", LC_ALL="zh_CN.UTF-8").stdout)
        run("calendar", "show", CN, "--month", "2026-13", code=2)

    def test_counting(self):
        for args, want in [(["add", "2026-09-30 16:00", "8wh"], "2026-10-08T08:00:00Z"),
                           (["add", "2026-09-30T08:00:00Z", "28800"], "2026-10-08T08:00:00Z"),
                           (["add", "2026-09-30 16:00", "2wd"], "2026-10-09T08:00:00Z"),
                           (["subtract", "2026-10-08 09:00", "60min"], "2026-09-30T09:00:00Z"),
                           (["subtract", "2026-10-08 09:00", "1wd"], "2026-09-30T01:00:00Z"),
                           (["next-open", "2026-10-01"], "2026-10-08T00:30:00Z"),
                           (["between", "2026-10-01", "2026-11-01"], 518400),
                           (["between", "2026-11-01", "2026-10-01"], -518400)]:
            answer = json.loads(run("--json", "calendar", args[0], CN, *args[1:]).stdout)
            self.assertEqual(answer["result"], want, args)
            self.assertNotIn("by_week", answer)
        into_2027 = run("calendar", "add", CN, "2026-12-31 16:00", "8wh")
        self.assertIn("2027: no holidays are known", into_2027.stderr)
        self.assertEqual(json.loads(run("--json", "calendar", "add", CN, "2026-12-31 16:00", "8wh").stdout)["by_week"], [2027])

    def test_what_is_refused(self):
        shut = self.file("shut.yaml", SHUT)
        self.assertIn("nothing in 400 days from 2026-12-29", run("calendar", "check", shut, code=1).stderr)
        self.assertFalse(json.loads(run("--json", "calendar", "check", shut, code=1).stdout.splitlines()[0])["good"])
        wrong = self.file("wrong.yaml", SHUT.replace("zone: Asia", "zone: Asien"))
        self.assertIn("Asien/Shanghai", run("calendar", "check", wrong, code=1).stderr)
        run("calendar", "check", self.file("years.yaml", "known_from: 2020\nknown_to: 2019\n" + SHUT[:SHUT.index("exceptions")]), code=1)
        run("calendar", "check", CN)
        for args in (["fly", CN], ["add", CN, "2026-01-01"], ["add", CN, "soon", "8wh"], ["add", CN, "2026-02-30", "8wh"],
                     ["add", CN, "2026-01-01", "3mo"], ["check"], ["next-open", CN, "2026-01-01 25:00"]):
            run("calendar", *args, code=2)

    def test_a_policy_with_calendars_that_cannot_work(self):
        text = (TREE / "deploy/policies/example-cn.yaml").read_text()
        policy = self.file("policies/p.yaml", text)
        said = run("policy", "check", policy, "--calendars", self.folder.name, code=1).stderr
        self.assertIn('"cn"', said)
        self.assertRegex(said, r"p\.yaml:\d+:\d+: calendars\[0\] is unknown: cn")
        self.file("calendars/cn.yaml", SHUT.replace("name: shut", "name: cn"))
        said = run("policy", "check", policy, code=1).stderr
        self.assertIn("nothing in 400 days from 2026-12-29", said)
        self.assertRegex(said, r"p\.yaml:\d+:\d+: calendars\[0\] has no working time: cn: nothing in 400 days")
        self.file("calendars/cn.yaml", CN.read_text().replace("name: cn\n", "name: nc\n"))
        self.assertIn('"nc"', run("policy", "check", policy, code=1).stderr)
        self.file("calendars/cn.yaml", CN.read_text())
        run("policy", "check", policy)


if __name__ == "__main__":
    unittest.main()
