// Builds a sql::catalog from the rows of catalog_queries.hpp: the order of the calls is the order of the declarations.
// Pure but for the rows it is given.
#pragma once
#include <map>
#include <memory>
#include <set>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "proxy/database/cascades.hpp"
#include "proxy/database/catalog_loader.hpp"

namespace pgtandem::database {

class catalog_builder {
 public:
  explicit catalog_builder(const load_options& o);

  void relations(const rows& r);
  void inheritance(const rows& r);
  void columns(const rows& r);
  void indexes(const rows& r);
  void index_hashes(const rows& r);
  void foreign_keys(const rows& r);
  void unsure_defaults(const rows& r);
  void deferrable(const rows& r);
  void triggers(const rows& r);
  void writing_functions(const rows& r);
  void default_calls(const rows& r);
  void view_calls(const rows& r);
  void view_reads(const rows& r);
  void setting_bodies(const rows& r);

  sql::catalog_ptr finish(std::int64_t ddl_version, sql::oid ddl_version_sequence);

 private:
  struct unique_index {
    bool primary = false, replica_identity = false, immediate = false;
    std::vector<std::uint16_t> columns;  // indexes into table::columns; empty = cannot be a key
  };
  struct draft {
    std::shared_ptr<sql::table> table;
    std::unordered_map<int, std::uint16_t> by_attnum;
    std::unordered_set<std::uint16_t> not_null;
    std::vector<unique_index> unique;
    cascade_risks risks;
  };

  draft* find(std::string_view oid_text);  // by any partition's oid; null if not a relation of users
  bool allowed(std::string_view schema, std::string_view name) const;
  static void choose_key(draft& d);
  void add_foreign_key(const std::string& child, const std::string& parent, sql::reference r);
  void rank();
  void cascades();
  void close_writing_views();

  const load_options& options_;
  std::map<sql::oid, draft> drafts_;  // roots; ordered, so that equal databases give equal catalogs
  std::unordered_map<sql::oid, sql::oid> root_of_;
  std::unordered_set<std::string> writing_oids_;
  std::unordered_set<std::string> writing_names_;
  std::unordered_set<sql::oid> writing_views_;
  std::set<std::string> custom_settings_;
  std::unordered_map<sql::oid, std::vector<sql::oid>> readers_;  // view -> views that read it
};

}  // namespace pgtandem::database
