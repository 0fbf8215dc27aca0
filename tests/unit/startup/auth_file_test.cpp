#include "proxy/session/auth_file.hpp"

#include <catch2/catch.hpp>

using namespace pgtandem::session;

TEST_CASE("pairs, comments, doubled quotes") {
  const auth_file f = parse_auth_file(
      "; a comment\n"
      "# another\n"
      "\n"
      "\"ann\" \"pencil\"\n"
      "  \"bob\"\t\"md5aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\" ; his\r\n"
      "\"c\"\"d\" \"a \"\"quoted\"\" secret # inside\" # outside\n"
      "\"empty\" \"\"\n"
      "\"last\" \"without an end of line\"");
  CHECK(f.mistakes.empty());
  CHECK(f.secrets == std::unordered_map<std::string, std::string>{
                         {"ann", "pencil"},
                         {"bob", "md5aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"},
                         {"c\"d", "a \"quoted\" secret # inside"},
                         {"empty", ""},
                         {"last", "without an end of line"},
                     });
}

TEST_CASE("every mistake is reported with its line, and none tells a secret") {
  const auth_file f = parse_auth_file(
      "ann \"hidden\"\n"
      "\"ann\"\n"
      "\"ann\" hidden\n"
      "\"ann\" \"hidden\n"
      "\"ann \"hidden\"\n"
      "\"\" \"hidden\"\n"
      "\"ann\" \"hidden\" more\n"
      "\"ann\" \"hidden\"\n"
      "\"ann\" \"hidden again\"\n");
  std::vector<std::size_t> lines;
  for (const auth_mistake& m : f.mistakes) {
    lines.push_back(m.line);
    CHECK(m.message.find("hidden") == std::string::npos);
  }
  CHECK(lines == std::vector<std::size_t>{1, 2, 3, 4, 5, 6, 7, 9});
}

TEST_CASE("bounds") {
  CHECK(parse_auth_file("").mistakes.empty());
  CHECK(parse_auth_file(std::string(auth_file_max + 1, '\n')).mistakes.size() == 1);
  std::string wrong;
  for (std::size_t i = 0; i < 2 * auth_mistakes_max; ++i) wrong += "x\n";
  CHECK(parse_auth_file(wrong).mistakes.size() == auth_mistakes_max);
}
