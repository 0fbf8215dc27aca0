// Copies one table from where its record ends to its end.
#pragma once
#include "proxy/database/connection.hpp"
#include "reconcile/backfill_worker.hpp"

namespace pgtandem::reconcile {

enum class table_end { verified, busy, interrupted };  // busy: another session still holds the table's lock

database::result<table_end> backfill_table(backfill_shared& shared, database::connection& primary,
                                           database::connection& secondary, const sql::table& t);

}  // namespace pgtandem::reconcile
