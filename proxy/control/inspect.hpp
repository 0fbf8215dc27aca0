// What the admin port shows beyond the process' own state: read from the databases when somebody asks, on connections of its own,
// so that nothing of control waits for it. Blocking, bounded by the crew's limits.
#pragma once
#include <string>
#include <vector>

#include "proxy/control/control_settings.hpp"
#include "proxy/control/gates.hpp"

namespace pgtandem::control {

enum class report_kind : std::uint8_t { journal, progress, leases, sweeps };

// JSON text, made by PostgreSQL: an array of objects, newest first where there is an order, at most 200.
database::result<std::string> inspect(const control_settings& s, const routing& now, report_kind what);

struct gate_report {
  std::string use;                  // of which change the gates are: "cutover", …
  std::vector<gate_result> gates;
};
// The gates of the natural next step: the next phase's, or of the flip where there is one.
database::result<gate_report> inspect_gates(const control_settings& s, const routing& now);

}  // namespace pgtandem::control
