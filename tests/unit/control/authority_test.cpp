#include "proxy/control/authority.hpp"

#include <catch2/catch.hpp>

using namespace pgtandem::control;

namespace {
migration_row row(int epoch, phase p, step s = step::steady) { return {epoch, p, s, false, ""}; }
}  // namespace

TEST_CASE("who has the say") {
  struct line {
    std::optional<migration_row> source, target, say;
  };
  auto before = row(4, phase::verify), opening = row(4, phase::verify, step::opening), after = row(5, phase::tail);
  const line lines[] = {
      {std::nullopt, std::nullopt, std::nullopt},
      {before, std::nullopt, before},
      {std::nullopt, before, before},
      {before, before, before},
      {opening, before, opening},                              // same epoch: the primary's
      {row(4, phase::backfill), before, row(4, phase::backfill)},
      {opening, after, after},                                 // higher epoch
      {after, after, after},
      {row(5, phase::tail), row(5, phase::tail, step::holding), row(5, phase::tail, step::holding)},
      {row(6, phase::verify), after, row(6, phase::verify)},
  };
  for (const line& l : lines) CHECK((authority(l.source, l.target) == l.say));
}

TEST_CASE("steps name themselves and hold what they must") {
  for (step s : {step::steady, step::warming, step::holding, step::fenced, step::draining, step::opening}) {
    CHECK(row_of(s).id == s);
    CHECK(step_named(row_of(s).name) == s);
  }
  CHECK_FALSE(step_named("x"));
  auto moving = row(4, phase::verify, step::warming);
  CHECK_FALSE(routing_of(moving).warming);   // nothing to warm for unless the primary moves
  moving.moves = true;
  CHECK(routing_of(moving).warming);
  CHECK_FALSE(routing_of(moving).holding);
  CHECK(routing_of(row(4, phase::verify, step::opening)).holding);
}

TEST_CASE("a row that this version does not know is no row") {
  CHECK_FALSE(read_migration_row(1, "nonsense", "steady", false, ""));
  CHECK_FALSE(read_migration_row(1, "verify", "nonsense", false, ""));
  CHECK_FALSE(read_migration_row(0, "verify", "steady", false, ""));
  CHECK_FALSE(read_migration_row(1LL << 40, "verify", "steady", false, ""));
  CHECK(read_migration_row(1, "verify", "steady", false, ""));
}
