// What the metrics make of both places' books.
#include "proxy/control/books.hpp"

#include <catch2/catch.hpp>

using namespace pgtandem;
using namespace pgtandem::control;

namespace {

using clock = place_books::clock;
const clock::time_point noon = clock::now();

place_books swept(double age, bool clean, std::int64_t differing, std::optional<double> last_clean) {
  place_books b;
  b.read_at = noon;
  b.last = place_books::sweep{age, clean, differing};
  b.last_clean = last_clean;
  return b;
}

}  // namespace

TEST_CASE("no books, no sweep: nothing is claimed") {
  const place_books empty{noon, 0, 0, 0, {}, {}, {}};
  for (const place_books* b : {static_cast<const place_books*>(nullptr), &empty}) {
    const figures f = figures_of(b, nullptr, place::source, noon);
    CHECK(f.clean_age == -1);
    CHECK_FALSE(f.last_clean);
  }
}

TEST_CASE("chunks are the target's, the expectation the source's") {
  place_books source{noon, 100, 7, 7, {}, {}, {}}, target{noon, 7, 60, 6000, {}, {}, {}};
  const figures f = figures_of(&source, &target, place::source, noon);
  CHECK(f.rows_expected == 100);
  CHECK(f.rows_verified == 60);
  CHECK(f.bytes_copied == 6000);
}

TEST_CASE("the youngest sweep of both places speaks, and its age goes on") {
  const place_books old = swept(50, true, 0, 50), young = swept(10, false, 3, 90);
  for (auto [s, t] : {std::pair(&old, &young), std::pair(&young, &old)}) {
    const figures f = figures_of(s, t, place::source, noon + std::chrono::seconds(5));
    CHECK_FALSE(f.last_clean);
    CHECK(f.last_differing == 3);
    CHECK(f.clean_age == Approx(55));
  }
}

TEST_CASE("a metric for every figure") {
  using telemetry::metric;
  telemetry::meter m;
  show({1, 2, 3, true, 4, 5.5, 6}, m);
  CHECK(m.value(metric::backfill_rows_total) == 1);
  CHECK(m.value(metric::migrated_rows) == 2);
  CHECK(m.value(metric::backfill_bytes) == 3);
  CHECK(m.value(metric::checksum_ok) == 1);
  CHECK(m.value(metric::sweep_differing) == 4);
  CHECK(m.value(metric::sweep_age_seconds) == 5.5);
  CHECK(m.value(metric::ledger_bytes) == 6);
}
