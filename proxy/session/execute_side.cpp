#include <algorithm>

#include "proxy/session/foreign_names.hpp"
#include "proxy/session/state.hpp"
#include "proxy/sql/prepare_text.hpp"

namespace pgtandem::session {

using kind = sql::statement_kind;

namespace {

constexpr std::size_t closed_at_once = 100;   // unused twins; the rest next time

std::vector<std::uint32_t> numbers(std::string_view text) {
  std::vector<std::uint32_t> out;
  bool inside = false;
  for (char c : text) {
    const bool digit = c >= '0' && c <= '9';
    if (digit && !inside) out.push_back(0);
    if (digit) out.back() = out.back() * 10 + static_cast<std::uint32_t>(c - '0');
    inside = digit;
  }
  return out;
}

}  // namespace

// What the statement behind the name does; course::resolve: the primary has to be asked what it is.
decision session::state::decide_execute(const sql::statement& s) {
  decision d = decide_named(s);   // the functions in its arguments
  if (d.what != course::pass) return d;
  if (executes.found_in != tx.rules()) {
    executes.forget_all(connection);
    executes.found_in = tx.rules();
  }
  auto i = executes.known.find(s.name);
  if (i == executes.known.end()) {
    executes.wanted = s.name;
    d.what = course::resolve;
    d.ask = {s.name};
    return d;
  }
  const executable& e = i->second;
  if (e.why.empty() && !e.twin) return d;
  if (e.why.empty()) d = decide_named(*e.twin->statement());
  if (e.why.empty() && d.what == course::capture) {
    if (std::string why = read_otherwise(*e.twin); !why.empty()) {
      d.what = course::refuse;
      d.why = "EXECUTE of " + why;
    }
  }
  if (!e.why.empty()) {
    d.what = course::refuse;
    d.why = e.why;
  }
  if (d.what == course::capture && s.arguments != e.twin->types.size()) return {};   // the primary says so, and runs nothing
  return d;
}

// Relations, or a prepared statement first.
void session::state::ask_meanings(const std::vector<std::string>& questions) {
  if (executes.wanted.empty()) ask(purpose::resolve, resolve_query(questions));
  else ask(purpose::recall, recall_query, {executes.wanted, executes.wanted + std::string(twin_suffix)});
}

void session::state::learn_executable(bool failed) {
  const std::string name = std::exchange(executes.wanted, {});
  if (failed || executes.known.size() >= rules().bounds.prepared_max) {
    resolve_failed = true;   // refused by its name
    return;
  }
  executable& e = executes.known[name];
  e = {};
  if (name.ends_with(twin_suffix)) {
    e.why = "EXECUTE of a name that ends in " + std::string(twin_suffix);
  } else if (own_rows.empty() || own_rows[0].size() != 4) {
    if (beyond_ascii(name)) e.why = "EXECUTE of a name beyond ASCII";   // it may be folded there as it is not here
  } else {
    recalled row{own_rows[0][0], own_rows[0][1] == "t", own_rows[0][3] == "t" || statements.count(name + std::string(twin_suffix)) != 0, numbers(own_rows[0][2])};
    e = recall(name, std::move(row));
  }
}

// A text that the proxy itself has changed, or that was read under settings which are not known, is not taken for the client's.
executable session::state::recall(const std::string& name, recalled row) {
  bool known_strings = !strings_varied;
  if (!row.by_sql) {
    auto p = statements.find(name);
    const bool held = p != statements.end() && p->second->connection == connection;
    if (!held || row.text != (p->second->with_image ? p->second->rewritten.text : p->second->sql)) return {nullptr, "EXECUTE of a statement whose text is not known"};
    row.text = p->second->sql;
    known_strings = p->second->standard_strings == standard_strings;
  }
  if (!known_strings && row.text.find('\\') != std::string::npos) return {nullptr, "EXECUTE of a text with backslashes where standard_conforming_strings has been off"};
  sql::analysis_ptr a = analyze(row.text, standard_strings);
  if (std::string why; unreadable(*a, row.text, why)) return {nullptr, "EXECUTE of " + why};
  executable e = make_executable(name, row, *a, standard_strings);
  if (e.twin) e.twin->encoding = parameters["client_encoding"];   // in which the text has just been told
  return e;
}

// Why the statement's text would not be read now as it was; empty if it would.
std::string session::state::read_otherwise(const prepared& p) {
  if (p.standard_strings != standard_strings && p.sql.find('\\') != std::string::npos)
    return "a statement with backslashes that was prepared under another standard_conforming_strings";
  if (p.encoding != parameters["client_encoding"] && beyond_ascii(p.sql)) return "a statement beyond ASCII that was prepared under another client_encoding";
  return {};
}

// PREPARE, DEALLOCATE and their like in the protocol: what the name stands for has to be asked anew.
void session::state::forget_executable(const std::string& name) {
  if (!executes.found_in || name.empty()) return;
  executes.forget(name, connection);
  ++names_version;
}

const executable* session::state::executable_of(const sql::statement& s) const {
  auto i = executes.known.find(s.name);
  return s.kind == kind::execute && i != executes.known.end() ? &i->second : nullptr;
}

// Can the twin be run in place of what `text` names?
bool session::state::twin_fits(const sql::statement& s, std::string_view text) const {
  const executable* e = executable_of(s);
  return e && e->twin && sql::execute_name_end(text, s.name);
}

// Makes sure that the primary holds the twin in the form needed now. Ahead of a message of the client's, so neither Sync nor Flush.
session::state::readiness session::state::ensure_twin(const sql::statement& s, std::string& error) {
  prepared_ptr twin = executable_of(s)->twin;
  executes.unused.erase(twin->name);
  if (!executes.unused.empty()) {
    std::string message;
    awaited a{.what = request::own, .own = purpose::reparse};
    while (!executes.unused.empty() && a.pieces < closed_at_once) {
      protocol::write_close(message, protocol::describe_kind::statement, *executes.unused.begin());
      executes.unused.erase(executes.unused.begin());
      ++a.pieces;
    }
    extended(message, std::move(a));
  }
  return ensure_prepared(twin, error, false);
}

// For a prepared `EXECUTE name(…)`: its twin, before it.
session::state::readiness session::state::ensure_executed(const prepared& p, std::string& error) {
  const sql::statement* s = p.statement();
  if (!s || s->kind != kind::execute || !p.captures()) return readiness::ready;
  if (twin_fits(*s, std::string_view(p.sql).substr(p.text->ranges[0].begin, p.text->ranges[0].size()))) return ensure_twin(*s, error);
  error = error_message(failure::refused_construct, "EXECUTE of a prepared write by a name spelled like that");
  return readiness::refused;
}

// The part of a string up to `to` has been decided. False: it has been refused.
bool session::state::part_twins_fit(std::size_t to) {
  for (std::size_t i = script.at; i < to; ++i) {
    const sql::text_range r = script.text->ranges[i];
    if (script.decisions[i].what != course::capture || script.statement(i).kind != kind::execute) continue;
    if (twin_fits(script.statement(i), std::string_view(script.sql).substr(r.begin, r.size()))) continue;
    refuse_part(failure::refused_construct, "EXECUTE of a prepared write by a name spelled like that");
    return false;
  }
  return true;
}

void session::state::send_part_twins(std::size_t to) {
  std::string error;
  for (std::size_t i = script.at; i < to; ++i)
    if (script.decisions[i].what == course::capture && script.statement(i).kind == kind::execute) ensure_twin(script.statement(i), error);
  unsynced = false;   // a Query follows
}

}  // namespace pgtandem::session
