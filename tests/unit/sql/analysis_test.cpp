// What a statement touches, calls and leaves behind.
#include "proxy/sql/analysis.hpp"

#include <catch2/catch.hpp>
#include <string>
#include <vector>

using namespace pgtandem::sql;
using names = std::vector<std::string>;

namespace {

const statement& only(const analysis_ptr& a) {
  REQUIRE_FALSE(a->parse_error);
  REQUIRE_FALSE(a->too_deep);
  REQUIRE(a->statements.size() == 1);
  return a->statements[0];
}

std::string range(std::string_view sql, text_range r) {
  return std::string(sql.substr(r.begin, r.size()));
}

}  // namespace

TEST_CASE("a text is cut into statements without their separators") {
  const std::string sql = "SELECT 1; ;\n INSERT INTO t VALUES (';') -- ;\n;DELETE FROM t -- end";
  const analysis_ptr a = analyze(sql);
  REQUIRE(a->statements.size() == 3);
  CHECK(range(sql, a->ranges[0]) == "SELECT 1");
  CHECK(a->statements[1].kind == statement_kind::insert);
  CHECK(range(sql, a->ranges[1]).find("INSERT INTO t VALUES (';')") != std::string::npos);
  CHECK(sql[a->ranges[1].end] == ';');
  CHECK(range(sql, a->ranges[2]) == "DELETE FROM t -- end");
}

TEST_CASE("empty texts have no statements") {
  for (const char* sql : {"", " ", ";", " ; ; ", "-- nothing", "/* nothing */"}) {
    INFO(sql);
    const analysis_ptr a = analyze(sql);
    CHECK(a->statements.empty());
    CHECK_FALSE(a->parse_error);
    CHECK_FALSE(a->too_deep);
  }
}

TEST_CASE("what the grammar refuses is a parse error, and the next text is unharmed") {
  for (const char* sql : {"SELEC 1", "INSERT INTO t VALUES (1); oops", "SELECT 'open", "\xff\xfe", "SELECT $$"}) {
    INFO(sql);
    CHECK(analyze(sql)->parse_error);
    CHECK(analyze(sql)->statements.empty());
    CHECK(analyze("SELECT 1")->statements.size() == 1);
  }
}

TEST_CASE("backslashes cut a text as the session's standard_conforming_strings says") {
  const std::string sql = "SELECT '\\'; DELETE FROM t; --'";
  CHECK(analyze(sql)->statements.size() == 2);
  CHECK(analyze(sql, false)->statements.size() == 1);
  CHECK(analyze(sql)->statements.size() == 2);
  analyzer cache;
  CHECK(cache(sql)->statements.size() == 2);
  CHECK(cache(sql, false)->statements.size() == 1);
  CHECK(analyze("SELECT E'\\'; DELETE FROM t; --'", true)->statements.size() == 1);
}

TEST_CASE("operators spelled with a question mark are operators") {
  for (const char* sql :
       {"DELETE FROM t WHERE a ? 'b'", "DELETE FROM t WHERE a ?| array['b'] AND c ?& d RETURNING a ?- b",
        "DELETE FROM t WHERE a @? '$.b'"}) {
    INFO(sql);
    const analysis_ptr a = analyze(sql);
    CHECK(only(a).kind == statement_kind::delete_);
    CHECK_FALSE(only(a).has_parameters);
  }
}

TEST_CASE("temporary relations are named") {
  for (const char* sql : {"CREATE TEMP TABLE x (a int)", "CREATE TEMP TABLE x AS SELECT 1", "SELECT 1 INTO TEMP x",
                          "CREATE TEMP VIEW x AS SELECT 1", "CREATE TEMP SEQUENCE x"}) {
    INFO(sql);
    const analysis_ptr a = analyze(sql);
    CHECK(only(a).relation == relation_name{"", "x", "x"});
    CHECK(only(a).relations.empty());
  }
}

TEST_CASE("a zero byte makes a text unknown") {
  CHECK(analyze(std::string_view("SELECT 1\0; DELETE FROM t", 24))->too_deep);
}

TEST_CASE("the target and the name RETURNING uses for it") {
  struct row {
    const char *sql, *schema, *name, *alias;
    bool aliased, only;
  };
  const row rows[] = {
      {"INSERT INTO t VALUES (1)", "", "t", "t", false, false},
      {"INSERT INTO s.t AS x VALUES (1)", "s", "t", "x", true, false},
      {"INSERT INTO \"S\".\"T t\" VALUES (1)", "S", "T t", "T t", false, false},
      {"INSERT INTO db.s.t VALUES (1)", "s", "t", "t", false, false},
      {"UPDATE s.t SET a = 1", "s", "t", "t", false, false},
      {"UPDATE ONLY s.t AS x SET a = 1", "s", "t", "x", true, true},
      {"UPDATE t x SET a = 1", "", "t", "x", true, false},
      {"DELETE FROM t", "", "t", "t", false, false},
      {"DELETE FROM ONLY (t) x", "", "t", "x", true, true},
      {"DELETE FROM s.t AS t", "s", "t", "t", true, false},
      {"COPY s.t FROM STDIN", "s", "t", "t", false, false},
  };
  for (const row& r : rows) {
    INFO(r.sql);
    const analysis_ptr a = analyze(r.sql);
    const statement& s = only(a);
    CHECK(s.relation == relation_name{r.schema, r.name, r.alias, r.aliased});
    CHECK(s.only == r.only);
    CHECK(s.read_relations.empty());
  }
}

TEST_CASE("assigned columns") {
  struct row {
    const char* sql;
    names columns;
  };
  const row rows[] = {
      {"UPDATE t SET a = 1, b = 2", {"a", "b"}},
      {"UPDATE t SET (a, b) = (SELECT f(), 2), c = 3", {"a", "b", "c"}},
      {"UPDATE t SET (a, b) = ROW (1, 2)", {"a", "b"}},
      {"UPDATE t SET a[1] = 2, b.c = 3", {"a", "b"}},
      {"INSERT INTO t (a) VALUES (1) ON CONFLICT (a) DO UPDATE SET b = 1, (c, d) = (2, 3)", {"b", "c", "d"}},
      {"INSERT INTO t (a) VALUES (1) ON CONFLICT DO NOTHING", {}},
  };
  for (const row& r : rows) {
    INFO(r.sql);
    const analysis_ptr a = analyze(r.sql);
    CHECK(only(a).set_columns == r.columns);
  }
}

TEST_CASE("functions are found wherever an expression can stand") {
  const char* const places[] = {
      "SELECT f(1)",
      "SELECT s.f(1)",
      "SELECT * FROM f(1)",
      "SELECT * FROM ROWS FROM (g(1), f(2)) AS x",
      "SELECT * FROM f(1) AS x (a int, b text)",
      "SELECT * FROM t, LATERAL (SELECT f(t.a)) x",
      "SELECT * FROM t JOIN u ON f(t.a)",
      "SELECT * FROM t WHERE a = f(1)",
      "SELECT * FROM t WHERE a IN (1, f(1))",
      "SELECT * FROM t WHERE a BETWEEN 1 AND f(1)",
      "SELECT * FROM t WHERE a = ANY (SELECT f(1))",
      "SELECT * FROM t WHERE f(1) IN (SELECT 1)",
      "SELECT * FROM t WHERE EXISTS (SELECT f(1))",
      "SELECT * FROM t WHERE NOT (a AND f(1) IS NULL)",
      "SELECT * FROM t WHERE f(1) IS TRUE",
      "SELECT * FROM t WHERE (a, f(1)) = (1, 2)",
      "SELECT * FROM t GROUP BY f(a)",
      "SELECT * FROM t GROUP BY GROUPING SETS ((f(a)), ())",
      "SELECT GROUPING(f(a)) FROM t GROUP BY 1",
      "SELECT a FROM t GROUP BY a HAVING f(a)",
      "SELECT a FROM t ORDER BY f(a)",
      "SELECT a FROM t LIMIT f(1)",
      "SELECT a FROM t OFFSET f(1)",
      "SELECT DISTINCT ON (f(a)) a FROM t",
      "SELECT DISTINCT f(a) FROM t",
      "SELECT sum(a) OVER (PARTITION BY f(a)) FROM t",
      "SELECT sum(a) OVER w FROM t WINDOW w AS (ORDER BY f(a))",
      "SELECT sum(a) OVER (ORDER BY a ROWS f(1) PRECEDING) FROM t",
      "SELECT sum(a ORDER BY f(a)) FROM t",
      "SELECT sum(a) FILTER (WHERE f(a)) FROM t",
      "SELECT percentile_cont(f(1)) WITHIN GROUP (ORDER BY a) FROM t",
      "SELECT CASE f(1) WHEN 1 THEN 2 END",
      "SELECT CASE WHEN f(1) THEN 2 END",
      "SELECT CASE WHEN a THEN f(1) END",
      "SELECT CASE WHEN a THEN 1 ELSE f(1) END",
      "SELECT coalesce(1, f(1))",
      "SELECT nullif(1, f(1))",
      "SELECT greatest(1, f(1))",
      "SELECT ARRAY[1, f(1)]",
      "SELECT ARRAY(SELECT f(1))",
      "SELECT a[f(1)] FROM t",
      "SELECT a[1:f(1)] FROM t",
      "SELECT (f(1)).x",
      "SELECT f(1)::int",
      "SELECT CAST(f(1) AS int)",
      "SELECT f(1) COLLATE \"C\"",
      "SELECT f(1) AT TIME ZONE 'UTC'",
      "SELECT g(x => f(1))",
      "SELECT g(VARIADIC f(1))",
      "SELECT ROW(1, f(1))",
      "SELECT - f(1)",
      "SELECT xmlelement(name a, xmlattributes(f(1) AS b))",
      "SELECT xmlelement(name a, f(1))",
      "SELECT xmlserialize(content f(1) AS text)",
      "SELECT * FROM xmltable('/a' PASSING f(1) COLUMNS b int)",
      "SELECT * FROM xmltable('/a' PASSING x COLUMNS b int DEFAULT f(1))",
      "SELECT * FROM t TABLESAMPLE system (f(1))",
      "SELECT * FROM t TABLESAMPLE system (1) REPEATABLE (f(1))",
      "VALUES (1), (f(1))",
      "SELECT 1 UNION SELECT f(1)",
      "SELECT f(1) EXCEPT SELECT 1 INTERSECT SELECT 2",
      "WITH a AS (SELECT f(1)) SELECT * FROM a",
      "WITH RECURSIVE a AS (SELECT 1 UNION ALL SELECT f(1)) SELECT * FROM a",
      "WITH RECURSIVE a AS (SELECT 1 AS x UNION ALL SELECT f(1)) SEARCH DEPTH FIRST BY x SET o SELECT * FROM a",
      "WITH RECURSIVE a AS (SELECT 1 AS x UNION ALL SELECT f(1)) CYCLE x SET c TO 1 DEFAULT 0 USING p SELECT * FROM a",
      "INSERT INTO t VALUES (f(1))",
      "INSERT INTO t SELECT f(1)",
      "INSERT INTO t (a[f(1)]) VALUES (1)",
      "INSERT INTO t VALUES (DEFAULT, f(1)) ON CONFLICT DO NOTHING",
      "INSERT INTO t VALUES (1) ON CONFLICT (f(a)) DO NOTHING",
      "INSERT INTO t VALUES (1) ON CONFLICT (a) WHERE f(a) DO NOTHING",
      "INSERT INTO t VALUES (1) ON CONFLICT (a) DO UPDATE SET b = f(1)",
      "INSERT INTO t VALUES (1) ON CONFLICT (a) DO UPDATE SET b = 1 WHERE f(t.a)",
      "INSERT INTO t VALUES (1) RETURNING f(a)",
      "WITH a AS (SELECT f(1)) INSERT INTO t TABLE a",
      "UPDATE t SET a = f(1)",
      "UPDATE t SET (a, b) = (f(1), 2)",
      "UPDATE t SET (a, b) = (SELECT 1, f(2))",
      "UPDATE t SET a[f(1)] = 2",
      "UPDATE t SET a = 1 FROM f(1)",
      "UPDATE t SET a = 1 WHERE f(1)",
      "UPDATE t SET a = 1 RETURNING f(1)",
      "DELETE FROM t USING f(1)",
      "DELETE FROM t WHERE f(1)",
      "DELETE FROM t RETURNING f(1)",
      "MERGE INTO t USING f(1) u ON a = b WHEN MATCHED THEN DELETE",
      "MERGE INTO t USING u ON f(1) WHEN MATCHED THEN DELETE",
      "MERGE INTO t USING u ON a = b WHEN MATCHED AND f(1) THEN DO NOTHING",
      "MERGE INTO t USING u ON a = b WHEN MATCHED THEN UPDATE SET a = f(1)",
      "MERGE INTO t USING u ON a = b WHEN NOT MATCHED THEN INSERT VALUES (f(1))",
      "COPY (SELECT f(1)) TO STDOUT",
      "COPY t FROM STDIN WHERE f(a)",
      "DECLARE c CURSOR FOR SELECT f(1)",
      "EXPLAIN ANALYZE SELECT f(1)",
      "EXECUTE p(f(1))",
      "CALL f(1)",
      "CREATE TEMP TABLE x AS SELECT f(1)",
      "SELECT f(1) INTO TEMP x",
  };
  for (const char* sql : places) {
    INFO(sql);
    const analysis_ptr a = analyze(sql);
    const names& found = only(a).functions;
    CHECK(std::count(found.begin(), found.end(), "f") == 1);
    CHECK(only(a).construct != "unrecognised expression");
  }
}

TEST_CASE("what is not executed calls nothing") {
  for (const char* sql : {"EXPLAIN SELECT f(1)", "PREPARE p AS SELECT f(1)", "CREATE VIEW v AS SELECT f(1)"}) {
    INFO(sql);
    const analysis_ptr a = analyze(sql);
    CHECK(only(a).functions.empty());
  }
}

TEST_CASE("tables that are read") {
  struct row {
    const char* sql;
    names relations;
  };
  const row rows[] = {
      {"SELECT * FROM a, s.b JOIN c ON true, (SELECT 1 FROM d) x", {"a", "c", "d", "s.b"}},
      {"INSERT INTO t SELECT * FROM a WHERE x IN (SELECT y FROM b)", {"a", "b"}},
      {"UPDATE t SET a = (SELECT 1 FROM b) FROM c", {"b", "c"}},
      {"DELETE FROM t USING a WHERE EXISTS (TABLE b)", {"a", "b"}},
      {"COPY a TO STDOUT", {"a"}},
      {"SELECT a FROM a UNION SELECT a FROM a", {"a"}},
  };
  for (const row& r : rows) {
    INFO(r.sql);
    const analysis_ptr a = analyze(r.sql);
    CHECK(only(a).read_relations == r.relations);
  }
}

TEST_CASE("tables of TRUNCATE and of definitions") {
  const analysis_ptr truncate = analyze("TRUNCATE a, ONLY s.b RESTART IDENTITY CASCADE");
  CHECK(only(truncate).relations == std::vector<relation_name>{{"", "a", "a"}, {"s", "b", "b"}});
  CHECK(only(truncate).cascade);
  CHECK(only(truncate).restart_identity);
  const analysis_ptr plain = analyze("TRUNCATE a");
  CHECK_FALSE(only(plain).cascade);
  CHECK_FALSE(only(plain).restart_identity);
  for (const char* sql :
       {"DROP TABLE s.t", "DROP INDEX s.t", "ALTER TABLE s.t ADD a int", "ALTER TABLE s.t RENAME TO x",
        "CREATE INDEX ON s.t (a)", "CREATE TABLE s.t (a int)", "ALTER TABLE s.t SET SCHEMA x"}) {
    INFO(sql);
    const analysis_ptr a = analyze(sql);
    CHECK(only(a).relations == std::vector<relation_name>{{"s", "t", "t"}});
  }
}

TEST_CASE("marks about the session") {
  struct row {
    const char* sql;
    bool settings, role, holds;
  };
  const row rows[] = {
      {"SELECT 1", false, false, false},
      {"SET work_mem = 1", true, false, false},
      {"SET LOCAL search_path TO s", true, false, false},
      {"SET TIME ZONE 'UTC'", true, false, false},
      {"SET ROLE bob", true, true, false},
      {"SET LOCAL ROLE bob", true, true, false},
      {"SET ROLE NONE", true, true, false},
      {"SET SESSION AUTHORIZATION bob", true, true, false},
      {"SET SESSION AUTHORIZATION DEFAULT", true, true, false},
      {"RESET ROLE", true, true, false},
      {"RESET SESSION AUTHORIZATION", true, true, false},
      {"RESET search_path", true, false, false},
      {"RESET ALL", true, false, false},
      {"SET TRANSACTION READ ONLY", false, false, false},
      {"SET TRANSACTION SNAPSHOT 'x'", false, false, false},
      {"SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY", true, false, false},
      {"SET CONSTRAINTS ALL IMMEDIATE", false, false, false},
      {"DISCARD ALL", true, true, false},
      {"DISCARD PLANS", false, false, false},
      {"SELECT set_config('search_path', 's', false)", true, false, false},
      {"SELECT pg_catalog.set_config('role', 'bob', false)", true, true, false},
      {"SELECT set_config($1, $2, false)", true, true, false},
      {"SELECT pg_advisory_lock(1)", false, false, true},
      {"SELECT pg_advisory_lock_shared(1)", false, false, true},
      {"SELECT pg_try_advisory_lock(1)", false, false, true},
      {"SELECT pg_try_advisory_lock_shared(1)", false, false, true},
      {"SELECT pg_advisory_xact_lock(1)", false, false, false},
      {"SELECT pg_advisory_unlock(1)", false, false, false},
      {"DECLARE c CURSOR WITH HOLD FOR SELECT 1", false, false, true},
      {"DECLARE c CURSOR FOR SELECT 1", false, false, false},
      {"LISTEN c", false, false, true},
      {"UNLISTEN c", false, false, false},
  };
  for (const row& r : rows) {
    INFO(r.sql);
    const analysis_ptr a = analyze(r.sql);
    CHECK(only(a).changes_settings == r.settings);
    CHECK(only(a).changes_role == r.role);
    CHECK(only(a).holds_session == r.holds);
  }
}

TEST_CASE("names of savepoints, prepared statements and settings") {
  struct row {
    const char *sql, *name;
  };
  const row rows[] = {
      {"SAVEPOINT \"S p\"", "S p"},   {"RELEASE s", "s"},     {"ROLLBACK TO s", "s"},
      {"PREPARE p AS SELECT 1", "p"}, {"EXECUTE p", "p"},     {"DEALLOCATE p", "p"},
      {"DEALLOCATE ALL", ""},         {"DISCARD ALL", "ALL"}, {"SET a.b = 'c'", "a.b"},
      {"RESET work_mem", "work_mem"},
  };
  for (const row& r : rows) {
    INFO(r.sql);
    const analysis_ptr a = analyze(r.sql);
    CHECK(only(a).name == r.name);
  }
}

TEST_CASE("RETURNING, row locks, CHAIN and parameters are seen") {
  CHECK(analyze("INSERT INTO t VALUES (1) RETURNING a")->statements[0].returning);
  CHECK(analyze("UPDATE t SET a = 1 RETURNING *")->statements[0].returning);
  CHECK(analyze("DELETE FROM t RETURNING *")->statements[0].returning);
  CHECK_FALSE(analyze("DELETE FROM t")->statements[0].returning);
  CHECK(analyze("SELECT 1 FROM t FOR NO KEY UPDATE OF t NOWAIT")->statements[0].locks_rows);
  CHECK(analyze("SELECT 1 FROM (SELECT 1 FROM t FOR SHARE) x")->statements[0].locks_rows);
  CHECK_FALSE(analyze("SELECT 1 FROM t")->statements[0].locks_rows);
  CHECK(analyze("COMMIT AND CHAIN")->statements[0].chain);
  CHECK_FALSE(analyze("COMMIT AND NO CHAIN")->statements[0].chain);
  for (const char* sql : {"SET TRANSACTION READ ONLY", "SET TRANSACTION ISOLATION LEVEL SERIALIZABLE, READ ONLY",
                          "BEGIN READ ONLY", "START TRANSACTION DEFERRABLE, READ ONLY", "SET transaction_read_only = on",
                          "SET LOCAL Transaction_Read_Only TO true"})
    CHECK(analyze(sql)->statements[0].read_only);
  for (const char* sql : {"SET TRANSACTION READ WRITE", "BEGIN", "BEGIN READ WRITE", "SET default_transaction_read_only = on",
                          "SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY"})
    CHECK_FALSE(analyze(sql)->statements[0].read_only);
  CHECK(analyze("SELECT $1")->statements[0].has_parameters);
  CHECK(analyze("INSERT INTO t SELECT * FROM f(a => $2)")->statements[0].has_parameters);
  CHECK_FALSE(analyze("SELECT '$1'")->statements[0].has_parameters);
}

TEST_CASE("PREPARE carries what it prepares") {
  const std::string sql = "BEGIN; PREPARE p (int) AS INSERT INTO s.t VALUES ($1) RETURNING f(a); COMMIT";
  const analysis_ptr a = analyze(sql);
  REQUIRE(a->statements.size() == 3);
  const statement& s = a->statements[1];
  CHECK(s.kind == statement_kind::prepare);
  REQUIRE(s.inner);
  CHECK(s.inner->kind == statement_kind::insert);
  CHECK(s.inner->relation == relation_name{"s", "t", "t"});
  CHECK(s.inner->returning);
  CHECK(s.inner->has_parameters);
  CHECK(s.inner->functions == names{"f"});
}
