"""Cutover and rollback under sixteen writers and sixteen readers through two proxies: nobody gets an error, every transaction is
on both sides, no read is older than a write acknowledged before it. And a proxy that slept through it commits nothing."""
import os
import select
import signal
import statistics
import threading
import time

import psycopg2
import pytest
from connections import connector, through
from flips import CLIENTS, SCHEMA, SEED, flip, gates_hold, ready  # noqa: F401
from harness import wire, writers
from harness.cluster import run, value
from harness.compare import assert_equal
from harness.wait import wait_until
from harness.wire import Wire, sqlstate
from late_write import write_and_thaw

# Nobody is passed over because the machine is busy: sequences are set exactly then.
PATIENT = {"cutover": {"lease_ms": 20000, "hold_deadline_ms": 20000, "drain_deadline_ms": 20000}}
FLIPS = int(os.environ.get("PGTANDEM_FLIPS", "4"))     # the acceptance run uses 20: ten times there and back


class Clock:
    """One row that a writer raises and a reader, through the other proxy, must never see behind what was acknowledged."""

    def __init__(self, number, write, read, stopping):
        self.number, self.write, self.read, self.stopping = number, write, read, stopping
        self.acknowledged, self.reads, self.stale, self.errors = 0, 0, [], []
        self.threads = [threading.Thread(target=self._guarded, args=(f,), daemon=True) for f in (self._writes, self._reads)]
        for thread in self.threads:
            thread.start()

    def _guarded(self, function):
        try:
            function()
        except psycopg2.Error as error:
            self.errors.append(f"clock {self.number}: {error.pgcode} {error}")

    def _writes(self):
        connection = self.write()
        connection.autocommit = self.number % 2 == 0
        n = 0
        while not self.stopping.is_set():
            n += 1
            run(connection, "UPDATE clock SET t = %s WHERE id = %s", (n, self.number))
            connection.commit()
            self.acknowledged = n

    def _reads(self):
        connection = self.read()
        connection.autocommit = True
        while not self.stopping.is_set():
            floor = self.acknowledged
            seen = value(connection, "SELECT t FROM clock WHERE id = %s", (self.number,))
            self.reads += 1
            if seen < floor:
                self.stale.append((self.number, floor, seen))


def test_there_and_back_under_load(ready):
    world = ready()
    stopping = threading.Event()
    first, second = (connector(p, world) for p in world.proxies)
    clocks = [Clock(i, (first, second)[i % 2], (second, first)[i % 2], stopping) for i in range(CLIENTS)]
    crew = writers.Crew([first, second], CLIENTS).start()
    took = []
    for n in range(FLIPS):
        goal = crew.count() + 200
        wait_until(lambda: crew.count() >= goal, 60, "progress between the flips")
        took.append(flip(world, ("cutover", "rollback")[n % 2]))
    wait_until(lambda: all(clock.reads > 10 for clock in clocks) or any(c.errors for c in clocks), 30, "readers to read")
    stopping.set()
    crew.stop()
    for clock in clocks:
        for thread in clock.threads:
            thread.join(30)
            assert not thread.is_alive(), "a client hangs"
    known = [ms for ms in took if ms is not None]
    print("cutover_ms", took, "median", statistics.median(known) if known else None, "acknowledged", crew.count(), "longest",
          f"{crew.longest() * 1000:.0f} ms")
    assert not [e for c in clocks for e in c.errors] and not crew.refused, ([e for c in clocks for e in c.errors] + crew.refused)[:3]
    assert not [s for c in clocks for s in c.stale]
    world.wait_drained()
    source, target = world.connect("source"), world.connect("target")
    assert not writers.verdict(crew, source, target)
    assert_equal(world)
    for clock in clocks:
        assert value(source, "SELECT t FROM clock WHERE id = %s", (clock.number,)) == clock.acknowledged


def test_a_proxy_that_slept_through_the_flip_commits_nothing(ready):
    """SIGSTOP across the flip: the lease lapses, the flip goes on without it, and its client's COMMIT must not take effect."""
    world = ready(settings={"cutover": {"lease_ms": 500, "hold_deadline_ms": 3000}})
    sleeper, awake = world.proxies
    connection = through(sleeper, world)
    idle = through(sleeper, world, autocommit=True)
    run(idle, "UPDATE clock SET t = 1 WHERE id = 1")
    drawn = value(idle, "INSERT INTO ser(v) VALUES (1) RETURNING id")
    gates_hold(world)
    sleeper.freeze()
    flipped = wait_until(lambda: world.ctl("cutover", proxy=awake, check=False).returncode == 0 or None, 60, "a flip without the sleeper",
                         every=0.5)
    assert flipped
    world.wait_phase("tail")
    run(through(awake, world, autocommit=True), "UPDATE clock SET t = 5 WHERE id = 2")
    # what the sleeper's clients may still draw from the old primary is left out
    assert value(through(awake, world, autocommit=True), "INSERT INTO ser(v) VALUES (2) RETURNING id") > drawn + 1000
    answer = write_and_thaw(sleeper, idle, "UPDATE clock SET t = 99 WHERE id = 1")
    world.wait_drained()
    assert_equal(world)
    # either refused, or moved to the new primary first and then committed there
    assert value(world.connect("target"), "SELECT t FROM clock WHERE id = 1") == (99 if answer == "committed" else 1)
    connection.close()


def test_an_open_transaction_of_a_sleeping_proxy_commits_nothing(ready):
    """The flip has to wait for a writer in flight, or to undo itself; in no case may the write land on one side only."""
    world = ready(settings={"cutover": {"lease_ms": 500, "hold_deadline_ms": 1500}})
    sleeper, awake = world.proxies
    writer = through(sleeper, world)
    run(writer, "UPDATE clock SET t = 1 WHERE id = 1")
    gates_hold(world)
    sleeper.freeze()
    done = world.ctl("cutover", proxy=awake, check=False)
    sleeper.thaw()
    try:
        writer.commit()
        committed = True
    except psycopg2.Error:
        committed = False
    print("flip ended with", done.returncode, "late commit:", committed)
    wait_until(lambda: world.migration()["step"] == "steady", 30, "the flip to end")
    world.wait_drained()
    assert_equal(world)
    assert value(world.connect("source"), "SELECT t FROM clock WHERE id = 1") == int(committed)


def test_dry_run_shows_gates_and_changes_nothing(ready):
    world = ready()
    before = world.migration()
    gates_hold(world)
    assert "sweep" in world.ctl("cutover", "--dry-run").stdout
    world.clusters["target"].run("ALTER TABLE ser ALTER v SET NOT NULL", world.database)   # it would refuse what clients may write
    refused = world.ctl("cutover", "--dry-run", check=False)
    assert refused.returncode != 0 and "public.ser: NOT NULL v is on the secondary only" in refused.stdout
    assert "target: warning: public.ser: NOT NULL v is on the secondary only (no cutover before it matches)" in world.command("check").stdout
    world.clusters["target"].run("ALTER TABLE ser ALTER v DROP NOT NULL", world.database)
    assert world.migration() == before


def test_gates_refuse_what_is_not_proven(deploy):
    world = deploy(SCHEMA, SEED, proxies=1, reconcilers=0, seed_target=False)
    done = world.ctl("cutover", check=False)
    assert done.returncode != 0
    assert world.migration()["phase"] == "dual_write"


def test_a_transaction_that_does_not_end_undoes_the_flip(ready):
    world = ready(settings={"cutover": {"hold_deadline_ms": 800}})
    long = through(world.proxies[0], world)
    run(long, "UPDATE clock SET t = 7 WHERE id = 3")
    gates_hold(world)
    epoch = world.migration()["epoch"]
    assert world.ctl("cutover", check=False).returncode != 0
    wait_until(lambda: world.migration()["step"] == "steady", 20, "the undo")
    long.commit()
    run(through(world.proxies[1], world, autocommit=True), "UPDATE clock SET t = 8 WHERE id = 4")
    world.wait_drained()
    assert_equal(world)
    assert world.migration()["phase"] == "verify" and world.migration()["epoch"] >= epoch
    flip(world, "cutover")


def test_sequences_go_on_without_collision(ready):
    world = ready()
    connection = through(world.proxies[0], world, autocommit=True)
    told = [value(connection, "INSERT INTO ser(v) VALUES (1) RETURNING id") for _ in range(5)]
    flip(world, "cutover")
    told += [value(connection, "INSERT INTO ser(v) VALUES (2) RETURNING id") for _ in range(5)]
    flip(world, "rollback")
    told += [value(connection, "INSERT INTO ser(v) VALUES (3) RETURNING id") for _ in range(5)]
    assert sorted(set(told)) == told
    world.wait_drained()
    assert_equal(world)


def test_short_sequences_are_not_used_up_and_what_was_set_back_stays_so(ready):
    world = ready(proxies=1, more="CREATE SEQUENCE small MAXVALUE 9999; CREATE SEQUENCE down INCREMENT -1 MINVALUE -9999 MAXVALUE -1; "
                                  "CREATE TABLE ticket(id smallserial PRIMARY KEY, v int); CREATE SEQUENCE again", settings=PATIENT)
    connection = through(world.proxies[0], world, autocommit=True)
    run(connection, "SELECT setval('small', 5001), setval('down', -5001), setval('ticket_id_seq', 25001), setval('again', 700)")
    next_ones = "SELECT nextval('small'), nextval('down'), nextval('again')"
    ticket = "INSERT INTO ticket(v) VALUES (1) RETURNING id"
    gates_hold(world)   # with its head-room the target stands beyond all of them
    run(connection, "SELECT setval('again', 40)")
    flip(world, "cutover")
    assert run(connection, next_ones) == [(5002, -5002, 41)] and value(connection, ticket) == 25002
    run(connection, "SELECT setval('again', 10)")
    flip(world, "rollback")
    assert run(connection, next_ones) == [(5003, -5003, 11)] and value(connection, ticket) == 25003
    world.wait_drained()
    assert_equal(world)


def test_a_late_setval_turns_no_sequence_back(ready, gates):
    """The reconciler's setval on the target, held up on its way until the target has become the primary."""
    world = ready(proxies=1, more="CREATE SEQUENCE invoice; CREATE SEQUENCE other", settings=PATIENT)
    connection = through(world.proxies[0], world, autocommit=True)
    way = gates("target")
    slow = world.reconciler(through={"target": way})   # waits for the one at work to leave
    way.hold(lambda m: m.kind in (b"Q", b"P") and b"setval" in m.body)
    run(connection, "SELECT nextval('invoice'), nextval('invoice'), nextval('other')")
    gates_hold(world)
    world.reconcilers[0].stop()
    held = way.wait_held(1, 20)[0]
    assert b"invoice" in held.message.body
    flip(world, "cutover")
    numbers = [value(connection, "SELECT nextval('invoice')") for _ in range(3)]
    way.release()
    run(connection, "INSERT INTO ser(v) VALUES (1)")
    world.wait_drained()   # by the one that was slow: what it had sent has been answered
    assert slow.is_running()
    numbers += [value(connection, "SELECT nextval('invoice')") for _ in range(3)]
    assert numbers == [3, 4, 5, 6, 7, 8]


def test_a_session_takes_its_settings_and_statements_along(ready):
    world = ready()
    connection = through(world.proxies[0], world, autocommit=True)
    run(connection, "SET application_name = 'traveller'; SET work_mem = '7MB'")
    run(connection, "PREPARE q(int) AS SELECT $1 + 1")
    before = run(connection, "SELECT inet_server_port()")
    flip(world, "cutover")
    assert run(connection, "EXECUTE q(41)") == [(42,)]
    assert run(connection, "SELECT current_setting('application_name'), current_setting('work_mem')") == [("traveller", "7MB")]
    assert run(connection, "SELECT inet_server_port()") != before


def identified(connection):
    return run(connection, "SELECT session_user::text, current_user::text")


def test_a_session_takes_along_what_its_server_lists_nowhere(ready):
    """Custom settings, however they were made; who it is; an idempotency key. There and back."""
    world = ready(settings={"dual_write": {"allowed_functions": ["enters"]}})
    world.both("CREATE FUNCTION enters() RETURNS text LANGUAGE sql AS $$ SELECT set_config('app.inside', 'z', false) $$")
    world.both("DO $$ BEGIN CREATE ROLE traveller; EXCEPTION WHEN duplicate_object THEN NULL; END $$")
    world.both("GRANT ALL ON ALL TABLES IN SCHEMA public TO traveller; GRANT ALL ON ALL SEQUENCES IN SCHEMA public TO traveller")
    made = through(world.proxies[0], world, autocommit=True)
    run(made, "SET app.tenant = 'ac''me'; SELECT set_config('App.Other', 'x', false)")
    run(made, "SELECT enters()")
    run(made, "BEGIN; SET LOCAL app.passing = '1'; COMMIT")
    other = through(world.proxies[1], world, autocommit=True)
    run(other, "SET SESSION AUTHORIZATION traveller")
    roled = through(world.proxies[0], world, autocommit=True)
    run(roled, "SET ROLE traveller")
    bound = Wire(world.proxies[1].port)
    bound.login(world.database)
    bound.send(wire.parse("SELECT set_config($1, $2, false)") + wire.bind((b"app.bound", b"y")) + wire.execute() + wire.SYNC)
    bound.read_until(b"Z")
    for n, verb in enumerate(("cutover", "rollback")):
        keyed = through(world.proxies[0], world, autocommit=True)
        run(keyed, f"SET pgtandem.idempotency_key = 'journey {n}'")
        flip(world, verb)
        assert run(made, "SELECT current_setting('app.tenant'), current_setting('app.other'), current_setting('app.passing'), "
                   "current_setting('app.inside')") == [("ac'me", "x", "", "z")]
        assert identified(other) == [("traveller", "traveller")]
        assert identified(roled) == [("postgres", "traveller")]
        assert b"y" in dict(bound.ask("SELECT current_setting('app.bound')"))[b"D"]
        again = through(world.proxies[1], world, autocommit=True)
        run(again, f"SET pgtandem.idempotency_key = 'journey {n}'")
        insert = "INSERT INTO ser(v) VALUES (77) RETURNING id"
        assert run(keyed, insert) == run(again, insert)
        assert value(again, "SELECT count(*) FROM ser WHERE v = 77") == n + 1
    run(roled, "RESET ROLE")
    assert identified(roled) == [("postgres", "postgres")]


def test_prepared_statements_travel_one_by_one_and_byte_for_byte(ready):
    """A text stays what it was under whatever encoding it came; one whose table is gone costs nothing but its name."""
    world = ready()
    world.both("CREATE TABLE gone(a int PRIMARY KEY)")
    latin = Wire(world.proxies[0].port)
    latin.login(world.database)
    latin.ask("PREPARE snow AS SELECT '\u2603'::text")
    latin.ask("SET client_encoding = 'LATIN1'")
    latin.send(wire.message(b"Q", b"PREPARE p AS SELECT '\xe9'::text, octet_length('\xc3\xa9')\0"))
    latin.read_until(b"Z")
    loser = through(world.proxies[0], world, autocommit=True)
    run(loser, "PREPARE lost AS SELECT * FROM gone")
    run(loser, "PREPARE kept AS SELECT 5")
    run(loser, "SET statement_timeout = '1min'")
    world.both("DROP TABLE gone")
    rows = [body for kind, body in latin.ask("EXECUTE p") if kind == b"D"]
    flip(world, "cutover")
    assert [body for kind, body in latin.ask("EXECUTE p") if kind == b"D"] == rows
    assert rows[0].endswith(b"\xe9\0\0\0\x014")
    latin.ask("SET client_encoding = 'UTF8'")
    assert "\u2603".encode() in dict(latin.ask("EXECUTE snow"))[b"D"]
    assert run(loser, "EXECUTE kept") == [(5,)]
    with pytest.raises(psycopg2.errors.InvalidSqlStatementName):
        run(loser, "EXECUTE lost")
    assert run(loser, "SHOW statement_timeout") == [("1min",)]


def test_a_held_statement_can_be_cancelled(ready):
    """It answers 57014 while the flip still holds, and takes effect nowhere."""
    world = ready(settings={"cutover": {"hold_deadline_ms": 20000}})
    blocker = through(world.proxies[0], world)
    run(blocker, "UPDATE clock SET t = 1 WHERE id = 1")
    held = Wire(world.proxies[1].port)
    held.login(world.database)
    held.ask("SELECT 1")
    gates_hold(world)
    thread = threading.Thread(target=lambda: world.ctl("cutover", check=False))
    thread.start()
    acknowledged = "SELECT count(*) FROM pgtandem.lease WHERE step = 'holding'"   # not by the first proxy: its blocker is in a transaction
    wait_until(lambda: world.clusters["source"].run(acknowledged, world.database)[0][0] == 1, 30, "the second proxy to hold", every=0.005)
    held.send(wire.query("UPDATE clock SET t = 9 WHERE id = 2"))

    def cancelled():   # the request and the statement come by different ways
        held.cancel()
        return select.select([held.socket], [], [], 0.2)[0]
    wait_until(cancelled, 10, "the answer")
    said = held.read_until(b"Z")
    assert [kind for kind, _ in said] == [b"E", b"Z"] and sqlstate(said) == "57014", said
    assert world.migration()["step"] == "holding"
    blocker.commit()
    thread.join(60)
    world.wait_phase("tail")
    assert b"0" in dict(held.ask("SELECT t FROM clock WHERE id = 2"))[b"D"]
    world.wait_drained()
    assert_equal(world)


def test_coordinator_killed_during_the_flip_is_completed_or_undone(ready):
    world = ready()
    crew = writers.Crew([connector(world.proxies[1], world)], 4).start()
    wait_until(lambda: crew.count() > 50, 30, "load")
    gates_hold(world)
    outcome = []
    thread = threading.Thread(target=lambda: outcome.append(world.ctl("cutover", check=False)))
    thread.start()
    wait_until(lambda: world.migration()["step"] != "steady" or not thread.is_alive(), 20, "the flip to begin", every=0.001)
    world.proxies[0].kill()
    thread.join(60)
    begun = time.monotonic()
    wait_until(lambda: all(world.migration(side)["step"] == "steady" for side in ("source", "target")), 60, "completion or undo")
    print(f"settled after {time.monotonic() - begun:.1f} s as {world.migration('target')}")
    goal = crew.count() + 100
    wait_until(lambda: crew.count() >= goal, 60, "progress afterwards")
    crew.stop()
    world.wait_drained()
    assert not writers.verdict(crew, world.connect("source"), world.connect("target"))
    assert_equal(world)
    assert not crew.refused, crew.refused[:3]


def test_what_a_crash_of_the_target_empties_is_not_cut_over(deploy):
    """PostgreSQL empties UNLOGGED tables at crash recovery. The last sweep's evidence is of the incarnation before, and the rows come back."""
    def evidence(name):
        lines = world.ctl("cutover", "--dry-run", check=False).stdout.splitlines()
        return next(line for line in lines if f" {name}" in line)
    world = deploy("CREATE UNLOGGED TABLE cache(id int PRIMARY KEY, v text); CREATE TABLE kept(id int PRIMARY KEY)",
                   "INSERT INTO cache SELECT i, 'v' || i FROM generate_series(1, 100) i", reconcilers=1,
                   settings={"reconcile": {"sweep_pause_ms": 600000}})
    world.ctl("backfill")
    world.ctl("phase", "verify")
    gates_hold(world)
    world.reconcilers[0].freeze()
    world.clusters["target"].restart(signal.SIGQUIT)
    target = world.connect("target")
    assert value(target, "SELECT count(*) FROM cache") == 0
    wait_until(lambda: "from before a crash of the target" in evidence("sweep_clean"), 30, "the gate to say it")
    assert world.ctl("cutover", check=False).returncode != 0
    world.reconcilers[0].thaw()
    wait_until(lambda: value(target, "SELECT count(*) FROM cache") == 100, 60, "the rows to be back")
    world.wait_drained()
    flip(world, "cutover")
    assert run(through(world.proxies[0], world), "SELECT count(*) FROM cache") == [(100,)]
