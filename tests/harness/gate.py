"""A TCP gate between a client and a PostgreSQL server: delays, cuts, splits, holds messages until released.

The gate follows the protocol's framing in both directions (start-up packet first, then type + length), so that a rule sees
whole messages. Two threads per connection; rules are called in those threads.
"""
import socket
import struct
import threading
import time

from .wait import wait_until

TO_SERVER, TO_CLIENT = "to_server", "to_client"
CHUNK = 256 * 1024
SSL_REQUEST, GSS_REQUEST = 80877103, 80877104


class Message:
    """One protocol message: `kind` is its type byte (b"" for a start-up packet), `raw` all its bytes."""

    def __init__(self, kind, raw):
        self.kind, self.raw = kind, raw

    @property
    def body(self):
        return self.raw[5:] if self.kind else self.raw[4:]

    def __repr__(self):
        return f"{self.kind.decode('latin1')}:{self.body[:60]!r}"


class Framer:
    """Cuts a byte stream into messages."""

    def __init__(self, direction):
        self.buffer = bytearray()
        self.direction = direction
        self.startup = direction == TO_SERVER
        self.raw_replies = 0  # one-byte answers to SSLRequest and GSSENCRequest that are still to come

    def feed(self, data):
        self.buffer += data
        found = []
        while True:
            message = self._next()
            if message is None:
                return found
            found.append(message)

    def _next(self):
        if self.raw_replies and self.buffer:
            self.raw_replies -= 1
            return self._take(b"?", 1)
        head = 4 if self.startup else 5
        if len(self.buffer) < head:
            return None
        kind = b"" if self.startup else bytes(self.buffer[:1])
        length = struct.unpack_from("!i", self.buffer, 0 if self.startup else 1)[0] + len(kind)
        if len(self.buffer) < length:
            return None
        if self.startup:
            code = struct.unpack_from("!i", self.buffer, 4)[0]
            self.startup = code in (SSL_REQUEST, GSS_REQUEST)
        return self._take(kind, length)

    def _take(self, kind, length):
        raw = bytes(self.buffer[:length])
        del self.buffer[:length]
        return Message(kind, raw)


class Held:
    """A message that a rule stopped, and with it the direction of its connection."""

    def __init__(self, link, direction, message):
        self.link, self.direction, self.message = link, direction, message
        self.decided = threading.Event()
        self.drop = False

    def release(self):
        self.decided.set()

    def discard(self):
        """The message never arrives: the connection is cut instead."""
        self.drop = True
        self.decided.set()


class Link:
    """One connection through the gate."""

    def __init__(self, gate, client, server):
        self.gate, self.client, self.server = gate, client, server
        self.framers = {TO_SERVER: Framer(TO_SERVER), TO_CLIENT: Framer(TO_CLIENT)}
        for direction in (TO_SERVER, TO_CLIENT):
            threading.Thread(target=self._pump, args=(direction,), daemon=True).start()

    def _pump(self, direction):
        source, sink = (self.client, self.server) if direction == TO_SERVER else (self.server, self.client)
        framer = self.framers[direction]
        try:
            while True:
                data = source.recv(CHUNK)
                if not data:
                    break
                if not self.gate.looks_inside(direction):
                    self._send(sink, data)
                    continue
                for message in framer.feed(data):
                    if message.kind == b"" and len(message.raw) == 8:
                        self.framers[TO_CLIENT].raw_replies += 1
                    if not self.gate.pass_on(self, direction, message):
                        return self.cut()
                    self._send(sink, message.raw)
        except OSError:
            pass
        self.cut()

    def _send(self, sink, data):
        if self.gate.delay_seconds:
            time.sleep(self.gate.delay_seconds)
        size = self.gate.split_bytes or len(data)
        for at in range(0, len(data), size):
            sink.sendall(data[at:at + size])

    def cut(self, reset=False):
        for peer in (self.client, self.server):
            try:
                if reset:
                    peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                peer.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
            peer.close()
        self.gate.links.discard(self)


class Gate:
    """Listens on a free port and forwards to (host, port) of `server` (anything with a .port, or a port number)."""

    def __init__(self, server, framed=True):
        self.server = server
        self.framed = framed
        self.delay_seconds = 0.0   # before every send
        self.split_bytes = 0       # send in pieces of this many bytes
        self.refusing = False      # new connections are closed at once
        self.rules = []            # (direction, predicate(message, link) -> bool, once)
        self.held = []
        self.links = set()
        self.lock = threading.Lock()
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=128)
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            if self.refusing:
                client.close()
                continue
            try:
                port = self.server if isinstance(self.server, int) else self.server.port
                server = socket.create_connection(("127.0.0.1", port), timeout=5)
                server.settimeout(None)
            except OSError:
                client.close()
                continue
            for peer in (client, server):
                peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self.links.add(Link(self, client, server))

    # --- rules

    def looks_inside(self, _direction):
        return self.framed

    def pass_on(self, link, direction, message):
        """False: the connection is to be cut. Waits while the message is held."""
        with self.lock:
            match = next((r for r in self.rules if r[0] == direction and r[1](message, link)), None)
            if match is None:
                return True
            if match[2]:
                self.rules.remove(match)
            held = Held(link, direction, message)
            self.held.append(held)
        held.decided.wait()
        return not held.drop

    def hold(self, predicate, direction=TO_SERVER, once=True):
        """Stops the next message (all, if not `once`) for which predicate(message) is true."""
        self.rules.append((direction, lambda message, link: predicate(message), once))
        return self

    def wait_held(self, count=1, bound=20):
        """The held messages once there are `count`."""
        wait_until(lambda: len(self.held) >= count, bound, f"{count} messages held at the gate")
        return self.held[:]

    def release(self):
        """Lets everything go that is held, and forgets the rules."""
        with self.lock:
            self.rules.clear()
            held, self.held = self.held, []
        for item in held:
            item.release()

    # --- faults

    def cut(self, reset=False):
        """Closes every connection."""
        for link in list(self.links):
            link.cut(reset)
        with self.lock:
            held, self.held = self.held, []
        for item in held:
            item.discard()

    def remove(self):
        self.rules.clear()
        self.refusing = True
        self.listener.close()
        self.cut()


def says(text, kinds=(b"Q", b"P")):
    """Predicate: a Query or Parse message whose body contains `text` (ignoring case)."""
    wanted = text.lower().encode()
    return lambda message: message.kind in kinds and wanted in message.body.lower()


def is_commit(message):
    """A Query that commits: COMMIT, END, alone or with something around it."""
    return message.kind == b"Q" and message.body.rstrip(b"\0; \n").lower().split(b";")[-1].strip() in (b"commit", b"end")


def is_sync(message):
    return message.kind == b"S"
