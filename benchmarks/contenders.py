"""Who is compared: PostgreSQL alone, the same load on two servers at once, pgtandem in two phases, pgbouncer and pgpool-II.

A contender says through which ports a load is to go and which processes' CPU is its price. Each has databases of its own.
"""
import os
import shutil
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))

from harness import logs  # noqa: E402
from harness.cluster import SERVER_USER  # noqa: E402
from harness.pgtandem import Deployment, binary  # noqa: E402
from harness.ports import free_port  # noqa: E402
from harness.processes import cpu_seconds, kill_tree, spawn, tree  # noqa: E402
from harness.wait import wait_until  # noqa: E402

import psycopg2  # noqa: E402

START_SECONDS = 30
POOL_CHILDREN = 48   # more than the most clients of a cell


class Contender:
    name = ""
    loads = None         # those it can run; None: all

    def __init__(self, stage):
        self.stage = stage
        self.database = f"bench_{self.name}"
        self.folder = f"{stage.folder}/{self.name}"
        os.makedirs(self.folder, exist_ok=True)

    def start(self):
        """Brings it up."""

    def ports(self):
        """One load per port, all at the same time."""
        return [self.stage.source.port]

    def pids(self):
        return []

    def cpu(self):
        return sum(cpu_seconds(pid) for pid in self.pids())

    def stop(self):
        """Ends what start() began."""

    def wait_answers(self, port):
        def answers():
            psycopg2.connect(host="127.0.0.1", port=port, user="postgres", dbname=self.database, connect_timeout=3).close()
            return True
        wait_until(answers, START_SECONDS, f"{self.name} to answer")


class Direct(Contender):
    name = "direct"


class Twin(Contender):
    """The floor of any dual write: the same load on each server at the same time, nothing in between. Its rate is the slower one's."""
    name = "twin"

    def ports(self):
        return [self.stage.source.port, self.stage.target.port]


class Passthrough(Contender):
    name = "passthrough"

    def start(self):
        self.deployment = Deployment(self.stage.source, self.stage.target, self.database, folder=self.folder)
        self.deployment.init()
        self.proxy = self.deployment.proxy()

    def ports(self):
        return [self.proxy.port]

    def pids(self):
        return [self.proxy.pid]

    def stop(self):
        self.deployment.remove()


class DualWrite(Passthrough):
    """With a reconciler at its side, as it would run; the reconciler's CPU is not the proxy's and is shown apart."""
    name = "dual_write"

    def start(self):
        super().start()
        self.reconciler = self.deployment.reconciler()
        self.deployment.ctl("phase", "dual_write")
        self.deployment.wait_phase("dual_write")


class Floor(DualWrite):
    """The messages of pgtandem's dual write and nothing else (floor.cpp): what it reaches is all that any proxy of this protocol can."""
    name = "floor"
    loads = ["insert", "update"]

    def start(self):
        super().start()   # makes the tables that it writes to
        epoch = self.deployment.migration()["epoch"]
        for process in (self.proxy, self.reconciler):
            process.kill()
        self.port = free_port()
        program = f"{os.path.dirname(binary())}/pgtandem_floor"
        arguments = [str(self.port), str(self.stage.source.port), self.deployment.conninfo("target"), str(epoch)]
        self.process = spawn([program, *arguments], f"{self.folder}/log")
        logs.remember("floor", f"{self.folder}/log")
        self.wait_answers(self.port)

    def ports(self):
        return [self.port]

    def pids(self):
        return [self.process.pid]

    def stop(self):
        kill_tree(self.process)
        super().stop()


class PgBouncer(Contender):
    name = "pgbouncer"

    def start(self):
        self.port = free_port()
        users, config = f"{self.folder}/users.txt", f"{self.folder}/pgbouncer.ini"
        Path(users).write_text('"postgres" ""\n', encoding="utf-8")
        Path(config).write_text(f"""[databases]
{self.database} = host=127.0.0.1 port={self.stage.source.port} dbname={self.database}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {self.port}
unix_socket_dir =
auth_type = trust
auth_file = {users}
pool_mode = session
max_client_conn = 200
default_pool_size = 100
ignore_startup_parameters = extra_float_digits,options
log_connections = 0
log_disconnections = 0
""", encoding="utf-8")
        self.process = spawn([shutil.which("pgbouncer") or "/usr/sbin/pgbouncer", config], f"{self.folder}/log", user=SERVER_USER)
        logs.remember("pgbouncer", f"{self.folder}/log")
        self.wait_answers(self.port)

    def ports(self):
        return [self.port]

    def pids(self):
        return [self.process.pid]

    def stop(self):
        kill_tree(self.process)


class PgPool(Contender):
    name = "pgpool"

    def start(self):
        self.port = free_port()
        config, hba, pcp = (f"{self.folder}/{n}" for n in ("pgpool.conf", "pool_hba.conf", "pcp.conf"))
        settings = {
            "backend_clustering_mode": "'native_replication'", "listen_addresses": "'127.0.0.1'", "port": self.port,
            "pcp_listen_addresses": "'127.0.0.1'", "pcp_port": free_port(), "socket_dir": f"'{self.folder}'", "pcp_socket_dir": f"'{self.folder}'",
            "num_init_children": POOL_CHILDREN, "max_pool": 1, "enable_pool_hba": "off", "load_balance_mode": "off",
            "replicate_select": "off", "pid_file_name": f"'{self.folder}/pgpool.pid'", "logdir": f"'{self.folder}'",
            "health_check_period": 0, "sr_check_period": 0, "log_min_messages": "error", "memory_cache_enabled": "off", "use_watchdog": "off",
            "failover_on_backend_error": "off", "failover_on_backend_shutdown": "off", "work_dir": f"'{self.folder}'"}
        for n, cluster in enumerate((self.stage.source, self.stage.target)):
            settings |= {f"backend_hostname{n}": "'127.0.0.1'", f"backend_port{n}": cluster.port, f"backend_weight{n}": 1,
                         f"backend_data_directory{n}": f"'{cluster.data}'", f"backend_flag{n}": "'ALLOW_TO_FAILOVER'"}
        Path(config).write_text("".join(f"{k} = {v}\n" for k, v in settings.items()), encoding="utf-8")
        Path(hba).write_text("host all all 127.0.0.1/32 trust\n", encoding="utf-8")
        Path(pcp).write_text("", encoding="utf-8")
        if os.geteuid() == 0:
            shutil.chown(self.folder, SERVER_USER)
        self.process = spawn([shutil.which("pgpool") or "/usr/sbin/pgpool", "-n", "-f", config, "-a", hba, "-F", pcp], f"{self.folder}/log",
                             user=SERVER_USER)
        logs.remember("pgpool", f"{self.folder}/log")
        self.wait_answers(self.port)

    def ports(self):
        return [self.port]

    def pids(self):
        return tree(self.process.pid)

    def stop(self):
        kill_tree(self.process)


ALL = [Direct, Twin, Floor, Passthrough, DualWrite, PgBouncer, PgPool]
