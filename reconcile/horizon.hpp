// The horizon (DESIGN §5): only an op between its two commits can have put on the secondary what the primary does not
// show yet. Whoever has looked at the secondary waits here until every such op has ended on the primary.
//
// Milliseconds as a rule: a long transaction that has not begun to commit is not in the ledger and delays nobody. No
// row locks may be held meanwhile. Both sessions idle (autocommit).
#pragma once
#include <chrono>

#include "proxy/database/connection.hpp"
#include "reconcile/ledger_partitions.hpp"

namespace pgtandem::reconcile {

// true: passed. false: an op was still in progress at the limit.
database::result<bool> wait_for_horizon(database::connection& primary, database::connection& secondary,
                                        ledger_partitions& partitions, std::chrono::milliseconds limit);

}  // namespace pgtandem::reconcile
