#include "proxy/telemetry/metrics.hpp"

#include <prometheus/counter.h>
#include <prometheus/gauge.h>
#include <prometheus/registry.h>
#include <prometheus/text_serializer.h>

#include <array>
#include <map>
#include <mutex>
#include <set>

namespace pgtandem::telemetry {
namespace {

constexpr auto counter = metric_kind::counter;
constexpr auto gauge = metric_kind::gauge;

constexpr std::array table{
    metric_row{metric::migrated_rows, "migrated_rows", gauge, "rows", "", "rows copied and verified by the backfill"},
    metric_row{metric::checksum_ok, "checksum_ok", gauge, "", "", "1 if the last finished sweep was clean"},
    metric_row{metric::dual_write_fail, "dual_write_fail", counter, "ops", "", "ops that did not reach the secondary in time"},
    metric_row{metric::cutover_ms, "cutover_ms", gauge, "ms", "scope",
               "how long new transactions were held by the last flip: scope=proxy here, scope=all over every proxy"},
    metric_row{metric::clients, "pgtandem_clients", gauge, "sessions", "", "clients logged in"},
    metric_row{metric::clients_refused, "pgtandem_clients_refused_total", counter, "", "sqlstate", "logins refused"},
    metric_row{metric::transactions, "pgtandem_transactions_total", counter, "", "", "transactions of clients that ended"},
    metric_row{metric::queries, "pgtandem_queries_total", counter, "", "", "Query and Execute messages of clients"},
    metric_row{metric::statements_refused, "pgtandem_statements_refused_total", counter, "", "sqlstate",
               "statements that the proxy itself refused"},
    metric_row{metric::census, "pgtandem_census_total", counter, "", "construct",
               "statements met in passthrough that dual_write would refuse"},
    metric_row{metric::bytes_in, "pgtandem_client_bytes_in_total", counter, "bytes", "", "read from clients"},
    metric_row{metric::bytes_out, "pgtandem_client_bytes_out_total", counter, "bytes", "", "written to clients"},
    metric_row{metric::cancel_requests, "pgtandem_cancel_requests_total", counter, "", "", "CancelRequests received"},
    metric_row{metric::ops, "pgtandem_ops_total", counter, "ops", "", "write transactions with effects to mirror"},
    metric_row{metric::ops_degraded, "pgtandem_ops_degraded_total", counter, "ops", "reason",
               "ops recorded as dirty instead of applied"},
    metric_row{metric::ops_applied, "pgtandem_ops_applied_total", counter, "ops", "", "ops applied on the secondary in time"},
    metric_row{metric::groups, "pgtandem_groups_total", counter, "", "", "secondary transactions of the appliers"},
    metric_row{metric::groups_fell_apart, "pgtandem_groups_fell_apart_total", counter, "", "",
               "groups that failed and were applied op by op"},
    metric_row{metric::group_size, "pgtandem_group_size", gauge, "ops", "", "ops per group, mean of the last second that had any"},
    metric_row{metric::applier_queue, "pgtandem_applier_queue", gauge, "ops", "", "ops waiting for an applier"},
    metric_row{metric::secondary_wait_max, "pgtandem_secondary_wait_max_seconds", gauge, "s", "",
               "the longest that a COMMIT has waited for the secondary since the proxy started"},
    metric_row{metric::breaker_open, "pgtandem_breaker_open", gauge, "loops", "", "loops whose breaker is open"},
    metric_row{metric::breaker_opened, "pgtandem_breaker_opened_total", counter, "", "", "times a breaker opened"},
    metric_row{metric::epoch, "pgtandem_epoch", gauge, "", "", "number of the present routing; 0 = not initialised"},
    metric_row{metric::phase, "pgtandem_phase", gauge, "", "phase", "1 for the present phase, 0 for the others"},
    metric_row{metric::held, "pgtandem_held", gauge, "", "", "1 while new transactions are held"},
    metric_row{metric::hold_seconds, "pgtandem_hold_seconds_total", counter, "s", "", "time for which new transactions were held"},
    metric_row{metric::unmovable, "pgtandem_unmovable_sessions", gauge, "sessions", "", "sessions that cannot move to another primary; at most 100 are counted"},
    metric_row{metric::place_up, "pgtandem_place_up", gauge, "", "place", "1 if the control connection to the place works"},
    metric_row{metric::lease_age_seconds, "pgtandem_lease_age_seconds", gauge, "s", "", "since this proxy's lease was renewed"},
    metric_row{metric::dirty_rows, "pgtandem_dirty_rows", gauge, "rows", "", "rows of pgtandem.dirty on the primary (counted up to 10000)"},
    metric_row{metric::unsettled_rows, "pgtandem_unsettled_rows", gauge, "rows", "",
               "ledger rows on the secondary that the audit has not settled (counted up to 10000)"},
    metric_row{metric::ledger_bytes, "pgtandem_ledger_bytes", gauge, "bytes", "", "size of the ledger on the secondary, all partitions"},
    metric_row{metric::backfill_rows_total, "pgtandem_backfill_rows", gauge, "rows", "", "rows that the backfill expects to copy"},
    metric_row{metric::backfill_bytes, "pgtandem_backfill_bytes", gauge, "bytes", "", "bytes copied by the backfill"},
    metric_row{metric::sweep_age_seconds, "pgtandem_sweep_age_seconds", gauge, "s", "", "since the last clean sweep ended; -1 = none"},
    metric_row{metric::sweep_differing, "pgtandem_sweep_differing", gauge, "rows", "", "rows that the last finished sweep found different"},
    metric_row{metric::catalog_loads, "pgtandem_catalog_loads_total", counter, "", "place", "catalog snapshots loaded"},
    metric_row{metric::analyzer_hits, "pgtandem_analyzer_hits_total", counter, "", "", "statements found in the analysis cache"},
    metric_row{metric::analyzer_misses, "pgtandem_analyzer_misses_total", counter, "", "", "statements parsed"},
    metric_row{metric::admin_requests, "pgtandem_admin_requests_total", counter, "", "status", "requests answered by the admin port"},
};

prometheus::Family<prometheus::Counter>* counter_family(prometheus::Registry& in, const metric_row& row) {
  if (row.kind != counter) return nullptr;
  return &prometheus::BuildCounter().Name(std::string(row.name)).Help(std::string(row.help)).Register(in);
}

prometheus::Family<prometheus::Gauge>* gauge_family(prometheus::Registry& in, const metric_row& row) {
  if (row.kind != gauge) return nullptr;
  return &prometheus::BuildGauge().Name(std::string(row.name)).Help(std::string(row.help)).Register(in);
}

struct family {
  prometheus::Family<prometheus::Counter>* counters = nullptr;
  prometheus::Family<prometheus::Gauge>* gauges = nullptr;
  std::set<std::string, std::less<>> labels;
};

}  // namespace

std::span<const metric_row> metrics() { return table; }
const metric_row& row_of(metric m) { return table[static_cast<std::size_t>(m)]; }

struct meter::state {
  prometheus::Registry registry;
  mutable std::mutex lock;
  std::array<family, table.size()> families;

  prometheus::Labels labels(const metric_row& row, std::string_view label) {
    if (row.label.empty()) return {};
    auto& known = families[static_cast<std::size_t>(row.id)].labels;
    if (known.find(label) == known.end()) {
      if (known.size() >= label_max) label = "other";
      known.emplace(label);
    }
    return {{std::string(row.label), std::string(label)}};
  }
};

meter::meter() : s_(std::make_unique<state>()) {
  for (const metric_row& row : table) {
    family& f = s_->families[static_cast<std::size_t>(row.id)];
    f.counters = counter_family(s_->registry, row);
    f.gauges = gauge_family(s_->registry, row);
    if (!row.label.empty()) continue;  // a labelled metric has no line before its first value
    if (f.counters) f.counters->Add({});
    if (f.gauges) f.gauges->Add({});
  }
}

meter::~meter() = default;

void meter::add(metric m, double by, std::string_view label) {
  const metric_row& row = row_of(m);
  std::lock_guard hold(s_->lock);
  family& f = s_->families[static_cast<std::size_t>(m)];
  if (f.counters) f.counters->Add(s_->labels(row, label)).Increment(by);
  if (f.gauges) f.gauges->Add(s_->labels(row, label)).Increment(by);
}

void meter::set(metric m, double value, std::string_view label) {
  std::lock_guard hold(s_->lock);
  family& f = s_->families[static_cast<std::size_t>(m)];
  if (f.gauges) f.gauges->Add(s_->labels(row_of(m), label)).Set(value);
}

double meter::value(metric m, std::string_view label) const {
  std::lock_guard hold(s_->lock);
  family& f = s_->families[static_cast<std::size_t>(m)];
  if (!row_of(m).label.empty() && f.labels.find(label) == f.labels.end()) return 0;
  prometheus::Labels at = s_->labels(row_of(m), label);
  return f.counters ? f.counters->Add(at).Value() : f.gauges->Add(at).Value();
}

std::string meter::text() const { return prometheus::TextSerializer().Serialize(s_->registry.Collect()); }

}  // namespace pgtandem::telemetry
