#include "proxy/sql/sql_comments.hpp"

#include <cstddef>

namespace pgtandem::sql {
namespace {

constexpr std::string_view key_name = "idempotency_key";
constexpr std::size_t npos = std::string_view::npos;

bool is_space(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }
bool is_name_start(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || static_cast<unsigned char>(c) >= 0x80;
}
bool is_name(char c) { return is_name_start(c) || (c >= '0' && c <= '9') || c == '$'; }

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

// What is not a valid escape stays as it is; so does %00, which no text in PostgreSQL can hold.
std::string url_decoded(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    int high = text[i] == '%' && i + 2 < text.size() ? hex_digit(text[i + 1]) : -1;
    int low = high >= 0 ? hex_digit(text[i + 2]) : -1;
    if (low < 0 || high + low == 0) {
      out += text[i];
    } else {
      out += static_cast<char>(high * 16 + low);
      i += 2;
    }
  }
  return out;
}

// The value that starts at `i` with its opening quote; \' inside it is a quote.
std::optional<std::string> quoted_value(std::string_view text, std::size_t i) {
  std::string raw;
  for (++i; i < text.size(); ++i) {
    if (text[i] == '\'') return url_decoded(raw);
    if (text[i] == '\\' && i + 1 < text.size()) ++i;
    raw += text[i];
  }
  return std::nullopt;
}

std::size_t skip_spaces(std::string_view text, std::size_t i) {
  while (i < text.size() && is_space(text[i])) ++i;
  return i;
}

std::optional<std::string> key_in_comment(std::string_view comment) {
  for (std::size_t at = comment.find(key_name); at != npos; at = comment.find(key_name, at + 1)) {
    if (at > 0 && comment[at - 1] != ',' && comment[at - 1] != '*' && !is_space(comment[at - 1])) continue;
    std::size_t i = skip_spaces(comment, at + key_name.size());
    if (i >= comment.size() || comment[i] != '=') continue;
    i = skip_spaces(comment, i + 1);
    if (i >= comment.size() || comment[i] != '\'') continue;
    if (auto value = quoted_value(comment, i); value && !value->empty()) return value;
  }
  return std::nullopt;
}

// Walks a text token by token, as far as quotes and comments go. Each step returns where the next one starts.
class scanner {
 public:
  scanner(std::string_view sql, bool standard_strings) : sql_(sql), plain_escapes_(!standard_strings) {}

  std::optional<std::string> run() {
    std::size_t i = 0;
    while (i < sql_.size() && !found_) i = step(i);
    return std::move(found_);
  }

 private:
  char at(std::size_t i) const { return i < sql_.size() ? sql_[i] : '\0'; }

  std::size_t step(std::size_t i) {
    char c = sql_[i];
    if (c == '\'') return quoted(i, '\'', plain_escapes_);
    if (c == '"') return quoted(i, '"', false);
    if (c == '-' && at(i + 1) == '-') return line_comment(i);
    if (c == '/' && at(i + 1) == '*') return block_comment(i);
    if (c == '$') return dollar(i);
    if (is_name_start(c)) return word(i);
    return i + 1;
  }

  // A doubled quote ends one part and begins the next, which comes to the same.
  std::size_t quoted(std::size_t i, char quote, bool escapes) const {
    for (++i; i < sql_.size(); ++i) {
      if (escapes && sql_[i] == '\\')
        ++i;
      else if (sql_[i] == quote && escapes && at(i + 1) == quote)
        ++i;
      else if (sql_[i] == quote)
        return i + 1;
    }
    return sql_.size();
  }

  std::size_t line_comment(std::size_t i) const {
    std::size_t end = sql_.find_first_of("\r\n", i);
    return end == npos ? sql_.size() : end;
  }

  std::size_t block_comment(std::size_t begin) {
    std::size_t depth = 0, i = begin;
    while (i < sql_.size()) {
      if (sql_[i] == '/' && at(i + 1) == '*') {
        ++depth;
        i += 2;
      } else if (sql_[i] == '*' && at(i + 1) == '/') {
        i += 2;
        if (--depth == 0) break;
      } else {
        ++i;
      }
    }
    found_ = depth == 0 ? key_in_comment(sql_.substr(begin + 2, i - begin - 4)) : std::nullopt;
    return i;
  }

  // $tag$…$tag$, or a parameter such as $1.
  std::size_t dollar(std::size_t i) const {
    std::size_t tag_end = i + 1;
    if (is_name_start(at(tag_end)))
      while (is_name(at(tag_end)) && at(tag_end) != '$') ++tag_end;
    if (at(tag_end) != '$') return i + 1;
    std::string_view tag = sql_.substr(i, tag_end + 1 - i);
    std::size_t close = sql_.find(tag, tag_end + 1);
    return close == npos ? sql_.size() : close + tag.size();
  }

  // A name; E or e directly before a quote makes its backslashes escapes.
  std::size_t word(std::size_t i) const {
    std::size_t end = i;
    while (is_name(at(end))) ++end;
    bool escape_string = end == i + 1 && (sql_[i] == 'e' || sql_[i] == 'E') && at(end) == '\'';
    return escape_string ? quoted(end, '\'', true) : end;
  }

  std::string_view sql_;
  bool plain_escapes_;  // a plain string escapes with backslashes
  std::optional<std::string> found_;
};

}  // namespace

std::optional<std::string> find_idempotency_key(std::string_view sql, bool standard_strings) {
  if (sql.find(key_name) == npos) return std::nullopt;
  return scanner(sql, standard_strings).run();
}

}  // namespace pgtandem::sql
