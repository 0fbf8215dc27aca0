#include "proxy/control/watcher.hpp"

#include "proxy/control/statements.hpp"
#include "proxy/database/schema.hpp"
#include "proxy/telemetry/log.hpp"

namespace pgtandem::control {
namespace {

constexpr int doubts_counted = 10000;

// Why the place may not be used; empty = it may. Once this process knows whose migration it works for, that decides; before, the two places.
std::string refusal(place where, const board_state& b) {
  const database::pairing& self = *b.of(where).self;
  if (std::string why = database::misplaced(self, name_of(where)); !why.empty()) return why;
  const auto& across = b.of(other(where)).self;
  if (across && !across->server.empty() && across->server == self.server) return "source and target are the same database";
  if (!self.installed()) return {};
  if (!b.pair.empty()) return self.pair == b.pair ? "" : "this database belongs to another migration (pair " + self.pair + ")";
  if (!across) return {};
  return where == place::source ? database::not_a_pair(self, *across) : database::not_a_pair(*across, self);
}

// Alone with its schema while the other place can be asked and has none: what such a row says counts only if it calls its own place the
// primary. Else it is a leftover, or init is under way.
bool left_over(place where, const board_state& b) {
  const auto& across = b.of(other(where)).self;
  const auto now = phase_named(b.of(where).self->phase);
  return across && !across->installed() && b.of(other(where)).problem.empty() && (!now || row_of(*now).primary != where);
}

constexpr std::string_view row_sql =
    "SELECT m.epoch, m.phase, m.step, coalesce((m.attempt->>'moves')::bool, false), coalesce(m.attempt->>'coordinator', ''), "
    "(SELECT last_value FROM pgtandem.ddl_version), EXISTS (SELECT FROM pgtandem.boot), m.attempt ? 'triggers' FROM pgtandem.migration m";

bool schema_is_gone(const database::error& e) { return e.sqlstate == "42P01" || e.sqlstate == "3F000"; }

}  // namespace

void watcher::run() {
  bool said = false;
  while (!worker_.stopping()) {
    database::open_options o;
    o.application_name = "pgtandem watcher";
    o.connect_timeout = connect_limit;
    o.statement_limit = statement_limit;
    auto c = database::connection::open(settings_.conninfo(where_), o);
    if (c) {
      telemetry::log::info("place reached", {{"place", name_of(where_)}, {"server_version", c->server_version()}});
      said = false;
      watch(*c);
    } else {
      if (!said)
        telemetry::log::warning("place unreachable", {{"place", name_of(where_)}, {"sqlstate", c.error().sqlstate}, {"message", c.error().message}});
      said = true;
      lost(c.error());
    }
    worker_.rest(again);
  }
}

void watcher::lost(const database::error& e) {
  board_.update([&](board_state& b) {
    place_state& here = b.of(where_);
    if (here.reachable || here.lost_at == clock::time_point{}) here.lost_at = clock::now();
    bool news = here.reachable || here.problem != e.message || !here.tried;
    here.tried = true;
    here.reachable = false;
    here.problem = e.message;
    return news;
  });
}

void watcher::watch(database::connection& c) {
  if (auto r = c.run("LISTEN pgtandem"); !r) return lost(r.error());
  board_.update([&](board_state& b) {
    b.of(where_).server_version = c.server_version();
    return false;
  });
  admitted_ = false;
  while (!worker_.stopping()) {
    if (!look(c)) return;
    auto told = c.wait(poll);
    // What has arrived together is read together: one look answers all of it. Bounded by what a poll interval can bring.
    for (int n = 0; told && *told && n < 1000; ++n) told = c.wait(std::chrono::milliseconds(0));
    if (!told) return lost(told.error());
  }
}

bool watcher::admit(database::connection& c) {
  auto self = database::read_pairing(c);
  if (!self) {
    lost(self.error());
    return false;
  }
  board_.update([&](board_state& b) {
    b.of(where_).tried = true;
    b.of(where_).self = *self;
    return true;
  });
  // Who comes first at the start waits until the other is known, or known to be away: else it would be believed unseen.
  const clock::time_point begun = clock::now();
  while (!board_.look().of(other(where_)).tried && clock::now() - begun < connect_limit && !worker_.stopping()) worker_.rest(other_look);
  std::string why;
  board_.update([&](board_state& b) {
    if (!self->installed() && b.of(other(where_)).self && !b.of(other(where_)).self->installed()) b.pair.clear();
    why = refusal(where_, b);
    admitted_ = why.empty() && self->installed() && !left_over(where_, b);
    if (admitted_) b.pair = self->pair;
    return false;
  });
  if (why.empty()) return true;
  if (board_.look().of(where_).problem != why)
    telemetry::log::warning("place refused", {{"place", name_of(where_)}, {"message", why}});
  lost({"55000", why});
  return false;
}

bool watcher::look(database::connection& c) {
  if (!admitted_ && !admit(c)) return false;
  if (!admitted_) {
    board_.update([&](board_state& b) {
      place_state& here = b.of(where_);
      bool news = !here.reachable;
      here.reachable = true;
      here.problem.clear();
      return news;
    });
    return true;
  }
  if (!look_at_row(c)) return false;
  if (counted_ == clock::time_point{}) counted_ = clock::now();   // at the start nothing is in the way of the second look
  if (clock::now() - counted_ < count_interval) return true;
  counted_ = clock::now();
  return count_doubts(c) && read_the_books(c);
}

bool watcher::look_at_row(database::connection& c) {
  const clock::time_point begun = clock::now();
  auto found = c.run(row_sql);
  if (!found && !schema_is_gone(found.error())) {
    lost(found.error());
    return false;
  }
  std::optional<migration_row> row;
  if (found && found->size() == 1)
    row = read_migration_row(found->integer(0, 0), found->at(0, 1), found->at(0, 2), found->boolean(0, 3), found->at(0, 4));
  if (!row) admitted_ = false;   // the schema is gone: who comes next is asked again
  bool primary = false;
  board_.update([&](board_state& b) {
    place_state& here = b.of(where_);
    std::int64_t version = row ? found->integer(0, 5) : 0;
    bool off = row && found->boolean(0, 7);
    bool news = !here.reachable || here.row != row || here.ddl_version != version || here.installed != row.has_value() || here.triggers_off != off;
    here.looked_at = begun;
    here.reachable = true;
    here.problem.clear();
    here.row = row;
    here.installed = row.has_value();
    here.ddl_version = version;
    here.triggers_off = off;
    auto say = authority(b.of(place::source).row, b.of(place::target).row);
    primary = say && row_of(say->now).primary == where_;
    return news;
  });
  if (!row || !primary || found->boolean(0, 6)) return true;
  // A new incarnation of the primary: without a token its writes could not be told from those of the former one.
  if (auto made = database::ensure_boot_token(c); !made) {
    telemetry::log::warning("no boot token", {{"place", name_of(where_)}, {"message", made.error().message}});
    if (made.error().lost) lost(made.error());
    return !made.error().lost;
  }
  return true;
}

bool watcher::count_doubts(database::connection& c) {
  board_state b = board_.look();
  auto say = authority(b.of(place::source).row, b.of(place::target).row);
  if (!say || !row_of(say->now).mirrors) return true;
  bool primary = row_of(say->now).primary == where_;
  auto n = c.run(primary ? count_dirty_sql(doubts_counted) : count_unsettled_sql(doubts_counted));
  if (!n) {
    if (n.error().lost) lost(n.error());
    return !n.error().lost;
  }
  board_.update([&](board_state& s) {
    place_state& here = s.of(where_);
    here.dirty = primary ? n->integer(0, 0) : 0;
    here.unsettled = primary ? 0 : n->integer(0, 0);
    return false;
  });
  return true;
}

bool watcher::read_the_books(database::connection& c) {
  if (!board_.look().of(where_).installed) return true;
  auto books = read_books(c);
  if (!books) {
    if (books.error().lost) lost(books.error());
    return !books.error().lost;
  }
  board_.update([&](board_state& b) {
    b.of(where_).books = *books;
    return false;
  });
  return true;
}

}  // namespace pgtandem::control
