"""What the code declares in tables is in the tables of OPERATIONS.md, and nothing else is."""
import re

from tree import code, table_rows, text

BOOK = "OPERATIONS.md"


def same(declared, documented):
    assert len(declared) > 0, "nothing declared was found: has the table's form changed?"
    assert sorted(documented) == sorted(set(documented)), "a row is there twice"
    assert {"undocumented": sorted(set(declared) - set(documented)), "stale": sorted(set(documented) - set(declared))} == \
        {"undocumented": [], "stale": []}


def settings():
    return re.findall(r'\{"([a-z_.]+)", AT\(', text("config/table.cpp"))


def test_settings():
    same(settings(), table_rows(BOOK, "Settings"))


def test_settings_are_used():
    """A setting that nobody reads is a promise that nobody keeps. Choices may be asked through strict() and scram()."""
    asked_by = {"dual_write.policy": "strict()", "auth.method": "scram()"}
    users = "\n".join(text(name) for name in code("proxy", "reconcile"))
    unused = [name for name in settings()
              if not re.search(r"\." + name.split(".")[-1] + r"\b", users) and asked_by.get(name, "\0") not in users]
    assert unused == []


def test_sqlstates():
    """Those of the table of errors, and those that startup, login and SCRAM say by themselves."""
    sources = [name for name in code("protocol", "proxy/session", "proxy/net") if name.endswith(".cpp")]
    declared = {state for name in sources for state in re.findall(r'"([0-9][0-9A-Z]{4}|XX000)"', text(name))}
    same(declared, table_rows(BOOK, "SQLSTATEs"))


def test_metrics():
    declared = re.findall(r'metric_row\{metric::\w+, "(\w+)"', text("proxy/telemetry/metrics.cpp"))
    same(declared, table_rows(BOOK, "Metrics"))


def test_gates():
    declared = re.findall(r'gate_row\{"(\w+)"', text("proxy/control/gates.cpp"))
    same(declared, table_rows(BOOK, "Gates"))


def test_admin_routes():
    declared = re.findall(r'route\{"([A-Z]+)", "([^"]+)",', text("proxy/admin/routes.cpp"))
    same([f"{method} {path}" for method, path in declared], table_rows(BOOK, "Admin routes"))


def test_ctl_verbs():
    declared = re.findall(r'verb\{"(\w+)",', text("proxy/admin/ctl.cpp"))
    same(declared, table_rows(BOOK, "Verbs of ctl"))
