"""What dual_write does not cover is refused by name with 0A000 and a hint, and changes nothing; passthrough only counts it."""
import io

import psycopg2
import pytest
from connections import through
from harness.compare import assert_equal
from harness.wire import SYNC, Wire, bind, error_fields, execute, parse, query
from harness.wait import wait_until

SCHEMA = """
CREATE TABLE t(id int PRIMARY KEY, v text);
CREATE TABLE keyless(v int);
CREATE TABLE audited(id int PRIMARY KEY);
CREATE TABLE audit(id int PRIMARY KEY);
CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN INSERT INTO audit VALUES (new.id); RETURN new; END $$;
CREATE TRIGGER note AFTER INSERT ON audited FOR EACH ROW EXECUTE FUNCTION note();
CREATE FUNCTION writes(k int) RETURNS int LANGUAGE sql AS 'INSERT INTO t VALUES (k, 1) RETURNING id';
CREATE PROCEDURE does(k int) LANGUAGE sql AS 'INSERT INTO t VALUES (k, 1)';
CREATE TABLE par(id int PRIMARY KEY);
CREATE TABLE chi(id int PRIMARY KEY REFERENCES par ON DELETE CASCADE);
CREATE FUNCTION gone() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN INSERT INTO audit VALUES (old.id); RETURN old; END $$;
CREATE TRIGGER gone AFTER DELETE ON chi FOR EACH ROW EXECUTE FUNCTION gone();
CREATE VIEW hidden AS SELECT writes(77);
"""

# statement, a word of the construct that the message must name
REFUSED = [
    ("MERGE INTO t USING (VALUES (1)) s(k) ON t.id = s.k WHEN NOT MATCHED THEN INSERT VALUES (s.k, 'm')", "MERGE"),
    ("DO $$ BEGIN INSERT INTO t VALUES (2, 'do'); END $$", "DO"),
    ("CALL does(3)", "does"),
    ("WITH w AS (INSERT INTO t VALUES (4, 'cte') RETURNING id) SELECT * FROM w", "CTE"),
    ("SELECT writes(5)", "writes"),
    ("SELECT * FROM hidden", "hidden"),
    ("INSERT INTO t SELECT writes(6) + 100, 'x'", "writes"),
    ("UPDATE t SET id = id + 1000", "key"),
    ("CREATE TABLE other(a int)", "CREATE TABLE"),
    ("ALTER TABLE t ADD COLUMN more int", "ALTER TABLE"),
    ("DROP TABLE t", "DROP"),
    ("CREATE INDEX ON t(v)", "CREATE INDEX"),
    ("SELECT 1 AS a INTO copied", "INTO"),
    ("CREATE TABLE copied AS SELECT 1 AS a", "CREATE TABLE"),
    ("SELECT lo_create(0)", "lo_create"),
    ("INSERT INTO audited VALUES (1)", "trigger"),
    ("INSERT INTO keyless VALUES (1)", "key"),
    ("EXPLAIN ANALYZE INSERT INTO t VALUES (9, 'x')", "EXPLAIN"),
    ("EXPLAIN ANALYZE SELECT writes(90)", "writes"),
    ("PREPARE TRANSACTION 'x'", "PREPARE TRANSACTION"),
    ("PREPARE ins(int) AS INSERT INTO keyless VALUES ($1); EXECUTE ins(10)", "key"),
    ("SELECT 1; COMMIT; UPDATE t SET id = id + 1000", "key"),
    ("SET client_min_messages = error; INSERT INTO t VALUES (11, 'x'); COMMIT", "COMMIT without BEGIN"),
    ("UPDATE pg_settings SET setting = '9MB' WHERE name = 'work_mem'", "system relation pg_settings"),
    ("INSERT INTO t VALUES (14, 'x'); SET TRANSACTION READ ONLY", "READ ONLY"),
    ("SET client_encoding = latin1; INSERT INTO t VALUES (13, 'é')", "client_encoding"),
    ("SET session_replication_role = replica; UPDATE t SET v = 'r'", "session_replication_role"),
    ("UPDATE t SET v = 'a'; SELECT set_config('session_' || 'replication_role', 'replica', true); DELETE FROM t", "session_replication_role"),
    ("DELETE FROM par", "trigger gone of public.chi"),
    ("CREATE TEMP VIEW tv AS SELECT * FROM t; INSERT INTO tv VALUES (14, 'x')", "temporary"),
    ("CREATE TEMP TABLE r(a int); CREATE RULE r AS ON INSERT TO r DO ALSO INSERT INTO t VALUES (15, 'x'); INSERT INTO r VALUES (1)", "RULE"),
    ("CREATE TEMP TABLE g(id int); CREATE TRIGGER g AFTER INSERT ON g FOR EACH ROW EXECUTE FUNCTION note(); INSERT INTO g VALUES (2)", "TRIGGER"),
]


@pytest.fixture
def world(deploy):
    return deploy(SCHEMA, "INSERT INTO t VALUES (100, 'x'); INSERT INTO par VALUES (1); INSERT INTO chi VALUES (1)")


@pytest.mark.parametrize("prepared", [False, True])
def test_refused_by_name(world, prepared):
    wrong = []
    connection = through(world.proxies[0], world, autocommit=True)
    for statement, construct in REFUSED:
        cursor = connection.cursor()
        try:
            if prepared and ";" not in statement.replace("; END", "") and not statement.startswith("PREPARE"):
                from harness.wire import SYNC, Wire, bind, error_fields, execute, parse
                client = Wire(world.proxies[0].port).login(world.database)
                answer = client.send(parse(statement) + bind() + execute() + SYNC).read_until(b"Z")
                fields = next((error_fields(b) for k, b in answer if k == b"E"), {})
                client.close()
                code, message, hint = fields.get("C"), fields.get("M", ""), fields.get("H")
            else:
                cursor.execute(statement)
                code, message, hint = None, "", None
        except psycopg2.Error as error:
            code, message, hint = error.pgcode, error.diag.message_primary, error.diag.message_hint
        if code != "0A000" or construct.lower() not in message.lower() or not hint:
            wrong.append((statement, code, message, hint))
    assert not wrong
    assert_equal(world)
    assert world.clusters["source"].run("SELECT * FROM t", world.database) == [(100, "x")]


def test_copy_from_is_refused(world):
    connection = through(world.proxies[0], world, autocommit=True)
    with pytest.raises(psycopg2.Error) as refused:
        connection.cursor().copy_expert("COPY t FROM STDIN", io.StringIO("1\tx\n"))
    assert refused.value.pgcode == "0A000" and "COPY" in refused.value.diag.message_primary
    connection.cursor().execute("INSERT INTO t VALUES (1, 'after')")
    out = io.StringIO()
    connection.cursor().copy_expert("COPY t TO STDOUT", out)
    assert out.getvalue() == "100\tx\n1\tafter\n"
    assert_equal(world)


def test_a_refusal_inside_a_transaction_fails_it_like_an_error(world):
    connection = through(world.proxies[0], world)
    cursor = connection.cursor()
    cursor.execute("INSERT INTO t VALUES (1, 'kept?')")
    with pytest.raises(psycopg2.Error):
        cursor.execute("DO $$ BEGIN END $$")
    with pytest.raises(psycopg2.Error) as failed:
        cursor.execute("SELECT 1")
    assert failed.value.pgcode == "25P02"
    connection.rollback()
    cursor.execute("SAVEPOINT s")
    assert_equal(world)


def test_reads_temp_tables_and_session_work_pass(world):
    connection = through(world.proxies[0], world)
    cursor = connection.cursor()
    for statement in ("CREATE TEMP TABLE mine(a int)", "INSERT INTO mine VALUES (1)", "SELECT now(), random(), pg_sleep(0), count(*) FROM t",
                      "EXPLAIN SELECT * FROM t", "EXPLAIN ANALYZE SELECT * FROM t", "SET work_mem = '8MB'", "SHOW work_mem", "LOCK TABLE t IN SHARE MODE",
                      "LISTEN x", "NOTIFY x", "WITH w AS (SELECT 1) SELECT * FROM w", "DECLARE c CURSOR FOR SELECT * FROM t", "FETCH 1 FROM c",
                      "SELECT 1", "DROP TABLE mine", "DISCARD PLANS"):
        cursor.execute(statement)
    connection.commit()
    connection.autocommit = True
    for statement in ("VACUUM t", "ANALYZE t", "CHECKPOINT", "DISCARD ALL"):
        cursor.execute(statement)
    assert_equal(world)


def test_passthrough_lets_everything_pass_and_counts_it(deploy):
    world = deploy(SCHEMA, phase="passthrough")
    cursor = through(world.proxies[0], world, autocommit=True).cursor()
    for statement, _ in REFUSED:
        if not statement.startswith(("DROP", "PREPARE TRANSACTION", "CREATE TABLE copied")):
            cursor.execute(statement)
    wait_until(lambda: world.proxies[0].admin.metric("pgtandem_census_total") >= 10, 10, "the census to be counted")


PUT = "INSERT INTO t VALUES (50, 'put')"
# chunks, the last of which is refused
REFUSED_BY_THE_PROTOCOL = {
    "a statement prepared by SQL": [query(f"PREPARE a AS {PUT}"), bind((), "a") + execute() + SYNC],
    "the twin of one": [query(f"PREPARE a AS {PUT}"), query("BEGIN; EXECUTE a; ROLLBACK"), bind((), "a_pgtandem") + execute() + SYNC],
    "a Query behind a write without Sync": [parse(PUT) + bind() + execute() + query("SELECT 1")],
    "an empty Query behind one": [parse(PUT) + bind() + execute() + query("")],
    "FETCH from a portal of a write": [query("BEGIN"), parse(PUT + " RETURNING id") + bind((), "", "p") + SYNC, query("FETCH ALL FROM p")],
}


@pytest.mark.parametrize("name", REFUSED_BY_THE_PROTOCOL)
def test_what_would_pass_unseen_is_refused(world, name):
    client = Wire(world.proxies[0].port).login(world.database)
    *before, last = REFUSED_BY_THE_PROTOCOL[name]
    for chunk in before:
        assert not [m for m in client.send(chunk).read_until(b"Z") if m[0] == b"E"], chunk
    said = client.send(last).read_until(b"Z")
    assert [error_fields(body)["C"] for kind, body in said if kind == b"E"] == ["0A000"], said
    client.send(query("ROLLBACK")).read_until(b"Z")
    client.close()
    connection = through(world.proxies[0], world, autocommit=True)
    cursor = connection.cursor()
    cursor.execute("SELECT count(*) FROM t WHERE id = 50")
    assert cursor.fetchone() == (0,)
    assert_equal(world)
