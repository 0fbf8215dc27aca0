// The leases of all proxies, as the coordinator reads them on the present primary, and the questions it asks of them. The questions
// are pure.
#pragma once
#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "proxy/control/authority.hpp"
#include "proxy/database/connection.hpp"

namespace pgtandem::control {

struct lease {
  std::string proxy_id, name;
  std::int32_t epoch = 0;
  std::string phase, step;
  std::int32_t sessions = 0;
  std::int32_t unmovable_count = 0;
  std::string unmovable;       // the first of them: "session ID holds REASON, …"
  double held_ms = -1;         // -1 = it has not been through a flip
  double age_ms = 0;           // since it was renewed
  bool live = false;           // renewed within lease_ms (plus what a renewal may take)
  bool connected = false;      // its control connection is open: not live and connected = stalled
  bool stalled() const { return !live && connected; }
};

inline constexpr std::chrono::milliseconds lease_slack{500};
database::result<std::vector<lease>> read_leases(database::connection& c, std::chrono::milliseconds lease_ms);

// Names of the live ones that have not acknowledged; empty = all have.
std::vector<std::string> not_at_step(const std::vector<lease>& all, std::int32_t epoch, step s);
std::vector<std::string> not_on_epoch(const std::vector<lease>& all, std::int32_t epoch);
std::vector<std::string> not_at_phase(const std::vector<lease>& all, std::int32_t epoch, phase p);
std::vector<std::string> stalled(const std::vector<lease>& all);
// Sessions of the live ones that hold what cannot move.
struct unmovable_summary {
  std::int32_t count = 0;
  std::string names;   // by proxy; of each at most unmovable_named
};
inline constexpr int unmovable_named = 5;
unmovable_summary unmovable_sessions(const std::vector<lease>& all);
std::string joined(const std::vector<std::string>& names);

}  // namespace pgtandem::control
