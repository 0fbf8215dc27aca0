#include "reconcile/older_transactions.hpp"

namespace pgtandem::reconcile {

database::result<older_transactions> older_transactions::begin(database::connection& c) {
  auto r = c.run(
      "SELECT (SELECT coalesce(array_agg(l.virtualtransaction), '{}') FROM pg_locks l JOIN pg_stat_activity a USING "
      "(pid)"
      " WHERE l.locktype = 'virtualxid' AND a.datname = current_database() AND a.pid <> pg_backend_pid()"
      " AND a.application_name NOT LIKE 'pgtandem reconcile%'),"
      " (SELECT coalesce(array_agg(p.gid), '{}') FROM pg_prepared_xacts p WHERE p.database = current_database())");
  if (!r) return r.error();
  older_transactions out;
  out.open_ = r->at(0, 0);
  out.prepared_ = r->at(0, 1);
  return out;
}

database::result<std::int64_t> older_transactions::remaining(database::connection& c) const {
  auto r = c.execute(
      "SELECT (SELECT count(*) FROM pg_locks l WHERE l.locktype = 'virtualxid' AND l.virtualtransaction = "
      "ANY($1::text[]))"
      " + (SELECT count(*) FROM pg_prepared_xacts p WHERE p.gid = ANY($2::text[]))",
      {open_, prepared_});
  if (!r) return r.error();
  return r->integer(0, 0);
}

}  // namespace pgtandem::reconcile
