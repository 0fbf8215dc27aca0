"""SQL texts are ASCII: a server whose database cannot hold another character would refuse them."""
import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
RAW = re.compile(r'R"(\w*)\((.*?)\)\1"', re.S)


def test_sql_in_raw_strings_is_ascii():
    wrong = []
    for folder in ("proxy/database", "proxy/control", "proxy/session", "proxy/apply", "reconcile"):
        for path in sorted((ROOT / folder).glob("*.[ch]pp")):
            text = path.read_text(encoding="utf-8")
            wrong += [f"{path.relative_to(ROOT)}:{text[:m.start()].count(chr(10)) + 1}" for m in RAW.finditer(text) if not m.group(2).isascii()]
    assert not wrong
