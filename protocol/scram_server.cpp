#include "protocol/scram_server.hpp"

#include "protocol/scram_message.hpp"

namespace pgtandem::protocol {
namespace {

constexpr std::string_view violation = "08P01", unsupported = "0A000", wrong_password = "28P01";

scram_reply failed(std::string_view sqlstate, std::string_view message, std::string_view detail = {}) {
  return {{}, sqlstate, message, detail};
}

scram_reply malformed(std::string_view detail) { return failed(violation, "malformed SCRAM message", detail); }

}  // namespace

scram_server::scram_server(scram_verifier v, std::string_view nonce, bool doomed)
    : verifier_(std::move(v)), doomed_(doomed), nonce_(base64_encode(nonce)) {}

scram_reply scram_server::first(std::string_view message) {
  if (message.size() > scram_message_max) return malformed("The message is too long.");
  if (message.starts_with('p'))
    return failed(
        violation,
        "client selected SCRAM-SHA-256 without channel binding, but SCRAM message includes channel binding data");
  if (!message.starts_with("n,") && !message.starts_with("y,")) return malformed("Unexpected channel-binding flag.");
  if (message.substr(2).starts_with("a="))
    return failed(unsupported, "client uses authorization identity, but it is not supported");
  if (!message.substr(2).starts_with(',')) return malformed("Unexpected attribute in client-first-message.");
  gs2_header_ = message.substr(0, 3);
  first_bare_ = message.substr(3);
  if (first_bare_.starts_with("m=")) return failed(unsupported, "client requires an unsupported SCRAM extension");

  scram_attributes attributes(first_bare_);
  const bool named = attributes.take('n').has_value();  // the user is that of the StartupMessage
  const std::optional<std::string_view> nonce = named ? attributes.take('r') : std::nullopt;
  if (!nonce || !attributes.skip_rest()) return malformed("Unexpected attribute in client-first-message.");
  if (!is_scram_nonce(*nonce)) return malformed("Non-printable characters in SCRAM nonce.");

  nonce_.insert(0, *nonce);
  first_reply_ = "r=" + nonce_ + ",s=" + base64_encode(verifier_.salt) + ",i=" + std::to_string(verifier_.iterations);
  return {first_reply_, {}, {}, {}};
}

scram_reply scram_server::last(std::string_view message) {
  if (message.size() > scram_message_max) return malformed("The message is too long.");
  const std::size_t proof_at = message.rfind(",p=");
  if (proof_at == std::string_view::npos) return malformed("There is no proof in client-final-message.");
  const std::string_view unproven = message.substr(0, proof_at);
  const std::optional<std::string> proof = base64_decode(message.substr(proof_at + 3));
  if (!proof || proof->size() != sha256_value{}.size()) return malformed("Malformed proof in client-final-message.");

  scram_attributes attributes(unproven);
  const std::optional<std::string_view> binding = attributes.take('c');
  const std::optional<std::string_view> nonce = binding ? attributes.take('r') : std::nullopt;
  if (!nonce || !attributes.skip_rest()) return malformed("Unexpected attribute in client-final-message.");
  if (*binding != base64_encode(gs2_header_))
    return failed(violation, "unexpected SCRAM channel-binding attribute in client-final-message");
  if (gs2_header_.empty() || *nonce != nonce_)
    return failed(violation, "invalid SCRAM response", "Nonce does not match.");

  const std::string signed_text = first_bare_ + ',' + first_reply_ + ',' + std::string(unproven);
  const sha256_value signature = hmac_sha256(view(verifier_.stored_key), signed_text);
  keys_ = {verifier_.iterations, verifier_.salt, {}, verifier_.server_key};
  for (std::size_t i = 0; i < signature.size(); ++i)
    keys_.client_key[i] = static_cast<std::uint8_t>(static_cast<std::uint8_t>((*proof)[i]) ^ signature[i]);
  const bool proven = equal_in_constant_time(view(sha256(view(keys_.client_key))), view(verifier_.stored_key));
  if (!proven || doomed_) return failed(wrong_password, "password authentication failed");
  return {"v=" + base64_encode(view(hmac_sha256(view(verifier_.server_key), signed_text))), {}, {}, {}};
}

}  // namespace pgtandem::protocol
