// What the client was answered in a transaction with an idempotency key, as the key's row keeps it: protocol messages.
//
// In the extended protocol it has parts, one per Execute that the key covers, so that a retry hears each in its turn.
// The row itself says which statement the first part belongs to; every further one begins with a mark: a message of a
// type that PostgreSQL does not have, with the SHA-256 of its statement. Pure.
#pragma once
#include <cstddef>
#include <string>
#include <string_view>

namespace pgtandem::session {

// `statement`: whatever makes it this one and no other.
std::string part_mark(std::string_view statement);

enum class outcome_part : unsigned char { found, another_statement, none_left };

// The part that begins at outcome[at]: appended to `said` without its mark; `at` moves behind it.
outcome_part take_part(std::string_view outcome, std::size_t& at, std::string_view statement, std::string& said);

}  // namespace pgtandem::session
