"""Faults under sixteen writers: after the drain no acknowledged write is missing, doubled, or on one side only; with policy
`degrade` no client hears of a sick target, and no COMMIT waits longer than the budget and what the primary itself takes."""
import pytest
from connections import connector
from harness import writers
from harness.bystander import Bystander
from harness.cluster import run
from harness.compare import assert_equal
from harness.gate import is_commit
from harness.wait import wait_until

WRITERS = 16
BUDGET_MS = 250
ALLOWANCE_SECONDS = 0.45        # for the proxy's own turn on a loaded machine; budget + this < 4 x budget, which appliers wait
CHAIN_BOUND_SECONDS = 5.0       # of a whole transaction: it may wait for the row locks of several, each of which waits a budget
BETWEEN = 150                   # acknowledged transactions before and after a fault
PROGRESS_SECONDS = 60
SCHEMA = writers.SCHEMA
SEED = writers.SEED.format(counters=writers.COUNTERS)
SICK_SECONDS = 3
ANY_WAIT_SECONDS = 1e-6
WAIT_METRIC = "pgtandem_secondary_wait_max_seconds"


class World:
    def __init__(self, deployment, timed=True):
        """`timed`: only the secondary side will be sick, so no COMMIT may be held beyond the budget."""
        self.deployment, self.calm = deployment, None
        self.beside = Bystander(deployment.clusters["source"], f"{deployment.database}_beside") if timed else None
        self.crew = writers.Crew([connector(p, deployment, application_name="writer") for p in deployment.proxies], WRITERS).start()

    def progress(self, count=BETWEEN):
        """Until that many more transactions have been acknowledged."""
        goal = self.crew.count() + count
        wait_until(lambda: self.crew.count() >= goal, PROGRESS_SECONDS, f"{count} more acknowledged transactions")
        if self.calm is None:   # the first progress is made before any fault
            self.calm = self.crew.longest_commit()

    def mirrored(self, count=BETWEEN):
        """Until that many more ops have been accepted by the target: the breakers are closed, the next fault meets ops in flight."""
        target = self.deployment.connect("target")
        accepted = "SELECT count(*) FROM pgtandem.ledger WHERE kind = 'op'"
        goal = run(target, accepted)[0][0] + count
        wait_until(lambda: run(target, accepted)[0][0] >= goal, PROGRESS_SECONDS, f"{count} more mirrored transactions", every=0.1)
        target.close()

    def hold_for(self, seconds):
        """Lets the load run while something is broken."""
        import time
        end = time.monotonic() + seconds
        wait_until(lambda: time.monotonic() >= end, seconds + 5, "the fault's time")

    def settle(self):
        self.progress()
        self.crew.stop()
        self.deployment.wait_drained(90)

    def stop(self):
        self.crew.stopping.set()
        if self.beside:
            self.beside.stopping.set()

    def judge(self, errors_allowed=False):
        source, target = self.deployment.connect("source"), self.deployment.connect("target")
        print(f"acknowledged {self.crew.count()}, unknown {len(self.crew.unknown)}, client errors {len(self.crew.refused)}, "
              f"longest {self.crew.longest() * 1000:.0f} ms, repairs "
              f"{run(target, 'SELECT count(*) FROM pgtandem.ledger WHERE kind <> %s', ('op',))[0][0]}")
        wrong = writers.verdict(self.crew, source, target)
        assert not wrong, wrong
        assert_equal(self.deployment)
        if not errors_allowed:
            assert not self.crew.refused, self.crew.refused[:3]
        if self.beside:
            self._judge_waits()

    def _judge_waits(self):
        self.wait_known(ANY_WAIT_SECONDS)
        direct, commit = self.beside.stop(), self.crew.longest_commit()
        waited = max(p.admin.metric(WAIT_METRIC) for p in self.deployment.proxies)
        bound = BUDGET_MS / 1000 + max(direct, self.calm) + ALLOWANCE_SECONDS
        print(f"longest COMMIT {commit * 1000:.0f} ms, of it waiting for the target {waited * 1000:.0f} ms; without a fault "
              f"{self.calm * 1000:.0f} ms, directly on the source {direct * 1000:.0f} ms; bound {bound * 1000:.0f} ms")
        assert commit <= bound and waited <= bound
        assert self.crew.longest() < CHAIN_BOUND_SECONDS

    def wait_known(self, seconds):
        """The proxies know that a COMMIT has waited so long (their figures are a moment behind)."""
        wait_until(lambda: max(p.admin.metric(WAIT_METRIC) for p in self.deployment.proxies) >= seconds, 10, f"{WAIT_METRIC} to tell")


@pytest.fixture
def begin(deploy):
    made = []

    def make(timed=True, **options):
        options.setdefault("proxies", 2)
        options.setdefault("reconcilers", 1)
        options.setdefault("settings", {"dual_write": {"budget_ms": BUDGET_MS}})
        deployment = deploy(SCHEMA, SEED, **options)
        made.append(World(deployment, timed))
        made[-1].progress()
        return made[-1]
    yield make
    for world in made:
        world.stop()


def test_target_killed(begin, clusters, rounds):
    world = begin()
    for _ in range(rounds):
        clusters[1].kill()
        world.progress()
        clusters[1].start()
        world.mirrored()
    world.settle()
    world.judge()


def test_target_restarted(begin, clusters, rounds):
    world = begin()
    for _ in range(rounds):
        clusters[1].restart()
        world.mirrored()
    world.settle()
    world.judge()


def test_target_frozen_for_three_seconds(begin, clusters, rounds):
    world = begin()
    for _ in range(rounds):
        clusters[1].freeze()
        world.hold_for(SICK_SECONDS)
        clusters[1].thaw()
        world.mirrored()
    world.settle()
    world.wait_known(BUDGET_MS / 1000)
    world.judge()


def test_target_read_only(begin, clusters, rounds):
    world = begin()
    for _ in range(rounds):
        clusters[1].run("ALTER SYSTEM SET default_transaction_read_only = on")
        clusters[1].reload()
        world.progress()
        _reset_read_only(clusters[1])
        world.mirrored()
    world.settle()
    world.judge()


def _reset_read_only(cluster):
    connection = cluster.connect(options="-c default_transaction_read_only=off")
    run(connection, "ALTER SYSTEM RESET default_transaction_read_only")
    connection.close()
    cluster.reload()
    wait_until(lambda: cluster.run("SHOW default_transaction_read_only") == [("off",)], 10, "read-only to end")


@pytest.mark.parametrize("table", ["acked", "pgtandem.ledger"])
def test_target_lock_held_for_three_seconds(begin, rounds, table):
    world = begin()
    for _ in range(rounds):
        locker = world.deployment.connect("target")
        run(locker, f"BEGIN; LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE")
        world.hold_for(SICK_SECONDS)
        run(locker, "ROLLBACK")
        locker.close()
        world.mirrored()
    world.settle()
    world.wait_known(BUDGET_MS / 1000)
    world.judge()


def test_proxy_killed(begin, rounds):
    world = begin(timed=False)
    victim = world.deployment.proxies[1]
    for _ in range(rounds):
        victim.kill()
        world.progress(BETWEEN // 2)
        victim.start()
        victim.wait_ready()
        world.progress()
    world.settle()
    world.judge(errors_allowed=True)
    assert all(code is None or code in ("57P01", "08006", "08003") for code, _, _ in world.crew.refused), world.crew.refused[:3]


def test_reconciler_killed(begin, clusters, rounds):
    world = begin()
    for _ in range(rounds):
        # work for it: a target that is away for a moment
        clusters[1].kill()
        world.progress()
        clusters[1].start()
        world.progress(BETWEEN // 3)
        world.deployment.reconcilers[0].kill()
        world.progress(BETWEEN // 3)
        world.deployment.reconcilers[0].start()
        world.mirrored()
    world.settle()
    world.judge()


def test_two_reconcilers(begin, clusters, rounds):
    world = begin(reconcilers=2)
    for _ in range(rounds):
        clusters[1].kill()
        world.progress()
        clusters[1].start()
        world.mirrored()
    world.settle()
    world.judge()


def test_server_backend_killed_between_the_two_commits(deploy, gates, rounds):
    """The gate holds a COMMIT on its way to the source: step 1 is done, step 2 has not begun. Then that backend dies."""
    gate = gates("source")
    deployment = deploy(SCHEMA, SEED, proxies=2, reconcilers=1, through={"source": gate})
    world = World(deployment, timed=False)
    world.progress()
    for _ in range(rounds):
        for item in _held_commits(gate, 3):
            pid = _backend_of(deployment, item)
            if pid:
                deployment.clusters["source"].run("SELECT pg_terminate_backend(%s)", arguments=(pid,))
            item.release()
        gate.release()
        world.progress()
    world.settle()
    world.judge(errors_allowed=True)


def test_connection_lost_between_the_two_commits(deploy, gates, rounds):
    """As above, but the connection to the source is cut: the COMMIT never arrives."""
    gate = gates("source")
    deployment = deploy(SCHEMA, SEED, proxies=2, reconcilers=1, through={"source": gate})
    world = World(deployment, timed=False)
    world.progress()
    for _ in range(rounds):
        for item in _held_commits(gate, 3):
            item.discard()
        gate.release()
        world.progress()
    world.settle()
    world.judge(errors_allowed=True)


def test_proxy_killed_between_the_two_commits(deploy, gates, rounds):
    gate = gates("source")
    deployment = deploy(SCHEMA, SEED, proxies=2, reconcilers=1, through={"source": gate})
    world = World(deployment, timed=False)
    world.progress()
    for _ in range(rounds):
        _held_commits(gate, 4)
        deployment.proxies[1].kill()
        gate.release()
        deployment.proxies[1].start()
        deployment.proxies[1].wait_ready()
        world.progress()
    world.settle()
    world.judge(errors_allowed=True)


def _held_commits(gate, count):
    """Stops the next COMMITs on their way to the source."""
    for _ in range(count):
        gate.hold(is_commit)
    return gate.wait_held(count)


def _backend_of(deployment, held):
    port = held.link.server.getsockname()[1]
    found = deployment.clusters["source"].run(
        "SELECT pid FROM pg_stat_activity WHERE client_port = %s AND application_name = 'writer'", arguments=(port,))
    return found[0][0] if found else None


def test_slow_target(deploy, gates):
    """Every packet to the target takes 30 ms: within the budget, so nothing degrades for good and nothing is lost."""
    gate = gates("target")
    deployment = deploy(SCHEMA, SEED, proxies=2, reconcilers=1, through={"target": gate})
    world = World(deployment)
    world.progress()
    gate.delay_seconds = 0.03
    world.progress()
    gate.delay_seconds = 0.4
    world.progress()
    gate.delay_seconds = 0.0
    world.mirrored()
    world.settle()
    world.judge()


def test_target_connections_cut_again_and_again(deploy, gates, rounds):
    gate = gates("target")
    deployment = deploy(SCHEMA, SEED, proxies=2, reconcilers=1, through={"target": gate})
    world = World(deployment)
    for _ in range(rounds * 5):
        world.mirrored(30)
        gate.cut(reset=True)
    world.settle()
    world.judge()


def test_source_killed(begin, clusters, rounds):
    world = begin(timed=False)
    for _ in range(rounds):
        clusters[0].kill()
        clusters[0].start()
        world.progress()
    world.settle()
    world.judge(errors_allowed=True)


def test_strict_fails_the_write_instead(deploy, clusters):
    deployment = deploy(SCHEMA, SEED, reconcilers=1, settings={"dual_write": {"policy": "strict", "budget_ms": BUDGET_MS}})
    world = World(deployment, timed=False)
    world.progress()
    clusters[1].kill()
    wait_until(lambda: len(world.crew.refused) >= WRITERS, 30, "writes to be refused")
    clusters[1].start()
    world.progress()
    world.settle()
    world.judge(errors_allowed=True)
    assert all(code for code, _, _ in world.crew.refused), world.crew.refused[:3]
    assert deployment.in_doubt() == (0, 0)
