"""The demo's last words: what was acknowledged, what is on both sides, and whether that is all right."""
import re

from harness import pgbench
from harness.cluster import run, value
from harness.compare import SHOWN_ROWS, differences, row_count

RECONNECT_GRACE_SECONDS = 3   # errors of connections to the killed proxy may arrive a little later


def repaired_keys(deployment):
    """By the reconcilers' own logs: the ledger's rows of earlier epochs may be gone already."""
    total = 0
    for process in deployment.processes:
        if process.name.startswith("reconciler"):
            with open(process.log, encoding="utf-8", errors="replace") as log:
                total += sum(int(n) for n in re.findall(r"synced_keys=(\d+)", log.read()))
    return total


class Summary:
    def __init__(self):
        self.direct_rate = self.rate = 0.0
        self.flips = []             # (verb, milliseconds or None)
        self.killed_port, self.killed_from, self.killed_to = None, 0.0, 0.0
        self.errors_while_target_was_dead = 0
        self.rows = self.completed = 0
        self.degraded = self.repaired = 0
        self.counted = {}           # admin port -> ops it degraded
        self.differing, self.missing, self.twice, self.other = [], 0, 0, []

    def flip(self, verb, lines, admins):
        """Takes cutover_ms from what ctl said, else from the metrics."""
        found = re.search(r"cutover_ms\D*([\d.]+)", "\n".join(lines))
        self.flips.append((verb, float(found.group(1)) if found else None))
        self._counters(admins)

    def _counters(self, admins):
        for admin in admins:
            # a proxy that was killed and started again counts from zero: keep what its predecessor said
            self.counted[admin.port] = max(self.counted.get(admin.port, 0), int(admin.metric("dual_write_fail")))
        self.degraded = sum(self.counted.values())

    def compare(self, deployment, books):
        source, target = deployment.connect("source"), deployment.connect("target")
        self.differing = differences(source, target)
        self.rows = row_count(source)
        self.repaired = repaired_keys(deployment)
        for name, connection in (("source", source), ("target", target)):
            self._ledger(name, connection, books)

    def _ledger(self, name, connection, books):
        present = {op for (op,) in run(connection, "SELECT op::text FROM public.acked")}
        once = {op for (op,) in run(connection, "SELECT op::text FROM public.once")}
        self.missing += len(books.acked - present) + len(books.once - once)
        self.twice += abs(value(connection, "SELECT sum(n) FROM public.counter") - len(present))
        self.twice += value(connection, "SELECT count(*) - count(DISTINCT op) FROM public.once")
        uninvited = (present - books.acked - books.unknown) | (once - books.once - books.once_unknown)
        if uninvited:
            self.other.append(f"{name}: {len(uninvited)} writes that no client was told of")
        self.other += [f"{name}: {line}" for line in pgbench.invariant(connection, run)]
        history = value(connection, "SELECT count(*) FROM public.pgbench_history WHERE id IS NOT NULL")
        if history < books.pgbench_done:
            self.missing += books.pgbench_done - history

    def after_complete(self, deployment, books, transactions):
        """In `complete` only the target goes on."""
        self.completed = transactions
        target = deployment.connect("target")
        present = {op for (op,) in run(target, "SELECT op::text FROM public.acked")} | {op for (op,) in run(target, "SELECT op::text FROM public.once")}
        self.missing += len((books.acked | books.once) - present)
        self.other += [f"target, complete: {line}" for line in pgbench.invariant(target, run)]

    def unexpected_errors(self, books):
        """All but those of connections to the killed proxy."""
        return [e for e in books.errors
                if not (e[1] == self.killed_port and self.killed_from - 0.5 <= e[0] <= self.killed_to + RECONNECT_GRACE_SECONDS)]

    def show(self, books):
        unexpected = self.unexpected_errors(books)
        flips = ", ".join(f"{verb} {'?' if ms is None else f'{ms:.0f}'} ms" for verb, ms in self.flips)
        lines = [
            ("acknowledged transactions", f"{books.transactions():,} ({books.pgbench_done:,} pgbench, {self.completed:,} after complete)"),
            ("of the mixed writers", ", ".join(f"{kind} {n:,}" for kind, n in sorted(books.kinds.items()))),
            ("client errors", f"{len(books.errors)} ({len(books.errors) - len(unexpected)} of connections to the killed proxy)"),
            ("client errors while the target was dead", f"{self.errors_while_target_was_dead}"),
            ("longest mixed transaction", f"{books.longest * 1000:.0f} ms"),
            ("ops degraded / keys repaired", f"{self.degraded:,} / {self.repaired:,}"),
            ("rows compared", f"{self.rows:,}"),
            ("differing rows", f"{len(self.differing)}"),
            ("acknowledged writes missing", f"{self.missing}"),
            ("applied twice", f"{self.twice}"),
            ("cutover_ms", flips),
            ("throughput", f"{self.rate:,.0f} transactions/s through the proxies, all steps and faults included; direct "
                           f"{self.direct_rate:,.0f} ({self.rate / max(self.direct_rate, 1):.2f})"),
        ]
        print("\n" + "=" * 100)
        for name, text in lines:
            print(f"  {name:42s} {text}")
        for row in self.differing[:SHOWN_ROWS]:
            print(f"  DIFFERS {row!r}")
        for line in self.other:
            print(f"  WRONG {line}")
        for entry in unexpected[:SHOWN_ROWS]:
            print(f"  UNEXPECTED ERROR at {entry[0]:.1f} s through port {entry[1]}: {entry[2]}")
        good = not (self.differing or self.missing or self.twice or self.other or unexpected)
        print("=" * 100 + f"\n  {'OK' if good else 'NOT OK'}\n", flush=True)
        return good
