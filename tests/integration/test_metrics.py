"""Every metric tells the truth: compared with the databases after a real backfill and sweep, and none is declared and never set."""
import threading
import time

import psycopg2
from connections import through
from harness.cluster import run, value
from harness.wait import wait_until
from harness.wire import Wire, sqlstate, startup

ROWS = 3000
SCHEMA = "CREATE TABLE item(id int PRIMARY KEY, v text NOT NULL); CREATE TABLE pair(a int, b int, v int, PRIMARY KEY (a, b));"
SEED = (f"INSERT INTO item SELECT i, repeat('v', i % 50) FROM generate_series(1, {ROWS}) i;"
        " INSERT INTO pair SELECT i / 10, i % 10, i FROM generate_series(1, 500) i")
MEGABYTE = 1 << 20
FRESH_SECONDS = 15   # figures are renewed every second

# Metrics that this run cannot be sure to meet, and where they are driven instead.
ELSEWHERE = {
    "pgtandem_applier_queue": "a queue that lasts longer than the second between two reports: tests/unit/apply/applier_pool_test",
    "pgtandem_groups_fell_apart_total": "a group of several ops, one of which fails: tests/unit/apply/applier_pool_test",
    "pgtandem_unsettled_rows": "settled within milliseconds while the reconciler runs: tests/unit/control/migration_test",
}


class Scraper(threading.Thread):
    """Reads /metrics over and over and remembers which had another value than nothing."""

    def __init__(self, admin):
        super().__init__(daemon=True)
        self.admin, self.declared, self.seen, self.stopping = admin, set(), set(), threading.Event()
        self.start()

    def run(self):
        while not self.stopping.wait(0.02):
            for line in self.admin.get("/metrics")[1].splitlines():
                if line.startswith("# TYPE "):
                    self.declared.add(line.split()[2])
                elif line and not line.startswith("#"):
                    name, _, number = line.rpartition(" ")
                    if float(number) != 0:
                        self.seen.add(name.partition("{")[0])

    def stop(self):
        self.stopping.set()
        self.join(30)
        return self


def figures(world):
    """The same figures, asked of the databases."""
    target, source = world.connect("target"), world.connect("source")
    rows, size = run(target, "SELECT coalesce(sum(row_count), 0)::bigint, coalesce(sum(bytes), 0)::bigint FROM pgtandem.chunk"
                             " WHERE state = 'verified'")[0]
    return {"migrated_rows": rows, "pgtandem_backfill_bytes": size,
            "pgtandem_backfill_rows": value(source, "SELECT sum(rows_total)::bigint FROM pgtandem.progress")}


def wait_metric(admin, name, holds, what):
    return wait_until(lambda: holds(admin.metric(name)), FRESH_SECONDS, f"{name} {what}")


def in_passthrough(world, proxy):
    connection = through(proxy, world, autocommit=True)
    for _ in range(2):   # the second is known to the analyzer
        run(connection, "DO $$ BEGIN END $$")
    blocked = threading.Thread(target=lambda: cancelled(connection), daemon=True)
    blocked.start()
    wait_until(lambda: value(world.connect("source"), "SELECT count(*) FROM pg_stat_activity WHERE query LIKE '%pg_sleep(60)%'"
                             " AND pid <> pg_backend_pid() AND state = 'active'") > 0, 20, "the statement to run")
    connection.cancel()
    blocked.join(20)
    crowd = []
    try:
        for _ in range(20):
            crowd.append(through(proxy, world))
        raise AssertionError("listen.max_clients is not heeded")
    except psycopg2.OperationalError:
        pass
    for other in crowd:
        other.close()
    connection.close()


def cancelled(connection):
    try:
        run(connection, "SELECT pg_sleep(60)")
    except psycopg2.Error:
        pass


def check_refusals(world, proxy, admin):
    """Each refusal under the SQLSTATE that the client has heard, once."""
    heard = {}

    def refused(first_bytes):
        wire = Wire(proxy.port)
        wire.send(first_bytes)
        code = sqlstate(wire.read_to_end())
        wire.close()
        heard[code] = heard.get(code, 0) + 1
    labelled = lambda name, code: admin.metrics().get(f'{name}{{sqlstate="{code}"}}', 0)
    known = {code: labelled("pgtandem_clients_refused_total", code) for code in ("3D000", "08P01", "28000", "0A000")}
    for _ in range(3):
        refused(startup({"user": "postgres", "database": "elsewhere"}))
    refused(b"GET / HTTP/1.1\r\n\r\n")
    for _ in range(2):
        refused(startup({"database": world.database}))
    refused(startup({"user": "postgres", "database": world.database, "replication": "true"}))
    assert heard == {"3D000": 3, "08P01": 1, "28000": 2, "0A000": 1}
    for code, times in heard.items():
        wait_until(lambda code=code, times=times: labelled("pgtandem_clients_refused_total", code) - known[code] == times, FRESH_SECONDS,
                   f"logins refused with {code}")
    statements = lambda code: labelled("pgtandem_statements_refused_total", code)
    wait_until(lambda: statements("0A000") == 1, FRESH_SECONDS, "the statement refused before")
    connection = through(proxy, world, autocommit=True)
    for sql in ("DO $$ BEGIN END $$", "CREATE TABLE other(a int)", "SELECT nothing"):
        try:
            run(connection, sql)
            raise AssertionError(f"not refused: {sql}")
        except psycopg2.Error as error:
            assert error.pgcode in ("0A000", "42703"), error
    wait_until(lambda: statements("0A000") == 3, FRESH_SECONDS, "statements refused")
    for name in ("pgtandem_clients_refused_total", "pgtandem_statements_refused_total"):
        assert not [key for key in admin.metrics() if key == name or key.startswith(name + '{sqlstate=""')], f"{name} without a label"
    connection.close()


def check_bytes(connection, admin):
    before = admin.metrics()
    run(connection, "SELECT repeat('x', 1048576)")
    run(connection, f"SELECT length('{'y' * MEGABYTE}')")
    for name in ("pgtandem_client_bytes_in_total", "pgtandem_client_bytes_out_total"):
        wait_metric(admin, name, lambda now, name=name: MEGABYTE <= now - before[name] < 1.5 * MEGABYTE, "counts the megabyte, once")


def check_groups(world, connection, admin):
    """Everything applied so far is a row of the ledger."""
    run(connection, "UPDATE item SET v = 'touched' WHERE id <= 3")
    ledger = value(world.connect("target"), "SELECT count(*) FROM pgtandem.ledger WHERE kind = 'op'")
    wait_metric(admin, "pgtandem_ops_applied_total", lambda now: now == ledger, f"is {ledger}")
    wait_metric(admin, "pgtandem_group_size", lambda now: now >= 1, "is the size of the last groups")


def degrade(world, connection, admin):
    """A target that stands still: ops are degraded, the breaker opens; afterwards all is repaired."""
    world.clusters["target"].freeze()
    for n in range(8):
        run(connection, "UPDATE item SET v = %s WHERE id = 9", (f"degraded {n}",))
    wait_metric(admin, "pgtandem_breaker_open", lambda now: now > 0, "opens")
    wait_metric(admin, "pgtandem_dirty_rows", lambda now: now > 0, "counts what was degraded")
    world.clusters["target"].thaw()
    wait_metric(admin, "pgtandem_breaker_open", lambda now: now == 0, "closes")
    world.wait_drained()


def find_drift(world, admin):
    """A row changed behind our back makes the next sweep unclean, and the one after its repair clean again."""
    run(world.connect("target"), "UPDATE item SET v = 'planted' WHERE id = 77")
    wait_until(lambda: admin.metric("checksum_ok") == 0 and admin.metric("pgtandem_sweep_differing") == 1, FRESH_SECONDS, "the drift")
    wait_metric(admin, "checksum_ok", lambda now: now == 1, "is 1 again")
    age = value(world.connect("source"), "SELECT extract(epoch FROM clock_timestamp() - max(ended_at))::float8 FROM pgtandem.sweep WHERE clean")
    assert abs(admin.metric("pgtandem_sweep_age_seconds") - age) < 5


def hold(world, admin):
    """A lease that cannot be renewed: new transactions are held until it can."""
    source = world.connect("source", autocommit=False)
    run(source, "LOCK TABLE pgtandem.lease IN ACCESS EXCLUSIVE MODE")
    wait_metric(admin, "pgtandem_held", lambda now: now == 1, "is 1")
    source.rollback()
    wait_metric(admin, "pgtandem_held", lambda now: now == 0, "is 0 again")


def flip(world, proxy):
    """Once in vain, because of an open transaction and a session that cannot move; then for good."""
    stuck, open_one = through(proxy, world, autocommit=True), through(proxy, world)
    run(stuck, "CREATE TEMP TABLE mine(a int)")
    run(open_one, "UPDATE item SET v = 'open' WHERE id = 5")
    assert world.ctl("cutover", check=False).returncode != 0
    open_one.rollback()
    stuck.close()
    wait_until(lambda: world.ctl("cutover", check=False).returncode == 0, 60, "the cutover", every=0.3)
    world.wait_phase("tail")


def test_every_metric_is_set_and_true(deploy):
    world = deploy(SCHEMA, SEED, phase="passthrough", reconcilers=1, seed_target=False,
                   settings={"listen": {"max_clients": 12}, "cutover": {"hold_deadline_ms": 1500, "lease_ms": 1000}, "reconcile": {"sweep_pause_ms": 2000}})
    proxy, admin = world.proxies[0], world.proxies[0].admin
    scraper = Scraper(admin)
    in_passthrough(world, proxy)
    assert admin.metric("pgtandem_sweep_age_seconds") == -1 and admin.metric("checksum_ok") == 0
    world.ctl("phase", "dual_write")
    connection = through(proxy, world, autocommit=True)
    try:
        run(connection, "DO $$ BEGIN END $$")
    except psycopg2.Error as error:
        assert error.pgcode == "0A000"
    check_refusals(world, proxy, admin)
    world.ctl("backfill")
    expected = figures(world)
    assert expected["migrated_rows"] == ROWS + 500
    for name, number in expected.items():
        wait_metric(admin, name, lambda now, number=number: now == number, f"is {number}")
    world.ctl("verify")
    wait_metric(admin, "checksum_ok", lambda now: now == 1, "is 1")
    check_bytes(connection, admin)
    check_groups(world, connection, admin)
    find_drift(world, admin)
    degrade(world, connection, admin)
    connection.close()
    hold(world, admin)
    flip(world, proxy)
    wait_until(lambda: admin.metrics().get('cutover_ms{scope="all"}', 0) > 0, FRESH_SECONDS, "cutover_ms")
    missing = lambda: scraper.declared - scraper.seen - set(ELSEWHERE)
    begun = time.monotonic()
    wait_until(lambda: not missing() or time.monotonic() - begun > 5, 30, "the last figures")
    scraper.stop()
    assert not missing(), f"declared and never set: {sorted(missing())}"
