// Options of the proxy's TCP sockets. Unix-domain sockets have none of them; failures to set one are not errors.
#pragma once
#include <cstdint>

namespace pgtandem::net {

// Bounds after which the kernel gives a silent peer up. A server connection may hold row locks, a client only its own
// time.
inline constexpr std::uint32_t keepalive_idle_seconds = 30;
inline constexpr std::uint32_t keepalive_interval_seconds = 10;
inline constexpr std::uint32_t keepalive_probes = 3;
inline constexpr std::uint32_t server_user_timeout_ms = 30000;  // unacknowledged bytes
inline constexpr std::uint32_t client_user_timeout_ms = 120000;

void prepare_client_socket(int fd);
void prepare_server_socket(int fd);

}  // namespace pgtandem::net
