// Decides what the loops of this process are told, and what its lease may acknowledge. One thread; everything it reads comes from
// the board and the fleet, and it waits for nothing else.
//
//  * A routing only moves forward: never to a lower epoch than was published.
//  * From `init` on, as long as a phase may follow: if the lease could not be renewed for lease_ms, new transactions are held. This
//    proxy may have been passed over by a flip; or, where nothing is mirrored yet, by the start of mirroring, and no fence would stop
//    what it writes then. So there only a renewal counts after which the row was read again, and the loops know the moment, too.
//  * An acknowledgement follows the sessions: epoch and step are written to the lease only when no session is under earlier rules.
#pragma once
#include <functional>
#include <mutex>
#include <optional>

#include "proxy/control/board.hpp"
#include "proxy/control/control_settings.hpp"
#include "proxy/control/fleet.hpp"
#include "proxy/control/lease_keeper.hpp"
#include "proxy/control/worker.hpp"
#include "proxy/telemetry/metrics.hpp"

namespace pgtandem::control {

class director {
 public:
  static constexpr std::chrono::milliseconds look_every{100};
  static constexpr std::chrono::milliseconds catalog_wait{1000};     // a flip's release waits so long for the new primary's catalog
  static constexpr std::chrono::milliseconds secondary_grace{1000};  // its catalog is kept so long after it was lost
  static constexpr std::chrono::milliseconds metrics_every{250};

  director(const control_settings& s, board& b, fleet& f, lease_keeper& l, telemetry::meter& m);
  void start() { worker_.start([this] { run(); }); }
  void ask_to_stop() { worker_.ask_to_stop(); board_.poke(); }
  void stop() { ask_to_stop(); worker_.stop(); }

  session::world_ptr world() const;
  void change_limits(const session::limits& l);
  std::optional<double> last_held_ms() const;
  bool lease_held() const;

 private:
  void run();
  void decide();
  routing choose(const board_state& b, clock::time_point now);
  bool catalog_due(const board_state& b, const routing& next, clock::time_point now);
  void publish(const board_state& b, const routing& next, clock::time_point now);
  void measure(const routing& next, clock::time_point now);
  void acknowledge(const board_state& b);
  void report(const board_state& b, clock::time_point now);
  std::optional<clock::time_point> lease_ends(const board_state& b, const routing& next) const;

  const control_settings& settings_;
  board& board_;
  fleet& fleet_;
  lease_keeper& lease_;
  telemetry::meter& meter_;

  mutable std::mutex lock_;               // world_, bounds_, held_ms_, lease_held_
  session::world_ptr world_;
  session::limits bounds_;
  std::optional<double> held_ms_;
  bool lease_held_ = false;

  std::optional<migration_row> say_;      // the row that has the say, as last followed
  std::uint64_t ticket_ = 0;
  std::optional<clock::time_point> bound_since_;   // without it the lease cannot be overdue
  std::optional<clock::time_point> hold_begun_, release_begun_, catalog_asked_, reported_;
  bool flip_hold_ = false;                // the hold is a flip's, not a lost lease's
  double hold_reported_ms_ = 0;
  lease_content acknowledged_;
  worker worker_;
};

}  // namespace pgtandem::control
