"""The checker itself: histories made by hand, each with one thing wrong, and some with nothing wrong that look as if."""
import collections
import unittest

import campaign  # puts the folders in the path
import checker
from checker import Sent

Instant = collections.namedtuple("Instant", "seconds nanoseconds")


def journal(*lines):
    """(type, data) or (type, data, changes): events of ticket T, a second apart."""
    events = []
    for pos, (kind, data, *more) in enumerate(lines, 1):
        event = {"pos": pos, "id": f"x/{pos}", "type": kind, "key": "T", "from": "x", "n": pos, "cause": pos - 1, "rec": Instant(pos, 0),
                 "data": data}
        events.append({**event, **(more[0] if more else {})})
    return events


OPENED = [("ticket.assessed", {}), ("sla.scheduled", {"limits": [{"clause": "arrange", "k": 1, "due": Instant(99, 0)}]}, {"cause": 1})]
TAKEN = [*OPENED, ("job.offered", {"job": "T/j1"}), ("job.accepted", {"job": "T/j1"})]
RESOLVED = [*TAKEN, ("ticket.resolved", {})]
NOBODY = ("ticket.escalated", {}, {"id": "dispatcher/T/nobody/1"})

WELL = {
    "taken": TAKEN,
    "late acceptance after nobody": [*OPENED, ("job.offered", {"job": "T/j1"}), ("job.expired", {"job": "T/j1"}), NOBODY,
                                     ("job.accepted", {"job": "T/j1"})],
    "nobody, while one who was late took it": [*OPENED, ("job.offered", {"job": "T/j1"}), ("job.expired", {"job": "T/j1"}),
                                               ("job.accepted", {"job": "T/j1"}), NOBODY],
    "a resolution ends its jobs": [*RESOLVED, ("followup.due", {"k": 1}), ("followup.recorded", {"k": 1, "reached": True}),
                                   ("ticket.reopened", {}), ("job.offered", {"job": "T/j2"}), ("job.accepted", {"job": "T/j2"})],
    "closed": [*RESOLVED, ("followup.due", {"k": 1}), ("followup.missed", {"k": 1}), ("ticket.closed", {})],
    "cancelled": [*TAKEN, ("ticket.cancelled", {}), ("job.withdrawn", {"job": "T/j1"})],
    "accepted when it was over": [*OPENED, ("job.offered", {"job": "T/j1"}), ("ticket.cancelled", {}), ("job.accepted", {"job": "T/j1"})],
    "reported by two": [*TAKEN[:-1], ("job.expired", {"job": "T/j1"}), ("job.offered", {"job": "T/j2"}), ("job.accepted", {"job": "T/j2"}),
                        ("job.reported", {"job": "T/j2", "outcome": "done"}), ("job.reported", {"job": "T/j1", "outcome": "done"}),
                        ("ticket.resolved", {"job": "T/j2"}), ("followup.due", {"k": 1}), ("ticket.closed", {})],
    "an offer that came too late": [*TAKEN, ("job.offered", {"job": "T/j2"}), ("job.withdrawn", {"job": "T/j2"})],
}
BAD = {
    "no offer": (OPENED, "is open and its jobs are"),
    "two at it": ([*OPENED, ("job.offered", {"job": "T/j1"}), ("job.offered", {"job": "T/j1"})], "again at"),
    "no clock": ([("ticket.assessed", {}), ("job.offered", {"job": "T/j1"})], "has no clock"),
    "expired, and nobody else": ([*OPENED, ("job.offered", {"job": "T/j1"}), ("job.expired", {"job": "T/j1"})], "is open and its jobs are"),
    "no callback": ([*RESOLVED, ("ticket.closed", {})], "no callback was due"),
    "a callback without end": ([*RESOLVED, ("followup.due", {"k": 1})], "neither closed nor reopened"),
    "no verdict": ([("ticket.assessed", {}), ("sla.scheduled", {"limits": [{"clause": "arrange", "k": 1, "due": Instant(2, 0)}]}),
                    ("job.offered", {"job": "T/j1"})], "there is no verdict"),
    "a breach twice": ([*TAKEN, *[("sla.breached", {"clause": "arrange", "k": 1})] * 2], "again at"),
    "a callback twice": ([*RESOLVED, *[("followup.due", {"k": 1})] * 2, ("followup.missed", {"k": 1}), ("ticket.closed", {})], "again at"),
    "an id twice": ([*TAKEN, ("ticket.noted", {}, {"id": "x/1"})], "id x/1 at 1 and again"),
    "a number twice": ([*TAKEN, ("ticket.noted", {}, {"n": 1})], "number ('x', 1) at 1 and again"),
    "a cause that comes later": ([*TAKEN, ("ticket.noted", {}, {"cause": 9})], "follows from 9"),
    "time goes back": ([*TAKEN, ("ticket.noted", {}, {"rec": Instant(1, 0)})], "rec goes back"),
}
SENT = {
    "acknowledged and gone": ({9: Sent("ticket.noted", "T", 9)}, "was acknowledged at 9 and is not there"),
    "at another place": ({1: Sent("ticket.assessed", "T", 2)}, "was acknowledged at 2 and stands at 1"),
    "refused and there": ({1: Sent("ticket.assessed", "T", 0, "denied")}, "was refused (denied) and stands at 1"),
    "become another": ({1: Sent("ticket.assessed", "U", 1)}, "was ticket.assessed U and became ticket.assessed T"),
    "nobody's": ({}, "was never sent"),
}


KEPT = {
    "well": ({1: Sent("ticket.assessed", "T"), 2: Sent("sla.scheduled", "T"), 3: Sent("ticket.noted", "T")}, {3: "missing"}, ""),
    "kept and gone": ({1: Sent("ticket.assessed", "T"), 2: Sent("sla.scheduled", "T"), 3: Sent("ticket.noted", "T")}, {}, "stands 0 times"),
    "refused and there": ({1: Sent("ticket.assessed", "T"), 2: Sent("sla.scheduled", "T")}, {2: "missing"}, "refused: missing"),
    "become another": ({1: Sent("ticket.assessed", "U"), 2: Sent("sla.scheduled", "T")}, {}, "became ticket.assessed T"),
    "a number left out": ({1: Sent("ticket.assessed", "T"), 3: Sent("sla.scheduled", "T")}, {}, "gave out 2 numbers"),
    "nobody's": ({1: Sent("ticket.assessed", "T")}, {}, "was never given"),
    "nothing": ({}, {}, "kept nothing"),
    "no rights": ({1: Sent("ticket.assessed", "T"), 2: Sent("sla.scheduled", "T"), 3: Sent("ticket.registered", "U")}, {3: "denied"},
                  "x/3 ticket.registered U was refused: denied"),
}


class Checks(unittest.TestCase):
    def test_kept(self):
        for name, (kept, refused, wanted) in KEPT.items():
            with self.subTest(name):
                found = "\n".join(checker.check_kept(journal(*OPENED), "x", kept, refused))
                self.assertEqual(found, "") if not wanted else self.assertIn(wanted, found)

    def test_well(self):
        for name, lines in WELL.items():
            with self.subTest(name):
                self.assertEqual(checker.check_journal(journal(*lines), {}), [])

    def test_bad(self):
        for name, (lines, wanted) in BAD.items():
            with self.subTest(name):
                self.assertIn(wanted, "\n".join(checker.check_journal(journal(*lines), {})))

    def test_sent(self):
        for name, (numbers, wanted) in SENT.items():
            with self.subTest(name):
                self.assertIn(wanted, "\n".join(checker.check_journal(journal(*TAKEN), {"x": numbers})))


if __name__ == "__main__":
    unittest.main()
