// The first byte says who reads the rest: a server (two messages, one a line), a client (likewise), the verifier's
// parser.
#include <string>

#include "protocol/credential.hpp"
#include "protocol/scram_client.hpp"
#include "protocol/scram_server.hpp"
#include "tests/fuzz/target.hpp"

using namespace pgtandem;
using namespace pgtandem::protocol;

namespace {

// Keys without their derivation: it costs milliseconds and reads nothing from outside.
scram_keys some_keys() {
  scram_keys k;
  k.salt = "0123456789abcdef";
  k.client_key.fill(1);
  k.server_key.fill(2);
  return k;
}

void server(std::string_view first, std::string_view last) {
  scram_server s(verifier_of(some_keys()), "nonce");
  const scram_reply challenge = s.first(first);
  const scram_reply end = challenge.ok() ? s.last(last) : s.last(first);
  fuzz::promise(!end.ok());  // a proof cannot be guessed
}

void client(std::string_view first, std::string_view last) {
  scram_client c(some_keys(), "nonce");
  std::string reply;
  c.answer(first, reply);
  fuzz::promise(c.verify(last) != scram_failure::none);
}

void verifier(std::string_view text) {
  const auto v = parse_scram_verifier(text);
  kind_of_secret(text);
  if (!v) return;
  const auto again = parse_scram_verifier(to_text(*v));
  fuzz::promise(again && again->salt == v->salt && again->iterations == v->iterations &&
                again->stored_key == v->stored_key && again->server_key == v->server_key);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string_view input = fuzz::text(data, size);
  if (input.empty()) return 0;
  const char reader = input.front();
  input.remove_prefix(1);
  const std::size_t line = input.find('\n');
  const std::string_view first = input.substr(0, line);
  const std::string_view last = line == std::string_view::npos ? std::string_view{} : input.substr(line + 1);
  if (reader == 's') server(first, last);
  if (reader == 'c') client(first, last);
  if (reader == 'v') verifier(input);
  return 0;
}
