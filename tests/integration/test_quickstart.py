#!/usr/bin/env python3
"""deploy/quickstart as a plain user with 500 requests: what it leaves behind, a second run, a look from outside, removal.

It builds its own programs (that is its first half), so it runs from a copy of the tree, with the packages that are there."""
import json
import os
import pathlib
import pwd
import re
import shutil
import socket
import subprocess
import tempfile
import time

from stack import TREE, USER, DAEMONS, free_ports, said_again, until

REQUESTS = 500


class Newcomer:
    """A user with an empty home, a copy of the tree in it, and ports of his own."""

    def __init__(self):
        self.home = pathlib.Path(tempfile.mkdtemp(prefix="ac-home-", dir="/tmp"))
        self.tree = self.home / "tree"
        shutil.copytree(TREE, self.tree, symlinks=True,
                        ignore=lambda folder, names: [n for n in names if n in (".git", "__pycache__") or
                                                      folder == str(TREE) and n.startswith("build")])
        self.env = {"HOME": str(self.home), "PATH": "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin", "LANG": "C.UTF-8"}
        # The socket folder too is his alone, however many tests this user runs.
        self.env["XDG_RUNTIME_DIR"] = str(self.home / "run")
        (self.home / "run").mkdir()
        self.data = self.home / ".local/share/aftercare"
        self.data.mkdir(parents=True)
        self.data.chmod(0o755)  # there already, and open to others: `up` closes it, or doctor() finds it
        # A build that ran before with the same compiler and flags need not be waited for again.
        if shutil.which("ccache"):
            self.env["CMAKE_C_COMPILER_LAUNCHER"] = "ccache"
        cmd, live, feed, *metrics = free_ports(8)
        for name, port in (("CMD", cmd), ("LIVE", live), ("FEED", feed)):
            self.env[f"AFTERCARE_INTAKE_{name}"] = f"tcp://127.0.0.1:{port}"
        for daemon, port in zip(DAEMONS, metrics):
            self.env[f"AFTERCARE_{daemon.upper().replace('-', '_')}_METRICS"] = f"127.0.0.1:{port}"
        if USER:
            uid = pwd.getpwnam(USER).pw_uid
            for path in [self.home, *self.home.rglob("*")]:
                os.lchown(path, uid, -1)

    def run(self, *words, timeout=600, env=None):
        user = ["runuser", "-u", USER, "--"] if USER else []
        given = [f"{k}={v}" for k, v in (self.env if env is None else env).items()]
        return subprocess.run([*user, "env", "-i", *given, *map(str, words)], cwd=self.tree, stdin=subprocess.DEVNULL,
                              capture_output=True, text=True, timeout=timeout)

    def quickstart(self, *words):
        return self.run("deploy/quickstart", *words)

    def aftercare(self, *words, **options):
        return self.run("build/bin/aftercare", *words, **options)


def done(result):
    assert result.returncode == 0, f"exit {result.returncode}\n{result.stdout}\n{result.stderr}"
    return result.stdout


def fallen(text, pattern):
    """The whole numbers that a pattern finds."""
    found = re.search(pattern, text)
    assert found, f"no {pattern!r} in\n{text}"
    return [int(n.replace(",", "")) for n in found.groups()]


def supervisor_of(newcomer):
    for line in subprocess.run(["ps", "-eo", "pid=,args="], capture_output=True, text=True).stdout.splitlines():
        pid, words = line.strip().split(None, 1)
        if "aftercare supervise" in words and str(newcomer.data) in words:
            return int(pid)
    return None


def first_run(newcomer):
    out = done(newcomer.quickstart("--requests", REQUESTS))
    assert fallen(out, r"tickets: ([\d,]+) opened") == [REQUESTS]
    offered, accepted, expired = fallen(out, r"jobs: ([\d,]+) offered, ([\d,]+) accepted, .*?([\d,]+) expired")
    assert offered >= REQUESTS and accepted > 0 and expired > 0 and offered >= accepted
    met, broken = fallen(out, r"limits: ([\d,]+) met, ([\d,]+) broken")
    assert met > 0 and broken > 0
    assert fallen(out, r"callbacks: ([\d,]+) came due")[0] > 0
    for name in ("monthly-2011-08.xlsx", "monthly-2011-08.csv", "monthly-2011-08.html"):
        assert (newcomer.data / "reports" / name).stat().st_size > 1000, name
    assert str(newcomer.data / "reports") in out
    for hint in ("build/bin/aftercare status", "tail", "down", "stands still", "--data"):
        assert hint in out, hint
    return out


def status(newcomer):
    return json.loads(done(said_again(lambda: newcomer.aftercare("status", "--json"))))


def caught_up(newcomer):
    """The head, where all are. (`up` comes back when all answer; a busy machine's may take longer than the second that status gives them.)"""
    def there():
        now = status(newcomer)
        return all(s["answers"] and s["lag"] == 0 for s in now["services"]) and now
    now = until("every service answers and has caught up", there)
    assert [s["service"] for s in now["services"]] == DAEMONS
    assert all(s["parked"] == 0 for s in now["services"]), now
    assert now["refused"] == 0, now
    return now["head"]


def second_run(newcomer, head):
    """Nothing twice, and in seconds."""
    began = time.monotonic()
    out = done(newcomer.quickstart("--requests", REQUESTS))
    took = time.monotonic() - began
    assert took < 180, f"the second run took {took:.0f} s"
    assert "up already" in newcomer.aftercare("up").stderr
    assert " 0 taken" in out
    assert fallen(out, r"tickets: ([\d,]+) opened") == [REQUESTS]
    assert caught_up(newcomer) == head


def other_number(newcomer):
    """More requests into a stream whose time has gone by: said so, nothing changed."""
    result = newcomer.quickstart("--requests", REQUESTS + 1)
    assert result.returncode == 1 and "--delete-data" in result.stderr, result.stderr


def doctor(newcomer):
    found = json.loads(done(newcomer.aftercare("doctor", "--json")))
    assert found["good"] and len(found["checks"]) > 15, found
    done(newcomer.run("psql", "-X", "-q", "-h", newcomer.home / "run" / "aftercare", "-U", "postgres", "aftercare",
                      "-c", "GRANT USAGE ON SCHEMA intake TO dispatcher"))
    result = newcomer.aftercare("doctor", "--json")
    wrong = [c for c in json.loads(result.stdout)["checks"] if not c["good"]]
    assert result.returncode == 1 and [c["check"] for c in wrong] == ["role dispatcher"] and wrong[0]["advice"], wrong
    done(newcomer.run("psql", "-X", "-q", "-h", newcomer.home / "run" / "aftercare", "-U", "postgres", "aftercare",
                      "-c", "REVOKE USAGE ON SCHEMA intake FROM dispatcher"))


def pid_of(newcomer, program):
    for line in subprocess.run(["ps", "-eo", "pid=,args="], capture_output=True, text=True).stdout.splitlines():
        pid, words = line.strip().split(None, 1)
        if words.split()[0].endswith("/" + program) and str(newcomer.data) in words:
            return int(pid)
    return None


def signal_to(newcomer, pid, name="KILL"):
    done(newcomer.run("kill", f"-{name}", pid))


def killed(newcomer, program):
    before = pid_of(newcomer, program)
    signal_to(newcomer, before)
    until(f"{program} started again", lambda: pid_of(newcomer, program) not in (None, before))


def restarts(newcomer, head):
    """A killed daemon, PostgreSQL and the supervisor itself: all is as it was afterwards."""
    for program in ("aftercare-dispatcher", "aftercare-intake", "postgres"):
        killed(newcomer, program)
        until(f"healthy after {program}", lambda: newcomer.aftercare("doctor").returncode == 0)
    # Who keeps dying is waited for longer each time.
    killed(newcomer, "aftercare-reporting")
    killed(newcomer, "aftercare-reporting")
    killed(newcomer, "aftercare-reporting")
    log = (newcomer.data / "log/supervisor.log").read_text()
    pauses = re.findall(r"reporting was killed by signal 9; again in (\d+) ms", log)
    assert pauses == ["500", "1000", "2000"], log
    signal_to(newcomer, supervisor_of(newcomer))
    done(newcomer.aftercare("up"))
    until("healthy after the supervisor", lambda: newcomer.aftercare("doctor").returncode == 0)
    assert caught_up(newcomer) == head


def port_taken(newcomer):
    """Somebody else's program on a port: which, and what to do."""
    done(newcomer.aftercare("down"))
    with socket.socket() as other:
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        other.bind(("127.0.0.1", int(newcomer.env["AFTERCARE_INTAKE_FEED"].rsplit(":", 1)[1])))
        other.listen()
        result = newcomer.aftercare("up")
        assert result.returncode == 1 and newcomer.env["AFTERCARE_INTAKE_FEED"] in result.stderr and "ss -ltnp" in result.stderr
    # A cluster's making that broke off is mended.
    for name in ("pg", "keys"):  # a new stream is not begun beside the keys of another
        (newcomer.data / name).rename(newcomer.data / f"kept-{name}")
    half = newcomer.data / "pg.new"
    half.mkdir()
    (half / "PG_VERSION").write_text("15\n")
    if USER:
        for path in (half, half / "PG_VERSION"):
            os.chown(path, pwd.getpwnam(USER).pw_uid, -1)
    done(newcomer.aftercare("up"))
    done(newcomer.aftercare("down"))
    for name in ("pg", "keys"):
        shutil.rmtree(newcomer.data / name)
        (newcomer.data / f"kept-{name}").rename(newcomer.data / name)
    done(newcomer.aftercare("up"))


def frozen(newcomer):
    """A daemon that does not hear: down ends it all the same, within half a minute; PostgreSQL in order."""
    signal_to(newcomer, pid_of(newcomer, "aftercare-dispatcher"), "STOP")
    began = time.monotonic()
    done(newcomer.aftercare("down"))
    took = time.monotonic() - began
    assert took < 60, f"down took {took:.0f} s"
    assert pid_of(newcomer, "aftercare-dispatcher") is None and pid_of(newcomer, "postgres") is None
    done(newcomer.aftercare("up"))


def removal(newcomer):
    done(newcomer.aftercare("down", "--delete-data"))
    assert not newcomer.data.exists()
    assert supervisor_of(newcomer) is None and pid_of(newcomer, "aftercare-intake") is None


def main():
    newcomer = Newcomer()
    try:
        first_run(newcomer)
        head = caught_up(newcomer)
        second_run(newcomer, head)
        other_number(newcomer)
        # The ports stand in the settings file now: no environment is needed.
        newcomer_env = {k: v for k, v in newcomer.env.items() if not k.startswith("AFTERCARE_")}
        done(newcomer.aftercare("status", env=newcomer_env))
        doctor(newcomer)
        restarts(newcomer, head)
        port_taken(newcomer)
        frozen(newcomer)
        assert caught_up(newcomer) == head
        removal(newcomer)
    finally:
        newcomer.aftercare("down")
        shutil.rmtree(newcomer.home, ignore_errors=True)
    print("quickstart: all as it should be")


if __name__ == "__main__":
    main()
