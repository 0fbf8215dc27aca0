// A thread with a stop flag and a bell: what the watchers and keepers of control are made of.
#pragma once
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <thread>

namespace pgtandem::control {

class worker {
 public:
  ~worker() { stop(); }
  // `body` runs until it returns; it must return soon after stopping() has become true.
  void start(std::function<void()> body) { thread_ = std::thread(std::move(body)); }
  bool stopping() const { return stopping_; }
  void ring() {
    std::lock_guard hold(lock_);
    rung_ = true;
    bell_.notify_all();
  }
  // Until the bell, a stop, or the limit.
  void rest(std::chrono::milliseconds limit) {
    std::unique_lock hold(lock_);
    bell_.wait_for(hold, limit, [&] { return rung_ || stopping_; });
    rung_ = false;
  }
  void ask_to_stop() {
    std::lock_guard hold(lock_);
    stopping_ = true;
    bell_.notify_all();
  }
  void stop() {
    ask_to_stop();
    if (thread_.joinable()) thread_.join();
  }

 private:
  std::mutex lock_;
  std::condition_variable bell_;
  bool rung_ = false;
  std::atomic<bool> stopping_{false};
  std::thread thread_;
};

}  // namespace pgtandem::control
