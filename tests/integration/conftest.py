"""Fixtures: two clusters for a test file, deployments of pgtandem on databases of their own, logs when a test fails."""
import os
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

from harness import logs  # noqa: E402
from harness.cluster import Cluster  # noqa: E402
from harness.gate import Gate  # noqa: E402
from harness.pgtandem import Deployment, merged  # noqa: E402

TRANSACTIONS = int(os.environ.get("PGTANDEM_TRANSACTIONS", "300"))  # per kind; the acceptance run uses 5000
ROUNDS = int(os.environ.get("PGTANDEM_ROUNDS", "2"))                # per fault; the acceptance run uses 20
SECONDS = float(os.environ.get("PGTANDEM_SECONDS", "6"))            # of load per isolation level; the acceptance run uses 60
SPREAD = {"listen": {"clients_together": 2}}  # a few clients meet on every loop
CLUSTER = {"shared_buffers": "'32MB'"}  # every new process of the server has to map what it touches of it


@pytest.fixture(scope="session")
def transactions():
    return TRANSACTIONS


@pytest.fixture(scope="session")
def rounds():
    return ROUNDS


@pytest.fixture(scope="session")
def load_seconds():
    return SECONDS


def _cluster(name):
    cluster = Cluster(name, settings=CLUSTER).start()
    yield cluster
    cluster.remove()


@pytest.fixture(scope="session")
def source_cluster():
    yield from _cluster("source")


@pytest.fixture(scope="session")
def target_cluster():
    yield from _cluster("target")


@pytest.fixture
def clusters(source_cluster, target_cluster):
    """Both clusters, running, whatever the test before left."""
    for cluster in (source_cluster, target_cluster):
        if not cluster.is_up():
            cluster.start()
        cluster.thaw()
    return source_cluster, target_cluster


@pytest.fixture
def gates(clusters):
    """make("source" | "target") gives a gate in front of that side."""
    made = []

    def make(side):
        made.append(Gate(clusters[0 if side == "source" else 1]))
        return made[-1]
    yield make
    for gate in made:
        gate.remove()


@pytest.fixture
def deploy(clusters, request):
    """make(schema, …) gives a Deployment: a database on each side with `schema` (and `seed`), init done, `proxies` and
    `reconcilers` running, the wanted phase reached."""
    made = []
    name = "".join(c if c.isalnum() else "_" for c in request.node.name.lower())[:40]

    def make(schema="", seed="", phase="dual_write", proxies=1, reconcilers=0, settings=None, through=None,
             seed_target=True, initialise=True):
        database = f"{name}_{len(made)}"

        def prepare(cluster):
            cluster.create_database(database)
            if schema:
                cluster.run(schema, database)
            if seed and (seed_target or cluster is clusters[0]):
                cluster.run(seed, database)
        with ThreadPoolExecutor(len(clusters)) as both:
            list(both.map(prepare, clusters))
        deployment = Deployment(*clusters, database, merged(SPREAD, settings or {}), through)
        made.append(deployment)
        if initialise:
            deployment.init()
        deployment.proxies = [deployment.proxy() for _ in range(proxies)]
        deployment.reconcilers = [deployment.reconciler() for _ in range(reconcilers)]
        if phase != "passthrough":
            deployment.ctl("phase", phase)
            deployment.wait_phase(phase)
        return deployment
    yield make
    for cluster in clusters:
        cluster.thaw()
    for deployment in made:
        deployment.remove()


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    outcome = yield
    report = outcome.get_result()
    if report.failed and report.when in ("setup", "call"):
        for name, text in logs.tails().items():
            report.sections.append((f"log of {name}", text))
