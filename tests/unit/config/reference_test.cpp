// The printed reference is itself a configuration, and says everything about every setting.
#include "config/reference.hpp"

#include <catch2/catch.hpp>

#include "config/load.hpp"
#include "config/table.hpp"

using namespace pgtandem::config;

namespace {
std::optional<std::string> no_file(const std::string&) { return std::nullopt; }
}  // namespace

TEST_CASE("the reference loads, and what it loads are the defaults") {
  loaded l = load(reference(), {{"PGTANDEM_SOURCE", "host=a"}, {"PGTANDEM_TARGET", "host=b"}}, no_file);
  CHECK(describe(l.mistakes, "reference") ==
        "reference:5: source: its length in bytes must be 1 … 65536\n"
        "reference:9: target: its length in bytes must be 1 … 65536\n");
  for (const row& r : table())
    if (r.name != "source" && r.name != "target") CHECK(value_of(r, l.values) == value_of(r, settings()));
}

TEST_CASE("the reference names every setting with help, bounds and variable") {
  std::string text = reference(), table_text = reference_table();
  for (const row& r : table()) {
    INFO(r.name);
    CHECK(text.find(std::string(r.help)) != std::string::npos);
    CHECK(text.find(environment_name(r.name)) != std::string::npos);
    CHECK(table_text.find("| `" + std::string(r.name) + "` |") != std::string::npos);
  }
}

TEST_CASE("settings are shown without their secrets") {
  settings s;
  s.source = "password=hunter2";
  std::string text = shown(s);
  CHECK(text.find("hunter2") == std::string::npos);
  CHECK(text.find("source = (set)\n") != std::string::npos);
  CHECK(text.find("admin.token = (empty)\n") != std::string::npos);
  CHECK(text.find("listen.port = 6432\n") != std::string::npos);
}
