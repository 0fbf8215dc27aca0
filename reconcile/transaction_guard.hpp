// Rolls a session back when the scope is left without commit(): after an error no session of a workbench stays in a
// transaction.
#pragma once
#include <string_view>

#include "proxy/database/connection.hpp"

namespace pgtandem::reconcile {

class transaction_guard {
 public:
  explicit transaction_guard(database::connection& c) : c_(c) {}
  transaction_guard(const transaction_guard&) = delete;
  ~transaction_guard() { rollback(); }

  database::result<void> begin(std::string_view how = "BEGIN") { return call(how); }
  database::result<void> commit() { return call("COMMIT"); }
  void rollback() {
    if (!c_.lost() && c_.in_transaction()) (void)c_.run("ROLLBACK");
  }

 private:
  database::result<void> call(std::string_view sql) {
    auto r = c_.run(sql);
    if (!r) return r.error();
    return {};
  }
  database::connection& c_;
};

}  // namespace pgtandem::reconcile
