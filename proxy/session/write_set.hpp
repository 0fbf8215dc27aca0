// The row images one write transaction has produced on the primary, in order, within bounds.
//
// Savepoints cut it back (`here`, `back_to`). Beyond `limits::write_set_max` bytes images are no longer kept: the tables touched
// are remembered as a whole (`overflowed`), and the commit marks them dirty instead of sending the op.
#pragma once
#include <cstdint>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "proxy/session/op.hpp"
#include "proxy/session/world.hpp"

namespace pgtandem::session {

class write_set {
 public:
  struct mark {
    std::size_t effects = 0, bytes = 0;
  };
  enum class verdict : std::uint8_t { kept, malformed, other_table, schema_changed };

  bool empty() const { return (!op_ || op_->effects.empty()) && whole_.empty(); }
  bool overflowed() const { return !whole_.empty(); }
  bool deferrable() const { return deferrable_; }   // a table with deferrable constraints was touched
  const op_ptr& current() const { return op_; }

  // Identity, from the fence's answer. The op exists from `open` on.
  void open(std::int32_t epoch);
  void identify(std::string_view source_rev, std::string_view boot);
  bool identified() const { return op_ && !op_->source_rev.empty(); }

  // One image as the primary sent it (hex: encode(convert_to(…,'UTF8'),'hex')).
  verdict add(effect_kind kind, const std::shared_ptr<const sql::table>& table, const sql::catalog& catalog, std::string_view image,
              bool hex, std::size_t bytes_max);
  void add_truncate(const std::vector<std::shared_ptr<const sql::table>>& tables, bool restart_identity);

  mark here() const { return {op_ ? op_->effects.size() : 0, op_ ? op_->images.size() : 0}; }
  void back_to(mark m);

  // Completes keys and order. The op is then handed over; the write set keeps sharing it.
  op_ptr finish(const sql::catalog& catalog, std::size_t keys_max);
  void clear();

 private:
  bool must_replay() const;

  op_ptr op_;
  std::set<std::string> whole_;   // qualified names of tables whose images were too large to keep
  bool deferrable_ = false;
  std::uint32_t groups_ = 0;
};

}  // namespace pgtandem::session
