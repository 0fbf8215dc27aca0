// What every decoder must do with a body that lost its tail or grew one: answer nothing, and read nothing beyond its
// end.
#pragma once
#include <catch2/catch.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "protocol/message.hpp"

namespace pgtandem::protocol {

// The body of a message that was just written; fails the test if it is not exactly one whole message.
inline std::string body_of(const std::string& message, char type) {
  const frame f = scan(message);
  REQUIRE(f.complete());
  REQUIRE(f.type == type);
  REQUIRE(f.size == message.size());
  return std::string(f.body);
}

// `decode` accepts `body`, and refuses each proper prefix of it and the body with one byte more. The prefix is copied
// to a block of its own size, so that the address sanitizer sees a read beyond it.
template <class Decode>
void refuses_every_cut(const std::string& body, Decode decode) {
  CHECK(decode(std::string_view(body)));
  for (std::size_t size = 0; size < body.size(); ++size) {
    const std::vector<char> cut(body.begin(), body.begin() + static_cast<std::ptrdiff_t>(size));
    INFO("cut after " << size << " of " << body.size() << " bytes");
    CHECK_FALSE(decode(std::string_view(cut.data(), cut.size())));
  }
  CHECK_FALSE(decode(std::string_view(body + 'x')));
}

}  // namespace pgtandem::protocol
