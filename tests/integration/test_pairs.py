"""Which two databases belong together: `init` says so in both, and nothing works with any other two."""
import pytest
from harness.cluster import value
from harness.wait import wait_until

SCHEMA = "CREATE TABLE k(id int PRIMARY KEY, v text)"
SEED = "INSERT INTO k SELECT i, 'good' FROM generate_series(1, 20) i"


def swapped(world):
    return {"source": world.conninfo("target"), "target": world.conninfo("source")}


def refused_proxy(world, more, why):
    """A proxy that is not ready, and says why."""
    proxy = world.proxy(more, ready=False)

    def says_why():
        try:
            return why in proxy.admin.get("/readyz")[1]
        except OSError:
            assert proxy.is_running()
            return False
    wait_until(says_why, 20, f"the proxy to say \"{why}\"")
    assert not proxy.admin.is_ready()
    proxy.stop()


def test_source_and_target_swapped(deploy):
    world = deploy(SCHEMA, SEED, seed_target=False)
    world.ctl("phase", "backfill")
    world.wait_phase("backfill")
    reconciler = world.reconciler(swapped(world))
    wait_until(lambda: "is the target of a migration, and the configuration calls it the source" in open(reconciler.log).read(), 20, "the refusal")
    refused_proxy(world, swapped(world), "is the target of a migration")
    assert value(world.connect("source"), "SELECT count(*) FROM k") == 20 and value(world.connect("target"), "SELECT count(*) FROM k") == 0
    for verb in ("init", "uninit", "check"):
        done = world.run([verb, "--config", world.write_config("swapped", world.configuration(swapped(world)))], check=False)
        assert done.returncode == 1 and "is the target of a migration" in done.stdout, (verb, done.stdout)
    reconciler.stop()
    world.reconciler()
    wait_until(lambda: value(world.connect("target"), "SELECT count(*) FROM k") == 20, 30, "the right one to work")


def test_the_target_of_another_migration(deploy):
    one, two = deploy(SCHEMA, SEED), deploy(SCHEMA, SEED)
    mixed = {"target": two.conninfo("target")}
    refused_proxy(one, mixed, "belong to different migrations")
    reconciler = one.reconciler(mixed)
    wait_until(lambda: "belong to different migrations" in open(reconciler.log).read(), 20, "the refusal")
    for verb in ("init", "uninit", "check"):
        done = one.run([verb, "--config", one.write_config("mixed", one.configuration(mixed))], check=False)
        assert done.returncode == 1 and "belong to different migrations" in done.stdout, (verb, done.stdout)


def test_one_database_as_both(deploy):
    world = deploy(SCHEMA, SEED, phase="passthrough", proxies=0, initialise=False)
    same = {"target": world.conninfo("source")}
    done = world.run(["init", "--config", world.write_config("same", world.configuration(same))], check=False)
    assert done.returncode == 1 and "the same database" in done.stdout
    refused_proxy(world, same, "source and target are the same database")


@pytest.mark.parametrize("side", ["source", "target"])
def test_what_is_left_over_on_one_side(deploy, side):
    world = deploy(SCHEMA, SEED)
    for proxy in world.proxies:
        proxy.stop()
    other = "target" if side == "source" else "source"
    world.clusters[other].run("DROP SCHEMA pgtandem CASCADE", world.database)
    done = world.command("init", check=False)
    assert done.returncode == 1 and f"only the {side} has a schema pgtandem, in phase dual_write" in done.stdout
    assert world.command("uninit", check=False).returncode == 1
    proxy = world.proxy()   # it serves the source either way; the target's row does not say that the target is primary
    wait_until(lambda: proxy.admin.metric("pgtandem_epoch") == (2 if side == "source" else 0), 10, "the epoch")
    proxy.stop()
    world.command("uninit", "--force")
    world.init()
    world.proxy()


def test_an_installation_of_version_1_is_renewed(deploy):
    world = deploy(SCHEMA, SEED, phase="passthrough", proxies=0)
    world.both("ALTER TABLE pgtandem.migration DROP COLUMN pair, DROP COLUMN place; UPDATE pgtandem.version SET version = 1")
    refused_proxy(world, {}, "run pgtandem init")
    world.init()
    pairs = [world.clusters[s].run("SELECT pair, place FROM pgtandem.migration", world.database)[0] for s in ("source", "target")]
    assert pairs[0][0] and pairs[0][0] == pairs[1][0] and [p[1] for p in pairs] == ["source", "target"]
    world.init()   # again is harmless
    assert pairs == [world.clusters[s].run("SELECT pair, place FROM pgtandem.migration", world.database)[0] for s in ("source", "target")]
    world.proxy()
