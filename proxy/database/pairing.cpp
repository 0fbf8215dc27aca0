#include "proxy/database/pairing.hpp"

#include "proxy/database/schema.hpp"

namespace pgtandem::database {
namespace {

constexpr std::string_view server_sql =
    "SELECT (SELECT system_identifier FROM pg_catalog.pg_control_system())::text || '/' || oid::text FROM pg_catalog.pg_database "
    "WHERE datname = pg_catalog.current_database()";
// Version 1 had neither column: as JSON they are NULL then.
constexpr std::string_view row_sql =
    "SELECT (SELECT coalesce(max(version), 0) FROM pgtandem.version), coalesce(to_jsonb(m)->>'pair', ''), coalesce(to_jsonb(m)->>'place', ''), "
    "m.epoch, m.phase FROM pgtandem.migration m";

bool has_no_schema(const error& e) { return e.sqlstate == "42P01" || e.sqlstate == "3F000"; }

}  // namespace

result<pairing> read_pairing(connection& c) {
  pairing out;
  auto server = c.run(server_sql);
  if (!server && server.error().lost) return server.error();
  if (server && server->size() == 1) out.server = server->at(0, 0);
  auto there = c.run("SELECT to_regclass('pgtandem.migration') IS NOT NULL AND to_regclass('pgtandem.version') IS NOT NULL");
  if (!there) return there.error();
  if (!there->boolean(0, 0)) return out;
  auto row = c.run(row_sql);
  if (!row && has_no_schema(row.error())) return out;   // removed in between
  if (!row) return row.error();
  if (row->size() != 1) return out;
  out.version = static_cast<int>(row->integer(0, 0));
  out.pair = row->at(0, 1);
  out.place = row->at(0, 2);
  out.epoch = row->integer(0, 3);
  out.phase = row->at(0, 4);
  return out;
}

std::string misplaced(const pairing& here, std::string_view place) {
  if (!here.installed()) return {};
  if (here.version != schema_version)
    return "the schema pgtandem has version " + std::to_string(here.version) + ", this program works with " + std::to_string(schema_version) +
           (here.version < schema_version ? ": run pgtandem init" : "");
  if (here.pair.empty()) return "it is not said which database this one belongs with: run pgtandem init";
  if (here.place != place)
    return "this database is the " + here.place + " of a migration, and the configuration calls it the " + std::string(place);
  return {};
}

std::string not_a_pair(const pairing& source, const pairing& target) {
  if (!source.server.empty() && source.server == target.server) return "source and target are the same database";
  if (source.installed() && target.installed() && source.pair != target.pair)
    return "source and target belong to different migrations (pairs " + (source.pair.empty() ? "none" : source.pair) + " and " +
           (target.pair.empty() ? "none" : target.pair) + ")";
  return {};
}

}  // namespace pgtandem::database
