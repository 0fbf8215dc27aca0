"""Conversations that write, as bytes: each must look the same to the client whether or not the proxy mirrors it."""
from harness.wire import COPY_DONE, FLUSH, SYNC, bind, close, copy_data, describe, execute, parse, query

SCHEMA = """
CREATE TYPE mood AS ENUM ('sad', 'ok', 'happy');
CREATE TABLE t(id serial PRIMARY KEY, v text, n int DEFAULT 7, g int GENERATED ALWAYS AS (n * 2) STORED);
CREATE TABLE u(a int, b text, c numeric UNIQUE, PRIMARY KEY (a, b));
CREATE TABLE i(id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, m mood NOT NULL DEFAULT 'ok', at date DEFAULT '2026-01-01', f float8);
CREATE TABLE parent(id int PRIMARY KEY, v int CHECK (v < 1000));
CREATE TABLE child(id int PRIMARY KEY, parent int NOT NULL REFERENCES parent ON DELETE CASCADE ON UPDATE CASCADE);
CREATE TABLE late(id int PRIMARY KEY, parent int REFERENCES parent DEFERRABLE INITIALLY DEFERRED);
CREATE TABLE part(id int, k text, v int, PRIMARY KEY (id, k)) PARTITION BY LIST (k);
CREATE TABLE part_a PARTITION OF part FOR VALUES IN ('a');
CREATE TABLE part_rest PARTITION OF part DEFAULT;
CREATE SCHEMA other;
CREATE TABLE other.t(id int PRIMARY KEY, v text);
CREATE VIEW seen AS SELECT id, v FROM t;
"""
TABLES = "t, u, i, parent, child, late, part, other.t"
RESET = f"""TRUNCATE {TABLES} RESTART IDENTITY CASCADE;
INSERT INTO t(v, n) VALUES ('one', 1), ('two', 2), ('three', 3);
INSERT INTO u VALUES (1, 'x', 1.50), (2, 'y', 2.00);
INSERT INTO i(m, f) VALUES ('sad', 0.1), ('happy', 'NaN');
INSERT INTO parent VALUES (1, 1), (2, 2); INSERT INTO child VALUES (10, 1), (11, 1), (20, 2);
INSERT INTO part VALUES (1, 'a', 1), (2, 'b', 2);
"""


def extended(sql, values=(), types=(), formats=(), results=(), rows=0, described=True):
    return (parse(sql, "", types) + bind(values, formats=formats, results=results) + (describe() if described else b"") +
            execute("", rows) + SYNC)


class Answered(bytes):
    """A chunk that hears another number of ReadyForQuery than it has Query and Sync messages: `ready`."""


def answered(ready, chunk):
    chunk = Answered(chunk)
    chunk.ready = ready
    return chunk


def pipeline(*texts):
    return b"".join(parse(sql) + bind() + execute() for sql in texts)


def stepped(*texts):
    """One pipeline of several statements."""
    return pipeline(*texts) + SYNC


def simple(*texts):
    return [query(sql) for sql in texts]


INT4, TEXT = 23, 25
PUT, PUT_50 = "INSERT INTO t(id, v) VALUES ($1, 'put')", "INSERT INTO t(id, v) VALUES (50, 'put')"


def put(key):
    return bind([key], "s") + execute() + SYNC


def every(*texts):
    """Statements of one pipeline, with one Sync."""
    return b"".join(parse(sql) + bind() + execute() for sql in texts) + SYNC


UPSERT_T = "INSERT INTO t(id, v) VALUES (1, 'again') ON CONFLICT (id) DO UPDATE SET v = excluded.v"
ALL_T = "UPDATE t SET n = n + 1 RETURNING id, v"
LATE = "INSERT INTO late VALUES (7, 99)"   # fails when its transaction commits
COPY_TMP, INSERT_T, COPIED = ("COPY tmp FROM STDIN",), ("INSERT INTO t(v) VALUES ('a')",), copy_data(b"60\tq\n") + COPY_DONE
ONE = (1).to_bytes(4, "big")

PREPARED, ONCE = parse("INSERT INTO t(v) VALUES ('prepared')", "s"), bind((), "s") + execute() + SYNC


def mixed(*chunks):
    return [query(c) if isinstance(c, str) else c for c in chunks]


# name -> chunks, each of which ends in as many ReadyForQuery as it has Query and Sync messages, or as it says
CONVERSATIONS = {
    "insert": simple("INSERT INTO t(v) VALUES ('a')", "INSERT INTO t(v) VALUES ('b'), ('c')", "INSERT INTO t DEFAULT VALUES",
                     "SELECT * FROM t ORDER BY id"),
    "insert select": simple("INSERT INTO t(v, n) SELECT v, n + 10 FROM t WHERE n > 1", "TABLE t"),
    "insert returning": simple("INSERT INTO t(v) VALUES ('a') RETURNING *", "INSERT INTO t(v) VALUES ('b'), ('c') RETURNING id AS \"Ä\", g, 1 + 1",
                               "INSERT INTO t AS x (v) VALUES ('q') RETURNING x.*, x.n::numeric(5,2)"),
    "insert none": simple("INSERT INTO t(v) SELECT v FROM t WHERE false", "INSERT INTO t(v) SELECT v FROM t WHERE false RETURNING v"),
    "upsert": simple("INSERT INTO u VALUES (1, 'x', 9) ON CONFLICT (a, b) DO UPDATE SET c = u.c + excluded.c",
                     "INSERT INTO u VALUES (1, 'x', 9) ON CONFLICT DO NOTHING", "INSERT INTO u VALUES (1, 'x', 9) ON CONFLICT DO NOTHING RETURNING c",
                     "INSERT INTO u VALUES (5, 'x', 9) ON CONFLICT (a, b) DO UPDATE SET c = 0 WHERE u.c > 100 RETURNING a, b, c", "TABLE u"),
    "update": simple("UPDATE t SET n = n + 1", "UPDATE t SET n = n + 1 WHERE id = 99", "UPDATE t AS z SET v = z.v || '!' FROM u WHERE u.a = z.id RETURNING z.id, u.b",
                     "UPDATE t SET (v, n) = (SELECT 'k', 5) WHERE id = 3 RETURNING *", "TABLE t"),
    "update only": simple("UPDATE ONLY t SET n = 0 WHERE id = 1 RETURNING g"),
    "delete": simple("DELETE FROM t WHERE id = 1", "DELETE FROM t USING u WHERE u.a = t.id RETURNING t.*, u.c", "DELETE FROM t", "TABLE t"),
    "delete with cascade": simple("DELETE FROM parent WHERE id = 1", "TABLE child"),
    "identity and enum": simple("INSERT INTO i(m) VALUES ('sad') RETURNING *", "INSERT INTO i OVERRIDING SYSTEM VALUE VALUES (50, 'ok') RETURNING id",
                                "UPDATE i SET f = f / 3, m = 'happy' RETURNING f, m", "INSERT INTO i(id) VALUES (1)"),
    "partitions": simple("INSERT INTO part VALUES (3, 'a', 3), (3, 'c', 3) RETURNING *", "UPDATE part SET v = v + 1 WHERE k = 'a' RETURNING tableoid::regclass, v",
                         "UPDATE part_a SET v = 0", "DELETE FROM part WHERE id = 2", "INSERT INTO part_a VALUES (9, 'b', 1)", "TABLE part"),
    "errors": simple("INSERT INTO t(id) VALUES (1)", "INSERT INTO nowhere VALUES (1)", "INSERT INTO t(nocolumn) VALUES (1)", "UPDATE t SET n = 1/0 WHERE id = 1",
                     "INSERT INTO parent VALUES (7, 5000)", "DELETE FROM parent WHERE id = 'x'", "INSERT INTO child VALUES (99, 99)",
                     "UPDATE t SET v = 1 RETURNING nothere", "INSERT INTO t(v) VALUES ('x') RETURNING 1/0", "INSERT INTO t(v VALUES (1)", "SELECT 1"),
    "transaction": simple("BEGIN", "INSERT INTO t(v) VALUES ('in')", "UPDATE t SET n = 9 WHERE v = 'in' RETURNING id", "SELECT count(*) FROM t", "COMMIT", "SELECT 1"),
    "transaction rolled back": simple("BEGIN", "DELETE FROM t", "ROLLBACK", "SELECT count(*) FROM t"),
    "failed transaction": simple("BEGIN", "INSERT INTO t(v) VALUES ('x')", "SELECT 1/0", "INSERT INTO t(v) VALUES ('y')", "COMMIT", "SELECT count(*) FROM t"),
    "commit words": simple("START TRANSACTION ISOLATION LEVEL SERIALIZABLE", "INSERT INTO u VALUES (8, 'z', 8)", "END", "BEGIN", "INSERT INTO u VALUES (9, 'z', 9)",
                           "COMMIT AND CHAIN", "INSERT INTO u VALUES (10, 'z', 10)", "COMMIT WORK", "BEGIN WORK", "ABORT"),
    "transaction warnings": simple("COMMIT", "ROLLBACK", "BEGIN", "BEGIN", "INSERT INTO t(v) VALUES ('w')", "COMMIT", "COMMIT"),
    "savepoints": simple("BEGIN", "INSERT INTO t(v) VALUES ('a')", "SAVEPOINT s", "INSERT INTO t(v) VALUES ('b')", "ROLLBACK TO s", "INSERT INTO t(v) VALUES ('c')",
                         "SAVEPOINT r", "UPDATE t SET n = 100 WHERE v = 'c'", "RELEASE r", "SAVEPOINT e", "SELECT 1/0", "ROLLBACK TO SAVEPOINT e", "COMMIT", "TABLE t"),
    "savepoint errors": simple("BEGIN", "ROLLBACK TO nothing", "ROLLBACK", "SAVEPOINT outside"),
    "deferred constraint": simple("BEGIN", "INSERT INTO late VALUES (1, 77)", "COMMIT", "BEGIN", "INSERT INTO late VALUES (1, 77)", "INSERT INTO parent VALUES (77, 1)",
                                  "COMMIT", "INSERT INTO late VALUES (2, 88)", "TABLE late"),
    "several in one query": simple("SELECT 1; INSERT INTO t(v) VALUES ('a')", "INSERT INTO t(v) VALUES ('b'); INSERT INTO t(v) VALUES ('c') RETURNING id; SELECT 2",
                                   "INSERT INTO t(v) VALUES ('never'); SELECT 1/0; SELECT 3", "BEGIN; INSERT INTO t(v) VALUES ('d'); COMMIT; SELECT 4",
                                   "BEGIN; INSERT INTO t(v) VALUES ('g')",
                                   "SELECT 5; COMMIT; SELECT 6", ";;", " ; INSERT INTO t(v) VALUES ('h');", "TABLE t"),
    "implicit transaction becomes a block": simple("INSERT INTO t(v) VALUES ('a'); BEGIN; INSERT INTO t(v) VALUES ('b') RETURNING id; COMMIT; TABLE t",
                                                   "INSERT INTO t(v) VALUES ('c'); BEGIN; SAVEPOINT s; DELETE FROM t", "ROLLBACK TO s", "COMMIT", "TABLE t",
                                                   "DELETE FROM t WHERE id = 1; BEGIN; DELETE FROM t; ROLLBACK", "INSERT INTO t(v) VALUES ('d'); BEGIN; BEGIN; COMMIT; COMMIT; SELECT 1",
                                                   "SET client_min_messages = error; INSERT INTO t(v) VALUES ('e'); BEGIN; COMMIT", "RESET client_min_messages",
                                                   "INSERT INTO t(v) VALUES ('f'); BEGIN ISOLATION LEVEL SERIALIZABLE; SELECT 1", "SELECT 1; BEGIN; INSERT INTO t(v) VALUES ('g'); SELECT 1/0",
                                                   "ROLLBACK", "INSERT INTO late VALUES (1, 99); BEGIN; COMMIT; SELECT 1", "TABLE t"),
    "implicit transaction ended": simple("INSERT INTO t(v) VALUES ('a'); COMMIT; INSERT INTO t(v) VALUES ('b'); SELECT 1/0", "TABLE t", "INSERT INTO t(v) VALUES ('c'); ROLLBACK; INSERT INTO t(v) VALUES ('d')",
                                         "COMMIT; INSERT INTO t(v) VALUES ('e')", "ROLLBACK; DELETE FROM t WHERE id = 1", "INSERT INTO t(v) VALUES ('f'); COMMIT; INSERT INTO t(v) VALUES ('g'); COMMIT; COMMIT",
                                         "SELECT 1; INSERT INTO t(v) VALUES ('h'); END", "INSERT INTO late VALUES (1, 99); COMMIT; INSERT INTO t(v) VALUES ('never')", "TABLE late",
                                         "SET client_min_messages = error", "INSERT INTO t(v) VALUES ('i'); COMMIT", "RESET client_min_messages", "BEGIN",
                                         "INSERT INTO t(v) VALUES ('j'); COMMIT; INSERT INTO t(v) VALUES ('k'); COMMIT; INSERT INTO t(v) VALUES ('l')", "TABLE t"),
    "what an implicit transaction may not": simple("INSERT INTO t(v) VALUES ('a'); SAVEPOINT s; SELECT 1", "INSERT INTO t(v) VALUES ('a'); SAVEPOINT s --x", "INSERT INTO t(v) VALUES ('a'); ROLLBACK AND CHAIN -- /*", "SAVEPOINT s; INSERT INTO t(v) VALUES ('b')", "INSERT INTO t(v) VALUES ('c'); RELEASE s",
                                                   "INSERT INTO t(v) VALUES ('d'); ROLLBACK TO s", "INSERT INTO t(v) VALUES ('e'); COMMIT AND CHAIN; SELECT 1", "INSERT INTO t(v) VALUES ('f'); ROLLBACK AND CHAIN",
                                                   "INSERT INTO t(v) VALUES ('g'); VACUUM t", "BEGIN; INSERT INTO t(v) VALUES ('h'); COMMIT; VACUUM t", "DISCARD ALL; INSERT INTO t(v) VALUES ('i')",
                                                   "INSERT INTO t(v) VALUES ('j'); COMMIT; SET LOCAL work_mem = '1MB'", "SET TRANSACTION ISOLATION LEVEL SERIALIZABLE; INSERT INTO t(v) VALUES ('k')",
                                                   "INSERT INTO t(v) VALUES ('l'); SET TRANSACTION ISOLATION LEVEL SERIALIZABLE", "BEGIN; SET TRANSACTION ISOLATION LEVEL SERIALIZABLE; INSERT INTO t(v) VALUES ('m'); COMMIT",
                                                   "INSERT INTO t(v) VALUES ('n'); LOCK TABLE t", "INSERT INTO t(v) VALUES ('o'); DECLARE c CURSOR FOR SELECT 1; FETCH 1 FROM c", "TABLE t"),
    "what changes meanings in a string": simple("SET search_path = other; INSERT INTO t VALUES (1, 'other')", "INSERT INTO t VALUES (2, 'other')", "SET search_path = public; INSERT INTO t(v) VALUES ('public')",
                                                "SET search_path = other; INSERT INTO t VALUES (3, 'lost'); SELECT 1/0", "INSERT INTO t(v) VALUES ('public')",
                                                "BEGIN; SET LOCAL search_path = other; INSERT INTO t VALUES (4, 'local'); COMMIT; INSERT INTO t(v) VALUES ('public')", "BEGIN", "SET LOCAL search_path = other",
                                                "UPDATE t SET v = 'local'", "COMMIT", "UPDATE t SET v = 'public' WHERE id = 1", "BEGIN", "SET search_path = other", "DELETE FROM t WHERE id = 1", "ROLLBACK", "DELETE FROM t WHERE id = 1",
                                                "CREATE TEMP TABLE t(a int); INSERT INTO t VALUES (1); INSERT INTO public.t(v) SELECT a FROM t", "DROP TABLE t; INSERT INTO t(v) VALUES ('back')",
                                                "PREPARE q AS SELECT 1; INSERT INTO t(v) VALUES ('p'); EXECUTE q", "SET DateStyle = 'SQL, DMY'; INSERT INTO i(at) VALUES ('31/12/2026') RETURNING at; SET TimeZone = 'Asia/Tokyo'; SELECT 1",
                                                "SET LOCAL TimeZone = 'UTC'; INSERT INTO t(v) VALUES ('z'); SHOW TimeZone", "SET TimeZone = 'UTC'; INSERT INTO t(v) VALUES ('z'); SELECT 1/0", "TABLE t", "TABLE other.t"),
    "behind the end of a failed block": simple("BEGIN", "SELECT 1/0", "ROLLBACK; INSERT INTO t(v) VALUES ('a')", "BEGIN; SAVEPOINT s; SELECT 1/0", "ROLLBACK TO s; INSERT INTO t(v) VALUES ('b'); COMMIT",
                                               "BEGIN; SELECT 1/0", "SELECT 1; ROLLBACK; DELETE FROM t", "COMMIT; INSERT INTO t(v) VALUES ('c') RETURNING id", "TABLE t"),
    "backslashes": simple("SET standard_conforming_strings = off", "INSERT INTO t(v) VALUES ('it\\'s; DELETE FROM t --')", "INSERT INTO t(v) VALUES ('a\\nb') RETURNING v", "SET escape_string_warning = off",
                          "UPDATE t SET v = v || '\\\\' RETURNING v", "INSERT INTO t(v) VALUES (E'\\t'), ($$\\$$)", "INSERT INTO t(v) VALUES ('x\\") + [extended("INSERT INTO t(v) VALUES ('it\\'s ' || $1)", [b"\\"])] +
                   simple("SELECT 1; INSERT INTO t(v) VALUES ('plain')", "SET standard_conforming_strings = on", "INSERT INTO t(v) VALUES ('\\')", "TABLE t"),
    "comments and quotes": simple("/* a */ INSERT INTO t(v) VALUES ('x;y') -- end", "INSERT INTO t(v) VALUES ($q$;'\"$q$) /* ; */ ; -- more", "TABLE t"),
    "execute of a prepared write": simple("PREPARE ins(text, int) AS INSERT INTO t(v, n) VALUES ($1, $2)", "EXECUTE ins('a', 1)", "EXECUTE ins('b', 1 + 1)", "execute /* c */ INS -- d\n('c', NULL);",
                                          "PREPARE \"Up \"\"x\" AS UPDATE t SET n = n + $1 WHERE id = $2 RETURNING id, n, g", "EXECUTE \"Up \"\"x\"(1, 2)", "EXECUTE \"Up \"\"x\"(1, 99)",
                                          "PREPARE del AS DELETE FROM t WHERE id = 1", "EXECUTE del", "EXECUTE del", "TABLE t", "PREPARE ups AS INSERT INTO u VALUES ($1, $2, 0) ON CONFLICT (a, b) DO UPDATE SET c = u.c + 1 RETURNING c",
                                          "EXECUTE ups(1, 'x')", "EXECUTE ups(7, 'x')", "PREPARE r AS SELECT count(*) FROM t WHERE id > $1", "EXECUTE r(1)", "TABLE u"),
    "execute in blocks and strings": simple("PREPARE ins AS INSERT INTO t(v) VALUES ($1) RETURNING id", "BEGIN", "EXECUTE ins('a')", "SAVEPOINT s", "EXECUTE ins('b')", "ROLLBACK TO s", "EXECUTE ins('c')", "COMMIT",
                                            "BEGIN; EXECUTE ins('d'); ROLLBACK", "EXECUTE ins('e'); EXECUTE ins('f'); SELECT 1; INSERT INTO t(v) VALUES ('g')", "EXECUTE ins('h'); SELECT 1/0",
                                            "BEGIN; EXECUTE ins('i'); COMMIT; EXECUTE ins('j')", "PREPARE more AS UPDATE t SET n = $1; EXECUTE more(5); DEALLOCATE more; EXECUTE more(6)",
                                            "SELECT 1; PREPARE more(int) AS UPDATE t SET n = $1 WHERE id = 2; SELECT 2", "EXECUTE more(17)", "BEGIN", "SELECT 1/0", "EXECUTE ins('k')", "COMMIT", "TABLE t"),
    "execute gone wrong": simple("EXECUTE nothing", "EXECUTE nothing(1)", "PREPARE ins(int) AS INSERT INTO t(n) VALUES ($1) RETURNING n", "EXECUTE ins", "EXECUTE ins(1, 2)", "EXECUTE ins('abc')", "EXECUTE ins(date '2026-01-01')",
                                 "EXECUTE ins(1/0)", "EXECUTE ins(nothere)", "PREPARE ins AS INSERT INTO t(n) VALUES (1)", "EXECUTE ins(3)", "PREPARE bad AS INSERT INTO nowhere VALUES (1)", "EXECUTE bad",
                                 "PREPARE x AS INSERT INTO parent VALUES ($1, $2)", "EXECUTE x(1, 1)", "EXECUTE x(50, 5000)", "EXECUTE x(51, 5)", "BEGIN", "EXECUTE x(51, 5)", "EXECUTE x(52, 5)", "ROLLBACK",
                                 "DEALLOCATE ins", "EXECUTE ins(4)", "PREPARE ins(text) AS INSERT INTO t(v) VALUES ($1)", "EXECUTE ins('now text')", "DEALLOCATE ALL", "EXECUTE ins('x')", "PREPARE ins(text) AS DELETE FROM t WHERE v = $1 RETURNING *",
                                 "EXECUTE ins('now text')", "DISCARD ALL", "EXECUTE ins('x')", "PREPARE ins(text) AS SELECT $1", "EXECUTE ins('read')", "TABLE t"),
    "execute under other names": simple("PREPARE ins AS INSERT INTO t VALUES ($1, $2)", "EXECUTE ins(100, 'public')", "SET search_path = other", "EXECUTE ins(100, 'other')", "SET search_path = public", "EXECUTE ins(101, 'public')",
                                        "SET DateStyle = 'SQL, DMY'", "PREPARE d AS INSERT INTO i(at) VALUES ($1) RETURNING at", "EXECUTE d('31/12/2026')", "RESET DateStyle", "EXECUTE d('2026-12-30')",
                                        "PREPARE path(text) AS SELECT set_config('search_path', $1, false)", "EXECUTE path('other'); EXECUTE ins(102, 'other')", "EXECUTE path('public')", "EXECUTE ins(103, 'public')",
                                        "CREATE TEMP TABLE t(a int, b text)", "EXECUTE ins(1, 'temporary')", "DROP TABLE pg_temp.t", "EXECUTE ins(104, 'public')", "TABLE t", "TABLE other.t"),
    "execute of the protocol's statements": [parse("INSERT INTO t(v, n) VALUES ($1, $2)", "ins", [TEXT, INT4]) + parse("UPDATE t SET n = $1 RETURNING id, n", "up") + SYNC] +
                                            simple("EXECUTE ins('a', 1)", "EXECUTE up(3)", "EXECUTE ins('b', 'c')") + [bind([b"x", b"1"], "ins") + execute() + SYNC] + simple("EXECUTE ins('c', 3)", "DEALLOCATE ins", "EXECUTE ins('d', 4)") +
                                            [parse("DELETE FROM t WHERE v = $1 RETURNING v", "ins") + SYNC] + simple("EXECUTE ins('a')") + [close(b"S", "ins") + SYNC] + simple("EXECUTE ins('c')", "TABLE t"),
    "execute by the protocol": simple("PREPARE ins AS INSERT INTO t(v) VALUES ($1)", "PREPARE ret AS INSERT INTO t(v, n) VALUES ($1, 2) RETURNING id, n") +
                               [extended("EXECUTE ins('a')"), extended("EXECUTE ret('b')"), extended("EXECUTE ret('c')", results=[1]), extended("EXECUTE ret('d')", results=[1, 0]), extended("EXECUTE ins"), extended("EXECUTE nothing(1)"),
                                parse("EXECUTE ret('e')", "e") + describe(b"S", "e") + SYNC, bind([], "e") + execute() + bind([], "e") + describe() + execute() + SYNC,
                                extended("BEGIN") + extended("EXECUTE ins('f')") + extended("EXECUTE ret('g')") + extended("COMMIT"),
                                parse("PREPARE late AS UPDATE t SET n = $1 RETURNING n") + bind() + execute() + parse("EXECUTE late(6)") + bind() + execute() + SYNC] + simple("TABLE t"),
    "row limits": [parse(ALL_T) + bind() + b"".join(execute("", rows) for rows in limits) + SYNC for limits in ([2, 2, 2], [3, 3, 3], [3, 0], [1, 0, 1], [0, 2], [4, 1], [2, 1], [1], [-1, 1])] +
                  [parse(ALL_T) + bind(portal="p") + describe(name="p") + execute("p", 1) + parse("SELECT 7") + bind() + execute() + execute("p", 1) + close(b"P", "p") + execute("p", 1) + SYNC,
                   parse(ALL_T) + bind(portal="p") + execute("p", 1) + bind(portal="p") + SYNC, parse("UPDATE t SET n = n WHERE false RETURNING id") + bind() + execute("", 1) + execute("", 1) + SYNC,
                   parse("INSERT INTO t(v) VALUES ('a'), ('b') RETURNING id, v") + bind(results=[1, 0]) + execute("", 1) + execute("", 1) + execute("", 1) + SYNC,
                   parse("UPDATE t SET n = 1/0 RETURNING id") + bind() + execute("", 1) + execute("", 1) + SYNC,
                   parse("UPDATE t SET n = 4 RETURNING id") + bind() + execute("", 2) + parse("SELECT 1/0") + bind(portal="x") + execute("x") + execute("", 2) + SYNC] +
                  simple("BEGIN") + [parse(ALL_T, "s") + bind(statement="s", portal="p") + execute("p", 2) + SYNC, execute("p", 1) + SYNC, query("SAVEPOINT a"), execute("p", 1) + FLUSH + execute("p", 9) + SYNC,
                                     bind(statement="s", portal="q") + execute("q", 1) + SYNC, query("ROLLBACK TO a"), execute("q", 1) + SYNC, query("ROLLBACK TO a"), execute("p", 1) + SYNC, query("COMMIT"), execute("p", 1) + SYNC] +
                  simple("PREPARE x AS DELETE FROM t WHERE id < 5 RETURNING id", "BEGIN") + [parse("EXECUTE x") + bind() + execute("", 2) + execute("", 1) + execute("", 5) + execute("", 5) + SYNC] + simple("COMMIT", "TABLE t"),
    "portals executed again": [parse(sql) + bind(portal=portal) + execute(portal, rows) + execute(portal, again) + parse("SELECT 7") + bind() + execute() + SYNC
                               for sql in (UPSERT_T, "UPDATE t SET n = n + 1", "DELETE FROM t WHERE id = 1", UPSERT_T + " RETURNING id", ALL_T, "DELETE FROM t WHERE id = 2 RETURNING v", "TRUNCATE u")
                               for portal, rows, again in (("", 0, 0), ("p", 1, 1), ("p", 2, 0))] +
                              [parse("UPDATE t SET n = n + 1") + bind() + execute() + bind() + execute() + SYNC, parse("UPDATE t SET n = n + 1") + bind(portal="p") + execute("p") + SYNC, execute("p") + SYNC,
                               parse("UPDATE t SET n = n + 1") + bind(portal="p") + execute("p") + close(b"P", "p") + execute("p") + SYNC,
                               parse("UPDATE t SET n = n + 1") + bind(portal="p") + execute("p") + parse("SELECT 7") + bind() + execute() + describe(name="p") + execute("p") + SYNC] +
                              simple("PREPARE x AS UPDATE t SET n = n + 1") + [parse("EXECUTE x") + bind() + execute() + execute() + SYNC] +
                              simple("BEGIN", "SAVEPOINT a") + [parse("UPDATE t SET n = n + 1", "s") + bind(statement="s", portal="p") + execute("p") + SYNC, execute("p") + SYNC, execute("p") + SYNC] +
                              simple("ROLLBACK TO a") + [execute("p") + SYNC] + simple("ROLLBACK", "BEGIN") +
                              [bind(statement="s", portal="p") + bind(statement="s", portal="q") + SYNC, query("SAVEPOINT a"), execute("p") + execute("p") + SYNC, query("ROLLBACK TO a"), execute("p") + SYNC,
                               query("ROLLBACK TO a"), execute("q") + SYNC, execute("q") + FLUSH + execute("q") + SYNC, query("ROLLBACK TO a"), bind(statement="s") + execute() + SYNC, query("COMMIT"), query("TABLE t")],
    "truncate": simple("TRUNCATE t", "SELECT count(*) FROM t", "TRUNCATE parent", "TRUNCATE parent, child, late", "TRUNCATE u RESTART IDENTITY", "TRUNCATE nowhere"),
    "extended insert": [extended("INSERT INTO t(v, n) VALUES ($1, $2)", [b"x", b"5"]), extended("INSERT INTO t(v) VALUES ($1) RETURNING *", [None]),
                        extended("INSERT INTO t(v) VALUES ($1) RETURNING id, n", [b"y"], results=[1]),
                        extended("INSERT INTO t(v, n) VALUES ($1, $2) RETURNING n, v", [b"z", ONE], [TEXT, INT4], [0, 1], [1, 0])],
    "extended update": [extended("UPDATE t SET n = n + $1 WHERE id = $2", [b"1", b"2"]), extended("UPDATE t SET n = $1 WHERE id = $2 RETURNING g", [ONE, ONE], [INT4, INT4], [1], [1]),
                        extended("DELETE FROM t WHERE id = $1", [b"1"], described=False), extended("SELECT * FROM t ORDER BY id", results=[1])],
    "extended errors": [extended("INSERT INTO t(id) VALUES (1)"), extended("INSERT INTO t(v) VALUES ($1)", []), extended("INSERT INTO t(n) VALUES ($1)", [b"abc"]),
                        extended("INSERT INTO nowhere VALUES (1)"), extended("INSERT INTO t(v) VALUES ('a'); SELECT 1"), extended("SELECT 1")],
    "described only": [parse("INSERT INTO t(v, n) VALUES ($1, $2) RETURNING id, v", "s") + describe(b"S", "s") + SYNC,
                       parse("UPDATE t SET n = $1", "n") + describe(b"S", "n") + SYNC, bind([b"q", b"1"], "s", "p") + describe(b"P", "p") + close(b"P", "p") + SYNC,
                       query("SELECT count(*) FROM t WHERE v = 'q'")],
    "named statements": [parse("INSERT INTO t(v) VALUES ($1) RETURNING id", "ins") + SYNC] + [bind([b"v%d" % k], "ins") + execute() + SYNC for k in range(3)] +
                        [close(b"S", "ins") + SYNC, bind([b"gone"], "ins") + execute() + SYNC, query("TABLE t")],
    "pipeline": [parse("INSERT INTO t(v) VALUES ($1)", "s") + b"".join(bind([b"p%d" % k], "s") + execute() for k in range(5)) + SYNC, query("TABLE t")],
    "pipeline of syncs": [b"".join(extended("INSERT INTO t(v) VALUES ($1) RETURNING id", [b"p%d" % k]) for k in range(5)), query("TABLE t")],
    "pipeline with error": [parse("INSERT INTO t(v) VALUES ('lost')") + bind() + execute() + parse("SELECT 1/0") + bind() + execute() +
                            parse("INSERT INTO t(v) VALUES ('skipped')") + bind() + execute() + SYNC + extended("SELECT count(*) FROM t")],
    "queries behind a failed message": [answered(1, parse("SELEC") + query("SELECT 1") + query("INSERT INTO t(v) VALUES ('skipped')") + SYNC), query("INSERT INTO t(v) VALUES ('heard')"),
                                        answered(1, parse("SELECT 1/0") + bind() + execute() + FLUSH + query("SELECT 1") + SYNC), query("TABLE t")],
    "first write fails at Bind": [extended("INSERT INTO t(n) VALUES ($1)", [b"abc"]), query("INSERT INTO t(v) VALUES ('next')"), extended("INSERT INTO t(v) VALUES ('last')"), query("TABLE t")],
    "prepared again behind a failed message": [parse("UPDATE i SET m = 'ok' WHERE id = 1", "s") + SYNC, query("SET DateStyle = 'German'"), bind(statement="nothing") + bind(statement="s") + execute() + SYNC,
                                               bind(statement="s") + execute() + SYNC, query("TABLE i")],
    "pipelines behind a COMMIT that fails": [stepped("BEGIN", LATE, "END") + stepped("SELECT 7") + stepped("INSERT INTO t(v) VALUES ('a')"), query("SELECT 8"), stepped("BEGIN", LATE, "COMMIT", "SELECT 7") + query("SELECT 8"),
                                             stepped("BEGIN", LATE, "COMMIT") + stepped("BEGIN", "INSERT INTO t(v) VALUES ('b')", "COMMIT"), stepped("BEGIN", LATE, "COMMIT") + execute("nothing") + SYNC,
                                             stepped("BEGIN") + stepped(LATE) + stepped("COMMIT") + stepped("BEGIN") + stepped("INSERT INTO t(v) VALUES ('c')") + stepped("COMMIT"),
                                             stepped(LATE) + stepped("SELECT 7"), query("TABLE t")],
    "copy sent ahead of its answer": simple("CREATE TEMP TABLE tmp(id int, v text)") +
                                     [answered(1, pipeline(*COPY_TMP) + COPIED + SYNC), answered(1, pipeline(*COPY_TMP) + SYNC + COPIED + SYNC), answered(2, pipeline(*COPY_TMP) + FLUSH + copy_data(b"1") + SYNC + copy_data(b"\tb\n") + COPY_DONE + SYNC + SYNC),
                                      answered(1, pipeline(*INSERT_T, *COPY_TMP) + COPIED + SYNC), answered(1, pipeline(*INSERT_T, *COPY_TMP) + SYNC + COPIED + SYNC),
                                      answered(1, pipeline(*COPY_TMP) + COPIED + pipeline(*INSERT_T, *COPY_TMP) + COPIED + SYNC), answered(1, pipeline(*INSERT_T, *COPY_TMP) + copy_data(b"x\n") + COPY_DONE + SYNC),
                                      query(*COPY_TMP) + COPIED + query(*INSERT_T), query("COPY tmp FROM STDIN; COPY tmp FROM STDIN") + COPIED + COPIED + SYNC,
                                      query("INSERT INTO t(v) VALUES ('b'); COPY tmp FROM STDIN") + COPIED, query("COPY tmp FROM STDIN; INSERT INTO t(v) VALUES ('c'); COPY tmp FROM STDIN; SELECT 1") + COPIED + COPIED,
                                      query("INSERT INTO t(v) VALUES ('d'); COPY tmp FROM STDIN") + copy_data(b"x\n") + COPY_DONE] + simple("SELECT count(*), max(v || '') FROM tmp", "TABLE t"),
    "what the primary refuses for good": simple("INSERT INTO t_id_seq VALUES (1)", "UPDATE t_pkey SET id = 1", "TRUNCATE t_id_seq", "INSERT INTO nosuch.t VALUES (1)", "SET ROLE pg_monitor", "INSERT INTO other.t VALUES (1, 'a')",
                                                "SELECT 1; DELETE FROM other.t", "BEGIN", "SAVEPOINT a", "INSERT INTO other.t VALUES (1, 'a')", "ROLLBACK TO a", "TRUNCATE other.t", "ROLLBACK") +
                                         [extended("UPDATE other.t SET v = 'x'"), extended("INSERT INTO t_id_seq VALUES (1)")] + simple("RESET ROLE", "INSERT INTO other.t VALUES (1, 'a')", "TABLE other.t"),
    "numbers of result formats": [extended(f"INSERT INTO t(id) VALUES ({50 + i}){returning}", results=results) for i, (returning, results) in enumerate(
                                      [(" RETURNING id, v", [1, 1, 1]), (" RETURNING id, v", [0, 1]), (" RETURNING id", [1]), (" RETURNING id", [0, 0]), (" RETURNING id", [7]), ("", [1]), ("", [1, 0]), ("", [7])])] +
                                 [extended("INSERT INTO t(v) VALUES ($1) RETURNING id", [b"a", b"b"], results=[0, 0]), query("TABLE t")],
    "extended transaction": [extended("BEGIN"), extended("INSERT INTO t(v) VALUES ('x')"), extended("SAVEPOINT a"), extended("DELETE FROM t"), extended("ROLLBACK TO a"),
                             extended("UPDATE t SET n = 1 RETURNING id"), extended("COMMIT"), query("TABLE t")],
    "extended transaction in one pipeline": [extended("BEGIN") + extended("INSERT INTO t(v) VALUES ('x')") + extended("COMMIT"), query("TABLE t")],
    "transaction inside one sync": [parse("BEGIN") + bind() + execute() + parse("INSERT INTO t(v) VALUES ('x')") + bind() + execute() + parse("COMMIT") + bind() + execute() + SYNC,
                                    query("TABLE t")],
    "cursor and write": simple("BEGIN", "DECLARE c CURSOR FOR SELECT id FROM t ORDER BY id", "FETCH 1 FROM c", "UPDATE t SET n = 50 WHERE CURRENT OF c RETURNING *", "FETCH ALL FROM c", "COMMIT"),
    "settings and writes": simple("SET DateStyle = 'SQL, DMY'", "INSERT INTO i(at) VALUES ('31/12/2026') RETURNING at", "SET search_path = pg_catalog", "INSERT INTO public.t(v) VALUES ('s')",
                                  "INSERT INTO t(v) VALUES ('s')", "SET search_path = public", "INSERT INTO t(v) VALUES ('back')", "SET bytea_output = escape", "RESET ALL",
                                  "SET extra_float_digits = 0", "INSERT INTO i(f) VALUES (0.1 + 0.2) RETURNING f", "RESET ALL"),
    "names like the proxy's": simple("BEGIN", "DECLARE pgtandem CURSOR FOR SELECT 1", "INSERT INTO t(v) VALUES ('a')", "INSERT INTO late VALUES (1, NULL)", "FETCH ALL FROM pgtandem", "COMMIT",
                                     "PREPARE pgtandem_ask AS SELECT 7", "INSERT INTO late VALUES (2, NULL)", "EXECUTE pgtandem_ask", "TABLE t"),
    "explain": simple("EXPLAIN (COSTS OFF) UPDATE t SET n = 1", "TABLE t"),
    "read only transaction": simple("BEGIN READ ONLY", "INSERT INTO t(v) VALUES ('x')", "ROLLBACK", "SET default_transaction_read_only = on", "INSERT INTO t(v) VALUES ('x')", "RESET default_transaction_read_only"),
    "temporary tables": simple("CREATE TEMP TABLE tmp(a int)", "INSERT INTO tmp VALUES (1), (2)", "INSERT INTO t(v, n) SELECT 'tmp', a FROM tmp", "UPDATE tmp SET a = 3", "DROP TABLE tmp", "TABLE t"),
    "names meant a temporary table": mixed("BEGIN", "CREATE TEMP TABLE t(id int, v text) ON COMMIT DROP", PREPARED + ONCE, "COMMIT", ONCE,
                                           "BEGIN", "SAVEPOINT s", "CREATE TEMP TABLE t(id int, v text)", extended("INSERT INTO t VALUES (1, 'q')"), "ROLLBACK TO s", ONCE, "COMMIT",
                                           "BEGIN; CREATE TEMP TABLE t(v text) ON COMMIT DROP; INSERT INTO t VALUES ('q'); COMMIT; INSERT INTO t(v) VALUES ('x')",
                                           "BEGIN; CREATE TEMP TABLE t(v text); INSERT INTO t VALUES ('q')", "ROLLBACK; INSERT INTO t(v) VALUES ('y')",
                                           "BEGIN; CREATE TEMP TABLE t(v text) ON COMMIT DROP", "INSERT INTO t VALUES ('q')", "COMMIT; INSERT INTO t(v) VALUES ('z')",
                                           every("BEGIN", "CREATE TEMP TABLE t(v text) ON COMMIT DROP", "INSERT INTO t VALUES ('q')", "COMMIT", "INSERT INTO t(v) VALUES ('p')"),
                                           every("CREATE TEMP TABLE t(v text) ON COMMIT DROP", "INSERT INTO t VALUES ('q')") + every("INSERT INTO t(v) VALUES ('p')"), "TABLE t"),
    "names of TRUNCATE": mixed("CREATE TEMP TABLE part(v text)", "BEGIN", "DROP TABLE part", "TRUNCATE part", "ROLLBACK", "TRUNCATE part", "TABLE public.part", "DROP TABLE part",
                               "BEGIN", "CREATE TEMP TABLE part(v text)", "TRUNCATE part", "ROLLBACK", "BEGIN", "SAVEPOINT s", "CREATE TEMP TABLE part(v text)", "TRUNCATE part", "ROLLBACK TO s",
                               "INSERT INTO part VALUES (5, 'a', 5)", "COMMIT", every("BEGIN", "SET LOCAL search_path = other", "INSERT INTO t VALUES (1, 'a')", "COMMIT", "TRUNCATE t CASCADE"),
                               "BEGIN", parse("TRUNCATE u", "e") + bind((), "e", "p") + SYNC, "CREATE TEMP TABLE u(a int)", execute("p") + SYNC, "COMMIT", "TABLE public.u", "DROP TABLE u",
                               bind((), "e") + execute() + SYNC, "TABLE t", "TABLE other.t", "TABLE u", "TABLE part"),
    "for update": simple("BEGIN", "SELECT id FROM t ORDER BY id LIMIT 1 FOR UPDATE SKIP LOCKED", "UPDATE t SET n = 2 WHERE id = 1", "COMMIT"),
    "flush": [parse("INSERT INTO t(v) VALUES ('f') RETURNING id") + bind() + execute() + FLUSH + SYNC, query("TABLE t")],
    # what the primary holds under a name, where it has refused or skipped a message
    "discards that keep statements": [parse(PUT, "s") + SYNC, query("DISCARD PLANS"), put(b"50"), query("DISCARD SEQUENCES; DISCARD TEMP"), put(b"51"),
                                      query("TABLE t")],
    "discard all refused in a block": [parse(PUT, "s") + SYNC] + simple("BEGIN", "DISCARD ALL", "ROLLBACK") + [put(b"50"), query("TABLE t")],
    "discard all": [parse(PUT, "s") + SYNC, put(b"50"), query("DISCARD ALL"), put(b"51"), parse(PUT, "s") + SYNC, put(b"52"), query("TABLE t")],
    "deallocate refused": [parse(PUT, "s") + SYNC] + simple("BEGIN", "SELECT 1/0", "DEALLOCATE s", "ROLLBACK", "SELECT 1/0; DEALLOCATE s") +
                          [put(b"50"), query("DEALLOCATE s"), put(b"51"), query("TABLE t")],
    "deallocate and parse in one pipeline": [parse(PUT, "s") + SYNC, parse("DEALLOCATE s") + bind() + execute() + parse(PUT, "s") + put(b"50"), put(b"51"),
                                             query("TABLE t")],
    "parse refused": [parse(PUT, "s") + SYNC, parse("SELECT 1", "s") + SYNC, put(b"50"), query("TABLE t")],
    "close skipped": [parse(PUT, "s") + SYNC, parse("SELECT 1/0") + bind() + execute() + close(b"S", "s") + parse("SELECT 2", "s") + SYNC, put(b"50"), query("TABLE t")],
    "bind refused": [query("BEGIN"), parse(PUT, "s") + bind([b"50"], "s", "p") + SYNC, query("SAVEPOINT a"), parse("SELECT 1", "r") + bind((), "r", "p") + SYNC,
                     query("ROLLBACK TO a"), execute("p") + SYNC, query("COMMIT"), query("TABLE t")],
    "portal close skipped": [query("BEGIN"), parse(PUT, "s") + bind([b"50"], "s", "p") + SYNC, query("SAVEPOINT a"),
                             parse("SELECT 1/0") + bind() + execute() + close(b"P", "p") + SYNC, query("ROLLBACK TO a"), execute("p") + SYNC, query("COMMIT"), query("TABLE t")],
    "portal kept by discard sequences": [query("BEGIN"), parse(PUT) + bind([b"50"], "", "p") + SYNC, query("DISCARD SEQUENCES"), execute("p") + SYNC, query("COMMIT"),
                                         query("TABLE t")],
    "two portals, between them the name changes": [parse(PUT_50, "s") + SYNC, query("BEGIN"), bind((), "s", "p1") + SYNC, query("CREATE TEMP TABLE t(id int, v text)"),
                                                   bind((), "s", "p2") + SYNC, execute("p1") + SYNC, query("COMMIT"), query("TABLE public.t")],
    "names that mean nothing": [put(b"50"), parse(PUT, "s") + put(b"51"), close(b"S", "s") + put(b"52"), execute("p") + SYNC, query("TABLE t")],
    # the transaction's state inside a pipeline
    "rollback and a new transaction in one pipeline": simple("BEGIN", "SELECT 1/0") + [every("ROLLBACK", "BEGIN", PUT_50, "COMMIT"), query("TABLE t")],
    "rollback and a write in one pipeline": simple("BEGIN", "SELECT 1/0") + [every("ROLLBACK", PUT_50), query("TABLE t")],
    "rollback to and commit in one pipeline": simple("BEGIN", "SAVEPOINT a", "SELECT 1/0") + [every("ROLLBACK TO a", PUT_50, "COMMIT"), query("TABLE t")],
    "rollback and chain in one pipeline": simple("BEGIN", "SELECT 1/0") + [every("ROLLBACK AND CHAIN", PUT_50), query("COMMIT"), query("TABLE t")],
    "string functions": simple("INSERT INTO t(v) VALUES (upper('a') || lower('B') || length('ccc')) RETURNING v", "SELECT nextval('t_id_seq')", "INSERT INTO t(v) VALUES ('n') RETURNING id",
                               "INSERT INTO t(id, v) VALUES (nextval('t_id_seq'), currval('t_id_seq')) RETURNING *"),
    "big row": simple("INSERT INTO t(v) VALUES (repeat('x', 300000)) RETURNING length(v)", "INSERT INTO t(v) SELECT repeat('y', 1000) || i FROM generate_series(1, 2000) i"),
}


def answers_wanted(chunk):
    """How many ReadyForQuery a chunk is answered with."""
    if isinstance(chunk, Answered):
        return chunk.ready
    count, at = 0, 0
    while at < len(chunk):
        count += chunk[at:at + 1] in (b"Q", b"S")
        at += 1 + int.from_bytes(chunk[at + 1:at + 5], "big")
    return count
