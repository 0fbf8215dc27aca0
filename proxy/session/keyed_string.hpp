// What an idempotency key is good for with a Query string, told from its grammar alone.
//
// Key and outcome are one row of one transaction, so a string has to be one transaction, and what it does besides
// writing must be undone or left undone together with it: a retry that is answered from the record runs nothing.
#pragma once
#include "proxy/sql/analysis.hpp"

namespace pgtandem::session {

enum class keyed_string : std::uint8_t {
  replayed,  // a retry hears what the first try was answered
  fact,      // a part of a block that other messages open or end: a retry hears that it has committed
  refused,   // several transactions, or a change of the session
};

// `in_block`: the client's block was open when the string came.
keyed_string keyed_string_of(const sql::analysis& a, bool in_block);

}  // namespace pgtandem::session
