// Messages that several transcripts of the extended protocol send, and the sizes into which transcripts are cut.
#pragma once
#include <cstddef>
#include <string>
#include <string_view>

#include "protocol/frontend_messages.hpp"

namespace pgtandem::test {

inline constexpr std::size_t pieces[] = {0, 1, 2, 3, 5, 7, 11, 13};  // bytes; 0: whole

// Parse and Bind, without parameters.
inline std::string begin(std::string_view sql, std::string_view portal = "") {
  std::string m;
  protocol::write_parse(m, "", sql);
  protocol::write_bind(m, portal, "");
  return m;
}

inline std::string synced() {
  std::string m;
  protocol::write_sync(m);
  return m;
}

}  // namespace pgtandem::test
