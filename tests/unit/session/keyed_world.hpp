// What transcripts with idempotency keys share.
#pragma once
#include <memory>
#include <string>

#include "tests/unit/session/stage.hpp"

namespace pgtandem::test {

// A world that mirrors pgtandem.idempotency, too.
inline session::world_ptr keyed_world() {
  auto w = std::make_shared<session::world>(*mirrored_world());
  auto c = std::make_shared<sql::catalog>(*w->primary);
  auto kept = std::make_shared<sql::table>();
  kept->id = 110;
  kept->qualified = "pgtandem.idempotency";
  kept->columns = {{"key", "text"}, {"statement", "text"}, {"outcome", "bytea"}, {"at", "timestamptz"}};
  kept->key = {0};
  c->by_oid[110] = kept;
  c->by_name[kept->qualified] = 110;
  w->primary = c;
  return w;
}

// The outcome that was recorded, in hex.
inline std::string recorded(const stage& s) {
  for (const auto& [text, parameters] : s.primary.bound)
    if (text.find("record_outcome") != std::string::npos) {
      const std::size_t from = parameters.find("\\x") + 2;
      return parameters.substr(from, parameters.find_first_not_of("0123456789abcdef", from) - from);
    }
  return {};
}

}  // namespace pgtandem::test
