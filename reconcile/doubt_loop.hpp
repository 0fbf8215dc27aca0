// The reconciler's heart: audit, drain, audit, drain … on one thread, with one working session on each side.
//
// round() does a bounded piece of work and says how long there is nothing to do. During a flip's steps `fenced` and
// `draining` it settles row by row, lets failed keys not rest, and rings NOTIFY pgtandem once nothing is in doubt.
#pragma once
#include <chrono>
#include <cstdint>
#include <string>

#include "config/settings.hpp"
#include "proxy/database/catalog_loader.hpp"
#include "reconcile/dirty_drain.hpp"
#include "reconcile/ledger_audit.hpp"
#include "reconcile/ledger_prune.hpp"
#include "reconcile/place_pair.hpp"

namespace pgtandem::reconcile {

struct doubt_totals {  // since the start
  std::int64_t settled = 0, doubtful = 0, synced = 0, ended = 0, changed = 0, failed = 0;
};

class doubt_loop {
 public:
  doubt_loop(const config::settings& s, place_pair& pair) : settings_(s), pair_(pair) {}
  // The pair is ready, its standing fresh, its lock held. How long to wait for a NOTIFY before the next round.
  database::result<std::chrono::milliseconds> round();
  const doubt_totals& totals() const { return totals_; }
  // The primary's catalog as of the last round; null before.
  const sql::catalog_ptr& catalog() const { return catalog_; }

 private:
  database::result<void> keep_catalog();
  database::result<void> keep_incarnations();
  database::result<void> ring_when_clear();
  void log_now_and_then();

  const config::settings& settings_;
  place_pair& pair_;
  ledger_partitions partitions_;
  ledger_audit audit_;
  ledger_prune prune_;
  dirty_drain drain_;
  sql::catalog_ptr catalog_;
  standing last_;
  bool reload_ = true, rung_ = false;
  int opened_ = 0;  // of the pair, when its incarnations were last looked at
  std::chrono::steady_clock::time_point catalog_checked_{}, logged_{};
  std::chrono::milliseconds pause_{0};
  doubt_totals totals_, reported_;
};

}  // namespace pgtandem::reconcile
