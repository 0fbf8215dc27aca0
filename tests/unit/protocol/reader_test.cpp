#include "protocol/reader.hpp"

#include <catch2/catch.hpp>
#include <string>

#include "protocol/writer.hpp"

using namespace pgtandem::protocol;

TEST_CASE("what a writer writes a reader reads") {
  std::string out = "before";
  message_writer(out, 'x').u8(200).u16(65535).i16(-2).u32(4000000000).i32(-3).i64(-4).c_string("text").bytes("raw");
  REQUIRE(out.substr(0, 7) == "beforex");
  reader r(std::string_view(out).substr(7));
  CHECK(r.u32() == out.size() - 7);
  CHECK(r.u8() == 200);
  CHECK(r.u16() == 65535);
  CHECK(r.i16() == -2);
  CHECK(r.u32() == 4000000000);
  CHECK(r.i32() == -3);
  CHECK(r.i64() == -4);
  CHECK(r.c_string() == "text");
  CHECK(r.left() == 3);
  CHECK_FALSE(r.finished());
  CHECK(r.rest() == "raw");
  CHECK(r.finished());
}

TEST_CASE("a read beyond the end fails, and everything after it") {
  reader r("ab");
  CHECK(r.u32() == 0);
  CHECK_FALSE(r.ok());
  CHECK(r.u8() == 0);
  CHECK(r.bytes(1).empty());
  CHECK(r.c_string().empty());
  CHECK(r.rest().empty());
  CHECK_FALSE(r.finished());

  reader unterminated("abc");
  CHECK(unterminated.c_string().empty());
  CHECK_FALSE(unterminated.ok());
}

TEST_CASE("a string is cut at its first zero byte, so that it cannot smuggle fields") {
  std::string out;
  message_writer(out, 'x').c_string(std::string_view("a\0b", 3));
  CHECK(out == std::string("x\0\0\0\6a\0", 7));
}
