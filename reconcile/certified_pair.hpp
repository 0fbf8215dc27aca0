// A certified pair of snapshots (DESIGN §5): s on the primary, then f on the secondary. The secondary commits first, so
// f holds everything that s holds; what f may have more is named in the pair's doubts. Every other difference is drift.
//
// The two sessions stay in REPEATABLE READ transactions until end(). They hold no locks but ACCESS SHARE on the tables
// that were read in them; ledger and dirty are read on other sessions, so that a flip never waits for a sweep.
#pragma once
#include <chrono>
#include <string>

#include "proxy/database/connection.hpp"
#include "reconcile/doubt_set.hpp"
#include "reconcile/ledger_partitions.hpp"

namespace pgtandem::reconcile {

struct pair_sessions {
  database::connection& primary;        // will be in s
  database::connection& secondary;      // will be in f
  database::connection& primary_plain;  // between transactions
  database::connection& secondary_plain;
};

class certified_pair {
 public:
  explicit certified_pair(pair_sessions sessions) : on_(sessions) {}
  ~certified_pair() { end(); }
  certified_pair(const certified_pair&) = delete;

  // Takes s, f and the doubts. 54000: too much is in doubt for a comparison now.
  database::result<void> begin();
  void end();
  bool open() const { return open_; }
  std::chrono::steady_clock::duration age() const { return std::chrono::steady_clock::now() - begun_; }

  const doubt_set& doubts() const { return doubts_; }
  database::connection& primary() { return on_.primary; }
  database::connection& secondary() { return on_.secondary; }
  // The table's files were exchanged (TRUNCATE, rewrite) after a snapshot: what the pair shows of it is not what was.
  // Ask after reading the table.
  database::result<bool> left_the_pair(const std::string& relation);

 private:
  database::result<void> read_ledger(const std::string& watermark, const std::string& boot, const std::string& s,
                                     const std::string& f);
  database::result<void> read_dirty(database::connection& c);

  pair_sessions on_;
  ledger_partitions partitions_;
  doubt_set doubts_;
  bool open_ = false;
  std::chrono::steady_clock::time_point begun_{};
};

}  // namespace pgtandem::reconcile
