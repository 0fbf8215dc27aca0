#include "proxy/control/phase.hpp"

#include <array>

namespace pgtandem::control {
namespace {

// tail: clients are on the target and the source is kept identical (the way back). complete: the source is left behind.
// A rollback leads to verify, not to dual_write: both sides were proven equal at the flip and the sweeps go on.
constexpr std::array<phase_row, 7> table{{
    {phase::passthrough, "passthrough", place::source, false, false, false, "dual_write", ""},
    {phase::dual_write, "dual_write", place::source, true, false, false, "backfill passthrough", ""},
    {phase::backfill, "backfill", place::source, true, true, false, "verify dual_write", ""},
    {phase::verify, "verify", place::source, true, false, true, "shadow backfill dual_write", "tail"},
    {phase::shadow, "shadow", place::source, true, false, true, "verify", "tail"},
    {phase::tail, "tail", place::target, true, false, true, "complete", "verify"},
    {phase::complete, "complete", place::target, false, false, false, "", ""},
}};

}  // namespace

std::string_view name_of(place p) { return p == place::source ? "source" : "target"; }

std::optional<place> place_named(std::string_view name) {
  if (name == "source") return place::source;
  if (name == "target") return place::target;
  return std::nullopt;
}

const phase_row& row_of(phase p) { return table[static_cast<std::size_t>(p)]; }

std::optional<phase> phase_named(std::string_view name) {
  for (const phase_row& row : table)
    if (row.name == name) return row.id;
  return std::nullopt;
}

std::span<const phase_row> phases() { return table; }

}  // namespace pgtandem::control
