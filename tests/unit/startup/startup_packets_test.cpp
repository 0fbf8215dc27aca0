#include <catch2/catch.hpp>

#include "conversation.hpp"

using namespace pgtandem::session;
using namespace std::string_literals;

namespace {

const std::string good = startup_message({{"user", "ann"}, {"database", "shop"}});

std::string with_version(std::string message, std::uint16_t major, std::uint16_t minor) {
  message[4] = static_cast<char>(major >> 8);
  message[5] = static_cast<char>(major);
  message[6] = static_cast<char>(minor >> 8);
  message[7] = static_cast<char>(minor);
  return message;
}

std::string cancel() {
  std::string out;
  pgtandem::protocol::write_cancel_request(out, 12, 34);
  return out;
}

struct row {
  const char* what;
  std::string sent;
  std::string heard;
};

const row rows[] = {
    {"a plain start", good, "lookup"},
    {"TLS is refused, then a start", ssl_request() + good, "N lookup"},
    {"GSS encryption and TLS are refused", gssenc_request() + ssl_request() + good, "N N lookup"},
    {"TLS asked for twice", ssl_request() + ssl_request(), "N E:0A000 close"},
    {"GSS asked for twice, TLS between", gssenc_request() + ssl_request() + gssenc_request(), "N N E:0A000 close"},
    {"cancel", cancel(), "cancel:12:34 close"},
    {"cancel after TLS was refused", ssl_request() + cancel(), "N cancel:12:34 close"},
    {"cancel with a tail", "\0\0\0\x11\x04\xd2\x16\x2e\0\0\0\x0c\0\0\0\x22x"s, "close"},
    {"cancel without a secret", "\0\0\0\x0c\x04\xd2\x16\x2e\0\0\0\x0c"s, "close"},
    {"protocol 2.0", with_version(good, 2, 0), "E:0A000 close"},
    {"protocol 4.0", with_version(good, 4, 0), "E:0A000 close"},
    {"protocol 3.2 is negotiated", with_version(good, 3, 2), "v lookup"},
    {"an unknown protocol option is negotiated",
     startup_message({{"user", "ann"}, {"database", "shop"}, {"_pq_.x", "1"}}), "v lookup"},
    {"no user", startup_message({{"database", "shop"}}), "E:28000 close"},
    {"an empty user", startup_message({{"user", ""}}), "E:28000 close"},
    {"no parameters at all", "\0\0\0\x09\0\3\0\0\0"s, "E:28000 close"},
    {"replication", startup_message({{"user", "ann"}, {"replication", "database"}}), "E:0A000 close"},
    {"physical replication", startup_message({{"user", "ann"}, {"replication", "true"}}), "E:0A000 close"},
    {"no replication", startup_message({{"user", "ann"}, {"replication", "OFF"}}), "lookup"},
    {"no final zero", "\0\0\0\x10\0\3\0\0user\0a\0x"s, "E:08P01 close"},
    {"a name without a value", "\0\0\0\x0d\0\3\0\0user\0"s, "E:08P01 close"},
    {"bytes behind the final zero", "\0\0\0\x11\0\3\0\0user\0a\0\0x"s, "E:08P01 close"},
    {"nothing behind the version", "\0\0\0\x08\0\3\0\0"s, "E:08P01 close"},
    {"a length below the least", "\0\0\0\7"s, "E:08P01 close"},
    {"a length above the bound", "\0\0\x27\x15"s, "E:08P01 close"},
    {"HTTP", "GET / HTTP/1.1\r\n\r\n", "E:08P01 close"},
    {"a TLS hello", "\x16\x03\x01\x02\x00\x01\x00"s, "E:08P01 close"},
};

}  // namespace

TEST_CASE("what a client may open with, and what it hears") {
  for (const row& r : rows) {
    INFO(r.what);
    startup s(rules(auth_method::scram_sha_256));
    s.client_data(r.sent);
    CHECK(heard(s) == r.heard);
  }
}

TEST_CASE("it hears the same however the bytes are cut, and nothing before the last") {
  for (const row& r : rows) {
    for (std::size_t cut = 0; cut <= r.sent.size(); ++cut) {
      INFO(r.what << ", cut after " << cut);
      startup s(rules(auth_method::scram_sha_256));
      s.client_data(std::string_view(r.sent).substr(0, cut));
      std::string text = heard(s);
      s.client_data(std::string_view(r.sent).substr(cut));
      const std::string rest = heard(s);
      if (!text.empty() && !rest.empty()) text += ' ';
      CHECK(text + rest == r.heard);
    }
  }
}

TEST_CASE("who it is, and what the server will be told") {
  startup s(rules(auth_method::trust));
  s.client_data(startup_message({{"user", "ann"},
                                 {"database", "shop"},
                                 {"application_name", "psql"},
                                 {"options", "-c geqo=off"},
                                 {"_pq_.x", "1"},
                                 {"replication", "no"}}));
  CHECK(s.who().user == "ann");
  CHECK(s.who().database == "shop");
  CHECK(s.who().parameters == pairs{{"application_name", "psql"}, {"options", "-c geqo=off"}});
}

TEST_CASE("the database is the user's name when none is given, and names are cut as PostgreSQL cuts them") {
  startup s(rules(auth_method::trust));
  s.client_data(startup_message({{"user", std::string(70, 'u')}}));
  CHECK(s.who().user == std::string(63, 'u'));
  CHECK(s.who().database == std::string(63, 'u'));
}

TEST_CASE("trust asks nothing, and keeps what the secret is good for at the server") {
  startup s(rules(auth_method::trust));
  s.client_data(good);
  CHECK(heard(s) == "lookup");
  SECTION("a password") {
    s.secret_found("pencil");
    CHECK(s.who().credential.password == "pencil");
  }
  SECTION("an md5 secret") {
    s.secret_found("md5" + std::string(32, 'a'));
    CHECK(s.who().credential.md5 == "md5" + std::string(32, 'a'));
  }
  SECTION("none") { s.secret_unknown(); }
  CHECK(heard(s) == "login");
}

TEST_CASE("another database does not exist, but only for who has been let in") {
  startup s(rules(auth_method::trust));
  s.client_data(startup_message({{"user", "ann"}, {"database", "other"}}));
  CHECK(heard(s) == "lookup");
  s.secret_unknown();
  CHECK(heard(s) == "E:3D000 close");
}

TEST_CASE("the greeting, and what the client sent ahead") {
  startup s(rules(auth_method::trust));
  s.client_data(good + "Q ahead");
  CHECK_FALSE(s.take().reads_client);
  s.secret_unknown();
  CHECK(heard(s) == "login");
  s.client_data(" of time");
  s.complete({{{"TimeZone", "UTC"}, {"server_version", "15.1"}}, 1, 2}, 77, 88, error_message("01000", "notice"));
  const startup_outbox out = s.take();
  CHECK(words(out.to_client) == "R0 E:01000 S S K Z ");
  CHECK_FALSE(out.close_client);
  CHECK(out.to_client.find("K\0\0\0\x0c\0\0\0\x4d\0\0\0\x58"s) != std::string::npos);
  CHECK(s.leftover() == "Q ahead of time");
}

TEST_CASE("too much sent ahead is refused") {
  startup s(rules(auth_method::trust));
  s.client_data(good);
  heard(s);
  s.client_data(std::string(early_bytes_max, 'x'));
  CHECK(heard(s).empty());
  s.client_data("x");
  CHECK(heard(s) == "E:08P01 close");
  CHECK(s.leftover().empty());
}

TEST_CASE("a refusal ends it at any point, and nothing follows") {
  for (int point = 0; point < 3; ++point) {
    startup s(rules(auth_method::trust));
    if (point > 0) s.client_data(good);
    if (point > 1) s.secret_unknown();
    heard(s);
    s.refuse("57P01", "terminating connection due to administrator command");
    CHECK(heard(s) == "E:57P01 close");
    s.refuse("57P01", "again");
    s.client_data(good);
    s.secret_unknown();
    s.complete({}, 1, 2);
    CHECK(heard(s).empty());
  }
}

TEST_CASE("a server's refusal is heard byte for byte") {
  startup s(rules(auth_method::trust));
  s.client_data(good);
  s.secret_unknown();
  heard(s);
  const std::string raw = error_message("53300", "sorry, too many clients already");
  s.refuse_with(raw);
  CHECK(s.take().to_client == raw);
}
