"""The section `readers` of tests/bench/run: one, ten and two hundred readers at once, near the head (out of intake's memory), far from it (out of
PostgreSQL), and following it; how fair they are served, and what it costs who appends meanwhile."""
import json
import statistics
import subprocess

HOW_MANY = (1, 10, 200)
JOURNAL = 400_000  # events there must be: a reader that begins at the first does not get near the head while it is measured
NEAR = 8_000       # the last ones; all of them stay in memory (24 MiB) while some more are appended
FAIR = 0.5         # slowest ÷ fastest


def fill(tools, stack, cmd, stream):
    while stack.head() < JOURNAL:
        tools.bench(stack, "facts", cmd, stream, "4", "256")


def reads(tools, stack, feed, stream, n, after, stretch, seconds, beside):
    """What n readers read, and what `beside` gives, which is called when all of them are let in."""
    key = str(stack.key("operator"))
    words = stack.command(tools.BENCH, "readers", feed, stream, n, after, stretch, seconds)
    many = subprocess.Popen(words, stdout=subprocess.PIPE, text=True, cwd="/", env={**tools.os.environ, "AFTERCARE_KEY": key})
    try:
        if not many.stdout.readline():
            raise RuntimeError("the readers were not let in")
        other = beside()
        out, _ = many.communicate(timeout=seconds + 60)
    finally:
        many.kill()
    return json.loads(out.splitlines()[-1]), other


def one_way(tools, stack, ends, stream, n, how, seconds):
    """Alone, then among the readers: acknowledgements of one source with one event in flight."""
    cmd, feed = ends
    facts = lambda: tools.bench(stack, "facts", cmd, stream, str(seconds), "1")
    alone = facts()
    head = stack.head()
    after, stretch = {"near": (head - NEAR, NEAR), "far": (0, JOURNAL // 2), "following": (head, 0)}[how]
    rows, sent = (tools.intake_metric(stack, f"feed_{name}_total") for name in ("rows", "events"))
    with tools.Stall() as stall:
        read, among = reads(tools, stack, feed, stream, n, after, stretch, seconds + 1, facts)
    read["from_database"] = (tools.intake_metric(stack, "feed_rows_total") - rows) / max(1, tools.intake_metric(stack, "feed_events_total") - sent)
    read["behind"] = stack.head() - read["upto"] if how == "following" else 0
    return {"alone": alone, "among": among, "read": read, "void": stall.stolen > 0.05}


def told(bench, n, how, rounds):
    middle = lambda of: statistics.median(of(r) for r in rounds)
    reads = [r["read"] for r in rounds]
    fair = middle(lambda r: r["read"]["slowest"] / max(1, r["read"]["fastest"]))
    share = max(r["from_database"] for r in reads) if how != "far" else min(r["from_database"] for r in reads)
    ratios = {p: middle(lambda r, p=p: r["among"][f"ack_{p}_us"] / r["alone"][f"ack_{p}_us"]) for p in ("p50", "p99")}
    right = share < 0.01 if how != "far" else share > 0.9
    bench.say(f"{n} readers {how}: slowest ÷ fastest", f"{fair:.2f}", f"≥ {FAIR}", fair >= FAIR and right,
              figures=f"{middle(lambda r: r['read']['per_second']):,.0f} events/s together, {middle(lambda r: r['read']['median']):,.0f} each "
                      f"({middle(lambda r: r['read']['slowest']):,.0f} to {middle(lambda r: r['read']['fastest']):,.0f}), "
                      f"{100 * share:.0f} % out of the database, let in within {max(r['let_in_ms'] for r in reads)} ms"
                      + (f", at the end {max(r['behind'] for r in reads):,} behind" if how == "following" else ""),
              acknowledged=f"p50 {ratios['p50']:.2f} × ({middle(lambda r: r['among']['ack_p50_us']):.0f} µs), p99 {ratios['p99']:.2f} × "
                           f"({middle(lambda r: r['among']['ack_p99_us']):.0f} µs) of the same without readers",
              void=f"{sum(r['void'] for r in rounds)} of {len(rounds)} rounds the host disturbed")


def run(bench, tools):
    options = bench.options
    with tools.Stack(clock="wall") as stack:
        bench.publish(stack)
        cmd, feed = tools.door(stack, "cmd"), f"tcp://127.0.0.1:{stack.ports[2]}"  # readers as from elsewhere: by CURVE
        stream = bench.stream(stack)
        for worker in tools.WORKERS:  # they would read too: frozen, since the supervisor starts them again
            tools.os.kill(stack.pid(worker), 19)
        fill(tools, stack, cmd, stream)
        bench.wal_round(stack)
        found = {}
        for _ in range(options.rounds):  # interleaved
            for how in ("near", "far", "following"):
                for n in HOW_MANY:
                    found.setdefault((n, how), []).append(one_way(tools, stack, (cmd, feed), stream, n, how, options.seconds))
        for (n, how), rounds in found.items():
            told(bench, n, how, rounds)
        for worker in tools.WORKERS:
            tools.os.kill(stack.pid(worker), 18)
