"""Writers that keep a ledger of what was acknowledged, and the verdict on it after the drain.

Each transaction inserts a row with a fresh uuid into `acked` and adds one to a counter. A row that was acknowledged must be on
both sides; a counter that disagrees with the number of rows betrays an effect that happened twice.
"""
import threading
import time
import uuid

import psycopg2

from .cluster import run, value

SCHEMA = """
CREATE TABLE acked(op uuid PRIMARY KEY, writer int NOT NULL, n int NOT NULL, at timestamptz DEFAULT clock_timestamp());
CREATE TABLE counter(id int PRIMARY KEY, n bigint NOT NULL);
"""
SEED = "INSERT INTO counter SELECT i, 0 FROM generate_series(1, {counters}) i"
COUNTERS = 64
RECONNECT_PAUSE = 0.05


class Writer(threading.Thread):
    """One client in a loop; `connect()` gives a psycopg2 connection (autocommit off)."""

    def __init__(self, number, connect, crew):
        super().__init__(daemon=True)
        self.number, self.connect, self.crew = number, connect, crew
        self.acked, self.unknown, self.refused, self.latencies, self.commits = [], [], [], [], []
        self.connection_errors = 0
        self.connection = None

    def run(self):
        n = 0
        while not self.crew.stopping.is_set() and (self.crew.transactions is None or n < self.crew.transactions):
            n += 1
            self._one(n)
        if self.connection and not self.connection.closed:
            self.connection.close()

    def _one(self, n):
        op, committing = str(uuid.uuid4()), False
        begun = time.monotonic()
        try:
            if self.connection is None or self.connection.closed:
                self.connection = self.connect()
                begun = time.monotonic()
            with self.connection.cursor() as cursor:
                cursor.execute("INSERT INTO acked VALUES (%s, %s, %s)", (op, self.number, n))
                cursor.execute("UPDATE counter SET n = n + 1 WHERE id = %s", (1 + (self.number * 7 + n) % self.crew.counters,))
                committing, commit_begun = True, time.monotonic()
                self.connection.commit()
            ended = time.monotonic()
            self.acked.append(op)
            self.latencies.append(ended - begun)
            self.commits.append(ended - commit_begun)
        except psycopg2.Error as error:
            self._failed(op, committing, error)

    def _failed(self, op, committing, error):
        lost = self.connection is None or self.connection.closed
        if committing and (lost or not error.pgcode):
            self.unknown.append(op)
        if lost:
            self.connection_errors += 1
            self.connection = None
            self.crew.stopping.wait(RECONNECT_PAUSE)
        else:
            self.connection.rollback()
        self.refused.append((getattr(error, "pgcode", None), str(error).strip(), time.monotonic() - self.crew.begun))


class Crew:
    """Several writers, spread over the given connect functions."""

    def __init__(self, connects, writers=16, transactions=None, counters=COUNTERS):
        self.stopping = threading.Event()
        self.transactions, self.counters = transactions, counters
        self.begun = time.monotonic()
        self.writers = [Writer(i, connects[i % len(connects)], self) for i in range(writers)]

    def start(self):
        for writer in self.writers:
            writer.start()
        return self

    def stop(self, bound=60):
        self.stopping.set()
        self.join(bound)
        return self

    def join(self, bound=600):
        end = time.monotonic() + bound
        for writer in self.writers:
            writer.join(max(0.1, end - time.monotonic()))
            assert not writer.is_alive(), f"writer {writer.number} hangs"
        return self

    def count(self):
        return sum(len(w.acked) for w in self.writers)

    @property
    def acked(self):
        return {op for w in self.writers for op in w.acked}

    @property
    def unknown(self):
        return {op for w in self.writers for op in w.unknown}

    @property
    def refused(self):
        return [r for w in self.writers for r in w.refused]

    def longest(self):
        return max((x for w in self.writers for x in w.latencies), default=0.0)

    def longest_commit(self):
        """Of the COMMITs alone: they wait for no other client's row lock, so this is what a single op had to wait."""
        return max((x for w in self.writers for x in w.commits), default=0.0)


def verdict(crew, source, target, counters_from=0):
    """What is wrong with the two databases after the drain, as text lines; [] = nothing."""
    wrong = []
    acked, unknown = crew.acked, crew.unknown
    for name, connection in (("source", source), ("target", target)):
        present = {str(op) for (op,) in run(connection, "SELECT op::text FROM acked")}
        if acked - present:
            wrong.append(f"{name}: {len(acked - present)} acknowledged writes missing, e.g. {sorted(acked - present)[:3]}")
        if present - acked - unknown:
            wrong.append(f"{name}: {len(present - acked - unknown)} writes nobody was told of")
        total = value(connection, "SELECT coalesce(sum(n), 0) FROM counter")
        if total != len(present) + counters_from:
            wrong.append(f"{name}: counters say {total}, rows {len(present)}: applied twice or half")
    return wrong
