#!/usr/bin/python3
"""Webhooks against servers that fail, hang, redirect and answer garbage: every event taken, signed, in order for each key; what is
never taken is parked, seen, retried and skipped by hand; kills lose nothing."""
import hashlib
import hmac
import http.server
import json
import os
import pathlib
import signal
import socket
import subprocess
import sys
import threading
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
from stack import BIN, USER, Stack, free_ports, jsonl, until  # noqa: E402


class Receiver:
    """Takes POSTs and behaves as it is told: a list of deeds for a key, one a request, then 204."""

    def __init__(self):
        self.taken, self.tried, self.wrong, self.deeds, self.away = [], [], [], {}, False
        self.lock, self.released = threading.Lock(), threading.Event()
        receiver = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *_):
                pass

            def do_GET(self):
                receiver.wrong.append(f"GET {self.path}")
                self.answer(200)

            def answer(self, status, body=b"", headers=()):
                self.send_response(status)
                for name, value in headers:
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                event = json.loads(body)
                with receiver.lock:
                    receiver.tried.append((event["subject"], event["id"], self.headers["Aftercare-Signature"], body))
                    if self.path != "/in":
                        receiver.wrong.append(f"POST {self.path}")
                    if self.headers["Content-Type"] != "application/cloudevents+json" or self.headers["Aftercare-Delivery"] != event["id"]:
                        receiver.wrong.append(f"headers {dict(self.headers)}")
                    left = receiver.deeds.get(event["subject"], [])
                    deed = "503" if receiver.away else left.pop(0) if left else "take"
                    if deed in ("take", "take-much"):
                        receiver.taken.append((event["subject"], event["id"]))
                if deed == "take":
                    self.answer(204)
                elif deed == "take-much":
                    self.answer(200, b"x" * 300000)
                elif deed == "hang":
                    receiver.released.wait(20)
                    self.close_connection = True
                elif deed == "redirect":
                    self.answer(307, headers=[("Location", "/elsewhere")])
                elif deed == "garbage":
                    self.wfile.write(b"\x00\xff not HTTP at all\r\n\r\n" * 50)
                    self.close_connection = True
                elif deed == "cut":
                    self.close_connection = True
                elif deed == "retry-after":
                    self.answer(429, headers=[("Retry-After", "1")])
                else:
                    self.answer(int(deed))

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def close(self):
        self.released.set()
        self.server.shutdown()
        self.server.server_close()

    def took(self, key):
        with self.lock:
            return [pos for k, pos in self.taken if k == key]


class Webhook(unittest.TestCase):
    def setUp(self):
        self.receiver = Receiver()
        self.addCleanup(self.receiver.close)
        self.stack = Stack(clock="wall")
        self.stack.__enter__()
        self.addCleanup(self.stack.__exit__, None, None, None)
        self.sent = 0
        self.process = None
        self.addCleanup(self.stop)

    def hooks(self, **more):
        metrics = free_ports(1)[0]
        hook = {"name": "erp", "url": f"http://127.0.0.1:{self.receiver.port}/in", "types": ["site."], "from": "start", "timeout_ms": 1000, **more}
        lines = [f"metrics: 127.0.0.1:{metrics}", "hooks:"]
        lines += [("  - " if i == 0 else "    ") + f"{k}: {json.dumps(v)}" for i, (k, v) in enumerate(hook.items())]
        (self.stack.data / "webhooks.yaml").write_text("\n".join(lines) + "\n")
        os.chmod(self.stack.data / "webhooks.yaml", 0o644)

    def begin(self, **environment):
        with open(self.stack.data / "log" / "webhook.log", "ab") as log:
            self.process = subprocess.Popen(self.stack.command("aftercare-webhook", "--data", self.stack.data), cwd="/", stderr=log,
                                            env={**os.environ, **environment})

    def daemon(self):
        return self.stack.pid("webhook")

    def stop(self, sig=signal.SIGTERM):
        pid = self.daemon()
        if pid:
            os.kill(pid, sig)
        if self.process:
            self.process.wait(120)
            self.process = None

    def sites(self, keys):
        path = self.stack.data / f"sites-{self.sent}.jsonl"
        jsonl(path, [{"type": "site.updated", "key": key, "data": {"name": f"site {i}", "tier": 3, "region": "GD"}}
                     for i, key in enumerate(keys)])
        self.sent += 1
        self.stack("append", path)

    def webhook(self, *words, **options):
        return self.stack.run("aftercare-webhook", "--data", self.stack.data, *words, **options)

    def positions(self, key):
        """Ids of its events as the journal has them."""
        return [event["id"] for event in self.stack.lines("tail", "--from", "start", "--format", "cloudevents", "--key", key)]

    def wait_taken(self, key, seconds=60):
        expected = self.positions(key)
        until(f"{key} taken", lambda: self.receiver.took(key) == expected, seconds)

    def test_servers_of_every_kind(self):
        receiver = self.receiver
        deeds = {"A": [], "B": ["500", "cut"], "C": ["hang"], "D": ["redirect"], "E": ["garbage"], "F": ["retry-after"], "G": ["take-much"],
                 "H": ["400", "404"]}
        receiver.deeds = {k: list(v) for k, v in deeds.items()}
        self.hooks()
        self.begin()
        self.sites([key for key in deeds for _ in range(3)])
        for key in deeds:
            self.wait_taken(key)  # each once and in order: an answer that was given was believed
        self.assertEqual(receiver.wrong, [])
        tried = [key for key, *_ in receiver.tried]
        for key, failures in deeds.items():
            extra = len([d for d in failures if not d.startswith("take")])
            self.assertEqual(tried.count(key), 3 + extra, key)
        # signed with the secret that was made for it
        secret_file = self.stack.data / "webhook" / "erp.secret"
        self.assertEqual(secret_file.stat().st_mode & 0o777, 0o600)
        secret = secret_file.read_text().strip().encode()
        for _, _, signature, body in receiver.tried:
            t, v1 = (part.split("=")[1] for part in signature.split(","))
            self.assertEqual(v1, hmac.new(secret, t.encode() + b"." + body, hashlib.sha256).hexdigest())
            self.assertLess(abs(int(t) - time.time()), 120)
        # nothing else than what the filter lets through, and no personal field
        self.assertEqual({json.loads(body)["type"] for *_, body in receiver.tried}, {"site.updated"})

    def test_killed_and_away(self):
        receiver = self.receiver
        receiver.away = True
        self.hooks()
        self.begin()
        keys = [f"K{i % 7}" for i in range(140)]
        self.sites(keys)
        until("it has read all", lambda: self.webhook("list", "--json", check=False).stdout and
              json.loads(self.webhook("list", "--json").stdout)["waiting"] == 140)
        self.assertLess(len(receiver.tried), 20)  # one at a time while nobody takes anything
        self.stop(signal.SIGKILL)
        receiver.away = False
        self.begin()
        for _ in range(6):
            before = len(receiver.taken)
            until("some more are taken", lambda: len(receiver.taken) > before or len(receiver.taken) >= 140)
            self.stop(signal.SIGKILL)
            self.begin()
        for key in sorted(set(keys)):
            expected = self.positions(key)

            def first_times():
                seen = []
                for pos in receiver.took(key):
                    if pos not in seen:
                        seen.append(pos)
                return seen
            # a kill between an answer and its commit sends that one again: never left out, never overtaken
            until(f"{key} in order", lambda: first_times() == expected)
        self.assertEqual(json.loads(self.webhook("list", "--json").stdout)["waiting"], 0)

    def test_parked_by_hand(self):
        receiver = self.receiver
        receiver.deeds = {"P": ["400"] * 50, "Q": ["422"] * 50}
        self.hooks(give_up="2s")
        self.begin()
        self.sites(["P", "P", "P", "Q", "Q", "R"])
        self.wait_taken("R")

        def parked():
            return [json.loads(line) for line in self.webhook("parked", "erp", "--json").stdout.splitlines()]
        until("both are parked", lambda: len(parked()) == 2)
        first = {row["key"]: row for row in parked()}
        self.assertEqual((first["P"]["status"], first["P"]["behind"], first["Q"]["behind"]), (400, 2, 1))
        self.assertGreaterEqual(first["P"]["attempts"], 2)
        self.assertEqual(receiver.took("P") + receiver.took("Q"), [])  # nothing overtakes it
        health = self.webhook("skip", "erp", str(first["Q"]["pos"]), check=False)
        self.assertEqual(health.returncode, 2)  # a reason is wanted
        receiver.deeds = {}
        self.assertIn("1", self.webhook("retry", "erp", str(first["P"]["pos"])).stdout)
        self.wait_taken("P")
        self.webhook("skip", "erp", str(first["Q"]["pos"]), "--reason", "the ERP knows it by hand")
        until("what stood behind goes", lambda: receiver.took("Q") == self.positions("Q")[1:])
        self.assertEqual(json.loads(self.stack("webhook", "list", "--json").stdout), json.loads(self.webhook("list", "--json").stdout))
        left = parked()
        self.assertEqual([(row["key"], row["skipped"], row["why"]) for row in left], [("Q", True, "the ERP knows it by hand")])
        self.assertEqual(self.webhook("skip", "erp", "999999", "--reason", "not there", check=False).returncode, 1)
        self.assertEqual(self.webhook("retry", "nobody", check=False).returncode, 1)
        self.assertEqual(self.webhook("dance", check=False).returncode, 2)

    def test_from_now_and_bad_files(self):
        self.sites(["OLD"])
        self.hooks(**{"from": "now"})
        self.begin(AFTERCARE_FEED=f"tcp://127.0.0.1:{self.stack.ports[2]}")  # by CURVE, with the operator's key
        until("it has begun", lambda: json.loads(self.webhook("list", "--json").stdout)["pos"] > 0)
        self.sites(["NEW"])
        self.wait_taken("NEW")
        self.assertEqual(self.receiver.took("OLD"), [])
        file = self.stack.data / "webhooks.yaml"
        good = file.read_text()
        for bad, says in [("http://127.0.0.1", "http://erp.example"), ('"from": "now"', None)]:
            if says:
                file.write_text(good.replace(f"http://127.0.0.1:{self.receiver.port}", says))
                done = self.webhook("check", check=False)
                self.assertEqual(done.returncode, 2)
                self.assertIn("hooks[0].url", done.stderr)
        file.write_text(good + "    colour: red\n")
        done = self.webhook("check", check=False)
        self.assertEqual(done.returncode, 2)
        self.assertIn("colour", done.stderr)
        file.write_text(good)
        secret = self.stack.data / "webhook" / "erp.secret"
        os.chmod(secret, 0o644)
        self.stop()
        self.begin()
        self.assertEqual(self.process.wait(120), 1)
        self.process = None
        self.assertIn("others may read", (self.stack.data / "log" / "webhook.log").read_text())


class TailExec(unittest.TestCase):
    def test_each_at_least_once(self):
        """A command that fails twice, a reader that is killed in the middle: every event handled, in order; a second run goes on."""
        with Stack(clock="wall") as stack:
            keys = [f"S{i}" for i in range(12)]
            jsonl(stack.data / "sites.jsonl", [{"type": "site.updated", "key": k, "data": {"name": k, "tier": 3, "region": "GD"}} for k in keys])
            stack("append", stack.data / "sites.jsonl")
            folder = stack.data / "handled"
            folder.mkdir()
            os.chmod(folder, 0o777)
            log, fails = folder / "log", folder / "fails"
            script = (f'read line; if [ "$AFTERCARE_KEY" = S3 ] && [ "$(cat {fails} 2>/dev/null | wc -l)" -lt 2 ]; then echo x >> {fails}; exit 7; fi; '
                      f'if [ "$AFTERCARE_KEY" = S6 ] && [ ! -e {folder}/killed ]; then : > {folder}/killed; kill -9 $PPID; fi; '
                      f'printf "%s %s\\n" "$AFTERCARE_POS" "$line" >> {log}')
            command = ("tail", "--type", "site.", "--exec", script, "--cursor", str(folder / "cursor"))
            first = stack(*command, check=False)
            self.assertIn("ended with 7", first.stderr)
            self.assertNotEqual(first.returncode, 0)  # killed
            second = stack(*command)
            self.assertEqual(second.returncode, 0)
            seen = [line.split(" ", 1) for line in log.read_text().splitlines()]
            self.assertEqual([json.loads(line)["key"] for _, line in seen if json.loads(line)["key"] != "S6"], [k for k in keys if k != "S6"])
            self.assertEqual([int(pos) for pos, _ in seen], sorted(int(pos) for pos, _ in seen))
            self.assertTrue(all(int(pos) == json.loads(line)["pos"] for pos, line in seen))
            before = log.read_text()
            self.assertEqual(stack(*command).returncode, 0)
            self.assertEqual(log.read_text(), before)  # nothing new, nothing twice
            with open("/dev/full", "w") as full:  # a copy that is cut is no copy
                for words in (("tail", "--format", "jsonl"), ("schema", "--asyncapi")):
                    self.assertEqual(subprocess.run(stack.command("aftercare", "--data", stack.data, *words), stdout=full, stderr=subprocess.DEVNULL).returncode, 1, words)
            (folder / "cursor").write_text("another-00000000 5\n")
            self.assertEqual(stack(*command, check=False).returncode, 1)

    def test_from_now_is_the_same_now_after_a_restart(self):
        """Ended before its first command has ended well, it goes on at the now at which it first began."""
        with Stack(clock="wall") as stack:
            folder = stack.data / "handled"
            folder.mkdir()
            os.chmod(folder, 0o777)
            site = {"type": "site.updated", "key": "S1", "data": {"name": "S1", "tier": 3, "region": "GD"}}
            words = ("--data", stack.data, "tail", "--follow", "--type", "site.", "--cursor", folder / "cursor", "--exec")

            def begin(script):
                return subprocess.Popen(stack.command("aftercare", *words, script), stderr=subprocess.DEVNULL)

            first = begin(f"touch {folder}/tried; exit 1")
            until("now is kept", lambda: (folder / "cursor").exists())
            stack("append", jsonl(stack.data / "site.jsonl", [site]))
            until("it was tried", lambda: (folder / "tried").exists())
            first.terminate()
            first.wait()
            stack("append", jsonl(stack.data / "site2.jsonl", [{**site, "key": "S2"}]))  # while nobody looks
            second = begin(f'echo "$AFTERCARE_KEY" >> {folder}/log')
            until("both are handled", lambda: (folder / "log").exists() and (folder / "log").read_text().split() == ["S1", "S2"])
            second.terminate()
            second.wait()


if __name__ == "__main__":
    unittest.main(verbosity=2)
