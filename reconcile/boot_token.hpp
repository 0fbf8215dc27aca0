// The token of the primary's present incarnation (pgtandem.boot, UNLOGGED), and what became of transactions under it.
#pragma once
#include <string>
#include <unordered_map>
#include <vector>

#include "proxy/database/connection.hpp"

namespace pgtandem::reconcile {

// What the primary says of a transaction id. `lost` stands for everything that is no proof of a commit: aborted, too
// old to know, from the future (an xid of another incarnation).
enum class xact_state : std::uint8_t { committed, in_progress, lost };

struct xact_states {
  std::string boot;  // the token they are valid under; empty = the primary has none
  std::unordered_map<std::string, xact_state> of;
};

// One statement on one session, so that the token and the states belong to the same incarnation. Ids are decimal xid8.
// An id that the primary refuses (error: in the future) is asked alone and counts as lost.
database::result<xact_states> read_xact_states(database::connection& primary, const std::vector<std::string>& ids);

// The token of either database; one is made if this incarnation has none yet.
database::result<std::string> boot_token(database::connection& c);

}  // namespace pgtandem::reconcile
