"""A writer that goes to a server directly, beside the clients of a proxy: what a COMMIT costs on that server and this machine.

A test that judges how long a proxy made its clients wait takes this much off: the disk, the scheduler and Python are not the
proxy's doing, and how slow they are at that very time no constant knows.
"""
import threading
import time

from .cluster import run

TABLE = "bystander"


class Bystander(threading.Thread):
    """Commits small writes to a database of its own on `cluster`, one after another, until stop()."""

    def __init__(self, cluster, database):
        super().__init__(daemon=True)
        self.cluster, self.database = cluster, database
        self.commits, self.stopping = [], threading.Event()
        cluster.create_database(database)
        cluster.run(f"CREATE TABLE {TABLE}(id int PRIMARY KEY, n bigint); INSERT INTO {TABLE} VALUES (1, 0)", database)
        self.start()

    def run(self):
        connection = self.cluster.connect(self.database)
        connection.autocommit = False
        while not self.stopping.is_set():   # without a pause: a scheduler favours those that mostly sleep, and the clients do not
            run(connection, f"UPDATE {TABLE} SET n = n + 1 WHERE id = 1")
            begun = time.monotonic()
            connection.commit()
            self.commits.append(time.monotonic() - begun)
        connection.close()

    def stop(self, bound=30):
        self.stopping.set()
        self.join(bound)
        assert not self.is_alive(), "the bystander hangs"
        return max(self.commits, default=0.0)
