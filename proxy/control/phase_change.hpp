// The phase changes that do not flip the primary: what they write where, in which order, and how long they wait for the proxies.
//
// Which need more than the new row: starting to mirror needs the ledger before and the epoch with the row; ending it needs every
// proxy to have left the old epoch before its table goes. A statement that a session is in the middle of keeps the rules it began
// with, and the change is reported as done only when every proxy has said that no such session is left.
#pragma once
#include <chrono>
#include <string>

#include "proxy/control/crew.hpp"
#include "proxy/control/duty.hpp"
#include "proxy/control/phase.hpp"

namespace pgtandem::control {

struct change_order {
  std::int32_t epoch = 0;           // present
  phase from = phase::passthrough, to = phase::passthrough;
  std::int32_t mirrored_from = 0;
};

struct change_outcome {
  bool changed = false;             // the row says so; it may still not be acknowledged
  bool acknowledged = false;
  std::string message;
};

class phase_change {
 public:
  static constexpr std::chrono::seconds acknowledge_limit{60};   // transactions from before may take their time
  static constexpr std::chrono::seconds lapsed_limit{5};         // if only silent proxies are missing
  static constexpr std::chrono::milliseconds look{100}, lock_limit{5000};

  phase_change(crew& hands, const control_settings& s, duty d) : hands_(hands), settings_(s), duty_(std::move(d)) {}

  change_outcome run(const change_order& o);

 private:
  change_outcome start_mirroring(const change_order& o);
  change_outcome end_mirroring(const change_order& o);
  change_outcome same_rules(const change_order& o);
  std::string await(place primary, std::int32_t epoch, phase p);   // empty = everybody has acknowledged
  crew& hands_;
  const control_settings& settings_;
  const duty duty_;
};

}  // namespace pgtandem::control
