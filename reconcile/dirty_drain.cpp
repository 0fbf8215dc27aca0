#include "reconcile/dirty_drain.hpp"

#include <algorithm>
#include <bit>

#include "proxy/telemetry/log.hpp"
#include "reconcile/claims.hpp"
#include "reconcile/keyless_sync.hpp"
#include "reconcile/table_compare.hpp"

namespace pgtandem::reconcile {
namespace {

using database::error;
using database::result;

constexpr int page_batches = 25;
constexpr std::chrono::milliseconds singles_limit{
    300};                                   // for keys one by one in a page; the audit must not wait for long
constexpr std::size_t locked_at_once = 20;  // hot keys held by one short lock
constexpr int same_trouble_max =
    3;  // keys in a row that fail the same way before the rest of a batch waits for the next pass

constexpr std::size_t whole_differences_max = 20000;  // repaired at once; the audit must not wait for long
constexpr int whole_table_share = 5;  // at most a fifth of the time goes into comparing one table as a whole

constexpr std::int64_t incomplete_doubt = 0;  // stands for a seq (they begin at 1) while candidates are gathered

// Troubles of the moment or of the whole database rather than of one key.
bool general_trouble(const std::string& sqlstate) {
  return sqlstate == "55P03" || sqlstate == "57014" || sqlstate.starts_with("53") || sqlstate.starts_with("25") ||
         sqlstate.starts_with("57P");
}

}  // namespace

result<drain_report> dirty_drain::run(workbench& w, const options& o) {
  report_ = {};
  auto page = read_dirty_page(w, cursor_, o.batch * page_batches);
  if (!page) return page.error();
  report_.read = page->size;
  report_.pass_ended = page->size < static_cast<std::int64_t>(o.batch) * page_batches;
  cursor_ = report_.pass_ended ? 0 : page->last_seq;
  if (page->size == 0) return report_;

  if (auto r = gather_whole(w, *page); !r) return r.error();
  if (auto r = claim(w, page->op_ids); !r) {
    if (r.error().lost) return r.error();
    telemetry::log::debug("claim waits", {{"sqlstate", r.error().sqlstate}});
    report_.failed += page->size;
    return report_;
  }
  if (auto r = forget_dropped(w, page->of_unknown_relations); !r) return r.error();
  auto nothing = resolve_scopes(w, *page);
  if (!nothing) return nothing.error();
  if (auto r = forget(w, *nothing); !r) return r.error();
  if (auto r = drain_keys(w, *page, o); !r) return r.error();
  for (auto& [relation, work] : page->by_relation)
    if (!work.whole.empty())
      if (auto r = drain_whole(w, work, o.hurry); !r) return r.error();
  return report_;
}

// Parents first, in batches; then what failed, children first; then what still fails, key by key. Keys that have failed by
// themselves before are kept out of the batches; now and then all of a table's are tried together, resting or not.
result<void> dirty_drain::drain_keys(workbench& w, dirty_page& page, const options& o) {
  std::vector<table_work*> tables;
  for (auto& [relation, work] : page.by_relation) tables.push_back(&work);
  std::sort(tables.begin(), tables.end(), [](auto* a, auto* b) { return a->table->fk_rank < b->table->fk_rank; });
  const auto now = hot_keys::clock::now();
  std::vector<batch> batches, hot, companies, singles, failed, failed_again, still_failing;
  for (table_work* work : tables) {
    const std::string& name = work->table->qualified;
    std::vector<std::size_t> normal, locked, failing, alone;
    bool in_company = false;
    for (std::size_t p = 0; p < work->keys.size(); ++p) {
      const bool failing_key = hot_.failed_before(name, work->keys[p]);
      if (failing_key && failing.size() < o.batch) failing.push_back(p);
      if (!o.hurry && hot_.resting(name, work->keys[p], now)) continue;
      in_company = in_company || hot_.company_next(name, work->keys[p]);
      if (failing_key)
        alone.push_back(p);
      else
        (hot_.locked_next(name, work->keys[p]) ? locked : normal).push_back(p);
      if (normal.size() == o.batch) batches.push_back({work, std::exchange(normal, {})});
      if (locked.size() == locked_at_once) hot.push_back({work, std::exchange(locked, {})});
    }
    if (!normal.empty()) batches.push_back({work, std::move(normal)});
    if (!locked.empty()) hot.push_back({work, std::move(locked)});
    if (in_company && failing.size() > 1) companies.push_back({work, std::move(failing)});
    for (const std::size_t p : alone) singles.push_back({work, {p}});
  }
  const auto run_all = [&](const std::vector<batch>& list, row_lock lock, std::vector<batch>& to) -> result<void> {
    for (const batch& b : list) {
      if (report_.horizon_missed) return {};
      if (auto e = sync(w, *b.work, b.positions, lock)) {
        if (e->lost) return *e;
        to.push_back(b);
      }
    }
    return {};
  };
  if (auto r = run_all(batches, row_lock::none, failed); !r) return r;
  std::reverse(failed.begin(), failed.end());
  if (auto r = run_all(failed, row_lock::none, failed_again); !r) return r;
  std::reverse(failed_again.begin(), failed_again.end());
  if (auto r = run_all(hot, row_lock::share, failed_again); !r) return r;
  if (auto r = run_all(companies, row_lock::none, still_failing); !r) return r;
  std::erase_if(singles, [&](const batch& b) { return !hot_.failed_before(b.work->table->qualified, b.work->keys[b.positions.front()]); });
  for (const batch& b : failed_again)
    for (const std::size_t p : b.positions) singles.push_back({b.work, {p}});
  return one_by_one(w, singles, o.hurry);
}

result<void> dirty_drain::one_by_one(workbench& w, const std::vector<batch>& singles, bool hurry) {
  const auto until = hot_keys::clock::now() + singles_limit;
  int in_a_row = 0;
  for (const batch& b : singles) {
    if (report_.horizon_missed || (!hurry && hot_keys::clock::now() >= until)) break;
    const cells& key = b.work->keys[b.positions.front()];
    const bool lock = hot_.locked_next(b.work->table->qualified, key);
    auto e = sync(w, *b.work, b.positions, lock ? row_lock::share : row_lock::none);
    if (!e) {
      in_a_row = 0;
      continue;
    }
    if (e->lost) return *e;
    note_failure(*b.work, b.positions.front(), *e);
    in_a_row = general_trouble(e->sqlstate) ? in_a_row + 1 : 0;
    if (in_a_row >= same_trouble_max) break;
  }
  return {};
}

std::optional<error> dirty_drain::sync(workbench& w, table_work& work, const std::vector<std::size_t>& positions,
                                       row_lock lock) {
  std::vector<cells> keys;
  for (const std::size_t p : positions) keys.push_back(work.keys[p]);
  std::set<std::size_t> repaired;
  std::vector<std::int64_t> ending;
  auto r = sync_rows(w, *work.table, keys, lock, [&](const std::vector<key_state>& states) {
    for (std::size_t i = 0; i < states.size(); ++i)
      if (states[i] == key_state::synced) repaired.insert(positions[i]);
    return ending = work.ends_with(repaired);
  });
  if (!r) return r.error();
  for (std::size_t i = 0; i < positions.size(); ++i) {
    if (r->keys[i] == key_state::synced)
      hot_.came_through(work.table->qualified, keys[i]);
    else if (!r->horizon_missed)
      hot_.changed(work.table->qualified, keys[i]);
  }
  report_.horizon_missed = report_.horizon_missed || r->horizon_missed;
  work.repaired(repaired);
  report_.synced += static_cast<std::int64_t>(repaired.size());
  report_.changed += static_cast<std::int64_t>(positions.size() - repaired.size());
  report_.ended += static_cast<std::int64_t>(ending.size());
  return std::nullopt;
}

void dirty_drain::note_failure(const table_work& work, std::size_t position, const error& e) {
  ++report_.failed;
  const auto fault = general_trouble(e.sqlstate) ? hot_keys::fault::of_the_moment : hot_keys::fault::of_the_key;
  const int times = hot_.failed(work.table->qualified, work.keys[position], fault, hot_keys::clock::now());
  if (times >= 4 && std::has_single_bit(static_cast<unsigned>(times)))
    telemetry::log::warning("a key cannot be repaired", {{"relation", work.table->qualified},
                                                         {"sqlstate", e.sqlstate},
                                                         {"constraint", e.constraint},
                                                         {"times", times}});
}

// The whole table is suspect: compared, secondary first, and what differs repaired. The claims made before keep
// stragglers out, so a key that is equal needs no repair.
result<void> dirty_drain::drain_whole(workbench& w, table_work& work, bool hurry) {
  const sql::table& t = *work.table;
  const auto began = hot_keys::clock::now();
  if (!hurry && began < whole_rests_until_[t.qualified]) return {};
  compare_options options;
  options.differences_max = whole_differences_max;
  auto compared = compare_table(w.watcher, w.secondary, t, options);
  const auto took = hot_keys::clock::now() - began;
  whole_rests_until_[t.qualified] = began + took * whole_table_share;
  if (!compared) {
    if (compared.error().lost) return compared.error();
    telemetry::log::warning("a table cannot be compared",
                            {{"relation", t.qualified}, {"sqlstate", compared.error().sqlstate}});
    ++report_.failed;
    return {};
  }
  // More differences than fit: those found are repaired, and the doubt stays for the next pass.
  const std::vector<std::int64_t> ending = compared->complete ? work.whole : std::vector<std::int64_t>();
  if (!compared->complete) whole_rests_until_.erase(t.qualified);
  telemetry::log::info(
      "whole table compared",
      {{"relation", t.qualified}, {"rows", compared->rows}, {"differing", compared->differences.size()}});
  if (t.key.empty()) {
    auto r = sync_keyless(w, t, compared->differences, ending);
    if (!r && r.error().lost) return r.error();
    if (!r || r->horizon_missed) return ++report_.failed, result<void>();
    report_.ended += static_cast<std::int64_t>(ending.size());
    return {};
  }
  table_work candidates;
  candidates.table = &t;
  for (const difference& d : compared->differences) candidates.add(incomplete_doubt, d.key);
  for (const std::int64_t seq : ending) candidates.open[seq] = candidates.open[incomplete_doubt];
  candidates.open.erase(incomplete_doubt);
  if (candidates.keys.empty()) return forget(w, ending);
  constexpr std::size_t keys_at_once = 500;
  std::vector<batch> failed;
  for (std::size_t from = 0; from < candidates.keys.size(); from += keys_at_once) {
    batch b{&candidates, {}};
    for (std::size_t p = from; p < std::min(from + keys_at_once, candidates.keys.size()); ++p) b.positions.push_back(p);
    if (auto e = sync(w, candidates, b.positions, row_lock::none)) {
      if (e->lost) return *e;
      for (const std::size_t p : b.positions) failed.push_back({&candidates, {p}});
    }
  }
  return one_by_one(w, failed, hurry);
}

// Tables that the catalog does not know: dropped since, then nothing is in doubt any more; or new, then the catalog is
// old.
result<void> dirty_drain::forget_dropped(workbench& w, const std::vector<std::int64_t>& seqs) {
  if (seqs.empty()) return {};
  report_.unknown_relation = true;
  array_writer list;
  for (const std::int64_t s : seqs) list.add(std::string_view(std::to_string(s)));
  auto r = w.watcher.execute(
      "DELETE FROM pgtandem.dirty WHERE seq = ANY($1::bigint[]) AND to_regclass(relation) IS NULL", {list.take()});
  if (!r) return r.error();
  report_.ended += r->affected();
  return {};
}

result<void> dirty_drain::forget(workbench& w, const std::vector<std::int64_t>& seqs) {
  if (seqs.empty()) return {};
  array_writer list;
  for (const std::int64_t s : seqs) list.add(std::string_view(std::to_string(s)));
  auto r = w.watcher.execute("DELETE FROM pgtandem.dirty WHERE seq = ANY($1::bigint[])", {list.take()});
  if (!r) return r.error();
  report_.ended += static_cast<std::int64_t>(seqs.size());
  return {};
}

}  // namespace pgtandem::reconcile
