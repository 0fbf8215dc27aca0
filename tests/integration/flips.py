"""What the tests of cutover and rollback share: a deployment whose gates hold, and one flip."""
import re

import pytest
from harness import writers
from harness.wait import wait_until

CLIENTS = 16
SCHEMA = writers.SCHEMA + "CREATE TABLE clock(id int PRIMARY KEY, t bigint NOT NULL); CREATE TABLE ser(id bigserial PRIMARY KEY, v int);"
SEED = writers.SEED.format(counters=writers.COUNTERS) + f"; INSERT INTO clock SELECT i, 0 FROM generate_series(0, {CLIENTS - 1}) i"
GATES_SECONDS = 60


@pytest.fixture
def ready(deploy):
    """make(**options): a deployment in phase verify whose gates hold; `more` is DDL of the test's own."""
    def make(**options):
        options.setdefault("proxies", 2)
        world = deploy(SCHEMA + options.pop("more", ""), SEED, reconcilers=1, **options)
        world.ctl("phase", "backfill")
        wait_until(lambda: world.ctl("phase", "verify", check=False).returncode == 0, 60, "backfill", every=0.2)
        world.wait_phase("verify")
        return world
    return make


def gates_hold(world, verb="cutover"):
    """Waits until the gates of `verb` hold; what its dry run then prints."""
    last = [""]

    def hold():
        done = world.ctl(verb, "--dry-run", check=False)
        last[0] = done.stdout
        return done.returncode == 0
    try:
        wait_until(hold, GATES_SECONDS, "gates", every=0.2)
    except AssertionError as error:
        raise AssertionError(f"{error}\n{last[0]}") from None
    return last[0]


def flip(world, verb):
    gates_hold(world, verb)
    done = world.ctl(verb)
    world.wait_phase("tail" if verb == "cutover" else "verify")
    found = re.search(r"cutover_ms\D*([\d.]+)", done.stdout)
    return float(found.group(1)) if found else None
