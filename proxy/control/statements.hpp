// The SQL with which control changes the two databases, as texts. Pure.
//
// Each text is one round trip and one transaction, and depends on what it finds, not on what was done before: run again after
// any interruption it leads to the same state. What fails half-way leaves an aborted transaction: the caller rolls back.
#pragma once
#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "proxy/control/authority.hpp"
#include "proxy/control/flip.hpp"

namespace pgtandem::control {

// SQLSTATE of lead_sql() when something is in doubt after all.
inline constexpr std::string_view not_drained = "PT001";

struct journal_line {
  std::int32_t epoch = 0;
  std::string step;
  std::string detail = "{}";   // JSON
};
std::string journal_sql(const journal_line& j);

// Which of control's commits must be on disk before it goes on: those that a restart decides by. The others are flushed with them.
enum class flushed : std::uint8_t { yes, no };

// Step of the row; while a flip is on, attempt says who coordinates it and whether the primary moves.
std::string mark_sql(step s, const flip_plan& p, std::string_view coordinator);
// Undo before the fence: nothing but the step.
std::string release_sql(std::int32_t epoch);

std::string fence_primary_sql(const flip_plan& p, std::chrono::milliseconds lock_limit);
std::string fence_secondary_sql(const flip_plan& p, std::chrono::milliseconds lock_limit);

// What a place must look like to be the primary or the secondary of (epoch, phase).
struct standing_order {
  std::int32_t epoch = 0;
  phase now = phase::passthrough;
  std::int32_t mirrored_from = 0;     // epoch since which writes are mirrored without a gap; 0 = they are not
  std::vector<std::string> exclude;   // scope.exclude: tables whose triggers are left alone
  std::chrono::milliseconds lock_limit{1000};
};
// The old primary is made ready to follow (everything but the row, unless the primary stays), and its row says `opening`.
std::string mark_opening_sql(const flip_plan& p, std::string_view coordinator, const standing_order& next);
// Everything that the flip's transactions do, on things of its own and rolled back: the connection's caches are warm afterwards.
std::string rehearsal_sql();

// Primary: the epoch's table and no other, no attached ledger partition, user triggers enabled again, the row.
// guarded: refuse (not_drained) if any partition of the ledger here holds an unsettled row.
std::string lead_sql(const standing_order& o, bool guarded);
// Secondary: no epoch table, exactly the epoch's ledger partition, user triggers disabled and remembered, the row. The row
// must never be ahead of the primary's: `without_row` prepares everything else before the primary is led there.
enum class follow_part : std::uint8_t { all, without_row };
std::string follow_sql(const standing_order& o, follow_part part = follow_part::all);

// Whatever a place has recorded as disabled is enabled again: it follows nobody any more. Nothing without a schema.
std::string enable_triggers_sql(std::chrono::milliseconds lock_limit);

// The row alone. Another phase in the same epoch, or an epoch whose table will follow (lead_sql) when everybody has moved.
std::string row_only_sql(const standing_order& o);
// What a former mirrored run has left that a new one must not believe: the secondary's chunks, the primary's progress.
std::string forget_chunks_sql();
std::string forget_progress_sql();

// Rows in doubt, counted up to `limit`: on the primary; on the secondary (in attached and detached partitions alike).
std::string count_dirty_sql(int limit);
std::string count_unsettled_sql(int limit);

}  // namespace pgtandem::control
