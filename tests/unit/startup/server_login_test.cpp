#include "proxy/session/server_login.hpp"

#include <catch2/catch.hpp>

#include "conversation.hpp"
#include "protocol/md5_password.hpp"
#include "protocol/scram_server.hpp"

using namespace pgtandem::session;
using namespace pgtandem;
using namespace std::string_literals;

namespace {

identity ann(protocol::credential c = {}) { return {"ann", "shop", {{"application_name", "psql"}}, std::move(c)}; }
protocol::credential password(std::string p) { return {std::move(p), {}, {}}; }

std::string authentication(std::int32_t type, std::string_view data = {}) {
  std::string out = "R";
  const std::uint32_t length = static_cast<std::uint32_t>(8 + data.size());
  for (const std::uint32_t value : {length, static_cast<std::uint32_t>(type)})
    for (int shift = 24; shift >= 0; shift -= 8) out += static_cast<char>(value >> shift & 0xff);
  return out.append(data);
}

const std::string ok = authentication(0);

std::string greeting() {
  std::string out;
  protocol::write_parameter_status(out, "TimeZone", "UTC");
  protocol::write_backend_key(out, 4711, 42);
  protocol::write_ready_for_query(out, 'I');
  return out;
}

}  // namespace

TEST_CASE("the StartupMessage carries what the client asked for") {
  server_login l(ann(), "shop_new", "n");
  CHECK(l.take_output() == startup_message({{"user", "ann"}, {"database", "shop_new"}, {"application_name", "psql"}}));
  CHECK(l.take_output().empty());
}

TEST_CASE("trust: the hello is collected, however the bytes are cut") {
  const std::string notice = "N\0\0\0\x0aMhey\0\0"s;
  const std::string stream = ok + notice + greeting() + "more";
  for (std::size_t cut = 0; cut <= stream.size(); ++cut) {
    server_login l(ann(), "shop", "n");
    l.server_data(std::string_view(stream).substr(0, cut));
    l.server_data(std::string_view(stream).substr(cut));
    REQUIRE(l.state() == login_state::ready);
    CHECK(l.hello().parameters == pairs{{"TimeZone", "UTC"}});
    CHECK(l.hello().pid == 4711);
    CHECK(l.hello().secret == 42);
    CHECK(l.notices() == notice);
    CHECK(l.leftover() == "more");
  }
}

TEST_CASE("cleartext and md5 are answered if something that answers them is known") {
  struct row {
    const char* what;
    std::string request;
    protocol::credential known;
    std::string answer;  // body of the PasswordMessage; empty = 28000
  };
  const std::string secret = protocol::md5_secret("ann", "pencil").value(), salt = "1234";
  const std::string hashed = protocol::md5_answer(secret, salt).value();
  const row rows[] = {
      {"cleartext, password", authentication(3), password("pencil"), "pencil"},
      {"cleartext, md5 secret", authentication(3), {{}, secret, {}}, ""},
      {"cleartext, nothing", authentication(3), {}, ""},
      {"md5, password", authentication(5, salt), password("pencil"), hashed},
      {"md5, md5 secret", authentication(5, salt), {{}, secret, {}}, hashed},
      {"md5, SCRAM keys", authentication(5, salt), {{}, {}, protocol::scram_keys{}}, ""},
      {"md5, nothing", authentication(5, salt), {}, ""},
      {"SCRAM, nothing", authentication(10, "SCRAM-SHA-256\0\0"s), {}, ""},
      {"SCRAM, md5 secret", authentication(10, "SCRAM-SHA-256\0\0"s), {{}, secret, {}}, ""},
      {"SCRAM-PLUS only", authentication(10, "SCRAM-SHA-256-PLUS\0\0"s), password("pencil"), ""},
      {"Kerberos", authentication(2), password("pencil"), ""},
      {"GSS", authentication(7), password("pencil"), ""},
      {"unheard of", authentication(99), password("pencil"), ""},
  };
  for (const row& r : rows) {
    INFO(r.what);
    server_login l(ann(r.known), "shop", "n");
    l.take_output();
    l.server_data(r.request);
    if (r.answer.empty()) {
      REQUIRE(l.state() == login_state::failed);
      CHECK(l.failure().sqlstate == "28000");
      CHECK(words(l.failure().raw) == "E:28000 ");
    } else {
      std::string wanted;
      protocol::write_password(wanted, r.answer);
      CHECK(l.take_output() == wanted);
      l.server_data(ok + greeting());
      CHECK(l.state() == login_state::ready);
    }
  }
}

TEST_CASE("the server's own refusal is kept byte for byte") {
  server_login l(ann(), "shop", "n");
  const std::string raw = error_message("3D000", "database \"shop\" does not exist");
  l.server_data(raw);
  REQUIRE(l.state() == login_state::failed);
  CHECK(l.failure().sqlstate == "3D000");
  CHECK(l.failure().message == "database \"shop\" does not exist");
  CHECK(l.failure().raw == raw);
}

TEST_CASE("a server that breaks the protocol is left") {
  const std::string scram = authentication(10, "SCRAM-SHA-256\0\0"s);
  const std::string bad[] = {
      greeting(),                            // before authentication
      ok + ok,                               // twice
      "R\0\0\0\3"s,                          // an impossible length
      "R\0\0\0\4"s,                          // no sub-type
      "S\0\1\0\1"s,                          // above the bound
      "E\0\0\0\x05M"s,                       // an error without its end
      authentication(5, "123"),              // three bytes of salt
      authentication(10, "SCRAM"),           // a list without its end
      authentication(11, "r=x,s=AAAA,i=1"),  // continues what never began
      authentication(12, "v="),
      scram + scram,
      scram + ok,  // without having proven to know the verifier
      scram + authentication(12, "v="),
      ok + "S\0\0\0\x06x\0"s,          // no value
      ok + "K\0\0\0\x08\0\0\0\0"s,     // no secret
      ok + "Z\0\0\0\x05X"s,            // an unheard-of status
      ok + "T\0\0\0\x06\0\0"s,         // no message of a login
      "v\0\0\0\x0c\0\3\0\0\0\0\0\0"s,  // nothing was to be negotiated
  };
  for (const std::string& bytes : bad) {
    server_login l(ann(password("pencil")), "shop", "n");
    l.server_data(bytes);
    REQUIRE(l.state() == login_state::failed);
    CHECK(l.failure().sqlstate == "08P01");
    CHECK(words(l.failure().raw) == "E:08P01 ");
    l.server_data(ok + greeting());
    CHECK(l.state() == login_state::failed);
  }
}

TEST_CASE("a server that never comes to an end is left") {
  server_login l(ann(), "shop", "n");
  l.server_data(ok);
  std::string notice = "N\0\0\x40\x04"s + std::string(0x4000, 'x');
  for (std::size_t sent = 0; sent <= login_total_max; sent += notice.size()) l.server_data(notice);
  CHECK(l.state() == login_state::failed);
  CHECK(l.notices().size() <= login_total_max);
}

TEST_CASE("a connection lost while logging in") {
  server_login l(ann(), "shop", "n");
  l.server_closed("connection reset");
  CHECK(l.failure().sqlstate == "08006");
  CHECK(words(l.failure().raw) == "E:08006 ");
}

TEST_CASE("SCRAM messages a server may not send") {
  protocol::credential keys;
  keys.scram = protocol::derive_scram_keys("pencil", "a salt", 4096);
  const std::string nonce = protocol::base64_encode("n") + "more";
  struct row {
    protocol::credential known;
    std::string challenge;
    std::string said;  // part of the message
  };
  const row rows[] = {
      {password("pencil"), "garbage", "malformed"},
      {password("pencil"), "r=" + nonce + ",s=AAAA,i=2000000", "too many SCRAM iterations"},
      {keys, "r=" + nonce + ",s=AAAA,i=4096", "is not the one"},
  };
  for (const row& r : rows) {
    server_login l(ann(r.known), "shop", "n");
    l.server_data(authentication(10, "SCRAM-SHA-256\0\0"s) + authentication(11, r.challenge));
    REQUIRE(l.state() == login_state::failed);
    CHECK(l.failure().sqlstate == "28000");
    CHECK_THAT(l.failure().message, Catch::Contains(r.said));
  }
  server_login liar(ann(password("pencil")), "shop", "n");
  liar.server_data(authentication(10, "SCRAM-SHA-256\0\0"s) + authentication(11, "r=" + nonce + ",s=AAAA,i=1"));
  liar.server_data(authentication(12, "v=" + protocol::base64_encode(std::string(32, 'x'))));
  CHECK_THAT(liar.failure().message, Catch::Contains("signature"));
}
