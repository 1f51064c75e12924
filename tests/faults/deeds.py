"""What can be done to a plant. A deed is a method whose first line of documentation is its kind; what it undoes later it leaves
with later(). They overlap."""
import random
import signal
import subprocess
import threading
import time

from keeper import as_user
from plant import INTAKES
from relay import COMMIT_CUTS
from stack import WORKERS, Failed, free_ports, until

SECOND = 1_000_000
HOUR = 3600 * SECOND
COMMIT_WITHIN = 10  # seconds until one that is to be lost has come


class Deeds:
    def __init__(self, plant, seed, tell=print):
        self.plant, self.random, self.tell = plant, random.Random(seed), tell
        self.began, self.counts, self.lines, self.to_come, self.bag = time.monotonic(), {}, [], [], []
        self.breath = threading.Event()
        self.reserved = set()    # what must not be hurt twice at a time

    # --- one after the other
    def run(self, seconds, only=None, at_least=0):
        """at_least: so many that found what they were to hurt; a busy machine is given a minute and a half more for them."""
        end = time.monotonic() + seconds
        while time.monotonic() < end or (sum(self.counts.values()) < at_least and time.monotonic() < end + 90):
            if not self.bag:
                self.bag = list(only) if only else self.full_bag()
                self.random.shuffle(self.bag)
            self.do(self.bag.pop())
            self.pause(self.random.choice([0.05, 0.2, 0.5, 1, 2]))
        self.heal()

    def full_bag(self):
        names = [name for name, weight in WEIGHTS.items() for _ in range(weight)]
        if self.plant.disk.why:
            names = [n for n in names if n != "fill_disk"]
        if self.plant.wan is None:
            names = [n for n in names if not n.startswith("wide_")]
        return names

    def do(self, name):
        text = getattr(self, name)()
        if text:
            kind = getattr(self, name).__doc__.splitlines()[0].rstrip(".")
            self.counts[kind] = self.counts.get(kind, 0) + 1
            self.say(f"{kind}: {text}")

    def say(self, text):
        self.lines.append(f"{time.monotonic() - self.began:7.2f}  {text}")
        self.tell(self.lines[-1])

    def pause(self, seconds):
        """Lets time pass, undoes what is over, and tends PostgreSQL, which nobody else starts again."""
        end = time.monotonic() + seconds
        while True:
            self.plant.pg.tend()
            now = time.monotonic()
            for one in [one for one in self.to_come if one[0] <= now]:
                self.to_come.remove(one)
                one[1]()
            if now >= end:
                return
            self.breath.wait(min(0.05, end - now))

    def later(self, seconds, undo):
        self.to_come.append((time.monotonic() + seconds, undo))

    def reserve(self, what, seconds, undo):
        """False: it is being hurt already."""
        if what in self.reserved:
            return False
        self.reserved.add(what)

        def over():
            self.reserved.discard(what)
            undo()
        self.later(seconds, over)
        return True

    def heal(self):
        """All that was done is undone, and intakes' clocks stand where the journal's time is: none is to be waited for."""
        self.say("healing")
        for _, undo in self.to_come:
            undo()
        self.to_come.clear()
        plant = self.plant
        plant.disk.make_room()
        plant.pg.back()
        if plant.wan is not None:
            plant.wan.tell("heal")
            plant.wan.tell("weather", 0, 0, 0)
        until("PostgreSQL answers", plant.pg.answers, 120)
        ahead = float(plant.sql("SELECT greatest(0, extract(epoch FROM rec - now())) FROM intake.head")[0][0])
        for name in INTAKES:
            if name in plant.clocks:
                plant.clocks[name].set(int(ahead + 2) * SECOND if ahead else 0)
                plant.daemons[name].signal(signal.SIGKILL)  # a restart accepts it
        for daemon in plant.daemons.values():
            daemon.wanted.set()
            daemon.signal(signal.SIGCONT)

    # --- processes
    def kill(self):
        """daemon killed -9"""
        name = self.random.choice(list(self.plant.daemons))
        return self.killed(name)

    def killed(self, name):
        pid = self.plant.daemons[name].signal(signal.SIGKILL)
        return pid and f"{name} ({pid})"

    def kill_active(self):
        """active intake killed -9"""
        return self.killed(self.plant.active)

    def kill_two(self):
        """two daemons killed -9 at once"""
        return " and ".join(filter(None, map(self.killed, self.random.sample(list(self.plant.daemons), 2))))

    def stop(self):
        """daemon stopped and continued"""
        return self.stopped(self.random.choice([name for name in self.plant.daemons if name not in INTAKES]), self.random.choice([0.5, 1.5, 3, 6.5]))

    def stop_active(self):
        """active intake stopped beyond its lease"""
        return self.stopped(self.plant.active, self.random.choice([2.5, 4, 7]))

    def stopped(self, name, seconds):
        daemon = self.plant.daemons[name]
        pid = daemon.pid

        def go_on():
            if daemon.pid == pid:
                daemon.signal(signal.SIGCONT)
        if pid is None or not self.reserve(("process", name), seconds, go_on):
            return None
        daemon.signal(signal.SIGSTOP)
        return f"{name} ({pid}) for {seconds} s"

    def twice(self):
        """second process of a worker"""
        name = self.random.choice(WORKERS)
        daemon, plant = self.plant.daemons[name], self.plant
        if daemon.pid is None or ("process", name) in self.reserved:
            return None
        daemon.wanted.clear()  # where it makes way, the newer one stays
        with open(plant.data / "log" / f"{name}-second.log", "ab") as log:
            second = subprocess.Popen(as_user(*plant.words(name)), cwd="/", stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                      env={**daemon.env, f"AFTERCARE_{name.upper().replace('-', '_')}_METRICS": f"127.0.0.1:{free_ports(1)[0]}"})

        def over():
            if second.poll() is None:
                second.kill()
            second.wait()
            daemon.wanted.set()
        self.reserve(("process", name), self.random.choice([1, 3]), over)
        return f"{name} ({second.pid} beside {daemon.pid})"

    # --- PostgreSQL
    def kill_postmaster(self):
        """PostgreSQL killed -9"""
        pid = self.plant.pg.process.pid
        self.plant.pg.kill()
        return f"postmaster {pid}"

    def restart_postgres(self):
        """PostgreSQL restarted"""
        how = self.random.choice(["fast", "immediate"])
        self.plant.pg.restart(how)
        return how

    def postgres_away(self):
        """PostgreSQL away"""
        seconds = self.random.choice([1, 3, 6])
        if not self.reserve("postgres", seconds, self.plant.pg.back):
            return None
        self.plant.pg.away()
        return f"for {seconds} s"

    def end_backends(self):
        """backends terminated"""
        role = self.random.choice([*self.plant.to_pg, "%"]).replace("-b", "")
        try:
            rows = self.plant.sql("SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE"
                                  f" usename LIKE '{role}' AND pid <> pg_backend_pid()")
        except Failed:
            return None
        return f"{rows[0][0]} of {role}"

    def stop_backend(self):
        """backends stopped and continued"""
        role, seconds = self.random.choice(["intake", *WORKERS]), self.random.choice([0.5, 2, 4])
        try:
            pids = [int(r[0]) for r in self.plant.sql(f"SELECT pid FROM pg_stat_activity WHERE usename = '{role}'")]
        except Failed:
            return None

        def each(number):
            for pid in pids:
                try:
                    subprocess.run(["kill", f"-{number}", str(pid)], stderr=subprocess.DEVNULL, check=False)
                except OSError:
                    pass
        if not pids or not self.reserve(("backend", role), seconds, lambda: each("CONT")):
            return None
        each("STOP")
        return f"{len(pids)} of {role} for {seconds} s"

    def fill_disk(self):
        """disk filled"""
        seconds = self.random.choice([1, 3, 5])
        if not self.reserve("disk", seconds, self.plant.disk.make_room):
            return None
        self.plant.disk.fill()
        return f"for {seconds} s"

    def cut_commit(self):
        """connection cut in the middle of a commit"""
        who = self.random.choice([self.plant.active, self.plant.active, *WORKERS])
        where, seconds = self.random.choice(COMMIT_CUTS), self.random.choice([0.3, 2.5])
        self.plant.to_pg[who].cut_commit(where, seconds)
        return f"{who}'s, {where}" + (f" by {seconds} s" if where == "late" else "")

    def lose_commit(self):
        """commit of intake with a conclusion in it lost"""
        relay = self.plant.to_pg[self.plant.active]
        relay.cut_commit("before", of=b"job.offered")
        return relay.commit_met.wait(COMMIT_WITHIN) and self.plant.active

    def lose_rows(self):
        """commit of a worker lost"""
        who = self.random.choice(WORKERS[:3])
        self.plant.to_pg[who].cut_commit("before")
        return self.plant.to_pg[who].commit_met.wait(COMMIT_WITHIN) and who

    def cut_postgres(self):
        """connection to PostgreSQL cut"""
        who = self.random.choice(list(self.plant.to_pg))
        self.plant.to_pg[who].cut()
        return who

    # --- lines to intake
    def cut_line(self):
        """connection to intake cut"""
        return self.cut_by(False)

    def reset_line(self):
        """connection to intake reset"""
        return self.cut_by(True)

    def cut_by(self, reset):
        names = self.random.choice([["cmd"], ["live"], ["feed"], ["cmd", "live", "feed"], ["branch-cmd"]])
        for name in names:
            self.plant.lines[name].cut(reset)
        return " ".join(names)

    def still_line(self):
        """connection to intake silent"""
        name, seconds = self.random.choice(["cmd", "live", "feed", "branch-cmd"]), self.random.choice([1, 4])
        self.plant.lines[name].still(seconds)
        return f"{name} for {seconds} s"

    def wide_weather(self):
        """wide line late and losing"""
        delay, jitter, loss = self.random.choice([(0.04, 0.01, 0.0), (0.15, 0.1, 0.02), (0.3, 0.2, 0.1), (0.0, 0.0, 0.3)])
        self.plant.wan.tell("weather", delay, jitter, loss)
        return f"{delay * 1000:.0f} ms, jitter {jitter * 1000:.0f} ms, loss {loss:.0%}"

    def wide_cut(self):
        """wide line cut"""
        seconds = self.random.choice([0.5, 2, 5])
        if not self.reserve("wide", seconds, lambda: self.plant.wan.tell("heal")):
            return None
        self.plant.wan.tell("cut")
        return f"for {seconds} s"

    def wide_reset(self):
        """wide line resets connections"""
        self.plant.wan.tell("reset", 0.5)
        return "for 0.5 s"

    # --- clocks
    def clock(self):
        """intake's clock moved"""
        name = self.plant.active
        by = self.random.choice([40, -40, 20, -5]) * SECOND
        seconds = self.random.choice([1, 3])
        return self.clock_moved(name, by, seconds, accept=False)

    def clock_far(self):
        """intake's clock moved by hours"""
        by = self.random.choice([2 * HOUR, -HOUR, 30 * HOUR])
        return self.clock_moved(self.plant.active, by, 2.5, accept=self.random.random() < 0.6)

    def clock_moved(self, name, by, seconds, accept):
        """For a while, or for good: then the daemon is killed, since a restart accepts it."""
        clock = self.plant.clocks[name]
        before = clock.wall

        def over():
            if accept:
                self.plant.daemons[name].signal(signal.SIGKILL)
            else:
                clock.set(before)
        if not self.reserve(("clock", name), seconds, over):
            return None
        clock.set(before + by)
        return f"{name} by {by // SECOND} s for {'good' if accept else f'{seconds} s'}"

    def sleep(self):
        """a daemon has slept (both clocks forward)"""
        name = self.random.choice(list(self.plant.daemons))
        clock = self.plant.clocks[name]
        clock.set(clock.wall + 35 * SECOND, clock.boot + 35 * SECOND)
        return f"{name} 35 s"

    def clock_of_worker(self):
        """worker's clock moved"""
        name = self.random.choice(WORKERS)
        self.plant.clocks[name].set(self.random.choice([-1, 1]) * self.random.choice([50 * SECOND, 5 * HOUR]))
        return f"{name} to {self.plant.clocks[name].wall // SECOND} s beside"


WEIGHTS = {
    "kill": 3, "kill_active": 2, "kill_two": 1, "stop": 2, "stop_active": 2, "twice": 1,
    "kill_postmaster": 2, "restart_postgres": 1, "postgres_away": 1, "end_backends": 2, "stop_backend": 1, "fill_disk": 2,
    "cut_commit": 6, "cut_postgres": 1,
    "cut_line": 2, "reset_line": 1, "still_line": 1, "wide_weather": 2, "wide_cut": 1, "wide_reset": 1,
    "clock": 2, "clock_far": 1, "sleep": 1, "clock_of_worker": 1,
}
