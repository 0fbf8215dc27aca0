"""Row-by-row comparison of two databases over every table in scope: exact, in text form under fixed settings.

Tables are first compared by count and checksum; only tables that differ are fetched.
"""
from .cluster import run

SHOWN_ROWS = 20
FIXED = ("SET DateStyle='ISO, YMD'; SET IntervalStyle='postgres'; SET TimeZone='UTC'; SET extra_float_digits=3;"
         " SET bytea_output='hex'; SET search_path='pg_catalog'; SET lc_monetary='C'")

TABLES = """
SELECT format('%I.%I', n.nspname, c.relname), c.oid FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition AND c.relpersistence <> 't'
  AND n.nspname NOT IN ('pg_catalog', 'information_schema') AND n.nspname NOT LIKE 'pg\\_%'
  AND (n.nspname <> 'pgtandem' OR c.relname = 'idempotency') ORDER BY 1"""

KEY = """
SELECT array_agg(quote_ident(a.attname) ORDER BY k.n) FROM (SELECT indkey FROM pg_index
  WHERE indrelid = %s AND indisunique AND indpred IS NULL AND indexprs IS NULL
  ORDER BY indisprimary DESC, indisreplident DESC, indexrelid LIMIT 1) i,
  unnest(i.indkey) WITH ORDINALITY k(num, n) JOIN pg_attribute a ON a.attrelid = %s AND a.attnum = k.num"""


class Difference:
    """A row that is not the same on both sides; None where it is missing."""

    def __init__(self, table, key, source, target):
        self.table, self.key, self.source, self.target = table, key, source, target

    @property
    def what(self):
        return "missing on target" if self.target is None else "only on target" if self.source is None else "differs"

    def __repr__(self):
        return f"{self.table} {self.key}: {self.what}\n    source {self.source}\n    target {self.target}"


def tables(connection):
    return run(connection, TABLES)


def checksum(connection, table):
    return run(connection, f"SELECT count(*), sum(hashtextextended(t::text, 0)::numeric) FROM {table} t")[0]


def key_columns(connection, oid):
    return (run(connection, KEY, (oid, oid))[0][0] or []) if oid else []


def rows(connection, table, key):
    """{key texts: row text}; a table without key counts equal rows."""
    if key:
        keys = ", ".join(f"t.{column}::text" for column in key)
        return {row[:-1]: row[-1] for row in run(connection, f"SELECT {keys}, t::text FROM {table} t")}
    found = {}
    for (row,) in run(connection, f"SELECT t::text FROM {table} t ORDER BY 1"):
        found[(row, sum(1 for k in found if k[0] == row))] = row
    return found


def differences(source, target, only=None):
    """Differences between two connections (autocommit); `only` restricts to these qualified tables."""
    for connection in (source, target):
        run(connection, FIXED)
    try:
        return _differences(source, target, only)
    finally:
        for connection in (source, target):
            run(connection, "RESET ALL")


def _differences(source, target, only):
    found = []
    there = {name: oid for name, oid in tables(target)}
    for table, oid in tables(source):
        if only and table not in only:
            continue
        if table not in there:
            found.append(Difference(table, "(table)", "exists", None))
            continue
        if checksum(source, table) == checksum(target, table):
            continue
        key = key_columns(source, oid)
        mine, theirs = rows(source, table, key), rows(target, table, key)
        for k in mine.keys() | theirs.keys():
            if mine.get(k) != theirs.get(k):
                found.append(Difference(table, k, mine.get(k), theirs.get(k)))
    return found


def row_count(connection):
    return sum(run(connection, f"SELECT count(*) FROM {table}")[0][0] for table, _ in tables(connection))


def compare(deployment, only=None):
    """Differences between a deployment's databases."""
    source, target = deployment.connect("source"), deployment.connect("target")
    try:
        return differences(source, target, only)
    finally:
        source.close()
        target.close()


def assert_equal(deployment, only=None):
    found = compare(deployment, only)
    shown = "\n  ".join(map(repr, found[:SHOWN_ROWS]))
    assert not found, f"{len(found)} differing rows:\n  {shown}"
