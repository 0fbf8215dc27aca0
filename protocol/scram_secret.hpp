// What either side of SCRAM-SHA-256 (RFC 5802, RFC 7677) must know about a user: the verifier and the keys.
//
// Passwords are used as they are: SASLprep leaves printable ASCII alone, and where it refuses a text PostgreSQL uses
// the raw bytes too. Left out: normalisation of non-ASCII passwords, so one that is not in normal form KC must be typed
// as stored.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "protocol/digest.hpp"

namespace pgtandem::protocol {

inline constexpr std::string_view scram_mechanism = "SCRAM-SHA-256";
inline constexpr std::uint32_t scram_iterations = 4096;  // PostgreSQL's default
inline constexpr std::uint32_t scram_iterations_max =
    1000000;                                            // about a quarter of a second of a core; more is refused
inline constexpr std::size_t scram_message_max = 1024;  // bytes, PG_MAX_SASL_MESSAGE_LENGTH

// What pg_authid stores: "SCRAM-SHA-256$<iterations>:<salt>$<StoredKey>:<ServerKey>".
struct scram_verifier {
  std::uint32_t iterations = scram_iterations;
  std::string salt;  // raw bytes
  sha256_value stored_key{}, server_key{};
};

// What logs in without the password: valid at every server that has the same verifier (same salt and iterations).
struct scram_keys {
  std::uint32_t iterations = scram_iterations;
  std::string salt;
  sha256_value client_key{}, server_key{};
};

std::optional<scram_verifier> parse_scram_verifier(std::string_view text);
std::string to_text(const scram_verifier& v);

scram_keys derive_scram_keys(std::string_view password, std::string_view salt, std::uint32_t iterations);
scram_verifier verifier_of(const scram_keys& keys);

// 16 bytes that are always the same for this user and key. Used for users that do not exist and for those whose
// password is stored in clear alike, so that the salt does not tell which of them a name is. `key`: random, kept for
// the process' life.
std::string scram_salt(std::string_view user, std::string_view key);

}  // namespace pgtandem::protocol
