// TCP ports for servers that a test starts: each is given once. Never twice by a process, nor to two processes that
// live at the same time, nor one that the kernel may hand to an outgoing connection. The same rule, under the same
// names, as tests/harness/ports.py: see there.
#pragma once
#include <utility>
#include <vector>

namespace pgtandem::test {

inline constexpr int block_ports = 50;

// First ports of the blocks outside of the ephemeral range [low, high]; all if that leaves too few.
std::vector<int> port_blocks(std::pair<int, int> ephemeral);
std::pair<int, int> ephemeral_range();

// std::runtime_error if every block is taken.
int free_port();

}  // namespace pgtandem::test
