#include "reconcile/session_settings.hpp"

namespace pgtandem::reconcile {

database::open_options session_options(const std::string& name, session_limits limits) {
  database::open_options o;
  o.application_name = "pgtandem reconcile " + name;
  o.settings = {{"DateStyle", "ISO, YMD"},
                {"IntervalStyle", "postgres"},
                {"TimeZone", "UTC"},
                {"extra_float_digits", "3"},
                {"bytea_output", "hex"},
                {"lc_monetary", "C"},
                {"search_path", "pg_catalog"},
                {"xmloption", "content"},
                {"row_security", "off"},       // an error instead of rows quietly left out
                {"synchronous_commit", "on"},  // a settled row must survive a crash
                {"default_transaction_isolation", "read committed"},
                {"default_transaction_read_only", "off"},
                {"default_transaction_deferrable", "off"},
                {"idle_in_transaction_session_timeout", std::to_string(limits.idle.count()) + "ms"},
                {"lock_timeout", std::to_string(limits.lock.count()) + "ms"},
                {"statement_timeout", std::to_string(limits.statement.count()) + "ms"}};
  o.statement_limit = limits.statement + std::chrono::seconds(5);
  return o;
}

}  // namespace pgtandem::reconcile
