// Sweeps in the background, pass after pass, each recorded in pgtandem.sweep on the primary.
//
// All calls from one thread. ask_to_stop() returns at once (a flip must not wait for a sweep); idle() tells when the
// thread has ended and start() may be called again. The destructor waits.
#pragma once
#include <atomic>
#include <memory>
#include <thread>

#include "config/settings.hpp"
#include "proxy/sql/catalog.hpp"
#include "reconcile/standing.hpp"
#include "reconcile/stop_bell.hpp"

namespace pgtandem::reconcile {

class sweeper {
 public:
  explicit sweeper(const config::settings& s) : settings_(s) {}
  ~sweeper();
  void start(const standing& at, sql::catalog_ptr primary_catalog);
  void ask_to_stop() { stop_.ring(); }
  // Not running (any more).
  bool idle();
  // Where it was started.
  const standing& at() const { return at_; }
  const sql::catalog_ptr& catalog() const { return catalog_; }

 private:
  void sweep_on();

  const config::settings& settings_;
  standing at_;
  sql::catalog_ptr catalog_;
  stop_bell stop_;
  std::atomic<bool> ended_{true};
  std::thread thread_;
};

}  // namespace pgtandem::reconcile
