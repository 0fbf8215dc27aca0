#include "proxy/control/coordinator.hpp"

#include "proxy/control/flip_runner.hpp"
#include "proxy/control/phase_change.hpp"
#include "proxy/control/roll_runner.hpp"
#include "proxy/control/statements.hpp"
#include "proxy/telemetry/log.hpp"

namespace pgtandem::control {
namespace {

bool listed(std::string_view list, std::string_view word) {
  while (!list.empty()) {
    auto end = list.find(' ');
    if (list.substr(0, end) == word) return true;
    list.remove_prefix(end == std::string_view::npos ? list.size() : end + 1);
  }
  return false;
}

// The secondary was prepared to follow, and then nothing followed: its coordinator ended in between.
bool needless_record(const migration_row& say, bool secondary_triggers_off) { return secondary_triggers_off && !row_of(say.now).mirrors; }

// Steps back and the end of a migration whose secondary is gone must work without it.
bool works_alone(phase from, phase to) { return use_of(from, to) == use::none || to == phase::complete; }

}  // namespace

duty coordinator::duty_for(std::uint64_t intent_id) {
  return {[this, intent_id](std::string_view step) {
            if (intent_id != 0) desk_.note(intent_id, step);
          },
          [this] { return worker_.stopping(); }, [this](std::chrono::milliseconds d) { worker_.rest(d); }};
}

void coordinator::run() {
  while (!worker_.stopping()) {
    if (auto r = desk_.take(take_limit)) {
      at_work_ = true;
      carry_out(std::move(*r));
    } else {
      mend();
      roll();
    }
    hands_.dismiss();
    at_work_ = false;
  }
}

// --- intents

void coordinator::carry_out(intent_report r) {
  r.state = intent_state::running;
  attempt(r);
  if (r.state == intent_state::running) r.state = intent_state::failed;
  telemetry::log::info("intent ended", {{"id", r.id}, {"verb", name_of(r.what.verb)}, {"state", name_of(r.state)}, {"message", r.message}});
  desk_.finish(r);
}

std::string coordinator::take_places(bool secondary_needed) {
  const clock::time_point deadline = clock::now() + busy_limit;
  for (;;) {
    board_state b = board_.look();
    auto say = authority(b.of(place::source).row, b.of(place::target).row);
    if (!say) return "no schema pgtandem has been seen: run pgtandem init";
    place primary = row_of(say->now).primary;
    auto first = hands_.board(primary, primary);
    auto second = first ? hands_.board(other(primary), primary) : database::result<void>();
    if (first && (second || (!secondary_needed && second.error().sqlstate != "55P03"))) return {};
    const database::error& e = first ? second.error() : first.error();
    if (e.sqlstate != "55P03" || clock::now() >= deadline || worker_.stopping())
      return std::string(name_of(first ? other(primary) : primary)) + ": " + e.sqlstate + " " + e.message;
    hands_.dismiss();
    worker_.rest(mend_every);
  }
}

database::result<coordinator::standing> coordinator::read(place p) {
  auto found = hands_.run(p,
                          "SELECT epoch, phase, step, coalesce((attempt->>'moves')::bool, false), coalesce(attempt->>'coordinator', ''), "
                          "coalesce((attempt->>'mirrored_from')::int, 0) FROM pgtandem.migration");
  if (!found) return found.error();
  std::optional<migration_row> row;
  if (found->size() == 1)
    row = read_migration_row(found->integer(0, 0), found->at(0, 1), found->at(0, 2), found->boolean(0, 3), found->at(0, 4));
  if (!row) return database::error("55000", "pgtandem.migration on the " + std::string(name_of(p)) + " cannot be read by this version");
  return standing{*row, static_cast<std::int32_t>(found->integer(0, 5))};
}

std::optional<phase> coordinator::wanted(const intent& what, phase now, std::string& why) const {
  const phase_row& row = row_of(now);
  if (what.verb == intent_verb::change_phase) {
    if (what.to != now && listed(row.next, row_of(what.to).name)) return what.to;
    why = "from " + std::string(row.name) + " the phase can become: " + (row.next.empty() ? "none" : std::string(row.next)) +
          (row.flip.empty() ? "" : "; cutover and rollback flip the primary");
    return std::nullopt;
  }
  auto to = phase_named(row.flip);
  place wish = what.verb == intent_verb::cutover ? place::target : place::source;
  if (to && row_of(*to).primary == wish) return to;
  why = std::string(name_of(what.verb)) + " is not possible in phase " + std::string(row.name);
  return std::nullopt;
}

void coordinator::attempt(intent_report& r) {
  // Before both places are taken: a phase that needs no secondary must not fail for want of it.
  board_state b = board_.look();
  auto seen = authority(b.of(place::source).row, b.of(place::target).row);
  std::optional<phase> guess = seen ? wanted(r.what, seen->now, r.message) : std::nullopt;
  if (seen && !guess) return;
  r.message = take_places(!(guess && works_alone(seen->now, *guess)));
  if (!r.message.empty()) return;
  place primary = row_of(seen->now).primary;
  auto now = read(primary);
  if (!now) {
    r.message = now.error().message;
    return;
  }
  if (now->row.at != step::steady || row_of(now->row.now).primary != primary) {
    r.message = "an interrupted flip is being mended: try again in a moment";
    return;
  }
  auto to = wanted(r.what, now->row.now, r.message);
  if (!to) return;
  desk_.note(r.id, "computing the gates");
  bool alone = !hands_.aboard(other(primary));
  if (!alone)
    r.gates = compute_gates({hands_, settings_, now->row.epoch, now->row.now, now->mirrored_from}, use_of(now->row.now, *to));
  std::string closed = closed_gates(r.gates);
  if (r.what.dry_run || !closed.empty()) {
    r.state = closed.empty() ? intent_state::done : intent_state::failed;
    r.message = closed.empty() ? "every gate is open; nothing was changed" : "closed gates: " + closed;
    return;
  }
  bool flips = r.what.verb != intent_verb::change_phase || (*to == phase::complete && !alone);
  if (flips) flip_to(r, *now, *to);
  else change_to(r, *now, *to);
}

void coordinator::flip_to(intent_report& r, const standing& now, phase to) {
  flip_runner runner(hands_, settings_, proxy_id_, now.mirrored_from, duty_for(r.id));
  flip_outcome done = runner.run(flip({now.row.epoch, now.row.now, to}));
  r.holds = done.holds;
  r.cutover_ms = done.cutover_ms;
  if (done.end == flip_end::moved) {
    r.state = intent_state::done;
    r.message = "phase " + std::string(row_of(to).name) + ", the primary is the " + std::string(name_of(row_of(to).primary));
    meter_.set(telemetry::metric::cutover_ms, done.cutover_ms, "all");
  } else {
    r.state = intent_state::failed;
    r.message = (done.end == flip_end::undone ? "undone: " : "given up, another coordinator decides: ") + done.message;
  }
}

void coordinator::change_to(intent_report& r, const standing& now, phase to) {
  phase_change change(hands_, settings_, duty_for(r.id));
  change_outcome done = change.run({now.row.epoch, now.row.now, to, now.mirrored_from});
  r.state = done.changed && done.acknowledged ? intent_state::done : intent_state::failed;
  r.message = done.changed ? "phase " + std::string(row_of(to).name) : "phase " + std::string(row_of(now.row.now).name) + " remains";
  if (!done.message.empty()) r.message += ": " + done.message;
}

// --- mending

bool coordinator::needs_mending(const board_state& b) const {
  const place_state &s = b.of(place::source), &t = b.of(place::target);
  auto say = authority(s.row, t.row);
  if (!say || !b.of(row_of(say->now).primary).reachable) return false;
  if (say->at != step::steady) return true;
  return s.reachable && t.reachable && s.row && t.row &&
         (needless_record(*say, b.of(other(row_of(say->now).primary)).triggers_off) || s.row->epoch != t.row->epoch || s.row->now != t.row->now || s.row->at != t.row->at);
}

void coordinator::align(place primary, const standing& say) {
  // A rolling epoch has left it one behind: its older partition must stay as long as that epoch is open.
  roll_runner rolling(hands_, settings_);
  if (auto next = rolling.look(primary); next && *next == roll_act::tell) {
    (void)rolling.perform(*next, primary);
    return;
  }
  const phase_row& row = row_of(say.row.now);
  standing_order o{say.row.epoch, say.row.now, row.mirrors ? say.mirrored_from : 0, settings_.exclude, std::chrono::milliseconds(1000)};
  auto r = hands_.run(other(primary), follow_sql(o), o.lock_limit);
  if (r) telemetry::log::info("secondary aligned", {{"place", name_of(other(primary))}, {"epoch", o.epoch}, {"phase", row.name}});
  else telemetry::log::warning("secondary not aligned", {{"place", name_of(other(primary))}, {"message", r.error().message}});
}

void coordinator::mend() {
  const clock::time_point now = clock::now();
  board_state b = board_.look();
  if (!needs_mending(b)) {
    broken_since_.reset();
    return;
  }
  if (!broken_since_) broken_since_ = now;
  if (now - *broken_since_ < mend_after || (mended_ && now - *mended_ < mend_every)) return;
  mended_ = now;
  place primary = row_of(authority(b.of(place::source).row, b.of(place::target).row)->now).primary;
  if (!hands_.board(primary, primary)) return;
  at_work_ = true;
  auto second = hands_.board(other(primary), primary);
  if (!second && second.error().sqlstate == "55P03") return;
  auto mine = read(primary);
  if (!mine) return;
  std::optional<standing> theirs;
  bool triggers_off = false;
  if (second)
    if (auto r = read(other(primary))) {
      theirs = *r;
      auto record = hands_.run(other(primary), "SELECT attempt ? 'triggers' FROM pgtandem.migration");
      triggers_off = record && record->size() == 1 && record->boolean(0, 0);
    }
  std::optional<migration_row> rows[2];
  rows[static_cast<std::size_t>(primary)] = mine->row;
  if (theirs) rows[static_cast<std::size_t>(other(primary))] = theirs->row;
  auto say = authority(rows[0], rows[1]);
  if (row_of(say->now).primary != primary) return;   // the board is behind: it will show the other place soon
  const standing& word = *say == mine->row ? *mine : *theirs;
  remedy todo = resume(rows[0], rows[1]);
  if (todo == remedy::none && needless_record(*say, triggers_off)) todo = remedy::align;
  if (todo == remedy::align) align(primary, word);
  if (todo != remedy::release && todo != remedy::reopen) return;
  telemetry::log::warning("undoing an interrupted flip", {{"epoch", say->epoch}, {"step", row_of(say->at).name}});
  auto flip_phase = phase_named(row_of(say->now).flip);
  flip_plan p{say->epoch, say->now, flip_phase ? *flip_phase : say->now};
  flip_runner runner(hands_, settings_, proxy_id_, word.mirrored_from, duty_for(0));
  (void)runner.run(flip::undo_of(p, todo == remedy::reopen));
}

// --- the rolling epoch

// By the books, which are a second old at most: whether a visit is worth it.
bool coordinator::roll_wanted(const board_state& b) const {
  auto say = authority(b.of(place::source).row, b.of(place::target).row);
  if (!say || say->at != step::steady || !row_of(say->now).mirrors) return false;
  const place_state &p = b.of(row_of(say->now).primary), &s = b.of(other(row_of(say->now).primary));
  if (!p.reachable || !s.reachable || !p.books || !s.books) return false;
  const ledger_books &mine = p.books->ledger, &theirs = s.books->ledger;
  if (mine.epochs > 1 || theirs.attached > 1) return true;
  return theirs.detached < roll_runner::detached_max &&
         (mine.epoch_age >= static_cast<double>(settings_.epoch_age.count()) || theirs.rows >= settings_.ledger_rows);
}

void coordinator::roll() {
  const clock::time_point now = clock::now();
  board_state b = board_.look();
  if (hands_.aboard(place::source) || hands_.aboard(place::target) || (rolled_ && now - *rolled_ < roll_every) || !roll_wanted(b)) return;
  rolled_ = now;
  place primary = row_of(authority(b.of(place::source).row, b.of(place::target).row)->now).primary;
  if (!hands_.board(primary, primary) || !hands_.board(other(primary), primary)) return;
  at_work_ = true;
  if (auto r = roll_runner(hands_, settings_).run(primary); !r)
    telemetry::log::warning("epoch cannot roll", {{"sqlstate", r.error().sqlstate}, {"message", r.error().message}});
}

}  // namespace pgtandem::control
