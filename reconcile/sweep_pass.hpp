// One pass of the sweep: every followed table compared under certified pairs; what is set aside because it is in doubt
// is compared again in later pairs until it came through; what differs without being in doubt becomes dirty and counts.
#pragma once
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "config/settings.hpp"
#include "proxy/sql/catalog.hpp"
#include "reconcile/block_watch.hpp"
#include "reconcile/certified_pair.hpp"
#include "reconcile/standing.hpp"
#include "reconcile/stop_bell.hpp"
#include "reconcile/table_compare.hpp"

namespace pgtandem::reconcile {

struct pass_tally {
  std::int64_t tables = 0, leaves = 0, rows = 0;
  std::int64_t set_aside = 0;  // keys (rows of keyless tables, whole tables) that needed a later pair
  std::int64_t differing = 0, repaired = 0;
  std::int64_t skipped = 0;  // not compared to the end: not backfilled, still in doubt after the last pair, errors
  bool finished = false;     // every table had its turn
  bool clean() const { return finished && differing == 0 && repaired == 0 && skipped == 0; }
};

class sweep_pass {
 public:
  sweep_pass(const config::settings& s, const standing& at, const sql::catalog& catalog, pair_sessions sessions,
             block_watch& watch, const stop_bell& stop);
  // An error is a lost connection, or a trouble that makes going on useless.
  database::result<pass_tally> run(const std::function<bool(const std::string&)>& backfilled);

 private:
  struct left_over {  // set aside
    std::vector<cells> keys;
    std::vector<std::int64_t> hashes;  // keyless
    bool whole = false;                // compare the table again from the start
    bool empty() const { return keys.empty() && hashes.empty() && !whole; }
  };
  database::result<void> sweep_table(const sql::table& t);
  database::result<void> sort_out(const sql::table& t, const std::vector<difference>& found, left_over& later);
  database::result<void> come_back();
  database::result<std::vector<difference>> compare_again(const sql::table& t, const left_over& what,
                                                          bool& whole_again);
  database::result<std::set<cells>> in_scope_of_doubt(const sql::table& t, const std::vector<difference>& found);
  database::result<void> confirm(const sql::table& t, const std::vector<difference>& real);
  database::result<bool> fresh_pair();
  bool given_up() const;

  const config::settings& settings_;
  const standing& at_;
  const sql::catalog& catalog_;
  pair_sessions sessions_;
  block_watch& watch_;
  const stop_bell& stop_;
  certified_pair pair_;
  std::map<const sql::table*, left_over> later_;
  pass_tally tally_;
};

}  // namespace pgtandem::reconcile
