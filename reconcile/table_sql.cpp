#include "reconcile/table_sql.hpp"

#include <algorithm>
#include <array>
#include <string_view>

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

// unnest($first::text[], …) AS q(c1, …) with as many columns as asked
std::string unnest(std::size_t columns, bool ordinality) {
  std::string arrays, names;
  for (std::size_t i = 1; i <= columns; ++i) {
    arrays += (i > 1 ? ", $" : "$") + number(i) + "::text[]";
    names += (i > 1 ? ", c" : "c") + number(i);
  }
  return "unnest(" + arrays + ")" + (ordinality ? " WITH ORDINALITY" : "") + " AS q(" + names +
         (ordinality ? ", ord)" : ")");
}

const sql::column* find_column(const sql::table& t, const std::string& name) {
  for (const sql::column& c : t.columns)
    if (c.name == name) return &c;
  return nullptr;
}

// t."a" = q.c1::type AND …; `first` is the number of the first column of q
std::string equal_to_cells(const std::vector<const sql::column*>& columns, std::size_t first = 1) {
  std::string out;
  for (std::size_t i = 0; i < columns.size(); ++i)
    out += (i ? " AND t." : "t.") + quoted(columns[i]->name) + " = q.c" + number(first + i) + "::" + columns[i]->type;
  return out;
}

std::vector<const sql::column*> key_columns(const sql::table& t) {
  std::vector<const sql::column*> out;
  for (const auto k : t.key) out.push_back(&t.columns[k]);
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

// q.c1::type, q.c2::type …
std::string typed_cells(const sql::table& t) {
  std::string out;
  std::size_t i = 0;
  for (const std::size_t c : copied_columns(t))
    out += (i ? ", q.c" : "q.c") + number(i + 1) + "::" + t.columns[c].type, ++i;
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
         typed_cells(t) + " FROM " + unnest(copied_columns(t).size(), false);
}

// The condition t.key = q.key when q holds whole rows.
std::string key_of_row(const sql::table& t) {
  std::string out;
  const auto positions = key_positions(t);
  for (std::size_t i = 0; i < t.key.size(); ++i) {
    const sql::column& c = t.columns[t.key[i]];
    out += (i ? " AND t." : "t.") + quoted(c.name) + " = q.c" + number(positions[i] + 1) + "::" + c.type;
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

std::string rows_of(const sql::table& t) {
  return (t.kind == sql::relation_kind::table ? "ONLY " : "") + t.qualified;
}

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
  return "SELECT q.ord, t.tableoid, t.ctid, t.xmin FROM " + unnest(t.key.size(), true) + " JOIN " + rows_of(t) + " t ON " + equal_to_cells(key_columns(t));
}

std::string select_rows(const sql::table& t, row_lock lock) {
  return "SELECT q.ord, t.xmin, " + column_list(t, "t") + " FROM " + unnest(t.key.size(), true) + " JOIN " + rows_of(t) +
         " t ON " + equal_to_cells(key_columns(t)) + (lock == row_lock::share ? " FOR SHARE OF t" : "");
}

std::string select_keys_by(const sql::table& t, const std::vector<std::string>& columns) {
  std::vector<const sql::column*> by;
  for (const std::string& c : columns)
    if (const sql::column* found = find_column(t, c)) by.push_back(found);
  return "SELECT q.ord, " + key_list(t, "t") + " FROM " + unnest(by.size(), true) + " JOIN " + rows_of(t) + " t ON " +
         equal_to_cells(by);
}

std::string select_by_key(const sql::table& t, const std::vector<std::string>& wanted) {
  std::string list;
  for (const std::string& w : wanted) list += (list.empty() ? "t." : ", t.") + quoted(w);
  return select_list_by_key(t, list);
}

std::string select_list_by_key(const sql::table& t, const std::string& list) {
  return "SELECT q.ord, " + list + " FROM " + unnest(t.key.size(), true) + " JOIN " + rows_of(t) + " t ON " +
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
    set += (set.empty() ? "" : ", ") + quoted(t.columns[c].name) + " = q.c" + number(position + 1) +
           "::" + t.columns[c].type;
  }
  return "UPDATE " + rows_of(t) + " t SET " + set + " FROM " + unnest(copied.size(), false) + " WHERE " +
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
      differs += (differs.empty() ? "t." : " OR t.") + quoted(c.name) + " <> q.c" + number(i + 1) + "::" + c.type;
  }
  if (differs.empty() || t.key.empty()) return "";
  return "SELECT q.ord FROM " + unnest(copied.size(), true) + " JOIN " + rows_of(t) + " t ON " + key_of_row(t) +
         " WHERE " + differs;
}

std::string delete_versions(const sql::table& t) {
  const std::size_t n = t.key.size();
  const std::string keys = n ? equal_to_cells(key_columns(t)) + " AND " : "";
  return "DELETE FROM " + rows_of(t) + " t USING " + unnest(n + 3, true) + " WHERE " + keys + "t.tableoid = q.c" +
         number(n + 1) + "::oid AND t.ctid = q.c" + number(n + 2) + "::tid AND t.xmin = q.c" + number(n + 3) +
         "::xid RETURNING q.ord";
}

std::string delete_keys(const sql::table& t) {
  return "DELETE FROM " + rows_of(t) + " t USING " + unnest(t.key.size(), false) + " WHERE " +
         equal_to_cells(key_columns(t));
}

}  // namespace pgtandem::reconcile
