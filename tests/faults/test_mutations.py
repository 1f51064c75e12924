"""The campaign has teeth: daemons with a deliberate bug in them (common/base/mutation.h) are found out, each for the right reason."""
import concurrent.futures
import os
import pathlib
import re
import unittest

import campaign
from stack import TREE, Failed

TEST_BIN = pathlib.Path(os.environ.get("AFTERCARE_TEST_BIN", TREE / "build" / "tests" / "bin"))
MUTANTS = {name: TEST_BIN / f"mutant-{name}" for name in ("intake", "dispatcher", "sla-watchdog", "follow-up")}
LOST = r"is taken, and is asked for it again|was acknowledged at"
# name in base/mutation.h: (deeds, what the checker must say)
BUGS = {
    "PUBLISH_EARLY": (["lose_commit"], r"live told of"),
    "ACK_EARLY": (["lose_commit"], LOST),
    "MEMORY_KEPT": (["lose_commit"], LOST + r"|the link at .* differs"),  # what was lost is in its chain still
    "ROWS_EARLY": (["lose_commit"], r"is open and its jobs are|has no clock|no callback was due|there is no verdict|differ"),
    "FLIGHT_FORGOTTEN": (["lose_rows"], r"and again at"),
}
SECONDS, AT_LEAST = 5, 10


def number_of(name):
    text = (TREE / "common/base/mutation.h").read_text()
    return re.findall(r"MUTATION_(\w+),", text).index(name)


def found_by(name):
    deeds, _ = BUGS[name]
    lines = []
    try:
        campaign.campaign(1, SECONDS, rate=40, only=deeds, tell=lines.append, binaries=MUTANTS, wide=False, two=False,
                          env={"MUTATION": str(number_of(name))}, tidy=True, settle=25,
                          at_least=AT_LEAST)
    except Failed as why:
        return str(why)
    return ""


class Mutations(unittest.TestCase):
    def test_each_is_found(self):
        with concurrent.futures.ThreadPoolExecutor(len(BUGS)) as pool:
            found = dict(zip(BUGS, pool.map(found_by, BUGS)))
        for name, (_, wanted) in BUGS.items():
            with self.subTest(name):
                lines = [line for line in found[name].splitlines() if re.search(wanted, line)]
                print(f"{name}: {lines[0] if lines else 'NOT FOUND'}")
                self.assertTrue(lines, found[name][:4000])


if __name__ == "__main__":
    unittest.main()
