// When a repair fails at a foreign key (23503) because rows of other keys would have to come or go with it, as in
// circles of references: which rows these are, until nothing more is found.
#pragma once
#include <vector>

#include "reconcile/row_images.hpp"
#include "reconcile/workbench.hpp"

namespace pgtandem::reconcile {

struct companions {
  const sql::table* table;
  std::vector<cells> rows;  // the primary's images of keys that must be written, too
  std::vector<cells> gone;  // keys of the secondary that the primary has not
};

// `rows` are to be written and `removed` keys to be deleted, all of `t`. Followed are, for what is written, the parents
// that the secondary lacks; for what is deleted, the secondary's rows that reference it, whatever their action, for it
// is deleted without one. Reads images with FOR SHARE inside the primary's open transaction. The secondary's session is
// idle before and afterwards. Empty: nothing was found, or more than a repair may hold.
database::result<std::vector<companions>> close_over_references(workbench& w, const sql::table& t,
                                                                const std::vector<cells>& rows,
                                                                const std::vector<cells>& removed);

}  // namespace pgtandem::reconcile
