// What each kind of statement is called and how it is treated, row by row, for every rule there is.
#include <catch2/catch.hpp>
#include <set>
#include <string>

#include "proxy/sql/analysis.hpp"
#include "proxy/sql/raw_tree.h"

using namespace pgtandem::sql;
using k = statement_kind;

namespace {

struct row {
  const char* sql;
  statement_kind kind;
  const char* construct;
};

const row rows[] = {
    // reads
    {"SELECT 1", k::read, "SELECT"},
    {"VALUES (1), (2)", k::read, "SELECT"},
    {"TABLE t", k::read, "SELECT"},
    {"(SELECT 1 UNION SELECT 2) ORDER BY 1", k::read, "SELECT"},
    {"WITH a AS (SELECT 1) SELECT * FROM a", k::read, "SELECT"},
    {"SELECT * FROM t FOR UPDATE SKIP LOCKED", k::read, "SELECT"},
    {"SHOW search_path", k::read, "SHOW"},
    {"EXPLAIN SELECT 1", k::read, "EXPLAIN"},
    {"EXPLAIN DELETE FROM t", k::read, "EXPLAIN"},
    {"EXPLAIN (ANALYZE false) DELETE FROM t", k::read, "EXPLAIN"},
    {"EXPLAIN (ANALYZE, ANALYZE off) DELETE FROM t", k::read, "EXPLAIN"},
    {"EXPLAIN ANALYZE SELECT 1", k::read, "EXPLAIN"},
    {"EXPLAIN (ANALYZE on, BUFFERS) TABLE t", k::read, "EXPLAIN"},
    {"DECLARE c CURSOR FOR SELECT 1", k::read, "DECLARE CURSOR"},
    {"DECLARE c CURSOR WITH HOLD FOR SELECT 1", k::read, "DECLARE CURSOR"},
    {"FETCH 10 FROM c", k::read, "FETCH"},
    {"MOVE ALL IN c", k::read, "MOVE"},
    {"CLOSE c", k::read, "CLOSE"},
    // writes that RETURNING sees
    {"INSERT INTO t VALUES (1)", k::insert, "INSERT"},
    {"INSERT INTO t DEFAULT VALUES", k::insert, "INSERT"},
    {"INSERT INTO t (a, b) SELECT a, b FROM u", k::insert, "INSERT"},
    {"INSERT INTO t VALUES (1) ON CONFLICT DO NOTHING", k::insert, "INSERT"},
    {"INSERT INTO t VALUES (1) ON CONFLICT (a) DO UPDATE SET b = excluded.b RETURNING a", k::insert, "INSERT"},
    {"INSERT INTO t (id) OVERRIDING SYSTEM VALUE VALUES (1)", k::insert, "INSERT"},
    {"WITH s AS (SELECT 1) INSERT INTO t SELECT * FROM s", k::insert, "INSERT"},
    {"UPDATE t SET a = 1", k::update, "UPDATE"},
    {"UPDATE ONLY t SET a = 1 FROM u WHERE u.id = t.id", k::update, "UPDATE"},
    {"UPDATE t SET a = 1 WHERE CURRENT OF c", k::update, "UPDATE"},
    {"DELETE FROM t", k::delete_, "DELETE"},
    {"DELETE FROM t USING u WHERE t.id = u.id RETURNING *", k::delete_, "DELETE"},
    {"DELETE FROM t WHERE CURRENT OF c", k::delete_, "DELETE"},
    {"TRUNCATE a, b.c CASCADE", k::truncate, "TRUNCATE"},
    // transactions
    {"BEGIN", k::begin, "BEGIN"},
    {"BEGIN ISOLATION LEVEL SERIALIZABLE READ ONLY", k::begin, "BEGIN"},
    {"START TRANSACTION", k::begin, "START TRANSACTION"},
    {"COMMIT", k::commit, "COMMIT"},
    {"END", k::commit, "COMMIT"},
    {"COMMIT AND CHAIN", k::commit, "COMMIT"},
    {"ROLLBACK", k::rollback, "ROLLBACK"},
    {"ABORT", k::rollback, "ROLLBACK"},
    {"ROLLBACK AND CHAIN", k::rollback, "ROLLBACK"},
    {"SAVEPOINT s", k::savepoint, "SAVEPOINT"},
    {"RELEASE SAVEPOINT s", k::release, "RELEASE"},
    {"ROLLBACK TO SAVEPOINT s", k::rollback_to, "ROLLBACK TO"},
    {"PREPARE TRANSACTION 'x'", k::uncaptured, "PREPARE TRANSACTION"},
    {"COMMIT PREPARED 'x'", k::uncaptured, "COMMIT PREPARED"},
    {"ROLLBACK PREPARED 'x'", k::uncaptured, "ROLLBACK PREPARED"},
    // settings
    {"SET search_path = a, b", k::set, "SET"},
    {"SET LOCAL work_mem = '1MB'", k::set, "SET"},
    {"SET TIME ZONE 'UTC'", k::set, "SET"},
    {"SET ROLE bob", k::set, "SET"},
    {"SET SESSION AUTHORIZATION bob", k::set, "SET"},
    {"SET TRANSACTION ISOLATION LEVEL REPEATABLE READ", k::set, "SET"},
    {"SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY", k::set, "SET"},
    {"SET CONSTRAINTS ALL DEFERRED", k::set, "SET CONSTRAINTS"},
    {"RESET ALL", k::set, "RESET"},
    {"RESET ROLE", k::set, "RESET"},
    // prepared statements and the session
    {"PREPARE p AS INSERT INTO t VALUES ($1)", k::prepare, "PREPARE"},
    {"EXECUTE p(1)", k::execute, "EXECUTE"},
    {"DEALLOCATE p", k::deallocate, "DEALLOCATE"},
    {"DEALLOCATE ALL", k::deallocate, "DEALLOCATE"},
    {"DISCARD ALL", k::discard, "DISCARD ALL"},
    {"DISCARD PLANS", k::discard, "DISCARD PLANS"},
    {"DISCARD TEMP", k::discard, "DISCARD TEMP"},
    {"DISCARD SEQUENCES", k::discard, "DISCARD SEQUENCES"},
    {"LISTEN c", k::session, "LISTEN"},
    {"UNLISTEN *", k::session, "UNLISTEN"},
    {"NOTIFY c, 'x'", k::session, "NOTIFY"},
    {"LOCK TABLE t IN EXCLUSIVE MODE", k::session, "LOCK TABLE"},
    {"VACUUM t", k::session, "VACUUM"},
    {"ANALYZE t", k::session, "ANALYZE"},
    {"CHECKPOINT", k::session, "CHECKPOINT"},
    {"LOAD 'x'", k::session, "LOAD"},
    {"REINDEX TABLE t", k::session, "REINDEX"},
    {"CLUSTER t", k::session, "CLUSTER"},
    {"ALTER SYSTEM SET work_mem = '1MB'", k::session, "ALTER SYSTEM"},
    // temporary things
    {"CREATE TEMP TABLE t (a int)", k::create_temp, "CREATE TABLE"},
    {"CREATE TABLE pg_temp.t (a int)", k::create_temp, "CREATE TABLE"},
    {"CREATE LOCAL TEMPORARY TABLE t (a int) ON COMMIT DROP", k::create_temp, "CREATE TABLE"},
    {"CREATE TEMP TABLE t AS SELECT 1", k::create_temp, "CREATE TABLE AS"},
    {"CREATE TEMP VIEW v AS SELECT 1", k::create_temp, "CREATE VIEW"},
    {"CREATE TEMP SEQUENCE s", k::create_temp, "CREATE SEQUENCE"},
    {"SELECT 1 INTO TEMP t", k::create_temp, "SELECT INTO"},
    {"CREATE TEMP TABLE t AS EXECUTE p", k::uncaptured, "CREATE TABLE AS"},
    // COPY
    {"COPY t TO STDOUT", k::copy_to, "COPY TO"},
    {"COPY (SELECT 1) TO STDOUT", k::copy_to, "COPY TO"},
    {"COPY t TO '/tmp/x'", k::session, "COPY TO file"},
    {"COPY t TO PROGRAM 'cat'", k::session, "COPY TO PROGRAM"},
    {"COPY (DELETE FROM t RETURNING *) TO STDOUT", k::uncaptured, "COPY of a writing query"},
    {"COPY t (a) FROM STDIN", k::copy_from, "COPY FROM"},
    {"COPY t FROM '/tmp/x'", k::uncaptured, "COPY FROM file"},
    {"COPY t FROM PROGRAM 'cat'", k::uncaptured, "COPY FROM PROGRAM"},
    // writes that are not captured
    {"MERGE INTO t USING u ON t.id = u.id WHEN MATCHED THEN DELETE", k::uncaptured, "MERGE"},
    {"DO $$ BEGIN END $$", k::uncaptured, "DO"},
    {"CALL p(1)", k::uncaptured, "CALL"},
    {"WITH d AS (DELETE FROM t RETURNING *) SELECT * FROM d", k::uncaptured, "data-modifying CTE"},
    {"WITH d AS (DELETE FROM t RETURNING *) INSERT INTO u SELECT * FROM d", k::uncaptured, "data-modifying CTE"},
    {"SELECT (WITH d AS (DELETE FROM t RETURNING 1) SELECT 1)", k::uncaptured, "data-modifying CTE"},
    {"DECLARE c CURSOR FOR WITH d AS (DELETE FROM t RETURNING 1) SELECT 1", k::uncaptured, "data-modifying CTE"},
    {"SELECT 1 INTO t", k::uncaptured, "SELECT INTO"},
    {"SELECT 1 INTO t UNION SELECT 2", k::uncaptured, "SELECT INTO"},
    {"EXPLAIN ANALYZE DELETE FROM t", k::uncaptured, "EXPLAIN ANALYZE"},
    {"EXPLAIN (ANALYZE 1) INSERT INTO t VALUES (1)", k::uncaptured, "EXPLAIN ANALYZE"},
    {"EXPLAIN ANALYZE EXECUTE p", k::uncaptured, "EXPLAIN ANALYZE"},
    {"EXPLAIN ANALYZE WITH d AS (DELETE FROM t) SELECT 1", k::uncaptured, "EXPLAIN ANALYZE"},
    {"CREATE TABLE t AS SELECT 1", k::uncaptured, "CREATE TABLE AS"},
    {"CREATE MATERIALIZED VIEW v AS SELECT 1", k::uncaptured, "CREATE MATERIALIZED VIEW"},
    {"REFRESH MATERIALIZED VIEW v", k::uncaptured, "REFRESH MATERIALIZED VIEW"},
    {"IMPORT FOREIGN SCHEMA s FROM SERVER r INTO l", k::uncaptured, "IMPORT FOREIGN SCHEMA"},
    {"GRANT SELECT ON t TO bob", k::uncaptured, "GRANT"},
    {"REVOKE SELECT ON t FROM bob", k::uncaptured, "REVOKE"},
    {"GRANT admin TO bob", k::uncaptured, "GRANT ROLE"},
    {"REVOKE admin FROM bob", k::uncaptured, "REVOKE ROLE"},
    // CREATE
    {"CREATE TABLE t (a int)", k::uncaptured, "CREATE TABLE"},
    {"CREATE UNLOGGED TABLE t (a int)", k::uncaptured, "CREATE TABLE"},
    {"CREATE VIEW v AS SELECT 1", k::uncaptured, "CREATE VIEW"},
    {"CREATE SEQUENCE s", k::uncaptured, "CREATE SEQUENCE"},
    {"CREATE UNIQUE INDEX CONCURRENTLY i ON t (a)", k::uncaptured, "CREATE INDEX"},
    {"CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1'", k::uncaptured, "CREATE FUNCTION"},
    {"CREATE PROCEDURE f() LANGUAGE sql AS 'SELECT 1'", k::uncaptured, "CREATE PROCEDURE"},
    {"CREATE AGGREGATE a (int) (SFUNC = f, STYPE = int)", k::uncaptured, "CREATE AGGREGATE"},
    {"CREATE OPERATOR === (LEFTARG = int, FUNCTION = f)", k::uncaptured, "CREATE OPERATOR"},
    {"CREATE COLLATION c (LOCALE = 'C')", k::uncaptured, "CREATE COLLATION"},
    {"CREATE TEXT SEARCH CONFIGURATION c (COPY = english)", k::uncaptured, "CREATE TEXT SEARCH CONFIGURATION"},
    {"CREATE TYPE y AS (a int)", k::uncaptured, "CREATE TYPE"},
    {"CREATE TYPE y AS ENUM ('a')", k::uncaptured, "CREATE TYPE"},
    {"CREATE TYPE y AS RANGE (SUBTYPE = int)", k::uncaptured, "CREATE TYPE"},
    {"CREATE TYPE y", k::uncaptured, "CREATE TYPE"},
    {"CREATE ACCESS METHOD m TYPE INDEX HANDLER h", k::uncaptured, "CREATE ACCESS METHOD"},
    {"CREATE CAST (a AS b) WITHOUT FUNCTION", k::uncaptured, "CREATE CAST"},
    {"CREATE CONVERSION c FOR 'UTF8' TO 'LATIN1' FROM f", k::uncaptured, "CREATE CONVERSION"},
    {"CREATE DOMAIN d AS int", k::uncaptured, "CREATE DOMAIN"},
    {"CREATE EVENT TRIGGER e ON ddl_command_end EXECUTE FUNCTION f()", k::uncaptured, "CREATE EVENT TRIGGER"},
    {"CREATE EXTENSION x", k::uncaptured, "CREATE EXTENSION"},
    {"CREATE FOREIGN DATA WRAPPER w", k::uncaptured, "CREATE FOREIGN DATA WRAPPER"},
    {"CREATE SERVER s FOREIGN DATA WRAPPER w", k::uncaptured, "CREATE SERVER"},
    {"CREATE FOREIGN TABLE t (a int) SERVER s", k::uncaptured, "CREATE FOREIGN TABLE"},
    {"CREATE OPERATOR CLASS c FOR TYPE int USING btree AS OPERATOR 1 <", k::uncaptured, "CREATE OPERATOR CLASS"},
    {"CREATE OPERATOR FAMILY f USING btree", k::uncaptured, "CREATE OPERATOR FAMILY"},
    {"CREATE LANGUAGE l HANDLER h", k::uncaptured, "CREATE LANGUAGE"},
    {"CREATE POLICY p ON t", k::uncaptured, "CREATE POLICY"},
    {"CREATE PUBLICATION p FOR ALL TABLES", k::uncaptured, "CREATE PUBLICATION"},
    {"CREATE ROLE r", k::uncaptured, "CREATE ROLE"},
    {"CREATE SCHEMA s", k::uncaptured, "CREATE SCHEMA"},
    {"CREATE STATISTICS s ON a, b FROM t", k::uncaptured, "CREATE STATISTICS"},
    {"CREATE SUBSCRIPTION s CONNECTION 'x' PUBLICATION p", k::uncaptured, "CREATE SUBSCRIPTION"},
    {"CREATE TABLESPACE s LOCATION '/x'", k::uncaptured, "CREATE TABLESPACE"},
    {"CREATE TRANSFORM FOR int LANGUAGE l (FROM SQL WITH FUNCTION f(internal))", k::uncaptured, "CREATE TRANSFORM"},
    {"CREATE TRIGGER g AFTER INSERT ON t FOR EACH ROW EXECUTE FUNCTION f()", k::uncaptured, "CREATE TRIGGER"},
    {"CREATE USER MAPPING FOR bob SERVER s", k::uncaptured, "CREATE USER MAPPING"},
    {"CREATE DATABASE d", k::uncaptured, "CREATE DATABASE"},
    {"CREATE RULE r AS ON INSERT TO t DO NOTHING", k::uncaptured, "CREATE RULE"},
    // ALTER
    {"ALTER TABLE t ADD COLUMN a int", k::uncaptured, "ALTER TABLE"},
    {"ALTER VIEW v ALTER COLUMN a SET DEFAULT 1", k::uncaptured, "ALTER VIEW"},
    {"ALTER INDEX i SET (fillfactor = 50)", k::uncaptured, "ALTER INDEX"},
    {"ALTER TYPE y ADD ATTRIBUTE a int", k::uncaptured, "ALTER TYPE"},
    {"ALTER TABLE t RENAME TO u", k::uncaptured, "ALTER TABLE"},
    {"ALTER TABLE t RENAME COLUMN a TO b", k::uncaptured, "ALTER TABLE"},
    {"ALTER TABLE t RENAME CONSTRAINT a TO b", k::uncaptured, "ALTER TABLE"},
    {"ALTER VIEW v RENAME COLUMN a TO b", k::uncaptured, "ALTER VIEW"},
    {"ALTER TYPE y RENAME ATTRIBUTE a TO b", k::uncaptured, "ALTER TYPE"},
    {"ALTER TRIGGER g ON t RENAME TO h", k::uncaptured, "ALTER TRIGGER"},
    {"ALTER TABLE t SET SCHEMA s", k::uncaptured, "ALTER TABLE"},
    {"ALTER FUNCTION f() OWNER TO bob", k::uncaptured, "ALTER FUNCTION"},
    {"ALTER FUNCTION f() DEPENDS ON EXTENSION x", k::uncaptured, "ALTER FUNCTION"},
    {"ALTER FUNCTION f() STABLE", k::uncaptured, "ALTER FUNCTION"},
    {"ALTER PROCEDURE f() SECURITY DEFINER", k::uncaptured, "ALTER PROCEDURE"},
    {"ALTER TABLE ALL IN TABLESPACE a SET TABLESPACE b", k::uncaptured, "ALTER TABLE"},
    {"ALTER COLLATION c REFRESH VERSION", k::uncaptured, "ALTER COLLATION"},
    {"ALTER DATABASE d REFRESH COLLATION VERSION", k::uncaptured, "ALTER DATABASE"},
    {"ALTER DATABASE d SET work_mem = 1", k::uncaptured, "ALTER DATABASE"},
    {"ALTER DATABASE d CONNECTION LIMIT 1", k::uncaptured, "ALTER DATABASE"},
    {"ALTER DEFAULT PRIVILEGES GRANT SELECT ON TABLES TO bob", k::uncaptured, "ALTER DEFAULT PRIVILEGES"},
    {"ALTER DOMAIN d SET NOT NULL", k::uncaptured, "ALTER DOMAIN"},
    {"ALTER TYPE y ADD VALUE 'b'", k::uncaptured, "ALTER TYPE"},
    {"ALTER EVENT TRIGGER e DISABLE", k::uncaptured, "ALTER EVENT TRIGGER"},
    {"ALTER EXTENSION x ADD TABLE t", k::uncaptured, "ALTER EXTENSION"},
    {"ALTER EXTENSION x UPDATE", k::uncaptured, "ALTER EXTENSION"},
    {"ALTER FOREIGN DATA WRAPPER w OPTIONS (a 'b')", k::uncaptured, "ALTER FOREIGN DATA WRAPPER"},
    {"ALTER SERVER s VERSION '2'", k::uncaptured, "ALTER SERVER"},
    {"ALTER OPERATOR FAMILY f USING btree DROP OPERATOR 1 (int, int)", k::uncaptured, "ALTER OPERATOR FAMILY"},
    {"ALTER OPERATOR === (int, int) SET (RESTRICT = NONE)", k::uncaptured, "ALTER OPERATOR"},
    {"ALTER POLICY p ON t TO bob", k::uncaptured, "ALTER POLICY"},
    {"ALTER PUBLICATION p ADD TABLE t", k::uncaptured, "ALTER PUBLICATION"},
    {"ALTER ROLE r SET work_mem = 1", k::uncaptured, "ALTER ROLE"},
    {"ALTER ROLE r LOGIN", k::uncaptured, "ALTER ROLE"},
    {"ALTER SEQUENCE s RESTART", k::uncaptured, "ALTER SEQUENCE"},
    {"ALTER STATISTICS s SET STATISTICS 10", k::uncaptured, "ALTER STATISTICS"},
    {"ALTER SUBSCRIPTION s DISABLE", k::uncaptured, "ALTER SUBSCRIPTION"},
    {"ALTER TEXT SEARCH CONFIGURATION c DROP MAPPING FOR word", k::uncaptured, "ALTER TEXT SEARCH CONFIGURATION"},
    {"ALTER TEXT SEARCH DICTIONARY d (a = b)", k::uncaptured, "ALTER TEXT SEARCH DICTIONARY"},
    {"ALTER TABLESPACE s SET (seq_page_cost = 1)", k::uncaptured, "ALTER TABLESPACE"},
    {"ALTER TYPE y SET (RECEIVE = f)", k::uncaptured, "ALTER TYPE"},
    {"ALTER USER MAPPING FOR bob SERVER s OPTIONS (a 'b')", k::uncaptured, "ALTER USER MAPPING"},
    {"COMMENT ON TABLE t IS 'x'", k::uncaptured, "COMMENT"},
    {"SECURITY LABEL ON TABLE t IS 'x'", k::uncaptured, "SECURITY LABEL"},
    // DROP
    {"DROP TABLE t", k::uncaptured, "DROP TABLE"},
    {"DROP VIEW v", k::uncaptured, "DROP VIEW"},
    {"DROP MATERIALIZED VIEW v", k::uncaptured, "DROP MATERIALIZED VIEW"},
    {"DROP INDEX i", k::uncaptured, "DROP INDEX"},
    {"DROP SEQUENCE s", k::uncaptured, "DROP SEQUENCE"},
    {"DROP FUNCTION f()", k::uncaptured, "DROP FUNCTION"},
    {"DROP ROUTINE f", k::uncaptured, "DROP ROUTINE"},
    {"DROP SCHEMA s CASCADE", k::uncaptured, "DROP SCHEMA"},
    {"DROP TRIGGER g ON t", k::uncaptured, "DROP TRIGGER"},
    {"DROP OPERATOR FAMILY f USING btree", k::uncaptured, "DROP OPERATOR FAMILY"},
    {"DROP OWNED BY bob", k::uncaptured, "DROP OWNED"},
    {"DROP ROLE bob", k::uncaptured, "DROP ROLE"},
    {"DROP SUBSCRIPTION s", k::uncaptured, "DROP SUBSCRIPTION"},
    {"DROP TABLESPACE s", k::uncaptured, "DROP TABLESPACE"},
    {"DROP USER MAPPING FOR bob SERVER s", k::uncaptured, "DROP USER MAPPING"},
    {"DROP DATABASE d", k::uncaptured, "DROP DATABASE"},
    {"REASSIGN OWNED BY a TO b", k::uncaptured, "REASSIGN OWNED"},
};

}  // namespace

TEST_CASE("every kind of statement has its kind and its name") {
  for (const row& r : rows) {
    INFO(r.sql);
    const analysis_ptr a = analyze(r.sql);
    REQUIRE_FALSE(a->parse_error);
    REQUIRE(a->statements.size() == 1);
    CHECK(a->statements[0].construct == r.construct);
    CHECK(static_cast<int>(a->statements[0].kind) == static_cast<int>(r.kind));
  }
}

TEST_CASE("no rule is without a row above") {
  for (std::size_t i = 0; i < raw_rule_count(); ++i) {
    const char* construct = raw_rule_construct(i);
    if (!construct) continue;
    INFO(construct);
    const bool reached = std::any_of(std::begin(rows), std::end(rows), [&](const row& r) {
      return std::string_view(r.construct).substr(0, std::string_view(construct).size()) == construct;
    });
    CHECK(reached);
  }
}
