// `pgtandem reconcile`: audits, repairs, backfills and sweeps until told to stop. What runs when is the phase table's.
#pragma once
#include <atomic>

#include "config/settings.hpp"

namespace pgtandem::reconcile {

// Returns the process's exit status. `stop` may be set by a signal handler; it is looked at many times a second.
// Databases that are away are waited for.
int run_reconciler(const config::settings& s, const std::atomic<bool>& stop);

}  // namespace pgtandem::reconcile
