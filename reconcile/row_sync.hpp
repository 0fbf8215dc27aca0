// RowSync: makes the secondary's rows of some keys equal to the primary's (DESIGN §5). It copies state, so order does
// not matter and repeating is harmless; it is itself an op with a ledger row, so a repair that is cut off is found by
// the audit.
//
// The dirty rows' op_ids must be claimed before. All three sessions of the workbench are idle before and, also after an
// error, afterwards. Without row locks (the normal way) a key that somebody changed meanwhile is reported as `changed`
// and stays dirty; with row_lock::share the primary's rows are held until the end.
#pragma once
#include <cstdint>
#include <functional>
#include <vector>

#include "reconcile/table_sql.hpp"
#include "reconcile/text_array.hpp"
#include "reconcile/workbench.hpp"

namespace pgtandem::reconcile {

enum class key_state : std::uint8_t {
  synced,
  changed,
  guarded
};  // guarded: the version to delete was written meanwhile

struct sync_outcome {
  std::vector<key_state> keys;  // one per key asked for
  std::int64_t written = 0, removed = 0, displaced = 0;
  bool horizon_missed = false;  // an op stayed between its commits: nothing was done
};

// Given the states, the dirty rows (seq) that end with this repair; they go in the repair's own primary transaction.
using settled_by = std::function<std::vector<std::int64_t>(const std::vector<key_state>&)>;

database::result<sync_outcome> sync_rows(workbench& w, const sql::table& t, const std::vector<cells>& keys,
                                         row_lock lock, const settled_by& settled);

}  // namespace pgtandem::reconcile
