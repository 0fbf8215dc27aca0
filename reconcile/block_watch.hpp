// Ends a sweep's pair as soon as anybody waits for it (DDL behind its ACCESS SHARE), and when the sweep is told to
// stop: a thread of its own with a session on each side, which cancels the pair's running statements.
#pragma once
#include <atomic>
#include <string>
#include <thread>

#include "reconcile/stop_bell.hpp"

namespace pgtandem::reconcile {

class block_watch {
 public:
  struct watched {
    std::string conninfo;
    int pid = 0;
  };
  // `stop` is the sweep's own bell.
  block_watch(watched primary, watched secondary, const stop_bell& stop);
  ~block_watch();
  block_watch(const block_watch&) = delete;

  // Somebody waits for the pair: it has to be given up. Cleared by reset(), with the next pair.
  bool tripped() const { return tripped_; }
  void reset() { tripped_ = false; }

 private:
  void watch(const watched& primary, const watched& secondary);
  const stop_bell& stop_;
  std::atomic<bool> tripped_{false};
  stop_bell done_;
  std::thread thread_;
};

}  // namespace pgtandem::reconcile
