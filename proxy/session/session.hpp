// One client's conversation after its startup: the pure core. Events go in, run to their end, and leave what they want in `out()`.
//
// No socket, clock, thread or log. The owner (proxy/net/session_scope) performs the outbox after every call: writes both
// buffers (one write per peer), arms the deadline, hands over the op, and reads from a peer only while `reads` says so.
// Lifetime: one object per client connection, used by one thread.
#pragma once
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "proxy/session/op.hpp"
#include "proxy/session/world.hpp"
#include "proxy/sql/analysis.hpp"

namespace pgtandem::session {

// What a server said at login; the startup conversation collects it.
struct server_hello {
  std::vector<std::pair<std::string, std::string>> parameters;  // ParameterStatus
  std::uint32_t pid = 0, secret = 0;
};

// Counted by the core, drained by the owner into telemetry (names: proxy/telemetry/metrics).
struct tally {
  std::uint64_t transactions = 0, queries = 0, ops = 0, ops_degraded = 0;
  std::vector<std::string> refused;    // SQLSTATE of each statement, or commit, that the proxy itself has refused
  std::vector<std::string> census;     // constructs met in passthrough that dual_write would refuse
  std::vector<std::string> degraded;   // reason per degraded op
};

enum class next_primary : std::uint8_t { none, connect, drop };  // connect: log in to routing.primary() of the next world

struct outbox {
  std::string to_client, to_primary;   // the owner takes them (and gives back the capacity by clearing)
  op_ptr submit;                       // hand to the applier pool; the answer comes back through applied()
  op_ptr overdue;                      // tell the applier pool: this one's budget has passed, the client waits no longer
  bool refresh_catalog = false;        // ask the control thread for a new catalog (DDL seen, table unknown)
  std::optional<std::uint32_t> deadline_ms;  // arm (replacing) the one deadline, from now
  bool disarm = false;
  bool reads_client = true, reads_primary = true;
  bool close_client = false;           // after to_client is flushed
  next_primary next = next_primary::none;
  bool swap_primary = false;           // from now on to_primary and primary_data() mean the next primary; the old one hears Terminate
  tally counted;
};

class session {
 public:
  // `shared` (the loop's analyzer cache) outlives the session.
  session(sql::analyzer& shared, world_ptr w, const server_hello& primary);
  ~session();

  // --- events
  void client_data(std::string_view bytes);
  void primary_data(std::string_view bytes);
  void client_closed();                          // the owner then tells the primary Terminate and forgets the session
  void primary_closed(std::string_view why);     // client hears 57P01/08006 as is true
  void applied(const op_ptr& o, const apply_outcome& outcome);
  void deadline_passed();
  void world_changed(world_ptr w);               // routing, catalogs or limits; kept until a transaction boundary if it must
  void next_primary_ready(const server_hello& h);            // the connection asked for with next_primary::connect is there
  void next_primary_failed(std::string_view sqlstate, std::string_view message);
  // A CancelRequest. False: what it is for is with the primary, and so is the request to be. True: it has been dealt with here.
  bool cancel();
  void shutdown(bool now);                       // drain: 57P01 at the next idle moment; now: at once

  outbox& out();

  // --- questions
  bool idle() const;             // no transaction open and nothing in flight: where it can be held, moved, closed
  bool about_to_submit() const;  // an autocommit write is under way: its op follows when the primary has answered
  bool commit_under_way() const; // a commit is under way: the client will hear ReadyForQuery (or an error) before it says anything
  std::int32_t epoch() const;    // of the routing its present (or next) transaction uses
  bool held() const;             // has taken the `holding` of its world to heart: nothing starts until release
  bool warm() const;             // nothing more can be done ahead of a move: the next primary's connection is there or refused, or is not wanted
  // What keeps it from moving to another primary ("a temporary table", …), empty = nothing. Valid until the next event.
  std::string_view unmovable() const;

 private:
  struct state;
  void settle();

  std::unique_ptr<state> s_;
};

}  // namespace pgtandem::session
