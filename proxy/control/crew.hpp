// The coordinator's two connections, one per place, each holding the coordinator's lock as long as it lives.
//
// A connection is refused (55000) to a database that is not what the configuration calls it.
// Whoever holds the lock of a place is the only one who changes its row there; when the lock has been obtained, every statement of
// the former holder has ended. A holder whose lease has run out is terminated by his successor. One thread at a time per place.
#pragma once
#include <array>
#include <chrono>
#include <optional>
#include <string>
#include <string_view>

#include "proxy/control/control_settings.hpp"
#include "proxy/control/phase.hpp"
#include "proxy/database/connection.hpp"
#include "proxy/database/pairing.hpp"

namespace pgtandem::control {

class crew {
 public:
  static constexpr std::chrono::milliseconds connect_limit{1000};
  static constexpr std::chrono::milliseconds statement_slack{2000};   // beyond a statement's own lock_timeout
  static constexpr std::chrono::milliseconds takeover_limit{2000};    // for a terminated holder to be gone

  crew(const control_settings& s, std::string proxy_id) : settings_(s), proxy_id_(std::move(proxy_id)) {}

  // Connects and takes the lock. An error of SQLSTATE 55P03: a living coordinator has it.
  // `leases`: where the leases are (the present primary); its connection must be had first, or be `p` itself.
  database::result<void> board(place p, place leases);
  // Connects without the lock: for looking only.
  database::result<void> visit(place p);
  bool aboard(place p) const { return at(p) && !at(p)->lost(); }
  database::connection& operator[](place p) { return *at(p); }
  void dismiss(place p) { at(p).reset(); }   // gives the lock back
  void dismiss() { connections_ = {}; }

  // One text, one transaction: rolled back if it fails half-way. The call's limit is `patience` + statement_slack.
  database::result<database::rows> run(place p, std::string_view text, std::chrono::milliseconds patience = {});

 private:
  database::result<void> connect(place p);
  database::result<bool> try_lock(place p);
  database::result<bool> holder_is_dead(place p, place leases);
  std::optional<database::connection>& at(place p) { return connections_[static_cast<std::size_t>(p)]; }
  const std::optional<database::connection>& at(place p) const { return connections_[static_cast<std::size_t>(p)]; }

  const control_settings& settings_;
  const std::string proxy_id_;
  std::array<std::optional<database::connection>, 2> connections_;
  std::array<database::pairing, 2> selves_;   // who they are; valid where connected
};

}  // namespace pgtandem::control
