#include "proxy/sql/rewrite.hpp"

#include <catch2/catch.hpp>

using namespace pgtandem::sql;

namespace {

table orders() {
  table t;
  t.schema = "public";
  t.name = "orders";
  t.columns = {{"id", "integer"}, {"Total", "numeric"}, {"twice", "numeric"}, {"order", "text"}};
  t.columns[2].generated = true;
  return t;
}

const std::string image = "ROW(o.tableoid, pg_catalog.pg_sequence_last_value(42), o.id, o.\"Total\", o.\"order\")";

}  // namespace

TEST_CASE("identifiers are quoted where PostgreSQL would") {
  struct row {
    const char *name, *quoted;
  };
  const row rows[] = {
      {"a", "a"},         {"a_1", "a_1"},           {"_a", "_a"},
      {"1a", "\"1a\""},   {"A", "\"A\""},           {"", "\"\""},
      {"a b", "\"a b\""}, {"a\"b", "\"a\"\"b\""},   {"a$", "\"a$\""},
      {"é", "\"é\""},     {"select", "\"select\""}, {"user", "\"user\""},
      {"int", "\"int\""}, {"left", "\"left\""},     {"name", "name"},
      {"begin", "begin"}, {"data", "data"},
  };
  for (const row& r : rows) CHECK(quote_ident(r.name) == r.quoted);
  CHECK(relation_name{"S", "t", "t"}.quoted() == "\"S\".t");
  CHECK(relation_name{"", "table", "table"}.quoted() == "\"table\"");
}

TEST_CASE("literals are safe with and without standard_conforming_strings") {
  CHECK(quote_literal("a") == "'a'");
  CHECK(quote_literal("it's") == "'it''s'");
  CHECK(quote_literal("a\\b'") == " E'a\\\\b'''");
}

TEST_CASE("the image names every column that can be written") {
  table t = orders();
  CHECK(image_expression(t, "o", {42, false}) == image + "::pg_catalog.text");
  CHECK(image_expression(t, "o", {42, true}) ==
        "pg_catalog.encode(pg_catalog.convert_to(" + image + "::pg_catalog.text, 'UTF8'), 'hex')");
  t.any_fragile = true;
  CHECK(image_expression(t, "o", {42, false, true}) == "pgtandem.image(" + image + ")::pg_catalog.text");
  t.columns.resize(1);
  CHECK(image_expression(t, "O", {}) ==
        "pgtandem.image(ROW(\"O\".tableoid, NULL::pg_catalog.int8, \"O\".id))::pg_catalog.text");
}

TEST_CASE("names beyond ASCII are written in ASCII where the client's encoding is not UTF8") {
  table t = orders();
  t.columns.resize(1);
  struct row {
    const char* name;
    const char* written;
  };
  for (const row& r : {row{"größe", R"(U&"gr\+0000f6\+0000dfe")"}, row{"a\"ä\\", R"(U&"a""\+0000e4\\")"}, row{"€", R"(U&"\+0020ac")"}, row{"😀", R"(U&"\+01f600")"}, row{"A b", R"("A b")"}}) {
    t.columns[0].name = r.name;
    CHECK(image_expression(t, "o", {42, true}).find(std::string(", o.") + r.written + ")") != std::string::npos);
    CHECK(image_expression(t, "o", {42, false}).find(", o." + quote_ident(r.name) + ")") != std::string::npos);
  }
}

TEST_CASE("dates and intervals need no function in a session whose styles hold, and the image proves that they do") {
  table t = orders();
  t.any_styled = true;
  CHECK(image_expression(t, "o", {42, false, false}) == "pgtandem.image(" + image + ")::pg_catalog.text");
  const std::string proven = image_expression(t, "o", {42, false, true});
  CHECK(proven.find("pgtandem.image") == std::string::npos);
  CHECK(proven.find("THEN pg_catalog.pg_sequence_last_value(42) ELSE -1 END, ") != std::string::npos);
  t.any_fragile = true;
  CHECK(image_expression(t, "o", {42, false, true}) == "pgtandem.image(" + image + ")::pg_catalog.text");
}

TEST_CASE("the image is the last column, whatever ends the statement") {
  struct row {
    const char *sql, *rewritten;  // rewritten: up to the image
  };
  const row rows[] = {
      {"DELETE FROM orders o", "DELETE FROM orders o\nRETURNING "},
      {"DELETE FROM orders o -- all", "DELETE FROM orders o -- all\nRETURNING "},
      {"DELETE FROM orders o RETURNING *", "DELETE FROM orders o RETURNING *\n, "},
      {"DELETE FROM orders o RETURNING id -- x", "DELETE FROM orders o RETURNING id -- x\n, "},
      {"DELETE FROM orders o /* c */ ;", "DELETE FROM orders o /* c */ \nRETURNING "},
      {"INSERT INTO orders AS o VALUES (1) ON CONFLICT DO NOTHING",
       "INSERT INTO orders AS o VALUES (1) ON CONFLICT DO NOTHING\nRETURNING "},
  };
  const table t = orders();
  for (const row& r : rows) {
    INFO(r.sql);
    const analysis_ptr a = analyze(r.sql);
    REQUIRE(a->statements.size() == 1);
    const std::string_view alone = std::string_view(r.sql).substr(0, a->ranges[0].end);
    const std::string text = with_image(alone, a->statements[0], t, {42, false});
    CHECK(text == r.rewritten + image + "::pg_catalog.text");
    CHECK(analyze(text)->statements[0].returning);
  }
}

TEST_CASE("the target is named as the statement names it") {
  struct row {
    const char *sql, *prefix;
  };
  const row rows[] = {
      {"DELETE FROM t", "t."},
      {"DELETE FROM t AS x", "x."},
      {"DELETE FROM a.t USING b.t", "a.t."},
      {"DELETE FROM a.t AS t", "t."},
      {"INSERT INTO \"A\".t AS \"X\" VALUES (1)", "\"X\"."},
  };
  for (const row& r : rows) {
    INFO(r.sql);
    const analysis_ptr a = analyze(r.sql);
    CHECK(with_image(r.sql, a->statements[0], orders(), {}) ==
          std::string(r.sql) + "\nRETURNING ROW(" + r.prefix + "tableoid, NULL::pg_catalog.int8, " + r.prefix + "id, " +
              r.prefix + "\"Total\", " + r.prefix + "\"order\")::pg_catalog.text");
  }
}

TEST_CASE("a prepared statement is rewritten inside its PREPARE") {
  const std::string sql = "SELECT 1; PREPARE p AS DELETE FROM orders o WHERE id = $1";
  const analysis_ptr a = analyze(sql);
  const std::string_view prepare = std::string_view(sql).substr(a->ranges[1].begin, a->ranges[1].size());
  CHECK(with_image(prepare, *a->statements[1].inner, orders(), {42, false}) ==
        " PREPARE p AS DELETE FROM orders o WHERE id = $1\nRETURNING " + image + "::pg_catalog.text");
}

TEST_CASE("several statements of one text keep their order, separators and error positions") {
  const std::string sql = "SELECT 'é'; DELETE FROM orders o; SELECT 2; DELETE FROM orders o RETURNING id;";
  const table t = orders();
  const analysis_ptr a = analyze(sql);
  const rewrite_target targets[] = {{1, &t}, {3, &t}};
  const rewritten_text r = rewrite_all(sql, *a, targets, {42, false});
  const std::string clause = "\nRETURNING " + image + "::pg_catalog.text", item = "\n, " + image + "::pg_catalog.text";
  CHECK(r.text ==
        "SELECT 'é'; DELETE FROM orders o" + clause + "; SELECT 2; DELETE FROM orders o RETURNING id" + item + ";");

  const std::size_t end_of_first = 32, end_of_second = sql.size() - 2;  // in characters: é is one of two bytes
  CHECK(r.original_offset(1) == 1);
  CHECK(r.original_offset(end_of_first) == end_of_first);
  CHECK(r.original_offset(end_of_first + 1) == 0);
  CHECK(r.original_offset(end_of_first + clause.size()) == 0);
  CHECK(r.original_offset(end_of_first + clause.size() + 1) == end_of_first + 1);
  CHECK(r.original_offset(end_of_second + clause.size()) == end_of_second);
  CHECK(r.original_offset(end_of_second + clause.size() + 1) == 0);
  CHECK(r.original_offset(end_of_second + clause.size() + item.size() + 1) == end_of_second + 1);
  CHECK(r.original_offset(end_of_first + 1, false) == end_of_first + 1);
}

TEST_CASE("a text without targets is itself") {
  const std::string sql = "SELECT 1; SELECT 2";
  const rewritten_text r = rewrite_all(sql, *analyze(sql), {}, {});
  CHECK(r.text == sql);
  CHECK(r.original_offset(7) == 7);
  CHECK(r.original_offset(0) == 0);
}
