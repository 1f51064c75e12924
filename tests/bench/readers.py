"""The section `readers` of tests/bench/run: one, ten and two hundred readers at once, near the head (out of intake's memory), far from it (out of
PostgreSQL, all of them the same), apart (out of PostgreSQL, each elsewhere), following the head, and narrowed: to a type that nearly all events
have (typed), to the key that has most (keyed), to a type that hardly any has (rare); how fair they are served, what is read for them, and what it
costs who appends meanwhile."""
import json
import pathlib
import statistics
import subprocess

HOW_MANY = (1, 10, 200)
WAYS = ("near", "far", "apart", "following", "typed", "keyed", "rare")
FEW = {"near": 0, "far": 0, "apart": 1, "following": 0}  # of HOW_MANY, those that are left out; of the narrowed ones all but the last
JOURNAL = 400_000  # events there must be: a reader that begins at the first does not get near the head while it is measured
NEAR = 4_000       # the last ones; all of them stay in memory (24 MiB) while some more are appended
FAIR, MIDDLE = 0.5, 0.8  # slowest ÷ fastest, slowest ÷ median


def fill(tools, stack, cmd, stream):
    while stack.head() < JOURNAL:
        tools.bench(stack, "facts", cmd, stream, "4", "256")


def reads(tools, stack, feed, stream, n, begin, narrow, seconds, beside):
    """What n readers read, and what `beside` gives, which is called when all of them are let in."""
    key = str(stack.key("operator"))
    after, stretch, apart = begin
    words = stack.command(tools.BENCH, "readers", feed, stream, n, after, stretch, seconds, apart, *narrow)
    many = subprocess.Popen(words, stdout=subprocess.PIPE, text=True, cwd="/", env={**tools.os.environ, "AFTERCARE_KEY": key})
    try:
        if not many.stdout.readline():
            raise RuntimeError("the readers were not let in")
        other = beside()
        out, _ = many.communicate(timeout=seconds + 60)
    finally:
        many.kill()
    return json.loads(out.splitlines()[-1]), other


def thread_times(pid):
    """Of a process's first thread, which in intake is the one that takes events: seconds it ran, and waited for a processor."""
    return [int(word) / 1e9 for word in pathlib.Path(f"/proc/{pid}/task/{pid}/schedstat").read_text().split()[:2]]


def one_way(tools, stack, ends, stream, n, how, seconds):
    """Alone, then among the readers: acknowledgements of one source with one event in flight."""
    cmd, feed = ends
    intake = stack.pid("intake")

    def facts():
        before = thread_times(intake)
        found = tools.bench(stack, "facts", cmd, stream, str(seconds), "1")
        found["ran"], found["waited"] = (1e6 * (now - was) / found["taken"] for now, was in zip(thread_times(intake), before))
        return found
    alone = facts()
    head = stack.head()
    begin = {"near": (head - NEAR, NEAR, 0), "far": (0, JOURNAL // 2, 0), "apart": (0, JOURNAL // 2, JOURNAL // 2 // n), "following": (head, 0, 0),
             "typed": (0, JOURNAL // 2, JOURNAL // 2 // n), "keyed": (0, JOURNAL // 2, 0), "rare": (0, JOURNAL // 2, 0)}[how]
    narrow = {"typed": ("ticket.", ""), "keyed": ("", ""), "rare": ("policy.", "")}.get(how, ("", ""))
    if how == "keyed":
        key, first, last = stack.sql("SELECT key, min(pos), max(pos) FROM intake.journal WHERE pos < 300000 GROUP BY key ORDER BY count(*) DESC LIMIT 1")[0]
        begin, narrow = (int(first) - 1, int(last) - int(first) - 1, 0), ("", key)
    names = ("rows", "queries", "events")
    before = [tools.intake_metric(stack, f"feed_{name}_total") for name in names]
    with tools.Stall() as stall:
        read, among = reads(tools, stack, feed, stream, n, begin, narrow, seconds + 1, facts)
    for name, was in zip(names, before):
        read[f"fed_{name}"] = tools.intake_metric(stack, f"feed_{name}_total") - was
    read["behind"] = stack.head() - read["upto"] if how == "following" else 0
    return {"alone": alone, "among": among, "read": read, "void": stall.stolen > 0.05}


def as_meant(how, n, read):
    """Near the head nothing is read from the database; far from it each row once, however many want it; apart once for each; narrowed
    what is sent and little more, of what is rare hardly more than where each query ends."""
    share = read["fed_rows"] / max(1, read["fed_queries" if how == "rare" else "fed_events"])
    least, most = {"near": (0, 0.01), "following": (0, 0.01), "far": (0.8 / n, 1.1 / n + 0.15), "apart": (0.5, 1.2),
                   "typed": (0.9, 1.5), "keyed": (0.9, 1.5), "rare": (0.9, 3)}[how]
    return least <= share <= most


def told(bench, n, how, rounds):
    middle = lambda of: statistics.median(of(r) for r in rounds)
    reads = [r["read"] for r in rounds]
    ratios = {of: middle(lambda r, of=of: r["read"]["slowest"] / max(1, r["read"][of])) for of in ("fastest", "median")}
    acks = {p: middle(lambda r, p=p: r["among"][f"ack_{p}_us"] / r["alone"][f"ack_{p}_us"]) for p in ("p50", "p99")}
    right = sum(as_meant(how, n, read) for read in reads) * 2 > len(reads)
    # Who is sent nothing is told where it stands each 50,000 positions: too seldom to compare.
    fair = how == "rare" or ratios["fastest"] >= FAIR and ratios["median"] >= MIDDLE
    bench.say(f"{n} readers {how}: slowest ÷ median, ÷ fastest", f"{ratios['median']:.2f}, {ratios['fastest']:.2f}", f"≥ {MIDDLE}, ≥ {FAIR}", fair and right,
              figures=f"{middle(lambda r: r['read']['per_second']):,.0f} events/s together, {middle(lambda r: r['read']['median']):,.0f} each "
                      f"({middle(lambda r: r['read']['slowest']):,.0f} to {middle(lambda r: r['read']['fastest']):,.0f}), "
                      f"{middle(lambda r: r['read']['events'] / max(1, r['read']['batches'])):.0f} a batch, let in within {max(r['let_in_ms'] for r in reads)} ms"
                      + (f", at the end {max(r['behind'] for r in reads):,} behind" if how == "following" else ""),
              database=f"{middle(lambda r: 1000 * r['read']['fed_rows'] / max(1, r['read']['fed_events'])):.1f} rows read for 1,000 sent, "
                       f"{middle(lambda r: r['read']['fed_queries']):,.0f} queries",
              acknowledged=f"p50 {acks['p50']:.2f} × ({middle(lambda r: r['among']['ack_p50_us']):.0f} µs), p99 {acks['p99']:.2f} × "
                           f"({middle(lambda r: r['among']['ack_p99_us']):.0f} µs) of the same without readers",
              thread=f"an event, of the thread that takes them: ran {middle(lambda r: r['among']['ran']):.0f} µs (alone {middle(lambda r: r['alone']['ran']):.0f}), "
                     f"waited for a processor {middle(lambda r: r['among']['waited']):.0f} µs (alone {middle(lambda r: r['alone']['waited']):.0f})",
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
            for how in WAYS:
                for n in HOW_MANY[FEW.get(how, len(HOW_MANY) - 1):]:
                    found.setdefault((n, how), []).append(one_way(tools, stack, (cmd, feed), stream, n, how, options.seconds))
        for (n, how), rounds in found.items():
            told(bench, n, how, rounds)
        for worker in tools.WORKERS:
            tools.os.kill(stack.pid(worker), 18)
