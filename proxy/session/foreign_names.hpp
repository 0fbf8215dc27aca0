// Names beyond ASCII in a session whose encoding is not that of the catalog's names. A statement's names are bytes of the client's
// encoding, the catalog's are UTF-8; and a server of a one-byte encoding folds letters that are not folded here. Where both sides are
// UTF-8 equal bytes are equal names; else such a name equals none, and what depends on it is refused. Pure.
#pragma once
#include <string>
#include <string_view>

#include "proxy/session/planner.hpp"
#include "proxy/sql/analysis.hpp"
#include "proxy/sql/catalog.hpp"

namespace pgtandem::session {

bool beyond_ascii(std::string_view text);

// What `d` cannot be relied upon for; empty if it can. Relations are no matter: the primary itself says what they are.
std::string unread_name(const sql::statement& s, const sql::catalog& c, const decision& d);

}  // namespace pgtandem::session
