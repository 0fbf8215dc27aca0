// The idempotency key of the present transaction.
#pragma once
#include <cstddef>
#include <cstdint>
#include <string>

#include "proxy/sql/analysis.hpp"

namespace pgtandem::session {

struct idempotency {
  enum class stage : std::uint8_t { none, asked, claimed, absent, taken };
  stage now = stage::none;
  std::string key;
  std::string outcome;     // what the client was answered, or, if taken, what it was answered then (keyed_outcome.hpp)
  std::size_t given = 0;   // taken: so much of it has been said again
  bool too_large = false;  // or not kept then
  bool same = true;        // taken: by the same statement
  bool named = false;      // asked for by the name in a text, not by the setting
  bool late = false;       // the transaction had written before it had a key
  bool covers = false;     // claimed: an Execute has gone out under it

  // Is a write of this text one before which its key has to be asked for? `by_setting`: one may have been set in this
  // session.
  bool must_ask(const sql::analysis* a, bool by_setting) const {
    const bool given = a && a->idempotency_key;
    return now == stage::none ? given || by_setting : now == stage::absent && !named && given;
  }
  // Has the transaction a key, and does the text name another?
  bool differs(const sql::analysis* a) const { return has() && a && a->idempotency_key && *a->idempotency_key != key; }
  bool has() const { return now == stage::claimed || now == stage::taken; }
};

}  // namespace pgtandem::session
