// A reload walks every row: reloadable settings are applied, the others are refused by name and keep their value.
#include "config/reload.hpp"

#include <catch2/catch.hpp>

#include "config/table.hpp"

using namespace pgtandem::config;

namespace {

// Another legal value than the one in `s`.
void change(const row& r, settings& s) {
  std::string now = value_of(r, s);
  if (type_of(r) == "number") {
    REQUIRE(assign(r, s, std::to_string(now == std::to_string(r.most) ? r.least : r.most)).empty());
  } else if (!r.choices.empty()) {
    std::string last(r.choices.substr(r.choices.rfind(' ') + 1));
    REQUIRE(assign(r, s, last).empty());
  } else {
    REQUIRE(assign(r, s, "other").empty());
  }
  REQUIRE(value_of(r, s) != now);
}

}  // namespace

TEST_CASE("each setting alone is applied or refused as its row says") {
  for (const row& r : table()) {
    INFO(r.name);
    settings wanted;
    change(r, wanted);
    reloaded result = reload(settings(), wanted);
    CHECK(result.applied.size() == (r.reloadable ? 1 : 0));
    CHECK(result.refused.size() == (r.reloadable ? 0 : 1));
    CHECK(value_of(r, result.values) == value_of(r, r.reloadable ? wanted : settings()));
  }
}

TEST_CASE("nothing changed, nothing named") {
  reloaded result = reload(settings(), settings());
  CHECK(result.applied.empty());
  CHECK(result.refused.empty());
}
