"""Intake's clock is set by hours (its own: nobody touches the machine's). Until a restart accepts it nothing is taken, nothing is
recorded or announced by it; put back, all goes on as if nothing had been; accepted, time goes on from there and never back."""
import signal
import unittest

import campaign
from deeds import HOUR
from plant import Plant
from stack import until


class Clock(unittest.TestCase):
    def flows(self, when):
        acks = self.sender.said["ACK"]
        until(f"events are taken {when}", lambda: self.sender.said["ACK"] > acks + 5)

    def move(self, by):
        self.plant.clocks["intake"].set(by)

    def is_busy(self):
        busy = self.sender.said["BUSY"]
        until("intake says BUSY", lambda: self.sender.said["BUSY"] > busy + 2)
        until("its health says why", lambda: not self.plant.address.is_well("intake"))

    def accept(self):
        self.plant.daemons["intake"].signal(signal.SIGKILL)

    def test_clock(self):
        with Plant(wide=False, two=False) as self.plant:
            load = campaign.Load(self.plant, 1, 10)
            self.sender, follower = load.senders[1], load.follower
            self.flows("before")
            began, pid = follower.now_told, self.plant.pid("intake")

            for by in (2 * HOUR, -2 * HOUR):  # put back
                self.move(by)
                self.is_busy()
                self.move(0)
                self.flows("again")
            self.assertEqual(self.plant.pid("intake"), pid)
            self.assertLess(follower.now_told - began, 600, "what was told meanwhile was by the wrong clock")

            self.move(2 * HOUR)
            self.is_busy()
            self.accept()
            self.flows("behind it")
            until("readers are told its time", lambda: follower.now_told - began > 7000)
            self.move(HOUR)
            self.is_busy()
            self.accept()
            self.flows("though it was put back")
            self.move(2 * HOUR)  # and time goes on: what is due now is not waited for an hour
            self.accept()

            load.settle()
            load.stop()
            events, found = campaign.check(self.plant, load)
            recs = [e["rec"].seconds for e in events]
            self.assertEqual(found, [])
            self.assertEqual(recs, sorted(recs))
            self.assertEqual([r for r in recs if 600 < r - began < 7000 or r < began - 60], [])


if __name__ == "__main__":
    unittest.main()
