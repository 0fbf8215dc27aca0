#include "protocol/reader.hpp"

namespace pgtandem::protocol {

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
