// Asks a secondary that the breaker has given up, again and again over a connection of its own, whether it takes writes
// again.
#pragma once
#include <memory>

#include "proxy/apply/work_queue.hpp"

namespace pgtandem::apply {

class probe {
 public:
  explicit probe(std::shared_ptr<work_queue> q);
  // The coroutine, owning the probe; at most one at a time does anything.
  static task<> until_closed(std::shared_ptr<probe> self);
  void stop();

 private:
  task<> loop();
  task<bool> once();

  std::shared_ptr<work_queue> queue_;
  std::shared_ptr<channel> channel_;
  timer pause_;
  sql_text beat_{0, "UPDATE pgtandem.beat SET n = n + 1"};  // a write: a read-only or full server is no secondary
  bool running_ = false;
};

}  // namespace pgtandem::apply
