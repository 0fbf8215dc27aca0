"""pgbench as a load generator: starting it, and what it says at its end."""
import os
import re
import subprocess

from .cluster import bin_folder

DONE = re.compile(r"number of transactions actually processed: (\d+)")
TPS = re.compile(r"tps = ([\d.]+) \(without initial")
FAILED = re.compile(r"number of failed transactions: (\d+)")


def program():
    return f"{bin_folder()}/pgbench"


class Run:
    """One pgbench process. `hosts` is a list of ports on the loopback, tried in order by libpq."""

    def __init__(self, ports, database, arguments, log):
        ports = ports if isinstance(ports, list) else [ports]
        environment = {**os.environ, "PGHOST": ",".join(["127.0.0.1"] * len(ports)), "PGPORT": ",".join(map(str, ports)),
                       "PGUSER": "postgres", "PGCONNECT_TIMEOUT": "15", "PGOPTIONS": ""}
        self.log = log
        with open(log, "wb") as out:
            self.process = subprocess.Popen([program(), "-n", *arguments, database], stdin=subprocess.DEVNULL, stdout=out,
                                            stderr=subprocess.STDOUT, env=environment)

    def wait(self, bound):
        """Waits for its end and returns self."""
        self.process.wait(bound)
        with open(self.log, encoding="utf-8", errors="replace") as file:
            self.text = file.read()
        return self

    def _number(self, pattern):
        found = pattern.search(self.text)
        return float(found.group(1)) if found else 0.0

    @property
    def transactions(self):
        return int(self._number(DONE))

    @property
    def failed(self):
        return int(self._number(FAILED))

    @property
    def tps(self):
        return self._number(TPS)

    def errors(self):
        return [line for line in self.text.splitlines() if "error:" in line or "ERROR" in line or "FATAL" in line]


def initialise(cluster, database, scale):
    """The pgbench tables; pgbench_history gets a key, without which it could not be followed."""
    done = subprocess.run([program(), "-i", "-q", "-s", str(scale), "-h", "127.0.0.1", "-p", str(cluster.port), "-U", "postgres",
                           database], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    assert done.returncode == 0, done.stdout
    cluster.run("ALTER TABLE pgbench_history ADD COLUMN id bigserial PRIMARY KEY", database)


def invariant(connection, run):
    """What is wrong with a pgbench database: every balance is the sum of what history says; [] = nothing."""
    accounts, tellers, branches, history = run(connection, """
        SELECT (SELECT sum(abalance) FROM public.pgbench_accounts), (SELECT sum(tbalance) FROM public.pgbench_tellers),
               (SELECT sum(bbalance) FROM public.pgbench_branches), (SELECT coalesce(sum(delta), 0) FROM public.pgbench_history)""")[0]
    return [] if accounts == tellers == branches == history else [
        f"pgbench balances: accounts {accounts}, tellers {tellers}, branches {branches}, history {history}"]
