// One page of pgtandem.dirty, sorted into work per table: which keys, and which dirty rows end with which keys. Pure
// but for the reading.
#pragma once
#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "reconcile/text_array.hpp"
#include "reconcile/workbench.hpp"

namespace pgtandem::reconcile {

struct table_work {
  const sql::table* table = nullptr;
  std::vector<cells> keys;
  std::map<cells, std::size_t> index;                  // key -> position in keys
  std::map<std::int64_t, std::set<std::size_t>> open;  // seq -> keys still to be repaired
  std::vector<std::int64_t> whole;                     // seqs that doubt the whole table

  void add(std::int64_t seq, const cells& key);
  // The seqs that end if the keys at these positions are repaired, besides those repaired before.
  std::vector<std::int64_t> ends_with(const std::set<std::size_t>& repaired) const;
  void repaired(const std::set<std::size_t>& positions);
};

struct dirty_page {
  std::vector<std::string> op_ids;  // to be claimed before anything is looked at
  std::int64_t last_seq = 0, size = 0;
  std::map<std::string, table_work> by_relation;
  std::vector<std::int64_t> of_unknown_relations;  // the catalog does not know them
  // Scopes wait until the claims are made: (seq, relation, columns, value)
  struct scope {
    std::int64_t seq;
    std::string relation;
    std::vector<std::string> columns;
    cells value;
  };
  std::vector<scope> scopes;
};

database::result<dirty_page> read_dirty_page(workbench& w, std::int64_t after, std::uint32_t limit);
// All further rows that doubt the same tables as a whole join the page: one comparison ends them together.
database::result<void> gather_whole(workbench& w, dirty_page& page);
// Turns the scopes into keys of the child tables, found by foreign-key value on either side. Returns seqs that matched
// nothing.
database::result<std::vector<std::int64_t>> resolve_scopes(workbench& w, dirty_page& page);

}  // namespace pgtandem::reconcile
