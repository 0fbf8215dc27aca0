// A rolling epoch against everything that can happen beside it: both databases, two proxies with a transaction each, as plain data,
// and every state that can be reached. An act of the coordinator happens or does not (refused, lost, killed: nothing is remembered, so
// it is the same); proxies move, begin and end transactions, fall asleep and wake up whenever they like.
#include <catch2/catch.hpp>
#include <array>
#include <deque>
#include <set>
#include <string>
#include <tuple>

#include "proxy/control/flip.hpp"
#include "proxy/control/roll.hpp"

using namespace pgtandem::control;

namespace {

constexpr int first_epoch = 7, last_epoch = 9;   // two rolls

struct proxy {
  int routing = first_epoch;   // of its next transaction
  int acknowledged = first_epoch;
  int open = 0;                // epoch of the transaction that is open; 0 = none
  bool live = true;
  auto operator<=>(const proxy&) const = default;
};

struct database {
  int epoch = first_epoch;     // of its row; phase and step do not change
  std::set<int> epochs, ledgers;
  auto operator<=>(const database&) const = default;
};

struct world {
  database primary, secondary;
  std::array<proxy, 2> proxies;
  auto operator<=>(const world&) const = default;
};

migration_row row_at(int epoch) { return {epoch, phase::verify, step::steady, false, ""}; }

roll_facts facts_of(const world& w, bool due) {
  roll_facts f;
  f.primary = row_at(w.primary.epoch);
  f.secondary = row_at(w.secondary.epoch);
  f.epochs = {w.primary.epochs.begin(), w.primary.epochs.end()};
  f.ledgers = {w.secondary.ledgers.begin(), w.secondary.ledgers.end()};
  f.moved = true;
  for (const proxy& p : w.proxies) f.moved = f.moved && (!p.live || p.acknowledged == w.primary.epoch);
  f.due = due && w.primary.epoch < last_epoch;
  return f;
}

bool held(const world& w, int epoch) {
  for (const proxy& p : w.proxies)
    if (p.open == epoch) return true;
  return false;
}

// What the act does if it happens. A table that somebody holds is not dropped: the lock is not to be had.
void effect(world& w, roll_act a) {
  const int e = w.primary.epoch;
  switch (a) {
    case roll_act::attach: w.secondary.ledgers.insert(e + 1); break;
    case roll_act::advance: w.primary.epochs.insert(e + 1); w.primary.epoch = e + 1; break;
    case roll_act::tell: w.secondary.epoch = e; break;
    case roll_act::drop: {
      bool free = true;
      for (int k : w.primary.epochs) free = free && (k >= e || !held(w, k));
      if (free) std::erase_if(w.primary.epochs, [&](int k) { return k < e; });
      break;
    }
    case roll_act::detach: std::erase_if(w.secondary.ledgers, [&](int k) { return k < e; }); break;
    case roll_act::none:
    case roll_act::wait: break;
  }
}

void acknowledge(proxy& p) {
  if (p.open == 0 || p.open == p.routing) p.acknowledged = p.routing;
}

// Everything that may happen next.
std::vector<world> next_of(const world& w) {
  std::vector<world> out;
  for (bool due : {false, true}) {
    world n = w;
    effect(n, next_roll(facts_of(w, due)));
    out.push_back(n);
  }
  for (std::size_t i = 0; i < w.proxies.size(); ++i) {
    const auto with = [&](auto change) {
      world n = w;
      change(n.proxies[i]);
      out.push_back(n);
    };
    const proxy& p = w.proxies[i];
    with([&](proxy& q) { q.live = !q.live; });
    with([&](proxy& q) { q.routing = std::max(q.routing, w.primary.epoch); });
    if (p.live) with([](proxy& q) { acknowledge(q); });
    if (p.open) with([](proxy& q) { q.open = 0; });
    else if (w.primary.epochs.contains(p.routing)) with([](proxy& q) { q.open = q.routing; });
  }
  return out;
}

std::string text(const world& w) {
  std::string out = "primary " + std::to_string(w.primary.epoch) + ":";
  for (int e : w.primary.epochs) out += " epoch_" + std::to_string(e);
  out += "; secondary " + std::to_string(w.secondary.epoch) + ":";
  for (int e : w.secondary.ledgers) out += " ledger_" + std::to_string(e);
  for (const proxy& p : w.proxies)
    out += "; proxy on " + std::to_string(p.routing) + " acknowledged " + std::to_string(p.acknowledged) + " open " + std::to_string(p.open) +
           (p.live ? "" : " asleep");
  return out;
}

// What must hold in every state.
std::string broken(const world& w) {
  if (!w.primary.epochs.contains(w.primary.epoch)) return "the row's epoch is not open";
  if (w.secondary.epoch > w.primary.epoch) return "the secondary's row is ahead";
  for (int e : w.primary.epochs)
    if (!w.secondary.ledgers.contains(e)) return "an epoch is open without its ledger";
  for (const proxy& p : w.proxies) {
    if (p.open && !w.primary.epochs.contains(p.open)) return "an epoch was dropped under a transaction";
    if (p.open && !w.secondary.ledgers.contains(p.open)) return "a ledger was detached under a transaction";
  }
  return {};
}

// An epoch must not go while a live proxy may still ask for it: its client would hear 40001 for nothing. (One that slept may.)
std::string unkind(const world& before, const world& after) {
  for (std::size_t i = 0; i < before.proxies.size(); ++i) {
    const proxy& p = before.proxies[i];
    if (p.live && before.primary.epochs.contains(p.acknowledged) && !after.primary.epochs.contains(p.acknowledged))
      return "an epoch was dropped that a live proxy is on";
  }
  return {};
}

world beginning() {
  world w;
  w.primary.epochs = {first_epoch};
  w.secondary.ledgers = {first_epoch};
  return w;
}

std::set<world> reachable() {
  std::set<world> known{beginning()};
  std::deque<world> open{beginning()};
  while (!open.empty()) {
    const world w = open.front();
    open.pop_front();
    for (const world& n : next_of(w)) {
      if (std::string what = unkind(w, n); !what.empty()) FAIL(what << "\n" << text(w) << "\n" << text(n));
      if (known.insert(n).second) open.push_back(n);
    }
  }
  return known;
}

// Transactions end, everybody is awake and sees the row; the coordinator acts until it has nothing to do.
world quiet(world w) {
  for (int i = 0; i < 20; ++i) {
    for (proxy& p : w.proxies) {
      p = {std::max(p.routing, w.primary.epoch), p.acknowledged, 0, true};
      acknowledge(p);
    }
    const roll_act a = next_roll(facts_of(w, false));
    if (a == roll_act::none) return w;
    effect(w, a);
  }
  FAIL("the roll does not end: " << text(w));
  return w;
}

// The acts of a flip on databases in the midst of a roll; `until`: so many happen, then its coordinator dies.
void flip_effect(world& w, const flip& f, std::array<migration_row, 2>& rows) {
  const int n = f.plan().epoch;
  auto& old_row = rows[0];
  switch (f.next()) {
    case act::mark_warming: old_row.at = step::warming; break;
    case act::mark_holding: old_row.at = step::holding; break;
    case act::fence_primary: w.primary.epochs.clear(); old_row.at = step::fenced; break;
    case act::fence_secondary: w.secondary.ledgers = {n + 1}; rows[1].at = step::fenced; break;
    case act::mark_draining: old_row.at = step::draining; break;
    case act::mark_opening: old_row.at = step::opening; break;
    case act::release: old_row.at = step::steady; break;
    case act::reopen: w.primary.epochs = {n + 1}; w.primary.epoch = n + 1; old_row = row_at(n + 1); break;
    case act::keep_following: w.secondary.ledgers = {n + 1}; w.secondary.epoch = n + 1; rows[1] = row_at(n + 1); break;
    default: break;
  }
}

}  // namespace

TEST_CASE("every standing on the way of a rolling epoch is sound, and leads to one epoch and one ledger") {
  const std::set<world> all = reachable();
  CHECK(all.size() > 500);
  bool rolled_twice = false, two_open = false;
  for (const world& w : all) {
    INFO(text(w));
    CHECK(broken(w) == "");
    const world end = quiet(w);
    CHECK(end.primary.epochs == std::set<int>{end.primary.epoch});
    CHECK(end.secondary.ledgers == std::set<int>{end.primary.epoch});
    CHECK(end.secondary.epoch == end.primary.epoch);
    rolled_twice = rolled_twice || w.primary.epoch == last_epoch;
    two_open = two_open || w.primary.epochs.size() == 2;
  }
  CHECK(rolled_twice);
  CHECK(two_open);
}

TEST_CASE("a flip that begins in the midst of a roll and dies at any act is undone into one epoch and one ledger") {
  int played = 0;
  for (const world& start : reachable()) {
    if (start.proxies != beginning().proxies && held(start, start.proxies[0].routing)) continue;   // it waits for them, then undoes
    for (int dies = 0; dies <= 9; ++dies) {
      world w = start;
      std::array<migration_row, 2> rows{row_at(w.primary.epoch), row_at(w.secondary.epoch)};
      flip f({w.primary.epoch, phase::verify, phase::tail});
      for (int i = 0; i < dies && f.next() != act::open; ++i) {
        flip_effect(w, f, rows);
        f.report(outcome::done);
      }
      const remedy r = resume(rows[0], rows[1]);
      if (r == remedy::release || r == remedy::reopen) {
        flip undo = flip::undo_of({w.primary.epoch, phase::verify, phase::tail}, r == remedy::reopen);
        while (undo.end() == flip_end::running) {
          flip_effect(w, undo, rows);
          undo.report(outcome::done);
        }
      }
      ++played;
      INFO(dies << " acts; " << text(start) << "\n" << text(w));
      if (broken(start).empty()) CHECK(w.primary.epochs.contains(w.primary.epoch));
      for (proxy& p : w.proxies) p.open = 0;
      const world end = quiet(w);
      CHECK(end.primary.epochs == std::set<int>{end.primary.epoch});
      CHECK(end.secondary.ledgers == std::set<int>{end.primary.epoch});
    }
  }
  CHECK(played > 1000);
}

TEST_CASE("the rules of a roll, one by one") {
  struct row {
    const char* what;
    std::set<std::int32_t> epochs, ledgers;
    std::int32_t primary, secondary;
    bool moved, due;
    roll_act next;
  };
  const row rows[] = {
      {"at rest", {7}, {7}, 7, 7, true, false, roll_act::none},
      {"due", {7}, {7}, 7, 7, true, true, roll_act::attach},
      {"attached", {7}, {7, 8}, 7, 7, true, false, roll_act::advance},
      {"advanced", {7, 8}, {7, 8}, 8, 7, false, false, roll_act::tell},
      {"told", {7, 8}, {7, 8}, 8, 8, false, false, roll_act::wait},
      {"moved", {7, 8}, {7, 8}, 8, 8, true, false, roll_act::drop},
      {"dropped", {8}, {7, 8}, 8, 8, true, false, roll_act::detach},
      {"the row's epoch is not open", {}, {7}, 7, 7, true, true, roll_act::none},
      {"its ledger is not attached", {7}, {}, 7, 7, true, true, roll_act::none},
      {"the secondary is two behind", {8, 9}, {8, 9}, 9, 7, true, true, roll_act::none},
  };
  for (const row& r : rows) {
    INFO(r.what);
    CHECK(next_roll({row_at(r.primary), row_at(r.secondary), r.epochs, r.ledgers, r.moved, r.due}) == r.next);
  }
  roll_facts f{row_at(7), row_at(7), {7}, {7}, true, true};
  f.primary->at = step::holding;
  CHECK(next_roll(f) == roll_act::none);
  f.primary = row_at(7);
  f.primary->now = phase::passthrough;
  CHECK(next_roll(f) == roll_act::none);
  CHECK(next_roll({row_at(7), std::nullopt, {7}, {7}, true, true}) == roll_act::none);
}
