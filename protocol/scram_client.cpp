#include "protocol/scram_client.hpp"

#include <charconv>

#include "protocol/scram_message.hpp"

namespace pgtandem::protocol {
namespace {

constexpr std::string_view gs2_header = "n,,", encoded_header = "biws";

struct server_first {
  std::string_view nonce;
  std::string salt;
  std::uint32_t iterations = 0;
};

std::optional<server_first> read(std::string_view message) {
  if (message.size() > scram_message_max) return std::nullopt;
  scram_attributes attributes(message);
  const std::optional<std::string_view> nonce = attributes.take('r');
  const std::optional<std::string_view> salt = nonce ? attributes.take('s') : std::nullopt;
  const std::optional<std::string_view> count = salt ? attributes.take('i') : std::nullopt;
  if (!count || !attributes.skip_rest() || !is_scram_nonce(*nonce)) return std::nullopt;
  const std::optional<std::string> raw_salt = base64_decode(*salt);
  server_first m{*nonce, raw_salt.value_or(""), 0};
  const auto [end, failed] = std::from_chars(count->data(), count->data() + count->size(), m.iterations);
  if (failed != std::errc{} || end != count->data() + count->size() || m.iterations == 0 || m.salt.empty())
    return std::nullopt;
  return m;
}

}  // namespace

scram_client::scram_client(std::variant<std::string, scram_keys> password_or_keys, std::string_view nonce)
    : secret_(std::move(password_or_keys)), nonce_(base64_encode(nonce)), first_bare_("n=,r=" + nonce_) {}

std::string scram_client::first() const { return std::string(gs2_header) + first_bare_; }

scram_failure scram_client::answer(std::string_view message, std::string& reply) {
  const std::optional<server_first> m = read(message);
  if (!m || !m->nonce.starts_with(nonce_) || m->nonce.size() == nonce_.size()) return scram_failure::malformed;
  if (m->iterations > scram_iterations_max) return scram_failure::too_costly;
  if (const std::string* password = std::get_if<std::string>(&secret_))
    secret_ = derive_scram_keys(*password, m->salt, m->iterations);
  const scram_keys& keys = std::get<scram_keys>(secret_);
  if (keys.salt != m->salt || keys.iterations != m->iterations) return scram_failure::other_verifier;

  reply = "c=" + std::string(encoded_header) + ",r=" + std::string(m->nonce);
  const std::string signed_text = first_bare_ + ',' + std::string(message) + ',' + reply;
  sha256_value proof = hmac_sha256(view(sha256(view(keys.client_key))), signed_text);
  for (std::size_t i = 0; i < proof.size(); ++i) proof[i] ^= keys.client_key[i];
  reply += ",p=" + base64_encode(view(proof));
  server_signature_ = hmac_sha256(view(keys.server_key), signed_text);
  return scram_failure::none;
}

scram_failure scram_client::verify(std::string_view message) const {
  if (message.size() > scram_message_max || !server_signature_) return scram_failure::malformed;
  if (message.starts_with("e=")) return scram_failure::server_error;
  scram_attributes attributes(message);
  const std::optional<std::string_view> text = attributes.take('v');
  const std::optional<std::string> signature = text ? base64_decode(*text) : std::nullopt;
  if (!signature || !attributes.skip_rest()) return scram_failure::malformed;
  return equal_in_constant_time(*signature, view(*server_signature_)) ? scram_failure::none
                                                                      : scram_failure::wrong_signature;
}

}  // namespace pgtandem::protocol
