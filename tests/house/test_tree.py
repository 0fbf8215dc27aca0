"""Nothing strays: no foreign top-level folder, no path of one machine, no left-overs, no half-told lines."""
import re

from tree import code, files, text

FOLDERS = {".ci", "benchmarks", "config", "helm", "protocol", "proxy", "reconcile", "tests"}
FILES = {".clang-format", ".gitignore", "ARCHITECTURE.md", "CHANGELOG.md", "CMakeLists.txt", "CMakePresets.json",
         "CONTRIBUTING.md", "LICENSE", "OPERATIONS.md", "README.md", "dev"}


def lines_with(pattern, names):
    return [f"{name}:{number}: {line.strip()[:100]}" for name in names
            for number, line in enumerate(text(name).splitlines(), 1) if re.search(pattern, line)]


def test_top_level():
    assert {name.split("/")[0] for name in files() if "/" in name} - FOLDERS == set()
    assert {name for name in files() if "/" not in name} == FILES


def test_no_machine_paths():
    # The parts are kept apart so that this line does not find itself.
    pattern = "|".join("/" + part + "/" for part in ("work", "home", "root", "Users", "mnt", "opt"))
    names = [name for name in files() if "/corpus/" not in name]
    assert lines_with(rf"(?<![\w.{{}}$*-])(?:{pattern})\w", names) == []


def test_no_registry_hosts():
    hosts = "|".join(re.escape(host) for host in ("deb" + ".debian.org", "pypi" + ".org", "registry." + "npmjs", "ghcr" + ".io"))
    assert lines_with(hosts, files()) == []


def test_no_left_overs():
    words = "|".join(("TO" + "DO", "FIX" + "ME", r"\bXX" + r"X\b", "HA" + "CK", "not " + "implemented"))
    names = [name for name in files() if name.endswith((".hpp", ".cpp", ".c", ".h", ".py", ".txt")) or name == "dev"]
    assert lines_with(words, names) == []


def test_no_sleep_in_place_of_a_condition():
    """Where clients are served nobody sleeps. The reconciler paces itself and looks at databases now and then: by named intervals."""
    sleep = r"sleep_for|sleep_until|\busleep\(|\bnanosleep\("
    assert lines_with(sleep, code("protocol", "config", "proxy")) == []
    unnamed = [line for line in lines_with(sleep, code("reconcile")) if re.search(r"\d", line.split(": ", 1)[1])]
    assert unnamed == []
