// What the client's names for statements and portals mean on the primary.
//
// A name gets its meaning when its message is sent, so that what follows in the same pipeline is read by it. If the
// primary then refuses the message, or skips it behind an error, the name has its former meaning again. What SQL takes
// away (DEALLOCATE, DISCARD ALL) goes when the primary says that it is gone. A name that means nothing here may still
// mean something there: no portal of it is executed while writes are mirrored.
#include <utility>

#include "proxy/session/state.hpp"

namespace pgtandem::session {

// `now`: null takes the meaning away.
void session::state::name(awaited& a, awaited::naming what, std::string_view name, prepared_ptr now) {
  a.names = what;
  a.name = name;
  prepared_map& map = map_of(what);
  if (!now) {
    auto i = map.find(a.name);
    if (i == map.end()) return;
    a.before = std::move(i->second);
    map.erase(i);
    return;
  }
  a.before = std::exchange(map[a.name], std::move(now));
}

// The primary has not done it. Of several, the last comes first.
void session::state::take_back(awaited& a) {
  forget_skipped(a);
  const auto what = std::exchange(a.names, awaited::naming::none);
  if (what == awaited::naming::none) return;
  prepared_map& map = map_of(what);
  if (a.before)
    map[a.name] = std::move(a.before);
  else
    map.erase(a.name);
}

// DEALLOCATE, or (no name) DEALLOCATE ALL and DISCARD ALL, done when so many Parses had been sent: later ones have made
// new statements.
void session::state::forget_prepared(const std::string& name, std::uint64_t parses) {
  const auto older = [&](const auto& entry) { return entry.second->serial <= parses; };
  if (name.empty()) {
    std::erase_if(statements, older);
  } else if (auto i = statements.find(name); i != statements.end() && older(*i)) {
    statements.erase(i);
  }
}

}  // namespace pgtandem::session
