// Bytes from the kernel's generator, for nonces and keys.
#pragma once
#include <cstddef>
#include <string>

namespace pgtandem::net {

inline constexpr std::size_t nonce_bytes = 18;  // RFC 5802 asks for no number; PostgreSQL uses 18
std::string random_bytes(std::size_t count);

}  // namespace pgtandem::net
