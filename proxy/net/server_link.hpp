// A server connection that is logged in, and where it leads.
#pragma once
#include <cstdint>
#include <string>

#include "proxy/control/phase.hpp"
#include "proxy/database/conninfo.hpp"
#include "proxy/net/peer_stream.hpp"
#include "proxy/session/session.hpp"

namespace pgtandem::net {

struct server_link {
  stream_ptr stream;
  session::server_hello hello;
  control::place where = control::place::source;
  std::string notices;          // NoticeResponses of the login, for the client
  std::string leftover;         // what it has sent after its first ReadyForQuery
  database::endpoint endpoint;  // the host that answered: a CancelRequest goes to the same
};

}  // namespace pgtandem::net
