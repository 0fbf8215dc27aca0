#include <catch2/catch.hpp>
#include <string>

#include "protocol/message.hpp"

using namespace pgtandem::protocol;
using namespace std::string_literals;

TEST_CASE("a frame is found in any prefix of a stream") {
  const std::string stream = "Q\0\0\0\x0dSELECT 1\0next"s;
  for (std::size_t size = 0; size <= stream.size(); ++size) {
    INFO(size << " bytes");
    const frame f = scan(std::string_view(stream).substr(0, size));
    const frame_state wanted = size < 5    ? frame_state::need_header
                               : size < 14 ? frame_state::need_body
                                           : frame_state::complete;
    CHECK(f.state == wanted);
    CHECK(f.type == (size == 0 ? 0 : 'Q'));
    if (size >= 5) {
      CHECK(f.size == 14);
      CHECK(f.body == std::string_view(stream).substr(5, std::min<std::size_t>(size, 14) - 5));
      CHECK(f.whole.size() == std::min<std::size_t>(size, 14));
    }
  }
}

TEST_CASE("the length of a frame is bounded below and above") {
  struct row {
    std::string length;
    frame_state state;
  };
  const row rows[] = {
      {"\x00\x00\x00\x00"s, frame_state::malformed}, {"\x00\x00\x00\x03"s, frame_state::malformed},
      {"\x00\x00\x00\x04"s, frame_state::complete},  {"\x00\x00\x00\x05"s, frame_state::need_body},
      {"\x40\x00\x00\x00"s, frame_state::need_body}, {"\x40\x00\x00\x01"s, frame_state::malformed},
      {"\x7f\xff\xff\xff"s, frame_state::malformed}, {"\x80\x00\x00\x00"s, frame_state::malformed},
      {"\xff\xff\xff\xff"s, frame_state::malformed},
  };
  for (const row& r : rows) CHECK(scan("S" + r.length).state == r.state);
}
