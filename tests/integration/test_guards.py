"""What an operator does by mistake, and is told of: a running installation deleted, one socket folder for two of them, settings without
their database, a clock that is wrong at the start, an older program, a terminal that was closed, a worker that hangs."""
import os
import pathlib
import shutil
import signal
import subprocess
import tempfile
import time
import unittest
import urllib.error
import urllib.request

from stack import BIN, USER, Stack, until


def ours(command):
    return ["runuser", "-u", USER, "--", *command] if USER else command


class Guards(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.clock = pathlib.Path(tempfile.mkstemp(prefix="ac-clock-", dir="/tmp")[1])
        cls.clock.write_text("0 0".ljust(60))
        cls.clock.chmod(0o644)
        os.environ["AFTERCARE_CLOCK_FILE"] = str(cls.clock)
        cls.stack = Stack()
        cls.stack.__enter__()

    @classmethod
    def tearDownClass(cls):
        cls.stack.__exit__(None, None, None)
        cls.clock.unlink()

    def set_clock(self, seconds):
        """Of all daemons, and of this machine's commands."""
        with open(self.clock, "r+") as file:
            file.write(f"{seconds * 1_000_000} 0".ljust(60))

    def health(self, which=0):
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.stack.ports[3 + which]}/health", timeout=10) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()
        except OSError:
            return 0, ""

    def wait_well(self, which=0):
        until("it is well", lambda: self.health(which)[0] == 200)

    def supervisor(self):
        return int((self.stack.data / "supervisor.pid").read_text())

    def log(self, name):
        return (self.stack.data / "log" / f"{name}.log").read_text(errors="replace")

    def other(self, settings):
        """Another data folder with settings of its own."""
        other = Stack(folder=tempfile.mkdtemp(prefix="ac-", dir="/tmp"))
        if USER:
            shutil.chown(other.data, USER)
        self.addCleanup(shutil.rmtree, other.data, ignore_errors=True)
        other.write_settings()
        file = other.data / "aftercare.yaml"
        file.write_text(settings(file.read_text()))
        return other

    # --- one installation, one folder of sockets
    def test_sockets_of_another(self):
        other = self.other(lambda text: text.replace(f"{text.split()[1]}/s", str(self.stack.data / "s")))
        pids = {name: self.stack.pid(name) for name in ("intake", "dispatcher")}
        done = other("up", check=False)
        self.assertEqual(done.returncode, 1, done.stdout + done.stderr)
        self.assertIn(f"held by the supervisor of {self.stack.data}", done.stderr)
        self.assertFalse((other.data / "pg").exists())
        done = other("supervise", check=False)
        self.assertEqual(done.returncode, 1)
        self.assertEqual(pids, {name: self.stack.pid(name) for name in pids})

    def test_other_folders_health_is_not_ours(self):
        other = self.other(lambda text: text.replace(text.split()[1], str(self.stack.data), 0).replace(
            f"metrics: 127.0.0.1:{text.split('metrics: 127.0.0.1:')[1].split()[0]}", f"metrics: 127.0.0.1:{self.stack.ports[3]}"))
        checks = {c["check"]: c for c in other.json("doctor", check=False)["checks"]}
        self.assertFalse(checks["intake"]["good"])
        self.assertIn("another installation", checks["intake"]["detail"])
        mine = {c["check"]: c for c in self.stack.json("doctor", check=False)["checks"]}
        self.assertTrue(mine["intake"]["good"], mine["intake"])

    # --- a folder is not deleted under what runs in it
    def test_delete_of_what_runs(self):
        folder = pathlib.Path(tempfile.mkdtemp(prefix="ac-", dir="/tmp"))
        stack = Stack(folder=folder)
        self.addCleanup(shutil.rmtree, folder, ignore_errors=True)
        if USER:
            shutil.chown(folder, USER)
        stack.write_settings()
        stack.up()
        stack("down")
        bin = next(pathlib.Path("/usr/lib/postgresql").glob("*/bin"))
        server = subprocess.Popen(ours([str(bin / "postgres"), "-D", str(folder / "pg"), "-k", str(folder / "s")]),
                                  stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd="/")
        self.addCleanup(server.wait)
        until("PostgreSQL answers", lambda: (folder / "s" / ".s.PGSQL.5432").exists() and (folder / "pg" / "postmaster.pid").exists())
        pid = int((folder / "pg" / "postmaster.pid").read_text().split()[0])
        self.addCleanup(os.kill, pid, signal.SIGINT)
        for words in (["down"], ["down", "--delete-data"]):
            done = stack(*words, check=False)
            self.assertEqual(done.returncode, 1, done.stdout + done.stderr)
            self.assertIn("postgresql", done.stderr)
            self.assertTrue((folder / "pg" / "PG_VERSION").exists())

    # --- settings that lost their database
    def test_keys_of_another_stream(self):
        stack = Stack(folder=tempfile.mkdtemp(prefix="ac-", dir="/tmp"))
        self.addCleanup(shutil.rmtree, stack.data, ignore_errors=True)
        if USER:
            shutil.chown(stack.data, USER)
        stack.write_settings()
        shutil.copytree(self.stack.data / "keys", stack.data / "keys")
        if USER:
            subprocess.run(["chown", "-R", f"{USER}:", stack.data / "keys"], check=True)
        stream = self.stack.sql("SELECT key FROM intake.journal WHERE pos = 1")[0][0]
        for left in ("whole", "stream"):  # older folders have no keys/stream
            if left == "stream":
                (stack.data / "keys" / "stream").unlink()
            done = stack("up", "--name", "test", check=False)
            self.assertEqual(done.returncode, 1, done.stdout + done.stderr)
            said = (stack.data / "log" / "intake.log").read_text()
            self.assertIn(f"belongs to the stream {stream}", said)
            (stack.data / "log" / "intake.log").unlink()
        # A beginning that broke off goes on under the name its keys have.
        (stack.data / "keys" / "stream").write_text(f"{stream} unborn\n")
        if USER:
            shutil.chown(stack.data / "keys" / "stream", USER)
        self.addCleanup(stack, "down")
        done = stack("up", "--name", "test", check=False)
        self.assertEqual(done.returncode, 0, done.stderr + (stack.data / "log" / "intake.log").read_text())
        self.assertEqual(stack.sql("SELECT key FROM intake.journal WHERE pos = 1")[0][0], stream)
        self.assertEqual((stack.data / "keys" / "stream").read_text(), f"{stream} begun\n")

    def test_one_dsn_is_lost(self):
        other = self.other(lambda text: text.replace("reporting:\n", "reporting:\n  dsn: host=db.example user=reporting dbname=aftercare\n"))
        done = other("up", check=False)
        self.assertEqual(done.returncode, 1, done.stdout + done.stderr)
        self.assertIn("for reporting", done.stderr)
        self.assertFalse((other.data / "pg").exists())

    # --- an older program
    def test_newer_tables(self):
        for which, schema in ((0, "intake"), (1, "dispatcher")):
            self.stack.sql(f"INSERT INTO {schema}.migration VALUES (99, 'x', now())")
            self.stack.kill(schema)
            until(f"{schema} says why it does not start", lambda: "is a newer release's" in self.log(schema))
            self.stack.sql(f"DELETE FROM {schema}.migration WHERE number = 99")
            self.wait_well(which)

    # --- what is no reason to end, and what is
    def test_hangup_ends_nothing(self):
        pid = self.supervisor()
        os.kill(pid, signal.SIGHUP)
        until("it is told", lambda: "SIGHUP" in self.log("supervisor"))
        self.wait_well()
        self.assertEqual(self.supervisor(), pid)

    # --- the clock; last, since the stream stays where it was led
    def test_z_clock(self):
        days = 24 * 3600
        self.wait_well()
        self.set_clock(40 * days)
        self.stack.kill("intake")
        until("it says what the clock is", lambda: "written last at" in self.log("intake"))
        self.assertIn("accept-clock", self.log("intake"))
        self.assertEqual(self.stack.sql("SELECT rec > now() + interval '1 day' FROM intake.head")[0], ["f"])
        accepted = self.stack.data / "accept-clock"
        accepted.touch()
        then = time.time() + 40 * days
        os.utime(accepted, (then, then))
        if USER:
            shutil.chown(accepted, USER)
        self.wait_well()
        self.assertFalse(accepted.exists())
        until("time is recorded", lambda: self.stack.sql("SELECT rec > now() + interval '39 day' FROM intake.head")[0] == ["t"])
        self.set_clock(0)
        self.stack.kill("intake")
        until("its health says why time stands still", lambda: "is ahead of the clock" in self.health()[1])
        self.assertEqual(self.health()[0], 503)
        self.assertIn("is ahead of the clock", self.log("intake"))
        with urllib.request.urlopen(f"http://127.0.0.1:{self.stack.ports[3]}/metrics", timeout=10) as answer:
            ahead = [line for line in answer.read().decode().splitlines() if line.startswith("aftercare_clock_ahead_seconds{")]
        self.assertGreater(int(ahead[0].split()[-1]), 39 * days)
        checks = {c["check"]: c for c in self.stack.json("doctor", check=False)["checks"]}
        self.assertIn("is ahead of the clock", checks["intake"]["detail"])


if __name__ == "__main__":
    unittest.main()
