// The ledger audit: every op that took effect on the secondary is proven committed on the primary (settled), or its
// keys are made dirty on the primary. Also counts repairs ('sync' rows) as ops; claims are born settled.
//
// Order, for crash safety: states are read, then one synchronous commit on the primary (the dirty rows, and the beat,
// which flushes whatever commit was only reported so far), then the secondary forgets. Killed anywhere, the next audit
// does it again. Owned and used by one thread; keeps no state that matters.
#pragma once
#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "proxy/database/connection.hpp"
#include "reconcile/ledger_partitions.hpp"

namespace pgtandem::reconcile {

struct audit_report {
  std::int64_t read = 0;         // unsettled rows looked at
  std::int64_t settled = 0;      // proven
  std::int64_t doubtful = 0;     // made dirty
  std::int64_t in_progress = 0;  // between their two commits
  bool more = false;             // the batch was full
};

class ledger_audit {
 public:
  explicit ledger_audit(std::size_t batch = 2000) : batch_(batch), normal_batch_(batch) {}
  // `primary` and `secondary` are idle sessions. `at_once`: settle row by row what the watermark cannot reach (a flip
  // waits); otherwise only when the watermark has not moved for a while.
  database::result<audit_report> run(database::connection& primary, database::connection& secondary,
                                     ledger_partitions& partitions, bool at_once);

 private:
  struct entry {
    std::string op_id, boot, source_rev, target_rev;
    std::int32_t epoch = 0;
  };
  database::result<void> doubt(database::connection& primary, database::connection& secondary,
                               const std::vector<entry>& lost);
  database::result<void> settle(database::connection& secondary, const std::vector<entry>& proven,
                                const std::string& below, bool row_by_row);

  std::size_t batch_, normal_batch_;
  std::string last_below_;
  std::chrono::steady_clock::time_point moved_at_{};
};

}  // namespace pgtandem::reconcile
