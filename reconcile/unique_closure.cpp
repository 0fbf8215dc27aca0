#include "reconcile/unique_closure.hpp"

#include <set>

#include "reconcile/key_batch.hpp"
#include "reconcile/table_sql.hpp"
#include "reconcile/transaction_guard.hpp"

namespace pgtandem::reconcile {
namespace {

constexpr int most_rounds = 20;  // of the closure: a chain of that many displaced values

// Every unique index and exclusion constraint of the table, a row per column: as SQL over bare column names, with the
// index's own collation and operator. (indnullsnotdistinct is there from PostgreSQL 15 on.)
constexpr const char* unique_indexes_sql = R"sql(
SELECT i.indexrelid, coalesce((to_jsonb(i) ->> 'indnullsnotdistinct')::boolean, false),
  pg_get_expr(i.indpred, i.indrelid, true),
  pg_get_indexdef(i.indexrelid, k, true) || coalesce((SELECT format(' COLLATE %I.%I', n.nspname, c.collname)
    FROM pg_collation c JOIN pg_namespace n ON n.oid = c.collnamespace WHERE c.oid = i.indcollation[k - 1]), ''),
  (SELECT format('OPERATOR(%I.%s)', n.nspname, o.oprname)
    FROM pg_operator o JOIN pg_namespace n ON n.oid = o.oprnamespace
    WHERE o.oid = coalesce(x.conexclop[k], (SELECT a.amopopr FROM pg_opclass p JOIN pg_amop a ON a.amopfamily = p.opcfamily
      AND a.amoplefttype = p.opcintype AND a.amoprighttype = p.opcintype AND a.amopstrategy = 3
      WHERE p.oid = i.indclass[k - 1])))
FROM pg_index i LEFT JOIN pg_constraint x ON x.conindid = i.indexrelid AND x.conexclop IS NOT NULL,
  generate_series(1, i.indnkeyatts) k
WHERE i.indrelid = $1::regclass AND (i.indisunique OR i.indisexclusion) AND i.indisvalid ORDER BY 1, k)sql";

struct unique_index {
  std::string columns, collisions, predicate;  // SELECT list; condition between s and t; empty = none
};

database::result<std::vector<unique_index>> unique_indexes(database::connection& c, const sql::table& t) {
  auto r = c.execute(unique_indexes_sql, {t.qualified});
  if (!r) return r.error();
  std::vector<unique_index> out;
  int column = 0;
  for (int i = 0; i < r->size(); ++i) {
    if (i == 0 || r->at(i, 0) != r->at(i - 1, 0)) out.push_back({"", "", std::string(r->at(i, 2))}), column = 0;
    const std::string x = "pgtandem_x" + std::to_string(++column), op = " " + std::string(r->at(i, 4)) + " ";
    unique_index& u = out.back();
    u.columns += ", (" + std::string(r->at(i, 3)) + ") AS " + x;
    u.collisions += (column > 1 ? " AND (t." : "(t.") + x + op + "s." + x;
    if (r->boolean(i, 1)) u.collisions += " OR t." + x + " IS NULL AND s." + x + " IS NULL";
    u.collisions += ")";
  }
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
  auto r = c.run("SELECT " + key_list(t, "t") + " FROM (SELECT *" + u.columns + " FROM pg_temp.pgtandem_staged" + where +
                 ") s JOIN (SELECT *" + u.columns + " FROM " + rows_of(t) + where + ") t ON " + u.collisions);
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
  if (auto r = guard.begin("BEGIN; CREATE TEMP TABLE pgtandem_staged (LIKE " + t.qualified + " INCLUDING GENERATED) ON COMMIT DROP"); !r)
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
