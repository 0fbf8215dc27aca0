#include "reconcile/stop_line.hpp"

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>

namespace pgtandem::reconcile {

using clock = std::chrono::steady_clock;

stop_line::stop_line() : event_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {}

stop_line::~stop_line() {
  if (event_ >= 0) ::close(event_);
}

void stop_line::ring() noexcept {
  const int before = errno;
  rung_ = true;
  const std::uint64_t one = 1;
  if (event_ >= 0) (void)!::write(event_, &one, sizeof one);
  errno = before;
}

void stop_line::rest(std::chrono::milliseconds limit, int socket) const {
  const auto until = clock::now() + limit;
  pollfd heard[] = {{event_, POLLIN, 0}, {socket, POLLIN, 0}};  // poll() passes over negative ones
  while (!rung_) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(until - clock::now());
    if (left.count() <= 0) return;
    const int n = ::poll(heard, 2, static_cast<int>(std::min<std::int64_t>(left.count(), 1 << 30)));
    if (n > 0 || (n < 0 && errno != EINTR)) return;
  }
}

}  // namespace pgtandem::reconcile
