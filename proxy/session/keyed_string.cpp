#include "proxy/session/keyed_string.hpp"

#include <algorithm>

#include "proxy/session/script.hpp"

namespace pgtandem::session {

using kind = sql::statement_kind;

namespace {
bool ends(const sql::statement& s) { return s.kind == kind::commit || s.kind == kind::rollback; }
}  // namespace

keyed_string keyed_string_of(const sql::analysis& a, bool in_block) {
  const auto& all = a.statements;
  if (all.empty()) return keyed_string::refused;
  const auto first_end = std::find_if(all.begin(), all.end(), ends);
  if (in_block)
    return first_end == all.end() || first_end + 1 == all.end() ? keyed_string::fact : keyed_string::refused;
  if (all.size() == 1) return keyed_string::replayed;
  const bool begins = all.front().kind == kind::begin;
  const auto from = all.begin() + (begins ? 1 : 0);
  if (std::any_of(from, first_end, [](const sql::statement& s) { return s.kind == kind::begin; }))
    return keyed_string::refused;
  if (begins && first_end == all.end()) return keyed_string::fact;
  const bool whole = begins ? first_end + 1 == all.end() && first_end->kind == kind::commit && !first_end->chain
                            : first_end == all.end();
  const bool plain = std::none_of(from, first_end, [](const sql::statement& s) {
    return is_control(s.kind) || changes_meanings(s) || s.holds_session;
  });
  return whole && plain ? keyed_string::replayed : keyed_string::refused;
}

}  // namespace pgtandem::session
