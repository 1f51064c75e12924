"""What a source meets, and who asks."""
import time

from cmd_side import Intake, wait_quiet
from kit import PAUSES, Broken, paused


def appended(k):
    """six hundred facts"""
    said = k.greeted("append", 600, k.state)
    if said["first"] != 1 or said["last"] > 600:
        raise Broken("A1", f"a new source says first {said['first']}, last {said['last']}")
    k.finish(600, "A2")


def window(k):
    """a window of 20 events"""
    k.greeted("append", 70, k.state, events=20)
    while k.next_n <= 70:
        first = k.next_n
        events = k.expect_append(rule="A3")
        if len(events) == 20:
            wait_quiet(k, time.monotonic(), 0.3, "A3", "while the window was full")
        k.ack(first, k.next_n - 1)
    k.wait_end("A3")
    k.answers(70)


def window_bytes(k):
    """a window of 2,000 bytes"""
    k.greeted("append", 70, k.state, size=2000)
    k.finish(70, "A3")


def partly_acked(k):
    """answers that come one at a time"""
    k.greeted("append", 30, k.state)
    while k.next_n <= 30:
        first = k.next_n
        for n in range(first, first + len(k.expect_append())):
            k.ack(n, n)
    k.wait_end("A9")
    k.answers(30)


def refused(k):
    """two refusals among the answers"""
    k.greeted("append", 12, k.state)
    k.finish(12, "A9", refused=(3, 12))


def acked_twice(k):
    """answers that come a second time"""
    k.greeted("append", 600, k.state, events=100)
    while k.next_n <= 600:
        first = k.next_n
        k.expect_append()
        k.ack(first, k.next_n - 1)
        k.ack(first, k.next_n - 1)
    k.wait_end("A9")
    k.answers(600)


def lost_ack(k):
    """taken, but the answer is lost with the line"""
    k.all_sent(hb_ms=200)
    k.cut("cmd")
    said = k.expect_hello("A11", "HELLO after the line was cut")
    if said["first"] != 1:
        raise Broken("A5", f"HELLO says first {said['first']}, nothing was answered")
    k.welcome(durable=10)
    k.ack(1, 10)
    k.finish(10, "A5")


def lost_append(k):
    """lost before it was taken: the same bytes again"""
    k.all_sent(hb_ms=200)
    k.cut("cmd")
    k.expect_hello("A11", "HELLO after the line was cut")
    k.welcome(durable=4)
    k.ack(1, 4)
    k.finish(10, "A2")


def busy(k):
    """BUSY to an APPEND"""
    k.all_sent()
    began = time.monotonic()
    k.drop("BUSY", {"retry_ms": 700}, next_n=1)
    wait_quiet(k, began, 0.65, "A6", "before retry_ms had passed")
    k.finish(10, "A6")


def busy_between(k):
    """BUSY behind some answers"""
    k.all_sent()
    k.ack(1, 6)
    k.drop("BUSY", {"retry_ms": 300}, next_n=7)
    k.finish(10, "A6")


def busy_hello(k):
    """BUSY to HELLO"""
    k.start("append", 10, k.state)
    k.expect_hello()
    began = time.monotonic()
    k.reply("BUSY", {"retry_ms": 600, "why": "too many sessions"})
    wait_quiet(k, began, 0.55, "A6", "before retry_ms had passed")
    k.expect_hello("A6", "HELLO once more")
    k.welcome()
    k.finish(10, "A6")


def nak_gap(k):
    """NAK gap: back to where it says"""
    k.all_sent()
    k.ack(1, 3)
    k.drop("NAK", {"n": 5, "code": "gap", "expected": 4}, next_n=4)
    k.finish(10, "A7")


def nak_conflict(k):
    """NAK conflict: the end"""
    k.all_sent()
    k.reply("NAK", {"n": 1, "code": "conflict"})
    k.wait_end("A8")
    k.ended("conflict", "A8")


def denied_hello(k):
    """another incarnation is enrolled"""
    k.start("append", 10, k.state)
    k.expect_hello()
    k.reply("DENIED", {"code": "incarnation", "why": "another spool than the one enrolled; an operator lets it in"})
    k.wait_end("A8")
    k.ended("denied", "A8")


def superseded(k):
    """a newer session of the source has begun"""
    k.all_sent()
    k.reply("DENIED", {"code": "superseded", "why": "a newer session of this source has begun"})
    k.wait_end("A8")
    k.ended("denied", "A8")


def hello_again(k):
    """intake was started again and knows no session"""
    k.all_sent()
    k.ack(1, 4)
    k.reply("ERROR", {"id": 0, "code": "hello", "why": "say HELLO first"})
    said = k.expect_hello("A10", "HELLO once more")
    if said["first"] != 5:
        raise Broken("A1", f"HELLO says first {said['first']}, 5 is the oldest number not yet answered")
    k.welcome(durable=4)
    k.finish(10, "A10")


def nobody_serves(k):
    """MOVED again and again, and no word of where to: later, and each time later"""
    k.start("append", 10, k.state)
    k.expect_hello()
    for pause in PAUSES:
        began = time.monotonic()
        k.reply("MOVED", {})
        k.expect_hello("A12", "HELLO once more")
        paused(began, pause, "HELLO")
    k.welcome()
    k.finish(10, "A12")


def moved(k):
    """intake is elsewhere"""
    elsewhere = k.router()
    k.start("append", 10, k.state)
    k.expect_hello()
    k.reply("MOVED", {"endpoints": [k.address(elsewhere)]})
    k.cmd, k.left = elsewhere, k.cmd
    k.expect_hello("A12", "HELLO at the new endpoint")
    k.welcome()
    k.finish(10, "A12")


def standby(k):
    """the first of two intakes stands by: MOVED, and no word of where to"""
    serving, k.cmd = k.cmd, k.router()
    k.endpoints["cmd"] = [k.address(k.cmd), k.address(serving)]
    k.start("append", 10, k.state)
    k.expect_hello()
    k.reply("MOVED", {})
    k.cmd, k.left = serving, k.cmd
    k.expect_hello("A12", "HELLO at the next endpoint")
    k.welcome()
    k.finish(10, "A12")


def given_up(k):
    """nobody at the first of two endpoints, until the second one is greeted: what waited for the first goes with its socket"""
    absent = k.router()
    address = k.address(absent)
    k.endpoints["cmd"] = [address, *k.endpoints["cmd"]]
    k.let_go(absent)
    k.start("append", 10, k.state)
    k.expect_hello("T5", "HELLO at the next endpoint")
    k.left, k.left_rule = k.bind_again(address), "T6"
    wait_quiet(k, time.monotonic(), 2.5, "T6", "after one HELLO")
    k.welcome()
    k.finish(10, "T6")


def silence(k):
    """no word after an APPEND: PING at the beat, after three a new connection"""
    k.all_sent(hb_ms=300)
    pings = 0
    while True:
        said = k.hear(rule="A11", want="PING, and HELLO anew")
        if said.verb == "PING":
            pings += 1
        elif said.verb == "HELLO":
            break
        else:
            raise Broken("A11", f"{said.verb} in the silence")
    if pings < 1 or said.peer == k.cmd_peer:
        raise Broken("A11", "no PING in three beats of silence" if pings < 1 else "HELLO over the silent connection")
    k.cmd_peer, k.flying, k.flying_bytes = said.peer, 0, 0
    k.welcome()
    k.finish(10, "A11")


def patient(k):
    """an answer that takes long, while PING is answered"""
    k.all_sent(hb_ms=1000)
    wait_quiet(k, time.monotonic(), 4, "A11", "though its PINGs were answered")
    k.ack(1, 10)
    k.finish(10, "A11")


def killed(k):
    """killed before the answer, started again with the same state"""
    k.all_sent()
    source = k.source
    k.kill()
    k.start("append", 10, k.state)
    k.expect_hello("A13")
    if k.source != source:
        raise Broken("A13", f"with the same state it is {k.source!r}, it was {source!r}")
    k.welcome(durable=7)
    k.ack(1, 7)
    k.finish(10, "A5")


def second_run(k):
    """a second run with the same state goes on with the next number"""
    k.greeted("append", 5, k.state)
    k.finish(5, "A2")
    k.start("append", 9, k.state)
    said = k.expect_hello("A13")
    if said["last"] < 5:
        raise Broken("A13", f"HELLO says {said['last']} was the last number, 5 were answered")
    if said["first"] != 6:
        raise Broken("A1", f"HELLO says first {said['first']}, 6 is the oldest number not yet answered")
    k.welcome(durable=5)
    k.finish(9, "A13", first=6)


def half_frames(k):
    """messages that are none, between the answers"""
    k.all_sent()
    for frames in ([b"ACK"], [b"ACK", b"\x81\xa7answers"], [b"ACK", b"\x93\x01\x02\x03"], [b"\xff", b"\x80"], [b"ACK", b"\x80", b"\x80"]):
        k.cmd.send_multipart([k.cmd_peer, *frames])
    k.reply("WEATHER", {"sun": True})
    k.ack(1, 10)
    k.finish(10, "T3")


# --- questions

def rows(k, first, n):
    return [{"ticket": f"T-{i}", "n": i} for i in range(first, first + n)]


def expect_ask(k, rule="Q1"):
    while True:
        said = k.hear(rule=rule, want="ASK")
        if said.verb == "ASK":
            break
    if (said["to"], said["question"]) != ("reporting", "tickets"):
        raise Broken("Q1", f"ASK to {said['to']!r}: {said['question']!r}")
    if said["id"] in k.ids:
        raise Broken("Q1", f"ASK with the id {said['id']} once more")
    k.ids.add(said["id"])
    k.peer = said.peer
    return said


def told(k, n, rule):
    k.wait_end(rule)
    k.ended("done", rule)
    if [line for line in k.lines if "ticket" in line] != rows(k, 1, n):
        raise Broken(rule, f"its caller got {len(k.lines) - 1} rows, {n} were due")


def asked(k):
    """an answer; one to another question before it"""
    k.start("ask", "reporting", "tickets")
    said = expect_ask(k)
    k.say("ANSWER", {"id": said["id"] + 77, "rows": rows(k, 50, 2), "as_of": 1})
    k.say("ANSWER", {"id": said["id"], "rows": rows(k, 1, 3), "as_of": 40})
    told(k, 3, "Q1")
    if k.lines[-1].get("as_of") != 40:
        raise Broken("Q1", f"as_of is {k.lines[-1].get('as_of')}, the answer holds for 40")


def paged(k):
    """three pages"""
    k.start("ask", "reporting", "tickets")
    for page, after in enumerate(("", "p1", "p2")):
        said = expect_ask(k, "Q2")
        if (said["after"] or "") != after:
            raise Broken("Q2", f"ASK after {said['after']!r}, the page before ended at {after!r}")
        k.say("ANSWER", {"id": said["id"], "rows": rows(k, 1 + 2 * page, 2), "as_of": 40,
                         **({"more": True, "after": f"p{page + 1}"} if page < 2 else {})})
    told(k, 6, "Q2")


def ask_later(k):
    """nobody there, busy: later"""
    k.start("ask", "reporting", "tickets")
    said = expect_ask(k, "Q3")
    for code, pause in zip(("nobody", "busy", "database", "timeout", "unavailable"), PAUSES):
        began = time.monotonic()
        k.say("ERROR", {"id": said["id"], "code": code})
        said = expect_ask(k, "Q3")
        paused(began, pause, "ASK")
    k.say("ANSWER", {"id": said["id"], "rows": rows(k, 1, 3), "as_of": 40})
    told(k, 3, "Q3")


def ask_standby(k):
    """the first of two feeds stands by"""
    serving, k.feed = k.feed, k.router()
    k.endpoints["feed"] = [k.address(k.feed), k.address(serving)]
    k.start("ask", "reporting", "tickets")
    expect_ask(k)
    k.say("MOVED", {})
    k.feed, k.left, k.left_rule = serving, k.feed, "F18"
    k.say("ANSWER", {"id": expect_ask(k, "F18")["id"], "rows": rows(k, 1, 3), "as_of": 40})
    told(k, 3, "F18")


def ask_refused(k):
    """no right to ask"""
    k.start("ask", "reporting", "tickets")
    k.say("ERROR", {"id": expect_ask(k, "Q4")["id"], "code": "denied", "why": "reporting's questions are for desks"})
    k.wait_end("Q4")
    k.ended("denied", "Q4")


def ask_unread(k):
    """an ASK that could not be read: ERROR without `id` is this one's"""
    k.start("ask", "reporting", "tickets")
    expect_ask(k)
    k.say("ERROR", {"code": "malformed", "why": "limit"})
    k.wait_end("Q1")
    k.ended("refused", "Q1")


CHECKS = [appended, window, window_bytes, partly_acked, refused, acked_twice, lost_ack, lost_append, busy, busy_between, busy_hello,
          nak_gap, nak_conflict, denied_hello, superseded, hello_again, nobody_serves, moved, standby, given_up, silence, patient, killed, second_run, half_frames,
          asked, paged, ask_later, ask_standby, ask_refused, ask_unread]
SIDE = Intake
