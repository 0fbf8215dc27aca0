// Where the migration stands, as the reconciler needs it. Pure.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "proxy/control/phase.hpp"

namespace pgtandem::reconcile {

struct standing {
  std::int32_t epoch = 0;  // 0 = no pgtandem schema yet
  control::phase phase = control::phase::passthrough;
  std::string step = "steady";  // pgtandem.migration.step
  std::int32_t course = 0;  // the epoch of the last flip or phase change: an epoch that only rolls on keeps it

  const control::phase_row& row() const { return control::row_of(phase); }
  control::place primary() const { return row().primary; }
  // The old primary is fenced and the coordinator waits for nothing to be in doubt: every millisecond counts.
  bool flipping() const { return step == "fenced" || step == "draining"; }
  // The epoch of the ledger rows that repairs write: the old epoch's partition is detached while a flip drains.
  std::int32_t ledger_epoch() const { return flipping() ? epoch + 1 : epoch; }
  // What was begun at `o` may go on: nothing but the epoch's number has changed, and no flip is on its way.
  bool goes_on(const standing& o) const { return phase == o.phase && course == o.course && step == o.step; }
  bool operator==(const standing&) const = default;
};

// From a row of pgtandem.migration; nullopt if the phase has a name we do not know. `course` 0: the epoch itself.
std::optional<standing> read_standing(std::int32_t epoch, std::string_view phase, std::string_view step,
                                      std::int32_t course = 0);

// Which of the two databases' rows is right: the higher epoch; in the same epoch, the one of the primary that it names.
std::optional<standing> authority(const std::optional<standing>& at_source, const std::optional<standing>& at_target);

}  // namespace pgtandem::reconcile
