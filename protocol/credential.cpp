#include "protocol/credential.hpp"

namespace pgtandem::protocol {

secret_kind kind_of_secret(std::string_view secret) {
  constexpr std::size_t md5_size = 35;  // "md5" and 32 hex digits
  const bool hex = secret.find_first_not_of("0123456789abcdef", 3) == std::string_view::npos;
  if (secret.starts_with("md5") && secret.size() == md5_size && hex) return secret_kind::md5;
  return parse_scram_verifier(secret) ? secret_kind::scram : secret_kind::password;
}

}  // namespace pgtandem::protocol
