#!/usr/bin/env python3
"""Lays hosts into network namespaces, sends them packets, and tells what the kernel did with each.

    judge.py FILE        one line is one statement:

    host N                                      a new host; what follows is about it
    device NAME                                 a veth; its other end is ours
    sysctl KEY VALUE                            below /proc/sys, before addresses are laid
    ip LINE | ip6 LINE | nft LINE               for ip -4 -batch, ip -6 -batch, nft -f
    packet ID in DEVICE PROTO SRC DST SPORT DPORT TYPE CODE FLAGS SPI comes in by the device, inside ESP where SPI is not 0
    packet ID out -     PROTO SRC DST SPORT DPORT TYPE CODE FLAGS 0   this host makes it

Answers: `seen ID.PHASE POINT` for each point of the path that it was seen at, in order; `left ID.PHASE DEVICE PROTO SRC
DST SPORT DPORT MARK`; `wrapped ID.PHASE SPI …` for what an SA took, as it was before; `got ID.PHASE …` for what a socket of the host received; `refused TEXT`; `done N`. Phase 0 is the
packet itself, 1 the answer to what left, by the device that it left by, 2 the packet once more after that.
"""
import ctypes
import fcntl
import hashlib
import hmac
import ipaddress
import os
import select
import signal
import socket
import struct
import subprocess
import sys
import time

LIBC = ctypes.CDLL(None, use_errno=True)
NEWNET = 0x40000000
SO_MARK, SO_RCVBUFFORCE, SO_RCVMARK = 36, 33, 75
OUTGOING, ETH_ALL, ETH_OURS = 4, 3, 0x88B5
GROUP = 77
MAGIC = b"GHJD"
# The tunnels' ends, ours first, and the key of all SAs: Live.java has the same.
ENDS = {4: ("203.0.113.1", "198.51.100.7"), 6: ("2001:db8::1", "2001:db8:100::7")}
KEY = b"\x47" * 32
ESP, INBOUND, OUTBOUND = 50, 0x100, 0x200
POINTS = ("prerouting", "input", "forward", "output", "postrouting")
# Nothing here takes longer; what does is stuck, and is ended.
HOST_SECONDS = 30


def new_namespace():
    if LIBC.unshare(NEWNET) != 0:
        raise OSError(ctypes.get_errno(), "unshare")


def run(command, text):
    done = subprocess.run(command, input=text.encode(), capture_output=True, timeout=20)
    if done.returncode != 0:
        raise RuntimeError(" ".join(command) + ": " + done.stderr.decode(errors="replace").replace("\n", " | "))


def batch(family, lines):
    if lines:
        run(["ip", family, "-batch", "-"], "\n".join(lines) + "\n")


def sysctl(key, value):
    with open("/proc/sys/" + key, "w", encoding="ascii") as file:
        file.write(value)


def flags(sock, name):
    asked = fcntl.ioctl(sock, 0x8913, struct.pack("16sH22x", name.encode(), 0))
    return struct.unpack_from("H", asked, 16)[0]


def up(sock, name):
    fcntl.ioctl(sock, 0x8914, struct.pack("16sH22x", name.encode(), flags(sock, name) | 1))


# ---- packets


def checksum(data):
    if len(data) % 2:
        data += b"\0"
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


class Packet:
    """Headers and our number."""

    def __init__(self, protocol, source, destination, sport, dport, kind, code, tcp_flags):
        self.protocol = int(protocol)
        self.source = ipaddress.ip_address(source)
        self.destination = ipaddress.ip_address(destination)
        self.sport, self.dport = int(sport), int(dport)
        self.kind, self.code, self.flags = int(kind), int(code), int(tcp_flags)

    def transport(self, token, number):
        payload = MAGIC + struct.pack("!IB3x", number, token)
        if self.protocol == 17:
            body = struct.pack("!HHHH", self.sport, self.dport, 8 + len(payload), 0) + payload
            at = 6
        elif self.protocol == 6:
            body = struct.pack("!HHIIBBHHH", self.sport, self.dport, 1, 1, 0x50, self.flags, 1000, 0, 0) + payload
            at = 16
        elif self.protocol in (1, 58):
            body = struct.pack("!BBHHH", self.kind, self.code, 0, number & 0xFFFF, 1) + payload
            at = 2
        else:
            return payload
        pseudo = self.source.packed + self.destination.packed
        if self.source.version == 4:
            pseudo += struct.pack("!BBH", 0, self.protocol, len(body))
        else:
            pseudo += struct.pack("!I3xB", len(body), self.protocol)
        found = checksum(body if self.protocol == 1 else pseudo + body)
        if self.protocol == 17 and found == 0:
            found = 0xFFFF
        return body[:at] + struct.pack("!H", found) + body[at + 2:]

    def bytes(self, token, number):
        body = self.transport(token, number)
        if self.source.version == 4:
            head = struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(body), number & 0xFFFF, 0x4000, 64, self.protocol, 0)
            head += self.source.packed + self.destination.packed
            return head[:10] + struct.pack("!H", checksum(head)) + head[12:] + body
        head = struct.pack("!IHBB", 0x60000000, len(body), self.protocol, 64)
        return head + self.source.packed + self.destination.packed + body

    def answer(self):
        kind = {8: 0, 128: 129}.get(self.kind, self.kind)
        return Packet(self.protocol, self.destination, self.source, self.dport, self.sport, kind, self.code, 0x12)

    def __str__(self):
        return f"{self.protocol} {self.source} {self.destination} {self.sport} {self.dport}"


def dissected(protocol, source, destination, body):
    """Our number, the phase and the packet; nothing for what is not ours."""
    offset = {17: 8, 6: 20, 1: 8, 58: 8}.get(protocol, 0)
    if body[offset:offset + 4] != MAGIC or len(body) < offset + 9:
        return None
    number, token = struct.unpack_from("!IB", body, offset + 4)
    sport = dport = kind = code = seen = 0
    if protocol in (6, 17):
        sport, dport = struct.unpack_from("!HH", body)
    if protocol == 6:
        seen = body[13]
    if protocol in (1, 58):
        kind, code = body[0], body[1]
        if kind == (0 if protocol == 1 else 129) and token != 1:
            return None  # the host's own echo
    return number, token, Packet(protocol, source, destination, sport, dport, kind, code, seen)


def encapsulated(data, spi, number):
    """A packet inside ESP with null encryption (RFC 4303, 2), as the other end sends it."""
    version = data[0] >> 4
    pad = -(len(data) + 2) % 4
    body = struct.pack("!II", spi, number) + data + bytes(range(1, pad + 1)) + bytes((pad, {4: 4, 6: 41}[version]))
    body += hmac.new(KEY, body, hashlib.sha256).digest()[:16]
    to, source = (ipaddress.ip_address(end).packed for end in ENDS[version])
    if version == 6:
        return struct.pack("!IHBB", 0x60000000, len(body), ESP, 64) + source + to + body
    head = struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(body), number & 0xFFFF, 0x4000, 64, ESP, 0) + source + to
    return head[:10] + struct.pack("!H", checksum(head)) + head[12:] + body


def decapsulated(data):
    """The SPI of our own ESP, and what is in it; 0 and nothing for other packets."""
    at = 0
    if len(data) >= 20 and data[0] >> 4 == 4 and data[9] == ESP:
        at = (data[0] & 15) * 4
    elif len(data) >= 40 and data[0] >> 4 == 6 and data[6] == ESP:
        at = 40
    if not at or len(data) < at + 8:
        return 0, None
    return struct.unpack_from("!I", data, at)[0], parsed(data[at + 8:])


def parsed(data):
    if len(data) >= 20 and data[0] >> 4 == 4:
        at = (data[0] & 15) * 4
        return dissected(data[9], data[12:16], data[16:20], data[at:])
    if len(data) >= 40 and data[0] >> 4 == 6:
        return dissected(data[6], data[8:24], data[24:40], data[40:])
    return None


# ---- what looks


def mark(ancillary):
    for level, kind, data in ancillary:
        if level == socket.SOL_SOCKET and kind == SO_MARK:
            return struct.unpack("I", data[:4])[0]
    return 0


def listening(sock):
    sock.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, 16 << 20)
    sock.setblocking(False)
    return sock


def marked(sock):
    sock.setsockopt(socket.SOL_SOCKET, SO_RCVMARK, 1)
    return listening(sock)


class Watch:
    """All that looks at one host."""

    def __init__(self):
        self.names = {}
        self.wire = marked(socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETH_ALL)))
        self.raw = []
        for protocol in (1, 6, 17, 47):
            self.raw.append(marked(socket.socket(socket.AF_INET, socket.SOCK_RAW, protocol)))
        for protocol in (58, 6, 17, 47):
            sock = marked(socket.socket(socket.AF_INET6, socket.SOCK_RAW, protocol))
            sock.setsockopt(41, 49, 1)
            self.raw.append(sock)
        self.log = listening(socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 12))
        self.log.bind((0, 0))
        for kind, data in ((1, b"\1"), (2, struct.pack("!IBx", 0xFFFF, 2)), (5, struct.pack("!I", 1))):
            size = 4 + len(data)
            attribute = struct.pack("HH", size, kind) + data + b"\0" * (-size % 4)
            body = struct.pack("!BBH", 0, 0, GROUP) + attribute
            self.log.send(struct.pack("IHHII", 16 + len(body), 4 << 8 | 1, 1, 0, 0) + body)

    def until_sentinel(self, sent):
        """Everything that came before it in the queue of this CPU has gone its way."""
        end = time.monotonic() + 5
        found = []
        while True:
            select.select([self.wire], [], [], 0.5)
            try:
                data, ancillary, _, address = self.wire.recvmsg(4096, 256)
            except BlockingIOError:
                if time.monotonic() > end:
                    raise RuntimeError("the last frame never came") from None
                continue
            if address[2] == OUTGOING:
                known = parsed(data[14:])
                spi = 0
                if not known:
                    spi, known = decapsulated(data[14:])
                if known:
                    found.append((address[0], known, mark(ancillary), spi))
            elif address[1] == ETH_OURS and data[14:18] == struct.pack("!I", sent):
                return found

    def received(self):
        for sock in self.raw:
            while True:
                try:
                    data, ancillary, _, address = sock.recvmsg(4096, 256)
                except BlockingIOError:
                    break
                if sock.family == socket.AF_INET:
                    known = parsed(data)
                else:
                    to = next((d[:16] for _, k, d in ancillary if k == 50), b"\0" * 16)
                    source = ipaddress.ip_address(address[0].split("%")[0]).packed
                    known = dissected(sock.proto, source, to, data)
                if known:
                    yield known, mark(ancillary)

    def logged(self):
        while True:
            try:
                data = self.log.recv(1 << 16)
            except BlockingIOError:
                return
            at = 0
            while at + 20 <= len(data):
                length, kind = struct.unpack_from("IH", data, at)
                if kind == 4 << 8:
                    yield self.entry(data[at + 20:at + length])
                at += length + (-length % 4) or len(data)

    @staticmethod
    def entry(data):
        prefix, payload, tagged, at = "", b"", 0, 0
        while at + 4 <= len(data):
            length, kind = struct.unpack_from("HH", data, at)
            value = data[at + 4:at + length]
            if kind & 0x7FFF == 10:
                prefix = value.rstrip(b"\0").decode()
            elif kind & 0x7FFF == 9:
                payload = value
            elif kind & 0x7FFF == 2:
                tagged = struct.unpack("!I", value)[0]
            at += length + (-length % 4) or len(data)
        return prefix, payload, tagged

    def close(self):
        for sock in [self.wire, self.log, *self.raw]:
            sock.close()


def witnesses():
    lines = ["table inet witness {"]
    for point in POINTS:
        for name, priority in (("first", -1000), ("last", 1000)):
            lines.append(f"  chain {point}_{name} {{ type filter hook {point} priority {priority}; policy accept;")
            lines.append(f'    log prefix "{point}-{name}" group {GROUP}; }}')
    return lines + ["}"]


# ---- one host


class Play:
    def __init__(self, number, wires, outer):
        self.number, self.wires, self.outer = number, wires, outer
        self.devices, self.sysctls, self.ip, self.ip6, self.nft, self.packets = [], [], [], [], [], []
        self.sentinel = self.sequence = 0

    def take(self, word, rest):
        if word == "device":
            self.devices.append(rest)
        elif word == "sysctl":
            self.sysctls.append(rest.split(" ", 1))
        elif word == "packet":
            fields = rest.split()
            self.packets.append((int(fields[0]), fields[1], fields[2], Packet(*fields[3:11]), int(fields[11])))
        else:
            {"ip": self.ip, "ip6": self.ip6, "nft": self.nft}[word].append(rest)

    def far(self, device):
        return f"w{self.number % 100000}x{self.devices.index(device)}"

    def lay(self):
        new_namespace()
        for key, value in (("accept_dad", "0"), ("accept_ra", "0")):
            sysctl("net/ipv6/conf/default/" + key, value)
        sysctl("net/ipv4/icmp_ratelimit", "0")
        lines = ["link set lo up"]
        for i, device in enumerate(self.devices):
            lines.append(
                f"link add {device} address 02:00:00:00:00:0{i} type veth peer name {self.far(device)} netns {self.outer}")
            lines.append(f"link set {device} addrgenmode none")
        batch("-4", lines)
        for device in self.devices:
            up(self.wires, self.far(device))
        for key, value in self.sysctls:
            sysctl(key, value)
        batch("-4", [f"link set {device} arp off up" for device in self.devices])
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
            end = time.monotonic() + 10
            while not all(flags(sock, device) & 0x40 for device in self.devices):
                if time.monotonic() > end:
                    raise RuntimeError("no carrier")
                time.sleep(0.001)
        batch("-4", self.ip)
        batch("-6", self.ip6)
        self.wait_for_addresses()
        run(["nft", "-f", "-"], "\n".join(witnesses() + self.nft) + "\n")

    def wait_for_addresses(self):
        """IPv6 puts its addresses into table local in its own time (addrconf_dad_work)."""
        lines = [line.split() for line in self.ip6]
        wanted = {ipaddress.ip_address(w[2].split("/")[0]).packed.hex() for w in lines if w[0] == "address"}
        end = time.monotonic() + 10
        while wanted:
            with open("/proc/net/ipv6_route", encoding="ascii") as routes:
                for words in map(str.split, routes):
                    if words[1] == "80" and int(words[8], 16) & 0x80000000:
                        wanted.discard(words[0])
            if wanted and time.monotonic() > end:
                raise RuntimeError("addresses never came")
            time.sleep(0.001)

    def send(self, device, packet, token, number, spi):
        index = self.devices.index(device)
        kind = 0x0800 if packet.source.version == 4 else 0x86DD
        head = bytes((2, 0, 0, 0, 0, index, 2, 0, 0, 0, 1, index)) + struct.pack("!H", kind)
        data = packet.bytes(token, number)
        if spi:
            self.sequence += 1
            data = encapsulated(data, spi, self.sequence)
        self.wires.sendto(head + data, (self.far(device), kind))

    @staticmethod
    def make(packet, token, number):
        """A socket of this host sends it."""
        family = socket.AF_INET if packet.source.version == 4 else socket.AF_INET6
        payload = MAGIC + struct.pack("!IB3x", number, token)
        datagrams = packet.protocol == 17
        kind = socket.SOCK_DGRAM if datagrams else socket.SOCK_RAW
        with socket.socket(family, kind, 0 if datagrams else packet.protocol) as sock:
            sock.setblocking(False)
            try:
                sock.bind((str(packet.source), packet.sport if datagrams else 0))
                data = payload if datagrams else packet.transport(token, number)
                sock.sendto(data, (str(packet.destination), packet.dport if datagrams else 0))
            except OSError:
                pass  # the kernel refused it: it is seen nowhere

    def settle(self, watch, out):
        self.sentinel += 1
        frame = bytes((2, 0, 0, 0, 0, 0, 2, 0, 0, 0, 1, 0)) + struct.pack("!HI", ETH_OURS, self.sentinel)
        self.wires.sendto(frame + b"\0" * 42, (self.far(self.devices[0]), ETH_OURS))
        left = watch.until_sentinel(self.sentinel)
        for prefix, payload, tagged in watch.logged():
            known = parsed(payload)
            if known:
                out.append(f"seen {known[0]}.{known[1]} {prefix}")
                continue
            spi, known = decapsulated(payload)
            if known and spi & OUTBOUND and prefix == "output-first":
                out.append(f"wrapped {known[0]}.{known[1]} {spi} {known[2]} {tagged}")
        for device, (number, token, packet), tagged, spi in left:
            if not device.startswith("w") and not spi:
                out.append(f"left {number}.{token} {device} {packet} {tagged}")
        for (number, token, packet), tagged in watch.received():
            out.append(f"got {number}.{token} {packet} {tagged}")
        return left

    def run(self, out):
        out.append(f"host {self.number}")
        watch = None
        try:
            self.lay()
            watch = Watch()
            for number, way, device, packet, spi in self.packets:
                if way == "in":
                    self.send(device, packet, 0, number, spi)
                else:
                    self.make(packet, 0, number)
            left = self.settle(watch, out)
            answers = [
                (number, device, packet.answer(), spi and (spi ^ OUTBOUND ^ INBOUND))
                for device, (number, token, packet), _, spi in left
                if token == 0 and device in self.devices and packet.protocol in (6, 17, 1, 58)
                and not packet.destination.is_multicast and packet.kind in (0, 8, 128)
            ]
            for number, device, packet, spi in answers:
                out.append(f"answer {number}.1 {device} {packet} {packet.kind} {spi}")
                self.send(device, packet, 1, number, spi)
            if answers:
                self.settle(watch, out)
                for number, way, device, packet, spi in self.packets:
                    if way == "in" and any(number == answer[0] for answer in answers):
                        self.send(device, packet, 2, number, spi)
                self.settle(watch, out)
        except (RuntimeError, OSError, subprocess.TimeoutExpired) as e:
            out.append("refused " + str(e).replace("\n", " "))
        finally:
            if watch:
                watch.close()
        out.append(f"done {self.number}")


def work(file, outer):
    wires = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
    play = None
    with open(file, encoding="utf-8") as lines:
        for line in [*lines, "host -1\n"]:
            word, _, rest = line.rstrip("\n").partition(" ")
            if word == "host":
                if play:
                    out = []
                    signal.alarm(HOST_SECONDS)
                    play.run(out)
                    signal.alarm(0)
                    sys.stdout.write("\n".join(out) + "\n")
                    sys.stdout.flush()
                play = Play(int(rest), wires, outer)
            elif word:
                play.take(word, rest)


def main():
    new_namespace()
    sysctl("net/ipv6/conf/default/disable_ipv6", "1")
    outer = os.getpid()
    child = os.fork()
    if child == 0:
        LIBC.prctl(1, signal.SIGKILL)
        # One CPU, so that frames are handled in the order in which they were sent.
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
        work(sys.argv[1], outer)
        sys.stdout.flush()
        os._exit(0)
    _, status = os.waitpid(child, 0)
    if status:
        print(f"refused the player ended with {status}")
        sys.exit(1)


main()
