// Making keys dirty on the primary on the reconciler's own account (backfill, sweep): fenced, so that no doubt is
// recorded on a database that a flip has left as primary meanwhile.
#pragma once
#include <string>
#include <vector>

#include "proxy/database/connection.hpp"
#include "reconcile/doubt_json.hpp"
#include "reconcile/standing.hpp"

namespace pgtandem::reconcile {

// Committed when it returns. false: the migration stands elsewhere now (another phase or course, or a flip has fenced); nothing was
// recorded.
database::result<bool> mark_doubts(database::connection& primary, const standing& at, const std::vector<doubt>& doubts,
                                   const std::string& reason);

}  // namespace pgtandem::reconcile
