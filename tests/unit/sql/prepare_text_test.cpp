#include <catch2/catch.hpp>

#include "proxy/sql/analysis.hpp"
#include "proxy/sql/prepare_text.hpp"

using namespace pgtandem::sql;

namespace {
struct spelling {
  const char *text, *name, *renamed;   // renamed null: not found
};
}  // namespace

TEST_CASE("the name of an EXECUTE is found however it is spelled, or not at all") {
  const spelling rows[] = {
      {"EXECUTE p", "p", "EXECUTE p_x"},
      {" /* a /* b */ */ execute -- c\n P (1, 'p')", "p", " /* a /* b */ */ execute -- c\n P_x (1, 'p')"},
      {"EXECUTE \"My \"\"p\"(1)", "My \"p", "EXECUTE \"My \"\"p_x\"(1)"},
      {"EXECUTE\"p\"", "p", "EXECUTE\"p_x\""},
      {"EXECUTE/**/u$1(1)", "u$1", "EXECUTE/**/u$1_x(1)"},
      {"EXECUTE U&\"p\"", "p", nullptr},
      {"EXECUTE p", "q", nullptr},
      {"PREPARE p AS SELECT 1", "p", nullptr},
      {"EXECUTE", "", nullptr},
  };
  for (const spelling& row : rows) {
    INFO(row.text);
    auto end = execute_name_end(row.text, row.name);
    CHECK(end.has_value() == (row.renamed != nullptr));
    if (!end || !row.renamed) continue;
    std::string text = row.text;
    text.insert(*end, "_x");
    CHECK(text == row.renamed);
    auto a = analyze(text);
    REQUIRE(a->statements.size() == 1);
    CHECK(a->statements[0].name == std::string(row.name) + "_x");
  }
}

TEST_CASE("what a PREPARE prepares begins behind AS") {
  const std::pair<const char*, const char*> rows[] = {
      {"PREPARE p AS SELECT 1", " SELECT 1"},
      {" prepare \"as\" -- as\n (int, numeric(10, 2), \"odd)\".\"t(\", text[]) /* as */ as\nDELETE FROM t", "\nDELETE FROM t"},
      {"PREPARE p(int)AS(SELECT $1)", "(SELECT $1)"},
      {"PREPARE U&\"p\" AS SELECT 1", nullptr},
      {"PREPARE p('x') AS SELECT 1", nullptr},
      {"PREPARE p(int", nullptr},
      {"EXECUTE p", nullptr},
  };
  for (const auto& [text, rest] : rows) {
    INFO(text);
    auto begin = prepared_begin(text);
    CHECK(begin.has_value() == (rest != nullptr));
    if (begin && rest) CHECK(std::string_view(text).substr(*begin) == rest);
  }
}

TEST_CASE("an EXECUTE tells how many arguments it has") {
  CHECK(analyze("EXECUTE p")->statements[0].arguments == 0);
  CHECK(analyze("EXECUTE p(1, f(2, 3))")->statements[0].arguments == 2);
}
