#include "protocol/error_response.hpp"

#include <catch2/catch.hpp>

#include "cut.hpp"

using namespace pgtandem::protocol;
using namespace std::string_literals;

TEST_CASE("an error is written with the fields PostgreSQL sends, and read back") {
  std::string out;
  write_error(out, {"ERROR", "0A000", "MERGE is not mirrored yet", "detail", "hint", 7});
  const std::string body = body_of(out, backend::error_response);
  CHECK(body == "SERROR\0VERROR\0C0A000\0MMERGE is not mirrored yet\0Ddetail\0Hhint\0P7\0\0"s);
  const auto e = decode_error(body);
  REQUIRE(e);
  CHECK(e->severity() == "ERROR");
  CHECK(e->sqlstate() == "0A000");
  CHECK(e->message() == "MERGE is not mirrored yet");
  CHECK(e->position() == 7u);
  CHECK(e->find('W').empty());
  refuses_every_cut(body, decode_error);
}

TEST_CASE("empty fields are left out") {
  std::string out;
  write_notice(out, {"WARNING", "01000", "m"});
  CHECK(body_of(out, backend::notice_response) == "SWARNING\0VWARNING\0C01000\0Mm\0\0"s);
}

TEST_CASE("the position of an error can be moved, added and taken away") {
  struct row {
    std::string before;
    std::optional<std::uint32_t> position;
    std::string after;
  };
  const row rows[] = {
      {"Mm\0P12\0Fscan.l\0\0"s, 3, "Mm\0P3\0Fscan.l\0\0"s},
      {"Mm\0P12\0Fscan.l\0\0"s, std::nullopt, "Mm\0Fscan.l\0\0"s},
      {"Mm\0\0"s, 3, "Mm\0P3\0\0"s},
      {"Mm\0\0"s, std::nullopt, "Mm\0\0"s},
  };
  for (const row& r : rows) {
    std::string out;
    write_with_position(out, backend::error_response, *decode_error(r.before), r.position);
    CHECK(body_of(out, backend::error_response) == r.after);
  }
}

TEST_CASE("a position that is no number is none, and too many fields are refused") {
  CHECK_FALSE(decode_error("Pabc\0\0"s)->position());
  CHECK_FALSE(decode_error("P\0\0"s)->position());
  CHECK_FALSE(decode_error("P99999999999\0\0"s)->position());
  std::string many;
  for (int i = 0; i < 65; ++i) many += "Mx\0"s;
  CHECK_FALSE(decode_error(many + '\0'));
}

TEST_CASE("the SQLSTATE of a whole message, which may come from anybody") {
  const auto of = [](std::string_view sqlstate) {
    std::string out;
    write_error(out, {"FATAL", sqlstate, "m"});
    return std::string(sqlstate_of(out));
  };
  CHECK(of("28P01") == "28P01");
  CHECK(of("") == "?????");
  CHECK(of("28p01") == "?????");
  CHECK(of("28P011") == "?????");
  CHECK(of("\"}\n x") == "?????");
  CHECK(sqlstate_of("") == "?????");
  std::string notice;
  write_notice(notice, {"WARNING", "01000", "m"});
  CHECK(sqlstate_of(notice) == "?????");
}
