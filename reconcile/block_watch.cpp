#include "reconcile/block_watch.hpp"

#include <chrono>
#include <optional>

#include "proxy/telemetry/log.hpp"
#include "reconcile/session_settings.hpp"

namespace pgtandem::reconcile {
namespace {

constexpr std::chrono::milliseconds look_every{50};  // the longest that DDL waits for a sweep, about

// Cancels the pair's statement if somebody waits for its session. Row: whether that was so.
constexpr const char* end_if_blocking =
    "SELECT pg_cancel_backend($1::int) FROM (SELECT FROM pg_stat_activity a WHERE a.wait_event_type = 'Lock'"
    " AND $1::int = ANY (pg_blocking_pids(a.pid)) LIMIT 1) x";

struct side {
  block_watch::watched what;
  std::optional<database::connection> c;

  void open() {
    if (c && !c->lost()) return;
    c.reset();
    if (auto r = database::connection::open(what.conninfo, session_options("sweep watch"))) c.emplace(std::move(*r));
  }
  bool ended_somebody() {
    if (!c || c->lost()) return false;
    auto r = c->execute(end_if_blocking, {std::to_string(what.pid)});
    return r && r->size() > 0;
  }
  void cancel() {
    if (c && !c->lost()) (void)c->execute("SELECT pg_cancel_backend($1::int)", {std::to_string(what.pid)});
  }
};

}  // namespace

block_watch::block_watch(watched primary, watched secondary, const stop_bell& stop)
    : stop_(stop),
      thread_([this, primary = std::move(primary), secondary = std::move(secondary)] { watch(primary, secondary); }) {}

block_watch::~block_watch() {
  done_.ring();
  stop_.poke();
  thread_.join();
}

void block_watch::watch(const watched& primary, const watched& secondary) {
  side sides[2]{{primary, std::nullopt}, {secondary, std::nullopt}};
  while (!done_) {
    for (side& s : sides) {
      s.open();
      if (stop_) s.cancel();
      if (!tripped_ && s.ended_somebody()) {
        tripped_ = true;
        telemetry::log::info("sweep gives way to somebody who waits for its locks");
      }
    }
    (stop_ ? done_ : stop_).rest(look_every);
  }
}

}  // namespace pgtandem::reconcile
