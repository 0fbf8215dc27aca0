// UUIDv7 (RFC 9562 §5.7): 48 bits of milliseconds, then random. The one place of the core that reads a clock and random bytes:
// an op_id is an opaque unique name and nothing is decided by it.
#pragma once
#include <string>

namespace pgtandem::session {

std::string new_op_id();

}  // namespace pgtandem::session
