// The conversation between a commit asked for and a commit sent.
#pragma once
#include <cstdint>
#include <string>

#include "proxy/session/op.hpp"
#include "proxy/session/reply.hpp"

namespace pgtandem::session {

struct committing {
  enum class stage : std::uint8_t { none, recording, checking, applying, marking };
  enum class form : std::uint8_t {
    wrapped,
    query,
    execute,
    sync
  };  // the proxy's COMMIT, Query(COMMIT), Execute(COMMIT), implicit
  stage now = stage::none;
  form how = form::wrapped;
  std::string message;  // of the client, held back
  awaited answer;       // to it
  op_ptr write;
  std::uint32_t left_ms = 0;   // of the secondary's time, once the deadline that is armed has passed
};

}  // namespace pgtandem::session
