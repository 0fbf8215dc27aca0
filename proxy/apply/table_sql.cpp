#include "proxy/apply/table_sql.hpp"

#include <algorithm>
#include <functional>

#include "proxy/sql/text_input.hpp"

namespace pgtandem::apply {

namespace {

// Writes the texts of one table. Values arrive as arrays of their texts, which the type's own input function reads
// (text_input.hpp); an unnest of several arrays keeps their elements side by side.
class writer {
 public:
  writer(const sql::table& t, const table_sql& s) : t_(t), s_(s) {}

  // INSERT … ON CONFLICT (key) DO UPDATE: every conflicting row gets a new version, even if nothing differs, because a
  // guarded delete of the reconciler must notice it.
  std::string upsert(const std::vector<std::uint16_t>& assigned) const {
    return insert() + " ON CONFLICT (" + key_list() + ") DO UPDATE SET " +
           list(assigned, [&](std::uint16_t c) { return name(c) + " = excluded." + name(c); });
  }

  std::string insert() const {
    return "INSERT INTO " + t_.qualified + " (" + list(s_.columns, [&](std::uint16_t c) { return name(c); }) +
           ") OVERRIDING SYSTEM VALUE SELECT " + casts() + " FROM " + arrays(s_.columns);
  }

  std::string insert_absent() const {
    return insert() + " WHERE NOT EXISTS (SELECT FROM " + t_.qualified + " AS t WHERE " + key_match() + ")";
  }

  std::string update(const std::vector<std::uint16_t>& assigned) const {
    return "UPDATE " + t_.qualified + " AS t SET " +
           list(assigned, [&](std::uint16_t c) { return name(c) + " = " + cast(c); }) + " FROM " + arrays(s_.columns) +
           " WHERE " + key_match();
  }

  // Fails (22012) if one of `columns` is another there than in the image.
  std::string same(const std::vector<std::uint16_t>& columns) const {
    return "SELECT 1 / (count(*) = 0)::int FROM " + arrays(s_.columns) + " JOIN " + t_.qualified + " AS t ON " +
           key_match() + " WHERE " +
           list(columns, [&](std::uint16_t c) { return "t." + name(c) + " <> " + cast(c); }, " OR ");
  }

  std::string remove_by(const std::vector<std::uint16_t>& sent) const {
    return "DELETE FROM " + t_.qualified + " AS t USING " + arrays(sent) + " WHERE " + key_match();
  }

 private:
  static std::string list(const std::vector<std::uint16_t>& columns,
                          const std::function<std::string(std::uint16_t)>& one, const char* between = ", ") {
    std::string text;
    for (std::uint16_t c : columns) text += (text.empty() ? "" : between) + one(c);
    return text;
  }
  std::string name(std::uint16_t c) const { return quoted(t_.columns[c].name); }
  std::string cast(std::uint16_t c) const { return sql::text_input::element(t_.columns[c].type, "u.x" + std::to_string(c)); }
  std::string casts() const {
    return list(s_.columns, [&](std::uint16_t c) { return cast(c); });
  }
  std::string key_list() const {
    return list(t_.key, [&](std::uint16_t c) { return name(c); });
  }
  std::string key_match() const {
    return list(
        t_.key, [&](std::uint16_t c) { return "t." + name(c) + " = " + cast(c); }, " AND ");
  }
  std::string arrays(const std::vector<std::uint16_t>& columns) const {
    std::string parameters;
    for (std::size_t i = 1; i <= columns.size(); ++i)
      parameters += (i > 1 ? ", " : "") + sql::text_input::array_parameter(t_.columns[columns[i - 1]].type, i);
    return "unnest(" + parameters + ") AS u(" + list(columns, [](std::uint16_t c) { return "x" + std::to_string(c); }) +
           ")";
  }

  const sql::table& t_;
  const table_sql& s_;
};

bool contains(const std::vector<std::uint16_t>& v, std::uint16_t c) { return std::ranges::find(v, c) != v.end(); }

// What an UPDATE may assign: the columns beside the key, or the key itself where there is nothing else. PostgreSQL lets
// nobody update a GENERATED ALWAYS identity column.
std::vector<std::uint16_t> assignable(const sql::table& t, const table_sql& s) {
  std::vector<std::uint16_t> beside, key;
  for (std::uint16_t c : s.columns)
    if (!t.columns[c].identity_always) (contains(t.key, c) ? key : beside).push_back(c);
  return beside.empty() ? key : beside;
}

// GENERATED ALWAYS identity columns outside the key: no upsert brings them.
std::vector<std::uint16_t> identities_beside_key(const sql::table& t, const table_sql& s) {
  std::vector<std::uint16_t> out;
  for (std::uint16_t c : s.columns)
    if (t.columns[c].identity_always && !contains(t.key, c)) out.push_back(c);
  return out;
}

// They (or a table that is nothing but identity) can only be brought by DELETE and INSERT. Not where foreign keys point
// here: they would act. There an op that has changed one is refused, and the reconciler, which can write without them,
// repairs its key.
std::vector<std::string> upsert_texts(const sql::table& t, const table_sql& s) {
  const writer w(t, s);
  if (t.key.empty()) return {w.insert()};
  const auto assigned = assignable(t, s), identities = identities_beside_key(t, s);
  if (assigned.empty() || (!identities.empty() && t.referenced_by.empty())) return {w.remove_by(s.columns), w.insert()};
  std::vector<std::string> texts{w.upsert(assigned)};
  if (t.key_deferrable) texts = {w.update(assigned), w.insert_absent()};
  if (!identities.empty()) texts.push_back(w.same(identities));
  return texts;
}

}  // namespace

std::string quoted(std::string_view identifier) {
  std::string text = "\"";
  for (char c : identifier) {
    if (c == '"') text += c;
    text += c;
  }
  return text + '"';
}

const table_sql& table_sql_cache::of(const std::shared_ptr<const sql::table>& t) {
  if (const auto found = known_.find(t.get()); found != known_.end()) return found->second;
  if (known_.size() >= kept_max) known_.clear();
  table_sql s;
  s.table = t;
  for (std::uint16_t c = 0; c < t->columns.size(); ++c)
    if (!t->columns[c].generated) s.columns.push_back(c);
  for (std::uint16_t k : t->key)
    s.key_fields.push_back(static_cast<std::uint16_t>(std::ranges::find(s.columns, k) - s.columns.begin()));
  for (std::string& sql : upsert_texts(*t, s)) s.upsert.push_back(number(std::move(sql)));
  if (!t->key.empty()) s.remove = number(writer(*t, s).remove_by(t->key));
  return known_.emplace(t.get(), std::move(s)).first->second;
}

}  // namespace pgtandem::apply
