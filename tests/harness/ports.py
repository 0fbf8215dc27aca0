"""TCP ports for servers that a test starts: each is given once.

Ports are taken in blocks. The abstract Unix socket named after a block belongs to one process and is released by the kernel
when that process ends, so two test programs never draw from the same block (tests/unit/support/free_port.cpp does the same,
under the same names). The blocks lie outside the kernel's ephemeral range: an outgoing connection cannot take a port between
the draw and the server's bind.
"""
import os
import random
import socket
import threading

FIRST = 10000            # below live well-known servers
BEYOND = 65536
BLOCK_PORTS = 50
ENOUGH_BLOCKS = 40       # fewer than this below the ephemeral range: look above it
EPHEMERAL = "/proc/sys/net/ipv4/ip_local_port_range"


def blocks(ephemeral):
    """First ports of the blocks that lie outside of the ephemeral range (low, high), both inclusive; all if that leaves too few."""
    low, high = ephemeral
    below = _between(FIRST, min(low, BEYOND))
    above = _between(max(high + 1, FIRST), BEYOND)
    return next((found for found in (below, above) if len(found) >= ENOUGH_BLOCKS), _between(FIRST, BEYOND))


def _between(start, end):
    return range(-(-start // BLOCK_PORTS) * BLOCK_PORTS, end - BLOCK_PORTS + 1, BLOCK_PORTS)


def ephemeral_range():
    with open(EPHEMERAL, encoding="ascii") as file:
        return tuple(int(word) for word in file.read().split())


def can_be_bound(port):
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
            return True
        except OSError:
            return False


class Ports:
    """The ports of one process."""

    def __init__(self):
        self.lock = threading.Lock()
        self.owner = None        # who took the blocks: after a fork the child takes its own
        self.reserved = []       # sockets that hold our blocks
        self.left = iter(())

    def draw(self):
        with self.lock:
            if self.owner != os.getpid():
                self.owner, self.left = os.getpid(), iter(())
            while True:
                for port in self.left:
                    if can_be_bound(port):
                        return port
                self.left = iter(self._another_block())

    def _another_block(self):
        starts = list(blocks(ephemeral_range()))
        random.SystemRandom().shuffle(starts)
        for start in starts:
            claim = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
            try:
                claim.bind(f"\0pgtandem-ports-{start}")
            except OSError:
                claim.close()
                continue
            self.reserved.append(claim)
            return range(start, start + BLOCK_PORTS)
        raise OSError("every block of ports is taken")


_ports = Ports()


def free_port():
    """A TCP port of the loopback that nobody listens on now and that nobody else is given while this process lives."""
    return _ports.draw()
