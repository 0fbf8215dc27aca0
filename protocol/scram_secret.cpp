#include "protocol/scram_secret.hpp"

#include <algorithm>
#include <charconv>

namespace pgtandem::protocol {
namespace {

constexpr std::size_t salt_size = 16;

std::optional<sha256_value> decode_key(std::string_view text) {
  const std::optional<std::string> raw = base64_decode(text);
  sha256_value key{};
  if (!raw || raw->size() != key.size()) return std::nullopt;
  std::copy(raw->begin(), raw->end(), key.begin());
  return key;
}

// Takes the text up to `separator` off `rest`.
std::string_view cut(std::string_view& rest, char separator) {
  const std::size_t at = rest.find(separator);
  const std::string_view head = rest.substr(0, at);
  rest = at == std::string_view::npos ? std::string_view{} : rest.substr(at + 1);
  return head;
}

}  // namespace

std::optional<scram_verifier> parse_scram_verifier(std::string_view text) {
  if (cut(text, '$') != scram_mechanism) return std::nullopt;
  const std::string_view iterations = cut(text, ':');
  const std::optional<std::string> salt = base64_decode(cut(text, '$'));
  const std::optional<sha256_value> stored = decode_key(cut(text, ':')), server = decode_key(text);
  scram_verifier v;
  const auto [end, failed] = std::from_chars(iterations.data(), iterations.data() + iterations.size(), v.iterations);
  const bool number = failed == std::errc{} && end == iterations.data() + iterations.size();
  if (!number || v.iterations == 0 || v.iterations > scram_iterations_max) return std::nullopt;
  if (!salt || salt->empty() || !stored || !server) return std::nullopt;
  v.salt = *salt;
  v.stored_key = *stored;
  v.server_key = *server;
  return v;
}

std::string to_text(const scram_verifier& v) {
  return std::string(scram_mechanism) + '$' + std::to_string(v.iterations) + ':' + base64_encode(v.salt) + '$' +
         base64_encode(view(v.stored_key)) + ':' + base64_encode(view(v.server_key));
}

scram_keys derive_scram_keys(std::string_view password, std::string_view salt, std::uint32_t iterations) {
  const sha256_value salted = pbkdf2_sha256(password, salt, iterations);
  return {iterations, std::string(salt), hmac_sha256(view(salted), "Client Key"),
          hmac_sha256(view(salted), "Server Key")};
}

scram_verifier verifier_of(const scram_keys& keys) {
  return {keys.iterations, keys.salt, sha256(view(keys.client_key)), keys.server_key};
}

std::string scram_salt(std::string_view user, std::string_view key) {
  return std::string(view(hmac_sha256(key, user)).substr(0, salt_size));
}

}  // namespace pgtandem::protocol
