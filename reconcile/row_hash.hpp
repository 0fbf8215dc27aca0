// SQL for comparing tables of two databases by hashes: exact per row, independent of session settings and collations.
// Pure.
//
// A hash is of bytes, never of what a collation or a type's equality thinks of them: plain types are hashed as they
// are, strings and types whose equal values may differ (numeric, jsonb) by their send functions; everything else (enums,
// composites, arrays, domains, reg*) by its output function, through ROW(…)::text, because a cast to text may say less
// (character(n) loses its blanks). What no copy can carry over is left out: the sign and payload of a NaN, the encoding
// named inside an xml value and the empty lines in front of it. Needs PostgreSQL 14 (hash_record_extended).
#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "proxy/sql/catalog.hpp"

namespace pgtandem::reconcile {

// The fields that stand for these columns (indexes into table::columns), separated by commas
std::string hashed(const sql::table& t, const std::vector<std::size_t>& columns, const std::string& alias);
// bigint over all columns, generated ones too: their values follow from the copied ones only if both sides compute alike
std::string row_hash(const sql::table& t, const std::string& alias);
// 0 … leaves-1, by the key (by the whole row where there is none): the same leaf on both sides for the same row
std::string leaf_number(const sql::table& t, const std::string& alias, std::uint32_t leaves);

// leaf, count, sum of hashes (numeric: SUM, never XOR; equal rows do not cancel out)
std::string select_leaves(const sql::table& t, std::uint32_t leaves);
// row hash, xmin, key columns … of all rows in the leaves $1::int[]
std::string select_leaf_rows(const sql::table& t, std::uint32_t leaves);

}  // namespace pgtandem::reconcile
