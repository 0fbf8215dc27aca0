// Where a place (source or target) is and how sessions log in there; from its libpq connection string.
#pragma once
#include <chrono>
#include <string>

#include "proxy/database/conninfo.hpp"

namespace pgtandem::net {

inline constexpr std::chrono::seconds connect_timeout_default{10};  // per host, and again for the login

struct place_address {
  database::server_address server;  // its password serves sessions of its own user only
  std::string conninfo;             // the whole, for connections of the proxy's own through libpq

  std::chrono::milliseconds connect_timeout() const {
    const std::chrono::seconds given(server.connect_timeout_seconds);
    return given.count() != 0 ? given : connect_timeout_default;
  }
};

}  // namespace pgtandem::net
