#include "proxy/control/intent.hpp"

#include <algorithm>

namespace pgtandem::control {

std::string_view name_of(intent_verb v) {
  constexpr std::string_view names[] = {"phase", "cutover", "rollback"};
  return names[static_cast<std::size_t>(v)];
}

std::string_view name_of(intent_state s) {
  constexpr std::string_view names[] = {"queued", "running", "done", "failed"};
  return names[static_cast<std::size_t>(s)];
}

std::optional<std::uint64_t> intent_desk::submit(const intent& what) {
  std::lock_guard hold(lock_);
  auto waiting = std::count_if(reports_.begin(), reports_.end(),
                               [](const intent_report& r) { return r.state == intent_state::queued; });
  if (static_cast<std::size_t>(waiting) >= queue_max) return std::nullopt;
  intent_report r;
  r.id = ++last_;
  r.what = what;
  reports_.push_back(std::move(r));
  // Only ended ones may be forgotten: a queued or running one is at most queue_max + 1 from the end.
  while (reports_.size() > kept_max) reports_.pop_front();
  arrived_.notify_one();
  return last_;
}

intent_report* intent_desk::find(std::uint64_t id) {
  auto at = std::find_if(reports_.begin(), reports_.end(), [&](const intent_report& r) { return r.id == id; });
  return at == reports_.end() ? nullptr : &*at;
}

std::optional<intent_report> intent_desk::report(std::uint64_t id) const {
  std::lock_guard hold(lock_);
  const intent_report* r = const_cast<intent_desk*>(this)->find(id);
  return r ? std::optional(*r) : std::nullopt;
}

std::vector<intent_report> intent_desk::reports() const {
  std::lock_guard hold(lock_);
  return {reports_.rbegin(), reports_.rend()};
}

std::optional<intent_report> intent_desk::take(std::chrono::milliseconds limit) {
  std::unique_lock hold(lock_);
  auto next = [&] {
    return std::find_if(reports_.begin(), reports_.end(),
                        [](const intent_report& r) { return r.state == intent_state::queued; });
  };
  arrived_.wait_for(hold, limit, [&] { return woken_ || next() != reports_.end(); });
  woken_ = false;
  auto at = next();
  if (at == reports_.end()) return std::nullopt;
  at->state = intent_state::running;
  return *at;
}

void intent_desk::note(std::uint64_t id, std::string_view step) {
  std::lock_guard hold(lock_);
  if (intent_report* r = find(id)) r->step = step;
}

void intent_desk::finish(const intent_report& done) {
  std::lock_guard hold(lock_);
  if (intent_report* r = find(done.id)) *r = done;
}

void intent_desk::wake() {
  std::lock_guard hold(lock_);
  woken_ = true;
  arrived_.notify_all();
}

}  // namespace pgtandem::control
