#include "proxy/control/control_settings.hpp"

#include <unistd.h>

namespace pgtandem::control {
namespace {

std::string host_name() {
  char text[256] = {};
  return gethostname(text, sizeof text - 1) == 0 ? text : "unknown";
}

}  // namespace

session::limits limits_of(const config::settings& s) {
  session::limits l;
  l.secondary_policy = s.dual_write.strict() ? session::policy::strict : session::policy::degrade;
  l.budget_ms = s.dual_write.budget_ms;
  l.statement_max = s.dual_write.statement_max_bytes;
  l.write_set_max = s.dual_write.write_set_max_bytes;
  l.keys_max = s.dual_write.keys_max;
  return l;
}

control_settings control_settings_of(const config::settings& s) {
  control_settings c;
  c.name = host_name() + ":" + std::to_string(s.listen.port);
  c.source = s.source;
  c.target = s.target;
  c.exclude = s.scope.exclude;
  c.allowed_functions = s.dual_write.allowed_functions;
  c.bounds = limits_of(s);
  c.lease = std::chrono::milliseconds(s.cutover.lease_ms);
  c.unmovable_wait = std::chrono::milliseconds(s.cutover.unmovable_wait_ms);
  c.hold_deadline = std::chrono::milliseconds(s.cutover.hold_deadline_ms);
  c.drain_deadline = std::chrono::milliseconds(s.cutover.drain_deadline_ms);
  c.sequence_headroom = static_cast<std::int64_t>(s.cutover.sequence_headroom);
  c.sweep_max_age = std::chrono::seconds(s.cutover.sweep_max_age_seconds);
  c.epoch_age = std::chrono::seconds(s.ledger.epoch_seconds);
  c.ledger_rows = static_cast<std::int64_t>(s.ledger.partition_rows);
  return c;
}

}  // namespace pgtandem::control
