#include "reconcile/row_sync.hpp"

#include <map>
#include <set>

#include "reconcile/cascade_scopes.hpp"
#include "reconcile/doubt_json.hpp"
#include "reconcile/horizon.hpp"
#include "reconcile/key_batch.hpp"
#include "reconcile/reference_closure.hpp"
#include "reconcile/row_images.hpp"
#include "reconcile/transaction_guard.hpp"
#include "reconcile/unique_closure.hpp"

namespace pgtandem::reconcile {
namespace {

using database::error;
using database::result;

bool taken_by_another(const error& e) { return !e.lost && (e.sqlstate == "23505" || e.sqlstate == "23P01"); }

class repair {
 public:
  repair(workbench& w, const sql::table& t, const std::vector<cells>& keys, row_lock lock)
      : w_(w), t_(t), keys_(keys), lock_(lock), primary_(w.primary) {}

  result<sync_outcome> run(const settled_by& settled);

 private:
  result<bool> horizon() { return wait_for_horizon(w_.watcher, w_.secondary, w_.partitions, w_.horizon_limit); }
  result<bool> look_at_both();
  result<void> identify();
  result<void> write_secondary();
  result<void> write_with_closure();
  result<void> write_with_companions(const error& why);
  result<void> write_companions();
  result<void> upsert_rows(const sql::table& t, const std::vector<cells>& rows);
  result<void> mark_lost(const sql::table& t, const std::vector<cells>& gone);
  result<void> insert_ledger_row();
  result<void> write_rows();
  result<void> rewrite_displaced();
  result<void> bring_identity();
  result<void> replace(const std::vector<cells>& keys, const std::vector<cells>& rows);
  result<void> remove_extra();
  result<bool> find_changed();
  result<void> settle(const settled_by& settled);

  workbench& w_;
  const sql::table& t_;
  const std::vector<cells>& keys_;
  const row_lock lock_;
  transaction_guard primary_;

  std::map<std::size_t, row_version> extra_;  // on the secondary, and certainly not on the primary
  std::map<std::size_t, row_image> images_;
  std::vector<cells> rows_;
  std::vector<doubt> named_;  // what the ledger row says
  std::string source_rev_;
  database::param boot_;
  displaced displaced_;
  std::vector<companions> companions_;
  sync_outcome out_;
};

result<sync_outcome> repair::run(const settled_by& settled) {
  out_.keys.assign(keys_.size(), key_state::synced);
  auto seen = look_at_both();
  if (!seen) return seen.error();
  if (!*seen) {
    out_.horizon_missed = true;
    out_.keys.assign(keys_.size(), key_state::changed);
    return out_;
  }
  if (auto r = identify(); !r) return r.error();
  auto written = write_secondary();
  if (!written && taken_by_another(written.error())) written = write_with_closure();
  else if (!written && written.error().sqlstate == "23503" && !written.error().lost)
    written = write_with_companions(error(written.error()));
  if (!written) return written.error();
  if (lock_ == row_lock::none) {
    auto changed = find_changed();
    if (!changed) return changed.error();
    // Nothing is proven about any of the keys: the secondary has our image, the doubt stays where it is.
    if (!*changed) out_.horizon_missed = true, out_.keys.assign(keys_.size(), key_state::changed);
  }
  if (auto r = settle(settled); !r) return r.error();
  return out_;
}

// Steps 1 and 2: versions on the secondary first, then the primary's rows; keys that only the secondary has are looked
// at a second time behind the horizon. The primary's transaction is then open. false: the horizon was missed.
result<bool> repair::look_at_both() {
  auto versions = read_versions(w_.secondary, t_, keys_);
  if (!versions) return versions.error();
  for (int look = 0;; ++look) {
    if (auto r = primary_.begin(); !r) return r.error();
    auto images = read_images(w_.primary, t_, keys_, lock_);
    if (!images) return images.error();
    images_ = std::move(*images);
    extra_.clear();
    for (const auto& [ord, version] : *versions)
      if (!images_.contains(ord)) extra_.emplace(ord, version);
    if (extra_.empty() || look == 1) break;
    primary_.rollback();  // never wait while holding the application's rows
    auto passed = horizon();
    if (!passed) return passed.error();
    if (!*passed) return false;
  }
  rows_ = distinct_rows(t_, images_);
  return true;
}

result<void> repair::identify() {
  auto r = w_.primary.run("SELECT pg_current_xact_id(), (SELECT token FROM pgtandem.boot)");
  if (!r) return r.error();
  source_rev_ = r->at(0, 0);
  boot_ = r->null(0, 1) ? database::param() : database::param(std::string(r->at(0, 1)));
  for (const cells& key : keys_) named_.push_back({t_.qualified, key, {}, false});
  if (extra_.empty() || !t_.cascades()) return {};
  std::vector<cells> removed;
  for (const auto& [ord, version] : extra_) removed.push_back(keys_[ord]);
  auto scopes = cascade_scopes(w_, w_.secondary, t_, removed);
  if (!scopes) return scopes.error();
  named_.insert(named_.end(), scopes->begin(), scopes->end());
  return {};
}

result<void> repair::insert_ledger_row() {
  auto r = w_.secondary.execute(
      "INSERT INTO pgtandem.ledger (op_id, epoch, kind, boot, source_rev, keys)"
      " VALUES (gen_random_uuid(), $1::int, 'sync', $2::uuid, $3::xid8, $4::jsonb)",
      {std::to_string(w_.epoch), boot_, source_rev_, to_json(named_)});
  if (!r) return r.error();
  return {};
}

// Step 3, one transaction on the secondary.
result<void> repair::write_secondary() {
  transaction_guard secondary(w_.secondary);
  if (auto r = secondary.begin("BEGIN; SET CONSTRAINTS ALL DEFERRED"); !r) return r;
  if (auto r = insert_ledger_row(); !r) return r;
  if (!companions_.empty()) {
    if (auto r = write_companions(); !r) return r;
  } else {
    if (auto r = displaced_.keys.empty() ? write_rows() : rewrite_displaced(); !r) return r;
    if (auto r = remove_extra(); !r) return r;
  }
  if (displaced_.keys.empty())
    if (auto r = bring_identity(); !r) return r;
  return secondary.commit();
}

result<void> repair::write_rows() {
  if (auto r = upsert_rows(t_, rows_); !r) return r;
  out_.written = static_cast<std::int64_t>(rows_.size());
  return {};
}

result<void> repair::upsert_rows(const sql::table& t, const std::vector<cells>& rows) {
  if (rows.empty()) return {};
  const auto parameters = by_column(rows, copied_columns(t).size());
  std::vector<std::string> statements{upsert(t)};
  if (t.key_deferrable) statements = {update_existing(t), insert_missing(t)};
  for (const std::string& sql : statements)
    if (auto r = w_.secondary.execute(sql, parameters); !r) return r.error();
  return {};
}

// 23505 on a further unique index, or an exclusion constraint: all keys that take part are rewritten together. Those that the primary has not are
// deleted and become dirty with all that a cascade would have done.
result<void> repair::write_with_closure() {
  auto closed = close_over_unique(w_, t_, rows_);
  if (!closed) return closed.error();
  displaced_ = std::move(*closed);
  if (displaced_.keys.empty()) return error("40001", "a unique value was taken and given back meanwhile");
  for (const cells& key : displaced_.keys) named_.push_back({t_.qualified, key, {}, false});
  if (auto r = mark_lost(t_, displaced_.gone); !r) return r;
  out_.displaced = static_cast<std::int64_t>(displaced_.keys.size());
  return write_secondary();
}

// What this repair deletes without having been asked becomes dirty, with all that a cascade would have done.
result<void> repair::mark_lost(const sql::table& t, const std::vector<cells>& gone) {
  std::vector<doubt> lost;
  for (const cells& key : gone) lost.push_back({t.qualified, key, {}, false});
  auto scopes = cascade_scopes(w_, w_.secondary, t, gone);
  if (!scopes) return scopes.error();
  named_.insert(named_.end(), scopes->begin(), scopes->end());
  lost.insert(lost.end(), scopes->begin(), scopes->end());
  if (lost.empty()) return {};
  auto r = w_.primary.execute("SELECT pgtandem.mark_dirty(NULL, $1::int, $2::jsonb, 'displaced')",
                              {std::to_string(w_.epoch), to_json(lost)});
  if (!r) return r.error();
  return {};
}

// 23503: rows that must come or go together with ours, such as those of a circle of references.
result<void> repair::write_with_companions(const error& why) {
  std::vector<cells> removed;
  for (const auto& [ord, version] : extra_) removed.push_back(keys_[ord]);
  auto closed = close_over_references(w_, t_, rows_, removed);
  if (!closed) return closed.error();
  companions_ = std::move(*closed);
  if (companions_.empty()) return why;
  for (const companions& c : companions_) {
    for (const cells& row : c.rows) named_.push_back({c.table->qualified, key_of(*c.table, row), {}, false});
    for (const cells& key : c.gone) named_.push_back({c.table->qualified, key, {}, false});
    if (auto r = mark_lost(*c.table, c.gone); !r) return r;
    out_.displaced += static_cast<std::int64_t>(c.rows.size() + c.gone.size());
  }
  return write_secondary();
}

// Everything as a replica, without foreign keys; then the rows once more with them: PostgreSQL checks a row that this
// transaction has written whatever it changes, and holds its parents.
result<void> repair::write_companions() {
  if (auto r = w_.secondary.run("SET LOCAL session_replication_role = replica"); !r) return r.error();
  if (auto r = remove_extra(); !r) return r;
  for (const companions& c : companions_)
    if (!c.gone.empty())
      if (auto r = w_.secondary.execute(delete_keys(*c.table), by_column(c.gone, c.table->key.size())); !r)
        return r.error();
  for (const char* role : {"replica", "origin"}) {
    if (auto r = w_.secondary.run(std::string("SET LOCAL session_replication_role = ") + role); !r) return r.error();
    if (auto r = write_rows(); !r) return r;
    for (const companions& c : companions_)
      if (auto r = upsert_rows(*c.table, c.rows); !r) return r;
  }
  return {};
}

result<void> repair::rewrite_displaced() {
  std::vector<cells> keys = displaced_.keys, rows = rows_;
  for (const cells& row : rows_) keys.push_back(key_of(t_, row));
  rows.insert(rows.end(), displaced_.rows.begin(), displaced_.rows.end());
  if (auto r = replace(keys, rows); !r) return r;
  if (auto r = upsert_rows(t_, rows); !r) return r;  // with foreign keys: see write_companions()
  out_.written = static_cast<std::int64_t>(rows.size());
  return {};
}

// As a replica: the keys come back at once, so foreign keys must not cascade from the deletion in between.
result<void> repair::replace(const std::vector<cells>& keys, const std::vector<cells>& rows) {
  if (auto r = w_.secondary.run("SET LOCAL session_replication_role = replica"); !r) return r.error();
  if (auto r = w_.secondary.execute(delete_keys(t_), by_column(keys, t_.key.size())); !r) return r.error();
  if (auto r = w_.secondary.execute(plain_insert(t_), by_column(rows, copied_columns(t_).size())); !r) return r.error();
  if (auto r = w_.secondary.run("SET LOCAL session_replication_role = origin"); !r) return r.error();
  return {};
}

// What an upsert cannot write: a GENERATED ALWAYS identity beside the key. The rows that it left with another are written
// again; their foreign keys are checked before, by what the upsert wrote.
result<void> repair::bring_identity() {
  const std::string stale = select_stale_identity(t_);
  if (stale.empty() || rows_.empty()) return {};
  auto found = w_.secondary.execute(stale, by_column(rows_, copied_columns(t_).size()));
  if (!found) return found.error();
  if (found->size() == 0) return {};
  std::vector<cells> keys, rows;
  for (int i = 0; i < found->size(); ++i) {
    rows.push_back(rows_[static_cast<std::size_t>(found->integer(i, 0) - 1)]);
    keys.push_back(key_of(t_, rows.back()));
  }
  if (auto r = w_.secondary.run("SET CONSTRAINTS ALL IMMEDIATE"); !r) return r.error();
  return replace(keys, rows);
}

result<void> repair::remove_extra() {
  if (extra_.empty()) return {};
  std::vector<std::size_t> ords;
  std::vector<cells> guarded;
  for (const auto& [ord, version] : extra_) {
    cells row = keys_[ord];
    row.insert(row.end(), {version.tableoid, version.ctid, version.xmin});
    guarded.push_back(std::move(row));
    ords.push_back(ord);
    out_.keys[ord] = key_state::guarded;
  }
  auto r = w_.secondary.execute(delete_versions(t_), by_column(guarded, t_.key.size() + 3));
  if (!r) return r.error();
  for (int i = 0; i < r->size(); ++i) {
    const auto at = static_cast<std::size_t>(r->integer(i, 0) - 1);
    if (at < ords.size()) out_.keys[ords[at]] = key_state::synced;
  }
  out_.removed = r->size();
  return {};
}

// Step 5. Nobody was locked out: whoever was between its commits must end, and the rows must still be the same.
result<bool> repair::find_changed() {
  auto passed = horizon();
  if (!passed || !*passed) return passed;
  auto now = read_images(w_.primary, t_, keys_, row_lock::none);
  if (!now) return now.error();
  for (std::size_t ord = 0; ord < keys_.size(); ++ord) {
    const auto before = images_.find(ord), after = now->find(ord);
    const bool same = (before == images_.end()) == (after == now->end()) &&
                      (before == images_.end() || before->second.xmin == after->second.xmin);
    if (!same) out_.keys[ord] = key_state::changed;
  }
  return true;
}

// Step 4: the doubt ends with the repair's own primary transaction, or not at all.
result<void> repair::settle(const settled_by& settled) {
  array_writer seqs;
  for (const std::int64_t seq : settled(out_.keys)) seqs.add(std::string_view(std::to_string(seq)));
  if (!seqs.empty())
    if (auto r = w_.primary.execute("DELETE FROM pgtandem.dirty WHERE seq = ANY($1::bigint[])", {seqs.take()}); !r)
      return r.error();
  return primary_.commit();
}

}  // namespace

result<sync_outcome> sync_rows(workbench& w, const sql::table& t, const std::vector<cells>& keys, row_lock lock,
                               const settled_by& settled) {
  return repair(w, t, keys, lock).run(settled);
}

}  // namespace pgtandem::reconcile
