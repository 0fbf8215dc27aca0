// The transactions of a database that are open at some moment, told by their locks (visible to every role, and one that
// has no transaction id yet counts too): wait until none of them is left.
#pragma once
#include <cstdint>
#include <string>

#include "proxy/database/connection.hpp"

namespace pgtandem::reconcile {

class older_transactions {
 public:
  static database::result<older_transactions> begin(database::connection& c);
  // How many of them are still open, prepared ones included. Those of the reconciler itself do not count.
  database::result<std::int64_t> remaining(database::connection& c) const;

 private:
  std::string open_, prepared_;  // text[] literals: virtual transaction ids, names of prepared transactions
};

}  // namespace pgtandem::reconcile
