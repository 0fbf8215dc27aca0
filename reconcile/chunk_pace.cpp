#include "reconcile/chunk_pace.hpp"

#include <algorithm>

namespace pgtandem::reconcile {

void chunk_pace::took(std::uint32_t rows, std::uint64_t bytes, std::chrono::milliseconds time) {
  constexpr std::uint32_t step = 500;
  if (time > limits_.target * 3 / 2) {
    rows_ /= 2;
    slowed_ = true;
  } else if (time <= limits_.target && rows >= rows_) {
    rows_ = slowed_ || time * 2 > limits_.target ? rows_ + step : rows_ * 2;
  }
  if (rows > 0 && bytes > 0)
    rows_ = static_cast<std::uint32_t>(std::min<std::uint64_t>(rows_, bytes_max * rows / bytes));
  rows_ = std::clamp(rows_, std::min(least_rows, limits_.rows_max), limits_.rows_max);
}

std::chrono::milliseconds chunk_pace::pause_after(std::uint32_t rows, std::chrono::milliseconds time) const {
  if (limits_.rows_per_second == 0) return std::chrono::milliseconds(0);
  const std::chrono::milliseconds due(1000ull * rows / limits_.rows_per_second);
  return std::max(due - time, std::chrono::milliseconds(0));
}

}  // namespace pgtandem::reconcile
