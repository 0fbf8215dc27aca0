// What the proxy knows of a database's tables: names, keys, columns, foreign keys, and which functions may write.
//
// A snapshot is immutable once published (std::shared_ptr<const catalog>) and is shared by all threads. It is pure data:
// proxy/database/catalog_loader fills it from pg_catalog; the planner, the write set and the appliers read it.
//
// `ddl_version` is the value of the sequence pgtandem.ddl_version that was read before the snapshot was loaded; every row
// image carries the value at the time of the write, so that an image taken under another schema is never trusted.
#pragma once
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>

namespace pgtandem::sql {

using oid = std::uint32_t;

struct column {
  std::string name;            // as in pg_attribute, unquoted
  std::string type;            // format_type() with an empty search_path, domains and user types schema-qualified
  bool fragile = false;        // its text output depends on session settings: the image goes through pgtandem.image()
  bool generated = false;      // GENERATED ALWAYS AS (…) STORED: not part of an image
  bool identity_always = false;
  bool styled = false;         // it depends on DateStyle and IntervalStyle alone
  bool blurred = false;        // a nondeterministic collation: equal values may differ in their bytes
};

enum class fk_action : std::uint8_t { none, cascade, set_null, set_default };

// A foreign key of another (or the same) table that references this one.
struct reference {
  oid child = 0;                             // root oid of the referencing table
  std::vector<std::string> child_columns;    // in the order of the constraint
  std::vector<std::string> parent_columns;   // the referenced columns, same order
  fk_action on_delete = fk_action::none;
  fk_action on_update = fk_action::none;
};

enum class relation_kind : std::uint8_t { table, partitioned, view, foreign, other };

struct table {
  oid id = 0;                  // the partition root's oid for anything partitioned
  std::string schema, name;    // unquoted
  std::string qualified;       // "schema.name" with quote_ident() where needed: the name used in ledger, dirty, messages
  relation_kind kind = relation_kind::table;
  bool in_scope = true;        // settings `scope`; out of scope: writes pass and are not mirrored
  bool inherits = false;       // plain inheritance (not partitions), as parent or child
  bool row_security = false;
  bool rules = false;          // rewrite rules other than a view's own
  std::string user_trigger;    // first enabled user trigger whose function is not in allowed_functions; empty = none
  std::string writing_default; // first column default or generated/check expression that calls a writing function; empty = none
  std::string cascade_obstacle;// what a DELETE reaches by the actions of foreign keys and the secondary would not repeat; empty = none
  std::vector<column> columns;            // attnum order, dropped ones left out
  std::vector<std::uint16_t> key;         // indexes into columns: primary key, else replica identity, else a non-null
                                          // non-partial unique index; empty = no key
  bool key_deferrable = false;            // cannot be an ON CONFLICT arbiter
  std::uint16_t further_unique = 0;       // unique indexes beside the key
  bool deferrable = false;                // has deferrable constraints or constraint triggers
  std::vector<reference> referenced_by;   // foreign keys that point here
  std::vector<oid> parents;               // root oids of tables this one references (for parents-first order)
  std::uint32_t fk_rank = 0;              // parents have a lower rank than their children (cycles: equal)
  std::uint64_t index_hash = 0;           // hash of the index definitions (pg_get_indexdef, sorted)
  bool any_fragile = false;               // some non-generated column is fragile
  bool any_styled = false;                // some non-generated column is styled

  // true if a DELETE here can change other tables' rows by itself
  bool cascades() const {
    for (const reference& r : referenced_by)
      if (r.on_delete != fk_action::none || r.on_update != fk_action::none) return true;
    return false;
  }
};

struct catalog {
  std::int64_t ddl_version = 0;
  oid ddl_version_sequence = 0;                          // oid of pgtandem.ddl_version; 0 before `pgtandem init`
  std::unordered_map<oid, std::shared_ptr<const table>> by_oid;      // roots, plain tables, views, foreign tables
  std::unordered_map<oid, oid> root_of;                              // leaf or sub-partition oid -> root oid
  std::map<std::string, oid, std::less<>> by_name;                   // table::qualified -> root oid
  // Names (lower-cased as in pg_proc, without schema) of functions that may write: VOLATILE, not in pg_catalog, not
  // LANGUAGE c/internal, not allowed by the settings; also procedures; also lo_*, dblink_* and the like.
  std::unordered_set<std::string> writing_functions;
  // Qualified and bare names of views whose definition calls such a function.
  std::unordered_set<std::string> writing_views;

  // Custom settings ("app.tenant") that functions make, as far as their bodies write the names out; in small letters, unique.
  std::vector<std::string> custom_settings;

  const table* find(oid id) const {
    auto r = root_of.find(id);
    auto t = by_oid.find(r == root_of.end() ? id : r->second);
    return t == by_oid.end() ? nullptr : t->second.get();
  }
  const table* find(std::string_view qualified) const {
    auto n = by_name.find(qualified);
    return n == by_name.end() ? nullptr : find(n->second);
  }
};

using catalog_ptr = std::shared_ptr<const catalog>;

}  // namespace pgtandem::sql
