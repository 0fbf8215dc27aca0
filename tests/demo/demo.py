#!/usr/bin/python3
"""A live move between two PostgreSQL servers, from nothing: load, dual write, backfill, faults, cutover and the way back.

Ends with a summary; the exit status is 0 only if no acknowledged write is missing, doubled or different.
"""
import argparse
import sys
import time

from stage import DATABASE, Stage, say  # first: it makes the harness importable
from harness import logs
from harness.pgtandem import TOKEN, binary
from harness.wait import wait_until
from load import Books, Load
from summary import Summary

DEFAULT_SECONDS = 70        # of load, shared out over the steps
DRAIN_BOUND_SECONDS = 60
GATES_BOUND_SECONDS = 60
TARGET_DEAD_SECONDS = 3


class Demo:
    def __init__(self, options):
        self.options = options
        self.unit = options.seconds / 14.0   # the load of one step
        self.stage = Stage(options.scale)
        self.books = Books()
        self.summary = Summary()
        self.load = None
        self.proxies = []

    # --- helpers

    def run_load(self, seconds, what):
        """Lets the load run on and shows what it does; the rate it had is returned."""
        begun, before = time.monotonic(), self.books.transactions()
        finish = begun + seconds
        wait_until(lambda: time.monotonic() >= finish, seconds + 5, "the step's time")
        rate = (self.books.transactions() - before) / (time.monotonic() - begun)
        say(f"    {what}: {rate:,.0f} transactions/s, client errors so far {len(self.books.errors)}")
        return rate

    def phase(self, name):
        self.stage.ctl("phase", name)
        self.stage.deployment.wait_phase(name)

    def deployment(self):
        return self.stage.deployment

    def flip(self, verb, phase):
        """cutover or rollback, as soon as its gates hold."""
        say(f"-- {verb}, under load")

        def gates_hold():
            return self.deployment().ctl(verb, "--dry-run", check=False).returncode == 0
        try:
            wait_until(gates_hold, GATES_BOUND_SECONDS, f"the gates of {verb}", every=0.5)
        except AssertionError:
            self.stage.ctl(verb, "--dry-run", check=False)
            raise
        _, lines = self.stage.ctl(verb)
        self.deployment().wait_phase(phase)
        self.summary.flip(verb, lines, [p.admin for p in self.proxies if p.is_running()])
        self.run_load(self.unit, f"after the {verb}")

    # --- the steps

    def direct(self):
        say("-- the same load directly on the source, to compare with")
        books = Books()
        load = Load([self.stage.clusters[0].port], DATABASE, books, self.stage.folder).start()
        finish = time.monotonic() + self.unit * 1.5
        wait_until(lambda: time.monotonic() >= finish, 600, "time")
        load.stop()
        self.summary.direct_rate = books.transactions() / (time.monotonic() - books.started)
        say(f"    direct: {self.summary.direct_rate:,.0f} transactions/s")
        # without a proxy nobody heeds idempotency keys: start the books on clean pages
        self.stage.clusters[0].run("TRUNCATE once, acked; UPDATE counter SET n = 0", DATABASE)

    def begin(self):
        say("-- pgtandem init; two proxies and a reconciler; load through both proxies from here on")
        self.deployment().init()
        self.proxies = self.stage.start_proxies()
        self.deployment().reconciler()
        self.books.started = time.monotonic()
        self.load = Load([p.port for p in self.proxies], DATABASE, self.books, self.stage.folder).start()
        self.run_load(self.unit, "passthrough")

    def dual_write(self):
        say("-- dual_write: from now on every write takes effect on both sides")
        self.phase("dual_write")
        self.run_load(self.unit, "dual_write")

    def backfill(self):
        say("-- backfill: what was there before, copied and verified under load")
        self.stage.ctl("backfill")
        say("-- verify: a certified sweep over everything, under load")
        self.stage.ctl("verify")
        clean = "SELECT leaves, row_count, set_aside, differing FROM pgtandem.sweep WHERE clean ORDER BY pass DESC LIMIT 1"
        leaves, rows, aside, differing = self.stage.clusters[0].run(clean, DATABASE)[0]
        say(f"    clean pass: {rows:,} rows in {leaves:,} leaves, {aside} set aside, {differing} differing; "
            f"{self.books.transactions():,} transactions acknowledged so far")

    def kill_target(self):
        say("-- kill -9 of the target")
        before = self.books.transactions()
        errors = len(self.books.errors)
        self.stage.clusters[1].kill()
        self.run_load(TARGET_DEAD_SECONDS, "target dead")
        self.stage.clusters[1].start()
        say(f"    target is back; {self.books.transactions() - before:,} transactions were acknowledged without it, "
            f"{len(self.books.errors) - errors} client errors")
        self.summary.errors_while_target_was_dead = len(self.books.errors) - errors
        self.run_load(self.unit, "target back")

    def kill_proxy(self):
        say("-- kill -9 of the second proxy; its clients go to the first")
        victim = self.proxies[1]
        self.summary.killed_port = victim.port
        self.summary.killed_from = time.monotonic() - self.books.started
        victim.kill()
        self.run_load(self.unit, "one proxy")
        victim.start()
        victim.wait_ready()
        self.summary.killed_to = time.monotonic() - self.books.started
        say("    the second proxy is back")
        self.run_load(self.unit, "both proxies")

    def judge(self):
        say("-- load stops; drain; compare every row")
        self.load.stop()
        self.summary.rate = self.books.transactions() / (time.monotonic() - self.books.started)
        self.deployment().wait_drained(DRAIN_BOUND_SECONDS)
        self.summary.compare(self.deployment(), self.books)

    def complete(self):
        say("-- complete: the source is left behind")
        self.phase("complete")
        before = self.books.transactions()
        self.load = Load([p.port for p in self.proxies], DATABASE, self.books, self.stage.folder).start()
        self.run_load(self.unit, "complete")
        self.load.stop()
        self.summary.after_complete(self.deployment(), self.books, self.books.transactions() - before)

    def run(self):
        say("-- two PostgreSQL servers; pgbench and shop on the source, the bare schema on the target")
        say("    (pgbench_history gets `id bigserial PRIMARY KEY`: a table without any key cannot be followed)")
        self.stage.build()
        self.direct()
        self.begin()
        self.dual_write()
        self.backfill()
        self.kill_target()
        self.flip("cutover", "tail")
        self.kill_proxy()
        self.flip("rollback", "verify")
        self.flip("cutover", "tail")
        self.judge()
        self.complete()
        return self.summary.show(self.books)

    def keep(self):
        say("left running; press Ctrl-C to end it")
        for proxy in self.proxies:
            print(f"  psql -h 127.0.0.1 -p {proxy.port} -U postgres {DATABASE}        admin: http://127.0.0.1:{proxy.admin.port}/")
        for cluster in self.stage.clusters:
            print(f"  psql -h 127.0.0.1 -p {cluster.port} -U postgres {DATABASE}        ({cluster.name}, directly)")
        print(f"  PGTANDEM_ADMIN_TOKEN={TOKEN} {' '.join([binary(), *self.deployment().ctl_arguments(['status'])])}", flush=True)
        try:
            while True:
                time.sleep(3600)
        except KeyboardInterrupt:
            pass


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=DEFAULT_SECONDS, help="of load in all (default %(default)s)")
    parser.add_argument("--scale", type=int, default=2, help="pgbench scale: 100,000 rows each (default %(default)s)")
    parser.add_argument("--keep", action="store_true", help="leave everything running at the end and say how to connect")
    demo = Demo(parser.parse_args())
    status = 1
    try:
        status = 0 if demo.run() else 1
    except KeyboardInterrupt:
        say("interrupted")
    except Exception as error:  # whatever went wrong: say it, show the logs, clean up
        say(f"FAILED: {error!r}")
        for name, text in logs.tails().items():
            print(f"--- end of the log of {name}\n{text}", flush=True)
        for entry in demo.books.errors[:10]:
            print("client error:", entry, flush=True)
    if demo.options.keep and demo.deployment():
        demo.keep()
    if demo.load:
        demo.load.stopping.set()
    demo.stage.remove()
    return status


if __name__ == "__main__":
    sys.exit(main())
