// The orderly end: nobody new, idle sessions at once, open transactions until they end or the time is up.
#include <catch2/catch.hpp>

#include "tests/unit/net/rig.hpp"

namespace pgtandem::net::test {
namespace {

using Catch::Matchers::Contains;

TEST_CASE("draining ends idle sessions at once and lets a transaction end") {
  auto s = small_settings();
  s.listen.drain_seconds = 20;
  rig r(s);
  wire idle = r.log_in(), busy = r.log_in();
  busy.send(r.query("begin"));
  REQUIRE_THAT(busy.until('Z'), Contains("BEGIN"));

  r.proxy->drain();
  CHECK_THAT(idle.until('E'), Contains("C57P01"));
  CHECK(idle.closed());
  CHECK_FALSE(r.ended(50));

  busy.send(r.query("commit"));
  CHECK_THAT(busy.until('Z'), Contains("COMMIT"));
  CHECK_THAT(busy.until('E'), Contains("C57P01"));
  CHECK(r.ended());
}

TEST_CASE("a transaction that does not end is ended when the time is up") {
  rig r;
  wire busy = r.log_in();
  busy.send(r.query("begin"));
  REQUIRE_THAT(busy.until('Z'), Contains("BEGIN"));
  r.proxy->drain();
  CHECK_THAT(busy.until('E'), Contains("C57P01"));
  CHECK(r.ended());
}

}  // namespace
}  // namespace pgtandem::net::test
