"""A client written from proto/README.md alone: reads the whole stream from feed, no hole, every link verified.
    client.py KEYFILE [ENDPOINT]"""
import hashlib
import json
import sys

import msgpack
import zmq

CREDIT = 1 << 20


def digest(data):
    return hashlib.sha256(data).digest()[:16]


def show(socket, key):
    """By CURVE, with what the key file says: before connect."""
    with open(key, encoding="utf-8") as file:
        fields = json.load(file)
    socket.curve_serverkey = fields["server_key"].encode()
    socket.curve_publickey = fields["public_key"].encode()
    socket.curve_secretkey = fields["secret_key"].encode()
    return fields


class Reader:
    def __init__(self, endpoint, consumer, key=None):
        self.socket = zmq.Context.instance().socket(zmq.DEALER)
        self.socket.linger = 0
        if key is not None:
            show(self.socket, key)
        self.socket.connect(endpoint)
        self.consumer = consumer
        self.bodies = []  # as they came

    def say(self, verb, **fields):
        self.socket.send_multipart([verb.encode(), msgpack.packb(fields)])

    def hear(self, seconds=120):
        if not self.socket.poll(seconds * 1000):
            raise TimeoutError("nobody answers")
        verb, fields = self.socket.recv_multipart()
        return verb.decode(), msgpack.unpackb(fields, timestamp=0), len(fields)

    def events(self):
        """Every event from the first to the head."""
        self.say("OPEN", consumer=self.consumer, after=0, credit=CREDIT)
        have, link = 0, None
        while True:
            verb, fields, size = self.hear()
            if verb == "BATCH":
                assert fields.get("after", 0) == have, f"a hole: {fields.get('after')} after {have}"
                for body, priv in fields["events"]:
                    event = msgpack.unpackb(body)
                    assert event["pos"] == have + 1, f"a hole: {event['pos']} after {have}"
                    if link is None:  # the first event tells the stream's id
                        link = digest(event["data"]["stream"].encode())
                    have, link = have + 1, digest(link + body)
                    self.bodies.append(body)
                    yield event
                assert fields["upto"] == have and fields["link"] == link, f"the link at {have} is wrong"
                self.say("CREDIT", bytes=size, applied=have)
            elif verb == "CAUGHT_UP":
                assert fields["head"] == have
                return
            elif verb not in ("OPENED", "HEAD"):
                raise RuntimeError(f"{verb} {fields}")


if __name__ == "__main__":
    with open(sys.argv[1], encoding="utf-8") as own:
        me = json.load(own)
    where = sys.argv[2] if len(sys.argv) > 2 else me["endpoints"]["feed"][0]
    print(sum(1 for _ in Reader(where, me["principal"] + "/client", sys.argv[1]).events()))
