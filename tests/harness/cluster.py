"""A PostgreSQL server of our own in a temporary folder: start, stop, kill -9, freeze, connect.

When we are root the server runs as the user `postgres`; otherwise as ourselves. Only loopback, a free port, fsync on.
"""
import glob
import os
import shutil
import signal
import subprocess
import tempfile

import psycopg2

from . import logs
from .ports import free_port
from .processes import is_running, kill_tree, signal_all, spawn, tree
from .wait import wait_until

START_SECONDS = 60
STOP_SECONDS = 60
SERVER_USER = "postgres"

DEFAULTS = {
    "listen_addresses": "'127.0.0.1'",
    "max_connections": "300",
    "shared_buffers": "'128MB'",
    "fsync": "on",
    "full_page_writes": "on",
    "max_prepared_transactions": "10",
    "log_line_prefix": "'%m [%p] %a %d '",
    "log_min_messages": "warning",
    "timezone": "'UTC'",
    "max_wal_size": "'2GB'",
}


def bin_folder():
    """The newest installed server's programs; PGTANDEM_PG_BIN overrides."""
    if os.environ.get("PGTANDEM_PG_BIN"):
        return os.environ["PGTANDEM_PG_BIN"]
    folders = [f for f in glob.glob("/usr/lib/postgresql/*/bin") if os.path.exists(f"{f}/initdb")]
    if folders:
        return max(folders, key=lambda f: float(f.split("/")[-2]))
    return os.path.dirname(shutil.which("initdb") or "/usr/bin/initdb")


class Cluster:
    def __init__(self, name, folder=None, settings=None, hba=None, initdb_options=()):
        """Makes the data folder; `settings` and `hba` (lines put before the trust rule) go into its configuration."""
        self.name = name
        self.folder = folder or tempfile.mkdtemp(prefix=f"pgtandem-{name}-")
        self.data = f"{self.folder}/data"
        self.log = f"{self.folder}/server.log"
        self.bin = bin_folder()
        self.port = free_port()
        self.process = None
        os.makedirs(self.folder, exist_ok=True)
        os.chmod(self.folder, 0o755)
        if os.geteuid() == 0:
            shutil.chown(self.folder, SERVER_USER, SERVER_USER)
        self.run_as_server([f"{self.bin}/initdb", "-D", self.data, "-U", "postgres", "-A", "trust", "-N", "-E", "UTF8",
                            "--locale=C", *initdb_options])
        self.configure({**DEFAULTS, "unix_socket_directories": f"'{self.folder}'", **(settings or {})})
        if hba:
            with open(f"{self.data}/pg_hba.conf", "r+", encoding="utf-8") as file:
                rest = file.read()
                file.seek(0)
                file.write("\n".join(hba) + "\n" + rest)
        logs.remember(f"postgres {name}", self.log)

    # --- configuration

    def configure(self, settings):
        """Appends to postgresql.conf; takes effect at the next start or reload."""
        with open(f"{self.data}/postgresql.conf", "a", encoding="utf-8") as file:
            file.writelines(f"{key} = {value}\n" for key, value in settings.items())

    def reload(self):
        os.kill(self.process.pid, signal.SIGHUP)

    # --- life

    def run_as_server(self, command):
        if os.geteuid() == 0:
            command = ["runuser", "-u", SERVER_USER, "--", *command]
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, cwd="/")
        assert done.returncode == 0, f"{' '.join(command)}:\n{done.stdout}"

    def start(self):
        for attempt in range(3):
            self.process = spawn([f"{self.bin}/postgres", "-D", self.data, "-p", str(self.port)], self.log,
                                 user=SERVER_USER, death_signal="QUIT")
            try:
                wait_until(self._answers, START_SECONDS, f"{self.name} to start")
                return self
            except AssertionError:
                if self.process.poll() is None or attempt == 2 or "Address already in use" not in logs.tail(self.log):
                    raise AssertionError(f"{self.name} did not start:\n{logs.tail(self.log)}") from None
                self.port = free_port()
        return self

    def _answers(self):
        if self.process.poll() is not None:
            return self.process.returncode is None
        self.connect(connect_timeout=2).close()
        return True

    def stop(self, how=signal.SIGINT):
        """Fast shutdown (SIGTERM: smart, SIGQUIT: immediate)."""
        if self.process and self.process.poll() is None:
            self.process.send_signal(how)
            self.process.wait(STOP_SECONDS)

    def restart(self, how=signal.SIGINT):
        self.stop(how)
        return self.start()

    def kill(self):
        """The power fails: postmaster and all its children die at once."""
        kill_tree(self.process)

    def freeze(self):
        """SIGSTOP to all of it: connections stay open, nothing answers."""
        pids = tree(self.process.pid)
        signal_all(pids, signal.SIGSTOP)
        signal_all(set(tree(self.process.pid)) - set(pids), signal.SIGSTOP)

    def thaw(self):
        signal_all(tree(self.process.pid), signal.SIGCONT)

    def is_up(self):
        return self.process is not None and is_running(self.process.pid)

    def remove(self):
        if self.process and self.process.poll() is None:
            self.thaw()
            try:
                self.stop(signal.SIGQUIT)
            except subprocess.TimeoutExpired:
                self.kill()
        logs.forget(f"postgres {self.name}")
        shutil.rmtree(self.folder, ignore_errors=True)

    # --- use

    def dsn(self, database="postgres", **options):
        parts = {"host": "127.0.0.1", "port": self.port, "user": "postgres", "dbname": database, **options}
        return " ".join(f"{key}={value}" for key, value in parts.items())

    def connect(self, database="postgres", autocommit=True, **options):
        connection = psycopg2.connect(self.dsn(database), **options)
        connection.autocommit = autocommit
        return connection

    def run(self, sql, database="postgres", arguments=None):
        """Runs `sql` on a connection of its own; rows if it returns any."""
        connection = self.connect(database)
        try:
            return run(connection, sql, arguments)
        finally:
            connection.close()

    def create_database(self, name):
        self.run(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
        connection = self.connect()
        # copying files takes less than writing every page of the template to the WAL, which is the default since 15
        strategy = "STRATEGY file_copy" if connection.server_version >= 150000 else ""
        run(connection, f'CREATE DATABASE "{name}" TEMPLATE template0 {strategy}')
        connection.close()
        return name


def run(connection, sql, arguments=None):
    """One statement (or several without arguments); rows if the last one returns any."""
    with connection.cursor() as cursor:
        cursor.execute(sql, arguments)
        return cursor.fetchall() if cursor.description else cursor.rowcount


def value(connection, sql, arguments=None):
    """First column of the first row."""
    return run(connection, sql, arguments)[0][0]
