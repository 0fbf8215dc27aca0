// A backfill in the background: waits until every transaction older than dual writing has ended, then runs the workers.
// Resumable: everything it needs to know is in pgtandem.chunk; a new one after a crash goes on where the last chunk was
// verified.
//
// start() and stop() from one thread; stop() (also by the destructor) waits for the workers, which look at the flag
// between statements.
#pragma once
#include <memory>
#include <thread>

#include "config/settings.hpp"
#include "proxy/sql/catalog.hpp"
#include "reconcile/standing.hpp"

namespace pgtandem::reconcile {

struct backfill_shared;

class backfill {
 public:
  explicit backfill(const config::settings& s);
  ~backfill();
  void start(const standing& at, sql::catalog_ptr primary_catalog);
  void stop();
  bool running() const { return shared_ != nullptr; }

 private:
  const config::settings& settings_;
  std::unique_ptr<backfill_shared> shared_;
  std::thread thread_;
};

}  // namespace pgtandem::reconcile
