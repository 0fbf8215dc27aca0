// PostgreSQL's md5 password exchange. Nothing where the platform forbids MD5.
#pragma once
#include <optional>
#include <string>
#include <string_view>

namespace pgtandem::protocol {

// What pg_authid stores: "md5" and 32 hex digits of md5(password || user).
std::optional<std::string> md5_secret(std::string_view user, std::string_view password);

// The answer to AuthenticationMD5Password with its four bytes of salt. `secret` is of the form above.
std::optional<std::string> md5_answer(std::string_view secret, std::string_view salt);

}  // namespace pgtandem::protocol
