#include "proxy/sql/shape.hpp"

#include <array>
#include <cstdint>

namespace pgtandem::sql {
namespace {

constexpr std::size_t none = std::string_view::npos;
constexpr std::uint64_t int4_max = 0x7fffffff;

enum class kind : std::uint8_t { other, control, name, digit, quote, double_quote, dollar, minus, slash };

constexpr std::array<kind, 256> kinds = [] {
  std::array<kind, 256> k{};
  for (int c = 0; c < 256; ++c) {
    if (c <= 8) k[c] = kind::control;
    if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c >= 0x80) k[c] = kind::name;
    if (c >= '0' && c <= '9') k[c] = kind::digit;
  }
  k['\''] = kind::quote;
  k['"'] = kind::double_quote;
  k['$'] = kind::dollar;
  k['-'] = kind::minus;
  k['/'] = kind::slash;
  return k;
}();

kind of(char c) { return kinds[static_cast<unsigned char>(c)]; }
bool continues_name(char c) { return of(c) == kind::name || of(c) == kind::digit || c == '$'; }
bool is_space(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }

// Walks the text token by token, as far as constants, names and comments go. A step answers where the next token
// begins, or `none`: no shape.
class scanner {
 public:
  scanner(std::string_view sql, shape& out) : sql_(sql), out_(out) {}

  bool run() {
    std::size_t i = 0;
    while (i < sql_.size()) {
      i = step(i);
      if (i == none) return false;
    }
    out_.text.append(sql_.substr(copied_));
    return true;
  }

 private:
  char at(std::size_t i) const { return i < sql_.size() ? sql_[i] : ' '; }

  std::size_t step(std::size_t i) {
    switch (of(sql_[i])) {
      case kind::control:
        return none;
      case kind::name:
        return name(i);
      case kind::digit:
        return number(i);
      case kind::quote:
        return string(i, i, false);
      case kind::double_quote:
        return past_quote(i, '"', false);
      case kind::dollar:
        return parameter(i);
      case kind::minus:
        return at(i + 1) == '-' ? line_comment(i) : i + 1;
      case kind::slash:
        return at(i + 1) == '*' ? block_comment(i) : i + 1;
      case kind::other:
        break;
    }
    return i + 1;
  }

  std::size_t take_out(std::size_t from, std::size_t to, shape_mark mark) {
    out_.text.append(sql_.substr(copied_, from - copied_));
    out_.cuts.push_back({out_.text.size(), to - from});
    out_.text += static_cast<char>(mark);
    return copied_ = to;
  }

  // A name; directly before a quote it is the quote's prefix.
  std::size_t name(std::size_t i) {
    std::size_t end = i + 1;
    while (end < sql_.size() && continues_name(sql_[end])) ++end;
    if (at(end) == '&' && (at(end + 1) == '\'' || at(end + 1) == '"')) return none;
    if (at(end) != '\'') return end;
    const bool escape_string = end == i + 1 && (sql_[i] == 'E' || sql_[i] == 'e');
    return escape_string ? string(i, end, true) : none;
  }

  // Digits, or digits.digits, that touch nothing else of a number or a name.
  std::size_t number(std::size_t i) {
    std::size_t end = past_digits(i);
    const bool fraction = at(end) == '.' && of(at(end + 1)) == kind::digit;
    const std::size_t whole_end = end;
    if (fraction) end = past_digits(end + 1);
    const char before = i > 0 ? sql_[i - 1] : ' ';
    if (before == '.' || before == '$' || at(end) == '.' || continues_name(at(end))) return end;
    return take_out(i, end, !fraction && fits_int4(i, whole_end) ? mark_integer : mark_number);
  }

  std::size_t past_digits(std::size_t i) const {
    while (i < sql_.size() && of(sql_[i]) == kind::digit) ++i;
    return i;
  }

  bool fits_int4(std::size_t i, std::size_t end) const {
    std::uint64_t value = 0;
    for (; i < end && value <= int4_max; ++i) value = value * 10 + static_cast<std::uint64_t>(sql_[i] - '0');
    return value <= int4_max;
  }

  // A string whose first quote is at `quote`, with its prefix from `from` on. Behind white space with a line end a
  // further quote would continue it (scan.l, quotecontinue); what the continuation of E'…' means is not decided here.
  std::size_t string(std::size_t from, std::size_t quote, bool escapes) {
    const std::size_t end = past_quote(quote, '\'', escapes);
    if (end == none) return none;
    if (escapes) {
      std::size_t next = end;
      while (next < sql_.size() && is_space(sql_[next])) ++next;
      if (at(next) == '\'' || at(next) == '-') return none;
    }
    return take_out(from, end, escapes ? mark_escape_string : mark_string);
  }

  // Behind the quote that ends what begins at `i`; a doubled one does not end it.
  std::size_t past_quote(std::size_t i, char quote, bool escapes) const {
    for (++i; i < sql_.size(); ++i) {
      if (sql_[i] == '\0' || (quote == '"' && of(sql_[i]) == kind::control)) return none;
      if (escapes && sql_[i] == '\\') {
        ++i;
      } else if (sql_[i] == quote) {
        if (at(i + 1) != quote) return i + 1;
        ++i;
      }
    }
    return none;
  }

  // $1; anything else would be a dollar quote.
  std::size_t parameter(std::size_t i) const {
    const std::size_t end = past_digits(i + 1);
    return end == i + 1 || continues_name(at(end)) ? none : end;
  }

  std::size_t line_comment(std::size_t i) const {
    while (i < sql_.size() && sql_[i] != '\n' && sql_[i] != '\r') {
      if (of(sql_[i]) == kind::control) return none;
      ++i;
    }
    return i;
  }

  std::size_t block_comment(std::size_t begin) {
    std::size_t depth = 0, i = begin;
    while (i < sql_.size()) {
      if (sql_[i] == '\0') return none;
      if (sql_[i] == '/' && at(i + 1) == '*') {
        ++depth;
        i += 2;
      } else if (sql_[i] == '*' && at(i + 1) == '/') {
        i += 2;
        if (--depth == 0) return take_out(begin, i, mark_comment);
      } else {
        ++i;
      }
    }
    return none;
  }

  std::string_view sql_;
  shape& out_;
  std::size_t copied_ = 0;  // what is before it is in the shape
};

}  // namespace

bool find_shape(std::string_view sql, shape& out) {
  out.text.clear();
  out.cuts.clear();
  if (sql.find("idempotency_key") != none) return false;
  return scanner(sql, out).run();
}

std::size_t shape_map::in_text(std::size_t at) {
  for (; next_ < cuts_.size() && cuts_[next_].at < at; ++next_) longer_ += cuts_[next_].length - 1;
  return at + longer_;
}

std::size_t shape_map::in_shape(std::size_t at) {
  for (; next_ < cuts_.size() && cuts_[next_].at + longer_ < at; ++next_) longer_ += cuts_[next_].length - 1;
  return at - longer_;
}

}  // namespace pgtandem::sql
