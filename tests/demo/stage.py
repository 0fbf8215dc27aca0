"""What the demo stands on: two clusters with their databases, proxies, reconciler; and showing steps as they happen."""
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from harness import pgbench, shop  # noqa: E402
from harness.cluster import Cluster  # noqa: E402
from harness.pgtandem import TOKEN, Deployment, binary  # noqa: E402

from load import SCHEMA  # noqa: E402

DATABASE = "demo"
CTL_SECONDS = 120
STARTED = time.monotonic()


def say(text=""):
    print(f"[{time.monotonic() - STARTED:6.1f} s] {text}" if text else "", flush=True)


class Stage:
    def __init__(self, scale):
        self.folder = tempfile.mkdtemp(prefix="pgtandem-demo-")
        self.clusters = []
        self.deployment = None
        self.scale = scale

    def build(self):
        """Clusters, source data, and the bare schema on the target."""
        for name in ("source", "target"):
            self.clusters.append(Cluster(name).start())
        source, target = self.clusters
        for cluster in self.clusters:
            cluster.create_database(DATABASE)
        pgbench.initialise(source, DATABASE, self.scale)
        source.run(shop.SCHEMA + shop.seed() + SCHEMA, DATABASE)
        self._every_type(source)
        self.copy_schema()
        self.deployment = Deployment(source, target, DATABASE, folder=self.folder)

    def _every_type(self, source):
        rows = [f"INSERT INTO shop.every_type(id, {column}) VALUES ({at * 20 + n}, {literal})"
                for at, (column, literals) in enumerate(shop.VALUES.items()) for n, literal in enumerate(literals)]
        rows += [f"INSERT INTO {table} VALUES ({row})" for table, (_, values) in shop.KEYS.items() for row in values]
        source.run("; ".join(rows), DATABASE)

    def copy_schema(self):
        source, target = self.clusters
        dump = subprocess.run([f"{source.bin}/pg_dump", "--schema-only", "-d", source.dsn(DATABASE)], stdout=subprocess.PIPE,
                              check=True, text=True).stdout
        done = subprocess.run([f"{source.bin}/psql", "-qX", "-v", "ON_ERROR_STOP=1", "-d", target.dsn(DATABASE)], input=dump,
                              stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        assert done.returncode == 0, done.stderr

    def start_proxies(self, count=2):
        return [self.deployment.proxy() for _ in range(count)]

    def ctl(self, *arguments, check=True):
        """A `pgtandem ctl` command, its lines shown as they come; returns (exit status, lines)."""
        say(f"$ pgtandem ctl {' '.join(arguments)}")
        process = subprocess.Popen([binary(), *self.deployment.ctl_arguments(arguments), "--timeout", str(CTL_SECONDS)], stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                                   text=True, env={**os.environ, "PGTANDEM_ADMIN_TOKEN": TOKEN})
        lines = []
        for line in process.stdout:
            lines.append(line.rstrip())
            say(f"    {lines[-1]}")
        process.wait()
        if check and process.returncode:
            raise RuntimeError(f"pgtandem ctl {' '.join(arguments)} ended with {process.returncode}")
        return process.returncode, lines

    def remove(self):
        if self.deployment:
            self.deployment.remove()
        for cluster in self.clusters:
            cluster.remove()
