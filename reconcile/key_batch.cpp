#include "reconcile/key_batch.hpp"

namespace pgtandem::reconcile {

std::vector<database::param> by_column(const std::vector<cells>& rows_of_cells, std::size_t width) {
  std::vector<array_writer> writers(width);
  for (const cells& row : rows_of_cells)
    for (std::size_t c = 0; c < width; ++c) writers[c].add(c < row.size() ? row[c] : cell());
  std::vector<database::param> out;
  for (array_writer& w : writers) out.emplace_back(w.take());
  return out;
}

cells cells_of(const database::rows& r, int row, int first, int count) {
  cells out;
  for (int c = first; c < first + count; ++c) out.push_back(r.null(row, c) ? cell() : cell(std::string(r.at(row, c))));
  return out;
}

}  // namespace pgtandem::reconcile
