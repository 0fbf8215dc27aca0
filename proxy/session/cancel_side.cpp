// A CancelRequest that finds the client's statement here and not at the primary: held for a flip, or behind a move.
#include <algorithm>
#include <string_view>

#include "proxy/session/state.hpp"

namespace pgtandem::session {
namespace {

namespace frontend = protocol::frontend;

bool answered_by_ready(char type) {
  return type == frontend::query || type == frontend::function_call || type == frontend::sync;
}

// What stands here may be cancelled; a lone Sync has nothing to cancel.
bool begins_work(char type) {
  static constexpr char kinds[] = {frontend::query, frontend::function_call, frontend::parse,  frontend::bind,
                                   frontend::close, frontend::describe,      frontend::execute};
  return std::find(std::begin(kinds), std::end(kinds), type) != std::end(kinds);
}

bool of_a_move(const awaited& a) {
  return a.what == request::own && (a.own == purpose::belongings || a.own == purpose::pack || a.own == purpose::replay);
}

}  // namespace

// False: it is for the primary. True: the statement that waits here is answered with 57014 and never sent; if none
// does, PostgreSQL would do nothing either, and our own questions must not be hit.
bool session::state::cancel() {
  if (ended || status != 'I' || unsynced || tx.begun() || script.active() || commit.now != committing::stage::none)
    return false;
  if (!std::all_of(awaiting.begin(), awaiting.end(), of_a_move)) return false;
  const bool waits = client_waits && !from_client.empty() && client_stream == 0;
  if (waits && begins_work(from_client.with({}).front())) {
    out.to_client += error_message(failure::cancelled);
    cancelled = true;
    process_client({});
    return true;
  }
  return !awaiting.empty();
}

// The message that was cancelled and, of the extended protocol, all up to its Sync.
void session::state::drop_cancelled(const protocol::frame& f, std::string_view rest, std::size_t& used) {
  const std::size_t here = std::min(f.size, rest.size());
  client_stream = f.size - here;
  client_stream_drop = true;
  used += here;
  if (!answered_by_ready(f.type)) return;
  cancelled = false;
  protocol::write_ready_for_query(out.to_client, 'I');
}

}  // namespace pgtandem::session
