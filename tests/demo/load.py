"""The demo's load: pgbench in two modes and mixed writers, through whatever ports they are given, until told to stop."""
import random
import sys
import threading
import time
import uuid
from pathlib import Path

import psycopg2

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from harness import pgbench  # noqa: E402

RECONNECT_PAUSE = 0.1
RETRY_SHARE = 0.2          # of the writes with an idempotency key are sent twice on purpose
PGBENCH_SLICE_SECONDS = 3  # pgbench runs in slices, so that it can stop and so that a slice ends after a killed proxy

SCHEMA = """
CREATE TABLE acked(op uuid PRIMARY KEY, writer int NOT NULL, kind text NOT NULL, at timestamptz NOT NULL DEFAULT clock_timestamp(),
                   dice float8 NOT NULL DEFAULT random());
CREATE TABLE counter(id int PRIMARY KEY, n bigint NOT NULL);
INSERT INTO counter SELECT i, 0 FROM generate_series(1, 32) i;
CREATE TABLE once(id bigserial PRIMARY KEY, op uuid NOT NULL, at timestamptz NOT NULL DEFAULT now());
CREATE INDEX ON once(op);
"""
COUNTERS = 32


class Books:
    """What the clients were told. Shared by all of them."""

    def __init__(self):
        self.lock = threading.Lock()
        self.acked, self.unknown, self.once, self.once_unknown = set(), set(), set(), set()
        self.kinds = {}
        self.errors = []            # (seconds since start, port, text)
        self.longest = 0.0
        self.pgbench_done = 0
        self.started = time.monotonic()

    def done(self, op, kind, seconds):
        with self.lock:
            if kind == "idempotent":
                self.once.add(op)
            else:
                self.acked.add(op)
            self.kinds[kind] = self.kinds.get(kind, 0) + 1
            self.longest = max(self.longest, seconds)

    def doubtful(self, op, kind):
        with self.lock:
            (self.once_unknown if kind == "idempotent" else self.unknown).add(op)

    def failed(self, port, text):
        with self.lock:
            self.errors.append((time.monotonic() - self.started, port, text))

    def transactions(self):
        return len(self.acked) + len(self.once) + self.pgbench_done


def order(cursor, chance, writer):
    cursor.execute("INSERT INTO shop.orders(customer_id, coupon) SELECT id, md5(random()::text) FROM shop.customer "
                   "WHERE id = md5('c' || %s)::uuid RETURNING id", (chance.randint(1, 200),))
    (number,) = cursor.fetchone()
    for line in range(chance.randint(1, 3)):
        cursor.execute("INSERT INTO shop.order_line VALUES (%s, %s, %s, 1, random() * 100)", (number, line, chance.randint(1, 50)))
    if chance.random() < 0.1:
        cursor.execute("DELETE FROM shop.orders WHERE id = %s", (number,))


def customer(cursor, chance, writer):
    cursor.execute("INSERT INTO shop.customer(mail, name, tags, profile) VALUES (%s, 'new', ARRAY['x', NULL], "
                   "jsonb_build_object('r', random(), 'id', gen_random_uuid(), 'at', clock_timestamp()))",
                   (f"{uuid.uuid4()}@example.org",))


def upsert(cursor, chance, writer):
    cursor.execute("INSERT INTO shop.key_text AS t VALUES (%s, 1) ON CONFLICT (k) DO UPDATE SET v = t.v + 1",
                   (f"word {chance.randint(1, 30)}",))
    if chance.random() < 0.2:
        cursor.execute("DELETE FROM shop.key_text WHERE k = %s", (f"word {chance.randint(1, 30)}",))


def claim(cursor, chance, writer):
    cursor.execute("UPDATE shop.job SET state = 1, worker = %s WHERE id IN (SELECT id FROM shop.job WHERE state = 0 ORDER BY id "
                   "LIMIT 2 FOR UPDATE SKIP LOCKED) RETURNING id", (writer,))
    if len(cursor.fetchall()) < 2:
        cursor.execute("INSERT INTO shop.job(payload) SELECT '{\"again\":  true}' FROM generate_series(1, 10)")


def hot(cursor, chance, writer):
    cursor.execute("UPDATE shop.stock SET quantity = quantity - 1, moved = moved * 3 %% 1000003 + %s WHERE product_id = %s",
                   (writer, chance.randint(1, 3)))


def savepoints(cursor, chance, writer):
    cursor.execute("UPDATE shop.product SET weight = weight + 1 WHERE id = %s", (chance.randint(1, 50),))
    cursor.execute("SAVEPOINT a")
    cursor.execute("INSERT INTO shop.event VALUES (%s, '2026-05-05', 'click', '{}')", (chance.randint(1, 10**12),))
    cursor.execute("ROLLBACK TO SAVEPOINT a")
    cursor.execute("INSERT INTO shop.reading VALUES (gen_random_uuid(), clock_timestamp(), random())")


def prices(cursor, chance, writer):
    cursor.execute("UPDATE shop.product SET price.amount = random() * 1000, picture = decode(md5(random()::text), 'hex'), "
                   "score = random() WHERE id = %s", (chance.randint(1, 50),))


KINDS = [order, customer, upsert, claim, hot, savepoints, prices]


class Writer(threading.Thread):
    """One application client: a transaction of a random kind at a time, every one with its entry in `acked`."""

    def __init__(self, number, ports, database, books, stopping):
        super().__init__(daemon=True)
        self.number, self.ports, self.database, self.books, self.stopping = number, ports, database, books, stopping
        self.chance = random.Random(number)
        self.connection = None

    def run(self):
        while not self.stopping.is_set():
            kind = "idempotent" if self.chance.random() < 0.1 else self.chance.choice(KINDS)
            self._once() if kind == "idempotent" else self._transaction(kind)
        if self.connection:
            self.connection.close()

    def _connect(self):
        if self.connection is None:
            self.connection = psycopg2.connect(host=",".join(["127.0.0.1"] * len(self.ports)), user="postgres", dbname=self.database,
                                               port=",".join(map(str, self.ports)), connect_timeout=15, application_name="writer")
        return self.connection

    def _port(self):
        return self.connection.info.port if self.connection and not self.connection.closed else self.ports[0]

    def _transaction(self, kind):
        op, committing, port = str(uuid.uuid4()), False, self.ports[0]
        try:
            connection = self._connect()
            connection.autocommit = False
            port = connection.info.port
            begun = time.monotonic()
            with connection.cursor() as cursor:
                cursor.execute("INSERT INTO acked(op, writer, kind) VALUES (%s, %s, %s)", (op, self.number, kind.__name__))
                kind(cursor, self.chance, self.number)
                # last, so that the writers do not queue for it while the rest of a transaction runs
                cursor.execute("UPDATE counter SET n = n + 1 WHERE id = %s", (self.chance.randint(1, COUNTERS),))
                committing = True
                connection.commit()
            self.books.done(op, kind.__name__, time.monotonic() - begun)
        except psycopg2.Error as error:
            self._failed(op, kind.__name__, committing, port, error)

    def _once(self):
        """An autocommit write with an idempotency key; sent again on purpose, and whenever its answer was lost."""
        op = str(uuid.uuid4())
        statement = f"/* idempotency_key='{op}' */ INSERT INTO once(op) VALUES ('{op}')"
        sends, told = (2 if self.chance.random() < RETRY_SHARE else 1), False
        while sends and not (self.stopping.is_set() and told):
            port = self.ports[0]
            try:
                connection = self._connect()
                connection.autocommit = True
                port = connection.info.port
                begun = time.monotonic()
                with connection.cursor() as cursor:
                    cursor.execute(statement)
                sends, told = sends - 1, True
                self.books.done(op, "idempotent", time.monotonic() - begun)
            except psycopg2.Error as error:
                self._failed(op, "idempotent", True, port, error)
                if self.stopping.is_set():
                    return

    def _failed(self, op, kind, committing, port, error):
        lost = self.connection is None or self.connection.closed
        self.books.failed(port, f"{error.pgcode or ''} {str(error).strip()}")
        if committing and (lost or not error.pgcode):
            self.books.doubtful(op, kind)
        if lost:
            self.connection = None
            self.stopping.wait(RECONNECT_PAUSE)
        else:
            self.connection.rollback()


class Bench(threading.Thread):
    """pgbench's TPC-B in slices, until told to stop."""

    def __init__(self, name, ports, database, mode, clients, books, stopping, folder):
        super().__init__(daemon=True)
        self.name_, self.ports, self.database, self.mode, self.clients = name, ports, database, mode, clients
        self.books, self.stopping, self.folder = books, stopping, folder

    def run(self):
        while not self.stopping.is_set():
            run = pgbench.Run(self.ports, self.database, ["-M", self.mode, "-c", str(self.clients), "-j", "1",
                                                          "-T", str(PGBENCH_SLICE_SECONDS)], f"{self.folder}/pgbench-{self.name_}.log")
            run.wait(120)
            with self.books.lock:
                self.books.pgbench_done += run.transactions
            for line in run.errors():
                self.books.failed(self.ports[0], f"pgbench: {line}")
            if run.process.returncode:
                self.stopping.wait(RECONNECT_PAUSE)


class Load:
    """All clients. `ports` is a list of ports; every client starts with another one and falls back on the rest."""

    def __init__(self, ports, database, books, folder, writers=6, bench_clients=3):
        self.stopping = threading.Event()
        turned = [ports[i:] + ports[:i] for i in range(len(ports))]
        self.threads = [Writer(i, turned[i % len(turned)], database, books, self.stopping) for i in range(writers)]
        self.threads += [Bench(mode, turned[i % len(turned)], database, mode, bench_clients, books, self.stopping, folder)
                         for i, mode in enumerate(("prepared", "simple"))]

    def start(self):
        for thread in self.threads:
            thread.start()
        return self

    def stop(self, bound=60):
        self.stopping.set()
        end = time.monotonic() + bound
        for thread in self.threads:
            thread.join(max(0.1, end - time.monotonic()))
            if thread.is_alive():
                raise RuntimeError(f"a client hangs: {thread.name}")
