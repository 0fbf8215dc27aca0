// A setting's value as text and back, with its bounds: the functions of config/table.hpp that touch values.
#include <cctype>
#include <charconv>

#include "config/table.hpp"

namespace pgtandem::config {
namespace {

std::vector<std::string_view> split(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  for (;;) {
    std::size_t at = text.find(separator);
    std::string_view part = text.substr(0, at);
    while (!part.empty() && part.front() == ' ') part.remove_prefix(1);
    while (!part.empty() && part.back() == ' ') part.remove_suffix(1);
    if (!part.empty()) parts.push_back(part);
    if (at == std::string_view::npos) return parts;
    text.remove_prefix(at + 1);
  }
}

std::string outside(const row& r, std::string_view what) { return std::string(what) + " must be " + bounds_of(r); }

template <class number>
std::string assign_number(const row& r, number& to, std::string_view text) {
  std::uint64_t value = 0;
  auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (text.empty() || end != text.data() + text.size() || failure == std::errc::invalid_argument)
    return "a whole number" + (r.unit.empty() ? "" : " of " + std::string(r.unit)) + " is needed";
  if (failure == std::errc::result_out_of_range || value < r.least || value > r.most) return outside(r, "it");
  to = static_cast<number>(value);
  return {};
}

std::string assign_text(const row& r, std::string& to, std::string_view text) {
  if (!r.choices.empty()) {
    for (std::string_view choice : split(r.choices, ' '))
      if (choice == text) return to = text, std::string();
    return outside(r, "it");
  }
  if (text.size() < r.least || text.size() > r.most) return outside(r, "its length in bytes");
  to = text;
  return {};
}

settings& unconst(const settings& s) { return const_cast<settings&>(s); }  // the accessors only hand out the member

}  // namespace

std::string type_of(const row& r) {
  static constexpr const char* names[] = {"text", "number", "number", "list"};
  return names[r.at.index()];
}

std::string bounds_of(const row& r) {
  if (!r.choices.empty()) {
    std::string all;
    for (std::string_view choice : split(r.choices, ' ')) (all += all.empty() ? "" : " | ") += choice;
    return all;
  }
  return std::to_string(r.least) + " … " + std::to_string(r.most);
}

std::string environment_name(std::string_view name) {
  std::string result = "PGTANDEM_";
  for (char c : name) result += c == '.' ? '_' : static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  return result;
}

std::string value_of(const row& r, const settings& s) {
  settings& from = unconst(s);
  if (auto text = std::get_if<text_member>(&r.at)) return (*text)(from);
  if (auto number = std::get_if<number_member>(&r.at)) return std::to_string((*number)(from));
  if (auto number = std::get_if<big_number_member>(&r.at)) return std::to_string((*number)(from));
  std::string joined;
  for (const std::string& entry : std::get<list_member>(r.at)(from)) (joined += joined.empty() ? "" : ",") += entry;
  return joined;
}

std::string assign(const row& r, settings& s, std::string_view text) {
  if (auto at = std::get_if<text_member>(&r.at)) return assign_text(r, (*at)(s), text);
  if (auto at = std::get_if<number_member>(&r.at)) return assign_number(r, (*at)(s), text);
  if (auto at = std::get_if<big_number_member>(&r.at)) return assign_number(r, (*at)(s), text);
  std::vector<std::string> entries;
  for (std::string_view part : split(text, ',')) entries.emplace_back(part);
  return assign_list(r, s, std::move(entries));
}

std::string assign_list(const row& r, settings& s, std::vector<std::string> entries) {
  auto at = std::get_if<list_member>(&r.at);
  if (!at) return "one value is needed, not a list";
  if (entries.size() < r.least || entries.size() > r.most) return outside(r, "the number of its entries");
  (*at)(s) = std::move(entries);
  return {};
}

}  // namespace pgtandem::config
