// The partitions of pgtandem.ledger on the secondary, attached and detached (a flip detaches the old epoch's: its rows
// still have to be settled), and queries over all of them.
//
// Guarantee: a query's answer covers every partition that existed in the query's own snapshot. The list is read in the
// same statement; if it differs from the one the statement was built from, the statement is built again. Owned and used
// by one thread.
#pragma once
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "proxy/database/connection.hpp"

namespace pgtandem::reconcile {

struct ledger_partition {
  std::int32_t epoch = 0;
  bool attached = false;
  std::string name() const { return "pgtandem.ledger_" + std::to_string(epoch); }
  bool operator==(const ledger_partition&) const = default;
};

// "1:t,2:f" as the query below writes it. Unknown parts are left out.
std::vector<ledger_partition> parse_partitions(std::string_view list);

class ledger_partitions {
 public:
  // `tail` continues "… FROM ledger l" (WHERE, ORDER BY, LIMIT), `columns` is its select list. Column 0 of the answer
  // is pg_snapshot_xmin of the statement's snapshot; with no ledger row there is one answer row with NULLs behind it.
  database::result<database::rows> query(database::connection& secondary, const std::string& columns,
                                         const std::string& tail, std::span<const database::param> parameters = {});
  // As of the last query.
  const std::vector<ledger_partition>& known() const { return known_; }
  std::vector<std::int32_t> attached_epochs() const;

 private:
  std::vector<ledger_partition> known_;
};

// The condition for "not settled" of a ledger row l.
inline constexpr const char* unsettled_condition =
    "NOT l.settled AND l.target_rev >= (SELECT w.settled_below FROM pgtandem.watermark w)";

}  // namespace pgtandem::reconcile
