// From text to settings, and every mistake that a file can have.
#include "config/load.hpp"

#include <catch2/catch.hpp>

using namespace pgtandem::config;

namespace {

std::optional<std::string> read_fake(const std::string& path) {
  if (path == "/secrets/source") return "host=a password=p\n";
  if (path == "/secrets/token") return "t0k\r\n\n";
  return std::nullopt;
}

loaded from(std::string_view text, const environment& variables = {}) { return load(text, variables, read_fake); }

const std::string both = "source: host=a\ntarget: host=b\n";  // two lines

}  // namespace

TEST_CASE("a small file gives its values and the defaults") {
  loaded l = from(both + "listen: {port: 7000}\nscope:\n  exclude: [public.audit_*, 'tmp.*']\nlog:\n  level: debug\n");
  REQUIRE(l.ok());
  CHECK(l.values.source == "host=a");
  CHECK(l.values.listen.port == 7000);
  CHECK(l.values.listen.address == "127.0.0.1");
  CHECK(l.values.scope.exclude == std::vector<std::string>{"public.audit_*", "tmp.*"});
  CHECK(l.values.log.level == "debug");
  CHECK(l.values.dual_write.budget_ms == 250);
}

TEST_CASE("each mistake is found with its line") {
  struct mistaken {
    std::string lines;  // after the two lines of `both`
    int line;
    std::string setting, text;
  };
  const mistaken rows[] = {
      {"listen: {prot: 1}", 3, "listen.prot", "unknown setting; did you mean listen.port?"},
      {"\nport: 6432", 4, "port", "unknown setting; did you mean listen.port?"},
      {"wholly_else: 1", 3, "wholly_else", "unknown setting"},
      {"admin:\n  token_fil: x", 4, "admin.token_fil", "unknown setting; did you mean admin.token_file?"},
      {"listen:\n  port: http", 4, "listen.port", "a whole number is needed"},
      {"listen:\n  port: 0", 4, "listen.port", "it must be 1 … 65535"},
      {"listen:\n  port: [1, 2]", 4, "listen.port", "one value is needed, not a list"},
      {"listen:\n  port:", 4, "listen.port", "a whole number is needed"},
      {"dual_write:\n  budget_ms: 10s", 4, "dual_write.budget_ms", "a whole number of ms is needed"},
      {"dual_write:\n  policy: hope", 4, "dual_write.policy", "it must be degrade | strict"},
      {"scope: {exclude: public.t}", 3, "scope.exclude", "a list is needed, as in [a, b]"},
      {"scope: {exclude: [[a]]}", 3, "", "scope.exclude: its entries must be plain values"},
      {"listen: 6432", 3, "listen", "is a group of settings, not a setting"},
      {"log: {level: info}\nlog: {level: info}", 4, "log.level", "is given twice"},
      {"source: host=c", 3, "source", "is given twice"},
      {"admin: {token: a, token_file: /secrets/token}", 3, "admin.token_file", "is given beside admin.token"},
      {"admin: {token_file: /none}", 3, "admin.token_file", "cannot read /none"},
      {"auth: {method: scram-sha-256}", 3, "auth.method", "scram-sha-256 needs auth.file or auth.query"},
      {"admin: {port: 6432}", 3, "admin.port", "is also listen.port"},
      {"session:\n  high_water_bytes: 4096", 4, "session.high_water_bytes", "must not be below session.buffer_bytes"},
  };
  for (const mistaken& row : rows) {
    INFO(row.lines);
    loaded l = from(both + row.lines + "\n");
    REQUIRE(l.mistakes.size() == 1);
    CHECK(l.mistakes[0].line == row.line);
    CHECK(l.mistakes[0].setting == row.setting);
    CHECK(l.mistakes[0].text == row.text);
  }
}

TEST_CASE("all mistakes are reported together, by line") {
  loaded l = from("listen: {port: 0}\nlog: {level: loud}\nsurce: x\n");
  REQUIRE(l.mistakes.size() == 5);
  CHECK(describe(l.mistakes, "p.yaml") ==
        "p.yaml: source: is needed (or source_file, or PGTANDEM_SOURCE)\n"
        "p.yaml: target: is needed (or target_file, or PGTANDEM_TARGET)\n"
        "p.yaml:1: listen.port: it must be 1 … 65535\n"
        "p.yaml:2: log.level: it must be debug | info | warning | error\n"
        "p.yaml:3: surce: unknown setting; did you mean source?\n");
}

TEST_CASE("what is not a configuration is a mistake, not a crash") {
  for (const char* text :
       {"- a\n- b\n", "just words\n", "a: [\n", "\t: x", "{{{{{{{{{{", "? [a]\n: b\n", "&a [*a]", "a: &x [*x]"})
    CHECK_FALSE(from(text).ok());
  CHECK_FALSE(from(std::string(5u << 20, '#')).ok());
  CHECK_FALSE(from(std::string(100, '[')).ok());
  CHECK(from("").mistakes.size() == 2);  // only source and target are missing
}

TEST_CASE("the environment comes before the file") {
  loaded l = from(both + "listen: {port: 7000}\n", {{"PGTANDEM_LISTEN_PORT", "7001"},
                                                    {"PGTANDEM_SCOPE_EXCLUDE", "a.*, b.c"},
                                                    {"PGTANDEM_SOURCE_FILE", "/secrets/source"},
                                                    {"PGTANDEM_SERVICE_HOST", "10.0.0.1"},
                                                    {"OTHER", "x"}});
  REQUIRE(l.ok());
  CHECK(l.values.listen.port == 7001);
  CHECK(l.values.scope.exclude == std::vector<std::string>{"a.*", "b.c"});
  CHECK(l.values.source == "host=a password=p");
  l = from(both, {{"PGTANDEM_LISTEN_PORT", "none"}});
  REQUIRE(l.mistakes.size() == 1);
  CHECK(l.mistakes[0].setting == "PGTANDEM_LISTEN_PORT");
  CHECK(l.mistakes[0].line == 0);
}

TEST_CASE("a secret comes from its file without the last line break") {
  loaded l = from("source_file: /secrets/source\ntarget: host=b\nadmin: {token_file: /secrets/token}\n");
  REQUIRE(l.ok());
  CHECK(l.values.source == "host=a password=p");
  CHECK(l.values.admin.token == "t0k");
}

TEST_CASE("no mistake shows a secret's value") {
  std::string huge(70000, 'S');
  loaded l = from("source: " + huge + "\ntarget: [hunter2]\nadmin: {token: " + huge + "}\n");
  CHECK(l.mistakes.size() == 3);
  std::string all = describe(l.mistakes, "f");
  CHECK(all.find("SSS") == std::string::npos);
  CHECK(all.find("hunter2") == std::string::npos);
}
