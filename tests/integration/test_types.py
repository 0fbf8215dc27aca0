"""Every column type and key shape: rows arrive exactly, whatever the session's settings are."""
import random

import psycopg2
import pytest
from connections import through
from harness import shop
from harness.cluster import run
from harness.compare import assert_equal
from harness.wire import SYNC, Wire, bind, error_fields, execute, parse, query

ODD_SETTINGS = ["", "DateStyle='SQL, DMY'", "IntervalStyle='sql_standard'", "TimeZone='Asia/Kathmandu'", "extra_float_digits=0",
                "bytea_output='escape'", "search_path='pg_catalog'", "client_encoding='LATIN1'",
                "lc_numeric='C'", "xmlbinary='hex'", "default_transaction_isolation='serializable'"]


@pytest.fixture
def world(deploy):
    return deploy(shop.SCHEMA, shop.seed(20, 10, 10), settings={"dual_write": {"budget_ms": 5000}})


def no_doubt(world):
    assert world.clusters["source"].run("SELECT relation, key, reason FROM pgtandem.dirty", world.database) == []
    assert_equal(world)


def ordinary(text):
    return all(ord(c) < 128 for c in text)


@pytest.mark.parametrize("setting", ODD_SETTINGS)
def test_every_column_type(world, setting):
    connection = through(world.proxies[0], world, autocommit=True)
    cursor = connection.cursor()
    cursor.execute("SELECT 1")
    cursor.execute("INSERT INTO shop.every_type(id) VALUES (0)")
    if setting:
        cursor.execute(f"SET {setting}")
    for at, (column, literals) in enumerate(shop.VALUES.items(), 1):
        for n, literal in enumerate(literals):
            if not ordinary(literal) and "LATIN1" in setting:
                continue
            number = at * 100 + n
            with connection:
                cursor.execute(f"INSERT INTO shop.every_type(id, {column}) VALUES ({number}, {literal.replace('%', '%%')})")
                cursor.execute(f"UPDATE shop.every_type SET {column} = {literal} WHERE id = 0")
                cursor.execute(f"UPDATE shop.every_type SET c_int4 = {number} WHERE id = {number}")
    no_doubt(world)


@pytest.mark.parametrize("setting", ["", "DateStyle='SQL, DMY'", "bytea_output='escape'", "IntervalStyle='iso_8601'"])
def test_every_key_shape(world, setting):
    connection = through(world.proxies[0], world, autocommit=True)
    cursor = connection.cursor()
    for table, (_, rows) in shop.KEYS.items():
        for row in rows:
            cursor.execute(f"INSERT INTO {table} VALUES ({row})")
    if setting:
        cursor.execute(f"SET {setting}")
    for table, (key, rows) in shop.KEYS.items():
        cursor.execute(f"UPDATE {table} SET v = v + 100")
        first = rows[0].rsplit(",", 1)[0]
        cursor.execute(f"DELETE FROM {table} WHERE ({key}) IN (SELECT {key} FROM {table} ORDER BY v DESC LIMIT 1)")
        cursor.execute(f"INSERT INTO {table} VALUES ({rows[0]}) ON CONFLICT DO NOTHING" if "deferrable" not in table else
                       f"UPDATE {table} SET v = 9 WHERE k = {first}")
    cursor.execute('INSERT INTO shop."Key ""quoted""" VALUES (1, \'x\', 2), (2, NULL, NULL) RETURNING "Order", "select"')
    cursor.execute('UPDATE shop."Key ""quoted""" AS "Weird Alias" SET "a b" = "Weird Alias"."Order" + 1')
    cursor.execute('DELETE FROM shop."Key ""quoted""" WHERE "Order" = 1')
    no_doubt(world)


def test_values_come_by_the_input_function(deploy):
    """Not by a cast from text: regclass has one that knows no '-' and no number, and a user may have made others."""
    world = deploy("CREATE TYPE odd AS ENUM ('a', 'b'); CREATE FUNCTION to_odd(text) RETURNS odd LANGUAGE sql IMMUTABLE AS $$ SELECT 'b'::odd $$;"
                   "CREATE CAST (text AS odd) WITH FUNCTION to_odd(text);"
                   "CREATE TABLE by_input(id int PRIMARY KEY, r regclass, o odd, b box, rs regclass[])", settings={"dual_write": {"budget_ms": 5000}})
    connection = through(world.proxies[0], world, autocommit=True)
    run(connection, "INSERT INTO by_input VALUES (1, 0, 'a', '(1,1),(0,0)', '{-}'), (2, 999999, 'b', NULL, NULL), (3, 'pg_class', NULL, NULL, '{}')")
    run(connection, "UPDATE by_input SET o = 'a' WHERE id = 2")
    no_doubt(world)


def test_defaults_that_differ_between_servers(world):
    connection = through(world.proxies[0], world)
    cursor = connection.cursor()
    for n in range(20):
        cursor.execute("INSERT INTO shop.customer(mail, name) VALUES (%s, 'n') RETURNING id", (f"x{n}@example.org",))
        (customer,) = cursor.fetchone()
        cursor.execute("INSERT INTO shop.orders(customer_id) VALUES (%s) RETURNING id", (customer,))
        (number,) = cursor.fetchone()
        cursor.execute("INSERT INTO shop.order_line VALUES (%s, 1, 1, 1, random())", (number,))
        cursor.execute("INSERT INTO shop.product(sku) VALUES (%s)", (f"new{n}",))
        cursor.execute("INSERT INTO shop.reading VALUES (gen_random_uuid(), clock_timestamp(), random())")
        cursor.execute("INSERT INTO shop.review(order_id, stars) VALUES (%s, 5)", (number,))
        connection.commit()
    no_doubt(world)


def test_cascades_and_set_null(world):
    connection = through(world.proxies[0], world)
    cursor = connection.cursor()
    cursor.execute("DELETE FROM shop.orders WHERE id <= 3")
    connection.commit()
    cursor.execute("DELETE FROM shop.customer WHERE id = (SELECT customer_id FROM shop.orders WHERE id = 4)")
    cursor.execute("INSERT INTO shop.key_self VALUES (1, NULL, 1), (2, 1, 1), (3, 2, 1), (4, NULL, 1)")
    connection.commit()
    cursor.execute("DELETE FROM shop.key_self WHERE k = 1")
    connection.commit()
    no_doubt(world)


def test_delete_and_insert_again_in_one_transaction(world):
    connection = through(world.proxies[0], world)
    cursor = connection.cursor()
    cursor.execute("SELECT customer_id FROM shop.orders WHERE id = 5")
    (customer,) = cursor.fetchone()
    cursor.execute("DELETE FROM shop.orders WHERE id = 5")
    cursor.execute("INSERT INTO shop.orders(id, customer_id) VALUES (5, %s)", (customer,))
    connection.commit()
    cursor.execute("UPDATE shop.product SET sku = sku || 'x' WHERE id IN (1, 2)")
    cursor.execute("UPDATE shop.product SET sku = 'sku2' WHERE id = 1")
    cursor.execute("UPDATE shop.product SET sku = 'sku1' WHERE id = 2")
    connection.commit()
    no_doubt(world)


def test_rows_that_move_between_partitions(world):
    connection = through(world.proxies[0], world, autocommit=True)
    cursor = connection.cursor()
    cursor.execute("UPDATE shop.event SET body = body || '{\"seen\": true}'")
    cursor.execute("DELETE FROM shop.event WHERE id % 3 = 0")
    cursor.execute("UPDATE shop.event_now_click SET body = '{}'")
    cursor.execute("INSERT INTO shop.event_old VALUES (1000, '2020-01-01', 'click', NULL)")
    cursor.execute("UPDATE shop.reading SET level = level * 2 WHERE level > 3 RETURNING tableoid::regclass")
    no_doubt(world)


def test_truncate(world):
    connection = through(world.proxies[0], world)
    cursor = connection.cursor()
    cursor.execute("TRUNCATE shop.key_text, shop.job")
    cursor.execute("INSERT INTO shop.job(state) VALUES (5)")
    connection.commit()
    cursor.execute("TRUNCATE shop.customer CASCADE")
    connection.commit()
    cursor.execute("INSERT INTO shop.job(state) VALUES (6)")
    cursor.execute("TRUNCATE shop.job RESTART IDENTITY")
    cursor.execute("INSERT INTO shop.job(state) VALUES (7)")
    connection.commit()
    cursor.execute("TRUNCATE shop.event")
    connection.rollback()
    cursor.execute("TRUNCATE shop.event")
    connection.commit()
    no_doubt(world)


def test_binary_parameters(world):
    client = Wire(world.proxies[0].port).login(world.database)
    values = [(600).to_bytes(4, "big"), b"\x00\xff\x10", (3).to_bytes(2, "big", signed=True), b"\x01{\"a\": 1}",
              b"\x00\x00\x00\x01\x00\x00\x00\x00\x00\x00\x00\x17\x00\x00\x00\x01\x00\x00\x00\x01\x00\x00\x00\x04\x00\x00\x00\x2a"]
    client.send(parse("INSERT INTO shop.every_type(id, c_bytea, c_int2, c_jsonb, c_ints) VALUES ($1, $2, $3, $4, $5) RETURNING *") +
                bind(values, formats=[1], results=[1]) + execute() + SYNC)
    answer = client.read_until(b"Z")
    assert [kind for kind, _ in answer] == [b"1", b"2", b"D", b"C", b"Z"]
    no_doubt(world)


def test_idempotency_keys(world):
    connection = through(world.proxies[0], world, autocommit=True)
    cursor = connection.cursor()
    statement = "/* idempotency_key='%s' */ INSERT INTO shop.job(state) VALUES (77)"
    for key in ("a", "a", "b", "a"):
        cursor.execute(statement % key)
        assert cursor.statusmessage == "INSERT 0 1"
    cursor.execute("SELECT count(*) FROM shop.job WHERE state = 77")
    assert cursor.fetchone() == (2,)
    returning = "/* idempotency_key='r' */ INSERT INTO shop.job(state) VALUES (78) RETURNING id, state"
    cursor.execute(returning)
    first = cursor.fetchall()
    cursor.execute(returning)
    assert cursor.fetchall() == first
    with pytest.raises(psycopg2.Error) as refused:
        cursor.execute("/* idempotency_key='a' */ INSERT INTO shop.job(state) VALUES (79)")
    assert refused.value.pgcode
    with pytest.raises(psycopg2.Error):
        cursor.execute("/* idempotency_key='failed' */ INSERT INTO shop.job(id, state) SELECT id, 0 FROM shop.job")
    cursor.execute("/* idempotency_key='failed' */ INSERT INTO shop.job(state) VALUES (80)")
    cursor.execute("SET pgtandem.idempotency_key = 'by setting'")
    cursor.execute("INSERT INTO shop.job(state) VALUES (81)")
    cursor.execute("SET pgtandem.idempotency_key = 'by setting'")
    cursor.execute("INSERT INTO shop.job(state) VALUES (81)")
    cursor.execute("SET pgtandem.idempotency_key = ''")
    cursor.execute("SELECT state, count(*) FROM shop.job WHERE state >= 79 GROUP BY 1 ORDER BY 1")
    assert cursor.fetchall() == [(80, 1), (81, 1)]
    no_doubt(world)


KEYED = "/* idempotency_key='%s' */ "
STRING = "INSERT INTO shop.job(state) VALUES (90); SELECT 'between' AS x; INSERT INTO shop.job(state) VALUES (91) RETURNING id, state"


def bytes_of(client, sql):
    return client.send(query(sql)).read_until(b"Z", 1)


def states(world, low):
    return run(world.connect("source"), f"SELECT state, count(*) FROM shop.job WHERE state >= {low} GROUP BY 1 ORDER BY 1")


def test_idempotency_keys_of_strings(world):
    """A retry hears the first try's bytes; a string that is more than one transaction is refused by name and leaves nothing."""
    first, again = (Wire(world.proxies[0].port).login(world.database) for _ in range(2))
    for key, sql in (("two", KEYED % "two" + STRING), ("block", KEYED % "block" + f"BEGIN; {STRING}; COMMIT"), ("set", STRING)):
        for client in (first, again):
            bytes_of(client, f"SET pgtandem.idempotency_key = '{key if key == 'set' else ''}'")
        said = bytes_of(first, sql)
        assert not [m for m in said if m[0] == b"E"], said
        assert bytes_of(again, sql) == said
        assert bytes_of(first, sql) == said
        refused = bytes_of(again, sql.replace("90", "92"))
        assert [error_fields(body)["C"] for kind, body in refused if kind == b"E"] == ["22023"]
        bytes_of(again, "ROLLBACK")
    for client in (first, again):
        bytes_of(client, "RESET pgtandem.idempotency_key")
    assert states(world, 90) == [(90, 3), (91, 3)]
    failing = KEYED % "failing" + "INSERT INTO shop.job(state) VALUES (93); SELECT 1 / 0"
    assert [error_fields(body)["C"] for kind, body in bytes_of(first, failing) if kind == b"E"] == ["22012"]
    bytes_of(first, KEYED % "failing" + "INSERT INTO shop.job(state) VALUES (94); INSERT INTO shop.job(state) VALUES (95)")
    for sql in ("BEGIN; INSERT INTO shop.job(state) VALUES (96); COMMIT; INSERT INTO shop.job(state) VALUES (96)",
                "INSERT INTO shop.job(state) VALUES (96); COMMIT; SELECT 1", "SET work_mem = '1MB'; INSERT INTO shop.job(state) VALUES (96)"):
        for _ in range(2):
            assert [error_fields(body)["C"] for kind, body in bytes_of(first, KEYED % "more" + sql) if kind == b"E"] == ["0A000"]
            bytes_of(first, "ROLLBACK")
    bytes_of(first, KEYED % "more" + "INSERT INTO shop.job(state) VALUES (97)")
    assert states(world, 93) == [(94, 1), (95, 1), (97, 1)]
    first.close()
    again.close()
    no_doubt(world)


def test_idempotency_keys_of_pipelines(world):
    """Several Executes before one Sync are one transaction with one key: a retry hears each answer in its turn and writes nothing."""
    insert = "INSERT INTO shop.job(state) VALUES ($1) RETURNING id, state"

    def batch(key, *numbers):
        texts = [(KEYED % key if n == 0 else "") + insert for n in range(len(numbers))]
        return b"".join(parse(text) + bind([str(number).encode()]) + execute() for text, number in zip(texts, numbers)) + SYNC

    first, again = (Wire(world.proxies[0].port).login(world.database) for _ in range(2))
    said = first.send(batch("batch", 100, 101, 102)).read_until(b"Z")
    assert [kind for kind, _ in said] == [b"1", b"2", b"D", b"C"] * 3 + [b"Z"]
    assert again.send(batch("batch", 100, 101, 102)).read_until(b"Z") == said
    other = again.send(batch("batch", 100, 109)).read_until(b"Z")
    assert [error_fields(body)["C"] for kind, body in other if kind == b"E"] == ["22023"]
    two_keys = parse(KEYED % "x" + insert) + bind([b"110"]) + execute() + parse(KEYED % "y" + insert) + bind([b"110"]) + execute() + SYNC
    assert [error_fields(body)["C"] for kind, body in first.send(two_keys).read_until(b"Z") if kind == b"E"] == ["0A000"]

    def alone(text):
        return first.send(parse(text) + bind() + execute() + SYNC).read_until(b"Z")

    keyed = KEYED % "undone" + "INSERT INTO shop.job(state) VALUES (120)"
    for texts in (["BEGIN", keyed, "ROLLBACK"], ["BEGIN", "SAVEPOINT s", keyed, "ROLLBACK TO s", keyed, "COMMIT"]):
        for text in texts:
            assert not [m for m in alone(text) if m[0] == b"E"], text
    assert states(world, 100) == [(100, 1), (101, 1), (102, 1), (120, 1)]
    first.close()
    again.close()
    no_doubt(world)


def test_roles_without_rights_on_pgtandem(world):
    for cluster in world.clusters.values():
        cluster.run("DO $$ BEGIN CREATE ROLE app_writer LOGIN; EXCEPTION WHEN duplicate_object THEN NULL; END $$")
        cluster.run("GRANT USAGE ON SCHEMA shop TO app_writer; GRANT SELECT, INSERT, UPDATE, DELETE ON shop.stock TO app_writer", world.database)
    connection = psycopg2.connect(host="127.0.0.1", port=world.proxies[0].port, user="app_writer", dbname=world.database)
    cursor = connection.cursor()
    cursor.execute("UPDATE shop.stock SET quantity = 5 WHERE product_id = 1")
    connection.commit()
    cursor.execute("SET search_path = ''")
    cursor.execute("UPDATE shop.stock SET quantity = 6 WHERE product_id = 2")
    connection.commit()
    with pytest.raises(psycopg2.Error) as refused:
        cursor.execute("UPDATE shop.job SET state = 1")
    assert refused.value.pgcode in ("42501", "0A000")   # the proxy may refuse first, for want of SELECT
    connection.rollback()
    no_doubt(world)


def test_random_statements(world):
    """A few hundred statements drawn at random over several tables, committed, rolled back or cut by savepoints."""
    chance = random.Random(3)
    connection = through(world.proxies[0], world)
    cursor = connection.cursor()
    for _ in range(150):
        for _ in range(chance.randint(1, 4)):
            k = chance.randint(1, 10)
            cursor.execute(chance.choice([
                f"UPDATE shop.stock SET quantity = quantity - {k} WHERE product_id = {k}",
                f"INSERT INTO shop.key_text VALUES ('w{k}', {k}) ON CONFLICT (k) DO UPDATE SET v = key_text.v + 1",
                f"DELETE FROM shop.key_text WHERE v > {k}",
                f"DELETE FROM shop.orders WHERE id = {k}",
                f"INSERT INTO shop.orders(id, customer_id) SELECT {k}, id FROM shop.customer ORDER BY mail LIMIT 1 ON CONFLICT DO NOTHING",
                f"INSERT INTO shop.review(order_id, stars) SELECT id, 3 FROM shop.orders WHERE id = {k}",
                f"INSERT INTO shop.order_line SELECT id, {k}, {k}, 1, 1 FROM shop.orders WHERE id = {k} ON CONFLICT DO NOTHING",
                "SAVEPOINT s", f"UPDATE shop.job SET state = state + 1 WHERE id % 7 = {k % 7}"]))
        connection.commit() if chance.random() < 0.8 else connection.rollback()
    no_doubt(world)


EQUAL_KEYS = [("numeric", "1.0", "1.00"), ("double precision", "0", "-0"), ("interval", "'1 day'", "'24:00'"), ("jsonb", "'1.0'", "'1.00'"),
              ("text COLLATE blind", "'Ann'", "'aNN'")]
BLIND = "CREATE COLLATION blind (provider = icu, locale = 'und-u-ks-level2', deterministic = false);"


def test_a_row_comes_back_under_an_equal_key(deploy):
    """DELETE and INSERT in one transaction, of keys that are equal and differ in their text."""
    tables = "".join(f"CREATE TABLE t{n}(k {kind} PRIMARY KEY, v int);" for n, (kind, _, _) in enumerate(EQUAL_KEYS))
    world = deploy(BLIND + tables, settings={"dual_write": {"budget_ms": 5000}})
    connection = through(world.proxies[0], world)
    cursor = connection.cursor()
    for n, (_, one, other) in enumerate(EQUAL_KEYS):
        cursor.execute(f"INSERT INTO t{n} VALUES ({one}, 1)")
        connection.commit()
        cursor.execute(f"DELETE FROM t{n} WHERE k = {one}")
        cursor.execute(f"INSERT INTO t{n} VALUES ({other}, 2)")
        connection.commit()
    no_doubt(world)


def test_tables_that_reference_each_other(deploy):
    world = deploy("CREATE TABLE dept(id int PRIMARY KEY, boss int); CREATE TABLE emp(id int PRIMARY KEY, dept int REFERENCES dept);"
                   "ALTER TABLE dept ADD FOREIGN KEY (boss) REFERENCES emp", settings={"dual_write": {"budget_ms": 5000}})
    connection = through(world.proxies[0], world)
    cursor = connection.cursor()
    cursor.execute("INSERT INTO dept VALUES (1)")
    cursor.execute("INSERT INTO emp VALUES (1, 1)")
    cursor.execute("UPDATE dept SET boss = 1")
    connection.commit()
    cursor.execute("UPDATE dept SET boss = NULL")
    cursor.execute("DELETE FROM emp")
    cursor.execute("DELETE FROM dept")
    cursor.execute("INSERT INTO dept VALUES (2)")
    connection.commit()
    no_doubt(world)


@pytest.mark.parametrize("encoding", ["LATIN1", "WIN1252", "UTF8"])
def test_keys_beyond_ascii_become_dirty_as_they_are(deploy, encoding):
    """Whatever the client's encoding: what was degraded is found and repaired."""
    world = deploy('CREATE TABLE t(k text PRIMARY KEY, v int); CREATE TABLE "größe"(k text PRIMARY KEY, v int)', reconcilers=1)
    connection = through(world.proxies[0], world, autocommit=True)
    connection.set_client_encoding(encoding)
    cursor = connection.cursor()
    world.clusters["target"].stop()
    cursor.execute("INSERT INTO t VALUES ('äöÿÁ', 1)")
    cursor.execute("INSERT INTO \"größe\" VALUES ('é', 1)")
    world.clusters["target"].start()
    world.wait_drained()
    assert_equal(world)


def test_names_beyond_ascii_in_every_encoding(deploy):
    """The image names the table's columns; the client's encoding has other bytes for them, or none."""
    world = deploy('CREATE TABLE "größen"(id int PRIMARY KEY, "größe" text, "日本" int); CREATE TABLE k("schlüssel" int PRIMARY KEY, "größe" text, plain int)')
    for at, (encoding, standard) in enumerate((("LATIN1", "on"), ("WIN1252", "on"), ("UTF8", "on"), ("LATIN1", "off"))):
        connection = through(world.proxies[0], world, autocommit=True)
        connection.set_client_encoding(encoding)
        cursor = connection.cursor()
        cursor.execute(f"SET standard_conforming_strings = {standard}")
        cursor.execute(f'INSERT INTO "größen"(id, "größe") VALUES ({at}, \'ä\'), ({at + 10}, NULL)')
        cursor.execute(f'UPDATE "größen" AS "Ü" SET "größe" = "größe" || \'ö\' WHERE id = {at} RETURNING "Ü"."größe"')
        assert cursor.fetchall() == [("äö",)]
        cursor.execute(f'DELETE FROM "größen" WHERE id = {at + 10}')
        cursor.execute(f'INSERT INTO k VALUES ({at}, \'ß\', 1)')
        cursor.execute('UPDATE k SET plain = plain + 1')
        with pytest.raises(psycopg2.Error) as refused:
            cursor.execute('UPDATE k SET "schlüssel" = "schlüssel" + 100')
        assert refused.value.pgcode == "0A000"
    assert world.clusters["target"].run('SELECT "größe" FROM "größen"', world.database) == [("äö",)] * 4
    no_doubt(world)
