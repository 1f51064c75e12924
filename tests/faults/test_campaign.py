"""The short form of the campaign: one seed, every kind of deed at least once."""
import unittest

import campaign


class Campaign(unittest.TestCase):
    def test_short(self):
        campaign.campaign(seed=1, seconds=campaign.SHORT, tell=lambda line: print(line, flush=True))


if __name__ == "__main__":
    unittest.main()
