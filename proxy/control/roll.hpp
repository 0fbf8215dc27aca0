// The epoch advances without a flip, so that the ledger's partitions do not grow for weeks: one table of rules, pure. Control's
// roll_runner finds out the facts and performs the acts, one after the other.
//
// Nothing is remembered between two acts: whoever holds the coordinator's lock goes on where the databases stand. Nothing is ever
// undone either: each standing on the way is one in which clients write and a flip may begin (its fence drops every epoch).
//
//   attach    secondary: ledger_{n+1} beside ledger_n
//   advance   primary, one transaction: epoch_{n+1} beside epoch_n, row n+1. Proxies move at their transactions' ends
//   tell      secondary: row n+1
//   wait      until every live proxy's lease acknowledges n+1: from then on nobody asks for epoch_n
//   drop      primary: epoch_n. It waits for nobody but a proxy that was passed over, and is tried again
//   detach    secondary: ledger_n. Not before `drop`: every op of n has ended by then, so it refuses stragglers only
//
// Guarantees (tests/unit/control/roll_model_test walks every failure): an epoch is open only while its ledger is attached (but for a
// flip); ledger_n stays attached as long as epoch_n is open; epoch_n goes only when no live proxy is on it; in the end one of each.
#pragma once
#include <cstdint>
#include <optional>
#include <set>
#include <string_view>

#include "proxy/control/authority.hpp"

namespace pgtandem::control {

struct roll_facts {
  std::optional<migration_row> primary, secondary;   // their rows; nullopt: it cannot be asked
  std::set<std::int32_t> epochs;                     // open on the primary
  std::set<std::int32_t> ledgers;                    // attached on the secondary
  bool moved = false;                                // every live lease acknowledges the primary's epoch
  bool due = false;                                  // old or large enough
};

enum class roll_act : std::uint8_t { none, attach, advance, tell, wait, drop, detach };
std::string_view name_of(roll_act a);

roll_act next_roll(const roll_facts& f);

}  // namespace pgtandem::control
