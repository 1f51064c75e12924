"""A TCP relay between clients and a daemon, whose connections a test can cut or hold up. It changes nothing that passes."""
import selectors
import socket
import threading


class Relay(threading.Thread):
    """Listens on 127.0.0.1:port, forwards to 127.0.0.1:target."""

    def __init__(self, port, target):
        super().__init__(daemon=True)
        self.target = target
        self.listener = socket.socket()
        self.listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.listener.bind(("127.0.0.1", port))
        self.listener.listen(64)
        self.listener.setblocking(False)
        self.selector = selectors.DefaultSelector()
        self.peers, self.waiting = {}, {}
        self.to_cut, self.stopping = False, False
        self.wake, self.waker = socket.socketpair()
        self.selector.register(self.listener, selectors.EVENT_READ)
        self.selector.register(self.wake, selectors.EVENT_READ)
        self.start()

    def tell(self):
        self.waker.send(b"x")

    def cut(self):
        """Every connection ends now; new ones are let in."""
        self.to_cut = True
        self.tell()

    def stop(self):
        self.stopping = True
        self.tell()
        self.join(10)

    def run(self):
        while not self.stopping:
            for key, mask in self.selector.select(5):
                if key.fileobj is self.wake:
                    self.wake.recv(4096)
                elif key.fileobj is self.listener:
                    self.accept()
                elif key.fileobj in self.peers:
                    if mask & selectors.EVENT_WRITE:
                        self.write(key.fileobj)
                    if key.fileobj in self.peers and mask & selectors.EVENT_READ:
                        self.read(key.fileobj)
            if self.to_cut:
                self.to_cut = False
                self.end_all()
        self.end_all()
        self.listener.close()

    def accept(self):
        try:
            near, _ = self.listener.accept()
            far = socket.create_connection(("127.0.0.1", self.target), 2)
        except OSError:
            if "near" in locals():
                near.close()
            return
        for one, other in ((near, far), (far, near)):
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
        if not data:
            return self.end(one)
        other = self.peers[one]
        self.waiting[other] += data
        self.write(other)

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

    def end_all(self):
        while self.peers:
            self.end(next(iter(self.peers)))

    def end(self, one):
        for peer in (one, self.peers.get(one)):
            if peer is None:
                continue
            if peer in self.selector.get_map():
                self.selector.unregister(peer)
            self.peers.pop(peer, None)
            self.waiting.pop(peer, None)
            peer.close()
