#include "protocol/backend_messages.hpp"
#include "proxy/session/state.hpp"

namespace pgtandem::session {

using protocol::frame;

// An Execute of a portal whose rows are handed out in pieces, or will be. False: it has been refused.
bool session::state::pause(awaited& a, const std::string& portal, std::int32_t max_rows, std::string& error) {
  if (!a.statement->what.rows.returning) return true;
  a.rest = paused.find(portal);
  a.limit = max_rows > 0 ? static_cast<std::size_t>(max_rows) : 0;
  if (a.rest || a.limit == 0) return true;
  if (wants_key(a.statement->text.get())) {
    error = error_message(failure::refused_construct, "a row limit on a write with RETURNING and an idempotency key");
    return false;
  }
  a.rest = paused.open(portal);
  return true;
}

// A row of the primary's without its image: said, or kept for a later Execute.
void session::state::give_row(awaited& a, const protocol::split_row& row) {
  if (!a.rest || a.given < a.limit || a.limit == 0) {
    protocol::write_data_row(out.to_client, row);
    ++a.given;
    return;
  }
  const std::size_t most = tx.rules()->bounds.write_set_max;
  if (a.rest->rows.empty()) a.rest->room = most - std::min(most, paused.bytes());
  std::string message;
  protocol::write_data_row(message, row);
  if (!a.rest->keep(std::move(message))) poison(a, failure::too_large, "the rows of a write with RETURNING beyond its row limit");
}

// The primary's portal has no rows left; what the client is told depends on what it has been given.
void session::state::complete_piece(awaited& a, const frame& f) {
  a.given = a.rest->give(a.limit, a.given, out.to_client);
  auto tag = protocol::decode_command_complete(f.body);
  if (a.limit > 0 && a.given == a.limit) protocol::write_portal_suspended(out.to_client);
  else if (tag) protocol::write_command_complete(out.to_client, tag_of(*tag, a.given));
  else out.to_client.append(f.whole);
}

}  // namespace pgtandem::session
