// Tables and values that a comparison or a repair could take for something simpler than they are.
#include <catch2/catch.hpp>

#include "proxy/database/catalog_loader.hpp"
#include "reconcile/dirty_drain.hpp"
#include "reconcile/row_sync.hpp"
#include "reconcile/table_compare.hpp"
#include "tests/unit/reconcile/two_databases.hpp"
#include "tests/unit/support/results.hpp"

using namespace pgtandem;
using namespace pgtandem::reconcile;

namespace {

struct fixture : test::two_databases {
  void both(const std::string& sql) {
    source(sql);
    target(sql);
    auto loaded = database::load_catalog(watcher.connection(), {});
    REQUIRE(loaded);
    catalog = *loaded;
  }
  std::size_t differing(const std::string& name) {
    auto r = compare_table(watcher.connection(), secondary.connection(), table(name), {});
    INFO(name << (r ? "" : ": " + r.error().message));
    REQUIRE(r);
    return r->differences.size();
  }
  void dirty(const std::string& keys) { source("SELECT pgtandem.mark_dirty(NULL, 1, '" + keys + "', 'test')"); }
  std::string rows(test::session& at, const std::string& name) {
    return at("SELECT coalesce(string_agg(t::text, '|' ORDER BY t::text COLLATE \"C\"), '') FROM ONLY public." + name +
              " t");
  }
};

}  // namespace

TEST_CASE("differences that a type's equality or its cast to text would hide are found", "[databases]") {
  fixture d;
  d.both(R"(
    CREATE COLLATION loose (provider = icu, locale = 'und-u-ks-level2', deterministic = false);
    CREATE DOMAIN padded AS bpchar; CREATE TYPE holder AS (x text COLLATE loose); CREATE TYPE odd AS ENUM ('a', 'b');
    CREATE FUNCTION odd_text(odd) RETURNS text LANGUAGE sql IMMUTABLE AS $$ SELECT 'same' $$;
    CREATE CAST (odd AS text) WITH FUNCTION odd_text(odd);
    CREATE TABLE v (id int PRIMARY KEY, t text COLLATE loose, vc varchar(9) COLLATE loose, ch char(4) COLLATE loose, b bpchar,
                    p padded, ts text[] COLLATE loose, h holder, o odd, f float8, r real, x xml,
                    g int GENERATED ALWAYS AS (id + 1) STORED);
    CREATE TABLE k (k text COLLATE loose PRIMARY KEY, v int);
    CREATE TABLE ki (k text NOT NULL, v int); CREATE UNIQUE INDEX ON ki (k COLLATE loose))");
  struct row {
    const char *column, *here, *there;
  };
  const row table[] = {
      {"t", "'Ann'", "'aNN'"}, {"vc", "'Ann'", "'aNN'"},     {"ch", "'Ann'", "'aNN'"},          {"b", "'a'", "'a   '"},
      {"p", "'a'", "'a   '"},  {"ts", "'{Ann}'", "'{aNN}'"}, {"h", "ROW('Ann')", "ROW('aNN')"}, {"o", "'a'", "'b'"},
      {"f", "'0'", "'-0'"},    {"r", "'0'", "'-0'"},         {"x", "'<a/>'", "'<a></a>'"},      {"t", "''", "NULL"}};
  for (const row& r : table) {
    INFO(r.column);
    d.both("TRUNCATE v");
    d.both("INSERT INTO v (id, " + std::string(r.column) + ") VALUES (1, " + r.here + ")");
    CHECK(d.differing("v") == 0);
    d.target("UPDATE v SET " + std::string(r.column) + " = " + r.there);
    CHECK(d.differing("v") == 1);
  }
  d.both("TRUNCATE v; INSERT INTO v (id) VALUES (1)");
  d.target("ALTER TABLE v DROP COLUMN g, ADD COLUMN g int GENERATED ALWAYS AS (id + 2) STORED");
  CHECK(d.differing("v") == 1);
  for (const std::string k : {"k", "ki"}) {
    d.source("INSERT INTO " + k + " VALUES ('Ann', 1)");
    d.target("INSERT INTO " + k + " VALUES ('aNN', 1)");
    d.dirty("[[\"public." + k + "\",[\"Ann\"],null]]");
    d.settle();
    CHECK(d.rows(d.target, k) == "(Ann,1)");
  }
}

TEST_CASE("values that no copy can carry over exactly are no difference", "[databases]") {
  fixture d;
  d.both("CREATE TABLE v (id int PRIMARY KEY, f float8, r real, x xml)");
  d.source(
      "INSERT INTO v VALUES (1, 'inf'::float8 - 'inf'::float8, 'inf'::real - 'inf'::real,"
      " '<?xml version=\"1.0\" encoding=\"UTF-8\"?><a/>'), (2, 'NaN', 'NaN', E'\\n\\n<a/>'),"
      " (3, 0, 0, '<?xml version=\"1.1\" standalone=\"yes\"?>\n<a/>')");
  CHECK(d.source("SELECT encode(float8send(f), 'hex') FROM v WHERE id = 1") !=
        d.source("SELECT encode(float8send('NaN'), 'hex')"));
  d.dirty(R"([["public.v",["1"],null],["public.v",["2"],null],["public.v",["3"],null]])");
  d.settle();
  CHECK(d.target("SELECT count(*) FROM v") == "3");
  CHECK(d.differing("v") == 0);
}

TEST_CASE("an identity beside the key is brought, and children stay", "[databases]") {
  fixture d;
  d.both(R"(
    CREATE TABLE i (k text PRIMARY KEY, n int GENERATED ALWAYS AS IDENTITY UNIQUE, v int);
    CREATE TABLE c (id int PRIMARY KEY, k text REFERENCES i ON DELETE CASCADE);
    INSERT INTO i (k, v) VALUES ('a', 1), ('b', 1), ('c', 1); INSERT INTO c VALUES (1, 'a'), (2, 'b'))");
  d.source("UPDATE i SET n = DEFAULT WHERE k = 'a'; DELETE FROM i WHERE k = 'c'; INSERT INTO i (k, v) VALUES ('c', 2)");
  d.dirty(R"([["public.i",["a"],null],["public.i",["c"],null]])");
  d.settle();
  CHECK(d.rows(d.target, "i") == "(a,4,1)|(b,2,1)|(c,5,2)");
  CHECK(d.rows(d.target, "c") == "(1,a)|(2,b)");
  // A row of the secondary that holds the number of another
  d.source("UPDATE i SET n = DEFAULT WHERE k = 'b'");
  d.target("INSERT INTO i (k, n, v) OVERRIDING SYSTEM VALUE VALUES ('z', 6, 0)");
  d.dirty(R"([["public.i",["b"],null]])");
  d.settle();
  CHECK(d.rows(d.target, "i") == d.rows(d.source, "i"));
  CHECK(d.rows(d.target, "c") == "(1,a)|(2,b)");
}

TEST_CASE("a repair of a parent leaves the rows of the tables that inherit from it", "[databases]") {
  fixture d;
  d.both(R"(
    CREATE TABLE plain (id int PRIMARY KEY, v int); CREATE TABLE heir (extra text, PRIMARY KEY (id)) INHERITS (plain);
    INSERT INTO plain VALUES (1, 1), (2, 1); INSERT INTO heir VALUES (1, 1, 'x'), (10, 1, 'x'))");
  CHECK(d.differing("plain") == 0);
  d.source("UPDATE ONLY plain SET v = 2 WHERE id = 1; DELETE FROM ONLY plain WHERE id = 2");
  d.target("UPDATE heir SET extra = 'y' WHERE id = 10");
  CHECK(d.differing("plain") == 2);
  CHECK(d.differing("heir") == 1);
  d.dirty(
      R"([["public.plain",["1"],null],["public.plain",["2"],null],["public.plain",["10"],null],["public.heir",["10"],null]])");
  d.settle();
  CHECK(d.rows(d.target, "plain") == "(1,2)");
  CHECK(d.rows(d.target, "heir") == "(1,1,x)|(10,1,x)");
}

TEST_CASE("rows that reference each other come through together after a lock has kept each of them out",
          "[databases]") {
  fixture d;
  d.both("CREATE TABLE buddy (id int PRIMARY KEY, other int NOT NULL REFERENCES buddy, v int)");
  d.source("INSERT INTO buddy VALUES (1, 2, 0), (2, 1, 0)");
  d.dirty(R"([["public.buddy",["1"],null],["public.buddy",["2"],null]])");
  test::session locker = d.open_target();
  locker("BEGIN; LOCK TABLE buddy IN SHARE MODE");
  dirty_drain drain;
  auto w = d.bench();
  auto locked_out = drain.run(w, {200, true});
  REQUIRE(locked_out);
  CHECK(locked_out->ended == 0);
  locker("COMMIT");
  auto drained = drain.run(w, {200, true});
  REQUIRE(drained);
  CHECK(drained->ended == 2);
  CHECK(d.rows(d.target, "buddy") == d.rows(d.source, "buddy"));
}

TEST_CASE("values come back by the input function, whatever casts from text there are", "[databases]") {
  fixture d;
  d.both(R"(
    CREATE TYPE odd AS ENUM ('a', 'b', 'it''s "\ ,{}'); CREATE DOMAIN name_of_table AS regclass; CREATE DOMAIN ints AS int[];
    CREATE FUNCTION to_odd(text) RETURNS odd LANGUAGE sql IMMUTABLE AS $$ SELECT 'b'::odd $$;
    CREATE CAST (text AS odd) WITH FUNCTION to_odd(text);
    CREATE FUNCTION to_bool(text) RETURNS boolean LANGUAGE sql IMMUTABLE AS $$ SELECT true $$;
    CREATE CAST (text AS boolean) WITH FUNCTION to_bool(text);
    CREATE TABLE v (id int PRIMARY KEY, r regclass, rs regclass[], n name_of_table, o odd, b boolean, i ints, x box, xs box[], j json);
    CREATE TABLE k (r regclass, o odd, v int, PRIMARY KEY (r, o)))");
  d.source(R"(INSERT INTO v VALUES
    (1, 0, '{-}', 0, 'a', false, '{1,2}', '(1,1),(0,0)', '{(1,1),(0,0);(2,2),(0,0)}', '{"a": "\"\\"}'),
    (2, 999999, '{999999}', 999999, 'it''s "\ ,{}', true, '{}', NULL, NULL, NULL),
    (3, 'pg_class', '{pg_class,NULL}', 'v', NULL, NULL, NULL, NULL, '{}', 'null'))");
  d.source("INSERT INTO k VALUES (0, 'a', 1), ('v', 'a', 2)");
  d.target("INSERT INTO k VALUES (0, 'a', 9), (0, 'b', 9)");
  d.dirty(
      R"([["public.v",["1"],null],["public.v",["2"],null],["public.v",["3"],null],["public.k",["-","a"],null],["public.k",["-","b"],null],["public.k",["public.v","a"],null]])");
  d.settle();
  for (const char* name : {"v", "k"}) {
    CHECK(d.rows(d.target, name) == d.rows(d.source, name));
    CHECK(d.differing(name) == 0);
  }
}

TEST_CASE("circles of references come, change and go together", "[databases]") {
  fixture d;
  d.both(R"(
    CREATE TABLE dept (id int PRIMARY KEY, boss int, name text);
    CREATE TABLE emp (id int PRIMARY KEY, dept int NOT NULL REFERENCES dept, name text);
    ALTER TABLE dept ADD FOREIGN KEY (boss) REFERENCES emp;
    CREATE TABLE badge (id int PRIMARY KEY, emp int REFERENCES emp ON DELETE CASCADE);
    CREATE TABLE buddy (id int PRIMARY KEY, other int NOT NULL REFERENCES buddy, v int))");
  const auto equal = [&] {
    for (const char* name : {"dept", "emp", "badge", "buddy"}) CHECK(d.rows(d.target, name) == d.rows(d.source, name));
  };
  d.source(
      "INSERT INTO dept VALUES (1, NULL, 'd'), (2, NULL, 'e'); INSERT INTO emp VALUES (1, 1, 'e'), (2, 2, 'f'), (3, 1, "
      "'g');"
      "UPDATE dept SET boss = id; INSERT INTO badge VALUES (1, 1), (2, 3); INSERT INTO buddy VALUES (1, 2, 0), (2, 1, "
      "0)");
  d.dirty(
      R"([["public.dept",["1"],null],["public.dept",["2"],null],["public.emp",["1"],null],["public.emp",["2"],null]])");
  d.dirty(
      R"([["public.emp",["3"],null],["public.badge",["1"],null],["public.badge",["2"],null],["public.buddy",["1"],null]])");
  d.dirty(R"([["public.buddy",["2"],null]])");
  d.settle();
  equal();
  // A circle goes; what else points at it is somebody else's by now, or gone
  d.source(
      "UPDATE dept SET boss = NULL WHERE id = 1; UPDATE emp SET dept = 2 WHERE id = 3; DELETE FROM emp WHERE id = 1;"
      "DELETE FROM dept WHERE id = 1");
  d.dirty(R"([["public.dept",["1"],null]])");
  d.settle();
  equal();
  // A parent that is nowhere: the foreign key still speaks
  d.source(
      "SET session_replication_role = replica; INSERT INTO emp VALUES (9, 99, 'x'); RESET session_replication_role");
  auto w = d.bench();
  auto r =
      sync_rows(w, d.table("emp"), {{"9"}}, row_lock::none, [](const auto&) { return std::vector<std::int64_t>(); });
  REQUIRE_FALSE(r);
  CHECK(r.error().sqlstate == "23503");
}

TEST_CASE("unique values of every kind that are swapped find their holders", "[databases]") {
  fixture d;
  d.both(R"(
    CREATE EXTENSION btree_gist; CREATE EXTENSION citext; CREATE COLLATION loose (provider = icu, locale = 'und-u-ks-level2', deterministic = false);
    CREATE TABLE v_gen (id int PRIMARY KEY, u text, low text GENERATED ALWAYS AS (lower(u)) STORED UNIQUE);
    CREATE TABLE v_not_null (id int PRIMARY KEY, u int UNIQUE, g int GENERATED ALWAYS AS (u * 2) STORED NOT NULL);
    CREATE TABLE v_room (id int PRIMARY KEY, r int DEFAULT 1, u int4range, EXCLUDE USING gist (r WITH =, u WITH &&));
    CREATE TABLE v_nulls (id int PRIMARY KEY, u int, b int, UNIQUE NULLS NOT DISTINCT (u, b));
    CREATE TABLE v_loose (id int PRIMARY KEY, u text); CREATE UNIQUE INDEX ON v_loose (u COLLATE loose);
    CREATE TABLE v_citext (id int PRIMARY KEY, u citext UNIQUE);
    CREATE TABLE v_part (id int PRIMARY KEY, u text, b bool DEFAULT true); CREATE UNIQUE INDEX ON v_part (lower(u)) WHERE b)");
  struct row {
    const char *table, *one, *two, *one_again, *two_again, *between;
  };
  const row table[] = {{"v_gen", "'A'", "'B'", "'a'", "'b'", "'x'"},
                       {"v_not_null", "1", "2", "1", "2", "9"},
                       {"v_room", "'[1,3)'", "'[5,7)'", "'[2,4)'", "'[6,8)'", "'[20,21)'"},
                       {"v_nulls", "1", "2", "1", "2", "9"},
                       {"v_nulls", "NULL", "2", "NULL", "2", "9"},
                       {"v_loose", "'A'", "'B'", "'a'", "'b'", "'x'"},
                       {"v_citext", "'A'", "'B'", "'a'", "'b'", "'x'"},
                       {"v_part", "'A'", "'B'", "'a'", "'b'", "'x'"}};
  for (const row& r : table) {
    INFO(r.table << " " << r.one);
    const std::string t = r.table, update = "; UPDATE " + t + " SET u = ";
    d.both("TRUNCATE " + t + "; INSERT INTO " + t + " (id, u) VALUES (1, " + r.one + "), (2, " + r.two + ")");
    d.source("SELECT 1" + update + r.between + " WHERE id = 1" + update + r.one_again + " WHERE id = 2" + update +
             r.two_again + " WHERE id = 1");
    d.dirty("[[\"public." + t + "\",[\"1\"],null]]");
    d.settle();
    CHECK(d.rows(d.target, t) == d.rows(d.source, t));
  }
}

TEST_CASE("rows that swap unique values are still checked by their foreign keys", "[databases]") {
  fixture d;
  d.both(
      "CREATE TABLE p (id int PRIMARY KEY); CREATE TABLE c (id int PRIMARY KEY, u int UNIQUE, p int REFERENCES p);"
      "INSERT INTO c VALUES (1, 1), (2, 2)");
  d.source(
      "INSERT INTO p VALUES (1); UPDATE c SET u = 9 WHERE id = 1; UPDATE c SET u = 1 WHERE id = 2; UPDATE c SET u = 2, "
      "p = 1 WHERE id = 1");
  auto w = d.bench();
  const settled_by nothing = [](const auto&) { return std::vector<std::int64_t>(); };
  auto r = sync_rows(w, d.table("c"), {{"1"}}, row_lock::none, nothing);
  REQUIRE_FALSE(r);
  CHECK(r.error().sqlstate == "23503");
  REQUIRE(sync_rows(w, d.table("p"), {{"1"}}, row_lock::none, nothing));
  REQUIRE(sync_rows(w, d.table("c"), {{"1"}}, row_lock::none, nothing));
  CHECK(d.rows(d.target, "c") == "(1,2,1)|(2,1,)");
}
