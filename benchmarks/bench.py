#!/usr/bin/python3
"""Compares direct, twin, floor, pgtandem (passthrough, dual_write), pgbouncer and pgpool-II in one run, rounds interleaved.

Prints medians over the rounds: transactions per second and their ratio to direct (reads, passthrough) and to twin (dual writes),
p50 and p99 of the latency, CPU seconds of the proxy processes per 1,000 transactions.
"""
import argparse
import json
import os
import shutil
import statistics
import sys
import tempfile
import time

from contenders import ALL  # first: it makes the harness importable

import loads
from harness import logs, pgbench
from harness.cluster import Cluster

TEMPLATE = "bench_template"
CPU_OF_PGBOUNCER = 1.3      # wanted: passthrough costs at most this many times pgbouncer's CPU
SHARE_OF_TWIN = 0.6         # wanted: dual write reaches at least this share of twin's rate with 8 and 32 clients
SHARE_OF_FLOOR = 0.8        # wanted: and this share of what a proxy reaches that only sends the same messages
SHARE_OF_PGPOOL_CPU = 0.5   # wanted: dual write costs less than this share of pgpool's CPU


class Stage:
    """Two servers with a template database."""

    def __init__(self, scale):
        self.folder = tempfile.mkdtemp(prefix="pgtandem-bench-")
        os.chmod(self.folder, 0o755)
        self.source, self.target = (Cluster(name).start() for name in ("source", "target"))
        for cluster in (self.source, self.target):
            cluster.create_database(TEMPLATE)
            pgbench.initialise(cluster, TEMPLATE, scale)
            cluster.run(loads.TABLES, TEMPLATE)
            cluster.run("VACUUM ANALYZE", TEMPLATE)
        loads.write_scripts(self.folder, scale)

    def database(self, name):
        for cluster in (self.source, self.target):
            cluster.run(f"CREATE DATABASE {name} TEMPLATE {TEMPLATE} STRATEGY file_copy")

    def remove(self):
        for cluster in (self.source, self.target):
            cluster.remove()
        shutil.rmtree(self.folder, ignore_errors=True)


def median(cells, what):
    return statistics.median(getattr(cell, what) for cell in cells)


def run(options, stage):
    """{(load, clients, contender): [cell per round]}"""
    taking_part = [c(stage) for c in ALL if not options.contenders or c.name in options.contenders]
    for contender in taking_part:
        stage.database(contender.database)
        contender.start()
    found = {}
    begun = time.monotonic()
    try:
        for turn in range(options.rounds):
            for load in options.loads or loads.LOADS:
                for clients in options.clients:
                    # every round starts with another contender, so that none always follows the same one
                    for contender in taking_part[turn % len(taking_part):] + taking_part[:turn % len(taking_part)]:
                        if contender.loads is not None and load not in contender.loads:
                            continue
                        try:
                            cell = loads.measure(contender, load, clients, options.seconds, stage.folder)
                        except RuntimeError as error:
                            print(f"FAILED {error}", file=sys.stderr, flush=True)
                            continue
                        found.setdefault((load, clients, contender.name), []).append(cell)
                        print(f"{time.monotonic() - begun:7.1f} s  round {turn + 1}  {load:16s} {clients:3d} clients  {contender.name:12s} "
                              f"{cell.tps:9.0f} tps", file=sys.stderr, flush=True)
    finally:
        for contender in taking_part:
            contender.stop()
    return found


def ratio(found, load, clients, name, base):
    mine, theirs = found.get((load, clients, name)), found.get((load, clients, base))
    return median(mine, "tps") / median(theirs, "tps") if mine and theirs else None


def shown(value, form):
    return "" if value is None else format(value, form)


def table(found):
    print(f"\n{'load':16s} {'clients':>7s} {'contender':12s} {'tps':>8s} {'of direct':>9s} {'of twin':>8s} {'p50 ms':>8s} {'p99 ms':>8s} "
          f"{'CPU s/1000':>10s} {'failed':>6s}")
    last = None
    for (load, clients, name), cells in found.items():
        if last not in (None, (load, clients)):
            print()
        last = (load, clients)
        print(f"{load:16s} {clients:7d} {name:12s} {median(cells, 'tps'):8.0f} {shown(ratio(found, load, clients, name, 'direct'), '9.2f'):>9s} "
              f"{shown(ratio(found, load, clients, name, 'twin'), '8.2f') if load in loads.WRITES else '':>8s} {median(cells, 'p50'):8.2f} "
              f"{median(cells, 'p99'):8.2f} {median(cells, 'cpu_per_1000'):10.3f} {sum(c.failed for c in cells):6d}")


def wanted(found):
    """What the project wants of itself, and whether this run has it."""
    print()
    for load in loads.LOADS:
        for clients in sorted({key[1] for key in found}):
            cells = {name: found.get((load, clients, name)) for name in ("passthrough", "pgbouncer", "dual_write", "pgpool", "twin", "floor")}
            if cells["passthrough"] and cells["pgbouncer"]:
                share = median(cells["passthrough"], "cpu_per_1000") / max(median(cells["pgbouncer"], "cpu_per_1000"), 1e-9)
                print(f"{load:16s} {clients:3d} clients: passthrough CPU {share:5.2f} x pgbouncer's  (<= {CPU_OF_PGBOUNCER})  {'yes' if share <= CPU_OF_PGBOUNCER else 'NO'}")
            if load in loads.WRITES and clients >= 8 and cells["dual_write"] and cells["twin"]:
                share = median(cells["dual_write"], "tps") / median(cells["twin"], "tps")
                print(f"{load:16s} {clients:3d} clients: dual write tps {share:5.2f} x twin's        (>= {SHARE_OF_TWIN})  {'yes' if share >= SHARE_OF_TWIN else 'NO'}")
            if clients >= 8 and cells["dual_write"] and cells["floor"]:
                share = median(cells["dual_write"], "tps") / median(cells["floor"], "tps")
                print(f"{load:16s} {clients:3d} clients: dual write tps {share:5.2f} x the floor's     (>= {SHARE_OF_FLOOR})  {'yes' if share >= SHARE_OF_FLOOR else 'NO'}")
            if load in loads.WRITES and cells["dual_write"] and cells["pgpool"]:
                share = median(cells["dual_write"], "cpu_per_1000") / max(median(cells["pgpool"], "cpu_per_1000"), 1e-9)
                print(f"{load:16s} {clients:3d} clients: dual write CPU {share:5.2f} x pgpool's      (<  {SHARE_OF_PGPOOL_CPU})  {'yes' if share < SHARE_OF_PGPOOL_CPU else 'NO'}")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=int, default=2, help="per cell (default %(default)s)")
    parser.add_argument("--rounds", type=int, default=3, help="(default %(default)s)")
    parser.add_argument("--scale", type=int, default=10, help="pgbench scale (default %(default)s)")
    parser.add_argument("--clients", type=int, nargs="*", default=[1, 8, 32])
    parser.add_argument("--contenders", nargs="*", choices=[c.name for c in ALL], help="default: all")
    parser.add_argument("--only", dest="loads", nargs="*", choices=list(loads.LOADS), help="loads; default: all")
    parser.add_argument("--json", help="write every cell to this file")
    options = parser.parse_args()
    stage = Stage(options.scale)
    try:
        found = run(options, stage)
        table(found)
        wanted(found)
        if options.json:
            with open(options.json, "w", encoding="utf-8") as file:
                json.dump([{"load": k[0], "clients": k[1], "contender": k[2], **vars(c)} for k, cells in found.items() for c in cells], file)
        return 0
    except Exception:
        for name, text in logs.tails().items():
            print(f"--- end of the log of {name}\n{text}", file=sys.stderr)
        raise
    finally:
        stage.remove()


if __name__ == "__main__":
    sys.exit(main())
