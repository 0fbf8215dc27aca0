// Every error the proxy itself says to a client, declared once: SQLSTATE, severity, sentence, hint.
//
// Errors of the primary pass through untouched; these are the others. The table is printed in OPERATIONS.md, checked by tests/house.
#pragma once
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace pgtandem::session {

enum class failure : std::uint8_t {
  refused_construct, stale_epoch, schema_changed, unknown_table, secondary_required, shut_down, cancelled, cannot_move, primary_lost,
  outcome_unknown, login_failed, protocol_violation, too_large, key_reused, key_committed, key_misplaced, key_second, outcome_not_kept,
  image_broken,
};

struct failure_row {
  failure id;
  std::string_view sqlstate, severity, message, hint;   // "%" in message is replaced by the caller's detail
};
std::span<const failure_row> failures();
const failure_row& row_of(failure f);

// The ErrorResponse message, complete with type and length.
std::string error_message(failure f, std::string_view what = {});

}  // namespace pgtandem::session
