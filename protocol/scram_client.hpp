// The client's side of SCRAM-SHA-256 without channel binding: proves a password, or keys learnt elsewhere, to a server,
// and checks that the server knows the verifier too. Three steps, each once and in this order.
#pragma once
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "protocol/scram_secret.hpp"

namespace pgtandem::protocol {

// Why the exchange cannot go on; `none` = it can.
enum class scram_failure : std::uint8_t {
  none,
  malformed,        // the server's message is no SCRAM message, or its nonce is not ours
  too_costly,       // more than scram_iterations_max
  other_verifier,   // only keys are known, and the server's salt or iterations are not theirs
  server_error,     // "e=…"
  wrong_signature,  // the server does not know the verifier
};

class scram_client {
 public:
  // `nonce`: at least 18 random bytes, fresh for every exchange.
  scram_client(std::variant<std::string, scram_keys> password_or_keys, std::string_view nonce);

  std::string first() const;                                                // data of SASLInitialResponse
  scram_failure answer(std::string_view server_first, std::string& reply);  // data of SASLResponse
  scram_failure verify(std::string_view server_final) const;

 private:
  std::variant<std::string, scram_keys> secret_;
  std::string nonce_, first_bare_;
  std::optional<sha256_value> server_signature_;  // expected
};

}  // namespace pgtandem::protocol
