#include "reconcile/doubt_loop.hpp"

#include <algorithm>

#include "proxy/telemetry/log.hpp"
#include "reconcile/incarnation.hpp"

namespace pgtandem::reconcile {
namespace {

using database::result;
using std::chrono::milliseconds;

constexpr std::chrono::seconds catalog_check_every{1}, log_every{5};
constexpr int audits_max = 100;              // batches in a round
constexpr milliseconds in_a_hurry{1};        // between rounds while a flip waits
constexpr milliseconds longest_pause{1000};  // between passes over keys that only fail

}  // namespace

result<milliseconds> doubt_loop::round() {
  const standing now = pair_.now();
  if (now.primary() != last_.primary()) partitions_ = {}, drain_ = {}, audit_ = ledger_audit(), reload_ = true, opened_ = 0;
  if (now.epoch != last_.epoch || now.step != last_.step) rung_ = false;
  last_ = now;
  const bool hurry = now.flipping();
  if (auto r = keep_catalog(); !r) return r.error();
  if (auto r = keep_incarnations(); !r) return r.error();

  // To its end before a repair: the fewer rows are open, the sooner a horizon is passed.
  audit_report audited;
  for (int i = 0; i == 0 || (audited.more && audited.settled > 0 && i < audits_max); ++i) {
    auto r = audit_.run(pair_.watcher(), pair_.secondary(), partitions_, hurry);
    if (!r) return r.error();
    audited = *r;
    totals_.settled += r->settled;
    totals_.doubtful += r->doubtful;
  }

  if (!hurry)
    if (auto r = prune_.run(pair_.secondary(), partitions_.known(), now.epoch); !r) return r.error();

  workbench w{pair_.primary(), pair_.watcher(), pair_.secondary(), partitions_, *catalog_, now.ledger_epoch()};
  auto drained = drain_.run(w, {settings_.reconcile.drain_batch, hurry});
  if (!drained) return drained.error();
  totals_.synced += drained->synced;
  totals_.ended += drained->ended;
  totals_.changed += drained->changed;
  totals_.failed += drained->failed;
  reload_ = reload_ || drained->unknown_relation;
  log_now_and_then();

  if (hurry && audited.read == 0 && drained->read == 0)
    if (auto r = ring_when_clear(); !r) return r.error();
  if (hurry) return audited.read > 0 || drained->read > 0 ? milliseconds(0) : in_a_hurry;
  if (audited.more && audited.settled > 0) return milliseconds(0);
  if (drained->ended > 0 || !drained->pass_ended) {
    pause_ = milliseconds(0);
    return drained->read > 0 ? milliseconds(0) : milliseconds(settings_.reconcile.audit_interval_ms);
  }
  // A pass that brought nothing forward: the keys in doubt wait for somebody else.
  pause_ = drained->read == 0 ? milliseconds(0) : std::min(longest_pause, std::max(milliseconds(10), pause_ * 2));
  return std::max(pause_, milliseconds(settings_.reconcile.audit_interval_ms));
}

result<void> doubt_loop::keep_catalog() {
  const auto now = std::chrono::steady_clock::now();
  if (catalog_ && !reload_ && now - catalog_checked_ < catalog_check_every) return {};
  if (catalog_ && !reload_) {
    auto r = pair_.watcher().run("SELECT last_value FROM pgtandem.ddl_version");
    if (!r) return r.error();
    if (r->integer(0, 0) == catalog_->ddl_version) {
      catalog_checked_ = now;
      return {};
    }
  }
  auto loaded =
      database::load_catalog(pair_.watcher(), {settings_.scope.exclude, settings_.dual_write.allowed_functions});
  if (!loaded) {
    if (catalog_ && !loaded.error().lost) return {};  // DDL in progress: the old one serves meanwhile
    return loaded.error();
  }
  catalog_ = std::move(*loaded);
  catalog_checked_ = now;
  reload_ = false;
  return {};
}

result<void> doubt_loop::keep_incarnations() {
  if (opened_ == pair_.opened()) return {};
  const int opened = pair_.opened();
  auto noted = note_restarts(pair_, *catalog_);
  if (!noted) return noted.error();
  if (*noted) opened_ = opened;
  return {};
}

// Unsettled first, then dirty: an audit makes keys dirty before it settles, so looking the other way round could miss
// both.
result<void> doubt_loop::ring_when_clear() {
  if (rung_) return {};
  auto open =
      partitions_.query(pair_.secondary(), "1 AS one", std::string("WHERE ") + unsettled_condition + " LIMIT 1");
  if (!open) return open.error();
  auto dirty = pair_.watcher().run("SELECT EXISTS (SELECT FROM pgtandem.dirty)");
  if (!dirty) return dirty.error();
  if (!open->null(0, 1) || dirty->boolean(0, 0)) return {};
  for (database::connection* c : {&pair_.watcher(), &pair_.bell()})
    if (auto r = c->run("NOTIFY pgtandem"); !r) return r.error();
  rung_ = true;
  telemetry::log::info("nothing in doubt", {{"epoch", last_.epoch}, {"step", last_.step}});
  return {};
}

void doubt_loop::log_now_and_then() {
  const auto now = std::chrono::steady_clock::now();
  if (now - logged_ < log_every ||
      (totals_.settled == reported_.settled && totals_.ended == reported_.ended && totals_.failed == reported_.failed))
    return;
  logged_ = now;
  telemetry::log::info("audit and repair", {{"settled", totals_.settled - reported_.settled},
                                            {"doubtful", totals_.doubtful - reported_.doubtful},
                                            {"synced_keys", totals_.synced - reported_.synced},
                                            {"dirty_ended", totals_.ended - reported_.ended},
                                            {"changed_keys", totals_.changed - reported_.changed},
                                            {"failed_keys", totals_.failed - reported_.failed}});
  reported_ = totals_;
}

}  // namespace pgtandem::reconcile
