// The sequences in scope: read where they stand on one side, and bring the other side there, never backwards.
//
// nextval is not transactional and takes no snapshot: a position read is a lower bound of what has been handed out by
// the time it is used. While the primary lives, the secondary is kept ahead by a head-room; at the flip, when nobody
// calls nextval any more, it is set exactly.
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

// The position that lies `headroom` calls ahead of `s`, inside its bounds. Pure.
std::int64_t position_ahead(const sequence& s, std::int64_t headroom);

struct advance_report {
  std::uint32_t advanced = 0;        // moved
  std::uint32_t already_ahead = 0;   // stood there or further: left alone
  std::vector<std::string> missing;  // not on this side
};

// Brings the sequences of this side to the positions of `from`, plus `headroom` calls (0: exactly, is_called too). A
// sequence that already stands further, in the direction of its increment, is left alone; a cycling one is set exactly.
result<advance_report> advance_sequences(connection& c, const std::vector<sequence>& from, std::int64_t headroom);

// The names of those of `from` that stand behind on this side: empty = ahead (a gate of the flip).
result<std::vector<std::string>> sequences_behind(connection& c, const std::vector<sequence>& from);

}  // namespace pgtandem::database
