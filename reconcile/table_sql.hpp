// SQL texts for one table, made from its catalog entry: reading rows by key, writing them, deleting guarded versions.
//
// Pure. Keys and rows travel as one parameter per column ($1…$n), an array of values in the types' canonical text form: the
// sessions of the reconciler fix every setting that this form depends on (place_pair.cpp), so it is exact both ways.
// `ord` in a result is the 1-based position of the requested key.
#pragma once
#include <cstddef>
#include <string>
#include <vector>

#include "proxy/sql/catalog.hpp"

namespace pgtandem::reconcile {

// Columns that are copied: everything not generated. Indexes into table::columns.
std::vector<std::size_t> copied_columns(const sql::table& t);
// Where the key columns are among copied_columns().
std::vector<std::size_t> key_positions(const sql::table& t);

// The relations that hold the rows of table $1 (itself, or its partitions), as c: a FROM item over pg_class.
inline constexpr const char* holding_relations =
    "(SELECT k.* FROM pg_class k WHERE k.relkind = 'r' AND (k.oid = $1::regclass OR k.oid IN"
    " (SELECT p.relid FROM pg_partition_tree($1::regclass) p))) c";

// The table as a FROM item: the rows of a plain table are its own, never those of tables that inherit from it.
std::string rows_of(const sql::table& t);
std::string quoted(const std::string& identifier);
// "t"."a", "t"."b" … of the copied columns
std::string column_list(const sql::table& t, const std::string& alias);
std::string key_list(const sql::table& t, const std::string& alias);

// ord, tableoid, ctid, xmin of the keys that exist. $1… = key columns.
std::string select_versions(const sql::table& t);
// ord, xmin, copied columns… of the keys that exist. $1… = key columns.
enum class row_lock { none, share };
std::string select_rows(const sql::table& t, row_lock lock);
// Key columns of the rows whose `columns` hold one of the values. $1… = columns.
std::string select_keys_by(const sql::table& t, const std::vector<std::string>& columns);
// `wanted` columns of the rows with one of the keys ($1… = key columns).
std::string select_by_key(const sql::table& t, const std::vector<std::string>& wanted);

// The same with any select list over t.
std::string select_list_by_key(const sql::table& t, const std::string& list);

// $1… = copied columns. Always leaves a new row version: a guarded delete elsewhere must see that someone wrote (DESIGN
// §3).
std::string upsert(const sql::table& t);
// For a key that cannot be an ON CONFLICT arbiter: run both, in this order, with the same parameters.
std::string update_existing(const sql::table& t);
std::string insert_missing(const sql::table& t);
std::string plain_insert(const sql::table& t);
// ord of the rows whose GENERATED ALWAYS identity beside the key is another on the table: no UPDATE can write it. $1… =
// copied columns. Empty if the table has no such column.
std::string select_stale_identity(const sql::table& t);
// $1… = key columns, then tableoid, ctid, xmin. Returns ord.
std::string delete_versions(const sql::table& t);
// $1… = key columns.
std::string delete_keys(const sql::table& t);

}  // namespace pgtandem::reconcile
