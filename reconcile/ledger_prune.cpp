#include "reconcile/ledger_prune.hpp"

#include "proxy/telemetry/log.hpp"
#include "reconcile/transaction_guard.hpp"

namespace pgtandem::reconcile {
namespace {

using database::result;

// Row: whether the lock was to be had. Given back with the transaction.
const std::string alone = std::string("SELECT pg_try_advisory_xact_lock(") + pair_lock + ")";

std::string droppable(const ledger_partition& p) {
  return "SELECT NOT c.relispartition AND NOT EXISTS (SELECT FROM " + p.name() + " l WHERE " + unsettled_condition +
         ") FROM pg_class c WHERE c.oid = '" + p.name() + "'::regclass";
}

result<bool> drop(database::connection& secondary, const ledger_partition& p) {
  transaction_guard guard(secondary);
  if (auto r = guard.begin("BEGIN; SET LOCAL lock_timeout = " + std::to_string(ledger_prune::lock_limit.count())); !r) return r.error();
  auto mine = secondary.run(alone);
  if (!mine) return mine.error();
  if (!mine->boolean(0, 0)) return false;
  auto may = secondary.run(droppable(p));
  if (!may) return may.error();
  if (may->size() != 1 || !may->boolean(0, 0)) return false;
  if (auto r = secondary.run("DROP TABLE " + p.name()); !r) return r.error();
  if (auto r = guard.commit(); !r) return r.error();
  return true;
}

}  // namespace

result<void> ledger_prune::run(database::connection& secondary, const std::vector<ledger_partition>& known, std::int32_t epoch) {
  const auto now = std::chrono::steady_clock::now();
  if (now < next_) return {};
  next_ = now + every;
  std::vector<ledger_partition> old;
  for (const ledger_partition& p : known)
    if (!p.attached && p.epoch < epoch) old.push_back(p);
  if (old.empty()) return {};
  const ledger_partition& p = old[turn_++ % old.size()];
  auto gone = drop(secondary, p);
  if (gone && *gone) telemetry::log::info("ledger partition dropped", {{"epoch", p.epoch}});
  // Locked for the moment, or gone already: the next turn sees.
  if (!gone && gone.error().sqlstate != "55P03" && gone.error().sqlstate != "42P01") return gone.error();
  return {};
}

result<void> pair_beginning::enter() {
  auto r = c_.run(std::string("SELECT pg_advisory_lock_shared(") + pair_lock + ")");
  if (!r) return r.error();
  held_ = true;
  return {};
}

pair_beginning::~pair_beginning() {
  if (held_ && !c_.lost()) (void)c_.run(std::string("SELECT pg_advisory_unlock_shared(") + pair_lock + ")");
}

}  // namespace pgtandem::reconcile
