// One chunk of a backfill, from reading it to `verified` (DESIGN §5, Backfill), without row locks on the primary.
//
// read with xmin → write and record on the secondary, one transaction → horizon → read (key, xmin) again: keys that
// changed, vanished or are new become dirty, RowSync repairs them → verified. Both sessions idle before and after. The
// secondary's session holds the table's lock: a chunk of a predecessor can no longer land.
#pragma once
#include <atomic>

#include "proxy/sql/catalog.hpp"
#include "reconcile/chunk_book.hpp"
#include "reconcile/ledger_partitions.hpp"
#include "reconcile/standing.hpp"

namespace pgtandem::reconcile {

struct copy_bench {
  database::connection& primary;
  database::connection& secondary;
  ledger_partitions& partitions;
  const sql::catalog& catalog;
  const standing& at;
  const std::atomic<bool>& stop;
  bool as_replica = true;  // session_replication_role may be set: no foreign-key checks per row
};

enum class chunk_end { verified, last_verified, interrupted };

struct copied_chunk {
  chunk_end end = chunk_end::verified;
  chunk made;
  std::int64_t changed = 0;  // keys handed to RowSync
};

// `next` says where to begin; at most `rows` rows.
database::result<copied_chunk> copy_chunk(copy_bench& b, const sql::table& t, const chunk& next, std::uint32_t rows);

}  // namespace pgtandem::reconcile
