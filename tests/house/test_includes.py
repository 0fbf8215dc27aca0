"""Who may include whom, and through which door the outside comes in. The tables are the rule; ARCHITECTURE.md explains it."""
import fnmatch

from tree import ROOT, code, includes, text

# Room → what it may include beside itself: rooms, or single headers that stand free.
DIRECTION = {
    "protocol": [],
    "config": [],
    "proxy/sql": [],
    "proxy/telemetry": [],
    "proxy/database": ["proxy/sql"],
    "proxy/session": ["protocol", "proxy/sql", "proxy/telemetry", "proxy/control/phase.hpp"],
    "proxy/apply": ["proxy/session", "proxy/sql", "proxy/database"],
    "proxy/control": ["proxy/session/world.hpp", "proxy/sql", "proxy/database", "config", "proxy/telemetry"],
    "proxy/net": ["proxy/session", "proxy/apply", "protocol", "config", "proxy/control", "proxy/telemetry", "proxy/sql",
                  "proxy/database"],
    "proxy/admin": ["proxy/control", "proxy/telemetry", "config"],
    "reconcile": ["proxy/database", "proxy/sql", "config", "proxy/telemetry", "proxy/control/phase.hpp"],
}
MAIN = ["proxy/net/main.cpp", "proxy/net/command_*.cpp"]  # put everything together and may include all of it

# Third-party header (as a glob) → the files that may include it. One door each.
DOORS = {
    "boost/asio*": ["proxy/net/*", "proxy/admin/*", "proxy/apply/*"],
    "boost/beast*": ["proxy/admin/*"],
    "boost/json*": ["proxy/admin/*"],
    "boost/json*": ["proxy/admin/*"],
    "boost/system*": ["*"],
    "boost/assert*": ["*"],
    "boost/intrusive/*": ["*"],
    "boost/smart_ptr/*": ["*"],
    "libpq-fe.h": ["proxy/database/*", "proxy/apply/*"],
    "yaml-cpp/*": ["config/yaml.cpp"],
    "spdlog/*": ["proxy/telemetry/log.cpp"],
    "prometheus/*": ["proxy/telemetry/metrics.cpp"],
    "CLI/*": ["proxy/net/main.cpp"],
    "openssl/*": ["protocol/*"],
    "pg_query.h": ["proxy/sql/*"],
}
# What belongs to the language and the system, by the shape of its name.
C_HEADERS = {"unistd.h", "poll.h", "fcntl.h", "signal.h", "sched.h", "pthread.h", "netdb.h", "errno.h", "string.h", "stddef.h",
             "stdint.h", "stdbool.h", "stdlib.h", "stdio.h", "ctype.h", "limits.h", "stdarg.h", "setjmp.h", "endian.h",
             "termios.h", "time.h"}
SYSTEM_FOLDERS = ("sys/", "netinet/", "arpa/", "net/", "linux/")


def is_parser_file(name):
    """The walker over PostgreSQL's own parse tree: C, against the server's headers."""
    return name.startswith("proxy/sql/") and name.endswith((".c", ".h"))


def room_of(path):
    rooms = [room for room in DIRECTION if path.startswith(room + "/")]
    return max(rooms, key=len) if rooms else None


def is_system(header):
    return "/" not in header and "." not in header or header in C_HEADERS or header.startswith(SYSTEM_FOLDERS)


def test_every_file_has_a_room():
    assert [name for name in code() if not room_of(name)] == []


def test_our_includes_are_written_from_the_root():
    wrong = [f"{name}:{line}: {path}" for name in code() for line, ours, path in includes(name)
             if ours and not (ROOT / path).is_file() and not is_parser_file(name)]
    assert wrong == []


def test_includes_go_down_only():
    wrong = []
    for name in code():
        if any(fnmatch.fnmatchcase(name, glob) for glob in MAIN):
            continue
        room = room_of(name)
        allowed = DIRECTION[room] + [room]
        for line, ours, path in includes(name):
            if ours and room_of(path) and path not in allowed and room_of(path) not in allowed:
                wrong.append(f"{name}:{line}: {room} may not include {path}")
    assert wrong == []


def test_no_header_reaches_itself():
    edges = {name: [path for _, ours, path in includes(name) if ours] for name in code()}
    done, path = set(), []

    def visit(name):
        assert name not in path, " → ".join(path[path.index(name):] + [name])
        if name in done:
            return
        path.append(name)
        for other in edges.get(name, []):
            visit(other)
        path.pop()
        done.add(name)
    for name in edges:
        visit(name)


def test_third_parties_come_in_by_their_door():
    wrong = []
    for name in code():
        for line, ours, header in includes(name):
            if ours or is_system(header):
                continue
            doors = [files for glob, files in DOORS.items() if fnmatch.fnmatchcase(header, glob)]
            if is_parser_file(name):
                continue
            if not any(fnmatch.fnmatchcase(name, glob) for door in doors for glob in door):
                wrong.append(f"{name}:{line}: <{header}>" + ("" if doors else " is in no door's row"))
    assert wrong == []


def test_headers_open_with_what_they_are():
    wrong = [name for name in code() if name.endswith(".hpp")
             and not (text(name).startswith("//") and "#pragma once" in text(name))]
    assert wrong == []
