// Both databases as simple structs, and every interleaving of up to three faults with the flip and its repair: an act refused, a
// connection lost before or after its effect, the coordinator killed before or after it. Whatever happens, never two open
// epochs, and in the end exactly one, where both rows say it is.
#include <catch2/catch.hpp>
#include <array>
#include <set>
#include <string>
#include <vector>

#include "proxy/control/flip.hpp"

using namespace pgtandem::control;

namespace {

struct database {
  migration_row row;
  std::set<int> epochs, ledgers;   // epoch tables; attached partitions
  bool up = true;
};

struct world {
  std::array<database, 2> at;
  database& of(place p) { return at[static_cast<std::size_t>(p)]; }
};

enum class fate { fine, refused, lost_before, lost_after, killed_before, killed_after };
constexpr std::array fates{fate::fine, fate::refused, fate::lost_before, fate::lost_after, fate::killed_before, fate::killed_after};

// Answers from a script; beyond its end everything is fine. The explorer lengthens scripts.
struct script {
  std::vector<fate> given;
  std::size_t asked = 0;
  fate next() { return asked < given.size() ? given[asked++] : (++asked, fate::fine); }
};

bool mirrors(phase p) { return row_of(p).mirrors; }

void lead(database& d, int epoch, phase p) {
  d.epochs.clear();
  if (mirrors(p)) d.epochs.insert(epoch);
  d.ledgers.clear();
  d.row = {epoch, p, step::steady, false, ""};
}

void follow(database& d, int epoch, phase p) {
  d.ledgers.clear();
  if (mirrors(p)) d.ledgers.insert(epoch);
  d.epochs.clear();
  d.row = {epoch, p, step::steady, false, ""};
}

void effect(world& w, const flip& f) {
  database& d = w.of(f.where());
  const flip_plan& p = f.plan();
  switch (f.next()) {
    case act::mark_warming: d.row.at = step::warming; break;
    case act::mark_holding: d.row.at = step::holding; break;
    case act::fence_primary: d.epochs.clear(); d.row.at = step::fenced; break;
    case act::fence_secondary: d.ledgers = {p.epoch + 1}; d.row.at = step::fenced; break;
    case act::mark_draining: d.row.at = step::draining; break;
    case act::mark_opening: d.row.at = step::opening; if (p.moves()) d.ledgers = {p.epoch + 1}; break;
    case act::open: lead(d, p.epoch + 1, p.to); break;
    case act::follow: follow(d, p.epoch + 1, p.to); break;
    case act::keep_following: follow(d, p.epoch + 1, p.from); break;
    case act::reopen: lead(d, p.epoch + 1, p.from); break;
    case act::release: d.row.at = step::steady; break;
    case act::await_warm: case act::await_held: case act::await_drained: case act::advance_sequences: case act::look: break;
  }
}

int open_places(const world& w) {
  return static_cast<int>(!w.at[0].epochs.empty()) + static_cast<int>(!w.at[1].epochs.empty());
}

struct killed {};

// One coordinator performs the flip to its end. false: it cannot go on until the place is back.
void perform(world& w, flip f, script& s, std::vector<std::string>& log) {
  while (f.end() == flip_end::running) {
    database& d = w.of(f.where());
    if (!d.up) {          // asked again later: the place has come back by then
      log.push_back(std::string(name_of(f.next())) + ":down");
      f.report(outcome::lost);
      d.up = true;
      continue;
    }
    fate now = s.next();
    log.push_back(std::string(name_of(f.next())) + ":" + std::to_string(static_cast<int>(now)));
    bool happens = now == fate::fine || now == fate::lost_after || now == fate::killed_after;
    bool opened = w.of(f.plan().new_primary()).row.epoch > f.plan().epoch;
    act what = f.next();
    if (happens) effect(w, f);
    REQUIRE(open_places(w) <= 1);
    if (now == fate::killed_before || now == fate::killed_after) throw killed{};
    if (now == fate::lost_before || now == fate::lost_after) d.up = false;
    if (now == fate::refused) f.report(outcome::refused);
    else if (!d.up) f.report(outcome::lost);
    else f.report(what == act::look && !opened ? outcome::no : outcome::done);
  }
}

// A coordinator that starts anew, until there is nothing left to do. `both`: every place is up again.
void recover(world& w, script& s, bool both, std::vector<std::string>& log) {
  for (int round = 0; round < 6; ++round) {
    if (both) w.at[0].up = w.at[1].up = true;
    std::array<std::optional<migration_row>, 2> seen;
    for (int i : {0, 1})
      if (w.at[i].up) seen[i] = w.at[i].row;
    std::optional<migration_row> say = authority(seen[0], seen[1]);
    if (!say) return;
    place primary = row_of(say->now).primary;
    flip_plan p{say->epoch, say->now, say->now == phase::verify ? phase::tail : phase::verify};
    remedy r = resume(seen[0], seen[1]);
    log.push_back("remedy:" + std::to_string(static_cast<int>(r)));
    if (r == remedy::none) return;
    if (r == remedy::unknown) { REQUIRE_FALSE(both); return; }
    if (r == remedy::align) follow(w.of(other(primary)), say->epoch, say->now);
    else perform(w, flip::undo_of(p, r == remedy::reopen), s, log);
    REQUIRE(open_places(w) <= 1);
  }
  if (both) FAIL("the repair does not end");
}

void play(phase from, phase to, script s, std::size_t& asked) {
  world w;
  flip_plan p{7, from, to};
  lead(w.of(p.old_primary()), 7, from);
  follow(w.of(p.old_secondary()), 7, from);
  std::vector<std::string> log;
  try {
    perform(w, flip(p), s, log);
  } catch (const killed&) { log.push_back("killed"); }
  for (bool both : {false, true, true}) {
    try {
      recover(w, s, both, log);
    } catch (const killed&) { log.push_back("killed"); }
  }
  while (s.asked < s.given.size()) {   // faults left over hit later repairs
    std::size_t before = s.asked;
    try { recover(w, s, true, log); } catch (const killed&) {}
    if (s.asked == before) break;
  }
  recover(w, s, true, log);
  asked = s.asked;
  std::string story;
  for (const auto& line : log) story += line + " ";
  INFO(story);
  migration_row say = *authority(w.at[0].row, w.at[1].row);
  database& primary = w.of(row_of(say.now).primary);
  database& secondary = w.of(other(row_of(say.now).primary));
  CHECK(say.at == step::steady);
  CHECK((say.now == from || say.now == to));
  CHECK(w.at[0].row == w.at[1].row);
  CHECK(secondary.epochs.empty());
  if (mirrors(say.now)) {
    CHECK(primary.epochs == std::set<int>{say.epoch});
    CHECK(secondary.ledgers == std::set<int>{say.epoch});
  } else {
    CHECK(open_places(w) == 0);
  }
}

// Every script with at most `faults` faults among the first acts.
void explore(phase from, phase to, std::vector<fate> given, int faults, int& played) {
  std::size_t asked = 0;
  play(from, to, script{given, 0}, asked);
  ++played;
  if (faults == 0) return;
  std::size_t first = given.size();
  for (std::size_t at = first; at < asked; ++at) {
    std::vector<fate> longer = given;
    longer.resize(at, fate::fine);
    for (fate f : fates) {
      if (f == fate::fine) continue;
      longer.push_back(f);
      explore(from, to, longer, faults - 1, played);
      longer.pop_back();
    }
  }
}

}  // namespace

TEST_CASE("a flip with faults at every step ends in exactly one open epoch") {
  int played = 0;
  explore(phase::verify, phase::tail, {}, 3, played);
  explore(phase::tail, phase::verify, {}, 3, played);
  CHECK(played > 4000);
}

TEST_CASE("complete with faults at every step closes the one epoch or keeps it") {
  int played = 0;
  explore(phase::tail, phase::complete, {}, 2, played);
  CHECK(played > 400);
}

TEST_CASE("nothing fails: the flip moves") {
  flip f({7, phase::verify, phase::tail});
  int acts = 0;
  for (; f.end() == flip_end::running; ++acts) f.report(outcome::done);
  CHECK(f.end() == flip_end::moved);
  CHECK(acts == 12);
}

TEST_CASE("something in doubt at the opening sends the flip back to the drain") {
  flip f({7, phase::verify, phase::tail});
  while (f.next() != act::open) f.report(outcome::done);
  f.report(outcome::again);
  CHECK(f.next() == act::await_drained);
}
