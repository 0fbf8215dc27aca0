// Claims: before a repair looks at anything, the op_ids whose doubt it settles are taken in the ledger. A batch of such
// an op that is still under way then meets the claim and its effect is undone with it (DESIGN §3, straggler).
#pragma once
#include <string>
#include <vector>

#include "reconcile/workbench.hpp"

namespace pgtandem::reconcile {

// Committed when it returns. Waits (up to lock_timeout) for a straggler in progress. An op that has its row already
// keeps it. Claims in every attached partition: a detached one takes no straggler either.
database::result<void> claim(workbench& w, const std::vector<std::string>& op_ids);

}  // namespace pgtandem::reconcile
