#include "reconcile/standing.hpp"

namespace pgtandem::reconcile {

std::optional<standing> read_standing(std::int32_t epoch, std::string_view phase, std::string_view step,
                                      std::int32_t course) {
  const auto named = control::phase_named(phase);
  if (!named) return std::nullopt;
  return standing{epoch, *named, std::string(step), course == 0 ? epoch : course};
}

std::optional<standing> authority(const std::optional<standing>& at_source, const std::optional<standing>& at_target) {
  if (!at_source || !at_target) return at_source ? at_source : at_target;
  if (at_source->epoch != at_target->epoch) return at_source->epoch > at_target->epoch ? at_source : at_target;
  return at_source->primary() == control::place::source ? at_source : at_target;
}

}  // namespace pgtandem::reconcile
