#include "proxy/session/names.hpp"

#include <algorithm>
#include <cstdlib>

#include "proxy/sql/rewrite.hpp"

namespace pgtandem::session {

const meaning* names::find(std::string_view quoted) const {
  std::string name(quoted);
  if (auto i = kept_.find(name); i != kept_.end()) return &i->second;
  if (auto i = passing_.find(name); i != passing_.end()) return &i->second;
  return nullptr;
}

void names::learn(std::string quoted, meaning m) {
  if (kept_.size() >= kept_max) kept_.clear();
  bool passing = m.id == 0 || m.temporary;
  fresh_.insert(quoted);
  (passing ? kept_ : passing_).erase(quoted);
  (passing ? passing_ : kept_)[std::move(quoted)] = m;
}

bool names::fresh(const std::vector<sql::relation_name>& relations) const {
  return std::all_of(relations.begin(), relations.end(), [&](const sql::relation_name& r) { return fresh_.count(r.quoted()) != 0; });
}

void names::forget_unless_fresh(const std::vector<sql::relation_name>& relations) {
  for (const sql::relation_name& r : relations) {
    const std::string quoted = r.quoted();
    if (fresh_.count(quoted)) continue;
    kept_.erase(quoted);
    passing_.erase(quoted);
  }
}

void names::forget_passing() {
  if (passing_.empty()) return;
  passing_.clear();
  ++passing_version_;
}

void names::forget() {
  kept_.clear();
  passing_.clear();
  fresh_.clear();
}

std::string resolve_query(const std::vector<std::string>& quoted) {
  std::string q =
      "SELECT n, CASE WHEN c.relkind IN ('r', 'p', 'v', 'm', 'f') THEN c.oid END, "
      "CASE WHEN (c.relpersistence = 't') IS NOT TRUE THEN 'f' WHEN c.relkind IN ('r', 'p') AND NOT c.relhasrules AND NOT EXISTS "
      "(SELECT FROM pg_catalog.pg_trigger g WHERE g.tgrelid = c.oid AND NOT g.tgisinternal) THEN 't' ELSE 'o' END, "
      "pg_catalog.has_table_privilege(c.oid, 'SELECT'), "
      "c.oid < 16384 OR c.relnamespace = pg_catalog.to_regnamespace('pgtandem')::pg_catalog.oid FROM (VALUES ";
  for (std::size_t i = 0; i < quoted.size(); ++i) {
    if (i) q += ',';
    q += '(' + sql::quote_literal(quoted[i]) + "::pg_catalog.text)";
  }
  // to_regclass() fails where the schema may not be used; so will the statement itself. The condition stands inside its argument: the
  // planner evaluates the function as soon as that is constant.
  return q +
         ") AS v(n) LEFT JOIN pg_catalog.pg_class c ON c.oid = pg_catalog.to_regclass(CASE WHEN NOT EXISTS(SELECT FROM "
         "pg_catalog.pg_namespace AS s WHERE s.nspname = (pg_catalog.parse_ident(n))[1] AND "
         "pg_catalog.cardinality(pg_catalog.parse_ident(n)) > 1 AND NOT pg_catalog.has_schema_privilege(s.oid, 'USAGE')) THEN n END)";
}

// Persistence: f, permanent; t, a temporary table without rules and user triggers; o, something else that is temporary.
meaning meaning_of(const std::vector<std::string>& row) {
  meaning m;
  m.id = static_cast<sql::oid>(std::strtoul(row[1].c_str(), nullptr, 10));
  m.temporary = row[2] == "t" || row[2] == "o";
  m.plain = row[2] != "o";
  m.selectable = row[3] != "f";
  m.system = row.size() > 4 && row[4] == "t";
  return m;
}

}  // namespace pgtandem::session
