#include "proxy/control/control_thread.hpp"

#include <unistd.h>

#include <fstream>

#include "proxy/control/board.hpp"
#include "proxy/control/catalog_keeper.hpp"
#include "proxy/control/coordinator.hpp"
#include "proxy/control/director.hpp"
#include "proxy/control/lease_keeper.hpp"
#include "proxy/control/watcher.hpp"

namespace pgtandem::control {
namespace {

// At the start: whoever finds the admin port ready before the loops run would find a proxy that has acknowledged nothing.
constexpr std::chrono::milliseconds start_look{5};

// A name for this process that no other one has had; PostgreSQL must accept it as uuid.
std::string new_proxy_id() {
  std::ifstream source("/proc/sys/kernel/random/uuid");
  std::string id;
  std::getline(source, id);
  return id;
}

}  // namespace

struct control_thread::impl {
  impl(control_settings s, fleet& f, telemetry::meter& m)
      : settings(std::move(s)),
        loops(f),
        source_watcher(place::source, settings, facts),
        target_watcher(place::target, settings, facts),
        source_catalog(place::source, settings, facts, m),
        target_catalog(place::target, settings, facts, m),
        lease(settings, proxy_id, facts),
        decider(settings, facts, f, lease, m),
        worker(settings, proxy_id, facts, desk, m) {}

  const control_settings settings;
  const std::string proxy_id = new_proxy_id();
  fleet& loops;
  board facts;
  intent_desk desk;
  watcher source_watcher, target_watcher;
  catalog_keeper source_catalog, target_catalog;
  lease_keeper lease;
  director decider;
  coordinator worker;
  bool started = false, stopped = false;

  place_status status_of(const place_state& p) const {
    place_status out;
    out.reachable = p.reachable;
    out.problem = p.problem;
    out.server_version = p.server_version;
    out.installed = p.installed;
    if (p.row) {
      out.epoch = p.row->epoch;
      out.phase = row_of(p.row->now).name;
      out.step = row_of(p.row->at).name;
    }
    if (p.catalog) {
      out.catalog_version = p.catalog->ddl_version;
      for (const auto& [id, t] : p.catalog->by_oid) out.tables += t->in_scope;
    }
    return out;
  }
};

control_thread::control_thread(control_settings s, fleet& loops, telemetry::meter& metrics)
    : i_(std::make_unique<impl>(std::move(s), loops, metrics)) {}

control_thread::~control_thread() { stop(); }

void control_thread::start() {
  if (i_->started) return;
  i_->started = true;
  i_->decider.start();
  i_->source_watcher.start();
  i_->target_watcher.start();
  i_->source_catalog.start();
  i_->target_catalog.start();
  i_->lease.start();
  i_->worker.start();
}

void control_thread::stop() {
  if (!i_->started || i_->stopped) return;
  i_->stopped = true;
  i_->worker.ask_to_stop();   // first all at once, then one after the other
  i_->decider.ask_to_stop();
  i_->lease.ask_to_stop();
  i_->source_watcher.ask_to_stop();
  i_->target_watcher.ask_to_stop();
  i_->source_catalog.ask_to_stop();
  i_->target_catalog.ask_to_stop();
  i_->worker.stop();
  i_->decider.stop();
  i_->lease.stop();
  i_->source_watcher.stop();
  i_->target_watcher.stop();
  i_->source_catalog.stop();
  i_->target_catalog.stop();
}

session::world_ptr control_thread::world() const { return i_->decider.world(); }

bool control_thread::ready() const {
  session::world_ptr w = i_->decider.world();
  if (!w->primary) return false;
  board_state b = i_->facts.look();
  const place_state& primary = b.of(w->routing.primary());
  if (!primary.installed && w->routing.epoch == 0) return true;
  // Known to the coordinator before the first client is served, and the row read after that: a phase change either counts this
  // proxy or has been seen by it.
  return w->routing.epoch > 0 && b.lease_first && primary.looked_at > *b.lease_first;
}

std::string control_thread::why_not_serving() const {
  if (!ready()) {
    const board_state b = i_->facts.look();
    for (place p : {place::source, place::target})   // a place that was refused, or the primary's own trouble
      if (const std::string& why = b.of(p).problem; !why.empty()) return std::string(name_of(p)) + ": " + why;
    return "the primary has not answered yet";
  }
  const routing now = world()->routing;
  if (!i_->facts.look().of(now.primary()).reachable) return "the primary cannot be reached";
  const fleet_view loops = i_->loops.view();
  if (loops.draining) return "the proxy is shutting down";
  if (loops.ticket == 0 || (loops.epoch == 0 && now.epoch != 0)) return "the loops have not begun yet";
  return {};
}

bool control_thread::wait_ready(std::chrono::milliseconds limit) const {
  const clock::time_point deadline = clock::now() + limit;
  std::uint64_t seen = 0;
  while (!ready()) {
    if (clock::now() >= deadline) return false;
    i_->facts.wait(seen, start_look);   // looked_at moves without a wake-up
  }
  return true;
}

void control_thread::refresh_catalog() {
  i_->source_catalog.refresh();
  i_->target_catalog.refresh();
}

void control_thread::change_limits(const session::limits& bounds) { i_->decider.change_limits(bounds); }

intent_desk& control_thread::desk() { return i_->desk; }

const control_settings& control_thread::settings() const { return i_->settings; }

control_status control_thread::status() const {
  control_status out;
  board_state b = i_->facts.look();
  out.proxy_id = i_->proxy_id;
  out.name = i_->settings.name;
  out.now = i_->decider.world()->routing;
  auto say = authority(b.of(place::source).row, b.of(place::target).row);
  out.step = say ? row_of(say->at).name : row_of(step::steady).name;
  out.primary = name_of(out.now.primary());
  out.lease_held = i_->decider.lease_held();
  if (b.lease_renewed) out.lease_age_seconds = std::chrono::duration<double>(clock::now() - *b.lease_renewed).count();
  out.source = i_->status_of(b.of(place::source));
  out.target = i_->status_of(b.of(place::target));
  const place primary = out.now.primary();
  if (b.of(primary).books) out.ledger.open_epochs = b.of(primary).books->ledger.epochs;
  if (b.of(other(primary)).books) {
    const ledger_books& l = b.of(other(primary)).books->ledger;
    out.ledger.attached = l.attached;
    out.ledger.detached = l.detached;
    out.ledger.bytes = l.bytes;
  }
  out.sessions = i_->loops.view();
  out.coordinating = i_->worker.at_work();
  out.last_held_ms = i_->decider.last_held_ms().value_or(0);
  return out;
}

}  // namespace pgtandem::control
