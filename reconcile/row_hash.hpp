// SQL for comparing tables of two databases by hashes: exact per row, independent of session settings and collations.
// Pure.
//
// Plain types are hashed as they are; types whose equal values may differ in their bytes (numeric, float, jsonb) by
// their send function; everything else (enums, composites, arrays, domains, reg*) as text. Needs PostgreSQL 14
// (hash_record_extended).
#pragma once
#include <cstdint>
#include <string>

#include "proxy/sql/catalog.hpp"

namespace pgtandem::reconcile {

std::string hashed(const sql::column& c, const std::string& alias);
// bigint over all copied columns
std::string row_hash(const sql::table& t, const std::string& alias);
// 0 … leaves-1, by the key (by the whole row where there is none): the same leaf on both sides for the same row
std::string leaf_number(const sql::table& t, const std::string& alias, std::uint32_t leaves);

// leaf, count, sum of hashes (numeric: SUM, never XOR; equal rows do not cancel out)
std::string select_leaves(const sql::table& t, std::uint32_t leaves);
// row hash, xmin, key columns … of all rows in the leaves $1::int[]
std::string select_leaf_rows(const sql::table& t, std::uint32_t leaves);

}  // namespace pgtandem::reconcile
