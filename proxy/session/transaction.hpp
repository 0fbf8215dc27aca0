// What is known of the transaction that the client has open on the primary: savepoints, the fence's reach, the write set.
//
// Fed with evidence only (CommandComplete, ReadyForQuery), never with hopes. Pure; one per session.
#pragma once
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "proxy/session/world.hpp"
#include "proxy/session/write_set.hpp"
#include "proxy/sql/analysis.hpp"

namespace pgtandem::session {

class transaction {
 public:
  // A transaction block is open by the client's own BEGIN (from tags between two ReadyForQuery).
  bool block = false;
  write_set writes;

  // `rules`: the world it began with; set at its first statement, kept to its end.
  const world_ptr& rules() const { return rules_; }
  void begin(world_ptr w) { if (!rules_) rules_ = std::move(w); }
  bool begun() const { return rules_ != nullptr; }

  // The fence was read with the present savepoints open.
  void fenced() { fence_depth_ = savepoints_.size(); fenced_ = true; }
  bool needs_fence() const { return !fenced_; }
  // What the fence found out about the session's settings may not hold any more.
  void fence_again() { fenced_ = false; }

  // An idempotency key was claimed with the present savepoints open; rolling back to one of them undoes it.
  void claimed() { claim_depth_ = savepoints_.size(); }
  bool holds_claim() const { return claim_depth_.has_value(); }

  bool knows(std::string_view savepoint) const;
  // A statement of this kind has completed.
  void completed(sql::statement_kind kind, std::string_view name);
  // It is over (ReadyForQuery says idle, or COMMIT/ROLLBACK completed).
  void over();

 private:
  struct savepoint {
    std::string name;
    write_set::mark writes;
  };
  void rollback_to(std::string_view name);
  void release(std::string_view name);

  world_ptr rules_;
  std::vector<savepoint> savepoints_;
  std::size_t fence_depth_ = 0;   // savepoints open when the fence was read: rolling back to one of them releases its lock
  bool fenced_ = false;
  std::optional<std::size_t> claim_depth_;   // likewise
};

}  // namespace pgtandem::session
