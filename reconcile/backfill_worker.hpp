// One worker of the backfill: takes a table, copies it chunk by chunk, goes on with the next. A thread of its own with
// two sessions of its own, which it opens again when they are lost.
#pragma once
#include <atomic>
#include <condition_variable>
#include <mutex>

#include "config/settings.hpp"
#include "proxy/sql/catalog.hpp"
#include "reconcile/backfill_order.hpp"
#include "reconcile/chunk_copy.hpp"
#include "reconcile/standing.hpp"

namespace pgtandem::reconcile {

// What the workers of one backfill share. The mutex guards `order`.
struct backfill_shared {
  const config::settings& settings;
  const standing at;
  const sql::catalog_ptr catalog;
  std::atomic<bool> stop{false};
  std::mutex mutex;
  std::condition_variable changed;
  backfill_order order;

  backfill_shared(const config::settings& s, const standing& where, sql::catalog_ptr c)
      : settings(s), at(where), catalog(std::move(c)), order(*catalog) {}
};

// Returns when every table is done, or on stop.
void run_backfill_worker(backfill_shared& shared, int number);

}  // namespace pgtandem::reconcile
