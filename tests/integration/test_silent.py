"""Proxies that miss the start of mirroring. In passthrough no fence stops their writes: the change must not be reported as done
while one of them may still write past it, and what its clients have asked for meanwhile is mirrored or not done at all."""
import threading

import psycopg2
import pytest
from connections import through
from harness.cluster import run, value
from harness.compare import assert_equal
from harness.wait import wait_until

SCHEMA = "CREATE TABLE k(id int PRIMARY KEY, v text)"
SEED = "INSERT INTO k SELECT i, 'old' FROM generate_series(1, 10) i"
LEASE = {"cutover": {"lease_ms": 1000}}


@pytest.fixture
def world(deploy):
    return deploy(SCHEMA, SEED, phase="passthrough", proxies=1, reconcilers=1, settings=LEASE)


def start(connection, statement):
    """Runs it in a thread; (thread, answers)."""
    answers = []

    def write():
        try:
            run(connection, statement)
            answers.append("committed")
        except psycopg2.Error as error:
            answers.append(error.pgcode or "lost")
    thread = threading.Thread(target=write, daemon=True)
    thread.start()
    return thread, answers


def unread(port):
    """How many connections to this port have bytes that their process has not read."""
    with open("/proc/net/tcp") as table:
        rows = [line.split() for line in table][1:]
    return sum(int(r[1].split(":")[1], 16) == port and int(r[4].split(":")[1], 16) > 0 for r in rows)


def cut_control(gate, cluster, database):
    """Cuts what the gate's proxy has open for itself; its clients' sessions stay."""
    ports = {r[0] for r in cluster.run("SELECT client_port FROM pg_stat_activity WHERE application_name LIKE 'pgtandem%%' AND datname = %s",
                                       database, (database,))}
    for link in list(gate.links):
        if link.server.getsockname()[1] in ports:
            link.cut(reset=True)


def refused_for(world, awake, silent):
    """Neither mirroring nor the backfill begins as long as the silent one may write."""
    done = world.ctl("phase", "dual_write", proxy=awake, check=False)
    assert done.returncode == 1 and str(silent.port) in done.stdout, done.stdout
    done = world.ctl("phase", "backfill", proxy=awake, check=False)
    assert done.returncode == 1, done.stdout


def test_a_proxy_without_its_control_connections(world, gates):
    ways = {side: gates(side) for side in ("source", "target")}
    silent = world.proxy(more={side: world.conninfo(side, ways) for side in ways})
    session = through(silent, world, autocommit=True)
    open_one = through(silent, world)
    assert value(session, "SELECT count(*) FROM k") == 10
    run(open_one, "UPDATE k SET v = 'unmirrored' WHERE id = 2")
    wait_until(lambda: value(world.connect("source"), "SELECT count(*) FROM pgtandem.lease WHERE cardinality(backends) = 2") == 1, 20,
               "its sessions in its lease")
    for side, way in ways.items():
        way.refusing = True
        cut_control(way, world.clusters[side], world.database)
    refused_for(world, world.proxies[0], silent)
    writing, answers = start(session, "UPDATE k SET v = 'held' WHERE id = 1")
    open_one.commit()   # from before, and counted as such
    wait_until(lambda: silent.admin.metrics()["pgtandem_held"] == 1, 20, "the hold")
    assert not answers
    for way in ways.values():
        way.refusing = False
    writing.join(30)
    assert answers == ["committed"]
    world.wait_phase("dual_write")
    wait_until(lambda: world.ctl("phase", "backfill", proxy=world.proxies[0], check=False).returncode == 0, 30, "backfill", every=0.2)
    wait_until(lambda: value(world.connect("target"), "SELECT v FROM k WHERE id = 2") == "unmirrored", 30, "the backfill")
    world.wait_drained()
    assert_equal(world)


def test_a_proxy_that_is_stopped_after_the_gates(world):
    awake, silent = world.proxies[0], world.proxy()
    sessions = [through(silent, world, autocommit=True) for _ in range(4)]
    for session in sessions:
        run(session, "SELECT 1")
    wait_until(lambda: value(world.connect("source"), "SELECT count(*) FROM pgtandem.lease WHERE cardinality(backends) = 4") == 1, 20,
               "its sessions in its lease")
    lock = world.connect("target", autocommit=False)
    run(lock, "LOCK TABLE pgtandem.ledger IN ACCESS EXCLUSIVE MODE")
    changing = []
    thread = threading.Thread(target=lambda: changing.append(world.ctl("phase", "dual_write", proxy=awake, check=False)), daemon=True)
    thread.start()
    wait_until(lambda: value(world.connect("target"), "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND "
                             "application_name LIKE 'pgtandem coord%%' AND datname = current_database()") > 0, 20, "the change to wait")
    silent.freeze()
    lock.rollback()
    thread.join(60)
    assert changing[0].returncode == 1 and str(silent.port) in changing[0].stdout, changing[0].stdout
    writes = [start(session, f"UPDATE k SET v = 'after the thaw' WHERE id = {i}") for i, session in enumerate(sessions, 1)]
    wait_until(lambda: unread(silent.port) == len(writes), 20, "the writes to lie before the proxy")
    silent.thaw()
    for writing, answers in writes:
        writing.join(30)
        assert answers == ["committed"]
    world.wait_drained()
    assert_equal(world)


def test_one_that_was_killed_is_not_waited_for(world):
    awake, silent = world.proxies[0], world.proxy()
    session = through(silent, world, autocommit=True)
    run(session, "SELECT 1")
    silent.kill()
    done = world.ctl("phase", "dual_write", proxy=awake)
    assert "phase dual_write" in done.stdout


def test_after_uninit_nobody_needs_a_lease(world):
    session = through(world.proxies[0], world, autocommit=True)
    run(session, "UPDATE k SET v = 'a' WHERE id = 1")
    world.command("uninit")
    wait_until(lambda: world.proxies[0].admin.metrics()["pgtandem_lease_age_seconds"] > 2, 20, "a lease that lapses")
    run(session, "UPDATE k SET v = 'b' WHERE id = 1")
