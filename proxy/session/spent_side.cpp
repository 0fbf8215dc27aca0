// A write without RETURNING, executed again by the same portal: PostgreSQL says 55000 and the transaction fails.
//
// On the primary the statement has RETURNING, for its images, and such a portal merely has no rows left. So what
// follows it there is a portal of the proxy's own that is sure to be refused, and the client hears that refusal, in the
// primary's words, with its own portal's name. If the primary refuses the client's portal itself (25P02, 34000, 55000),
// this is heard instead: all behind it is skipped.
#include <algorithm>

#include "proxy/session/state.hpp"

namespace pgtandem::session {

namespace {
constexpr std::string_view spent_query = "UNLISTEN pgtandem";  // has no rows and no effect
}  // namespace

// Has the portal run, or will it have by the time the primary reads this? If not, this is its first time.
bool session::state::runs_again(awaited& a, const std::string& portal) {
  if (!a.statement->with_image || a.statement->what.rows.returning) return false;
  portal_run_ptr& run = runs[portal];
  const bool awaited_yet =
      run && std::any_of(awaiting.begin(), awaiting.end(), [&](const awaited& w) { return w.run == run; });
  a.again = run && (run->done || awaited_yet);
  if (!a.again) run = std::make_shared<portal_run>(portal_run{portal});
  a.run = run;
  return a.again;
}

void session::state::execute_again(std::string_view execute, awaited a) {
  awaited refused{.what = request::execute, .run = a.run, .spent = true};
  extended(execute, std::move(a));
  protocol::write_close(out.to_primary, protocol::describe_kind::statement, own_statement);
  protocol::write_parse(out.to_primary, own_statement, spent_query);
  protocol::write_bind(out.to_primary, own_portal, own_statement);
  protocol::write_execute(out.to_primary, own_portal);
  protocol::write_close(out.to_primary, protocol::describe_kind::statement, own_statement);
  await({.what = request::own, .own = purpose::spend, .pieces = 4});
  std::string message;
  protocol::write_execute(message, own_portal);
  extended(message, std::move(refused));
}

void session::state::say_spent(const awaited& a, protocol::error_fields e) {
  std::string words;
  for (auto& [code, value] : e.fields) {
    if (code != protocol::error_field::message) continue;
    words = value;
    if (std::size_t at = words.find(own_portal); at != std::string::npos)
      words.replace(at, own_portal.size(), a.run->portal);
    value = words;
    break;
  }
  protocol::write_with_position(out.to_client, protocol::backend::error_response, e, e.position());
}

}  // namespace pgtandem::session
