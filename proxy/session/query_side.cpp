#include <algorithm>

#include "proxy/session/state.hpp"

namespace pgtandem::session {

using protocol::frame;
using kind = sql::statement_kind;

namespace {
constexpr int grammar_major = 15;   // of libpg_query: what it refuses, this or an older server refuses too

bool writes_rows(kind k) {
  switch (k) {
    case kind::insert:
    case kind::update:
    case kind::delete_:
    case kind::truncate:
    case kind::copy_from:
    case kind::uncaptured: return true;
    default: return false;
  }
}
// May names, roles or texts mean something else behind it?
bool changes_meanings(const sql::statement& s) {
  static constexpr std::string_view meaningful[] = {"search_path", "client_encoding", "standard_conforming_strings", "datestyle", "intervalstyle", ""};
  if (s.changes_role || s.kind == kind::create_temp || s.kind == kind::discard || s.kind == kind::prepare || s.kind == kind::uncaptured) return true;
  return s.changes_settings && std::find(std::begin(meaningful), std::end(meaningful), s.name) != std::end(meaningful);
}
// The string is planned as a whole, before any of it has run.
bool plans_ahead(const sql::analysis& a) {
  bool changed = false;
  for (const sql::statement& s : a.statements) {
    if (changed && (writes_rows(s.kind) || s.kind == kind::execute)) return true;
    changed |= changes_meanings(s);
  }
  return false;
}
bool is_control(kind k) { return k == kind::begin || k == kind::commit || k == kind::rollback || k == kind::rollback_to; }
}  // namespace

bool session::state::on_query(const frame& f) {
  auto sql = protocol::decode_query(f.body);
  if (!sql) {
    violation("malformed Query");
    return true;
  }
  server_skips = skip_to_sync = false;
  note_key_setting(*sql);
  if (!mirrors()) {
    sql::analysis_ptr a = analyze(*sql);
    take_census(*a);
    if (keyed_only(*a)) return keyed_query_alone(*sql, std::move(a));
    remember(*a);
    pass_query(f.whole, std::move(a));
    return true;
  }
  return mirror_query(f.whole, *sql, analyze(*sql));
}

void session::state::take_census(const sql::analysis& a) {
  if (control::row_of(latest->routing.now).next.empty()) return;   // no mirroring lies ahead
  for (const sql::statement& s : a.statements)
    if (std::string construct = census_construct(s, latest->primary.get()); !construct.empty())
      out.counted.census.push_back(std::move(construct));
}

bool session::state::on_function_call(const frame& f) {
  if (mirrors()) {
    refuse_query(failure::refused_construct, "the function call message");
    return true;
  }
  forward(f.whole);
  await({.what = request::function_call});
  return true;
}

void session::state::pass_query(std::string_view message, sql::analysis_ptr a) {
  ++out.counted.queries;
  forward(message);
  unsynced = false;
  awaited w{.what = request::query};
  w.text = std::move(a);
  await(std::move(w));
}

// A text whose effect cannot be told from the grammar.
bool session::state::unreadable(const sql::analysis& a, std::string_view sql, std::string& why) {
  if (sql.size() > rules().bounds.statement_max) why = "a text beyond dual_write.statement_max_bytes";
  else if (a.too_deep) why = "a text nested too deeply to be read";
  else if (a.parse_error && server_major > grammar_major) why = "a text that its grammar does not know";
  else if (!safe_texts) why = "texts under standard_conforming_strings = off or this client_encoding";
  return !why.empty();
}

decision session::state::decide_here(const sql::statement& s) {
  const auto& catalog = rules().primary;
  decision d;
  if (!catalog) {
    d.what = course::unknown_table;
    d.why = s.construct;
    if (s.kind == kind::read || is_control(s.kind) || s.kind == kind::set) d.what = course::pass;
    return d;
  }
  if (s.kind == kind::execute) {
    auto i = sql_prepared.find(s.name);
    auto p = statements.find(s.name);
    bool by_sql = i != sql_prepared.end() && i->second;
    bool by_protocol = p != statements.end() && (!p->second->statement() || writes_rows(p->second->statement()->kind));
    if (!by_sql && !by_protocol) return d;
    d.what = course::refuse;
    d.why = "EXECUTE of a prepared write";
    return d;
  }
  return decide(s, *catalog, known);
}

bool session::state::mirror_query(std::string_view message, std::string_view sql, sql::analysis_ptr a) {
  std::string why;
  if (unreadable(*a, sql, why)) {
    refuse_query(failure::refused_construct, why);
    return true;
  }
  if (plans_ahead(*a)) {
    refuse_query(failure::refused_construct, "a write behind a change of settings, roles or names in one string");
    return true;
  }
  std::vector<decision> decisions;
  std::vector<std::string> questions;
  bool captures = false, control = false;
  for (const sql::statement& s : a->statements) {
    decision d = decide_here(s);
    if (d.what == course::resolve && status == 'E') d.what = course::pass;   // the primary refuses it with 25P02
    if (d.what == course::resolve) questions.insert(questions.end(), d.ask.begin(), d.ask.end());
    if (d.what == course::refuse) {
      refuse_query(failure::refused_construct, d.why);
      return true;
    }
    if (d.what == course::unknown_table) {
      out.refresh_catalog = true;
      refuse_query(failure::unknown_table, d.why);
      return true;
    }
    captures |= d.what == course::capture;
    control |= is_control(s.kind);
    decisions.push_back(std::move(d));
  }
  if (!questions.empty()) {
    if (!drained()) return false;
    if (std::exchange(resolve_failed, false)) {
      refuse_query(failure::unknown_table, questions.front());
      return true;
    }
    ask(purpose::resolve, resolve_query(questions));
    return false;
  }
  bool open = tx.writes.current() != nullptr;
  if ((!captures && !(control && open)) || status == 'E') {
    remember(*a);
    pass_query(message, std::move(a));
    return true;
  }
  if (!drained()) return false;
  if (!write_script(sql, a, decisions, why)) {
    refuse_query(failure::refused_construct, why);
    return true;
  }
  remember(*a);
  ++out.counted.queries;
  unsynced = false;
  next_segment();
  return true;
}

// The answer has to come from the primary all the same: it orders it among the others and fails its transaction.
void session::state::refuse_query(failure why, std::string_view what) {
  ++out.counted.statements_refused;
  protocol::write_query(out.to_primary, failing_query);
  unsynced = false;
  awaited w{.what = request::query};
  w.substitute = error_message(why, what);
  await(std::move(w));
}

// Cuts the string at transaction control. An implicit transaction may only end the string: one that a BEGIN would take over, or a
// COMMIT without a block, is refused.
bool session::state::write_script(std::string_view sql, const sql::analysis_ptr& a, const std::vector<decision>& d, std::string& why) {
  script.clear();
  bool block = status == 'T';
  bool implicit = false;   // statements of an implicit transaction since the string's start or its last COMMIT
  std::size_t from = 0;
  const std::size_t n = a->statements.size();
  auto group = [&](std::size_t to) {
    if (from < to) {
      plan_ptr p = make_plan(sql, *a, d, from, to);
      bool wrap = !block && (p->captures || !mirrors());   // not mirrored: it is here for its idempotency key
      script.push_back({std::move(p), a, wrap, false});
    }
    from = to;
  };
  for (std::size_t i = 0; i < n; ++i) {
    kind k = a->statements[i].kind;
    if (!is_control(k)) {
      implicit |= !block;
      continue;
    }
    group(i);
    if ((k == kind::begin && implicit) || (k != kind::begin && !block)) {
      why = a->statements[i].construct + " in the middle of an implicit transaction";
      script.clear();
      return false;
    }
    from = i;
    bool commits = k == kind::commit;
    script.push_back({make_plan(sql, *a, d, i, i + 1), a, false, commits});
    from = i + 1;
    if (k == kind::begin) block = true;
    if ((k == kind::commit || k == kind::rollback) && !a->statements[i].chain) block = implicit = false;
  }
  group(n);
  return true;
}

plan_ptr session::state::make_plan(std::string_view sql, const sql::analysis& a, const std::vector<decision>& d, std::size_t from,
                                   std::size_t to) {
  auto p = std::make_shared<plan>();
  std::vector<sql::rewrite_target> targets;
  for (std::size_t i = from; i < to; ++i) {
    step s{a.statements[i].kind, a.statements[i].name, d[i].what == course::capture, d[i].rows};
    p->captures |= s.captures;
    if (s.captures && s.rows.kind != effect_kind::truncate) targets.push_back({i, s.rows.tables.front().get()});
    p->steps.push_back(std::move(s));
  }
  p->whole = sql::rewrite_all(sql, a, targets, targets.empty() ? sql::capture_options() : image_form());
  std::size_t added = p->whole.text.size() - sql.size();
  p->begin = a.ranges[from].begin;
  p->length = a.ranges[to - 1].end - p->begin + added;
  return p;
}

void session::state::next_segment() {
  segment s = std::move(script.front());
  script.pop_front();
  awaited w{.what = request::query};
  w.planned = s.planned;
  w.wrapped = s.wrap;
  std::string message;
  protocol::write_query(message, s.planned->text());
  if (s.commits && to_mirror()) {
    start_commit(committing::form::query, std::move(message), std::move(w));
    return;
  }
  if (s.wrap) ask_prepared(purpose::begin, "pgtandem_begin", "BEGIN");
  if (s.planned->captures && (s.wrap || tx.needs_fence())) ask_fence();
  if ((s.planned->captures || (s.wrap && !mirrors())) && key.now == idempotency::stage::none && wants_key(s.text.get())) {
    keyed_query = std::move(w);
    keyed_message = std::move(message);
    claim_key(s.text.get(), s.planned->original_text());
    return;
  }
  forward(message);
  await(std::move(w));
}

// ReadyForQuery after a Query message.
void session::state::query_ready(awaited a) {
  if (a.failed) script.clear();
  if (a.wrapped && status == 'E') {
    ask_simple(purpose::rollback, "ROLLBACK");
  } else if (a.wrapped && status == 'T') {
    std::string message;
    protocol::write_query(message, "COMMIT");
    awaited w{.what = request::own, .own = purpose::commit, .to_ready = true};
    start_commit(committing::form::wrapped, std::move(message), std::move(w));
  } else if (!script.empty()) {
    next_segment();
  } else {
    say_ready(status);
  }
}

}  // namespace pgtandem::session
