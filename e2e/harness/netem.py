"""A bad line in user space, for kernels without netem: one TUN device here, one in a network of its own, and between them
loss, bursts, delay, jitter, reordering, duplicates, a rate, a filter, a cut. Changed live by lines of JSON on stdin, each
answered by one on stdout; ends with stdin, and the far network with it. `probe`: asks an echo across the line how it is."""

import ctypes
import fcntl
import heapq
import itertools
import json
import os
import random
import select
import socket
import struct
import subprocess
import sys
import time

NEAR, FAR = "198.18.0.1", "198.18.0.2"
DEVICE = "line0"
MTU = 1400
CLONE_NEWNET = 0x40000000
TUNSETIFF = 0x400454CA
IFF_TUN, IFF_NO_PI = 0x0001, 0x1000
PROTOCOLS = {"icmp": 1, "tcp": 6, "udp": 17}
BATCH = 64


def ip(*arguments):
    subprocess.run(["ip", *arguments], check=True, stdout=subprocess.DEVNULL)


def open_tun(address):
    device = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
    fcntl.ioctl(device, TUNSETIFF, struct.pack("16sH", DEVICE.encode(), IFF_TUN | IFF_NO_PI))
    ip("link", "set", "lo", "up")
    ip("link", "set", DEVICE, "mtu", str(MTU), "up")
    give_address(address)
    return device


def give_address(address):
    ip("address", "flush", "dev", DEVICE)
    ip("address", "add", f"{address}/24", "dev", DEVICE)
    # Browsers look for the way out of the house to know which address is theirs.
    ip("route", "replace", "default", "dev", DEVICE)


def ports_of_tcp(packet):
    if packet[9] != PROTOCOLS["tcp"]:
        return ()
    return struct.unpack_from("!HH", packet, 4 * (packet[0] & 15))


class Way:
    """One direction. Conditions: delay, jitter (ms, ± a standard deviation, in order), loss, duplicate, reorder (%), burst
    {enter, leave} (% per packet, all is lost within), rate (kbit/s) with queue (ms), only_loses (a protocol), spares (a
    port of TCP, of which nothing is lost), cut."""

    def __init__(self, seed):
        self.random = random.Random(seed)
        self.change({})

    def change(self, conditions):
        self.conditions = conditions
        self.in_burst = False
        self.busy_until = self.last_due = 0.0
        self.passed = self.lost = self.bytes = 0

    def counts(self):
        return {"passed": self.passed, "lost": self.lost, "bytes": self.bytes}

    def chance(self, name):
        percent = self.conditions.get(name, 0)
        return percent > 0 and self.random.random() * 100 < percent

    def is_lost(self, packet):
        conditions = self.conditions
        if conditions.get("cut"):
            return True
        only = conditions.get("only_loses")
        if only and packet[9] != PROTOCOLS[only]:
            return False
        if conditions.get("spares") in ports_of_tcp(packet):
            return False
        burst = conditions.get("burst")
        if burst:
            turn = burst["leave"] if self.in_burst else burst["enter"]
            self.in_burst ^= self.random.random() * 100 < turn
        return self.in_burst or self.chance("loss")

    def dues(self, packet, now):
        """When this packet arrives: never, once or twice."""
        if self.is_lost(packet):
            self.lost += 1
            return []
        conditions, due = self.conditions, now
        if "rate" in conditions:
            bytes_per_second = conditions["rate"] * 125
            begin = max(self.busy_until, now)
            if (begin - now) * 1000 > conditions.get("queue", 300):
                self.lost += 1
                return []
            due = self.busy_until = begin + len(packet) / bytes_per_second
        self.passed += 1
        self.bytes += len(packet)
        if not self.chance("reorder"):
            jitter = self.random.gauss(0, 1) * conditions.get("jitter", 0)
            due += max(0, conditions.get("delay", 0) + jitter) / 1000
            due = self.last_due = max(due, self.last_due)
        return [due, due] if self.chance("duplicate") else [due]


def lay(seed):
    near = open_tun(NEAR)
    if ctypes.CDLL(None, use_errno=True).unshare(CLONE_NEWNET):
        raise OSError(ctypes.get_errno(), "no network of its own")
    far = open_tun(FAR)
    ways = {"to_far": Way(seed), "to_near": Way(seed + 1)}
    routes = {near: (ways["to_far"], far), far: (ways["to_near"], near)}
    say({"far": FAR, "near": NEAR, "pid": os.getpid()})
    carry(routes, ways)


def carry(routes, ways):
    under_way, order, commands = [], itertools.count(), b""
    while True:
        now = time.monotonic()
        while under_way and under_way[0][0] <= now:
            _, _, out, packet = heapq.heappop(under_way)
            try:
                os.write(out, packet)
            except OSError:
                pass  # A full or vanished device loses packets, as lines do.
        patience = max(0.0, under_way[0][0] - now) if under_way else None
        readable, _, _ = select.select([*routes, 0], [], [], patience)
        now = time.monotonic()
        for device in readable:
            if device == 0:
                read = os.read(0, 65536)
                if not read:
                    return
                *lines, commands = (commands + read).split(b"\n")
                for line in lines:
                    obey(json.loads(line), ways)
                continue
            way, out = routes[device]
            for _ in range(BATCH):
                try:
                    packet = os.read(device, 65536)
                except BlockingIOError:
                    break
                # Of IPv6 there is only the chatter of neighbours.
                if packet[0] >> 4 != 4:
                    continue
                for due in way.dues(packet, now):
                    heapq.heappush(under_way, (due, next(order), out, packet))


def obey(command, ways):
    for name, way in ways.items():
        if name in command:
            way.change(command[name])
    if "address" in command:
        give_address(command["address"])
    say({name: way.counts() for name, way in ways.items()})


def say(message):
    print(json.dumps(message), flush=True)


def probe(port, count, every_ms):
    """Small packets to an echo on the near side: how many come back, and after how long."""
    asking = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    asking.connect((NEAR, port))
    asking.setblocking(False)
    sent, took, next_at, end = [], {}, time.monotonic(), None
    while end is None or (time.monotonic() < end and len(took) < count):
        now = time.monotonic()
        if len(sent) < count and now >= next_at:
            sent.append(now)
            next_at += every_ms / 1000
            try:
                asking.send(struct.pack("!I", len(sent) - 1))
            except OSError:
                pass  # No way there is a way to be lost.
            if len(sent) == count:
                end = now + 0.8
        wait = next_at - now if end is None else end - now
        readable, _, _ = select.select([asking], [], [], max(0.0, wait))
        if readable:
            try:
                (number,) = struct.unpack("!I", asking.recv(64))
                took.setdefault(number, (time.monotonic() - sent[number]) * 1000)
            except OSError:
                pass
    say({"sent": count, "returned": len(took), "round_trips_ms": [round(ms, 1) for ms in sorted(took.values())]})


if __name__ == "__main__":
    if sys.argv[1] == "probe":
        probe(*(int(argument) for argument in sys.argv[2:]))
    else:
        lay(int(sys.argv[2]))
