// The evidence of sweeps: one row of pgtandem.sweep per pass, on the primary.
#pragma once
#include <string>

#include "proxy/database/connection.hpp"
#include "reconcile/sweep_pass.hpp"

namespace pgtandem::reconcile {

// The incarnations that a pass reads. Its sessions end with them, so what holds at its begin holds to its end.
struct sweep_boots {
  std::string primary, secondary;
};
// Asked on the sessions that the pass reads with; a token is made where there is none yet.
database::result<sweep_boots> read_boots(database::connection& primary, database::connection& secondary);

// The number of the pass. Its row has no end until record_end().
database::result<std::string> record_begin(database::connection& primary, std::int32_t epoch, const sweep_boots& boots);
// The newest passes are kept: as many as anybody looks back (control::sweeps_read).
inline constexpr int passes_kept = 1000;
database::result<void> record_end(database::connection& primary, const std::string& pass, const pass_tally& t);
// Tables whose backfill is verified to the end. The record is on the target whichever side is primary now: that is
// where it was copied to.
database::result<std::set<std::string>> backfilled_tables(database::connection& target);

}  // namespace pgtandem::reconcile
