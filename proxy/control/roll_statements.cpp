#include "proxy/control/roll_statements.hpp"

#include <algorithm>

#include "proxy/control/statements.hpp"
#include "proxy/database/schema.hpp"

namespace pgtandem::control {
namespace {

std::string begin_sql(std::chrono::milliseconds lock_limit) {
  return "BEGIN; SET LOCAL synchronous_commit = on; SET LOCAL client_min_messages = warning; SET LOCAL lock_timeout = " +
         std::to_string(std::max<std::int64_t>(lock_limit.count(), 1)) + "; ";
}

std::string row_sql(std::int32_t epoch) {
  return "UPDATE pgtandem.migration SET attempt = jsonb_build_object('course', epoch) || attempt, epoch = " + std::to_string(epoch) +
         ", changed_at = clock_timestamp() WHERE epoch < " + std::to_string(epoch) + "; ";
}

std::string each(const std::string& list, const std::string& act) {
  return "DO $pgtandem$ DECLARE r record; BEGIN FOR r IN " + list + " LOOP EXECUTE format('" + act + "', r.relname); END LOOP; END $pgtandem$; ";
}

constexpr const char* epochs = "SELECT c.relname FROM pg_class c WHERE c.relnamespace = 'pgtandem'::regnamespace AND c.relkind = 'r' "
                               "AND c.relname ~ '^epoch_[0-9]+$'";
constexpr const char* attached = "SELECT c.relname FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid "
                                 "WHERE i.inhparent = 'pgtandem.ledger'::regclass AND c.relname ~ '^ledger_[0-9]+$'";

std::string numbers(const char* list, int prefix) {
  return "SELECT coalesce(string_agg(substr(relname, " + std::to_string(prefix) + "), ','), '') FROM (" + list + ") l";
}

std::string below(const char* list, int prefix, std::int32_t epoch) {
  return std::string(list) + " AND substr(c.relname, " + std::to_string(prefix) + ")::int < " + std::to_string(epoch);
}

}  // namespace

std::string attach_ledger_sql(std::int32_t epoch, std::chrono::milliseconds lock_limit) {
  return begin_sql(lock_limit) + database::attach_ledger_sql(epoch) + "; " + journal_sql({epoch, "ledger attached"}) + "; COMMIT";
}

std::string advance_epoch_sql(std::int32_t epoch, std::chrono::milliseconds lock_limit) {
  return begin_sql(lock_limit) + database::create_epoch_sql(epoch) + "; " + row_sql(epoch) + journal_sql({epoch, "advanced"}) +
         "; SELECT pg_notify('pgtandem', 'advanced'); COMMIT";
}

std::string tell_epoch_sql(std::int32_t epoch) {
  return begin_sql(std::chrono::milliseconds(1000)) + row_sql(epoch) + journal_sql({epoch, "advanced"}) +
         "; SELECT pg_notify('pgtandem', 'advanced'); COMMIT";
}

std::string drop_older_epochs_sql(std::int32_t epoch, std::chrono::milliseconds lock_limit) {
  return begin_sql(lock_limit) + each(below(epochs, 7, epoch), "DROP TABLE pgtandem.%I") + journal_sql({epoch, "older epochs closed"}) +
         "; COMMIT";
}

std::string detach_older_ledgers_sql(std::int32_t epoch, std::chrono::milliseconds lock_limit) {
  return begin_sql(lock_limit) + each(below(attached, 8, epoch), "ALTER TABLE pgtandem.ledger DETACH PARTITION pgtandem.%I") +
         journal_sql({epoch, "older ledgers detached"}) + "; COMMIT";
}

std::string list_epochs_sql() { return numbers(epochs, 7); }
std::string list_ledgers_sql() { return numbers(attached, 8); }

std::string epoch_age_sql() { return "SELECT extract(epoch FROM clock_timestamp() - changed_at)::bigint FROM pgtandem.migration"; }

std::string ledger_rows_sql(std::int32_t epoch) {
  return "SELECT coalesce(pg_stat_get_live_tuples(to_regclass('pgtandem.ledger_" + std::to_string(epoch) +
         "')), 0), (SELECT count(*) FROM pg_class c WHERE c.relnamespace = 'pgtandem'::regnamespace AND c.relkind = 'r' "
         "AND c.relname ~ '^ledger_[0-9]+$' AND NOT c.relispartition)";
}

}  // namespace pgtandem::control
