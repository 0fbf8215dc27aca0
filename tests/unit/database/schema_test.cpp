#include "proxy/database/schema.hpp"

#include <catch2/catch.hpp>

#include "tests/unit/database/cluster.hpp"

using namespace pgtandem;
using test::text_of;

TEST_CASE("install is idempotent and uninstall removes every trace") {
  auto c = test::fresh_database("schema1");
  const char* traces =
      "SELECT (SELECT count(*) FROM pg_namespace WHERE nspname = 'pgtandem') + (SELECT count(*) FROM pg_event_trigger)"
      " + (SELECT count(*) FROM pg_proc WHERE proname IN ('mark_dirty', 'image', 'count_ddl'))";
  CHECK(text_of(c.run(traces)) == "0");
  auto first = database::install(c);
  REQUIRE(first);
  CHECK(first->created);
  CHECK(first->warnings.empty());
  REQUIRE(c.run("UPDATE pgtandem.migration SET epoch = 5"));
  const std::string token = *database::ensure_boot_token(c);
  auto second = database::install(c);
  REQUIRE(second);
  CHECK(!second->created);
  CHECK(text_of(c.run("SELECT epoch, phase, step, (SELECT token FROM pgtandem.boot) FROM pgtandem.migration")) ==
        "5|passthrough|steady|" + token);
  CHECK(*database::installed_version(c) == database::schema_version);
  REQUIRE(c.run(database::create_ledger_sql(5)));
  REQUIRE(c.run(database::create_epoch_sql(5)));
  CHECK(*database::uninstall(c));
  CHECK(text_of(c.run(traces)) == "0");
  CHECK(!*database::uninstall(c));
  CHECK(*database::installed_version(c) == 0);
}

TEST_CASE("what version 1 lacked is added to it") {
  auto c = test::fresh_database("schema1");
  REQUIRE(database::install(c));
  const char* columns =
      "SELECT attrelid::regclass, attname FROM pg_attribute WHERE attrelid IN (SELECT oid FROM pg_class WHERE "
      "relnamespace = 'pgtandem'::regnamespace AND relkind = 'r') AND attnum > 0 AND NOT attisdropped ORDER BY 1, 2";
  const std::string before = text_of(c.run(columns));
  REQUIRE(c.run("ALTER TABLE pgtandem.sweep DROP primary_boot, DROP secondary_boot; ALTER TABLE pgtandem.migration DROP pair, DROP place; "
                "ALTER TABLE pgtandem.lease DROP backends; DROP TABLE pgtandem.incarnation; UPDATE pgtandem.version SET version = 1"));
  REQUIRE(database::install(c));
  CHECK(text_of(c.run(columns)) == before);
  CHECK(*database::installed_version(c) == database::schema_version);
}

TEST_CASE("a newer schema is left alone") {
  auto c = test::fresh_database("schema1");
  REQUIRE(database::install(c));
  REQUIRE(c.run("UPDATE pgtandem.version SET version = version + 1"));
  auto r = database::install(c);
  REQUIRE(!r);
  CHECK(r.error().sqlstate == "0A000");
  CHECK(!c.in_transaction());
}

TEST_CASE("what anybody may do, and what not") {
  auto c = test::fresh_database("schema2");
  REQUIRE(database::install(c));
  REQUIRE(c.run(database::create_epoch_sql(3)));
  REQUIRE(c.run("DROP ROLE IF EXISTS nobody_special; CREATE ROLE nobody_special; SET ROLE nobody_special"));
  struct row {
    const char* sql;
    const char* answer;
  };
  const row table[] = {
      {"SELECT count(*) FROM pgtandem.boot", "1"},
      {"SELECT EXISTS (SELECT FROM pgtandem.epoch_3)", "f"},
      {"SELECT pg_sequence_last_value('pgtandem.ddl_version') IS NOT NULL", "t"},
      {"SELECT pgtandem.mark_dirty(gen_random_uuid(), 3, '[[\"public.t\",[\"1\"],null]]', 'x')", "NULL"},
      {"SELECT claimed, same FROM pgtandem.claim_key('k', 's')", "t|t"},
      {"SELECT pgtandem.image(ROW(1, NULL, '2020-01-01 00:00+00'::timestamptz))", "(1,,\"2020-01-01 00:00:00+00\")"},
      {"SELECT * FROM pgtandem.dirty", "ERROR 42501"},
      {"SELECT * FROM pgtandem.ledger", "ERROR 42501"},
      {"SELECT * FROM pgtandem.idempotency", "ERROR 42501"},
      {"UPDATE pgtandem.boot SET token = gen_random_uuid()", "ERROR 42501"},
      {"SELECT nextval('pgtandem.ddl_version')", "ERROR 42501"},
      {"CREATE TABLE pgtandem.mine (a int)", "ERROR 42501"},
  };
  REQUIRE(c.run("SET TimeZone = 'Asia/Tokyo'; SET DateStyle = 'German'"));
  for (const row& r : table) {
    INFO(r.sql);
    CHECK(text_of(c.run(r.sql)).substr(0, std::string(r.answer).starts_with("ERROR") ? 11 : std::string::npos) ==
          r.answer);
  }
}

TEST_CASE("mark_dirty writes a row per element") {
  auto c = test::fresh_database("schema2");
  REQUIRE(database::install(c));
  REQUIRE(c.execute("SELECT pgtandem.mark_dirty($1, 7, $2, 'timed_out')",
                    {"00000000-0000-7000-8000-000000000001",
                     R"([["public.t",["1","a b"],null],["public.child",["1"],["pid"]],["public.u",null,null]])"}));
  CHECK(text_of(c.run("SELECT epoch, relation, key, scope, reason FROM pgtandem.dirty ORDER BY seq")) ==
        "7|public.t|{1,\"a b\"}|NULL|timed_out\n7|public.child|{1}|{pid}|timed_out\n7|public.u|NULL|NULL|timed_out");
}

TEST_CASE("an idempotency key is claimed once") {
  auto c = test::fresh_database("schema2");
  REQUIRE(database::install(c));
  CHECK(text_of(c.run("SELECT * FROM pgtandem.claim_key('k', 'insert 1')")) == "t|t|NULL");
  CHECK(text_of(c.run("SELECT pgtandem.record_outcome('k', '\\x4142')")).starts_with("("));  // the row's image
  CHECK(text_of(c.run("SELECT pgtandem.record_outcome('absent', '')")) == "NULL");
  CHECK(text_of(c.run("SELECT * FROM pgtandem.claim_key('k', 'insert 1')")) == "f|t|\\x4142");
  CHECK(text_of(c.run("SELECT * FROM pgtandem.claim_key('k', 'insert 2')")) == "f|f|\\x4142");
}

TEST_CASE("the epoch table and the ledger partitions come and go") {
  auto c = test::fresh_database("schema2");
  REQUIRE(database::install(c));
  for (int twice = 0; twice < 2; ++twice) {
    REQUIRE(c.run(database::create_epoch_sql(2)));
    REQUIRE(c.run(database::create_ledger_sql(2)));
  }
  const char* op =
      "INSERT INTO pgtandem.ledger (op_id, epoch, kind, boot, source_rev) VALUES (gen_random_uuid(), 2, 'op', NULL, "
      "'7')";
  CHECK(c.run(op));
  for (int twice = 0; twice < 2; ++twice) {
    REQUIRE(c.run(database::drop_epoch_sql(2)));
    REQUIRE(c.run(database::detach_ledger_sql(2)));
  }
  CHECK(text_of(c.run("SELECT FROM pgtandem.epoch_2")).starts_with("ERROR 42P01"));
  CHECK(text_of(c.run(op)).starts_with("ERROR 23514"));
  CHECK(text_of(c.run("SELECT count(*) FROM pgtandem.ledger_2")) == "1");
  REQUIRE(c.run(database::drop_ledger_sql(2)));
}

TEST_CASE("ddl_version counts what changes tables, and nothing else") {
  auto c = test::fresh_database("schema3");
  REQUIRE(database::install(c));
  REQUIRE(c.run("CREATE TABLE t (a int PRIMARY KEY, b text)"));
  struct row {
    const char* sql;
    bool counts;
  };
  const row table[] = {
      {"CREATE TABLE t2 (a int)", true},
      {"ALTER TABLE t ADD c int", true},
      {"ALTER TABLE t ALTER c TYPE bigint", true},
      {"CREATE INDEX ON t (b)", true},
      {"ALTER TABLE t DROP COLUMN c", true},
      {"DROP TABLE t2", true},
      {"CREATE TEMP TABLE x (a int)", false},
      {"ALTER TABLE x ADD b int", false},
      {"DROP TABLE x", false},
      {"COMMENT ON TABLE t IS 'x'", false},
      {"GRANT SELECT ON t TO PUBLIC", false},
      {"INSERT INTO t VALUES (1)", false},
      {"CREATE TABLE pgtandem.epoch_9 ()", false},
      {"DROP TABLE pgtandem.epoch_9", false},
      {"CREATE TABLE pgtandem.ledger_9 PARTITION OF pgtandem.ledger FOR VALUES IN (9)", false},
      {"ALTER TABLE pgtandem.ledger DETACH PARTITION pgtandem.ledger_9", false},
      {"CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1'", true},
      {"DROP FUNCTION f", true},
  };
  for (const row& r : table) {
    INFO(r.sql);
    const auto version = [&] { return text_of(c.run("SELECT last_value FROM pgtandem.ddl_version")); };
    const std::string before = version();
    CHECK(text_of(c.run(r.sql)) == "");
    CHECK((version() != before) == r.counts);
  }
}

TEST_CASE("a role without rights for event triggers and C functions gets warnings and a working schema") {
  auto c = test::fresh_database("schema4");
  REQUIRE(
      c.run("DROP ROLE IF EXISTS plain_owner; CREATE ROLE plain_owner LOGIN; GRANT CREATE ON DATABASE schema4 TO "
            "plain_owner"));
  auto plain = database::connection::open(test::shared_cluster().conninfo("schema4") + " user=plain_owner");
  REQUIRE(plain);
  auto report = database::install(*plain);
  REQUIRE(report);
  CHECK(report->warnings.size() == 1);
  CHECK(text_of(plain->run("SELECT pgtandem.image(ROW(1, NULL, 'a b'))")) == "(1,,\"a b\")");
  REQUIRE(database::install(*plain));
  CHECK(*database::uninstall(*plain));
  (void)c.run("DROP OWNED BY plain_owner; DROP ROLE plain_owner");
}
