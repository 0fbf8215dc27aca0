#include "protocol/startup_packet.hpp"

#include <catch2/catch.hpp>

#include "cut.hpp"

using namespace pgtandem::protocol;
using namespace std::string_literals;

TEST_CASE("a StartupMessage is found in any prefix") {
  std::string out;
  const std::pair<std::string, std::string> parameters[] = {{"user", "u"}, {"application_name", ""}};
  write_startup(out, parameters);
  for (std::size_t size = 0; size < out.size(); ++size)
    CHECK(scan_startup(std::string_view(out).substr(0, size)).state == startup_state::need_more);
  const std::string with_more = out + "more";
  const startup_frame f = scan_startup(with_more);
  REQUIRE(f.state == startup_state::complete);
  CHECK(f.size == out.size());
  CHECK(f.code == protocol_3_0);
  CHECK(kind_of(f.code) == startup_kind::version);
  CHECK(decode_startup_parameters(f.body) == startup_parameters{{"user", "u"}, {"application_name", ""}});
  refuses_every_cut(std::string(f.body), decode_startup_parameters);
}

TEST_CASE("the length of a startup packet is bounded as PostgreSQL bounds it") {
  struct row {
    std::string length;
    startup_state state;
  };
  const row rows[] = {
      {"\0\0\0\0"s, startup_state::malformed},     {"\0\0\0\7"s, startup_state::malformed},
      {"\0\0\0\x08"s, startup_state::need_more},   {"\0\0\x27\x14"s, startup_state::need_more},  // 10004
      {"\0\0\x27\x15"s, startup_state::malformed}, {"GET "s, startup_state::malformed},
  };
  for (const row& r : rows) CHECK(scan_startup(r.length).state == r.state);
}

TEST_CASE("requests are told apart by their code") {
  std::string ssl, cancel;
  write_ssl_request(ssl);
  write_cancel_request(cancel, 12, 34);
  CHECK(ssl == "\0\0\0\x08\x04\xd2\x16\x2f"s);
  CHECK(kind_of(scan_startup(ssl).code) == startup_kind::ssl);
  CHECK(kind_of(scan_startup("\0\0\0\x08\x04\xd2\x16\x30"s).code) == startup_kind::gssenc);
  const startup_frame f = scan_startup(cancel);
  CHECK(kind_of(f.code) == startup_kind::cancel);
  CHECK(decode_cancel(f.body)->pid == 12);
  CHECK(decode_cancel(f.body)->secret == 34);
  refuses_every_cut(std::string(f.body), decode_cancel);
}
