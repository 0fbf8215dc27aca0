#include "reconcile/row_images.hpp"

#include <set>

#include "reconcile/key_batch.hpp"

namespace pgtandem::reconcile {

database::result<std::map<std::size_t, row_version>> read_versions(database::connection& c, const sql::table& t,
                                                                   const std::vector<cells>& keys) {
  auto r = c.execute(select_versions(t), by_column(keys, t.key.size()));
  if (!r) return r.error();
  std::map<std::size_t, row_version> out;
  for (int i = 0; i < r->size(); ++i)
    out[static_cast<std::size_t>(r->integer(i, 0) - 1)] = {std::string(r->at(i, 1)), std::string(r->at(i, 2)),
                                                           std::string(r->at(i, 3))};
  return out;
}

database::result<std::map<std::size_t, row_image>> read_images(database::connection& c, const sql::table& t,
                                                               const std::vector<cells>& keys, row_lock lock) {
  auto r = c.execute(select_rows(t, lock), by_column(keys, t.key.size()));
  if (!r) return r.error();
  std::map<std::size_t, row_image> out;
  for (int i = 0; i < r->size(); ++i)
    out[static_cast<std::size_t>(r->integer(i, 0) - 1)] = {std::string(r->at(i, 1)),
                                                           cells_of(*r, i, 2, r->columns() - 2)};
  return out;
}

cells key_of(const sql::table& t, const cells& row) {
  cells out;
  for (const std::size_t p : key_positions(t)) out.push_back(row[p]);
  return out;
}

std::vector<cells> distinct_rows(const sql::table& t, const std::map<std::size_t, row_image>& images) {
  std::set<cells> seen;
  std::vector<cells> out;
  for (const auto& [ord, image] : images)
    if (seen.insert(key_of(t, image.values)).second) out.push_back(image.values);
  return out;
}

}  // namespace pgtandem::reconcile
