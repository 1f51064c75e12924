"""A whole aftercare whose every part can be hurt alone: a PostgreSQL of its own on a small disk, two intakes behind one address,
each daemon with its own clock and its own line to PostgreSQL, branches behind a wide line.

    daemon ──line──▶ PostgreSQL          workers, command ──lines──▶ the intake that is active
                                         branch ──wide line──lines──▶ the intake that is active
"""
import http.client
import shutil
import threading

from keeper import USER, Clock, Daemon
from postgres import Disk, Postgres
from relay import Relay, listen_tcp, listen_unix
from stack import BIN, DAEMONS, WORKERS, Failed, Stack, free_ports, until
from wan import CENTRE, Wan

INTAKES = ["intake", "intake-b"]
SOCKETS = ["cmd", "live", "feed"]
LEASE_MS = 1500


class Address(threading.Thread):
    """The one address of two intakes: it is where one says that it is well and does not stand by, as a load balancer would see it.
    One that stands still does not answer."""

    def __init__(self, metrics, moved):
        super().__init__(daemon=True)
        self.metrics, self.moved, self.active, self.moves = metrics, moved, "intake", 0
        self.stopping = threading.Event()
        self.start()

    def ask(self, intake):
        """(status, text) of its health; None: nobody answers."""
        try:
            connection = http.client.HTTPConnection("127.0.0.1", self.metrics[intake], timeout=0.5)
            connection.request("GET", "/health")
            answer = connection.getresponse()
            return answer.status, answer.read().decode()
        except (OSError, http.client.HTTPException):
            return None

    def is_well(self, intake):
        status, text = self.ask(intake) or (0, "")
        return status == 200 and "standing by" not in text

    def run(self):
        while not self.stopping.wait(0.2):
            other = INTAKES[1 - INTAKES.index(self.active)]
            if not self.is_well(self.active) and self.is_well(other):
                self.active, self.moves = other, self.moves + 1
                self.moved()


class Plant(Stack):
    def __init__(self, seed=0, disk_mb=300, keep=False, binaries=None, env=None, wide=True, two=True,
                 tidy=False, keys=True):
        self.programs, self.env = binaries or {}, env or {}
        super().__init__(clock="wall", keep=keep, keys=keys)
        self.daemons, self.clocks, self.to_pg, self.lines, self.skipped = {}, {}, {}, {}, []
        self.seed, self.two, self.tidy = seed, two, tidy  # tidy: a failure is what is looked for, nothing is kept or shown
        ports = free_ports(8)
        self.own = {"intake": self.ports[:3] + self.ports[3:4], "intake-b": ports[:4]}
        self.worker_metrics = dict(zip(WORKERS, self.ports[4:]))
        for folder in ("s", "log", "p", "clock"):
            self.folder(folder)
        self.disk = Disk(self.data / "disk", disk_mb)
        if self.disk.why:
            self.skipped.append(f"full disk: {self.disk.why}")
        self.pg = Postgres(self.data / "disk", self.data / "s", self.data / "log" / "postgresql.log")
        self.wan = None
        if wide:
            try:
                self.wan = Wan(seed)
            except OSError as why:
                self.skipped.append(f"wide line: {why}")

    def folder(self, name):
        path = self.data / name
        path.mkdir(parents=True)
        if USER:
            shutil.chown(path, USER)
        return path

    # --- life
    def __enter__(self):
        try:
            self.pg.make(WORKERS)
            self.address = Address({name: ports[3] for name, ports in self.own.items()}, self.cut_all)
            self.open_lines()
            self.write_settings()
            self.make_stream()
            for name in INTAKES[:2 if self.two else 1] + WORKERS:
                self.keep_running(name)
            until("all answer through the address", lambda: self("status", check=False).returncode == 0, 120)
        except BaseException as why:
            self.__exit__(type(why), why, None)
            raise
        return self

    def __exit__(self, kind, value, trace):
        failed = kind is not None and not self.tidy
        if failed:
            self.show_logs()
        for daemon in self.daemons.values():
            daemon.finish()
        if hasattr(self, "address"):
            self.address.stopping.set()
        self.pg.stop()
        for relay in [*self.to_pg.values(), *self.lines.values()]:
            relay.stop()
        if self.wan is not None:
            self.wan.stop()
        if failed or self.keep:
            self.disk.keep()
            print(f"kept: {self.data} (log/, aftercare.yaml; the cluster in disk{'' if self.disk.why else '-kept'}/pg)", flush=True)
        else:
            shutil.rmtree(self.data, ignore_errors=True)

    def open_lines(self):
        for name in DAEMONS + ["intake-b"]:
            self.to_pg[name] = Relay(listen_unix(self.folder(f"p/{name}") / ".s.PGSQL.5432"), self.data / "s" / ".s.PGSQL.5432")
        for i, socket in enumerate(SOCKETS):
            def target(i=i):
                return self.own[self.address.active][i]
            self.lines[socket] = Relay(listen_tcp(), target)
            self.lines["branch-" + socket] = Relay(self.wan.listener() if self.wan is not None else listen_tcp(), target)

    def endpoint(self, line, branch=False):
        if branch and self.wan is not None:
            return f"tcp://{CENTRE}:{self.lines['branch-' + line].port}"
        return f"tcp://127.0.0.1:{self.lines[('branch-' if branch else '') + line].port}"

    def dsn(self, name, role):
        return f"host={self.data}/p/{name} port=5432 user={role} dbname=aftercare"

    def write_settings(self):
        for name, file in zip(INTAKES, ("aftercare.yaml", "intake-b.yaml")):
            cmd, live, feed, metrics = self.own[name]
            lines = [f"data: {self.data}", f"sockets: {self.data}/s"]
            lines += [f"{s}: {self.endpoint(s)}" for s in SOCKETS]
            lines += ["intake:", f"  cmd: tcp://127.0.0.1:{cmd}", f"  live: tcp://127.0.0.1:{live}", f"  feed: tcp://127.0.0.1:{feed}",
                      f"  metrics: 127.0.0.1:{metrics}", f"  lease_ms: {LEASE_MS}", f"  dsn: {self.dsn(name, 'intake')}"]
            for worker in WORKERS:
                lines += [f"{worker}:", f"  metrics: 127.0.0.1:{self.worker_metrics[worker]}", f"  dsn: {self.dsn(worker, worker)}"]
            (self.data / file).write_text("\n".join(lines) + "\n")

    def make_stream(self):
        done = self.run("aftercare-intake", "--data", self.data, "--config", self.data / "aftercare.yaml", "--init", "test",
                        *(["--keys"] if self.keys else []))
        if done.returncode != 0:
            raise Failed(done.stderr)

    def program(self, name):
        name = "intake" if name == "intake-b" else name
        return self.programs.get(name, BIN / f"aftercare-{name}")

    def words(self, name):
        config = "intake-b.yaml" if name == "intake-b" else "aftercare.yaml"
        return [self.program(name), "--data", self.data, "--config", self.data / config]

    def keep_running(self, name, words=None, before=()):
        self.clocks[name] = Clock(self.data / "clock" / name)
        self.daemons[name] = Daemon(name, words or self.words(name), self.data / "log" / f"{name}.log", self.clocks[name], self.env,
                                    before)

    def key(self, name):
        return super().key(name) if self.keys else None

    # --- state
    def sql(self, query, role="postgres"):
        self.pg.tend()
        return self.pg.sql(query)

    def positions(self):
        ask = " UNION ALL ".join(f"SELECT '{w}', pos FROM \"{w}\".cursor" for w in WORKERS)
        return {name: int(pos) for name, pos in self.sql(f"SELECT '', pos FROM intake.head UNION ALL {ask}")}

    def caught_up(self):
        try:
            positions = self.positions()
        except Failed:
            return False  # PostgreSQL may be on its way
        return len(set(positions.values())) == 1 and positions[""]

    def __call__(self, *args, **options):
        return self.run("aftercare", "--data", self.data, *args, **options)

    def pid(self, name):
        return self.daemons[name].pid

    @property
    def active(self):
        return self.address.active

    def cut_all(self):
        for relay in list(self.lines.values()):
            relay.cut()
