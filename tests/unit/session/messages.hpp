// Messages that several transcripts of the extended protocol send, and the sizes into which transcripts are cut.
#pragma once
#include <cstddef>
#include <cstdint>
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

inline std::string execute(std::string_view portal = "", std::int32_t rows = 0) {
  std::string m;
  protocol::write_execute(m, portal, rows);
  return m;
}

// Parse, Bind and Execute.
inline std::string whole(std::string_view sql, std::string_view portal = "") { return begin(sql, portal) + execute(portal); }

inline std::string query(std::string_view sql) {
  std::string m;
  protocol::write_query(m, sql);
  return m;
}

inline std::string synced() {
  std::string m;
  protocol::write_sync(m);
  return m;
}

}  // namespace pgtandem::test
