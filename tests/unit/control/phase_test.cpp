#include "proxy/control/phase.hpp"

#include <catch2/catch.hpp>
#include <string>

using namespace pgtandem::control;

namespace {

// Every word of a space separated list names a phase.
bool all_named(std::string_view list) {
  while (!list.empty()) {
    auto end = list.find(' ');
    if (!phase_named(list.substr(0, end))) return false;
    list.remove_prefix(end == std::string_view::npos ? list.size() : end + 1);
  }
  return true;
}

}  // namespace

TEST_CASE("the phase table is in the order of the enumeration and names itself") {
  std::size_t i = 0;
  for (const phase_row& row : phases()) {
    CHECK(static_cast<std::size_t>(row.id) == i++);
    CHECK(&row_of(row.id) == &row);
    CHECK(phase_named(row.name) == row.id);
    CHECK(all_named(row.next));
    CHECK(all_named(row.flip));
  }
  CHECK_FALSE(phase_named("cutover"));
}

TEST_CASE("a flip changes the primary and nothing else does") {
  for (const phase_row& row : phases()) {
    if (!row.flip.empty()) {
      const phase_row& there = row_of(*phase_named(row.flip));
      CHECK(there.primary == other(row.primary));
      CHECK((row.mirrors && there.mirrors));
      CHECK_FALSE(there.flip.empty());  // the way back is open
    }
    for (const phase_row& to : phases())
      if ((" " + std::string(row.next) + " ").find(" " + std::string(to.name) + " ") != std::string::npos)
        CHECK(to.primary == row.primary);
    if (row.backfills || row.sweeps) CHECK(row.mirrors);
  }
}
