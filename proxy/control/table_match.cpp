#include "proxy/control/table_match.hpp"

#include <algorithm>

namespace pgtandem::control {
namespace {

bool copied(const sql::table& t) {
  return t.in_scope && (t.kind == sql::relation_kind::table || t.kind == sql::relation_kind::partitioned);
}

std::string key_of(const sql::table& t) {
  std::string out;
  for (std::uint16_t i : t.key) out += (out.empty() ? "" : ", ") + t.columns[i].name;
  return out;
}

void compare(const sql::table& p, const sql::table& s, std::vector<std::string>& out) {
  for (const sql::column& c : p.columns) {
    auto there = std::find_if(s.columns.begin(), s.columns.end(), [&](const sql::column& o) { return o.name == c.name; });
    if (there == s.columns.end())
      out.push_back(p.qualified + "." + c.name + " is missing");
    else if (there->type != c.type)
      out.push_back(p.qualified + "." + c.name + " is " + there->type + " instead of " + c.type);
    else if (there->generated != c.generated)
      out.push_back(p.qualified + "." + c.name + (c.generated ? " is not generated" : " is generated"));
  }
  for (const sql::column& c : s.columns)
    if (std::none_of(p.columns.begin(), p.columns.end(), [&](const sql::column& o) { return o.name == c.name; }))
      out.push_back(s.qualified + "." + c.name + " is on the secondary only");
  if (key_of(p) != key_of(s))
    out.push_back(p.qualified + " has the key (" + key_of(s) + ") instead of (" + key_of(p) + ")");
}

}  // namespace

table_report compare_tables(const sql::catalog& primary, const sql::catalog& secondary) {
  table_report r;
  for (const auto& [name, id] : primary.by_name) {
    const sql::table* p = primary.find(id);
    if (!p || !copied(*p)) continue;
    ++r.tables;
    const sql::table* s = secondary.find(name);
    if (!s)
      r.differences.push_back(p->qualified + " is missing");
    else if (s->kind != p->kind)
      r.differences.push_back(p->qualified + " is of another kind");
    else
      compare(*p, *s, r.differences);
  }
  if (r.differences.size() > table_report::differences_max) {
    std::size_t more = r.differences.size() - table_report::differences_max;
    r.differences.resize(table_report::differences_max);
    r.differences.push_back("and " + std::to_string(more) + " more");
  }
  return r;
}

std::vector<std::string> tables_to_copy(const sql::catalog& c) {
  std::vector<std::string> out;
  for (const auto& [name, id] : c.by_name) {
    const sql::table* t = c.find(id);
    if (t && copied(*t) && t->schema != "pgtandem") out.push_back(name);
  }
  return out;
}

}  // namespace pgtandem::control
