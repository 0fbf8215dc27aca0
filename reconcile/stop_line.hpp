// The wish to end the process, on which one may wait beside a socket: no pause of the reconciler outlasts it.
//
// ring() may be called by a signal handler. Any thread; owned by whoever runs the reconciler, which it outlives.
#pragma once
#include <atomic>
#include <chrono>

namespace pgtandem::reconcile {

class stop_line {
 public:
  stop_line();
  ~stop_line();
  stop_line(const stop_line&) = delete;
  stop_line& operator=(const stop_line&) = delete;

  void ring() noexcept;  // for good
  bool rung() const { return rung_; }
  // Until it is rung, `socket` has something to read (or is closed), or the limit.
  void rest(std::chrono::milliseconds limit, int socket = -1) const;

 private:
  static_assert(std::atomic<bool>::is_always_lock_free);  // a signal handler may store to it
  std::atomic<bool> rung_{false};
  const int event_;  // an eventfd, readable once it has been rung; -1 = the system had none: pauses run to their limit
};

}  // namespace pgtandem::reconcile
