#include "proxy/net/cancel_registry.hpp"

#include <catch2/catch.hpp>

#include "proxy/net/admission.hpp"

namespace pgtandem::net {
namespace {

TEST_CASE("a cancel key means what it was pointed at, with the right secret, until it is given back") {
  cancel_registry r;
  cancel_key key;
  {
    registered_key mine(r);
    key = mine.key();
    CHECK_FALSE(r.find(key));
    server_link link;
    link.hello.pid = 5;
    link.hello.secret = 6;
    mine.point(link);
    REQUIRE(r.find(key));
    CHECK(r.find(key)->pid == 5);
    CHECK_FALSE(r.session_of(key));
    mine.hear([](const cancel_answer& answer) { answer(true); });
    REQUIRE(r.session_of(key));
    CHECK_FALSE(r.session_of({key.pid, key.secret + 1}));
    CHECK_FALSE(r.find({key.pid, key.secret + 1}));
    const registered_key moved(std::move(mine));
    CHECK(r.find(key));
  }
  CHECK_FALSE(r.find(key));
  CHECK_FALSE(r.session_of(key));
}

TEST_CASE("places among max_clients are given back once") {
  admission a(1);
  std::atomic<std::uint32_t> load{0};
  {
    admission::place first(a, load), second(a, load);
    CHECK_FALSE(first.beyond_limit());
    CHECK(second.beyond_limit());
    const admission::place moved(std::move(first));
    CHECK(load == 2);
  }
  CHECK(load == 0);
  CHECK(a.clients() == 0);
  CHECK_FALSE(admission::place(a, load).beyond_limit());
}

}  // namespace
}  // namespace pgtandem::net
