"""Sessions that hold what cannot move to another primary: named before a flip, waited for, closed with 57P01 by it; nobody else
hears anything, and both databases are equal afterwards."""
import threading

import psycopg2
import pytest
from connections import connector, through
from flips import gates_hold, ready  # noqa: F401
from harness import writers
from harness.cluster import run, value
from harness.compare import assert_equal
from harness.wait import wait_until
from harness.wire import Wire, error_fields, sqlstate

HEARD_SECONDS = 15
AT_ONCE = {"cutover": {"hold_deadline_ms": 20000, "unmovable_wait_ms": 0}}
# A lock that no statement of the client names: it is taken inside of a function.
HIDDEN = "CREATE FUNCTION take() RETURNS int LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_advisory_lock(77); RETURN 1; END $$"

HOLDINGS = {
    "temporary table": (["CREATE TEMP TABLE mine(a int)"], "a temporary table"),
    "advisory lock": (["SELECT pg_advisory_lock(42)"], "a session advisory lock"),
    "cursor with hold": (["DECLARE c CURSOR WITH HOLD FOR SELECT generate_series(1, 3)"], "a cursor WITH HOLD"),
    "both": (["CREATE TEMP TABLE mine(a int)", "SELECT pg_try_advisory_lock(43)"], "a temporary table and a session advisory lock"),
}


def named(world, proxy=0):
    return [u["reason"] for u in world.proxies[proxy].admin.json("/api/v1/status")["sessions"]["unmovable"]]


def gate_line(printed):
    return next(line for line in printed.splitlines() if "no_unmovable_session" in line)


def on_the_wire(world, *statements):
    """A session whose last words can be read: libpq swallows what a server says unasked."""
    wire = Wire(world.proxies[0].port)
    wire.login(world.database)
    for sql in statements:
        wire.ask(sql)
    return wire


def assert_closed_by_move(wire, holding):
    said = wire.read_to_end()
    assert [kind for kind, _ in said if kind != b"S"] == [b"E"] and sqlstate(said) == "57P01", said
    fields = error_fields(said[-1][1])
    assert fields["S"] == "FATAL" and fields["H"] == "Reconnect."
    assert fields["M"] == f"terminating connection: the database has moved, and this session holds {holding} which cannot move"


def cutover(world):
    done = world.ctl("cutover", check=False)
    assert done.returncode == 0, done.stdout
    world.wait_phase("tail")
    return done


@pytest.mark.parametrize("what", HOLDINGS)
def test_an_idle_session_is_named_then_closed_and_others_hear_nothing(ready, what):  # noqa: F811
    statements, holding = HOLDINGS[what]
    world = ready(settings=AT_ONCE)
    crew = writers.Crew([connector(p, world) for p in world.proxies], 4).start()
    bystander = through(world.proxies[0], world, autocommit=True)
    before = value(bystander, "SELECT inet_server_port()")
    stuck = on_the_wire(world, *statements)
    wait_until(lambda: named(world), HEARD_SECONDS, "the session to be named in the status")
    wait_until(lambda: world.proxies[0].admin.metric("pgtandem_unmovable_sessions") == 1, HEARD_SECONDS, "the metric")
    wait_until(lambda: "57P01" in gate_line(gates_hold(world)), HEARD_SECONDS, "the session to be named by its gate")
    line = gate_line(gates_hold(world))
    assert "1 session" in line and "will be closed with 57P01" in line, line
    cutover(world)
    assert_closed_by_move(stuck, holding)
    goal = crew.count() + 100
    wait_until(lambda: crew.count() >= goal, 60, "progress after the flip")
    crew.stop()
    assert value(bystander, "SELECT inet_server_port()") != before
    assert not crew.refused, crew.refused[:3]
    wait_until(lambda: not named(world), HEARD_SECONDS, "nobody to be named any more")
    world.wait_drained()
    assert not writers.verdict(crew, world.connect("source"), world.connect("target"))
    assert_equal(world)


def test_a_transaction_that_ends_during_the_hold_commits_and_its_session_is_closed(ready):  # noqa: F811
    world = ready(settings={"cutover": {"hold_deadline_ms": 20000, "unmovable_wait_ms": 0}})
    stuck = on_the_wire(world, "CREATE TEMP TABLE mine(a int)")
    gates_hold(world)
    stuck.ask("BEGIN")
    stuck.ask("UPDATE clock SET t = 7 WHERE id = 3")
    answer = []
    thread = threading.Thread(target=lambda: answer.append(world.ctl("cutover", check=False)))
    thread.start()
    wait_until(lambda: world.migration()["step"] == "holding", 30, "the hold", every=0.005)
    assert (b"C", b"COMMIT\0") in stuck.ask("COMMIT")
    thread.join(60)
    assert answer[0].returncode == 0, answer[0].stdout
    assert_closed_by_move(stuck, "a temporary table")
    world.wait_drained()
    assert_equal(world)
    assert value(world.connect("target"), "SELECT t FROM clock WHERE id = 3") == 7


def test_a_session_that_lets_go_during_the_wait_moves(ready):  # noqa: F811
    """The flip waits for it, bounded, before anybody is held; unlocking is enough, whatever the session has said before."""
    world = ready(settings={"cutover": {"unmovable_wait_ms": 60000}})
    holder = through(world.proxies[0], world, autocommit=True)
    other = through(world.proxies[1], world, autocommit=True)
    before = value(holder, "SELECT inet_server_port()")
    run(holder, "SELECT pg_advisory_lock(42)")
    gates_hold(world)
    answer = []
    thread = threading.Thread(target=lambda: answer.append(world.ctl("cutover", check=False)))
    thread.start()
    wait_until(lambda: world.migration()["step"] == "warming", 30, "the flip to begin", every=0.005)
    for n in range(20):
        run(other, "UPDATE clock SET t = %s WHERE id = 1", (n,))
        assert world.migration()["step"] == "warming", "the flip does not wait for the lock"
    run(holder, "SELECT pg_advisory_unlock(42)")
    thread.join(60)
    assert answer[0].returncode == 0, answer[0].stdout
    assert value(holder, "SELECT inet_server_port()") != before
    world.wait_drained()
    assert_equal(world)


def test_what_was_let_go_before_closes_nobody(ready):  # noqa: F811
    """DISCARD, DROP and unlock: the primary is asked what a session holds, not the history of its statements."""
    world = ready(settings=AT_ONCE)
    sessions = [through(world.proxies[0], world, autocommit=True) for _ in range(4)]
    for connection, pair in zip(sessions, (("CREATE TEMP TABLE mine(a int)", "DROP TABLE mine"),
                                           ("CREATE TEMP TABLE mine(a int)", "DISCARD TEMP"),
                                           ("SELECT pg_advisory_lock(42)", "SELECT pg_advisory_unlock_all()"),
                                           ("DECLARE c CURSOR WITH HOLD FOR SELECT 1", "CLOSE c"))):
        for sql in pair:
            run(connection, sql)
    gates_hold(world)
    cutover(world)
    port = world.clusters["target"].port
    assert [value(c, "SELECT inet_server_port()") for c in sessions] == [port] * len(sessions)


def test_a_lock_taken_inside_of_a_function_is_not_lost_silently(ready):  # noqa: F811
    world = ready(settings={**AT_ONCE, "dual_write": {"allowed_functions": ["take"]}})
    world.both(HIDDEN)
    holder = on_the_wire(world, "SELECT take()")
    gates_hold(world)
    cutover(world)
    assert_closed_by_move(holder, "a session advisory lock")


@pytest.mark.parametrize("at_target, said", [("", "does not exist"), ("CREATE ROLE guest LOGIN CONNECTION LIMIT 1", "too many connections"),
                                             ("CREATE ROLE guest", "not permitted to log in")])
def test_a_role_that_is_not_let_in_at_the_target_stops_the_flip_before_anybody_is_held(ready, at_target, said):  # noqa: F811
    world = ready(proxies=1, settings=AT_ONCE)
    for side, role in (("source", "CREATE ROLE guest LOGIN"), ("target", at_target)):
        world.clusters[side].run("DROP ROLE IF EXISTS guest")
        if role:
            world.clusters[side].run(role)
    proxy = world.proxies[0]
    guests = [psycopg2.connect(host=proxy.host, port=proxy.port, user="guest", dbname=world.database) for _ in range(2)]
    ours = through(proxy, world, autocommit=True)
    gates_hold(world)
    done = world.ctl("cutover", check=False)
    assert done.returncode != 0 and "undone: sessions would be closed" in done.stdout and said in done.stdout, done.stdout
    assert world.migration()["phase"] == "verify"
    for guest in guests:
        assert run(guest, "SELECT 1") == [(1,)]
    run(ours, "UPDATE clock SET t = 5 WHERE id = 2")
    assert "holding" not in [row[0] for row in world.clusters["source"].run("SELECT step FROM pgtandem.journal", world.database)]
    for guest in guests:
        guest.close()
    wait_until(lambda: not named(world), HEARD_SECONDS, "the guests to be gone")
    cutover(world)
    for side in ("source", "target"):
        world.clusters[side].run("DROP ROLE IF EXISTS guest")
