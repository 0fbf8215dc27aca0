// The queries of the catalog loader. Each restricts itself to relations of users (and pgtandem.idempotency). Pure
// texts.
#pragma once
#include <string_view>

namespace pgtandem::database::catalog_query {

extern const std::string_view relations;    // oid, schema, name, qualified, kind, root or own oid, row security, rules
extern const std::string_view inheritance;  // oid of every parent and child of plain inheritance
extern const std::string_view columns;      // oid, attnum, name, type, fragile, generated, identity always, not null, styled
extern const std::string_view indexes;      // unique: oid, primary, replica identity, immediate, usable as key, attnums
extern const std::string_view index_hashes;  // oid, hash
extern const std::string_view
    foreign_keys;                          // one row per column: constraint, child, parent, actions, deferrable, names
extern const std::string_view unsure_defaults;  // table, column under SET DEFAULT whose default is not immutable
extern const std::string_view deferrable;  // oid of tables with deferrable constraints or constraint triggers
// oid, trigger, function schema, function name; may alter rows, function is a user's, fires on DELETE, on UPDATE
extern const std::string_view triggers;
extern const std::string_view writing_functions;  // oid, schema, name
extern const std::string_view default_calls;      // table, default or check, function oid
extern const std::string_view view_calls;         // view or rule's relation, function oid
extern const std::string_view view_reads;         // view, view it reads
extern const std::string_view setting_bodies;     // source of functions that may make settings
extern const std::string_view ddl_version;        // oid, last value; no row before `pgtandem init`

}  // namespace pgtandem::database::catalog_query
