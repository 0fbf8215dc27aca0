#include "proxy/session/own_query.hpp"

namespace pgtandem::session {

std::string fence_query(std::int32_t epoch) {
  return "SELECT pg_catalog.pg_current_xact_id()::pg_catalog.text, (SELECT token::pg_catalog.text FROM pgtandem.boot), "
         "EXISTS(SELECT FROM pgtandem.epoch_" + std::to_string(epoch) + "), "
         "nullif(pg_catalog.current_setting('session_replication_role'), 'origin')::pg_catalog.int4";   // 'replica' is no number
}

std::string bytea_literal(std::string_view bytes) {
  static constexpr char digits[] = "0123456789abcdef";
  std::string text = "\\x";
  for (char c : bytes) {
    text += digits[static_cast<unsigned char>(c) >> 4];
    text += digits[static_cast<unsigned char>(c) & 0xf];
  }
  return text;
}

bool from_hex(std::string_view hex, std::string& out) {
  auto digit = [](char c) { return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1; };
  if (hex.size() % 2) return false;
  for (std::size_t i = 0; i < hex.size(); i += 2) {
    int high = digit(hex[i]), low = digit(hex[i + 1]);
    if (high < 0 || low < 0) return false;
    out += static_cast<char>(high * 16 + low);
  }
  return true;
}

// A catalog is not searched while the session has no temporary schema.
std::string_view belongings_query() {
  return "SELECT CASE WHEN pg_catalog.bool_or(relkind IN ('r', 'p')) THEN 'a temporary table' ELSE 'a temporary view, sequence or type' END "
         "FROM pg_catalog.pg_class WHERE pg_catalog.pg_my_temp_schema() <> 0 AND relnamespace = pg_catalog.pg_my_temp_schema() "
         "HAVING pg_catalog.count(*) > 0 "
         "UNION ALL SELECT 'a temporary function' FROM pg_catalog.pg_proc WHERE pg_catalog.pg_my_temp_schema() <> 0 "
         "AND pronamespace = pg_catalog.pg_my_temp_schema() HAVING pg_catalog.count(*) > 0 "
         "UNION ALL SELECT 'a session advisory lock' FROM pg_catalog.pg_locks WHERE locktype = 'advisory' "
         "AND pid = pg_catalog.pg_backend_pid() HAVING pg_catalog.count(*) > 0 "
         "UNION ALL SELECT 'a cursor WITH HOLD' FROM pg_catalog.pg_cursors WHERE is_holdable HAVING pg_catalog.count(*) > 0";
}

}  // namespace pgtandem::session
