// What a session holds on its server that cannot be made again on another one: found out before a move, so that nothing is lost
// without a word.
#include "proxy/session/state.hpp"

namespace pgtandem::session {
namespace {
constexpr int asked_in_vain_max = 3;   // a client's CancelRequest may hit our question
constexpr const char* untold = "what its server did not tell";
}

std::string_view session::state::unmovable() const {
  if (has.unkept_text) return "a prepared statement whose text was too large to be kept";
  if (named.unknown) return "a setting whose name is not known";
  if (!has.found.empty()) return has.found;
  if (has.temporary) return "a temporary table";
  if (has.holds) return "a session advisory lock or a cursor WITH HOLD";
  return {};
}

// Asks the primary, where the answer is missing and the session is at rest: once while it is warmed, there again as long as something is
// in the way, and whenever the next transaction may be another primary's.
bool session::state::ask_belongings() {
  const control::routing& now = latest->routing;
  bool moves = now.primary() != where ? !now.holding : now.warming && now.holding;
  bool warms = now.warming && (!has.told || !unmovable().empty());
  if (ended || !idle()) return false;
  const bool held = !has.fresh && (moves || warms), packs = !has.packed && (moves || (held && !has.told));
  if (held) {
    has.asking = true;
    ask(purpose::belongings, belongings_query());
  }
  if (packs) ask(purpose::pack, luggage_query(named, latest->primary.get()));
  return held || packs;
}

void session::state::belongings_told(bool failed) {
  has.asking = false;
  has.failures = failed ? has.failures + 1 : 0;
  if (failed && has.failures < asked_in_vain_max) return;   // asked again
  has.temporary = has.holds = false;
  has.fresh = has.told = true;
  has.found = failed ? untold : "";
  if (!failed)
    for (const auto& row : own_rows)
      if (!row.empty()) has.found += (has.found.empty() ? "" : " and ") + row[0];
  own_rows.clear();   // the next question may be on its way already
  want_spare();
}

void session::state::packed(bool failed) {
  auto taken = failed ? std::nullopt : read_luggage(own_rows);
  has.unpacked = taken ? 0 : has.unpacked + 1;
  if (!taken && has.unpacked < asked_in_vain_max) return;   // asked again
  has.packed = true;
  if (taken) has.taken = std::move(*taken);
  else has.found = untold;
}

}  // namespace pgtandem::session
