#include "proxy/session/image.hpp"

#include <catch2/catch.hpp>

using namespace pgtandem;

namespace {

// Fields by '|', NULL as "-"; "!" if refused.
std::string parsed(std::string_view text) {
  std::vector<session::field> fields;
  if (!session::parse_record(text, fields)) return "!";
  std::string out;
  for (const auto& f : fields) out += (f ? "'" + *f + "'" : std::string("-")) + "|";
  return out;
}

struct row {
  const char *text, *fields;
};
const row records[] = {
    {"()", ""},
    {"(1)", "'1'|"},
    {"(1,foo)", "'1'|'foo'|"},
    {"(,)", "-|-|"},
    {"(1,,3)", "'1'|-|'3'|"},
    {"(\"\")", "''|"},
    {"(\"a,b\",\"(c)\")", "'a,b'|'(c)'|"},
    {"(\"a\"\"b\")", "'a\"b'|"},
    {"(\"a\\\\b\")", "'a\\b'|"},
    {"(\" x \",y z)", "' x '|'y z'|"},
    {"(\"{1,2}\",\"{\"\"a b\"\",NULL}\")", "'{1,2}'|'{\"a b\",NULL}'|"},
    {"(\"(1,\"\"x y\"\")\",z)", "'(1,\"x y\")'|'z'|"},
    {"(\"line\nbreak\",\xc3\xa9)", "'line\nbreak'|'\xc3\xa9'|"},
    {"(NULL,null)", "'NULL'|'null'|"},
};

}  // namespace

TEST_CASE("a record's text is taken apart as record_out wrote it") {
  for (const row& r : records) {
    INFO(r.text);
    CHECK(parsed(r.text) == r.fields);
  }
}

TEST_CASE("a record cut anywhere is refused, and so is one with a tail") {
  for (const row& r : records) {
    const std::string text = r.text;
    for (std::size_t n = 0; n < text.size(); ++n) {
      INFO(text << " cut at " << n);
      const std::string cut = parsed(text.substr(0, n));
      // A closing parenthesis inside an unquoted-looking part could end a shorter record; record_out quotes those.
      CHECK(cut == "!");
    }
    CHECK(parsed(text + "x") == "!");
    CHECK(parsed("x" + text) == "!");
  }
}
