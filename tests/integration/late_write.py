"""A write through a proxy that has slept: sent while it is still frozen, answered after it has woken up."""
import threading

import psycopg2
from harness.cluster import run

ANSWER_SECONDS = 30


def write_and_thaw(sleeper, connection, sql):
    """What the client hears: "committed" or a SQLSTATE."""
    answers = []

    def write():
        try:
            run(connection, sql)
            answers.append("committed")
        except psycopg2.Error as error:
            answers.append(error.pgcode)
    thread = threading.Thread(target=write)
    thread.start()
    sleeper.thaw()
    thread.join(ANSWER_SECONDS)
    assert answers and not thread.is_alive(), "the write was not answered"
    return answers[0]
