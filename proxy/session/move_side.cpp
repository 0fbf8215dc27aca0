#include "proxy/session/state.hpp"

namespace pgtandem::session {

// A new world is there. It takes effect for the next transaction; the present one keeps its rules.
void session::state::routing_changed() {
  if (!latest->routing.warming) has.told = false;
  want_spare();
  if (ask_belongings()) return;
  if (!ended && idle() && latest->routing.primary() != where && !latest->routing.holding) may_move();
}

// The connection to the next primary is opened ahead, unless the session would not take it anyway.
void session::state::want_spare() {
  bool wanted = latest->routing.warming || latest->routing.primary() != where;
  if (wanted && next == spare::none && unmovable().empty()) {
    next = spare::asked;
    out.next = next_primary::connect;
  } else if (!wanted && next != spare::none) {
    next = spare::none;
    out.next = next_primary::drop;
  }
}

bool session::state::warm() const { return !has.asking && (next == spare::ready || next == spare::failed || !unmovable().empty()); }

bool session::state::idle() const {
  return awaiting.empty() && status == 'I' && !unsynced && !moving && !script.active() && commit.now == committing::stage::none &&
         client_stream == 0 && !tx.begun();
}

// The primary is elsewhere now. False: the client's message has to wait.
bool session::state::may_move() {
  if (!awaiting.empty() || status != 'I' || unsynced || moving) return false;
  if (!has.fresh || !has.packed) {
    ask_belongings();
    return false;
  }
  if (std::string_view why = unmovable(); !why.empty()) {
    fatal(failure::cannot_move, why);
    return false;
  }
  if (next == spare::failed) {
    fatal(failure::login_failed, next_failure);
    return false;
  }
  if (next == spare::none) {
    next = spare::asked;
    out.next = next_primary::connect;
  }
  if (next != spare::ready) return false;
  move();
  return !moving;
}

// The PREPARE of this name out of the string that it came in, which is what the primary keeps; empty: it is not to be told, or it may have
// been read by other rules than those of now.
std::string session::state::prepare_again(std::string_view name, std::string_view text) {
  if (strings_varied && text.find('\\') != std::string_view::npos) return {};
  sql::analysis_ptr a = analyze(text, standard_strings);
  auto at = find_prepare(*a, name);
  return at ? std::string(text.substr(a->ranges[*at].begin, a->ranges[*at].size())) : std::string();
}

// The primary told what the session has; the next one is told to make it again, while the client hears nothing.
void session::state::move() {
  luggage taken = std::move(has.taken);
  for (carried& c : taken) {
    if (c.what != "prepare") continue;
    c.value = prepare_again(c.name, c.value);
    if (!c.value.empty()) continue;
    fatal(failure::cannot_move, "a prepared statement whose text is not known");
    return;
  }
  out.swap_primary = moving = true;
  ++connection;
  own_prepared.clear();
  executes.gone();
  portals.clear();
  paused.clear();
  runs.clear();
  known.forget();
  ++names_version;
  where = latest->routing.primary();
  has = {};
  next = spare::none;
  for (const auto& [name, value] : next_hello.parameters) {
    parameters_told.emplace(name, parameters[name]);
    learn_parameter(name, value);
  }
  const std::vector<replay_step> steps = replay_steps(taken);
  replays = steps.size();
  for (const replay_step& step : steps) {
    ask_simple(purpose::replay, step.sql);
    awaiting.back().dispensable = step.dispensable;
  }
  if (steps.empty()) moved();
}

void session::state::replayed(bool failed) {
  if (failed) fatal(failure::cannot_move, "a setting, role, channel or prepared statement");
  else if (--replays == 0) moved();
}

void session::state::moved() {
  moving = false;
  tell_parameters();
}

}  // namespace pgtandem::session
