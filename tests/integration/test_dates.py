"""Dates, times and intervals are captured without a function call in ordinary sessions: exactly, under every setting, or refused."""
import itertools

import pytest
from connections import through
from harness.compare import assert_equal
from harness.wire import SYNC, Wire, bind, execute, parse, sqlstate

SCHEMA = """CREATE TABLE stamps(id int PRIMARY KEY, d date, t time, tz timetz, ts timestamp, tstz timestamptz, iv interval, many timestamptz[],
  at timestamptz DEFAULT clock_timestamp())"""
VALUES = {
    "d": ["'2026-02-03'", "'0044-03-15 BC'", "'5874897-12-31'", "'infinity'", "'-infinity'", "NULL"],
    "t": ["'04:05:06.789012'", "'24:00'"],
    "tz": ["'04:05:06.5+05:45'", "'23:59:60-12:34:56'"],
    "ts": ["'2026-02-03 04:05:06.000001'", "'0001-01-01 00:00 BC'", "'294276-12-31 23:59:59.999999'", "'infinity'"],
    "tstz": ["'2026-02-03 04:05:06.7+13'", "'1883-11-18 12:00 America/New_York'", "'4713-01-01 BC'", "'-infinity'"],
    "iv": ["'1 year -2 mons 3 days -04:05:06.789'", "'-1 day +00:00:00.000001'", "'0'", "'178956970 years'"],
    "many": ["ARRAY['2026-02-03 04:05+00', NULL, 'infinity']::timestamptz[]"],
}
SETTINGS = ["", "DateStyle='ISO, DMY'", "DateStyle='SQL, DMY'", "DateStyle='German'", "DateStyle='Postgres, MDY'", "IntervalStyle='sql_standard'",
            "IntervalStyle='postgres_verbose'", "IntervalStyle='iso_8601'", "TimeZone='Asia/Kathmandu'", "TimeZone='<-03:30>03:30'"]


@pytest.fixture
def world(deploy):
    return deploy(SCHEMA, settings={"dual_write": {"budget_ms": 5000}})


def no_doubt(world):
    assert world.clusters["source"].run("SELECT relation, key, reason FROM pgtandem.dirty", world.database) == []
    assert_equal(world)


def test_every_value_under_every_setting(world):
    connection = through(world.proxies[0], world, autocommit=True)
    cursor = connection.cursor()
    numbers = itertools.count(1)
    for setting in SETTINGS:
        if setting:
            cursor.execute(f"SET {setting}")
        for column, literals in VALUES.items():
            for literal in literals:
                cursor.execute(f"INSERT INTO stamps(id, {column}) VALUES ({next(numbers)}, {literal})")
        cursor.execute("RESET ALL")
    no_doubt(world)


def test_a_style_that_changes_while_the_session_goes_on(world):
    connection = through(world.proxies[0], world)
    cursor = connection.cursor()
    write = "INSERT INTO stamps(id, d, iv) VALUES (%s, make_date(2026, 2, 3), make_interval(days => -1, hours => 2))"
    cursor.execute(write, (1,))
    cursor.execute("SET LOCAL DateStyle = 'SQL, DMY'")
    cursor.execute(write, (2,))
    connection.commit()
    cursor.execute(write, (3,))
    cursor.execute("SAVEPOINT s")
    cursor.execute("SET IntervalStyle = 'sql_standard'; " + write, (4,))
    cursor.execute("ROLLBACK TO s")
    cursor.execute(write, (5,))
    connection.commit()
    assert world.clusters["target"].run("SELECT array_agg(id ORDER BY id) FROM stamps", world.database) == [([1, 2, 3, 5],)]
    no_doubt(world)


def test_a_style_that_changes_ahead_in_the_pipeline_is_refused_not_misread(world):
    client = Wire(world.proxies[0].port).login(world.database)
    client.send(parse("INSERT INTO stamps(id, d) VALUES ($1::int, make_date(2026, 2, 3))", "w") + SYNC)
    client.read_until(b"Z")
    client.send(bind([b"1"], "w") + execute() + SYNC)
    client.read_until(b"Z")
    client.send(parse("SET DateStyle = 'SQL, DMY'") + bind() + execute() + bind([b"2"], "w") + execute() + SYNC)
    assert sqlstate(client.read_until(b"Z")) == "40001"
    client.send(parse("SET DateStyle = 'SQL, DMY'") + bind() + execute() + SYNC + bind([b"3"], "w") + execute() + SYNC)
    first = client.read_until(b"Z", 2)
    assert sqlstate(first) in (None, "40001")
    client.send(bind([b"4"], "w") + execute() + SYNC)
    assert sqlstate(client.read_until(b"Z")) is None
    ids = world.clusters["source"].run("SELECT array_agg(id ORDER BY id) FROM stamps", world.database)[0][0]
    assert ids == ([1, 4] if sqlstate(first) else [1, 3, 4])
    client.close()
    no_doubt(world)
