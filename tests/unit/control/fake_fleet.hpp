// A fleet without loops: takes every world at once and says of its sessions what the test wants.
#pragma once
#include <atomic>
#include <mutex>

#include "proxy/control/fleet.hpp"

namespace pgtandem::test {

class fake_fleet : public control::fleet {
 public:
  std::uint64_t publish(session::world_ptr w) override {
    std::lock_guard hold(lock_);
    latest_ = std::move(w);
    ++ticket_;
    if (wake_) wake_();
    return ticket_;
  }
  control::fleet_view view() const override {
    std::lock_guard hold(lock_);
    control::fleet_view v;
    v.ticket = ticket_;
    v.epoch = latest_ ? latest_->routing.epoch : 0;
    v.draining = draining;
    v.sessions = 3;
    v.behind = behind;
    if (latest_ && latest_->routing.holding) v.open = open;
    if (latest_ && latest_->routing.warming) v.cold = cold;
    return v;
  }
  void on_change(std::function<void()> wake) override {
    std::lock_guard hold(lock_);
    wake_ = std::move(wake);
  }
  std::vector<control::session_view> list(std::size_t) const override { return {}; }

  control::routing routing() const {
    std::lock_guard hold(lock_);
    return latest_ ? latest_->routing : control::routing{};
  }
  std::atomic<bool> draining{false};
  std::atomic<std::uint32_t> behind{0}, open{0}, cold{0};

 private:
  mutable std::mutex lock_;
  session::world_ptr latest_;
  std::uint64_t ticket_ = 0;
  std::function<void()> wake_;
};

}  // namespace pgtandem::test
