"""The epoch rolls on by itself under load: nobody hears of it, the ledger stays small, and a proxy that slept commits nothing under
an epoch that is gone."""
import os

from connections import connector, through
from harness import writers
from harness.cluster import run, value
from harness.compare import assert_equal
from harness.wait import wait_until
from late_write import write_and_thaw

WRITERS = 8
ROLLS = int(os.environ.get("PGTANDEM_ROLLS", "8"))   # at least, under load; the acceptance run uses 20
ROLL = {"ledger": {"epoch_seconds": 1}, "reconcile": {"sweep_pause_ms": 100}}
SCHEMA = writers.SCHEMA + "CREATE TABLE mark(id int PRIMARY KEY, t int NOT NULL);"
SEED = writers.SEED.format(counters=writers.COUNTERS) + "; INSERT INTO mark SELECT i, 0 FROM generate_series(1, 4) i"


def partitions(world):
    return value(world.connect("target"), "SELECT count(*) FROM pg_class WHERE relnamespace = 'pgtandem'::regnamespace"
                                          " AND relkind = 'r' AND relname ~ '^ledger_[0-9]+$'")


def open_epochs(world):
    return [int(name) for (name,) in run(world.connect("source"), "SELECT substr(relname, 7) FROM pg_class WHERE relnamespace ="
                                         " 'pgtandem'::regnamespace AND relname ~ '^epoch_[0-9]+$'")]


def verified(deploy, **options):
    world = deploy(SCHEMA, SEED, reconcilers=1, **options)
    world.ctl("backfill")
    world.ctl("phase", "verify")
    world.wait_phase("verify")
    return world


def test_rolls_under_load_are_not_noticed(deploy):
    world = verified(deploy, proxies=2, settings=ROLL)
    first = world.migration()["epoch"]
    crew = writers.Crew([connector(p, world) for p in world.proxies], WRITERS).start()
    most = [0]

    def rolled():
        most[0] = max(most[0], partitions(world))
        assert not crew.refused, crew.refused[:3]
        return world.migration()["epoch"] >= first + ROLLS
    wait_until(rolled, 120, f"{ROLLS} rolls", every=0.1)
    crew.stop()
    world.wait_drained()
    degraded = sum(p.admin.metric("pgtandem_ops_degraded_total") for p in world.proxies)
    print(f"{world.migration()['epoch'] - first} rolls, {crew.count()} transactions, longest {crew.longest() * 1000:.0f} ms, at most"
          f" {most[0]} partitions, {degraded:.0f} ops degraded")
    assert not crew.refused, crew.refused[:3]
    assert not writers.verdict(crew, world.connect("source"), world.connect("target"))
    assert_equal(world)
    assert most[0] <= 6
    sweeps = run(world.connect("source"), "SELECT sum(differing)::int, count(*) FROM pgtandem.sweep WHERE clean IS NOT NULL")[0]
    assert sweeps[0] == 0 and sweeps[1] > 0, sweeps   # no false alarm, and they go on across the rolls
    kept = value(world.connect("target"), "SELECT count(*) FROM pgtandem.ledger WHERE kind = 'op'")
    assert kept < crew.count()
    assert "ledger: " in world.ctl("status").stdout


def test_a_proxy_that_slept_across_a_roll_commits_nothing_under_the_dropped_epoch(deploy):
    world = verified(deploy, proxies=2, settings={"cutover": {"lease_ms": 500}, "ledger": {"epoch_seconds": 2}})
    sleeper, awake = world.proxies
    idle = through(sleeper, world, autocommit=True)
    run(idle, "UPDATE mark SET t = 1 WHERE id = 1")
    sleeper.freeze()
    old = world.migration()["epoch"]
    wait_until(lambda: min(open_epochs(world)) > old, 60, "the old epoch to be dropped without the sleeper")
    run(through(awake, world, autocommit=True), "UPDATE mark SET t = 5 WHERE id = 2")
    answer = write_and_thaw(sleeper, idle, "UPDATE mark SET t = 99 WHERE id = 1")
    assert answer in ("committed", "40001"), answer   # moved on first, or refused
    world.wait_drained()
    assert_equal(world)
    assert value(world.connect("source"), "SELECT t FROM mark WHERE id = 1") == (99 if answer == "committed" else 1)
    rows = run(world.connect("target"), "SELECT DISTINCT epoch FROM pgtandem.ledger WHERE kind = 'op'")
    assert (old,) not in rows


def test_an_open_transaction_of_a_sleeper_keeps_its_epoch_and_may_commit(deploy):
    world = verified(deploy, proxies=2, settings={"cutover": {"lease_ms": 500}, "ledger": {"epoch_seconds": 2}})
    sleeper, awake = world.proxies
    writer = through(sleeper, world)
    run(writer, "UPDATE mark SET t = 7 WHERE id = 3")
    old = max(open_epochs(world))
    sleeper.freeze()
    wait_until(lambda: max(open_epochs(world)) > old, 60, "the epoch to advance")
    run(through(awake, world, autocommit=True), "UPDATE mark SET t = 8 WHERE id = 4")
    assert min(open_epochs(world)) <= old   # its lock holds it
    sleeper.thaw()
    writer.commit()
    wait_until(lambda: min(open_epochs(world)) > old, 60, "the old epoch to be dropped")
    world.wait_drained()
    assert_equal(world)
    assert value(world.connect("source"), "SELECT t FROM mark WHERE id = 3") == 7
