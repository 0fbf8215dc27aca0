#include "proxy/database/fk_rank.hpp"

#include <algorithm>

namespace pgtandem::database {

namespace {

// Tarjan's strongly connected components without recursion (a chain of references may be as long as there are tables).
// A component is finished after everything it references, so its rank is known when it is.
class ranking {
 public:
  explicit ranking(const std::vector<std::vector<std::uint32_t>>& parents)
      : parents_(parents),
        order_(parents.size(), 0),
        low_(parents.size(), 0),
        done_(parents.size(), false),
        rank_(parents.size(), 0) {}

  std::vector<std::uint32_t> run() {
    for (std::uint32_t i = 0; i < parents_.size(); ++i)
      if (order_[i] == 0) visit(i);
    return rank_;
  }

 private:
  struct frame {
    std::uint32_t table;
    std::size_t next;  // the reference to follow next
  };

  void enter(std::uint32_t i) {
    order_[i] = low_[i] = ++counter_;
    open_.push_back(i);
    path_.push_back({i, 0});
  }

  void visit(std::uint32_t start) {
    enter(start);
    while (!path_.empty()) {
      frame& f = path_.back();
      if (f.next < parents_[f.table].size()) {
        const std::uint32_t parent = parents_[f.table][f.next++];
        if (order_[parent] == 0)
          enter(parent);
        else if (!done_[parent])
          low_[f.table] = std::min(low_[f.table], order_[parent]);
        continue;
      }
      const std::uint32_t finished = f.table;
      path_.pop_back();
      if (!path_.empty()) low_[path_.back().table] = std::min(low_[path_.back().table], low_[finished]);
      if (low_[finished] == order_[finished]) close_component(finished);
    }
  }

  void close_component(std::uint32_t head) {
    const auto first = std::find(open_.rbegin(), open_.rend(), head).base() - 1;
    const std::vector<std::uint32_t> members(first, open_.end());
    open_.erase(first, open_.end());
    std::uint32_t rank = 0;
    for (std::uint32_t m : members)
      for (std::uint32_t p : parents_[m])
        if (done_[p]) rank = std::max(rank, rank_[p] + 1);
    for (std::uint32_t m : members) {
      rank_[m] = rank;
      done_[m] = true;
    }
  }

  const std::vector<std::vector<std::uint32_t>>& parents_;
  std::vector<std::uint32_t> order_, low_;
  std::vector<bool> done_;
  std::vector<std::uint32_t> rank_;
  std::vector<std::uint32_t> open_;
  std::vector<frame> path_;
  std::uint32_t counter_ = 0;
};

}  // namespace

std::vector<std::uint32_t> rank_by_references(const std::vector<std::vector<std::uint32_t>>& parents) {
  return ranking(parents).run();
}

}  // namespace pgtandem::database
