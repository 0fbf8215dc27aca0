// Performs a rolling epoch (roll.hpp) on the crew's connections: as many acts as are possible now, then leaves. What has to be waited
// for is looked at again by the next visit, so that no intent of an operator waits for a long transaction of a client.
#pragma once
#include <chrono>
#include <string>

#include "proxy/control/crew.hpp"
#include "proxy/control/roll.hpp"

namespace pgtandem::control {

class roll_runner {
 public:
  static constexpr std::chrono::milliseconds lock_limit{50};   // what the appliers may wait behind us
  static constexpr int acts_max = 16;                          // in one visit: two whole rolls
  static constexpr std::chrono::milliseconds moved_limit{300};  // for the proxies to move, within a visit
  static constexpr std::chrono::milliseconds moved_look{20};    // between looks at the leases without a NOTIFY
  static constexpr std::int64_t detached_max = 32;             // partitions that wait for the reconciler; then no further roll

  roll_runner(crew& hands, const control_settings& s) : hands_(hands), settings_(s) {}

  // Both places are aboard. What is left to do; none: the roll is at its end, or nothing was due.
  database::result<roll_act> run(place primary);
  // The next act alone.
  database::result<roll_act> look(place primary);
  database::result<void> perform(roll_act a, place primary);

 private:
  database::result<roll_facts> read(place primary);
  database::result<std::optional<migration_row>> row(place p);
  database::result<std::set<std::int32_t>> numbers(place p, const std::string& sql);
  database::result<bool> due(const roll_facts& f, place primary);

  crew& hands_;
  const control_settings& settings_;
  std::int32_t epoch_ = 0;   // as last read
};

}  // namespace pgtandem::control
