// SQL of the backfill: key ranges, and children whose parent is missing. Pure.
#pragma once
#include <string>
#include <vector>

#include "proxy/sql/catalog.hpp"

namespace pgtandem::reconcile {

// A range of keys (lo, hi]; no lo = from −infinity, no hi = to +infinity. Parameters: lo's cells, then hi's cells.
std::string in_range(const sql::table& t, const std::string& alias, bool has_lo, bool has_hi);
// xmin, copied columns …, in key order from behind lo
std::string select_chunk(const sql::table& t, bool has_lo, std::uint32_t rows);
// xmin, key columns … of a range
std::string select_range_versions(const sql::table& t, bool has_lo, bool has_hi);
// Keys (q.ord, $1… = key columns) of `child` rows whose parent by this foreign key is not there.
std::string select_orphans(const sql::table& child, const sql::table& parent, const sql::reference& fk);

}  // namespace pgtandem::reconcile
