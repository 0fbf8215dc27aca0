#include "proxy/session/names.hpp"

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
  (passing ? passing_ : kept_)[std::move(quoted)] = m;
}

std::string resolve_query(const std::vector<std::string>& quoted) {
  std::string q = "SELECT n, c.oid, c.relpersistence = 't', pg_catalog.has_table_privilege(c.oid, 'SELECT') FROM (VALUES ";
  for (std::size_t i = 0; i < quoted.size(); ++i) {
    if (i) q += ',';
    q += '(' + sql::quote_literal(quoted[i]) + "::pg_catalog.text)";
  }
  return q + ") AS v(n) LEFT JOIN pg_catalog.pg_class c ON c.oid = pg_catalog.to_regclass(n)";
}

}  // namespace pgtandem::session
