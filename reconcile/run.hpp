// `pgtandem reconcile`: audits, repairs, backfills and sweeps until told to stop. What runs when is the phase table's.
#pragma once
#include "config/settings.hpp"
#include "reconcile/stop_line.hpp"

namespace pgtandem::reconcile {

// Returns the process's exit status, soon after `stop` was rung: what is under way is finished, pauses are not.
// Databases that are away are waited for.
int run_reconciler(const config::settings& s, const stop_line& stop);

}  // namespace pgtandem::reconcile
