// The set D of a certified pair: what may differ between its two snapshots without being drift. Pure.
#pragma once
#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "reconcile/doubt_json.hpp"

namespace pgtandem::reconcile {

class doubt_set {
 public:
  // `target_rev`: of the ledger row that names it, 0 for a dirty row.
  void add(const doubt& d, std::uint64_t target_rev = 0);

  bool names_key(const std::string& relation, const cells& key) const;
  // The whole table is suspect: by a dirty row, or by an op on a table with a key.
  bool names_whole(const std::string& relation) const;
  bool dirty_whole(const std::string& relation) const;
  struct scope {
    std::vector<std::string> columns;
    std::set<cells> values;
  };
  const std::vector<scope>& scopes(const std::string& relation) const;
  // How many of these row xmins (decimal, 32 bits) belong to ops that name the whole relation.
  std::int64_t explained(const std::string& relation, const std::vector<std::string>& xmins) const;
  std::size_t size() const { return size_; }

 private:
  struct of_relation {
    std::set<cells> keys;
    std::vector<scope> scopes;
    std::set<std::uint32_t> whole_by;  // the ops' transactions on the secondary
    bool dirty_whole = false;
  };
  const of_relation* find(const std::string& relation) const;
  std::map<std::string, of_relation> relations_;
  std::size_t size_ = 0;
};

}  // namespace pgtandem::reconcile
