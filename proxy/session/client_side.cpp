#include <boost/assert.hpp>

#include "proxy/session/state.hpp"

namespace pgtandem::session {

using protocol::frame;
using protocol::frame_state;
namespace frontend = protocol::frontend;

namespace {
// Longest body of messages that carry names only.
constexpr std::size_t short_message_max = 64 * 1024;
bool is_short(char type) {
  switch (type) {
    case frontend::describe:
    case frontend::execute:
    case frontend::close:
    case frontend::flush:
    case frontend::sync:
    case frontend::terminate:
    case frontend::copy_done: return true;
    default: return false;
  }
}
bool is_copy(char type) { return type == frontend::copy_data || type == frontend::copy_done || type == frontend::copy_fail; }
bool is_copying(char type) { return is_copy(type) || type == frontend::sync || type == frontend::flush; }
bool is_known(char type) {
  switch (type) {
    case frontend::query:
    case frontend::parse:
    case frontend::bind:
    case frontend::function_call:
    case frontend::copy_data:
    case frontend::copy_fail: return true;
    default: return is_short(type);
  }
}
}  // namespace

void session::state::process_client(std::string_view bytes) {
  std::string_view all = from_client.with(bytes);
  if (in_client) {   // a handler led to an event that asked for more: the running loop goes on by itself
    from_client.keep(all);
    return;
  }
  in_client = true;
  std::size_t used = ended ? all.size() : consume_client(all);
  in_client = false;
  from_client.keep(all.substr(used));
  // A message that is still arriving is waited for; one that may not be handled yet is not piled upon.
  out.reads_client = !ended && (!client_waits || from_client.size() < short_message_max);
}

// Takes as many messages as can be acted upon now; the number of bytes used.
std::size_t session::state::consume_client(std::string_view bytes) {
  std::size_t used = 0;
  client_waits = false;
  while (used < bytes.size() && !ended) {
    std::string_view rest = bytes.substr(used);
    if (client_stream > 0) {
      std::size_t n = std::min(client_stream, rest.size());
      if (!client_stream_drop) out.to_primary.append(rest.substr(0, n));
      client_stream -= n;
      used += n;
      continue;
    }
    frame f = protocol::scan(rest);
    if (!is_known(rest.front()) || f.state == frame_state::malformed) {
      violation("invalid frontend message");
      return bytes.size();
    }
    if (f.state == frame_state::need_header) break;
    if (is_short(f.type) && f.size > short_message_max) {
      violation("frontend message too long");
      return bytes.size();
    }
    if (f.type == frontend::terminate) {
      ended = true;
      out.close_client = true;
      return bytes.size();
    }
    if (cancelled) {
      drop_cancelled(f, rest, used);
      continue;
    }
    if (!(copying_in && is_copying(f.type)) && !may_start()) {   // the data of a COPY in a string are part of it
      client_waits = true;
      break;
    }
    if (!f.complete()) {
      if (!oversized(f, rest, used)) break;
      continue;
    }
    if (!handle(f)) {
      client_waits = true;
      break;
    }
    known.handled();
    used += f.size;
  }
  return used;
}

// May another message of the client be looked at?
bool session::state::may_start() {
  if (asking > 0 || script.active() || commit.now != committing::stage::none || moving) return false;
  if (tx.begun() || status != 'I') return true;
  if (draining || latest->routing.holding) return false;
  if (latest->routing.primary() != where) return may_move();
  return true;
}

// A message whose body has not arrived: does it pass as it comes? `used` then counts what has been dealt with.
bool session::state::oversized(const frame& f, std::string_view rest, std::size_t& used) {
  auto take = [&](bool drop) {
    client_stream = f.size - rest.size();
    client_stream_drop = drop;
    used += rest.size();
    return true;
  };
  if (f.type == frontend::copy_data) {
    forward(rest);
    return take(false);
  }
  if (f.size <= short_message_max) return false;
  if (server_skips || skip_to_sync) return take(true);
  if (f.type == frontend::bind) return stream_bind(f, rest) && take(false);
  if (f.size <= rules().bounds.statement_max) return false;
  std::string error = error_message(failure::too_large, "a statement text");
  switch (f.type) {
    case frontend::query:
      if (mirrors()) {
        refuse_query(failure::too_large, "a statement text");
        return take(true);
      }
      await({.what = request::query});
      break;
    case frontend::parse:
      if (mirrors()) {
        refuse_extended(f.type, {}, std::move(error));
        return take(true);
      }
      // Its text is not kept: it cannot be prepared again on another primary, so the session cannot move.
      has.unkept_text = unsynced = true;
      await({.what = request::parse});
      break;
    case frontend::function_call:
      if (mirrors()) {
        refuse_query(failure::refused_construct, "the function call message");
        return take(true);
      }
      await({.what = request::function_call});
      break;
    default: return false;
  }
  forward(rest);
  return take(false);
}

bool session::state::handle(const frame& f) {
  if (is_copy(f.type) || (copying_in && is_copying(f.type))) {
    on_copy(f);
    return true;
  }
  bool skipping = server_skips || skip_to_sync;
  if (skipping && f.type != frontend::sync) return true;
  rules();
  switch (f.type) {
    case frontend::query: return on_query(f);
    case frontend::function_call: return on_function_call(f);
    case frontend::parse: return on_parse(f);
    case frontend::bind: return on_bind(f);
    case frontend::describe: return on_describe(f);
    case frontend::execute: return on_execute(f);
    case frontend::close: return on_close(f);
    case frontend::sync: return on_sync(f);
    case frontend::flush:
      forward(f.whole);
      flushed = true;
      return true;
    default: violation("invalid frontend message"); return true;
  }
}

const world& session::state::rules() {
  tx.begin(latest);
  has.fresh = has.packed = false;
  return *tx.rules();
}

void session::state::forward(std::string_view message) {
  out.to_primary.append(message);
  flushed = false;
}

// Has everything sent been answered? If not, makes sure that the answers come.
bool session::state::drained() {
  if (awaiting.empty()) return true;
  if (unsynced && !flushed) {
    protocol::write_flush(out.to_primary);
    flushed = true;
  }
  return false;
}

void session::state::remember(const sql::analysis& a) {
  for (const sql::statement& s : a.statements) remember(s);
}

void session::state::forget_names() {
  known.forget();
  ++names_version;
}

// What a statement may leave behind in the session, success assumed.
void session::state::remember(const sql::statement& s) {
  using kind = sql::statement_kind;
  named.note(s);
  if (s.changes_settings || s.changes_role) {
    meanings_open = true;
    tx.fence_again();
    forget_names();
    if (changes_texts(s)) texts_changed = texts_open = true;
  }
  if (s.holds_session && s.construct != "LISTEN") has.holds = true;
  switch (s.kind) {
    case kind::create_temp:
      has.temporary = meanings_open = true;
      forget_names();
      break;
    case kind::prepare:
      forget_executable(s.name);
      break;
    case kind::execute:
      if (const executable* e = executable_of(s); e && e->twin) remember(*e->twin->statement());
      break;
    case kind::deallocate:
      if (s.name.empty()) {
        executes.gone();
        ++names_version;
        own_prepared.clear();
      } else {
        forget_executable(s.name);
        own_prepared.erase(s.name);
      }
      break;
    case kind::discard:
      executes.gone();
      own_prepared.clear();
      meanings_open = true;
      forget_names();
      break;
    case kind::uncaptured:
      meanings_open = true;
      forget_names();
      break;
    case kind::commit:
    case kind::rollback:
    case kind::rollback_to:   // SET LOCAL, and whatever is rolled back
      if (meanings_open) forget_names();
      texts_open |= texts_changed;
      break;
    default: break;
  }
}

// `error`: the ErrorResponse that a statement, or a commit, is answered with on our own word.
void session::state::count_refusal(std::string_view error) { out.counted.refused.emplace_back(protocol::sqlstate_of(error)); }

void session::state::violation(std::string_view what) { fatal(failure::protocol_violation, what); }

void session::state::fatal(failure f, std::string_view what) {
  if (ended) return;
  out.to_client += error_message(f, what);
  end();
}

void session::state::end() {
  out.close_client = true;
  out.disarm = true;
  if (commit.write) commit.write->given_up = true;
  ended = true;
}

}  // namespace pgtandem::session
