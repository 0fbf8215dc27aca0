"""Processes: children that die with us, /proc figures."""
import os
import signal
import subprocess

from .wait import wait_until

TICKS = os.sysconf("SC_CLK_TCK")
PAGE = os.sysconf("SC_PAGE_SIZE")


def spawn(command, log, user=None, death_signal="KILL", env=None):
    """Starts `command` with its output appended to `log`; it gets `death_signal` if the calling thread ends.

    So start processes from the main thread. With `user` (only as root) the process runs as that user.
    """
    wrapper = ["setpriv", "--pdeathsig", death_signal]
    if user and os.geteuid() == 0:
        wrapper += ["--reuid", user, "--regid", user, "--init-groups"]
    with open(log, "ab") as out:
        return subprocess.Popen(wrapper + ["--"] + command, stdin=subprocess.DEVNULL, stdout=out, stderr=out, env=env,
                                start_new_session=True)


def stat_fields(pid):
    """Fields of /proc/PID/stat after the command name; [] if there is no such process."""
    try:
        with open(f"/proc/{pid}/stat", encoding="ascii", errors="replace") as file:
            return file.read().rpartition(")")[2].split()
    except OSError:
        return []


def is_running(pid):
    fields = stat_fields(pid)
    return bool(fields) and fields[0] not in ("Z", "X")


def children(pid):
    """Direct children of a process."""
    found = []
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            fields = stat_fields(entry)
            if fields and fields[1] == str(pid):
                found.append(int(entry))
    return found


def tree(pid):
    """The process and all that descend from it."""
    found = [pid]
    for child in children(pid):
        found += tree(child)
    return found


def cpu_seconds(pid, with_reaped=True):
    """User and system time of a process (and of its children that have ended)."""
    fields = stat_fields(pid)
    if not fields:
        return 0.0
    return sum(int(x) for x in fields[11:15 if with_reaped else 13]) / TICKS


def resident_bytes(pid):
    with open(f"/proc/{pid}/statm", encoding="ascii") as file:
        return int(file.read().split()[1]) * PAGE


def signal_all(pids, number):
    for pid in pids:
        try:
            os.kill(pid, number)
        except ProcessLookupError:
            pass


def kill_tree(process, bound=20):
    """SIGKILL to a process we started and everything below it, then waits until all are gone."""
    pids = tree(process.pid)
    signal_all(pids, signal.SIGSTOP)  # nobody can fork while we look again
    pids = sorted(set(pids) | set(tree(process.pid)))
    signal_all(pids, signal.SIGKILL)
    process.wait(bound)
    wait_until(lambda: not any(is_running(pid) for pid in pids), bound, "processes to be gone")


def is_sanitized(path):
    """Whether a program was built with AddressSanitizer, whose quarantine keeps freed memory."""
    with open(path, "rb") as file:
        return b"__asan_init" in file.read()
