#include "protocol/scram_message.hpp"

#include <algorithm>

namespace pgtandem::protocol {

std::optional<std::string_view> scram_attributes::take_any(char& name) {
  if (rest_.size() < 2 || rest_[1] != '=') return std::nullopt;
  name = rest_[0];
  const bool letter = (name >= 'A' && name <= 'Z') || (name >= 'a' && name <= 'z');
  if (!letter) return std::nullopt;
  const std::size_t comma = rest_.find(',');
  const std::string_view value = rest_.substr(2, comma == std::string_view::npos ? comma : comma - 2);
  rest_ = comma == std::string_view::npos ? std::string_view{} : rest_.substr(comma + 1);
  return value;
}

std::optional<std::string_view> scram_attributes::take(char name) {
  char found = 0;
  const std::optional<std::string_view> value = take_any(found);
  return found == name ? value : std::nullopt;
}

bool scram_attributes::skip_rest() {
  char name = 0;
  while (!rest_.empty())
    if (!take_any(name)) return false;
  return true;
}

bool is_scram_nonce(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) { return c > ' ' && c < 0x7f && c != ','; });
}

}  // namespace pgtandem::protocol
