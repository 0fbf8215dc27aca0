// The custom settings ("app.tenant") that a session may have made. PostgreSQL lists none of them, but tells the value
// of one whose name it is given: so the names are kept, of those that the client's statements mention.
#pragma once
#include <cstddef>
#include <set>
#include <string>
#include <string_view>

#include "proxy/sql/analysis.hpp"

namespace pgtandem::session {

struct setting_names {
  static constexpr std::size_t names_max = 1000, length_max = 256;

  std::set<std::string> known;  // in small letters, as their case says nothing
  bool unknown = false;         // there may be one whose name is not known, or was not kept
  bool role = false;            // a role was changed: NONE may not be what the login had

  void note(std::string_view name);
  void note(const sql::statement& s);
};

}  // namespace pgtandem::session
