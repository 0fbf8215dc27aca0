// Ranks tables so that a referenced table comes before the tables that reference it; tables in a cycle of references
// share a rank. Pure.
#pragma once
#include <cstdint>
#include <vector>

namespace pgtandem::database {

// parents[i] = the tables that table i references (indexes; itself allowed). Returns a rank per table.
std::vector<std::uint32_t> rank_by_references(const std::vector<std::vector<std::uint32_t>>& parents);

}  // namespace pgtandem::database
