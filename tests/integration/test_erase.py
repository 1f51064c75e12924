#!/usr/bin/env python3
"""`aftercare erase CUSTOMER`: nothing of the person is left in any row, kept file or heap file; the journal's proof holds; workers'
tables are what a fresh fold gives; another customer's data stand."""
import json
import os
import pathlib
import subprocess
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).parent))
from client import Reader  # noqa: E402
from stack import USER, Stack, WORKERS, jsonl, until  # noqa: E402

# Words that stand nowhere but in what the person gave, and one (the id) that stays.
PERSON = {"name": "欧阳静然·Qwxz", "phone": "13907719955501", "address": "南京路Zxvq-418号", "words": "漏水Yyzzq从周一起", "called": "02188844477799"}
OTHER = {"name": "司马相Rtkp", "phone": "13666000111222", "address": "解放路Wwkk-9号"}


def facts():
    """Stories of two customers: archive, tickets, notes, calls, a callback's note, refused ones with and without a number."""
    out = [{"type": "site.updated", "key": "S1", "data": {"name": "网点", "tier": 3, "territories": ["3101"], "region": "3101"}},
           {"type": "customer.updated", "key": "C-17", "data": {"name": PERSON["name"], "phone": PERSON["phone"], "address": PERSON["address"]}},
           {"type": "customer.updated", "key": "C-171", "data": {"name": OTHER["name"], "phone": OTHER["phone"], "address": OTHER["address"]}},
           {"type": "call.rang", "key": "CALL-1", "data": {"line": "4008", "number": PERSON["called"]}},
           {"type": "call.received", "key": "CALL-1", "data": {"customer": "C-17", "number": PERSON["called"], "text": PERSON["words"]}},
           {"type": "call.rang", "key": "CALL-2", "data": {"line": "4008", "number": OTHER["phone"]}},
           {"type": "call.received", "key": "CALL-2", "data": {"customer": "C-171", "number": OTHER["phone"]}}]
    for i in range(40):
        who, person = ("C-17", PERSON) if i % 4 == 0 else ("C-171", OTHER)
        out.append({"type": "ticket.registered", "key": f"T-{i}", "data": {
            "kind": "leak", "region": "3101", "description": PERSON["words"] if i % 4 == 0 else "滴水",
            "customer": {"id": who, "name": person["name"], "phone": person["phone"], "address": person["address"]}}})
        out.append({"type": "ticket.noted", "key": f"T-{i}", "data": {"kind": "call", "text": f"{person['name']} rang from {person['phone']}"}})
    out.append({"type": "call.received", "key": "CALL-3", "data": {"ticket": "T-4", "number": PERSON["called"]}})
    # Refused, and kept as they were sent.
    out.append({"type": "ticket.registered", "key": "T-4", "data": {"kind": "leak", "region": "3101", "customer": {
        "id": "C-17", "name": PERSON["name"], "phone": PERSON["phone"]}}})
    out.append({"type": "ticket.noted", "key": "T-999", "data": {"kind": "call", "text": OTHER["name"]}})
    return out


def found(folder, words, leave_out=("pg_wal", "pg_stat_tmp")):
    """Files below the folder that hold one of the words, in UTF-8."""
    needles = [w.encode() for w in words]
    hits = []
    for at, folders, files in os.walk(folder):
        folders[:] = [f for f in folders if f not in leave_out]
        for name in files:
            path = pathlib.Path(at) / name
            try:
                content = path.read_bytes()
            except OSError:  # sockets; a file that has just gone
                continue
            hits += [f"{path}: {w.decode()}" for w in needles if w in content]
    return hits


class Erase(unittest.TestCase):
    def rows_with(self, stack, words):
        """Tables of all schemas in whose rows one of the words stands, texts and bytes alike."""
        tables = stack.sql("SELECT schemaname, tablename FROM pg_tables WHERE schemaname NOT LIKE 'pg\\_%' AND schemaname <> 'information_schema'")
        needles = [w.replace("'", "''") for w in words] + [w.encode().hex() for w in words]
        return stack.sql(" UNION ALL ".join(
            f"SELECT '{schema}.{table}' FROM \"{schema}\".\"{table}\" r WHERE " + " OR ".join(f"strpos(r::text, '{n}') > 0" for n in needles)
            for schema, table in tables))

    def test_erase(self):
        with Stack() as stack:
            stack("policy", "publish", TREE_POLICY)
            path = jsonl(stack.data / "facts.jsonl", facts())
            stack("append", path, check=False)  # two of them are refused
            os.unlink(path)
            stack.wait_caught_up()
            stack.sql("ANALYZE; CHECKPOINT")  # samples too must hold nothing personal
            self.assertTrue(self.rows_with(stack, PERSON.values()), "nothing personal was stored: the test shows nothing")
            self.assertTrue(found(stack.data / "pg", PERSON.values()))
            head = stack.head()
            proof = f"SELECT pos, encode(link, 'hex'), encode(body, 'hex') FROM intake.journal WHERE pos <= {head} ORDER BY pos"
            links = stack.sql(proof)  # only to the head: limits go on to be overrun meanwhile

            done = stack.json("erase", "C-17", "--reason", "asked for")
            self.assertTrue(done["done"])
            # The archive's entry, 10 tickets with a note each, two calls' events and the ringing before one of them; one refusal.
            self.assertEqual((done["events"], done["refusals"]), (1 + 20 + 3, 1))

            stack.wait_caught_up()
            stack.sql("CHECKPOINT")
            self.assertEqual(self.rows_with(stack, PERSON.values()), [])
            self.assertEqual(found(stack.data, PERSON.values()), [])
            self.assertTrue(self.rows_with(stack, OTHER.values()), "the other customer's data are gone too")

            # Bodies and links are as they were, and everybody can prove it.
            self.assertEqual(stack.sql(proof), links)
            stack("verify")
            for worker in WORKERS:
                stack("rebuild", worker)
            stack("verify")

            # What is shown.
            story = stack("ticket", "T-4").stdout
            self.assertIn("(personal data erased, or not for you)", story)
            self.assertIn("（个人信息已删除，或您无权查看）", stack("ticket", "T-4", env={"LC_ALL": "zh_CN.UTF-8", "LANG": "zh_CN.UTF-8"}).stdout)
            self.assertNotIn("erased", stack("ticket", "T-5").stdout)
            for event in stack.lines("tail", "--format", "jsonl"):
                self.assertFalse([w for w in PERSON.values() if w in json.dumps(event, ensure_ascii=False)])

            # Later facts are new ones: they are taken as ever, and may be erased again.
            stack("say", "note", "T-4", "kind=call", f"text={PERSON['name']}")
            self.assertTrue(self.rows_with(stack, PERSON.values()))
            stack("erase", "C-17")
            self.assertEqual(self.rows_with(stack, PERSON.values()), [])

            # Told in one breath with its erasure: the newest events, which readers are sent out of memory, have it no longer either.
            known = {"type": "customer.updated", "key": "C-18", "data": {"name": PERSON["name"], "phone": PERSON["phone"]}}
            stack("append", jsonl(stack.data / "both.jsonl", 30 * [known] + [
                {"type": "personal.erased", "key": "C-18", "data": {"customer": "C-18", "reason": "by mistake"}}]))
            os.unlink(stack.data / "both.jsonl")
            until("erased", lambda: stack.sql("SELECT 1 FROM intake.erased WHERE customer = 'C-18' AND erased IS NOT NULL"), 120)
            told = int(stack.sql("SELECT min(pos) FROM intake.journal WHERE key = 'C-18'")[0][0])
            for after in range(told - 1, told + 30):
                self.assertFalse([w for w in PERSON.values() if w.encode() in self.sent(stack, after)])

    def sent(self, stack, after):
        """The next batch of who begins there."""
        reader = Reader(f"ipc://{stack.data}/s/feed", "operator/late")
        self.addCleanup(reader.socket.close, 0)
        reader.say("OPEN", consumer=reader.consumer, after=after, credit=1 << 20)
        self.assertEqual(reader.hear()[0], "OPENED")
        verb, fields, _ = reader.hear()
        self.assertEqual(verb, "BATCH")
        return b"".join(body + (priv or b"") for body, priv in fields["events"])

    def test_nobody_and_again_after_a_kill(self):
        with Stack() as stack:
            self.assertEqual(stack.json("erase", "C-404")["events"], 0)
            self.assertEqual(stack("erase", "not a key", check=False).returncode, 2)
            stack("policy", "publish", TREE_POLICY)
            stack("append", jsonl(stack.data / "facts.jsonl", facts()), check=False)
            os.unlink(stack.data / "facts.jsonl")
            # Ordered, and intake is killed at once: whoever comes after goes on with it.
            stack("say", "erase", "C-17", "customer=C-17")
            stack.kill_and_wait_restart("intake")
            until("erased after the kill", lambda: stack.sql("SELECT 1 FROM intake.erased WHERE customer = 'C-17' AND rewritten IS NOT NULL"), 120)
            self.assertEqual(self.rows_with(stack, PERSON.values()), [])

            # Who still reads the past (a backup), or has begun to write before (a worker's transaction), keeps the bytes in the files: it is
            # waited for, and holds up nobody else.
            self.erase_beside(stack, "BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT count(*) FROM intake.journal;\n")
            self.erase_beside(stack, "BEGIN; SELECT pg_current_xact_id();\n")

    def test_a_unit_that_was_sold_on(self):
        """What was said of it while it was hers goes, whoever has it now; what was said in the next owner's time stays, and the other way round."""
        with Stack() as stack:
            stack("policy", "publish", TREE_POLICY)
            hers, his = "Ohphae7u", "Eisoh2ch"
            visit = lambda words: {"type": "customer.informed", "key": "SN-1", "data": {"about": "treatment", "text": words}}  # noqa: E731
            sold = lambda customer: {"type": "unit.sold", "key": "SN-1", "data": {"product": "pump", "region": "3101", "customer": customer}}  # noqa: E731
            stack("append", jsonl(stack.data / "facts.jsonl", [visit(hers + "0"), sold("C-1"), visit(hers + "1"), sold("C-2"), visit(his)]))
            os.unlink(stack.data / "facts.jsonl")
            self.assertTrue(self.rows_with(stack, [hers]))
            self.assertEqual(stack.json("erase", "C-1")["events"], 2)
            self.assertEqual(self.rows_with(stack, [hers]), [])
            self.assertTrue(self.rows_with(stack, [his]), "the next owner's went too")
            self.assertEqual(stack.json("erase", "C-2")["events"], 1)
            self.assertEqual(self.rows_with(stack, [his]), [])

    def erase_beside(self, stack, transaction):
        stack("say", "note", "T-4", "kind=call", f"text={PERSON['name']}")
        words = ["psql", "-X", "-A", "-t", "-h", str(stack.data / "s"), "-U", "postgres", "-d", "aftercare"]
        with subprocess.Popen((["runuser", "-u", USER, "--"] if USER else []) + words, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                              text=True, cwd="/") as other:
            other.stdin.write(transaction)
            other.stdin.flush()
            self.assertEqual(other.stdout.readline().strip(), "BEGIN")
            self.assertTrue(int(other.stdout.readline()) > 0)
            stack("say", "erase", "C-17", "customer=C-17")
            order = stack.sql("SELECT max(pos) FROM intake.journal WHERE type = 'personal.erased'")[0][0]
            until("its rows erased", lambda: stack.sql(f"SELECT 1 FROM intake.erased WHERE pos = {order} AND erased IS NOT NULL"), 120)
            self.assertEqual(self.rows_with(stack, PERSON.values()), [])
            stack("say", "note", "T-5", "kind=call", "text=goes on")
            self.assertFalse(stack.sql(f"SELECT 1 FROM intake.erased WHERE pos = {order} AND rewritten IS NOT NULL"))
            other.stdin.close()
            other.wait(120)
        until("tables written anew", lambda: stack.sql(f"SELECT 1 FROM intake.erased WHERE pos = {order} AND rewritten IS NOT NULL"), 120)
        stack.sql("CHECKPOINT")
        self.assertEqual(found(stack.data / "pg", PERSON.values()), [])


TREE_POLICY = pathlib.Path(__file__).resolve().parents[2] / "tests/simulation/policy.yaml"

if __name__ == "__main__":
    unittest.main(verbosity=2)
