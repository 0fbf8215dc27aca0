#include "proxy/session/own_query.hpp"

#include "proxy/sql/rewrite.hpp"

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

std::string_view session_settings_query() {
  return "SELECT 'set', name, setting FROM pg_catalog.pg_settings WHERE source = 'session' "
         "UNION ALL SELECT 'listen', c, '' FROM pg_catalog.pg_listening_channels() AS c "
         "UNION ALL SELECT 'prepare', name, statement FROM pg_catalog.pg_prepared_statements WHERE from_sql "
         "UNION ALL SELECT 'role', '', r FROM pg_catalog.current_setting('role') AS r WHERE r <> 'none'";
}

std::string replay_query(const std::vector<std::vector<std::string>>& settings) {
  std::string q;
  for (const auto& s : settings) {
    if (s.size() != 3) continue;
    if (s[0] == "set") q += "SELECT pg_catalog.set_config(" + sql::quote_literal(s[1]) + ", " + sql::quote_literal(s[2]) + ", false);";
    if (s[0] == "prepare") q += s[2] + "\n;";   // it may end in a comment
    if (s[0] == "listen") q += "LISTEN " + sql::quote_ident(s[1]) + ";";
  }
  for (const auto& s : settings)   // last: a role may not be allowed to set the others
    if (s.size() == 3 && s[0] == "role") q += "SET ROLE " + sql::quote_ident(s[2]) + ";";
  return q;
}

}  // namespace pgtandem::session
