#include "reconcile/boot_token.hpp"

#include "proxy/database/schema.hpp"
#include "reconcile/text_array.hpp"

namespace pgtandem::reconcile {
namespace {

constexpr const char* states_sql =
    "SELECT x, pg_xact_status(x::xid8), (SELECT token FROM pgtandem.boot) FROM unnest($1::text[]) x";

xact_state state_named(std::string_view name) {
  if (name == "committed") return xact_state::committed;
  if (name == "in progress") return xact_state::in_progress;
  return xact_state::lost;
}

database::result<void> ask(database::connection& primary, const std::vector<std::string>& ids, xact_states& into) {
  auto r = primary.execute(states_sql, {to_array(ids)});
  if (!r) return r.error();
  for (int i = 0; i < r->size(); ++i) {
    into.of[std::string(r->at(i, 0))] = state_named(r->at(i, 1));
    into.boot = r->at(i, 2);
  }
  return {};
}

}  // namespace

database::result<xact_states> read_xact_states(database::connection& primary, const std::vector<std::string>& ids) {
  xact_states out;
  if (ids.empty()) return out;
  auto all = ask(primary, ids, out);
  if (all) return out;
  if (all.error().lost) return all.error();
  for (const std::string& id : ids) {
    auto one = ask(primary, {id}, out);
    if (one) continue;
    if (one.error().lost) return one.error();
    out.of[id] = xact_state::lost;
  }
  return out;
}

database::result<std::string> boot_token(database::connection& c) {
  auto r = c.run("SELECT token FROM pgtandem.boot");
  if (!r) return r.error();
  if (r->size() == 1) return std::string(r->at(0, 0));
  return database::ensure_boot_token(c);
}

}  // namespace pgtandem::reconcile
