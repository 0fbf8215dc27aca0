#include "config/reference.hpp"

#include "config/table.hpp"

namespace pgtandem::config {
namespace {

std::string_view group_of(std::string_view name) {
  std::size_t dot = name.find('.');
  return dot == std::string_view::npos ? std::string_view() : name.substr(0, dot);
}

std::string_view key_of(std::string_view name) { return name.substr(name.rfind('.') + 1); }

// As YAML: numbers plain, texts in double quotes, lists in brackets.
std::string yaml_value(const row& r, const settings& s) {
  std::string value = value_of(r, s);
  if (type_of(r) == "list") return "[" + value + "]";
  return type_of(r) == "number" || !r.choices.empty() ? value : '"' + value + '"';
}

// The length of a free text is no news to an operator; the bounds of everything else are.
bool bounds_matter(const row& r) { return type_of(r) == "number" || !r.choices.empty(); }

std::string facts(const row& r) {
  std::string line = type_of(r);
  if (!r.unit.empty()) line += " (" + std::string(r.unit) + ")";
  if (bounds_matter(r)) line += ", " + bounds_of(r);
  line += r.reloadable ? ", reloadable" : ", needs a restart";
  line += ", " + environment_name(r.name);
  if (r.secret) line += "; secret: or " + std::string(key_of(r.name)) + "_file: PATH";
  return line;
}

}  // namespace

std::string reference() {
  const settings defaults;
  std::string out = "# pgtandem: every setting with its default. Precedence: environment, this file, default.\n";
  std::string_view group;
  for (const row& r : table()) {
    std::string indent = group_of(r.name).empty() ? "" : "  ";
    out += '\n';
    if (group_of(r.name) != group) {
      group = group_of(r.name);
      out += std::string(group) + ":\n";
    }
    out += indent + "# " + std::string(r.help) + "\n" + indent + "# " + facts(r) + "\n";
    out += indent + std::string(key_of(r.name)) + ": " + yaml_value(r, defaults) + "\n";
  }
  return out;
}

std::string reference_table() {
  const settings defaults;
  std::string out = "| setting | default | unit | bounds | reload | meaning |\n|---|---|---|---|---|---|\n";
  for (const row& r : table()) {
    std::string value = value_of(r, defaults), bounds = bounds_matter(r) ? bounds_of(r) : "";
    for (std::size_t at = 0; (at = bounds.find(" | ", at)) != std::string::npos; at += 2) bounds.replace(at, 3, ", ");
    out += "| `" + std::string(r.name) + "` | " + (value.empty() ? "" : "`" + value + "`") + " | " +
           std::string(r.unit) + " | " + bounds + " | " + (r.reloadable ? "yes" : "no") + " | " + std::string(r.help) +
           (r.secret ? " Secret: `" + std::string(r.name) + "_file` names a file instead." : "") + " |\n";
  }
  return out;
}

std::string shown(const settings& s) {
  std::string out;
  for (const row& r : table()) {
    std::string value = value_of(r, s);
    if (r.secret) value = value.empty() ? "(empty)" : "(set)";
    out += std::string(r.name) + " = " + value + "\n";
  }
  return out;
}

}  // namespace pgtandem::config
