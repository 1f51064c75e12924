"""A relay between clients and a daemon, or between a daemon and PostgreSQL, whose connections a test can cut, reset, hold up, or
end in the middle of a commit. It changes nothing that passes."""
import os
import select
import selectors
import socket
import struct
import threading
import time

COMMIT = b"COMMIT\0"  # the statement on its way to the server, and the server's word that it is done
RESET = struct.pack("ii", 1, 0)
# Where a commit may be cut: nobody gets it; it is done and nobody is told; it is done and told late.
COMMIT_CUTS = ("before", "behind", "late")


def listen_tcp(host="127.0.0.1", port=0):
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind((host, port))
    return listener


def listen_unix(path):
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(path))
    os.chmod(path, 0o777)
    return listener


class Relay(threading.Thread):
    """From a listening socket to where target() says at each new connection: a TCP port of 127.0.0.1 or a unix socket's path."""

    def __init__(self, listener, target):
        super().__init__(daemon=True)
        self.target, self.listener = target if callable(target) else lambda: target, listener
        self.port = listener.getsockname()[1] if listener.family == socket.AF_INET else None
        listener.listen(64)
        listener.setblocking(False)
        self.selector = selectors.DefaultSelector()
        self.peers, self.waiting, self.fronts = {}, {}, set()
        self.orders, self.stopping, self.still_until = [], False, 0
        self.commit, self.commit_met = None, threading.Event()  # the cut to come: (where, seconds, of)
        self.awaited, self.tails, self.holding = set(), {}, set()
        self.wake, self.waker = socket.socketpair()
        self.selector.register(listener, selectors.EVENT_READ)
        self.selector.register(self.wake, selectors.EVENT_READ)
        self.start()

    # --- what a test asks for
    def order(self, deed):
        self.orders.append(deed)
        self.waker.send(b"x")

    def cut(self, reset=False):
        """Every connection ends now, by a FIN or by a RST; new ones are let in."""
        self.order(lambda: self.end_all(reset))

    def still(self, seconds):
        """Nothing passes for so long, and nobody is told."""
        def begin():
            self.still_until = time.monotonic() + seconds
        self.order(begin)

    def cut_commit(self, where, seconds=0, of=b""):
        """The next commit that passes, of a transaction that has this text in it, is cut there; commit_met is set when that has
        happened."""
        assert where in COMMIT_CUTS
        self.commit_met.clear()
        self.commit = (where, seconds, of)

    def stop(self):
        self.stopping = True
        self.waker.send(b"x")
        self.join(10)

    # --- its thread
    def run(self):
        while not self.stopping:
            if time.monotonic() < self.still_until:
                if select.select([self.wake], [], [], min(0.5, self.still_until - time.monotonic()))[0]:
                    self.obey()
                continue
            for key, mask in self.selector.select(5):
                if key.fileobj is self.wake:
                    self.obey()
                elif key.fileobj is self.listener:
                    self.accept()
                elif key.fileobj in self.peers:
                    if mask & selectors.EVENT_WRITE:
                        self.write(key.fileobj)
                    if key.fileobj in self.peers and mask & selectors.EVENT_READ:
                        self.read(key.fileobj)
        self.end_all()
        self.listener.close()

    def obey(self):
        self.wake.recv(4096)
        while self.orders:
            self.orders.pop(0)()

    def accept(self):
        near = far = None
        try:
            near, _ = self.listener.accept()
            target = self.target()
            far = socket.socket(socket.AF_INET if isinstance(target, int) else socket.AF_UNIX)
            far.settimeout(2)
            far.connect(("127.0.0.1", target) if isinstance(target, int) else str(target))
        except OSError:
            for one in (near, far):
                if one is not None:
                    one.close()
            return
        self.fronts.add(near)
        for one, other in ((near, far), (far, near)):
            if one.family == socket.AF_INET:
                one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            one.setblocking(False)
            self.peers[one], self.waiting[one] = other, b""
            self.selector.register(one, selectors.EVENT_READ)

    def watch(self, one):
        """Reads from one while its peer takes it; writes while something waits."""
        events = (selectors.EVENT_READ if not self.waiting[self.peers[one]] else 0) | \
                 (selectors.EVENT_WRITE if self.waiting[one] else 0)
        known = one in self.selector.get_map()
        if events and known:
            self.selector.modify(one, events)
        elif events:
            self.selector.register(one, events)
        elif known:
            self.selector.unregister(one)

    def read(self, one):
        try:
            data = one.recv(1 << 18)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        passes = self.commit_passes(one, data) if data else "end"
        if passes == "end":
            return self.end(one)
        other = self.peers[one]
        self.waiting[other] += data
        if passes == "now":
            self.write(other)
        else:
            self.watch(other)
            self.watch(one)

    def write(self, one):
        try:
            sent = one.send(self.waiting[one]) if self.waiting[one] else 0
        except BlockingIOError:
            sent = 0
        except OSError:
            return self.end(one)
        self.waiting[one] = self.waiting[one][sent:]
        self.watch(one)
        self.watch(self.peers[one])

    # --- commits
    def commit_passes(self, one, data):
        """now, later, or end: this connection ends here, and what it brought is thrown away."""
        seen = self.tails.get(one, b"") + data
        self.tails[one] = seen[1 - len(COMMIT):]
        commit = self.commit
        if commit is not None and commit[2] in seen:
            self.holding.add(one)
        if COMMIT not in seen:
            return "now"
        holds = one in self.holding
        self.holding.discard(one)
        if commit is None or (one in self.fronts and not holds):
            return "now"
        where, seconds, _ = commit
        if one in self.fronts and where != "before":
            self.awaited.add(self.peers[one])  # for the server's word
            return "now"
        if one not in self.fronts and one not in self.awaited:
            return "now"
        self.commit = None
        self.awaited.clear()
        if where == "late":
            self.still_until = time.monotonic() + seconds
        self.commit_met.set()
        return "later" if where == "late" else "end"

    # --- ends
    def end_all(self, reset=False):
        while self.peers:
            self.end(next(iter(self.peers)), reset)

    def end(self, one, reset=False):
        for peer in (one, self.peers.get(one)):
            if peer is None:
                continue
            if peer in self.selector.get_map():
                self.selector.unregister(peer)
            if reset and peer.family == socket.AF_INET:
                peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
            self.peers.pop(peer, None)
            self.waiting.pop(peer, None)
            self.awaited.discard(peer)
            self.tails.pop(peer, None)
            self.holding.discard(peer)
            self.fronts.discard(peer)
            peer.close()
