#include <algorithm>

#include "proxy/session/foreign_names.hpp"
#include "proxy/session/state.hpp"

namespace pgtandem::session {

using protocol::frame;
using kind = sql::statement_kind;

namespace {
constexpr int grammar_major = 15;   // of libpg_query: what it refuses, this or an older server refuses too
}  // namespace

bool session::state::on_query(const frame& f) {
  auto sql = protocol::decode_query(f.body);
  if (!sql) {
    violation("malformed Query");
    return true;
  }
  if (texts_open && mirrors() && !drained()) return false;   // how is it to be read?
  if (unsynced && (tx.writes.current() || key.has())) {   // it ends the implicit transaction of what stands before it
    if (!drained()) return false;
    if (!tx.block && to_mirror()) {
      refuse_query(failure::refused_construct, "a Query behind a write without Sync");
      return true;
    }
  }
  note_key_setting(*sql);
  if (!mirrors()) {
    sql::analysis_ptr a = analyze(*sql, standard_strings);
    take_census(*a);
    if (keyed_only(*a) || ends_keyed(*a)) return keyed_query_alone(*sql, std::move(a));
    remember(*a);
    pass_query(f.whole, std::move(a));
    return true;
  }
  return mirror_query(f.whole, *sql, analyze(*sql, standard_strings));
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
  else if (!safe_texts) why = "texts in this client_encoding";
  return !why.empty();
}

// What a name means could not be told: in the primary's words, if it has found any.
std::string session::state::unresolved(std::string_view name) {
  if (resolve_error.empty()) return error_message(failure::unknown_table, name);
  return std::exchange(resolve_error, {});
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
  if (s.kind == kind::execute) return decide_execute(s);
  if (s.construct == "FETCH" || s.construct == "MOVE") {   // it may be of a portal of the protocol
    const auto captures = [](const auto& portal) { return portal.second->with_image || portal.second->unknown; };
    if (!paused.empty() || std::any_of(portals.begin(), portals.end(), captures)) {
      d.what = course::refuse;
      d.why = "FETCH or MOVE beside a portal of a write";
      return d;
    }
  }
  if (s.kind == kind::truncate) known.forget_unless_fresh(s.relations);
  return decide_named(s);
}

decision session::state::decide_named(const sql::statement& s) {
  const sql::catalog& catalog = *rules().primary;
  decision d = decide(s, catalog, known);
  if (exact_names() || d.what == course::refuse) return d;
  if (std::string why = unread_name(s, catalog, d); !why.empty()) {
    d = {};
    d.what = course::refuse;
    d.why = std::move(why);
  }
  return d;
}

// A statement of a string. What a degraded commit notes, and a key's record, are written at its very end: behind a write READ ONLY would
// fail it.
decision session::state::decide_behind(const sql::statement& s, bool& written) {
  decision d = decide_here(s);
  if (d.what == course::pass && s.read_only && written) {
    d.what = course::refuse;
    d.why = std::string(read_only_behind_writes);
  }
  if (s.kind == kind::commit || s.kind == kind::rollback) written = false;
  written |= d.what == course::capture;
  return d;
}

bool session::state::mirror_query(std::string_view message, std::string_view sql, sql::analysis_ptr a) {
  std::string why;
  if (unreadable(*a, sql, why)) {
    refuse_query(failure::refused_construct, why);
    return true;
  }
  auto control = [](const sql::statement& s) { return is_control(s.kind); };
  const bool controls = std::any_of(a->statements.begin(), a->statements.end(), control);
  bool captures = false;
  if (status == 'E') {   // what stands before the end of the failed block is refused by the primary with 25P02
    if (!drained()) return false;
    if (std::exchange(resolve_failed, false) && status == 'E' && !resolve_error.empty()) {   // our question to it has failed the block
      out.to_client += std::exchange(resolve_error, {});
      say_ready(status);
      return true;
    }
    captures = status == 'E' && controls && a->statements.size() > 1;
  }
  const auto& all = a->statements;
  const bool read_only = std::any_of(all.begin(), all.end(), [](const sql::statement& s) { return s.read_only; });
  if (read_only && tx.writes.current() && !drained()) return false;   // has it written?
  bool written = status != 'E' && to_mirror();
  std::vector<decision> decisions;
  std::vector<std::string> questions;
  const std::size_t sure = status == 'E' ? 0 : known_ahead(*a, meanings_open);   // what stands behind is decided when its time has come
  for (std::size_t i = 0; i < sure; ++i) {
    decision d = decide_behind(a->statements[i], written);
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
    decisions.push_back(std::move(d));
  }
  if (!questions.empty()) {
    if (!drained()) return false;
    if (std::exchange(resolve_failed, false)) {
      refuse_query(unresolved(questions.front()));
      return true;
    }
    ask_meanings(questions);
    return false;
  }
  captures |= status != 'E' && sure < a->statements.size();
  bool open = tx.writes.current() != nullptr && status != 'E';
  if (!captures && !(controls && open)) {
    remember(*a);
    pass_query(message, std::move(a));
    return true;
  }
  if (!drained()) return false;
  if (!standard_strings && a->statements.size() > 1 && sql.find('\\') != std::string_view::npos) {   // its warnings would come apart
    refuse_query(failure::refused_construct, "a string of several statements with backslashes under standard_conforming_strings = off");
    return true;
  }
  start_script(sql, std::move(a));
  script.decided = std::min(decisions.size(), part_end(*script.text, 0, status == 'I'));
  std::move(decisions.begin(), decisions.begin() + static_cast<std::ptrdiff_t>(script.decided), script.decisions.begin());
  advance_script();
  return true;
}

// The answer has to come from the primary all the same: it orders it among the others and fails its transaction.
void session::state::refuse_query(std::string error) {
  protocol::write_query(out.to_primary, failing_query);
  unsynced = false;
  awaited w{.what = request::query};
  w.substitute = std::move(error);
  count_refusal(w.substitute);
  await(std::move(w));
}

}  // namespace pgtandem::session
