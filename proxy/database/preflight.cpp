#include "proxy/database/preflight.hpp"

#include <map>

namespace pgtandem::database {

namespace {

constexpr int oldest_server = 130000;  // xid8 and pg_current_xact_id()
constexpr int tested_server = 15;

using facts = std::map<std::string, std::string, std::less<>>;

result<facts> read_facts(connection& c) {
  auto r = c.execute(
      "SELECT name, setting FROM pg_catalog.pg_settings WHERE name IN ('fsync', 'full_page_writes', 'wal_level', "
      "'max_connections',"
      " 'track_commit_timestamp', 'default_transaction_read_only', 'server_encoding', 'integer_datetimes')"
      " UNION ALL SELECT 'in recovery', pg_catalog.pg_is_in_recovery()::text"
      " UNION ALL SELECT 'may create', pg_catalog.has_database_privilege(pg_catalog.current_database(), 'CREATE')::text"
      " UNION ALL SELECT 'superuser', coalesce((SELECT rolsuper FROM pg_catalog.pg_roles WHERE rolname = "
      "current_user), false)::text"
      " UNION ALL SELECT 'logical slots', (SELECT count(*) FROM pg_catalog.pg_replication_slots WHERE database ="
      " pg_catalog.current_database() AND slot_type = 'logical')::text");
  if (!r) return r.error();
  facts f;
  for (int i = 0; i < r->size(); ++i) f.emplace(r->at(i, 0), r->at(i, 1));
  return f;
}

// One rule: a fact that is not as wanted is refused or warned about, in which role.
struct rule {
  std::string_view fact, wanted;
  bool for_primary, for_secondary;
  enum { refuse, refuse_if_safe, warn } how;  // refuse_if_safe: unless allow_unsafe
  std::string_view text;
};

constexpr rule rules[] = {
    {"fsync", "on", false, true, rule::refuse_if_safe, "fsync is off: what the secondary acknowledged could be lost"},
    {"full_page_writes", "on", false, true, rule::refuse_if_safe,
     "full_page_writes is off: a crash could tear the secondary's pages"},
    {"fsync", "on", true, false, rule::warn, "fsync is off: a crash can lose acknowledged writes"},
    {"in recovery", "false", true, true, rule::refuse,
     "it is a standby: pgtandem needs the server that accepts writes"},
    {"default_transaction_read_only", "off", true, true, rule::warn, "default_transaction_read_only is on"},
    {"may create", "true", true, true, rule::refuse,
     "the role may not CREATE in this database, so the schema pgtandem cannot be installed"},
    {"superuser", "true", true, true, rule::warn,
     "the role is not a superuser: event triggers and the fast image function may not be available"},
    {"wal_level", "logical", true, false, rule::warn,
     "wal_level is not logical: writes that bypass the proxy are found by the sweep only, not by the WAL tail"},
};

void judge(const facts& f, role r, bool allow_unsafe, preflight_report& report) {
  for (const rule& k : rules) {
    const auto found = f.find(k.fact);
    if (found == f.end() || found->second == k.wanted || !(r == role::primary ? k.for_primary : k.for_secondary))
      continue;
    const bool refused = k.how == rule::refuse || (k.how == rule::refuse_if_safe && !allow_unsafe);
    (refused ? report.refusals : report.warnings).emplace_back(k.text);
  }
}

}  // namespace

result<preflight_report> preflight(connection& c, role r, bool allow_unsafe) {
  preflight_report report;
  if (c.server_version() < oldest_server)
    report.refusals.push_back("PostgreSQL " + std::to_string(c.server_version() / 10000) +
                              " is too old: 13 is the oldest that works");
  else if (c.server_version() / 10000 != tested_server)
    report.warnings.push_back("PostgreSQL " + std::to_string(c.server_version() / 10000) +
                              " is not the tested version, " + std::to_string(tested_server));
  if (!report.refusals.empty()) return report;
  auto f = read_facts(c);
  if (!f) return f.error();
  judge(*f, r, allow_unsafe, report);
  return report;
}

result<preflight_report> preflight_pair(connection& source, connection& target) {
  preflight_report report;
  auto s = read_facts(source), t = read_facts(target);
  if (!s) return s.error();
  if (!t) return t.error();
  if ((*s)["server_encoding"] != (*t)["server_encoding"])
    report.refusals.push_back("the encodings differ: " + (*s)["server_encoding"] + " and " + (*t)["server_encoding"]);
  if (source.server_version() / 10000 > target.server_version() / 10000)
    report.warnings.push_back("the target's PostgreSQL is older than the source's");
  constexpr const char* identity =
      "SELECT (SELECT system_identifier FROM pg_catalog.pg_control_system())::text || '/' || oid FROM "
      "pg_catalog.pg_database WHERE "
      "datname = pg_catalog.current_database()";
  auto a = source.execute(identity), b = target.execute(identity);
  if (a && b && a->at(0, 0) == b->at(0, 0)) report.refusals.push_back("source and target are the same database");
  return report;
}

}  // namespace pgtandem::database
