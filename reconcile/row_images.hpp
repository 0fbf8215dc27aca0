// Reading a batch of keys on either side, by their position in the batch.
#pragma once
#include <map>
#include <string>
#include <vector>

#include "proxy/database/connection.hpp"
#include "reconcile/table_sql.hpp"
#include "reconcile/text_array.hpp"

namespace pgtandem::reconcile {

// A row version on the secondary: what a guarded delete must still find.
struct row_version {
  std::string tableoid, ctid, xmin;
};
// A row on the primary.
struct row_image {
  std::string xmin;
  cells values;  // copied columns
};

database::result<std::map<std::size_t, row_version>> read_versions(database::connection& c, const sql::table& t,
                                                                   const std::vector<cells>& keys);
database::result<std::map<std::size_t, row_image>> read_images(database::connection& c, const sql::table& t,
                                                               const std::vector<cells>& keys, row_lock lock);
// Images without the second of two that are the same row (two texts of one numeric key).
std::vector<cells> distinct_rows(const sql::table& t, const std::map<std::size_t, row_image>& images);
// The values of the key columns.
cells key_of(const sql::table& t, const cells& row);

}  // namespace pgtandem::reconcile
