#include "reconcile/unique_closure.hpp"

#include <set>

#include "reconcile/key_batch.hpp"
#include "reconcile/table_sql.hpp"
#include "reconcile/transaction_guard.hpp"

namespace pgtandem::reconcile {
namespace {

constexpr int most_rounds = 20;  // of the closure: a chain of that many displaced values

// Every unique index of the table except the one on its key: the expressions and the predicate, as SQL over bare column
// names.
constexpr const char* unique_indexes_sql =
    "SELECT (SELECT string_agg(pg_get_indexdef(i.indexrelid, k, true), ', ' ORDER BY k)"
    " FROM generate_series(1, i.indnkeyatts) k), pg_get_expr(i.indpred, i.indrelid, true)"
    " FROM pg_index i WHERE i.indrelid = $1::regclass AND i.indisunique AND i.indisvalid";

struct unique_index {
  std::string expressions, predicate;
};

database::result<std::vector<unique_index>> unique_indexes(database::connection& c, const sql::table& t) {
  auto r = c.execute(unique_indexes_sql, {t.qualified});
  if (!r) return r.error();
  std::vector<unique_index> out;
  for (int i = 0; i < r->size(); ++i) out.push_back({std::string(r->at(i, 0)), std::string(r->at(i, 1))});
  return out;
}

database::result<void> stage(database::connection& c, const sql::table& t, const std::vector<cells>& rows) {
  const std::size_t width = copied_columns(t).size();
  sql::table staged = t;  // the same columns under another name
  staged.qualified = "pg_temp.pgtandem_staged";
  auto r = c.execute(plain_insert(staged), by_column(rows, width));
  if (!r) return r.error();
  return {};
}

database::result<std::vector<cells>> holders(database::connection& c, const sql::table& t, const unique_index& u) {
  const std::string where = u.predicate.empty() ? "" : " WHERE " + u.predicate;
  auto r = c.run("SELECT " + key_list(t, "t") + " FROM (SELECT * FROM " + rows_of(t) + where + ") t WHERE (" +
                 u.expressions + ") IN (SELECT " + u.expressions + " FROM pg_temp.pgtandem_staged" + where + ")");
  if (!r) return r.error();
  std::vector<cells> out;
  for (int i = 0; i < r->size(); ++i) out.push_back(cells_of(*r, i, 0, r->columns()));
  return out;
}

}  // namespace

database::result<displaced> close_over_unique(workbench& w, const sql::table& t, const std::vector<cells>& rows) {
  displaced out;
  auto indexes = unique_indexes(w.secondary, t);
  if (!indexes) return indexes.error();
  transaction_guard guard(w.secondary);
  if (auto r = guard.begin("BEGIN; CREATE TEMP TABLE pgtandem_staged (LIKE " + t.qualified + ") ON COMMIT DROP"); !r)
    return r.error();
  std::set<cells> known;
  for (const cells& row : rows) known.insert(key_of(t, row));
  std::vector<cells> fresh = rows;
  for (int round = 0; round < most_rounds && !fresh.empty(); ++round) {
    if (auto r = stage(w.secondary, t, fresh); !r) return r.error();
    std::vector<cells> more;
    for (const unique_index& u : *indexes) {
      auto found = holders(w.secondary, t, u);
      if (!found) return found.error();
      for (cells& key : *found)
        if (known.insert(key).second) more.push_back(std::move(key));
    }
    fresh.clear();
    if (more.empty()) break;
    auto images = read_images(w.primary, t, more, row_lock::share);
    if (!images) return images.error();
    for (std::size_t i = 0; i < more.size(); ++i) {
      const auto image = images->find(i);
      if (image == images->end())
        out.gone.push_back(more[i]);
      else
        fresh.push_back(image->second.values);
    }
    out.rows.insert(out.rows.end(), fresh.begin(), fresh.end());
    out.keys.insert(out.keys.end(), more.begin(), more.end());
  }
  return out;
}

}  // namespace pgtandem::reconcile
