#include "reconcile/table_sql.hpp"

#include <algorithm>
#include <array>
#include <string_view>

#include "proxy/sql/text_input.hpp"

namespace pgtandem::reconcile {
namespace {

// Types whose equal values have one text only: such a key column need not be written again by an upsert.
bool equal_is_identical(const sql::column& c) {
  if (c.blurred) return false;
  static constexpr std::array<std::string_view, 9> plain{"smallint", "integer", "bigint", "text",    "uuid",
                                                         "boolean",  "date",    "oid",    "\"char\""};
  return std::find(plain.begin(), plain.end(), c.type) != plain.end() || c.type.starts_with("character varying");
}

std::string number(std::size_t n) { return std::to_string(n); }

using columns = std::vector<const sql::column*>;

// unnest($1::…[], …) AS q(c1, …): arrays of texts of these columns, then `texts` more that stay text
std::string unnest(const columns& of, bool ordinality, std::size_t texts = 0) {
  std::string arrays, names;
  for (std::size_t i = 1; i <= of.size() + texts; ++i) {
    arrays += (i > 1 ? ", " : "") + sql::text_input::array_parameter(i <= of.size() ? of[i - 1]->type : "text", i);
    names += (i > 1 ? ", c" : "c") + number(i);
  }
  return "unnest(" + arrays + ")" + (ordinality ? " WITH ORDINALITY" : "") + " AS q(" + names +
         (ordinality ? ", ord)" : ")");
}

// Column n of q as a value
std::string value(const sql::column& c, std::size_t n) { return sql::text_input::element(c.type, "q.c" + number(n)); }

const sql::column* find_column(const sql::table& t, const std::string& name) {
  for (const sql::column& c : t.columns)
    if (c.name == name) return &c;
  return nullptr;
}

// t."a" = q.c1 AND …
std::string equal_to_cells(const columns& of) {
  std::string out;
  for (std::size_t i = 0; i < of.size(); ++i)
    out += (i ? " AND t." : "t.") + quoted(of[i]->name) + " = " + value(*of[i], i + 1);
  return out;
}

columns key_columns(const sql::table& t) {
  columns out;
  for (const auto k : t.key) out.push_back(&t.columns[k]);
  return out;
}

columns row_columns(const sql::table& t) {
  columns out;
  for (const std::size_t c : copied_columns(t)) out.push_back(&t.columns[c]);
  return out;
}

bool in_key(const sql::table& t, std::size_t column) {
  return std::find(t.key.begin(), t.key.end(), column) != t.key.end();
}

std::string names(const sql::table& t, const std::vector<std::size_t>& columns) {
  std::string out;
  for (const std::size_t c : columns) out += (out.empty() ? "" : ", ") + quoted(t.columns[c].name);
  return out;
}

std::string all_values(const sql::table& t) {
  std::string out;
  std::size_t i = 0;
  for (const sql::column* c : row_columns(t)) out += (i ? ", " : "") + value(*c, i + 1), ++i;
  return out;
}

// Columns an UPDATE of an existing key writes. Identity columns that are GENERATED ALWAYS take no value in an UPDATE.
std::vector<std::size_t> rewritten_columns(const sql::table& t) {
  std::vector<std::size_t> out;
  for (const std::size_t c : copied_columns(t))
    if (!t.columns[c].identity_always && !(in_key(t, c) && equal_is_identical(t.columns[c]))) out.push_back(c);
  if (out.empty())
    for (const auto k : t.key)
      if (!t.columns[k].identity_always) out.push_back(k);
  return out;
}

std::string insert_head(const sql::table& t) {
  return "INSERT INTO " + t.qualified + " AS t (" + names(t, copied_columns(t)) + ") OVERRIDING SYSTEM VALUE SELECT " +
         all_values(t) + " FROM " + unnest(row_columns(t), false);
}

// The condition t.key = q.key when q holds whole rows.
std::string key_of_row(const sql::table& t) {
  std::string out;
  const auto positions = key_positions(t);
  for (std::size_t i = 0; i < t.key.size(); ++i) {
    const sql::column& c = t.columns[t.key[i]];
    out += (i ? " AND t." : "t.") + quoted(c.name) + " = " + value(c, positions[i] + 1);
  }
  return out;
}

}  // namespace

std::vector<std::size_t> copied_columns(const sql::table& t) {
  std::vector<std::size_t> out;
  for (std::size_t i = 0; i < t.columns.size(); ++i)
    if (!t.columns[i].generated) out.push_back(i);
  return out;
}

std::vector<std::size_t> key_positions(const sql::table& t) {
  std::vector<std::size_t> out;
  const auto copied = copied_columns(t);
  for (const auto k : t.key)
    out.push_back(static_cast<std::size_t>(std::find(copied.begin(), copied.end(), k) - copied.begin()));
  return out;
}

std::string rows_of(const sql::table& t) { return (t.kind == sql::relation_kind::table ? "ONLY " : "") + t.qualified; }

std::string quoted(const std::string& identifier) {
  std::string out = "\"";
  for (const char c : identifier) {
    if (c == '"') out += '"';
    out += c;
  }
  return out + '"';
}

std::string column_list(const sql::table& t, const std::string& alias) {
  std::string out;
  for (const std::size_t c : copied_columns(t))
    out += (out.empty() ? "" : ", ") + alias + "." + quoted(t.columns[c].name);
  return out;
}

std::string key_list(const sql::table& t, const std::string& alias) {
  std::string out;
  for (const auto k : t.key) out += (out.empty() ? "" : ", ") + alias + "." + quoted(t.columns[k].name);
  return out;
}

std::string select_versions(const sql::table& t) {
  return "SELECT q.ord, t.tableoid, t.ctid, t.xmin FROM " + unnest(key_columns(t), true) + " JOIN " + rows_of(t) +
         " t ON " + equal_to_cells(key_columns(t));
}

std::string select_rows(const sql::table& t, row_lock lock) {
  return "SELECT q.ord, t.xmin, " + column_list(t, "t") + " FROM " + unnest(key_columns(t), true) + " JOIN " +
         rows_of(t) + " t ON " + equal_to_cells(key_columns(t)) + (lock == row_lock::share ? " FOR SHARE OF t" : "");
}

std::string select_keys_by(const sql::table& t, const std::vector<std::string>& columns) {
  reconcile::columns by;
  for (const std::string& c : columns)
    if (const sql::column* found = find_column(t, c)) by.push_back(found);
  return "SELECT q.ord, " + key_list(t, "t") + " FROM " + unnest(by, true) + " JOIN " + rows_of(t) + " t ON " +
         equal_to_cells(by);
}

std::string select_by_key(const sql::table& t, const std::vector<std::string>& wanted) {
  std::string list;
  for (const std::string& w : wanted) list += (list.empty() ? "t." : ", t.") + quoted(w);
  return select_list_by_key(t, list);
}

std::string select_list_by_key(const sql::table& t, const std::string& list) {
  return "SELECT q.ord, " + list + " FROM " + unnest(key_columns(t), true) + " JOIN " + rows_of(t) + " t ON " +
         equal_to_cells(key_columns(t));
}

std::string upsert(const sql::table& t) {
  std::string set;
  for (const std::size_t c : rewritten_columns(t)) {
    const std::string name = quoted(t.columns[c].name);
    set += (set.empty() ? "" : ", ") + name + " = excluded." + name;
  }
  std::string arbiter;
  for (const auto k : t.key) arbiter += (arbiter.empty() ? "" : ", ") + quoted(t.columns[k].name);
  return insert_head(t) + " ON CONFLICT (" + arbiter + ") " + (set.empty() ? "DO NOTHING" : "DO UPDATE SET " + set);
}

std::string update_existing(const sql::table& t) {
  std::string set;
  const auto copied = copied_columns(t);
  for (const std::size_t c : rewritten_columns(t)) {
    const auto position = static_cast<std::size_t>(std::find(copied.begin(), copied.end(), c) - copied.begin());
    set += (set.empty() ? "" : ", ") + quoted(t.columns[c].name) + " = " + value(t.columns[c], position + 1);
  }
  return "UPDATE " + rows_of(t) + " t SET " + set + " FROM " + unnest(row_columns(t), false) + " WHERE " +
         key_of_row(t);
}

std::string insert_missing(const sql::table& t) {
  return insert_head(t) + " WHERE NOT EXISTS (SELECT FROM " + rows_of(t) + " t WHERE " + key_of_row(t) + ")";
}

std::string plain_insert(const sql::table& t) { return insert_head(t); }

std::string select_stale_identity(const sql::table& t) {
  std::string differs;
  const auto copied = copied_columns(t);
  for (std::size_t i = 0; i < copied.size(); ++i) {
    const sql::column& c = t.columns[copied[i]];
    if (c.identity_always && !in_key(t, copied[i]))
      differs += (differs.empty() ? "t." : " OR t.") + quoted(c.name) + " <> " + value(c, i + 1);
  }
  if (differs.empty() || t.key.empty()) return "";
  return "SELECT q.ord FROM " + unnest(row_columns(t), true) + " JOIN " + rows_of(t) + " t ON " + key_of_row(t) +
         " WHERE " + differs;
}

std::string delete_versions(const sql::table& t) {
  const std::size_t n = t.key.size();
  const std::string keys = n ? equal_to_cells(key_columns(t)) + " AND " : "";
  return "DELETE FROM " + rows_of(t) + " t USING " + unnest(key_columns(t), true, 3) + " WHERE " + keys +
         "t.tableoid = q.c" + number(n + 1) + "::oid AND t.ctid = q.c" + number(n + 2) + "::tid AND t.xmin = q.c" +
         number(n + 3) + "::xid RETURNING q.ord";
}

std::string delete_keys(const sql::table& t) {
  return "DELETE FROM " + rows_of(t) + " t USING " + unnest(key_columns(t), false) + " WHERE " +
         equal_to_cells(key_columns(t));
}

}  // namespace pgtandem::reconcile
