#include "reconcile/place_pair.hpp"

#include "reconcile/session_settings.hpp"

namespace pgtandem::reconcile {

using control::place;
using database::error;
using database::result;

namespace {

constexpr std::chrono::minutes statement_limit{
    10};  // a whole table compared; dead peers are noticed by TCP long before

bool alive(const std::optional<database::connection>& c) { return c && !c->lost(); }

}  // namespace

bool place_pair::lost() const {
  return !alive(source_.work) || !alive(source_.plain) || !alive(target_.work) || !alive(target_.plain);
}

void place_pair::close() {
  source_ = {};
  target_ = {};
}

result<void> place_pair::open(place p) {
  sessions& s = side(p);
  const std::string& conninfo = p == place::source ? settings_.source : settings_.target;
  session_limits limits;
  limits.statement = statement_limit;
  if (!alive(s.work)) {
    s.work.reset();
    s.locked = false;
    auto c = database::connection::open(conninfo, session_options(name_, limits));
    if (!c) return c.error();
    s.work.emplace(std::move(*c));
    ++opened_;
  }
  if (!alive(s.plain)) {
    s.plain.reset();
    auto c = database::connection::open(conninfo, session_options(name_ + " watch", limits));
    if (!c) return c.error();
    s.plain.emplace(std::move(*c));
    auto self = database::read_pairing(*s.plain);
    if (!self) return self.error();
    s.self = std::move(*self);
    if (auto r = s.plain->run("LISTEN pgtandem"); !r) return r.error();
  }
  return {};
}

result<std::optional<standing>> place_pair::read(place p) {
  auto r = side(p).plain->run("SELECT epoch, phase, step, coalesce((attempt->>'course')::int, epoch) FROM pgtandem.migration");
  if (!r) return r.error();
  if (r->size() == 0) return std::optional<standing>();
  return read_standing(static_cast<std::int32_t>(r->integer(0, 0)), r->at(0, 1), r->at(0, 2),
                       static_cast<std::int32_t>(r->integer(0, 3)));
}

result<standing> place_pair::connect() {
  std::optional<standing> seen[2];
  for (const place p : {place::source, place::target}) {
    if (auto r = open(p); !r) return r.error();
    if (std::string why = database::misplaced(side(p).self, name_of(p)); !why.empty()) {
      side(p) = {};   // asked again with the next session
      return error("55000", std::string(name_of(p)) + ": " + why);
    }
    auto row = read(p);
    if (!row) return row.error();
    seen[p == place::target] = std::move(*row);
  }
  if (std::string why = database::not_a_pair(source_.self, target_.self); !why.empty()) {
    close();
    return error("55000", why);
  }
  auto agreed = authority(seen[0], seen[1]);
  if (!agreed) return error("55000", "pgtandem.migration holds no phase this version knows");
  standing_ = std::move(*agreed);
  return *standing_;
}

result<bool> place_pair::hold_lock() {
  sessions& s = side(control::other(now().primary()));
  sessions& other = side(now().primary());
  if (other.locked) {  // of the time before a flip
    if (auto r = other.work->run(std::string("SELECT pg_advisory_unlock(") + reconciler_lock + ")"); !r)
      return r.error();
    other.locked = false;
  }
  if (s.locked) return true;
  auto r = s.work->run(std::string("SELECT pg_try_advisory_lock(") + reconciler_lock + ")");
  if (!r) return r.error();
  s.locked = r->boolean(0, 0);
  return s.locked;
}

}  // namespace pgtandem::reconcile
