#include "proxy/database/preflight.hpp"

#include "tests/unit/database/cluster.hpp"

using namespace pgtandem;

TEST_CASE("a secondary that could lose what it acknowledged is refused") {
  auto c = test::fresh_database("preflight");  // the test server runs without fsync
  auto refused = database::preflight(c, database::role::secondary);
  REQUIRE(refused);
  CHECK(refused->refusals.size() == 2);
  auto allowed = database::preflight(c, database::role::secondary, true);
  REQUIRE(allowed);
  CHECK(allowed->refusals.empty());
  CHECK(allowed->warnings.size() == 2);
  auto primary = database::preflight(c, database::role::primary);
  REQUIRE(primary);
  CHECK(primary->refusals.empty());
  CHECK(primary->warnings.size() == 2);  // fsync, wal_level
}

TEST_CASE("the same database twice is no pair") {
  auto a = test::fresh_database("preflight"), b = test::fresh_database("preflight2");
  CHECK(database::preflight_pair(a, b).value().refusals.empty());
  auto again = database::connection::open(test::shared_cluster().conninfo("preflight"));
  REQUIRE(again);
  CHECK(database::preflight_pair(a, *again).value().refusals.size() == 1);
}
