// The record of a table's chunks: pgtandem.chunk on the secondary (what is copied, what is verified) and
// pgtandem.progress on the primary (for people).
#pragma once
#include <cstdint>
#include <optional>
#include <string>

#include "proxy/database/connection.hpp"
#include "reconcile/text_array.hpp"

namespace pgtandem::reconcile {

// Chunk n covers (lo, hi]. No lo: from the start; no hi: to the end of the table.
struct chunk {
  int n = 1;
  std::optional<cells> lo, hi;
  std::int64_t rows = 0, bytes = 0;
};

struct table_progress {
  bool finished = false;  // the last chunk is open-ended and verified
  chunk next;             // where to go on: its n and lo
  std::int64_t rows_done = 0, bytes_done = 0;
};

// Chunks that were copied and not verified are forgotten here, to be read again. The caller holds the table's lock.
database::result<table_progress> read_progress(database::connection& secondary, const std::string& relation);
// Part of the transaction that wrote the rows.
database::result<void> record_copied(database::connection& secondary, const std::string& relation, const chunk& c);
database::result<void> record_verified(database::connection& secondary, const std::string& relation, int n);

struct published_progress {
  std::string state;  // waiting | copying | comparing | verified
  std::int64_t rows_total = 0, rows_done = 0, bytes_done = 0;
};
database::result<void> publish(database::connection& primary, const std::string& relation, const published_progress& p);

}  // namespace pgtandem::reconcile
