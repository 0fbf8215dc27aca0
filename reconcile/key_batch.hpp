// Keys as the parameters of table_sql: one text[] per column. Pure.
#pragma once
#include <string>
#include <vector>

#include "proxy/database/connection.hpp"
#include "reconcile/text_array.hpp"

namespace pgtandem::reconcile {

// A row of texts per element, all of the same width, turned into one array literal per column.
std::vector<database::param> by_column(const std::vector<cells>& rows_of_cells, std::size_t width);

// The cells of `r` from `first`, `count` of them.
cells cells_of(const database::rows& r, int row, int first, int count);

}  // namespace pgtandem::reconcile
