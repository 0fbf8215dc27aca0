// The gates of every phase change: each a row (name, how it is computed, what it is needed for), each computed from evidence found
// in the two databases at that moment. Nothing is ticked by hand.
#pragma once
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "proxy/control/control_settings.hpp"
#include "proxy/control/crew.hpp"
#include "proxy/control/intent.hpp"

namespace pgtandem::control {

// What somebody wants to do; the column of the table.
enum class use : std::uint8_t { to_dual_write, to_backfill, to_verify, to_shadow, cutover, rollback, complete, none };
std::string_view name_of(use u);
// The use of a legal change from one phase to another; none = it has no gates.
use use_of(phase from, phase to);

struct gate_context {
  crew& hands;                       // aboard at both places
  const control_settings& settings;
  std::int32_t epoch = 0;            // present
  phase now = phase::passthrough;
  std::int32_t mirrored_from = 0;
  place primary() const { return row_of(now).primary; }
  place secondary() const { return other(primary()); }
};

struct gate_row {
  std::string_view name, computed;
  std::uint16_t needed_for;          // bits by `use`
  bool warning_only;
  void (*compute)(const gate_context& c, gate_result& r);   // fills holds and evidence
};
std::span<const gate_row> gates();

std::vector<gate_result> compute_gates(const gate_context& c, use u);
// Names of those that do not hold and are not mere warnings; empty = the way is free.
std::string closed_gates(const std::vector<gate_result>& all);

}  // namespace pgtandem::control
