// The loops as the control thread sees them (control::fleet): worlds go in, sums come out.
#include <condition_variable>
#include <limits>

#include "proxy/net/proxy_server.hpp"

namespace pgtandem::net {
namespace {

constexpr std::chrono::seconds list_limit{1};  // for all loops together

// Shared with the loops: one that answers too late must still have somewhere to put its answer.
struct gathering {
  std::mutex mutex;
  std::condition_variable all;
  std::vector<control::session_view> sessions;
  std::size_t missing = 0;
};

}  // namespace

// Under the mutex, so that every loop gets the worlds in the order of their tickets.
std::uint64_t proxy_server::publish(session::world_ptr w) {
  const std::lock_guard lock(publish_mutex_);
  ++last_ticket_;
  for (auto& l : loops_) l->publish(w, last_ticket_);
  return last_ticket_;
}

control::fleet_view proxy_server::view() const {
  control::fleet_view v;
  v.ticket = loops_.empty() ? 0 : loops_.front()->board().ticket.get();
  v.epoch = std::numeric_limits<std::int32_t>::max();
  for (const auto& l : loops_) {
    const auto& b = l->board();
    v.ticket = std::min(v.ticket, b.ticket.get());  // first: the numbers are then at least as new as the ticket says
    v.epoch = std::min(v.epoch, static_cast<std::int32_t>(b.epoch.get()));
    v.draining |= b.draining.get() != 0;
    v.sessions += static_cast<std::uint32_t>(b.sessions.get());
    v.behind += static_cast<std::uint32_t>(b.behind.get());
    v.open += static_cast<std::uint32_t>(b.open.get());
    v.cold += static_cast<std::uint32_t>(b.cold.get());
    const std::lock_guard lock(b.mutex);
    v.backends.insert(v.backends.end(), b.backends.begin(), b.backends.end());
    for (const auto& u : b.unmovable)  // those that are shut out in front: of the others it does no harm to miss some
      v.unmovable.insert(u.shut_out() ? v.unmovable.begin() : v.unmovable.end(), u);
    if (v.unmovable.size() > control::fleet_view::unmovable_max) v.unmovable.resize(control::fleet_view::unmovable_max);
  }
  return v;
}

void proxy_server::trust_until(std::chrono::steady_clock::time_point t) {
  for (auto& l : loops_) l->board().trusted_until.store(t);
}

void proxy_server::on_change(std::function<void()> wake) {
  const std::lock_guard lock(wake_mutex_);
  wake_ = std::move(wake);
}

void proxy_server::changed() {
  const std::lock_guard lock(wake_mutex_);
  if (wake_) wake_();
}

std::vector<control::session_view> proxy_server::list(std::size_t max) const {
  const auto g = std::make_shared<gathering>();
  g->missing = loops_.size();
  for (const auto& l : loops_) {
    l->list(max, [g](std::vector<control::session_view> some) {
      const std::lock_guard lock(g->mutex);
      std::move(some.begin(), some.end(), std::back_inserter(g->sessions));
      if (--g->missing == 0) g->all.notify_one();
    });
  }
  std::unique_lock lock(g->mutex);
  g->all.wait_for(lock, list_limit, [&] { return g->missing == 0; });
  if (g->sessions.size() > max) g->sessions.resize(max);
  return g->sessions;
}

}  // namespace pgtandem::net
