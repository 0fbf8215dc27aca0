#include "protocol/reader.hpp"

namespace pgtandem::protocol {

std::uint64_t reader::big_endian(std::size_t count) {
  std::uint64_t value = 0;
  for (const char c : bytes(count)) value = value << 8 | static_cast<unsigned char>(c);
  return value;
}

std::string_view reader::bytes(std::size_t count) {
  if (!ok_ || count > left()) {
    ok_ = false;
    return {};
  }
  const std::string_view taken = body_.substr(at_, count);
  at_ += count;
  return taken;
}

std::string_view reader::c_string() {
  const std::size_t end = ok_ ? body_.find('\0', at_) : std::string_view::npos;
  if (end == std::string_view::npos) {
    ok_ = false;
    return {};
  }
  const std::string_view text = body_.substr(at_, end - at_);
  at_ = end + 1;
  return text;
}

}  // namespace pgtandem::protocol
