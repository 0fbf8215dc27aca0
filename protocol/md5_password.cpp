#include "protocol/md5_password.hpp"

#include "protocol/digest.hpp"

namespace pgtandem::protocol {
namespace {

std::optional<std::string> prefixed(const std::string& hashed) {
  const std::optional<std::string> hex = md5_hex(hashed);
  if (!hex) return std::nullopt;
  return "md5" + *hex;
}

}  // namespace

std::optional<std::string> md5_secret(std::string_view user, std::string_view password) {
  return prefixed(std::string(password).append(user));
}

std::optional<std::string> md5_answer(std::string_view secret, std::string_view salt) {
  if (!secret.starts_with("md5")) return std::nullopt;
  return prefixed(std::string(secret.substr(3)).append(salt));
}

}  // namespace pgtandem::protocol
