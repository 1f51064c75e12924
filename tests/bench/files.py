"""The section `files` of tests/bench/run: acknowledgements of one source with one event in flight, while files of 20 MiB are put, or one is read, at
full rate beside it, by turns with nobody; and how fast they go."""
import json
import statistics
import subprocess


def beside(tools, stack, words, other):
    """What the program says at its end, and what `other` gives, which is called when it has begun."""
    key = str(stack.key("operator"))
    load = subprocess.Popen(stack.command(tools.BENCH, *words), stdout=subprocess.PIPE, text=True, cwd="/", env={**tools.os.environ, "AFTERCARE_KEY": key})
    try:
        if not json.loads(load.stdout.readline() or "{}").get("begins"):
            raise RuntimeError(f"{words[0]} does not begin")
        found = other()
        out, _ = load.communicate(timeout=120)
    finally:
        load.kill()
    if load.returncode != 0:
        raise RuntimeError(f"{words[0]}: {out}")
    return json.loads(out.splitlines()[-1]), found


def run(bench, tools):
    tools.os.environ["AFTERCARE_INTAKE_FILE_DAY_MIB"] = "1000000"
    seconds = str(bench.options.seconds)
    with tools.Stack(clock="wall") as stack:
        bench.publish(stack)
        cmd, feed, stream = tools.door(stack, "cmd"), tools.door(stack, "feed"), bench.stream(stack)
        for worker in tools.WORKERS:  # frozen, since the supervisor starts them again
            tools.os.kill(stack.pid(worker), 19)
        bench.wal_round(stack)
        facts = lambda: tools.bench(stack, "facts", cmd, stream, seconds, "1")
        longer = str(bench.options.seconds + 1)
        found, sizes, void, used, put = {"put": [], "get": []}, [], 0, {}, None
        for _ in bench.rounds():
            for how in ("put", "get"):
                for attempt in range(6):  # what the host of this machine disturbed is void
                    with tools.Stall() as stall:
                        alone = facts()
                        meter = tools.Meter(stack)
                        load, among = beside(tools, stack, ["put", cmd, stream, longer] if how == "put" else ["get", feed, put["sha256"], longer], facts)
                        used[how] = meter.stop()
                    if stall.stolen <= 0.05 or attempt == 5:
                        break
                    void += 1
                put = load if how == "put" else put
                sizes.append(tools.rss_kib(stack.pid("intake")))
                found[how].append((alone, among, load))
        for how, answer in (("put", "have"), ("get", "part")):
            rates = [load["mib_per_second"] for *_, load in found[how]]
            mib = rates[-1] * (bench.options.seconds + 1)
            bench.say(f"{how} of 20 MiB files", f"{statistics.median(rates):.0f} MiB/s", "(a line of its own)", True,
                      figures=f"each {', '.join(f'{rate:.0f}' for rate in rates)}; {answer.upper()} p50 "
                              f"{statistics.median(load[f'{answer}_p50_us'] for *_, load in found[how]) / 1000:.1f} ms, p99 "
                              f"{statistics.median(load[f'{answer}_p99_us'] for *_, load in found[how]) / 1000:.1f} ms",
                      cpu="ms a MiB: " + ", ".join(f"{name} {1000 * s / mib:.1f}" for name, s in sorted(used[how].items()) if s > 0.05))
            for name, bound in (("p50", 1.2), ("p99", 2.0)):
                ratio = statistics.median(among[f"ack_{name}_us"] / alone[f"ack_{name}_us"] for alone, among, _ in found[how])
                bench.say(f"acknowledgement {name} beside {how} ÷ alone", f"{ratio:.2f}", f"≤ {bound}", ratio <= bound,
                          figures=f"{statistics.median(a[f'ack_{name}_us'] for _, a, _ in found[how]):.0f} µs against "
                                  f"{statistics.median(a[f'ack_{name}_us'] for a, *_ in found[how]):.0f} µs, {void} void pairs")
        bench.say("intake's memory meanwhile", f"{max(sizes) / 1024:.0f} MiB", "≤ 256 MiB", max(sizes) <= 256 * 1024)
        for worker in tools.WORKERS:
            tools.os.kill(stack.pid(worker), 18)
