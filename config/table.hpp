// The table of settings: one row per setting, the only place where its name, unit, bounds and meaning are written down.
// The loader, the reference, the reload rules and the documentation all walk it. Pure; rows live as long as the
// program.
#pragma once
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "config/settings.hpp"

namespace pgtandem::config {

// Where a setting lives. The alternative is also its type.
using text_member = std::string& (*)(settings&);
using number_member = std::uint32_t& (*)(settings&);
using big_number_member = std::uint64_t& (*)(settings&);
using list_member = std::vector<std::string>& (*)(settings&);
using member = std::variant<text_member, number_member, big_number_member, list_member>;

struct row {
  std::string_view name;  // "listen.port": the path in the YAML file
  member at;
  std::string_view unit;      // "ms", "bytes", "rows", …; empty = none
  std::uint64_t least, most;  // bounds: of a number, of a text's length in bytes, of a list's entries
  std::string_view choices;   // space separated; empty = any text
  bool reloadable;            // SIGHUP applies it; otherwise a change is refused by name until a restart
  bool secret;                // never printed; may come from <name>_file instead
  std::string_view help;      // one or two sentences for the operator
};

std::span<const row> table();
const row* find(std::string_view name);  // nullptr if there is no such setting

std::string type_of(const row& r);                      // "text", "number", "list"
std::string bounds_of(const row& r);                    // "1 … 65535", "trust | scram-sha-256", or empty
std::string environment_name(std::string_view name);    // "PGTANDEM_LISTEN_PORT"
std::string value_of(const row& r, const settings& s);  // as text; lists comma separated; secrets as they are

// Sets the value from text (lists: comma separated). The empty string if it was taken, else what is wrong with it.
std::string assign(const row& r, settings& s, std::string_view text);
// The same for a list given entry by entry.
std::string assign_list(const row& r, settings& s, std::vector<std::string> entries);

}  // namespace pgtandem::config
