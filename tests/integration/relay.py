"""A line that can be held: what goes to a port is passed on until so many bytes have gone out, then nothing comes back until
it is let go."""
import socket
import threading
import time

from stack import free_ports


class Relay:
    def __init__(self, port, hold_after):
        self.port, self.left = port, hold_after
        self.held = threading.Event()  # it has come to that
        self.free = threading.Event()
        self.free.set()
        # A port that nobody gets behind it: whoever still tries it finds nothing there.
        self.listener = socket.create_server(("127.0.0.1", free_ports(1)[0]))
        self.endpoint = f"tcp://127.0.0.1:{self.listener.getsockname()[1]}"
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            try:
                near, _ = self.listener.accept()
            except OSError:
                return
            try:
                far = socket.create_connection(("127.0.0.1", self.port))
            except OSError:  # nobody there now; who comes again may have more luck
                near.close()
                continue
            threading.Thread(target=self.pump, args=(near, far, True), daemon=True).start()
            threading.Thread(target=self.pump, args=(far, near, False), daemon=True).start()

    def pump(self, source, to, outward):
        try:
            while data := source.recv(65536):
                self.left -= len(data) if outward else 0
                if self.left <= 0 and not self.held.is_set():
                    self.free.clear()
                    self.held.set()
                if not outward:
                    self.free.wait()
                to.sendall(data)
        except OSError:
            pass  # an end of it was closed
        finally:
            for end in (source, to):
                end_line(end)
            source.close()  # the other pump reads from the other end

    def let_go(self):
        self.free.set()

    def close(self):
        self.free.set()
        end_line(self.listener)  # whoever waits in accept() is told
        self.listener.close()


class Narrow(Relay):
    """A line of so many bytes a second outward, without much room on the way; `gone` counts what went out."""

    def __init__(self, port, rate):
        self.rate, self.gone = rate, 0
        super().__init__(port, 1 << 60)
        self.listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)  # for those that it accepts

    def pump(self, source, to, outward):
        if not outward:
            super().pump(source, to, outward)
            return
        try:
            while data := source.recv(1024):
                self.gone += len(data)
                time.sleep(len(data) / self.rate)  # on its way
                to.sendall(data)
        except OSError:
            pass
        finally:
            for end in (source, to):
                end_line(end)
            source.close()


def end_line(end):
    try:
        end.shutdown(socket.SHUT_RDWR)
    except OSError:
        pass  # it was ended from the other side
