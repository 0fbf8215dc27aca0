// When a repair meets another row on a further unique index (23505) or in an exclusion constraint (23P01): which keys of
// the secondary hold the values that the repaired rows need, and what these keys should hold, until nothing more is found.
#pragma once
#include <map>
#include <vector>

#include "reconcile/row_images.hpp"
#include "reconcile/workbench.hpp"

namespace pgtandem::reconcile {

struct displaced {
  std::vector<cells> keys;  // holders found on the secondary, in their text form there
  std::vector<cells> rows;  // the primary's rows of those keys that exist there
  std::vector<cells> gone;  // keys that the primary has not
};

// `rows`: images that are to be written. Reads the holders on the primary with FOR SHARE inside its open transaction,
// so that what is written for them stays true until the repair's end. The secondary's session must be idle; it is idle
// afterwards.
database::result<displaced> close_over_unique(workbench& w, const sql::table& t, const std::vector<cells>& rows);

}  // namespace pgtandem::reconcile
