// What the reconciler has written down in the databases, read for the metrics: the backfill's chunks and progress, the
// sweeps, the ledger's size. Each place keeps a part: chunks are the target's, progress the source's, sweeps are recorded wherever the primary was.
//
// Reading is one bounded statement; what is made of both places' books is pure.
#pragma once
#include <chrono>
#include <cstdint>
#include <optional>

#include "proxy/control/phase.hpp"
#include "proxy/database/connection.hpp"
#include "proxy/telemetry/metrics.hpp"

namespace pgtandem::control {

struct ledger_books {
  std::int64_t epochs = 0, attached = 0, detached = 0;   // tables of epochs; partitions
  std::int64_t rows = 0, bytes = 0;                      // rows of the attached ones (as the statistics know), bytes of all
  double epoch_age = 0;                                  // seconds since the migration row changed
};

struct place_books {
  using clock = std::chrono::steady_clock;
  struct sweep {
    double age = 0;   // seconds since it ended, at read_at, by the server's own clock
    bool clean = false;
    std::int64_t differing = 0;
  };
  clock::time_point read_at{};
  std::int64_t rows_expected = 0;                   // sum over pgtandem.progress
  std::int64_t rows_verified = 0, bytes_copied = 0; // sums over pgtandem.chunk
  std::optional<sweep> last;                        // that ended
  std::optional<double> last_clean;                 // its age
  ledger_books ledger;
};

// Sweeps of before the present mirroring are not looked at, and no more than the newest `sweeps_read`.
inline constexpr int sweeps_read = 1000;
database::result<place_books> read_books(database::connection& c);

struct figures {
  std::int64_t rows_expected = 0, rows_verified = 0, bytes_copied = 0;
  bool last_clean = false;
  std::int64_t last_differing = 0;
  double clean_age = -1;   // seconds; -1 = none
  std::int64_t ledger_bytes = 0;
};
// null: that place's books have not been read yet.
figures figures_of(const place_books* source, const place_books* target, place primary, place_books::clock::time_point now);
void show(const figures& f, telemetry::meter& m);

}  // namespace pgtandem::control
