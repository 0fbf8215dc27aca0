// The settings of every database session of the reconciler: they fix the text form of all values, so that the text read
// on one side is exact on the other, and bound every wait.
#pragma once
#include <chrono>
#include <string>

#include "proxy/database/connection.hpp"

namespace pgtandem::reconcile {

struct session_limits {
  std::chrono::milliseconds lock{200};         // lock_timeout: never queue behind the application for long
  std::chrono::milliseconds statement{60000};  // statement_timeout and our own limit
  std::chrono::milliseconds idle{
      60000};  // idle_in_transaction_session_timeout: a frozen reconciler holds nothing for long
};

database::open_options session_options(const std::string& name, session_limits limits = {});

}  // namespace pgtandem::reconcile
