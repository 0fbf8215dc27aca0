// Drains pgtandem.dirty: page by page in the order of seq, each page by RowSync, table by table (parents first; what
// fails goes again children first, then key by key; rows that need each other are closed over in RowSync). One key's
// error never holds up the others.
//
// Owned and used by one thread. What it remembers (cursor, hot keys) saves work and may be lost.
#pragma once
#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

#include "reconcile/dirty_page.hpp"
#include "reconcile/hot_keys.hpp"
#include "reconcile/row_sync.hpp"

namespace pgtandem::reconcile {

struct drain_report {
  std::int64_t read = 0;          // dirty rows in the page
  std::int64_t ended = 0;         // of them, settled
  std::int64_t synced = 0;        // keys
  std::int64_t changed = 0;       // keys that somebody wrote meanwhile
  std::int64_t failed = 0;        // keys left for later because of an error
  bool horizon_missed = false;    // an op stays between its commits: the page was left
  bool pass_ended = false;        // the next page begins at the front again
  bool unknown_relation = false;  // the catalog should be loaded again
};

class dirty_drain {
 public:
  struct options {
    std::uint32_t batch = 200;  // keys a repair; a page has 25 times as many dirty rows, so that hot keys come once
    bool hurry = false;         // a flip waits: failed keys do not rest
  };
  // Errors are lost connections only; everything else is counted and tried again later.
  database::result<drain_report> run(workbench& w, const options& o);

 private:
  struct batch {
    table_work* work;
    std::vector<std::size_t> positions;
  };
  database::result<void> drain_keys(workbench& w, dirty_page& page, const options& o);
  std::optional<database::error> sync(workbench& w, table_work& work, const std::vector<std::size_t>& positions,
                                      row_lock lock);
  database::result<void> one_by_one(workbench& w, const std::vector<batch>& singles, bool hurry);
  database::result<void> drain_whole(workbench& w, table_work& work, bool hurry);
  database::result<void> forget_dropped(workbench& w, const std::vector<std::int64_t>& seqs);
  database::result<void> forget(workbench& w, const std::vector<std::int64_t>& seqs);
  void note_failure(const table_work& work, std::size_t position, const database::error& e);

  std::int64_t cursor_ = 0;
  hot_keys hot_;
  std::map<std::string, hot_keys::clock::time_point> whole_rests_until_;
  drain_report report_;
};

}  // namespace pgtandem::reconcile
