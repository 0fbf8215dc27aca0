#include <catch2/catch.hpp>

#include "conversation.hpp"
#include "protocol/scram_client.hpp"

using namespace pgtandem::session;
using namespace pgtandem;
using namespace std::string_literals;

namespace {

const std::string verifier =
    protocol::to_text(protocol::verifier_of(protocol::derive_scram_keys("pencil", "0123456789abcdef", 4096)));

std::string initial(const protocol::scram_client& c, std::string_view mechanism = protocol::scram_mechanism) {
  std::string out;
  protocol::write_sasl_initial(out, mechanism, c.first());
  return out;
}

// The data of the one AuthenticationSASL… message in `bytes`.
std::string sasl_data(const std::string& bytes) {
  const protocol::frame f = protocol::scan(bytes);
  REQUIRE(f.complete());
  return std::string(protocol::decode_authentication(f.body)->data);
}

startup asked(const std::string& database = "shop") {
  startup s(rules(auth_method::scram_sha_256));
  s.client_data(startup_message({{"user", "ann"}, {"database", database}}));
  CHECK(heard(s) == "lookup");
  return s;
}

// Takes `s` from AuthenticationSASL to the answer to the proof, the client's bytes in pieces of `piece`.
std::string prove(startup& s, const std::string& password, std::size_t piece = 4096) {
  const auto send = [&](const std::string& bytes) {
    for (std::size_t at = 0; at < bytes.size(); at += piece) s.client_data(std::string_view(bytes).substr(at, piece));
  };
  protocol::scram_client client(password, "nonce of the client");
  CHECK(heard(s) == "R10");
  send(initial(client));
  std::string proof, message;
  REQUIRE(client.answer(sasl_data(s.take().to_client), proof) == protocol::scram_failure::none);
  protocol::write_sasl_response(message, proof);
  send(message);
  startup_outbox out = s.take();
  if (!out.close_client) {
    CHECK(out.log_in);
    CHECK(client.verify(sasl_data(out.to_client)) == protocol::scram_failure::none);
  }
  return words(out.to_client);
}

}  // namespace

TEST_CASE("a secret is proven, in pieces of any size") {
  for (const std::string& secret : {"pencil"s, verifier}) {
    for (const std::size_t piece : {1, 7, 4096}) {
      startup s = asked();
      s.secret_found(secret);
      CHECK(prove(s, "pencil", piece) == "R12 ");
      CHECK(s.who().credential.scram.has_value());
      CHECK(s.who().credential.password.has_value() == (secret == "pencil"));
      s.complete({}, 1, 2);
      CHECK(heard(s) == "R0 K Z");
    }
  }
}

TEST_CASE("whoever cannot be proven is refused in the same way") {
  struct row {
    const char* what;
    const char* secret;  // null: unknown
  };
  const row rows[] = {{"another password", "crayon"},
                      {"no such user", nullptr},
                      {"an md5 secret", "md5aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"},
                      {"an empty password", ""}};
  for (const row& r : rows) {
    INFO(r.what);
    startup s = asked();
    if (r.secret)
      s.secret_found(r.secret);
    else
      s.secret_unknown();
    CHECK(prove(s, "pencil") == "E:28P01 ");
  }
}

TEST_CASE("the challenge does not tell a user with a password in clear from one that does not exist") {
  std::string challenges[2];
  for (int known = 0; known < 2; ++known) {
    startup s = asked();
    if (known)
      s.secret_found("pencil");
    else
      s.secret_unknown();
    heard(s);
    s.client_data(initial(protocol::scram_client("x", "c")));
    challenges[known] = s.take().to_client;
  }
  CHECK(challenges[0] == challenges[1]);
}

TEST_CASE("another database does not exist, which only the right password learns") {
  startup right = asked("other"), wrong = asked("other");
  right.secret_found("pencil");
  CHECK(prove(right, "pencil") == "R12 E:3D000 ");
  wrong.secret_found("pencil");
  CHECK(prove(wrong, "crayon") == "E:28P01 ");
}

TEST_CASE("what a client may not say instead of its proof") {
  const protocol::scram_client client("pencil", "c");
  struct row {
    const char* what;
    std::string sent;
    std::string heard;
  };
  const row rows[] = {
      {"a query", "Q\0\0\0\x0dSELECT 1\0"s, "E:08P01 close"},
      {"one byte of one", "Q", "E:08P01 close"},
      {"another mechanism", initial(client, "SCRAM-SHA-256-PLUS"), "E:08P01 close"},
      {"no mechanism", "p\0\0\0\4"s, "E:08P01 close"},
      {"a length that is not the data's", "p\0\0\0\x16SCRAM-SHA-256\0\0\0\0\x09"s, "E:08P01 close"},
      {"a length of -1", "p\0\0\0\x16SCRAM-SHA-256\0\xff\xff\xff\xff"s, "E:08P01 close"},
      {"an impossible frame", "p\0\0\0\3"s, "E:08P01 close"},
      {"a frame above the bound", "p\0\0\x04\x05"s, "E:08P01 close"},
      {"a frame of 1 GiB", "p\x40\0\0\0"s, "E:08P01 close"},
      {"garbage", "p\0\0\0\x1cSCRAM-SHA-256\0\0\0\0\6ABCDEF"s, "E:08P01 close"},
      {"channel binding", "p\0\0\0\x1cSCRAM-SHA-256\0\0\0\0\6p=x,,n"s, "E:08P01 close"},
  };
  for (const row& r : rows) {
    INFO(r.what);
    startup s = asked();
    s.secret_found("pencil");
    CHECK(heard(s) == "R10");
    s.client_data(r.sent);
    CHECK(heard(s) == r.heard);
  }
}

TEST_CASE("a proof sent ahead of the challenge cannot be right") {
  startup s = asked();
  std::string ahead = initial(protocol::scram_client("pencil", "c"));
  protocol::write_sasl_response(ahead, "c=biws,r=c,p=" + protocol::base64_encode(std::string(32, 'x')));
  s.client_data(ahead);
  CHECK(heard(s).empty());
  s.secret_found("pencil");
  CHECK(heard(s) == "R10 R11 E:08P01 close");
}
