#include "proxy/session/transaction.hpp"

#include <algorithm>

namespace pgtandem::session {

using kind = sql::statement_kind;

void transaction::completed(sql::statement_kind k, std::string_view name) {
  switch (k) {
    case kind::begin: block = true; break;
    case kind::commit:
    case kind::rollback: over(); break;
    case kind::savepoint: savepoints_.push_back({std::string(name), writes.here()}); break;
    case kind::release: release(name); break;
    case kind::rollback_to: rollback_to(name); break;
    default: break;
  }
}

bool transaction::knows(std::string_view savepoint) const {
  return std::any_of(savepoints_.begin(), savepoints_.end(), [&](const auto& s) { return s.name == savepoint; });
}

// PostgreSQL keeps the savepoint itself; those set after it are gone (xact.c, RollbackToSavepoint). The innermost of a name counts.
void transaction::rollback_to(std::string_view name) {
  for (std::size_t i = savepoints_.size(); i-- > 0;) {
    if (savepoints_[i].name != name) continue;
    writes.back_to(savepoints_[i].writes);
    savepoints_.resize(i + 1);
    if (fenced_ && fence_depth_ > i) fenced_ = false;
    if (claim_depth_ && *claim_depth_ > i) claim_depth_.reset();
    return;
  }
}

// Locks of a released savepoint belong to its parent from then on.
void transaction::release(std::string_view name) {
  for (std::size_t i = savepoints_.size(); i-- > 0;) {
    if (savepoints_[i].name != name) continue;
    savepoints_.resize(i);
    if (fence_depth_ > i) fence_depth_ = i;
    if (claim_depth_ && *claim_depth_ > i) claim_depth_ = i;
    return;
  }
}

void transaction::over() {
  block = false;
  fenced_ = false;
  fence_depth_ = 0;
  claim_depth_.reset();
  savepoints_.clear();
  writes.clear();
  rules_.reset();
}

}  // namespace pgtandem::session
