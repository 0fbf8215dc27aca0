// Which relation a name means to this session, as the primary itself says: to_regclass() under the session's own search_path.
//
// Kept until something may have changed the meaning (settings, role, DISCARD, DDL), and until the end of the transaction in which it did.
// Temporary and absent relations are not kept beyond a ReadyForQuery. Row images carry their tableoid, so a wrong memory is found out
// before it does harm; TRUNCATE has none, so its names are asked for each time it runs (`fresh`).
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "proxy/sql/analysis.hpp"
#include "proxy/sql/catalog.hpp"

namespace pgtandem::session {

struct meaning {
  sql::oid id = 0;           // 0: there is no such relation, or none that can be written: the primary refuses it
  bool temporary = false;
  bool plain = true;         // nothing but its own rows changes by a write to it: if temporary, a table without rules and user triggers
  bool selectable = true;    // the role may SELECT from it (RETURNING needs that)
  bool system = false;       // of PostgreSQL's own or of pgtandem's: hardly any is in the catalog
};

class names {
 public:
  static constexpr std::size_t kept_max = 4096;

  const meaning* find(std::string_view quoted) const;
  void learn(std::string quoted, meaning m);
  // Learned since the message at hand, or its part, has come.
  bool fresh(const std::vector<sql::relation_name>& relations) const;
  void forget_unless_fresh(const std::vector<sql::relation_name>& relations);
  void handled() { fresh_.clear(); }
  // Forget what must not outlive a ReadyForQuery.
  void forget_passing();
  std::uint64_t passing_version() const { return passing_version_; }   // counts when it forgot something
  void forget();

 private:
  std::unordered_map<std::string, meaning> kept_, passing_;
  std::unordered_set<std::string> fresh_;
  std::uint64_t passing_version_ = 0;
};

// The question for several names at once; one row per name: name, oid or null, persistence, selectable, system.
std::string resolve_query(const std::vector<std::string>& quoted);
meaning meaning_of(const std::vector<std::string>& row);

}  // namespace pgtandem::session
