// Which relation a name means to this session, as the primary itself says: to_regclass() under the session's own search_path.
//
// Kept until something may have changed the meaning (settings, role, DISCARD, DDL). Temporary and absent relations are never kept:
// they may vanish at the end of a transaction. Row images carry their tableoid, so a wrong memory is found out before it does harm.
#pragma once
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "proxy/sql/catalog.hpp"

namespace pgtandem::session {

struct meaning {
  sql::oid id = 0;           // 0: there is no such relation
  bool temporary = false;
  bool selectable = true;    // the role may SELECT from it (RETURNING needs that)
};

class names {
 public:
  static constexpr std::size_t kept_max = 4096;

  const meaning* find(std::string_view quoted) const;
  void learn(std::string quoted, meaning m);
  // Forget what must not outlive a statement.
  void forget_passing() { passing_.clear(); }
  void forget() { kept_.clear(); passing_.clear(); }

 private:
  std::unordered_map<std::string, meaning> kept_, passing_;
};

// The question for several names at once; one row per name: name, oid or null, temporary, selectable.
std::string resolve_query(const std::vector<std::string>& quoted);

}  // namespace pgtandem::session
