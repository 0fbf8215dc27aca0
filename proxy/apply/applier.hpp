// One applier: takes groups from the queue and brings them to the secondary over its own connection, until the queue
// stops.
//
// Guarantees: see applier_pool.hpp. Lives as long as its coroutine; one thread.
#pragma once
#include <memory>
#include <vector>

#include "proxy/apply/work_queue.hpp"

namespace pgtandem::apply {

class applier {
 public:
  explicit applier(std::shared_ptr<work_queue> q);

  // The coroutine. It owns the applier from its first moment: it may start only after the pool has gone.
  static task<> work(std::shared_ptr<applier> self);
  void wake();  // there is work, or the secondary's place has changed
  void stop();  // ends the coroutine at its next step
  bool idle() const { return idle_ && !woken_; }
  bool connected() const { return channel_->connected(); }

 private:
  task<> loop();
  task<bool> ensure_connected();
  task<> bring(std::vector<entry> group);
  task<> bring_together(const std::vector<entry>& sent, std::vector<parsed_op>& ops);
  task<> bring_alone(const entry& e, bool was_in_group);
  task<reply> transact(std::span<parsed_op> ops, bool several);
  task<session::apply_outcome> judge(const session::op& o, reply r);
  task<> clean_up(const reply& r);

  std::shared_ptr<work_queue> queue_;
  std::shared_ptr<channel> channel_;
  std::uint64_t generation_ = 0;    // of the place that channel_ is connected to
  clock::time_point not_before_{};  // no new attempt to connect before that
  clock::duration back_off_{};
  timer bell_;
  bool idle_ = false, woken_ = false;
};

}  // namespace pgtandem::apply
