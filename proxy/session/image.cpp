#include "proxy/session/image.hpp"

namespace pgtandem::session {
namespace {

// One field from `at`; stops before the comma or parenthesis that ends it.
bool parse_field(std::string_view text, std::size_t& at, field& out) {
  if (at < text.size() && (text[at] == ',' || text[at] == ')')) {
    out.reset();
    return true;
  }
  std::string value;
  bool quoted = false;
  for (; at < text.size(); ++at) {
    char c = text[at];
    if (c == '"') {
      if (quoted && at + 1 < text.size() && text[at + 1] == '"') value += text[++at];
      else quoted = !quoted;
    } else if (c == '\\') {
      if (++at == text.size()) return false;
      value += text[at];
    } else if (!quoted && (c == ',' || c == ')')) {
      out = std::move(value);
      return true;
    } else {
      value += c;
    }
  }
  return false;
}

}  // namespace

bool parse_record(std::string_view text, std::vector<field>& out) {
  out.clear();
  if (text.size() < 2 || text.front() != '(') return false;
  std::size_t at = 1;
  if (text == "()") return true;
  for (;;) {
    field f;
    if (!parse_field(text, at, f)) return false;
    out.push_back(std::move(f));
    if (text[at] == ')') return at + 1 == text.size();
    ++at;
    if (at == text.size()) return false;
  }
}

}  // namespace pgtandem::session
