#include "reconcile/doubt_set.hpp"

#include <algorithm>
#include <cstdlib>

namespace pgtandem::reconcile {

void doubt_set::add(const doubt& d, std::uint64_t target_rev) {
  of_relation& r = relations_[d.relation];
  ++size_;
  if (d.whole && target_rev)
    r.whole_by.insert(static_cast<std::uint32_t>(target_rev));
  else if (d.whole)
    r.dirty_whole = true;
  else if (d.scope.empty())
    r.keys.insert(d.key);
  else {
    auto at = std::find_if(r.scopes.begin(), r.scopes.end(), [&](const scope& s) { return s.columns == d.scope; });
    if (at == r.scopes.end()) at = r.scopes.insert(r.scopes.end(), scope{d.scope, {}});
    at->values.insert(d.key);
  }
}

const doubt_set::of_relation* doubt_set::find(const std::string& relation) const {
  const auto at = relations_.find(relation);
  return at == relations_.end() ? nullptr : &at->second;
}

bool doubt_set::names_key(const std::string& relation, const cells& key) const {
  const of_relation* r = find(relation);
  return r && r->keys.contains(key);
}

bool doubt_set::names_whole(const std::string& relation) const {
  const of_relation* r = find(relation);
  return r && (r->dirty_whole || !r->whole_by.empty());
}

bool doubt_set::dirty_whole(const std::string& relation) const {
  const of_relation* r = find(relation);
  return r && r->dirty_whole;
}

const std::vector<doubt_set::scope>& doubt_set::scopes(const std::string& relation) const {
  static const std::vector<scope> none;
  const of_relation* r = find(relation);
  return r ? r->scopes : none;
}

std::int64_t doubt_set::explained(const std::string& relation, const std::vector<std::string>& xmins) const {
  const of_relation* r = find(relation);
  if (!r) return 0;
  return std::count_if(xmins.begin(), xmins.end(), [&](const std::string& x) {
    return r->whole_by.contains(static_cast<std::uint32_t>(std::strtoul(x.c_str(), nullptr, 10)));
  });
}

}  // namespace pgtandem::reconcile
