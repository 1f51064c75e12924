#!/usr/bin/env python3
"""The life of 9,202 real incidents, told to the whole company, against a reckoning of its own.

For each incident, and each reopening of it, the clause `resolve` of deploy/policies/incidents.yaml runs while nobody waits for somebody
else. Here that is reckoned from the CSV by adding up minutes; the watchdog's last word on it must be the same. The data has
states that go backwards, closings without resolution and an update earlier than the one before it.
usage: test_incidents.py AFTERCARE"""
import csv, gzip, json, pathlib, subprocess, sys, tempfile
from collections import Counter, defaultdict
from datetime import datetime, timedelta, timezone

TREE = pathlib.Path(__file__).resolve().parents[4]
CSV = TREE / "deploy/requests/incidents-2016-03.csv.gz"
LIMITS = {"1": timedelta(hours=4), "2": timedelta(hours=8), "4": timedelta(days=10)}
REASONS = {"Awaiting User Info": "customer", "Awaiting Vendor": "supplier", "Awaiting Problem": "problem", "Awaiting Evidence": "evidence"}
BUDGET = {"customer": timedelta(days=30)}
DONE = ("Resolved", "Closed")


def instant(text):
    return datetime.strptime(text, "%d/%m/%Y %H:%M").replace(tzinfo=timezone.utc)


def running(start, stop, waits):
    """The time in [start, stop) in which nobody waited. Of a reason's waits no more counts than its budget."""
    left, cut = dict(BUDGET), []
    for reason, begin, end in waits:
        end = stop if end is None else end
        if reason in left:
            end = min(end, begin + left[reason])
            left[reason] -= max(timedelta(0), end - begin)
        cut.append((max(begin, start), min(end, stop)))
    total, at = stop - start, start
    for begin, end in sorted(cut):
        begin = max(begin, at)
        if end > begin:
            total -= end - begin
            at = end
    return total


def reckon(rows):
    """[(met?, k)] of an incident: rows as they came."""
    verdicts, waits, priority, state, start, resolved = [], [], None, None, instant(rows[0]["opened_at"]), False
    for row in rows:
        at = max(instant(row["sys_updated_at"]), instant(rows[0]["opened_at"]))
        priority, before, state = row["priority"], state, row["ident_state"]
        if state == before:
            continue
        if waits and waits[-1][2] is None:  # whatever comes, that waiting is over
            waits[-1][2] = at
        if resolved and state not in DONE:
            start, resolved = at, False
        if state in REASONS:
            waits.append([REASONS[state], at, None])
        if state in DONE and not resolved:
            verdicts.append(running(start, at, waits) <= LIMITS.get(priority, timedelta(days=5)))
            resolved = True
    return verdicts


def main():
    aftercare = sys.argv[1]
    incidents = defaultdict(list)
    with gzip.open(CSV, "rt", newline="") as file:
        for row in csv.DictReader(file):
            incidents[row["number"]].append(row)
    with tempfile.TemporaryDirectory() as folder:
        out = pathlib.Path(folder) / "events.jsonl"
        run = subprocess.run([aftercare, "backtest", "--policy", TREE / "deploy/policies/incidents.yaml", "--events", CSV,
                              "--mapping", TREE / "deploy/mappings/incidents.yaml", "--out", out, "--json"],
                             capture_output=True, text=True)
        assert run.returncode == 0, run.stderr
        events = [json.loads(line) for line in out.open()]
    told, said = Counter(e["type"] for e in events), defaultdict(dict)
    assert told["ticket.registered"] == len(incidents) == 9202, told
    assert told["ticket.waiting"] == 3208 and told["ticket.reopened"] == 161, told
    for event in events:
        data = event["data"]
        if event["type"] == "sla.met" or event["type"] == "sla.breached" and data.get("level", 0) == 0:
            said[event["key"]][data.get("k", 1)] = event["type"] == "sla.met"
        if event["type"] == "sla.corrected":
            said[event["key"]][data.get("k", 1)] = data["is"] == "met"
    wrong = []
    for number, rows in incidents.items():
        ours = [said[number][k] for k in sorted(said[number])]
        if ours != reckon(rows):
            wrong.append((number, ours, reckon(rows)))
    print(f"{sum(map(len, said.values())):,} verdicts on {len(said):,} incidents, {len(wrong)} not as reckoned: {wrong[:12]}")
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
