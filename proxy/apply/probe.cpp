#include "proxy/apply/probe.hpp"

#include <algorithm>

namespace pgtandem::apply {

using namespace std::chrono_literals;

probe::probe(std::shared_ptr<work_queue> q)
    : queue_(std::move(q)), channel_(std::make_shared<channel>(queue_->loop)), pause_(queue_->loop.get_executor()) {}

void probe::stop() {
  channel_->interrupt();
  pause_.cancel();
}

task<> probe::until_closed(std::shared_ptr<probe> self) { co_await self->loop(); }

task<> probe::loop() {
  if (running_) co_return;
  running_ = true;
  while (!queue_->stopping && queue_->health.open()) {
    pause_.expires_after(std::chrono::milliseconds(queue_->settings.probe_interval_ms));
    co_await pause_.async_wait(as_error);
    if (queue_->stopping || !queue_->health.open()) break;
    const auto generation = queue_->generation;
    const bool well = co_await once();
    if (queue_->stopping) break;
    if (generation != queue_->generation) channel_->close();
    if (!well || generation != queue_->generation)
      queue_->health.probe_failed();
    else if (queue_->health.probe_succeeded())
      break;
  }
  channel_->close();
  running_ = false;
}

task<bool> probe::once() {
  channel_->notice_loss();
  if (!channel_->connected()) {
    const auto limit = std::max<clock::duration>(1s, queue_->answer_limit());
    const reply r = co_await channel_->connect(queue_->conninfo, queue_->session_settings(), clock::now() + limit);
    if (r.outcome != reply::state::done) co_return false;
  }
  // Not in time is not well: the ops of a breaker that it closed would only wait out their budget again.
  const auto budget = std::chrono::milliseconds(queue_->settings.budget_ms);
  const command write{&beat_, {}};
  const reply r = co_await channel_->run({&write, 1}, clock::now() + budget);
  if (r.outcome != reply::state::done) channel_->close();
  co_return r.outcome == reply::state::done;
}

}  // namespace pgtandem::apply
