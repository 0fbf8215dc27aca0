#include "reconcile/doubts.hpp"

#include <algorithm>

namespace pgtandem::reconcile {
namespace {

constexpr std::size_t at_once = 5000;  // doubts in one statement

}  // namespace

database::result<bool> mark_doubts(database::connection& primary, const standing& at, const std::vector<doubt>& doubts,
                                   const std::string& reason) {
  for (std::size_t from = 0; from < doubts.size(); from += at_once) {
    const std::vector<doubt> part(
        doubts.begin() + static_cast<std::ptrdiff_t>(from),
        doubts.begin() + static_cast<std::ptrdiff_t>(std::min(from + at_once, doubts.size())));
    // The row lock makes the coordinator's next step wait for us, or us see it.
    auto r = primary.execute(
        "WITH here AS (SELECT epoch FROM pgtandem.migration WHERE coalesce((attempt->>'course')::int, epoch) = $1::int AND phase = $2"
        " AND step NOT IN ('fenced', 'draining', 'opening') FOR SHARE)"
        " SELECT pgtandem.mark_dirty(NULL, here.epoch, $3::jsonb, $4) FROM here",
        {std::to_string(at.course), std::string(at.row().name), to_json(part), reason});
    if (!r) return r.error();
    if (r->size() == 0) return false;
  }
  return true;
}

}  // namespace pgtandem::reconcile
