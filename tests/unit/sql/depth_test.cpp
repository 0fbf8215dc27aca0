// Texts that are deep or long must neither crash nor be misread, on a thread with the stack of the proxy's loops.
#include <catch2/catch.hpp>
#include <string>

#include "proxy/sql/analysis.hpp"

using namespace pgtandem::sql;

namespace {

constexpr std::size_t megabyte = 1 << 20;

std::string repeated(std::string_view piece, std::size_t bytes) {
  std::string out;
  out.reserve(bytes + piece.size());
  while (out.size() < bytes) out += piece;
  return out;
}

}  // namespace

TEST_CASE("left-deep chains cost no stack") {
  struct row {
    const char *head, *piece, *tail;
  };
  const row rows[] = {
      {"SELECT 1", "+1", ""},
      {"SELECT 1", "||f(1)", ""},
      {"SELECT a", "::int", ""},
      {"SELECT a", " COLLATE x", ""},
      {"SELECT a", " AT TIME ZONE b", ""},
      {"SELECT 1 WHERE a", " AND b", ""},
      {"SELECT 1", " UNION SELECT 1", ""},
      {"SELECT 1 FROM a", " CROSS JOIN b", ""},
      {"SELECT a", "[1]", ""},
      {"UPDATE t SET a = 1", "+1", ""},
      {"DELETE FROM t WHERE a = 1", "+1", ""},
      {"INSERT INTO t VALUES (1", "+1", ")"},
  };
  for (const row& r : rows) {
    INFO(r.head << r.piece);
    const analysis_ptr a = analyze(r.head + repeated(r.piece, megabyte) + r.tail);
    CHECK_FALSE(a->parse_error);
    CHECK_FALSE(a->too_deep);
    CHECK(a->statements.size() == 1);
  }
}

TEST_CASE("what only the parser's memory refuses is unknown") {
  for (const char* piece : {"(", "NOT ", "- ", "(SELECT ", "CASE WHEN ", "f(", "ARRAY["}) {
    INFO(piece);
    const analysis_ptr a = analyze("SELECT " + repeated(piece, megabyte));
    CHECK(a->too_deep);
    CHECK_FALSE(a->parse_error);
    CHECK(a->statements.empty());
  }
}

TEST_CASE("moderate nesting is read to its bottom") {
  const std::size_t levels = 1000;
  std::string sql = "SELECT ";
  for (std::size_t i = 0; i < levels; ++i) sql += "(SELECT 1 + ";
  sql += "f(1)" + std::string(levels, ')');
  const analysis_ptr a = analyze(sql);
  REQUIRE(a->statements.size() == 1);
  CHECK(a->statements[0].functions == std::vector<std::string>{"f"});
}

TEST_CASE("a long list of rows is one insert") {
  const std::string sql = "INSERT INTO t VALUES (0, 'first')" + repeated(", (1, 'a value', now())", 10 * megabyte);
  const analysis_ptr a = analyze(sql);
  REQUIRE(a->statements.size() == 1);
  CHECK(a->statements[0].kind == statement_kind::insert);
  CHECK(a->statements[0].functions == std::vector<std::string>{"now"});
  CHECK(a->ranges[0].end == sql.size());
}

TEST_CASE("a long string of statements keeps every range") {
  const std::string sql = repeated("DELETE FROM t;", megabyte);
  const analysis_ptr a = analyze(sql);
  REQUIRE(a->statements.size() == sql.size() / 14);
  CHECK(a->ranges.back().end == sql.size() - 1);
}
