"""The source tree as the house tests see it: its files, their includes, the rows of a Markdown table."""
import functools
import pathlib
import re
import subprocess

ROOT = pathlib.Path(__file__).resolve().parents[2]
CODE = (".hpp", ".cpp", ".h", ".c")
OURS = ("protocol", "config", "proxy", "reconcile")


@functools.cache
def files():
    """Every file of the project, relative to its root; without git (a source archive), what lies there."""
    listing = subprocess.run(["git", "-c", f"safe.directory={ROOT}", "ls-files", "-z", "--cached", "--others",
                              "--exclude-standard"], cwd=ROOT, capture_output=True, text=True)
    if listing.returncode == 0:
        names = listing.stdout.split("\0")
    else:
        names = [str(path.relative_to(ROOT)) for path in ROOT.rglob("*")]
        names = [name for name in names if not name.startswith((".git/", "build/"))]
    return sorted(name for name in names if name and (ROOT / name).is_file())


@functools.cache
def text(name):
    return (ROOT / name).read_text(encoding="utf-8", errors="replace")


def code(*folders):
    """The C and C++ files below these folders (default: of the product)."""
    folders = folders or OURS
    return [name for name in files() if name.endswith(CODE) and name.startswith(tuple(f + "/" for f in folders))]


def includes(name):
    """(line number, "ours" or <theirs>, path) of each include of a file."""
    found = []
    for number, line in enumerate(text(name).splitlines(), 1):
        match = re.match(r'\s*#\s*include\s*(?:"([^"]+)"|<([^>]+)>)', line)
        if match:
            found.append((number, bool(match.group(1)), match.group(1) or match.group(2)))
    return found


def table_rows(name, heading):
    """First cells (without backquotes) of the Markdown table below a heading."""
    lines = text(name).splitlines()
    start = next((i for i, line in enumerate(lines) if line.startswith("#") and line.lstrip("# ") == heading), None)
    assert start is not None, f"{name} has no heading \"{heading}\""
    cells = []
    for line in lines[start + 1:]:
        if line.startswith("#"):
            break
        if line.startswith("|"):
            cells.append(line.split("|")[1].strip().replace("`", ""))
    assert len(cells) > 2, f"{name}: no table under \"{heading}\""
    return cells[2:]  # without the head and its rule
