#include "reconcile/chunk_sql.hpp"

#include "reconcile/table_sql.hpp"

namespace pgtandem::reconcile {
namespace {

std::string bound(const sql::table& t, std::size_t first) {
  std::string out;
  for (const auto k : t.key)
    out += (out.empty() ? "$" : ", $") + std::to_string(first++) + "::" + t.columns[k].type;
  return out;
}

}  // namespace

std::string in_range(const sql::table& t, const std::string& alias, bool has_lo, bool has_hi) {
  const std::string key = "(" + key_list(t, alias) + ")";
  std::string out;
  if (has_lo) out += " WHERE " + key + " > (" + bound(t, 1) + ")";
  if (has_hi) out += (has_lo ? " AND " : " WHERE ") + key + " <= (" + bound(t, has_lo ? t.key.size() + 1 : 1) + ")";
  return out;
}

std::string select_chunk(const sql::table& t, bool has_lo, std::uint32_t rows) {
  return "SELECT t.xmin, " + column_list(t, "t") + " FROM " + rows_of(t) + " t" + in_range(t, "t", has_lo, false) +
         " ORDER BY " + key_list(t, "t") + " LIMIT " + std::to_string(rows);
}

std::string select_range_versions(const sql::table& t, bool has_lo, bool has_hi) {
  return "SELECT t.xmin, " + key_list(t, "t") + " FROM " + rows_of(t) + " t" + in_range(t, "t", has_lo, has_hi);
}

std::string select_orphans(const sql::table& child, const sql::table& parent, const sql::reference& fk) {
  std::string joined, present;
  for (std::size_t i = 0; i < fk.child_columns.size() && i < fk.parent_columns.size(); ++i) {
    joined += (i ? " AND p." : "p.") + quoted(fk.parent_columns[i]) + " = s." + quoted(fk.child_columns[i]);
    present += (i ? " AND s." : "s.") + quoted(fk.child_columns[i]) + " IS NOT NULL";
  }
  // select_by_key() gives ord and the foreign key's columns of the rows asked for
  return "SELECT s.ord FROM (" + select_by_key(child, fk.child_columns) + ") s WHERE " + present +
         " AND NOT EXISTS (SELECT FROM " + rows_of(parent) + " p WHERE " + joined + ")";
}

}  // namespace pgtandem::reconcile
