#include "proxy/database/host_lookup.hpp"

#include <unistd.h>

#include <catch2/catch.hpp>

#include "tests/unit/database/cluster.hpp"
#include "tests/unit/support/name_server.hpp"

using namespace pgtandem;
using namespace std::chrono_literals;
using test::name_server;

namespace {

std::string text_of(const database::result<database::host_addresses>& r) {
  if (!r) return r.error().sqlstate + " " + r.error().message;
  std::string text;
  for (const auto& a : *r) text += a.host + "=" + a.address + ":" + std::to_string(a.port) + " ";
  return text;
}

std::vector<database::endpoint> slow_at(std::uint16_t port) {
  database::endpoint e;
  e.host = "slow.test";
  e.port = port;
  return {e};
}

void wait_for(const database::host_lookup& lookup) {
  char nothing;
  CHECK(::read(lookup.descriptor(), &nothing, 1) == 0);  // until its end
  CHECK(lookup.done());
}

}  // namespace

TEST_CASE("names become addresses, in the string's order; addresses and Unix sockets stay") {
  const auto hosts = database::addresses_of(
      "host=two.test,missing.test,10.0.0.1,/tmp,::1,name port=1,2,3,4,5,6 hostaddr=,,,,,10.0.0.2", 10s);
  CHECK(text_of(hosts) ==
        "two.test=127.0.0.7:1 two.test=127.0.0.1:1 10.0.0.1=10.0.0.1:3 /tmp=:4 ::1=::1:5 name=10.0.0.2:6 ");
  REQUIRE(hosts);
  const auto all = database::options_of(*hosts, 4);
  CHECK(all.host == "::1,name,two.test,two.test,10.0.0.1,/tmp");
  CHECK(all.hostaddr == "::1,10.0.0.2,127.0.0.7,127.0.0.1,10.0.0.1,");
  CHECK(all.port == "5,6,1,1,3,4");
  CHECK(text_of(database::addresses_of("host=missing.test", 10s)) == "08001 could not translate host name to address");
  CHECK(text_of(database::addresses_of("host=fe80::1%lo port=7", 0s)) ==
        "fe80::1%lo=fe80::1%lo:7 ");  // nothing to look up
}

TEST_CASE("a connection is opened at any address of a name") {
  const auto& server = test::shared_cluster();
  auto c =
      database::connection::open("host=two.test user=postgres dbname=postgres port=" + std::to_string(server.port()));
  CHECK(c.has_value());
}

TEST_CASE("a silent name server holds up one thread, and its askers no longer than they allow") {
  name_server::hold();
  for (int i = 0; i < 3; ++i) {
    auto c = database::connection::open("host=slow.test user=postgres dbname=postgres", {.connect_timeout = 20ms});
    REQUIRE_FALSE(c);
    CHECK(c.error().sqlstate == "08001");
  }
  CHECK(name_server::asked() == 1);
  const auto lookup = database::host_lookup::of(slow_at(5432));
  name_server::let_go();
  wait_for(*lookup);
  CHECK(name_server::asked() == 1);
  CHECK(text_of(lookup->answer()) == "slow.test=127.0.0.7:5432 ");
}

TEST_CASE("look-ups under way are bounded") {
  name_server::hold();
  std::vector<std::shared_ptr<database::host_lookup>> all;
  for (std::uint16_t i = 0; i < database::host_lookup::threads_max; ++i)
    REQUIRE(all.emplace_back(database::host_lookup::of(slow_at(i))));
  CHECK_FALSE(database::host_lookup::of(slow_at(9999)));
  CHECK(database::host_lookup::of(slow_at(3)) == all[3]);
  name_server::let_go();
  for (const auto& lookup : all) wait_for(*lookup);
  CHECK(database::host_lookup::of(slow_at(9999)));
}
