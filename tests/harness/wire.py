"""A small raw client: builds messages, sends bytes as told, reads messages. For transcripts, cut bytes and comparisons."""
import socket
import struct

READ_SECONDS = 30
PROTOCOL_3_0 = 196608
CANCEL_REQUEST = 80877102


class Closed(Exception):
    """The peer closed the connection."""


def message(kind, body=b""):
    return kind + struct.pack("!i", len(body) + 4) + body


def text(value):
    return value.encode() + b"\0"


def startup(parameters, version=PROTOCOL_3_0):
    body = struct.pack("!i", version) + b"".join(text(k) + text(v) for k, v in parameters.items()) + b"\0"
    return struct.pack("!i", len(body) + 4) + body


def query(sql):
    return message(b"Q", text(sql))


def parse(sql, name="", types=()):
    return message(b"P", text(name) + text(sql) + struct.pack("!h", len(types)) + b"".join(struct.pack("!I", t) for t in types))


def bind(values=(), statement="", portal="", formats=(), results=()):
    """Values are bytes or None; formats and results are lists of 0 (text) and 1 (binary)."""
    body = text(portal) + text(statement)
    body += struct.pack("!h", len(formats)) + b"".join(struct.pack("!h", f) for f in formats)
    body += struct.pack("!h", len(values))
    for v in values:
        body += struct.pack("!i", -1) if v is None else struct.pack("!i", len(v)) + v
    body += struct.pack("!h", len(results)) + b"".join(struct.pack("!h", f) for f in results)
    return message(b"B", body)


def describe(what=b"P", name=""):
    return message(b"D", what + text(name))


def execute(portal="", rows=0):
    return message(b"E", text(portal) + struct.pack("!i", rows))


def close(what=b"S", name=""):
    return message(b"C", what + text(name))


SYNC = message(b"S")
FLUSH = message(b"H")
TERMINATE = message(b"X")


def copy_data(data):
    return message(b"d", data)


COPY_DONE = message(b"c")


def copy_fail(why):
    return message(b"f", text(why))


def error_fields(body):
    """{field letter: text} of an ErrorResponse or NoticeResponse."""
    return {part[:1].decode(): part[1:].decode("utf-8", "replace") for part in body.split(b"\0") if part}


class Wire:
    """One connection. Messages are (kind, body) with kind a byte string of length one."""

    def __init__(self, port, host="127.0.0.1", timeout=READ_SECONDS):
        self.socket = socket.create_connection((host, port), timeout=timeout)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.buffer = bytearray()
        self.parameters = {}
        self.key = None

    def login(self, database, user="postgres", version=PROTOCOL_3_0, **parameters):
        self.send(startup({"user": user, "database": database, **parameters}, version))
        for kind, body in self.read_until(b"Z"):
            if kind == b"S":
                name, setting = body.split(b"\0")[:2]
                self.parameters[name.decode()] = setting.decode()
            elif kind == b"K":
                self.key = struct.unpack("!II", body)
            elif kind == b"E":
                raise AssertionError(f"login refused: {error_fields(body)}")
        return self

    def send(self, data, piece=0):
        """All bytes at once, or `piece` bytes at a time."""
        for at in range(0, len(data), piece or len(data) or 1):
            self.socket.sendall(data[at:at + (piece or len(data))])
        return self

    def _fill(self):
        data = self.socket.recv(256 * 1024)
        if not data:
            raise Closed
        self.buffer += data

    def read_bytes(self, count):
        while len(self.buffer) < count:
            self._fill()
        taken = bytes(self.buffer[:count])
        del self.buffer[:count]
        return taken

    def read(self):
        """The next message; Closed at the end of the stream."""
        head = self.read_bytes(5)
        return head[:1], self.read_bytes(struct.unpack("!i", head[1:])[0] - 4)

    def read_until(self, kind, count=1):
        """Messages up to and including the `count`-th of this kind."""
        found = []
        while count:
            found.append(self.read())
            count -= found[-1][0] == kind
        return found

    def read_to_end(self):
        """All that comes until the peer closes (a reset counts)."""
        found = []
        try:
            while True:
                found.append(self.read())
        except (Closed, ConnectionError):
            return found

    def ask(self, sql):
        """One simple Query and its answer up to ReadyForQuery."""
        return self.send(query(sql)).read_until(b"Z")

    def cancel(self):
        """A CancelRequest for this connection; its only answer is the end of the line that it came by."""
        host, port = self.socket.getpeername()
        with socket.create_connection((host, port), timeout=READ_SECONDS) as line:
            line.sendall(struct.pack("!iiII", 16, CANCEL_REQUEST, *self.key))
            line.recv(1)

    def rows(self, sql):
        """Text rows of one Query; an error is an AssertionError."""
        found = []
        for kind, body in self.ask(sql):
            assert kind != b"E", error_fields(body)
            if kind == b"D":
                found.append(data_row(body))
        return found

    def close(self):
        self.socket.close()


def data_row(body):
    """Column values (bytes or None) of a DataRow."""
    values, at = [], 2
    for _ in range(struct.unpack_from("!h", body)[0]):
        size = struct.unpack_from("!i", body, at)[0]
        at += 4
        values.append(None if size < 0 else body[at:at + size])
        at += max(size, 0)
    return values


def sqlstate(messages):
    """The SQLSTATE of the first error among messages, or None."""
    return next((error_fields(body).get("C") for kind, body in messages if kind == b"E"), None)
