"""The runner itself: what is not as expected goes red, and says where and what came instead."""
import pathlib
import subprocess
import sys
import tempfile
import unittest

RUN = sys.argv.pop(1)
HERE = pathlib.Path(__file__).resolve().parent
HEAD = (HERE / "example-cn.yaml").read_text(encoding="utf-8").split("rules:")[0] + "rules:\n"
ACCEPTED = """
  - rule: S1.1
    title: 接单
    steps:
      - {<<: *repair, at: "09:00", key: T1}
      - {at: "10:59", type: job.accepted, key: T1, data: {job: T1/j1}}
      - until: "12:00"
"""


class Runner(unittest.TestCase):
    def play(self, rules, *options, head=HEAD):
        with tempfile.NamedTemporaryFile("w", suffix=".yaml", encoding="utf-8") as file:
            file.write(head + rules)
            file.flush()
            self.lines = (head + rules).split("\n")
            done = subprocess.run([RUN, *options, file.name], capture_output=True, text=True)
            return done.returncode, done.stdout.replace(file.name, "FILE") + done.stderr

    def line_of(self, text):
        return next(i for i, line in enumerate(self.lines, 1) if text in line)

    def red(self, rules, *texts, code=1, head=HEAD):
        got, said = self.play(rules, head=head)
        self.assertEqual(got, code, said)
        for text in texts:
            self.assertIn(text, said)
        return said

    def test_right_is_green(self):
        code, said = self.play(ACCEPTED + "      - expect: [{type: sla.met, key: T1, data: {clause: arrange, stopped: \"10:59\"}}]\n")
        self.assertEqual(code, 0, said)
        self.assertIn("1 rules: 1 proved, 0 in part, 0 later, 0 failed", said)

    def test_wrong_due_time_names_line_rule_and_what_came(self):
        said = self.red(ACCEPTED + "      - expect:\n          - {type: sla.met, key: T1, data: {clause: arrange, due: \"11:30\"}}\n",
                        "S1.1: expected, and has not come by 2026-03-02 12:00", 'due: "11:30"', "nearest that came:",
                        'data: {clause: arrange, due: "2026-03-02 11:00", stopped: "2026-03-02 10:59"', "FAILED")
        self.assertIn(f"FILE:{self.line_of('11:30')}: ", said)

    def test_what_came_can_be_pasted(self):
        wrong = ACCEPTED + "      - expect:\n          - {type: sla.met, key: T1, data: {clause: arrange, due: \"11:30\"}}\n"
        _, said = self.play(wrong)
        pasted = said.split("nearest that came:\n")[1].split("\n")[0].strip()[2:]
        code, said = self.play(ACCEPTED + f"      - expect:\n          - {pasted}\n")
        self.assertEqual(code, 0, said)

    def test_of_another_ticket_is_not_met(self):
        self.red(ACCEPTED + "      - expect: [{type: sla.met, key: T2}]\n", "expected, and has not come")

    def test_nearest_is_of_the_same_family_where_none_is_of_the_type(self):
        said = self.red(ACCEPTED + "      - expect: [{type: sla.corrected, key: T1}]\n", "nearest that came:")
        self.assertIn("{type: sla.met, key: T1", said)
        self.assertIn("{type: sla.scheduled, key: T1", said)

    def test_never(self):
        self.red(ACCEPTED + "      - never: [{type: job.accepted, key: T1}]\n", "must never come, and has")
        code, said = self.play(ACCEPTED + "      - never: [{type: job.declined}]\n")
        self.assertEqual(code, 0, said)

    def test_what_was_before_the_rule_does_not_count(self):
        self.red(ACCEPTED + "      - expect: [{type: policy.published}]\n", "expected, and has not come")

    def test_order(self):
        events = ["{type: job.offered, key: T1}", "{type: job.accepted, key: T1}"]
        for order, want in ((events, 0), (events[::-1], 1)):
            code, said = self.play(ACCEPTED + "      - then: [" + ", ".join(order) + "]\n")
            self.assertEqual(code, want, said)
        self.assertIn("came, but not behind what stands before it", said)
        code, said = self.play(ACCEPTED + "      - expect: [" + ", ".join(events[::-1]) + "]\n")
        self.assertEqual(code, 0, said)

    def test_times(self):
        self.red(ACCEPTED + "      - expect: [{type: job.offered, key: T1, times: 2}]\n", "came 1 times, not 2")
        code, said = self.play(ACCEPTED + "      - expect: [{type: job.offered, times: 1}, {type: job.expired, times: 0}]\n")
        self.assertEqual(code, 0, said)

    def test_instants_are_compared_as_instants(self):
        for due, want in (("2026-03-02T03:00:00Z", 0), ("2026-03-02T11:00:00+08:00", 0), ("2026-03-02 11:00", 0), ("11:00:00", 0),
                          ("2026-03-02T11:00:00Z", 1), ("11:00:01", 1)):
            code, said = self.play(ACCEPTED + f"      - expect: [{{type: sla.met, data: {{due: \"{due}\"}}}}]\n")
            self.assertEqual(code, want, due + said)

    def test_elements_of_a_list_in_order(self):
        for clauses, want in ((["arrange", "resolve"], 0), (["resolve"], 0), (["resolve", "arrange"], 1), (["arrange", "other"], 1)):
            limits = ", ".join(f"{{clause: {clause}}}" for clause in clauses)
            code, said = self.play(ACCEPTED + f"      - expect: [{{type: sla.scheduled, data: {{limits: [{limits}]}}}}]\n")
            self.assertEqual(code, want, said)

    def test_nothing_said(self):
        accepted = "      - expect: [{type: job.accepted, data: {implied: ~}}]\n"
        code, said = self.play(ACCEPTED + accepted)
        self.assertEqual(code, 0, said)
        self.red(ACCEPTED + accepted.replace("implied", "job"), "expected, and has not come")

    def test_a_rule_that_expects_nothing_is_not_proved(self):
        self.red(ACCEPTED, "expects nothing")

    def test_refusals(self):
        unknown = "      - {at: \"13:00\", type: job.accepted, key: T9, data: {job: T9/j1}}\n      - never: [{type: job.accepted, key: T9}]\n"
        self.red(ACCEPTED + unknown, "intake refuses this fact: ")
        refused = unknown.replace("T9/j1}", "T9/j1}, refused: ticket.unknown")
        code, said = self.play(ACCEPTED + refused)
        self.assertEqual(code, 0, said)
        self.red(ACCEPTED + refused.replace("ticket.unknown", "job.exists"), "expected refused: job.exists")
        code, said = self.play(ACCEPTED + refused.replace("ticket.unknown", "ticket.unknown key"))
        self.assertEqual(code, 0, said)
        self.red(ACCEPTED + refused.replace("ticket.unknown", "ticket.unknown site"), "expected refused: ticket.unknown site")
        self.red(ACCEPTED.replace("data: {job: T1/j1}", "data: {job: T1/j1}, refused: denied") + "      - never: [{type: job.expired}]\n",
                 "this fact is taken; expected refused: denied")

    def test_forms(self):
        for rules, text in (
                (ACCEPTED + "      - expect: [{type: sla.mett}]\n", 'there is no event type "sla.mett"'),
                (ACCEPTED + "      - expect: [{type: sla.met, data: {claus: x}}]\n", 'sla_met has no field "claus"'),
                (ACCEPTED + "      - expect: [{type: sla.met, data: {due: +2h}}]\n", "said in full, or as HH:MM"),
                (ACCEPTED + "      - expect: [{type: sla.met, date: {}}]\n", 'an expectation has no "date"'),
                (ACCEPTED.replace("10:59", "08:59") + "      - expect: [{type: sla.met}]\n", "time goes back"),
                (ACCEPTED.replace("10:59", "25:59") + "      - expect: [{type: sla.met}]\n", "no time"),
                (ACCEPTED.replace("job: T1/j1", "jobb: T1/j1") + "      - expect: [{type: sla.met}]\n", 'job_accepted has no field "jobb"'),
                (ACCEPTED.replace("S1.1", "1.1") + "      - expect: [{type: sla.met}]\n", "an id like S12.4"),
                (ACCEPTED + "    later: settlement\n", "has no steps"),
                (ACCEPTED + "      - {until: \"13:00\", expect: []}\n", "a step of its own")):
            self.red(rules, text)
        self.red("  - [", code=2)
        self.red(ACCEPTED, "cannot read", code=2, head=HEAD.replace("policies/example-cn", "policies/absent"))
        self.red(ACCEPTED, 'has no "polices"', code=2, head="polices: x\n" + HEAD)

    def test_later_is_never_proved(self):
        code, said = self.play("  - {rule: S1.9, title: 核销, later: settlement}\n")
        self.assertEqual(code, 0, said)
        self.assertIn("S1.9    later   核销 (settlement)", said)
        self.assertIn("0 proved, 0 in part, 1 later, 0 failed", said)

    def test_a_rule_that_stands_several_times_is_one(self):
        good = ACCEPTED + "      - expect: [{type: sla.met}]\n"
        bad = ACCEPTED + "      - expect: [{type: sla.breached}]\n"
        later = "  - {rule: S1.1, title: 核销, later: settlement}\n"
        for rules, want in ((good + good, "1 rules: 1 proved, 0 in part, 0 later, 0 failed"),
                            (good + later, "1 rules: 0 proved, 1 in part, 0 later, 0 failed"),
                            (good + later + bad, "1 rules: 0 proved, 0 in part, 0 later, 1 failed"),
                            (good + good.replace("S1.1", "S1.2") + later, "2 rules: 1 proved, 1 in part, 0 later, 0 failed")):
            self.assertIn(want, self.play(rules)[1])

    def test_rules_do_not_see_each_other(self):
        other = ACCEPTED.replace("S1.1", "S1.2") + "      - expect: [{type: job.offered, key: T1, times: 1}]\n"
        code, said = self.play(ACCEPTED + "      - expect: [{type: sla.met}]\n" + other)
        self.assertEqual(code, 0, said)
        self.assertIn("2 proved", said)

    def test_another_policy_on_the_way(self):
        with tempfile.NamedTemporaryFile("w", suffix=".yaml", encoding="utf-8") as policy:
            text = (HERE.parent.parent / "deploy/policies/example-cn.yaml").read_text(encoding="utf-8")
            policy.write(text.replace("version: example-cn-1", "version: example-cn-2").replace("{limit: 2h,", "{limit: 1h,"))
            policy.flush()
            steps = f"""      - {{at: "13:00", publish: {policy.name}}}
      - {{<<: *repair, at: "14:00", key: T2}}
      - expect:
          - {{type: policy.published, data: {{version: example-cn-2, replaces: example-cn-1}}}}
          - {{type: sla.scheduled, key: T2, data: {{limits: [{{clause: arrange, due: "15:00"}}]}}}}
"""
            head = HEAD.replace("start:", f"calendars: {HERE.parent.parent}/deploy/calendars\nstart:")
            code, said = self.play(ACCEPTED + steps, head=head)
            self.assertEqual(code, 0, said)

    def test_trace(self):
        code, said = self.play(ACCEPTED + "      - expect: [{type: sla.met}]\n", "--trace")
        self.assertEqual(code, 0, said)
        self.assertIn("dispatcher     {type: job.offered, key: T1, at: \"2026-03-02 09:00\"", said)

    def test_counting(self):
        rules = "".join(f"  - {{rule: S{s}.{r}, title: x, later: x}}\n" for s, n in ((1, 3), (2, 2)) for r in range(1, n + 1))
        for counts, want, text in (("S1 3\nS2 2 # both\n", 0, "2 systems with 5 rules"), ("# S3 9\nS1 3\n", 0, ""),
                                   ("S1 4\n", 1, "S1.4 stands in no scenario"), ("S1 2\n", 1, "S1.3 is more than there are"),
                                   ("S3 1\n", 1, "S3.1 stands in no scenario"), ("S1: 3\n", 2, "not like")):
            with tempfile.NamedTemporaryFile("w", suffix=".txt") as file:
                file.write(counts)
                file.flush()
                code, said = self.play(rules, "--count", file.name)
                self.assertEqual(code, want, counts + said)
                self.assertIn(text, said)

    def test_the_same_twice(self):
        runs = [subprocess.run([RUN, "--trace", HERE / "example-cn.yaml"], capture_output=True).stdout for _ in range(2)]
        self.assertEqual(runs[0], runs[1])


if __name__ == "__main__":
    unittest.main(verbosity=1)
