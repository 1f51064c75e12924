"""The section `badline` of run: a branch on a line of 200 ms there and back, 5 % of the packets lost each way, 256 kbit/s. Tickets a
second that come to the centre, how soon an application is answered meanwhile, and how long an hour's work takes to catch up; and a
file over a line of 16 kbit/s, which libaftercare gets there with the branch's key.
The line is tests/faults/wan.py: root, /dev/net/tun."""
import os
import pathlib
import signal
import subprocess
import sys
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "faults"))  # its relay, not the integration tests'
from branch import Branch  # noqa: E402
from relay import Relay  # noqa: E402
from stack import BIN, Stack, jsonl, until  # noqa: E402
from wan import CENTRE, Wan  # noqa: E402

DELAY_S, LOSS, BITS = 0.1, 0.05, 256000
TICKETS = 600
HOUR = 360  # tickets of a busy hour, one each ten seconds
PIECE = 20
TEST_BIN = pathlib.Path(os.environ.get("AFTERCARE_TEST_BIN", BIN.parent / "tests" / "bin"))
FILE_BYTES, NARROW_BITS = 200 * 1024, 16000


def ticket(key, i):
    """What a counter asks of a customer, some 450 bytes."""
    return {"type": "ticket.registered", "v": 1, "key": key, "by": "counter-2",
            "data": {"kind": "repair", "region": "GD01", "product": "tractor", "channel": "phone", "fault": "发动机无法启动",
                     "subject": f"tractor does not start, {i}", "customer": {"id": f"C-{i}"}},
            "priv": {"description": "昨天下午起无法启动，已检查电瓶和油路，仍不着车。", "customer": {
                "name": "陈先生", "phone": f"138{i:08}", "address": "广东省广州市番禺区市桥街道大北路 128 号 3 栋 502"}}}


def note(key, text):
    return {"type": "ticket.noted", "v": 1, "key": key, "by": "counter-2", "data": {"kind": "call"}, "priv": {"text": text}}


class Line:
    """The stack, the line and the branch behind it."""

    def __enter__(self):
        self.wan = Wan(1)
        self.stack = Stack(clock="wall").__enter__()
        self.stack("policy", "publish", self.stack.share("policies/example-cn.yaml"))
        self.stack("append", jsonl(self.stack.data / "sites.jsonl", [
            {"type": "site.updated", "key": "site-gz", "by": "hq", "data": {"name": "广州", "tier": 3, "territories": ["GD"], "region": "GD"}}]))
        ports = [self.stack.ports[i] for i in (0, 2)]
        self.relays = [Relay(self.wan.listener(port), port) for port in ports]
        self.wan.tell("weather", DELAY_S, DELAY_S / 10, LOSS)
        self.wan.tell("width", BITS)
        self.branch = Branch(self.stack, "branch-gz", prefix="GD01", line=tuple(f"tcp://{CENTRE}:{port}" for port in ports),
                             netns=f"/proc/{os.getpid()}/fd/{self.wan.branch}", regions="GD", sites="site-gz", personal="yes").__enter__()
        until("the line is up", lambda: self.branch.status()["line"] == "up", 120)
        self.app = self.branch.app()
        self.app.connect()
        return self

    def __exit__(self, *why):
        self.app.close()
        self.branch.__exit__(*why)
        for relay in self.relays:
            relay.stop()
        self.stack.__exit__(*why)
        self.wan.stop()

    def give(self, facts):
        """Milliseconds that each piece waited for its answer."""
        self.app.give(facts)
        waits = []
        while len(self.app.answers) < len(self.app.facts):
            before, done = time.monotonic(), len(self.app.answers)
            self.app.send(done + 1, PIECE)
            while len(self.app.answers) < min(done + PIECE, len(self.app.facts)):
                if self.app.take(10) is None:
                    raise TimeoutError("the branch does not answer its application")
            waits.append(1000 * (time.monotonic() - before))
        return sorted(waits)

    def drained(self, seconds):
        began = time.monotonic()
        self.branch.drained(seconds)
        return time.monotonic() - began

    def listed(self, seconds):
        """Until the work list is as true as the centre is: what was concluded there has come back."""
        began = time.monotonic()
        self.stack.wait_caught_up()
        head = self.stack.head()
        until("the work list is true again", lambda: self.branch.status()["pos"] >= head, seconds)
        return time.monotonic() - began


def file_got(line):
    """Seconds that it took to get it, with nobody else on the line."""
    line.give([ticket("GD01-N-000001", 2 * TICKETS)])
    line.drained(600)
    path = line.stack.data / "narrow.bin"
    path.write_bytes(os.urandom(FILE_BYTES))
    path.chmod(0o644)
    sha256 = line.stack.json("file", "add", "GD01-N-000001", path)["sha256"]
    until("its bytes are there", lambda: "file.stored" in {e["type"] for e in line.stack.lines("tail", "--format", "jsonl", "--key", "GD01-N-000001")})
    line.branch.kill(signal.SIGTERM)
    line.wan.tell("weather", DELAY_S, DELAY_S / 10, 0)
    line.wan.tell("width", NARROW_BITS)
    out, within = line.branch.data / "narrow.out", line.branch.words()[:-3]  # its network, its user
    began = time.monotonic()
    done = subprocess.run([*within, str(TEST_BIN / "client-job"), str(line.branch.data / "branch.key"), "get", sha256, str(out)], cwd="/",
                          capture_output=True, text=True, timeout=900)
    took = time.monotonic() - began
    if done.returncode != 0 or out.read_bytes() != path.read_bytes():
        raise RuntimeError(f"the file does not come: {done.stderr}")
    return took


def run(benches):
    try:
        with Line() as line:
            measure(benches, line)
            took = file_got(line)
            benches.say(f"a file of {FILE_BYTES // 1024} KiB over {NARROW_BITS / 1000:.0f} kbit/s", f"{took:.0f} s", "≤ 200 s", took <= 200,
                        figures=f"{8 * FILE_BYTES / NARROW_BITS:.0f} s of it the line's own")
    except OSError as why:
        benches.say("a branch on a bad line", "void", "a network of one's own", False, why=f"{why} (root, /dev/net/tun?)")


def measure(benches, line):
    began = time.monotonic()
    waits = line.give([ticket(f"GD01-A-{i:06}", i) for i in range(TICKETS)])
    line.drained(600)
    took = time.monotonic() - began
    benches.say("a branch on a bad line: tickets to the centre", f"{TICKETS / took:.1f}/s", "≥ 15/s", TICKETS / took >= 15,
                line=f"{2000 * DELAY_S:.0f} ms there and back, {100 * LOSS:.0f} % lost each way, {BITS / 1000:.0f} kbit/s",
                figures=f"{TICKETS} tickets in {took:.1f} s; on its work list after {line.listed(900):.0f} s more")
    benches.say("an application there is answered", f"p50 {waits[len(waits) // 2]:.0f} ms", "≤ 100 ms", waits[len(waits) // 2] <= 100,
                figures=f"{PIECE} facts at a time, each synced; slowest {waits[-1]:.0f} ms")
    line.wan.tell("cut")
    until("the line is down", lambda: line.branch.status()["line"] == "down", 120)
    facts = []
    for i in range(HOUR):
        key = f"GD01-B-{i:06}"
        facts += [ticket(key, TICKETS + i), note(key, "已电话告知客户备件到货时间"), note(key, "客户同意明天上午上门")]
    line.give(facts)
    line.wan.tell("heal")
    took = line.drained(900)
    benches.say("an hour without a line: caught up after", f"{took:.0f} s", "≤ 120 s", took <= 120,
                figures=f"{len(facts):,} facts about {HOUR} tickets, {len(facts) / took:.1f} a second; "
                        f"its work list is true after {line.listed(900):.0f} s more")
