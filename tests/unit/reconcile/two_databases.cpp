#include "tests/unit/reconcile/two_databases.hpp"

#include <catch2/catch.hpp>

#include "proxy/database/schema.hpp"
#include "reconcile/dirty_drain.hpp"
#include "reconcile/ledger_audit.hpp"
#include "reconcile/row_hash.hpp"
#include "reconcile/session_settings.hpp"
#include "tests/unit/support/results.hpp"
#include "tests/unit/support/temporary_cluster.hpp"

namespace pgtandem::test {
namespace {

constexpr const char* tables = R"sql(
CREATE TYPE mood AS ENUM ('sad', 'ok', 'happy');
CREATE TABLE acct (id int PRIMARY KEY, bal bigint, note text);
CREATE TABLE uq (id int PRIMARY KEY, u text NOT NULL UNIQUE);
CREATE TABLE uqc (id int PRIMARY KEY, uid int NOT NULL REFERENCES uq ON DELETE CASCADE);
CREATE TABLE par (id int PRIMARY KEY, v int);
CREATE TABLE chd (id int PRIMARY KEY, pid int NOT NULL REFERENCES par ON DELETE CASCADE);
CREATE TABLE nul (id int PRIMARY KEY, pid int REFERENCES par ON DELETE SET NULL);
CREATE TABLE line (a int, b text, v int, PRIMARY KEY (a, b));
CREATE TABLE kinds (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, n numeric(12,3), f float8, r real, d date, ts timestamptz,
  by bytea, j json, jb jsonb, arr text[], ints int[], m mood, u uuid, c char(5), b bool, i interval, net inet, v varchar(9),
  twice bigint GENERATED ALWAYS AS (id * 2) STORED);
CREATE TABLE log (src int, v text);
)sql";

constexpr const char* some_rows = R"sql(
INSERT INTO acct SELECT i, 100, 'n' || i FROM generate_series(1, 300) i;
INSERT INTO uq SELECT i, 'u' || i FROM generate_series(1, 20) i;
INSERT INTO uqc SELECT i, 1 + i % 20 FROM generate_series(1, 40) i;
INSERT INTO par SELECT i, 0 FROM generate_series(1, 20) i;
INSERT INTO chd SELECT i, 1 + i % 20 FROM generate_series(1, 40) i;
INSERT INTO nul SELECT i, 1 + i % 20 FROM generate_series(1, 20) i;
INSERT INTO line SELECT i / 10, 'b' || i % 10, 0 FROM generate_series(1, 50) i;
INSERT INTO log SELECT i, 'v' || i % 3 FROM generate_series(1, 20) i;
)sql";

struct servers {
  temporary_cluster source, target;
  int made = 0;
  servers() {
    for (temporary_cluster* c : {&source, &target}) {
      session admin(c->conninfo());
      admin("CREATE DATABASE template_of_tests");
      session s(c->conninfo("template_of_tests"));
      s(tables);
      s(some_rows);
      REQUIRE(database::install(s.connection()));
      s(database::create_ledger_sql(1));
      s(database::create_epoch_sql(1));
      s("UPDATE pgtandem.migration SET phase = 'dual_write', pair = '00000000-0000-4000-8000-000000000001', place = '" +
        std::string(c == &source ? "source" : "target") + "'");
    }
  }
};

servers& all() {
  static servers s;
  return s;
}

std::string fresh_database(temporary_cluster& c, int n) {
  const std::string name = "t" + std::to_string(n);
  session(c.conninfo())("CREATE DATABASE " + name + " TEMPLATE template_of_tests STRATEGY file_copy");
  return c.conninfo(name);
}

config::settings fresh_settings() {
  config::settings s;
  const int n = ++all().made;
  s.source = fresh_database(all().source, n);
  s.target = fresh_database(all().target, n);
  return s;
}

database::connection opened(const std::string& conninfo, const database::open_options& o = {}) {
  auto c = database::connection::open(conninfo, o);
  INFO(conninfo << (c ? "" : c.error().message));
  REQUIRE(c);
  return std::move(*c);
}

}  // namespace

session::session(const std::string& conninfo) : c_(opened(conninfo, reconcile::session_options("test"))) {
  (*this)("SET search_path = public; SET lock_timeout = '5s'");
}

std::string session::operator()(const std::string& sql) {
  auto r = c_.run(sql);
  INFO(sql);
  REQUIRE(r);
  return r->size() > 0 ? std::string(r->at(0, 0)) : "";
}

std::string session::state_of(const std::string& sql) {
  auto r = c_.run(sql);
  return r ? "" : r.error().sqlstate;
}

two_databases::two_databases()
    : settings(fresh_settings()),
      source(settings.source),
      target(settings.target),
      primary(settings.source),
      watcher(settings.source),
      secondary(settings.target) {
  for (session* s : {&primary, &watcher, &secondary}) (*s)("SET search_path = pg_catalog; SET lock_timeout = '200ms'");
  auto loaded = database::load_catalog(watcher.connection(), {});
  REQUIRE(loaded);
  catalog = *loaded;
  boot();
}

reconcile::workbench two_databases::bench() {
  return {primary.connection(), watcher.connection(), secondary.connection(), partitions, *catalog, 1};
}

std::string two_databases::boot() {
  source("INSERT INTO pgtandem.boot (token) VALUES (gen_random_uuid()) ON CONFLICT DO NOTHING");
  return source("SELECT token FROM pgtandem.boot");
}

void two_databases::apply(session& at, const std::string& op_id, const std::string& source_rev, const std::string& keys,
                          const std::string& effect, const std::string& token) {
  at("BEGIN; INSERT INTO pgtandem.ledger (op_id, epoch, kind, boot, source_rev, keys) VALUES ('" + op_id +
     "', 1, 'op', '" + (token.empty() ? boot() : token) + "', '" + source_rev + "', '" + keys + "'); " + effect +
     "; COMMIT");
}

std::string two_databases::differences() {
  std::string out;
  for (const char* name : {"acct", "uq", "uqc", "par", "chd", "nul", "line", "kinds", "log"}) {
    const std::string sql =
        "SELECT coalesce(string_agg(r, '|' ORDER BY r), '') FROM (SELECT t::text AS r FROM public." +
        std::string(name) + " t) x";
    if (source(sql) != target(sql)) out += std::string(name) + " ";
  }
  return out;
}

void two_databases::settle() {
  reconcile::ledger_audit audit;
  reconcile::dirty_drain drain;
  for (int pass = 0; pass < 20; ++pass) {
    auto audited = audit.run(watcher.connection(), secondary.connection(), partitions, true);
    REQUIRE(audited);
    auto w = bench();
    auto drained = drain.run(w, {200, true});
    REQUIRE(drained);
    if (audited->read == 0 && drained->read == 0) return;
  }
  FAIL("still in doubt after 20 passes");
}

std::string new_uuid(int n) {
  std::string digits = std::to_string(n);
  return "00000000-0000-7000-8000-" + std::string(12 - digits.size(), '0') + digits;
}

}  // namespace pgtandem::test
