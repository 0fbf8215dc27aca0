#include "reconcile/text_array.hpp"

#include <catch2/catch.hpp>

using namespace pgtandem::reconcile;

TEST_CASE("array literals are written and read back exactly") {
  const std::vector<cells> table{
      {}, {"a"}, {""}, {std::nullopt}, {"NULL"}, {"a,b", "{c}", "\"q\"", "\\", " x "}, {"1", std::nullopt, "3"}};
  for (const cells& row : table) {
    const auto back = parse_array(to_array(row));
    REQUIRE(back);
    CHECK(*back == row);
  }
}

TEST_CASE("array literals as PostgreSQL writes them") {
  CHECK(parse_array("{1,b,NULL}") == cells{"1", "b", std::nullopt});
  CHECK(parse_array(R"({"a b","c\"d"})") == cells{"a b", "c\"d"});
}

TEST_CASE("what is no one-dimensional array literal is refused") {
  for (const char* text : {"", "{", "}", "a", "{a", "{a,}", "{,a}", "{{a},{b}}", "{\"a}", "{a}b}", "{\"a\"b}", "{a\\}"})
    CHECK_FALSE(parse_array(text));
}
