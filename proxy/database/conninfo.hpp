// What a libpq connection string or URI comes to, once libpq has applied the service file, the environment, the
// password file and its defaults: for those who open their own sockets (proxy/net) and for logs. No connection is made.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "proxy/database/connection.hpp"

namespace pgtandem::database {

struct endpoint {
  std::string host;     // name, address, or the folder of a Unix socket
  std::string address;  // "hostaddr": numeric, connect to it without a look-up; empty = look `host` up
  std::uint16_t port = 5432;
  bool unix_socket = false;  // then connect to unix_path()
  std::string password;      // of this host (the password file may differ from host to host); empty = none
  std::string unix_path() const { return host + "/.s.PGSQL." + std::to_string(port); }
  bool operator==(const endpoint&) const = default;
};

struct server_address {
  std::vector<endpoint> endpoints;  // to be tried in order; never empty
  std::string user, database;
  std::string options;  // "-c name=value …" for the startup message; empty = none
  std::string sslmode;  // disable, allow, prefer, require, verify-ca, verify-full
  std::string application_name;
  std::uint32_t connect_timeout_seconds = 0;  // per endpoint; 0 = none given
  bool keepalives = true;
  std::uint32_t keepalives_idle = 0, keepalives_interval = 0, keepalives_count = 0;  // 0 = not given
  std::uint32_t tcp_user_timeout_ms = 0;                                             // 0 = not given
};

// A mistake in the string is error 08001 with libpq's words, which name the option but no password.
result<server_address> resolve(const std::string& conninfo);

// The string as options, passwords replaced by "***". Empty if it cannot be read.
std::string redacted(const std::string& conninfo);

}  // namespace pgtandem::database
