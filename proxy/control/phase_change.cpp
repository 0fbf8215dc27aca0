#include "proxy/control/phase_change.hpp"

#include <algorithm>

#include "proxy/control/leases.hpp"
#include "proxy/control/statements.hpp"

namespace pgtandem::control {
namespace {

std::string words(const database::error& e) { return e.sqlstate + " " + e.message; }

}  // namespace

std::string phase_change::await(place primary, std::int32_t epoch, phase p) {
  duty_.note("waiting for the proxies");
  const auto begun = std::chrono::steady_clock::now();
  for (;;) {
    auto all = read_leases(hands_[primary], settings_.lease);
    if (!all) return words(all.error());
    auto missing = not_at_phase(*all, epoch, p);
    if (missing.empty()) return {};
    if (duty_.stopping()) return "this process is stopping";
    // Those at large may yet wake up, but nobody is to wait for that.
    const bool lapsed = missing.size() == static_cast<std::size_t>(std::count_if(all->begin(), all->end(), [](const lease& l) { return l.at_large(); }));
    if (std::chrono::steady_clock::now() - begun >= (lapsed ? lapsed_limit : acknowledge_limit))
      return "not acknowledged yet by " + joined(missing) +
             (lapsed ? ": end that process, or its sessions on the server" : ": a transaction that began before the change is still open");
    if (auto told = hands_[primary].wait(look); !told) return words(told.error());
  }
}

change_outcome phase_change::run(const change_order& o) {
  bool before = row_of(o.from).mirrors, after = row_of(o.to).mirrors;
  if (before == after) return same_rules(o);
  return after ? start_mirroring(o) : end_mirroring(o);
}

change_outcome phase_change::start_mirroring(const change_order& o) {
  const place primary = row_of(o.to).primary, secondary = other(primary);
  standing_order s{o.epoch + 1, o.to, o.epoch + 1, settings_.exclude, lock_limit};
  duty_.note("preparing the secondary");
  auto prepared = hands_.run(secondary, follow_sql(s, follow_part::without_row) + "; " + forget_chunks_sql(), lock_limit);
  if (!prepared) return {false, false, "secondary: " + words(prepared.error())};
  if (auto r = hands_.run(primary, forget_progress_sql(), lock_limit); !r) return {false, false, "primary: " + words(r.error())};
  duty_.note("opening the epoch");
  auto led = hands_.run(primary, lead_sql(s, false), lock_limit);
  if (!led) {
    standing_order back{o.epoch, o.from, 0, settings_.exclude, lock_limit};
    (void)hands_.run(secondary, follow_sql(back), lock_limit);
    return {false, false, "primary: " + words(led.error())};
  }
  (void)hands_.run(secondary, follow_sql(s), lock_limit);   // what is missing there now, mending brings later
  std::string missing = await(primary, s.epoch, o.to);
  return {true, missing.empty(), missing};
}

change_outcome phase_change::end_mirroring(const change_order& o) {
  const place primary = row_of(o.to).primary, secondary = other(primary);
  standing_order s{o.epoch + 1, o.to, 0, settings_.exclude, lock_limit};
  duty_.note("telling the proxies");
  if (auto r = hands_.run(primary, row_only_sql(s), lock_limit); !r) return {false, false, "primary: " + words(r.error())};
  std::string missing = await(primary, s.epoch, o.to);
  if (missing.empty()) {
    duty_.note("closing the epoch");
    auto closed = hands_.run(primary, lead_sql(s, false), lock_limit);
    if (!closed) missing = "the old epoch's table is still there: " + words(closed.error());
  }
  if (hands_.aboard(secondary)) (void)hands_.run(secondary, follow_sql(s), lock_limit);
  return {true, missing.empty(), missing};
}

change_outcome phase_change::same_rules(const change_order& o) {
  const place primary = row_of(o.to).primary, secondary = other(primary);
  standing_order s{o.epoch, o.to, o.mirrored_from, settings_.exclude, lock_limit};
  if (auto r = hands_.run(primary, row_only_sql(s), lock_limit); !r) return {false, false, "primary: " + words(r.error())};
  if (hands_.aboard(secondary)) (void)hands_.run(secondary, row_only_sql(s), lock_limit);
  std::string missing = await(primary, s.epoch, o.to);
  return {true, missing.empty(), missing};
}

}  // namespace pgtandem::control
