// The reconciler's sessions on both databases, by role. Opens them, opens them again after a loss, follows the
// migration row (authority: standing.hpp) and swaps the roles after a flip.
//
// Owned and used by one thread. While ready() is false nothing else may be called but connect().
#pragma once
#include <optional>
#include <string>

#include "config/settings.hpp"
#include "proxy/database/connection.hpp"
#include "proxy/database/pairing.hpp"
#include "reconcile/standing.hpp"

namespace pgtandem::reconcile {

// One reconciler works on a pair of databases at a time: the one whose working session holds this on the secondary.
inline constexpr const char* reconciler_lock = "7433010";

class place_pair {
 public:
  // `name` becomes part of application_name. The settings must outlive the pair.
  place_pair(const config::settings& s, std::string name) : settings_(s), name_(std::move(name)) {}

  // Opens what is not open and reads where the migration stands. An error: one side is away, or has no pgtandem schema, or the
  // two are not what the configuration calls them (55000).
  database::result<standing> connect();
  bool ready() const { return standing_ && !lost(); }
  // Every session is closed; the next connect() opens new ones (an open transaction is rolled back by its server).
  void close();

  const standing& now() const { return *standing_; }
  // Rises with every session that was opened: a database that has crashed shows in it.
  int opened() const { return opened_; }
  database::connection& primary() { return *side(now().primary()).work; }
  database::connection& watcher() { return *side(now().primary()).plain; }
  database::connection& secondary() { return *side(control::other(now().primary())).work; }
  // Hears NOTIFY pgtandem on the secondary; used for nothing that waits otherwise.
  database::connection& bell() { return *side(control::other(now().primary())).plain; }

  // Takes, or finds that it holds, the reconciler's lock on the present secondary's working session. false: another has
  // it.
  database::result<bool> hold_lock();

 private:
  struct sessions {
    std::optional<database::connection> work, plain;
    database::pairing self;  // who the database is, asked with each new `plain`
    bool locked = false;
  };
  sessions& side(control::place p) { return p == control::place::source ? source_ : target_; }
  bool lost() const;
  database::result<void> open(control::place p);
  database::result<std::optional<standing>> read(control::place p);

  const config::settings& settings_;
  std::string name_;
  sessions source_, target_;
  std::optional<standing> standing_;
  int opened_ = 0;
};

}  // namespace pgtandem::reconcile
