// Which of the two databases' migration rows has the say, and what the loops are to be told. Pure.
//
// The rule: the higher epoch; in the same epoch, the row of the primary that it names. A proxy never goes back to a lower epoch
// than it has seen. A flip cannot have opened epoch n+1 elsewhere while the old primary's row of epoch n says anything before
// `opening`, because `opening` is recorded there, durably, first.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "proxy/control/phase.hpp"

namespace pgtandem::control {

enum class step : std::uint8_t { steady, warming, holding, fenced, draining, opening };

struct step_row {
  step id;
  std::string_view name;   // in migration.step and lease.step
  bool warms;              // sessions open their connection to the next primary ahead
  bool holds;              // new transactions wait
};
const step_row& row_of(step s);
std::optional<step> step_named(std::string_view name);

struct migration_row {
  std::int32_t epoch = 0;
  phase now = phase::passthrough;
  step at = step::steady;
  bool moves = false;           // the flip under way changes the primary (attempt.moves)
  std::string coordinator;      // proxy_id of the process that carries it out (attempt.coordinator); empty = unknown
  bool operator==(const migration_row&) const = default;
};
std::optional<migration_row> read_migration_row(std::int64_t epoch, std::string_view phase, std::string_view step,
                                                bool moves, std::string_view coordinator);

// nullopt: nobody has a row (no schema, or nobody could be asked).
std::optional<migration_row> authority(const std::optional<migration_row>& at_source,
                                       const std::optional<migration_row>& at_target);

routing routing_of(const migration_row& r);

}  // namespace pgtandem::control
