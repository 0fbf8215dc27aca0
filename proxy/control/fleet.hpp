// The loops of this process as the control thread sees them: worlds go in, one look at all sessions comes out.
//
// Implemented by the server in proxy/net, by a fake in tests. Every member may be called from any thread and returns without
// waiting for a loop (list() excepted, see there). The fleet outlives the control thread that uses it.
//
// How an acknowledgement comes about: the control thread publishes a world and keeps the ticket; each loop takes the world and
// hands it to its sessions; a session that is in the middle of a transaction goes on under the old one. As long as
// fleet_view::ticket is lower than the ticket, or the number that matters (behind, open, cold) is not zero, the step is not
// acknowledged. The loops call the wake-up as soon as one of these has become true, so that nobody polls.
#pragma once
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "proxy/session/world.hpp"

namespace pgtandem::control {

// How the reason of a session begins that the next primary did not let in while a flip warms. Such a one does not wait: it stops the flip.
inline constexpr std::string_view no_login = "no login at the next primary: ";

// A session that cannot move to another primary, for the operator.
struct unmovable_session {
  std::uint64_t id = 0;   // the same as in session_view
  std::string reason;     // session::unmovable(): "temporary table", …; or why it is shut out, see below
  bool shut_out() const { return reason.starts_with(no_login); }
};

// Sums over all loops. A session whose client is still logging in is counted nowhere: it starts under the newest world.
struct fleet_view {
  std::uint64_t ticket = 0;     // every loop has taken the world published with this ticket (or a later one)
  std::int32_t epoch = 0;       // the oldest under which a loop would serve a newcomer
  bool draining = false;        // newcomers are refused
  std::uint32_t sessions = 0;   // clients logged in
  std::uint32_t behind = 0;     // sessions whose session::epoch() is not the published routing's
  std::uint32_t open = 0;       // the published routing holds, and the session is not held() yet
  std::uint32_t cold = 0;       // the published routing warms, and the session neither has its next primary's connection
                                // nor has been refused one for good
  std::vector<std::uint32_t> backends;        // the sessions' processes on their primary's server
  std::vector<unmovable_session> unmovable;   // at most unmovable_max are named
  static constexpr std::size_t unmovable_max = 100;
};

// One line of `ctl sessions`.
struct session_view {
  std::uint64_t id = 0;
  std::string client, user, database, application;   // client: address:port
  std::string state;                                 // idle | active | transaction | held | moving | login
  std::string unmovable;
  std::int32_t epoch = 0;
  std::chrono::seconds age{0};
};

class fleet {
 public:
  virtual ~fleet() = default;

  // Hands the world to every loop (posted, never blocking) and returns its ticket; tickets rise.
  virtual std::uint64_t publish(session::world_ptr w) = 0;

  // The latest sums that the loops have left (each loop refreshes its part at the end of a turn in which one of them changed).
  virtual fleet_view view() const = 0;

  // From this moment on no loop begins anything for a client, until a later moment has been told: for a process that was stopped
  // and goes on, before the control thread has found out. clock::time_point::max() = never.
  virtual void trust_until(std::chrono::steady_clock::time_point) {}

  // `wake` is called, from a loop's thread, when all loops have taken the newest world, and whenever behind, open or cold of
  // all loops together has become zero. It only sets a flag or writes to an eventfd. An empty function ends the calls: when
  // on_change() has returned, the former one is not running any more.
  virtual void on_change(std::function<void()> wake) = 0;

  // Asks every loop for its sessions, at most `max`. Waits up to one second; a loop that has not answered is left out.
  // Not for the control thread.
  virtual std::vector<session_view> list(std::size_t max) const = 0;
};

}  // namespace pgtandem::control
