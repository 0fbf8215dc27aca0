// A client that is being let in, and what stays known of it afterwards. Its members' ends give back its cancel key and
// its place among max_clients.
#pragma once
#include <string>

#include "proxy/net/admission.hpp"
#include "proxy/net/cancel_registry.hpp"
#include "proxy/net/peer_stream.hpp"
#include "proxy/session/startup.hpp"

namespace pgtandem::net {

struct arrival {
  stream_ptr stream;
  std::string peer;  // address:port
  session::identity identity;
  registered_key key;
  admission::place place;
};

}  // namespace pgtandem::net
