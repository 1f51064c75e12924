"""Timers at scale: what a million (or ten) open clocks cost, beside the polling query that other systems use.

Real tickets are registered and their rows in the watchdog's schema are copied under other keys until there are enough: the copies
lie there as any other row, only the journal knows nothing of them. What fires is real. The workers but the watchdog stand still."""
import json
import os
import pathlib
import re
import signal
import statistics
import time

HERE = pathlib.Path(__file__).resolve().parent
FOLDER = HERE / "clocks"
TEMPLATES = 2000     # tickets that are copied; four clocks each
SPREAD_S = 25 * 86400
SCHEMA = "sla-watchdog"


def iso(seconds):
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(seconds)) + f".{int(seconds * 1e6) % 1000000:06d}Z"


def micros(text):
    whole, _, rest = text.rstrip("Z").partition(".")
    return int(time.mktime(time.strptime(whole, "%Y-%m-%dT%H:%M:%S")) - time.timezone) * 1000000 + int((rest or "0").ljust(6, "0")[:6])


def registrations(stack, name, kind, opened):
    """A file of registrations of that kind, opened at those instants."""
    path = stack.data / f"{name}.jsonl"
    with open(path, "w", encoding="utf-8") as out:
        for i, at in enumerate(opened):
            out.write(json.dumps({"type": "ticket.registered", "key": f"{name}-{i:06d}", "at": iso(at), "by": "bench",
                                  "data": {"kind": kind, "region": "BOS"}}) + "\n")
    os.chmod(path, 0o644)
    return path


class Clocks:
    def __init__(self, stack, tools):
        self.stack, self.tools = stack, tools
        self.dsn = f"host={stack.data}/s user=postgres dbname=aftercare"

    # --- helpers
    def watchdog(self):
        return self.stack.pid("sla-watchdog")

    def others(self, sig):
        for worker in self.tools.WORKERS:
            if worker != "sla-watchdog":
                os.kill(self.stack.pid(worker), sig)

    def wait_watchdog(self, seconds=300):
        def done():
            head = int(self.stack.sql("SELECT pos FROM intake.head")[0][0])
            figures = self.tools.metrics(self.stack, "sla-watchdog")
            return figures["position"] == head and figures["in_flight"] == 0
        self.tools.until("the watchdog at the head", done, seconds)

    def published(self, version, extra=""):
        folder = self.stack.data / f"rules-{version}"
        folder.mkdir()
        for name in ("policy.yaml", "bench-days.yaml"):
            text = (FOLDER / name).read_text()
            text = re.sub(r"^version: (.*)-1$", rf"version: \1-{version}", text, flags=re.M)
            (folder / name).write_text(text + (extra if name == "bench-days.yaml" else ""))
            os.chmod(folder / name, 0o644)
        os.chmod(folder, 0o755)
        self.stack("policy", "publish", folder / "policy.yaml", "--calendars", folder)

    # --- rows
    def columns(self, table):
        return [r[0] for r in self.stack.sql(
            f"SELECT column_name FROM information_schema.columns WHERE table_schema = '{SCHEMA}' AND table_name = '{table}'"
            " ORDER BY ordinal_position")]

    def copy(self, table, like, times):
        """Every row of the templates so many times more, under keys of its own."""
        key = self.columns(table)[0]
        columns = ", ".join(f"replace(t.\"{c}\", 'BASE-', 'C' || g.g || '-')" if c == key else f't."{c}"' for c in self.columns(table))
        self.stack.sql(f'INSERT INTO "{SCHEMA}"."{table}" SELECT {columns} FROM generate_series(1, {times}) AS g(g),'
                       f" \"{SCHEMA}\".\"{table}\" t WHERE t.\"{key}\" LIKE '{like}'")

    def fill(self, clocks):
        now = time.time()
        self.stack("append", registrations(self.stack, "BASE", "Many", [now - SPREAD_S * i / TEMPLATES for i in range(TEMPLATES)]))
        self.wait_watchdog()
        table = "subject" if self.columns("subject") else "ticket"
        os.kill(self.watchdog(), signal.SIGSTOP)
        times = clocks // (4 * TEMPLATES) - 1
        for name in (table, "clock"):
            self.copy(name, "BASE-%", times)
            self.stack.sql(f'VACUUM ANALYZE "{SCHEMA}"."{name}"')  # as autovacuum would, in the middle of what is measured
        self.stack.sql("CHECKPOINT")
        return self.open_clocks()

    def open_clocks(self):
        return int(self.stack.sql(f'SELECT count(*) FROM "{SCHEMA}".clock WHERE open')[0][0])

    # --- figures
    def start_up(self):
        """From the start of the process until it stands at the head with its timers in memory."""
        before = self.watchdog()
        os.kill(before, signal.SIGKILL)
        pid = self.tools.until("the watchdog started again", lambda: self.watchdog() not in (None, before) and self.watchdog(), 60)
        began = int(pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[19]) / os.sysconf("SC_CLK_TCK")

        def ready():
            try:
                return self.tools.metrics(self.stack, "sla-watchdog").get("position", 0) > 0
            except OSError:
                return False
        self.tools.until("the watchdog is ready", ready, 600)
        self.wait_watchdog()
        return time.clock_gettime(time.CLOCK_BOOTTIME) - began

    def lags(self, since, kind):
        """Microseconds from due to the journal's stamp, of breaches behind that position."""
        out = self.stack("tail", "--from", str(since), "--type", "sla.breached", "--format", "jsonl", timeout=600).stdout
        found = []
        for line in out.splitlines():
            event = json.loads(line)
            if event["key"].startswith(kind):
                found.append(micros(event["rec"]) - micros(event["data"]["due"]))
        return sorted(found)

    def flow_file(self):
        path = self.stack.data / "flow.tsv"
        path.write_text("Flow\tany\tBOS\tphone\n")
        os.chmod(path, 0o644)
        return path

    def due_under_flow(self, rate, seconds, timers):
        """Real timers come due, evenly, while requests are registered and resolved: lag, and what flowed."""
        stack, tools = self.stack, self.tools
        cmd, stream = tools.door(stack, "cmd"), tools.stream_of(stack)["data"]["stream"]
        begins = time.time() + 12
        name = f"SOON{int(begins)}"
        head = stack.head()
        stack("append", registrations(stack, name, "Soon", [begins + 2 - 3600 + (seconds - 4) * i / timers for i in range(timers)]))
        self.wait_watchdog()
        before = self.watchdog()
        os.kill(before, signal.SIGKILL)  # so that all of them come from PostgreSQL
        tools.until("the watchdog started again", lambda: self.watchdog() not in (None, before), 60)
        tools.until("it is time", lambda: time.time() >= begins, 60)
        at, meter, before = stack.head(), tools.Meter(stack), tools.metrics(stack, "sla-watchdog")
        with tools.Stall() as stall:
            load = tools.bench(stack, "load", cmd, stream, str(seconds), str(rate), f"F{int(begins)}", self.flow_file())
        events, cpu = stack.head() - at, meter.stop()
        self.wait_watchdog()
        after = tools.metrics(stack, "sla-watchdog")
        lags = self.lags(head, name)
        within = {b: after[f"applied_within_{b}_ms_total"] - before.get(f"applied_within_{b}_ms_total", 0) for b in (20, 100, 1000)}
        return {"lags": lags, "events_s": events / seconds, "cpu": cpu, "load": load, "stall": stall,
                "within": within, "applied": after["events_total"] - before["events_total"]}

    def at_once(self, timers):
        """So many real timers at one instant: expiries a second, until the last one is in the journal."""
        due = time.time() + 15
        name = f"ONCE{int(due)}"
        head = self.stack.head()
        self.stack("append", registrations(self.stack, name, "Soon", [due - 3600] * timers))
        self.wait_watchdog()
        late = time.time() > due
        self.tools.until("they are due", lambda: time.time() > due + 0.5, 60)
        self.wait_watchdog()
        lags = self.lags(head, name)
        return {"late": late, "timers": len(lags), "per_second": len(lags) / (lags[-1] / 1e6)}

    def insert(self, seconds):
        """Promises a second, as fast as they are taken: two clocks a request begin and end."""
        cmd, stream = self.tools.door(self.stack, "cmd"), self.tools.stream_of(self.stack)["data"]["stream"]
        before = self.clocks_made()
        began = time.monotonic()
        self.tools.bench(self.stack, "load", cmd, stream, str(seconds), "0", f"I{int(time.time())}", self.flow_file())
        self.wait_watchdog()
        took = time.monotonic() - began
        return (self.clocks_made() - before) / took

    def clocks_made(self):
        return int(self.stack.sql(f'SELECT count(*) FROM "{SCHEMA}".clock WHERE clock LIKE \'I%\'')[0][0])

    def behind(self, most="ALL"):
        """Keys whose first clock follows what was replaced; no more than that many are counted."""
        newest = self.stack.sql(f"SELECT max(pos) FROM \"{SCHEMA}\".published WHERE what = 'calendar'")[0][0]
        return int(self.stack.sql(f"SELECT count(*) FROM (SELECT 1 FROM \"{SCHEMA}\".clock WHERE open AND follows NOT LIKE '%/{newest}'"
                                  f" AND follows NOT LIKE '%/0' LIMIT {most}) AS behind")[0][0])

    def sweep(self, seconds):
        """A new edition of the calendar under all clocks, while requests flow: how fast they are chosen anew, and what the flow felt."""
        stack, tools = self.stack, self.tools
        cmd, stream = tools.door(stack, "cmd"), tools.stream_of(stack)["data"]["stream"]
        day = time.strftime("%Y-%m-%d", time.gmtime(time.time() + 3 * 86400))
        self.published(2, f'exceptions:\n  - {{from: "{day}", name: closed}}\n')
        self.wait_published()
        behind, before, head, began = self.behind(), tools.metrics(stack, "sla-watchdog"), stack.head(), time.monotonic()
        tools.bench(stack, "load", cmd, stream, str(seconds), "300", f"S{int(time.time())}", self.flow_file())
        after, took = tools.metrics(stack, "sla-watchdog"), time.monotonic() - began
        left, events = self.behind(), stack.head() - head
        tools.until("the sweep is at its end", lambda: self.behind(1) == 0, 60 + behind / 1000)
        return {"behind": behind, "clocks_s": (behind - left) / took, "events_s": events / took, "left": left,
                "whole_s": time.monotonic() - began,
                "within_100": self.share(before, after, 100), "within_20": self.share(before, after, 20)}

    def wait_published(self):
        self.tools.until("the edition is known", lambda: len(self.stack.sql(
            f"SELECT 1 FROM \"{SCHEMA}\".published WHERE what = 'calendar' AND version = 'bench-days-2'")) == 1, 30)

    @staticmethod
    def share(before, after, bound):
        name = f"applied_within_{bound}_ms_total"
        return (after[name] - before[name]) / max(1, after["events_total"] - before["events_total"])

    # --- the same timers by the core and by the polling query, in one table
    def against_polling(self, clocks, seconds):
        stack, tools = self.stack, self.tools
        tools.bench(stack, "clocks", self.dsn, str(clocks))
        fire, sparse = [], []
        for _ in range(3):  # in turn
            fire.append(tools.bench(stack, "fire", self.dsn, "50000", "50000"))
            sparse.append(tools.bench(stack, "poll", self.dsn, str(seconds), "100", "50000", "0"))
        backlog = {n: tools.bench(stack, "poll", self.dsn, "3", str(n), "0", "864000") for n in (1, 10, 100)}
        stack.sql("DROP SCHEMA bench CASCADE")
        cpu = statistics.median(f["cpu_us"] for f in fire)
        polled = sum(p["cpu_us"] * p["timers"] for p in sparse) / max(1, sum(p["timers"] for p in sparse))
        return {"fire_us": cpu, "poll_us": polled, "timers": sum(p["timers"] for p in sparse), "polls": sum(p["rounds"] for p in sparse),
                "backlog": {n: b["cpu_us"] for n, b in backlog.items()}}


def quantile(values, part):
    return values[min(len(values) - 1, int(len(values) * part))]


def run(benches, tools):
    """What `run --only clocks` prints."""
    clocks, say = benches.options.clocks, benches.say
    with tools.Stack(clock="wall") as stack:
        it = Clocks(stack, tools)
        it.published(1)
        stack("append", stack.share("networks/boston311.jsonl"))
        stack.wait_caught_up()
        it.others(signal.SIGSTOP)
        began = time.monotonic()
        held = it.fill(clocks)
        size = stack.sql(f"SELECT sum(pg_total_relation_size(c.oid)) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
                         f" WHERE n.nspname = '{SCHEMA}' AND c.relkind = 'r'")[0][0]
        starts = [it.start_up() for _ in range(benches.options.rounds)]
        start = statistics.median(starts)
        say(f"start-up with {held:,} clocks open", f"{start:.2f} s", "< 5 s", start < 5,
            figures=f"each {', '.join(f'{s:.2f}' for s in starts)} s; filled in {time.monotonic() - began:.0f} s, {float(size) / held:,.0f} bytes a clock in PostgreSQL")
        flow = it.due_under_flow(benches.options.rate, 20, 5000)
        lags, stall = flow["lags"], flow["stall"]
        say("from due to the journal while events flow, p99", f"{quantile(lags, 0.99) / 1000:.0f} ms", "< 100 ms", quantile(lags, 0.99) < 100000,
            figures=f"{len(lags):,} timers, p50 {quantile(lags, 0.5) / 1000:.1f} ms, worst {lags[-1] / 1000:.0f} ms, at {flow['events_s']:,.0f} events/s",
            machine=f"stalls up to {1000 * stall.worst:.0f} ms, the host took {100 * stall.stolen:.0f} % of a core",
            cpu=tools.Benches.cpu(flow["cpu"], flow["events_s"] * 20, flow["load"]))
        once = it.at_once(20000)
        say("20,000 timers at one instant", f"{once['per_second']:,.0f}/s", "(a line of its own)", len(lags) > 0,
            figures=f"{once['timers']:,} fired, read back and scheduled anew" + (", registered too late" if once["late"] else ""))
        made = it.insert(5)
        say("promises made, begun and ended", f"{made:,.0f}/s", "(a line of its own)", True)
        memory = tools.rss_kib(it.watchdog())
        say(f"resident memory with {held:,} clocks open", f"{memory / 1024:.0f} MiB", "< 1,024 MiB", memory < 1024 * 1024,
            figures=f"{1024 * memory / held:,.0f} bytes a clock, after the flow")
        swept = it.sweep(20)
        say("a calendar published under all of them", f"{swept['clocks_s']:,.0f} clocks/s", "≥ 1,000", swept["clocks_s"] >= 1000,
            figures=f"{swept['behind']:,} behind at first, {swept['left']:,} after 20 s, none after {swept['whole_s']:.0f} s; meanwhile "
                    f"{swept['events_s']:,.0f} events/s, {100 * swept['within_100']:.1f} % applied within 100 ms")
        it.others(signal.SIGCONT)
    with tools.Stack(clock="wall") as stack:
        it = Clocks(stack, tools)
        cost = it.against_polling(clocks, 20)
        ratio = cost["poll_us"] / cost["fire_us"]
        say("CPU a timer: polling query ÷ the core", f"{ratio:,.0f}", "≥ 20", ratio >= 20,
            figures=f"{cost['fire_us']:.1f} µs (look each 50 ms of the stream's time) against {cost['poll_us']:,.0f} µs "
                    f"({cost['polls']:,} polls, one each 50 ms, {cost['timers']:,} timers)",
            backlog="everything due, no rest between polls: " + ", ".join(f"LIMIT {n} {us:,.1f} µs" for n, us in cost["backlog"].items()))
