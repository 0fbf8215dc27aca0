"""What the protocol admits to be in doubt: keys and scopes that are dirty or named by an unsettled ledger row."""
import json

from .cluster import run
from .compare import differences, key_columns, tables

UNSETTLED = ("SELECT keys FROM pgtandem.ledger, pgtandem.watermark WHERE kind <> 'claim' AND NOT settled "
             "AND target_rev >= settled_below")


class Doubt:
    def __init__(self, primary, secondary):
        """Reads both databases; take differences() before it, so that doubt is never younger than what it explains."""
        entries = run(primary, "SELECT relation, key, scope FROM pgtandem.dirty")
        for (keys,) in run(secondary, UNSETTLED):
            entries += [tuple(k) for k in (keys if isinstance(keys, list) else json.loads(keys))]
        self.whole = {relation for relation, key, _ in entries if key is None}
        self.keys = {(relation, tuple(key)) for relation, key, scope in entries if key is not None and not scope}
        self.scopes = [(relation, scope, key) for relation, key, scope in entries if key is not None and scope]

    def __len__(self):
        return len(self.whole) + len(self.keys) + len(self.scopes)

    def covers(self, difference, connections):
        table = difference.table
        if table in self.whole or (table, tuple(difference.key)) in self.keys:
            return True
        return any(relation == table and self._in_scope(table, scope, key, difference.key, connections)
                   for relation, scope, key in self.scopes)

    @staticmethod
    def _in_scope(table, scope, values, key, connections):
        for connection in connections:
            columns = key_columns(connection, dict(tables(connection)).get(table))
            where = [f"{c}::text = %s" for c in columns] + [f'"{c}"::text = %s' for c in scope]
            if run(connection, f"SELECT 1 FROM {table} WHERE {' AND '.join(where)}", list(key) + list(values)):
                return True
        return False


def uncovered(primary, secondary):
    """Differing rows that nothing declares to be in doubt. Both connections in autocommit; no op in flight."""
    found = differences(primary, secondary)
    doubt = Doubt(primary, secondary)
    return [d for d in found if not doubt.covers(d, (primary, secondary))]
