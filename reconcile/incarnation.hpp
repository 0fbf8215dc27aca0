// What a crash of either database costs without a trace: PostgreSQL empties UNLOGGED tables when it recovers, and no op names the
// rows that went. So the reconciler knows the incarnation (boot token) of both, kept in pgtandem.incarnation on the primary, and when
// one is new every UNLOGGED table there is in doubt as a whole.
#pragma once
#include <string>
#include <vector>

#include "proxy/database/connection.hpp"
#include "proxy/sql/catalog.hpp"
#include "reconcile/place_pair.hpp"

namespace pgtandem::reconcile {

// Followed tables that are UNLOGGED at `c`, or have a partition that is; qualified names of the roots.
database::result<std::vector<std::string>> unlogged_tables(database::connection& c, const sql::catalog& primary);

// Compares both tokens with the record, makes dirty what a restart has emptied, and renews the record. To be called whenever the pair
// has new sessions, for a crash ends all of them. false: a flip is on its way, nothing was recorded; call it again.
database::result<bool> note_restarts(place_pair& pair, const sql::catalog& primary);

}  // namespace pgtandem::reconcile
