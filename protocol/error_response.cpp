#include "protocol/error_response.hpp"

#include <algorithm>
#include <charconv>

#include "protocol/message.hpp"
#include "protocol/reader.hpp"
#include "protocol/writer.hpp"

namespace pgtandem::protocol {
namespace {

constexpr std::size_t fields_max = 64;  // PostgreSQL has 18 kinds
constexpr std::size_t sqlstate_size = 5;

void put(message_writer& m, char code, std::string_view value) {
  m.u8(static_cast<std::uint8_t>(code)).c_string(value);
}

void write(std::string& out, char type, const error& e) {
  message_writer m(out, type);
  put(m, error_field::severity, e.severity);
  put(m, error_field::severity_plain, e.severity);
  put(m, error_field::sqlstate, e.sqlstate);
  put(m, error_field::message, e.message);
  if (!e.detail.empty()) put(m, error_field::detail, e.detail);
  if (!e.hint.empty()) put(m, error_field::hint, e.hint);
  if (e.position) put(m, error_field::position, std::to_string(*e.position));
  m.u8(0);
}

}  // namespace

std::string_view error_fields::find(char code) const {
  for (const auto& [c, value] : fields)
    if (c == code) return value;
  return {};
}

std::string_view error_fields::severity() const {
  const std::string_view plain = find(error_field::severity_plain);
  return plain.empty() ? find(error_field::severity) : plain;
}

std::optional<std::uint32_t> error_fields::position() const {
  const std::string_view text = find(error_field::position);
  std::uint32_t value = 0;
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (failed != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

std::optional<error_fields> decode_error(std::string_view body) {
  reader r(body);
  error_fields e;
  for (char code = static_cast<char>(r.u8()); code != 0; code = static_cast<char>(r.u8())) {
    if (e.fields.size() == fields_max) return std::nullopt;
    e.fields.emplace_back(code, r.c_string());
  }
  if (!r.finished()) return std::nullopt;
  return e;
}

std::string_view sqlstate_of(std::string_view message) {
  const frame f = scan(message);
  const auto e = f.complete() && f.type == backend::error_response ? decode_error(f.body) : std::nullopt;
  const std::string_view code = e ? e->sqlstate() : std::string_view();
  const auto plain = [](char c) { return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z'); };
  return code.size() == sqlstate_size && std::all_of(code.begin(), code.end(), plain) ? code : "?????";
}

void write_with_position(std::string& out, char type, const error_fields& e, std::optional<std::uint32_t> position) {
  message_writer m(out, type);
  bool written = false;
  for (const auto& [code, value] : e.fields) {
    if (code != error_field::position) {
      put(m, code, value);
    } else if (position && !written) {
      put(m, code, std::to_string(*position));
      written = true;
    }
  }
  if (position && !written) put(m, error_field::position, std::to_string(*position));
  m.u8(0);
}

void write_error(std::string& out, const error& e) { write(out, backend::error_response, e); }
void write_notice(std::string& out, const error& e) { write(out, backend::notice_response, e); }

}  // namespace pgtandem::protocol
