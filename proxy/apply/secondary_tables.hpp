// What the secondary's own catalog says of the tables that ops touch. The place where an effect is applied decides what it is
// accepted under (ledger.index_hash) and whether an op's images may be coalesced there: its unique indexes and foreign keys can
// differ from the primary's.
//
// Safe where nothing is known: then an op that touches a table twice, or deletes, is replayed in order. One thread.
#pragma once
#include <cstdint>
#include <memory>
#include <optional>
#include <unordered_map>

#include "proxy/apply/effects.hpp"
#include "proxy/sql/catalog.hpp"

namespace pgtandem::apply {

class secondary_tables {
 public:
  static constexpr std::size_t kept_max = 8192;  // tables; beyond it everything is forgotten once

  void learn(sql::catalog_ptr secondary);

  struct facts {
    std::shared_ptr<const sql::table> asked;    // the primary's; kept, so that its address stays its name
    std::optional<std::uint64_t> index_hash;    // nothing: the table is not known there
    bool deletes_act = true;                    // a DELETE changes other tables' rows by itself
    bool order_counts = true;                   // it has a further unique index, or its key is deferrable
  };
  const facts& of(const std::shared_ptr<const sql::table>& t);

  // DESIGN's order within an op, by the secondary's catalog. The session has judged by the primary's.
  bool must_replay(const parsed_op& p);
  // One hash for the indexes of all tables that the op touches, as hexadecimal text. Nothing if one of them is not known.
  std::optional<std::string> index_hash(const session::op& o);

 private:
  sql::catalog_ptr secondary_;
  std::unordered_map<const sql::table*, facts> known_;
};

}  // namespace pgtandem::apply
