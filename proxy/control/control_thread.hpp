// Control of one proxy process: watches both databases, publishes worlds to the loops, keeps this proxy's lease, and carries
// out what an operator wants (or finishes what a dead coordinator has left).
//
// Threads of its own, each bounded: one watcher and one catalog loader per place, one that keeps the lease, one that decides
// what the loops are told, one coordinator. The watcher of a sick place waits alone: what concerns the primary never waits for
// the secondary. Works without a pgtandem schema too (epoch 0, plain pass-through).
// Lifetime: the fleet and the meter outlive it. All members may be called from any thread.
#pragma once
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "proxy/control/control_settings.hpp"
#include "proxy/control/fleet.hpp"
#include "proxy/control/intent.hpp"
#include "proxy/telemetry/metrics.hpp"

namespace pgtandem::control {

struct place_status {
  bool reachable = false;
  std::string problem;             // why not
  int server_version = 0;
  bool installed = false;          // has the schema pgtandem
  std::int32_t epoch = 0;
  std::string phase, step;
  std::int64_t catalog_version = -1;   // ddl_version of the loaded catalog; -1 = none
  std::size_t tables = 0;              // in it, in scope
};

// The ledger, and how far a rolling epoch has come; a second old at most.
struct ledger_status {
  std::int64_t open_epochs = 0;            // tables on the primary: two while proxies move on
  std::int64_t attached = 0, detached = 0; // partitions on the secondary; detached ones wait until they are settled
  std::int64_t bytes = 0;
};

struct control_status {
  std::string proxy_id, name;
  routing now;
  std::string step;                // of the place that has the say
  std::string primary;             // place name
  bool lease_held = false;
  double lease_age_seconds = 0;
  place_status source, target;
  ledger_status ledger;
  fleet_view sessions;
  bool coordinating = false;       // this process carries out an intent
  double last_held_ms = 0;         // of the last flip, here
};

class control_thread {
 public:
  control_thread(control_settings s, fleet& loops, telemetry::meter& metrics);
  ~control_thread();   // stop()

  void start();
  // Ends all threads and takes back the lease. The last world stays published. May be called more than once.
  void stop();

  // The newest published world; never null, before the first look at a database it is epoch 0 without catalogs.
  session::world_ptr world() const;
  // A session may start: the primary has answered and its catalog is loaded. The loops are not asked.
  bool ready() const;
  // Whether a client that connects now is served; if not, why. Independent of the secondary's health.
  std::string why_not_serving() const;
  // Waits until ready() or the limit; false = not yet.
  bool wait_ready(std::chrono::milliseconds limit) const;

  // A loop saw DDL or an unknown table. Calls in quick succession become one load.
  void refresh_catalog();
  // After a reload of the configuration.
  void change_limits(const session::limits& bounds);

  intent_desk& desk();
  control_status status() const;
  const control_settings& settings() const;

 private:
  struct impl;
  std::unique_ptr<impl> i_;
};

}  // namespace pgtandem::control
