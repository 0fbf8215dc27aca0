"""The real `pgtandem` binary: its configuration file, its processes, its commands."""
import json
import os
import shutil
import signal
import subprocess
import tempfile

import yaml

from . import logs
from .admin import Admin
from .cluster import run, value
from .ports import free_port
from .processes import is_running, is_sanitized, kill_tree, spawn
from .wait import wait_until

COMMAND_SECONDS = 120
READY_SECONDS = 30
STOP_SECONDS = 60
TOKEN = "tests-only-token"


def binary():
    """PGTANDEM_BIN, else the binary of a build folder of this tree."""
    root = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
    tried = [os.environ.get("PGTANDEM_BIN")]
    tried += [f"{root}/build/{preset}/pgtandem" for preset in ("release", "debug", "asan")]
    for path in filter(None, tried):
        if os.access(path, os.X_OK):
            return path
    raise FileNotFoundError("no pgtandem binary: set PGTANDEM_BIN or build with ./dev build")


def growth_bound():
    """Bytes that a proxy may grow by under one misbehaving client; AddressSanitizer adds its quarantine (256 MiB) and red zones."""
    return (512 << 20) if is_sanitized(binary()) else (64 << 20)


def merged(base, more):
    """`more` over `base`, folder by folder."""
    result = dict(base)
    for key, item in more.items():
        result[key] = merged(result[key], item) if isinstance(item, dict) and isinstance(result.get(key), dict) else item
    return result


class Process:
    """One running pgtandem process."""

    def __init__(self, name, arguments, folder):
        self.name = name
        self.log = f"{folder}/{name}.log"
        self.arguments = arguments
        self.process = None
        self.start()

    def start(self):
        self.process = spawn([binary(), *self.arguments], self.log)
        logs.remember(f"pgtandem {self.name}", self.log)

    @property
    def pid(self):
        return self.process.pid

    def is_running(self):
        return self.process.poll() is None and is_running(self.process.pid)

    def stop(self, bound=STOP_SECONDS):
        """SIGTERM and wait; returns the exit status."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            self.process.wait(bound)
        return self.process.returncode

    def kill(self):
        """kill -9."""
        if self.process.poll() is None:
            kill_tree(self.process)

    def freeze(self):
        self.process.send_signal(signal.SIGSTOP)

    def thaw(self):
        self.process.send_signal(signal.SIGCONT)


class Proxy(Process):
    def __init__(self, name, config, settings, folder):
        self.host = "127.0.0.1"
        self.port = settings["listen"]["port"]
        self.admin = Admin(self.host, settings["admin"]["port"], TOKEN)
        super().__init__(name, ["proxy", "--config", config], folder)

    def wait_ready(self, bound=READY_SECONDS):
        def ready():
            assert self.is_running(), f"the proxy ended with {self.process.returncode}:\n{logs.tail(self.log)}"
            return self.admin.is_ready()
        wait_until(ready, bound, f"{self.name} ready")
        return self


class Deployment:
    """A source and a target database with the pgtandem processes between them.

    `through` may put a gate before a side: {"target": gate}. Only proxies go through it; a reconciler that should is given
    a `through` of its own.
    """

    def __init__(self, source, target, database, settings=None, through=None, folder=None):
        self.clusters = {"source": source, "target": target}
        self.database = database
        self.folder = folder or tempfile.mkdtemp(prefix="pgtandem-config-")
        self.through = through or {}
        self.settings = settings or {}
        self.processes = []
        self.counter = 0

    # --- configuration

    def conninfo(self, side, through=None):
        port = (through or {}).get(side, self.clusters[side]).port
        return f"host=127.0.0.1 port={port} user=postgres dbname={self.database}"

    def configuration(self, more=None, through=None):
        base = {
            "source": self.conninfo("source", through),
            "target": self.conninfo("target", through),
            "listen": {"address": "127.0.0.1", "port": free_port()},
            "auth": {"method": "trust"},
            "admin": {"address": "127.0.0.1", "port": free_port(), "token": TOKEN},
            "log": {"level": "info"},
        }
        return merged(merged(base, self.settings), more or {})

    def write_config(self, name, settings):
        path = f"{self.folder}/{name}.yaml"
        with open(path, "w", encoding="utf-8") as file:
            yaml.safe_dump(settings, file, sort_keys=False)
        return path

    # --- processes

    def proxy(self, more=None, ready=True):
        self.counter += 1
        name = f"proxy{self.counter}"
        settings = self.configuration(more, self.through)
        config = self.write_config(name, settings)
        proxy = Proxy(name, config, settings, self.folder)
        self.processes.append(proxy)
        return proxy.wait_ready() if ready else proxy

    def reconciler(self, more=None, through=None):
        self.counter += 1
        name = f"reconciler{self.counter}"
        config = self.write_config(name, self.configuration(more, through))
        process = Process(name, ["reconcile", "--config", config], self.folder)
        self.processes.append(process)
        return process

    def run(self, arguments, check=True, bound=COMMAND_SECONDS):
        """Runs `pgtandem ARGUMENTS` to its end; with `check` its failure is an AssertionError."""
        environment = {**os.environ, "PGTANDEM_ADMIN_TOKEN": TOKEN}
        done = subprocess.run([binary(), *arguments], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=bound,
                              env=environment)
        if check:
            assert done.returncode == 0, f"pgtandem {' '.join(arguments)} ended with {done.returncode}:\n{done.stdout}"
        return done

    def command(self, *arguments, **options):
        """A command that works on the two databases: init, uninit, check."""
        return self.run([*arguments, "--config", self.write_config("command", self.configuration())], **options)

    def init(self):
        self.command("init")
        return self

    def ctl_arguments(self, arguments, proxy=None):
        """Command line of `pgtandem ctl …` against a proxy's admin port (the first one that runs, if not told)."""
        proxy = proxy or next(p for p in self.processes if isinstance(p, Proxy) and p.is_running())
        return ["ctl", "--admin", f"http://{proxy.host}:{proxy.admin.port}", *arguments]

    def ctl(self, *arguments, proxy=None, **options):
        return self.run(self.ctl_arguments(arguments, proxy), **options)

    def remove(self):
        for process in self.processes:
            process.kill()
            logs.forget(f"pgtandem {process.name}")
        shutil.rmtree(self.folder, ignore_errors=True)

    # --- both databases

    def connect(self, side, **options):
        return self.clusters[side].connect(self.database, **options)

    def both(self, sql):
        for side in ("source", "target"):
            self.clusters[side].run(sql, self.database)

    # --- where the migration stands (read from the databases themselves)

    def migration(self, side="source"):
        row = self.clusters[side].run("SELECT epoch, phase, step, attempt FROM pgtandem.migration", self.database)[0]
        return {"epoch": row[0], "phase": row[1], "step": row[2],
                "attempt": row[3] if isinstance(row[3], dict) else json.loads(row[3])}

    def primary(self):
        """Name of the side that is primary now: the higher epoch knows; the epoch's table exists only there."""
        rows = {side: self.migration(side) for side in ("source", "target")}
        epoch = max(row["epoch"] for row in rows.values())
        for side in rows:
            connection = self.connect(side)
            here = value(connection, f"SELECT to_regclass('pgtandem.epoch_{epoch}') IS NOT NULL")
            connection.close()
            if here:
                return side
        return "source"

    def in_doubt(self, primary=None):
        """(dirty rows on the primary, unsettled op and sync rows on the secondary)."""
        primary = primary or self.primary()
        secondary = "target" if primary == "source" else "source"
        dirty = self.clusters[primary].run("SELECT count(*) FROM pgtandem.dirty", self.database)[0][0]
        unsettled = self.clusters[secondary].run(
            "SELECT count(*) FROM pgtandem.ledger, pgtandem.watermark WHERE kind <> 'claim' AND NOT settled "
            "AND target_rev >= settled_below", self.database)[0][0]
        return dirty, unsettled

    def wait_drained(self, bound=60):
        """Until nothing is in doubt."""
        def drained():
            dirty, unsettled = self.in_doubt()
            assert not dirty and not unsettled, f"dirty {dirty}, unsettled {unsettled}"
            return True
        wait_until(drained, bound, "nothing in doubt", every=0.1)

    def wait_phase(self, phase, bound=60):
        wait_until(lambda: any(m["phase"] == phase and m["step"] == "steady"
                               for m in [max((self.migration(s) for s in ("source", "target")),
                                             key=lambda m: m["epoch"])]), bound, f"phase {phase}")


__all__ = ["Deployment", "Proxy", "Process", "binary", "run", "value"]
