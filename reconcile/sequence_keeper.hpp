// Keeps the secondary's sequences ahead of the primary's at checkpoints, so that nothing has to be caught up at a flip
// but the last few numbers. A flip does not wait for it: what it sends arrives while its epoch is the present one, or not at all.
#pragma once
#include <chrono>

#include "config/settings.hpp"
#include "reconcile/place_pair.hpp"

namespace pgtandem::reconcile {

class sequence_keeper {
 public:
  explicit sequence_keeper(const config::settings& s) : settings_(s) {}
  // Does something every few seconds only.
  database::result<void> keep_ahead(place_pair& pair);

 private:
  const config::settings& settings_;
  std::chrono::steady_clock::time_point next_{};
};

}  // namespace pgtandem::reconcile
