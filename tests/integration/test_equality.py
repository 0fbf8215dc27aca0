"""Client-visible equality: every conversation through the proxy in dual_write gives the bytes that PostgreSQL alone gives,
and leaves both databases the same."""
import pytest
from conversations import CONVERSATIONS, RESET, SCHEMA, answers_wanted
from harness.cluster import run
from harness.compare import differences
from harness.wire import Wire, error_fields


@pytest.fixture(scope="module")
def world(source_cluster, target_cluster, request):
    """One deployment for all conversations; each begins with a reset of both sides."""
    from harness.pgtandem import Deployment
    for cluster in (source_cluster, target_cluster):
        cluster.create_database("equality")
        cluster.run(SCHEMA, "equality")
    deployment = Deployment(source_cluster, target_cluster, "equality", {"dual_write": {"budget_ms": 5000}})
    deployment.init()
    deployment.proxies = [deployment.proxy()]
    deployment.ctl("phase", "dual_write")
    deployment.wait_phase("dual_write")
    yield deployment
    deployment.remove()


def talk(port, database, chunks, piece=0):
    client = Wire(port).login(database)
    try:
        return [client.send(chunk, piece).read_until(b"Z", answers_wanted(chunk)) for chunk in chunks]
    finally:
        client.close()


def readable(messages):
    return [(kind.decode("latin1"), error_fields(body) if kind in (b"E", b"N") else body) for kind, body in messages]


def judge(world, chunks, piece=0):
    world.both(RESET)
    expected = talk(world.clusters["source"].port, world.database, chunks)
    world.both(RESET)
    got = talk(world.proxies[0].port, world.database, chunks, piece)
    for number, (want, have) in enumerate(zip(expected, got)):
        assert readable(have) == readable(want), f"answer to chunk {number}: {chunks[number][:200]!r}"
    source, target = world.connect("source"), world.connect("target")
    assert run(source, "SELECT relation, key, reason FROM pgtandem.dirty") == []
    found = differences(source, target)
    assert not found, found[:5]
    source.close()
    target.close()


@pytest.mark.parametrize("name", CONVERSATIONS)
def test_the_client_sees_what_the_primary_alone_shows(world, name):
    judge(world, CONVERSATIONS[name])


@pytest.mark.parametrize("name", ["transaction", "several in one query", "pipeline with error", "savepoints", "extended insert",
                                  "implicit transaction becomes a block", "implicit transaction ended", "what changes meanings in a string", "execute in blocks and strings",
                                  "execute by the protocol", "row limits", "portals executed again"])
def test_split_at_every_byte(world, name):
    judge(world, CONVERSATIONS[name], piece=1)


def test_all_in_one_session(world):
    """State that a conversation leaves in the proxy must not show in the next one of the same session."""
    chunks = [c for name in ("insert", "errors", "savepoints", "extended update", "pipeline with error", "several in one query", "upsert", "delete")
              for c in CONVERSATIONS[name]]
    judge(world, chunks)
