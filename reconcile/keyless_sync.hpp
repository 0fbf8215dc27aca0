// RowSync for a table without a key (append-only): rows are known by the hash of all their columns, and how often each
// occurs. Missing copies are inserted, surplus ones deleted by (tableoid, ctid, xmin).
#pragma once
#include <cstdint>
#include <vector>

#include "reconcile/row_sync.hpp"
#include "reconcile/table_compare.hpp"

namespace pgtandem::reconcile {

// Repairs the rows with these hashes; the dirty rows `seqs` end with it. The ops behind them must be claimed before. An
// op still between its commits is waited for; `horizon_missed` says that it did not end and nothing was done.
database::result<sync_outcome> sync_keyless(workbench& w, const sql::table& t,
                                            const std::vector<difference>& differences,
                                            const std::vector<std::int64_t>& seqs);

}  // namespace pgtandem::reconcile
