#include "proxy/control/lease_keeper.hpp"

#include <algorithm>

#include "proxy/control/leases.hpp"
#include "proxy/sql/rewrite.hpp"
#include "proxy/telemetry/log.hpp"

namespace pgtandem::control {
namespace {

constexpr std::chrono::milliseconds connect_limit{1000};
constexpr std::chrono::milliseconds connect_again{300};
constexpr std::chrono::milliseconds renew_at_most{1000};
// Rows of proxies that have been gone for so long are nobody's evidence any more, unless they have left sessions behind.
const std::string forget_sql = "DELETE FROM pgtandem.lease l WHERE renewed_at < clock_timestamp() - interval '10 minutes' AND " +
                               std::string(backends_there_sql) + " = 0; ";
// Ten thousand lines are years of rolling epochs, and every flip among them.
constexpr int journal_kept = 10000;
const std::string forget_journal_sql = "DELETE FROM pgtandem.journal WHERE seq <= (SELECT max(seq) FROM pgtandem.journal) - " +
                                       std::to_string(journal_kept) + "; ";

}  // namespace

void lease_keeper::want(const lease_content& c) {
  {
    std::lock_guard hold(lock_);
    news_ = news_ || !c.same_acknowledgement(wanted_);
    wanted_ = c;
    if (!news_) return;
  }
  worker_.ring();
}

bool lease_keeper::connect(place p) {
  line& l = at(p);
  if (l.c && !l.c->lost()) return true;
  l.c.reset();
  if (clock::now() - l.tried < connect_again) return false;
  l.tried = clock::now();
  database::open_options o;
  o.application_name = "pgtandem lease " + proxy_id_;
  o.settings = {{"synchronous_commit", "off"}};
  o.connect_timeout = std::min(connect_limit, settings_.lease / 2);
  o.statement_limit = settings_.lease / 2;
  auto c = database::connection::open(settings_.conninfo(p), o);
  if (!c) return false;
  auto locked = c->run("SELECT pg_try_advisory_lock(" + std::to_string(lease_lock) + ", hashtext('" + proxy_id_ + "'))");
  if (!locked) return false;
  l.c.emplace(std::move(*c));
  return true;
}

bool lease_keeper::write(const lease_content& c, bool news) {
  if (!connect(c.primary)) return false;
  clock::time_point begun = clock::now();
  std::string text = "INSERT INTO pgtandem.lease (proxy_id, name, epoch, phase, step, sessions, unmovable, backends, held_ms) VALUES (" +
                     sql::quote_literal(proxy_id_) + ", " + sql::quote_literal(settings_.name) + ", " + std::to_string(c.epoch) + ", " +
                     sql::quote_literal(row_of(c.now).name) + ", " + sql::quote_literal(row_of(c.at).name) + ", " +
                     std::to_string(c.sessions) + ", " + sql::quote_literal(c.unmovable) + "::jsonb, " + sql::quote_literal(c.backends) +
                     "::int[], " + (c.held_ms ? std::to_string(*c.held_ms) : "NULL") +
                     ") ON CONFLICT (proxy_id) DO UPDATE SET name = excluded.name, epoch = excluded.epoch, phase = excluded.phase, "
                     "step = excluded.step, sessions = excluded.sessions, unmovable = excluded.unmovable, backends = excluded.backends, "
                     "held_ms = excluded.held_ms, "
                     "renewed_at = clock_timestamp()";
  if (news) text += "; SELECT pg_notify('pgtandem', 'lease')";
  else text = forget_sql + forget_journal_sql + text;
  auto r = at(c.primary).c->run(text);
  if (!r) {
    telemetry::log::warning("lease not renewed", {{"place", name_of(c.primary)}, {"sqlstate", r.error().sqlstate}, {"message", r.error().message}});
    return false;
  }
  // Asked when the renewal can be read: whoever has changed the row before has read the lease as it was, or sees it in time.
  auto row = at(c.primary).c->run("SELECT epoch FROM pgtandem.migration");
  bool agreed = row && row->size() == 1 && row->integer(0, 0) == c.told;
  board_.update([&](board_state& b) {
    b.lease_renewed = begun;
    if (agreed) b.lease_agreed = begun;
    if (!b.lease_first) b.lease_first = clock::now();
    return true;
  });
  return true;
}

void lease_keeper::run() {
  const auto renew = std::min(renew_at_most, settings_.lease / 3);
  clock::time_point due{};
  while (!worker_.stopping()) {
    lease_content c;
    bool news;
    {
      std::lock_guard hold(lock_);
      c = wanted_;
      news = news_;
      news_ = false;
    }
    if (c.wanted && (news || clock::now() >= due)) {
      if (write(c, news)) {
        due = clock::now() + renew;
      } else {
        due = clock::now() + connect_again;
        std::lock_guard hold(lock_);
        news_ = news_ || news;
      }
      if (c.both && !news) connect(other(c.primary));   // warm for the day of the flip; a failure is the watcher's to tell
    }
    auto left = std::chrono::duration_cast<std::chrono::milliseconds>(due - clock::now());
    worker_.rest(c.wanted ? std::clamp(left, std::chrono::milliseconds(1), renew) : renew);
  }
  leave();
}

void lease_keeper::leave() {
  for (line& l : lines_)
    if (l.c && !l.c->lost()) (void)l.c->run("DELETE FROM pgtandem.lease WHERE proxy_id = '" + proxy_id_ + "'; SELECT pg_notify('pgtandem', 'lease')");
}

}  // namespace pgtandem::control
