// The phases of a migration, as data: one row a phase says who is primary, whether writes are mirrored, and where it may go.
// Nothing else in pgtandem compares phases; code asks the row. Pure.
#pragma once
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace pgtandem::control {

enum class place : std::uint8_t { source, target };
constexpr place other(place p) { return p == place::source ? place::target : place::source; }
std::string_view name_of(place p);
std::optional<place> place_named(std::string_view name);

enum class phase : std::uint8_t { passthrough, dual_write, backfill, verify, shadow, tail, complete };

struct phase_row {
  phase id;
  std::string_view name;
  place primary;            // where clients read and write, and whose commit decides
  bool mirrors;             // writes take effect on the secondary too
  bool backfills;           // the reconciler copies chunks
  bool sweeps;              // the reconciler runs certified sweeps
  std::string_view next;    // legal next phases by `ctl phase`, space separated
  std::string_view flip;    // phase after a flip of the primary (cutover or rollback), empty = none
};
const phase_row& row_of(phase p);
std::optional<phase> phase_named(std::string_view name);
std::span<const phase_row> phases();

// What a proxy needs to route: the present row, epoch and step. Immutable, published to every loop.
struct routing {
  std::int32_t epoch = 0;       // 0 = not initialised: pass-through without a pgtandem schema
  phase now = phase::passthrough;
  bool warming = false;         // a flip is coming: sessions open their connection to the next primary
  bool holding = false;         // new transactions wait
  place primary() const { return row_of(now).primary; }
  bool mirrors() const { return row_of(now).mirrors; }
};

}  // namespace pgtandem::control
