"""Phase passthrough: a client cannot tell the proxy from the server."""
import io
import select
import struct
import threading
import time

import psycopg2
import psycopg2.extensions
import pytest
from connections import through
from harness.pgtandem import growth_bound
from harness.processes import resident_bytes
from harness.wait import wait_until
from harness.wire import (COPY_DONE, FLUSH, SYNC, TERMINATE, Closed, Wire, bind, copy_data, copy_fail, data_row, describe,
                          error_fields, execute, message, parse, query, sqlstate, startup)

MIB = 1 << 20
BIG_RESULT_BYTES = 2 << 30


@pytest.fixture
def plain(deploy):
    """A proxy on databases that `pgtandem init` has not seen: phase passthrough without a pgtandem schema."""
    return deploy(phase="passthrough", initialise=False)


@pytest.fixture
def wire(plain):
    client = Wire(plain.proxies[0].port).login(plain.database)
    yield client
    client.close()


def test_psycopg2_works(plain):
    connection = through(plain.proxies[0], plain)
    with connection, connection.cursor() as cursor:
        cursor.execute("CREATE TABLE t(a int, b text)")
        cursor.execute("INSERT INTO t SELECT i, 'x' || i FROM generate_series(1, 1000) i")
        cursor.execute("SELECT count(*), max(b) FROM t WHERE a > %s", (500,))
        assert cursor.fetchone() == (500, "x999")
    assert connection.get_parameter_status("server_version").startswith(
        str(plain.clusters["source"].run("SHOW server_version")[0][0]).split(" ", maxsplit=1)[0])


def test_copy_in_and_out(plain):
    connection = through(plain.proxies[0], plain, autocommit=True)
    cursor = connection.cursor()
    cursor.execute("CREATE TABLE t(a int, b text)")
    cursor.copy_expert("COPY t FROM STDIN", io.StringIO("".join(f"{i}\tline {i}\n" for i in range(200000))))
    out = io.StringIO()
    cursor.copy_expert("COPY (SELECT * FROM t ORDER BY a) TO STDOUT", out)
    assert out.getvalue().count("\n") == 200000 and out.getvalue().endswith("199999\tline 199999\n")
    with pytest.raises(psycopg2.Error):
        cursor.copy_expert("COPY t FROM STDIN", io.StringIO("not a number\tx\n"))
    cursor.execute("SELECT count(*) FROM t")
    assert cursor.fetchone() == (200000,)


def test_copy_in_refused_by_the_client(wire):
    wire.ask("CREATE TABLE t(a int)")
    wire.send(query("COPY t FROM STDIN")).read_until(b"G")
    answer = wire.send(copy_data(b"1\n") + copy_fail("no more")).read_until(b"Z")
    assert sqlstate(answer) == "57014"
    wire.send(query("COPY t FROM STDIN")).read_until(b"G")
    answer = wire.send(copy_data(b"1\n2") + copy_data(b"\n") + COPY_DONE).read_until(b"Z")
    assert answer[0] == (b"C", b"COPY 2\0")


def test_listen_and_notify(plain):
    listener = through(plain.proxies[0], plain, autocommit=True)
    listener.cursor().execute("LISTEN news")
    through(plain.proxies[0], plain, autocommit=True).cursor().execute("NOTIFY news, 'hello'")
    assert select.select([listener], [], [], 10)[0]
    listener.poll()
    assert [(n.channel, n.payload) for n in listener.notifies] == [("news", "hello")]


def test_cancel_reaches_the_right_backend(plain):
    busy, other = (through(plain.proxies[0], plain, autocommit=True) for _ in range(2))
    failed = []

    def run():
        try:
            busy.cursor().execute("SELECT pg_sleep(60)")
        except psycopg2.Error as error:
            failed.append(error.pgcode)
    thread = threading.Thread(target=run)
    thread.start()
    active = "SELECT count(*) FROM pg_stat_activity WHERE query = 'SELECT pg_sleep(60)' AND state = 'active'"
    wait_until(lambda: plain.clusters["source"].run(active)[0][0], 10, "the statement to run")
    busy.cancel()
    thread.join(10)
    assert failed == ["57014"]
    other.cursor().execute("SELECT 1")


def test_keys_are_the_proxys_own(plain, wire):
    assert wire.key is not None
    wrong = Wire(plain.proxies[0].port)
    wrong.send(struct.pack("!iiII", 16, 80877102, wire.key[0], wire.key[1] ^ 1))
    assert wrong.read_to_end() == []
    assert wire.rows("SELECT 1") == [[b"1"]]


def test_result_of_two_gigabytes_and_a_client_that_stops_reading(plain):
    proxy = plain.proxies[0]
    client = Wire(proxy.port).login(plain.database)
    before = resident_bytes(proxy.pid)
    client.send(query(f"SELECT repeat('x', {MIB}) FROM generate_series(1, {BIG_RESULT_BYTES // MIB})"))
    client.read_bytes(MIB)
    backend = "SELECT wait_event FROM pg_stat_activity WHERE query LIKE 'SELECT repeat%'"
    wait_until(lambda: plain.clusters["source"].run(backend) == [("ClientWrite",)], 30, "the server to be held back")
    assert resident_bytes(proxy.pid) - before < growth_bound()
    received, peak = MIB + len(client.buffer), 0
    scratch = bytearray(4 * MIB)
    while received < BIG_RESULT_BYTES:
        received += client.socket.recv_into(scratch)
        peak = max(peak, resident_bytes(proxy.pid))
    assert peak - before < growth_bound()
    client.close()


def test_message_of_two_hundred_megabytes_is_streamed(plain):
    proxy = plain.proxies[0]
    client = Wire(proxy.port, timeout=120).login(plain.database)
    before = resident_bytes(proxy.pid)
    size = 200 * MIB
    client.send(parse("SELECT length($1::text)") + message(b"B", b"\0\0\0\0" + b"\0\1" + struct.pack("!i", size) + b"y" * size + b"\0\0"))
    answer = client.send(execute() + SYNC).read_until(b"Z")
    assert data_row(answer[2][1]) == [str(size).encode()]
    assert resident_bytes(proxy.pid) - before < growth_bound()
    client.close()


def test_portals_with_row_limits(wire):
    wire.send(query("BEGIN")).read_until(b"Z")
    wire.send(parse("SELECT generate_series(1, 5)") + bind(portal="p") + execute("p", 2) + FLUSH)
    assert [k for k, _ in wire.read_until(b"s")] == [b"1", b"2", b"D", b"D", b"s"]
    wire.send(execute("p", 2) + FLUSH)
    assert [k for k, _ in wire.read_until(b"s")] == [b"D", b"D", b"s"]
    answer = wire.send(execute("p", 0) + SYNC).read_until(b"Z")
    assert [k for k, _ in answer] == [b"D", b"C", b"Z"] and answer[-1][1] == b"T"


def test_error_skips_until_sync(wire):
    wire.send(parse("SELECT 1/0") + bind() + execute() + parse("SELECT 2") + bind() + execute() + SYNC + parse("SELECT 3") +
              bind() + execute() + SYNC)
    answer = wire.read_until(b"Z", 2)
    assert [k for k, _ in answer] == [b"1", b"E", b"Z", b"1", b"2", b"D", b"C", b"Z"]


def test_pipeline_split_at_every_byte(wire):
    talk = parse("SELECT $1::int + 1", "s") + bind([b"41"], "s") + describe() + execute() + SYNC + query("SELECT 'x'; SELECT 'y'")
    expected = wire.send(talk).read_until(b"Z", 2)
    wire.send(b"C" + struct.pack("!i", 7) + b"Ss\0" + SYNC).read_until(b"Z")
    assert wire.send(talk, piece=1).read_until(b"Z", 2) == expected


def test_many_pipelined_exchanges_come_back_in_order(wire):
    count = 2000
    wire.send(b"".join(parse(f"SELECT {i}") + bind() + execute() + SYNC for i in range(count)))
    rows = [data_row(body)[0] for kind, body in wire.read_until(b"Z", count) if kind == b"D"]
    assert rows == [str(i).encode() for i in range(count)]


def test_protocol_negotiation(plain):
    client = Wire(plain.proxies[0].port)
    client.send(startup({"user": "postgres", "database": plain.database, "_pq_.unknown": "1"}, (3 << 16) | 2))
    kind, body = client.read()
    assert kind == b"v" and struct.unpack_from("!i", body)[0] in (196608, 0) and b"_pq_.unknown" in body
    client.read_until(b"Z")
    assert client.rows("SELECT 1") == [[b"1"]]


@pytest.mark.parametrize("code", [80877103, 80877104])
def test_encryption_requests_are_declined(plain, code):
    client = Wire(plain.proxies[0].port)
    client.send(struct.pack("!ii", 8, code))
    assert client.read_bytes(1) == b"N"
    client.login(plain.database)
    assert client.rows("SELECT 1") == [[b"1"]]


def test_startup_parameters_and_settings_arrive(plain):
    client = Wire(plain.proxies[0].port).login(plain.database, application_name="gate keeper", DateStyle="SQL, DMY",
                                               options="-c work_mem=12345")
    assert client.rows("SELECT current_setting('application_name'), current_setting('work_mem')") == [[b"gate keeper", b"12345kB"]]
    assert client.parameters["DateStyle"] == "SQL, DMY"
    assert client.parameters["application_name"] == "gate keeper"


def test_unknown_database_gets_the_servers_words(plain):
    client = Wire(plain.proxies[0].port)
    client.send(startup({"user": "nobody_here", "database": plain.database}))
    assert sqlstate(client.read_to_end()) in ("28000", "28P01")


def test_notices_and_error_positions(wire):
    answer = wire.ask("DO $$ BEGIN RAISE NOTICE 'hello %', 1; END $$")
    assert [k for k, _ in answer] == [b"N", b"C", b"Z"] and error_fields(answer[0][1])["M"] == "hello 1"
    assert error_fields(wire.ask("SELECT 1 FROM nowhere")[0][1])["P"] == "15"


def test_empty_query_and_terminate(wire):
    assert [k for k, _ in wire.ask("")] == [b"I", b"Z"]
    assert [k for k, _ in wire.send(parse("") + bind() + execute() + SYNC).read_until(b"Z")] == [b"1", b"2", b"I", b"Z"]
    assert wire.send(TERMINATE).read_to_end() == []


def test_backend_killed_is_told_as_the_server_does(plain, wire):
    pid = int(wire.rows("SELECT pg_backend_pid()")[0][0])
    plain.clusters["source"].run(f"SELECT pg_terminate_backend({pid})")
    assert sqlstate(wire.read_to_end()) == "57P01"


def test_client_that_vanishes_frees_its_backend(plain):
    client = Wire(plain.proxies[0].port).login(plain.database)
    pid = int(client.rows("SELECT pg_backend_pid()")[0][0])
    client.close()
    wait_until(lambda: not plain.clusters["source"].run(f"SELECT 1 FROM pg_stat_activity WHERE pid = {pid}"), 10, "backend gone")


def test_readiness_follows_the_primary_only(deploy, clusters):
    """Ready is who serves a client now: whatever the target does, and as soon as the first client could connect."""
    source, target = clusters
    deployment = deploy(phase="passthrough")
    proxy = deployment.proxies[0]
    target.stop()
    source.stop()
    wait_until(lambda: proxy.admin.get("/readyz") == (503, "not ready: the primary cannot be reached\n"), 20, "an unready proxy")
    source.start()
    wait_until(lambda: proxy.admin.get("/readyz")[0] == 200, 20, "a ready proxy")
    Wire(proxy.port).login(deployment.database).close()
    assert proxy.admin.get("/healthz")[0] == 200
    late = deployment.proxy(ready=False)
    wait_until(lambda: late.admin.is_ready(), 20, "a ready second proxy", every=0.001)
    Wire(late.port).login(deployment.database).close()
    target.start()


def test_sigterm_drains(plain):
    proxy = plain.proxies[0]
    idle = Wire(proxy.port).login(plain.database)
    busy = Wire(proxy.port).login(plain.database)
    busy.ask("BEGIN")
    assert proxy.admin.get("/readyz")[0] == 200
    proxy.process.terminate()
    wait_until(lambda: proxy.admin.get("/readyz") == (503, "not ready: the proxy is shutting down\n"), 10, "an unready proxy")
    assert sqlstate(idle.read_to_end()) == "57P01"
    assert busy.rows("SELECT 1") == [[b"1"]]
    busy.send(query("COMMIT"))
    rest = busy.read_to_end()
    assert rest[0] == (b"C", b"COMMIT\0") and sqlstate(rest) == "57P01"
    assert proxy.process.wait(20) == 0
    with pytest.raises((OSError, Closed)):
        Wire(proxy.port).login(plain.database)


def test_sigterm_ends_the_stubborn_at_the_deadline(deploy):
    deployment = deploy(phase="passthrough", initialise=False, settings={"listen": {"drain_seconds": 1}})
    stubborn = Wire(deployment.proxies[0].port).login(deployment.database)
    stubborn.ask("BEGIN")
    deployment.proxies[0].process.terminate()
    assert sqlstate(stubborn.read_to_end()) == "57P01"
    assert deployment.proxies[0].process.wait(20) == 0


def test_two_hundred_clients(deploy):
    deployment = deploy(phase="passthrough", initialise=False)
    clients = [Wire(deployment.proxies[0].port).login(deployment.database) for _ in range(200)]
    for client in clients:
        client.send(query("SELECT pg_backend_pid()"))
    pids = {data_row(client.read_until(b"Z")[1][1])[0] for client in clients}
    assert len(pids) == 200
    for client in clients:
        client.close()


def test_too_many_clients_are_told_so(deploy):
    deployment = deploy(phase="passthrough", initialise=False, settings={"listen": {"max_clients": 2}})
    port = deployment.proxies[0].port
    kept = [Wire(port).login(deployment.database) for _ in range(2)]
    third = Wire(port)
    third.send(startup({"user": "postgres", "database": deployment.database}))
    assert sqlstate(third.read_to_end()) == "53300"
    kept[0].close()

    def room_again():
        try:
            Wire(port).login(deployment.database).close()
            return True
        except AssertionError:
            return False
    wait_until(room_again, 10, "room for another client")


def test_scram_and_trust(deploy):
    deployment = deploy(phase="passthrough", initialise=False)
    users = f"{deployment.folder}/users.txt"
    with open(users, "w", encoding="utf-8") as file:
        file.write('"postgres" "open sesame"\n')
    guarded = deployment.proxy({"auth": {"method": "scram-sha-256", "file": users}})
    through(guarded, deployment, password="open sesame").cursor().execute("SELECT 1")
    begun = time.monotonic()
    with pytest.raises(psycopg2.OperationalError, match="password authentication failed"):
        through(guarded, deployment, password="wrong")
    with pytest.raises(psycopg2.OperationalError):
        psycopg2.connect(host="127.0.0.1", port=guarded.port, user="nobody_here", password="x", dbname=deployment.database)
    assert time.monotonic() - begun < 30


def test_idempotency_keys_in_blocks(deploy):
    """From `init` on a key is heeded before anything is mirrored, in blocks of several messages too."""
    deployment = deploy(phase="passthrough")
    connection = through(deployment.proxies[0], deployment)
    cursor = connection.cursor()
    cursor.execute("CREATE TABLE t(a int)")
    connection.commit()
    for attempt in range(2):
        if attempt:
            with pytest.raises(psycopg2.Error) as refused:
                cursor.execute("/* idempotency_key='block' */ INSERT INTO t VALUES (1)")
            assert refused.value.pgcode == "23505"
            connection.rollback()
        else:
            cursor.execute("/* idempotency_key='block' */ INSERT INTO t VALUES (1)")
            cursor.execute("INSERT INTO t VALUES (2)")
            connection.commit()
    cursor.execute("/* idempotency_key='undone' */ INSERT INTO t VALUES (3)")
    connection.rollback()
    cursor.execute("/* idempotency_key='undone' */ INSERT INTO t VALUES (3)")
    connection.commit()
    cursor.execute("SELECT a FROM t ORDER BY a")
    assert cursor.fetchall() == [(1,), (2,), (3,)]


@pytest.mark.parametrize("write", ["MERGE INTO t USING (VALUES (1)) s(k) ON false WHEN NOT MATCHED THEN INSERT VALUES (s.k)",
                                   "WITH w AS (INSERT INTO t VALUES (1) RETURNING a) SELECT * FROM w", "EXECUTE put", "INSERT INTO t SELECT length($1) - 99999"])
@pytest.mark.parametrize("extended", [False, True])
def test_idempotency_keys_of_every_write(deploy, write, extended):
    """Heeded before anything is mirrored, for what dual_write refuses too; a retry hears the same."""
    deployment = deploy(phase="passthrough")
    client = Wire(deployment.proxies[0].port).login(deployment.database)
    for sql in ("CREATE TABLE t(a int)", "PREPARE put AS INSERT INTO t VALUES (1)"):
        client.send(query(sql)).read_until(b"Z")
    keyed = "/* idempotency_key='k' */ " + write
    if "$1" in write and not extended:
        keyed = keyed.replace("$1", "repeat('x', 100000)")
    values = [b"x" * 100000] if "$1" in write else ()
    chunk = parse(keyed) + bind(values) + execute() + SYNC if extended else query(keyed)
    said = [client.send(chunk).read_until(b"Z") for _ in range(2)]
    assert not [m for m in said[0] if m[0] == b"E"] and said[0] == said[1]
    if values and extended:
        other = client.send(parse(keyed) + bind([b"y" * 100000]) + execute() + SYNC).read_until(b"Z")
        assert sqlstate(other) == "22023"
    rows = [data_row(body) for kind, body in client.send(query("SELECT a FROM t")).read_until(b"Z") if kind == b"D"]
    assert rows == [[b"1"]]
    client.close()
