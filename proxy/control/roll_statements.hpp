// The SQL of a rolling epoch (roll.hpp), as texts. Pure. Each is one transaction and may be run again.
#pragma once
#include <chrono>
#include <cstdint>
#include <string>

namespace pgtandem::control {

// Secondary. Takes no lock that an applier would wait for.
std::string attach_ledger_sql(std::int32_t epoch, std::chrono::milliseconds lock_limit);
// Primary: the new epoch's table, and its row.
std::string advance_epoch_sql(std::int32_t epoch, std::chrono::milliseconds lock_limit);
// Secondary: the row alone.
std::string tell_epoch_sql(std::int32_t epoch);
// Primary: every epoch's table below `epoch`.
std::string drop_older_epochs_sql(std::int32_t epoch, std::chrono::milliseconds lock_limit);
// Secondary: every partition below `epoch`. Appliers wait behind it, for `lock_limit` at most.
std::string detach_older_ledgers_sql(std::int32_t epoch, std::chrono::milliseconds lock_limit);

// Epoch tables, or attached partitions, as one comma separated list.
std::string list_epochs_sql();
std::string list_ledgers_sql();
// Whether the epoch is due: its age in seconds (since the row last changed), and the rows of its partition (as the statistics know).
std::string epoch_age_sql();      // primary
std::string ledger_rows_sql(std::int32_t epoch);   // secondary: rows, number of detached partitions

}  // namespace pgtandem::control
