// Every metric of pgtandem, declared once (metrics.cpp holds the table), and the meter that collects their values.
//
// A loop counts in plain integers of its own and hands differences to the meter now and then (never per query): the meter's
// calls take a mutex. Any thread. prometheus-cpp is behind this header only.
#pragma once
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

namespace pgtandem::telemetry {

enum class metric : std::uint8_t {
  // the four names that dashboards of migrations expect
  migrated_rows,
  checksum_ok,
  dual_write_fail,
  cutover_ms,
  // clients and their traffic
  clients,
  clients_refused,
  transactions,
  queries,
  statements_refused,
  census,
  bytes_in,
  bytes_out,
  cancel_requests,
  // dual write
  ops,
  ops_degraded,
  ops_applied,
  groups,
  groups_fell_apart,
  group_size,
  applier_queue,
  secondary_wait_max,
  breaker_open,
  breaker_opened,
  // routing and migration
  epoch,
  phase,
  held,
  hold_seconds,
  unmovable,
  place_up,
  lease_age_seconds,
  dirty_rows,
  unsettled_rows,
  ledger_bytes,
  backfill_rows_total,
  backfill_bytes,
  sweep_age_seconds,
  sweep_differing,
  catalog_loads,
  analyzer_hits,
  analyzer_misses,
  admin_requests,
};

enum class metric_kind : std::uint8_t { counter, gauge };

struct metric_row {
  metric id;
  std::string_view name;
  metric_kind kind;
  std::string_view unit;   // "" = a plain number
  std::string_view label;  // name of its one label; empty = none
  std::string_view help;
};
std::span<const metric_row> metrics();
const metric_row& row_of(metric m);

class meter {
 public:
  meter();
  ~meter();
  meter(const meter&) = delete;
  meter& operator=(const meter&) = delete;

  // Counters only rise: a negative `by` is ignored. Of one metric at most label_max label values are kept apart, whatever
  // comes beyond is counted under "other".
  void add(metric m, double by = 1, std::string_view label = {});
  void set(metric m, double value, std::string_view label = {});
  double value(metric m, std::string_view label = {}) const;   // 0 if never touched
  std::string text() const;                                    // Prometheus text exposition format 0.0.4
  static constexpr std::size_t label_max = 200;

 private:
  struct state;
  std::unique_ptr<state> s_;
};

}  // namespace pgtandem::telemetry
