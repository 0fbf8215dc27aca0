// A look at a database before it is used: what makes it unfit as a secondary or a primary, and what the operator should
// know. Used by `pgtandem check`, `pgtandem init` and at the start of the proxy.
#pragma once
#include <string>
#include <vector>

#include "proxy/database/connection.hpp"

namespace pgtandem::database {

enum class role : unsigned char { primary, secondary };

struct preflight_report {
  std::vector<std::string> refusals;  // empty = fit
  std::vector<std::string> warnings;
};

// allow_unsafe: a secondary without fsync or full_page_writes is a warning only (for tests: what it acknowledged may be
// lost).
result<preflight_report> preflight(connection& c, role r, bool allow_unsafe = false);

// What must agree between the two: encoding, and server versions that do not go down. Warnings and refusals about the
// pair.
result<preflight_report> preflight_pair(connection& source, connection& target);

}  // namespace pgtandem::database
