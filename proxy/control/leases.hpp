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
  std::string shut_out;        // of those, what the first was told that its next primary did not let in; empty: none
  std::string unmovable;       // the first of them: "session ID holds REASON, …"
  double held_ms = -1;         // -1 = it has not been through a flip
  double age_ms = 0;           // since it was renewed
  bool live = false;           // renewed within lease_ms (plus what a renewal may take)
  bool connected = false;      // its control connection is open: not live and connected = stalled
  bool fenced = false;         // it has acknowledged a phase in which the databases refuse what it sends too late
  std::int32_t backends = 0;   // not live: sessions of its last report that are still on the server
  bool stalled() const { return !live && connected; }
  // It may still write, and nobody would refuse or mirror that.
  bool at_large() const { return !live && !fenced && (connected || backends > 0); }
};

inline constexpr std::chrono::milliseconds lease_slack{500};
// Of lease l: how many of its backends there still are. A process that began after the report is another one with its number;
// when it began is hidden from roles without pg_read_all_stats.
inline constexpr std::string_view backends_there_sql =
    "(SELECT count(*) FROM pg_stat_activity a WHERE a.datname = current_database() AND a.pid = ANY (l.backends) AND "
    "coalesce(a.backend_start <= l.renewed_at, true))";
database::result<std::vector<lease>> read_leases(database::connection& c, std::chrono::milliseconds lease_ms);

// Names of the live ones that have not acknowledged; empty = all have.
std::vector<std::string> not_at_step(const std::vector<lease>& all, std::int32_t epoch, step s);
std::vector<std::string> not_on_epoch(const std::vector<lease>& all, std::int32_t epoch);
// Where writes are to be mirrored, those at large count, too.
std::vector<std::string> not_at_phase(const std::vector<lease>& all, std::int32_t epoch, phase p);
// Those at large, and those that are stalled for whatever reason.
std::vector<std::string> stalled(const std::vector<lease>& all);
// Sessions of the live ones that hold what cannot move.
struct unmovable_summary {
  std::int32_t count = 0;
  std::string names;   // by proxy; of each at most unmovable_named
};
inline constexpr int unmovable_named = 5;
unmovable_summary unmovable_sessions(const std::vector<lease>& all);
// Of the live ones: sessions that their next primary does not let in.
std::string shut_out_sessions(const std::vector<lease>& all);
std::string joined(const std::vector<std::string>& names);

}  // namespace pgtandem::control
