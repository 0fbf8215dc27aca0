// Do the tables of two databases match, as far as mirroring needs it? Pure, over two catalogs.
#pragma once
#include <cstddef>
#include <string>
#include <vector>

#include "proxy/sql/catalog.hpp"

namespace pgtandem::control {

struct table_report {
  std::size_t tables = 0;                 // compared
  std::vector<std::string> differences;   // one line each, at most differences_max
  static constexpr std::size_t differences_max = 50;
};

// Every table in scope of the primary must be on the secondary, with the same columns (name, type, generated) and the same key.
// What the secondary has beyond them is no difference.
table_report compare_tables(const sql::catalog& primary, const sql::catalog& secondary);

// Qualified names of the tables that a backfill copies: in scope, plain or partitioned, not pgtandem's own.
std::vector<std::string> tables_to_copy(const sql::catalog& c);

}  // namespace pgtandem::control
