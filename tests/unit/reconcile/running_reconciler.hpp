// A reconciler on a thread of its own, for the length of a scope.
#pragma once
#include <chrono>
#include <functional>
#include <thread>

#include "reconcile/run.hpp"

namespace pgtandem::test {

class running_reconciler {
 public:
  explicit running_reconciler(const config::settings& s)
      : settings_(s), thread_([this] { reconcile::run_reconciler(settings_, stop_); }) {}
  ~running_reconciler() {
    stop_.ring();
    thread_.join();
  }

 private:
  config::settings settings_;
  reconcile::stop_line stop_;
  std::thread thread_;
};

// Polls until `holds` or the limit; what `holds` said last.
inline bool eventually(const std::function<bool()>& holds, std::chrono::milliseconds limit = std::chrono::seconds(20)) {
  const auto end = std::chrono::steady_clock::now() + limit;
  while (!holds()) {
    if (std::chrono::steady_clock::now() >= end) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  return true;
}

}  // namespace pgtandem::test
