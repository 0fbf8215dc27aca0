// Keeps this proxy's row of pgtandem.lease on the present primary: renews it, and writes an acknowledgement the moment it is due.
//
// While it is connected it holds the advisory lock (lease_lock, hash of proxy_id): a proxy that has stopped renewing and still
// holds it is stalled, not dead. Leases are not worth a flush: synchronous_commit is off.
#pragma once
#include <array>
#include <mutex>
#include <optional>
#include <string>

#include "proxy/control/board.hpp"
#include "proxy/control/control_settings.hpp"
#include "proxy/control/worker.hpp"
#include "proxy/database/connection.hpp"

namespace pgtandem::control {

inline constexpr int lease_lock = 7433004;   // first key of pg_advisory_lock(int, int)

// What the row is to say. The epoch, phase and step are the ones acknowledged: no session is under earlier rules any more.
struct lease_content {
  place primary = place::source;   // where the row lives; also the other place is connected to while writes are mirrored
  bool both = false;
  bool wanted = false;             // false: no schema, no lease
  std::int32_t epoch = 0;          // 0 = sessions are still under the rules of before `init`
  phase now = phase::passthrough;
  step at = step::steady;
  std::uint32_t sessions = 0;
  std::int32_t told = 0;           // the epoch that the loops have been told
  std::string backends{no_backends};   // array text: the server processes of sessions whose writes no fence stops; else none
  static constexpr std::string_view no_backends = "{}";
  static constexpr std::string_view nobody = "[]";
  std::string unmovable{nobody};   // JSON: [{"id":…,"reason":…},…]
  std::optional<double> held_ms;   // of the last flip
  bool same_acknowledgement(const lease_content& o) const {
    return wanted == o.wanted && primary == o.primary && epoch == o.epoch && now == o.now && at == o.at && held_ms == o.held_ms &&
           (unmovable == nobody) == (o.unmovable == nobody);   // a flip may wait for the last of them
  }
};

class lease_keeper {
 public:
  lease_keeper(const control_settings& s, std::string proxy_id, board& b)
      : settings_(s), proxy_id_(std::move(proxy_id)), board_(b) {}
  void start() { worker_.start([this] { run(); }); }
  void want(const lease_content& c);   // written at once if its acknowledgement differs, else with the next renewal
  void ask_to_stop() { worker_.ask_to_stop(); }
  void stop() { worker_.stop(); }      // the row is deleted where it can be

 private:
  struct line {
    std::optional<database::connection> c;
    clock::time_point tried{};
  };
  void run();
  bool connect(place p);
  bool write(const lease_content& c, bool news);
  void leave();
  line& at(place p) { return lines_[static_cast<std::size_t>(p)]; }

  const control_settings& settings_;
  const std::string proxy_id_;
  board& board_;
  std::array<line, 2> lines_;
  std::mutex lock_;
  lease_content wanted_;
  bool news_ = false;
  worker worker_;
};

}  // namespace pgtandem::control
