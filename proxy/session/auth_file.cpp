#include "proxy/session/auth_file.hpp"

#include <algorithm>
#include <optional>

namespace pgtandem::session {
namespace {

constexpr std::string_view blanks = " \t\r";

void skip_blanks(std::string_view& text) { text.remove_prefix(std::min(text.find_first_not_of(blanks), text.size())); }

bool is_end(std::string_view text) { return text.empty() || text.front() == ';' || text.front() == '#'; }

// Takes a quoted text off `line`. Nothing if it does not begin with a quote or does not end on this line.
std::optional<std::string> take_quoted(std::string_view& line) {
  if (!line.starts_with('"')) return std::nullopt;
  std::string value;
  for (std::size_t at = 1; at < line.size(); ++at) {
    if (line[at] == '"') {
      if (line.substr(at + 1, 1) != "\"") {
        line.remove_prefix(at + 1);
        return value;
      }
      ++at;
    }
    value += line[at];
  }
  return std::nullopt;
}

// What is wrong with the line, empty = nothing.
std::string read_line(std::string_view line, auth_file& file) {
  skip_blanks(line);
  if (is_end(line)) return {};
  const std::optional<std::string> user = take_quoted(line);
  if (!user) return "expected a user name in double quotes";
  if (user->empty()) return "the user name is empty";
  skip_blanks(line);
  const std::optional<std::string> secret = take_quoted(line);
  if (!secret) return "expected the secret of user \"" + *user + "\" in double quotes";
  skip_blanks(line);
  if (!is_end(line)) return "unexpected text after the secret of user \"" + *user + '"';
  if (user->find('\0') != std::string::npos || secret->find('\0') != std::string::npos) return "a zero byte";
  if (!file.secrets.emplace(*user, *secret).second) return "user \"" + *user + "\" is listed twice";
  return {};
}

}  // namespace

auth_file parse_auth_file(std::string_view text) {
  auth_file file;
  if (text.size() > auth_file_max) {
    file.mistakes.push_back({0, "the file is larger than " + std::to_string(auth_file_max) + " bytes"});
    return file;
  }
  for (std::size_t number = 1; !text.empty() && file.mistakes.size() < auth_mistakes_max; ++number) {
    const std::size_t end = text.find('\n');
    const std::string_view line = text.substr(0, end);
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    if (std::string wrong = read_line(line, file); !wrong.empty()) file.mistakes.push_back({number, std::move(wrong)});
  }
  return file;
}

}  // namespace pgtandem::session
