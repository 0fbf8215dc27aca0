// What a loop has counted, on its way to the meter: once a second, because the meter takes a lock.
#include "proxy/net/loop.hpp"

namespace pgtandem::net {
namespace {

constexpr std::chrono::seconds report_interval{1};
constexpr std::size_t names_max = 1000;  // kept between two reports; more of them are counted as "other"

void move_names(std::vector<std::string>& from, std::vector<std::string>& to) {
  for (auto& name : from) to.push_back(to.size() < names_max ? std::move(name) : std::string("other"));
  from.clear();
}

std::uint64_t failures_of(const apply::pool_tally& t) { return t.refused + t.lost + t.timed_out; }
std::uint64_t applied_of(const apply::pool_tally& t) { return t.ops - failures_of(t); }

}  // namespace

void loop::count(session::tally& t) {
  counted_.transactions += std::exchange(t.transactions, 0);
  counted_.queries += std::exchange(t.queries, 0);
  counted_.ops += std::exchange(t.ops, 0);
  counted_.ops_degraded += std::exchange(t.ops_degraded, 0);
  if (!t.refused.empty()) move_names(t.refused, counted_.refused);
  if (!t.census.empty()) move_names(t.census, counted_.census);
  if (!t.degraded.empty()) move_names(t.degraded, counted_.degraded);
}

void loop::report_later() {
  report_timer_.expires_after(report_interval);
  report_timer_.async_wait([this](error_code ec) {
    if (ec) return;
    report();
    report_later();
  });
}

void loop::report() {
  using telemetry::metric;
  auto& meter = *services_.meter;
  const auto add = [&](metric m, std::uint64_t by) {
    if (by != 0) meter.add(m, static_cast<double>(by));
  };
  const auto t = std::exchange(counted_, {});
  add(metric::transactions, t.transactions);
  add(metric::queries, t.queries);
  add(metric::ops, t.ops);
  add(metric::analyzer_hits, analyzer_.hits() - std::exchange(analyzer_hits_, analyzer_.hits()));
  add(metric::analyzer_misses, analyzer_.misses() - std::exchange(analyzer_misses_, analyzer_.misses()));
  add(metric::bytes_in, client_traffic_.read - traffic_counted_.read);
  add(metric::bytes_out, client_traffic_.written - traffic_counted_.written);
  traffic_counted_ = client_traffic_;
  board_.longest_wait_us.set(
      static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::microseconds>(longest_wait_).count()));
  for (const auto& sqlstate : t.refused) meter.add(metric::statements_refused, 1, sqlstate);
  for (const auto& name : t.census) meter.add(metric::census, 1, name);
  for (const auto& reason : t.degraded) meter.add(metric::ops_degraded, 1, reason);
  if (!appliers_) return;
  const auto now = appliers_->tally();
  add(metric::groups, now.groups - appliers_counted_.groups);
  add(metric::ops_applied, applied_of(now) - applied_of(appliers_counted_));
  add(metric::groups_fell_apart, now.groups_fell_apart - appliers_counted_.groups_fell_apart);
  add(metric::breaker_opened, now.breaker_opened - appliers_counted_.breaker_opened);
  add(metric::dual_write_fail, failures_of(now) - failures_of(appliers_counted_));
  if (now.groups != appliers_counted_.groups) {
    board_.groups.set(now.groups - appliers_counted_.groups);
    board_.grouped_ops.set(now.grouped_ops - appliers_counted_.grouped_ops);
  }
  board_.applier_queue.set(now.waiting);
  board_.breaker_open.set(now.breaker_open ? 1 : 0);
  appliers_counted_ = now;
}

}  // namespace pgtandem::net
