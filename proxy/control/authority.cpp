#include "proxy/control/authority.hpp"

#include <array>
#include <limits>

namespace pgtandem::control {
namespace {

constexpr std::array<step_row, 6> table{{
    {step::steady, "steady", false, false},
    {step::warming, "warming", true, false},
    {step::holding, "holding", true, true},
    {step::fenced, "fenced", true, true},
    {step::draining, "draining", true, true},
    {step::opening, "opening", true, true},
}};

}  // namespace

const step_row& row_of(step s) { return table[static_cast<std::size_t>(s)]; }

std::optional<step> step_named(std::string_view name) {
  for (const step_row& row : table)
    if (row.name == name) return row.id;
  return std::nullopt;
}

std::optional<migration_row> read_migration_row(std::int64_t epoch, std::string_view phase, std::string_view step,
                                                bool moves, std::string_view coordinator) {
  auto p = phase_named(phase);
  auto s = step_named(step);
  if (!p || !s || epoch < 1 || epoch > std::numeric_limits<std::int32_t>::max()) return std::nullopt;
  return migration_row{static_cast<std::int32_t>(epoch), *p, *s, moves, std::string(coordinator)};
}

std::optional<migration_row> authority(const std::optional<migration_row>& at_source,
                                       const std::optional<migration_row>& at_target) {
  if (!at_source || !at_target) return at_source ? at_source : at_target;
  if (at_source->epoch != at_target->epoch) return at_source->epoch > at_target->epoch ? at_source : at_target;
  return row_of(at_source->now).primary == place::source ? at_source : at_target;
}

routing routing_of(const migration_row& r) {
  return routing{r.epoch, r.now, row_of(r.at).warms && r.moves, row_of(r.at).holds};
}

}  // namespace pgtandem::control
