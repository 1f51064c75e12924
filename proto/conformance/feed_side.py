"""The feed as the kit plays it: honest steps that checks put together, with faults between them."""
import time

from kit import PATIENCE, Broken, Kit


class Feed(Kit):
    # --- what the reader says
    def expect_open(self, after=None, rule="F1", link=True, want="OPEN", seconds=PATIENCE):
        """OPEN, from where the reader has to stand. CREDIT and CLOSE of the session before may come first."""
        while True:
            self.no_position_beyond(after, rule)
            said = self.hear(seconds, rule, want)
            if said.verb == "OPEN":
                break
            if said.verb == "CREDIT":
                self.on_credit(said)
            elif said.verb != "CLOSE":
                raise Broken(rule, f"{said.verb} where {want} was due")
        return self.on_open(said, after, rule, link)

    def on_open(self, said, after=None, rule="F1", link=True):
        if said["stream"] not in (0, self.stream):
            raise Broken("F1", f"OPEN for the stream {said['stream']!r}, the key file says {self.stream!r}")
        if said["consumer"].split("/")[0] != self.principal:
            raise Broken("F1", f"OPEN as {said['consumer']!r}, the key file's principal is {self.principal!r}")
        if not 0 < said["credit"] <= 64 << 20:
            raise Broken("F2", f"OPEN with a credit of {said['credit']}")
        if after is not None and said["after"] != after:
            raise Broken(rule, f"OPEN after {said['after']}, the last good position was {after}")
        if link and said["after"] > 0 and said["link"] != self.journal.links[said["after"]]:
            raise Broken("F7", f"OPEN after {said['after']} without the link that stood there")
        self.peer, self.upto, self.credit, self.returned, self.cost = said.peer, said["after"], said["credit"], 0, 0
        self.wants = said
        return said

    def on_credit(self, said):
        if said.peer != self.peer:
            return
        self.returned += said["bytes"]
        self.credit += said["bytes"]
        if self.returned > self.cost:
            raise Broken("F2", f"CREDIT gives back {self.returned} bytes, batches cost {self.cost}")
        if said["applied"] > self.upto:
            raise Broken("F2", f"CREDIT says {said['applied']} is applied, {self.upto} was sent")

    def no_position_beyond(self, after, rule):
        if after is not None and (got := [p for p in self.positions() if p > after]):
            raise Broken(rule, f"its caller got position {got[0]}, the last good one was {after}")

    # --- what the feed says
    def opened(self, whole=True):
        self.say("OPENED", {"epoch": 1, "head": self.journal.n, "first": 1, **({"whole": True} if whole else {})})

    def batch(self, after, upto, **tampered):
        frame = self.journal.batch(after, upto, **tampered)
        self.cost += (cost := self.say("BATCH", frame))
        self.credit -= cost
        self.upto = max(self.upto, upto)

    def head(self, verb="HEAD", pos=None):
        pos = self.journal.n if pos is None else pos
        self.say(verb, {"epoch": 1, "head": pos, "link": self.journal.links[pos]})

    def caught_up(self):
        self.head("CAUGHT_UP")

    def serve(self, step=7, rule="F1", reopen=()):
        """Honestly to the head, by credit; then the client ends. reopen: positions from which it may begin anew meanwhile."""
        upto, told, deadline = self.upto, False, time.monotonic() + 2 * PATIENCE
        while self.process.poll() is None:
            if upto < self.journal.n and self.credit > 0:
                # at least one, else as many as the credit allows: as a feed does
                last = min(upto + step, self.journal.n)
                while last > upto + 1 and sum(len(self.journal.events[p][0]) for p in range(upto + 1, last + 1)) > self.credit:
                    last -= 1
                self.batch(upto, last)
                upto = last
            elif upto == self.journal.n and not told:
                told = True
                self.caught_up()
            if not self.poller.poll(0 if upto < self.journal.n and self.credit > 0 else 50):
                if time.monotonic() > deadline:
                    what = "no CREDIT came back" if self.credit <= 0 else "it had not ended"
                    raise Broken("F2" if self.credit <= 0 else rule, f"{what} at position {upto} of {self.journal.n}")
                continue
            said = self.hear(1)
            if said.verb == "CREDIT":
                self.on_credit(said)
            elif said.verb == "OPEN" and said["after"] in reopen:
                self.on_open(said)
                self.opened()
                upto, told, reopen = said["after"], False, ()
            elif said.verb == "OPEN":
                raise Broken(rule, f"OPEN after {said['after']} once more, where nothing was wrong")
        self.wait_end(rule)

    def caught_up_from(self, upto, rule):
        """Honestly on from there, to the end."""
        for after in range(upto, self.journal.n, 10):
            self.batch(after, min(after + 10, self.journal.n))
        self.caught_up()
        self.wait_end(rule)
        self.everything(rule)

    def begin(self, *job, upto=10, step=10):
        """The honest beginning of most checks: everything to `upto` has been sent."""
        self.start(*(job or ("read",)))
        self.expect_open(0)
        self.opened()
        for after in range(0, upto, step):
            self.batch(after, min(after + step, upto))

    def everything(self, rule):
        return self.ended("caught-up", rule, range(1, self.journal.n + 1))
