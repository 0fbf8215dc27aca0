#include "proxy/control/watcher.hpp"

#include "proxy/control/statements.hpp"
#include "proxy/database/schema.hpp"
#include "proxy/telemetry/log.hpp"

namespace pgtandem::control {
namespace {

constexpr int doubts_counted = 10000;

// Whether a schema is there, without an error while it is not.
constexpr std::string_view installed_sql = "SELECT to_regclass('pgtandem.migration') IS NOT NULL";

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
    bool news = here.reachable || here.problem != e.message;
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
  while (!worker_.stopping()) {
    if (!look(c)) return;
    auto told = c.wait(poll);
    // What has arrived together is read together: one look answers all of it. Bounded by what a poll interval can bring.
    for (int n = 0; told && *told && n < 1000; ++n) told = c.wait(std::chrono::milliseconds(0));
    if (!told) return lost(told.error());
  }
}

bool watcher::look(database::connection& c) {
  if (!board_.look().of(where_).installed) {
    auto there = c.run(installed_sql);
    if (!there) {
      lost(there.error());
      return false;
    }
    if (!there->boolean(0, 0)) {
      board_.update([&](board_state& b) {
        place_state& here = b.of(where_);
        bool news = !here.reachable;
        here.reachable = true;
        here.problem.clear();
        return news;
      });
      return true;
    }
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
