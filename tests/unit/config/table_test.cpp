// Walks the table of settings: every row at its bounds, just outside them, and with the wrong type.
#include "config/table.hpp"

#include <catch2/catch.hpp>
#include <set>

using namespace pgtandem::config;

TEST_CASE("every default is within its own bounds") {
  for (const row& r : table()) {
    INFO(r.name);
    settings s;
    bool needed = r.name == "source" || r.name == "target";
    CHECK(assign(r, s, value_of(r, settings())).empty() != needed);
  }
}

TEST_CASE("names are unique, and so are their environment variables") {
  std::set<std::string> names, variables;
  for (const row& r : table()) {
    CHECK(names.emplace(r.name).second);
    CHECK(variables.insert(environment_name(r.name)).second);
    CHECK(find(r.name) == &r);
  }
  CHECK(find("listen") == nullptr);
}

TEST_CASE("every setting is explained, and a duration or size says its unit") {
  for (const row& r : table()) {
    INFO(r.name);
    CHECK(r.help.size() > 15);
    CHECK(r.help.back() == '.');
    if (r.name.ends_with("_ms")) CHECK(r.unit == "ms");
    if (r.name.ends_with("_seconds")) CHECK(r.unit == "s");
    if (r.name.ends_with("_bytes")) CHECK(r.unit == "bytes");
    if (r.unit == "ms") CHECK(r.name.ends_with("_ms"));
    if (r.unit == "s") CHECK(r.name.ends_with("_seconds"));
  }
}

TEST_CASE("every number is taken at its bounds and refused beyond them") {
  for (const row& r : table()) {
    if (type_of(r) != "number") continue;
    INFO(r.name);
    settings s;
    for (std::uint64_t good : {r.least, r.most}) {
      CHECK(assign(r, s, std::to_string(good)).empty());
      CHECK(value_of(r, s) == std::to_string(good));
    }
    CHECK_FALSE(assign(r, s, std::to_string(r.most + 1)).empty());
    if (r.least > 0) CHECK_FALSE(assign(r, s, std::to_string(r.least - 1)).empty());
    for (const char* bad : {"", "x", "-1", "1.5", "10ms", " 7", "0x10", "99999999999999999999999"})
      CHECK_FALSE(assign(r, s, bad).empty());
    CHECK(value_of(r, s) == std::to_string(r.most));  // a refused value changes nothing
    CHECK_FALSE(assign_list(r, s, {"1"}).empty());
  }
}

TEST_CASE("every text is taken at its bounds and refused beyond them") {
  for (const row& r : table()) {
    if (type_of(r) != "text" || !r.choices.empty()) continue;
    INFO(r.name);
    settings s;
    CHECK(assign(r, s, std::string(r.most, 'x')).empty());
    CHECK_FALSE(assign(r, s, std::string(r.most + 1, 'x')).empty());
    CHECK(assign(r, s, "").empty() == (r.least == 0));
  }
}

TEST_CASE("every choice is taken and nothing else") {
  int seen = 0;
  for (const row& r : table()) {
    if (r.choices.empty()) continue;
    INFO(r.name);
    settings s;
    std::string all(r.choices);
    for (std::size_t at = 0; at != std::string::npos;) {
      std::size_t end = all.find(' ', at);
      std::string choice = all.substr(at, end - at);
      CHECK(assign(r, s, choice).empty());
      CHECK(value_of(r, s) == choice);
      at = end == std::string::npos ? end : end + 1;
    }
    for (const char* bad : {"", "Degrade", "none", "trust scram-sha-256"}) CHECK_FALSE(assign(r, s, bad).empty());
    ++seen;
  }
  CHECK(seen == 4);
}

TEST_CASE("every list is taken at its bounds and refused beyond them") {
  for (const row& r : table()) {
    if (type_of(r) != "list") continue;
    INFO(r.name);
    settings s;
    CHECK(assign_list(r, s, {}).empty());
    CHECK(assign(r, s, "a, b,,c").empty());
    CHECK(value_of(r, s) == "a,b,c");
    CHECK(assign_list(r, s, std::vector<std::string>(r.most, "x")).empty());
    CHECK_FALSE(assign_list(r, s, std::vector<std::string>(r.most + 1, "x")).empty());
  }
}
