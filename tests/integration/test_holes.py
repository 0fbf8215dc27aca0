"""The counter-examples that shaped the protocol, forced against the real binaries by locks and gates, not by luck.

Each test builds one interleaving in which a simpler protocol leaves the two databases different, lets everything drain, and
compares every row.
"""
import threading
import uuid

import psycopg2
import pytest
from connections import through
from harness.cluster import run, value
from harness.compare import assert_equal, compare
from harness.gate import TO_CLIENT, Gate, is_commit, says
from harness.wait import wait_until
from harness.wire import SYNC, Wire, bind, error_fields, execute, parse, query

BUDGET_MS = 300
SCHEMA = """
CREATE TABLE acct(id int PRIMARY KEY, bal bigint, ver int);
CREATE TABLE cnt(id int PRIMARY KEY, n int);
CREATE TABLE par(id int PRIMARY KEY, v int);
CREATE TABLE chd(id int PRIMARY KEY, pid int NOT NULL REFERENCES par ON DELETE CASCADE, v int);
CREATE TABLE nul(id int PRIMARY KEY, pid int REFERENCES par ON DELETE SET NULL, v int);
CREATE TABLE uq(id int PRIMARY KEY, u text NOT NULL UNIQUE, n int);
CREATE TABLE uqc(id int PRIMARY KEY, uid int NOT NULL REFERENCES uq ON DELETE CASCADE, v int);
CREATE TABLE only_ins(id int PRIMARY KEY, v int);
"""
SEED = """
INSERT INTO acct SELECT i, 100, 0 FROM generate_series(1, 30) i; INSERT INTO cnt SELECT i, 0 FROM generate_series(1, 8) i;
INSERT INTO par SELECT i, 0 FROM generate_series(1, 5) i; INSERT INTO chd SELECT i, 1 + i % 5, 0 FROM generate_series(1, 20) i;
INSERT INTO nul SELECT i, 1 + i % 5, 0 FROM generate_series(1, 20) i; INSERT INTO uq SELECT i, 'u' || i, 0 FROM generate_series(1, 5) i;
INSERT INTO uqc SELECT i, 1 + i % 5, 0 FROM generate_series(1, 10) i;
"""
SETTINGS = {"dual_write": {"budget_ms": BUDGET_MS}}
ledger_insert = says("pgtandem.ledger", (b"Q", b"P", b"B"))


@pytest.fixture
def world(deploy):
    """make(**options): a deployment in dual_write, without a reconciler unless asked for."""
    def make(**options):
        options.setdefault("settings", SETTINGS)
        return deploy(SCHEMA, SEED, **options)
    return make


def client(world, proxy=0, **options):
    return through(world.proxies[proxy], world, **options)


def auto(world):
    return through(world.proxies[0], world, autocommit=True)


def source(world, sql):
    return world.clusters["source"].run(sql, world.database)


def target(world, sql):
    return world.clusters["target"].run(sql, world.database)


def dirty(world):
    return source(world, "SELECT count(*) FROM pgtandem.dirty")[0][0]


def drained_and_equal(world):
    world.wait_drained()
    assert_equal(world)


def degrade(world, table, *statements):
    """Runs statements, one transaction each, while `table` is locked on the target: each ends as a degraded op."""
    locker = world.connect("target")
    run(locker, f"BEGIN; LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE")
    connection = auto(world)
    for statement in statements:
        before = dirty(world)
        run(connection, statement)
        assert dirty(world) > before, "the op was not degraded"
    run(locker, "ROLLBACK")
    locker.close()
    connection.close()


class Background(threading.Thread):
    """Runs something that blocks; `result()` waits for it and raises what it raised."""

    def __init__(self, function):
        super().__init__(daemon=True)
        self.function, self.error, self.value = function, None, None
        self.start()

    def run(self):
        try:
            self.value = self.function()
        except Exception as error:
            self.error = error

    def result(self, bound=60):
        self.join(bound)
        assert not self.is_alive(), "still blocked"
        if self.error:
            raise self.error
        return self.value


# --- stragglers and claims

def test_straggler_lands_after_the_repair(world, gates):
    """A batch is stuck in the network, its op is degraded, another op deletes the row, the repair runs; then the batch arrives."""
    gate = gates("target")
    w = world(proxies=2, through={"target": gate})
    gate.hold(ledger_insert)
    run(auto(w), "INSERT INTO cnt VALUES (50, 1)")   # answered after the budget, degraded
    assert gate.wait_held() and dirty(w)
    w.reconciler()
    run(auto(w), "DELETE FROM cnt WHERE id = 50")
    w.wait_drained()
    gate.release()
    drained_and_equal(w)
    assert target(w, "SELECT * FROM cnt WHERE id = 50") == []


def test_straggler_lands_before_the_repair(world, gates):
    gate = gates("target")
    w = world(through={"target": gate})
    gate.hold(ledger_insert)
    run(auto(w), "UPDATE acct SET bal = 1 WHERE id = 1")
    gate.wait_held()
    gate.release()
    run(auto(w), "UPDATE acct SET bal = 2 WHERE id = 1")
    w.reconciler()
    drained_and_equal(w)


def test_straggler_between_reading_and_the_claim(world, gates):
    """The repair is stopped after each of its first messages to the target in turn, and the straggler let in there."""
    for stop in range(1, 7):
        gate, slow = gates("target"), gates("target")
        w = world(through={"target": gate})
        gate.hold(ledger_insert)
        run(auto(w), "INSERT INTO cnt VALUES (50, 1)")
        gate.wait_held()
        seen = []

        def nth(message, stop=stop, seen=seen):
            if message.kind in (b"Q", b"P", b"B"):
                seen.append(message)
            return len(seen) == stop and message.kind in (b"Q", b"P", b"B")
        run_direct_delete(w)
        reconciler = w.reconciler(through={"target": slow})
        slow.hold(nth)
        try:
            slow.wait_held(bound=3)
        except AssertionError:
            pass                    # the repair needs fewer messages than that
        gate.release()
        slow.release()
        drained_and_equal(w)
        reconciler.kill()


def run_direct_delete(w):
    """Deletes the row of the stuck op on the primary as another op that reaches both sides would have."""
    connection = auto(w)
    run(connection, "DELETE FROM cnt WHERE id = 50")
    connection.close()


def test_given_up_op_is_never_retried(world, gates):
    """The target's connections break while a batch is stuck; what its client has been told to be degraded must not be sent again."""
    gate = gates("target")
    w = world(through={"target": gate})
    gate.hold(ledger_insert)
    connection = auto(w)
    run(connection, "INSERT INTO cnt VALUES (60, 1)")
    gate.wait_held()
    gate.cut()
    run(connection, "DELETE FROM cnt WHERE id = 60")
    w.reconciler()
    drained_and_equal(w)


# --- repairs against live ops

def test_guarded_delete_sees_a_row_that_came_back_unchanged(world, gates):
    """The repair is about to delete an orphan when a live op writes the very same image there."""
    gate = gates("target")
    w = world()
    target(w, "INSERT INTO cnt VALUES (50, 1)")
    source(w, "INSERT INTO pgtandem.dirty(relation, key, reason) VALUES ('public.cnt', '{50}', 'test')")
    gate.hold(says("delete", (b"Q", b"P", b"B")))
    w.reconciler(through={"target": gate})
    gate.wait_held()
    run(auto(w), "INSERT INTO cnt VALUES (50, 1)")
    gate.release()
    drained_and_equal(w)
    assert target(w, "SELECT n FROM cnt WHERE id = 50") == [(1,)]


def test_repair_loses_its_primary_connection_before_its_commit(world, gates):
    gate = gates("source")
    w = world()
    degrade(w, "acct", "UPDATE acct SET bal = 1 WHERE id = 1")
    gate.hold(is_commit, once=False)
    reconciler = w.reconciler(through={"source": gate})
    gate.wait_held()
    run(auto(w), "UPDATE acct SET bal = 2 WHERE id = 1")
    gate.cut()
    gate.release()
    drained_and_equal(w)
    assert reconciler.is_running()


def test_repair_delayed_at_its_secondary_commit(world, gates):
    """While the repair's transaction on the secondary is open, live ops on its row degrade; none is forgotten."""
    gate = gates("target")
    w = world()
    degrade(w, "acct", "UPDATE acct SET bal = 1 WHERE id = 1")
    gate.hold(is_commit)
    w.reconciler(through={"target": gate})
    gate.wait_held()
    run(auto(w), "UPDATE acct SET bal = 2 WHERE id = 1")
    run(auto(w), "DELETE FROM acct WHERE id = 1")
    gate.release()
    drained_and_equal(w)


def test_reconciler_killed_between_its_commits(world, gates):
    gate = gates("source")
    w = world()
    degrade(w, "acct", "UPDATE acct SET bal = 1 WHERE id = 1", "DELETE FROM acct WHERE id = 2")
    gate.hold(is_commit, once=False)
    first = w.reconciler(through={"source": gate})
    gate.wait_held()
    first.kill()
    gate.cut()
    run(auto(w), "UPDATE acct SET bal = 3 WHERE id = 1")
    w.reconciler()
    drained_and_equal(w)


def test_repair_takes_no_row_locks_from_clients(world, gates):
    """NOWAIT does not fail and SKIP LOCKED hides nothing while rows are under repair."""
    gate = gates("target")
    w = world()
    degrade(w, "acct", "UPDATE acct SET ver = 1 WHERE id <= 3")
    gate.hold(is_commit, once=False)
    w.reconciler(through={"target": gate})
    gate.wait_held()
    connection = client(w)
    assert len(run(connection, "SELECT * FROM acct WHERE id <= 3 FOR UPDATE NOWAIT")) == 3
    connection.rollback()
    assert value(connection, "SELECT count(*) FROM (SELECT 1 FROM acct WHERE id <= 3 FOR UPDATE SKIP LOCKED) x") == 3
    connection.rollback()
    gate.release()
    drained_and_equal(w)


def test_second_degraded_op_while_the_first_is_being_settled(world, gates):
    """Dirty is a bag: settling one mark must not take along the next one of the same key."""
    gate = gates("source")
    w = world()
    degrade(w, "acct", "UPDATE acct SET bal = 1 WHERE id = 1")
    gate.hold(is_commit)
    w.reconciler(through={"source": gate})
    gate.wait_held()
    degrade(w, "acct", "UPDATE acct SET bal = 9 WHERE id = 1")
    gate.release()
    drained_and_equal(w)
    assert target(w, "SELECT bal FROM acct WHERE id = 1") == [(9,)]


# --- cascades and unique values

def test_parent_deleted_and_inserted_again_in_one_op(world):
    w = world()
    connection = client(w)
    run(connection, "DELETE FROM par WHERE id = 1")
    run(connection, "INSERT INTO par VALUES (1, 9)")
    connection.commit()
    assert dirty(w) == 0
    assert_equal(w)


def test_degraded_delete_of_a_parent_whose_key_comes_back(world):
    w = world()
    degrade(w, "par", "DELETE FROM par WHERE id = 1")
    run(auto(w), "INSERT INTO par VALUES (1, 9)")
    run(auto(w), "INSERT INTO chd VALUES (100, 1, 5)")
    w.reconciler()
    drained_and_equal(w)


def test_degraded_delete_of_a_parent(world):
    w = world()
    degrade(w, "par", "DELETE FROM par WHERE id IN (1, 2)")
    degrade(w, "chd", "UPDATE chd SET v = 7 WHERE pid = 3")
    w.reconciler()
    drained_and_equal(w)


def test_unique_values_swapped_while_degraded(world):
    w = world()
    degrade(w, "uq", "UPDATE uq SET u = 'x' WHERE id = 1", "UPDATE uq SET u = 'u1' WHERE id = 2", "UPDATE uq SET u = 'u2' WHERE id = 1",
            "DELETE FROM uq WHERE id = 3", "INSERT INTO uq VALUES (33, 'u3', 0)", "INSERT INTO uqc VALUES (33, 33, 1)")
    w.reconciler()
    drained_and_equal(w)


def test_unique_values_rotated_half_degraded(world):
    w = world()
    degrade(w, "uq", "UPDATE uq SET u = 'tmp' WHERE id = 1")
    connection = auto(w)
    for statement in ("UPDATE uq SET u = 'u1' WHERE id = 2", "UPDATE uq SET u = 'u2' WHERE id = 3", "UPDATE uq SET u = 'u3' WHERE id = 1"):
        run(connection, statement)
    w.reconciler()
    drained_and_equal(w)


def test_identity_beside_the_key(deploy):
    """GENERATED ALWAYS: no upsert can write it. Where foreign keys point at the table a row cannot be replaced by a live op either."""
    w = deploy("CREATE TABLE lone(k text PRIMARY KEY, n int GENERATED ALWAYS AS IDENTITY, v int);"
               "CREATE TABLE led(k text PRIMARY KEY, n int GENERATED ALWAYS AS IDENTITY, v int);"
               "CREATE TABLE leads(id int PRIMARY KEY, k text REFERENCES led ON DELETE CASCADE)",
               "INSERT INTO lone(k, v) VALUES ('a', 1); INSERT INTO led(k, v) VALUES ('a', 1), ('b', 1); INSERT INTO leads VALUES (1, 'a')", settings=SETTINGS)
    run(auto(w), "UPDATE led SET v = 2; UPDATE lone SET n = DEFAULT, v = 2")
    assert dirty(w) == 0
    assert_equal(w)
    run(auto(w), "UPDATE led SET n = DEFAULT WHERE k = 'a'")
    assert dirty(w) == 1
    degrade(w, "lone", "UPDATE lone SET n = DEFAULT")
    w.reconciler()
    drained_and_equal(w)


def test_circles_of_references(deploy):
    """Tables, and rows of one table, that reference each other: no order of single keys brings them."""
    w = deploy("CREATE TABLE dept(id int PRIMARY KEY, boss int); CREATE TABLE emp(id int PRIMARY KEY, dept int NOT NULL REFERENCES dept ON DELETE CASCADE);"
               "ALTER TABLE dept ADD FOREIGN KEY (boss) REFERENCES emp ON DELETE SET NULL; CREATE TABLE buddy(id int PRIMARY KEY, other int NOT NULL REFERENCES buddy)",
               "INSERT INTO dept SELECT i, NULL FROM generate_series(1, 300) i; INSERT INTO emp SELECT i, i FROM generate_series(1, 300) i; UPDATE dept SET boss = 301 - id",
               seed_target=False, settings=SETTINGS)
    degrade(w, "buddy", "INSERT INTO buddy VALUES (11, 12), (12, 11)")
    w.reconciler()
    w.ctl("backfill", bound=60)
    drained_and_equal(w)


def test_unusual_unique_values_swapped_while_degraded(deploy):
    tables = {"gen": ("u text, low text GENERATED ALWAYS AS (lower(u)) STORED UNIQUE", "'A'", "'B'", "'X'"),
              "room": ("u int4range, EXCLUDE USING gist (u WITH &&)", "'[1,3)'", "'[5,7)'", "'[20,21)'"),
              "nulls": ("u int, UNIQUE NULLS NOT DISTINCT (u)", "NULL", "2", "9")}
    w = deploy("".join(f"CREATE TABLE {name}(id int PRIMARY KEY, {columns});" for name, (columns, *_) in tables.items()),
               "".join(f"INSERT INTO {name} VALUES (1, {one}), (2, {two});" for name, (_, one, two, _) in tables.items()), settings=SETTINGS)
    for name, (_, one, two, between) in tables.items():
        degrade(w, name, f"UPDATE {name} SET u = {between} WHERE id = 1", f"UPDATE {name} SET u = {one} WHERE id = 2", f"UPDATE {name} SET u = {two} WHERE id = 1")
    w.reconciler()
    drained_and_equal(w)


# --- crashes of the primary

def test_xid_handed_out_again_after_a_crash(world, gates, clusters):
    """The op has its effect on the target; the source crashes before COMMIT, and gives the same xid to somebody else."""
    gate = gates("source")
    w = world(through={"source": gate})
    settings = ("ALTER SYSTEM SET wal_writer_delay = '10s'", "CHECKPOINT")
    for statement in settings:
        clusters[0].run(statement)
    clusters[0].reload()
    connection = client(w)
    run(connection, "UPDATE acct SET bal = 777 WHERE id = 1")
    xid = value(connection, "SELECT pg_current_xact_id()::text::bigint")
    gate.hold(is_commit)
    commit = Background(connection.commit)
    gate.wait_held()
    assert target(w, "SELECT bal FROM acct WHERE id = 1") == [(777,)]
    clusters[0].kill()
    gate.cut()
    with pytest.raises(psycopg2.Error):
        commit.result()
    clusters[0].start()
    reused = [value(w.connect("source"), "SELECT pg_current_xact_id()::text::bigint") for _ in range(3)]
    print("lost xid", xid, "handed out after the crash", reused)
    w.reconciler()
    drained_and_equal(w)
    clusters[0].run("ALTER SYSTEM RESET wal_writer_delay")
    assert target(w, "SELECT bal FROM acct WHERE id = 1") == [(100,)]


def test_commit_that_was_settled_but_not_flushed(world, clusters):
    """synchronous_commit = off: what the audit believed must not vanish with the crash."""
    w = world(reconcilers=1)
    clusters[0].run("ALTER SYSTEM SET wal_writer_delay = '10s'")
    clusters[0].reload()
    connection = auto(w)
    run(connection, "SET synchronous_commit = off")
    run(connection, "UPDATE acct SET bal = 778 WHERE id = 1")
    clusters[0].kill()
    clusters[0].start()
    clusters[0].run("ALTER SYSTEM RESET wal_writer_delay")
    drained_and_equal(w)


def test_commit_settled_first_and_then_crashed(world, clusters):
    w = world(reconcilers=1)
    clusters[0].run("ALTER SYSTEM SET wal_writer_delay = '10s'")
    clusters[0].reload()
    connection = auto(w)
    run(connection, "SET synchronous_commit = off")
    run(connection, "UPDATE acct SET bal = 779 WHERE id = 1")
    w.wait_drained()
    clusters[0].kill()
    clusters[0].start()
    clusters[0].run("ALTER SYSTEM RESET wal_writer_delay")
    drained_and_equal(w)
    assert source(w, "SELECT bal FROM acct WHERE id = 1") == [(779,)], "settled, then gone from the primary"


# --- rights, idempotency

def test_role_that_may_insert_but_not_select(world):
    """RETURNING would need SELECT, and a mark needs rights on pgtandem.dirty: neither may show."""
    w = world()
    for cluster in w.clusters.values():
        cluster.run("DO $$ BEGIN CREATE ROLE only_inserts LOGIN; EXCEPTION WHEN duplicate_object THEN NULL; END $$")
        cluster.run("GRANT INSERT ON only_ins TO only_inserts", w.database)
    connection = psycopg2.connect(host="127.0.0.1", port=w.proxies[0].port, user="only_inserts", dbname=w.database)
    try:
        run(connection, "INSERT INTO only_ins VALUES (1, 1)")
        connection.commit()
    except psycopg2.Error as error:
        assert error.pgcode == "0A000", error    # refused by name is honest; 42501 would not be what PostgreSQL shows
        connection.rollback()
    w.reconciler()
    drained_and_equal(w)


def test_degraded_op_of_a_role_without_rights(world):
    w = world()
    for cluster in w.clusters.values():
        cluster.run("DO $$ BEGIN CREATE ROLE plain_writer LOGIN; EXCEPTION WHEN duplicate_object THEN NULL; END $$")
        cluster.run("GRANT SELECT, UPDATE ON acct TO plain_writer", w.database)
    locker = w.connect("target")
    run(locker, "BEGIN; LOCK TABLE acct IN ACCESS EXCLUSIVE MODE")
    connection = psycopg2.connect(host="127.0.0.1", port=w.proxies[0].port, user="plain_writer", dbname=w.database)
    run(connection, "SET search_path = ''")
    run(connection, "UPDATE public.acct SET bal = 5 WHERE id = 5")
    connection.commit()
    assert dirty(w) == 1
    run(locker, "ROLLBACK")
    w.reconciler()
    drained_and_equal(w)


def test_timeouts_of_the_primary_do_not_run_while_the_target_is_waited_for(world):
    """A sick target fails no client, whatever timeouts its session has."""
    budget_ms = 1500
    w = world(settings={"dual_write": {"budget_ms": budget_ms}})
    locker = w.connect("target")
    run(locker, "BEGIN; LOCK TABLE acct IN ACCESS EXCLUSIVE MODE")
    extended_commit = parse("COMMIT") + bind() + execute()
    ends = [query("UPDATE acct SET bal = 7 WHERE id = 1"), query("COMMIT"), extended_commit + SYNC, SYNC]
    clients = [Wire(w.proxies[0].port).login(w.database) for _ in ends]
    for number, client in enumerate(clients):
        for setting in ("idle_in_transaction_session_timeout", "statement_timeout"):
            client.ask(f"SET {setting} = {budget_ms // 5}")
        if ends[number] == SYNC:
            client.send(parse("UPDATE acct SET bal = 7 WHERE id = 4") + bind() + execute())
        elif number:
            client.ask("BEGIN")
            client.ask(f"UPDATE acct SET bal = 7 WHERE id = {number + 1}")
    for client, end in zip(clients, ends):
        client.send(end)
    for client in clients:
        heard = client.read_until(b"Z")
        assert not [error_fields(body) for kind, body in heard if kind == b"E"]
        client.close()
    assert dirty(w) == len(ends)
    run(locker, "ROLLBACK")
    w.reconciler()
    drained_and_equal(w)


@pytest.mark.parametrize("target_is_dead", [False, True])
def test_retry_with_an_idempotency_key_after_a_lost_answer(world, clusters, target_is_dead):
    w = world()
    if target_is_dead:
        clusters[1].stop()
    gate = Gate(w.proxies[0])
    key = uuid.uuid4()
    statement = f"/* idempotency_key='{key}' */ UPDATE acct SET bal = bal + 1 WHERE id = 1 RETURNING bal"
    first = Wire(gate.port).login(w.database)
    gate.hold(lambda m: m.kind == b"C" and m.body.startswith(b"UPDATE"), TO_CLIENT)
    first.send(query(statement))
    gate.wait_held()
    gate.cut()
    gate.remove()
    again = auto(w)
    assert run(again, statement) == [(101,)]
    assert run(again, statement) == [(101,)]
    if target_is_dead:
        clusters[1].start()
    w.reconciler()
    drained_and_equal(w)
    assert source(w, "SELECT bal FROM acct WHERE id = 1") == [(101,)]


# --- fences and flips

def verified(world, **options):
    """A deployment in phase verify with a clean sweep: ready for a cutover."""
    w = world(reconcilers=1, **options)
    w.ctl("phase", "backfill")
    wait_until(lambda: w.ctl("phase", "verify", check=False).returncode == 0, 60, "backfill")
    w.wait_phase("verify")
    wait_until(lambda: w.ctl("cutover", "--dry-run", check=False).returncode == 0, 60, "the gates", every=0.2)
    return w


def test_fence_read_inside_a_savepoint_that_is_rolled_back(world):
    """The flip must wait for the open writer, or the writer must hear of it; a stale epoch commits nothing."""
    w = verified(world)
    connection = client(w)
    run(connection, "SAVEPOINT a")
    run(connection, "INSERT INTO cnt VALUES (90, 0)")
    run(connection, "ROLLBACK TO SAVEPOINT a")
    flip = Background(lambda: w.ctl("cutover", check=False))
    wait_until(lambda: w.migration()["step"] != "steady" or not flip.is_alive(), 20, "the flip to begin")
    try:
        run(connection, "INSERT INTO cnt VALUES (91, 0)")
        connection.commit()
        committed = True
    except psycopg2.Error as error:
        assert error.pgcode in ("40001", "57P01"), error
        committed = False
    flip.result()
    w.wait_drained()
    assert_equal(w)
    assert target(w, "SELECT count(*) FROM cnt WHERE id = 91") == [(int(committed),)]


def test_straggler_of_an_aborted_op_arrives_after_the_flip(world, gates):
    """Its batch is stuck, its backend on the source dies: nothing is dirty, nothing is in the ledger. Then the roles swap."""
    gate = gates("target")
    w = verified(world, proxies=2, through={"target": gate}, settings={"dual_write": {"budget_ms": 2000}})
    connection = client(w)
    run(connection, "UPDATE acct SET bal = 3 WHERE id = 1")
    pid = value(connection, "SELECT pg_backend_pid()")
    gate.hold(ledger_insert)
    commit = Background(connection.commit)
    gate.wait_held()
    source(w, f"SELECT pg_terminate_backend({pid})")
    with pytest.raises(psycopg2.Error):
        commit.result()
    wait_until(lambda: w.ctl("cutover", check=False, bound=60).returncode == 0 or w.migration("target")["phase"] == "tail", 90, "cutover")
    gate.release()
    w.wait_drained()
    assert_equal(w)
    assert target(w, "SELECT bal FROM acct WHERE id = 1") == [(100,)]


def test_batch_of_a_past_epoch_finds_no_ledger(world):
    """After the flip the old partition is detached: it can still be settled, and nothing can be added."""
    w = verified(world)
    epoch = w.migration()["epoch"]
    run(auto(w), "UPDATE acct SET bal = 4 WHERE id = 1")
    w.ctl("cutover")
    w.wait_phase("tail")
    late = w.connect("target")
    with pytest.raises(psycopg2.Error) as refused:
        run(late, "INSERT INTO pgtandem.ledger(op_id, epoch, kind) VALUES (gen_random_uuid(), %s, 'op')", (epoch,))
    assert refused.value.pgcode == "23514"   # no partition
    w.wait_drained()
    assert_equal(w)


# --- backfill and sweep

def test_chunk_of_a_killed_backfiller_arrives_late(world, gates):
    """The first backfiller dies with a chunk stuck in the network; its successor verifies the range; then the chunk arrives."""
    gate = gates("target")
    w = world(seed_target=False)
    gate.hold(says("insert into pgtandem.chunk"))   # its rows are there, the transaction is open
    first = w.reconciler(through={"target": gate})
    w.ctl("phase", "backfill")
    gate.wait_held(bound=30)
    first.kill()
    w.reconciler()
    run(auto(w), "UPDATE acct SET bal = 4 WHERE id = 1")
    try:
        wait_until(lambda: w.ctl("phase", "verify", check=False).returncode == 0, 20, "the successor")
    except AssertionError:
        gate.release()   # the successor may also wait for the stuck session to end
        wait_until(lambda: w.ctl("phase", "verify", check=False).returncode == 0, 40, "the successor")
    run(auto(w), "UPDATE acct SET bal = bal + 1")
    gate.release()
    drained_and_equal(w)


def test_sweep_reports_no_false_drift(world, gates):
    """Ops that abort between the commits, and ops degraded and repaired while a pair is open, are set aside, not reported."""
    gate = gates("source")
    w = verified(world, through={"source": gate})
    start = value(w.connect("source"), "SELECT coalesce(max(pass), 0) FROM pgtandem.sweep")
    for n in range(6):
        connection = client(w)
        run(connection, f"UPDATE acct SET bal = {n} WHERE id = {n + 1}")
        gate.hold(is_commit)
        commit = Background(connection.commit)
        gate.wait_held()[-1].discard()
        with pytest.raises(psycopg2.Error):
            commit.result()
        gate.release()
        degrade(w, "acct", f"UPDATE acct SET ver = {n} WHERE id = 20")
    wait_until(lambda: value(w.connect("source"), f"SELECT count(*) FROM pgtandem.sweep WHERE pass > {start} AND clean"), 60, "a clean sweep")
    rows = source(w, f"SELECT sum(differing) FROM pgtandem.sweep WHERE pass > {start}")
    assert rows == [(0,)]
    drained_and_equal(w)


def test_sweep_finds_planted_drift_and_repairs_it(world):
    w = verified(world)
    target(w, "UPDATE acct SET bal = 1234567 WHERE id = 7; DELETE FROM cnt WHERE id = 3; INSERT INTO par VALUES (999, 1)")
    assert len(compare(w)) == 3
    wait_until(lambda: source(w, "SELECT coalesce(sum(differing), 0) FROM pgtandem.sweep")[0][0] >= 3, 60, "the drift to be found")
    wait_until(lambda: not compare(w), 60, "the drift to be repaired")
    drained_and_equal(w)
