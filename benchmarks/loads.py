"""The loads: pgbench's own scripts and two of ours; running one cell; latencies from pgbench's logs."""
import glob
import os
import shutil
import subprocess
from pathlib import Path

from harness import pgbench

SCALE_ROWS = 100000
SAMPLING = 0.1            # share of the transactions whose latency is logged
CELL_GRACE_SECONDS = 20   # a cell that takes longer than its seconds and this hangs (two servers can deadlock across each other)

TABLES = """
CREATE TABLE bench_insert(id bigserial PRIMARY KEY, who int, note text, at timestamptz DEFAULT now());
"""
SCRIPTS = {
    "insert": "\\set who random(1, 1000)\nINSERT INTO bench_insert(who, note) VALUES (:who, 'a short note');\n",
    "update": "\\set aid random(1, {rows})\nUPDATE pgbench_accounts SET abalance = abalance + 1 WHERE aid = :aid;\n",
}
# name -> pgbench arguments
LOADS = {
    "select simple": ["-S", "-M", "simple"],
    "select prepared": ["-S", "-M", "prepared"],
    "insert": ["-M", "prepared", "-f", "insert.sql"],
    "update": ["-M", "prepared", "-f", "update.sql"],
    "tpcb simple": ["-M", "simple"],
    "tpcb prepared": ["-M", "prepared"],
}
WRITES = [name for name in LOADS if not name.startswith("select")]


def write_scripts(folder, scale):
    for name, text in SCRIPTS.items():
        Path(f"{folder}/{name}.sql").write_text(text.format(rows=scale * SCALE_ROWS), encoding="utf-8")


class Cell:
    """One measurement."""

    def __init__(self, tps, transactions, p50, p99, cpu, failed):
        self.tps, self.transactions, self.p50, self.p99, self.cpu, self.failed = tps, transactions, p50, p99, cpu, failed

    @property
    def cpu_per_1000(self):
        return 1000 * self.cpu / self.transactions if self.transactions else 0.0


def latencies(pattern):
    """Sorted milliseconds of the logs."""
    found = []
    for path in glob.glob(pattern):
        with open(path, encoding="ascii") as file:
            found += [int(line.split()[2]) / 1000 for line in file if line.split()[2].isdigit()]
        os.remove(path)
    return sorted(found)


def percentile(values, share):
    return values[min(len(values) - 1, int(len(values) * share))] if values else float("nan")


def measure(contender, load, clients, seconds, folder):
    """Runs a load through every port of a contender at once."""
    arguments = [f"{folder}/{a}" if a.endswith(".sql") else a for a in LOADS[load]]
    logs = f"{folder}/latency"
    shutil.rmtree(logs, ignore_errors=True)
    os.makedirs(logs)
    before = contender.cpu()
    runs = [pgbench.Run(port, contender.database, [*arguments, "-c", str(clients), "-j", "1", "-T", str(seconds), "-l", "--log-prefix",
                                                   f"{logs}/{n}", "--sampling-rate", str(SAMPLING)], f"{folder}/pgbench.{n}.log")
            for n, port in enumerate(contender.ports())]
    try:
        for run in runs:
            run.wait(seconds + CELL_GRACE_SECONDS)
    except subprocess.TimeoutExpired:
        for run in runs:
            run.process.kill()
        contender.stop()
        contender.start()
        raise RuntimeError(f"{contender.name}, {load}, {clients} clients: hangs") from None
    cpu = contender.cpu() - before
    for run in runs:
        if run.process.returncode:
            raise RuntimeError(f"{contender.name}, {load}, {clients} clients: pgbench failed\n{run.text}")
    slower = min(runs, key=lambda run: run.tps)
    times = latencies(f"{logs}/*")
    return Cell(slower.tps, slower.transactions, percentile(times, .5), percentile(times, .99), cpu, sum(run.failed for run in runs))
