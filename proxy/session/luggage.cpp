#include "proxy/session/luggage.hpp"

#include <algorithm>

#include "proxy/session/own_query.hpp"
#include "proxy/sql/rewrite.hpp"

namespace pgtandem::session {
namespace {

// They would cut short what comes after them.
constexpr std::string_view timeouts[] = {"statement_timeout", "lock_timeout", "transaction_timeout",
                                         "idle_in_transaction_session_timeout"};
constexpr std::string_view client_encoding = "client_encoding";

bool comes_last(std::string_view name) {
  return name == client_encoding || std::find(std::begin(timeouts), std::end(timeouts), name) != std::end(timeouts);
}

std::string set_config(const carried& c) {
  return "SELECT pg_catalog.set_config(" + sql::quote_literal(c.name) + ", " + sql::quote_literal(c.value) +
         ", false);";
}

// Custom settings as far as no module has defined them since.
std::string custom_settings(const setting_names& names, const sql::catalog* c) {
  std::string q;
  auto add = [&](const std::string& name) { q += (q.empty() ? "(" : ", (") + sql::quote_literal(name) + ")"; };
  for (const std::string& name : names.known) add(name);
  if (c)
    for (const std::string& name : c->custom_settings)
      if (!names.known.contains(name)) add(name);
  if (q.empty()) return {};
  return "UNION ALL SELECT 'set', n, pg_catalog.current_setting(n, true) FROM (VALUES " + q +
         ") AS c(n) WHERE pg_catalog.current_setting(n, true) IS NOT NULL AND n NOT IN (SELECT pg_catalog.lower(name) "
         "FROM listed) ";
}

}  // namespace

// pg_stat_get_activity: as whom this connection has logged in.
std::string luggage_query(const setting_names& names, const sql::catalog* c) {
  auto bytes = [](const char* column) {
    return std::string("pg_catalog.encode(pg_catalog.convert_to(") + column +
           ", pg_catalog.getdatabaseencoding()), 'hex')";
  };
  return "WITH listed AS MATERIALIZED (SELECT name, setting, source FROM pg_catalog.pg_settings) SELECT what, " +
         bytes("name") + ", " + bytes("value") +
         " FROM (SELECT 'encoding' AS what, '' AS name, pg_catalog.getdatabaseencoding()::pg_catalog.text AS value "
         "UNION ALL SELECT 'set', name, setting FROM listed WHERE source = 'session' " +
         custom_settings(names, c) +
         "UNION ALL SELECT 'authorization', '', session_user::pg_catalog.text FROM "
         "pg_catalog.pg_stat_get_activity(pg_catalog.pg_backend_pid()) AS a WHERE a.usesysid <> "
         "(SELECT oid FROM pg_catalog.pg_roles WHERE rolname = session_user) "
         "UNION ALL SELECT 'role', '', r FROM pg_catalog.current_setting('role') AS r" +
         std::string(names.role ? " " : " WHERE r <> 'none' ") +
         "UNION ALL SELECT 'listen', c, '' FROM pg_catalog.pg_listening_channels() AS c "
         "UNION ALL SELECT 'prepare', name, statement FROM pg_catalog.pg_prepared_statements WHERE from_sql) AS l";
}

std::optional<luggage> read_luggage(const std::vector<std::vector<std::string>>& rows) {
  luggage all;
  for (const auto& row : rows) {
    carried c;
    if (row.size() != 3 || !from_hex(row[1], c.name) || !from_hex(row[2], c.value)) return std::nullopt;
    c.what = row[0];
    all.push_back(std::move(c));
  }
  if (std::none_of(all.begin(), all.end(), [](const carried& c) { return c.what == "encoding"; })) return std::nullopt;
  return all;
}

std::vector<replay_step> replay_steps(const luggage& all) {
  std::vector<replay_step> steps;
  std::string encoding, settings, who, role, channels, last;
  std::vector<replay_step> statements;
  bool client_encoded = false;
  for (const carried& c : all) {
    if (c.what == "encoding") encoding = "SET client_encoding TO " + sql::quote_literal(c.value);
    if (c.what == "set") (comes_last(c.name) ? last : settings) += set_config(c);
    if (c.what == "set") client_encoded |= c.name == client_encoding;
    if (c.what == "authorization") who = "SET SESSION AUTHORIZATION " + sql::quote_ident(c.value) + ";";
    if (c.what == "role") role = "SET ROLE " + (c.value == "none" ? "NONE" : sql::quote_ident(c.value));
    if (c.what == "listen") channels += "LISTEN " + sql::quote_ident(c.name) + ";";
    if (c.what == "prepare") statements.push_back({c.value, true});
  }
  if (all.size() < 2) return steps;  // nothing but the encoding
  if (!client_encoded) last += "RESET client_encoding;";
  steps.push_back({encoding});
  for (const std::string& part : {settings, who + role, channels})
    if (!part.empty()) steps.push_back({part});
  steps.insert(steps.end(), statements.begin(), statements.end());
  steps.push_back({last});
  return steps;
}

bool of_the_statement(std::string_view sqlstate) {
  static constexpr std::string_view classes[] = {
      "0A",  // feature not supported
      "22",  // a constant that its type does not know any more
      "3F",  // no such schema
      "42",  // syntax, names, types, rights
  };
  return std::any_of(std::begin(classes), std::end(classes),
                     [&](std::string_view c) { return sqlstate.starts_with(c); });
}

}  // namespace pgtandem::session
