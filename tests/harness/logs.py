"""Which log files belong to what is running, so that a failed test can show their ends."""
import os

_known = {}  # name -> path
TAIL_BYTES = 6000


def remember(name, path):
    _known[name] = path


def forget(name):
    _known.pop(name, None)


def tail(path, size=TAIL_BYTES):
    try:
        with open(path, "rb") as file:
            file.seek(0, os.SEEK_END)
            file.seek(max(0, file.tell() - size))
            return file.read().decode("utf-8", "replace")
    except OSError as error:
        return f"({error})"


def tails():
    return {name: tail(path) for name, path in _known.items() if os.path.exists(path)}
