// What a pool's appliers share: the ops that wait, the breaker, the tally, and where the secondary is. Answers go out
// through it.
//
// Kept alive by the pool and by every coroutine that works for it. One thread.
#pragma once
#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "proxy/apply/applier_pool.hpp"
#include "proxy/apply/asio_types.hpp"
#include "proxy/apply/breaker.hpp"
#include "proxy/apply/channel.hpp"
#include "proxy/apply/group.hpp"
#include "proxy/apply/secondary_tables.hpp"

namespace pgtandem::apply {

struct entry {
  session::op_ptr op;
  answer done;
  clock::time_point submitted;
};

class work_queue {
 public:
  // Where an op has waited for nothing (the others may be waiting for its row locks), so many groups go without.
  static constexpr std::uint32_t groups_without = 32;
  static constexpr std::size_t group_bytes_max = 16u << 20;  // image bytes in one transaction of several ops

  work_queue(asio::io_context& loop, std::string conninfo, pool_settings s);

  // Is there a group to take? Where further ops are expected, it waits for them, but no op longer than gather_us.
  bool ready() const;
  clock::time_point ready_at() const { return waiting.front().submitted + std::chrono::microseconds(settings.gather_us); }
  // Up to group_max ops that are still wanted, oldest first. Given-up ones are answered on the way.
  std::vector<entry> take_group();
  void finish(const entry& e, session::apply_outcome outcome);  // answers, counts, feeds the breaker
  void answer_later(entry e, session::apply_outcome outcome);   // from the loop, not from inside the caller
  void answer_all_waiting(const session::apply_outcome& outcome, bool counts);

  clock::duration answer_limit() const { return std::chrono::milliseconds(4 * std::uint64_t{settings.budget_ms}); }
  settings_list session_settings() const;

  asio::io_context& loop;
  pool_settings settings;  // the budget may change
  std::string conninfo;
  std::uint64_t generation = 1;  // of the secondary's place and of session_settings()
  bool defer_constraints = true;
  bool stopping = false;
  std::deque<entry> waiting;
  std::size_t expected = 0;  // ops that are about to be submitted
  std::uint32_t without = 0;  // groups that do not wait for them
  breaker health;
  pool_tally counted;
  table_sql_cache texts;
  secondary_tables there;  // as of the secondary's catalog that was last published
  frame_texts frame;
  std::function<void()> breaker_has_opened;  // set by the pool
};

}  // namespace pgtandem::apply
