// The sequences in scope: read where they stand on one side, and bring the other side there.
//
// nextval is not transactional and takes no snapshot: a position read is a lower bound of what has been handed out by
// the time it is used. While the primary lives, the secondary is kept ahead by a head-room and never moved back; at the
// flip, when nobody calls nextval any more, it is set to where the old primary stands, back as well: it may have been
// set back, and what the head-room took must not be lost at every flip.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "proxy/database/connection.hpp"

namespace pgtandem::database {

struct sequence {
  std::string qualified;  // "schema.name", quoted where needed: the same on both sides
  std::int64_t last_value = 0;
  bool is_called = false;
  std::int64_t increment = 1, minimum = 1, maximum = 0, cache = 1;
  bool cycles = false;
};

// All sequences of users that no exclude glob ("schema.table" form) matches; pgtandem's own are not among them.
result<std::vector<sequence>> read_sequences(connection& c, const std::vector<std::string>& exclude = {});

// The position that lies `headroom` calls ahead of `s`, but no further than a share of the calls that are left: a head-room
// must never use a short sequence up. Pure.
inline constexpr std::uint64_t headroom_share = 16;  // one call in so many
std::int64_t position_ahead(const sequence& s, std::int64_t headroom);

struct advance_report {
  std::uint32_t moved = 0;
  std::uint32_t left_alone = 0;      // stood well
  std::vector<std::string> missing;  // not on this side
};

// Brings the sequences of this side to the positions of `from`, plus `headroom` calls. A sequence that already stands
// there or further, in the direction of its increment, is left alone; a cycling one is set exactly.
result<advance_report> advance_sequences(connection& c, const std::vector<sequence>& from, std::int64_t headroom);

// The same for somebody whom a flip does not wait for: each statement moves a sequence only if, in its own transaction, the
// migration row here says steady and `epoch` still, and the sequence has not come further. However late it arrives, it turns
// nothing back on what has become the primary, or been set for it.
result<advance_report> advance_while_following(connection& c, const std::vector<sequence>& from, std::int64_t headroom,
                                               std::int32_t epoch);

// Sets them there, whichever way. Only where nobody calls nextval on either side.
result<advance_report> set_sequences(connection& c, const std::vector<sequence>& from, std::int64_t headroom);

// The names of those of `from` that stand behind on this side: empty = ahead (a gate of the flip).
result<std::vector<std::string>> sequences_behind(connection& c, const std::vector<sequence>& from);

}  // namespace pgtandem::database
