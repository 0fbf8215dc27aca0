#include "reconcile/ledger_audit.hpp"

#include <algorithm>
#include <map>
#include <unordered_set>

#include "proxy/telemetry/log.hpp"
#include "reconcile/boot_token.hpp"
#include "reconcile/text_array.hpp"

namespace pgtandem::reconcile {
namespace {

using database::error;

constexpr std::chrono::milliseconds stuck_after{300};  // then rows above the watermark are settled one by one
constexpr std::size_t largest_batch = 1u << 17;        // rows; only for groups with one target_rev that fill a batch

// xid8 in decimal: longer is larger.
bool below(const std::string& a, const std::string& b) { return a.size() != b.size() ? a.size() < b.size() : a < b; }

}  // namespace

database::result<audit_report> ledger_audit::run(database::connection& primary, database::connection& secondary,
                                                 ledger_partitions& partitions, bool at_once) {
  audit_report report;
  auto rows = partitions.query(
      secondary, "l.op_id, l.epoch, l.boot, l.source_rev, l.target_rev",
      std::string("WHERE ") + unsettled_condition + " ORDER BY l.target_rev LIMIT " + std::to_string(batch_));
  if (!rows) return rows.error();
  std::vector<entry> entries;
  for (int i = 0; i < rows->size(); ++i)
    if (!rows->null(i, 1))
      entries.push_back({std::string(rows->at(i, 1)), std::string(rows->at(i, 3)), std::string(rows->at(i, 4)),
                         std::string(rows->at(i, 5)), static_cast<std::int32_t>(rows->integer(i, 2))});
  report.read = static_cast<std::int64_t>(entries.size());
  if (entries.empty()) return report;
  report.more = entries.size() >= batch_;

  auto token = boot_token(primary);
  if (!token) return token.error();
  std::vector<std::string> ids;
  for (const entry& e : entries)
    if (e.boot == *token && !e.source_rev.empty()) ids.push_back(e.source_rev);
  auto states = read_xact_states(primary, ids);
  if (!states) return states.error();
  if (!ids.empty() && states->boot != *token)
    return error("40001", "the primary's incarnation changed during the audit");

  // The watermark may reach the first row that is still open; never beyond what this snapshot was sure to see.
  std::string reach(rows->at(0, 0));
  if (report.more) reach = std::min(reach, entries.back().target_rev, below);
  std::vector<entry> proven, lost;
  for (entry& e : entries) {
    const auto state = e.boot == *token && !e.source_rev.empty() ? states->of[e.source_rev] : xact_state::lost;
    if (state == xact_state::in_progress) {
      ++report.in_progress;
      reach = std::min(reach, e.target_rev, below);
    } else {
      (state == xact_state::committed ? proven : lost).push_back(std::move(e));
    }
  }
  report.doubtful = static_cast<std::int64_t>(lost.size());
  if (proven.empty() && lost.empty()) return report;

  if (auto r = doubt(primary, secondary, lost); !r) return r.error();
  const auto now = std::chrono::steady_clock::now();
  if (reach != last_below_) moved_at_ = now;
  last_below_ = reach;
  std::vector<entry> ended = std::move(proven);
  ended.insert(ended.end(), lost.begin(), lost.end());
  const bool row_by_row = at_once || !lost.empty() || now - moved_at_ >= stuck_after;
  const auto beyond =
      std::partition(ended.begin(), ended.end(), [&](const entry& e) { return !below(e.target_rev, reach); });
  report.settled = ended.end() - beyond;
  ended.erase(beyond, ended.end());
  if (row_by_row) report.settled += static_cast<std::int64_t>(ended.size());
  if (auto r = settle(secondary, ended, reach, row_by_row); !r) return r.error();
  // One transaction of the secondary that fills whole batches would hold the watermark for ever.
  const bool no_way_on = report.more && report.settled == 0 && report.in_progress == 0;
  batch_ = no_way_on ? std::min(batch_ * 2, largest_batch) : normal_batch_;
  return report;
}

// The doubt, then one synchronous commit that also flushes every commit whose state was just read.
database::result<void> ledger_audit::doubt(database::connection& primary, database::connection& secondary,
                                           const std::vector<entry>& lost) {
  std::map<std::int32_t, std::vector<std::string>> by_epoch;
  for (const entry& e : lost) by_epoch[e.epoch].push_back(e.op_id);
  std::vector<std::string> ops, epochs, keys;
  for (const auto& [epoch, op_ids] : by_epoch) {
    auto r = secondary.execute(
        "SELECT op_id, keys FROM pgtandem.ledger_" + std::to_string(epoch) + " WHERE op_id = ANY($1::uuid[])",
        {to_array(op_ids)});
    if (!r) return r.error();
    for (int i = 0; i < r->size(); ++i) {
      ops.emplace_back(r->at(i, 0));
      epochs.push_back(std::to_string(epoch));
      keys.emplace_back(r->at(i, 1));
      telemetry::log::info("op not on the primary", {{"op_id", ops.back()}, {"epoch", epoch}});
    }
  }
  auto r = primary.execute(
      "WITH beat AS (UPDATE pgtandem.beat SET n = n + 1) SELECT pgtandem.mark_dirty(o.op::uuid, o.epoch::int, "
      "o.keys::jsonb, "
      "'audit') FROM unnest($1::text[], $2::text[], $3::text[]) AS o(op, epoch, keys)",
      {to_array(ops), to_array(epochs), to_array(keys)});
  if (!r) return r.error();
  return {};
}

database::result<void> ledger_audit::settle(database::connection& secondary, const std::vector<entry>& above,
                                            const std::string& reach, bool row_by_row) {
  if (row_by_row) {
    std::map<std::int32_t, std::vector<std::string>> by_epoch;
    for (const entry& e : above) by_epoch[e.epoch].push_back(e.op_id);
    for (const auto& [epoch, op_ids] : by_epoch)
      if (auto r = secondary.execute(
              "UPDATE pgtandem.ledger_" + std::to_string(epoch) + " SET settled = true WHERE op_id = ANY($1::uuid[])",
              {to_array(op_ids)});
          !r)
        return r.error();
  }
  auto r = secondary.execute("UPDATE pgtandem.watermark SET settled_below = $1::xid8 WHERE settled_below < $1::xid8",
                             {reach});
  if (!r) return r.error();
  return {};
}

}  // namespace pgtandem::reconcile
