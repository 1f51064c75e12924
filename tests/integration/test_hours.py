"""Eight hours without a line, by a clock that is moved hour by hour under the centre's daemons and the branch's: facts are taken, the
branch says how old it all is, its list says how true it is; then everything arrives with the time it happened at, and journal
order decides. Needs root, for a network namespace."""
import datetime
import os
import tempfile
import unittest

from branch import Branch, journaled
from stack import TREE, jsonl, until
from test_offline import Cable, Open, can_cut

HOURS = 8
PATIENCE = 180


class Clock:
    """The file that every process of the test reads its clocks by (common/base/clock.h)."""

    def __init__(self):
        handle, self.path = tempfile.mkstemp(prefix="ach-", dir="/tmp")
        os.close(handle)
        os.chmod(self.path, 0o644)
        self.hours = 0
        self.write()

    def write(self):
        moved = self.hours * 3600 * 1000000
        with open(self.path, "r+b", buffering=0) as file:
            file.write(f"{moved} {moved}".ljust(64).encode())

    def hour(self):
        self.hours += 1
        self.write()

    def now(self):
        return datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(hours=self.hours)


def instant(text):
    return datetime.datetime.fromisoformat(text.replace("Z", "+00:00"))


@unittest.skipUnless(can_cut(), "SKIPPED: no network namespace can be made here (root?), so no cable is pulled")
class Hours(unittest.TestCase):
    def setUp(self):
        self.clock = Clock()
        self.addCleanup(os.unlink, self.clock.path)
        os.environ["AFTERCARE_CLOCK_FILE"] = self.clock.path  # inherited by all that is started
        self.addCleanup(os.environ.pop, "AFTERCARE_CLOCK_FILE")
        self.cable = Cable()
        self.addCleanup(self.cable.remove)
        self.stack = self.enter(Open(clock="wall"))
        self.stack("policy", "publish", TREE / "tests" / "integration" / "hours.yaml")
        self.stack("append", jsonl(self.stack.data / "sites.jsonl", [
            {"type": "site.updated", "key": f"site-{x}", "by": "hq",
             "data": {"name": x, "tier": 3, "territories": ["GD"], "region": "GD"}} for x in "ab"]))

    def enter(self, context):
        context.__enter__()
        self.addCleanup(context.__exit__, None, None, None)
        return context

    def story(self, ticket, kind):
        return [e for e in self.stack.lines("tail", "--format", "jsonl", "--key", ticket) if e["type"] == kind]

    def comes(self, ticket, kind, n=1):
        return until(f"{kind} of {ticket}", lambda: self.story(ticket, kind)[n - 1:n])[0]

    def offered(self):
        """A new ticket, and its first job."""
        ticket = self.stack.json("say", "register", "-", "kind=repair", "region=GD")["result"]["number"]
        return ticket, self.comes(ticket, "job.offered")["data"]

    def test_a_working_day_without_a_line(self):
        ticket, job = self.offered()
        taken, lost = until("another one for the same site", lambda: (lambda found: found[1]["site"] == job["site"] and found)(self.offered()))
        line = tuple(f"tcp://{self.cable.address}:{self.stack.ports[k]}" for k in (0, 2))
        branch = self.enter(Branch(self.stack, "branch-a", prefix="GD01", line=line, netns=self.cable.netns, regions="GD",
                                   sites=job["site"], personal="yes"))
        until("both are on the list", lambda: {r["job"] for r in branch.rows("jobs")} >= {job["job"], lost["job"]})
        self.cable.cut()
        said = []  # (type, time)
        for hour in range(1, HOURS + 1):
            self.clock.hour()
            until("the line is down", lambda: branch.status()["line"] == "down")
            if hour == 1:  # in time, and nobody hears it
                for key, of in ((ticket, job), (taken, lost)):
                    branch("say", "accept", key, f"job={of['job']}")
                    said.append(("job.accepted", self.clock.now()))
            if hour == 3:  # and the other site accepts what it was asked next
                second = self.comes(taken, "job.offered", 2)["data"]
                self.assertNotEqual(second["site"], lost["site"])
                self.stack("say", "accept", taken, f"job={second['job']}")
                self.comes(taken, "job.accepted")
            branch.register("kind=repair", "region=GD", f"subject=hour {hour}")
            said.append(("ticket.registered", self.clock.now()))
            status = branch.status()
            self.assertEqual(status["queued"], len(said))
            self.assertEqual(status["list_age_s"] // 3600, hour, status)
            row = [r for r in branch.rows("jobs") if r["job"] == job["job"]][0]
            self.assertEqual((row["state"], row["queued"]), ("offered", "job.accepted"))
            self.assertIn(f"{hour} h" if hour >= 2 else "min old", branch("jobs").stdout)
            words = f"the work list is {hour} h old"
            until("it says how old its list is", lambda: words in branch.log.read_text())
            if hour > 1:
                waits = f"{len(said)} facts wait, the oldest for {hour - 1} h"
                until("it says how long facts wait", lambda: waits in branch.log.read_text())
        self.comes(ticket, "sla.breached")
        self.comes(ticket, "job.expired", 2)  # nobody took it
        self.cable.mend()
        branch.drained(PATIENCE)
        withdrawn = self.comes(taken, "job.withdrawn")["data"]
        self.assertEqual((withdrawn["job"], withdrawn["reason"]), (lost["job"], "taken"))
        corrected = self.comes(ticket, "sla.corrected")["data"]
        self.assertEqual((corrected["was"], corrected["is"]), ("breached", "met"))
        # Each once, in order, with the time that it happened at.
        rows = journaled(self.stack, branch.name)
        self.assertEqual([(n, kind) for _, n, kind, _ in rows], [(n + 1, kind) for n, (kind, _) in enumerate(said)])
        mine = [e for e in self.stack.lines("tail", "--format", "jsonl") if e["from"] == branch.name]
        for event, (kind, at) in zip(mine, said):
            self.assertLess(abs((instant(event["at"]) - at).total_seconds()), 120, (kind, event["at"], at))
            self.assertGreater((instant(event["rec"]) - self.clock.now()).total_seconds(), -120)
            self.assertNotIn("cut", event)
        until("its list is true again", lambda: branch.status().get("list_age_s", 0) < 60 and
              {r["job"]: r["state"] for r in branch.rows("jobs")}[job["job"]] == "accepted")
        self.assertEqual(self.story(ticket, "job.withdrawn"), [], "what nobody else has taken is its own, late as it is")
        until("all is well again", lambda: "all is well again" in branch.log.read_text())
        self.stack.wait_caught_up()
        self.stack("verify")


if __name__ == "__main__":
    unittest.main(verbosity=2)
