// ErrorResponse and NoticeResponse: the fields of one that came, and writing one.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace pgtandem::protocol {

// Codes of the fields used here; the others are carried along.
namespace error_field {
inline constexpr char severity = 'S', severity_plain = 'V', sqlstate = 'C', message = 'M', detail = 'D', hint = 'H',
                      position = 'P';
}

// What one says, as views into its body.
struct error_fields {
  std::vector<std::pair<char, std::string_view>> fields;  // in the order in which they came

  std::string_view find(char code) const;  // empty if absent
  std::string_view sqlstate() const { return find(error_field::sqlstate); }
  std::string_view message() const { return find(error_field::message); }
  std::string_view severity() const;              // untranslated where the server says it
  std::optional<std::uint32_t> position() const;  // 1-based, in characters of the query
};

std::optional<error_fields> decode_error(std::string_view body);

// Of a whole ErrorResponse message, type and length included. "?????" if it has none that is five letters and digits.
std::string_view sqlstate_of(std::string_view message);

// The same fields with another position, or without one. `type` is error_response or notice_response.
void write_with_position(std::string& out, char type, const error_fields& e, std::optional<std::uint32_t> position);

struct error {
  std::string_view severity = "ERROR";     // ERROR, FATAL, PANIC; of a notice WARNING, NOTICE, …
  std::string_view sqlstate;               // five characters
  std::string_view message, detail, hint;  // empty detail and hint are left out
  std::optional<std::uint32_t> position = {};
};

void write_error(std::string& out, const error& e);
void write_notice(std::string& out, const error& e);

}  // namespace pgtandem::protocol
