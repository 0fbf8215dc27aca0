#include "proxy/control/flip_runner.hpp"

#include <algorithm>
#include <cstdio>

#include "proxy/telemetry/log.hpp"

namespace pgtandem::control {
namespace {

std::string decimal(double ms) {
  char text[32];
  std::snprintf(text, sizeof text, "%.1f", ms);
  return text;
}

outcome outcome_of(const database::error& e) {
  if (e.lost) return outcome::lost;
  return e.sqlstate == not_drained ? outcome::again : outcome::refused;
}

double since(std::chrono::steady_clock::time_point t) {
  return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - t).count();
}

}  // namespace

flip_runner::flip_runner(crew& hands, const control_settings& s, std::string proxy_id, std::int32_t mirrored_from, duty d)
    : hands_(hands), settings_(s), proxy_id_(std::move(proxy_id)), mirrored_from_(mirrored_from), duty_(std::move(d)) {}

std::chrono::milliseconds flip_runner::left(clock::time_point deadline) const {
  return std::max(std::chrono::milliseconds(1), std::chrono::duration_cast<std::chrono::milliseconds>(deadline - clock::now()));
}

standing_order flip_runner::order(std::int32_t epoch, phase p, std::chrono::milliseconds lock_limit) const {
  return {epoch, p, row_of(p).mirrors ? mirrored_from_ : 0, settings_.exclude, lock_limit};
}

flip_runner::answer flip_runner::text(const flip& f, const std::string& sql, std::chrono::milliseconds patience) {
  auto r = hands_.run(f.where(), sql, patience);
  if (r) return {};
  return {outcome_of(r.error()), std::string(name_of(f.next())) + " on the " + std::string(name_of(f.where())) + ": " +
                                     r.error().sqlstate + " " + r.error().message};
}

flip_runner::answer flip_runner::await(const flip& f, step s, clock::time_point deadline) {
  for (;;) {
    auto all = read_leases(hands_[f.where()], settings_.lease);
    if (!all) return {outcome_of(all.error()), all.error().message};
    auto missing = not_at_step(*all, f.plan().epoch, s);
    if (missing.empty()) {
      held_ = *all;
      return {};
    }
    if (clock::now() >= deadline)
      return {outcome::refused, "not " + std::string(row_of(s).name) + " in time: " + joined(missing)};
    if (duty_.stopping()) return {outcome::refused, "this process is stopping"};
    auto told = hands_[f.where()].wait(std::min(ack_look, left(deadline)));
    if (!told) return {outcome_of(told.error()), told.error().message};
  }
}

// Nobody waits yet: sessions that cannot move are given time to let go, or to leave.
flip_runner::answer flip_runner::await_warm(const flip& f) {
  const clock::time_point patience = clock::now() + settings_.unmovable_wait;
  if (answer a = await(f, step::warming, clock::now() + settings_.hold_deadline); a.what != outcome::done) return a;
  for (;;) {
    auto all = read_leases(hands_[f.where()], settings_.lease);
    if (!all) return {outcome_of(all.error()), all.error().message};
    if (const std::string shut = shut_out_sessions(*all); !shut.empty())
      return {outcome::refused, "sessions would be closed, for they are not let in at the " + std::string(name_of(f.plan().new_primary())) + ": " + shut};
    const std::string who = unmovable_sessions(*all).names;
    if (who.empty()) return {};
    if (clock::now() >= patience) {
      telemetry::log::warning("sessions will be closed by the flip", {{"epoch", f.plan().epoch}, {"sessions", who}});
      return {};
    }
    if (duty_.stopping()) return {outcome::refused, "this process is stopping"};
    auto told = hands_[f.where()].wait(std::min(ack_look, left(patience)));
    if (!told) return {outcome_of(told.error()), told.error().message};
  }
}

// Unsettled, then dirty, then unsettled again: the audit makes a row dirty before it settles it.
flip_runner::answer flip_runner::await_drained(const flip& f) {
  const place primary = f.plan().old_primary(), secondary = f.plan().old_secondary();
  for (;;) {
    std::int64_t doubts[3] = {};
    for (int i : {0, 1, 2}) {
      auto n = i == 1 ? hands_.run(primary, count_dirty_sql(1000)) : hands_.run(secondary, count_unsettled_sql(1000));
      if (!n) return {outcome_of(n.error()), n.error().message};
      doubts[i] = n->integer(0, 0);
      if (doubts[i] > 0) break;
    }
    if (doubts[0] + doubts[1] + doubts[2] == 0) return {};
    if (clock::now() >= drain_deadline_)
      return {outcome::refused, "still in doubt at the deadline: " + std::to_string(doubts[1]) + " dirty, " +
                                    std::to_string(std::max(doubts[0], doubts[2])) + " unsettled (does the reconciler run?)"};
    if (duty_.stopping()) return {outcome::refused, "this process is stopping"};
    auto told = hands_[primary].wait(drain_look);
    if (!told) return {outcome_of(told.error()), told.error().message};
  }
}

// Before anybody waits: what the hold will do is done once for nothing, on both sides, and the sequences are brought ahead.
flip_runner::answer flip_runner::rehearse(const flip& f) {
  for (place p : {f.plan().old_primary(), f.plan().old_secondary()})
    if (auto r = hands_.run(p, rehearsal_sql(), follow_limit); !r) return {outcome_of(r.error()), "rehearsal: " + r.error().message};
  auto from = database::read_sequences(hands_[f.plan().old_primary()], settings_.exclude);
  if (!from) return {outcome_of(from.error()), from.error().message};
  auto moved = database::advance_sequences(hands_[f.plan().old_secondary()], *from, settings_.sequence_headroom);
  if (!moved) return {outcome_of(moved.error()), moved.error().message};
  return {};
}

// The sequences stand still since the primary's fence: they are read while the secondary is fenced.
flip_runner::answer flip_runner::fence_secondary(const flip& f) {
  drain_deadline_ = clock::now() + settings_.drain_deadline;
  auto reading = std::async(std::launch::async, [&] {
    return database::read_sequences(hands_[f.plan().old_primary()], settings_.exclude);
  });
  answer a = text(f, fence_secondary_sql(f.plan(), left(hold_deadline_)), left(hold_deadline_));
  auto from = reading.get();
  if (from) sequences_ = *from;
  else advanced_ = {outcome_of(from.error()), "sequences: " + from.error().message};
  return a;
}

// Exactly where the old primary stands, and never behind what it may still hand out: a proxy that was passed over (its lease has
// lapsed) may ask it for a number before it learns of the flip, for a bare nextval() reads no fence. Against that a head-room stays.
flip_runner::answer flip_runner::drain_and_advance(const flip& f) {
  bool passed_over = std::any_of(held_.begin(), held_.end(), [](const lease& l) { return !l.live; });
  auto moving = std::async(std::launch::async, [this, &f, passed_over]() -> answer {
    if (!sequences_) return advanced_;
    auto moved = database::set_sequences(hands_[f.plan().old_secondary()], *sequences_, passed_over ? settings_.sequence_headroom : 0);
    if (!moved) return {outcome_of(moved.error()), "sequences: " + moved.error().message};
    return {};
  });
  answer a = text(f, mark_sql(step::draining, f.plan(), proxy_id_));
  advanced_ = moving.get();
  return a;
}

flip_runner::answer flip_runner::back_aboard(place p, place leases) {
  if (hands_.aboard(p)) return {};
  auto r = hands_.board(p, leases);
  if (r) return {};
  return {r.error().sqlstate == "55P03" ? outcome::refused : outcome::lost, r.error().message};
}

flip_runner::answer flip_runner::look(const flip& f) {
  auto row = hands_.run(f.where(), "SELECT epoch, phase FROM pgtandem.migration");
  if (!row) return {outcome_of(row.error()), row.error().message};
  bool opened = row->size() == 1 && row->integer(0, 0) > f.plan().epoch && row->at(0, 1) == row_of(f.plan().to).name;
  return {opened ? outcome::done : outcome::no, opened ? "" : "the new primary was lost before it had opened"};
}

flip_runner::answer flip_runner::perform(const flip& f) {
  const flip_plan& p = f.plan();
  switch (f.next()) {
    case act::mark_warming:
      if (auto r = rehearse(f); r.what != outcome::done) return r;
      return text(f, mark_sql(step::warming, p, proxy_id_));
    case act::await_warm: return await_warm(f);
    case act::mark_holding:
      hold_begun_ = clock::now();
      hold_deadline_ = hold_begun_ + settings_.hold_deadline;
      return text(f, mark_sql(step::holding, p, proxy_id_));
    case act::await_held: return await(f, step::holding, hold_deadline_);
    case act::fence_primary: return text(f, fence_primary_sql(p, left(hold_deadline_)), left(hold_deadline_));
    case act::fence_secondary: return fence_secondary(f);
    case act::mark_draining: return drain_and_advance(f);
    case act::advance_sequences: return advanced_;
    case act::await_drained: return await_drained(f);
    case act::mark_opening: return text(f, mark_opening_sql(p, proxy_id_, order(p.epoch + 1, p.to, left(drain_deadline_))), left(drain_deadline_));
    case act::open: return text(f, lead_sql(order(p.epoch + 1, p.to, left(drain_deadline_)), p.moves()), left(drain_deadline_));
    case act::look: return look(f);
    case act::follow: return text(f, follow_sql(order(p.epoch + 1, p.to, follow_limit)), follow_limit);
    case act::reopen: return text(f, lead_sql(order(p.epoch + 1, p.from, settings_.hold_deadline), false), settings_.hold_deadline);
    case act::keep_following: return text(f, follow_sql(order(p.epoch + 1, p.from, follow_limit)), follow_limit);
    case act::release: return text(f, release_sql(p.epoch));
  }
  return {outcome::refused, "unknown act"};
}

bool flip_runner::retried(act a) const { return a == act::look || a == act::reopen || a == act::release; }

flip_outcome flip_runner::run(flip f) {
  flip_outcome out;
  bool insists = false;   // the present act has been tried in vain
  while (f.end() == flip_end::running) {
    duty_.note(name_of(f.next()));
    const clock::time_point begun = clock::now();
    const act now = f.next();
    answer a;
    if (insists) {
      if (duty_.stopping()) return out;
      duty_.rest(again);
      a = back_aboard(f.where(), f.plan().old_primary());
      if (a.what == outcome::refused) {   // another coordinator has it in hand
        out.message = a.why;
        return out;
      }
    }
    if (a.what == outcome::done) a = perform(f);
    timeline_ += (timeline_.empty() ? "\"" : ", \"") + std::string(name_of(now)) + "\": " + decimal(since(begun));
    if (a.what != outcome::done) {
      telemetry::log::warning("flip", {{"act", name_of(now)}, {"epoch", f.plan().epoch}, {"message", a.why}});
      if (out.message.empty()) out.message = a.why;
    }
    f.report(a.what);
    if (f.next() == act::follow && opened_ms_ == 0) opened_ms_ = since(hold_begun_);
    insists = a.what != outcome::done && f.end() == flip_end::running && retried(f.next());
  }
  out.end = f.end();
  out.cutover_ms = opened_ms_;
  if (out.end == flip_end::moved) collect(f, out);
  return out;
}

// The proxies' own figures, from their leases on the new primary. The whole is as long as the longest of all views.
void flip_runner::collect(const flip& f, flip_outcome& out) {
  const clock::time_point deadline = clock::now() + moved_limit;
  const place primary = f.plan().new_primary();
  std::vector<lease> there;
  for (;;) {
    auto all = read_leases(hands_[primary], settings_.lease);
    if (!all) break;
    there.clear();
    for (const lease& l : *all)
      if (l.epoch == f.plan().epoch + 1 && l.held_ms >= 0) there.push_back(l);
    std::size_t expected = static_cast<std::size_t>(std::count_if(held_.begin(), held_.end(), [](const lease& l) { return l.live; }));
    if (there.size() >= expected || clock::now() >= deadline || duty_.stopping()) break;
    if (!hands_[primary].wait(ack_look)) break;
  }
  std::string holds;
  for (const lease& l : there) {
    out.holds.push_back({l.name, l.held_ms});
    out.cutover_ms = std::max(out.cutover_ms, l.held_ms);
    holds += (holds.empty() ? "" : ", ") + decimal(l.held_ms);
  }
  std::string detail = "{\"cutover_ms\": " + decimal(out.cutover_ms) + ", \"proxies_ms\": [" + holds + "], \"acts_ms\": {" + timeline_ + "}}";
  (void)hands_.run(primary, journal_sql({f.plan().epoch + 1, "moved", detail}));
  telemetry::log::info("flip done", {{"epoch", f.plan().epoch + 1}, {"primary", name_of(primary)}, {"cutover_ms", decimal(out.cutover_ms)}});
}

}  // namespace pgtandem::control
