// How clients come in: byte by byte, too many, under the wrong name, too slowly; and how they cancel.
#include <catch2/catch.hpp>

#include "protocol/backend_messages.hpp"
#include "tests/unit/net/rig.hpp"

namespace pgtandem::net::test {
namespace {

using Catch::Matchers::Contains;

cancel_key key_in(const std::string& greeting) {
  std::string_view rest = greeting;
  for (auto f = protocol::scan(rest); f.complete(); rest.remove_prefix(f.size), f = protocol::scan(rest)) {
    if (f.type != protocol::backend::backend_key_data) continue;
    const auto k = protocol::decode_backend_key(f.body);
    return {k->pid, k->secret};
  }
  return {};
}

TEST_CASE("a conversation that comes byte by byte is the same conversation") {
  rig r;
  wire w = r.connect();
  for (const char c : r.startup_packet()) w.send({&c, 1});
  REQUIRE_THAT(w.until('Z'), Contains("server_version"));
  for (const char c : r.query("select 1") + r.query("begin")) w.send({&c, 1});
  CHECK_THAT(w.until('Z'), Contains("SELECT 0"));
  const auto second = w.until('Z');
  CHECK_THAT(second, Contains("BEGIN"));
  CHECK(second.back() == 'T');
}

TEST_CASE("a Terminate or a vanished client reaches the server as Terminate") {
  rig r;
  {
    wire polite = r.log_in(), gone = r.log_in();
    polite.send(std::string("X\0\0\0\4", 5));
    CHECK(polite.closed());
  }
  for (int i = 0; i < patience_ms && r.server.terminated() < 2; ++i) ::usleep(1000);
  CHECK(r.server.terminated() == 2);
}

TEST_CASE("a client beyond max_clients hears 53300, and its place is free again when one goes") {
  auto s = small_settings();
  s.listen.max_clients = 1;
  rig r(s);
  {
    wire first = r.log_in();
    wire second = r.connect();
    second.send(r.startup_packet());
    CHECK_THAT(second.until('E'), Contains("C53300"));
    CHECK(second.closed());
    first.send(std::string("X\0\0\0\4", 5));
    CHECK(first.closed());
  }
  // A client's connection is closed a moment before its place is given back.
  wire third;
  std::string greeting;
  for (int i = 0; i < patience_ms && greeting.find("server_version") == std::string::npos; ++i) {
    ::usleep(1000);
    third = r.log_in(&greeting);
  }
  third.send(r.query("select 1"));
  CHECK_THAT(third.until('Z'), Contains("SELECT 0"));
}

TEST_CASE("a client that does not say who it is in time is sent away") {
  rig r;
  wire w = r.connect();
  CHECK_THAT(w.until('E'), Contains("C57014"));
  CHECK(w.closed());
}

TEST_CASE("nobody is served before it is known where the primary is") {
  rig r;
  r.serves = false;
  wire early = r.connect();
  early.send(r.startup_packet());
  CHECK_THAT(early.until('E'), Contains("C57P03"));
  CHECK(early.closed());
  r.serves = true;
  wire later = r.log_in();
  later.send(r.query("select 1"));
  CHECK_THAT(later.until('Z'), Contains("SELECT 0"));
}

TEST_CASE("another database than the one that is served does not exist") {
  rig r;
  wire w = r.connect();
  w.send(r.startup_packet("other"));
  CHECK_THAT(w.until('E'), Contains("C3D000"));
}

TEST_CASE("a CancelRequest reaches the server under the server's own key") {
  rig r;
  std::string greeting;
  wire w = r.log_in(&greeting);
  const auto key = key_in(greeting);
  REQUIRE(key.pid != fake_server::pid);
  w.send(r.query("sleep"));

  std::string request;
  wire stranger = r.connect();
  protocol::write_cancel_request(request, key.pid, key.secret + 1);
  stranger.send(request);
  CHECK(stranger.closed());
  CHECK_FALSE(r.server.cancelled());

  request.clear();
  wire friendly = r.connect();
  protocol::write_cancel_request(request, key.pid, key.secret);
  friendly.send(request);
  CHECK(friendly.closed());
  CHECK_THAT(w.until('Z'), Contains("C57014"));
  CHECK(r.server.cancelled());
}

TEST_CASE("garbage ends the connection, not the proxy") {
  rig r;
  for (const std::string& bytes :
       {std::string("GET / HTTP/1.1\r\n\r\n"), std::string(64, '\0'), std::string(64, '\xff')}) {
    wire w = r.connect();
    w.send(bytes);
    while (w.more()) continue;
  }
  wire w = r.log_in();
  w.send(std::string("?\xff\xff\xff\xff", 5));
  CHECK_THAT(w.until('E'), Contains("C08P01"));
  wire other = r.log_in();
  other.send(r.query("select 1"));
  CHECK_THAT(other.until('Z'), Contains("SELECT 0"));
}

}  // namespace
}  // namespace pgtandem::net::test
