// A stop flag that wakes whoever rests: no pause of a sweep outlasts the wish to end it. Any thread.
#pragma once
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <mutex>

namespace pgtandem::reconcile {

class stop_bell {
 public:
  explicit operator bool() const { return rung_; }
  void ring() { change([this] { rung_ = true; }); }
  void reset() { rung_ = false; }
  // Wakes whoever rests, once, without a stop.
  void poke() const {
    change([this] { ++pokes_; });
  }
  // Until the bell, a poke, or the limit.
  void rest(std::chrono::milliseconds limit) const {
    std::unique_lock hold(lock_);
    waker_.wait_for(hold, limit, [this, before = pokes_] { return rung_ || pokes_ != before; });
  }

 private:
  template <class F>
  void change(F&& f) const {
    const std::lock_guard hold(lock_);
    f();
    waker_.notify_all();
  }
  mutable std::mutex lock_;
  mutable std::condition_variable waker_;
  mutable std::uint64_t pokes_ = 0;
  std::atomic<bool> rung_{false};
};

}  // namespace pgtandem::reconcile
