"""Intake's clock is set by hours (its own: nobody touches the machine's). Until a restart accepts it nothing is taken, nothing is
recorded or announced by it; put back, all goes on as if nothing had been; accepted, time goes on from there and never back."""
import signal
import unittest

import campaign
from deeds import HOUR
from plant import Plant
from stack import until


class Clock(unittest.TestCase):
    def setUp(self):
        self.plant = Plant(wide=False, two=False)
        self.plant.__enter__()
        self.failed = True
        self.load = campaign.Load(self.plant, 1, 10)
        self.sender, self.follower = self.load.senders[1], self.load.follower
        self.flows("before")
        self.began = self.follower.now_told

    def tearDown(self):
        self.load.stop()
        self.plant.__exit__(AssertionError if self.failed else None, None, None)

    def flows(self, when):
        acks = self.sender.said["ACK"]
        until(f"events are taken {when}", lambda: self.sender.said["ACK"] > acks + 5)

    def move(self, by):
        self.plant.clocks["intake"].set(by)

    def is_busy(self):
        busy = self.sender.said["BUSY"]
        until("intake says BUSY", lambda: self.sender.said["BUSY"] > busy + 2)
        until("its health says why", lambda: not self.plant.address.is_well("intake"))

    def ends_well(self):
        self.load.settle()
        events, found = campaign.check(self.plant, self.load)
        self.assertEqual(found, [])
        self.failed = False
        return [e["rec"].seconds for e in events]

    def test_put_back(self):
        pid = self.plant.pid("intake")
        for by in (2 * HOUR, -2 * HOUR):
            self.move(by)
            self.is_busy()
            self.move(0)
            self.flows("again")
        last = self.ends_well()[-1]
        self.assertEqual(self.plant.pid("intake"), pid)
        self.assertLess(last - self.began, 600)
        self.assertLess(self.follower.now_told - self.began, 600)

    def test_accepted(self):
        self.move(2 * HOUR)
        self.is_busy()
        self.plant.daemons["intake"].signal(signal.SIGKILL)
        self.flows("behind it")
        self.move(HOUR)
        self.is_busy()
        self.plant.daemons["intake"].signal(signal.SIGKILL)
        self.flows("though it was put back")
        self.move(2 * HOUR)  # and time goes on: what is due now is not waited for an hour
        self.plant.daemons["intake"].signal(signal.SIGKILL)
        recs = self.ends_well()
        self.assertEqual(recs, sorted(recs))
        self.assertGreater(recs[-1] - self.began, 7000)


if __name__ == "__main__":
    unittest.main()
