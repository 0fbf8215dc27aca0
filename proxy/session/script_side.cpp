#include <algorithm>

#include "proxy/session/state.hpp"

namespace pgtandem::session {

using kind = sql::statement_kind;

void session::state::start_script(std::string_view sql, sql::analysis_ptr a) {
  script.clear();
  script.decisions.resize(a->statements.size());
  script.text = std::move(a);
  script.sql = sql;
  script.in_block = status != 'I';
  script.standard_strings = standard_strings;
  script.encoding = parameters["client_encoding"];
  in_string = true;
  ++out.counted.queries;
  unsynced = false;
}

// Sends the next part, or asks first what it needs to know; the answer brings it back here.
void session::state::advance_script() {
  const sql::statement& first = script.statement(script.at);
  const bool implicit = script.several() && (status == 'I' || script.opened);
  if (other_texts()) {
    refuse_part(failure::refused_construct, "a statement behind a change of client_encoding or standard_conforming_strings in one string");
    return;
  }
  if (implicit && needs_block(first)) {
    send_doomed();
    return;
  }
  if (implicit && part_needs_warnings()) return;
  std::size_t to = part_end(*script.text, script.at, implicit);
  if (decide_part(to)) send_part(to);
}

// PostgreSQL has read the whole string under the settings at its start; a part would be read under those of now.
bool session::state::other_texts() const {
  auto encoding = parameters.find("client_encoding");
  bool same_encoding = encoding != parameters.end() && encoding->second == script.encoding;
  if (script.standard_strings == standard_strings && same_encoding) return false;
  return ambiguous(std::string_view(script.sql).substr(script.text->ranges[script.at].begin));
}

// A COMMIT or ROLLBACK of an implicit transaction draws a warning, which the block that stands in for it would swallow. The primary is
// asked beforehand for its wording; true: it has been, or the part has been refused.
bool session::state::part_needs_warnings() {
  if (script.opened || script.asked_warnings) return false;
  bool silences = false;
  for (std::size_t i = script.at; i < script.text->statements.size(); ++i) {
    const sql::statement& s = script.statement(i);
    if (s.kind == kind::begin || needs_block(s)) return false;
    if (s.kind == kind::commit || s.kind == kind::rollback) {
      if (silences) refuse_part(failure::refused_construct, s.construct + " without BEGIN behind a change of what is warned of in one string");
      if (!silences) {
        script.warnings.clear();
        ask_simple(purpose::warnings, "COMMIT;\nROLLBACK");
      }
      return true;
    }
    silences |= changes_warnings(s);
  }
  return false;
}

bool session::state::decide_part(std::size_t to) {
  if (!mirrors() || status == 'E') {   // the primary refuses what stands before the end of a failed block
    script.decided = std::max(script.decided, to);
    return true;
  }
  std::vector<std::string> questions;
  bool written = to_mirror();
  for (std::size_t i = script.at; i < script.decided; ++i) written |= script.decisions[i].what == course::capture;
  for (std::size_t i = script.decided; i < to; ++i) {
    decision d = decide_behind(script.statement(i), written);
    if (d.what == course::resolve) questions.insert(questions.end(), d.ask.begin(), d.ask.end());
    if (d.what == course::refuse) {
      refuse_part(failure::refused_construct, d.why);
      return false;
    }
    if (d.what == course::unknown_table) {
      out.refresh_catalog = true;
      refuse_part(failure::unknown_table, d.why);
      return false;
    }
    script.decisions[i] = std::move(d);
  }
  if (questions.empty()) {
    script.decided = std::max(script.decided, to);
    return true;
  }
  if (std::exchange(resolve_failed, false)) refuse_part(unresolved(questions.front()));
  else ask_meanings(questions);
  return false;
}

// Like an error of the statement: what ran before it in the same transaction is undone.
void session::state::refuse_part(std::string error) {
  count_refusal(error);
  out.to_client += error;
  awaited w{.what = request::query};
  w.failed = true;
  w.inside = script.opened;
  script.clear();
  if (status == 'I') {
    say_ready(status);
    return;
  }
  failed_query = std::move(w);
  make_fail();
}

plan_ptr session::state::make_plan(std::size_t to) {
  auto p = std::make_shared<plan>();
  const sql::analysis& a = *script.text;
  std::vector<sql::rewrite_target> targets;
  for (std::size_t i = script.at; i < to; ++i) {
    const decision& d = script.decisions[i];
    step s{a.statements[i].kind, a.statements[i].name, a.statements[i].chain, key_covers(a.statements[i], a), d.what == course::capture, d.rows};
    p->captures |= s.captures;
    if (s.captures && s.rows.kind != effect_kind::truncate) targets.push_back({i, s.rows.tables.front().get(), twin_suffix});
    p->steps.push_back(std::move(s));
    remember(a.statements[i]);
  }
  p->whole = sql::rewrite_all(script.sql, a, targets, targets.empty() ? sql::capture_options() : image_form());
  std::size_t added = p->whole.text.size() - script.sql.size();
  p->begin = a.ranges[script.at].begin;
  p->length = a.ranges[to - 1].end - p->begin + added;
  return p;
}

void session::state::send_part(std::size_t to) {
  if (!part_twins_fit(to)) return;
  known.handled();
  const std::size_t from = script.at;
  const kind first = script.statement(from).kind;
  const bool control = is_control(first);
  const bool ends = first == kind::commit || first == kind::rollback;
  const sql::analysis_ptr text = script.text;
  const auto decided = script.decisions.begin() + static_cast<std::ptrdiff_t>(script.at);
  const bool captures = std::any_of(decided, decided + static_cast<std::ptrdiff_t>(to - script.at), [](const decision& d) { return d.what == course::capture; });
  bool opens = status == 'I' && (script.several() ? first != kind::begin : captures || !mirrors());
  if (opens) ask_prepared(purpose::begin, "pgtandem_begin", "BEGIN");
  send_part_twins(to);
  awaited w{.what = request::query};
  w.planned = make_plan(to);   // remembers what the part leaves behind
  script.at = to;
  script.opened |= opens;
  w.inside = script.opened;
  w.wrapped = script.opened && !control && script.done();
  w.adopts = script.opened && first == kind::begin;
  if (script.opened && ends && script.warnings.size() == 2) out.to_client += script.warnings[first == kind::commit ? 0 : 1];
  std::string message;
  protocol::write_query(message, w.planned->text());
  if (first == kind::commit && status != 'E' && to_mirror()) {
    start_commit(committing::form::query, std::move(message), std::move(w));
    return;
  }
  if (w.planned->captures && (opens || tx.needs_fence())) {
    ask_fence();
    for (std::size_t i = from; i < to; ++i)
      if (changes_meanings(text->statements[i])) tx.fence_again();   // it stands behind the part's writes
  }
  if (claims(*w.planned) && key.differs(text.get())) return refuse_key(failure::key_second, std::move(w));
  if (claims(*w.planned) && key.must_ask(text.get(), keys_used)) {
    std::string identity = script.several() ? script.sql : w.planned->original_text();
    keyed_query = std::move(w);
    keyed_message = std::move(message);
    claim_key(text.get(), identity);
    return;
  }
  forward(message);
  await(std::move(w));
}

// The primary refuses the statement in its own words, in an implicit transaction as the client's is: hence the second one.
void session::state::send_doomed() {
  if (script.opened) ask_simple(purpose::undo, "ROLLBACK");
  awaited w{.what = request::query};
  w.doomed = true;
  w.planned = make_plan(script.at + 1);
  script.clear();
  std::string message;
  protocol::write_query(message, std::string(w.planned->text()) + "\n;\nROLLBACK");   // the text may end in a comment
  forward(message);
  await(std::move(w));
}

// PostgreSQL says at the end of a string which parameters have changed by it, sorted by name, and says nothing of a change undone.
void session::state::tell_parameters() {
  std::vector<std::pair<std::string, std::string>> changed;
  for (const auto& [name, told] : parameters_told)
    if (parameters[name] != told) changed.emplace_back(name, parameters[name]);
  parameters_told.clear();
  std::sort(changed.begin(), changed.end(), [](const auto& a, const auto& b) { return lower_case(a.first) < lower_case(b.first); });
  for (const auto& [name, value] : changed) protocol::write_parameter_status(out.to_client, name, value);
}

// ReadyForQuery after a Query message.
void session::state::query_ready(awaited a) {
  if (a.failed) script.clear();
  if (a.adopts || status == 'I') script.opened = script.asked_warnings = false;
  if (a.inside && status == 'E') {
    ask_simple(purpose::rollback, "ROLLBACK");
  } else if (a.wrapped && status == 'T') {
    script.clear();
    std::string message;
    protocol::write_query(message, "COMMIT");
    awaited w{.what = request::own, .own = purpose::commit, .to_ready = true};
    start_commit(committing::form::wrapped, std::move(message), std::move(w));
  } else if (script.active() && !script.done()) {
    advance_script();
  } else {
    script.clear();
    say_ready(status);
  }
}

}  // namespace pgtandem::session
