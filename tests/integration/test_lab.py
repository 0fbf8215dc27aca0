"""Difficult transactions at every isolation level, with and without a misbehaving target: at quiescence no row differs that is not
in doubt, and after the drain none differs at all."""
import random
import threading
import time
import uuid

import psycopg2
import pytest
from connections import connector
from harness.cluster import run, value
from harness.compare import assert_equal
from harness.doubt import uncovered
from harness.wait import wait_until
from lab_work import KINDS, SCHEMA, SEED, SIZE

CLIENTS = 12
# What such transactions meet on plain PostgreSQL too (21000: an upsert under REPEATABLE READ beside concurrent ones).
EXPECTED = ("40001", "40P01", "55P03", "23505", "23503", "57P01", "21000")
LEVELS = {"r": "READ COMMITTED", "p": "REPEATABLE READ", "s": "SERIALIZABLE"}


class Client(threading.Thread):
    def __init__(self, number, connect, level, stopping):
        super().__init__(daemon=True)
        self.number, self.connect, self.level, self.stopping = number, connect, level, stopping
        self.chance = random.Random(number)
        self.acked, self.unexpected, self.counts = [], [], {}
        self.connection = None

    def run(self):
        while not self.stopping.is_set():
            committing = False
            try:
                if self.connection is None:
                    self.connection = self.connect()
                    self.connection.set_session(isolation_level=self.level)
                op = str(uuid.uuid4())
                kind = self.chance.choice(KINDS)
                with self.connection.cursor() as cursor:
                    cursor.execute("INSERT INTO oplog VALUES (%s, %s, %s)", (op, self.number, self.level[0]))
                    cursor.execute("UPDATE cnt SET n = n + 1 WHERE id = %s", (self.chance.randint(1, 8),))
                    kind(cursor, self.chance, self.chance.randint(1, SIZE))
                    committing = True
                    self.connection.commit()
                self.acked.append(op)
                self.counts[kind.__name__] = self.counts.get(kind.__name__, 0) + 1
            except psycopg2.Error as error:
                self._failed(error, committing)
        if self.connection:
            self.connection.close()

    def _failed(self, error, _committing):
        if self.connection is None or self.connection.closed:
            self.connection = None
            self.unexpected.append("connection: " + str(error).strip())
            self.stopping.wait(0.1)
            return
        if error.pgcode not in EXPECTED:
            self.unexpected.append(f"{error.pgcode} {str(error).strip()}")
        self.connection.rollback()


class Lab:
    def __init__(self, world, level):
        self.world = world
        self.stopping = threading.Event()
        self.clients = [Client(i, connector(world.proxies[i % len(world.proxies)], world), level, self.stopping) for i in range(CLIENTS)]
        for client in self.clients:
            client.start()

    def run_for(self, seconds):
        end = time.monotonic() + seconds
        wait_until(lambda: time.monotonic() >= end, seconds + 10, "the load's time")

    def stop(self):
        self.stopping.set()
        for client in self.clients:
            client.join(60)
            assert not client.is_alive(), "a client hangs"

    def judge(self):
        acked = {op for client in self.clients for op in client.acked}
        print(f"{len(acked)} acknowledged;", {k: sum(c.counts.get(k, 0) for c in self.clients) for k in {f.__name__ for f in KINDS}})
        unexpected = [e for client in self.clients for e in client.unexpected]
        assert not unexpected, unexpected[:3]
        assert acked
        self.quiet()
        source, target = self.world.connect("source"), self.world.connect("target")
        found = uncovered(source, target)
        assert not found, f"{len(found)} rows differ that nothing declares to be in doubt: {found[:5]}"
        self.world.reconciler()
        self.world.wait_drained(90)
        assert_equal(self.world)
        for connection in (source, target):
            assert acked <= {op for (op,) in run(connection, "SELECT op::text FROM oplog")}
            assert value(connection, "SELECT (SELECT sum(n) FROM cnt) = (SELECT count(*) FROM oplog)"), "an op happened twice or half"

    def quiet(self):
        """No op in flight on either side."""
        for side in ("source", "target"):
            wait_until(lambda side=side: not self.world.clusters[side].run(
                "SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid() "
                "AND (state = 'active' OR state LIKE 'idle in%') AND backend_type = 'client backend'", self.world.database), 20, "quiescence")


@pytest.mark.parametrize("level", LEVELS)
def test_healthy(deploy, load_seconds, level):
    lab = Lab(deploy(SCHEMA, SEED, proxies=2, settings={"dual_write": {"budget_ms": 1000}}), LEVELS[level])
    lab.run_for(load_seconds)
    lab.stop()
    lab.judge()


@pytest.mark.parametrize("level", LEVELS)
def test_with_a_reconciler_and_a_target_that_stalls(deploy, load_seconds, level):
    world = deploy(SCHEMA, SEED, proxies=2, reconcilers=1, settings={"dual_write": {"budget_ms": 150}})
    lab = Lab(world, LEVELS[level])
    end = time.monotonic() + load_seconds
    while time.monotonic() < end:
        locker = world.connect("target")
        run(locker, "BEGIN; LOCK TABLE pgtandem.ledger IN ACCESS EXCLUSIVE MODE")
        lab.run_for(0.6)
        run(locker, "ROLLBACK")
        locker.close()
        lab.run_for(0.6)
    lab.stop()
    world.reconcilers[0].stop()
    lab.judge()


def test_with_a_slow_target_and_cut_connections(deploy, gates, load_seconds):
    gate = gates("target")
    world = deploy(SCHEMA, SEED, proxies=2, reconcilers=1, through={"target": gate}, settings={"dual_write": {"budget_ms": 100}})
    lab = Lab(world, LEVELS["r"])
    end = time.monotonic() + load_seconds
    while time.monotonic() < end:
        for delay in (0.02, 0.15, 0.0):
            gate.delay_seconds = delay
            lab.run_for(0.3)
        gate.cut(reset=True)
    gate.delay_seconds = 0.0
    lab.stop()
    world.reconcilers[0].stop()
    lab.judge()


def test_with_two_reconcilers_and_backends_of_the_target_killed(deploy, load_seconds):
    world = deploy(SCHEMA, SEED, proxies=2, reconcilers=2, settings={"dual_write": {"budget_ms": 150}})
    lab = Lab(world, LEVELS["r"])
    end = time.monotonic() + load_seconds
    while time.monotonic() < end:
        lab.run_for(0.4)
        world.clusters["target"].run("SELECT pg_terminate_backend(pid) FROM (SELECT pid FROM pg_stat_activity WHERE datname = current_database() "
                                     "AND pid <> pg_backend_pid() ORDER BY random() LIMIT 2) x", world.database)
    lab.stop()
    for reconciler in world.reconcilers:
        reconciler.stop()
    lab.judge()
