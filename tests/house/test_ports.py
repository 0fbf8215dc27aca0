"""The harness gives each TCP port once: to one caller, in one process, and never one that an outgoing connection may get."""
import subprocess
import sys

import pytest
from tree import ROOT

sys.path.insert(0, str(ROOT / "tests"))
from harness.ports import BLOCK_PORTS, blocks, ephemeral_range, free_port  # noqa: E402

PROCESSES, DRAWS = 4, 120          # more than two blocks each
# Draws, tells, and lives on (holding its blocks) until its input ends.
DRAWER = f"import sys; from harness.ports import free_port; print(*(free_port() for _ in range({DRAWS})), flush=True); sys.stdin.read()"


def test_no_port_is_given_twice():
    children = [subprocess.Popen([sys.executable, "-c", DRAWER], cwd=ROOT / "tests", stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                 text=True) for _ in range(PROCESSES)]
    drawn = [free_port() for _ in range(DRAWS)]
    for child in children:
        drawn += [int(word) for word in child.stdout.readline().split()]
    for child in children:
        child.communicate()
    assert len(drawn) == (PROCESSES + 1) * DRAWS
    assert len(set(drawn)) == len(drawn)
    low, high = ephemeral_range()
    assert not [port for port in drawn if low <= port <= high]


def test_a_block_is_held_under_the_name_that_the_unit_tests_use_too():
    block = free_port() // BLOCK_PORTS * BLOCK_PORTS
    with open("/proc/net/unix", encoding="ascii") as held:
        assert f"@pgtandem-ports-{block}" in held.read().split()


@pytest.mark.parametrize("ephemeral, first, last", [
    ((32768, 60999), 10000, 32700), ((15000, 64000), 10000, 14950), ((11000, 61017), 61050, 65450), ((1024, 65535), 10000, 65450)])
def test_where_the_blocks_lie(ephemeral, first, last):
    found = blocks(ephemeral)
    assert (found[0], found[-1]) == (first, last)
