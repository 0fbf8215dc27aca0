// A client's startup. The first byte: authentication method, and in pieces of which size the rest arrives; in whatever
// pieces it arrives, the same must be answered.
#include <algorithm>
#include <string>

#include "proxy/session/startup.hpp"
#include "tests/fuzz/target.hpp"

using namespace pgtandem;
using namespace pgtandem::session;

namespace {

// Of the password "pencil", so that no derivation slows the fuzzer down.
const std::string& verifier() {
  static const std::string text =
      protocol::to_text(protocol::verifier_of(protocol::derive_scram_keys("pencil", "0123456789abcdef", 4096)));
  return text;
}

struct heard {
  std::string to_client;
  bool closed = false, let_in = false;
  bool operator==(const heard&) const = default;
};

void attend(startup& s, heard& h) {
  for (startup_outbox out = s.take(); true; out = s.take()) {
    fuzz::promise(!h.closed || out.to_client.empty());
    h.to_client += out.to_client;
    h.closed |= out.close_client;
    if (out.lookup && s.who().user == "ann")
      s.secret_found(verifier());
    else if (out.lookup)
      s.secret_unknown();
    else if (out.log_in)
      s.complete({{{"TimeZone", "UTC"}}, 1, 2}, 3, 4);
    else
      return;
    h.let_in |= out.log_in;
  }
}

heard converse(std::string_view bytes, auth_method method, std::size_t piece) {
  startup s({method, "shop", "salt key", "nonce"});
  heard h;
  for (std::size_t at = 0; at < bytes.size(); at += piece) {
    s.client_data(bytes.substr(at, piece));
    attend(s, h);
  }
  return h;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view bytes = fuzz::text(data, std::min(size, early_bytes_max)).substr(1);
  const auth_method method = data[0] & 1 ? auth_method::trust : auth_method::scram_sha_256;
  const heard once = converse(bytes, method, std::max<std::size_t>(bytes.size(), 1));
  fuzz::promise(once == converse(bytes, method, data[0] / 2u + 1));
  fuzz::promise(!once.let_in || method == auth_method::trust);  // a proof cannot be guessed
  return 0;
}
