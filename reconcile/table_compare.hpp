// Compares one table on two sessions: leaves (count and sum of hashes) first, then only the rows of unequal leaves.
//
// What "equal" is worth depends on the sessions: under a certified pair of snapshots a difference is real (sweep.hpp);
// between two plain sessions, secondary read first, a key that is equal needs no repair and a difference is only a
// candidate.
#pragma once
#include <cstdint>
#include <functional>
#include <vector>

#include "proxy/database/connection.hpp"
#include "proxy/sql/catalog.hpp"
#include "reconcile/text_array.hpp"

namespace pgtandem::reconcile {

// A key (of a keyless table: a row, by its hash) that is not the same on both sides.
struct difference {
  cells key;                       // empty for a keyless table
  std::int64_t hash = 0;           // keyless: which rows
  std::int64_t primary_count = 0;  // keyless: how many such rows; else 0 or 1
  std::int64_t secondary_count = 0;
  std::vector<std::string> secondary_xmins;  // keyless: of those rows
};

struct comparison {
  std::int64_t leaves = 0, unequal_leaves = 0, rows = 0;
  std::vector<difference> differences;
  bool complete = true;  // false: stopped because there were more differences than the bound
};

struct compare_options {
  std::uint32_t leaf_rows = 2000;                     // rows per leaf, about
  std::size_t differences_max = 100000;               // beyond it the comparison stops
  std::function<bool()> stop = [] { return false; };  // asked between statements
};

database::result<comparison> compare_table(database::connection& primary, database::connection& secondary,
                                           const sql::table& t, const compare_options& o);

}  // namespace pgtandem::reconcile
