// Rows of a write with RETURNING that the client has not asked for yet: it set a row limit in Execute.
//
// PostgreSQL runs such a portal to its end at the first Execute and then hands out its rows in pieces. Here all of them have to be
// seen at once, for their images; the client's part of those beyond the limit is kept, within dual_write.write_set_max_bytes. Each
// further Execute goes to the primary, too, where the portal has no rows left: its answer keeps the order and says if the portal is gone.
#pragma once
#include <cstddef>
#include <deque>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>

namespace pgtandem::session {

struct paused_rows {
  std::deque<std::string> rows;   // DataRow messages
  std::size_t bytes = 0;
  std::size_t room = 0;           // of `bytes`; set with the first row

  static std::size_t cost(const std::string& row) { return row.size() + sizeof(std::string); }
  // False: there is no room.
  bool keep(std::string row);
  // Up to `limit` rows (0: all) behind `given` others; how many were given in all.
  std::size_t give(std::size_t limit, std::size_t given, std::string& to);
};
using paused_ptr = std::shared_ptr<paused_rows>;

class paused_portals {
 public:
  paused_ptr find(const std::string& portal) const;
  paused_ptr open(const std::string& portal) { return portals_[portal] = std::make_shared<paused_rows>(); }
  void close(const std::string& portal) { portals_.erase(portal); }
  void clear() { portals_.clear(); }
  bool empty() const { return portals_.empty(); }
  std::size_t bytes() const;

 private:
  std::unordered_map<std::string, paused_ptr> portals_;
};

// "UPDATE 5" → "UPDATE 2": a CommandComplete behind pieces counts the rows of the last one.
std::string tag_of(std::string_view tag, std::size_t rows);

}  // namespace pgtandem::session
