#include <algorithm>

#include "proxy/session/state.hpp"

namespace pgtandem::session {

using protocol::frame;
using kind = sql::statement_kind;

// A message of the extended protocol goes out.
void session::state::extended(std::string_view message, awaited a) {
  forward(message);
  unsynced = true;
  await(std::move(a));
}

// Says `error` at the place of the message: the primary fails the name and skips to Sync, as after any error.
void session::state::refuse_extended(char type, std::string_view, std::string error) {
  count_refusal(error);
  std::string message;
  awaited a;
  a.substitute = std::move(error);
  if (type == protocol::frontend::parse) {
    protocol::write_parse(message, no_such_name, failing_query);
    a.what = request::parse;
  } else if (type == protocol::frontend::bind) {
    protocol::write_bind(message, no_such_name, no_such_name);
    a.what = request::bind;
  } else if (type == protocol::frontend::describe) {
    protocol::write_describe(message, protocol::describe_kind::statement, no_such_name);
    a.what = request::describe;
  } else {
    protocol::write_execute(message, no_such_name);
    a.what = request::execute;
  }
  extended(message, std::move(a));
}

// Does the last decision hold?
bool session::state::settled(const prepared& p) {
  return p.decided_for == &rules() && p.decided_names == names_version && (!p.what.passing || p.decided_passing == known.passing_version());
}

// Decides what the statement is, once per world and per meaning of its names.
session::state::readiness session::state::settle(prepared& p, std::string& error) {
  const world* now = &rules();
  if (settled(p)) return readiness::ready;
  decision d;
  if (std::string why; unreadable(*p.text, p.sql, why)) {
    error = error_message(failure::refused_construct, why);
    return readiness::refused;
  }
  if (const sql::statement* s = p.statement()) d = decide_here(*s);
  if (d.what == course::resolve && status == 'E') {
    if (!drained()) return readiness::wait;   // a ROLLBACK may be on its way
    p.what = {};
    resolve_failed = false;
    return readiness::ready;   // not kept: the primary refuses it with 25P02
  }
  if (d.what == course::resolve) {
    if (!drained()) return readiness::wait;
    if (std::exchange(resolve_failed, false)) {
      error = unresolved(d.ask.front());
      return readiness::refused;
    }
    ask_meanings(d.ask);
    return readiness::wait;
  }
  if (d.what == course::unknown_table) {
    out.refresh_catalog = true;
    error = error_message(failure::unknown_table, d.why);
    return readiness::refused;
  }
  if (d.what == course::refuse) {
    error = error_message(failure::refused_construct, d.why);
    return readiness::refused;
  }
  p.what = std::move(d);
  p.decided_for = now;
  p.decided_names = names_version;
  p.decided_passing = known.passing_version();
  return readiness::ready;
}

// The text in the form needed now; remembers that form as the one the primary holds.
std::string_view session::state::server_text(prepared& p) {
  p.connection = connection;
  p.parsed_names = names_version;
  p.with_image = mirrors() && p.captures() && p.what.rows.kind != effect_kind::truncate;
  if (!p.with_image) return p.sql;
  p.table = p.what.rows.tables.front();
  p.ddl_version = rules().primary->ddl_version;
  p.how = image_form();
  sql::rewrite_target target{0, p.table.get(), twin_suffix};
  const executable* e = executable_of(*p.statement());
  p.twin = e ? e->twin : nullptr;
  p.rewritten = sql::rewrite_all(p.sql, *p.text, {&target, 1}, p.how);
  return p.rewritten.text;
}

// Makes sure that the primary holds the statement in the form needed now.
session::state::readiness session::state::ensure_prepared(prepared_ptr& p, std::string& error, bool portals_use_it) {
  bool image = false;
  const auto own = [&] {   // a portal keeps what it was bound to
    if (portals_use_it && p.use_count() > 1) p = std::make_shared<prepared>(*p);
  };
  if (mirrors()) {
    if (!settled(*p)) own();
    if (readiness r = settle(*p, error); r != readiness::ready) return r;
    image = p->captures() && p->what.rows.kind != effect_kind::truncate;
  }
  bool current = p->connection == connection && p->with_image == image &&
                 (!image || (p->table == p->what.rows.tables.front() && p->ddl_version == rules().primary->ddl_version && p->how == image_form()));
  if (image) {
    if (readiness r = ensure_executed(*p, error); r != readiness::ready) return r;
    const executable* e = executable_of(*p->statement());
    current &= p->twin == (e ? e->twin : nullptr);
  }
  // A temporary table that has come to hide another since: the primary's plan may still mean the other.
  current &= !mirrors() || !p->what.passing || p->parsed_names == names_version;
  if (current) return readiness::ready;
  own();
  if (std::string why = read_otherwise(*p); !why.empty()) {
    error = error_message(failure::refused_construct, why);
    return readiness::refused;
  }
  std::string message;
  awaited a{.what = request::own, .own = purpose::reparse, .pieces = 1};
  if (!p->name.empty()) {
    protocol::write_close(message, protocol::describe_kind::statement, p->name);
    ++a.pieces;
  }
  protocol::write_parse(message, p->name, server_text(*p), p->types);
  a.statement = p;
  extended(message, std::move(a));
  return readiness::ready;
}

bool session::state::on_parse(const frame& f) {
  auto m = protocol::decode_parse(f.body);
  if (!m) {
    violation("malformed Parse");
    return true;
  }
  if (texts_open && mirrors()) {
    if (!drained()) return false;
    if (unsynced && ambiguous(m->sql)) {   // it is told with ReadyForQuery only
      refuse_extended(f.type, {}, error_message(failure::refused_construct, "a text behind a change of client_encoding or standard_conforming_strings in one pipeline"));
      return true;
    }
  }
  note_key_setting(m->sql);
  auto p = std::make_shared<prepared>();
  p->name = m->name;
  p->sql = m->sql;
  p->types = m->parameter_types;
  p->text = analyze(m->sql, standard_strings);
  p->standard_strings = standard_strings;
  p->encoding = parameters["client_encoding"];
  if (statements.size() >= rules().bounds.prepared_max && !statements.count(p->name)) {
    refuse_extended(f.type, {}, error_message(failure::too_large, "this session's number of prepared statements"));
    return true;
  }
  if (mirrors()) {
    std::string error;
    readiness r = settle(*p, error);
    if (r == readiness::ready) r = ensure_executed(*p, error);
    if (r == readiness::wait) return false;
    if (r == readiness::refused) {
      refuse_extended(f.type, m->name, std::move(error));
      return true;
    }
  } else {
    take_census(*p->text);
  }
  awaited a{.what = request::parse};
  p->serial = ++parses;
  std::string_view text = server_text(*p);
  name(a, awaited::naming::statement, p->name, p);
  if (!p->with_image) {
    extended(f.whole, std::move(a));
  } else {
    std::string message;
    protocol::write_parse(message, p->name, text, p->types);
    extended(message, std::move(a));
  }
  forget_executable(p->name);
  return true;
}

bool session::state::on_bind(const frame& f) {
  auto m = protocol::decode_bind(f.body);
  if (!m) {
    violation("malformed Bind");
    return true;
  }
  awaited a{.what = request::bind};
  paused.close(std::string(m->portal));
  runs.erase(std::string(m->portal));
  auto i = statements.find(std::string(m->statement));
  if (i == statements.end()) {   // the primary says 26000, or it was prepared by SQL
    static const prepared_ptr unknown = [] {
      auto p = std::make_shared<prepared>();
      p->unknown = true;
      return p;
    }();
    name(a, awaited::naming::portal, m->portal, unknown);
    extended(f.whole, std::move(a));
    return true;
  }
  prepared_ptr& p = i->second;
  std::string error;
  readiness r = ensure_prepared(p, error);
  if (r == readiness::wait) return false;
  if (r == readiness::refused) {
    refuse_extended(f.type, {}, std::move(error));
    return true;
  }
  name(a, awaited::naming::portal, m->portal, p);
  note_bound_settings(*p, *m);
  if (wants_key(p->text.get()) || key.now != idempotency::stage::none) bind_identity[std::string(m->portal)] = p->sql + '\0' + std::string(f.body.substr(m->portal.size()));
  const bool returning = p->what.rows.returning;
  if (p->with_image && !m->result_formats.empty() && (!returning || m->result_formats.size() > 1)) {
    std::vector<std::int16_t> formats;   // of what has no columns to the client PostgreSQL looks at none
    if (returning) {
      formats = m->result_formats;
      formats.push_back(0);
      a.formats = formats.size();
    }
    std::string message;
    protocol::write_bind(message, *m, m->portal, m->statement, formats);
    extended(message, std::move(a));
  } else {
    extended(f.whole, std::move(a));
  }
  return true;
}

// set_config($1, …): the name is known only here.
void session::state::note_bound_settings(const prepared& p, const protocol::bind_message& m) {
  const sql::statement* s = p.statement();
  if (!s) return;
  for (int number : s->setting_parameters)
    if (auto name = protocol::bound_parameter(m, static_cast<std::size_t>(number))) named.note(*name);
}

// A Bind with large parameters passes as it comes, if nothing has to be changed in it. False: it has to be awaited whole.
bool session::state::stream_bind(const frame& f, std::string_view rest) {
  if (server_skips || skip_to_sync) return false;
  std::size_t portal_end = f.body.find('\0');
  if (portal_end == std::string_view::npos) return false;
  std::size_t name_end = f.body.find('\0', portal_end + 1);
  if (name_end == std::string_view::npos) return false;
  auto i = statements.find(std::string(f.body.substr(portal_end + 1, name_end - portal_end - 1)));
  if (i == statements.end()) return false;
  if (wants_key(i->second->text.get()) || key.now != idempotency::stage::none) return false;   // the whole of it identifies the write
  if (const sql::statement* s = i->second->statement(); s && !s->setting_parameters.empty()) return false;
  std::string error;
  if (ensure_prepared(i->second, error) != readiness::ready || i->second->with_image) return false;
  awaited a{.what = request::bind};
  name(a, awaited::naming::portal, f.body.substr(0, portal_end), i->second);
  paused.close(std::string(f.body.substr(0, portal_end)));
  runs.erase(std::string(f.body.substr(0, portal_end)));
  extended(rest, std::move(a));
  return true;
}

bool session::state::on_describe(const frame& f) {
  auto m = protocol::decode_describe(f.body);
  if (!m) {
    violation("malformed Describe");
    return true;
  }
  awaited a{.what = request::describe};
  auto& map = m->kind == protocol::describe_kind::statement ? statements : portals;
  if (auto i = map.find(std::string(m->name)); i != map.end()) {
    prepared_ptr& p = i->second;
    std::string error;
    readiness r = m->kind == protocol::describe_kind::statement ? ensure_prepared(p, error) : readiness::ready;
    if (r == readiness::wait) return false;
    if (r == readiness::refused) {
      refuse_extended(f.type, {}, std::move(error));
      return true;
    }
    a.statement = p;
  }
  extended(f.whole, std::move(a));
  return true;
}

// An answer that may change which transaction or which savepoint is open.
bool session::state::control_awaited() const {
  return std::any_of(awaiting.begin(), awaiting.end(), [](const awaited& a) {
    const sql::statement* s = a.what == request::execute && a.statement ? a.statement->statement() : nullptr;
    return s && (s->kind == kind::savepoint || s->kind == kind::release || s->kind == kind::rollback_to || s->kind == kind::rollback ||
                 s->kind == kind::commit || s->kind == kind::begin);
  });
}

bool session::state::earlier_transaction_awaited() const {
  return std::any_of(awaiting.begin(), awaiting.end(), [](const awaited& a) { return a.what == request::sync || a.what == request::query; });
}

bool session::state::on_execute(const frame& f) {
  auto m = protocol::decode_execute(f.body);
  if (!m) {
    violation("malformed Execute");
    return true;
  }
  awaited a{.what = request::execute};
  auto i = portals.find(std::string(m->portal));
  if (i == portals.end()) {
    extended(f.whole, std::move(a));
    return true;
  }
  prepared_ptr p = i->second;
  if (p->unknown && mirrors()) {
    if (!drained()) return false;   // the primary refuses its Bind, and this is skipped
    refuse_extended(f.type, {}, error_message(failure::refused_construct, "a portal of a statement that was not prepared by the protocol"));
    return true;
  }
  const sql::statement* s = p->statement();
  a.statement = p;
  ++out.counted.queries;
  if (mirrors() && s && s->kind == kind::execute && (p->decided_for != &rules() || p->decided_names != names_version)) {   // it runs what the name means now
    if (!drained()) return false;
    if (status != 'E') {
      refuse_extended(f.type, {}, error_message(failure::refused_construct, "a portal of EXECUTE behind a change of names or statements"));
      return true;
    }
  }
  if (mirrors() && s && s->kind == kind::truncate && status != 'E') {   // its names are read when it runs, and no image tells which they were
    if (!known.fresh(s->relations)) p->decided_for = nullptr;
    std::string error;
    readiness r = settle(*p, error);
    if (r == readiness::wait) return false;
    if (r == readiness::refused) {
      refuse_extended(f.type, {}, std::move(error));
      return true;
    }
  }
  const bool claimed = key.now == idempotency::stage::claimed;
  if (s && s->kind == kind::commit && ((mirrors() && tx.writes.current()) || claimed)) {
    if (!drained()) return false;
    if (status != 'E' && to_mirror()) {
      start_commit(committing::form::execute, std::string(f.whole), std::move(a));
      return true;
    }
  }
  if (mirrors() && s && s->read_only && tx.writes.current()) {
    if (!drained()) return false;
    if (status != 'E' && to_mirror()) {
      refuse_extended(f.type, {}, error_message(failure::refused_construct, read_only_behind_writes));
      return true;
    }
  }
  if (s) remember(*s);
  bool captures = mirrors() && p->captures();
  if (bool alone = !captures && s && (keyed_only(*p->text) || in_keyed(s)); alone) {
    if (earlier_transaction_awaited() || control_awaited()) {
      drained();
      return false;
    }
    std::string error;
    switch (execute_key(*p, std::string(m->portal), error)) {
      case key_verdict::wait: return false;
      case key_verdict::replayed: return true;
      case key_verdict::refused: refuse_extended(f.type, {}, std::move(error)); return true;
      case key_verdict::proceed: break;
    }
    cover(a, *p, std::string(m->portal));
  } else if (!captures) {
    note_unkeyed(s);
  }
  if (!captures) {
    extended(f.whole, std::move(a));
    return true;
  }
  if (earlier_transaction_awaited() || control_awaited()) {
    drained();
    return false;
  }
  std::string error;
  const bool goes_on = paused.find(std::string(m->portal)) != nullptr;
  if (!pause(a, std::string(m->portal), m->max_rows, error)) {
    refuse_extended(f.type, {}, std::move(error));
    return true;
  }
  std::string message;
  protocol::write_execute(message, m->portal, 0);
  if (goes_on) {
    extended(message, std::move(a));
    return true;
  }
  if (runs_again(a, std::string(m->portal))) {
    execute_again(message, std::move(a));
    return true;
  }
  switch (execute_key(*p, std::string(m->portal), error)) {
    case key_verdict::wait: return false;
    case key_verdict::replayed:
      if (a.run) a.run->done = true;
      return true;
    case key_verdict::refused: refuse_extended(f.type, {}, std::move(error)); return true;
    case key_verdict::proceed: break;
  }
  cover(a, *p, std::string(m->portal));
  if (tx.needs_fence()) ask_fence();
  extended(message, std::move(a));
  return true;
}

bool session::state::on_close(const frame& f) {
  auto m = protocol::decode_describe(f.body);
  if (!m) {
    violation("malformed Close");
    return true;
  }
  if (m->kind == protocol::describe_kind::statement) {
    forget_executable(std::string(m->name));
  } else {
    paused.close(std::string(m->name));
    runs.erase(std::string(m->name));
  }
  awaited a{.what = request::close};
  name(a, m->kind == protocol::describe_kind::statement ? awaited::naming::statement : awaited::naming::portal, m->name, nullptr);
  extended(f.whole, std::move(a));
  return true;
}

bool session::state::on_sync(const frame& f) {
  awaited a{.what = request::sync};
  bool claimed = key.now == idempotency::stage::claimed;
  if (((mirrors() && tx.writes.current()) || claimed) && !server_skips && !skip_to_sync) {
    if (!drained()) return false;
    if (!tx.block && !server_skips && to_mirror()) {
      start_commit(committing::form::sync, std::string(f.whole), std::move(a));
      return true;
    }
  }
  if (meanings_open) forget_names();   // an implicit transaction that fails undoes its SET
  server_skips = skip_to_sync = false;
  forward(f.whole);
  flushed = true;
  unsynced = false;
  await(std::move(a));
  return true;
}

}  // namespace pgtandem::session
