// The flip of the primary (cutover and rollback), and its little sister `complete`, as a pure state machine: acts go out, their
// outcomes come in. No connection, clock or thread. proxy/control/coordinator performs the acts.
//
// Guarantees, whatever fails or is lost in which order (tests/unit/control/flip_model_test walks them):
//  * never two places with an open epoch; a place opens one only after the other's was dropped;
//  * before `open` has been asked for, every failure leads back to the old primary; after it only the truth found on the new
//    primary decides;
//  * a coordinator that starts anew decides by the two rows alone (resume()).
#pragma once
#include <cstdint>
#include <optional>
#include <string_view>

#include "proxy/control/authority.hpp"

namespace pgtandem::control {

struct flip_plan {
  std::int32_t epoch = 0;   // n: open on the old primary
  phase from = phase::verify, to = phase::tail;
  place old_primary() const { return row_of(from).primary; }
  place new_primary() const { return row_of(to).primary; }
  place old_secondary() const { return other(old_primary()); }
  place new_secondary() const { return other(new_primary()); }
  bool moves() const { return old_primary() != new_primary(); }
};

enum class act : std::uint8_t {
  mark_warming,       // old primary: step
  await_warm,         // every proxy's sessions have a connection to the next primary
  mark_holding,       // old primary: step; the clients' wait begins
  await_held,         // every live proxy has acknowledged that nothing is in flight
  fence_primary,      // old primary, one transaction: drop epoch_n (and an older one that still rolls), step = fenced
  fence_secondary,    // old secondary, one transaction: detach every other ledger, attach ledger_{n+1} for repairs, step = fenced
  mark_draining,      // old primary: step; the reconciler audits and repairs to the end
  advance_sequences,  // exactly, from the old primary to its secondary
  await_drained,      // nothing dirty, nothing unsettled
  mark_opening,       // old primary, one transaction: it is made ready to follow (ledger_{n+1}, triggers off), and the record
                      // says, durably, that from now on the new primary must be asked what is true
  open,               // new primary, one transaction: epoch_{n+1}, row (n+1, to, steady), NOTIFY. Point of no return: the
                      // proxies release
  look,               // new primary, with its lock: has `open` happened?
  follow,             // new secondary: row (n+1, to, steady), and what mark_opening did not do
  reopen,             // undo after the fence, old primary: epoch_{n+1}, row (n+1, from, steady)
  keep_following,     // then old secondary: ledger_{n+1}, row (n+1, from, steady); never before the primary is open
  release,            // undo before the fence, old primary: step = steady in epoch n
};
std::string_view name_of(act a);

enum class outcome : std::uint8_t {
  done,     // it has happened
  refused,  // it has not happened, and will not (an error, a deadline)
  lost,     // unknown: the connection went away
  again,    // open: refused because something is in doubt after all
  no,       // look: the new primary has not opened
};

enum class flip_end : std::uint8_t { running, moved, undone };

class flip {
 public:
  explicit flip(const flip_plan& p);
  // A flip that a former coordinator has begun and that must be undone. After `fenced` the undo opens epoch n+1.
  static flip undo_of(const flip_plan& p, bool fenced);

  const flip_plan& plan() const { return plan_; }
  act next() const { return next_; }
  place where() const;               // of next()
  flip_end end() const { return end_; }
  bool undoing() const { return undoing_; }
  void report(outcome o);

 private:
  void undo();
  flip_plan plan_;
  act next_;
  flip_end end_ = flip_end::running;
  bool fenced_ = false;   // the fence was asked for: the old primary's epoch may be gone
  bool undoing_ = false;
};

// What a coordinator that holds the locks finds, and what it then has to do.
enum class remedy : std::uint8_t {
  none,           // steady, and both rows agree
  align,          // the place without the say must be told: `follow` with the row that has it
  release,        // undo before the fence
  reopen,         // undo after the fence
  unknown,        // the record says `opening` and the other place cannot be asked: wait for it
};
// A row is nullopt when its place cannot be asked.
remedy resume(const std::optional<migration_row>& at_source, const std::optional<migration_row>& at_target);

}  // namespace pgtandem::control
