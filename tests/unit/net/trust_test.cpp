// What the loops do on their own when the control thread's word has run out: nothing is begun, what is open goes on.
#include <catch2/catch.hpp>

#include "tests/unit/net/rig.hpp"

namespace pgtandem::net::test {
namespace {

using Catch::Matchers::Contains;
using moment = std::chrono::steady_clock::time_point;

constexpr int quiet_ms = 100;

TEST_CASE("without trust nothing is begun, and what was asked is done when it is back") {
  rig r;
  wire idle = r.log_in(), busy = r.log_in();
  busy.send(r.query("begin"));
  REQUIRE_THAT(busy.until('Z'), Contains("BEGIN"));

  r.proxy->trust_until(std::chrono::steady_clock::now());
  idle.send(r.query("select 1"));
  CHECK_FALSE(idle.more(quiet_ms));
  wire late = r.log_in();
  late.send(r.query("select 1"));
  CHECK_FALSE(late.more(quiet_ms));
  busy.send(r.query("commit"));
  CHECK_THAT(busy.until('Z'), Contains("COMMIT"));

  SECTION("under the world as it was") { r.proxy->trust_until(moment::max()); }
  SECTION("under the world that is told meanwhile") {
    auto next = std::make_shared<session::world>();
    next->routing.epoch = 7;
    r.proxy->trust_until(moment::max());
    r.proxy->publish(next);
  }
  CHECK_THAT(idle.until('Z'), Contains("SELECT 0"));
  CHECK_THAT(late.until('Z'), Contains("SELECT 0"));
}

TEST_CASE("a world that is told while there is no trust is held as well") {
  rig r;
  wire idle = r.log_in();
  r.proxy->trust_until(std::chrono::steady_clock::now());
  r.proxy->publish(std::make_shared<session::world>());
  idle.send(r.query("select 1"));
  CHECK_FALSE(idle.more(quiet_ms));
  r.proxy->trust_until(moment::max());
  CHECK_THAT(idle.until('Z'), Contains("SELECT 0"));
}

TEST_CASE("the processes of the sessions are told, each as often as it is there") {
  rig r;
  const std::vector<std::uint32_t> both{fake_server::pid, fake_server::pid}, one{fake_server::pid};
  const auto becomes = [&](const std::vector<std::uint32_t>& expected) {
    for (int i = 0; i < patience_ms && r.proxy->view().backends != expected; ++i) ::usleep(1000);
    return r.proxy->view().backends == expected;
  };
  wire first = r.log_in(), second = r.log_in();
  CHECK(becomes(both));
  first.close();
  CHECK(becomes(one));
  second.close();
  CHECK(becomes({}));
}

}  // namespace
}  // namespace pgtandem::net::test
