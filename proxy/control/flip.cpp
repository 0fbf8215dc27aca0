#include "proxy/control/flip.hpp"

#include <array>

namespace pgtandem::control {
namespace {

enum class on : std::uint8_t { old_primary, old_secondary, new_primary, new_secondary };
enum class otherwise : std::uint8_t { undo, look, retry, go_on };   // when it was refused or lost

struct act_row {
  act id;
  std::string_view name;
  on where;
  act then;              // after done; the last ones end the flip
  otherwise refused, lost;
};

// The whole flip. `follow`, `keep_following` and `release` end it.
constexpr std::array<act_row, 16> table{{
    {act::mark_warming, "mark_warming", on::old_primary, act::await_warm, otherwise::undo, otherwise::undo},
    {act::await_warm, "await_warm", on::old_primary, act::mark_holding, otherwise::undo, otherwise::undo},
    {act::mark_holding, "mark_holding", on::old_primary, act::await_held, otherwise::undo, otherwise::undo},
    {act::await_held, "await_held", on::old_primary, act::fence_primary, otherwise::undo, otherwise::undo},
    {act::fence_primary, "fence_primary", on::old_primary, act::fence_secondary, otherwise::undo, otherwise::undo},
    {act::fence_secondary, "fence_secondary", on::old_secondary, act::mark_draining, otherwise::undo, otherwise::undo},
    {act::mark_draining, "mark_draining", on::old_primary, act::advance_sequences, otherwise::undo, otherwise::undo},
    {act::advance_sequences, "advance_sequences", on::old_secondary, act::await_drained, otherwise::undo, otherwise::undo},
    {act::await_drained, "await_drained", on::old_secondary, act::mark_opening, otherwise::undo, otherwise::undo},
    {act::mark_opening, "mark_opening", on::old_primary, act::open, otherwise::undo, otherwise::undo},
    {act::open, "open", on::new_primary, act::follow, otherwise::undo, otherwise::look},
    {act::look, "look", on::new_primary, act::follow, otherwise::retry, otherwise::retry},
    {act::follow, "follow", on::new_secondary, act::follow, otherwise::go_on, otherwise::go_on},
    {act::reopen, "reopen", on::old_primary, act::keep_following, otherwise::retry, otherwise::retry},
    {act::keep_following, "keep_following", on::old_secondary, act::keep_following, otherwise::go_on, otherwise::go_on},
    {act::release, "release", on::old_primary, act::release, otherwise::retry, otherwise::retry},
}};

const act_row& row_of(act a) { return table[static_cast<std::size_t>(a)]; }

}  // namespace

std::string_view name_of(act a) { return row_of(a).name; }

flip::flip(const flip_plan& p) : plan_(p), next_(p.moves() ? act::mark_warming : act::mark_holding) {}

flip flip::undo_of(const flip_plan& p, bool fenced) {
  flip f(p);
  f.fenced_ = fenced;
  f.undo();
  return f;
}

void flip::undo() {
  undoing_ = true;
  next_ = fenced_ ? act::reopen : act::release;
}

place flip::where() const {
  switch (row_of(next_).where) {
    case on::old_primary: return plan_.old_primary();
    case on::old_secondary: return plan_.old_secondary();
    case on::new_primary: return plan_.new_primary();
    case on::new_secondary: return plan_.new_secondary();
  }
  return plan_.old_primary();
}

void flip::report(outcome o) {
  const act_row& row = row_of(next_);
  if (next_ == act::fence_primary && o != outcome::refused) fenced_ = true;
  if (o == outcome::no) return undo();
  if (o == outcome::again) {
    next_ = act::await_drained;
    return;
  }
  if (o != outcome::done) {
    switch (o == outcome::lost ? row.lost : row.refused) {
      case otherwise::undo: return undo();
      case otherwise::look: next_ = act::look; return;
      case otherwise::retry: return;
      case otherwise::go_on: break;
    }
  }
  if (next_ == act::follow) end_ = flip_end::moved;
  if (next_ == act::keep_following || next_ == act::release) end_ = flip_end::undone;
  next_ = row.then;
}

remedy resume(const std::optional<migration_row>& at_source, const std::optional<migration_row>& at_target) {
  std::optional<migration_row> say = authority(at_source, at_target);
  if (!say) return remedy::none;
  const auto& primary_row = row_of(say->now).primary == place::source ? at_source : at_target;
  const auto& secondary_row = row_of(say->now).primary == place::source ? at_target : at_source;
  // Only the secondary can be asked, and it knows no more than that its primary had the say: nothing to decide here.
  if (!primary_row) return remedy::none;
  switch (say->at) {
    case step::steady: break;
    case step::warming:
    case step::holding: return remedy::release;
    case step::fenced:
    case step::draining: return remedy::reopen;
    case step::opening: return secondary_row ? remedy::reopen : remedy::unknown;
  }
  if (secondary_row && (secondary_row->epoch != say->epoch || secondary_row->now != say->now || secondary_row->at != say->at))
    return remedy::align;
  return remedy::none;
}

}  // namespace pgtandem::control
