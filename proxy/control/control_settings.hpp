// What the control thread and the coordinator need of the configuration.
#pragma once
#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "config/settings.hpp"
#include "proxy/control/phase.hpp"
#include "proxy/session/world.hpp"

namespace pgtandem::control {

struct control_settings {
  std::string name;                      // of this proxy, for operators: "host:port"
  std::string source, target;            // conninfo
  std::vector<std::string> exclude;      // scope.exclude
  std::vector<std::string> allowed_functions;
  session::limits bounds;
  std::chrono::milliseconds lease{3000}, unmovable_wait{5000}, hold_deadline{5000}, drain_deadline{10000};
  std::int64_t sequence_headroom = 10000;
  std::chrono::seconds sweep_max_age{600};
  std::chrono::seconds epoch_age{21600};       // ledger.epoch_seconds
  std::int64_t ledger_rows = 5000000;          // ledger.partition_rows

  const std::string& conninfo(place p) const { return p == place::source ? source : target; }
};

session::limits limits_of(const config::settings& s);
control_settings control_settings_of(const config::settings& s);

}  // namespace pgtandem::control
