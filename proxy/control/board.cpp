#include "proxy/control/board.hpp"

namespace pgtandem::control {

board_state board::look() const {
  std::lock_guard hold(lock_);
  return state_;
}

void board::update(const std::function<bool(board_state&)>& change) {
  std::lock_guard hold(lock_);
  if (!change(state_)) return;
  ++changes_;
  changed_.notify_all();
}

void board::poke() {
  std::lock_guard hold(lock_);
  ++changes_;
  changed_.notify_all();
}

void board::wait(std::uint64_t& seen, std::chrono::milliseconds limit) const {
  std::unique_lock hold(lock_);
  changed_.wait_for(hold, limit, [&] { return changes_ != seen; });
  seen = changes_;
}

}  // namespace pgtandem::control
