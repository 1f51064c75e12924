"""A branch with its own daemon, as it is: an application gives it facts at any time, it keeps them and sends them on when it can."""
import json
import os

from branch import Branch
from checker import Sent
from load import Sender
from stack import until


class Office(Branch):
    """Behind the wide line where there is one; kept running with the others, and hurt like them."""

    def __init__(self, plant, name="office", prefix="GZ01"):
        line = tuple(plant.endpoint(socket, branch=True) for socket in ("cmd", "feed"))
        super().__init__(plant, name, prefix=prefix, line=line, folder=plant.folder(name), regions="R")
        self.log = plant.data / "log" / f"{name}.log"

    def start(self):
        # Root's own words come first: who has joined the network becomes somebody else afterwards.
        wan = self.stack.wan
        before = ["nsenter", f"--net=/proc/{os.getpid()}/fd/{wan.branch}"] if wan is not None else []
        self.stack.keep_running(self.name, super().words()[-3:], before)
        until(f"{self.name} answers", lambda: self("status", check=False).returncode in (0, 1))

    def queued(self):
        """How many facts the centre has not answered yet; -1: it does not say, now."""
        done = self("status", "--json", check=False)
        if done.returncode not in (0, 1):
            return -1
        return json.loads(done.stdout).get("queued", 0)

    def refused(self):
        """{number: code} of what the centre refused."""
        return {row["n"]: row["code"] for row in self.rows("refused", "--all", "--limit", 0)}


class Desk(Sender):
    """The application. Its facts count as kept when the branch has answered them; what becomes of them the journal says."""

    def __init__(self, office):
        super().__init__(f"ipc://{office.data}/s/branch", "-", f"{office.name}/desk")
        self.kept = {}  # the branch's number: Sent

    def put(self, type_, key, **data):
        super().put(type_, "" if type_ == "ticket.registered" else key, **data)  # the branch gives the number

    def answered(self, answers):
        with self.lock:
            for n, code, *rest in answers:
                said, one = rest[0] if rest else None, self.sent[n]
                if code is not None:  # at once: it is not kept
                    one.refused = code
                    self.spool.pop(n, None)
                    continue
                key = said.get("number", one.key)
                if (one.pos or said["n"], one.key or key) != (said["n"], key):
                    self.trouble = f"{self.source}/{n} was answered {one} and then {said}"
                one.pos, one.key = said["n"], key
                self.kept[said["n"]] = Sent(one.type, key)
                self.spool.pop(n, None)
