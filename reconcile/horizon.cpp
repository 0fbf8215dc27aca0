#include "reconcile/horizon.hpp"

#include "reconcile/boot_token.hpp"
#include "reconcile/text_array.hpp"

namespace pgtandem::reconcile {
namespace {

constexpr std::chrono::milliseconds poll_interval{
    1};  // PostgreSQL has no event for "this transaction ended" that takes no lock

}  // namespace

database::result<bool> wait_for_horizon(database::connection& primary, database::connection& secondary,
                                        ledger_partitions& partitions, std::chrono::milliseconds limit) {
  const auto deadline = std::chrono::steady_clock::now() + limit;
  // What this snapshot of the primary calls visible has ended; the rest is a handful.
  auto ended = primary.run("SELECT pg_current_snapshot()");
  if (!ended) return ended.error();
  const std::vector<database::param> snapshot{std::string(ended->at(0, 0))};
  auto rows = partitions.query(
      secondary, "DISTINCT l.source_rev",
      std::string("WHERE l.kind = 'op' AND NOT pg_visible_in_snapshot(l.source_rev, $1::pg_snapshot) AND ") +
          unsettled_condition,
      snapshot);
  if (!rows) return rows.error();
  std::vector<std::string> open;
  for (int i = 0; i < rows->size(); ++i)
    if (!rows->null(i, 1)) open.emplace_back(rows->at(i, 1));
  while (!open.empty()) {
    auto states = read_xact_states(primary, open);
    if (!states) return states.error();
    std::erase_if(open, [&](const std::string& id) { return states->of[id] != xact_state::in_progress; });
    if (open.empty()) break;
    if (std::chrono::steady_clock::now() >= deadline) return false;
    if (auto r = primary.wait(poll_interval); !r) return r.error();
  }
  return true;
}

}  // namespace pgtandem::reconcile
