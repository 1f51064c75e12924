"""Who may come in: every way in is tried. Each attempt is refused, stands in the journal, and the stack serves on."""
import json
import os
import pwd
import select
import socket
import stat
import subprocess
import threading
import unittest
import uuid

import msgpack
import zmq
from zmq.utils import z85
from zmq.utils.monitor import recv_monitor_message

from client import Reader, show
from stack import USER, Failed, Stack, jsonl, until
from test_wall import Raw

TREE = {"kind": "Tree Emergencies", "product": "PARK"}


def registered(key, region, **data):
    return {"type": "ticket.registered", "v": 1, "key": key, "by": "x", "data": {**TREE, "region": region, **data}}


class Tape:
    """A line that remembers what the client sent through it."""

    def __init__(self, port):
        self.port, self.sent = port, b""
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.endpoint = f"tcp://127.0.0.1:{self.listener.getsockname()[1]}"
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        near, _ = self.listener.accept()
        self.listener.close()
        far = socket.create_connection(("127.0.0.1", self.port))
        threading.Thread(target=self.pump, args=(far, near, False), daemon=True).start()
        self.pump(near, far, True)

    def pump(self, source, to, keep):
        try:
            while data := source.recv(65536):
                if keep:
                    self.sent += data
                to.sendall(data)
        except OSError:
            pass
        for end in (source, to):
            end.close()


class Doors(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.stack = Stack(clock="wall")
        cls.stack.__enter__()
        cls.cmd, cls.live, cls.feed = (f"tcp://127.0.0.1:{p}" for p in cls.stack.ports[:3])
        cls.operator = cls.stack.key("operator")
        cls.stack("policy", "publish", cls.stack.share("policies/boston311.yaml"))
        sites = [{"type": "site.updated", "key": f"shop-{r}", "by": "hq",
                  "data": {"name": r, "tier": 3, "territories": [r], "region": r}} for r in ("GZ", "SH")]
        cls.stack("append", jsonl(cls.stack.data / "sites.jsonl", sites))
        for region in ("GZ", "SH"):
            cls.stack("keys", "new", f"branch-{region}", "--region", region, "--personal")
            cls.stack("keys", "new", f"site-{region}", "--kind", "site", "--site", f"shop-{region}")
        cls.stream = json.loads(cls.operator.read_text())["stream"]
        cls.stack("append", jsonl(cls.stack.data / "first.jsonl", [
            {k: v for k, v in registered(f"{r}-1", r, customer={"id": "C1", "name": "王小明"}).items()} for r in ("GZ", "SH")]))
        cls.stack.wait_caught_up()

    @classmethod
    def tearDownClass(cls):
        cls.stack.__exit__(None, None, None)

    def tearDown(self):
        """Whatever was tried: who may come in is served."""
        raw = self.source("branch-GZ", f"branch-GZ/{uuid.uuid4().hex}")
        raw.say("APPEND", n=1, events=[{"type": "ticket.noted", "v": 1, "key": "GZ-1", "by": "x", "data": {}, "priv": {"text": "still here"}}])
        self.assertIsInstance(raw.answers(1)[0][1], int)
        raw.close()

    # --- helpers
    def source(self, key, name, first=1, last=0, endpoint=None, incarnation=None):
        raw = Raw(endpoint or self.cmd, "", self.stack.key(key))
        self.addCleanup(raw.close)
        self.assertEqual(raw.hello(name, incarnation or os.urandom(16), stream=self.stream, first=first, last=last)[0], "WELCOME")
        return raw

    def refused_hello(self, key, name, incarnation=None, **fields):
        raw = Raw(self.cmd, "", self.stack.key(key))
        self.addCleanup(raw.close)
        verb, said = raw.hello(name, incarnation or os.urandom(16), stream=self.stream, **fields)
        self.assertEqual(verb, "DENIED", said)
        return said

    def opened(self, key, consumer, **fields):
        reader = Reader(self.feed, consumer, self.stack.key(key))
        self.addCleanup(reader.socket.close, 0)
        reader.say("OPEN", consumer=consumer, after=0, credit=1 << 20, **fields)
        return reader, *reader.hear()[:2]

    def events_of(self, reader):
        found = []
        while True:
            verb, said, _ = reader.hear()
            if verb == "CAUGHT_UP":
                return found
            if verb == "BATCH":
                found += said.get("events", [])

    def on_record(self, code, principal=None, address=None):
        """access.denied with that reason stands in the journal."""
        def look():
            rows = self.stack.lines("tail", "--type", "access.denied", "--json")
            return [r["data"] for r in rows if r["data"]["code"] in ((code,) if isinstance(code, str) else code) and (principal is None or r["data"].get("principal") == principal)
                    and (address is None or r["data"].get("address", "").startswith(address))]
        return until(f"{code} is on record", look)

    def silent(self, endpoint, fields=None, seconds=1.5):
        """Nobody answers who comes in by that; what the handshake's end was is returned."""
        peer = zmq.Context.instance().socket(zmq.DEALER)
        peer.linger = 0
        monitor = peer.get_monitor_socket()
        if fields:
            peer.curve_serverkey, peer.curve_publickey, peer.curve_secretkey = (f.encode() for f in fields)
        peer.connect(endpoint)
        Reader.say(type("P", (), {"socket": peer})(), "HELLO", proto=[1, 1], stream=self.stream, source="operator/x",
                   incarnation=b"i" * 16, first=1, last=0)
        self.assertFalse(peer.poll(seconds * 1000), "somebody answered")
        ends = []
        while monitor.poll(0):
            ends.append(recv_monitor_message(monitor)["event"])
        peer.disable_monitor()
        peer.close(0)
        self.assertNotIn(zmq.EVENT_HANDSHAKE_SUCCEEDED, ends)

    def server_key(self):
        return json.loads(self.operator.read_text())["server_key"]

    # --- keys and files
    def test_secrets_lie_where_only_their_owner_reads(self):
        folder = self.stack.data / "keys"
        owner = pwd.getpwnam(USER).pw_uid if USER else os.geteuid()
        self.assertEqual(stat.S_IMODE(folder.stat().st_mode), 0o700)
        names = {path.name for path in folder.iterdir()}
        for name in ("server", "operator", "import", "dispatcher", "sla-watchdog", "follow-up", "reporting", "branch-GZ"):
            self.assertIn(f"{name}.key", names)
        for path in folder.iterdir():
            self.assertEqual((stat.S_IMODE(path.stat().st_mode), path.stat().st_uid), (0o600, owner), path)
        self.assertEqual(stat.S_IMODE((self.stack.data / "s").stat().st_mode), 0o700)
        secrets = [json.loads(path.read_text())["secret_key"] for path in folder.glob("*.key")]
        for log in (self.stack.data / "log").iterdir():
            text = log.read_text(errors="replace")
            self.assertFalse([s for s in secrets if s in text], log)
        journal = self.stack.sql("SELECT encode(body, 'hex') FROM intake.journal")
        for secret in secrets:
            self.assertFalse([r for r in journal if secret.encode().hex() in r[0]])

    def test_the_first_event_carries_the_operators_key(self):
        reader = Reader(self.feed, "operator/first", self.operator)
        created = next(iter(reader.events()))
        reader.socket.close(0)
        public = z85.decode(json.loads(self.operator.read_text())["public_key"].encode())
        self.assertEqual(created["data"]["operator_keys"], [public])

    def test_a_key_file_that_others_read_is_not_used(self):
        copy = self.stack.data / "open.key"
        copy.write_bytes(self.operator.read_bytes())
        os.chmod(copy, 0o644)
        done = self.stack("status", check=False, env={"AFTERCARE_KEY": str(copy)})
        self.assertNotEqual(done.returncode, 0)
        self.assertIn("chmod 600", done.stderr)

    # --- the ways in
    def test_no_key(self):
        for endpoint in (self.cmd, self.feed):  # the NULL mechanism
            self.silent(endpoint)
        # who has seen our mechanism first is gone before his is read
        self.on_record(("mechanism", "handshake"), address="cmd")
        self.on_record(("mechanism", "handshake"), address="feed")

    def test_unknown_key(self):
        public, secret = zmq.curve_keypair()
        for endpoint in (self.cmd, self.feed, self.live):
            self.silent(endpoint, (self.server_key(), public.decode(), secret.decode()))
        self.on_record("key", address="127.0.0.1")

    def test_anothers_server(self):
        """Who has another server's key in his file does not talk to this one."""
        fields = json.loads(self.operator.read_text())
        self.silent(self.cmd, (zmq.curve_keypair()[0].decode(), fields["public_key"], fields["secret_key"]))
        self.on_record("handshake", address="cmd")

    def test_live_is_for_workers(self):
        fields = json.loads(self.stack.key("branch-GZ").read_text())
        self.silent(self.live, (fields["server_key"], fields["public_key"], fields["secret_key"]))
        self.on_record("kind", principal="branch-GZ")
        peer = zmq.Context.instance().socket(zmq.SUB)
        peer.linger = 0
        show(peer, self.stack.key("reporting"))
        peer.subscribe(b"")
        peer.connect(self.live)
        self.assertTrue(peer.poll(120000))
        peer.close(0)

    def test_revoked_in_mid_session(self):
        self.stack("keys", "new", "branch-gone", "--region", "GZ")
        raw = self.source("branch-gone", "branch-gone/a")
        raw.say("APPEND", n=1, events=[registered("GONE-1", "GZ")])
        self.assertIsInstance(raw.answers(1)[0][1], int)
        reader, verb, _ = self.opened("branch-gone", "branch-gone", follow=True)
        self.assertEqual(verb, "OPENED")
        self.events_of(reader)
        self.stack("keys", "revoke", "branch-gone", "--reason", "stolen")
        raw.say("APPEND", n=2, events=[registered("GONE-2", "GZ")])
        self.assertEqual([raw.hear()[:2]][0][0], "DENIED")
        until("the reader is sent away", lambda: reader.hear()[0] == "DENIED")
        self.assertEqual(self.stack.sql("SELECT count(*) FROM intake.journal WHERE key = 'GONE-2'"), [["0"]])
        self.on_record("revoked", principal="branch-gone")
        fields = json.loads(self.stack.key("branch-gone").read_text())
        self.silent(self.cmd, (fields["server_key"], fields["public_key"], fields["secret_key"]))
        for verb in ("new", "rotate"):  # nor does the key come back under another name, or a revoked one by rotating
            name = ["branch-again", "--public-key", fields["public_key"]] if verb == "new" else ["branch-gone"]
            self.assertEqual(self.stack("keys", verb, *name, check=False).returncode, 1)

    def test_new_goes_on_where_nobody_has_answered(self):
        """The file is written first; where intake then is not heard the same command says it once more, and a revoked one's is not taken."""
        path = self.stack.key("branch-late")
        done = self.stack("keys", "new", "branch-late", "--region", "GZ", check=False, silent=True, env={"AFTERCARE_CMD": "tcp://127.0.0.1:9"})
        self.assertEqual(done.returncode, 3, done.stderr)
        left = json.loads(path.read_text())["public_key"]
        self.stack("keys", "new", "branch-late", "--region", "GZ")
        self.assertEqual(json.loads(path.read_text())["public_key"], left)
        self.source("branch-late", "branch-late/a")
        for _ in range(2):
            self.assertEqual(self.stack("keys", "new", "branch-late", check=False).returncode, 1)
            self.assertEqual(json.loads(path.read_text())["public_key"], left)
            self.stack("keys", "revoke", "branch-late", "--reason", "stolen")

    def test_a_worker_is_cut_off_live(self):
        self.stack("keys", "new", "watcher", "--kind", "worker", "--type", "sla.")
        peer = zmq.Context.instance().socket(zmq.SUB)
        self.addCleanup(peer.close, 0)
        peer.linger = 0
        show(peer, self.stack.key("watcher"))
        peer.subscribe(b"")
        peer.connect(self.live)
        self.assertTrue(peer.poll(120000))
        self.stack("keys", "revoke", "watcher")
        self.on_record("revoked", principal="watcher")

        def quiet():  # a head each second, as long as it is let in; what was on its way may still come
            return not peer.poll(2500) or peer.recv_multipart() == []
        until("it hears nothing more", quiet)
        self.assertFalse(peer.poll(2500))
        self.stack.wait_caught_up()

    def test_rotation_has_two_keys_for_a_while(self):
        self.stack("keys", "new", "branch-two", "--region", "GZ")
        old = self.stack.key("branch-two").rename(self.stack.data / "old.key")
        os.link(old, self.stack.key("branch-two"))
        session = self.source("branch-two", "branch-two/a")
        self.stack("keys", "rotate", "branch-two")
        self.assertNotEqual(old.read_bytes(), self.stack.key("branch-two").read_bytes())
        self.assertEqual(self.stack("keys", "rotate", "branch-two", check=False).returncode, 1)
        session.say("APPEND", n=1, events=[registered("TWO-1", "GZ")])  # by the old one
        self.assertIsInstance(session.answers(1)[0][1], int)
        until("the new one is let in", lambda: self.source("branch-two", "branch-two/b"))
        self.stack("keys", "rotate", "branch-two", "--finish")
        session.say("APPEND", n=2, events=[registered("TWO-2", "GZ")])
        self.assertEqual(session.hear()[0], "DENIED")
        self.source("branch-two", "branch-two/c")
        listed = {r["principal"]: r for r in self.stack.lines("keys", "list", "--json")}
        self.assertEqual((len(listed["branch-two"]["keys"]), listed["branch-two"]["state"]), (1, "good"))

    def test_a_workers_name_taken_by_a_branch(self):
        self.assertEqual(self.refused_hello("branch-GZ", "dispatcher")["code"], "principal")
        self.assertEqual(self.refused_hello("branch-GZ", "operator/x")["code"], "principal")
        self.on_record("name", principal="branch-GZ")
        _, verb, said = self.opened("branch-GZ", "dispatcher")
        self.assertEqual((verb, said["code"]), ("DENIED", "principal"))
        reader = Reader(self.feed, "", self.stack.key("branch-GZ"))
        self.addCleanup(reader.socket.close, 0)
        reader.say("SERVE", worker="dispatcher")
        self.assertEqual(reader.hear()[:2], ("ERROR", {"code": "denied", "why": "dispatcher"}))
        self.stack("jobs")  # its questions still go to the worker itself

    def test_another_branchs_region(self):
        raw = self.source("branch-GZ", "branch-GZ/region")
        raw.say("APPEND", n=1, events=[registered("R-1", "SH"), registered("R-2", "GZ"),
                                       {"type": "ticket.noted", "v": 1, "key": "SH-1", "by": "x", "data": {}, "priv": {"text": "x"}}])
        answers = raw.answers(3)
        self.assertEqual(answers[0][1:3], ["denied", "region"])
        self.assertIsInstance(answers[1][1], int)
        self.assertEqual(answers[2][1], "denied")
        self.on_record("region", principal="branch-GZ")
        self.assertTrue([r for r in self.stack.lines("refused", "--json") if r["source"] == "branch-GZ/region"])

    def test_an_event_type_not_granted(self):
        raw = self.source("branch-GZ", "branch-GZ/type")
        raw.say("APPEND", n=1, events=[
            {"type": "job.offered", "v": 1, "key": "GZ-1", "by": "x", "data": {"job": "GZ-1/j9", "site": "shop-GZ"}},
            {"type": "principal.added", "v": 1, "key": "me", "by": "x", "data": {"id": "me", "kind": "operator"}},
            {"type": "access.denied", "v": 1, "key": "me", "by": "x", "data": {"code": "x"}}])
        self.assertEqual([a[1:3] for a in raw.answers(3)], [["denied", "type"]] * 3)
        self.on_record("type", principal="branch-GZ")

    def test_a_job_of_another_site(self):
        job = self.stack.lines("jobs", "SH-1", "--json")[0]["job"]
        raw = self.source("site-GZ", "site-GZ/job")
        raw.say("APPEND", n=1, events=[{"type": "job.accepted", "v": 1, "key": "SH-1", "by": "x", "data": {"job": job}}])
        self.assertEqual(raw.answers(1)[0][1], "denied")
        self.on_record("job", principal="site-GZ")
        mine = self.stack.lines("jobs", "GZ-1", "--json")[0]["job"]
        raw.say("APPEND", n=2, events=[{"type": "job.accepted", "v": 1, "key": "GZ-1", "by": "x", "data": {"job": mine}}])
        self.assertIsInstance(raw.answers(1)[0][1], int)

    def test_a_subscription_beyond_ones_rights(self):
        _, verb, said = self.opened("branch-GZ", "branch-GZ", regions=["SH"])
        self.assertEqual((verb, said), ("DENIED", {"code": "rights", "why": "SH"}))
        _, verb, said = self.opened("site-GZ", "site-GZ", sites=["shop-SH"])
        self.assertEqual((verb, said["code"]), ("DENIED", "rights"))
        self.on_record("rights", principal="branch-GZ")
        self.on_record("rights", principal="site-GZ")
        reader, verb, _ = self.opened("branch-GZ", "branch-GZ")  # asks for everything, gets what is its own
        self.assertEqual(verb, "OPENED")
        bodies = [msgpack.unpackb(body, timestamp=0) for body, _ in self.events_of(reader)]
        self.assertTrue([b for b in bodies if b["key"] == "GZ-1"])
        self.assertFalse([b for b in bodies if b.get("region", "").startswith("SH") or b["type"].startswith(("principal.", "stream."))])
        reader.say("ASK", id=1, to="dispatcher", question="jobs")
        self.assertEqual([reader.hear()[1].get("code")], ["denied"])
        self.on_record("question", principal="branch-GZ")

    def test_personal_data_by_right(self):
        for key, sees in (("branch-GZ", True), ("site-GZ", False)):
            reader, _, _ = self.opened(key, key, keys=["GZ-1"], types=["ticket.registered"])
            priv = [p for _, p in self.events_of(reader)]
            self.assertEqual([p is not None for p in priv], [sees] * len(priv), key)

    def test_an_unknown_incarnation_waits_for_the_operator(self):
        name, first, second = f"branch-GZ/{uuid.uuid4().hex[:8]}", os.urandom(16), os.urandom(16)
        self.source("branch-GZ", name, incarnation=first).close()
        self.assertEqual(self.refused_hello("branch-GZ", name, second)["code"], "incarnation")
        self.on_record("incarnation", principal="branch-GZ")
        self.stack("keys", "enrol", name, "--incarnation", second.hex())
        self.assertEqual(self.refused_hello("branch-GZ", name, first)["code"], "incarnation")
        self.source("branch-GZ", name, incarnation=second).close()
        self.stack("keys", "enrol", name)  # whatever comes next
        self.source("branch-GZ", name, incarnation=os.urandom(16)).close()
        self.assertEqual(self.refused_hello("branch-GZ", name, second)["code"], "incarnation")

    def test_a_cloned_spool_freezes_its_source(self):
        name, incarnation = f"branch-SH/{uuid.uuid4().hex[:8]}", os.urandom(16)
        raw = self.source("branch-SH", name, incarnation=incarnation)
        raw.say("APPEND", n=1, events=[registered("CLONE-1", "SH")])
        raw.answers(1)
        clone = self.source("branch-SH", name, incarnation=incarnation, last=1)
        clone.answers(1)
        clone.say("APPEND", n=1, events=[registered("CLONE-2", "SH")])
        verb, said, _ = clone.hear()
        self.assertEqual((verb, said["code"]), ("NAK", "conflict"))
        self.assertEqual(self.refused_hello("branch-SH", name, incarnation, last=1)["code"], "frozen")
        self.on_record("frozen", principal="branch-SH")
        listed = {r["principal"]: r for r in self.stack.lines("keys", "list", "--json")}
        self.assertEqual(listed["branch-SH"]["frozen"], name)
        self.source("branch-SH", f"branch-SH/{uuid.uuid4().hex[:8]}").close()  # its other sources are heard
        self.stack("keys", "enrol", name, "--incarnation", incarnation.hex())
        self.source("branch-SH", name, incarnation=incarnation, last=1).close()

    def test_so_many_new_sources_and_no_more(self):
        """Fifty thousand names within thirty days (services/intake/sources.h): no new one; those that are there go on."""
        self.stack("keys", "new", "branch-many", "--region", "GZ")
        self.source("branch-many", "branch-many/first", incarnation=b"f" * 16).close()
        self.stack.sql("INSERT INTO intake.source (id, name, nth) SELECT (SELECT max(id) FROM intake.source) + i, 'branch-many/' || i, i"
                       " FROM generate_series(2, 49999) i")
        self.source("branch-many", "branch-many/last").close()
        said = self.refused_hello("branch-many", "branch-many/beyond")
        self.assertEqual(said["code"], "sources", said)
        self.on_record("sources", principal="branch-many")
        self.source("branch-many", "branch-many/first", incarnation=b"f" * 16).close()
        self.source("branch-many", "branch-many").close()
        self.source("branch-SH", f"branch-SH/{uuid.uuid4().hex[:8]}").close()  # another's
        self.stack.sql("UPDATE intake.source SET since = now() - interval '30 days' WHERE name = 'branch-many/first'")
        self.source("branch-many", "branch-many/a-month-later").close()
        self.assertEqual(self.refused_hello("branch-many", "branch-many/beyond")["code"], "sources")  # the second one is young

    def test_a_name_that_said_nothing_for_a_month(self):
        """It is forgotten when intake begins; who comes back under it goes on as he was, by the same incarnation."""
        silent, heard = (f"branch-SH/{uuid.uuid4().hex[:8]}" for _ in range(2))
        self.source("branch-SH", silent, incarnation=b"s" * 16).close()
        raw = self.source("branch-SH", heard, incarnation=b"h" * 16)
        raw.say("APPEND", n=1, events=[{"type": "ticket.noted", "v": 1, "key": "SH-1", "by": "x", "data": {"kind": "call"}}])
        raw.answers(1)
        raw.close()
        self.stack.sql(f"UPDATE intake.source SET since = now() - interval '31 days' WHERE name IN ('{silent}', '{heard}')")
        self.stack.kill_and_wait_restart("intake")
        let_in = lambda: (self.stack.sql(f"SELECT name FROM intake.source WHERE name = '{silent}'") == []) and self.back("branch-SH", silent, b"s" * 16)
        raw = until("it is let in again", let_in)
        raw.say("APPEND", n=1, events=[{"type": "ticket.noted", "v": 1, "key": "SH-1", "by": "x", "data": {"kind": "call"}}])
        self.assertIsInstance(raw.answers(1)[0][1], int)
        self.assertEqual(self.refused_hello("branch-SH", heard, b"x" * 16, last=1)["code"], "incarnation")
        self.source("branch-SH", heard, incarnation=b"h" * 16, last=1).close()

    def back(self, key, name, incarnation):
        """None: intake is not there yet."""
        raw = Raw(self.cmd, "", self.stack.key(key))
        self.addCleanup(raw.close)
        try:
            return raw if raw.hello(name, incarnation, stream=self.stream)[0] == "WELCOME" else None
        except TimeoutError:
            return None

    def test_a_handshake_played_again(self):
        """Bytes of a whole CURVE session with a HELLO in it, sent a second time."""
        tape = Tape(self.stack.ports[0])
        name = f"branch-GZ/{uuid.uuid4().hex[:8]}"
        raw = self.source("branch-GZ", name, endpoint=tape.endpoint)
        raw.say("APPEND", n=1, events=[registered("AGAIN-1", "GZ")])
        raw.answers(1)
        head = self.stack.head()
        with socket.create_connection(("127.0.0.1", self.stack.ports[0])) as again:
            again.settimeout(30)
            try:
                again.sendall(tape.sent)
                while again.recv(65536):
                    pass  # until we are cut off
            except ConnectionError:
                pass
        self.on_record("handshake", address="cmd")
        raw.say("APPEND", n=2, events=[registered("AGAIN-2", "GZ")])  # the session was not taken over
        self.assertIsInstance(raw.answers(1)[0][1], int)
        self.assertEqual(self.stack.sql(f"SELECT count(*) FROM intake.journal WHERE key = 'AGAIN-1' AND pos > {head}"), [["0"]])

    def test_denials_are_bounded(self):
        for _ in range(40):
            self.refused_hello("site-SH", "operator/y")
        rows = [r["data"] for r in self.stack.lines("tail", "--type", "access.denied", "--json")
                if r["data"].get("principal") == "site-SH" and r["data"]["code"] == "name"]
        self.assertIn(len(rows), (1, 2))  # an hour may end meanwhile

    # --- the socket folder
    def test_a_local_program_that_dies_is_no_attempt(self):
        """A daemon killed in the middle of its handshake writes no event: the head stays where it was."""
        for _ in range(3):
            with socket.socket(socket.AF_UNIX) as peer:
                peer.connect(f"{self.stack.data}/s/live")
                peer.sendall(b"\xff\0\0\0\0\0\0\0\x01\x7f\x03")
        self.stack("keys", "new", "branch-mayfly", "--region", "GZ")
        fields = json.loads(self.stack.key("branch-mayfly").read_text())
        self.stack("keys", "revoke", "branch-mayfly")
        self.silent(self.cmd, (fields["server_key"], fields["public_key"], fields["secret_key"]))
        self.on_record("revoked", principal="branch-mayfly")  # told behind the three
        rows = self.stack.lines("tail", "--type", "access.denied", "--json")
        self.assertEqual([r for r in rows if r["data"].get("address") == "live"], [])

    def test_the_local_folder_needs_no_key(self):
        raw = Raw(f"ipc://{self.stack.data}/s/cmd", "")
        self.addCleanup(raw.close)
        if os.geteuid() == 0:
            self.assertEqual(raw.hello("operator/" + uuid.uuid4().hex, os.urandom(16), stream=self.stream)[0], "WELCOME")

    def test_the_command_of_who_sees_one_region(self):
        """How the stream was begun is not shown to him; its name, which he needs, is."""
        out = self.stack.data / "narrow.key"
        self.stack("keys", "new", "narrow-1", "--kind", "integrator", "--region", "GZ")
        self.stack("keys", "export", "narrow-1", "--host", "127.0.0.1", "--out", out)
        env = {"AFTERCARE_KEY": str(out), "AFTERCARE_SOCKETS": str(self.stack.data / "nowhere")}
        keys = {event["key"] for event in self.stack.lines("tail", "--type", "ticket.", "--json", env=env)}
        self.assertIn("GZ-1", keys)
        self.assertNotIn("SH-1", keys)
        self.assertIn("ticket registered", self.stack("ticket", "GZ-1", env=env).stdout)
        desk = self.stack.data / "gz-desk.key"
        self.stack("keys", "new", "gz-desk", "--kind", "desk", "--personal", "--region", "GZ")
        self.stack("keys", "export", "gz-desk", "--host", "127.0.0.1", "--out", desk)
        env["AFTERCARE_KEY"] = str(desk)
        self.stack("say", "note", "GZ-1", "text=by who sees one region", env=env)
        follower = subprocess.Popen(self.stack.command("aftercare", "tail", "--follow", "--json"), stdout=subprocess.PIPE, text=True,
                                    env={**os.environ, **env, "AFTERCARE_KEY": str(out)})
        try:  # from now on, without asking what he may not ask
            until("it follows", lambda: self.stack("say", "note", "GZ-1", "text=again", env=env) and select.select([follower.stdout], [], [], 1)[0])
            self.assertEqual(json.loads(follower.stdout.readline())["key"], "GZ-1")
        finally:
            follower.terminate()
            follower.wait()
            follower.stdout.close()

    def test_the_command_by_tcp(self):
        """As from another machine: the key file says who, where and whose server."""
        out = self.stack.data / "desk.key"
        self.stack("keys", "new", "desk-1", "--kind", "desk", "--personal")
        self.stack("keys", "export", "desk-1", "--host", "127.0.0.1", "--out", out)
        env = {"AFTERCARE_KEY": str(out), "AFTERCARE_SOCKETS": str(self.stack.data / "nowhere")}
        self.stack("say", "note", "GZ-1", "text=by tcp", env=env)
        self.assertTrue(self.stack.sql("SELECT 1 FROM intake.journal j JOIN intake.source s ON s.id = j.source WHERE s.name LIKE 'desk-1/%'"))
        self.assertEqual(self.stack("policy", "publish", self.stack.share("policies/incidents.yaml"), check=False, env=env).returncode, 1)
        with self.assertRaises(Failed):
            self.stack("keys", "export", "desk-1", "--out", out)  # what is there stays


if __name__ == "__main__":
    unittest.main(verbosity=2)
