// What a repair works with: three idle sessions, the catalog, the epoch. References only; the run loop owns everything
// and builds a workbench for one round.
#pragma once
#include <chrono>
#include <cstdint>

#include "proxy/database/connection.hpp"
#include "proxy/sql/catalog.hpp"
#include "reconcile/ledger_partitions.hpp"

namespace pgtandem::reconcile {

struct workbench {
  database::connection& primary;    // for transactions that stay open across steps
  database::connection& watcher;    // the primary too, always between transactions
  database::connection& secondary;  // holds the reconciler's advisory lock
  ledger_partitions& partitions;
  const sql::catalog& catalog;  // the primary's
  std::int32_t epoch = 0;       // of the ledger rows that repairs write
  std::chrono::milliseconds horizon_limit{1000};
};

}  // namespace pgtandem::reconcile
