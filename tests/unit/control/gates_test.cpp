#include "proxy/control/gates.hpp"

#include <catch2/catch.hpp>
#include <set>

using namespace pgtandem::control;

TEST_CASE("every gate says what it is, and is needed for something") {
  std::set<std::string_view> names;
  for (const gate_row& g : gates()) {
    CHECK(names.insert(g.name).second);
    CHECK_FALSE(g.computed.empty());
    CHECK(g.needed_for != 0);
    CHECK(g.compute != nullptr);
  }
}

TEST_CASE("what a change is for") {
  struct row {
    phase from, to;
    use is;
  };
  const row rows[] = {
      {phase::passthrough, phase::dual_write, use::to_dual_write}, {phase::dual_write, phase::passthrough, use::none},
      {phase::dual_write, phase::backfill, use::to_backfill},      {phase::backfill, phase::dual_write, use::none},
      {phase::backfill, phase::verify, use::to_verify},            {phase::verify, phase::backfill, use::to_backfill},
      {phase::verify, phase::shadow, use::to_shadow},              {phase::shadow, phase::verify, use::none},
      {phase::verify, phase::tail, use::cutover},                  {phase::shadow, phase::tail, use::cutover},
      {phase::tail, phase::verify, use::rollback},                 {phase::tail, phase::complete, use::complete},
  };
  for (const row& r : rows) CHECK(use_of(r.from, r.to) == r.is);
}

TEST_CASE("a warning closes nothing") {
  CHECK(closed_gates({{"a", "", "", true, false}, {"b", "", "", false, true}}).empty());
  CHECK(closed_gates({{"a", "", "", false, false}, {"b", "", "", false, true}, {"c", "", "", false, false}}) == "a, c");
}
