// Asks a secondary that the breaker has given up, again and again over a connection of its own, whether it takes writes
// again.
#pragma once
#include <memory>

#include "proxy/apply/work_queue.hpp"

namespace pgtandem::apply {

class probe : public std::enable_shared_from_this<probe> {
 public:
  explicit probe(std::shared_ptr<work_queue> q);
  task<> until_closed();  // the coroutine; at most one at a time does anything
  void stop();

 private:
  task<bool> once();

  std::shared_ptr<work_queue> queue_;
  std::shared_ptr<channel> channel_;
  timer pause_;
  sql_text beat_{0, "UPDATE pgtandem.beat SET n = n + 1"};  // a write: a read-only or full server is no secondary
  bool running_ = false;
};

}  // namespace pgtandem::apply
