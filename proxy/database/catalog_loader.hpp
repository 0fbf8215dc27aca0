// Fills proxy/sql/catalog.hpp from a live database with a handful of set-based queries (under 200 ms at 1,000 tables).
//
// The snapshot answers to its ddl_version: no change of tables that was counted up to that number is missing in it, and
// none counted later is trusted to be in it. Changes by transactions still open are waited for, up to one second; then
// the load is refused (55P03) and the caller keeps the catalog it has, which no longer matches the images, and tries
// again.
#pragma once
#include <string>
#include <vector>

#include "proxy/database/connection.hpp"
#include "proxy/sql/catalog.hpp"

namespace pgtandem::database {

struct load_options {
  std::vector<std::string> exclude;            // globs over "schema.table" ('*' and '?'): not in scope
  std::vector<std::string> allowed_functions;  // "name" or "schema.name": trusted to write nothing the proxy must see
};

// The connection must be idle. It is left as it was found.
result<sql::catalog_ptr> load_catalog(connection& c, const load_options& o = {});

// '*' stands for any run of characters, '?' for one. Pure.
bool glob_matches(std::string_view pattern, std::string_view text);

}  // namespace pgtandem::database
