// Drops partitions of the ledger that nobody needs any more: detached, older than the present epoch, every row settled.
//
// Why that is safe:
//  * No row can come any more. A partition is detached after its epoch's table was dropped on the primary, so that every op of the
//    epoch has ended there; a batch that is still under way finds no partition (23514) and its effect goes with it. For the same
//    reason no claim is missing: a claim keeps a straggler out, and here there is none to keep out.
//  * No audit misses one. Settled means proven committed on the primary, or dirty there.
//  * No snapshot pair misses one. A pair names what its secondary snapshot f has and its primary snapshot s lacks; a row that was
//    settled before s is in s. A pair holds pair_lock, shared, from before s until it has read the ledger; the drop takes it alone
//    and only then looks whether all is settled. So a pair either has read the rows, or begins its s after they were settled.
//  * No flip misses one: it counts the unsettled rows of every partition there is, and the one that it detaches belongs to the
//    present epoch, which is never dropped.
#pragma once
#include <chrono>
#include <cstdint>

#include "proxy/database/connection.hpp"
#include "reconcile/ledger_partitions.hpp"

namespace pgtandem::reconcile {

// Held on the secondary, shared, while a certified pair begins.
inline constexpr const char* pair_lock = "7433012";

class ledger_prune {
 public:
  static constexpr std::chrono::milliseconds every{200}, lock_limit{50};

  // Looks at one partition at most, now and then. `epoch`: the present one. `known`: as of the audit's last query.
  database::result<void> run(database::connection& secondary, const std::vector<ledger_partition>& known, std::int32_t epoch);

 private:
  std::chrono::steady_clock::time_point next_{};
  std::size_t turn_ = 0;   // so that one that cannot be dropped does not keep the others
};

// Shared, for the length of a scope; a session that is lost gives it back by itself.
class pair_beginning {
 public:
  explicit pair_beginning(database::connection& secondary) : c_(secondary) {}
  database::result<void> enter();
  ~pair_beginning();
  pair_beginning(const pair_beginning&) = delete;

 private:
  database::connection& c_;
  bool held_ = false;
};

}  // namespace pgtandem::reconcile
