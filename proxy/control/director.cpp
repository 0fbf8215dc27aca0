#include "proxy/control/director.hpp"

#include "proxy/telemetry/log.hpp"

namespace pgtandem::control {
namespace {

using telemetry::metric;

double milliseconds(clock::duration d) { return std::chrono::duration<double, std::milli>(d).count(); }

bool same(const routing& a, const routing& b) {
  return a.epoch == b.epoch && a.now == b.now && a.warming == b.warming && a.holding == b.holding;
}

bool same(const session::limits& a, const session::limits& b) {
  return a.secondary_policy == b.secondary_policy && a.budget_ms == b.budget_ms && a.statement_max == b.statement_max &&
         a.write_set_max == b.write_set_max && a.keys_max == b.keys_max && a.prepared_max == b.prepared_max &&
         a.idempotent_outcome_max == b.idempotent_outcome_max;
}

// Nothing can be missed in a phase that is the last, nor after uninit.
bool bound(const routing& now, const place_state& primary) {
  const phase_row& row = row_of(now.now);
  return !(row.next.empty() && row.flip.empty()) && (primary.installed || !primary.reachable);
}

std::string array_of(const std::vector<std::uint32_t>& numbers) {
  std::string out = "{";
  for (std::uint32_t n : numbers) out += (out.size() > 1 ? "," : "") + std::to_string(n);
  return out + "}";
}

std::string json_of(const std::vector<unmovable_session>& list) {
  std::string out = "[";
  for (const unmovable_session& u : list) {
    std::string reason;
    for (char c : u.reason)
      if (static_cast<unsigned char>(c) >= 0x20 && c != '"' && c != '\\') reason += c;
    out += (out.size() > 1 ? ", " : "") + std::string("{\"id\": ") + std::to_string(u.id) + ", \"reason\": \"" + reason + "\"}";
  }
  return out + "]";
}

}  // namespace

director::director(const control_settings& s, board& b, fleet& f, lease_keeper& l, telemetry::meter& m)
    : settings_(s), board_(b), fleet_(f), lease_(l), meter_(m), bounds_(s.bounds) {
  auto first = std::make_shared<session::world>();
  first->bounds = bounds_;
  world_ = first;
}

session::world_ptr director::world() const {
  std::lock_guard hold(lock_);
  return world_;
}

void director::change_limits(const session::limits& l) {
  {
    std::lock_guard hold(lock_);
    bounds_ = l;
  }
  board_.poke();
}

std::optional<double> director::last_held_ms() const {
  std::lock_guard hold(lock_);
  return held_ms_;
}

bool director::lease_held() const {
  std::lock_guard hold(lock_);
  return lease_held_;
}

void director::run() {
  fleet_.on_change([this] { board_.poke(); });
  std::uint64_t seen = 0;
  while (!worker_.stopping()) {
    decide();
    board_.wait(seen, look_every);
  }
  fleet_.on_change({});
}

std::optional<clock::time_point> director::lease_ends(const board_state& b, const routing& next) const {
  if (!bound_since_) return std::nullopt;
  // A proxy that has just been bound has had lease_ms from then to write its first lease.
  const auto& renewed = next.mirrors() ? b.lease_renewed : b.lease_agreed;
  return (renewed ? std::max(*renewed, *bound_since_) : *bound_since_) + settings_.lease;
}

routing director::choose(const board_state& b, clock::time_point now) {
  auto say = authority(b.of(place::source).row, b.of(place::target).row);
  if (say && (!say_ || say->epoch >= say_->epoch)) say_ = say;
  if (!say_) return routing{};
  routing next = routing_of(*say_);
  if (!bound(next, b.of(next.primary()))) bound_since_.reset();
  else if (!bound_since_) bound_since_ = now;
  auto ends = lease_ends(b, next);
  if (ends && now > *ends) next.holding = true;
  return next;
}

// After a flip the new primary's triggers are on again, so its catalog may have to be read again before anybody plans by it.
bool director::catalog_due(const board_state& b, const routing& next, clock::time_point now) {
  const place_state& there = b.of(next.primary());
  bool moved = next.primary() != world()->routing.primary();
  bool fresh = there.catalog && (!there.installed || there.catalog->ddl_version == there.ddl_version);
  if (!moved || fresh) {
    catalog_asked_.reset();
    return false;
  }
  if (!catalog_asked_) catalog_asked_ = now;
  return now - *catalog_asked_ < catalog_wait;
}

void director::measure(const routing& next, clock::time_point now) {
  bool was = world()->routing.holding;
  if (next.holding && !was) {
    hold_begun_ = now;
    flip_hold_ = false;
  }
  if (next.holding && say_ && row_of(say_->at).holds) flip_hold_ = true;
  if (!next.holding && was) release_begun_ = now;
}

void director::publish(const board_state& b, const routing& next, clock::time_point now) {
  auto made = std::make_shared<session::world>();
  made->routing = next;
  made->primary = b.of(next.primary()).catalog;
  const place_state& second = b.of(other(next.primary()));
  if (second.reachable || now - second.lost_at < secondary_grace) made->secondary = second.catalog;
  session::world_ptr before = world();
  {
    std::lock_guard hold(lock_);
    made->bounds = bounds_;
  }
  if (ticket_ != 0 && same(before->routing, next) && before->primary == made->primary && before->secondary == made->secondary &&
      same(before->bounds, made->bounds))
    return;
  measure(next, now);
  if (!same(before->routing, next))
    telemetry::log::info("routing", {{"epoch", next.epoch}, {"phase", row_of(next.now).name}, {"primary", name_of(next.primary())},
                                     {"warming", next.warming}, {"holding", next.holding}});
  {
    std::lock_guard hold(lock_);
    world_ = made;
  }
  ticket_ = fleet_.publish(made);
}

void director::acknowledge(const board_state& b) {
  session::world_ptr w = world();
  fleet_view v = fleet_.view();
  bool taken = v.ticket >= ticket_;
  if (taken && release_begun_ && !w->routing.holding) {
    double ms = milliseconds(clock::now() - *hold_begun_);
    meter_.add(metric::hold_seconds, ms / 1000);
    if (flip_hold_) {
      meter_.set(metric::cutover_ms, ms, "proxy");
      std::lock_guard hold(lock_);
      held_ms_ = ms;
    }
    release_begun_.reset();
  }
  lease_content c = acknowledged_;
  c.primary = w->routing.primary();
  c.both = w->routing.mirrors();
  c.sessions = v.sessions;
  c.unmovable = json_of(v.unmovable);
  c.held_ms = last_held_ms();
  c.wanted = say_.has_value();
  if (c.wanted && taken && v.behind == 0) {
    c.epoch = w->routing.epoch;
    c.now = w->routing.now;
    const step_row& row = row_of(say_->at);
    bool held = !row.holds || v.open == 0;
    bool warm = row.holds || !w->routing.warming || v.cold == 0;
    if (held && warm) c.at = say_->at;
  }
  if (taken) {
    c.told = w->routing.epoch;
    // Where writes are mirrored the databases refuse what is sent too late.
    auto ends = lease_ends(b, w->routing);
    fleet_.trust_until(ends && !w->routing.mirrors() ? *ends : clock::time_point::max());
  }
  c.backends = row_of(c.now).mirrors ? std::string(lease_content::no_backends) : array_of(v.backends);
  acknowledged_ = c;
  lease_.want(c);
  bool held = c.wanted && b.lease_renewed && clock::now() - *b.lease_renewed <= settings_.lease;
  std::lock_guard hold(lock_);
  lease_held_ = held;
}

void director::report(const board_state& b, clock::time_point now) {
  if (reported_ && now - *reported_ < metrics_every) return;
  reported_ = now;
  session::world_ptr w = world();
  fleet_view v = fleet_.view();
  meter_.set(metric::epoch, w->routing.epoch);
  for (const phase_row& p : phases()) meter_.set(metric::phase, p.id == w->routing.now ? 1 : 0, p.name);
  meter_.set(metric::held, w->routing.holding ? 1 : 0);
  meter_.set(metric::clients, v.sessions);
  meter_.set(metric::unmovable, static_cast<double>(v.unmovable.size()));
  for (place p : {place::source, place::target}) meter_.set(metric::place_up, b.of(p).reachable ? 1 : 0, name_of(p));
  meter_.set(metric::dirty_rows, static_cast<double>(b.of(w->routing.primary()).dirty));
  meter_.set(metric::unsettled_rows, static_cast<double>(b.of(other(w->routing.primary())).unsettled));
  if (b.lease_renewed) meter_.set(metric::lease_age_seconds, milliseconds(now - *b.lease_renewed) / 1000);
  const auto books = [&](place p) { return b.of(p).books ? &*b.of(p).books : nullptr; };
  show(figures_of(books(place::source), books(place::target), w->routing.primary(), now), meter_);
}

void director::decide() {
  clock::time_point now = clock::now();
  board_state b = board_.look();
  routing next = choose(b, now);
  if (catalog_due(b, next, now)) return;
  publish(b, next, now);
  acknowledge(b);
  report(b, now);
}

}  // namespace pgtandem::control
