"""A wide line between branches and the centre: two network namespaces joined by two tun devices, and a process between them that
delays, loses, slows down and cuts what passes, and resets connections. The namespaces have no name and end with this process.

    wan.py FD FD        that process; it is told on standard input: weather SECONDS JITTER LOSS | width BITS |
                        cut | heal | reset SECONDS"""
import ctypes
import fcntl
import heapq
import os
import random
import select
import socket
import struct
import subprocess
import sys
import threading
import time

BRANCH, CENTRE = "10.77.0.1", "10.77.0.2"
NEWNET = 0x40000000
TUNSETIFF, IFF_TUN_NO_PI = 0x400454CA, 0x1001
SIOCSIFFLAGS, SIOCSIFADDR, SIOCSIFDSTADDR, SIOCSIFNETMASK, SIOCSIFMTU = 0x8914, 0x8916, 0x8918, 0x891C, 0x8922
UP_RUNNING = 0x41
MTU = 1400
BUFFER_S = 0.5  # what a narrow line's modem holds back before it loses
RST_ACK, SYN, RST = 0x14, 0x02, 0x04


def libc_call(name, *args):
    libc = ctypes.CDLL(None, use_errno=True)
    if getattr(libc, name)(*args) != 0:
        raise OSError(ctypes.get_errno(), f"{name}: {os.strerror(ctypes.get_errno())}")


def enter(namespace):
    """This thread, and the threads it starts, are in that network from now on."""
    libc_call("setns", namespace, NEWNET)


def in_thread(work):
    """work() in a thread of its own, whose namespace nobody else has."""
    result = []

    def run():
        try:
            result.append((work(), None))
        except OSError as why:
            result.append((None, why))
    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    if result[0][1] is not None:
        raise result[0][1]
    return result[0][0]


def interface(name, request, value):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        fcntl.ioctl(s, request, struct.pack("16s24s", name.encode(), value))


def address(text):
    return struct.pack("HH4s", socket.AF_INET, 0, socket.inet_aton(text))


def network_new(own, peer):
    """(namespace, tun device) as file descriptors."""
    libc_call("unshare", NEWNET)
    namespace = os.open("/proc/thread-self/ns/net", os.O_RDONLY)
    tun = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
    fcntl.ioctl(tun, TUNSETIFF, struct.pack("16sH22x", b"wan0", IFF_TUN_NO_PI))
    interface("lo", SIOCSIFFLAGS, struct.pack("H", UP_RUNNING))
    interface("wan0", SIOCSIFADDR, address(own))
    interface("wan0", SIOCSIFDSTADDR, address(peer))
    interface("wan0", SIOCSIFMTU, struct.pack("i", MTU))
    interface("wan0", SIOCSIFFLAGS, struct.pack("H", UP_RUNNING))
    return namespace, tun


class Wan:
    """Raises OSError where the rights or the kernel are not there."""

    def __init__(self, seed):
        self.branch, near = in_thread(lambda: network_new(BRANCH, CENTRE))
        self.centre, far = in_thread(lambda: network_new(CENTRE, BRANCH))
        self.process = subprocess.Popen([sys.executable, __file__, str(near), str(far), str(seed)], pass_fds=(near, far),
                                        stdin=subprocess.PIPE, text=True)
        os.close(near)
        os.close(far)

    def tell(self, *words):
        self.process.stdin.write(" ".join(map(str, words)) + "\n")
        self.process.stdin.flush()

    def listener(self, port=0):
        """A socket that listens at the centre's end."""
        def make():
            enter(self.centre)
            listener = socket.socket()
            listener.bind((CENTRE, port))
            return listener
        return in_thread(make)

    def stop(self):
        self.process.stdin.close()  # it ends at the end of its orders
        self.process.wait(10)
        os.close(self.branch)
        os.close(self.centre)


# --- the process between the two ends --------------------------------------------------------------------

def checksum(data):
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def tcp_packet(source, to, source_port, to_port, seq, ack):
    tcp = struct.pack("!HHIIBBHHH", source_port, to_port, seq, ack, 5 << 4, RST_ACK, 0, 0, 0)
    tcp = tcp[:16] + struct.pack("!H", checksum(source + to + struct.pack("!BBH", 0, 6, len(tcp)) + tcp)) + tcp[18:]
    ip = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 40, 0, 0, 64, 6, 0, source, to)
    return ip[:10] + struct.pack("!H", checksum(ip)) + ip[12:] + tcp


def resets(packet):
    """(onward, back): what tells both ends of this segment's connection that it is no more; None where it is no such segment."""
    if len(packet) < 40 or packet[0] >> 4 != 4 or packet[9] != 6:
        return None
    head = (packet[0] & 15) * 4
    source, to = packet[12:16], packet[16:20]
    source_port, to_port, seq, ack, offset, flags = struct.unpack("!HHIIBB", packet[head:head + 14])
    if flags & (SYN | RST):
        return None
    size = len(packet) - head - (offset >> 4) * 4
    return (tcp_packet(source, to, source_port, to_port, seq, ack),
            tcp_packet(to, source, to_port, source_port, ack, (seq + size) & 0xFFFFFFFF))


class Between:
    def __init__(self, near, far, seed):
        self.ends, self.random = {near: far, far: near}, random.Random(seed)
        self.delay, self.jitter, self.loss, self.cut, self.reset_until = 0.0, 0.0, 0.0, False, 0.0
        self.width, self.free_at = 0.0, {near: 0.0, far: 0.0}  # bits a second each way, 0: no bound; when the last one has gone out
        self.queue, self.n = [], 0

    def obey(self, words):
        if words[0] == "weather":
            self.delay, self.jitter, self.loss = map(float, words[1:])
        elif words[0] == "width":
            self.width = float(words[1])
        elif words[0] == "reset":
            self.reset_until = time.monotonic() + float(words[1])
        else:
            self.cut = words[0] == "cut"

    def take(self, end, packet):
        now = time.monotonic()
        if self.cut or self.random.random() < self.loss:
            return
        both = resets(packet) if now < self.reset_until else None
        if both is not None:
            self.write(self.ends[end], both[0])
            self.write(end, both[1])
            return
        self.n += 1
        gone = now
        if self.width > 0:
            gone = max(now, self.free_at[end]) + 8 * len(packet) / self.width
            if gone - now > max(BUFFER_S, 4 * 8 * MTU / self.width):  # a few packets find room in any
                return
            self.free_at[end] = gone
        heapq.heappush(self.queue, (gone + self.delay + self.random.uniform(0, self.jitter), self.n, self.ends[end], packet))

    def write(self, end, packet):
        try:
            os.write(end, packet)
        except OSError:
            pass  # a full device loses it, as a line does

    def run(self):
        while True:
            wait = max(0.0, self.queue[0][0] - time.monotonic()) if self.queue else 5
            for ready in select.select([*self.ends, 0], [], [], wait)[0]:
                if ready == 0:
                    line = os.read(0, 4096).decode()
                    if not line:
                        return
                    for order in line.splitlines():
                        self.obey(order.split())
                    continue
                try:
                    while True:
                        self.take(ready, os.read(ready, 2048))
                except BlockingIOError:
                    pass
            while self.queue and self.queue[0][0] <= time.monotonic():
                _, _, end, packet = heapq.heappop(self.queue)
                self.write(end, packet)


if __name__ == "__main__":
    Between(int(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])).run()
