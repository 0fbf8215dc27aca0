"""Many clients at once, each running a transaction function until a number of transactions have committed."""
import threading

import psycopg2

RETRIED = ("40001", "40P01", "55P03")  # serialization failure, deadlock, lock not available: what any application retries
JOIN_SECONDS = 280


class Clients:
    """`work(cursor, number, n)` runs inside a transaction that is committed afterwards; autocommit if it says so."""

    def __init__(self, connects, work, clients, transactions, autocommit=False, isolation=None):
        self.connects, self.work, self.autocommit, self.isolation = connects, work, autocommit, isolation
        self.share = -(-transactions // clients)
        self.results, self.retries, self.failures = [], 0, []
        self.lock = threading.Lock()
        self.threads = [threading.Thread(target=self._client, args=(i,), daemon=True) for i in range(clients)]

    def run(self):
        for thread in self.threads:
            thread.start()
        for thread in self.threads:
            thread.join(JOIN_SECONDS)
            assert not thread.is_alive(), "a client hangs"
        assert not self.failures, self.failures[:3]
        return self.results

    def _client(self, number):
        try:
            connection = self.connects[number % len(self.connects)]()
            connection.set_session(isolation_level=self.isolation, autocommit=self.autocommit)
            mine = []
            for n in range(self.share):
                mine.append(self._until_done(connection, number, n))
            connection.close()
            with self.lock:
                self.results += mine
        except Exception as error:  # reported by run()
            with self.lock:
                self.failures.append(f"client {number}: {error!r}")

    def _until_done(self, connection, number, n):
        while True:
            try:
                with connection.cursor() as cursor:
                    result = self.work(cursor, number, n)
                if not self.autocommit:
                    connection.commit()
                return result
            except psycopg2.Error as error:
                if error.pgcode not in RETRIED:
                    raise
                with self.lock:
                    self.retries += 1
                if not self.autocommit:
                    connection.rollback()
