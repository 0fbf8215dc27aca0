// Hashes, base64 and comparison in constant time for the password exchanges. The only door to OpenSSL's libcrypto.
#pragma once
#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace pgtandem::protocol {

using sha256_value = std::array<std::uint8_t, 32>;

sha256_value sha256(std::string_view data);
sha256_value hmac_sha256(std::string_view key, std::string_view data);
sha256_value pbkdf2_sha256(std::string_view password, std::string_view salt, std::uint32_t iterations);
// Lower-case hex. Nothing where the platform forbids MD5 (FIPS).
std::optional<std::string> md5_hex(std::string_view data);

std::string base64_encode(std::string_view raw);
std::optional<std::string> base64_decode(std::string_view text);  // strict: padded, no white space, no stray bits

// Takes as long for a difference in the first byte as for one in the last.
bool equal_in_constant_time(std::string_view a, std::string_view b);

inline std::string_view view(const sha256_value& v) { return {reinterpret_cast<const char*>(v.data()), v.size()}; }

}  // namespace pgtandem::protocol
