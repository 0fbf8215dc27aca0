#include "proxy/sql/prepare_text.hpp"

#include <algorithm>
#include <string>

namespace pgtandem::sql {
namespace {

bool is_space(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }
char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }
bool is_name_start(char c) { return (lower(c) >= 'a' && lower(c) <= 'z') || c == '_' || static_cast<unsigned char>(c) >= 0x80; }
bool is_name(char c) { return is_name_start(c) || (c >= '0' && c <= '9') || c == '$'; }

// Reads tokens from the front of a text, as far as the heads of these two statements need.
class reader {
 public:
  explicit reader(std::string_view text) : text_(text) {}
  std::size_t at() const { return at_; }
  char next() const { return peek(0); }
  void skip() { ++at_; }
  bool done() const { return at_ >= text_.size(); }

  void blanks() {
    for (;;) {
      while (is_space(next())) ++at_;
      if (next() == '-' && peek(1) == '-') at_ = std::min(text_.find_first_of("\r\n", at_), text_.size());
      else if (next() == '/' && peek(1) == '*') block_comment();
      else return;
    }
  }

  bool keyword(std::string_view wanted) {
    blanks();
    return is_name_start(next()) && word() == wanted;
  }

  // A name as PostgreSQL folds it (beyond ASCII it depends on the server: left alone). Nothing for U&"…".
  std::optional<std::string> name() {
    blanks();
    if (next() == '"') return quoted();
    if (!is_name_start(next())) return std::nullopt;
    std::string out = word();
    if (out == "u" && next() == '&' && peek(1) == '"') return std::nullopt;
    return out;
  }

 private:
  char peek(std::size_t n) const { return at_ + n < text_.size() ? text_[at_ + n] : '\0'; }

  std::string word() {
    std::string out;
    for (; is_name(next()); ++at_) out += lower(next());
    return out;
  }

  std::optional<std::string> quoted() {
    std::string out;
    for (++at_; !done(); ++at_) {
      if (next() == '"' && peek(1) == '"') ++at_;
      else if (next() == '"') {
        ++at_;
        return out;
      }
      out += next();
    }
    return std::nullopt;
  }

  void block_comment() {
    std::size_t depth = 0;
    while (!done()) {
      const bool opens = next() == '/' && peek(1) == '*', closes = next() == '*' && peek(1) == '/';
      at_ += opens || closes ? 2 : 1;
      if (opens) ++depth;
      if (closes && --depth == 0) return;
    }
  }

  std::string_view text_;
  std::size_t at_ = 0;
};

// A list of types: names, numbers, brackets; strings do not occur in one.
bool skip_types(reader& r) {
  std::size_t depth = 0;
  while (!r.done()) {
    r.blanks();
    const char c = r.next();
    if (c == '\'' || c == '\0') return false;
    if (c == '"') {
      if (!r.name()) return false;
      continue;
    }
    if (c == '(') ++depth;
    r.skip();
    if (c == ')' && --depth == 0) return true;
  }
  return false;
}

}  // namespace

std::optional<std::size_t> execute_name_end(std::string_view text, std::string_view name) {
  reader r(text);
  if (!r.keyword("execute")) return std::nullopt;
  auto found = r.name();
  if (!found || *found != name) return std::nullopt;
  return text[r.at() - 1] == '"' ? r.at() - 1 : r.at();
}

std::optional<std::size_t> prepared_begin(std::string_view text) {
  reader r(text);
  if (!r.keyword("prepare") || !r.name()) return std::nullopt;
  r.blanks();
  if (r.next() == '(' && !skip_types(r)) return std::nullopt;
  if (!r.keyword("as")) return std::nullopt;
  return r.at();
}

}  // namespace pgtandem::sql
