#include "proxy/database/schema.hpp"

#include "proxy/database/schema_ddl.hpp"

namespace pgtandem::database {

namespace {

constexpr std::string_view begin_sql =
    "BEGIN; SET LOCAL lock_timeout = '10s'; SET LOCAL search_path = pg_catalog; SET LOCAL client_min_messages = error; "
    "SET LOCAL synchronous_commit = on";

// Runs `step` between BEGIN and COMMIT; an error of any of them rolls back and is the answer.
template <class T, class F>
result<T> in_transaction(connection& c, F&& step) {
  if (auto r = c.run(begin_sql); !r) return r.error();
  if (auto r = c.execute("SELECT pg_advisory_xact_lock($1)", {std::to_string(install_lock)}); !r) {
    (void)c.run("ROLLBACK");
    return r.error();
  }
  result<T> answer = step();
  if (!answer) {
    (void)c.run("ROLLBACK");
    return answer;
  }
  if (auto r = c.run("COMMIT"); !r) return r.error();
  return answer;
}

// Tries something that the role may not be allowed to do. true = done, false = not permitted.
result<bool> if_permitted(connection& c, std::string_view sql) {
  if (auto r = c.run("SAVEPOINT optional"); !r) return r.error();
  auto r = c.run(sql);
  if (r) {
    if (auto released = c.run("RELEASE SAVEPOINT optional"); !released) return released.error();
    return true;
  }
  const bool denied = r.error().sqlstate == "42501";
  if (!denied || r.error().lost) return r.error();
  if (auto undone = c.run("ROLLBACK TO SAVEPOINT optional"); !undone) return undone.error();
  return false;
}

result<int> read_version(connection& c) {
  auto there = c.execute("SELECT to_regclass('pgtandem.version') IS NOT NULL");
  if (!there) return there.error();
  if (!there->boolean(0, 0)) return 0;
  auto version = c.execute("SELECT coalesce(max(version), 0) FROM pgtandem.version");
  if (!version) return version.error();
  return static_cast<int>(version->integer(0, 0));
}

result<void> install_image_function(connection& c) {
  // The two differ in their result type, which CREATE OR REPLACE cannot change: keep the one that is there.
  auto there = c.execute(
      "SELECT prorettype = 'cstring'::regtype FROM pg_proc WHERE oid = to_regprocedure('pgtandem.image(record)')");
  if (!there) return there.error();
  if (there->size() == 1) {
    if (auto r = c.run(there->boolean(0, 0) ? "SELECT" : image_function_plpgsql); !r) return r.error();
    return {};
  }
  auto done = if_permitted(c, image_function_internal);
  if (!done) return done.error();
  if (*done) return {};
  if (auto r = c.run(image_function_plpgsql); !r) return r.error();
  return {};
}

result<void> install_event_triggers(connection& c, install_report& report) {
  auto there =
      c.execute("SELECT count(*) FROM pg_event_trigger WHERE evtname LIKE 'pgtandem\\_%' AND evtenabled <> 'D'");
  if (!there) return there.error();
  if (there->integer(0, 0) == 3) return {};
  auto done = if_permitted(c, event_triggers);
  if (!done) return done.error();
  if (!*done)
    report.warnings.push_back(
        "the role may not create event triggers: changes of tables made beside the proxy are noticed only when the "
        "catalog is "
        "next loaded; make no such changes while writes are mirrored");
  return {};
}

result<install_report> install_steps(connection& c, const belonging& as) {
  auto version = read_version(c);
  if (!version) return version.error();
  if (*version > schema_version)
    return error("0A000", "the schema pgtandem has version " + std::to_string(*version) +
                              ", this program knows up to " + std::to_string(schema_version));
  install_report report;
  report.created = *version == 0;
  if (auto r = c.run(schema_tables); !r) return r.error();
  if (auto r = c.run(schema_functions); !r) return r.error();
  if (auto r = install_image_function(c); !r) return r.error();
  if (auto r = install_event_triggers(c, report); !r) return r.error();
  auto recorded = c.execute(
      "INSERT INTO pgtandem.version (version) VALUES ($1) ON CONFLICT (singleton) DO UPDATE SET version = "
      "excluded.version",
      {std::to_string(schema_version)});
  if (!recorded) return recorded.error();
  if (as.pair.empty()) return report;
  auto told = c.execute("UPDATE pgtandem.migration SET pair = $1::uuid, place = $2 WHERE (pair::text, place) IS DISTINCT FROM ($1, $2)", {as.pair, as.place});
  if (!told) return told.error();
  return report;
}

std::string epoch_table(std::int32_t epoch) { return "pgtandem.epoch_" + std::to_string(epoch); }
std::string ledger_table(std::int32_t epoch) { return "pgtandem.ledger_" + std::to_string(epoch); }

}  // namespace

result<install_report> install(connection& c, const belonging& as) {
  auto report = in_transaction<install_report>(c, [&] { return install_steps(c, as); });
  if (!report) return report;
  if (auto token = ensure_boot_token(c); !token) return token.error();
  return report;
}

result<bool> uninstall(connection& c) {
  return in_transaction<bool>(c, [&]() -> result<bool> {
    auto found = c.execute(
        "SELECT to_regnamespace('pgtandem') IS NOT NULL OR EXISTS (SELECT FROM pg_event_trigger WHERE evtname LIKE "
        "'pgtandem\\_%')");
    if (!found) return found.error();
    auto gone = c.run(
        "DROP EVENT TRIGGER IF EXISTS pgtandem_ddl_command_end; DROP EVENT TRIGGER IF EXISTS pgtandem_sql_drop; "
        "DROP EVENT TRIGGER IF EXISTS pgtandem_table_rewrite; DROP SCHEMA IF EXISTS pgtandem CASCADE");
    if (!gone) return gone.error();
    return found->boolean(0, 0);
  });
}

result<int> installed_version(connection& c) { return read_version(c); }

result<std::string> ensure_boot_token(connection& c) {
  auto made = c.run("INSERT INTO pgtandem.boot (token) VALUES (gen_random_uuid()) ON CONFLICT DO NOTHING");
  if (!made) return made.error();
  auto token = c.execute("SELECT token::text FROM pgtandem.boot");
  if (!token) return token.error();
  if (token->size() != 1) return error("55000", "the boot token vanished while it was read");
  return std::string(token->at(0, 0));
}

std::string create_epoch_sql(std::int32_t epoch) {
  return "CREATE TABLE IF NOT EXISTS " + epoch_table(epoch) + " (); GRANT SELECT ON " + epoch_table(epoch) +
         " TO PUBLIC";
}

std::string drop_epoch_sql(std::int32_t epoch) { return "DROP TABLE IF EXISTS " + epoch_table(epoch); }

std::string create_ledger_sql(std::int32_t epoch) {
  return "CREATE TABLE IF NOT EXISTS " + ledger_table(epoch) + " PARTITION OF pgtandem.ledger FOR VALUES IN (" +
         std::to_string(epoch) + ")";
}

std::string attach_ledger_sql(std::int32_t epoch) {
  const std::string name = ledger_table(epoch);
  return "DO $$ BEGIN IF pg_catalog.to_regclass('" + name + "') IS NULL THEN CREATE TABLE " + name +
         " (LIKE pgtandem.ledger INCLUDING ALL); END IF; "
         "IF NOT EXISTS (SELECT FROM pg_catalog.pg_inherits WHERE inhrelid = pg_catalog.to_regclass('" +
         name + "')) THEN ALTER TABLE pgtandem.ledger ATTACH PARTITION " + name + " FOR VALUES IN (" +
         std::to_string(epoch) + "); END IF; END $$";
}

std::string detach_ledger_sql(std::int32_t epoch) {
  return "DO $$ BEGIN IF EXISTS (SELECT FROM pg_catalog.pg_inherits WHERE inhrelid = pg_catalog.to_regclass('" +
         ledger_table(epoch) + "')) THEN ALTER TABLE pgtandem.ledger DETACH PARTITION " + ledger_table(epoch) +
         "; END IF; END $$";
}

std::string drop_ledger_sql(std::int32_t epoch) { return "DROP TABLE IF EXISTS " + ledger_table(epoch); }

}  // namespace pgtandem::database
