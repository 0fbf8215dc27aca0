// Which texts share an analysis, and that sharing it changes nothing.
#include "proxy/sql/shape.hpp"

#include <catch2/catch.hpp>
#include <optional>
#include <string>

#include "proxy/sql/analysis.hpp"

using namespace pgtandem::sql;

namespace {

std::optional<std::string> shape_text(std::string_view sql) {
  shape s;
  if (!find_shape(sql, s)) return std::nullopt;
  for (char& c : s.text)
    if (c >= mark_integer && c <= mark_comment) c = "?inseC"[static_cast<int>(c)];
  return s.text;
}

}  // namespace

TEST_CASE("what is taken out of a text") {
  struct row {
    const char *sql, *shape;  // i integer, n number, s string, e escape string, C comment
  };
  const row rows[] = {
      {"", ""},
      {"SELECT 1", "SELECT i"},
      {"SELECT -1, +2147483647, 2147483648, 00012", "SELECT -i, +i, n, i"},
      {"SELECT 1.5, 12.25::numeric", "SELECT n, n::numeric"},
      {"SELECT 1., .5, 1e5, 1.5e5, 1..2, 1.2.3", "SELECT 1., .5, 1e5, 1.5e5, 1..2, 1.2.3"},
      {"SELECT a1, a$1, $1, $23, t.5", "SELECT a1, a$1, $1, $23, t.5"},
      {"SELECT \xc3\xa9""5, 5", "SELECT \xc3\xa9""5, i"},
      {"SELECT 'a''b', ''", "SELECT s, s"},
      {"SELECT '\\', 1", "SELECT s, i"},
      {"SELECT 'a'\n 'b'", "SELECT s\n s"},
      {"SELECT E'\\'', e''", "SELECT e, e"},
      {"SELECT \"1 'x\"\"\", 1", "SELECT \"1 'x\"\"\", i"},
      {"SELECT 1 -- 2 'x\n, 3", "SELECT i -- 2 'x\n, i"},
      {"SELECT 1 /* 2 /* ' */ */ - 3", "SELECT i C - i"},
      {"SELECT 4/2-1", "SELECT i/i-i"},
      {"SELECT x[1:2], interval '1 day'", "SELECT x[i:i], interval s"},
  };
  for (const row& r : rows) {
    INFO(r.sql);
    CHECK(shape_text(r.sql) == std::optional<std::string>(r.shape));
  }
}

TEST_CASE("what has no shape") {
  const std::string rows[] = {
      "SELECT $$1$$", "SELECT $a$1$a$", "SELECT $1a", "SELECT U&'x'", "SELECT u&\"x\"", "SELECT b'1'", "SELECT N'x'", "SELECT name'x'",
      "SELECT E'a'\n'b'", "SELECT E'a' --\n'b'", "SELECT 'open", "SELECT E'open\\'", "SELECT \"open", "SELECT /* open /* */",
      "SELECT \x01", "SELECT \"\x03\"", std::string("SELECT '\0'", 10), "SELECT 1 /* idempotency_key='a' */"};
  for (const std::string& sql : rows) {
    INFO(sql);
    CHECK_FALSE(shape_text(sql));
  }
}

TEST_CASE("positions of a text and of its shape") {
  const std::string sql = "SELECT 12345; DELETE FROM t WHERE a = 'long' /* c */ AND b = 7;";
  shape s;
  REQUIRE(find_shape(sql, s));
  for (std::size_t i = 0; i <= s.text.size(); ++i) {
    shape_map out_of(s.cuts), into(s.cuts);
    const std::size_t at = out_of.in_text(i);
    CHECK(into.in_shape(at) == i);
    if (i < s.text.size() && s.text[i] > mark_comment) CHECK(sql[at] == s.text[i]);
  }
}

TEST_CASE("texts of one shape are analyzed once, each with its own ranges") {
  analyzer cache(8);
  const std::string one = "INSERT INTO t VALUES (1, 'a'); UPDATE t SET a = 22 WHERE b = 'x' RETURNING a; SELECT 1";
  const std::string other = "INSERT INTO t VALUES (12345, ''); UPDATE t SET a = 2 WHERE b = 'it''s; longer' RETURNING a; SELECT 100";
  const analysis_ptr first = cache(one), second = cache(other);
  CHECK(cache.misses() == 1);
  CHECK(cache.hits() == 1);
  CHECK(second->found == first->found);
  CHECK(second->ranges == analyze(other)->ranges);
  CHECK(cache(one)->ranges == analyze(one)->ranges);
  CHECK(cache(one) == first);
}

TEST_CASE("where a value decides, nothing is shared") {
  analyzer cache(8);
  struct row {
    const char *harmless, *telling;
  };
  const row rows[] = {
      {"SELECT set_config('search_path', 'a', false)", "SELECT set_config('role', 'a', false)"},
      {"PREPARE p AS SELECT set_config('work_mem', 'a', false)", "PREPARE p AS SELECT set_config('role', 'a', false)"},
      {"EXPLAIN (ANALYZE 'off') DELETE FROM t", "EXPLAIN (ANALYZE 'on') DELETE FROM t"},
      {"EXPLAIN (ANALYZE 0) DELETE FROM t", "EXPLAIN (ANALYZE 1) DELETE FROM t"},
      {"SELECT 1 FROM t LIMIT 1", "SELECT 1 FROM t LIMIT 1 1"},
  };
  for (const row& r : rows) {
    INFO(r.telling);
    cache(r.harmless);
    const analysis_ptr got = cache(r.telling), expected = analyze(r.telling);
    CHECK(got->parse_error == expected->parse_error);
    REQUIRE(got->statements.size() == expected->statements.size());
    for (std::size_t i = 0; i < got->statements.size(); ++i) {
      CHECK(got->statements[i].kind == expected->statements[i].kind);
      CHECK(got->statements[i].changes_role == expected->statements[i].changes_role);
    }
  }
}
