#include "reconcile/chunk_copy.hpp"

#include <algorithm>
#include <map>
#include <set>

#include "reconcile/chunk_sql.hpp"
#include "reconcile/doubts.hpp"
#include "reconcile/horizon.hpp"
#include "reconcile/key_batch.hpp"
#include "reconcile/row_images.hpp"
#include "reconcile/table_sql.hpp"
#include "reconcile/transaction_guard.hpp"

namespace pgtandem::reconcile {
namespace {

using database::result;

constexpr std::chrono::milliseconds horizon_piece{1000};  // between two looks at the stop flag

class chunk_copier {
 public:
  chunk_copier(copy_bench& b, const sql::table& t, const chunk& next) : b_(b), t_(t) { out_.made = next; }
  result<copied_chunk> run(std::uint32_t rows);

 private:
  result<void> read(std::uint32_t rows);
  result<void> write();
  result<void> write_rows();
  result<void> leave_out_orphans();
  result<bool> behind_horizon();
  result<bool> find_changed();
  std::vector<database::param> bounds(bool with_hi) const;

  copy_bench& b_;
  const sql::table& t_;
  copied_chunk out_;
  std::vector<cells> rows_;
  std::map<cells, std::string> xmins_;  // key -> xmin as read
  std::set<cells> doubtful_;            // to be repaired whatever the second look says
};

result<copied_chunk> chunk_copier::run(std::uint32_t rows) {
  if (auto r = read(rows); !r) return r.error();
  auto written = write();
  if (!written) {
    // A row that the secondary refuses (another unique index, a constraint of its own): the repair engine does it key
    // by key.
    if (!written.error().sqlstate.starts_with("23")) return written.error();
    for (const auto& [key, xmin] : xmins_) doubtful_.insert(key);
    rows_.clear();
    if (auto r = write(); !r) return r.error();
  }
  auto passed = behind_horizon();
  if (!passed) return passed.error();
  bool marked = false;
  if (*passed) {
    auto found = find_changed();
    if (!found) return found.error();
    marked = *found;
  }
  if (!marked) {
    out_.end = chunk_end::interrupted;
    return out_;
  }
  if (auto r = record_verified(b_.secondary, t_.qualified, out_.made.n); !r) return r.error();
  out_.end = out_.made.hi ? chunk_end::verified : chunk_end::last_verified;
  return out_;
}

std::vector<database::param> chunk_copier::bounds(bool with_hi) const {
  std::vector<database::param> out;
  if (out_.made.lo) out.insert(out.end(), out_.made.lo->begin(), out_.made.lo->end());
  if (with_hi && out_.made.hi) out.insert(out.end(), out_.made.hi->begin(), out_.made.hi->end());
  return out;
}

result<void> chunk_copier::read(std::uint32_t rows) {
  auto r = b_.primary.execute(select_chunk(t_, out_.made.lo.has_value(), rows), bounds(false));
  if (!r) return r.error();
  for (int i = 0; i < r->size(); ++i) {
    rows_.push_back(cells_of(*r, i, 1, r->columns() - 1));
    for (const cell& c : rows_.back()) out_.made.bytes += c ? static_cast<std::int64_t>(c->size()) : 0;
    xmins_.emplace(key_of(t_, rows_.back()), r->at(i, 0));
  }
  out_.made.rows = r->size();
  if (r->size() == static_cast<int>(rows)) out_.made.hi = key_of(t_, rows_.back());
  return {};
}

result<void> chunk_copier::write() {
  transaction_guard secondary(b_.secondary);
  if (auto r = secondary.begin(b_.as_replica ? "BEGIN; SET LOCAL session_replication_role = replica" : "BEGIN"); !r)
    return r;
  if (!rows_.empty()) {
    if (auto r = write_rows(); !r) return r;
    if (auto r = leave_out_orphans(); !r) return r;
  }
  if (auto r = record_copied(b_.secondary, t_.qualified, out_.made); !r) return r;
  return secondary.commit();
}

result<void> chunk_copier::write_rows() {
  const auto parameters = by_column(rows_, copied_columns(t_).size());
  // An identity beside the key that is GENERATED ALWAYS takes no value in an upsert; without checks a row may be replaced.
  if (b_.as_replica && !select_stale_identity(t_).empty()) {
    std::vector<cells> keys;
    for (const cells& row : rows_) keys.push_back(key_of(t_, row));
    if (auto r = b_.secondary.execute(delete_keys(t_), by_column(keys, t_.key.size())); !r) return r.error();
    auto r = b_.secondary.execute(plain_insert(t_), parameters);
    return r ? result<void>() : r.error();
  }
  std::vector<std::string> statements{upsert(t_)};
  if (t_.key_deferrable) statements = {update_existing(t_), insert_missing(t_)};
  for (const std::string& sql : statements)
    if (auto r = b_.secondary.execute(sql, parameters); !r) return r.error();
  return {};
}

// Without foreign-key checks a child could come in before its parent (which is then in doubt): when that parent is
// deleted, no cascade would take the child along. Such rows wait for the repair engine, which checks foreign keys.
result<void> chunk_copier::leave_out_orphans() {
  if (!b_.as_replica) return {};
  std::vector<cells> keys;
  for (const cells& row : rows_) keys.push_back(key_of(t_, row));
  std::set<cells> orphans;
  for (const auto& [id, parent] : b_.catalog.by_oid)
    for (const sql::reference& fk : parent->referenced_by) {
      if (fk.child != t_.id || (fk.on_delete == sql::fk_action::none && fk.on_update == sql::fk_action::none)) continue;
      auto r = b_.secondary.execute(select_orphans(t_, *parent, fk), by_column(keys, t_.key.size()));
      if (!r) return r.error();
      for (int i = 0; i < r->size(); ++i) orphans.insert(keys[static_cast<std::size_t>(r->integer(i, 0) - 1)]);
    }
  if (orphans.empty()) return {};
  const std::vector<cells> list(orphans.begin(), orphans.end());
  if (auto r = b_.secondary.execute(delete_keys(t_), by_column(list, t_.key.size())); !r) return r.error();
  doubtful_.insert(orphans.begin(), orphans.end());
  return {};
}

result<bool> chunk_copier::behind_horizon() {
  while (!b_.stop) {
    auto passed = wait_for_horizon(b_.primary, b_.secondary, b_.partitions, horizon_piece);
    if (!passed || *passed) return passed;
  }
  return false;
}

// The dirty rows are on the primary before the chunk is verified on the secondary.
result<bool> chunk_copier::find_changed() {
  auto r =
      b_.primary.execute(select_range_versions(t_, out_.made.lo.has_value(), out_.made.hi.has_value()), bounds(true));
  if (!r) return r.error();
  std::map<cells, std::string> now;
  for (int i = 0; i < r->size(); ++i) now.emplace(cells_of(*r, i, 1, r->columns() - 1), r->at(i, 0));
  std::set<cells> changed = doubtful_;
  for (const auto& [key, xmin] : xmins_) {
    const auto found = now.find(key);
    if (found == now.end() || found->second != xmin) changed.insert(key);
  }
  for (const auto& [key, xmin] : now)
    if (!xmins_.contains(key)) changed.insert(key);
  out_.changed = static_cast<std::int64_t>(changed.size());
  std::vector<doubt> doubts;
  for (const cells& key : changed) doubts.push_back({t_.qualified, key, {}, false});
  return mark_doubts(b_.primary, b_.at, doubts, "backfill");
}

}  // namespace

result<copied_chunk> copy_chunk(copy_bench& b, const sql::table& t, const chunk& next, std::uint32_t rows) {
  return chunk_copier(b, t, next).run(rows);
}

}  // namespace pgtandem::reconcile
