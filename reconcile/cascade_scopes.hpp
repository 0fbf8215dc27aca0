// Which rows of other tables a deletion on the secondary takes along: by foreign-key value, through every level.
#pragma once
#include <vector>

#include "reconcile/doubt_json.hpp"
#include "reconcile/workbench.hpp"

namespace pgtandem::reconcile {

// Read from `at` (where the rows to be deleted still are). Beyond 10,000 rows of a child or 16 levels the whole child
// table is named.
database::result<std::vector<doubt>> cascade_scopes(workbench& w, database::connection& at, const sql::table& t,
                                                    const std::vector<cells>& keys);

}  // namespace pgtandem::reconcile
