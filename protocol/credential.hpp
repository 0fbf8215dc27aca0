// What is known of a user that can log in to a server as that user: any of a password, an md5 secret, SCRAM keys.
// A secret: never in a log, never in a message.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "protocol/scram_secret.hpp"

namespace pgtandem::protocol {

struct credential {
  std::optional<std::string> password;
  std::string md5;  // "md5…" as pg_authid stores it; empty = unknown
  std::optional<scram_keys> scram;
};

// What a stored secret is, told by its form as PostgreSQL does (src/backend/libpq/crypt.c, get_password_type).
enum class secret_kind : std::uint8_t { password, md5, scram };
secret_kind kind_of_secret(std::string_view secret);

}  // namespace pgtandem::protocol
