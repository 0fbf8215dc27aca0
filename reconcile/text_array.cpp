#include "reconcile/text_array.hpp"

#include <utility>

namespace pgtandem::reconcile {

void array_writer::separate() {
  if (!first_) text_ += ',';
  first_ = false;
}

void array_writer::add(std::string_view text) {
  separate();
  text_ += '"';
  for (const char c : text) {
    if (c == '"' || c == '\\') text_ += '\\';
    text_ += c;
  }
  text_ += '"';
}

void array_writer::add(const cell& c) {
  if (c) return add(std::string_view(*c));
  separate();
  text_ += "NULL";
}

std::string array_writer::take() {
  std::string whole = std::move(text_);
  whole += '}';
  text_.clear();
  text_ += '{';
  first_ = true;
  return whole;
}

std::string to_array(const cells& values) {
  array_writer w;
  for (const cell& c : values) w.add(c);
  return w.take();
}

std::string to_array(const std::vector<std::string>& values) {
  array_writer w;
  for (const std::string& v : values) w.add(std::string_view(v));
  return w.take();
}

namespace {

// One element beginning at `at`; `at` is then behind it. false at the end of a malformed text.
bool parse_element(std::string_view text, std::size_t& at, cell& out) {
  std::string value;
  const bool quoted = at < text.size() && text[at] == '"';
  if (quoted) ++at;
  for (; at < text.size(); ++at) {
    char c = text[at];
    if (c == '\\') {
      if (++at == text.size()) return false;
      value += text[at];
    } else if (quoted && c == '"') {
      ++at;
      out = std::move(value);
      return true;
    } else if (!quoted && (c == ',' || c == '}')) {
      if (value.empty()) return false;
      if (value == "NULL")
        out = std::nullopt;
      else
        out = std::move(value);
      return true;
    } else if (!quoted && (c == '{' || c == '"')) {
      return false;
    } else {
      value += c;
    }
  }
  return false;
}

}  // namespace

std::optional<cells> parse_array(std::string_view text) {
  if (text.size() < 2 || text.front() != '{' || text.back() != '}') return std::nullopt;
  cells out;
  if (text.size() == 2) return out;
  for (std::size_t at = 1;;) {
    cell c;
    if (!parse_element(text, at, c) || at >= text.size()) return std::nullopt;
    out.push_back(std::move(c));
    if (text[at] == '}') return at + 1 == text.size() ? std::optional(std::move(out)) : std::nullopt;
    if (text[at] != ',') return std::nullopt;
    ++at;
  }
}

}  // namespace pgtandem::reconcile
