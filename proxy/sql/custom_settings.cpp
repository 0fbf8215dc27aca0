#include "proxy/sql/custom_settings.hpp"

#include <algorithm>
#include <iterator>

namespace pgtandem::sql {
namespace {

bool is_space(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }
char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }
bool is_start(char c) {
  return (lower(c) >= 'a' && lower(c) <= 'z') || c == '_' || static_cast<unsigned char>(c) >= 0x80;
}
bool is_part(char c) { return is_start(c) || (c >= '0' && c <= '9') || c == '$'; }

// Walks over a text; what it takes is gone from it.
class taker {
 public:
  explicit taker(std::string_view text) : rest_(text) {}
  bool done() const { return rest_.empty(); }
  void skip() { rest_.remove_prefix(1); }

  void blanks() {
    while (!rest_.empty() && is_space(rest_.front())) skip();
  }
  bool sign(char c) {
    blanks();
    if (rest_.empty() || rest_.front() != c) return false;
    skip();
    return true;
  }
  std::string_view word() {
    std::size_t n = 0;
    if (!rest_.empty() && is_start(rest_.front()))
      while (n < rest_.size() && is_part(rest_[n])) ++n;
    return cut(n);
  }
  // a.b.c, its parts quoted or not
  std::string dotted() {
    std::string name;
    blanks();
    for (;;) {
      const bool quoted = !rest_.empty() && rest_.front() == '"';
      if (quoted) skip();
      std::string_view part = quoted ? cut(std::min(rest_.find('"'), rest_.size())) : word();
      if (quoted && !rest_.empty()) skip();
      if (part.empty()) return {};
      name += part;
      if (rest_.empty() || rest_.front() != '.') return name;
      name += '.';
      skip();
    }
  }
  // '…' or, inside of another string, ''…''
  std::string_view quoted() {
    if (!sign('\'')) return {};
    while (!rest_.empty() && rest_.front() == '\'') skip();
    return cut(std::min(rest_.find('\''), rest_.size()));
  }

 private:
  std::string_view cut(std::size_t n) {
    std::string_view taken = rest_.substr(0, n);
    rest_.remove_prefix(n);
    return taken;
  }
  std::string_view rest_;
};

bool is_word(std::string_view word, std::string_view wanted) {
  return std::equal(word.begin(), word.end(), wanted.begin(), wanted.end(),
                    [](char a, char b) { return lower(a) == b; });
}

}  // namespace

bool is_custom_setting(std::string_view name) { return name.find('.') != std::string_view::npos; }

std::vector<std::string> custom_settings_in(std::string_view source) {
  std::vector<std::string> found;
  auto note = [&](std::string_view name) {
    if (!is_custom_setting(name)) return;
    std::transform(name.begin(), name.end(), std::back_inserter(found.emplace_back()), lower);
  };
  for (taker t(source); !t.done();) {
    const std::string_view word = t.word();
    if (word.empty()) {
      t.skip();
    } else if (is_word(word, "set_config")) {
      if (t.sign('(')) note(t.quoted());
    } else if (is_word(word, "set")) {
      taker ahead = t;
      ahead.blanks();
      const std::string_view scope = ahead.word();
      if (is_word(scope, "session") || is_word(scope, "local")) t = ahead;
      note(t.dotted());
    }
  }
  return found;
}

}  // namespace pgtandem::sql
